"""The engine agrees with an independent token game on random diagrams (the small version; make prove plays more)."""

from core.db import Database
from tests.engine.playing import play


def test_random_diagrams_agree_with_the_token_game(sqlite_database: Database) -> None:
    assert sum(play(sqlite_database, seed) for seed in range(60)) > 200
