"""Incidents and the mending of cases over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from core.db import Database
from disputes.cases.models import Case
from engine import Incident, Instance
from engine.models import Event

from .conftest import ON_BOTH

Talk = Callable[[str], Any]
WHY = "登记接口出错，正在修复"


@pytest.fixture
def case(talk: Talk, district: Any) -> dict[str, Any]:
    answer = talk("consumer").post("/cases", json={"answer": district.filing()})
    assert answer.status_code == 201, answer.json
    filed: dict[str, Any] = answer.json
    return filed


@pytest.fixture
def incident(database: Database, case: dict[str, Any]) -> str:
    """An incident of the case: a limit that could not be reckoned, as the engine records it."""
    with database.transaction() as session:
        found = session.scalars(select(Case)).one()
        instance = session.get_one(Instance, found.instance_id)
        row = Incident(
            instance_id=instance.id,
            key=instance.key,
            process="intake",
            element="first_contact",
            kind="expression",
            message="received_at is null",
            target=f"rearm:{instance.id}",
            command='{"command":"rearm"}',
            seen='{"case_id":"1","phone":"13800138000"}',
            at=instance.started_at,
            last_at=instance.started_at,
        )
        session.add(row)
        instance.incidents += 1
        session.flush()
        return str(row.id)


@ON_BOTH
def test_a_case_is_suspended_shown_so_and_resumed(talk: Talk, case: dict[str, Any]) -> None:
    supervisor, path = talk("supervisor"), f"/cases/{case['case_no']}"
    before = supervisor.get(f"{path}/deadlines").json["items"]
    body = {"reason": WHY, "cause": "data", "told": "请等候通知。"}
    rehearsed = supervisor.post(f"{path}/suspend", json={**body, "rehearse": True})
    assert rehearsed.status_code == 200, rehearsed.json
    assert supervisor.get(f"{path}/moves").json["state"] == "running"
    assert supervisor.post(f"{path}/suspend", json=body).status_code == 200
    again = supervisor.post(f"{path}/suspend", json=body)
    assert (again.status_code, again.json["code"]) == (409, "instance.suspended")
    assert supervisor.get(f"{path}/moves").json["state"] == "suspended"
    officer = next(o for n in ("officer", *(f"officer0{i}" for i in range(2, 10))) if tasks(o := talk(n), case))
    (task,) = tasks(officer, case)
    assert task["suspended"] is True
    one = officer.get(f"/tasks/{task['id']}").json
    assert (one["suspended"], one["may_answer"]) == (True, False)
    answer = {"form_digest": one["form"]["digest"], "answer": {"identity": "verified"}}
    refused = officer.post(f"/tasks/{task['id']}/answer", json=answer)
    assert (refused.status_code, refused.json["code"]) == (409, "instance.suspended")
    assert all(d["clock"] == "paused" for d in supervisor.get(f"{path}/deadlines").json["items"])
    assert supervisor.post(f"{path}/resume", json={}).status_code == 200
    after = supervisor.get(f"{path}/deadlines").json["items"]
    assert [d["due_on"] for d in after] == [d["due_on"] for d in before], "resumed on the same day"
    assert officer.post(f"/tasks/{task['id']}/answer", json=answer).status_code in (200, 201)


def tasks(person: Any, case: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get(f"/tasks?case_id={case['id']}").json["items"]
    return found


@ON_BOTH
def test_a_case_is_moved_where_the_token_game_allows(talk: Talk, case: dict[str, Any], database: Database) -> None:
    admin, path = talk("admin"), f"/cases/{case['id']}"
    standing = admin.get(f"{path}/moves").json
    token = next(place["number"] for place in standing["places"] if place["waits"])
    found = admin.get(f"{path}/moves?token={token}").json
    assert found["data"]["case_id"] == case["id"]
    good = next(t for t in found["targets"] if t["finding"] is None and t["kind"] == "userTask")
    body = {"tokens": [token], "to": {"process": good["process"], "element": good["element"]}, "reason": WHY}
    tried = admin.post(f"{path}/move", json={**body, "rehearse": True})
    assert tried.status_code in (200, 409), tried.json
    nowhere = admin.post(f"{path}/move", json={**body, "to": {"process": "intake", "element": "nowhere"}})
    assert (nowhere.status_code, nowhere.json["code"]) == (422, "move.unknown_target")
    lost = admin.post(f"{path}/move", json={**body, "tokens": [9999]})
    assert (lost.status_code, lost.json["code"]) == (422, "token.unknown")
    with database.reader() as session:
        assert not session.scalars(select(Event).where(Event.kind == "token.moved")).all()


def test_data_is_corrected_and_faults_come_back_by_name(talk: Talk, case: dict[str, Any]) -> None:
    admin, path = talk("admin"), f"/cases/{case['id']}/data"
    wrong = admin.post(path, json={"changes": [{"name": "amount_fen", "value": "viel"}], "reason": WHY})
    assert wrong.status_code == 422 and "amount_fen" in wrong.json["errors"]
    right = admin.post(path, json={"changes": [{"name": "region", "value": "330298"}], "reason": WHY})
    assert right.status_code == 200, right.json
    unknown = admin.post(path, json={"changes": [{"name": "regoin", "value": "1"}], "reason": WHY})
    assert unknown.status_code == 422 and "region" in unknown.json["errors"]["regoin"][0]


@ON_BOTH
def test_incidents_are_listed_read_retried_and_given_up(
    talk: Talk, case: dict[str, Any], incident: str, database: Database
) -> None:
    admin = talk("admin")
    (line,) = admin.get("/incidents").json["items"]
    assert (line["id"], line["case_no"], line["suspended"]) == (incident, case["case_no"], False)
    assert admin.get("/incidents?element=other").json["items"] == []
    assert admin.get("/incidents/causes").json["items"] == [
        {"process": "intake", "element": "first_contact", "kind": "expression", "open": 1}
    ]
    one = admin.get(f"/incidents/{incident}").json
    assert one["command"] == "rearm" and "retry" in one["actions"]
    assert "13800138000" not in str(one["seen"]) and "138" in one["seen"]["phone"]
    retried = admin.post(f"/incidents/{incident}/retry", headers={"Idempotency-Key": "k-1"})
    assert retried.status_code == 200 and retried.json["failed"] == ""
    repeated = admin.post(f"/incidents/{incident}/retry", headers={"Idempotency-Key": "k-1"})
    assert repeated.status_code == 200, "a repeated request is answered as the first was"
    late = admin.post(f"/incidents/{incident}/void", json={"reason": WHY})
    assert (late.status_code, late.json["code"]) == (409, "incident.already_resolved")
    assert admin.get("/incidents").json["items"] == []
    (resolved,) = admin.get("/incidents?state=resolved").json["items"]
    assert resolved["resolved_by"] == f"person:{admin.id}"


def test_incidents_of_one_cause_are_retried_together(talk: Talk, incident: str) -> None:
    admin = talk("admin")
    cause = {"process": "intake", "element": "first_contact", "kind": "expression"}
    assert admin.post("/incidents/retry", json=cause).json == {
        "resolved": [incident],
        "failed": {},
        "refused": {},
        "left": 0,
    }


@pytest.mark.parametrize(
    ("login", "path", "status"),
    [
        ("consumer", "/incidents", 403),
        ("officer", "/incidents", 403),
        ("designer", "/incidents", 200),
        ("officer", "/cases/{case}/suspend", 403),
        ("designer", "/cases/{case}/move", 403),
        ("admin", "/cases/{case}/cancel", 403),
        ("merchant20", "/cases/{case}/suspend", 403),
    ],
)
def test_nobody_else_may(talk: Talk, case: dict[str, Any], login: str, path: str, status: int) -> None:
    person = talk(login)
    if path == "/incidents":
        assert person.get(path).status_code == status
    else:
        assert person.post(path.format(case=case["id"]), json={"reason": WHY}).status_code == status


def test_pages_of_incidents_follow_each_other(
    talk: Talk, case: dict[str, Any], incident: str, database: Database, app: Flask
) -> None:
    with database.transaction() as session:
        first = session.scalars(select(Incident)).one()
        for number in range(4):
            session.add(
                Incident(
                    instance_id=first.instance_id,
                    key=first.key,
                    process="p",
                    element=f"e{number}",
                    kind="job",
                    message="m",
                    target=f"job:{number}",
                    command='{"command":"rearm"}',
                    at=first.at,
                    last_at=first.at,
                )
            )
    admin, seen, after = talk("admin"), [], ""
    while True:
        page = admin.get(f"/incidents?limit=2{after}").json
        seen += [line["id"] for line in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 5
