"""Retry, pass over, give up, correct the data: what becomes of a case that failed."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

import engine
from core.db import Database
from core.refusals import Invalid, NotFound, WrongState
from engine import Incident, Services
from tests.engine.drawing import Scope, diagram, each, error, timer
from tests.engine.house import House
from tests.engine.operators import Operator

DAY = timedelta(days=1)


class Registry:
    """A service that fails as long as it is told to."""

    def __init__(self) -> None:
        self.broken = True
        self.called = 0
        self.services = Services()
        self.services.add("register")(self.register)

    def register(self, call: engine.ServiceCall) -> dict[str, object]:
        self.called += 1
        if self.broken:
            raise RuntimeError("the register does not answer")
        return {"number": 7}


def registering() -> bytes:
    """a (writes n) → register (writes number) → b, with a deadline on a."""
    drawn = Scope().start().user("a", outputs={"n": "= n"})
    drawn.service("register", "register", inputs={"wanted": "= n"}, outputs={"number": "= number"})
    drawn.boundary("late", "a", timer("P1D")).user("b").end()
    return diagram(drawn.path("start", "a", "register", "b", "end").flow("late", "register").process())


def failed(database: Database) -> tuple[House, Operator, Registry]:
    registry = Registry()
    house = House(database, registering(), services=registry.services)
    house.start(amount=12)
    house.complete("a", n=3)
    return house, Operator(house), registry


def test_an_incident_says_what_failed_on_which_element_with_which_data(database: Database) -> None:
    house, operator, _ = failed(database)
    (incident,) = operator.incidents()
    assert (incident.process, incident.element, incident.kind) == ("p", "register", "service")
    assert "the register does not answer" in incident.message
    assert incident.seen is not None
    assert json.loads(incident.seen) == {"case_id": "case-1", "amount": 12, "n": 3, "wanted": 3}
    assert house.data() == {"case_id": "case-1", "amount": 12}, "the case stands where it stood"


def test_the_data_of_an_incident_is_sealed(sqlite_database: Database) -> None:
    failed(sqlite_database)
    with sqlite_database.reading.connect() as connection:
        (raw,) = connection.exec_driver_sql("SELECT seen FROM incident").one()
    assert b"case-1" not in bytes(raw)


def test_retrying_goes_on_where_it_failed(database: Database) -> None:
    house, operator, registry = failed(database)
    operator.of("retry", operator.incidents()[0])
    assert operator.incidents()[0].attempts == 2
    registry.broken = False
    step = operator.of("retry", operator.incidents()[0])
    assert house.waiting() == ["b"] and house.data()["number"] == 7
    assert step.command == "complete" and house.instance().incidents == 0
    (resolved,) = operator.events("incident.resolved")
    assert resolved.by == "person:operator" and resolved.element == "register"
    with pytest.raises(WrongState) as refused:
        operator.of("retry", operator.incidents()[0])
    assert refused.value.code == "incident.already_resolved"


def test_the_failed_element_is_passed_over_with_what_it_would_have_written(database: Database) -> None:
    house, operator, registry = failed(database)
    operator.of("skip_failed", operator.incidents()[0], variables={"number": 99}, reason="登记簿停机")
    assert registry.called == 1
    assert house.waiting() == ["b"]
    assert house.data() == {"case_id": "case-1", "amount": 12, "n": 3, "number": 99}
    (event,) = operator.events("token.skipped")
    assert event.element == "register"
    assert event.payload == {"variables": ["number"], "reason": "登记簿停机"}
    assert operator.incidents()[0].state == "resolved" and house.chain_is_whole()


def test_a_parked_deadline_is_passed_over_too(database: Database) -> None:
    registry = Registry()
    house = House(database, registering(), services=registry.services)
    house.start(n=1)
    house.advance(2 * DAY)
    operator = Operator(house)
    assert len(house.timers("parked")) == 1
    operator.of("skip_failed", operator.incidents()[0], reason="r")
    assert house.waiting() == ["b"] and house.timers("parked") == []


def test_unknown_variables_are_refused_when_passing_over(sqlite_database: Database) -> None:
    _, operator, _ = failed(sqlite_database)
    with pytest.raises(Invalid) as refused:
        operator.of("skip_failed", operator.incidents()[0], variables={"nmber": 1}, reason="r")
    assert "number" in refused.value.fields["nmber"][0]


def test_what_cannot_be_passed_over_is_refused(sqlite_database: Database) -> None:
    drawn = Scope().start().user("a", outputs={"n": "= n"}).xor("which").user("b").user("c").end()
    drawn.path("start", "a", "which").flow("which", "b", "= n = 1").flow("which", "c", "= n = 2")
    house = House(sqlite_database, diagram(drawn.flow("b", "end").flow("c", "end").process()))
    house.start()
    house.complete("a", n=3)
    operator = Operator(house)
    (incident,) = operator.incidents()
    assert incident.kind == "gateway" and json.loads(incident.seen or "")["n"] == 3
    with pytest.raises(WrongState) as refused:
        operator.of("skip_failed", incident, reason="r")
    assert refused.value.code == "repair.cannot_pass"
    operator.move("a", "c")
    assert house.waiting() == ["c"] and operator.incidents()[0].state == "void"


def test_an_answer_that_failed_is_given_up_and_answered_again(database: Database) -> None:
    house, operator, registry = failed(database)
    operator.of("void", operator.incidents()[0], reason="改由当事人重新提交")
    assert house.instance().incidents == 0 and operator.incidents()[0].state == "void"
    (event,) = operator.events("incident.voided")
    assert event.payload is not None and event.payload["reason"] == "改由当事人重新提交"
    registry.broken = False
    house.complete("a", n=4)
    assert house.data()["n"] == 4


def test_a_deadline_that_failed_is_given_up_and_never_fires(database: Database) -> None:
    registry = Registry()
    house = House(database, registering(), services=registry.services)
    house.start(n=1)
    house.advance(2 * DAY)
    operator = Operator(house)
    step = operator.of("void", operator.incidents()[0], reason="r")
    assert [t.element for t in step.dropped] == ["late"]
    assert [t.state for t in step.dropped] == ["dropped"] and house.waiting() == ["a"]
    assert house.instance().incidents == 0


@pytest.mark.parametrize("what", ["start", "catch"])
def test_what_the_case_waits_for_alone_is_not_given_up(sqlite_database: Database, what: str) -> None:
    registry = Registry()
    drawn = Scope().start()
    if what == "catch":
        drawn.catch("pause", timer("P1D")).path("start", "pause", "register")
    else:
        drawn.flow("start", "register")
    drawn.service("register", "register").end().flow("register", "end")
    house = House(sqlite_database, diagram(drawn.process()), services=registry.services)
    house.start()
    house.advance(2 * DAY)
    operator = Operator(house)
    with pytest.raises(WrongState) as refused:
        operator.of("void", operator.incidents()[0], reason="r")
    assert refused.value.code == "incident.needed"
    if what == "start":
        operator("cancel")
        assert house.instance().state == "cancelled" and operator.incidents()[0].state == "void"
    else:
        operator.of("skip_failed", operator.incidents()[0], reason="r")
        assert house.instance().state == "completed" and operator.incidents()[0].state == "resolved"


def test_there_is_no_such_incident(sqlite_database: Database) -> None:
    house, operator, _ = failed(sqlite_database)
    with pytest.raises(NotFound):
        operator.of("retry", Incident(id=house.instance().id))


def test_correcting_the_data_lets_an_expression_through(database: Database) -> None:
    drawn = Scope().start().user("a").script("sum", "= amount / parts", "share").user("b").end()
    house = House(database, diagram(drawn.path("start", "a", "sum", "b", "end").process()))
    house.start(amount=12, on=date(2026, 3, 1))
    operator = Operator(house)
    step = operator("set_data", changes={"parts": 4, "amount": 20}, reason="漏填")
    assert step.command == "set_data"
    (event,) = operator.events("data.edited")
    assert event.payload == {
        "before": {"parts": None, "amount": 12},
        "after": {"parts": 4, "amount": 20},
        "reason": "漏填",
    }
    house.complete("a")
    assert house.data()["share"] == 5


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"case_id": "x"}, "fixed"),
        ({"amuont": 1}, "amount"),
        ({"unheard": 1}, "knows no"),
        ({"amount": "twelve"}, "does not fit"),
        ({"on": "2026-03-01"}, "does not fit"),
        ({"amount": object()}, "cannot be kept"),
        ({}, "nothing"),
    ],
)
def test_data_that_does_not_fit_is_refused(
    sqlite_database: Database, changes: dict[str, object], word: str
) -> None:
    drawn = Scope().start().user("a").script("sum", "= amount", "share").user("b").end()
    house = House(sqlite_database, diagram(drawn.path("start", "a", "sum", "b", "end").process()))
    house.start(amount=12, on=date(2026, 3, 1))
    operator = Operator(house)
    with pytest.raises(Invalid) as refused:
        operator("set_data", changes=changes)
    assert word in " ".join(f for faults in refused.value.fields.values() for f in faults)
    assert house.data()["amount"] == 12 and operator.events("data.edited") == []


def test_null_fits_everywhere_and_everything_fits_null(sqlite_database: Database) -> None:
    house, operator, _ = failed(sqlite_database)
    operator("set_data", changes={"n": None})
    operator("set_data", changes={"n": "text", "amount": None})
    assert house.data()["n"] == "text" and house.data()["amount"] is None


def test_too_much_data_is_refused_and_nothing_changes(sqlite_database: Database) -> None:
    house, operator, _ = failed(sqlite_database)
    with pytest.raises(WrongState) as refused:
        operator("set_data", changes={"n": "x" * 20_000})
    assert refused.value.code == "repair.failed"
    assert "n" not in house.data() and len(operator.incidents()) == 1


def test_data_of_a_called_process_is_corrected_where_its_token_sees_it(sqlite_database: Database) -> None:
    inner = Scope().start("s").user("ask").script("add", "= depth + 1", "deeper").end("e")
    inner.path("s", "ask", "add", "e")
    outer = Scope().start().call("call", "q").end().path("start", "call", "end")
    house = House(sqlite_database, diagram(outer.process(), inner.process("q")))
    house.start(depth=1)
    operator = Operator(house)
    (token,) = operator.at("ask")
    operator("set_data", changes={"depth": 5}, token=token)
    assert house.data()["depth"] == 1
    house.complete("ask")
    assert house.data()["deeper"] == 6


def test_a_deadline_that_rests_on_the_data_moves_with_it(sqlite_database: Database) -> None:
    drawn = Scope().start().user("a").boundary("late", "a", timer("= limit_at", "timeDate")).end().end("lapsed")
    house = House(sqlite_database, diagram(drawn.path("start", "a", "end").flow("late", "lapsed").process()))
    house.start(limit_at=house.now + DAY)
    Operator(house)("set_data", changes={"limit_at": house.now + 5 * DAY})
    assert house.timers()[0].due_at == house.now + 5 * DAY


def test_skipping_a_task_goes_on_behind_it(database: Database) -> None:
    house = House(database, registering(), services=Registry().services)
    house.start()
    operator = Operator(house)
    with pytest.raises(WrongState) as refused:
        operator.skip("a", variables={"n": 1})
    assert refused.value.code == "repair.failed" and refused.value.facts["element"] == "register"
    assert operator.incidents() == [] and house.waiting() == ["a"], "an operator's failure changes nothing"


def test_a_skipped_task_is_cancelled_and_its_deadline_dropped(database: Database) -> None:
    registry = Registry()
    registry.broken = False
    house = House(database, registering(), services=registry.services)
    house.start()
    operator = Operator(house)
    step = operator.skip("a", variables={"n": 1}, reason="纸质答复")
    assert [t.element for t in step.cancelled] == ["a"] and [t.element for t in step.dropped] == ["late"]
    assert house.waiting() == ["b"] and house.data()["n"] == 1 and house.data()["number"] == 7
    (event,) = operator.events("token.skipped")
    assert event.payload == {"variables": ["n"], "reason": "纸质答复"}


def test_skipping_a_sub_process_or_a_multi_instance_takes_all_of_it_away(sqlite_database: Database) -> None:
    inside = Scope().start("s").user("in").end("e").path("s", "in", "e")
    drawn = Scope().start().sub("sub", inside).user("many", loop=each("= [1, 2, 3]")).end()
    house = House(sqlite_database, diagram(drawn.path("start", "sub", "many", "end").process()))
    house.start()
    operator = Operator(house)
    operator.skip("sub")
    assert house.waiting() == ["many"] * 3
    operator.skip("many")
    assert house.instance().state == "completed" and house.tasks() == []


def test_skipping_a_job_cancels_it(sqlite_database: Database) -> None:
    drawn = Scope().start().service("outside", "somebody.does", inner="").boundary("no", "outside", error("E"))
    drawn.user("b").end().path("start", "outside", "b", "end").flow("no", "end")
    house = House(sqlite_database, diagram(drawn.process(), errors=("E",)))
    house.start()
    Operator(house).skip("outside")
    assert house.waiting() == ["b"]
