"""External workers over HTTP: they take jobs, hold them, return them, and wait without holding anybody up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from api.polling import PAUSE, Polls
from core.db import Database
from disputes.audit.models import AuditEvent
from disputes.identity import operations, queries, tokens
from engine import Engine, Incident, Instance, bundles
from tests.engine.drawing import Scope, diagram, error, signal

from .conftest import NOW, ON_BOTH

Ask = Callable[..., Any]


@pytest.fixture
def start(database: Database) -> Callable[..., Any]:
    """start(key): a case that waits for a job; its instance."""
    drawn = Scope().start().service("s", "parcel.track", inputs={"no": "= no"}, outputs={"where": "= where"})
    drawn.boundary("b", "s", error("lost"), outputs={"why": "= errorMessage"}).user("look").end().end("e2")
    drawn.path("start", "s", "end").path("b", "look", "e2")
    waits = Scope().start("s2").catch("w", signal("flood")).user("act").end("e3").path("s2", "w", "act", "e3")
    xml = diagram(drawn.process(), waits.process("q"), errors=("lost",), signals=("flood",))

    def _start(key: str = "case-1", process: str = "p") -> Any:
        with database.transaction() as session:
            bundle = bundles.save(session, {"bpmn/p.bpmn": xml}, now=NOW)
            data = {"no": "SF1", "secret": "不给外部程序看"}
            return (
                Engine(services={})
                .start(session, bundle=bundle, process=process, key=key, data=data, now=NOW, by="t")
                .instance.id
            )

    return _start


@pytest.fixture
def worker(app: Flask, database: Database, organisation: Any) -> Ask:
    """worker(path, **body): what a worker's token may do."""
    return _worker(app, database, organisation, "tracker")


def _worker(app: Flask, database: Database, organisation: Any, login: str) -> Ask:
    with database.transaction() as session:
        person = operations.register(session, login=login, name="快递查询", password="nobody knows it", now=NOW)
        operations.grant(session, person, "worker", organisation.id, now=NOW)
        _, plain = tokens.issue(session, person, name="w", scopes=["job.*"], lasts=timedelta(days=1), now=NOW)
    client = app.test_client()

    def ask(path: str, **body: Any) -> Any:
        return client.post(f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {plain}"})

    return ask


def activate(worker: Ask, name: str = "w1", **more: Any) -> list[dict[str, Any]]:
    answer = worker("/jobs/activate", types=["parcel.track"], worker=name, **more)
    assert answer.status_code == 200, answer.json
    items: list[dict[str, Any]] = answer.json["items"]
    return items


@ON_BOTH
def test_a_worker_takes_a_job_and_returns_it(worker: Ask, start: Callable[..., Any], database: Database) -> None:
    instance = start()
    (job,) = activate(worker)
    assert job["variables"] == {"no": "SF1"}, "nothing but what the mapping names"
    assert (job["type"], job["key"], job["attempt"], job["retries"]) == ("parcel.track", "case-1", 1, 3)
    assert activate(worker) == []
    held = {"worker": "w1", "attempt": 1}
    longer = worker(f"/jobs/{job['id']}/extend", **held, lock_seconds=600)
    assert longer.json["locked_until"] > job["locked_until"]
    done = worker(f"/jobs/{job['id']}/complete", **held, variables={"where": "库房", "kg": 1.5})
    assert (done.status_code, done.json) == (200, {"parked": False})
    with database.reader() as session:
        assert session.get_one(Instance, instance).state == "completed"
        assert Engine(services={}).data(session, instance)["where"] == "库房"
    again = worker(f"/jobs/{job['id']}/complete", **held)
    assert (again.status_code, again.json["code"]) == (409, "job.already_completed")


def test_an_error_and_a_failure_find_their_way(worker: Ask, start: Callable[..., Any], database: Database) -> None:
    start("one")
    start("two")
    one, two = activate(worker)
    held = {"worker": "w1", "attempt": 1}
    thrown = worker(f"/jobs/{one['id']}/error", **held, code="lost", message="不见了")
    assert thrown.json == {"parked": False}
    failed = worker(f"/jobs/{two['id']}/fail", **held, error="busy", retry_after_seconds=60)
    assert failed.json == {"parked": False, "retries": 2}
    assert activate(worker) == [], "not before its pause is over"
    assert worker(f"/jobs/{two['id']}/fail", **held, error="busy").json["code"] == "job.not_held"
    with database.reader() as session:
        assert session.scalars(select(Incident)).all() == []


def test_the_last_failure_leaves_an_incident(worker: Ask, start: Callable[..., Any], database: Database) -> None:
    start()
    (job,) = activate(worker)
    failed = worker(f"/jobs/{job['id']}/fail", worker="w1", attempt=1, error="dead", retries=0)
    assert failed.json == {"parked": True, "retries": 0}
    with database.reader() as session:
        assert session.scalars(select(Incident.message)).one() == "parcel.track: dead"


def test_no_account_speaks_for_the_worker_of_another(
    app: Flask, worker: Ask, start: Callable[..., Any], database: Database, organisation: Any
) -> None:
    start()
    (job,) = activate(worker, "same")
    other = _worker(app, database, organisation, "other")
    refused = other(f"/jobs/{job['id']}/complete", worker="same", attempt=1)
    assert (refused.status_code, refused.json["code"]) == (409, "job.not_held")


def test_only_workers_and_administrators_work(
    app: Flask, client: FlaskClient, sign_in: Callable[..., Any], worker: Ask, start: Callable[..., Any]
) -> None:
    start()
    wanted = {"types": ["parcel.track"], "worker": "w"}
    assert client.post("/api/v1/jobs/activate", json=wanted).status_code == 401
    assert sign_in("somebody").post("/api/v1/jobs/activate", json=wanted).status_code == 403
    assert worker("/signals", signal="flood").status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"types": []},
        {"types": [""]},
        {"types": ["t"] * 51},
        {"limit": 0},
        {"limit": 101},
        {"lock_seconds": 0},
        {"lock_seconds": 10**9},
        {"wait_seconds": 31},
        {"wait_seconds": 1.5},
        {"worker": " "},
        {"more": 1},
    ],
)
def test_nonsense_is_refused(worker: Ask, wrong: dict[str, Any]) -> None:
    answer = worker("/jobs/activate", **{"types": ["t"], "worker": "w", **wrong})
    assert answer.status_code == 422 and answer.mimetype == "application/problem+json"


