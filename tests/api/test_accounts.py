"""Signing in, tokens, forgery, and who may do what."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.db import Database
from disputes.identity import operations, queries

from .conftest import NOW, ON_BOTH, PASSWORD, Caller


def test_somebody_signs_in_and_out(sign_in: Callable[..., Caller]) -> None:
    caller = sign_in("qian")
    assert caller.get("/api/v1/me").json == {
        "id": caller.person["id"],
        "language": "zh",
        "name": "钱多多",
        "roles": [],
    }
    assert caller.delete("/api/v1/sessions/current").status_code == 204
    assert caller.get("/api/v1/me").status_code == 401


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(app: Flask, register: Callable[..., Any]) -> None:
    register("qian")
    answer = app.test_client().post("/api/v1/sessions", json={"login": "qian", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    "body", [{"login": "qian", "password": "wrong"}, {"login": "nobody-at-all", "password": PASSWORD}]
)
def test_a_failed_sign_in_does_not_say_why(client: FlaskClient, register: Callable[..., Any], body: Any) -> None:
    register("qian")
    answer = client.post("/api/v1/sessions", json=body)
    assert answer.status_code == 403 and answer.json["code"] == "identity.sign_in_failed"


@ON_BOTH
def test_guessing_is_slowed_even_for_the_right_password(client: FlaskClient, register: Callable[..., Any]) -> None:
    register("qian")
    for _ in range(6):
        client.post("/api/v1/sessions", json={"login": "qian", "password": "wrong"})
    answer = client.post("/api/v1/sessions", json={"login": "qian", "password": PASSWORD})
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0


def test_without_sign_in_a_program_is_told_how(client: FlaskClient) -> None:
    answer = client.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.mimetype == "application/problem+json"


def test_a_cookie_alone_changes_nothing(sign_in: Callable[..., Caller]) -> None:
    caller = sign_in()
    answer = caller.client.post("/api/v1/tokens", json={"name": "x", "scopes": ["task.*"]})
    assert answer.status_code == 400 and "CSRF" in answer.json["detail"]


def test_changing_the_password_ends_every_session(sign_in: Callable[..., Caller], database: Database) -> None:
    caller = sign_in("qian")
    with database.transaction() as session:
        person = queries.by_login(session, "qian")
        assert person is not None
        operations.set_password(session, person, "another battery staple")
    assert caller.get("/api/v1/me").status_code == 401


def token_of(caller: Caller, *scopes: str) -> dict[str, str]:
    answer = caller.post("/api/v1/tokens", json={"name": "program", "scopes": list(scopes), "lasts_days": 1})
    assert answer.status_code == 201, answer.json
    return {"Authorization": f"Bearer {answer.json['token']}"}


@ON_BOTH
def test_a_token_acts_without_cookie_and_within_its_scopes(
    sign_in: Callable[..., Caller], client: FlaskClient
) -> None:
    token = token_of(sign_in(), "account.read")
    assert client.get("/api/v1/me", headers=token).status_code == 200
    assert client.get("/api/v1/tokens", headers=token).status_code == 403


def test_a_token_cannot_make_a_token(sign_in: Callable[..., Caller], client: FlaskClient) -> None:
    token = token_of(sign_in(), "token.*")
    answer = client.post("/api/v1/tokens", headers=token, json={"name": "x", "scopes": ["task.*"]})
    assert answer.status_code == 403


def test_a_revoked_token_is_refused(sign_in: Callable[..., Caller], client: FlaskClient) -> None:
    caller = sign_in()
    token = token_of(caller, "account.read")
    listed = caller.get("/api/v1/tokens").json["items"]
    assert [item["name"] for item in listed] == ["program"] and "token" not in listed[0]
    assert caller.delete(f"/api/v1/tokens/{listed[0]['id']}").status_code == 204
    assert client.get("/api/v1/me", headers=token).status_code == 401


def test_somebody_elses_token_is_not_mine_to_revoke(sign_in: Callable[..., Caller]) -> None:
    owner, other = sign_in("owner"), sign_in("other")
    token_of(owner, "case.list")
    token_id = owner.get("/api/v1/tokens").json["items"][0]["id"]
    assert other.delete(f"/api/v1/tokens/{token_id}").status_code == 403


def test_a_bad_token_is_refused_even_beside_a_good_cookie(sign_in: Callable[..., Caller]) -> None:
    answer = sign_in().get("/api/v1/me", headers={"Authorization": "Bearer hj_nothing"})
    assert answer.status_code == 401


def test_a_secret_given_again_on_repetition_is_the_same(sign_in: Callable[..., Caller]) -> None:
    caller = sign_in()
    wanted = {"name": "program", "scopes": ["task.*"]}
    key = {"Idempotency-Key": "one"}
    first, again = (caller.post("/api/v1/tokens", json=wanted, headers=key).json["token"] for _ in range(2))
    assert first == again
    assert len(caller.get("/api/v1/tokens").json["items"]) == 1


def test_wrong_fields_are_named(sign_in: Callable[..., Caller]) -> None:
    answer = sign_in().post("/api/v1/tokens", json={"name": 5, "scopes": "x", "extra": 1, "lasts_days": "7"})
    assert answer.status_code == 422
    assert set(answer.json["errors"]) == {"name", "scopes", "extra", "lasts_days"}


@pytest.fixture
def admin(sign_in: Callable[..., Caller], database: Database, organisation: Any, app: Flask) -> Caller:
    """Somebody who administers."""
    caller = sign_in("root")
    with database.transaction() as session:
        person = queries.by_login(session, "root")
        assert person is not None
        operations.grant(session, person, "admin", organisation.id, now=NOW)
    return caller


def test_people_are_the_administrators_business(sign_in: Callable[..., Caller], admin: Caller) -> None:
    assert sign_in("qian").get("/api/v1/people").status_code == 403
    assert admin.get("/api/v1/people").status_code == 200


@ON_BOTH
def test_people_are_read_page_by_page(admin: Caller, register: Callable[..., Any]) -> None:
    for number in range(5):
        register(f"person{number}")
    seen, after = [], ""
    while after is not None:
        page = admin.get("/api/v1/people?limit=2" + (f"&after={after}" if after else "")).json
        seen += [item["login"] for item in page["items"]]
        after = page["next"]
    assert sorted(seen) == sorted(["root", *(f"person{number}" for number in range(5))])


def test_contact_data_stay_masked(admin: Caller) -> None:
    answer = admin.post(
        "/api/v1/people", json={"name": "欧阳小明", "phone": "13800005678", "email": "a@example.com"}
    )
    assert answer.status_code == 201, answer.json
    assert answer.json["phone"] == "138****5678" and answer.json["email"] == "a***@example.com"


@ON_BOTH
def test_of_two_editors_the_second_is_told(admin: Caller, register: Callable[..., Any]) -> None:
    person = register("qian")
    path = f"/api/v1/people/{person.id}"
    etag = admin.get(path).headers["ETag"]
    assert admin.put(f"{path}/active", json={"active": False}, headers={"If-Match": etag}).json["active"] is False
    late = admin.put(f"{path}/active", json={"active": True}, headers={"If-Match": etag})
    assert late.status_code == 412


def test_a_role_is_given_and_taken(admin: Caller, register: Callable[..., Any], organisation: Any) -> None:
    person = register("qian")
    wanted = {"role": "officer", "organisation_id": str(organisation.id)}
    path = f"/api/v1/people/{person.id}/memberships"
    assert admin.post(path, json=wanted).json["roles"] == [wanted]
    assert admin.delete(f"{path}/officer/{organisation.id}").status_code == 204
    assert admin.get(f"/api/v1/people/{person.id}").json["roles"] == []
    assert admin.post(path, json={**wanted, "role": "complainant"}).status_code == 422
