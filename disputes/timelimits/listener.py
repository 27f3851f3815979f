"""Keeps the running deadlines of each case: created when a timer or task is armed, settled when it is over.

A deadline is one limit that began at one start in one instance, however many timers, warnings and tasks hold
somebody to it (its *carriers*). It is settled when its last carrier is gone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from disputes.timelimits import functions
from disputes.timelimits.models import Deadline, DeadlineExtension, DeadlinePause
from disputes.timelimits.rules import day_of, moment_of
from engine import Instance, Migrated, Step, Task, Timer, specifications
from engine.diagram import Kind

#: Limit and start: what a deadline is known by within its instance.
Identity = tuple[str, str]

_OPEN = (Deadline.State.RUNNING, Deadline.State.PAUSED)

#: Commands of operators: what they take away was not done by those whom it bound.
_TAKE_AWAY = frozenset({"rearm", "migrate", "cancel", "move", "set_data", "skip", "void"})


class TimelimitsListener:
    """Hears of every step; see the module."""

    def steps(self, session: Session, steps: Sequence[Step]) -> None:
        """Record the moments of many cases that were moved together (``engine.retiming``)."""
        functions.forget(session)
        ids = [step.instance.id for step in steps]
        rows: dict[UUID, dict[Identity, Deadline]] = {}
        for row in session.scalars(select(Deadline).where(Deadline.instance_id.in_(ids))):
            rows.setdefault(row.instance_id, {})[row.limit, row.start] = row
        for step in steps:
            for identity, carrier, note in _noted(step.moved):
                self._run(session, step, rows.setdefault(step.instance.id, {}), identity, carrier, note)

    def step(self, session: Session, step: Step) -> None:
        """Record what the step did to the deadlines of its case."""
        functions.forget(session)
        if step.failed:
            return
        if step.migrated is not None:
            _rename(session, step.instance.id, step.migrated)
        begun = _noted([*step.armed, *step.opened, *step.moved])
        over = _noted([*step.fired, *step.dropped, *step.completed, *step.cancelled])
        if not begun and not over:
            return
        rows = {
            (row.limit, row.start): row
            for row in session.scalars(select(Deadline).where(Deadline.instance_id == step.instance.id))
        }
        for identity, carrier, note in begun:
            self._run(session, step, rows, identity, carrier, note)
        for identity, carrier, note in over:
            if carrier in step.fired and note.get("rung") is None and identity in rows:
                _settle(rows[identity], Deadline.State.MISSED, step)
        gone = {identity for identity, _, _ in over if identity in rows and rows[identity].state in _OPEN}
        if step.moved:
            # A migrated diagram may hold somebody to another limit: what nobody is held to any more is over.
            gone |= {identity for identity, row in rows.items() if row.state in _OPEN}
        if gone:
            for identity in sorted(gone - _held(session, step)):
                self._end(session, step, rows[identity])
        if step.instance.state in (Instance.State.COMPLETED, Instance.State.CANCELLED):
            _close_pauses(session, step)
        _lapse(session, step, rows.values())

    def _run(
        self,
        session: Session,
        step: Step,
        rows: dict[Identity, Deadline],
        identity: Identity,
        carrier: Timer | Task,
        note: Mapping[str, Any],
    ) -> None:
        row = rows.get(identity)
        if row is None:
            row = rows[identity] = Deadline(
                key=step.instance.key,
                instance_id=step.instance.id,
                limit=identity[0],
                start=identity[1],
                start_on=day_of(moment_of(identity[1])),
                region=note["case_region"],
                edition_on=date.fromisoformat(note["edition_on"]),
                process=carrier.process,
                element=(carrier.host if isinstance(carrier, Timer) else "") or carrier.element,
                opened_at=step.now,
                state=Deadline.State.RUNNING,
            )
            session.add(row)
        row.due_on = date.fromisoformat(note["due_on"])
        row.due_at = datetime.fromisoformat(note["due_at"])
        row.provisional = note["provisional"]
        row.explanation = {key: value for key, value in note.items() if key not in ("rung", "at")}
        if row.state != Deadline.State.MISSED:
            row.state = Deadline.State.PAUSED if note["paused"] else Deadline.State.RUNNING
            row.settled_at = None

    def _end(self, session: Session, step: Step, row: Deadline) -> None:
        if step.now >= row.due_at and row.state == Deadline.State.RUNNING:
            _settle(row, Deadline.State.MISSED, step)
        elif _was_taken_away(session, step, (row.limit, row.start)):
            _settle(row, Deadline.State.DROPPED, step)
        else:
            _settle(row, Deadline.State.MET, step)


def _noted(carriers: Iterable[Timer | Task]) -> list[tuple[Identity, Timer | Task, Mapping[str, Any]]]:
    """The carriers of deadlines among these, with the notes that ``functions`` gave them."""
    found: list[tuple[Identity, Timer | Task, Mapping[str, Any]]] = []
    for carrier in carriers:
        note = carrier.note if isinstance(carrier, Timer) else carrier.due_note
        identity = _identity(note)
        if note is not None and identity is not None:
            found.append((identity, carrier, note))
    return found


def _identity(note: Mapping[str, Any] | None) -> Identity | None:
    if not note or "limit" not in note or "start" not in note:
        return None
    return note["limit"], note["start"]


def _held(session: Session, step: Step) -> set[Identity]:
    """What somebody is still held to in this instance after the step."""
    session.flush()
    timers = session.scalars(
        select(Timer.note).where(
            Timer.instance_id == step.instance.id,
            Timer.state.in_((Timer.State.ARMED, Timer.State.CLAIMED, Timer.State.PARKED)),
        )
    )
    tasks = session.scalars(
        select(Task.due_note).where(Task.instance_id == step.instance.id, Task.state == Task.State.OPEN)
    )
    return {identity for note in (*timers, *tasks) if (identity := _identity(note)) is not None}


def _was_taken_away(session: Session, step: Step, identity: Identity) -> bool:
    """Whether what the deadline demanded was cancelled, rather than done.

    An answer to a task that carries it has done it. Otherwise an event that interrupts (a withdrawal, another
    limit's end) has taken away what it was attached to, and so has an end that cancels tasks beside the answered
    one. A message that somebody waited for interrupts nothing.
    """
    if step.command in _TAKE_AWAY:
        return True
    if any(_identity(task.due_note) == identity for task in step.completed):
        return False
    if _was_interrupted(session, step):
        return True
    return any(_identity(task.due_note) == identity for task in step.cancelled)


def _was_interrupted(session: Session, step: Step) -> bool:
    specs = specifications.load(session, step.instance.bundle)
    for process, id in step.elements:
        element = specs.process(process).elements[id]
        if element.kind is Kind.BOUNDARY and element.interrupting:
            return True
    return False


def _lapse(session: Session, step: Step, rows: Iterable[Deadline]) -> None:
    """Requests for more time that nobody answered before the deadline was over stay without effect."""
    over = [row.id for row in rows if row.settled_at == step.now and row.state not in _OPEN]
    if over:
        session.execute(
            update(DeadlineExtension)
            .where(
                DeadlineExtension.deadline_id.in_(over),
                DeadlineExtension.state == DeadlineExtension.State.REQUESTED,
            )
            .values(state=DeadlineExtension.State.LAPSED, decided_at=step.now)
            .execution_options(synchronize_session="fetch")
        )


def _settle(row: Deadline, state: Deadline.State, step: Step) -> None:
    if row.state in _OPEN:
        row.state, row.settled_at = state, step.now


def _rename(session: Session, instance_id: UUID, migrated: Migrated) -> None:
    """A deadline names the activity that it bounds as the diagram names it now."""
    if not migrated.renamed:
        return
    for row in session.scalars(select(Deadline).where(Deadline.instance_id == instance_id)):
        row.process, row.element = migrated.renamed.get((row.process, row.element), (row.process, row.element))


def _close_pauses(session: Session, step: Step) -> None:
    """Nothing runs any more, so nothing stands still."""
    for pause in session.scalars(
        select(DeadlinePause).where(DeadlinePause.instance_id == step.instance.id, DeadlinePause.ended_at.is_(None))
    ):
        pause.ended_at, pause.ended_by = step.now, step.by
