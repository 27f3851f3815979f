"""Dates, times and durations of FEEL, and the arithmetic between them.

Where Python's ``date``, ``datetime`` and ``timedelta`` can hold a value, that value *is* one of them. FEEL goes
further (years to ±999,999,999, nanoseconds, durations of any length); the rest are ``FarDate``, ``FarMoment``
and ``FarDuration``. The functions here take and give either kind, and always give the native one when it fits, so
that two equal values have the same kind.

Days are counted as ``date.toordinal`` does, times of day in nanoseconds.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SECOND = 10**9  # nanoseconds
DAY = 86_400 * SECOND
MAX_YEAR = 999_999_999
#: Longer durations than this have no use and would only cost memory (about 30 billion years).
MAX_DURATION = 10**27
MAX_MONTHS = 2 * 12 * MAX_YEAR


class FarDate(NamedTuple):
    """A date before year 1 or after 9999."""

    year: int
    month: int
    day: int


class FarMoment(NamedTuple):
    """A date and time that ``datetime`` cannot hold. ``nanos`` is the local time of day."""

    ordinal: int
    nanos: int
    zone: tzinfo | None


class FarDuration(NamedTuple):
    """A days and time duration that ``timedelta`` cannot hold."""

    nanos: int


class Time(NamedTuple):
    """A time of day, with an offset, a named zone or neither."""

    nanos: int
    zone: tzinfo | None = None

    @property
    def hour(self) -> int:
        return self.nanos // (3600 * SECOND)

    @property
    def minute(self) -> int:
        return self.nanos // (60 * SECOND) % 60

    @property
    def second(self) -> int:
        return self.nanos // SECOND % 60

    def __str__(self) -> str:
        return format_time(self)


class YearsMonths(NamedTuple):
    """A years and months duration, counted in months."""

    months: int

    def __str__(self) -> str:
        return format_duration(self)


Date = date | FarDate
Moment = datetime | FarMoment
Duration = timedelta | FarDuration


# -- days ---------------------------------------------------------------------------------------------------------


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def ordinal_of(year: int, month: int, day: int) -> int:
    """Days since 0000-12-31, for any year of the proleptic Gregorian calendar."""
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 305


def parts_of_ordinal(ordinal: int) -> tuple[int, int, int]:
    """Year, month and day of an ordinal of any size."""
    era, of_era = divmod(ordinal + 305, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + (3 if shifted < 10 else -9)
    return era * 400 + year_of_era + (month <= 2), month, day


def make_date(year: int, month: int, day: int) -> Date | None:
    """The date, or None when there is no such day."""
    if not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month) or abs(year) > MAX_YEAR:
        return None
    if 1 <= year <= 9999:
        return date(year, month, day)
    return FarDate(year, month, day)


def date_of_ordinal(ordinal: int) -> Date | None:
    if 1 <= ordinal <= 3_652_059:
        return date.fromordinal(ordinal)
    return make_date(*parts_of_ordinal(ordinal))


def ordinal(value: Date) -> int:
    if isinstance(value, FarDate):
        return ordinal_of(*value)
    return value.toordinal()


# -- moments ------------------------------------------------------------------------------------------------------


def make_moment(days: int, nanos: int, zone: tzinfo | None) -> Moment | None:
    """The date and time of a day and a local time of day, which may run over into other days."""
    extra, nanos = divmod(nanos, DAY)
    days += extra
    if 1 <= days <= 3_652_059 and nanos % 1000 == 0:
        seconds, rest = divmod(nanos, SECOND)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        day = date.fromordinal(days)
        return datetime(day.year, day.month, day.day, hour, minute, second, rest // 1000, zone)
    if abs(parts_of_ordinal(days)[0]) > MAX_YEAR:
        return None
    return FarMoment(days, nanos, zone)


def clock(value: datetime) -> int:
    """The local time of day in nanoseconds."""
    return ((value.hour * 60 + value.minute) * 60 + value.second) * SECOND + value.microsecond * 1000


def parts(value: Moment) -> tuple[int, int, tzinfo | None]:
    """Day, local time of day in nanoseconds, zone."""
    if isinstance(value, FarMoment):
        return value
    return value.toordinal(), clock(value), value.tzinfo


def offset(value: Moment) -> int | None:
    """Seconds east of UTC; None without a zone."""
    if isinstance(value, datetime):
        found = value.utcoffset()
    elif value.zone is None:
        return None
    else:
        found = _far_offset(value)
    return None if found is None else found.days * 86_400 + found.seconds


def _far_offset(value: FarMoment) -> timedelta | None:
    """The rule of the zone in a year that datetime knows: the calendar repeats every 400 years."""
    if isinstance(value.zone, timezone):
        return value.zone.utcoffset(None)
    year, month, day = parts_of_ordinal(value.ordinal)
    if year > 9999:
        year = 2000 + year % 400
    elif year < 1:
        year, month, day = 1, 1, 2
    seconds = value.nanos // SECOND
    near = datetime(year, month, day, seconds // 3600, seconds // 60 % 60, seconds % 60, tzinfo=value.zone)
    return near.utcoffset()


def instant(value: Moment) -> int | None:
    """Nanoseconds on the line of universal time; None without a zone."""
    east = offset(value)
    if east is None:
        return None
    days, nanos, _ = parts(value)
    return days * DAY + nanos - east * SECOND


def local(value: Moment) -> int:
    """Nanoseconds on the line of local time."""
    days, nanos, _ = parts(value)
    return days * DAY + nanos


def shift(value: Moment, nanos: int) -> Moment | None:
    """The moment so much later. With a named zone the clock is moved by the zone's rules (daylight saving)."""
    days, at, zone = parts(value)
    if zone is None or isinstance(zone, timezone):
        return make_moment(days, at + nanos, zone)
    universal = instant(value)
    if universal is None:
        return make_moment(days, at + nanos, zone)
    return at_instant(universal + nanos, zone)


