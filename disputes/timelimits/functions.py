"""What diagrams may ask about time: ``due``, ``warning``, ``working days between``, ``is working day``.

A note goes to the timer or task that is being armed: the whole explanation, from which the listener keeps the
running deadlines of the case. A running deadline keeps the edition of the law with which it began.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.now import CHINA
from disputes.timelimits import queries
from disputes.timelimits.calendar import Calendar
from disputes.timelimits.explanation import record
from disputes.timelimits.limits import Limit
from disputes.timelimits.models import Deadline, DeadlineExtension, DeadlinePause
from disputes.timelimits.rules import Due, Extension, Pause, TimeLimitError, compute, day_of, moment_of, warning_at
from engine import FunctionContext

#: Key of what one transaction has read, in ``Session.info``.
_KNOWN = "disputes.timelimits"

_EDITIONS = select(
    Deadline.limit.label("limit_id"),
    Deadline.start,
    Deadline.edition_on,
    Deadline.region,
    Deadline.limits_from,
    Deadline.extended,
)


def functions_for(context: FunctionContext) -> Mapping[str, Callable[..., Any]]:
    """The functions of this capability, for one evaluation."""
    clocks = _Clocks(context)
    return {
        "due": clocks.due,
        "warning": clocks.warning,
        "working days between": clocks.working_days_between,
        "is working day": clocks.is_working_day,
    }


def forget(session: Session) -> None:
    """What this transaction has read of pauses, deadlines and the calendar has changed."""
    session.info.pop(_KNOWN, None)


def note_of(due: Due, rung: int | None, moment: datetime, *, edition_on: date, region: str) -> dict[str, Any]:
    """What is kept with a timer or task that holds somebody to a limit: the explanation, and by which function
    it came to which moment (``rung`` is none at the limit's end).
    """
    return {
        **record(due),
        "rung": rung,
        "at": moment.astimezone(UTC).isoformat(),
        "edition_on": edition_on.isoformat(),
        "case_region": region,
    }


@dataclass
class _Known:
    """What one transaction has read: several timers are armed in one step."""

    transaction: object
    calendar: Calendar
    pauses: dict[UUID, list[DeadlinePause]] = field(default_factory=dict)
    editions: dict[UUID, dict[tuple[str, str], tuple[date, str, str | None]]] = field(default_factory=dict)
    extensions: dict[UUID, list[DeadlineExtension]] = field(default_factory=dict)


def _known(session: Session) -> _Known:
    transaction = session.get_transaction()
    known = session.info.get(_KNOWN)
    if not isinstance(known, _Known) or known.transaction is not transaction or transaction is None:
        known = session.info[_KNOWN] = _Known(transaction, queries.calendar(session))
    return known


@dataclass
class _Clocks:
    context: FunctionContext

    def due(self, limit: object, start: object) -> datetime:
        """When a limit ends; never, while it is paused."""
        found, due = self._reckon(limit, start)
        self._note(found, due, None, due.fires_at)
        return due.fires_at.astimezone(CHINA)

    def warning(self, limit: object, start: object, rung: object) -> datetime:
        """When a rung of a limit's ladder of warnings is due, 1 being the first."""
        found, due = self._reckon(limit, start)
        number = _whole(rung)
        moment = warning_at(
            found.limit,
            due.start,
            number,
            calendar=found.calendar,
            pauses=found.pauses,
            extensions=found.extensions,
            today=day_of(self.context.now),
        )
        self._note(found, due, number, moment)
        return moment.astimezone(CHINA)

    def working_days_between(self, first: object, last: object) -> int:
        """How many workdays come after the first day up to the last."""
        calendar = _known(self.context.session).calendar
        return calendar.workdays_between(
            day_of(moment_of(first, what="the first day")), day_of(moment_of(last, what="the last day"))
        )

    def is_working_day(self, on: object) -> bool:
        """Do offices work on that day?"""
        return _known(self.context.session).calendar.is_workday(day_of(moment_of(on, what="the day")))

    def _reckon(self, limit: object, start: object) -> tuple["_Found", Due]:
        if not isinstance(limit, str):
            raise TimeLimitError(f"Expected the id of a time limit, found {limit!r}.")
        if start is None:
            raise TimeLimitError(f"{limit} needs its start: the variable is missing.")
        begun = moment_of(start, what=f"the start of {limit}")
        found = self._find(limit, begun)
        due = compute(
            found.limit,
            begun,
            calendar=found.calendar,
            pauses=found.pauses,
            extensions=found.extensions,
            today=day_of(self.context.now),
        )
        return found, due

    def _find(self, id: str, start: date | datetime) -> "_Found":
        session, instance = self.context.session, self.context.instance
        known = _known(session)
        if instance.id not in known.editions:
            rows = session.execute(_EDITIONS.where(Deadline.instance_id == instance.id)).all()
            known.editions[instance.id] = {
                (row.limit_id, row.start): (row.edition_on, row.region, row.limits_from) for row in rows
            }
            known.pauses[instance.id] = queries.pauses_of(session, instance.id)
            extended = any(row.extended for row in rows)
            known.extensions[instance.id] = queries.extensions_of(session, instance.id) if extended else []
        here = (day_of(self.context.now), str(self.context.data.get("region") or ""), None)
        begun = start.isoformat()
        edition_on, region, limits_from = known.editions[instance.id].setdefault((id, begun), here)
        limits = queries.limits_of(session, limits_from or instance.bundle)
        limit = limits.get(id, region=region or None, on=edition_on)
        pauses = queries.spans(known.pauses[instance.id], limit)
        extensions = queries.lengthened(known.extensions[instance.id], id, begun)
        return _Found(limit, known.calendar, pauses, extensions, edition_on, region)

    def _note(self, found: "_Found", due: Due, rung: int | None, moment: datetime) -> None:
        self.context.note(note_of(due, rung, moment, edition_on=found.edition_on, region=found.region))


@dataclass(frozen=True)
class _Found:
    limit: Limit
    calendar: Calendar
    pauses: list[Pause]
    extensions: tuple[Extension, ...]
    edition_on: date
    region: str


def _whole(rung: object) -> int:
    try:
        number = int(rung)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        number = None
    if number is None or isinstance(rung, bool) or number != rung:
        raise TimeLimitError(f"Expected the number of a warning, found {rung!r}.")
    return int(number)


def session_calendar(session: Session) -> Calendar:
    """The calendar that this transaction reckons with."""
    return _known(session).calendar
