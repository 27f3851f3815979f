"""The arithmetic of time limits. Pure: what is counted, what is not, and why.

The day of the start is not counted (办法 第四十五条). A limit in days ends with its last day: ``due_on`` is the
last lawful day, ``due_at`` the exclusive moment 00:00 of the next day, +08:00. Minutes and hours end at their
instant.

A pause FROM/TO is a pair of days, FROM counted, TO not; overlapping pauses are one. Each paused day, from the day
of the start on, moves the end by one day: of a limit in working days only a paused workday does, and by one
workday; hours and minutes move by 24 hours a day, and office time of a paused day does not count. A pause without
an end lasts through the day on which one looks. A pause may also know its moments: then hours and minutes lose
exactly that time (a case that was stopped for repair from ten to three loses no hour of its day).

An extension lengthens the limit by so many of its own units, from its start on; the last day is rolled once, at
the end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core.now import CHINA
from disputes.timelimits.calendar import ONE_DAY, Calendar, each_day
from disputes.timelimits.limits import Kind, Limit, Roll, Unit

#: Reminders of limits in days go out at this time of their day.
WARNING_TIME = time(9, 0)

#: Where the timers of a paused deadline wait: a moment that does not come. Resuming arms them again.
NEVER = datetime(9999, 12, 30, tzinfo=UTC)


class TimeLimitError(ValueError):
    """A limit cannot be reckoned: its start is missing, or is no date; the message says which."""


@dataclass(frozen=True)
class Pause:
    """Days on which a clock stands still."""

    from_on: date
    #: First day that counts again; None: not yet known.
    to_on: date | None
    why: str = ""
    why_en: str = ""
    #: The very moments, where limits in hours and minutes lose them and no more; the end is None while it lasts.
    exact: tuple[datetime, datetime | None] | None = None

    def __post_init__(self) -> None:
        if self.to_on is not None and self.to_on < self.from_on:
            raise TimeLimitError(
                f"A pause ends on or after the day on which it begins: {self.from_on}/{self.to_on}."
            )

    def days(self) -> Iterator[date]:
        """The days that it holds."""
        if self.to_on is None:
            raise TimeLimitError(f"The pause of {self.from_on} has no end yet.")
        return each_day(self.from_on, self.to_on)


@dataclass(frozen=True)
class Extension:
    """So many more units of a limit, as somebody who may approved them."""

    amount: int
    #: Name of the person who approved, and the day.
    approved_by: str
    approved_on: date
    article: str
    why: str = ""
    #: The last day without it.
    base_on: date | None = None


@dataclass(frozen=True)
class Rolled:
    """The last day was a day off, so the limit ends later."""

    from_on: date
    #: The break's name, or empty for an ordinary rest day.
    break_name: str
    why_zh: str
    why_en: str


@dataclass(frozen=True)
class Skipped:
    """A day that a limit in working days does not count."""

    date: date
    why_zh: str
    why_en: str


@dataclass(frozen=True)
class Due:
    """When a limit ends, with everything that explains it."""

    limit: Limit
    #: As it was given: a day or a moment.
    start: date | datetime
    due_on: date
    due_at: datetime
    #: How many of the limit's units were counted; None when an officer set the date.
    counted: int | None
    skipped: tuple[Skipped, ...] = ()
    #: Workdays on a weekend that were counted.
    made_up: tuple[date, ...] = ()
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[Extension, ...] = ()
    rolled: Rolled | None = None
    #: Rests on a year whose holidays are not announced.
    provisional: bool = False
    #: The clock stands still: ``due_on`` is what it would be if it went on tomorrow.
    paused: bool = False

    @property
    def fires_at(self) -> datetime:
        """When a timer on this limit fires: never while it is paused."""
        return NEVER if self.paused else self.due_at

    def json(self) -> dict[str, Any]:
        """The object of the command ``due`` (CONTRACTS, "Commands and their JSON")."""
        return {
            "limit": self.limit.id,
            "start": self.start.isoformat(),
            "due_on": self.due_on.isoformat(),
            "due_at": self.due_at.isoformat(),
            "article": self.limit.article,
            "counted": self.counted,
            "skipped": [{"date": day.date.isoformat(), "why": day.why_zh} for day in self.skipped],
            "pauses": [
                {
                    "from": pause.from_on.isoformat(),
                    "to": None if pause.to_on is None else pause.to_on.isoformat(),
                    "why": pause.why,
                }
                for pause in self.pauses
            ],
            "rolled": None
            if self.rolled is None
            else {"from": self.rolled.from_on.isoformat(), "why": f"最后一日{self.rolled.why_zh}"},
            "provisional": self.provisional,
        }


def day_of(moment: date | datetime) -> date:
    """The legal day of a moment, by China's time; a naive one is taken as China's."""
    if isinstance(moment, datetime):
        return moment.astimezone(CHINA).date() if moment.tzinfo else moment.date()
    return moment


def moment_of(value: object, *, what: str = "the start") -> date | datetime:
    """Read a start as diagrams and commands give it: a day, a moment, or either as ISO text."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=CHINA)
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        text = value.strip().split("@")[0]
        try:
            if len(text) == len("2026-09-18"):
                return date.fromisoformat(text)
            return moment_of(datetime.fromisoformat(text))
        except ValueError:
            pass
    raise TimeLimitError(f"Expected {what} as a date or a date and time, found {value!r}.")


