"""Deadlines in motion over the API: every role, both sides of four eyes, bad input, and the two languages."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from core.db import Database
from disputes.cases.models import Case
from disputes.cases.rederivations import tell_moved
from disputes.notices.models import Notice
from disputes.timelimits import rederivation
from disputes.timelimits.models import Deadline
from disputes.wiring import build_engine
from engine import events

from .conftest import NOW, ON_BOTH


@pytest.fixture
def mediated(talk: Any, district: Any, database: Database) -> dict[str, Any]:
    """A case in mediation: C03 runs, and S15, the service's own promise to plan a session."""
    filed = talk("consumer").post("/cases", json={"answer": district.filing()}).json
    with database.transaction() as session:
        case = session.get_one(Case, UUID(filed["id"]))
        district.do(session, case, "first_contact", identity="verified")
        district.do(session, case, "decide_acceptance", decision="accept")
        for party in ("complainant", "respondent"):
            district.do(session, case, "answer_mediation", party, mediation_consent=True, entrust=False)
    return dict(filed)


def deadline(person: Any, case: dict[str, Any], limit: str) -> dict[str, Any]:
    """The deadline of a case, as this person reads it."""
    items = person.get(f"/cases/{case['id']}/deadlines").json["items"]
    found: dict[str, Any] = next(one for one in items if one["limit"] == limit)
    return found


def officer_of(talk: Any, case: dict[str, Any]) -> Any:
    """An officer of the office in charge."""
    for login in ("officer", *(f"officer0{n}" for n in range(2, 10))):
        officer = talk(login)
        if officer.get(f"/cases/{case['id']}").status_code == 200:
            return officer
    raise AssertionError("no officer reads the case")


def at(case: dict[str, Any], found: dict[str, Any], act: str = "") -> str:
    return f"/cases/{case['id']}/deadlines/{found['id']}" + (f"/{act}" if act else "")


@ON_BOTH
def test_an_officer_stops_a_clock_and_lets_it_go_on_and_the_parties_see_why(
    talk: Any, mediated: dict[str, Any], database: Database
) -> None:
    officer, consumer = officer_of(talk, mediated), talk("consumer")
    c03 = deadline(officer, mediated, "C03")
    offered = officer.get(at(mediated, c03)).json
    assert [reason["code"] for reason in offered["reasons"]] == ["appraisal"]
    assert (offered["may_resume"], offered["may_extend"], offered["extendable"]) == (False, False, None)
    stopped = officer.post(at(mediated, c03, "pause"), json={"reason": "appraisal", "why": "主板送检"})
    assert stopped.status_code == 200, stopped.json
    assert stopped.json["may_resume"] and stopped.json["reasons"] == []
    seen = deadline(consumer, mediated, "C03")
    assert (seen["state"], seen["clock"]) == ("paused", "paused")
    assert seen["pauses"] == [{"from": "2026-09-18", "to": None, "why": "鉴定、检测：主板送检"}]
    again = officer.post(at(mediated, c03, "pause"), json={"reason": "appraisal"})
    assert (again.status_code, again.json["code"]) == (409, "deadline.over") or again.status_code == 409
    went_on = officer.post(at(mediated, c03, "resume"), json={})
    assert went_on.status_code == 200, went_on.json
    assert deadline(consumer, mediated, "C03")["state"] == "running"
    assert officer.post(at(mediated, c03, "resume"), json={}).status_code == 409
    with database.transaction() as session:
        kinds = [n.kind for n in session.scalars(select(Notice).where(Notice.case_key == mediated["id"]))]
        assert kinds.count("deadline.paused") == kinds.count("deadline.resumed") == 2
        case = session.get_one(Case, UUID(mediated["id"]))
        logged = [e.kind for e in events.history(session, case.instance_id)]  # type: ignore[arg-type]
        assert ("deadline.paused" in logged, "deadline.resumed" in logged) == (True, True)
        assert events.verify(session, case.instance_id)  # type: ignore[arg-type]
    told = [entry["what"] for entry in consumer.get(f"/cases/{mediated['id']}/timeline").json["items"]]
    assert any("暂停计时" in words for words in told)
    said = [entry["what_en"] for entry in consumer.get(f"/cases/{mediated['id']}/timeline").json["items"]]
    assert any("stands still" in words for words in said)


def test_what_the_law_does_not_let_stop_is_refused_with_the_article(talk: Any, mediated: dict[str, Any]) -> None:
    officer = officer_of(talk, mediated)
    c03 = deadline(officer, mediated, "C03")
    refused = officer.post(at(mediated, c03, "pause"), json={"reason": "force_majeure"})
    assert (refused.status_code, refused.json["code"]) == (409, "deadline.no_such_pause")
    assert "办法22" in refused.json["detail"]
    s06 = next(
        one for one in officer.get(f"/cases/{mediated['id']}/deadlines").json["items"] if one["state"] == "met"
    )
    over = officer.post(at(mediated, s06, "pause"), json={"reason": "appraisal"})
    assert over.status_code == 409


