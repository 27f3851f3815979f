"""Escalations tell the activity around them; links are flows that are not drawn."""

import pytest

from core.db import Database
from engine import Event
from tests.engine.drawing import Scope, diagram, each, escalation, link
from tests.engine.house import House
from tests.engine.test_checking import codes
from tests.engine.test_elements import only


def inside(code: str = "high") -> Scope:
    return (
        Scope()
        .start("s")
        .user("work")
        .throw("t", escalation(code))
        .user("more")
        .end("e")
        .path("s", "work", "t", "more", "e")
    )


def around(*, interrupting: bool, catches: str = "high", loop: str = "") -> Scope:
    return (
        Scope()
        .start()
        .sub("stage", inside(), loop=loop)
        .boundary("b", "stage", escalation(catches), interrupting=interrupting, outputs={"was": "= escalationCode"})
        .user("supervise")
        .end()
        .end("e2")
        .path("start", "stage", "end")
        .path("b", "supervise", "e2")
    )


def house_of(database: Database, *processes: str) -> House:
    return House(database, diagram(*processes, escalations=("high", "low")))


@pytest.mark.parametrize("catches", ["high", ""])
def test_an_escalation_that_does_not_interrupt_begins_beside_what_goes_on(
    sqlite_database: Database, catches: str
) -> None:
    house = house_of(sqlite_database, around(interrupting=False, catches=catches).process())
    house.start()
    step = only(house.complete("work"))
    assert house.waiting() == ["more", "supervise"] and step.data["was"] == "high"
    house.complete("more")
    assert house.waiting() == ["supervise"]
    house.complete("supervise")
    assert house.instance().state == "completed"


def test_an_escalation_that_interrupts_takes_its_stage_away(sqlite_database: Database) -> None:
    house = house_of(sqlite_database, around(interrupting=True).process())
    house.start()
    only(house.complete("work"))
    assert house.waiting() == ["supervise"]
    house.complete("supervise")
    assert house.instance().state == "completed"


def test_an_escalation_that_nobody_catches_changes_nothing(sqlite_database: Database) -> None:
    house = house_of(sqlite_database, around(interrupting=True, catches="low").process())
    house.start()
    only(house.complete("work"))
    assert house.waiting() == ["more"]
    with sqlite_database.reader() as session:
        event = session.query(Event).where(Event.kind == "escalation.thrown").one()
    assert event.payload == {"code": "high", "caught": ""}


def test_the_very_code_is_caught_before_all_codes_and_inner_before_outer(sqlite_database: Database) -> None:
    stage = (
        Scope()
        .start("s1")
        .sub("inner", inside())
        .boundary("all", "inner", escalation(""), interrupting=False)
        .boundary("code", "inner", escalation("high"), interrupting=False)
        .user("ua")
        .user("uc")
        .end("e1")
        .end("e3")
        .end("e4")
        .path("s1", "inner", "e1")
        .path("all", "ua", "e3")
        .path("code", "uc", "e4")
    )
    outer = (
        Scope()
        .start()
        .sub("stage", stage)
        .boundary("out", "stage", escalation("high"))
        .end()
        .end("e2")
        .path("start", "stage", "end")
        .flow("out", "e2")
    )
    house = house_of(sqlite_database, outer.process())
    house.start()
    only(house.complete("work"))
    assert house.waiting() == ["more", "uc"]


def test_an_escalation_end_event_of_a_called_process_reaches_the_call(sqlite_database: Database) -> None:
    called = Scope().start("s").user("work").end("e", escalation("high")).path("s", "work", "e")
    caller = (
        Scope()
        .start()
        .call("stage", "q")
        .boundary("b", "stage", escalation("high"), interrupting=False)
        .user("after")
        .user("supervise")
        .end()
        .end("e2")
        .path("start", "stage", "after", "end")
        .path("b", "supervise", "e2")
    )
    house = house_of(sqlite_database, caller.process(), called.process("q"))
    house.start()
    only(house.complete("work"))
    assert house.waiting() == ["after", "supervise"]


def test_each_instance_of_a_multi_instance_escalates(sqlite_database: Database) -> None:
    house = house_of(sqlite_database, around(interrupting=False, loop=each("= [1, 2]")).process())
    house.start()
    house.complete("work")
    house.complete("work")
    assert house.waiting() == ["more", "more", "supervise", "supervise"]


def test_the_gate_warns_of_an_escalation_that_nobody_catches_and_of_no_other() -> None:
    def found(*processes: str) -> list[tuple[str, str]]:
        return [f for f in codes(diagram(*processes, escalations=("high", "low"))) if "escalation" in f[1]]

    assert found(around(interrupting=True).process()) == []
    assert found(around(interrupting=True, catches="").process()) == []
    assert found(around(interrupting=True, catches="low").process()) == [("t", "bpmn.escalation_uncaught")]
    caller = Scope().start("s0").call("c0", "p").boundary("b0", "c0", escalation("high")).end("e0").end("e9")
    caller.path("s0", "c0", "e0").flow("b0", "e9")
    assert found(around(interrupting=True, catches="low").process(), caller.process("q")) == []


def test_a_link_goes_on_where_it_arrives(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .xor("which", default="which-t2")
        .throw("t1", link("aside"))
        .throw("t2", link("aside"))
        .catch("c", link("aside"))
        .user("u")
        .end()
        .flow("start", "which")
        .flow("which", "t1", "= n = 1")
        .flow("which", "t2")
        .path("c", "u", "end")
    )
    xml = diagram(drawn.process())
    assert codes(xml) == []
    for n in (1, 2):
        house = House(sqlite_database, xml)
        step = only(house.start(n=n))
        assert step.position == [("p", "u")] and ("p", f"link:t{n}") in step.flows


def test_a_link_does_not_leave_its_sub_process(sqlite_database: Database) -> None:
    inner = Scope().start("s").throw("t", link("out")).end("e").path("s", "t")
    drawn = Scope().start().sub("inner", inner).catch("c", link("out")).end().path("start", "inner", "end")
    drawn.flow("c", "end")
    assert ("t", "bpmn.link_unresolved") in codes(diagram(drawn.process()))
