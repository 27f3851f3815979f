"""The engine's part of the deploy gate: each thing that it would not run correctly, refused by name."""

import re

import pytest

from engine import Catalogue, check
from tests.engine.drawing import (
    HEAD,
    Scope,
    diagram,
    each,
    error,
    escalation,
    link,
    message,
    timer,
)

CATALOGUE = Catalogue(
    forms={"f": {"choice": "select", "on": "date"}},
    roles={"officer", "supervisor"},
    services={"known"},
    time_limits={"C01"},
)
NAMED = Catalogue(**{**CATALOGUE.__dict__, "data": ("amount",)})
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def drawn() -> Scope:
    return Scope().start().user("a").end().path("start", "a", "end")


def codes(xml: bytes, catalogue: Catalogue = CATALOGUE) -> list[tuple[str, str]]:
    findings = check({"bpmn/p.bpmn": xml}, catalogue)
    for finding in findings:
        assert CHINESE.search(finding.zh), finding
        assert finding.en and not CHINESE.search(finding.en), finding
        assert finding.file == "bpmn/p.bpmn"
    return [(finding.element, finding.code) for finding in findings]


def test_a_good_diagram_has_no_findings() -> None:
    good = (
        drawn()
        .boundary("late", "a", timer('= due("C01", received_at)', "timeDate"))
        .xor("g", default="g-e1")
        .end("e1")
        .end("e2")
        .flow("late", "g")
        .flow("g", "e1")
        .flow("g", "e2", '= amount > 10 and choice = "x"')
    )
    assert codes(diagram(good.process())) == []


@pytest.mark.parametrize(
    ("expected", "scope"),
    [
        (
            ("inner", "bpmn.event_sub_process"),
            drawn().sub("inner", Scope().start("s").end("e").path("s", "e"), triggeredByEvent="true"),
        ),
        (("t", "bpmn.link_unresolved"), drawn().throw("t", link("away")).flow("start", "t")),
        (("c2", "bpmn.link_twice"), drawn().catch("c1", link("away")).catch("c2", link("away"))),
        (("c", "bpmn.unreachable"), drawn().catch("c", link("away")).flow("c", "a")),
        (("t", "bpmn.link_and_flow"), drawn().throw("t", link("on")).catch("c", link("on")).path("start", "t", "end")),
        (("c", "bpmn.link_and_flow"), drawn().throw("t", link("on")).catch("c", link("on")).path("start", "c", "end")),
        (("t", "bpmn.compensation"), drawn().throw("t", "<bpmn:compensateEventDefinition />")),
        (("t", "bpmn.compensation"), drawn().node("task", "t", isForCompensation="true")),
        (("t", "bpmn.escalation_unresolved"), drawn().throw("t", escalation(""))),
        (("t", "bpmn.escalation_uncaught"), drawn().throw("t", escalation("high")).path("start", "t", "a")),
        (("b", "bpmn.escalation_host"), drawn().boundary("b", "a", escalation("high"))),
        (("t", "bpmn.event_gateway_target"), drawn().events("t").catch("c", link("on")).flow("t", "c")),
        (("t", "bpmn.conditional_event"), drawn().catch("t", "<bpmn:conditionalEventDefinition />")),
        (("t", "bpmn.transaction"), drawn().node("transaction", "t")),
        (("t", "bpmn.ad_hoc"), drawn().node("adHocSubProcess", "t")),
        (("t", "bpmn.complex_gateway"), drawn().node("complexGateway", "t")),
        (
            ("t", "bpmn.two_timers"),
            drawn().events("t").catch("c1", timer("P1D")).catch("c2", timer("P2D")).flow("t", "c1").flow("t", "c2"),
        ),
        (("t", "bpmn.event_gateway_target"), drawn().events("t").end("e1").flow("t", "e1")),
        (("x-e1", "bpmn.condition_on_flow"), drawn().user("x").end("e1").flow("x", "e1", "= true")),
        (("x-e1", "bpmn.condition_on_flow"), drawn().par("x").end("e1").flow("x", "e1", "= true")),
        (("x-e1", "bpmn.flow_without_condition"), drawn().xor("x").end("e1").end("e2").flow("x", "e1").flow("x", "e2")),
        (("x", "bpmn.default_flow"), drawn().xor("x", default="elsewhere")),
        (("t", "bpmn.standard_loop"), drawn().node("task", "t", "<bpmn:standardLoopCharacteristics />")),
        (("t", "bpmn.loop_output"), drawn().user("t", loop=each("= [1]", output="all", sequential=True))),
        (("t", "bpmn.loop_without_collection"), drawn().user("t", loop="<bpmn:multiInstanceLoopCharacteristics />")),
        (("p", "bpmn.one_start"), drawn().start("second")),
        (("inner", "bpmn.one_start"), drawn().sub("inner", Scope().end("e"))),
        (("inner", "bpmn.no_end"), drawn().sub("inner", Scope().start("s"))),
        (("s2", "bpmn.start_trigger"), drawn().node("startEvent", "s2", timer("P1D"))),
        (("t", "bpmn.several_triggers"), drawn().catch("t", timer("P1D") + message("m"))),
        (("t", "bpmn.unreachable"), drawn().user("t")),
        (("t", "bpmn.dead_end"), drawn().user("t").flow("start", "t")),
        (("t", "bpmn.timer_text"), drawn().catch("t", timer("3 days"))),
        (("t", "bpmn.timer_text"), drawn().catch("t", timer("2026-10-01T00:00:00", "timeDate"))),
        (("t", "bpmn.timer_text"), drawn().catch("t", timer("R/3", "timeCycle"))),
        (("t", "bpmn.timer_empty"), drawn().catch("t", "<bpmn:timerEventDefinition />")),
        (("t", "bpmn.message_unresolved"), drawn().catch("t", '<bpmn:messageEventDefinition messageRef="gone" />')),
        (("t", "bpmn.error_unresolved"), drawn().end("t", error("gone"))),
        (("b", "bpmn.cycle_interrupts"), drawn().boundary("b", "a", timer("R/P1D", "timeCycle"))),
        (("b", "bpmn.error_interrupts"), drawn().boundary("b", "a", error(""), interrupting=False)),
        (("b", "bpmn.boundary_host"), drawn().boundary("b", "end", timer("P1D"))),
        (("b", "bpmn.boundary_loose"), drawn().boundary("b", "gone", timer("P1D"))),
        (("b", "bpmn.boundary_without_trigger"), drawn().boundary("b", "a", "")),
        (("t", "bpmn.no_form"), drawn().user("t", form="")),
        (("t", "bpmn.unknown_form"), drawn().user("t", form="gone")),
        (("t", "bpmn.no_role"), drawn().user("t", groups="")),
        (("t", "bpmn.unknown_role"), drawn().user("t", groups="officer,wizard")),
        (("t", "bpmn.unknown_service"), drawn().service("t", "gone")),
        (("t", "bpmn.no_service"), drawn().service("t", "")),
        (("t", "bpmn.no_service"), drawn().end("t", message("m"))),
        (("t", "bpmn.unknown_decision"), drawn().rule("t", "gone", "x")),
        (("t", "bpmn.no_result_variable"), drawn().rule("t", "gone", "")),
        (("t", "bpmn.unknown_process"), drawn().call("t", "gone")),
        (("t", "bpmn.recursive_call"), drawn().call("t", "p")),
        (("t", "bpmn.script"), drawn().node("scriptTask", "t", "<bpmn:script>import os</bpmn:script>")),
        (("t", "bpmn.variable_name"), drawn().user("t", outputs={"two words": "= choice"})),
        (("t", "feel.syntax"), drawn().user("t", groups="= [")),
        (("t", "feel.syntax"), drawn().user("t", due="= due(")),
        (("x-e1", "feel.syntax"), drawn().xor("x").end("e1").end("e2").flow("x", "e1", "= a >").flow("x", "e2", "= b")),
        (("t", "limit.unknown"), drawn().user("t", due='= due("C99", received_at)')),
        (("t", "limit.no_start"), drawn().user("t", due='= due("C01")')),
        (("start-a", "bpmn.duplicate_id"), drawn().flow("start", "a")),
        (("a-gone", "bpmn.flow_loose"), drawn().flow("a", "gone")),
        (("x", "bpmn.unknown_element"), drawn().node("choreographyTask", "x")),
    ],
)  # fmt: skip
def test_what_the_engine_would_not_run_is_refused_by_name(expected: tuple[str, str], scope: Scope) -> None:
    assert expected in codes(diagram(scope.process(), messages=("m",), escalations=("high",)))


