"""What operators and Prometheus ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import health, schema_version
from api.models import Heartbeat
from core.db import Database

from .conftest import NOW


def test_a_process_that_lives_says_so(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}


def test_not_ready_says_what_is_missing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_version, "head", lambda: "0009")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "0009" in answer.json["checks"]["schema"] and "hejie worker" in answer.json["checks"]["worker"]


@pytest.mark.parametrize(
    ("silent", "status"), [(timedelta(0), 200), (health.SILENCE, 200), (timedelta(minutes=3), 503)]
)
def test_ready_needs_a_worker_that_was_heard(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch, silent: timedelta, status: int
) -> None:
    monkeypatch.setattr(schema_version, "head", lambda: None)
    with database.transaction() as session:
        session.add(Heartbeat(owner="w", started_at=NOW - silent, at=NOW - silent))
    assert client.get("/readyz").status_code == status


def test_prometheus_reads_requests_steps_and_what_waits(
    client: FlaskClient, talk: Callable[[str], Any], district: Any
) -> None:
    assert talk("consumer").post("/cases", json={"answer": district.filing()}).status_code == 201
    text = client.get("/metrics").text
    assert 'hejie_requests_total{method="POST",route="/api/v1/cases",status="201"}' in text
    assert 'hejie_step_seconds_count{command="start",outcome="done"}' in text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    assert float(figures["hejie_timers_waiting"]) > 0
    assert float(figures["hejie_incidents_open"]) == 0
    assert float(figures['hejie_mails{state="failed"}']) == 0
    assert "hejie_timer_lateness_seconds_count" in figures


def test_figures_are_for_this_machine_and_the_administrator(app: Flask, talk: Callable[[str], Any]) -> None:
    client = app.test_client()
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401, "behind a proxy"
    for login, status in (("officer", 403), ("admin", 200)):
        headers = {**talk(login).headers, "X-Forwarded-For": "203.0.113.9"}
        assert client.get("/metrics", headers=headers).status_code == status
