"""Values of variables as JSON: FEEL's kinds survive a round trip, and the common ones stay plain.

A date is ``{"$d": "2026-10-01"}``; text that looks like a date stays text. ``plain`` is for people and other
systems: there a date is just its ISO text.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

import feel
from feel import temporal

#: Integers that JSON readers everywhere keep exactly.
_SAFE = 2**53


#: Deeper data is refused: FEEL could not read it again.
MAX_DEPTH = 60
#: Longer integers are refused; nothing that people mean has so many digits.
MAX_BITS = 4_000
#: Kinds of FEEL that live only while an expression is evaluated.
_FLEETING = {"range": "区间", "function": "函数"}
_PLAIN = frozenset((type(None), str, bool, Decimal, date, datetime, timedelta))


class NotKept(TypeError):
    """A value that process data cannot hold. ``zh`` and ``en`` say so to people."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} {en}")
        self.zh = zh
        self.en = en


def require_kept(name: str, value: Any) -> None:
    """Raises NotKept, with the name of the variable, for what ``encode`` would refuse."""
    if type(value) in _PLAIN:
        return
    try:
        encode(value)
    except NotKept as error:
        raise NotKept(f"变量 {name}：{error.zh}", f"{name}: {error.en}") from error


def encode(value: Any, depth: int = 0) -> Any:
    """JSON that ``decode`` turns back into an equal value: the same number, moment, duration or text.

    A moment in a named zone becomes one with the offset that the zone had then. Raises NotKept, a TypeError, for
    what process data cannot hold: ranges, functions, and whatever FEEL has no kind for.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise NotKept("这个整数太长，流程数据存不下。", "This integer is too long to be kept as process data.")
        return value if abs(value) < _SAFE else {"$n": str(value)}
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        whole = value == value.to_integral_value()
        return int(value) if whole and abs(value) < _SAFE else {"$n": str(value)}
    if isinstance(value, float):
        return encode(Decimal(repr(value)))
    if depth > MAX_DEPTH:
        raise NotKept(f"数据嵌套超过 {MAX_DEPTH} 层。", f"The data is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, Mapping):
        coded = {str(name): encode(item, depth + 1) for name, item in value.items()}
        return {"$c": coded} if any(name.startswith("$") for name in coded) else coded
    if isinstance(value, list) or type(value) is tuple:
        return [encode(item, depth + 1) for item in value]
    for kinds, mark, write in _WRITTEN:
        if isinstance(value, kinds):
            return {mark: write(value)}
    raise _not_kept(value)


def _not_kept(value: Any) -> NotKept:
    kind = "range" if isinstance(value, feel.Range) else "function" if callable(value) else ""
    if isinstance(value, feel.Function) or kind:
        kind = kind or "function"
        return NotKept(
            f"{_FLEETING[kind]}只在表达式里有用，不能存进流程数据；请存它的值。",
            f"A {kind} lives only within an expression and cannot be kept as process data; keep its values.",
        )
    name = type(value).__name__
    return NotKept(f"流程数据不能保存 {name} 类型的值。", f"A {name} cannot be kept as process data.")


#: Dates and times by kind, the narrower first (a moment is a date to Python): their mark and their text.
_WRITTEN: tuple[tuple[Any, str, Callable[[Any], str]], ...] = (
    (temporal.FarMoment, "$t", temporal.format_moment),
    (datetime, "$t", datetime.isoformat),
    ((date, temporal.FarDate), "$d", temporal.format_date),
    (temporal.Time, "$h", temporal.format_time),
    (time, "$h", time.isoformat),
    ((timedelta, temporal.FarDuration, temporal.YearsMonths), "$p", temporal.format_duration),
)


def decode(value: Any) -> Any:
    """The value that was encoded."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name == "$n":
            return int(inner) if inner.lstrip("-").isdigit() else Decimal(inner)
        if name == "$d":
            return temporal.parse_date(inner)
        if name == "$t":
            return _moment(inner)
        if name == "$h":
            return temporal.parse_time(inner)
        if name == "$p":
            return temporal.parse_duration(inner)
        if name == "$c":
            return {key: decode(item) for key, item in inner.items()}
    return {key: decode(item) for key, item in value.items()}


def _moment(text: str) -> Any:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # beyond the years of Python
        return temporal.parse_moment(text)


def from_json(value: Any) -> Any:
    """JSON from outside as FEEL values: fractions are decimals, text stays text."""
    return decode(encode(value))


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
