"""Two thousand races of a mediator against a deadline and of two mediators, on both databases."""

import pytest

from core.db import Database
from tests.engine.racing import race


@pytest.mark.prove
def test_two_thousand_races_have_one_winner_each(database: Database) -> None:
    won = race(database, 1000)
    assert won["completed/nothing"] > 0 and won["WrongState/fired"] > 0
