"""Long proofs of the engine's tokens: random diagrams against the oracle, and loops that turn thousands of times."""

import pytest

from core.db import Database
from engine import bench
from tests.engine.playing import play

pytestmark = pytest.mark.prove


@pytest.mark.parametrize("block", range(25))
def test_two_thousand_five_hundred_random_runs_agree_with_the_token_game(
    sqlite_database: Database, block: int
) -> None:
    for seed in range(1_000_000 + block * 100, 1_000_000 + block * 100 + 100):
        play(sqlite_database, seed, size=3 + block % 7)


def test_three_thousand_rounds_of_a_loop_cost_what_the_first_did(sqlite_database: Database) -> None:
    """The same statements and the same state; how long a step takes is measured by ``hejie bench``."""
    measured = bench.Bench(sqlite_database)
    step = measured.loop(10)
    size = len(step.instance.blob)
    with bench.counting(sqlite_database.writing) as young:
        step = measured.complete(step.opened[0].id)
    for n in (2, 3, 4):
        step = measured.complete(step.opened[0].id, "other" if n == 4 else "go")
    for _ in range(2989):
        for n in range(1, 5):
            step = measured.complete(step.opened[0].id, "other" if n == 4 else "go")
    assert len(step.instance.blob) <= 1.1 * size
    assert len(step.instance.blob) <= 3000
    with bench.counting(sqlite_database.writing) as old:
        step = measured.complete(step.opened[0].id)
    assert (old.statements, old.commits) == (young.statements, young.commits)
    for _ in range(3):
        step = measured.complete(step.opened[0].id)
    assert step.ended == "done"
