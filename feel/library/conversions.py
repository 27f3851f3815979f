"""Conversions between kinds (10.3.4.1)."""

import re
from datetime import UTC, date, datetime, tzinfo
from decimal import DecimalException

from feel import temporal as t
from feel.library.define import built_in
from feel.limits import ZONE, Runtime
from feel.values import NUMBERS, Value, kind, text_of, whole

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)


@built_in("string", "from: any~")
def string(runtime: Runtime, value: Value) -> Value:
    text = text_of(value, runtime)
    if text is not None:
        runtime.make_text(len(text))
    return text


@built_in("number", "from: string", "grouping separator?: string~", "decimal separator?: string~")
def number(runtime: Runtime, text: str, grouping: str | None = None, decimal: str | None = None) -> Value:
    if grouping not in (None, " ", ",", ".") or decimal not in (None, ",", "."):
        return None
    if grouping is not None and grouping == decimal:
        return None
    if grouping:
        text = text.replace(grouping, "")
    if decimal and decimal != ".":
        if "." in text:
            return None
        text = text.replace(decimal, ".")
    if len(text) > 7000 or not _NUMBER.fullmatch(text):
        return None
    try:
        return NUMBERS.create_decimal(text)
    except DecimalException:
        return None


def _charge_zone(runtime: Runtime, text: str) -> None:
    if "@" in text:
        runtime.spend(ZONE)


@built_in("date", "from: any", "month?: number", "day?: number", also=[("year", "month", "day")])
def make_date(runtime: Runtime, first: Value, month: Value = None, day: Value = None) -> Value:
    if month is not None or day is not None:
        numbers = [whole(first), whole(month), whole(day)]
        if any(found is None for found in numbers):
            return None
        return t.make_date(*numbers)  # type: ignore[arg-type]
    found = kind(first)
    if found == "string":
        return t.parse_date(first)
    if found == "date and time":
        return t.date_of_ordinal(t.parts(first)[0])
    return first if found == "date" else None


@built_in(
    "date and time",
    "date: any",
    "time?: any",
    "day?: number",
    "hour?: number",
    "minute?: number",
    "second?: number",
    "offset?: any",
    also=[("from",), ("year", "month", "day", "hour", "minute", "second", "offset")],
)
def make_moment(runtime: Runtime, first: Value, second: Value = None, *more: Value) -> Value:
    if more:
        runtime.spend(ZONE if kind(more[-1]) == "string" else 1)
        return _moment_of_numbers(first, second, *more)
    found = kind(first)
    if second is None:
        if found == "string":
            _charge_zone(runtime, first)
            return t.parse_moment(first)
        if found == "date":
            return t.make_moment(t.ordinal(first), 0, None)
        return first if found == "date and time" else None
    if kind(second) == "string" and found == "date and time":
        runtime.spend(ZONE)
        return _in_zone(first, second)
    if kind(second) != "time" or found not in ("date", "date and time"):
        return None
    days = t.ordinal(first) if found == "date" else t.parts(first)[0]
    return t.make_moment(days, second.nanos, second.zone)


def _in_zone(value: t.Moment, name: str) -> Value:
    zone, universal = t.named_zone(name), t.instant(value)
    return None if zone is None or universal is None else t.at_instant(universal, zone)


def _moment_of_numbers(year: Value, month: Value, *rest: Value) -> Value:
    if len(rest) < 4:
        return None
    day, hour, minute, second, *offset = rest
    numbers = [whole(part) for part in (year, month, day)]
    if any(part is None for part in numbers):
        return None
    of_day = t.make_date(*numbers)  # type: ignore[arg-type]
    at = _time_of_numbers(hour, minute, second, offset[0] if offset else None)
    return None if of_day is None or at is None else t.make_moment(t.ordinal(of_day), at.nanos, at.zone)


def _time_of_numbers(hour: Value, minute: Value, second: Value, offset: Value) -> t.Time | None:
    if kind(second) != "number" or not 0 <= second < 60:
        return None
    hours, minutes = whole(hour), whole(minute)
    zone: tzinfo | None = None
    if offset is not None:
        if kind(offset) == "string":
            zone = t.named_zone(offset)
        elif kind(offset) == "days and time duration":
            zone = t.fixed_zone(t.nanoseconds(offset) // t.SECOND)
        if zone is None:
            return None
    if hours is None or minutes is None:
        return None
    return t.make_time(hours, minutes, int(second * t.SECOND), zone)


@built_in(
    "time",
    "from: any",
    "minute?: number",
    "second?: number",
    "offset?: any~",
    also=[("hour", "minute", "second", "offset")],
)
def make_time(
    runtime: Runtime, first: Value, minute: Value = None, second: Value = None, offset: Value = None
) -> Value:
    if minute is not None or second is not None:
        if minute is None or second is None or (offset is not None and kind(offset) != "days and time duration"):
            return None
        return _time_of_numbers(first, minute, second, offset)
    found = kind(first)
    if found == "string":
        _charge_zone(runtime, first)
        return t.parse_time(first)
    if found == "date and time":
        _, nanos, zone = t.parts(first)
        return t.Time(nanos, zone)
    if found == "date":
        return t.Time(0, UTC)
    return first if found == "time" else None


@built_in("duration", "from: any")
def duration(runtime: Runtime, value: Value) -> Value:
    if kind(value) == "string":
        return t.parse_duration(value)
    return value if kind(value) in ("days and time duration", "years and months duration") else None


@built_in("years and months duration", "from: day", "to: day")
def years_and_months(runtime: Runtime, start: Value, end: Value) -> Value:
    return t.make_months(t.months_between(*_day_and_time(start), *_day_and_time(end)))


def _day_and_time(value: Value) -> tuple[tuple[int, int, int], int]:
    if kind(value) == "date":
        return t.parts_of_ordinal(t.ordinal(value)), 0
    days, nanos, _ = t.parts(value)
    return t.parts_of_ordinal(days), nanos


@built_in("now")
def now(runtime: Runtime) -> datetime:
    """The injected clock if there is one, else the clock of the machine."""
    if (clock := runtime.functions.get("now")) is not None:
        found = clock()
        assert isinstance(found, datetime)
        return found
    from core.now import now as clock_now

    return clock_now()


@built_in("today")
def today(runtime: Runtime) -> date:
    if (clock := runtime.functions.get("today")) is not None:
        day = clock()
        assert isinstance(day, date)
        return day
    moment: datetime = now(runtime)
    return moment.date()
