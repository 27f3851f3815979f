"""Messages and waits that begin together, many times over (make test plays a few rounds)."""

import pytest

from core.db import Database
from tests.engine.test_messages import race_to_wait

pytestmark = pytest.mark.prove


def test_a_message_and_a_wait_that_begin_together_never_miss_each_other(database: Database) -> None:
    race_to_wait(database, 300)