@pytest.mark.parametrize(
    ("act", "body", "status"),
    [
        ("pause", {}, 422),
        ("pause", {"reason": "appraisal", "from": "2026-09-17"}, 422),  # the past, without evidence
        ("pause", {"reason": "appraisal", "from": "2026-09-19"}, 422),
        ("pause", {"reason": "appraisal", "from": "yesterday"}, 422),
        ("pause", {"reason": "appraisal", "evidence_id": "00000000-0000-4000-8000-000000000000"}, 422),
        ("pause", {"reason": "appraisal", "more": 1}, 422),
        ("resume", {"to": "2026-09-18"}, 409),
        ("extensions", {"amount": 1}, 422),
        ("extensions", {"amount": 1, "why": "案情复杂，需要更多时间"}, 409),  # C03 is not extendable
        ("extensions", {"amount": "1", "why": "案情复杂"}, 422),
        ("extensions", {"why": "案情复杂，需要更多时间"}, 422),
    ],
)
def test_what_cannot_be_meant_changes_nothing(
    talk: Any, mediated: dict[str, Any], act: str, body: dict[str, Any], status: int
) -> None:
    officer = officer_of(talk, mediated)
    before = deadline(officer, mediated, "C03")
    answer = officer.post(at(mediated, before, act), json=body)
    assert answer.status_code == status, answer.json
    assert deadline(officer, mediated, "C03") == before


def test_a_deadline_of_another_case_is_not_found(talk: Any, mediated: dict[str, Any], district: Any) -> None:
    officer = officer_of(talk, mediated)
    other = talk("consumer").post("/cases", json={"answer": district.filing()}).json
    c03 = deadline(officer, mediated, "C03")
    wrong = {"id": other["id"]}
    assert officer.post(at(wrong, c03, "pause"), json={"reason": "appraisal"}).status_code == 404
    assert officer.get(f"/cases/{mediated['id']}/deadlines/{uuid4()}").status_code == 404
    assert officer.post(f"/extensions/{uuid4()}/approve", json={}).status_code in (403, 404)


@pytest.mark.parametrize(
    "login", ["consumer", "merchant", "station", "mediator", "council", "court", "admin", "designer"]
)
def test_only_those_who_decide_may_stop_a_clock(talk: Any, mediated: dict[str, Any], login: str) -> None:
    c03 = deadline(officer_of(talk, mediated), mediated, "C03")
    for act, body in (("pause", {"reason": "appraisal"}), ("resume", {})):
        refused = talk(login).post(at(mediated, c03, act), json=body)
        assert refused.status_code in (403, 404), (login, act, refused.json)
    assert deadline(officer_of(talk, mediated), mediated, "C03")["state"] == "running"


@ON_BOTH
def test_more_time_needs_another_persons_approval(talk: Any, mediated: dict[str, Any], database: Database) -> None:
    supervisor, head = talk("supervisor"), talk("head")
    s15 = deadline(supervisor, mediated, "S15")
    wish = {"amount": 3, "why": "双方要求改期，等商家回来"}
    asked = supervisor.post(at(mediated, s15, "extensions"), json=wish)
    assert asked.status_code == 201, asked.json
    assert asked.json["state"] == "requested" and asked.json["approved_by"] == ["supervisor", "head"]
    assert deadline(head, mediated, "S15")["due_on"] == s15["due_on"]
    assert supervisor.get("/extensions").json["items"] == []  # never the own one
    assert [one["id"] for one in head.get("/extensions").json["items"]] == [asked.json["id"]]
    extension = f"/extensions/{asked.json['id']}"
    own = supervisor.post(f"{extension}/approve", json={})
    assert (own.status_code, own.json["code"]) == (403, "extension.four_eyes")
    for login in ("consumer", "merchant", "station", "mediator", "admin", "designer", "court"):
        assert talk(login).post(f"{extension}/approve", json={}).status_code in (403, 404), login
    refused = head.post(f"{extension}/refuse", json={})
    assert refused.status_code == 422  # a refusal gives its reason
    granted = head.post(f"{extension}/approve", json={"note": "同意"})
    assert granted.status_code == 200, granted.json
    after = deadline(head, mediated, "S15")
    assert after["due_on"] == granted.json["after_on"] == asked.json["after_on"] > s15["due_on"]
    assert after["extensions"][0]["approved_by"] == "梁正"
    assert head.post(f"{extension}/refuse", json={"note": "改主意了"}).status_code == 409
    assert head.get("/extensions").json["items"] == []
    with database.reader() as session:
        row = session.get_one(Deadline, UUID(s15["id"]))
        assert row.extended == 1


