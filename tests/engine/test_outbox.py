"""Effects outside the database: at least once, never before the commit, and not for ever."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.db import Database
from engine import outbox
from engine.models import Outbox
from tests.engine.house import NOW


def want(database: Database, key: str = "1", topic: str = "mail") -> None:
    with database.transaction() as session:
        outbox.add(session, topic, {"to": "a"}, idempotency_key=key, now=NOW)


def test_an_effect_is_done_once_when_all_goes_well(database: Database) -> None:
    want(database)
    want(database, "2", topic="nobody's")
    done = []
    assert outbox.drain(database, {"mail": done.append}, now=NOW) == 1
    assert outbox.drain(database, {"mail": done.append}, now=NOW + timedelta(days=1)) == 0
    assert [row.idempotency_key for row in done] == ["1"]
    with database.reader() as session:
        assert outbox.waiting(session, NOW) == 1


def test_a_failing_effect_is_tried_again_later_and_given_up_at_last(database: Database) -> None:
    want(database)
    tries = []

    def fails(row: Outbox) -> None:
        tries.append(row.attempts)
        raise OSError("no network")

    now = NOW
    for _ in range(30):
        outbox.drain(database, {"mail": fails}, now=now)
        now += timedelta(hours=1)
    assert tries == list(range(1, outbox.MAX_ATTEMPTS + 1))
    with database.reader() as session:
        (row,) = session.scalars(select(Outbox))
        assert (row.state, row.wake_at) == ("failed", None) and "no network" in (row.error or "")


def test_a_worker_that_dies_leaves_its_effects_to_others(sqlite_database: Database) -> None:
    want(sqlite_database)

    class Died(BaseException):
        pass

    def dies(row: Outbox) -> None:
        raise Died

    with pytest.raises(Died):
        outbox.drain(sqlite_database, {"mail": dies}, now=NOW)
    done = []
    assert outbox.drain(sqlite_database, {"mail": done.append}, now=NOW) == 0
    assert outbox.drain(sqlite_database, {"mail": done.append}, now=NOW + outbox.LEASE) == 1


def test_the_same_effect_is_not_wanted_twice(sqlite_database: Database) -> None:
    want(sqlite_database)
    with pytest.raises(IntegrityError):
        want(sqlite_database)
