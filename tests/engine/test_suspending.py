"""A suspended case stands still, and goes on with what was left of its deadlines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

import engine
from core.db import Database
from core.refusals import Refusal, WrongState
from engine import FunctionContext, Services, timers
from tests.engine.drawing import Scope, diagram, message, timer
from tests.engine.house import NOW, House
from tests.engine.operators import Operator

DAY = timedelta(days=1)


def waiting(due: str = "P10D", kind: str = "timeDuration", task_due: str = "") -> bytes:
    """A task with a deadline on it, and a message that takes it away."""
    drawn = (
        Scope()
        .start()
        .user("a", due=task_due)
        .boundary("late", "a", timer(due, kind))
        .boundary("gone", "a", message("gone"))
        .end()
        .end("lapsed")
        .end("withdrawn")
    )
    drawn.path("start", "a", "end").flow("late", "lapsed").flow("gone", "withdrawn")
    return diagram(drawn.process(), messages=("gone",))


def suspended(database: Database, drawn: bytes | None = None, **options: object) -> tuple[House, Operator]:
    house = House(database, drawn or waiting(), **options)
    house.start()
    operator = Operator(house)
    operator("suspend", reason="网络故障")
    return house, operator


def test_nothing_moves_a_suspended_case(database: Database) -> None:
    house, operator = suspended(database)
    for act in (lambda: house.complete("a"), lambda: operator("suspend")):
        with pytest.raises(WrongState) as refused:
            act()
        assert refused.value.code == "instance.suspended"
    assert house.advance(30 * DAY) == []
    assert house.instance().state == "suspended" and [t.element for t in house.tasks()] == ["a"]
    assert [t.wake_at for t in house.timers()] == [None]


@pytest.mark.parametrize("id", [None, "its-id"])
def test_a_message_to_a_suspended_case_waits_until_it_is_resumed(database: Database, id: str | None) -> None:
    house, operator = suspended(database)
    assert house.deliver("gone", message_id=id) is None and house.waiting() == ["a"]
    house.advance(400 * DAY)
    assert operator("resume").messages == ["gone"]
    assert house.instance().ended_element == "withdrawn" and house.chain_is_whole()


def test_a_deadline_keeps_what_was_left_of_it(database: Database) -> None:
    house = House(database, waiting())
    house.start()
    operator = Operator(house)
    house.advance(4 * DAY)
    operator("suspend")
    house.advance(20 * DAY + timedelta(seconds=7))
    operator("resume", reason="修好了")
    (armed,) = house.timers()
    assert armed.due_at == armed.wake_at == NOW + 30 * DAY + timedelta(seconds=7)
    assert house.advance(6 * DAY - timedelta(seconds=1)) == []
    assert house.advance(timedelta(seconds=1)) == ["late"]
    assert house.chain_is_whole()


def test_deadlines_run_on_when_the_operator_says_so(database: Database) -> None:
    house = House(database, waiting())
    house.start()
    operator = Operator(house)
    operator("suspend", keep_remaining=False)
    house.advance(11 * DAY)
    assert house.instance().state == "suspended"
    operator("resume")
    assert house.advance(timedelta()) == ["late"]


def test_two_suspensions_add_up(database: Database) -> None:
    house, operator = suspended(database)
    house.advance(3 * DAY)
    operator("resume")
    house.advance(1 * DAY)
    operator("suspend")
    house.advance(5 * DAY)
    operator("resume")
    assert house.timers()[0].due_at == NOW + 18 * DAY
    assert [(s.ended_at - s.began_at).days for s in operator.suspensions() if s.ended_at] == [3, 5]


@pytest.mark.parametrize(
    ("due", "kind", "moves"),
    [
        ("P10D", "timeDuration", True),
        ("R/P10D", "timeCycle", True),
        ('= now() + duration("P10D")', "timeDate", True),
        ('= duration("P10D")', "timeDate", True),
        ("2026-03-12T09:00:00+08:00", "timeDate", False),
        ("= appointment", "timeDate", False),
    ],
)
def test_what_counts_from_its_arming_moves_and_a_plain_date_stays(
    sqlite_database: Database, due: str, kind: str, moves: bool
) -> None:
    house = House(sqlite_database, waiting(due, kind))
    house.start(appointment=datetime(2026, 3, 12, 1, 0, tzinfo=UTC))
    (before,) = house.timers()
    operator = Operator(house)
    operator("suspend")
    house.advance(2 * DAY)
    operator("resume")
    (after,) = house.timers()
    assert after.due_at - before.due_at == (2 * DAY if moves else timedelta())


def test_the_due_date_of_a_task_moves_too(sqlite_database: Database) -> None:
    house, operator = suspended(sqlite_database, waiting(task_due="P3D"))
    house.advance(2 * DAY)
    step = operator("resume")
    assert house.tasks()[0].due_at == NOW + 5 * DAY
    assert {type(row).__name__ for row in step.moved} == {"Task", "Timer"}


def test_a_noted_moment_is_asked_for_again(sqlite_database: Database) -> None:
    """The function behind it knows what stood still: the engine only asks."""
    at = {"due": NOW + 10 * DAY}

    def functions(context: FunctionContext) -> dict[str, object]:
        def limit() -> datetime:
            context.note({"limit": "X"})
            return at["due"]

        return {"due": limit}

    house = House(sqlite_database, waiting("= due()", "timeDate"), functions=functions, function_names=("due",))
    house.start()
    operator = Operator(house)
    at["due"] = NOW + 900 * DAY
    operator("suspend")
    assert house.timers()[0].due_at == NOW + 900 * DAY
    at["due"] = NOW + 11 * DAY
    house.advance(2 * DAY)
    operator("resume")
    assert house.timers()[0].wake_at == NOW + 11 * DAY


def test_every_suspension_is_in_the_log_with_its_reason(sqlite_database: Database) -> None:
    house, operator = suspended(sqlite_database)
    house.advance(DAY)
    operator("resume", reason="修好了")
    (began,), (ended,) = operator.events("instance.suspended"), operator.events("instance.resumed")
    assert began.payload == {"reason": "网络故障", "keeps_remaining": True} and began.by == "person:operator"
    assert ended.payload is not None and ended.payload["reason"] == "修好了" and ended.payload["seconds"] == 86_400
    assert house.chain_is_whole()


def test_cancelling_ends_the_suspension(database: Database) -> None:
    house, operator = suspended(database)
    operator("cancel")
    assert house.instance().state == "cancelled" and house.tasks() == [] and house.timers() == []
    assert operator.suspensions()[0].ended_at == house.now


COMMANDS = {
    "suspend": lambda o: o("suspend"),
    "resume": lambda o: o("resume"),
    "cancel": lambda o: o("cancel"),
    "set_data": lambda o: o("set_data", changes={"n": 2}),
    "move": lambda o: o("move", tokens=o.at("a") or [1], to=("p", "b")),
    "skip": lambda o: o("skip", token=(o.at("a") or [1])[0]),
    "complete": lambda o: o.house.complete("a"),
}
ALLOWED = {
    "running": {"suspend", "cancel", "set_data", "move", "skip", "complete"},
    "suspended": {"resume", "cancel", "set_data", "move", "skip"},
    "completed": set(),
    "cancelled": set(),
}


@pytest.mark.parametrize(
    ("command", "state"),
    # Of a case that has ended there is no task to complete.
    [(c, s) for c in COMMANDS for s in ALLOWED if c != "complete" or s in ("running", "suspended")],
)
def test_every_command_in_every_state(sqlite_database: Database, command: str, state: str) -> None:
    drawn = Scope().start().user("a", outputs={"n": "= n"}).user("b").end()
    house = House(sqlite_database, diagram(drawn.path("start", "a", "b", "end").process()))
    house.start(n=1)
    operator = Operator(house)
    if state == "suspended":
        operator("suspend")
    elif state == "cancelled":
        operator("cancel")
    elif state == "completed":
        house.complete("a")
        house.complete("b")
    before = house.instance()
    if command in ALLOWED[state]:
        COMMANDS[command](operator)
        assert house.instance().event_count > before.event_count
    else:
        with pytest.raises(Refusal) as refused:
            COMMANDS[command](operator)
        assert refused.value.code in (f"instance.already_{state}", "instance.suspended", "instance.not_suspended")
        assert house.instance().event_count == before.event_count
    assert house.chain_is_whole()


def test_suspending_races_an_answer_and_one_wins(database: Database) -> None:
    for _ in range(6):
        house = House(database, waiting())
        step = house.start(key="race")
        task = next(iter(step.opened)).id
        barrier, outcome = Barrier(2), {}

        def answer(task=task, barrier=barrier, outcome=outcome, house=house) -> None:
            barrier.wait()
            try:
                with database.transaction() as session:
                    house.engine.complete(session, task, {}, now=NOW, by="person:a")
                outcome["answer"] = "done"
            except Refusal as refused:
                outcome["answer"] = refused.code

        def suspend(instance=step.instance.id, barrier=barrier, outcome=outcome, house=house) -> None:
            barrier.wait()
            try:
                with database.transaction() as session:
                    house.engine.suspend(session, instance, reason="r", now=NOW, by="person:o")
                outcome["suspend"] = "done"
            except Refusal as refused:
                outcome["suspend"] = refused.code

        both = [Thread(target=answer), Thread(target=suspend)]
        [thread.start() for thread in both]
        [thread.join() for thread in both]
        assert sorted(outcome.values()) in (
            ["done", "instance.already_completed"],
            ["done", "instance.suspended"],
        ), outcome
        with database.transaction() as session:
            if outcome["suspend"] == "done":
                house.engine.cancel(session, step.instance.id, reason="r", now=NOW, by="t")


def test_a_worker_that_has_claimed_a_timer_finds_the_case_suspended(database: Database) -> None:
    house = House(database, waiting())
    house.start()
    house.now = NOW + 10 * DAY
    (claimed,) = timers.claim(database, owner="w", now=house.now)
    operator = Operator(house)
    operator("suspend")
    assert timers.fire(database, house.engine, claimed, owner="w", now=house.now) is None
    house.now += DAY
    assert timers.claim(database, owner="w", now=house.now + DAY) == []
    operator("resume")
    assert house.timers()[0].due_at == NOW + 11 * DAY
    assert house.advance(timedelta()) == ["late"]


def test_a_timer_armed_while_the_case_stands_still_waits_for_it(sqlite_database: Database) -> None:
    drawn = Scope().start().user("a").user("b").boundary("late", "b", timer("P1D")).end().end("lapsed")
    drawn.path("start", "a", "b", "end").flow("late", "lapsed")
    house, operator = suspended(sqlite_database, diagram(drawn.process()))
    house.advance(DAY)
    operator.move("a", "b")
    assert house.advance(5 * DAY) == []
    operator("resume")
    assert house.timers()[0].due_at == house.now + DAY, "it has the whole day before it"


def test_one_failing_case_holds_up_nobody(sqlite_database: Database) -> None:
    """A thousand cases with a deadline at one moment, one of which fails: the others go on."""
    services = Services()

    @services.add("lapse")
    def lapse(call: engine.ServiceCall) -> dict[str, object]:
        if call.key == "case-500":
            raise RuntimeError("the register does not answer")
        return {}

    drawn = Scope().start().user("a").boundary("late", "a", timer("P1D")).service("lapse", "lapse").end()
    drawn.path("start", "a", "end").path("late", "lapse").flow("lapse", "end")
    house = House(sqlite_database, diagram(drawn.process()), services=services)
    with sqlite_database.transaction() as session:
        for number in range(1000):
            house.engine.start(
                session, bundle=house.bundle, process="p", key=f"case-{number}", data={}, now=NOW, by="t"
            )
    fired = timers.drain(sqlite_database, house.engine, owner="w", now=NOW + DAY)
    assert fired == 1000
    (incident,) = Operator(house).incidents()
    assert (incident.key, incident.element) == ("case-500", "lapse")
    assert len(house.tasks()) == 1 and len(house.timers("parked")) == 1
