"""Values of variables as JSON: FEEL's kinds survive a round trip, and the common ones stay plain.

A date is ``{"$d": "2026-10-01"}``; text that looks like a date stays text. ``plain`` is for people and other
systems: there a date is just its ISO text.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

from feel import temporal

#: Integers that JSON readers everywhere keep exactly.
_SAFE = 2**53


def encode(value: Any) -> Any:
    """JSON that ``decode`` turns back into an equal value. Raises TypeError for what is no FEEL value."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _SAFE else {"$n": str(value)}
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return int(value) if whole and abs(value) < _SAFE else {"$n": str(value)}
    if isinstance(value, float):
        return encode(Decimal(repr(value)))
    if isinstance(value, Mapping):
        coded = {str(name): encode(item) for name, item in value.items()}
        return {"$c": coded} if any(name.startswith("$") for name in coded) else coded
    if isinstance(value, temporal.Time):
        return {"$h": temporal.format_time(value)}
    if isinstance(value, temporal.YearsMonths):
        return {"$p": temporal.format_duration(value)}
    if isinstance(value, list) or type(value) is tuple:
        return [encode(item) for item in value]
    if isinstance(value, datetime):
        return {"$t": value.isoformat()}
    if isinstance(value, date):
        return {"$d": value.isoformat()}
    if isinstance(value, time):
        return {"$h": value.isoformat()}
    if isinstance(value, timedelta):
        return {"$p": temporal.format_duration(value)}
    raise TypeError(f"A variable cannot hold {value!r} ({type(value).__name__}).")


def decode(value: Any) -> Any:
    """The value that was encoded."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name == "$n":
            number = Decimal(inner)
            return int(number) if number == number.to_integral_value() and "." not in inner else number
        if name == "$d":
            return date.fromisoformat(inner)
        if name == "$t":
            return datetime.fromisoformat(inner)
        if name == "$h":
            return temporal.parse_time(inner)
        if name == "$p":
            return temporal.parse_duration(inner)
        if name == "$c":
            return {key: decode(item) for key, item in inner.items()}
    return {key: decode(item) for key, item in value.items()}


def plain(value: Any) -> Any:
    """JSON for people and other systems: moments and durations as ISO text, numbers as numbers or text."""
    coded = encode(value)
    return _plain(coded)


#: Characters of JSON that ``shown`` lets one value take.
MOST_SHOWN = 2_000


def shown(value: Any) -> Any:
    """``plain`` for somebody who looks into a failure: never raises, and what is long is named by its length."""
    try:
        found = plain(value)
    except TypeError:
        return f"({type(value).__name__})"
    length = len(orjson.dumps(found))
    return found if length <= MOST_SHOWN else f"({length} characters)"


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            ((name, inner),) = value.items()
            if name == "$c":
                return {key: _plain(item) for key, item in inner.items()}
            if name.startswith("$"):
                return inner
        return {key: _plain(item) for key, item in value.items()}
    return value
