"""A migration against an answer, and against a deadline: whoever is first, the case goes on with one token."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import select

from core.db import Database
from core.refusals import Conflict, WrongState
from engine import Event, Instance, bundles, events, timers
from tests.engine.drawing import Scope, diagram, timer
from tests.engine.house import NOW, House


def drawing(task: str) -> bytes:
    scope = Scope().start().user(task).boundary("late", task, timer("P1D")).user("last").end().end("lapsed")
    return diagram(scope.path("start", task, "last", "end").flow("late", "lapsed").process())


def test_migrations_race_with_answers_and_deadlines(database: Database) -> None:
    house = House(database, drawing("a"))
    with database.transaction() as session:
        other = bundles.save(session, {"bpmn/p.bpmn": drawing("b")}, now=NOW)
    due = NOW + timedelta(days=1)
    seen: Counter[str] = Counter()
    with ThreadPoolExecutor(2) as pool:
        for turn in range(8):
            step = house.start(key=f"case-{turn}")
            task, instance = step.opened[0].id, step.instance.id
            barrier = Barrier(2)

            def migrate(instance=instance, barrier=barrier) -> str:
                barrier.wait()
                try:
                    with database.transaction() as session:
                        house.engine.migrate(session, instance, bundle=other, mapping={"a": "b"}, now=NOW, by="d")
                except (WrongState, Conflict) as refused:
                    return type(refused).__name__
                return "migrated"

            def complete(task=task, barrier=barrier) -> str:
                barrier.wait()
                try:
                    with database.transaction() as session:
                        house.engine.complete(session, task, {}, now=NOW, by="t")
                except Conflict:
                    return "Conflict"
                return "completed"

            def fire(timer_id, barrier=barrier) -> str:
                barrier.wait()
                return (
                    "nothing"
                    if timers.fire(database, house.engine, timer_id, owner="w", now=due) is None
                    else "fired"
                )

            if turn % 2:
                (claimed,) = timers.claim(database, owner="w", now=due)
                jobs = [pool.submit(migrate), pool.submit(fire, claimed)]
            else:
                jobs = [pool.submit(migrate), pool.submit(complete)]
            outcome = [job.result(timeout=60) for job in jobs]
            if outcome[1] == "Conflict":
                # The task said something else by then; who reads it again answers it.
                house.complete("b")
                outcome[1] = "completed"
            seen[outcome[1]] += 1
            assert outcome[1] in ("completed", "fired"), outcome
            with database.reader() as session:
                kinds = Counter(session.scalars(select(Event.kind).where(Event.instance_id == instance)).all())
                found = session.get_one(Instance, instance)
                assert kinds["instance.migrated"] == (outcome[0] == "migrated")
                assert (found.bundle == other) == (outcome[0] == "migrated")
                assert events.verify(session, instance)
                assert house.engine.position(session, found) == ([] if turn % 2 else [("p", "last")])
            if not turn % 2:
                # What is left must not be due in the next round.
                house.complete("last")
    assert seen == {"completed": 4, "fired": 4}
