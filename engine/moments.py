"""ISO 8601 moments, durations and cycles, and what a timer's text or value comes to. Pure."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core.now import CHINA

#: Digits of a number in a duration: a hundred million seconds are three years.
MAX_DIGITS = 8
_DURATION = re.compile(
    r"(?P<sign>-)?P(?=\d|T\d)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_CYCLE = re.compile(r"R(?P<times>\d*)/(?:(?P<start>\d[^/]*)/)?(?P<duration>P[^/]+)")


@dataclass(frozen=True)
class Duration:
    """Calendar months and exact time; months are added first, and end with the month where it is shorter."""

    months: int
    exact: timedelta

    def after(self, start: datetime) -> datetime:
        """The moment this long after a start. Months are counted in China's civil time.

        Raises ValueError beyond the years 1 to 9999.
        """
        try:
            return _on_the_calendar(self._after(start))
        except (OverflowError, ValueError) as error:
            raise ValueError(f"{self.months} months and {self.exact} after {start} is no moment.") from error

    def _after(self, start: datetime) -> datetime:
        if self.months:
            local = start.astimezone(CHINA)
            month = local.year * 12 + local.month - 1 + self.months
            year, month = divmod(month, 12)
            day = min(local.day, monthrange(year, month + 1)[1])
            start = local.replace(year=year, month=month + 1, day=day)
        return start + self.exact

    @property
    def is_positive(self) -> bool:
        """Whether time passes at all."""
        return self.months > 0 or self.exact > timedelta()


@dataclass(frozen=True)
class Cycle:
    """A repetition; ``times`` is none for one without end."""

    times: int | None
    start: datetime | None
    duration: str

    @property
    def text(self) -> str:
        """As it stands on the timer's row: the remaining times and the duration."""
        return f"R{'' if self.times is None else self.times}/{self.duration}"


def parse_duration(text: str) -> Duration:
    """``P1M``, ``PT1H30M``, ``P2W``. Raises ValueError with what was expected."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as P3D or PT1H.")
    part = {name: value or "0" for name, value in found.groupdict().items() if name != "sign"}
    if any(len(value) > MAX_DIGITS for value in part.values()):
        raise ValueError(f"{text[:40]!r} is longer than any time limit.")
    sign = -1 if found["sign"] else 1
    return Duration(
        sign * (int(part["years"]) * 12 + int(part["months"])),
        sign
        * timedelta(
            weeks=int(part["weeks"]),
            days=int(part["days"]),
            hours=int(part["hours"]),
            minutes=int(part["minutes"]),
            seconds=float(part["seconds"]),
        ),
    )


def parse_moment(text: str) -> datetime:
    """``2026-10-01T09:00:00+08:00``. A moment needs its offset: raises ValueError without one."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset such as +08:00.")
    return _on_the_calendar(moment)


def _on_the_calendar(moment: datetime) -> datetime:
    """Moments are kept in UTC, where the last hours of the year 9999 are not."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{moment.isoformat()} is beyond the calendar.") from None
    return moment


def parse_cycle(text: str) -> Cycle:
    """``R/P1D``, ``R3/PT1H``, ``R3/2026-10-01T09:00:00+08:00/P1D``. Raises ValueError."""
    found = _CYCLE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not an ISO 8601 cycle such as R/P1D or R3/PT1H.")
    duration = found["duration"]
    if not parse_duration(duration).is_positive:
        raise ValueError(f"The cycle {text!r} does not go forward.")
    return Cycle(
        int(found["times"]) if found["times"] else None,
        parse_moment(found["start"]) if found["start"] else None,
        duration,
    )


def due(timer: str, value: Any, now: datetime) -> tuple[datetime, str | None]:
    """When a timer is due that is armed now, and its cycle. Raises ValueError when the value is no time."""
    if timer == "timeCycle":
        if not isinstance(value, str):
            raise ValueError(f"A cycle is text such as R/P1D, not {value!r}.")
        cycle = parse_cycle(value)
        first = cycle.start or parse_duration(cycle.duration).after(now)
        return first, cycle.text
    return moment(value, now), None


def moment(value: Any, now: datetime) -> datetime:
    """A date and time, a date (its first moment in China), or a duration from now."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"The moment {value.isoformat()} has no offset.")
        return _on_the_calendar(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), CHINA)
    if isinstance(value, timedelta):
        return Duration(0, value).after(now)
    months = getattr(value, "months", None)
    if isinstance(months, int) and not isinstance(value, bool):
        return Duration(months, timedelta()).after(now)
    if isinstance(value, str):
        text = value.strip()
        if text.lstrip("-").startswith("P"):
            return parse_duration(text).after(now)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(date.fromisoformat(text), time(), CHINA)
        return parse_moment(text)
    raise ValueError(f"{value!r} is no date, no moment and no duration.")


def next_in_cycle(cycle: str, due_at: datetime, now: datetime) -> tuple[datetime, str] | None:
    """The next firing after one that was due, and the cycle that then remains; none when it was the last.

    Firings whose moment has passed too are not made up for: after a long standstill a daily reminder goes out
    once, not once for each day.
    """
    parsed = parse_cycle(cycle)
    if parsed.times is not None and parsed.times <= 1:
        return None
    step = parse_duration(parsed.duration)
    try:
        following = step.after(due_at)
        if following <= now and not step.months:
            missed = (now - due_at) // step.exact
            following = Duration(0, (missed + 1) * step.exact).after(due_at)
        while following <= now:
            following = step.after(following)
    except ValueError:
        return None  # The calendar ends before the next firing.
    remaining = None if parsed.times is None else parsed.times - 1
    return following, Cycle(remaining, None, parsed.duration).text


def iso(moment: datetime | None) -> str | None:
    """ISO text of a moment, if there is one."""
    return None if moment is None else moment.isoformat()