def midnight_after(on: date) -> datetime:
    """The exclusive end of a day: 00:00 of the next, +08:00."""
    return datetime.combine(on + ONE_DAY, time.min, CHINA)


def merged(pauses: Iterable[Pause]) -> tuple[Pause, ...]:
    """The same days in as few pauses as possible; reasons are joined. Empty pauses vanish."""
    result: list[Pause] = []
    for pause in sorted(pauses, key=lambda p: (p.from_on, p.to_on or date.max)):
        if pause.to_on == pause.from_on:
            continue
        last = result[-1] if result else None
        if last is not None and (last.to_on is None or pause.from_on <= last.to_on):
            whys = dict.fromkeys(why for why in (*last.why.split("；"), pause.why) if why)
            en = dict.fromkeys((*last.why_en.split("; "), pause.why_en)) if last.why_en and pause.why_en else ()
            to_on = None if last.to_on is None or pause.to_on is None else max(last.to_on, pause.to_on)
            result[-1] = Pause(last.from_on, to_on, "；".join(whys), "; ".join(en))
        else:
            result.append(pause)
    return tuple(result)


def compute(
    limit: Limit,
    start: date | datetime,
    *,
    calendar: Calendar,
    pauses: Iterable[Pause] = (),
    extensions: Iterable[Extension] = (),
    today: date | None = None,
    amount: int | None = None,
) -> Due:
    """When the limit ends that began with ``start``.

    ``today`` closes a pause that is still open: as if the clock went on tomorrow; without it an open pause is
    refused. ``amount`` counts so many units instead of the limit's own (the rungs of its ladder). Each extension
    in the result knows the last day without it.
    """
    given = tuple(extensions)
    if given and limit.amount is not None:
        bases, length = [], limit.amount
        for extension in given:
            before = compute(
                replace(limit, amount=length), start, calendar=calendar, pauses=pauses, today=today, amount=amount
            )
            bases.append(replace(extension, base_on=before.due_on))
            length += extension.amount
        due = compute(
            replace(limit, amount=length), start, calendar=calendar, pauses=pauses, today=today, amount=amount
        )
        return replace(due, limit=limit, extensions=tuple(bases))
    pauses = tuple(pauses)
    exact = [] if _whole_days(limit) else [pause for pause in pauses if pause.exact is not None]
    spans = merged(pause for pause in pauses if pause not in exact)
    paused = any(p.to_on is None for p in (*spans, *exact))
    if paused and today is None:
        raise TimeLimitError(f"{limit.id} is paused: its end is not known before it is resumed.")
    closed = tuple(
        replace(p, to_on=max(p.from_on, today) + ONE_DAY) if p.to_on is None and today is not None else p
        for p in spans
    )
    begins_on = day_of(start)
    still = _Still(closed, begins_on, _moments(exact, today))
    reckoned = _reckon(limit, start, begins_on, calendar, still, amount)
    shown = [p for p in (*spans, *exact) if p.to_on is None or p.to_on > begins_on or p in exact]
    return replace(reckoned, pauses=tuple(sorted(shown, key=lambda p: p.from_on)), paused=paused)


def _moments(exact: Iterable[Pause], today: date | None) -> tuple[tuple[datetime, datetime], ...]:
    """The exact pauses as moments, in order; one that lasts is closed as if the clock went on tomorrow."""
    found = []
    for pause in exact:
        assert pause.exact is not None
        begin, end = pause.exact
        if end is None:
            end = max(begin, midnight_after(today) if today is not None else begin)
        found.append((begin.astimezone(CHINA), end.astimezone(CHINA)))
    return tuple(sorted(found))


def warning_at(
    limit: Limit,
    start: date | datetime,
    rung: int,
    *,
    calendar: Calendar,
    pauses: Iterable[Pause] = (),
    extensions: Iterable[Extension] = (),
    today: date,
) -> datetime:
    """When a rung of the ladder is due, 1 being the first: at 09:00 of its day, or at its instant.

    An extension moves the whole ladder: what was to be said five days before the end is said then.
    """
    if not 1 <= rung <= len(limit.warn_after):
        raise TimeLimitError(f"{limit.id} has {len(limit.warn_after)} warnings; there is no rung {rung}.")
    due = compute(
        _without_roll(limit),
        start,
        calendar=calendar,
        pauses=pauses,
        today=today,
        amount=limit.warn_after[rung - 1] + sum(extension.amount for extension in extensions),
    )
    if due.paused:
        return NEVER
    return datetime.combine(due.due_on, WARNING_TIME, CHINA) if _whole_days(limit) else due.due_at


def _without_roll(limit: Limit) -> Limit:
    """A warning is not moved by a day off: it would come after others have acted."""
    return replace(limit, roll=Roll.NONE)


def _whole_days(limit: Limit) -> bool:
    return limit.unit is None or limit.unit.whole_days