@pytest.mark.parametrize(
    "scope",
    [
        drawn().xor("x").end("e1").end("e2").flow("x", "e1", "= ammount > 1").flow("x", "e2", "= amount < 1"),
        drawn().user("t", outputs={"picked": "= choise"}),
        drawn().user("t", due="= due(\"C01\", recieved_at)"),
    ],
)  # fmt: skip
def test_a_name_that_does_not_exist_is_found_when_the_names_are_known(scope: Scope) -> None:
    assert "feel.name" in [code for _, code in codes(diagram(scope.process()), NAMED)]


def test_a_message_needs_a_correlation_key() -> None:
    scope = drawn().catch("t", message("m"))
    xml = diagram(scope.process(), messages=("m",)).replace(b'correlationKey="= case_id"', b"")
    assert ("t", "bpmn.no_correlation_key") in codes(xml)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"not xml",
        b"<a/>",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        (HEAD + "</bpmn:definitions>").encode(),
        (HEAD + "<bpmn:process /></bpmn:definitions>").encode(),
        diagram(drawn().process())[:-300],
        diagram(Scope().node("boundaryEvent", "").node("userTask", "").process()),
    ],
)
def test_what_cannot_be_read_is_a_finding_and_never_a_traceback(xml: bytes) -> None:
    assert codes(xml)


def test_two_files_cannot_draw_the_same_process() -> None:
    xml = diagram(drawn().process())
    findings = check({"bpmn/a.bpmn": xml, "bpmn/b.bpmn": xml}, CATALOGUE)
    assert [(f.file, f.element, f.code) for f in findings] == [("bpmn/b.bpmn", "p", "bpmn.duplicate_process")]


def test_a_broken_decision_table_is_a_finding() -> None:
    findings = check({"dmn/d.dmn": b"<definitions/>"}, CATALOGUE)
    assert findings and findings[0].file == "dmn/d.dmn" and findings[0].code.startswith("dmn.")
