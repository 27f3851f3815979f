"""Seeding files synthetic cases through the real operation; a second run adds to the first."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from core.db import Database
from disputes.cases.models import Case, Party, Side
from disputes.demo.seed import SPREAD, seed
from disputes.identity.models import Person
from disputes.inbox.models import InboxItem, ItemState
from engine import Incident
from tests.disputes.district import build_district

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def test_cases_are_added_labelled_and_wait_for_somebody(database: Database) -> None:
    build_district(database)
    report = seed(database, cases=8, directory=Path(), now=NOW)
    with database.reader() as session:
        found = session.scalars(select(Case)).all()
        waiting = session.scalars(select(InboxItem).where(InboxItem.state == ItemState.OPEN)).all()
        phones = session.scalars(select(Party.phone).where(Party.side == Side.COMPLAINANT)).all()
        assert session.scalar(select(func.count()).select_from(Incident)) == 0
        people = session.scalar(select(func.count()).select_from(Person))
    assert report["cases"] == len(found) == 8 and report["tasks"] == len(waiting)
    assert {case.id for case in found} == {item.case_id for item in waiting}
    assert all(case.synthetic and NOW - SPREAD <= case.filed_at <= NOW for case in found)
    assert len({case.respondent_name for case in found}) > 3 and len(set(phones)) == 2
    again = seed(database, cases=4, directory=Path(), now=NOW)
    with database.reader() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 12
        assert session.scalar(select(func.count()).select_from(Person)) == people
    assert again["tasks"] > report["tasks"]