@dataclass
class _Still:
    """The days on which the clock stands, from the day of the start on."""

    pauses: Sequence[Pause]
    begins_on: date
    #: Moments from–to that limits in hours and minutes lose exactly.
    moments: Sequence[tuple[datetime, datetime]] = ()
    days: frozenset[date] = field(init=False)

    def __post_init__(self) -> None:
        self.days = frozenset(day for pause in self.pauses for day in pause.days() if day >= self.begins_on)

    def moved(self, end: date) -> date:
        """The end of natural days, moved by one for each paused day up to it."""
        for day in sorted(self.days):
            if day <= end:
                end += ONE_DAY
        return end


def _reckon(
    limit: Limit, start: date | datetime, begins_on: date, calendar: Calendar, still: _Still, amount: int | None
) -> Due:
    if limit.kind is Kind.SET_BY_OFFICER:
        end = still.moved(begins_on)
        return _ending(limit, start, end, calendar, counted=None)
    count = amount or limit.amount
    if count is None or limit.unit is None:
        raise TimeLimitError(f"{limit.id} has no length of its own.")
    if not limit.unit.whole_days:
        return _instant(limit, start, count, calendar, still)
    if limit.unit is Unit.WORKING_DAY:
        return _working_days(limit, start, begins_on, count, calendar, still)
    if limit.unit is Unit.DAY:
        end = begins_on + timedelta(days=count)
    else:
        end = months_after(begins_on, count * (12 if limit.unit is Unit.YEAR else 1))
    return _ending(limit, start, still.moved(end), calendar, counted=count)


def _working_days(
    limit: Limit, start: date | datetime, begins_on: date, count: int, calendar: Calendar, still: _Still
) -> Due:
    left = count + (begins_on in still.days and calendar.is_workday(begins_on))
    skipped: list[Skipped] = []
    made_up: list[date] = []
    on = begins_on
    while left:
        on += ONE_DAY
        day = calendar.day(on)
        if not day.is_workday:
            skipped.append(Skipped(on, day.why_off(), day.why_off("en")))
        elif on not in still.days:
            left -= 1
            if day.is_make_up:
                made_up.append(on)
    due = _ending(limit, start, on, calendar, counted=count)
    uncertain = any(not calendar.is_announced(day) for day in each_day(begins_on + ONE_DAY, on + ONE_DAY))
    return replace(due, skipped=tuple(skipped), made_up=tuple(made_up), provisional=due.provisional or uncertain)


def _ending(limit: Limit, start: date | datetime, end: date, calendar: Calendar, *, counted: int | None) -> Due:
    """Roll the last day and say whether the result stands on announced days."""
    last, rolled = end, None
    if limit.roll is Roll.BREAK:
        last = calendar.after_break(end)
    elif limit.roll is Roll.REST_DAY:
        last = calendar.next_workday(end)
    if last != end:
        day = calendar.day(end)
        rolled = Rolled(
            end,
            day.break_name,
            f"逢{day.why_off()}",
            f"in the {day.why_off('en')}" if day.break_name else f"a {day.why_off('en')}",
        )
    fixed = limit.kind is Kind.SET_BY_OFFICER or (calendar.is_announced(end) and calendar.is_announced(last))
    return Due(limit, start, last, midnight_after(last), counted, rolled=rolled, provisional=not fixed)


def _instant(limit: Limit, start: date | datetime, count: int, calendar: Calendar, still: _Still) -> Due:
    if not isinstance(start, datetime):
        raise TimeLimitError(
            f"{limit.id} counts {limit.unit}s: it needs the moment of its start, not only {start}."
        )
    begin = start.astimezone(CHINA)
    length = timedelta(minutes=count) if limit.unit is Unit.MINUTE else timedelta(hours=count)
    if limit.office_hours:
        working = _OfficeDays(calendar, still.days)
        end = working.office_time(begin, length, limit.office_hours)
        for stopped, went_on in still.moments:
            if stopped < end and went_on > begin:
                length += working.office_time_between(max(stopped, begin), went_on, limit.office_hours)
                end = working.office_time(begin, length, limit.office_hours)
        uncertain = not all(calendar.is_announced(day) for day in each_day(begin.date(), end.date() + ONE_DAY))
    else:
        end, uncertain = begin + length, False
        for day in sorted(still.days):
            if day <= end.date():
                end += ONE_DAY
        for stopped, went_on in still.moments:
            if stopped < end and went_on > begin:
                end += went_on - max(stopped, begin)
    return Due(limit, start, end.date(), end, count, provisional=uncertain)


class _OfficeDays(Calendar):
    """A calendar on whose paused days nobody works."""

    def __init__(self, calendar: Calendar, still: frozenset[date]) -> None:
        super().__init__()
        self._calendar, self._still = calendar, still

    def is_workday(self, on: date) -> bool:
        return on not in self._still and self._calendar.is_workday(on)


def months_after(on: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it has no such day."""
    month = on.month - 1 + months
    year, month = on.year + month // 12, month % 12 + 1
    for day in (on.day, 30, 29, 28):
        try:
            return date(year, month, min(on.day, day))
        except ValueError:
            continue
    raise TimeLimitError(f"There is no day {months} months after {on}.")