def at_instant(universal: int, zone: tzinfo) -> Moment | None:
    """The moment with this universal time, shown in a zone."""
    found = make_moment(universal // DAY, universal % DAY, UTC)
    if found is None:
        return None
    if isinstance(found, datetime):
        try:
            return found.astimezone(zone)
        except OverflowError:
            pass
    east = offset(FarMoment(universal // DAY, universal % DAY, zone)) or 0
    return make_moment(universal // DAY, universal % DAY + east * SECOND, zone)


def order_moments(left: Moment, right: Moment) -> int | None:
    """-1, 0 or 1; None when one has a zone and the other has none."""
    a, b = instant(left), instant(right)
    if a is None or b is None:
        if a is not None or b is not None:
            return None
        a, b = local(left), local(right)
    return (a > b) - (a < b)


def moments_equal(left: Moment, right: Moment) -> bool | None:
    """Equality ignores fractions of a second (DMN TCK 0068); order does not."""
    a, b = instant(left), instant(right)
    if a is None or b is None:
        if a is not None or b is not None:
            return None
        a, b = local(left), local(right)
    return a // SECOND == b // SECOND


# -- times --------------------------------------------------------------------------------------------------------


def time_offset(value: Time) -> int | None:
    """Seconds east of UTC; None without a zone or when the zone's offset depends on the day."""
    if value.zone is None:
        return None
    found = value.zone.utcoffset(None)
    return None if found is None else found.days * 86_400 + found.seconds


def order_times(left: Time, right: Time) -> int | None:
    if left.zone == right.zone:
        return (left.nanos > right.nanos) - (left.nanos < right.nanos)
    a, b = time_offset(left), time_offset(right)
    if a is None or b is None:
        return None
    first, second = left.nanos - a * SECOND, right.nanos - b * SECOND
    return (first > second) - (first < second)


def times_equal(left: Time, right: Time) -> bool | None:
    """Equality ignores fractions of a second, as for moments."""
    return None if (place := order_times(_whole_second(left), _whole_second(right))) is None else place == 0


def _whole_second(value: Time) -> Time:
    return Time(value.nanos - value.nanos % SECOND, value.zone)


def make_time(hour: int, minute: int, nanos_of_minute: int, zone: tzinfo | None = None) -> Time | None:
    if 0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= nanos_of_minute < 60 * SECOND:
        return Time((hour * 60 + minute) * 60 * SECOND + nanos_of_minute, zone)
    return None


def time_of(value: time) -> Time:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return Time(seconds * SECOND + value.microsecond * 1000, value.tzinfo)


def fixed_zone(seconds: int) -> timezone | None:
    """The zone of a fixed offset; UTC for none. Offsets beyond 18 hours do not exist."""
    if abs(seconds) > 18 * 3600:
        return None
    return timezone(timedelta(seconds=seconds)) if seconds else UTC


def named_zone(name: str) -> "ZoneInfo | None":
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


def zone_name(zone: tzinfo) -> str | None:
    """The name of a named zone; None for a fixed offset."""
    return None if isinstance(zone, timezone) else getattr(zone, "key", None) or str(zone)


# -- durations ----------------------------------------------------------------------------------------------------


def make_duration(nanos: int) -> Duration | None:
    if abs(nanos) > MAX_DURATION:
        return None
    if nanos % 1000 == 0:
        try:
            return timedelta(microseconds=nanos // 1000)
        except OverflowError:
            pass
    return FarDuration(nanos)


def nanoseconds(value: Duration) -> int:
    if isinstance(value, FarDuration):
        return value.nanos
    return (value.days * 86_400 + value.seconds) * SECOND + value.microseconds * 1000


def make_months(months: int) -> YearsMonths | None:
    return YearsMonths(months) if abs(months) <= MAX_MONTHS else None


def add_months(year: int, month: int, day: int, months: int) -> tuple[int, int, int]:
    """So many months later; a day that the month does not have becomes its last."""
    years, month0 = divmod(month - 1 + months, 12)
    year += years
    return year, month0 + 1, min(day, days_in_month(year, month0 + 1))


def months_between(start: tuple[int, int, int], start_rest: int, end: tuple[int, int, int], end_rest: int) -> int:
    """Whole months from start to end, towards zero. The rest is the time of day."""
    months = (end[0] - start[0]) * 12 + end[1] - start[1]
    if months > 0 and (end[2], end_rest) < (start[2], start_rest):
        months -= 1
    elif months < 0 and (end[2], end_rest) > (start[2], start_rest):
        months += 1
    return months


# -- reading ------------------------------------------------------------------------------------------------------

_DATE = re.compile(r"(-?(?:[1-9]\d{4,8}|\d{4}))-(\d\d)-(\d\d)", re.ASCII)
_CLOCK = (
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(?:([Zz])|([+-])(\d\d):(\d\d)(?::(\d\d))?|@([A-Za-z0-9_+\-/]{1,60}))?"
)
_TIME = re.compile(_CLOCK, re.ASCII)
_DAYS_TIME = re.compile(
    r"(-)?P(?:(\d{1,20})D)?(?:T(?=\d)(?:(\d{1,20})H)?(?:(\d{1,20})M)?(?:(\d{1,20})(?:\.(\d{0,20}))?S)?)?", re.ASCII
)
_YEARS_MONTHS = re.compile(r"(-)?P(?:(\d{1,12})Y)?(?:(\d{1,12})M)?", re.ASCII)


def parse_date(text: str) -> Date | None:
    match = _DATE.fullmatch(text)
    return make_date(int(match[1]), int(match[2]), int(match[3])) if match else None


def parse_time(text: str) -> Time | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second, fraction, utc, sign, zone_hour, zone_minute, zone_second, name = match.groups()
    zone: tzinfo | None = None
    if utc:
        zone = UTC
    elif sign:
        if int(zone_minute) > 59 or int(zone_second or 0) > 59:
            return None
        seconds = (int(zone_hour) * 60 + int(zone_minute)) * 60 + int(zone_second or 0)
        zone = fixed_zone(-seconds if sign == "-" else seconds)
    elif name:
        zone = named_zone(name)
    if zone is None and (sign or name):
        return None
    if int(second) > 59:
        return None
    nanos = int(second) * SECOND + int((fraction or "0")[:9].ljust(9, "0"))
    return make_time(int(hour), int(minute), nanos, zone)


def parse_moment(text: str) -> Moment | None:
    """A date and time; a date alone is its midnight."""
    day_text, separator, time_text = text.partition("T")
    day = parse_date(day_text)
    if day is None:
        return None
    if not separator:
        return make_moment(ordinal(day), 0, None)
    at = parse_time(time_text)
    return None if at is None else make_moment(ordinal(day), at.nanos, at.zone)


def parse_duration(text: str) -> Duration | YearsMonths | None:
    match = _YEARS_MONTHS.fullmatch(text)
    if match and (match[2] or match[3]):
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return make_months(-months if match[1] else months)
    match = _DAYS_TIME.fullmatch(text)
    if match is None or not any(match.groups()[1:5]):
        return None
    days, hours, minutes, seconds = (int(found or 0) for found in match.groups()[1:5])
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    nanos = total * SECOND + int((match[6] or "0")[:9].ljust(9, "0"))
    return make_duration(-nanos if match[1] else nanos)


def parse_temporal(text: str) -> object | None:
    """Whatever date, time, date and time or duration the text is."""
    if text.lstrip("-").startswith("P"):
        return parse_duration(text)
    if "T" in text:
        return parse_moment(text)
    if ":" in text[:3]:
        return parse_time(text)
    return parse_date(text)


# -- writing ------------------------------------------------------------------------------------------------------


def format_date(value: Date) -> str:
    year, month, day = (value.year, value.month, value.day)
    sign = "-" if year < 0 else ""
    return f"{sign}{abs(year):04}-{month:02}-{day:02}"


def _format_clock(nanos: int) -> str:
    seconds, rest = divmod(nanos, SECOND)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def _format_zone(zone: tzinfo | None) -> str:
    if zone is None:
        return ""
    if (name := zone_name(zone)) is not None:
        return f"@{name}"
    found = zone.utcoffset(None) or timedelta()
    return format_offset(found.days * 86_400 + found.seconds)


def format_offset(seconds: int) -> str:
    if seconds == 0:
        return "Z"
    sign, size = ("-" if seconds < 0 else "+"), abs(seconds)
    rest = f":{size % 60:02}" if size % 60 else ""
    return f"{sign}{size // 3600:02}:{size // 60 % 60:02}{rest}"


def format_time(value: Time) -> str:
    return _format_clock(value.nanos) + _format_zone(value.zone)


def format_moment(value: Moment) -> str:
    days, nanos, zone = parts(value)
    day = date_of_ordinal(days)
    return f"{format_date(day) if day else '?'}T{_format_clock(nanos)}{_format_zone(zone)}"


def format_duration(value: Duration | YearsMonths) -> str:
    if isinstance(value, YearsMonths):
        sign, size = ("-" if value.months < 0 else ""), abs(value.months)
        years, months = divmod(size, 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{sign}P{text}"
    total = nanoseconds(value)
    sign, size = ("-" if total < 0 else ""), abs(total)
    days, rest = divmod(size, DAY)
    seconds, fraction = divmod(rest, SECOND)
    hours, minutes, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    clock_text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if second or fraction:
        clock_text += f"{second}" + (f".{fraction:09}".rstrip("0") if fraction else "") + "S"
    text = (f"{days}D" if days else "") + (f"T{clock_text}" if clock_text else "")
    return f"{sign}P{text or 'T0S'}"


def seconds_of(value: Duration) -> Decimal:
    """The length in seconds, exactly."""
    return Decimal(nanoseconds(value)) / SECOND


def zone_text(zone: tzinfo | None) -> str:
    """The zone as it is written after a time; empty for none."""
    return _format_zone(zone)
