"""Suspending, resuming, moving, correcting and ending a case of the real procedure, by those who may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.refusals import Forbidden, Invalid, NotFound, WrongState
from disputes.audit.models import AuditEvent
from disputes.cases import queries as cases
from disputes.cases.models import Case, Status
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.inbox import queries as inbox
from disputes.notices.models import Notice
from disputes.repair import operations, queries
from disputes.repair.models import Cause
from disputes.timelimits.models import Deadline
from disputes.timelimits.queries import deadlines_of
from engine import Engine, Incident, Instance, timers
from tests.disputes.district import NOW, District, build_district

DAY = timedelta(days=1)


@pytest.fixture
def district(database: Database) -> District:
    return build_district(database)


def who(session: Session, login: str) -> Actor:
    person = people.by_login(session, login)
    assert person is not None, login
    return people.as_actor(person)


def limits(session: Session, case: Case) -> dict[str, Deadline]:
    rows = session.scalars(select(Deadline).where(Deadline.key == str(case.id)))
    return {row.limit: row for row in rows}


def test_a_suspended_case_keeps_what_is_left_of_the_laws_limits(database: Database, district: District) -> None:
    """C01: seven working days from 18 September; suspended on the 21st, resumed on the 24th: three working days."""
    with database.transaction() as session:
        case = district.file(session)
        before = limits(session, case)["C01"].due_on
        operations.suspend(
            session,
            district.engine,
            case,
            why="网络故障，正在修复",
            by=who(session, "supervisor"),
            now=NOW + 3 * DAY,
        )
        assert {row.state for row in limits(session, case).values()} == {"paused"}
        instance_id = case.instance_id
    assert timers.drain(database, district.engine, owner="w", now=NOW + 30 * DAY) == 0
    with database.transaction() as session:
        case = session.scalars(select(Case)).one()
        operations.resume(session, district.engine, case, why="修好了", by=who(session, "admin"), now=NOW + 6 * DAY)
        after = limits(session, case)["C01"]
        assert (after.state, (after.due_on - before).days) == ("running", 10), (
            "three working days, across the national holiday"
        )
        (shown,) = [d for d in deadlines_of(session, str(case.id), now=NOW + 6 * DAY) if d["limit"] == "C01"]
        assert [(p["from"], p["to"]) for p in shown["pauses"]] == [("2026-09-21", "2026-09-24")]
        assert shown["pauses"][0]["why"] == "案件处理暂停（系统故障）", "parties read it: no reason of the office"
        assert session.get_one(Instance, instance_id).state == "running"


def test_deadlines_run_on_where_the_operator_says_so(database: Database, district: District) -> None:
    with database.transaction() as session:
        case = district.file(session)
        before = limits(session, case)["C01"].due_on
        by = who(session, "supervisor")
        operations.suspend(
            session, district.engine, case, why="网络故障，正在修复", keep_remaining=False, by=by, now=NOW + DAY
        )
        assert limits(session, case)["C01"].state == "running"
        operations.resume(session, district.engine, case, by=by, now=NOW + 9 * DAY)
        assert limits(session, case)["C01"].due_on == before


def test_its_people_are_told_in_words_for_them_and_the_office_reads_the_reason(
    sqlite_database: Database,
) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        operations.suspend(
            session,
            district.engine,
            case,
            why="登记簿的接口出错 E-17",
            cause=Cause.SYSTEM,
            told="预计明天恢复。",
            by=who(session, "supervisor"),
            now=NOW,
        )
        (notice,) = session.scalars(
            select(Notice).where(Notice.kind == "case.suspended", Notice.person_id == case.complainant_id)
        )
        assert "预计明天恢复" in notice.text_zh and "E-17" not in notice.text_zh and "mended" in notice.text_en
        (told,) = queries.stops(session, case, staff=False)
        assert "预计明天恢复" in told.zh and told.why == ""
        (known,) = queries.stops(session, case, staff=True)
        assert known.why == "登记簿的接口出错 E-17"
        complainant = cases.timeline(session, case, district.consumer(session))
        assert [e.what for e in complainant if e.kind == "instance.suspended"] == ["案件处理暂停"]
        officer = cases.timeline(session, case, who(session, "supervisor"))
        assert [e.what for e in officer if e.kind == "instance.suspended"] == [
            "案件处理暂停：登记簿的接口出错 E-17"
        ]


def test_tasks_of_a_suspended_case_are_shown_and_cannot_be_answered(sqlite_database: Database) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        operations.suspend(
            session, district.engine, case, why="网络故障，修复中", by=who(session, "admin"), now=NOW
        )
        item = district.item(session, case, "first_contact")
        view = inbox.task(session, district.actor(session, case, item), item.task_id, now=NOW)
        assert view.suspended and not view.may_answer
        assert inbox.standing_still(session, {item.instance_id}) == {item.instance_id}
    with sqlite_database.session() as session, pytest.raises(WrongState) as refused:
        district.do(session, session.scalars(select(Case)).one(), "first_contact", identity="verified")
    assert refused.value.code in ("instance.suspended",)


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        ("suspend", {"supervisor", "head", "admin"}),
        ("cancel", {"supervisor", "head"}),
        ("move", {"supervisor", "head", "admin"}),
        ("skip", {"supervisor", "head", "admin"}),
        ("edit_data", {"supervisor", "head", "admin"}),
    ],
)
def test_who_may_command_what(sqlite_database: Database, command: str, allowed: set[str]) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case_id = district.file(session).id
    for login in ("supervisor", "head", "admin", "designer", "officer", "centre", "consumer", "merchant"):
        with sqlite_database.session() as session:
            case = session.get_one(Case, case_id)
            by = who(session, login)
            outcome: str = "done"
            try:
                act(session, district.engine, case, command, by)
            except (Forbidden, NotFound):
                outcome = "refused"
            except (WrongState, Invalid):
                outcome = "done"
            session.rollback()
        assert (outcome == "done") == (login in allowed), login


def act(session: Session, engine: Engine, case: Case, command: str, by: Actor) -> Any:
    assert case.instance_id is not None
    places = [p for p in engine.places(session, case.instance_id) if p.waits]
    given: dict[str, dict[str, Any]] = {
        "move": {"tokens": [places[0].number], "process": places[0].process, "element": places[0].element},
        "skip": {"token": places[0].number},
        "edit_data": {"changes": [{"name": "region", "value": "330298"}]},
    }
    operate = getattr(operations, command)
    return operate(session, engine, case, why="试一试权限", by=by, now=NOW, **given.get(command, {}))


def test_every_command_is_in_the_audit_with_its_reason(sqlite_database: Database) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        by = who(session, "supervisor")
        act(session, district.engine, case, "edit_data", by)
        act(session, district.engine, case, "suspend", by)
        operations.resume(session, district.engine, case, why="好了", by=by, now=NOW)
        act(session, district.engine, case, "cancel", by)
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.chain == f"case:{case.id}").order_by(AuditEvent.number)
        ).all()
        assert [row.action for row in rows] == [
            "case.data_edited",
            "case.suspended",
            "case.resumed",
            "case.cancelled",
        ]
        assert all(row.facts and row.facts["reason"] for row in rows)
        assert (case.status, case.turn) == (Status.CLOSED, []) and case.closed_at == NOW
        assert not session.scalars(select(Deadline).where(Deadline.state.in_(("running", "paused")))).all()


def test_a_rehearsal_says_what_would_happen_and_changes_nothing(database: Database, district: District) -> None:
    with database.transaction() as session:
        case = district.file(session)
        by = who(session, "supervisor")
        before = session.get_one(Instance, case.instance_id).event_count
        found = operations.rehearse(session, lambda: act(session, district.engine, case, "cancel", by))
        assert found.cancelled and found.waits == []
        instance = session.get_one(Instance, case.instance_id)
        assert (instance.state, instance.event_count) == ("running", before)
        assert not session.scalars(select(AuditEvent).where(AuditEvent.action == "case.cancelled")).all()


@pytest.mark.parametrize("why", ["", "  ", "坏了", "x" * 600])
def test_a_reason_is_asked_for(sqlite_database: Database, why: str) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        with pytest.raises(Invalid) as refused:
            operations.suspend(session, district.engine, case, why=why, by=who(session, "admin"), now=NOW)
        assert "reason" in refused.value.fields


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": "received_at", "value": "yesterday"}, "2026-10-01T09:00"),
        ({"name": "region", "value": 7}, "文字"),
        ({"name": "amount_fen", "value": "many", "kind": "number"}, "数字"),
        ({"name": "recieved_at", "value": "x"}, "received_at"),
        ({"name": "case_id", "value": "x"}, "fixed"),
    ],
)
def test_data_is_read_strictly(sqlite_database: Database, change: dict[str, Any], fault: str) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        found = queries.standing(session, district.engine, case, who(session, "admin"))
        assert found is not None
        with pytest.raises(Invalid) as refused:
            operations.edit_data(
                session,
                district.engine,
                case,
                changes=[change],
                token=found.seen_from,
                why="更正登记数据",
                by=who(session, "admin"),
                now=NOW,
            )
        assert fault in refused.value.fields[change["name"]][0]


def test_correcting_the_start_of_a_limit_moves_it(sqlite_database: Database) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        by = who(session, "supervisor")
        found = queries.standing(session, district.engine, case, by)
        assert found is not None and "received_at" in found.data
        before = limits(session, case)["C01"].due_on
        operations.edit_data(
            session,
            district.engine,
            case,
            changes=[{"name": "received_at", "value": "2026-09-17T10:00:00+08:00"}],
            token=found.seen_from,
            why="更正收到日期",
            by=by,
            now=NOW,
        )
        rows = session.scalars(select(Deadline).where(Deadline.limit == "C01").order_by(Deadline.start)).all()
        assert [(row.state, row.due_on < before) for row in rows] == [("running", True), ("dropped", False)]


def test_moving_and_passing_over_in_the_real_procedure(sqlite_database: Database) -> None:
    """A case at the dispatch goes to the decision, with what the dispatch would have written."""
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        by = who(session, "supervisor")
        found = queries.standing(session, district.engine, case, by)
        assert found is not None
        here = [place.number for place in found.places if place.waits]
        targets = queries.targets(session, district.engine, case, here)
        good = [target for target in targets if target.finding is None]
        assert good and {target.process for target in targets} == {
            place.process for place in found.places if place.number in here
        }
        assert all(place.fixed == "" for place in found.places)


def test_an_incident_shows_its_data_without_what_points_to_people(sqlite_database: Database) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        district.do(session, case, "first_contact", identity="verified")
        with pytest.raises(AssertionError):
            District(district.cast, broken(district)).do(session, case, "decide_acceptance", decision="accept")
        (incident,) = session.scalars(select(Incident)).all()
        view = queries.incident(session, incident.id, who(session, "admin"))
        assert view.command == "complete" and view.case is not None
        assert view.seen is not None and view.seen["case_id"] == str(case.id)
        assert view.actions >= {"retry", "void", "pass_over", "suspend", "move", "edit"}
        assert "cancel" not in view.actions
        assert "cancel" in queries.incident(session, incident.id, who(session, "supervisor")).actions
        assert queries.incident(session, incident.id, who(session, "designer")).actions == {"retry", "void"}
        with pytest.raises(NotFound):
            queries.incident(session, incident.id, district.consumer(session))
        (stop,) = queries.stops(session, case, staff=False)
        assert stop.what == "failed" and stop.why == "" and "修" in stop.zh
        report = operations.retry_same(
            session,
            district.engine,
            process=incident.process,
            element=incident.element,
            kind=incident.kind,
            by=who(session, "admin"),
            now=NOW,
        )
        assert (report.resolved, report.failed, report.refused, report.left) == ([incident.id], {}, {}, 0)
        assert queries.causes(session) == []


def broken(district: District) -> Engine:
    """The engine with every service of the centre failing."""
    from engine import Services

    services = Services()
    for name in district.engine.services:

        def fail(call: object) -> dict[str, object]:
            raise RuntimeError("the register does not answer, call 13800138000")

        services.add(name)(fail)
    return Engine(services=services, functions=district.engine.functions, listeners=district.engine.listeners)