def test_a_request_is_refused_withdrawn_and_asked_again(talk: Any, mediated: dict[str, Any]) -> None:
    officer, head = officer_of(talk, mediated), talk("head")
    s15 = deadline(officer, mediated, "S15")
    wish = {"until": s15["due_on"], "why": "双方要求改期，等商家回来"}
    assert officer.post(at(mediated, s15, "extensions"), json=wish).status_code == 422
    first = officer.post(at(mediated, s15, "extensions"), json={"amount": 2, "why": wish["why"]}).json
    assert officer.post(at(mediated, s15, "extensions"), json={"amount": 2, "why": wish["why"]}).status_code == 409
    assert head.post(f"/extensions/{first['id']}/withdraw").status_code in (403, 404)
    assert officer.post(f"/extensions/{first['id']}/withdraw").json["state"] == "withdrawn"
    second = officer.post(at(mediated, s15, "extensions"), json={"amount": 2, "why": wish["why"]}).json
    refused = head.post(f"/extensions/{second['id']}/refuse", json={"note": "可以按期安排"})
    assert refused.json["state"] == "refused"
    assert deadline(officer, mediated, "S15")["due_on"] == s15["due_on"]
    shown = officer.get(at(mediated, s15)).json
    assert [one["state"] for one in shown["requests"]] == ["refused", "withdrawn"] or len(shown["requests"]) == 2
    assert talk("consumer").get(at(mediated, s15)).json["requests"] == []  # the office's own matter


DAYS = {
    "cause": "calendar",
    "days": [{"date": "2026-09-22", "is_workday": False, "name": "地方放假"}],
    "document_no": "甬政〔2026〕1号",
}


@ON_BOTH
def test_a_change_of_the_calendar_is_rehearsed_read_and_applied(
    talk: Any, mediated: dict[str, Any], database: Database
) -> None:
    admin, supervisor = talk("admin"), talk("supervisor")
    before = deadline(supervisor, mediated, "S15")
    rehearsed = supervisor.post("/rederivations", json=DAYS)
    assert rehearsed.status_code == 201, rehearsed.json
    plan = f"/rederivations/{rehearsed.json['id']}"
    assert rehearsed.json["counts"]["later"] >= 1 and rehearsed.json["state"] == "rehearsed"
    assert [day["date"] for day in rehearsed.json["changed"]] == ["2026-09-22"]
    rows: list[dict[str, Any]] = []
    path = f"{plan}/items?limit=1"
    while path:
        page = supervisor.get(path).json
        rows += page["items"]
        path = f"{plan}/items?limit=1&after={page['next']}" if page["next"] else ""
    mine = next(row for row in rows if row["limit"] == "S15")
    assert (mine["before_on"], mine["state"]) == (before["due_on"], "planned") and mine["after_on"] > mine[
        "before_on"
    ]
    assert deadline(supervisor, mediated, "S15")["due_on"] == before["due_on"]
    assert supervisor.post(f"{plan}/apply").status_code == 403
    ordered = admin.post(f"{plan}/apply")
    assert (ordered.status_code, ordered.json["state"]) == (202, "applying")
    assert admin.post(f"{plan}/apply").status_code == 409
    assert admin.post(f"{plan}/abandon").status_code == 409
    rederivation.carry_out(database, build_engine(), clock=lambda: NOW, tell=tell_moved)
    assert admin.get(plan).json["state"] == "applied"
    assert deadline(supervisor, mediated, "S15")["due_on"] == mine["after_on"]
    calendar = admin.get("/calendar?year=2026").json["days"]
    assert [day["document_no"] for day in calendar if day["date"] == "2026-09-22"] == ["甬政〔2026〕1号"]
    with database.reader() as session:
        told = session.scalars(select(Notice).where(Notice.kind == "deadline.moved")).all()
        assert told and all("甬政〔2026〕1号" in notice.text_zh for notice in told)
        assert {notice.role for notice in told} <= {None, "respondent", "officer"}
    assert admin.get("/rederivations").json["items"][0]["id"] == rehearsed.json["id"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"cause": "weather"},
        {"cause": "calendar"},
        {"cause": "calendar", "days": []},
        {"cause": "calendar", "days": [{"date": "2026-09-22"}]},
        {"cause": "calendar", "days": [{"date": "1990-09-22", "is_workday": False}]},
        {"cause": "calendar", "days": [{"date": "2026-09-22", "is_workday": False}] * 2},
        {"cause": "calendar", "notice": {"year": 2027, "breaks": [], "workdays": []}},
        {"cause": "limits", "days": DAYS["days"]},
        {"cause": "check", "release": "x"},
        {"cause": "limits", "release": "0" * 64},
    ],
)
def test_a_rehearsal_of_nothing_is_refused(talk: Any, district: Any, body: dict[str, Any]) -> None:
    answer = talk("admin").post("/rederivations", json=body)
    assert answer.status_code in (404, 422), answer.json
    assert talk("admin").get("/rederivations").json["items"] == []


