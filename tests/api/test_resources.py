"""A complaint over the API: filed, read by each as they may, taken, answered, and refused to everybody else."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.disputes.releases.building import LIMITS, release

from .conftest import ON_BOTH

REFUSING = """diagram: desk
defaults:
  now: 2026-09-18T10:00:00+08:00
  facts: { case_id: HS-1, region: "330299", received_at: 2026-09-18T10:00:00+08:00 }
scenarios:
  - name: 拒绝
    steps:
      - when: { complete: decide, as: officer, with: { decision: refuse } }
        then: { ended: refused, complete: true }
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)

Talk = Callable[[str], Any]


@pytest.fixture
def case(talk: Talk, district: Any) -> dict[str, Any]:
    """A case that the district's consumer has filed."""
    answer = talk("consumer").post("/cases", json={"answer": district.filing()})
    assert answer.status_code == 201, answer.json
    filed: dict[str, Any] = answer.json
    return filed


def officer_of(talk: Talk, case: dict[str, Any]) -> Any:
    """The officer whose task the case waits for."""
    for login in ("officer", *(f"officer0{n}" for n in range(2, 10))):
        officer = talk(login)
        if officer.get(f"/tasks?case_id={case['id']}").json["items"]:
            return officer
    raise AssertionError("no officer has a task of this case")


def first_task(person: Any, case: dict[str, Any]) -> dict[str, Any]:
    task: dict[str, Any] = person.get(f"/tasks?case_id={case['id']}").json["items"][0]
    return task


@ON_BOTH
def test_a_case_is_filed_found_and_explained(talk: Talk, case: dict[str, Any]) -> None:
    consumer = talk("consumer")
    assert [one["id"] for one in consumer.get("/cases").json["items"]] == [case["id"]]
    by_number = consumer.get(f"/cases/{case['case_no']}").json
    assert by_number["id"] == case["id"] and by_number["roles"] == ["complainant"]
    assert by_number["waits"], "somebody owes the next step"
    deadlines = consumer.get(f"/cases/{case['id']}/deadlines").json["items"]
    running = {one["limit"] for one in deadlines}
    assert "C01" in running
    assert all(one["article"] and one["due_on"] for one in deadlines)
    timeline = consumer.get(f"/cases/{case['id']}/timeline").json["items"]
    assert timeline[0]["what_en"].startswith("Filed")
    routes = consumer.get(f"/cases/{case['id']}/routes").json["items"]
    assert [one["number"] for one in routes] == [1, 2, 3, 4, 5]


@ON_BOTH
def test_an_officer_takes_and_answers_a_task(talk: Talk, case: dict[str, Any]) -> None:
    officer = officer_of(talk, case)
    listed = first_task(officer, case)
    shown = officer.get(f"/tasks/{listed['id']}")
    task = shown.json
    assert task["may_claim"] and task["form"]["fields"]
    claimed = officer.post(f"/tasks/{task['id']}/claim", headers={"If-Match": shown.headers["ETag"]})
    assert claimed.status_code == 200, claimed.json
    assert claimed.json["claimed_by"] == str(officer.id)
    assert claimed.headers["ETag"] != shown.headers["ETag"]
    draft = {"form_digest": task["form"]["digest"], "answer": {"note": "三天内"}}
    assert officer.put(f"/tasks/{task['id']}/draft", json=draft).status_code == 204
    assert officer.get(f"/tasks/{task['id']}").json["draft"] == {"note": "三天内"}
    faulty = officer.post(f"/tasks/{task['id']}/answer", json={**draft, "answer": {}})
    assert faulty.status_code == 422 and faulty.json["errors"]
    assert officer.post(f"/tasks/{task['id']}/unclaim").json["claimed_by"] is None


def test_an_answered_task_moves_the_case_and_is_answered_once(
    talk: Talk, case: dict[str, Any], database: Any, district: Any
) -> None:
    officer = officer_of(talk, case)
    task = officer.get(f"/tasks/{first_task(officer, case)['id']}").json
    body = {"form_digest": task["form"]["digest"], "answer": _first_contact(task)}
    answer = officer.post(f"/tasks/{task['id']}/answer", json=body, headers={"Idempotency-Key": "contact-1"})
    assert answer.status_code == 200, answer.json
    assert answer.json["parked"] is False
    again = officer.post(f"/tasks/{task['id']}/answer", json=body, headers={"Idempotency-Key": "contact-1"})
    assert again.status_code == 200 and again.headers["Idempotency-Replayed"] == "true"
    late = officer.post(f"/tasks/{task['id']}/answer", json=body)
    assert late.status_code == 409 and late.json["code"] == "task.already_completed"


