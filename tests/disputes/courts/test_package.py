"""The hand-over package: complete by its schema, or refused with the list of what is missing."""

import json
from typing import Any

import pytest

from core.db import Database
from core.refusals import Invalid
from disputes.cases.models import Evidence, Party, Side
from disputes.courts import package
from disputes.mediation.models import MediationSession, Termination
from tests.disputes.world import NOW, World, build_world, uuid


def build(session: Any, world: World, case: Any, *, receiver: str = "court", type: str = "诉前委派") -> Any:
    return package.build(
        session,
        case,
        handover_id=uuid(7),
        type=type,
        sender=world.places["office"],
        receiver=world.places[receiver],
        now=NOW,
    ).content


def terminated(session: Any, world: World, **given: Any) -> Any:
    """A case whose mediation failed: it has been tried before."""
    case = world.case(session, **given)
    session.add(
        Termination(case_id=case.id, ground=3, reasons="谈不成", decided_at=NOW, decided_by="person:x", told_at=NOW)
    )
    session.flush()
    return case


def test_a_whole_case_makes_a_valid_package(database: Database) -> None:
    with database.transaction() as session:
        world = build_world(session)
        content = build(session, world, terminated(session, world))
        assert package.missing(content) == {}
        assert content["dispute"]["amount_cents"] == 160_000
        assert content["from"]["kind"] == "市场监管所"
        assert content["to"]["kind"] == "法院"
        assert [attempt["stage"] for attempt in content["attempts"]] == ["终止调解"]


@pytest.mark.parametrize(("receiver", "travels"), [("court", True), ("body", False)])
def test_identity_numbers_go_to_courts_alone(sqlite_database: Database, receiver: str, travels: bool) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        written = json.dumps(build(session, world, terminated(session, world), receiver=receiver))
        assert ("330299199001011234" in written) == travels


def test_what_is_missing_is_listed(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.case(session, requests=[])
        for party in session.query(Party).filter(Party.case_id == case.id):
            if party.side == Side.COMPLAINANT:
                party.phone, party.address = None, ""
        session.flush()
        with pytest.raises(Invalid) as refused:
            build(session, world, case)
        assert refused.value.code == "handover.incomplete"
        assert set(refused.value.fields) == {
            "parties.0.phone",
            "parties.0.address",
            "dispute.requests",
            "attempts",
        }


def test_the_schema_itself_refuses_what_it_does_not_know(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        content = dict(build(session, world, terminated(session, world)))
        content["type"] = "随便"
        assert "type" in package.missing(content)
        del content["legal_basis"]
        assert "package" in package.missing(content)


def test_undisputed_facts_travel_and_the_mediators_note_stays(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = terminated(session, world)
        session.add(
            MediationSession(
                case_id=case.id,
                number=1,
                planned_for=NOW,
                mode="on_site",
                announced_at=NOW,
                undisputed_facts=json.dumps(["付款 1600 元"], ensure_ascii=False),
                disputed_points=json.dumps(["是否原装"], ensure_ascii=False),
                note="商家私下愿退八百",
            )
        )
        session.flush()
        content = build(session, world, case)
        assert content["undisputed_facts"] == ["付款 1600 元"]
        assert content["disputed_points"] == ["是否原装"]
        assert "八百" not in json.dumps(content, ensure_ascii=False)


def test_a_file_that_its_owner_did_not_share_and_identity_papers_stay(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = terminated(session, world)
        for number, (visible_to, is_identity) in enumerate(
            [(["court_liaison"], False), (["mediator"], False), (["court_liaison"], True), (["respondent"], False)]
        ):
            session.add(
                Evidence(
                    case_id=case.id,
                    name=f"{number}.png",
                    mime="image/png",
                    size=1,
                    sha256=f"{number:064d}",
                    visible_to=visible_to,
                    is_identity=is_identity,
                    added_at=NOW,
                )
            )
        session.flush()
        names = {evidence["name"] for evidence in build(session, world, case)["evidence"]}
        assert names == {"0.png", "3.png"}


def test_an_application_for_confirmation_needs_its_agreement(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        with pytest.raises(Invalid) as refused:
            build(session, world, terminated(session, world), type="司法确认申请")
        assert "agreement" in refused.value.fields
