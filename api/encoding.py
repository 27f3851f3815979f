"""JSON in and out by orjson: fast, strict about what it reads, exact about what it writes."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson. NaN, lone surrogates and trailing text are refused on the way in."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        return orjson.dumps(obj, default=plain).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return orjson.loads(s)


def plain(value: object) -> object:
    """What orjson does not know: whole decimals become integers, others the text of the exact number."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"{type(value).__name__} has no form in JSON.")
