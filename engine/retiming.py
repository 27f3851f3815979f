"""Moving the moments of many instances at once: what ``rearm`` does to one, without loading its tokens.

Whoever knows how the moments were reckoned (a calendar, a time limit) gives the new ones; nothing is evaluated and
no token moves. Each instance gets its events and its place in the chain; a timer that has fired is never touched.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from engine import events, moments
from engine.models import Instance, Task, Timer
from engine.runtime import Engine
from engine.steps import Step

#: States of timers that may still fire.
ARMED = (Timer.State.ARMED, Timer.State.CLAIMED, Timer.State.PARKED)


@runtime_checkable
class ManyListener(Protocol):
    """A listener that hears of many steps at once; the others hear of one after the other."""

    def steps(self, session: Session, steps: Sequence[Step]) -> None: ...


@dataclass
class Retiming:
    """What changes in one instance, whose row the caller has locked (``lock``)."""

    instance: Instance
    #: Timer or open task, its new moment, and the note that explains it.
    moves: list[tuple[Timer | Task, datetime, dict[str, Any]]] = field(default_factory=list)
    #: Further events for the instance's log: (kind, process, element, payload).
    log: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)


def lock(session: Session, instances: Collection[UUID]) -> dict[UUID, Instance]:
    """Lock instances in the order of their ids and read them afresh; those that have ended are left out."""
    query = (
        select(Instance)
        .where(Instance.id.in_(instances), Instance.ended_at.is_(None))
        .order_by(Instance.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {instance.id: instance for instance in session.scalars(query)}


def carriers(session: Session, instances: Collection[UUID]) -> list[Timer | Task]:
    """The timers that may still fire and the open tasks of instances."""
    fresh = {"populate_existing": True}
    timers = select(Timer).where(Timer.instance_id.in_(instances), Timer.state.in_(ARMED))
    tasks = select(Task).where(Task.instance_id.in_(instances), Task.state == Task.State.OPEN)
    found: list[Timer | Task] = list(session.scalars(timers, execution_options=fresh))
    found.extend(session.scalars(tasks, execution_options=fresh))
    return found


def retime(engine: Engine, session: Session, changes: Sequence[Retiming], *, now: datetime, by: str) -> list[Step]:
    """Give timers and tasks their new moments; answers a step for each instance.

    What a worker has claimed meanwhile and that moved into the future is given back when it is to be fired.
    """
    steps, entries, heads = [], [], []
    for change in changes:
        step = Step(change.instance, now, by, "retime")
        written = [events.entry(k, payload, now, by, process, id) for k, process, id, payload in change.log]
        for row, due_at, note in change.moves:
            if due_at != row.due_at:
                written.append(_moved(row, due_at, now, by))
            _set(row, due_at, note)
            step.moved.append(row)
        if written:
            events.chain(change.instance, written)
            entries.extend(written)
            heads.append(change.instance)
        steps.append(step)
    _write_heads(session, heads)
    session.flush()
    events.insert_chained(session, entries)
    for listener in engine.listeners:
        if isinstance(listener, ManyListener):
            listener.steps(session, steps)
        else:
            for step in steps:
                listener.step(session, step)
    return steps


def _moved(row: Timer | Task, due_at: datetime, now: datetime, by: str) -> dict[str, Any]:
    kind = "timer" if isinstance(row, Timer) else "task"
    payload = {kind: str(row.id), "from": moments.iso(row.due_at), "to": moments.iso(due_at)}
    return events.entry(f"{kind}.moved", payload, now, by, row.process, row.element)


def _set(row: Timer | Task, due_at: datetime, note: dict[str, Any]) -> None:
    if isinstance(row, Timer):
        row.note = note
        if row.state == Timer.State.ARMED:
            row.wake_at = due_at
    else:
        row.due_note = note
    row.due_at = due_at


def _write_heads(session: Session, instances: Sequence[Instance]) -> None:
    """Write the heads of the chains in one statement for all: the rows are locked, so nobody else moved them."""
    if not instances:
        return
    values = [
        {"instance": i.id, "count": i.event_count, "head": i.event_head, "next": i.version + 1} for i in instances
    ]
    statement = (
        update(Instance.__table__)  # type: ignore[arg-type]
        .where(Instance.__table__.c.id == bindparam("instance"))
        .values(event_count=bindparam("count"), event_head=bindparam("head"), version=bindparam("next"))
    )
    for instance, row in zip(instances, values, strict=True):
        for name, value in (("event_count", row["count"]), ("event_head", row["head"]), ("version", row["next"])):
            set_committed_value(instance, name, value)
    session.connection().execute(statement, values)
