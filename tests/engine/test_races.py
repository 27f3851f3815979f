"""Of two who command a case at the same moment one wins, and the other hears why (make prove races longer)."""

import threading

from core.db import Database
from engine import timers
from tests.engine.house import House
from tests.engine.racing import DRAWN, race


def test_one_of_two_wins(database: Database) -> None:
    assert sum(race(database, 12).values()) == 12


def test_two_workers_fire_each_timer_once(database: Database) -> None:
    house = House(database, DRAWN)
    for n in range(30):
        house.start(key=f"case-{n}")
    due = house.timers()[0].due_at
    fired: list[int] = []

    def work(owner: str) -> None:
        fired.append(timers.drain(database, house.engine, owner=owner, now=due))

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(fired) == 30 and house.timers() == [] and house.tasks() == []
