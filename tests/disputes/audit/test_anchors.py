"""Anchors: a chain that is cut, replaced or taken away together with its head is named all the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from core.db import Database
from disputes.audit import anchors, operations, queries
from disputes.identity.actor import SYSTEM
from engine import Event, Instance, bundles, events

NOW = datetime(2026, 9, 18, 1, 2, 3, tzinfo=UTC)
CASE = uuid4()


def grow(database: Database, number: int) -> None:
    with database.transaction() as session:
        for turn in range(number):
            for chain in ("case:a", "case:b"):
                operations.record(session, chain=chain, action="x.y", facts={"n": turn}, by=SYSTEM, now=NOW)


def log(database: Database, number: int = 5) -> None:
    with database.transaction() as session:
        digest = bundles.save(session, {"bpmn/x.bpmn": b"<x/>"}, now=NOW)
        case = Instance(
            id=CASE,
            bundle=digest,
            process="x",
            key="k",
            started_at=NOW,
            event_count=0,
            event_head="",
            state="running",
        )
        session.add(case)
        session.flush()
        for turn in range(number):
            events.append(session, case, "x.y", payload={"n": turn}, at=NOW, by="system")


def anchor(database: Database, folder: Path, *, days: int = 0) -> None:
    with database.transaction() as session:
        anchored = anchors.anchor(session, now=NOW + timedelta(days=days))
    anchors.testify(folder, anchored)


def broken(database: Database, folder: Path | None) -> list[tuple[str, int, str]]:
    with database.reader() as session:
        return [(b.chain, b.number, b.why) for b in queries.verify_all(session, folder=folder).broken]


def tamper(database: Database, *statements: str) -> None:
    with database.writing.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_chains_may_grow_between_two_anchors_and_stay_whole(database: Database, tmp_path: Path) -> None:
    grow(database, 3)
    log(database)
    anchor(database, tmp_path)
    grow(database, 2)
    assert broken(database, tmp_path) == []
    anchor(database, tmp_path, days=1)
    anchor(database, tmp_path, days=2)
    assert broken(database, tmp_path) == []
    assert (tmp_path / anchors.WITNESS).read_text().count("\n") == 3


def test_a_tail_that_is_cut_together_with_its_head_is_named(database: Database, tmp_path: Path) -> None:
    grow(database, 3)
    log(database)
    anchor(database, tmp_path)
    tamper(
        database,
        "delete from audit_event where chain = 'case:a' and number = 3",
        "update audit_chain set length = 2, head = (select digest from audit_event where chain = 'case:a' and number = 2)"
        " where name = 'case:a'",
        "delete from event where number > 3",
        "update instance set event_count = 3, event_head = (select hash from event where number = 3)",
    )
    with database.reader() as session:
        assert queries.verify(session).is_whole and events.verify(session, CASE), "the chains alone tell nothing"
    lost = "what was anchored here is missing or was replaced"
    assert broken(database, tmp_path) == [("case:a", 3, lost), (f"events:{CASE}", 5, lost)]


def test_a_chain_that_is_taken_away_with_its_anchor_is_noticed(database: Database, tmp_path: Path) -> None:
    grow(database, 3)
    anchor(database, tmp_path)
    tamper(
        database,
        "delete from audit_event where chain = 'case:a'",
        "delete from audit_chain where name = 'case:a'",
        "delete from audit_anchored where chain = 'case:a'",
    )
    assert broken(database, tmp_path) == [("anchors", 1, "a chain was taken away together with its anchor")]


def test_an_anchor_cannot_be_forged_without_the_keys_nor_taken_back_without_the_witness(
    database: Database, tmp_path: Path
) -> None:
    grow(database, 3)
    anchor(database, tmp_path)
    anchor(database, tmp_path, days=1)
    tamper(database, "update audit_anchored set length = 2 where chain = 'case:a'")
    assert ("case:a", 2, "the anchor was altered: its seal does not fit") in broken(database, tmp_path)
    tamper(database, "update audit_anchored set length = 3 where chain = 'case:a'")
    assert broken(database, tmp_path) == []
    tamper(database, "delete from audit_anchor", "delete from audit_anchored")
    assert broken(database, None) == []
    assert [number for chain, number, _ in broken(database, tmp_path) if chain == "anchors"] == [1, 2]


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("update event set payload = '{\"n\": 9}' where number = 2", [(2, "the payload was changed")]),
        (
            "update event set kind = 'z' where number = 4",
            [(4, "the event was changed, or does not follow the one before")],
        ),
        ("delete from event where number = 3", [(3, "event 3 is missing")]),
        ("delete from event where number > 3", [(5, "2 events are missing at the end")]),
        ("update instance set event_count = 4", [(4, "the head does not fit the last event")]),
        (
            "update event set number = case number when 2 then 300 else 200 end where number in (2, 3);"
            "update event set number = number / 100 where number > 100",
            [
                (2, "the event was changed, or does not follow the one before"),
                (3, "the event was changed, or does not follow the one before"),
                (4, "the event was changed, or does not follow the one before"),
            ],
        ),
    ],
)
def test_a_case_s_chain_names_exactly_what_was_done_to_it(
    database: Database, tampering: str, found: list[tuple[int, str]]
) -> None:
    log(database)
    tamper(database, *tampering.split(";"))
    with database.reader() as session:
        assert events.faults(session, CASE) == found
        assert session.query(Event).count() >= 3
