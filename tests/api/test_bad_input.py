"""Bad input, by a table of what people and programs get wrong, and by what schemathesis thinks of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.db import Database
from disputes.demo.accounts import PASSWORD as DEMO_PASSWORD
from tests.prove.bad_input import throw_everything

from .conftest import Caller

#: Method, path, body or None, status. ``{case}`` and ``{task}`` are somebody else's.
TABLE: list[tuple[str, str, Any, int]] = [
    # wrong types
    ("POST", "/tokens", {"name": 1, "scopes": ["task.*"]}, 422),
    ("POST", "/tokens", {"name": "x", "scopes": "task.*"}, 422),
    ("POST", "/tokens", {"name": "x", "scopes": ["task.*"], "lasts_days": 1.5}, 422),
    ("POST", "/tokens", {"name": "x", "scopes": ["task.*"], "lasts_days": True}, 422),
    ("POST", "/tokens", {"name": "x", "scopes": ["task.*"], "lasts_days": 10**18}, 422),
    ("POST", "/tokens", [], 422),
    ("POST", "/tokens", "text", 422),
    ("POST", "/tokens", None, 422),
    ("POST", "/cases", {"answer": []}, 422),
    ("POST", "/cases", {"answer": {"facts": {"deep": [1]}}}, 422),
    ("GET", "/tasks?limit=0", None, 422),
    ("GET", "/tasks?limit=201", None, 422),
    ("GET", "/tasks?limit=ten", None, 422),
    ("GET", "/tasks?due_before=yesterday", None, 422),
    ("GET", "/tasks?due_before=2026-09-18T10:00:00", None, 422),
    ("GET", "/tasks?case_id=not-an-id", None, 422),
    ("GET", "/cases?stage=nowhere", None, 422),
    ("GET", "/calendar?year=999999999999", None, 422),
    ("GET", "/limits/C01/due?start=0001-01-01", None, 422),
    ("GET", "/limits/C01/due?start=2026-09-18&pause=2026-09-20/2026-09-19", None, 422),
    ("GET", "/tasks/not-an-id", None, 404),
    ("GET", "/releases/99999999999999999999999", None, 403),
    ("POST", "/notices/99999999999999999999999/read", None, 404),
    # unknown fields and parameters
    ("POST", "/tokens", {"name": "x", "scopes": ["task.*"], "admin": True}, 422),
    ("GET", "/tasks?colour=red", None, 422),
    ("POST", "/tokens", {"name": "x", "scopes": ["everything"]}, 422),
    # marks of pages that we never gave
    ("GET", "/tasks?after=AAAA", None, 422),
    ("GET", "/cases?after=%F0%9F%98%80", None, 422),
    ("GET", "/notices?after=WyJhIl0", None, 422),
    ("GET", "/merchants?after=bnVsbA", None, 422),
    # texts that no column holds
    ("POST", "/tokens", {"name": "a\x00b", "scopes": ["task.*"]}, 422),
    ("POST", "/tokens", {"name": "   ", "scopes": ["task.*"]}, 422),
    ("POST", "/tokens", {"name": "x" * 101, "scopes": ["task.*"]}, 422),
    ("GET", "/cases/%00", None, 400),
    # other people's things
    ("GET", "/cases/{case}", None, 404),
    ("GET", "/cases/{case}/timeline", None, 404),
    ("POST", "/cases/{case}/withdraw", {}, 404),
    ("POST", "/cases/{case}/file-now", None, 404),
    ("GET", "/tasks/{task}", None, 404),
    ("POST", "/tasks/{task}/claim", None, 404),
    ("POST", "/tasks/{task}/answer", {"form_digest": "x", "answer": {}}, 404),
    ("PUT", "/tasks/{task}/draft", {"form_digest": "x", "answer": {}}, 404),
    ("GET", "/people", None, 403),
    ("POST", "/releases", {"files": {"a": "b"}}, 403),
    # stale versions
    ("POST", "/tasks/{task}/claim", None, 404),
    # methods and places that do not exist
    ("PUT", "/cases", {}, 405),
    ("GET", "/nowhere", None, 404),
]


@pytest.fixture
def others(talk: Callable[[str], Any], district: Any) -> dict[str, str]:
    """A case and a task that are none of the caller's."""
    case = talk("consumer").post("/cases", json={"answer": district.filing()}).json
    for login in ("officer", *(f"officer0{n}" for n in range(2, 10))):
        items = talk(login).get(f"/tasks?case_id={case['id']}").json["items"]
        if items:
            return {"case": case["id"], "task": items[0]["id"]}
    raise AssertionError("nobody has the case's task")


def test_each_bad_request_is_a_problem_that_says_so(app: Flask, others: dict[str, str]) -> None:
    stranger = Caller(app, "merchant20", DEMO_PASSWORD)
    for method, path, body, status in TABLE:
        place = "/api/v1" + path.replace("{case}", others["case"]).replace("{task}", others["task"])
        answer = stranger(method, place, json=body) if body is not None else stranger(method, place)
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.mimetype == "application/problem+json", (method, path)
        assert {"title", "status", "detail", "code"} <= answer.json.keys()


def test_a_stale_version_is_refused(talk: Callable[[str], Any], others: dict[str, str]) -> None:
    for login in ("officer", *(f"officer0{n}" for n in range(2, 10))):
        officer = talk(login)
        shown = officer.get(f"/tasks/{others['task']}")
        if shown.status_code == 200:
            break
    stale = {"If-Match": shown.headers["ETag"]}
    assert officer.post(f"/tasks/{others['task']}/claim", headers=stale).status_code == 200
    assert officer.post(f"/tasks/{others['task']}/unclaim").status_code == 200
    answer = officer.post(f"/tasks/{others['task']}/claim", headers=stale)
    assert answer.status_code == 409 and answer.json["code"] == "task.changed"
    assert officer.post(f"/tasks/{others['task']}/claim", headers={"If-Match": '"x"'}).status_code == 412


def test_a_body_that_is_too_large_is_refused_before_it_is_read(talk: Callable[[str], Any], app: Flask) -> None:
    import io

    consumer = talk("consumer")
    large = bytes(app.config["MAX_CONTENT_LENGTH"] + 1)
    assert consumer.post("/cases", data=large, content_type="application/json").status_code == 413
    answer = consumer.post("/cases/x/evidence", data={"file": (io.BytesIO(large), "a.png")})
    assert answer.status_code in (404, 413)


def test_nesting_without_end_is_refused(client: FlaskClient, district: Any) -> None:
    body = '{"answer": {"facts": ' + "[" * 600 + "]" * 600 + "}}"
    answer = client.post("/api/v1/cases", data=body, content_type="application/json")
    assert answer.status_code == 422
    deeper = '{"answer": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert client.post("/api/v1/cases", data=deeper, content_type="application/json").status_code == 400


def test_what_schemathesis_sends_is_never_a_server_error(
    app: Flask, database: Database, others: dict[str, str]
) -> None:
    """A sample; ``make prove`` throws at every operation, on both databases."""
    known = {"reference": [others["case"]], "task_id": [others["task"]]}
    statuses = throw_everything(app, database, known, examples=2, operations=40)
    assert all(status < 500 for status in statuses), statuses
    assert statuses[422] and statuses[404] and statuses[401] and statuses[403], statuses