def test_a_rehearsal_is_for_those_who_supervise(talk: Any, district: Any) -> None:
    plan = talk("admin").post("/rederivations", json={"cause": "check"}).json
    assert plan["counts"]["checked"] == plan["counts"]["unchanged"]
    for login in ("consumer", "merchant", "station", "officer", "mediator", "designer", "council", "court"):
        person = talk(login)
        assert person.get(f"/rederivations/{plan['id']}").status_code == 403, login
        assert person.post("/rederivations", json={"cause": "check"}).status_code == 403, login
        assert person.post(f"/rederivations/{plan['id']}/apply").status_code == 403, login
    assert talk("head").post(f"/rederivations/{plan['id']}/abandon").status_code == 403
    assert talk("supervisor").post(f"/rederivations/{plan['id']}/abandon").json["state"] == "abandoned"


def page_of(person: Any, path: str, **more: Any) -> Any:
    return person.client.get(path, headers=person.headers, **more)


def send(person: Any, path: str, **form: Any) -> Any:
    return person.client.post(path, data=form, headers=person.headers, follow_redirects=True)


def test_the_page_of_a_deadline_stops_resumes_and_asks(talk: Any, mediated: dict[str, Any]) -> None:
    officer, head, consumer = officer_of(talk, mediated), talk("head"), talk("consumer")
    c03, s15 = deadline(officer, mediated, "C03"), deadline(officer, mediated, "S15")
    case = f"/cases/{mediated['id']}"
    here, there = f"{case}/deadlines/{c03['id']}", f"{case}/deadlines/{s15['id']}"
    assert here in page_of(officer, case).text
    assert here not in page_of(consumer, case).text
    assert "暂停这个期限" in page_of(officer, here).text
    assert "现在没有您可以改动的" in page_of(consumer, here).text
    assert "Stop the clock" in page_of(officer, f"{here}?lang=en").text
    stopped = send(officer, f"{here}/pause?lang=zh", reason="appraisal", why="主板送检")
    assert stopped.status_code == 200 and "已经暂停计时" in stopped.text and "恢复计时" in stopped.text
    assert "主板送检" in page_of(consumer, case).text
    assert "已经恢复计时" in send(officer, f"{here}/resume").text
    refused = send(officer, f"{here}/pause", reason="force_majeure")
    assert "办法22" in refused.text and deadline(officer, mediated, "C03")["state"] == "running"
    assert "看不懂" in send(officer, f"{here}/pause", **{"reason": "appraisal", "from": "gestern"}).text
    assert "批准以前期限不变" in send(officer, f"{there}/extend", amount="2", why="双方要求改期").text
    assert "双方要求改期" in page_of(head, "/extensions").text
    asked = head.get("/extensions").json["items"][0]["id"]
    assert "没有批准，期限不变" not in send(head, f"/extensions/{asked}/refuse", note="").text
    assert "已经批准" in send(head, f"/extensions/{asked}/approve", note="同意").text
    assert "梁正批准延长2" in page_of(officer, there).text
    assert "没有等您批准的延期" in page_of(head, "/extensions").text


def test_the_page_of_a_rederivation_lists_and_applies(
    talk: Any, mediated: dict[str, Any], database: Database
) -> None:
    admin, supervisor = talk("admin"), talk("supervisor")
    form = {"cause": "calendar", "days": "2026-09-22 休 地方放假\n", "document_no": "甬政〔2026〕1号"}
    shown = send(supervisor, "/rederivations", **form)
    assert shown.status_code == 200 and "预演，什么都没有改" in shown.text and mediated["case_no"] in shown.text
    assert "确认应用" not in shown.text  # an administrator applies
    plan = supervisor.get("/rederivations").json["items"][0]["id"]
    assert send(supervisor, f"/rederivations/{plan}/apply").status_code == 200
    assert admin.get(f"/rederivations/{plan}").json["state"] == "rehearsed"
    assert "确认应用" in page_of(admin, f"/rederivations/{plan}").text
    assert "正在逐件改期" in send(admin, f"/rederivations/{plan}/apply").text
    rederivation.carry_out(database, build_engine(), clock=lambda: NOW, tell=tell_moved)
    assert "已经应用" in page_of(admin, f"/rederivations/{plan}?lang=zh").text
    assert "这一行看不懂" in send(supervisor, "/rederivations", cause="calendar", days="tomorrow").text
    assert page_of(talk("consumer"), "/rederivations").status_code == 403
    assert page_of(talk("officer"), "/extensions").status_code == 403
