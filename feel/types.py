"""The types of FEEL: whether a value belongs to one, and the conversions that the standard does by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from feel import temporal as t
from feel.limits import Runtime
from feel.values import Function, Range, Value, kind

#: What ``coerce`` answers when the value does not fit and cannot be made to fit.
MISMATCH: Any = object()

SIMPLE = frozenset(
    (
        "number",
        "string",
        "boolean",
        "date",
        "time",
        "date and time",
        "days and time duration",
        "years and months duration",
        "list",
        "context",
        "function",
        "range",
    )
)
_ALIASES = {
    "any": "Any",
    "dateTime": "date and time",
    "date_time": "date and time",
    "dayTimeDuration": "days and time duration",
    "day time duration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "year month duration": "years and months duration",
    "null": "Null",
}


class Type:
    """A type: a simple one, or a list, range, context or function with the types of its parts."""

    __slots__ = ("allowed", "fields", "item", "kind", "parameters", "result")

    def __init__(
        self,
        kind: str,
        *,
        item: Type | None = None,
        fields: Mapping[str, Type] | None = None,
        parameters: tuple[Type, ...] | None = None,
        result: Type | None = None,
        allowed: tuple[Value, ...] | None = None,
    ) -> None:
        self.kind = kind
        #: The only values there are, when they can be listed. Inference reads them; ``accepts`` does not.
        self.allowed = allowed
        self.item = item
        self.fields = fields
        self.parameters = parameters
        self.result = result

    def __repr__(self) -> str:
        if self.item is not None:
            return f"{self.kind}<{self.item}>"
        if self.fields is not None:
            return "context<" + ", ".join(f"{name}: {of}" for name, of in self.fields.items()) + ">"
        if self.parameters is not None:
            return f"function<{', '.join(map(str, self.parameters))}>->{self.result}"
        return self.kind

    def accepts(self, value: Value, runtime: Runtime, *, values: bool = True) -> bool:
        """Whether a value that is not null is an instance. Allowed values count only when ``values`` says so."""
        if self.kind == "Any":
            return True
        if value is None:
            return self.kind == "Null"
        if kind(value) != self.kind:
            return False
        if self.item is not None:
            return _parts_fit(value, self.item, runtime, values)
        if self.fields is not None:
            runtime.spend(len(self.fields))
            return all(
                name in value and _fits(value[name], of, runtime, values) for name, of in self.fields.items()
            )
        if self.parameters is not None:
            return _signature_fits(value, self.parameters, self.result or ANY)
        return True

    def coerce(self, value: Value, runtime: Runtime) -> Value:
        """The value as one of this type: null stays, one-item lists open or close, a date becomes its midnight."""
        if value is None or self.accepts(value, runtime):
            return value
        if isinstance(value, list):
            if len(value) == 1 and self.kind != "list" and self.accepts(value[0], runtime):
                return value[0]
        elif self.kind == "list":
            wrapped = [value]
            return wrapped if self.accepts(wrapped, runtime) else MISMATCH
        if self.kind == "date and time" and kind(value) == "date":
            return t.make_moment(t.ordinal(value), 0, UTC)
        return MISMATCH


def _parts_fit(value: Value, item: Type, runtime: Runtime, values: bool) -> bool:
    parts = (value.low, value.high) if isinstance(value, Range) else value
    runtime.spend(len(parts))
    return all(_fits(part, item, runtime, values) for part in parts)


def _fits(value: Value, of: Type, runtime: Runtime, values: bool) -> bool:
    return value is None or of.accepts(value, runtime, values=values)


def _signature_fits(value: Function, parameters: tuple[Type, ...], result: Type) -> bool:
    """A function fits when it takes what will be given and gives what is asked for."""
    own = getattr(value, "types", None)
    if own is None:
        return value.parameters is None or len(value.parameters) == len(parameters)
    own_parameters, own_result = own
    if len(own_parameters) != len(parameters):
        return False
    if not all(
        given is None or conforms(wanted, given) for wanted, given in zip(parameters, own_parameters, strict=True)
    ):
        return False
    return result.kind == "Any" or own_result is None or conforms(own_result, result)


def conforms(narrow: Type, wide: Type) -> bool:
    """Whether every value of one type is a value of the other."""
    if wide.kind == "Any" or narrow.kind == "Null":
        return True
    if narrow.kind != wide.kind:
        return False
    if wide.item is not None:
        return narrow.item is not None and conforms(narrow.item, wide.item)
    if wide.fields is not None:
        own = narrow.fields
        return own is not None and all(name in own and conforms(own[name], of) for name, of in wide.fields.items())
    if wide.parameters is not None:
        if narrow.parameters is None or len(narrow.parameters) != len(wide.parameters):
            return False
        pairs = zip(wide.parameters, narrow.parameters, strict=True)
        return all(conforms(a, b) for a, b in pairs) and conforms(narrow.result or ANY, wide.result or ANY)
    return True


ANY = Type("Any")
NULL = Type("Null")
BUILT_IN: dict[str, Type] = {"Any": ANY, "Null": NULL, **{name: Type(name) for name in SIMPLE}}


def named(name: str) -> Type | None:
    """A built-in type by the names that FEEL and XML use for it."""
    return BUILT_IN.get(_ALIASES.get(name, name))
