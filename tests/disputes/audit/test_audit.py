"""A chain that notices every change, and survives an erasure."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from core.db import Database
from disputes.audit import operations, queries, rules
from disputes.audit.models import AuditEvent
from disputes.identity.actor import SYSTEM, Actor

NOW = datetime(2026, 9, 18, 1, 2, 3, 456789, tzinfo=UTC)
WANG = Actor(uuid4(), "王芳")


def fill(database: Database, *, events: int = 4) -> None:
    with database.transaction() as session:
        for number in range(events):
            for chain in ("case:a", "case:b"):
                operations.record(
                    session,
                    chain=chain,
                    action="case.read",
                    facts={"第": number, "b": [True, None, "〇𬌗", {"x": -(2**40)}]},
                    by=WANG,
                    now=NOW + timedelta(microseconds=number),
                )


def test_events_are_numbered_per_chain_and_verify(database: Database) -> None:
    fill(database)
    with database.reader() as session:
        verdict = queries.verify(session)
        assert (verdict.chains, verdict.events, verdict.broken) == (2, 8, [])
        assert verdict.is_whole
        one = queries.verify(session, "case:a")
        assert (one.chains, one.events) == (1, 4)
        assert [e.number for e in queries.events(session, chain="case:a")] == [4, 3, 2, 1]


def test_an_empty_audit_is_whole(database: Database) -> None:
    with database.reader() as session:
        verdict = queries.verify(session)
    assert (verdict.chains, verdict.events, verdict.is_whole) == (0, 0, True)


@pytest.mark.parametrize(
    ("tampering", "number", "why"),
    [
        (
            "update audit_event set by = 'person:x' where chain = 'case:a' and number = 2",
            2,
            "the event was changed",
        ),
        ("update audit_event set action = 'x.y' where chain = 'case:a' and number = 1", 1, "the event was changed"),
        ("update audit_event set facts = '{}' where chain = 'case:a' and number = 3", 3, "the facts were changed"),
        (
            "update audit_event set facts = null where chain = 'case:a' and number = 3",
            3,
            "the facts are gone without an erasure",
        ),
        ("delete from audit_event where chain = 'case:a' and number = 2", 2, "event 2 is missing"),
        ("delete from audit_event where chain = 'case:a' and number = 4", 4, "1 events are missing at the end"),
        ("delete from audit_event where chain = 'case:a'", 4, "4 events are missing at the end"),
        ("delete from audit_chain where name = 'case:a'", 0, "the chain has no head"),
        (
            "update audit_chain set length = 3 where name = 'case:a'",
            4,
            "the head does not fit the last event",
        ),
        (
            "update audit_event set digest = (select digest from audit_event where chain = 'case:b' and number = 2)"
            " where chain = 'case:a' and number = 2",
            2,
            "the event was changed",
        ),
    ],
)
def test_every_tampering_is_found_where_it_happened(
    database: Database, tampering: str, number: int, why: str
) -> None:
    fill(database)
    with database.transaction() as session:
        session.execute(text(tampering))
    with database.reader() as session:
        broken = queries.verify(session).broken
    assert queries.Break("case:a", number, why) in broken
    assert {b.chain for b in broken} == {"case:a"}


def test_a_forger_who_makes_the_digests_again_must_remake_the_whole_rest(database: Database) -> None:
    fill(database)
    with database.transaction() as session:
        row = session.scalars(select(AuditEvent).where(AuditEvent.chain == "case:a", AuditEvent.number == 2)).one()
        forged = rules.event_digest(
            chain=row.chain, number=2, at=row.at, by="person:x", action=row.action,
            facts_digest=row.facts_digest, previous=row.previous,
        )  # fmt: skip
        session.execute(
            text("update audit_event set by = 'person:x', digest = :d where chain = 'case:a' and number = 2"),
            {"d": forged},
        )
    with database.reader() as session:
        assert queries.verify(session).broken == [queries.Break("case:a", 3, "does not follow the event before")]


def test_facts_are_erased_and_the_chain_still_verifies(database: Database) -> None:
    fill(database)
    with database.transaction() as session:
        mine = queries.events(session, chain="case:a")
        assert operations.erase_facts(session, mine, now=NOW) == 4
        assert operations.erase_facts(session, mine, now=NOW) == 0
    with database.reader() as session:
        assert queries.verify(session).is_whole
        assert {(e.facts, e.salt) for e in queries.events(session, chain="case:a")} == {(None, None)}
    with database.transaction() as session:
        session.execute(text("update audit_event set facts = '{}' where chain = 'case:a' and number = 1"))
    with database.reader() as session:
        assert [b.why for b in queries.verify(session).broken] == ["erased facts have come back"]


@pytest.mark.parametrize(
    "act",
    [
        lambda session, event: setattr(event, "action", "x.y"),
        lambda session, event: setattr(event, "facts", {"other": 1}),
        lambda session, event: session.delete(event),
    ],
)
def test_operations_can_neither_change_nor_remove_an_event(database: Database, act: Callable[..., None]) -> None:
    fill(database)
    with pytest.raises(RuntimeError, match="never"), database.transaction() as session:
        act(session, queries.events(session)[0])
        session.flush()


@pytest.mark.parametrize(
    "facts", [{"a": 1.5}, {"a": {"b": object()}}, {1: "a"}, {"a": "\x00"}, {"a": "\ud800"}, {"a": "很" * 3000}]
)
def test_facts_that_would_not_come_back_alike_are_refused(
    sqlite_database: Database, facts: dict[str, object]
) -> None:
    with pytest.raises(ValueError), sqlite_database.transaction() as session:
        operations.record(session, chain="x", action="a.b", facts=facts, by=SYSTEM, now=NOW)


def test_a_look_at_personal_data_names_the_fields_and_never_what_stood_in_them(database: Database) -> None:
    with database.transaction() as session:
        operations.record_look(
            session,
            chain="case:a",
            fields={"phone", "address"},
            purpose="first contact",
            whose={"party:2", "party:1"},
            by=WANG,
            now=NOW,
        )
    with database.reader() as session:
        (seen,) = queries.events(session, action="personal_data.*")
    assert seen.by == f"person:{WANG.person_id}"
    assert seen.facts == {
        "fields": ["address", "phone"],
        "purpose": "first contact",
        "whose": ["party:1", "party:2"],
    }


def test_events_are_filtered_and_paged(database: Database) -> None:
    fill(database)
    with database.transaction() as session:
        operations.record(
            session, chain="identity", action="identity.signed_in", by="person:x", now=NOW + timedelta(hours=1)
        )
    with database.reader() as session:
        first = queries.events(session, limit=4)
        second = queries.events(session, limit=5, before=first[-1].id)
        assert len({e.id for e in [*first, *second]}) == 9
        assert queries.events(session, before=second[-1].id) == []
        assert [e.chain for e in queries.events(session, by="person:x")] == ["identity"]
        assert [e.chain for e in queries.events(session, since=NOW + timedelta(hours=1))] == ["identity"]
        assert len(queries.events(session, until=NOW + timedelta(microseconds=1))) == 2
        assert queries.events(session, action="identity.signed") == []


def test_writers_of_one_chain_wait_for_each_other_and_none_is_lost(database: Database) -> None:
    failures: list[BaseException] = []

    def write(chain: str) -> None:
        try:
            for _ in range(5):
                with database.transaction() as session:
                    operations.record(session, chain=chain, action="a.b", by=SYSTEM, now=NOW)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(chain,)) for chain in ("one", "one", "one", "two")]
    for thread in threads:
        thread.start()
    with database.reader() as session:
        while any(thread.is_alive() for thread in threads):
            assert queries.verify(session).is_whole, "a verification while others write"
    for thread in threads:
        thread.join()
    assert failures == []
    with database.reader() as session:
        verdict = queries.verify(session)
    assert (verdict.chains, verdict.events, verdict.broken) == (2, 20, [])
