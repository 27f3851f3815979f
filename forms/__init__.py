"""Forms: form-js JSON compiled to fields, validation and HTML.

A form is what people fill in for one user task. It is compiled once (``compile_form``), rendered by the server
(``Form.render``) and every condition is evaluated again when an answer arrives (``Form.load``).

The English words of ``name.form`` lie beside it in ``name.en.json``, keyed by the component's id::

    {"decision": {"label": "Decision", "description": "…", "values": {"accept": "Accept"}},
     "intro": {"text": "# Decide on acceptance …"}}

A bare string stands for the label (of a text block: its text).
"""

from forms.compiling import Field, Form, FormError, compile_form
from forms.findings import Finding
from forms.reading import Reading

__all__ = ["Field", "Finding", "Form", "FormError", "Reading", "compile_form"]
