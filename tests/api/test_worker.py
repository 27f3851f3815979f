"""The worker: nightly jobs run once, beats are heard, one failing turn does not end the work."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api import metrics
from api import worker as workers
from api.models import Heartbeat, JobRun
from api.worker import JOB_LEASE, Nightly, Worker
from core.db import Database
from core.now import CHINA
from core.settings import Settings
from engine import Engine, bundles, jobs
from tests.engine.drawing import Scope, diagram, signal

from .conftest import NOW, ON_BOTH


@pytest.fixture
def new_worker(database: Database, settings: Settings) -> Callable[..., Worker]:
    """new_worker(at=NOW): a worker whose clock stands still."""

    def _new(at: Any = NOW) -> Worker:
        return Worker(database, Engine(services={}), settings, clock=lambda: at)

    return _new


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One nightly job that notes by whom it was run."""
    done: list[str] = []

    def note(worker: Worker, now: Any) -> dict[str, Any]:
        done.append(worker.owner)
        return {"done": 1}

    monkeypatch.setattr(workers, "NIGHTLY", (Nightly("note", note),))
    return done


@ON_BOTH
def test_of_several_workers_one_runs_a_nightly_job(new_worker: Callable[..., Worker], ran: list[str]) -> None:
    several = [new_worker() for _ in range(6)]
    threads = [threading.Thread(target=worker.night) for worker in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ran) == 1
    assert all(worker.night() == [] for worker in several)


def test_a_nightly_job_runs_again_the_next_night(new_worker: Callable[..., Worker], ran: list[str]) -> None:
    assert new_worker().night() == ["note"]
    assert new_worker(NOW + timedelta(days=1)).night() == ["note"]
    assert len(ran) == 2


@ON_BOTH
def test_what_waits_and_what_expired_is_counted(new_worker: Callable[..., Worker], database: Database) -> None:
    drawn = Scope().start().par("g").service("s", "track").catch("w", signal("go")).end().end("e2")
    xml = diagram(drawn.path("start", "g", "s", "end").path("g", "w", "e2").process(), signals=("go",))
    worker = new_worker()
    with database.transaction() as session:
        bundle = bundles.save(session, {"bpmn/p.bpmn": xml}, now=NOW)
        for n in range(3):
            worker.engine.start(session, bundle=bundle, process="p", key=f"c{n}", data={}, now=NOW, by="t")
        jobs.activate(session, ["track"], worker="w", limit=1, lock_for=timedelta(minutes=1), now=NOW)
        worker.engine.publish(session, "m", "k", ttl=timedelta(days=1), now=NOW, by="t")
        worker.engine.throw_signal(session, "go", now=NOW, by="t")
    later = NOW + timedelta(seconds=30)
    with database.reader() as session:
        read = metrics.render(session, now=later).decode()
    for line in (
        'hejie_jobs{state="held",type="track"} 1.0',
        'hejie_jobs{state="waiting",type="track"} 2.0',
        'hejie_jobs_oldest_seconds{type="track"} 30.0',
        "hejie_messages_kept 1.0",
        "hejie_signals_waiting 3.0",
    ):
        assert line in read
    assert worker.bring_signals() == 3 and worker.let_messages_expire() == 0
    assert new_worker(NOW + timedelta(days=1)).let_messages_expire() == 1


def test_before_three_in_the_morning_nothing_runs(new_worker: Callable[..., Worker], ran: list[str]) -> None:
    assert new_worker(NOW.astimezone(CHINA).replace(hour=2, minute=59)).night() == []
    assert new_worker(NOW.astimezone(CHINA).replace(hour=3, minute=0)).night() == ["note"]


def test_the_job_of_a_killed_worker_is_taken_over(
    new_worker: Callable[..., Worker], ran: list[str], database: Database
) -> None:
    with database.transaction() as session:
        slot = NOW.astimezone(CHINA).date().isoformat()
        session.add(JobRun(job="note", slot=slot, owner="killed", started_at=NOW))
    assert new_worker(NOW + JOB_LEASE - timedelta(seconds=1)).night() == []
    assert new_worker(NOW + JOB_LEASE).night() == ["note"]


def test_a_failing_job_is_recorded_and_not_repeated(
    new_worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    def fail(worker: Worker, now: Any) -> dict[str, Any]:
        raise ValueError("no paper in the printer")

    monkeypatch.setattr(workers, "NIGHTLY", (Nightly("fail", fail),))
    assert new_worker().night() == ["fail"]
    assert new_worker().night() == []
    with database.reader() as session:
        run = session.scalars(select(JobRun)).one()
    assert run.failed and run.result == {"error": "ValueError: no paper in the printer"}


def test_what_the_nightly_jobs_are_runs(new_worker: Callable[..., Worker], database: Database) -> None:
    assert new_worker().night() == ["forget_old", "verify_audit", "retention", "anchor"]
    with database.reader() as session:
        assert [run.failed for run in session.scalars(select(JobRun))] == [False, False, False, False]


@ON_BOTH
def test_a_worker_is_heard_while_it_works(new_worker: Callable[..., Worker], database: Database) -> None:
    worker = new_worker()
    worker.beat()
    worker.beat()
    with database.reader() as session:
        assert session.scalars(select(Heartbeat.owner)).all() == [worker.owner]
    worker.stop()
    with database.reader() as session:
        assert session.scalars(select(Heartbeat)).all() == []


def test_a_turn_that_fails_does_not_end_the_work(new_worker: Callable[..., Worker]) -> None:
    turns = []

    def work() -> None:
        turns.append(1)
        raise RuntimeError("this turn fails")

    guarded = new_worker()._guarded(work)
    guarded()
    guarded()
    assert len(turns) == 2
