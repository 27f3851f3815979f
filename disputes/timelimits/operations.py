"""Stopping and resuming clocks, and changing the calendar."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.refusals import Invalid, WrongState
from disputes.audit import operations as audit
from disputes.timelimits import functions, queries
from disputes.timelimits.calendar import (
    ANNOUNCED_FROM,
    LAST_YEAR,
    ONE_DAY,
    Calendar,
    Day,
    Status,
    each_day,
    known_year,
    named_breaks,
)
from disputes.timelimits.explanation import record
from disputes.timelimits.limits import Limit
from disputes.timelimits.models import CalendarChange, CalendarDay, Deadline, DeadlinePause
from disputes.timelimits.rules import Due, Pause, compute, day_of, moment_of
from engine import Engine, Instance

# Pauses.


def pause(session: Session, instance: Instance, limit: Limit, *, why: str, now: datetime, by: str) -> DeadlinePause:
    """Stop a limit on a case. The caller has the case's moments evaluated again.

    Raises WrongState when the law lets nothing stop this limit, or when it stands still already.
    """
    if limit.pauses is None:
        raise WrongState(
            f"{limit.name_zh}（{limit.id}）没有规定可以暂停：{limit.article}。",
            code="deadline.no_pause",
            limit=limit.id,
        )
    if _open_pause(session, instance.id, limit.id) is not None:
        raise WrongState(f"{limit.id} 已经暂停。", code="deadline.already_paused", limit=limit.id)
    row = DeadlinePause(
        key=instance.key, instance_id=instance.id, limit=limit.id, began_at=now, began_by=by, why=why
    )
    session.add(row)
    session.flush()
    functions.forget(session)
    return row


def resume(session: Session, instance: Instance, limit: str, *, now: datetime, by: str) -> DeadlinePause:
    """Let a limit go on. Raises WrongState when it does not stand still."""
    row = _open_pause(session, instance.id, limit)
    if row is None:
        raise WrongState(f"{limit} 没有暂停，不能恢复。", code="deadline.not_paused", limit=limit)
    row.ended_at, row.ended_by = now, by
    session.flush()
    functions.forget(session)
    return row


def _open_pause(session: Session, instance_id: UUID, limit: str) -> DeadlinePause | None:
    return session.scalar(
        select(DeadlinePause).where(
            DeadlinePause.instance_id == instance_id,
            DeadlinePause.limit == limit,
            DeadlinePause.ended_at.is_(None),
        )
    )


# The calendar.


@dataclass(frozen=True)
class Notice:
    """What the State Council announces for a year: breaks from–to, and workdays on weekends.

    Days of the neighbouring years may be among them (31 December made up for New Year).
    """

    year: int
    #: (name, first day, last day)
    breaks: tuple[tuple[str, date, date], ...]
    workdays: tuple[date, ...]
    source: str = "State Council"
    document_no: str = ""

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> "Notice":
        """Read ``{year, document_no, breaks: [{name, from, to}], workdays: [date]}``. Raises Invalid."""
        try:
            return cls(
                int(tree["year"]),
                tuple(
                    (str(b["name"]), date.fromisoformat(str(b["from"])), date.fromisoformat(str(b["to"])))
                    for b in tree["breaks"]
                ),
                tuple(date.fromisoformat(str(day)) for day in tree.get("workdays", ())),
                str(tree.get("source", "State Council")),
                str(tree.get("document_no", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(
                "放假安排要写明 year、breaks（name, from, to）和 workdays。", fields={"": [str(error)]}
            ) from error

    def days(self) -> list[Day]:
        """Every day of the year as announced, and the days of the neighbouring years that it names."""
        self._check()
        off = {day: name for name, first, last in self.breaks for day in each_day(first, last + ONE_DAY)}
        year = each_day(date(self.year, 1, 1), date(self.year + 1, 1, 1))
        days = []
        for on in sorted({*year, *off, *self.workdays}):
            name = off.get(on, "")
            worked = on in self.workdays or (not name and on.weekday() < 5)
            label = "调休上班" if on in self.workdays else name
            days.append(Day(on, worked, label, name, self.source, self.document_no, Status.ANNOUNCED))
        return days

    def _check(self) -> None:
        wrong: list[str] = []
        if not ANNOUNCED_FROM <= self.year <= LAST_YEAR:
            wrong.append(f"{self.year} 不在 {ANNOUNCED_FROM}–{LAST_YEAR}。")
        off: set[date] = set()
        for name, first, last in self.breaks:
            if not name.strip() or last < first or (last - first).days > 30:
                wrong.append(f"{name} {first}–{last} 不是一段假期。")
                continue
            off.update(each_day(first, last + ONE_DAY))
        for day in (*off, *self.workdays):
            if abs(day.year - self.year) > 1:
                wrong.append(f"{day} 不属于 {self.year} 年的安排。")
        wrong += [f"{day} 既放假又上班。" for day in self.workdays if day in off]
        wrong += [f"{day} 本来就是工作日。" for day in self.workdays if day.weekday() < 5]
        if not self.breaks:
            wrong.append("没有写假期。")
        if wrong:
            raise Invalid("放假安排有误。", fields={"notice": wrong})


def override(on: date, *, is_workday: bool, name: str, source: str, document_no: str = "") -> list[Day]:
    """One day as an administrator sets it (a local order, a correction); a named day off is a break's."""
    return [Day(on, is_workday, name, "" if is_workday else name, source, document_no, Status.ANNOUNCED)]


