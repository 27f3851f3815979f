"""What stands after a dot: entries of contexts, parts of dates, times, durations and ranges."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from feel import temporal as t
from feel.limits import Runtime
from feel.values import Value, kind


def _offset(value: t.Moment) -> Value:
    east = t.offset(value)
    return None if east is None else t.make_duration(east * t.SECOND)


def _time_offset(value: t.Time) -> Value:
    east = t.time_offset(value)
    return None if east is None else t.make_duration(east * t.SECOND)


def _date_part(index: int) -> Callable[[Any], Decimal]:
    return lambda value: Decimal(
        t.parts_of_ordinal(t.ordinal(value) if kind(value) == "date" else t.parts(value)[0])[index]
    )


def _clock_part(divisor: int, modulus: int) -> Callable[[Any], Decimal]:
    def part(value: Any) -> Decimal:
        nanos = value.nanos if isinstance(value, t.Time) else t.parts(value)[1]
        return Decimal(nanos // (divisor * t.SECOND) % modulus)

    return part


def _duration_part(divisor: int, modulus: int) -> Callable[[Any], Decimal]:
    def part(value: Any) -> Decimal:
        total = t.nanoseconds(value)
        size = abs(total) // (divisor * t.SECOND)
        return Decimal((size % modulus if modulus else size) * (-1 if total < 0 else 1))

    return part


def _months_part(years: bool) -> Callable[[t.YearsMonths], Decimal]:
    def part(value: t.YearsMonths) -> Decimal:
        size = abs(value.months) // 12 if years else abs(value.months) % 12
        return Decimal(-size if value.months < 0 else size)

    return part


def _weekday(value: Any) -> Decimal:
    days = t.ordinal(value) if kind(value) == "date" else t.parts(value)[0]
    return Decimal((days - 1) % 7 + 1)


def _zone(value: Any) -> str | None:
    zone = value.zone if isinstance(value, t.Time) else t.parts(value)[2]
    return None if zone is None else t.zone_name(zone)


_DATE: dict[str, Callable[[Any], Value]] = {
    "year": _date_part(0),
    "month": _date_part(1),
    "day": _date_part(2),
    "weekday": _weekday,
}
_CLOCK: dict[str, Callable[[Any], Value]] = {
    "hour": _clock_part(3600, 24),
    "minute": _clock_part(60, 60),
    "second": _clock_part(1, 60),
    "timezone": _zone,
}
PROPERTIES: dict[str, dict[str, Callable[[Any], Value]]] = {
    "date": _DATE,
    "date and time": {**_DATE, **_CLOCK, "time offset": _offset},
    "time": {**_CLOCK, "time offset": _time_offset},
    "days and time duration": {
        "days": _duration_part(86_400, 0),
        "hours": _duration_part(3600, 24),
        "minutes": _duration_part(60, 60),
        "seconds": _duration_part(1, 60),
    },
    "years and months duration": {"years": _months_part(True), "months": _months_part(False)},
    "range": {
        "start": lambda value: value.low,
        "end": lambda value: value.high,
        "start included": lambda value: value.low_included,
        "end included": lambda value: value.high_included,
    },
}


def property_of(value: Value, name: str, runtime: Runtime, at: int) -> Value:
    """``value.name``; of a list, the list of that property of each item."""
    of = type(value)
    if of is dict:
        if name in value:
            return value[name]
        runtime.note(at, f"there is no entry {name}", f"没有名为 {name} 的条目")
        return None
    if value is None:
        return None
    if of is list:
        runtime.spend(len(value) + 1)
        runtime.make(len(value))
        return [property_of(item, name, runtime, at) for item in value]
    known = PROPERTIES.get(kind(value), {}).get(name)
    if known is None:
        runtime.note(at, f"a {kind(value)} has no property {name}", f"{kind(value)} 没有属性 {name}")
        return None
    return known(value)
