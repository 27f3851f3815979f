"""The history of cases: the event log for mining, conformance, and who did what when."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

import disputes.models  # noqa: F401
from core.db import Base, Database
from disputes.audit.queries import verify_all
from disputes.cases.models import Case, Party
from disputes.demo.play import run as play
from disputes.history import conformance, ocel, queries
from disputes.history.commands import conformance as command
from disputes.identity import queries as people
from disputes.identity.actor import SYSTEM, Actor
from engine import Event, Instance, events

#: What OCEL 2.0 demands of its JSON form (the specification's section 8.2), and a little more: the types and moments.
_NAMED = {
    "type": "object",
    "required": ["name", "attributes"],
    "properties": {
        "name": {"type": "string"},
        "attributes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "type"],
                "properties": {
                    "name": {"type": "string"},
                    "type": {"enum": ["string", "time", "integer", "float", "boolean"]},
                },
            },
        },
    },
}
_RELATED = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["objectId", "qualifier"],
        "properties": {"objectId": {"type": "string"}, "qualifier": {"type": "string"}},
    },
}
_VALUE = {"type": "string"}
_MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["objectTypes", "eventTypes", "objects", "events"],
    "properties": {
        "objectTypes": {"type": "array", "items": _NAMED},
        "eventTypes": {"type": "array", "items": _NAMED},
        "objects": {"type": "array", "items": {"type": "object", "required": ["id", "type"], "properties": {
            "id": {"type": "string"}, "type": {"type": "string"}, "relationships": _RELATED,
            "attributes": {"type": "array", "items": {"type": "object", "required": ["name", "value", "time"],
                "properties": {"name": {"type": "string"}, "value": _VALUE, "time": _MOMENT}}}}}},
        "events": {"type": "array", "items": {"type": "object", "required": ["id", "type", "time"], "properties": {
            "id": {"type": "string"}, "type": {"type": "string"}, "time": _MOMENT, "relationships": _RELATED,
            "attributes": {"type": "array", "items": {"type": "object", "required": ["name", "value"],
                "properties": {"name": {"type": "string"}, "value": _VALUE}}}}}},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('history') / 'hejie.db'}")
    Base.metadata.create_all(database.writing)
    play(database, row="second-hand-phone")
    play(database, row="bag")
    yield database
    database.dispose()


EVERYTHING = ocel.Scope()


def exported(session: Session, scope: ocel.Scope = EVERYTHING, by: Actor = SYSTEM) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(b"".join(ocel.export(session, scope, by=by)))
    return log


def test_the_export_is_ocel_2_and_every_relation_leads_somewhere(played: Database) -> None:
    with played.reader() as session:
        log = exported(session)
        jsonschema.validate(log, SCHEMA)
        ids = [one["id"] for one in log["objects"]]
        assert len(ids) == len(set(ids))
        events_ = [one["id"] for one in log["events"]]
        assert len(events_) == len(set(events_)) == len(session.scalars(select(Event)).all())
        related = {r["objectId"] for one in log["objects"] + log["events"] for r in one.get("relationships", ())}
        assert related <= set(ids)
        for kind in ("object", "event"):
            types = {one["name"]: {a["name"] for a in one["attributes"]} for one in log[f"{kind}Types"]}
            for one in log[f"{kind}s"]:
                assert {a["name"] for a in one["attributes"]} <= types[one["type"]]
        assert {one["type"] for one in log["objects"]} == set(ocel.OBJECTS)


def test_a_reader_exports_on_both_databases(database: Database) -> None:
    play(database, row="bag")
    with database.reader() as session:
        log = exported(session)
    jsonschema.validate(log, SCHEMA)
    assert log["events"] and {one["type"] for one in log["objects"]} >= {"case", "task", "person"}


def test_the_export_names_nobody(played: Database) -> None:
    with played.reader() as session:
        text = json.dumps(exported(session), ensure_ascii=False)
        for case in session.scalars(select(Case)):
            said = [case.title, case.facts, case.respondent_name, str(case.complainant_id)]
            for party in session.scalars(select(Party).where(Party.case_id == case.id)):
                said += [part for part in (party.name, party.phone, party.id_no, party.address) if part]
            public = str(session.execute(select(Base.metadata.tables["organisation"])).all())
            assert not [one for one in said if one in text and one not in public]


def test_a_period_and_the_reader_s_own_places_bound_the_export(played: Database) -> None:
    with played.reader() as session:
        first = session.scalars(select(Case).order_by(Case.filed_at)).first()
        assert first is not None
        log = exported(session, ocel.Scope(until=first.filed_at + timedelta(days=1)))
        assert {one["id"].partition(":")[2] for one in log["objects"] if one["type"] == "case"} == {str(first.id)}
        assert 0 < len(log["events"]) < len(exported(session)["events"])
        nobody = exported(session, by=Actor(first.id, "陌生人"))
        assert nobody["events"] == [] and not [one for one in nobody["objects"] if one["type"] == "case"]


def test_cases_that_ran_follow_their_release(played: Database) -> None:
    with played.reader() as session:
        report = command(session, None)
        assert len(report["cases"]) == 2
        assert [(case["conforms"], case["fitness"], case["deviations"]) for case in report["cases"]] == [
            (True, 1.0, [])
        ] * 2


def test_a_log_that_was_altered_or_cannot_have_happened_is_told(played: Database) -> None:
    with played.session() as session:
        case = session.scalars(select(Case).where(Case.exit == "court_confirmed")).one()
        done = session.scalars(
            select(Event).where(Event.instance_id == case.instance_id, Event.kind == "task.completed")
        ).all()
        second = sorted(done, key=lambda event: event.number)[1]
        where = Event.__table__.c.instance_id == case.instance_id, Event.__table__.c.number == second.number
        session.execute(update(Event.__table__).where(*where).values(kind="task.cancelled"))
        session.expire_all()
        (deviation,) = conformance.check(session, case).deviations
        assert (deviation.kind, deviation.number) == ("chain", second.number)
        # Whoever altered it chains everything again: the log fits itself, and no release behaves like that.
        forge(session, case)
        assert verify_all(session).is_whole
        found = conformance.check(session, case)
        assert [one.kind for one in found.deviations] == ["course"]
        assert found.fitness is not None and found.fitness < 1
        session.rollback()


def forge(session: Session, case: Case) -> None:
    assert case.instance_id is not None
    head = ""
    table = Event.__table__
    for event in events.history(session, case.instance_id):
        row = {name: getattr(event, name) for name in
               ("instance_id", "number", "at", "by", "kind", "process", "element", "digest")}  # fmt: skip
        head = events.chain_hash(head, row)
        where = table.c.instance_id == event.instance_id, table.c.number == event.number
        session.execute(update(table).where(*where).values(hash=head))
    session.execute(update(Instance.__table__).where(Instance.id == case.instance_id).values(event_head=head))
    session.expire_all()


def test_what_was_done_by_hand_is_a_deviation(played: Database) -> None:
    with played.session() as session:
        case = session.scalars(select(Case).where(Case.exit == "court_confirmed")).one()
        instance = session.get_one(Instance, case.instance_id)
        events.append(
            session, instance, "token.moved", payload={}, at=case.filed_at, by="person:1", element="accept"
        )
        session.flush()
        (deviation,) = conformance.check(session, case).deviations
        assert (deviation.kind, deviation.number) == ("by_hand", instance.event_count)
        session.rollback()


def test_supervisors_ask_who_did_what_when_page_by_page_and_parties_are_not_named(played: Database) -> None:
    with played.reader() as session:
        account = people.by_login(session, "supervisor")
        assert account is not None
        supervisor = people.as_actor(account)
        everything = queries.happened(session, supervisor, queries.Filters(), limit=1000)
        assert len(everything) == len(session.scalars(select(Event)).all())
        paged: list[queries.Happened] = []
        while True:
            after = (paged[-1].at, paged[-1].instance_id, paged[-1].number) if paged else None
            page = queries.happened(session, supervisor, queries.Filters(), after=after, limit=17)
            paged += page
            if len(page) < 17:
                break
        assert paged == everything
        done = queries.happened(session, supervisor, queries.Filters(kind="task.*", element="decide_acceptance"))
        assert {one.kind for one in done} == {"task.opened", "task.completed"}
        (decided,) = [one for one in done if one.kind == "task.completed"]
        assert decided.who and decided.by.startswith("person:")
        same = queries.happened(session, supervisor, queries.Filters(by=decided.by))
        assert decided in same and {one.by for one in same} == {decided.by}
        parties = [one for one in everything if one.element == "answer_mediation" and one.kind == "task.completed"]
        assert parties and {(one.by, one.who) for one in parties} == {("party", "")}
        assert queries.happened(session, Actor(decided.instance_id, "陌生人"), queries.Filters()) == []
