"""Jobs are offered to one worker at a time, done at least once, and take effect once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from core.db import Database
from core.refusals import Invalid, NotFound, WrongState
from engine import Incident, Instance, Job, Step, jobs
from tests.engine.drawing import Scope, diagram, error, timer
from tests.engine.house import House
from tests.engine.test_elements import only

MINUTE = timedelta(minutes=1)


def drawn(type: str = "track") -> Scope:
    return (
        Scope()
        .start()
        .service("s", type, inputs={"parcel": "= parcel"}, outputs={"where": "= where"})
        .boundary("lost", "s", error("lost"), outputs={"why": "= errorMessage", "depot": "= depot"})
        .boundary("late", "s", timer("P1D"))
        .user("look")
        .end()
        .end("e2")
        .path("start", "s", "end")
        .path("lost", "look", "e2")
        .flow("late", "e2")
    )


def house_of(database: Database, **more: Any) -> House:
    return House(database, diagram(drawn().process(), errors=("lost",)), **more)


def activate(house: House, worker: str = "w1", types: tuple[str, ...] = ("track",), limit: int = 10) -> list[Job]:
    with house.database.transaction() as session:
        return jobs.activate(session, types, worker=worker, limit=limit, lock_for=MINUTE, now=house.now)


def told(house: House, command: Callable[..., Any], job: Job, *more: Any, **named: Any) -> Any:
    """What a worker says of a job that it holds, in a transaction of its own."""
    with house.database.transaction() as session:
        return command(
            session, job.id, *more, worker=job.worker, attempt=job.attempt, now=house.now, by="worker", **named
        )


def test_a_job_is_offered_oldest_first_and_completed_with_its_result(database: Database) -> None:
    house = house_of(database)
    for n in range(3):
        house.start(key=f"case-{n}", parcel=f"P{n}")
        house.now += MINUTE
    first = activate(house, limit=2)
    assert [(job.key, job.inputs, job.attempt) for job in first] == [
        ("case-0", {"parcel": "P0"}, 1),
        ("case-1", {"parcel": "P1"}, 1),
    ]
    assert [job.key for job in activate(house, "w2")] == ["case-2"]
    assert activate(house, "w3") == [] and activate(house, "w3", ("other",)) == []
    step = only(told(house, house.engine.complete_job, first[0], {"where": "depot"}))
    assert (step.ended, step.data["where"]) == ("end", "depot")
    with pytest.raises(WrongState, match="completed"):
        told(house, house.engine.complete_job, first[0], {})


def test_a_lock_that_ran_out_is_offered_again_and_its_first_worker_is_refused(database: Database) -> None:
    house = house_of(database)
    house.start(parcel="P")
    (old,) = activate(house, "same name")
    house.now += MINUTE
    (new,) = activate(house, "same name")
    assert (old.id, old.attempt, new.attempt) == (new.id, 1, 2)
    for command, more in (
        (house.engine.complete_job, ({},)),
        (house.engine.fail_job, ("no",)),
        (house.engine.throw_job, ("lost", "no")),
    ):
        with pytest.raises(WrongState) as refused:
            told(house, command, old, *more)
        assert refused.value.code == "job.not_held"
    assert only(told(house, house.engine.complete_job, new, {"where": "x"})).ended == "end"


def test_a_worker_that_is_late_but_still_holds_the_job_is_heard(database: Database) -> None:
    house = house_of(database)
    house.start(parcel="P")
    (job,) = activate(house)
    house.now += 5 * MINUTE
    assert only(told(house, house.engine.complete_job, job, {"where": "x"})).ended == "end"


def test_a_worker_may_hold_a_job_for_longer(database: Database) -> None:
    house = house_of(database)
    house.start(parcel="P")
    (job,) = activate(house)
    with database.transaction() as session:
        until = jobs.extend(
            session, job.id, worker="w1", attempt=1, lock_for=10 * MINUTE, now=house.now
        ).locked_until
    assert until == house.now + 10 * MINUTE
    house.now += 9 * MINUTE
    assert activate(house, "w2") == []
    house.now += MINUTE
    (taken,) = activate(house, "w2")
    with database.transaction() as session, pytest.raises(WrongState) as refused:
        jobs.extend(session, job.id, worker="w1", attempt=1, lock_for=MINUTE, now=house.now)
    assert refused.value.code == "job.not_held"
    told(house, house.engine.complete_job, taken, {})
    with database.transaction() as session, pytest.raises(WrongState, match="completed"):
        jobs.extend(session, job.id, worker="w2", attempt=2, lock_for=MINUTE, now=house.now)
    with database.transaction() as session, pytest.raises(NotFound):
        jobs.extend(session, house.instance().id, worker="w2", attempt=2, lock_for=MINUTE, now=house.now)


def test_failing_counts_retries_down_waits_and_ends_as_an_incident_that_offers_it_again(database: Database) -> None:
    house = house_of(database)
    house.start(parcel="P")
    for left in (2, 1):
        (job,) = activate(house)
        assert told(house, house.engine.fail_job, job, "busy", retry_at=house.now + MINUTE) is None
        assert activate(house) == []
        house.now += MINUTE
        with database.reader() as session:
            assert session.get_one(Job, job.id).retries == left
    (job,) = activate(house)
    step = told(house, house.engine.fail_job, job, "dead")
    assert step.failed and activate(house) == [] and house.waiting() == ["s"]
    with database.transaction() as session:
        incident = session.scalars(select(Incident)).one()
        assert (incident.kind, incident.element, incident.message) == ("job", "s", "track: dead")
        only(house.engine.retry(session, incident.id, now=house.now, by="op"))
    (job,) = activate(house)
    assert only(told(house, house.engine.complete_job, job, {"where": "x"})).ended == "end"


def test_a_worker_throws_an_error_with_what_belongs_to_it(database: Database) -> None:
    house = house_of(database)
    house.start(parcel="P")
    (job,) = activate(house)
    step = only(told(house, house.engine.throw_job, job, "lost", "gone since May", variables={"depot": 7}))
    assert (step.position, step.data["why"], step.data["depot"]) == ([("p", "look")], "gone since May", 7)


def test_an_error_that_nothing_catches_parks_the_job_and_its_retry_goes_through(database: Database) -> None:
    house = house_of(database)
    house.start(parcel="P")
    (job,) = activate(house)
    step = told(house, house.engine.throw_job, job, "unknown", "?")
    assert step.failed and step.incidents[0].kind == "error_event"
    house.now += MINUTE
    assert activate(house) == [], "it would only be thrown again"
    with database.transaction() as session:
        assert house.engine.retry(session, step.incidents[0].id, now=house.now, by="op").failed


def test_a_deadline_takes_the_job_away_and_its_worker_and_incident_with_it(database: Database) -> None:
    house = house_of(database)
    for key in ("held", "failed"):
        house.start(key=key, parcel="P")
    held, failed = activate(house)
    told(house, house.engine.fail_job, failed, "dead", retries=0)
    assert house.advance(timedelta(days=1)) == ["late", "late"]
    with pytest.raises(WrongState, match="cancelled"):
        told(house, house.engine.complete_job, held, {})
    with database.reader() as session:
        assert session.scalars(select(Incident.state)).one() == "void"
        assert set(session.scalars(select(Instance.incidents))) == {0}
    assert activate(house) == []


def test_jobs_of_a_case_that_does_not_run_are_not_offered(database: Database) -> None:
    house = house_of(database)
    step = house.start(parcel="P")
    with database.transaction() as session:
        session.execute(update(Instance).where(Instance.id == step.instance.id).values(state="suspended"))
        assert not jobs.are_offered(session, ["track"], now=house.now)
    assert activate(house) == []
    with database.transaction() as session:
        session.execute(update(Instance).where(Instance.id == step.instance.id).values(state="running"))
        assert jobs.are_offered(session, ["track"], now=house.now)
    assert len(activate(house)) == 1


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 101}, {"types": ()}, {"types": tuple("abc") * 17}, {"worker": ""}]
)
def test_nonsense_is_refused(sqlite_database: Database, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        activate(house_of(sqlite_database), **wrong)


def test_two_workers_share_the_jobs_and_each_is_done_once(database: Database) -> None:
    house = house_of(database)
    for n in range(30):
        house.start(key=f"case-{n}", parcel="P")
    did: Counter[str] = Counter()
    steps: list[Step] = []

    def work(name: str) -> None:
        while taken := activate(house, name, limit=3):
            for job in taken:
                did[job.key] += 1
                steps.append(told(house, house.engine.complete_job, job, {"where": name}))

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(did) == 30 and set(did.values()) == {1} and {step.ended for step in steps} == {"end"}


def test_a_timer_that_a_listener_fails_is_an_incident_and_holds_up_nobody(database: Database) -> None:
    from engine import timers

    class Bad:
        def step(self, session: object, step: Step) -> None:
            if step.fired and step.instance.key == "bad":
                raise KeyError("ours")

    house = house_of(database, listeners=[Bad()])
    good = [f"good {n}" for n in range(6)]
    for key in (*good[:2], "bad", *good[2:]):
        house.start(key=key, parcel="P")
    house.now += timedelta(days=1)
    assert timers.drain(database, house.engine, owner="w", now=house.now) == len(good)
    assert [t.state for t in house.timers("parked")] == ["parked"]
    house.engine.listeners.clear()
    with database.transaction() as session:
        incident = session.scalars(select(Incident)).one()
        assert (incident.kind, incident.key, incident.message) == ("listener", "bad", "KeyError: 'ours'")
        assert only(house.engine.retry(session, incident.id, now=house.now, by="op")).ended == "e2"


def test_timers_that_fire_together_cost_one_commit(sqlite_database: Database) -> None:
    from engine import timers
    from engine.bench import counting

    house = house_of(sqlite_database)
    for n in range(2 * timers.TOGETHER):
        house.start(key=f"case {n}", parcel="P")
    house.now += timedelta(days=1)
    with counting(sqlite_database.writing) as counted:
        fired = timers.drain(sqlite_database, house.engine, owner="w", now=house.now)
    assert (fired, counted.commits) == (2 * timers.TOGETHER, 3), "one claim, two transactions of effects"