def _first_contact(task: dict[str, Any]) -> dict[str, Any]:
    assert task["element"] == "first_contact", task["element"]
    return {"identity": "verified"}


def test_nobody_else_learns_that_the_case_exists(talk: Talk, case: dict[str, Any], client: FlaskClient) -> None:
    stranger = talk("merchant20")
    for path in ("", "/timeline", "/deadlines", "/waits", "/routes", "/tasks", "/papers"):
        answer = stranger.get(f"/cases/{case['id']}{path}")
        assert answer.status_code == 404, path
        assert answer.json["code"] == "case.not_found"
        assert client.get(f"/api/v1/cases/{case['id']}{path}").status_code == 401
    assert stranger.post(f"/cases/{case['id']}/withdraw", json={}).status_code in (403, 404)
    task = first_task(officer_of(talk, case), case)
    assert stranger.get(f"/tasks/{task['id']}").status_code == 404
    assert stranger.post(f"/tasks/{task['id']}/claim").status_code == 404


def test_the_merchants_side_does_not_see_the_case_before_it_may(talk: Talk, case: dict[str, Any]) -> None:
    assert talk("merchant").get(f"/cases/{case['id']}").status_code == 404


def test_evidence_is_laid_down_once_and_read_by_those_it_is_for(talk: Talk, case: dict[str, Any]) -> None:
    consumer = talk("consumer")

    def lay(content: bytes) -> Any:
        return consumer.post(f"/cases/{case['id']}/evidence", data={"file": (io.BytesIO(content), "发票.png")})

    first = lay(PNG)
    assert first.status_code == 201, first.json
    assert lay(PNG).json["id"] == first.json["id"]
    assert lay(b"MZ not a picture").status_code == 422
    opened = consumer.get(f"/evidence/{first.json['id']}")
    assert opened.data == PNG and opened.headers["Content-Disposition"].startswith("attachment")
    assert talk("merchant20").get(f"/evidence/{first.json['id']}").status_code == 404
    shared = consumer.put(f"/evidence/{first.json['id']}/sharing", json={"visible_to": ["mediator"]})
    assert shared.json["visible_to"] == ["mediator"]
    assert consumer.put(f"/evidence/{first.json['id']}/sharing", json={"visible_to": ["all"]}).status_code == 422


def test_a_complaint_is_withdrawn_once(talk: Talk, case: dict[str, Any]) -> None:
    consumer = talk("consumer")
    answer = consumer.post(f"/cases/{case['id']}/withdraw", json={"reason": "已经解决"})
    assert answer.status_code == 200, answer.json
    assert answer.json["exit"] == "withdrawn"
    assert consumer.post(f"/cases/{case['id']}/withdraw", json={}).status_code == 409


def test_a_message_needs_the_permission_of_its_act(talk: Talk, case: dict[str, Any]) -> None:
    officer = officer_of(talk, case)
    message = {"message": "complaint.withdrawn", "case": case["case_no"], "message_id": "one"}
    assert officer.post("/messages", json=message).status_code == 403
    assert officer.post("/messages", json={**message, "message": "unknown"}).status_code == 422
    consumer = talk("consumer")
    assert consumer.post("/messages", json=message).json == {
        "outcome": "delivered",
        "delivered": True,
        "parked": False,
        "expires_at": None,
    }
    again = consumer.post("/messages", json=message).json
    assert again["outcome"] == ("repeated" if "message_id" in message else "unwanted")
    later = {**message, "ttl_seconds": 3600, "message_id": "later"}
    kept = consumer.post("/messages", json=later).json
    assert (kept["outcome"], kept["delivered"]) == ("kept", False) and kept["expires_at"]
    assert consumer.post("/messages", json=later).json["outcome"] == "repeated"
    assert consumer.post("/messages", json={**later, "ttl_seconds": -1}).status_code == 422


def test_a_guest_opens_the_own_case_with_a_code(client: FlaskClient, case: dict[str, Any]) -> None:
    known = {"case_no": case["case_no"], "phone": "13900000101"}
    assert client.post("/api/v1/tracking/codes", json=known).status_code == 204
    wrong = client.post("/api/v1/tracking/sessions", json={**known, "code": "000000"})
    assert wrong.status_code == 403
    unknown = {"case_no": "330299-20260918-9999", "phone": "13900000999"}
    assert client.post("/api/v1/tracking/codes", json=unknown).status_code == 204, "nobody learns who has a case"


def test_the_network_is_public_and_merchants_are_for_people_who_signed_in(talk: Talk, client: FlaskClient) -> None:
    offices = client.get("/api/v1/organisations?kind=office").json["items"]
    assert len(offices) == 9
    assert client.get("/api/v1/merchants").status_code == 401
    merchants = talk("consumer").get("/merchants?limit=3").json
    assert len(merchants["items"]) == 3 and merchants["next"]
    merchant = merchants["items"][0]["id"]
    assert client.get(f"/api/v1/organisations/{merchant}").status_code == 401
    found = client.get("/api/v1/competence", query_string={"address": "云溪区溪口路8号"}).json
    assert found["office"]["kind"] == "office" and found["why"] and found["why_en"]


