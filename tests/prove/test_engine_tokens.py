"""Long proofs of the engine's tokens: random diagrams against the oracle, and loops that turn thousands of times."""

import statistics
import time

import pytest
from sqlalchemy import func, select

from core.db import Database
from engine import Instance, bench
from tests.engine.playing import play

pytestmark = pytest.mark.prove


@pytest.mark.parametrize("block", range(25))
def test_two_thousand_five_hundred_random_runs_agree_with_the_token_game(
    sqlite_database: Database, block: int
) -> None:
    for seed in range(1_000_000 + block * 100, 1_000_000 + block * 100 + 100):
        play(sqlite_database, seed, size=3 + block % 7)


def test_three_thousand_rounds_of_a_loop_stay_as_cheap_as_the_first(sqlite_database: Database) -> None:
    measured = bench.Bench(sqlite_database)
    sizes: dict[int, int] = {}
    times: dict[int, list[float]] = {10: [], 3000: []}
    step = measured.start()
    for turn in range(1, 3001):
        for n in range(1, 5):
            begin = time.perf_counter()
            step = measured.complete(step.opened[0].id, "other" if n == 4 else "go")
            for mark in times:
                if mark - 10 < turn <= mark:
                    times[mark].append(time.perf_counter() - begin)
        if turn in (10, 3000):
            with sqlite_database.reader() as session:
                sizes[turn] = (
                    session.scalar(select(func.length(Instance.blob)).where(Instance.id == step.instance.id)) or 0
                )
    for _ in range(4):
        step = measured.complete(step.opened[0].id)
    assert step.ended == "done"
    assert sizes[3000] <= 1.1 * sizes[10] and sizes[3000] <= 3000
    assert statistics.median(times[3000]) <= 1.5 * statistics.median(times[10])
