"""Functions on dates (10.3.4.6, 10.3.4.8)."""

from decimal import Decimal

from feel import temporal as t
from feel.library.define import built_in
from feel.limits import Runtime
from feel.values import Value, equal, kind

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _ordinal(value: Value) -> int:
    return t.ordinal(value) if kind(value) == "date" else t.parts(value)[0]


@built_in("is", "value1: any~", "value2: any~")
def same(runtime: Runtime, left: Value, right: Value) -> bool:
    """The same kind and the same value, zones included: two moments at one instant in two zones are not."""
    if kind(left) != kind(right):
        return False
    if kind(left) == "date and time":
        return t.parts(left)[:2] == t.parts(right)[:2] and _same_zone(left, right)
    if kind(left) == "time":
        return left.nanos == right.nanos and t.zone_text(left.zone) == t.zone_text(right.zone)
    return equal(left, right, runtime) is True


def _same_zone(left: t.Moment, right: t.Moment) -> bool:
    return t.zone_text(t.parts(left)[2]) == t.zone_text(t.parts(right)[2])


@built_in("day of year", "date: day")
def day_of_year(runtime: Runtime, value: Value) -> Decimal:
    days = _ordinal(value)
    return Decimal(days - t.ordinal_of(t.parts_of_ordinal(days)[0], 1, 1) + 1)


@built_in("day of week", "date: day")
def day_of_week(runtime: Runtime, value: Value) -> str:
    return _DAYS[(_ordinal(value) - 1) % 7]


@built_in("month of year", "date: day")
def month_of_year(runtime: Runtime, value: Value) -> str:
    return _MONTHS[t.parts_of_ordinal(_ordinal(value))[1] - 1]


@built_in("week of year", "date: day")
def week_of_year(runtime: Runtime, value: Value) -> Decimal:
    """The week by ISO 8601: week 1 holds the year's first Thursday."""
    days = _ordinal(value)
    thursday = days - (days - 1) % 7 + 3
    year = t.parts_of_ordinal(thursday)[0]
    return Decimal((thursday - t.ordinal_of(year, 1, 1)) // 7 + 1)
