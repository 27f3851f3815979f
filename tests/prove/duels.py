"""Two who do the same thing to one case at the same moment, through the whole application, in threads of their own.

A mediator answers while the deadline fires; two mediators answer; two take the task. Who loses by a hair gives the
next round a head start to the loser, so that the two meet again and again within a millisecond.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select

from api.app import create_app
from core.db import Database
from disputes.cases.models import Case, Exit
from disputes.identity import tokens
from disputes.identity.models import Membership, Person
from disputes.identity.roles import Role
from disputes.inbox.models import Answer, InboxItem, ItemState
from disputes.wiring import build_engine
from engine import Engine, Event, Instance, Task, Timer, bundles, events, timers
from forms import compile_form
from tests.api.conftest import SETTINGS
from tests.disputes.world import FORM, NOW, World, accept, build_world
from tests.engine.drawing import Scope, diagram, timer

DUE = NOW + timedelta(days=1)
#: By how much a side that lost starts earlier next time, in seconds.
HAIR = 0.0005
DIGEST = compile_form(FORM).digest
DRAWN = diagram(
    Scope()
    .start()
    .user("mediate", groups="mediator", form="decide")
    .boundary("late", "mediate", timer("P1D"))
    .end("mediated")
    .end("terminated")
    .path("start", "mediate", "mediated")
    .flow("late", "terminated")
    .process("duel")
)


@dataclass
class Mediator:
    """Somebody who answers through the application with a token."""

    id: UUID
    client: FlaskClient
    headers: dict[str, str]

    def post(self, path: str, body: Any = None) -> tuple[int, str]:
        """The status and, of a refusal, its code."""
        answer = self.client.post(f"/api/v1{path}", json=body, headers=self.headers)
        return answer.status_code, (answer.json or {}).get("code", "") if answer.status_code >= 400 else ""

    def answer(self, task: UUID) -> tuple[int, str]:
        return self.post(f"/tasks/{task}/answer", {"form_digest": DIGEST, "answer": accept()})

    def claim(self, task: UUID) -> tuple[int, str]:
        return self.post(f"/tasks/{task}/claim")


class Arena:
    """A district with two mediators of one body, and one case after another."""

    def __init__(self, database: Database, files: Path) -> None:
        self.database = database
        self.engine: Engine = build_engine(secret_key=SETTINGS.secret_key)
        app = create_app(replace(SETTINGS, files=files), database=database, clock=lambda: DUE)
        with database.transaction() as session:
            self.world: World = build_world(session)
            self.bundle = bundles.save(session, {"bpmn/duel.bpmn": DRAWN, "forms/decide.form": FORM}, now=NOW)
            body = self.world.places["body"]
            second = Person(login="second_mediator", name="second_mediator", created_at=NOW)
            session.add(second)
            session.flush()
            session.add(
                Membership(person_id=second.id, organisation_id=body.id, role=str(Role.MEDIATOR), since=NOW)
            )
            self.mediators = []
            for person in (self.world.people["mediator"], second):
                _, plain = tokens.issue(
                    session, person, name="duel", scopes=["task.*"], lasts=timedelta(days=9), now=NOW
                )
                self.mediators.append(Mediator(person.id, app.test_client(), {"Authorization": f"Bearer {plain}"}))
        for mediator in self.mediators:  # the first use of a token is noted; let that be done before the duels
            assert mediator.client.get("/api/v1/tasks", headers=mediator.headers).status_code == 200
        self.head_start = 0.0

    def task(self) -> UUID:
        """A new case that waits for either mediator, its deadline due now."""
        with self.database.transaction() as session:
            case = self.world.case(session, mediation_body_id=self.world.places["body"].id)
            step = self.engine.start(
                session, bundle=self.bundle, process="duel", key=str(case.id), data={}, now=NOW, by="system"
            )
            case.instance_id = step.instance.id
            return step.opened[0].id

    def meet(self, pool: ThreadPoolExecutor, one: Callable[[], Any], two: Callable[[], Any]) -> list[Any]:
        """Both at once; a positive head start is the first one's."""
        barrier, ahead = Barrier(2), self.head_start

        def run(act: Callable[[], Any], wait: float) -> Any:
            barrier.wait(timeout=60)
            if wait > 0:
                time.sleep(wait)
            return act()

        both = pool.submit(run, one, -ahead), pool.submit(run, two, ahead)
        return [future.result(timeout=60) for future in both]

    def first_won(self, won: bool) -> None:
        """Bring the two closer together."""
        self.head_start += -HAIR if won else HAIR


