"""A small ``kill -9`` of web and worker; ``make prove`` kills ten times under five hundred cases."""

from pathlib import Path

from core.db import Database
from tests.prove.harness import kill_again_and_again

from .conftest import ON_BOTH


@ON_BOTH
def test_a_kill_loses_and_doubles_nothing(database: Database, tmp_path: Path) -> None:
    figures = kill_again_and_again(
        database,
        tmp_path / "served",
        cases=30,
        kills=1,
        web_processes=1,
        workers=1,
        at_work=(0.5, 1.0),
        answers_between=10,
        wait_for_claims=False,
    )
    assert figures["answers"] >= 30 and figures["timers_fired"] > 0