@dataclass(frozen=True)
class Moved:
    """A deadline that ends on another day when the calendar changes."""

    key: str
    instance_id: UUID
    limit: str
    start: str
    before: date
    after: date
    #: Whether the new date stands on announced days.
    provisional: bool

    def json(self) -> dict[str, Any]:
        """As it is listed and logged."""
        return {
            "key": self.key,
            "limit": self.limit,
            "start": self.start,
            "before": self.before.isoformat(),
            "after": self.after.isoformat(),
            "provisional": self.provisional,
        }


@dataclass(frozen=True)
class Change:
    """What a change of the calendar does, before it is applied."""

    days: tuple[Day, ...]
    #: Days that differ: (before, after).
    changed: tuple[tuple[Day, Day], ...]
    moved: tuple[Moved, ...]
    #: Deadlines that end on the same day, surer than before.
    settled: tuple[Moved, ...]

    def json(self) -> dict[str, Any]:
        """``{days: [{date, before, after}], moved: […], settled: […]}``"""
        return {
            "days": [_difference(before, after) for before, after in self.changed],
            "moved": [deadline.json() for deadline in self.moved],
            "settled": [deadline.json() for deadline in self.settled],
        }


def preview(session: Session, days: Iterable[Day], *, now: datetime) -> Change:
    """What importing these days would change: the days, and every deadline that would move. Changes nothing."""
    given = tuple(sorted(days, key=lambda day: day.date))
    before = queries.calendar(session)
    after = _with(before, given)
    dates = {day.date for day in (*given, *after.given())} | {day.date for day in before.given()}
    changed = tuple(
        (before.day(on), after.day(on)) for on in sorted(dates) if _differs(before.day(on), after.day(on))
    )
    if not changed:
        return Change(given, (), (), ())
    first, last = changed[0][0].date, changed[-1][0].date
    moved: list[Moved] = []
    settled: list[Moved] = []
    for row, limit, pauses in _running(session, first, last):
        due = compute(limit, moment_of(row.start), calendar=after, pauses=pauses, today=day_of(now))
        entry = Moved(row.key, row.instance_id, row.limit, row.start, row.due_on, due.due_on, due.provisional)
        if due.due_at != row.due_at:
            moved.append(entry)
        elif _explains_otherwise(row, due):
            settled.append(entry)
    return Change(given, changed, tuple(moved), tuple(settled))


def apply(
    session: Session,
    engine: Engine,
    days: Iterable[Day],
    *,
    source: str,
    document_no: str = "",
    now: datetime,
    by: str,
) -> Change:
    """Take the days over, log what they change, and move every deadline that rests on them.

    The cases are re-armed one after the other in this transaction, in the order of their ids.
    """
    change = preview(session, days, now=now)
    if not change.changed:
        return change
    calendar = _with(queries.calendar(session), change.days)
    _store(session, calendar)
    session.add(
        CalendarChange(
            at=now,
            by=by,
            source=source,
            document_no=document_no,
            digest=_digest(calendar),
            days=[_difference(before, after) for before, after in change.changed],
            moved=[deadline.json() for deadline in change.moved],
        )
    )
    days_changed = sorted(before.date.isoformat() for before, _ in change.changed)
    facts = {
        "first": days_changed[0],
        "last": days_changed[-1],
        "days": len(days_changed),
        "moved": len(change.moved),
        "document_no": document_no,
    }
    audit.record(session, chain="calendar", action="calendar.changed", facts=facts, by=by, now=now)
    session.flush()
    functions.forget(session)
    for instance_id in sorted({deadline.instance_id for deadline in change.moved}):
        engine.rearm(session, instance_id, now=now, by=by)
    _explain_again(session, calendar, change, now)
    return change


