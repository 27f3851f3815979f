"""What a check of a form finds: plain data, in a designer's words."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a form. ``element`` is the component's id, empty for the form itself."""

    element: str
    code: str
    severity: Literal["error", "warning"]
    zh: str
    en: str
