"""One transaction per request, one answer per repeated request, one shape for every refusal."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, jsonify, request
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from api.edge import clock, needs, read_session, write_session
from api.models import Heartbeat, RepeatableAnswer
from api.problems import flat, problem_of
from core.db import Database
from core.refusals import Conflict, Invalid, NotFound, WrongState

from .conftest import NOW, ON_BOTH, Caller


def _write(name: str) -> None:
    session = write_session()
    session.add(Heartbeat(owner=name, started_at=clock(), at=clock()))
    session.flush()


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application with a few views that do one thing each to the transaction."""
    views = Blueprint("probe", __name__, url_prefix="/api/probe")

    @views.post("/write/<name>")
    @needs("service.read")
    def write(name: str) -> Any:
        _write(name)
        return jsonify({"name": name, "moment": clock().isoformat()}), 201

    @views.post("/refuse/<name>")
    @needs("service.read")
    def refuse(name: str) -> Any:
        _write(name)
        raise WrongState("It has ended.", code="probe.ended", found="ended")

    @views.post("/return/<int:status>/<name>")
    @needs("service.read")
    def give(status: int, name: str) -> Any:
        _write(name)
        return jsonify({}), status

    @views.post("/fail/<name>")
    @needs("service.read")
    def fail(name: str) -> Any:
        _write(name)
        raise ZeroDivisionError

    @views.get("/write-in-get")
    @needs("service.read")
    def write_in_get() -> Any:
        write_session()
        return jsonify({})

    @views.get("/count")
    @needs("service.read")
    def count() -> Any:
        return jsonify(read_session().scalar(select(func.count()).select_from(Heartbeat)))

    @views.post("/form")
    @needs("service.read")
    def form() -> Any:
        _write(request.form["name"])
        return jsonify({"files": len(request.files)}), 201

    app.register_blueprint(views)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


def beats(database: Database) -> list[str]:
    with database.reader() as session:
        return sorted(session.scalars(select(Heartbeat.owner)))


@ON_BOTH
def test_an_answer_below_400_commits(client: FlaskClient, database: Database) -> None:
    assert client.post("/api/probe/write/a").status_code == 201
    assert beats(database) == ["a"]


@ON_BOTH
@pytest.mark.parametrize("path", ["/api/probe/refuse/a", "/api/probe/return/422/a", "/api/probe/fail/a"])
def test_everything_else_rolls_back(client: FlaskClient, database: Database, path: str) -> None:
    assert client.post(path).status_code >= 400
    assert beats(database) == []
    assert client.post("/api/probe/write/b").status_code == 201, "the lock of the refused request was let go"


def test_a_get_request_has_no_write_session(client: FlaskClient) -> None:
    answer = client.get("/api/probe/write-in-get")
    assert answer.status_code == 500 and answer.json["code"] == "server.failed"


@ON_BOTH
def test_readers_are_not_held_up_by_a_writer(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        session.add(Heartbeat(owner="held", started_at=NOW, at=NOW))
        session.flush()
        assert client.get("/api/probe/count").json == 0


def test_a_failure_tells_nothing_of_itself(client: FlaskClient) -> None:
    answer = client.post("/api/probe/fail/a")
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert "ZeroDivision" not in answer.text and "Traceback" not in answer.text


def test_a_refusal_states_code_and_facts(client: FlaskClient) -> None:
    assert client.post("/api/probe/refuse/a").json == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "It has ended.",
        "code": "probe.ended",
        "facts": {"found": "ended"},
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("x", code="a.b"), 404, "a.b"),
        (Conflict("x", code="a.b"), 409, "a.b"),
        (Invalid("x", fields={"a": ["b"]}), 422, "input.invalid"),
        (StaleDataError("x"), 409, "state.stale"),
        (DataError("x", {}, Exception()), 422, "input.out_of_range"),
        (OperationalError("x", {}, type("E", (Exception,), {"sqlstate": "40P01"})()), 503, "server.busy"),
        (
            OperationalError("x", {}, type("E", (Exception,), {"sqlite_errorname": "SQLITE_BUSY"})()),
            503,
            "server.busy",
        ),
        (OperationalError("x", {}, Exception()), 500, "server.failed"),
        (KeyError("x"), 500, "server.failed"),
    ],
)
def test_each_exception_is_one_problem(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)


def test_messages_of_nested_fields_are_paths() -> None:
    messages = {"items": {0: {"amount": ["too small"]}}, "_schema": ["wrong"], "name": "missing"}
    assert flat(messages) == {"items.0.amount": ["too small"], "": ["wrong"], "name": ["missing"]}


def test_an_unknown_address_is_a_problem_for_programs_and_a_page_for_browsers(client: FlaskClient) -> None:
    assert client.get("/api/v1/nowhere").mimetype == "application/problem+json"
    page = client.get("/nowhere", headers={"Accept": "text/html"})
    assert page.status_code == 404 and page.mimetype == "text/html"
    assert client.get("/nowhere", headers={"Accept": "application/json"}).mimetype == "application/problem+json"


def test_a_wrong_method_keeps_allow(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/openapi.json")
    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].replace(" ", "").split(","))


def test_a_body_that_is_too_large_is_413(client: FlaskClient, app: Flask) -> None:
    answer = client.post(
        "/api/v1/sessions", json={"login": "x" * app.config["MAX_CONTENT_LENGTH"], "password": "x"}
    )
    assert answer.status_code == 413 and answer.json["code"] == "http.request_entity_too_large"


