"""Each act and each look leaves exactly one event, with ids and words only, and the chains verify."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from api import audited
from core.db import Database
from disputes.audit import queries as audit
from disputes.audit.models import AuditEvent
from disputes.cases.models import Party, Side
from disputes.identity import operations, tokens
from disputes.identity import queries as people
from disputes.identity.permissions import SCOPES
from disputes.inbox.models import InboxItem, ItemState
from tests.disputes.district import build_district

from .conftest import NOW, ON_BOTH, PASSWORD, Caller

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PHONE, ADDRESS = "13900000101", "云溪区溪口路 8 号 301 室"

Events = list[tuple[str, str, str, Any]]


def events(database: Database) -> Events:
    """All events (chain, action, by, facts), oldest first; their chains verify."""
    with database.reader() as session:
        verdict = audit.verify_all(session)
        assert verdict.is_whole, verdict.broken
        found = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        return [(one.chain, one.action, one.by, one.facts) for one in found]


@contextmanager
def adds(database: Database) -> Iterator[Events]:
    """The events that the block adds."""
    added: Events = []
    before = len(events(database))
    yield added
    added += events(database)[before:]


# -- accounts


@ON_BOTH
def test_signing_in_and_out_leaves_one_event_each(app: Flask, database: Database, register: Any) -> None:
    person = f"person:{register('qian').id}"
    with adds(database) as found:
        caller = Caller(app, "qian")
        caller.get("/api/v1/me")
        assert caller.delete("/api/v1/sessions/current").status_code == 204
        assert caller.delete("/api/v1/sessions/current").status_code == 204
    assert found == [
        (person, "identity.signed_in", person, {}),
        (person, "identity.signed_out", person, {}),
    ]


def test_a_failed_sign_in_is_kept_without_what_was_typed(app: Flask, database: Database, register: Any) -> None:
    person = register("qian")
    client = app.test_client()
    with adds(database) as found:
        client.post("/api/v1/sessions", json={"login": "Qian", "password": "a secret"})
        client.post("/api/v1/sessions", json={"login": "typed-too-early", "password": "a secret"})
    assert [(chain, action, by, facts["person"]) for chain, action, by, facts in found] == [
        ("identity", "identity.sign_in_failed", "anonymous", str(person.id)),
        ("identity", "identity.sign_in_failed", "anonymous", None),
    ]
    assert found[0][3]["subject"] != found[1][3]["subject"]
    assert not any(typed in str(found) for typed in ("qian", "secret", "typed-too-early"))


def test_a_locked_attempt_is_not_recorded(app: Flask, database: Database, register: Any) -> None:
    register("qian")
    client = app.test_client()
    with adds(database) as found:
        statuses = [
            client.post("/api/v1/sessions", json={"login": "qian", "password": "no"}).status_code for _ in range(8)
        ]
    assert statuses.count(429) == 3 and len(found) == statuses.count(403) == 5


def test_the_page_records_as_the_api_does(app: Flask, database: Database, register: Any) -> None:
    person = f"person:{register('qian').id}"
    client = app.test_client()

    def post(path: str, *, seen_on: str = "/sign-in", **form: str) -> int:
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(seen_on).text)
        assert token is not None
        return client.post(path, data={**form, "csrf_token": token[1]}).status_code

    with adds(database) as found:
        assert post("/sign-in", login="qian", password="no") == 422
        assert post("/sign-in", login="qian", password=PASSWORD) == 303
        assert post("/sign-out", seen_on="/me") == 303
        assert post("/sign-out") == 303
    assert [(action, by) for _, action, by, _ in found] == [
        ("identity.sign_in_failed", "anonymous"),
        ("identity.signed_in", person),
        ("identity.signed_out", person),
    ]


@ON_BOTH
def test_what_an_administrator_does_to_an_account_is_kept(
    database: Database, sign_in: Callable[..., Caller], organisation: Any
) -> None:
    admin = sign_in("root")
    with database.transaction() as session:
        root = people.by_login(session, "root")
        assert root is not None
        operations.grant(session, root, "admin", organisation.id, now=NOW)
    new = {"name": "周启明", "login": "zhou", "password": PASSWORD, "phone": "13800138000"}
    role = {"role": "officer", "organisation_id": str(organisation.id)}
    with adds(database) as found:
        person = admin.post("/api/v1/people", json=new).json["id"]
        path = f"/api/v1/people/{person}"
        for _ in range(2):  # the second time nothing changes, so nothing is added
            assert admin.post(f"{path}/memberships", json=role).status_code == 201
        assert admin.delete(f"{path}/memberships/officer/{organisation.id}").status_code == 204
        assert admin.delete(f"{path}/memberships/officer/{organisation.id}").status_code == 404
        for active in (False, False, True):
            assert admin.put(f"{path}/active", json={"active": active}).status_code == 200
    chain, by, facts = f"person:{person}", f"person:{root.id}", {"organisation": str(organisation.id)}
    assert found == [
        (chain, "identity.registered", by, {}),
        (chain, "identity.role_granted", by, {**facts, "role": "officer"}),
        (chain, "identity.role_withdrawn", by, {**facts, "role": "officer"}),
        (chain, "identity.deactivated", by, {}),
        (chain, "identity.reactivated", by, {}),
    ]


def test_a_token_is_recorded_when_it_is_issued_and_when_it_ends(
    database: Database, sign_in: Callable[..., Caller]
) -> None:
    caller = sign_in("qian")
    wanted = {"name": "program", "scopes": ["task.list"], "lasts_days": 1}
    with adds(database) as found:
        assert caller.post("/api/v1/tokens", json={**wanted, "scopes": ["no.such"]}).status_code == 422
        token = caller.post("/api/v1/tokens", json=wanted).json
        for _ in range(2):
            assert caller.delete(f"/api/v1/tokens/{token['id']}").status_code == 204
    chain = f"person:{caller.person['id']}"
    assert found == [
        (chain, "identity.token_issued", chain, {"token": token["id"], "scopes": ["task.list"]}),
        (chain, "identity.token_revoked", chain, {"token": token["id"]}),
    ]
    assert token["token"] not in str(found)


# -- the district


@pytest.fixture
def place(app: Flask, database: Database) -> SimpleNamespace:
    """A case that waits for its office, and everybody of the district by a token."""
    district = build_district(database)
    with database.transaction() as session:
        case = district.file(session, complainant_address=ADDRESS)
        task = session.scalars(
            select(InboxItem).where(InboxItem.case_id == case.id, InboxItem.state == ItemState.OPEN)
        ).first()
        assert task is not None
        party = session.scalars(
            select(Party.id).where(Party.case_id == case.id, Party.side == Side.COMPLAINANT)
        ).one()
        staff = district.actor(session, case, task)
    return SimpleNamespace(
        app=app, database=database, district=district, case=case, task=task, party=party, staff=staff
    )


def header(place: SimpleNamespace, login: str) -> dict[str, str]:
    with place.database.transaction() as session:
        person = people.by_login(session, login)
        assert person is not None
        _, plain = tokens.issue(session, person, name="t", scopes=sorted(SCOPES), lasts=timedelta(days=1), now=NOW)
    return {"Authorization": f"Bearer {plain}"}


def login_of(place: SimpleNamespace) -> str:
    with place.database.reader() as session:
        login = people.person(session, place.staff.person_id).login
    assert login is not None
    return login


@ON_BOTH
def test_a_look_at_a_consumers_data_is_kept_once_and_only_for_others(place: SimpleNamespace) -> None:
    client, case = place.app.test_client(), place.case
    staff, consumer, clerk = (header(place, login) for login in (login_of(place), "consumer", "supervisor"))
    with adds(place.database) as found:
        shown = client.get(f"/api/v1/cases/{case.id}", headers=staff)
        assert PHONE in shown.text and "301" in shown.text
        page = client.get(f"/cases/{case.id}", headers=staff)
        assert page.status_code == 200 and PHONE in page.text
        task = client.get(f"/tasks/{place.task.task_id}", headers=staff)
        assert task.status_code == 200 and PHONE in task.text
        assert client.get(f"/api/v1/cases/{case.id}", headers=clerk).status_code == 200
        for own in (f"/api/v1/cases/{case.id}", f"/cases/{case.id}"):
            assert client.get(own, headers=consumer).status_code == 200
        for other in ("timeline", "deadlines", "waits", "routes", "tasks"):
            assert client.get(f"/api/v1/cases/{case.id}/{other}", headers=staff).status_code == 200
        assert client.get(f"/api/v1/cases/{case.id}", headers=header(place, "merchant02")).status_code == 404
    assert [one[:2] for one in found] == 4 * [(f"case:{case.id}", "personal_data.seen")]
    assert [one[2] == str(place.staff) for one in found] == [True, True, True, False]
    assert [one[3]["purpose"] for one in found] == ["case", "case", "task", "case"]
    assert all(
        one[3]["fields"] == ["address", "phone"] and one[3]["whose"] == [f"party:{place.party}"] for one in found
    )
    assert PHONE not in str(found)


def test_a_form_that_comes_back_with_faults_is_a_look_too(place: SimpleNamespace) -> None:
    client, staff = place.app.test_client(), header(place, login_of(place))
    with adds(place.database) as found:
        claimed = client.post(f"/api/v1/tasks/{place.task.task_id}/claim", headers=staff)
        assert claimed.status_code == 200, claimed.text
        back = client.post(f"/tasks/{place.task.task_id}", data={"_digest": "x"}, headers=staff)
        assert back.status_code in (409, 422) and PHONE in back.text
    assert [one[1] for one in found] == ["personal_data.seen"]


def test_a_look_that_cannot_be_kept_is_not_granted(place: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("no room left")

    staff = header(place, login_of(place))
    monkeypatch.setattr(audited, "record_look", broken)
    place.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = place.app.test_client().get(f"/api/v1/cases/{place.case.id}", headers=staff)
    assert answer.status_code == 500 and PHONE not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/evidence", "/evidence"])
def test_every_file_that_is_opened_is_kept(place: SimpleNamespace, path: str) -> None:
    client, case = place.app.test_client(), place.case
    staff, consumer = header(place, login_of(place)), header(place, "consumer")
    laid = []
    for name, is_identity in (("photo.png", False), ("card.png", True)):
        sent = {"file": (io.BytesIO(PNG + name.encode()), name)}
        query = "?is_identity=true" if is_identity else ""
        answer = client.post(f"/api/v1/cases/{case.id}/evidence{query}", data=sent, headers=consumer)
        assert answer.status_code == 201, answer.text
        laid.append(answer.json["id"])
    with adds(place.database) as found:
        for evidence in laid:
            assert client.get(f"{path}/{evidence}", headers=staff).status_code == 200
        assert client.get(f"{path}/{laid[1]}", headers=header(place, "merchant")).status_code == 404
    chain, by = f"case:{case.id}", str(place.staff)
    assert found == [
        (chain, "evidence.read", by, {"evidence": laid[0]}),
        (chain, "identity_document.read", by, {"evidence": laid[1]}),
    ]


def test_acts_of_the_house_are_kept(place: SimpleNamespace) -> None:
    client, admin = place.app.test_client(), header(place, "admin")
    organisation = {"code": "YX-99", "name": "新所", "kind": "mediation_body", "region": "330299"}
    rest = {"name": "停工", "from": "2026-12-31", "to": "2026-12-31"}
    notice = {"year": 2026, "source": "青屏市人民政府", "document_no": "青政办〔2026〕9号", "breaks": [rest]}
    with adds(place.database) as found:
        added = client.post("/api/v1/organisations", json=organisation, headers=admin)
        assert added.status_code == 201, added.text
        url, tag = f"/api/v1/organisations/{added.json['id']}", {"If-Match": added.headers["ETag"]}
        assert client.patch(url, json={"phone": "0574-80000001"}, headers={**admin, **tag}).status_code == 200
        assert client.patch(url, json={"phone": "0574-80000002"}, headers={**admin, **tag}).status_code == 412
        for _ in range(2):  # the second time changes nothing
            applied = client.post("/api/v1/calendar", json=notice, headers=admin)
            assert applied.status_code == 201, applied.text
    chain = f"organisation:{added.json['id']}"
    assert [one[:2] for one in found] == [
        (chain, "organisation.added"),
        (chain, "organisation.changed"),
        ("calendar", "calendar.changed"),
    ]
    assert [facts for *_, facts in found[:2]] == [{"code": "YX-99"}, {"fields": ["phone"]}]
    assert found[2][3]["last"] == "2026-12-31" and found[2][3]["document_no"] == notice["document_no"]


def test_a_task_given_to_a_colleague_is_kept(place: SimpleNamespace) -> None:
    client = place.app.test_client()
    with place.database.transaction() as session:
        colleague = operations.register(session, name="周新", login="zhou2", password=PASSWORD, now=NOW)
        operations.grant(session, colleague, place.task.role, place.task.organisation_id, now=NOW)
    with adds(place.database) as found:
        given = client.post(
            f"/api/v1/tasks/{place.task.task_id}/reassign",
            json={"person_id": str(colleague.id)},
            headers=header(place, "supervisor"),
        )
        assert given.status_code == 200, given.text
    facts = {"task": str(place.task.task_id), "to": str(colleague.id)}
    assert [(one[0], one[1], one[3]) for one in found] == [(f"case:{place.case.id}", "task.reassigned", facts)]


def test_answers_are_left_to_the_chain_of_their_case(place: SimpleNamespace) -> None:
    """What the engine keeps is not kept twice, and an answer waits for no chain of the audit."""
    writing: list[str] = []

    def seen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        writing.append(statement)

    client, staff = place.app.test_client(), header(place, login_of(place))
    task = client.get(f"/api/v1/tasks/{place.task.task_id}", headers=staff).json
    body = {"form_digest": task["form"]["digest"], "answer": {"identity": "verified"}}
    with adds(place.database) as found:
        event.listen(place.database.writing, "before_cursor_execute", seen)
        answer = client.post(f"/api/v1/tasks/{task['id']}/answer", json=body, headers=staff)
        event.remove(place.database.writing, "before_cursor_execute", seen)
        assert answer.status_code == 200, answer.text
    assert found == []
    assert any("task" in statement for statement in writing)
    assert not any("audit_" in statement for statement in writing)