def test_of_two_who_edit_an_organisation_the_second_is_told(talk: Talk) -> None:
    admin = talk("admin")
    office = admin.get("/organisations?kind=office").json["items"][0]
    path = f"/organisations/{office['id']}"
    assert admin.patch(path, json={"phone": "0574-80000001"}).status_code == 428
    read = {"If-Match": admin.get(path).headers["ETag"]}
    assert admin.patch(path, json={"phone": "0574-80000001"}, headers=read).json["phone"] == "0574-80000001"
    assert admin.patch(path, json={"phone": "0574-80000002"}, headers=read).status_code == 412
    assert talk("consumer").patch(path, json={"phone": "1"}, headers=read).status_code == 403


def test_releases_are_checked_and_deployed_by_their_designer(talk: Talk) -> None:
    designer = talk("designer")
    checked = designer.post("/releases/check", json={"files": {"bpmn/x.bpmn": "<no>diagram</no>"}})
    assert checked.status_code == 200, checked.json
    assert any(finding["severity"] == "error" for finding in checked.json["findings"])
    refused = designer.post("/releases", json={"files": {"bpmn/x.bpmn": "<no>diagram</no>"}})
    assert refused.status_code == 422 and refused.json["code"] == "release.findings"
    assert talk("officer").post("/releases/check", json={"files": {"a": "b"}}).status_code == 403


def test_the_calendar_moves_deadlines_only_when_it_is_applied(talk: Talk, case: dict[str, Any]) -> None:
    admin = talk("admin")
    notice = {
        "year": 2026,
        "breaks": [{"name": "国庆节", "from": "2026-09-19", "to": "2026-10-10"}],
        "document_no": "试验〔2026〕1号",
    }
    preview = admin.post("/calendar/preview", json=notice)
    assert preview.status_code == 200, preview.json
    assert preview.json["moved"]
    due = {d["limit"]: d["due_on"] for d in talk("consumer").get(f"/cases/{case['id']}/deadlines").json["items"]}
    applied = admin.post("/calendar", json=notice)
    assert applied.status_code == 201, applied.json
    after = {d["limit"]: d["due_on"] for d in talk("consumer").get(f"/cases/{case['id']}/deadlines").json["items"]}
    assert after["C01"] > due["C01"]
    assert talk("consumer").post("/calendar", json=notice).status_code == 403


def test_a_limit_is_explained_to_everybody(client: FlaskClient, district: Any) -> None:
    due = client.get("/api/v1/limits/C01/due?start=2026-09-18").json
    assert due["due_on"] == "2026-09-29" and due["article"]
    assert client.get("/api/v1/limits/C99/due?start=2026-09-18").status_code == 422
    assert any(limit["id"] == "C01" for limit in client.get("/api/v1/limits").json["items"])
    days = {day["date"]: day for day in client.get("/api/v1/calendar?year=2026").json["days"]}
    assert not days["2026-10-01"]["is_workday"] and days["2026-10-01"]["break_name"] == "国庆节"
    assert days["2026-10-10"]["is_workday"], "made up for the National Day break"


def test_the_audit_is_whole_and_for_the_administrator(talk: Talk, case: dict[str, Any]) -> None:
    assert talk("admin").get("/audit/verification").json["broken"] == []
    assert talk("admin").get("/audit/events").status_code == 200
    assert talk("officer").get("/audit/events").status_code == 403
    assert talk("supervisor").get("/incidents").json["items"] == []


def test_notices_are_read_by_whom_they_are_for(talk: Talk, case: dict[str, Any]) -> None:
    consumer = talk("consumer")
    told = consumer.get("/notices").json["items"]
    assert told and all(one["case_key"] == case["id"] for one in told)
    assert consumer.post(f"/notices/{told[0]['id']}/read").json["read_at"]
    assert talk("merchant20").post(f"/notices/{told[0]['id']}/read").status_code == 404
    assert consumer.post("/notices/read").json["read"] == len(told) - 1
    assert consumer.get("/notices?unread=true").json["items"] == []