def test_a_body_of_another_kind_is_415_and_a_broken_one_400(client: FlaskClient) -> None:
    assert client.post("/api/v1/sessions", data="login=x", content_type="text/plain").status_code == 415
    assert client.post("/api/v1/sessions", data="{", content_type="application/json").status_code == 400
    assert client.post("/api/v1/sessions", data="[NaN]", content_type="application/json").status_code == 400


@pytest.mark.parametrize("character", ["\x00", "%00"])
def test_a_nul_character_is_refused(client: FlaskClient, character: str) -> None:
    assert client.post("/api/v1/sessions", json={"login": f"a{character}", "password": "x"}).status_code in (
        403,
        422,
    )
    assert client.get("/api/v1/nowhere?a=%00").status_code == 400


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/healthz", "/api/v1/openapi.json", "/nowhere", "/api/v1/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe-inline" not in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


# -- the same request again ------------------------------------------------------------------------------------


@ON_BOTH
def test_a_repeated_request_has_one_effect_and_one_answer(
    sign_in: Callable[..., Caller], database: Database
) -> None:
    caller = sign_in()
    key = {"Idempotency-Key": "k-1"}
    first = caller.post("/api/probe/write/a", headers=key)
    again = caller.post("/api/probe/write/a", headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    assert beats(database) == ["a"]


def test_the_same_key_for_another_request_is_refused(sign_in: Callable[..., Caller], database: Database) -> None:
    caller = sign_in()
    key = {"Idempotency-Key": "k-1"}
    caller.post("/api/probe/write/a", headers=key)
    answer = caller.post("/api/probe/write/b", headers=key)
    assert answer.status_code == 422 and answer.json["code"] == "idempotency.key_reused"
    assert beats(database) == ["a"]


def test_a_part_of_a_form_without_a_name_is_refused(
    sign_in: Callable[..., Caller], client: FlaskClient, database: Database
) -> None:
    body = (
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
        b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\ny\r\n--b--\r\n'
    )
    headers = {"Idempotency-Key": "k-1", "Content-Type": "multipart/form-data; boundary=b"}
    for somebody in (sign_in(), client):
        assert somebody.post("/api/probe/write/a", headers=headers, data=body).status_code == 400
    assert beats(database) == []


def test_a_key_belongs_to_its_caller(sign_in: Callable[..., Caller], database: Database) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert sign_in("first").post("/api/probe/write/a", headers=key).status_code == 201
    assert sign_in("second").post("/api/probe/write/b", headers=key).status_code == 201
    assert beats(database) == ["a", "b"]


@ON_BOTH
def test_strangers_repeat_themselves_but_share_no_keys(client: FlaskClient, database: Database) -> None:
    key = {"Idempotency-Key": "k-1"}
    first, again = (client.post("/api/probe/write/a", headers=key) for _ in range(2))
    assert first.json == again.json and again.headers["Idempotency-Replayed"] == "true"
    other = client.post("/api/probe/write/b", headers=key)
    assert other.status_code == 201 and "Idempotency-Replayed" not in other.headers
    assert beats(database) == ["a", "b"]


@ON_BOTH
def test_a_refused_request_leaves_its_key_free(sign_in: Callable[..., Caller], database: Database) -> None:
    caller = sign_in()
    key = {"Idempotency-Key": "k-1"}
    assert caller.post("/api/probe/refuse/a", headers=key).status_code == 409
    assert caller.post("/api/probe/refuse/a", headers=key).status_code == 409
    with database.reader() as session:
        assert session.scalar(select(func.count()).select_from(RepeatableAnswer)) == 0


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "纸"])
def test_a_key_that_is_none_is_refused(sign_in: Callable[..., Caller], key: str) -> None:
    answer = sign_in().post("/api/probe/write/a", headers={"Idempotency-Key": key})
    assert answer.status_code == 422 and answer.json["code"] == "idempotency.bad_key"


def test_a_form_is_recognised_whatever_its_boundary(sign_in: Callable[..., Caller], database: Database) -> None:
    import io

    caller = sign_in()
    for _ in range(2):
        data = {"name": "a", "idempotency_key": "k-1", "file": (io.BytesIO(b"photo"), "a.png")}
        assert caller.post("/api/probe/form", data=data).json == {"files": 1}
    assert beats(database) == ["a"]
    other = {"name": "a", "idempotency_key": "k-1", "file": (io.BytesIO(b"another"), "a.png")}
    assert caller.post("/api/probe/form", data=other).status_code == 422


@ON_BOTH
def test_of_many_at_once_with_one_key_one_is_carried_out(
    sign_in: Callable[..., Caller], app: Flask, database: Database
) -> None:
    caller = sign_in()
    cookie = caller.client.get_cookie("hejie_session")
    assert cookie is not None
    answers: list[Any] = []

    def send() -> None:
        client = app.test_client()
        client.set_cookie("hejie_session", cookie.value)
        headers = {"Idempotency-Key": "k-1", "X-CSRFToken": caller.csrf}
        answers.append(client.post("/api/probe/write/a", headers=headers))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.get_data() for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert beats(database) == ["a"]


def test_what_a_stored_answer_says_is_not_readable_in_the_database(
    sign_in: Callable[..., Caller], database: Database
) -> None:
    caller = sign_in()
    caller.post("/api/probe/write/a-name-nobody-else-has", headers={"Idempotency-Key": "k-1"})
    with database.reader() as session:
        body = session.execute(text("SELECT body FROM repeatable_answer")).scalar_one()
    assert b"a-name-nobody-else-has" not in bytes(body)
