"""Some races through the whole application; ``make prove`` runs a thousand on each database."""

from pathlib import Path

from core.db import Database
from tests.prove.duels import duel

from .conftest import ON_BOTH


@ON_BOTH
def test_a_race_has_one_winner(database: Database, tmp_path: Path) -> None:
    won = duel(database, tmp_path, deadlines=24, answers=8, claims=8)
    assert {name: sum(counted.values()) for name, counted in won.items()} == {
        "deadline": 24,
        "answer": 8,
        "claim": 8,
    }