def test_somebody_without_an_account_is_heard(client: FlaskClient, district: Any) -> None:
    body = {"answer": district.filing(complainant_name="王建国", complainant_phone="13900000102")}
    filed, again = (client.post("/api/v1/cases", json=body, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert filed.status_code == 201, filed.json
    assert again.json["id"] == filed.json["id"], "a repeated request files nothing twice"
    assert client.get(f"/api/v1/cases/{filed.json['id']}").status_code == 401


def test_a_faulty_filing_is_told_field_by_field(talk: Talk, district: Any) -> None:
    answer = talk("consumer").post("/cases", json={"answer": district.filing(facts="", amount_fen=-1, strange="x")})
    assert answer.status_code == 422
    assert {"facts", "amount_fen", "strange"} <= set(answer.json["errors"])


def test_a_designer_plays_scenarios_and_records_one_from_a_case(talk: Talk, case: dict[str, Any]) -> None:
    designer = talk("designer")
    recorded = designer.get(f"/cases/{case['case_no']}/scenario")
    assert recorded.status_code == 200, recorded.json
    assert recorded.json["replays"] and recorded.json["why"] is None
    assert case["title"] not in recorded.json["text"] and case["id"] not in recorded.json["text"]
    assert talk("officer").get(f"/cases/{case['case_no']}/scenario").status_code == 403
    assert designer.get("/cases/330299-20200101-0001/scenario").status_code == 404
    refused = designer.post("/releases/scenarios", json={"files": {"bpmn/x.bpmn": "<no>diagram</no>"}})
    assert refused.status_code == 422
    small = {path: text.decode() for path, text in release().items() if path != "time_limits.yaml"}
    files = {**small, "time_limits.yaml": LIMITS.decode(), "scenarios/desk.scenarios.yaml": REFUSING}
    played = designer.post("/releases/scenarios", json={"files": files})
    assert played.status_code == 200, played.json
    assert [one["passed"] for one in played.json["scenarios"]] == [True]
    assert played.json["coverage"]["desk"]["elements"] == [5, 20]


def test_retention_is_read_asked_for_held_and_decided_by_those_who_may(talk: Talk, case: dict[str, Any]) -> None:
    consumer, supervisor = talk("consumer"), talk("supervisor")
    periods = consumer.get("/retention/periods").json["items"]
    assert {one["kind"] for one in periods} == {"identity", "correspondence", "case", "paper", "account"}
    path = f"/cases/{case['id']}"
    assert consumer.post(f"{path}/erasure-requests", json={"reason": "删"}).status_code == 422
    asked = consumer.post(f"{path}/erasure-requests", json={"reason": "不想再留着我的资料"})
    assert asked.status_code == 201, asked.json
    assert talk("merchant").post(f"{path}/erasure-requests", json={"reason": "不想再留着"}).status_code in (
        403,
        404,
    )
    kept = consumer.get(f"{path}/retention").json
    assert "没有办完" in kept["kept_because"] and kept["erased"] == [] and len(kept["requests"]) == 1
    assert [one["id"] for one in supervisor.get("/erasure-requests").json["items"]] == [asked.json["id"]]
    decision = f"/erasure-requests/{asked.json['id']}/decision"
    assert talk("officer").post(decision, json={"grant": True, "answer": "可以删除。"}).status_code == 403
    early = supervisor.post(decision, json={"grant": True, "answer": "可以删除。"})
    assert (early.status_code, early.json["code"]) == (409, "retention.kept")
    refused = supervisor.post(decision, json={"grant": False, "answer": "案件还在办理，办结后再提。"})
    assert (refused.status_code, refused.json["state"]) == (200, "refused")
    held = supervisor.post(f"{path}/holds", json={"reason": "审计抽查，暂缓删除"})
    assert held.status_code == 201
    lifted = supervisor.post(f"{path}/holds/{held.json['id']}/lift")
    assert lifted.status_code == 200 and lifted.json["lifted_at"]


def test_history_is_for_supervisors_and_its_export_is_streamed(talk: Talk, case: dict[str, Any]) -> None:
    supervisor, officer = talk("supervisor"), talk("officer")
    first = supervisor.get(f"/history/events?case_no={case['case_no']}&limit=2").json
    assert len(first["items"]) == 2 and first["items"][0]["case_no"] == case["case_no"]
    rest = supervisor.get(f"/history/events?case_no={case['case_no']}&limit=2&after={first['next']}").json
    assert rest["items"][0] != first["items"][1]
    assert {
        one["kind"].partition(".")[0] for one in supervisor.get("/history/events?kind=task.*").json["items"]
    } == {"task"}
    assert supervisor.get(f"/cases/{case['id']}/conformance").json["conforms"] is True
    log = supervisor.get("/history/ocel")
    assert f"case:{case['id']}" in {one["id"] for one in log.json["objects"]} and log.json["events"]
    assert case["title"] not in log.get_data(as_text=True)
    for path in ("/history/events", "/history/ocel", f"/cases/{case['id']}/conformance"):
        assert officer.get(path).status_code == 403, path