def test_unknown_jobs_and_wrong_bodies_are_problems(worker: Ask) -> None:
    nowhere = "00000000-0000-0000-0000-000000000000"
    held = {"worker": "w", "attempt": 1}
    for path, body in (
        ("complete", {}),
        ("extend", {}),
        ("fail", {"error": "x"}),
        ("error", {"code": "x"}),
    ):
        answer = worker(f"/jobs/{nowhere}/{path}", **held, **body)
        assert (answer.status_code, answer.json["code"]) == (404, "job.not_found")
        assert worker(f"/jobs/{nowhere}/{path}", **body).status_code == 422


@ON_BOTH
def test_a_worker_that_waits_is_told_when_a_job_comes_and_holds_nobody_up(
    app: Flask, worker: Ask, start: Callable[..., Any], database: Database
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        assert database.reading.pool.checkedout() == database.writing.pool.checkedout() == 0  # type: ignore[attr-defined]
        pauses.append(seconds)
        if len(pauses) == 3:
            start()

    app.extensions["hejie"].polls = Polls(pause=pause)
    assert len(activate(worker, wait_seconds=30)) == 1 and pauses == [PAUSE] * 3
    pauses.clear()
    assert activate(worker, wait_seconds=1) == [] and pauses == [PAUSE] * 2


def test_when_too_many_wait_the_next_one_is_answered_at_once(app: Flask, worker: Ask) -> None:
    waiting, go = threading.Event(), threading.Event()

    def pause(seconds: float) -> None:
        waiting.set()
        assert go.wait(60)

    app.extensions["hejie"].polls = Polls(places=1, pause=pause)
    first = threading.Thread(target=lambda: activate(worker, wait_seconds=1))
    first.start()
    assert waiting.wait(60)
    assert activate(worker, "w2", wait_seconds=30) == []
    go.set()
    first.join(60)
    assert not first.is_alive()


def test_an_administrator_throws_a_signal_to_every_case_that_waits(
    sign_in: Callable[..., Any], organisation: Any, database: Database, start: Callable[..., Any]
) -> None:
    for n in range(2):
        start(f"case-{n}", "q")
    admin = sign_in("boss")
    with database.transaction() as session:
        person = queries.by_login(session, "boss")
        assert person is not None
        operations.grant(session, person, "admin", organisation.id, now=NOW)
    answer = admin.post("/api/v1/signals", json={"signal": "flood", "payload": {"level": 3}})
    assert (answer.status_code, answer.json) == (202, {"receivers": 2})
    with database.reader() as session:
        noted = session.scalars(select(AuditEvent).where(AuditEvent.action == "signal.thrown")).one()
    assert noted.facts == {"signal": "flood", "receivers": 2}
