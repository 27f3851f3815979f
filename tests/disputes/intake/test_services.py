"""Intake through the real diagrams: dispatch, identity, decisions, and matters that are no complaint."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.refusals import Invalid
from disputes.cases import operations, queries
from disputes.cases.models import Case, Exit, Kind, Status
from disputes.documents.models import Kind as PaperKind
from disputes.documents.models import Paper
from disputes.inbox import queries as inbox
from disputes.intake.models import AcceptanceDecision, Dispatch, IdentityRequest, Pointer
from disputes.intake.queries import decision, dispatches
from disputes.notices.models import Notice
from engine import bundles, timers
from tests.disputes.district import NOW, District, build_district


@pytest.fixture
def district(sqlite_database: Database) -> District:
    return build_district(sqlite_database)


def test_a_refusal_names_ground_reasons_and_the_right_body(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, topic="wages", requests=["其他"], request_note="结清工资")
        district.do(session, case, "first_contact", identity="verified")
        item = district.item(session, case, "decide_acceptance")
        officer = district.actor(session, case, item)
        context = inbox.task(session, officer, item.task_id, now=NOW).context
        assert [ground["item"] for ground in context["grounds"]] == ["1"] or context["grounds"][0]["item"] == 1
        assert context["competent_body_found"].startswith("人力资源")
        with pytest.raises(Invalid):
            district.do(
                session, case, "decide_acceptance", decision="refuse", ground="1", reasons="短", routes_told=True
            )
        district.do(
            session,
            case,
            "decide_acceptance",
            decision="refuse",
            ground="1",
            reasons="你反映的是劳动报酬争议，由劳动保障监察机构处理，不属于我局职责。",
            competent_body="云溪区劳动保障监察大队",
            routes_told=True,
        )
        assert (case.exit, case.status, case.closed_at) == (Exit.REFUSED, Status.REFUSED, NOW)
        found = decision(session, case, officer)
        assert found is not None
        assert (found.ground, found.competent_body) == (1, "云溪区劳动保障监察大队")
        assert found.decided_by == str(officer)
        paper = session.get_one(Paper, found.paper_id)
        assert (paper.kind, paper.addressee) == (PaperKind.REFUSAL, "complainant")
        told = session.scalars(select(Notice).where(Notice.kind == "complaint.refused")).one()
        assert told.person_id == case.complainant_id
        assert case.respondent_told_at is None  # the merchant never hears of it


def test_an_acceptance_tells_both_sides_and_starts_the_sixty_days(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session)
        district.do(session, case, "first_contact", identity="verified")
        district.do(session, case, "decide_acceptance", decision="accept")
        assert (case.status, case.accepted_at, case.respondent_told_at) == (Status.ACCEPTED, NOW, NOW)
        assert session.scalars(select(AcceptanceDecision.decision)).all() == ["accept"]
        merchant = district.cast.merchant_side(session, case)
        view = queries.view(session, case, merchant, now=NOW)
        assert "13800138000" not in view.facts
        assert {wait.turn for wait in view.waits} == {("complainant",), ("respondent",)}


def test_a_dispatch_keeps_why_and_a_return_closes_it(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session)
        officer = district.actor(session, case, district.item(session, case, "first_contact"))
        operations.return_dispatch(session, district.engine, case, reason="不在本所辖区", by=officer, now=NOW)
        clerk = district.actor(session, case, district.item(session, case, "dispatch"))
        context = inbox.task(session, clerk, district.item(session, case, "dispatch").task_id, now=NOW).context
        assert context["returned_reason"] == "不在本所辖区"
        assert len(context["offices"]) == 9
        district.do(session, case, "dispatch", office="YX-03", reason="经营场所在鼓楼")
        first, second = dispatches(session, case, clerk)
        assert first.returned_at == NOW
        assert (second.reason, second.returned_at) == ("经营场所在鼓楼", None)
        assert session.scalars(select(Dispatch.dispatched_by)).all()[0] == "system"


def test_the_notice_of_identity_is_served_and_its_last_day_is_whole(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session)
        district.do(session, case, "first_contact", identity="gap", identity_due_on="2026-09-22")
        asked = session.scalars(select(IdentityRequest)).one()
        assert asked.due_on == date(2026, 9, 22)
        assert session.get_one(Paper, asked.paper_id).kind == PaperKind.IDENTITY_NOTICE
        case_id = case.id
    last = NOW.replace(day=22, hour=15, minute=59)
    timers.drain(sqlite_database, district.engine, owner="test", now=last)
    with sqlite_database.reader() as session:
        assert session.get_one(Case, case_id).status == Status.SUPPLEMENTING
    timers.drain(sqlite_database, district.engine, owner="test", now=last + timedelta(minutes=1))
    with sqlite_database.reader() as session:
        assert session.get_one(Case, case_id).status == Status.TO_ACCEPT


def test_a_question_is_answered_and_pointed_elsewhere(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        filed = district.file(session)
        case = another(session, filed)
        step = district.engine.start(
            session,
            bundle=bundles.current(session),
            process="complaint",
            key=str(case.id),
            data={
                "case_id": str(case.id),
                "region": case.region,
                "path": "file_now",
                "wants_remedy": False,
                "points_to_violation": False,
                "asks_information": True,
                "other_channel": False,
                "filed_at": NOW,
            },
            now=NOW,
            by="system",
        )
        case.instance_id = step.instance.id
        assert case.turn == ["centre_clerk"]
        district.do(
            session, case, "answer_elsewhere", answer="七日无理由退货自签收次日起算。", body="12315 咨询电话"
        )
        assert (case.exit, case.kind) == (Exit.POINTED_ELSEWHERE, Kind.CONSULTATION)
        assert session.scalars(select(Pointer.body)).one() == "12315 咨询电话"


def another(session: Session, filed: Case) -> Case:
    """A second case like the first, with no procedure yet."""
    kept = ("complainant_id", "merchant_id", "respondent_name", "title", "facts", "path", "region", "filed_at")
    case = Case(case_no="330299-20260918-9999", **{name: getattr(filed, name) for name in kept})
    session.add(case)
    session.flush()
    return case


def test_the_least_loaded_office_takes_what_names_no_place(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        offices = set()
        for number in range(3):
            case = district.file(
                session, respondent_name=f"没有地址的店{number}", respondent_address="云溪区", now=NOW
            )
            offices.add(case.office_id)
        assert len(offices) == 3
