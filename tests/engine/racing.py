"""Two who command the same case at the same moment, in threads of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import func, select

from core.db import Database
from core.refusals import Conflict, WrongState
from engine import Event, Instance, events, timers
from tests.engine.drawing import Scope, diagram, timer
from tests.engine.house import NOW, House

DRAWN = diagram(
    Scope()
    .start()
    .user("a", outputs={"x": "= x"})
    .boundary("late", "a", timer("P1D"))
    .end()
    .end("lapsed")
    .path("start", "a", "end")
    .flow("late", "lapsed")
    .process()
)


def race(database: Database, rounds: int) -> Counter[str]:
    """Mediator against deadline, mediator against mediator, in turn; counts who won."""
    house = House(database, DRAWN)
    won: Counter[str] = Counter()
    due = NOW + timedelta(days=1)
    with ThreadPoolExecutor(2) as pool:
        for turn in range(rounds):
            step = house.start(key=f"case-{turn}")
            task, instance = step.opened[0].id, step.instance.id
            barrier = Barrier(2)

            def complete(name: str, task=task, barrier=barrier) -> str:
                barrier.wait()
                try:
                    with database.transaction() as session:
                        house.engine.complete(session, task, {"x": name}, now=NOW, by=name)
                except (WrongState, Conflict) as refused:
                    return type(refused).__name__
                return "completed"

            def fire(timer_id, barrier=barrier) -> str:
                barrier.wait()
                step = timers.fire(database, house.engine, timer_id, owner="w", now=due)
                return "nothing" if step is None else "fired"

            if turn % 2:
                (claimed,) = timers.claim(database, owner="w", now=due)
                outcome = _both(pool, lambda: complete("one"), lambda c=claimed: fire(c))
                assert outcome in (["completed", "nothing"], ["WrongState", "fired"]), outcome
            else:
                outcome = _both(pool, lambda: complete("one"), lambda: complete("two"))
                assert sorted(outcome) == ["WrongState", "completed"], outcome
            won["/".join(outcome)] += 1
            with database.reader() as session:
                kinds = Counter(session.scalars(select(Event.kind).where(Event.instance_id == instance)).all())
                assert kinds["task.completed"] + kinds["timer.fired"] == 1
                assert session.get_one(Instance, instance).state == "completed"
                assert events.verify(session, instance)
    with database.reader() as session:
        assert session.scalar(select(func.count()).select_from(Instance)) == rounds
    return won


def _both(pool: ThreadPoolExecutor, one: Callable[[], str], two: Callable[[], str]) -> list[str]:
    return [future.result(timeout=60) for future in (pool.submit(one), pool.submit(two))]
