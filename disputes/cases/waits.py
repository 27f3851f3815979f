"""What a case waits for, by the rows of the engine: whose turn it is, by when, and which messages it takes."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.now import CHINA
from disputes.cases.models import Case
from disputes.cases.rules import STANDINGS
from engine import Task, Timer
from engine.models import Subscription

#: Elements whose waiting is the office's own affair: parties are not told.
_INTERNAL = frozenset({"decide_overdue", "dispatch_overdue", "rectify", "review_bad_case", "review_notice"})


#: Event gateways have no name of their own; this is what they wait for.
_TITLES = {"await_identity": "等待补交身份材料", "await_claim": "等待商家认领"}


@dataclass(frozen=True)
class Wait:
    """One thing that the case waits for."""

    process: str
    element: str
    title: str
    #: The roles that owe the step; of a multi-instance task the party whose answer is missing.
    turn: tuple[str, ...]
    since: datetime
    due_at: datetime | None
    #: The limit that bounds it, ``C01``; None for a standing duty that only reminds.
    limit: str | None
    #: The limit's explanation, as it was computed.
    note: dict[str, Any] = field(default_factory=dict)
    #: Names of messages that the case would take now, on this and the scopes around it.
    messages: tuple[str, ...] = ()

    @property
    def due_on(self) -> date | None:
        """The last day on which the step is in time."""
        if self.due_at is None:
            return None
        return (self.due_at - timedelta(microseconds=1)).astimezone(CHINA).date()


def waits_of(session: Session, case: Case, *, roles: Collection[str], now: datetime) -> list[Wait]:
    """Everything that the case waits for, as far as somebody in these roles may know; nearest limit first."""
    if case.instance_id is None:
        return []
    tasks = session.scalars(
        select(Task).where(Task.instance_id == case.instance_id, Task.state == Task.State.OPEN)
    ).all()
    timers = session.scalars(
        select(Timer).where(
            Timer.instance_id == case.instance_id, Timer.state.in_((Timer.State.ARMED, Timer.State.CLAIMED))
        )
    ).all()
    subscribed = session.scalars(
        select(Subscription.message)
        .where(Subscription.instance_id == case.instance_id, Subscription.kind == Subscription.Kind.MESSAGE)
        .distinct()
    ).all()
    messages = tuple(sorted(subscribed))
    found = [_task(session, task, timers, messages) for task in tasks]
    found += _catching(tasks, timers, messages)
    if not set(roles) - {"complainant", "respondent"}:
        found = [wait for wait in found if wait.element not in _INTERNAL]
    return sorted(found, key=lambda wait: (wait.due_at is None, wait.due_at or now, wait.element))


def _task(session: Session, task: Task, timers: Collection[Timer], messages: tuple[str, ...]) -> Wait:
    turn = (task.item,) if isinstance(task.item, str) else tuple(r for r in task.role.split(",") if r)
    due_at, note = task.due_at, task.due_note or {}
    if due_at is None:
        due_at, note = _bound(task.element, timers) or _missed(session, task)
    return Wait(
        task.process,
        task.element,
        task.name,
        turn,
        task.opened_at,
        due_at,
        note.get("limit"),
        note,
        messages,
    )


def _catching(tasks: Collection[Task], timers: Collection[Timer], messages: tuple[str, ...]) -> list[Wait]:
    """Events and event gateways that wait by themselves: they hold a timer and are no task."""
    busy = {(task.process, task.element) for task in tasks}
    found = {}
    for timer in sorted(timers, key=lambda timer: timer.due_at):
        key = (timer.process, timer.host)
        if key in busy or key not in STANDINGS or key in found:
            continue
        note = timer.note or {}
        found[key] = Wait(
            timer.process,
            timer.host,
            _TITLES.get(timer.host, timer.host),
            STANDINGS[key].turn,
            timer.armed_at,
            timer.due_at,
            note.get("limit"),
            note,
            messages,
        )
    return list(found.values())


def _bound(element: str, timers: Collection[Timer]) -> tuple[datetime, dict[str, Any]] | None:
    """The limit that bounds a task without a date of its own: the nearest on it, else around it."""
    limits = [timer for timer in timers if (timer.note or {}).get("limit") and not (timer.note or {}).get("rung")]
    own = [timer for timer in limits if timer.host == element]
    nearest = min(own or limits, key=lambda timer: timer.due_at, default=None)
    return (nearest.due_at, nearest.note or {}) if nearest else None


def _missed(session: Session, task: Task) -> tuple[datetime | None, dict[str, Any]]:
    """The limit whose expiry made the task somebody's standing duty: the last that fired."""
    fired = session.scalars(
        select(Timer)
        .where(Timer.instance_id == task.instance_id, Timer.state == Timer.State.FIRED)
        .where(Timer.ended_at <= task.opened_at)
        .order_by(Timer.ended_at.desc(), Timer.due_at.desc())
    )
    for timer in fired:
        note = timer.note or {}
        if note.get("limit") and not note.get("rung"):
            return timer.due_at, note
    return None, {}
