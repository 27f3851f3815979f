"""A compiled form: its fields, the check of what it says, and the way in for answers."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from forms import loading, reading
from forms.components import INPUTS, Component, Reader, in_scope
from forms.findings import Finding
from forms.loading import Scope
from forms.words import Language

if TYPE_CHECKING:
    from markupsafe import Markup


class FormError(ValueError):
    """The file is not a form at all; the message says what was found instead."""


@dataclass(frozen=True)
class Field:
    """What is asked: where its value is kept, what it gives and what it says."""

    key: str
    #: The FEEL type of its value.
    type: str
    #: The component's type, for example ``money``.
    kind: str
    label: str
    help: str
    required: bool
    #: The rules as form-js writes them.
    validation: Mapping[str, Any]
    #: The FEEL text that hides it, empty when it is always asked.
    hidden_when: str
    properties: Mapping[str, str]


class Form:
    """One compiled form. Immutable; shared between threads."""

    def __init__(
        self, form_id: str, digest: str, components: tuple[Component, ...], findings: Iterable[Finding]
    ) -> None:
        self.id = form_id
        self.digest = digest
        self.components = components
        self._findings = tuple(findings)
        self.scope = Scope(components)

    @cached_property
    def fields(self) -> dict[str, str]:
        """Key to FEEL type, for the catalogue: rows are a ``list``, a group with a path is a ``context``."""
        types: dict[str, str] = {}
        for component in in_scope(self.components):
            if component.asks:
                types[component.key] = INPUTS[component.type]
            elif component.opens_scope:
                types[component.key] = "list" if component.type == "dynamiclist" else "context"
        return types

    @cached_property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """Key to the listed values of each question that is answered with one of them."""
        return {
            c.key: tuple(option.value for option in c.options)
            for c in in_scope(self.components)
            if c.type in ("radio", "select") and c.options
        }

    @cached_property
    def inputs(self) -> tuple[Field, ...]:
        """Everything that is asked, in the order of the form."""
        return tuple(
            Field(
                key=c.key,
                type=INPUTS[c.type],
                kind=c.type,
                label=c.words("label", "zh"),
                help=c.words("description", "zh"),
                required=c.required,
                validation=c.validate,
                hidden_when=str((c.given.get("conditional") or {}).get("hide") or ""),
                properties=c.properties,
            )
            for top in self.components
            for c in top.walk()
            if c.asks
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that its expressions read from the case: whatever is no field of its own."""
        own = {c.key for top in self.components for c in top.walk() if c.key}
        read = {name for top in self.components for c in top.walk() for name in _names(c)}
        return frozenset(read - own)

    @cached_property
    def reacts(self) -> bool:
        """Whether anything appears, disappears or changes with what is typed."""
        own = {c.key for top in self.components for c in top.walk() if c.key}
        return any(_names(c) & own for top in self.components for c in top.walk())

    def check(self) -> list[Finding]:
        """What is wrong with the form: unknown types, double keys, expressions that do not compile, markup."""
        return list(self._findings)

    def load(
        self, answer: Mapping[str, Any], context: Mapping[str, Any], *, language: Language = "zh"
    ) -> dict[str, Any]:
        """The valid answer as plain JSON; what is not asked is absent, what was left empty is null.

        ``context`` is what the conditions may read of the case; ``today`` in it dates "not in the past".
        Raises Invalid with a message per field path (``items.0.price``).
        """
        return loading.load(self.scope, answer, context, language)

    def visible(self, answer: Mapping[str, Any], context: Mapping[str, Any]) -> frozenset[str]:
        """The ids of the components that are shown with these values, rows of lists left aside."""
        return loading.visible(self.scope, answer, context)

    def typed(self, answer: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        """What is shown and valid so far of an answer that is still being typed; nothing is refused."""
        return loading.typed(self.scope, answer, context)

    def read(self, pairs: Iterable[tuple[str, str]]) -> reading.Reading:
        """Names and values as a browser sends them, put in the shape that ``load`` takes."""
        return reading.read(self.scope, pairs)

    def render(
        self,
        values: Mapping[str, Any],
        context: Mapping[str, Any],
        *,
        errors: Mapping[str, list[str]] | None = None,
        language: Language = "zh",
        recheck_url: str = "",
        upload_url: str = "",
        files: Mapping[str, Mapping[str, str]] | None = None,
        only: Iterable[str] | None = None,
        title: str = "",
    ) -> "Markup":
        """The fields as HTML, without the <form> around them and without buttons.

        ``recheck_url`` is asked (POST, htmx) whenever an answer may change what is shown; it answers with this
        same HTML. ``upload_url`` takes files one by one; ``files`` are those known already, by id, with
        ``name``, ``note`` and ``url``. ``only`` shows some of the components (a step of a longer form). A first
        heading that repeats the page's own ``title`` is left out.
        """
        from forms import rendering

        return rendering.render(
            self,
            values,
            context,
            errors=errors or {},
            language=language,
            recheck_url=recheck_url,
            upload_url=upload_url,
            files=files or {},
            only=None if only is None else frozenset(only),
            title=title,
        )

    def summary(self, errors: Mapping[str, list[str]], *, language: Language = "zh") -> "Markup":
        """The list of errors above the form, each a link to its field; empty when there is none."""
        from forms import rendering

        return rendering.summary(self, errors, language)

    def describe(
        self, answer: Mapping[str, Any], context: Mapping[str, Any], *, language: Language = "zh"
    ) -> list[tuple[str, str]]:
        """A loaded answer in words: label and value of each field that was asked."""
        from forms import rendering

        return rendering.describe(self, answer, context, language)


def compile_form(content: bytes, *, texts: Mapping[str, Any] | None = None) -> Form:
    """Compile form-js JSON; cached by content. Raises FormError when it is not a form at all."""
    return _compile(content, json.dumps(texts or {}, sort_keys=True, ensure_ascii=False))


@lru_cache(maxsize=512)
def _compile(content: bytes, texts: str) -> Form:
    try:
        given = json.loads(content)
    except (ValueError, UnicodeDecodeError) as error:
        raise FormError(f"A form is a JSON object; this is not JSON: {error}") from error
    except RecursionError:
        raise FormError("A form is a JSON object; this one is nested without end.") from None
    if not isinstance(given, dict):
        raise FormError(f"A form is a JSON object; found {type(given).__name__}.")
    reader = Reader(json.loads(texts))
    components = reader.read(given.get("components"))
    digest = hashlib.sha256(content + b"\0" + texts.encode()).hexdigest()
    return Form(str(given.get("id") or ""), digest, components, reader.findings)


def _names(component: Component) -> frozenset[str]:
    expressions = [component.hide, component.source]
    expressions += [piece.expression for pieces in component.pieces.values() for piece in pieces]
    return frozenset().union(*(e.names for e in expressions if e is not None))