def duel(database: Database, files: Path, *, deadlines: int, answers: int, claims: int) -> dict[str, Counter[str]]:
    """All three duels; counts who won. Raises AssertionError where not exactly one did, or the state disagrees."""
    arena = Arena(database, files)
    won: dict[str, Counter[str]] = {}
    with ThreadPoolExecutor(2) as pool:
        for name, fight, rounds in (
            ("deadline", _against_the_deadline, deadlines),
            ("answer", _two_answer, answers),
            ("claim", _two_claim, claims),
        ):
            arena.head_start = 0.0
            won[name] = Counter(fight(arena, pool) for _ in range(rounds))
    return won


def _against_the_deadline(arena: Arena, pool: ThreadPoolExecutor) -> str:
    """A mediator answers while the worker fires what is due."""
    task, mediator = arena.task(), arena.mediators[0]
    (status, code), fired = arena.meet(
        pool,
        lambda: mediator.answer(task),
        lambda: timers.drain(arena.database, arena.engine, owner="worker", now=DUE),
    )
    if status == 200:
        assert fired == 0
        _ended(arena, task, by=mediator)
    else:
        assert (status, code, fired) == (409, "task.dropped", 1)
        _ended(arena, task, by=None)
    arena.first_won(status == 200)
    return "mediator" if status == 200 else "deadline"


def _two_answer(arena: Arena, pool: ThreadPoolExecutor) -> str:
    """Two mediators answer one task."""
    task = arena.task()
    told = arena.meet(pool, *(lambda m=m: m.answer(task) for m in arena.mediators))
    assert sorted(told) == [(200, ""), (409, "task.already_completed")], told
    winner = told.index((200, ""))
    _ended(arena, task, by=arena.mediators[winner])
    arena.first_won(winner == 0)
    return ("first", "second")[winner]


def _two_claim(arena: Arena, pool: ThreadPoolExecutor) -> str:
    """Two mediators take one task; who got it can answer it, the other cannot."""
    task = arena.task()
    told = arena.meet(pool, *(lambda m=m: m.claim(task) for m in arena.mediators))
    assert sorted(told) == [(200, ""), (409, "task.claimed_by_another")], told
    winner = told.index((200, ""))
    with arena.database.reader() as session:
        assert session.get_one(InboxItem, task).claimed_by == arena.mediators[winner].id
    assert arena.mediators[1 - winner].answer(task) == (409, "task.claimed_by_another")
    assert arena.mediators[winner].answer(task) == (200, "")
    _ended(arena, task, by=arena.mediators[winner])
    arena.first_won(winner == 0)
    return ("first", "second")[winner]


def _ended(arena: Arena, task_id: UUID, *, by: Mediator | None) -> None:
    """Every table says that this mediator won, or (None) the deadline."""
    answered = by is not None
    with arena.database.reader() as session:
        task = session.get_one(Task, task_id)
        assert task.state == (Task.State.COMPLETED if answered else Task.State.CANCELLED)
        assert task.ended_by == (f"person:{by.id}" if by is not None else "system")
        item = session.get_one(InboxItem, task_id)
        assert item.state == (ItemState.DONE if answered else ItemState.DROPPED)
        kept = session.scalars(select(Answer.by_person).where(Answer.task_id == task_id)).all()
        assert kept == ([by.id] if by is not None else [])
        row = session.scalars(select(Timer).where(Timer.instance_id == task.instance_id)).one()
        assert row.state == (Timer.State.DROPPED if answered else Timer.State.FIRED)
        instance = session.get_one(Instance, task.instance_id)
        case = session.get_one(Case, item.case_id)
        assert instance.state == Instance.State.COMPLETED
        assert instance.ended_element == ("mediated" if answered else "terminated")
        assert case.exit == (Exit.MEDIATED if answered else Exit.TERMINATED)
        kinds = Counter(session.scalars(select(Event.kind).where(Event.instance_id == instance.id)))
        assert (kinds["task.completed"], kinds["timer.fired"]) == ((1, 0) if answered else (0, 1))
        assert events.verify(session, instance.id)
