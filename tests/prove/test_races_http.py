"""A thousand races on each database, through the whole application: one winner, 200 or 409, never 500."""

from pathlib import Path

import pytest

from core.db import Database
from tests.prove.duels import duel


@pytest.mark.prove
def test_a_thousand_races_have_one_winner_each(database: Database, tmp_path: Path) -> None:
    won = duel(database, tmp_path, deadlines=500, answers=300, claims=200)
    print(f"{database.dialect}: { {name: dict(counted) for name, counted in won.items()} }")
    assert {name: sum(counted.values()) for name, counted in won.items()} == {
        "deadline": 500,
        "answer": 300,
        "claim": 200,
    }
    for name, counted in won.items():
        assert len(counted) == 2 and min(counted.values()) >= 20, f"{name}: only one side ever won: {counted}"
