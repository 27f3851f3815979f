"""A small house around the engine for tests: a database, a clock that only moves when told, and helpers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

import engine
from core.db import Database
from engine import Engine, Instance, Services, Step, Task, Timer, bundles, timers
from engine.models import Subscription

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class House:
    """One case at a time, mostly."""

    def __init__(self, database: Database, *files: bytes, **options: Any) -> None:
        self.database = database
        self.now = NOW
        self.services = options.pop("services", Services())
        self.engine = Engine(services=self.services, **options)
        self.steps: list[Step] = []
        self.by = "person:tester"
        named = {(f"bpmn/{n}.bpmn" if b"/BPMN/" in f else f"dmn/{n}.dmn"): f for n, f in enumerate(files)}
        with database.transaction() as session:
            self.bundle = bundles.save(session, named, now=NOW)

    def start(self, process: str = "p", key: str = "case-1", **data: Any) -> Step:
        with self.database.transaction() as session:
            return self._keep(
                self.engine.start(
                    session, bundle=self.bundle, process=process, key=key, data=data, now=self.now, by=self.by
                )
            )

    def complete(self, element: str, *, item: object = None, by: str = "", **answer: Any) -> Step:
        with self.database.transaction() as session:
            tasks = self.tasks(element)
            chosen = [t for t in tasks if item is None or t.item == item]
            assert chosen, f"{element} is not open: {[t.element for t in self.tasks()]}"
            return self._keep(self.engine.complete(session, chosen[0].id, answer, now=self.now, by=by or self.by))

    def deliver(
        self, message: str, key: str = "case-1", message_id: str | None = None, **payload: Any
    ) -> Step | None:
        with self.database.transaction() as session:
            step = self.engine.deliver(
                session, message, key, payload=payload, message_id=message_id, now=self.now, by=self.by
            )
            return step if step is None else self._keep(step)

    def advance(self, by: timedelta) -> list[str]:
        """Let time pass; answers with the timers that fired, in order."""
        target = self.now + by
        fired: list[str] = []
        while True:
            with self.database.reader() as session:
                due = timers.next_due(session)
            if due is None or due > target:
                break
            self.now = max(self.now, due)
            for timer_id in timers.claim(self.database, owner="test", now=self.now):
                step = timers.fire(self.database, self.engine, timer_id, owner="test", now=self.now)
                if step is not None:
                    self._keep(step)
                    fired += [timer.element for timer in step.fired]
        self.now = target
        return fired

    def tasks(self, element: str = "", instance: UUID | None = None) -> list[Task]:
        with self.database.reader() as session:
            statement = select(Task).where(Task.state == Task.State.OPEN).order_by(Task.token)
            if element:
                statement = statement.where(Task.element == element)
            if instance is not None:
                statement = statement.where(Task.instance_id == instance)
            return list(session.scalars(statement))

    def timers(self, state: str = "armed") -> list[Timer]:
        with self.database.reader() as session:
            return list(session.scalars(select(Timer).where(Timer.state == state).order_by(Timer.due_at)))

    def subscriptions(self) -> list[Subscription]:
        with self.database.reader() as session:
            return list(session.scalars(select(Subscription)))

    def instance(self) -> Instance:
        with self.database.reader() as session:
            return session.scalars(select(Instance).order_by(Instance.started_at)).all()[-1]

    def waiting(self) -> list[str]:
        """Elements that wait, sorted."""
        with self.database.reader() as session:
            return sorted(element for _, element in self.engine.position(session, self.instance()))

    def data(self) -> Mapping[str, Any]:
        with self.database.reader() as session:
            return self.engine.data(session, self.instance().id)

    def chain_is_whole(self) -> bool:
        with self.database.reader() as session:
            return engine.events.verify(session, self.instance().id)

    def _keep(self, step: Step) -> Step:
        self.steps.append(step)
        return step
