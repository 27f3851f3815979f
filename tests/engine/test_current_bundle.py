"""The bundle on which new instances start."""

from datetime import UTC, datetime

import pytest

from core.db import Database
from core.refusals import NotFound
from engine import bundles

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_nothing_is_current_before_the_first_deployment(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        bundles.current(session)


def test_the_last_one_made_current_is_current(database: Database) -> None:
    with database.transaction() as session:
        first = bundles.save(session, {"bpmn/a.bpmn": b"a"}, now=NOW)
        second = bundles.save(session, {"bpmn/a.bpmn": b"b"}, now=NOW)
        bundles.make_current(session, first, now=NOW)
        bundles.make_current(session, second, now=NOW)
    with database.reader() as session:
        assert bundles.current(session) == second


def test_an_unknown_bundle_cannot_be_made_current(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        bundles.make_current(session, "0" * 64, now=NOW)
