"""``kill -9`` of web and worker, ten times, under five hundred running cases, on both databases."""

from pathlib import Path

import pytest

from core.db import Database
from tests.prove.harness import kill_again_and_again


@pytest.mark.prove
def test_kill_9_loses_and_doubles_nothing(database: Database, tmp_path: Path) -> None:
    on_postgresql = database.dialect == "postgresql"
    figures = kill_again_and_again(
        database,
        tmp_path / "served",
        cases=500,
        kills=10,
        web_processes=2,
        workers=2 if on_postgresql else 1,
        at_work=(1.5, 4.0),
        answers_between=50,
        wait_for_claims=True,
    )
    print(f"{database.dialect}: {figures}")
    assert figures["answers"] >= 1000 and figures["timers_fired"] >= 500
    assert figures["interrupted"] > 0, "no request was in flight when a process was killed"
    assert figures["claimed_again"] > 0, "no worker was killed while it held a claim"