def fill_calendar(session: Session, years: Iterable[int], *, now: datetime, by: str) -> int:
    """Write down the days of years as ``holidays`` knows them; years that are there already stay. Days written.

    Nothing moves: years that are missing are reckoned in the same way.
    """
    have = queries.calendar(session)
    wanted = [year for year in sorted(set(years)) if year not in have.years]
    days = [day for year in wanted for day in known_year(year).values()]
    if days:
        calendar = Calendar([*have.given(), *days])
        _store(session, calendar)
        session.add(CalendarChange(at=now, by=by, source="holidays", digest=_digest(calendar), days=[], moved=[]))
        session.flush()
        functions.forget(session)
    return len(days)


def _with(calendar: Calendar, days: Sequence[Day]) -> Calendar:
    """The calendar with these days, in which whole years stand written: a year is never half known."""
    years = {day.date.year for day in days} - calendar.years
    base = {day.date: day for day in calendar.given()}
    for year in years:
        base.update(known_year(year))
    base.update({day.date: day for day in days})
    # A break may reach over New Year: what lies beyond is looked at, and kept only where it was before.
    around = {
        day.date: day
        for year in {day.year for day in base}
        for near in (year - 1, year + 1)
        if ANNOUNCED_FROM <= near <= LAST_YEAR
        for day in known_year(near).values()
        if day.date not in base
    }
    return Calendar(day for day in named_breaks([*base.values(), *around.values()]) if day.date in base)


def _store(session: Session, calendar: Calendar) -> None:
    session.execute(delete(CalendarDay))
    rows = [{**asdict(day), "status": day.status.value} for day in calendar.given()]
    session.execute(insert(CalendarDay), rows)


def _digest(calendar: Calendar) -> str:
    days = [{**asdict(day), "date": day.date.isoformat()} for day in calendar.given()]
    return hashlib.sha256(orjson.dumps(days, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _differs(before: Day, after: Day) -> bool:
    """Whether people would notice: source and number alone change no deadline."""
    return (before.is_workday, before.break_name, before.name, before.status) != (
        after.is_workday,
        after.break_name,
        after.name,
        after.status,
    )


def _difference(before: Day, after: Day) -> dict[str, Any]:
    def plain(day: Day) -> dict[str, Any]:
        return {
            "is_workday": day.is_workday,
            "name": day.name,
            "break_name": day.break_name,
            "status": day.status.value,
        }

    return {"date": before.date.isoformat(), "before": plain(before), "after": plain(after)}


def _running(session: Session, first: date, last: date) -> Iterable[tuple[Deadline, Limit, list[Pause]]]:
    """Deadlines that look at a day between these two, with their limits and pauses."""
    rows = session.execute(
        select(Deadline, Instance.bundle)
        .join(Instance, Instance.id == Deadline.instance_id)
        .where(
            Deadline.state.in_((Deadline.State.RUNNING, Deadline.State.PAUSED)),
            Deadline.due_on >= first,
            Deadline.start_on <= last,
        )
        .order_by(Deadline.key, Deadline.due_at, Deadline.limit)
    ).all()
    ids = {row.instance_id for row, _ in rows}
    pauses: dict[UUID, list[DeadlinePause]] = {}
    for pause_ in session.scalars(select(DeadlinePause).order_by(DeadlinePause.began_at)):
        if pause_.instance_id in ids:
            pauses.setdefault(pause_.instance_id, []).append(pause_)
    for row, bundle in rows:
        limit = queries.limits_of(session, bundle).get(row.limit, region=row.region or None, on=row.edition_on)
        yield row, limit, queries.spans(pauses.get(row.instance_id, []), (limit.id, limit.pauses_with))


def _explains_otherwise(row: Deadline, due: Due) -> bool:
    return due.json() != {key: row.explanation.get(key) for key in due.json()}


def _explain_again(session: Session, calendar: Calendar, change: Change, now: datetime) -> None:
    """Deadlines that end on the same day for another reason, or for sure now, say so."""
    first, last = change.changed[0][0].date, change.changed[-1][0].date
    for row, limit, pauses in _running(session, first, last):
        due = compute(limit, moment_of(row.start), calendar=calendar, pauses=pauses, today=day_of(now))
        if due.due_at == row.due_at:
            row.provisional = due.provisional
            row.explanation = {**row.explanation, **record(due)}
