"""The calendar in force, the limits of a release, and the deadlines of a case as people read them."""

from collections.abc import Iterable
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

import engine.bundles
from disputes.timelimits.calendar import Calendar, Day, Status
from disputes.timelimits.explanation import Clock, left
from disputes.timelimits.limits import Limit, Limits, LimitsError, Unit, load_limits
from disputes.timelimits.models import (
    EVERY,
    CalendarChange,
    CalendarDay,
    Deadline,
    DeadlineExtension,
    DeadlinePause,
)
from disputes.timelimits.rules import Extension, Pause, day_of

#: Where a release keeps its limits.
LIMITS_PATH = "time_limits.yaml"

#: Calendars by digest: a process holds the one in force, and a dry run's.
_calendars: dict[str, Calendar] = {"": Calendar()}
_CALENDARS_KEPT = 8
_lock = Lock()

#: What people read of a pause of the whole case.
REPAIR_ZH, _REPAIR_EN = "办理暂停，正在改正", "the case was stopped to be mended"


def calendar(session: Session) -> Calendar:
    """The calendar in force. One statement, unless it has changed since this process last asked."""
    digest = calendar_digest(session)
    known = _calendars.get(digest)
    if known is not None:
        return known
    read = Calendar(stored_days(session))
    with _lock:
        while len(_calendars) >= _CALENDARS_KEPT:
            del _calendars[next(key for key in _calendars if key)]
        _calendars[digest] = read
    return read


def calendar_digest(session: Session) -> str:
    """What the calendar in force is recognised by; empty before the first import."""
    latest = select(CalendarChange.digest).order_by(CalendarChange.number.desc()).limit(1)
    return session.scalar(latest) or ""


def stored_days(session: Session) -> Iterable[Day]:
    """The days that were imported or overridden, in order."""
    columns = (
        CalendarDay.date,
        CalendarDay.is_workday,
        CalendarDay.name,
        CalendarDay.break_name,
        CalendarDay.source,
        CalendarDay.document_no,
        CalendarDay.status,
    )
    for on, is_workday, name, break_name, source, document_no, status in session.execute(
        select(*columns).order_by(CalendarDay.date)
    ):
        yield Day(on, is_workday, name, break_name, source, document_no, Status(status))


def limits_of(session: Session, bundle: str) -> Limits:
    """The time limits of a release. Raises LimitsError when it has none."""
    content = engine.bundles.load(session, bundle).files.get(LIMITS_PATH)
    if content is None:
        raise LimitsError(f"The release {bundle[:12]} has no {LIMITS_PATH}.")
    return load_limits(content)


def pauses_of(session: Session, instance_id: UUID) -> list[DeadlinePause]:
    """Every pause of an instance, in the order in which they began."""
    return list(
        session.scalars(
            select(DeadlinePause)
            .where(DeadlinePause.instance_id == instance_id)
            .order_by(DeadlinePause.began_at, DeadlinePause.id)
        )
    )


def spans(pauses: Iterable[DeadlinePause], limit: Limit) -> list[Pause]:
    """The days on which a limit stood still: the day of the pause is paused, that of resuming is not.

    A limit stands still with the one that it follows (``pauses_with``), and with its whole case.
    """
    return [span(pause, limit) for pause in pauses if pause.limit in (limit.id, limit.pauses_with, EVERY)]


def span(pause: DeadlinePause, limit: Limit) -> Pause:
    """One pause as the arithmetic reads it."""
    from_on = pause.from_on or day_of(pause.began_at)
    to_on = None if pause.ended_at is None else pause.to_on or day_of(pause.ended_at)
    if pause.limit == EVERY:
        return Pause(from_on, to_on, pause.why, _REPAIR_EN, (pause.began_at, pause.ended_at))
    reason = limit.pause_reason(pause.reason)
    return Pause(from_on, to_on, pause.why, reason.en if reason else "")


def extensions_of(session: Session, instance_id: UUID) -> list[DeadlineExtension]:
    """The approved extensions of an instance, in the order in which they were approved."""
    return list(
        session.scalars(
            select(DeadlineExtension)
            .where(
                DeadlineExtension.instance_id == instance_id,
                DeadlineExtension.state == DeadlineExtension.State.APPROVED,
            )
            .order_by(DeadlineExtension.decided_at, DeadlineExtension.id)
        )
    )


def lengthened(extensions: Iterable[DeadlineExtension], limit: str, start: str) -> tuple[Extension, ...]:
    """The extensions of one deadline as the arithmetic reads them."""
    return tuple(
        Extension(row.amount, row.decided_by_name, day_of(row.decided_at), row.article, row.why)
        for row in extensions
        if row.limit == limit and row.start == start and row.decided_at is not None
    )


def limit_of(session: Session, row: Deadline, bundle: str) -> Limit:
    """The edition that a deadline is held to; ``bundle`` is its instance's. Raises UnknownLimit, LimitsError."""
    limits = limits_of(session, row.limits_from or bundle)
    return limits.get(row.limit, region=row.region or None, on=row.edition_on)


def deadlines_of(session: Session, key: str, *, now: datetime) -> list[dict[str, Any]]:
    """The deadlines of a case, those that run first, each as the command ``due`` explains it, and how it stands.

    Beside the command's object: ``state``, ``clock`` (plenty, soon, today, overdue, paused, prov, done), ``left``
    in the limit's own ``unit``, ``name``, ``sentences`` (both by language), ``element``, ``process``, ``legal``,
    ``bound``, ``opened_at``, ``settled_at``.
    """
    rows = session.scalars(select(Deadline).where(Deadline.key == key))
    in_force = calendar(session)
    order = {Deadline.State.RUNNING: 0, Deadline.State.PAUSED: 0, Deadline.State.MISSED: 1}
    ordered = sorted(rows, key=lambda d: (order.get(d.state, 2), d.due_at, d.limit))
    return [deadline_view(row, now=now, calendar=in_force) for row in ordered]


def deadline_view(row: Deadline, *, now: datetime, calendar: Calendar) -> dict[str, Any]:
    """One deadline as people read it (see ``deadlines_of``)."""
    clock, amount, unit = _clock(row, now, calendar)
    return {
        **row.explanation,
        "id": str(row.id),
        "state": str(row.state),
        "clock": clock.value,
        "left": amount,
        "left_unit": unit,
        "element": row.element,
        "process": row.process,
        "opened_at": row.opened_at.isoformat(),
        "settled_at": None if row.settled_at is None else row.settled_at.isoformat(),
    }


def _clock(row: Deadline, now: datetime, calendar: Calendar) -> tuple[Clock, int | None, str | None]:
    if row.state in (Deadline.State.MET, Deadline.State.DROPPED):
        return Clock.DONE, None, None
    unit = row.explanation.get("unit")
    standing = left(
        unit=None if unit is None else Unit(unit),
        due_on=row.due_on,
        due_at=row.due_at,
        provisional=row.provisional,
        now=now,
        calendar=calendar,
    )
    if row.state == Deadline.State.PAUSED:
        return Clock.PAUSED, standing.amount, standing.unit.value
    clock = Clock.OVERDUE if row.state == Deadline.State.MISSED else standing.clock
    return clock, standing.amount, standing.unit.value
