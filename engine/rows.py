"""The open rows of one instance, read when a step first needs them and kept up to date while it runs.

Most steps touch a few of them: a task that is answered, the timers on its border. What is new in the step is added
here too, so that something opened and taken away in one step is found without asking the database.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, Update, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from engine.models import Job, Subscription, Task, Timer

#: Built once: a step has little time, and building a statement takes as long as sending it.
_TASKS = select(Task).where(Task.instance_id == bindparam("instance"), Task.state == Task.State.OPEN)
_TIMERS = select(Timer).where(
    Timer.instance_id == bindparam("instance"),
    Timer.state.in_((Timer.State.ARMED, Timer.State.CLAIMED, Timer.State.PARKED)),
)
_SUBSCRIPTIONS = select(Subscription).where(Subscription.instance_id == bindparam("instance"))
_JOBS = select(Job).where(
    Job.instance_id == bindparam("instance"), Job.state.in_((Job.State.OPEN, Job.State.FAILED))
)
#: Ended and read in one statement. The instance is locked, so nobody else ends them meanwhile.
_END_TASK = (
    update(Task)
    .where(Task.instance_id == bindparam("instance"), Task.token == bindparam("at"), Task.state == Task.State.OPEN)
    .values(state=bindparam("how"), ended_at=bindparam("now"), ended_by=bindparam("who"), version=Task.version + 1)
    .returning(Task)
)
_FIRE_TIMER = (
    update(Timer)
    .where(
        Timer.id == bindparam("timer"),
        Timer.state == Timer.State.CLAIMED,
        Timer.owner == bindparam("claimant"),
        Timer.due_at <= bindparam("now"),
        or_(bindparam("count", type_=Integer).is_(None), Timer.attempt == bindparam("count", type_=Integer)),
    )
    .values(state=Timer.State.FIRED, ended_at=bindparam("now"), wake_at=None)
    .returning(Timer)
)
_DROP_TIMERS = (
    update(Timer)
    .where(
        Timer.instance_id == bindparam("instance"),
        Timer.token == bindparam("at"),
        Timer.state.in_((Timer.State.ARMED, Timer.State.CLAIMED, Timer.State.PARKED)),
    )
    .values(state=Timer.State.DROPPED, ended_at=bindparam("now"), wake_at=None)
    .returning(Timer)
)


class Rows:
    """Token → what is open for it."""

    def __init__(self, session: Session, instance_id: UUID) -> None:
        self.session = session
        self.instance_id = instance_id
        self._tasks: dict[int, Task] | None = None
        self._timers: dict[int, list[Timer]] | None = None
        self._subscriptions: dict[int, list[Subscription]] | None = None
        self._jobs: dict[int, Job] | None = None
        self._new: list[Task | Timer | Subscription | Job] = []
        #: Subscriptions that this step has deleted.
        self.deleted: set[UUID] = set()

    def begin_empty(self) -> None:
        """A new instance has no rows: nothing needs to be read."""
        self._tasks, self._timers, self._subscriptions, self._jobs = {}, {}, {}, {}

    def add(self, row: Task | Timer | Subscription | Job) -> None:
        """Take up a row that this step has made."""
        self.session.add(row)
        if isinstance(row, Task):
            if self._tasks is not None:
                self._tasks[row.token] = row
                return
        elif isinstance(row, Timer):
            if self._timers is not None:
                self._timers.setdefault(row.token, []).append(row)
                return
        elif isinstance(row, Subscription):
            if self._subscriptions is not None:
                self._subscriptions.setdefault(row.token, []).append(row)
                return
        elif self._jobs is not None:
            self._jobs[row.token] = row
            return
        self._new.append(row)

    def know(self, task: Task) -> None:
        """Take up an open task that was read when the instance was locked."""
        if self._tasks is None:
            self._new.append(task)

    def tasks(self) -> dict[int, Task]:
        """Token → open task."""
        if self._tasks is None:
            self._tasks = {row.token: row for row in self._read(_TASKS, Task)}
        return self._tasks

    def end_task(self, token: int, how: Task.State, now: datetime, by: str) -> Task | None:
        """End the open task of a token; none when there is none."""
        if self._tasks is not None:
            task = self._tasks.pop(token, None)
        else:
            task = next((t for t in self._new if isinstance(t, Task) and t.token == token), None)
            if task is None:
                return next(iter(self._write(_END_TASK, token, how=how, now=now, who=by)), None)
            self._new.remove(task)
        if task is not None:
            task.state, task.ended_at, task.ended_by = how, now, by
        return task

    def fire_timer(self, timer_id: UUID, owner: str, attempt: int | None, now: datetime) -> Timer | None:
        """Mark a timer as fired if it is still this owner's claim and due; none when it is not."""
        values = {"timer": timer_id, "claimant": owner, "count": attempt, "now": now}
        return next(iter(self._execute(_FIRE_TIMER, values)), None)

    def drop_timers(self, token: int, now: datetime) -> list[Timer]:
        """Drop the timers of a token that have not fired."""
        if self._timers is not None:
            dropped = self._timers.pop(token, [])
        else:
            dropped = [t for t in self._new if isinstance(t, Timer) and t.token == token]
            if not dropped:
                return self._write(_DROP_TIMERS, token, now=now)
            for timer in dropped:
                self._new.remove(timer)
        for timer in dropped:
            timer.state, timer.ended_at, timer.wake_at = Timer.State.DROPPED, now, None
        return dropped

    def timers(self) -> dict[int, list[Timer]]:
        """Token → timers that have not fired."""
        if self._timers is None:
            self._timers = _by_token(self._read(_TIMERS, Timer))
        return self._timers

    def subscriptions(self) -> dict[int, list[Subscription]]:
        """Token → subscriptions."""
        if self._subscriptions is None:
            self._subscriptions = _by_token(self._read(_SUBSCRIPTIONS, Subscription))
        return self._subscriptions

    def jobs(self) -> dict[int, Job]:
        """Token → open job."""
        if self._jobs is None:
            self._jobs = {row.token: row for row in self._read(_JOBS, Job)}
        return self._jobs

    def delete(self, subscription: Subscription) -> None:
        """Delete a subscription, whether it was written yet or not."""
        self.deleted.add(subscription.id)
        if subscription in self.session.new:
            self.session.expunge(subscription)
        else:
            self.session.execute(delete(Subscription).where(Subscription.id == subscription.id))

    def _write(self, statement: Update, token: int, **values: Any) -> list[Any]:
        return self._execute(statement, {"instance": self.instance_id, "at": token, **values})

    def _execute(self, statement: Update, values: dict[str, Any]) -> list[Any]:
        with self.session.no_autoflush:
            return list(
                self.session.scalars(
                    statement,
                    values,
                    execution_options={"populate_existing": True, "synchronize_session": False},
                )
            )

    def _read(self, statement: Select[Any], kind: type) -> list[Any]:
        """Read without flushing: the step writes everything at once when it is saved."""
        with self.session.no_autoflush:
            rows = self.session.scalars(
                statement, {"instance": self.instance_id}, execution_options={"populate_existing": True}
            ).all()
        return [*rows, *(row for row in self._new if isinstance(row, kind))]


def _by_token(rows: list[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.token, []).append(row)
    return found
