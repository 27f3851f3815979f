"""The law's conflict checks: each conflict is found where it is drawn, and the lawful drawing passes."""

from datetime import date
from pathlib import Path

import pytest

from disputes.releases.law import ACTS, law_findings
from disputes.timelimits.limits import load_limits
from engine.diagram import read
from tests.engine.drawing import Scope, attributes, diagram, timer

TODAY = date(2026, 11, 22)
LIMITS = load_limits(Path("workflows/time_limits.yaml").read_bytes())


def lanes(**members: str) -> str:
    inside = "".join(
        f"<bpmn:lane{attributes(id=f'lane_{name}', name=name)}>"
        + "".join(f"<bpmn:flowNodeRef>{id}</bpmn:flowNodeRef>" for id in ids.split())
        + "</bpmn:lane>"
        for name, ids in members.items()
    )
    return f'<bpmn:laneSet id="lanes">{inside}</bpmn:laneSet>'


def marked(scope: Scope, act: str) -> Scope:
    """The element drawn last does something under the law."""
    property = f'<zeebe:properties><zeebe:property name="law" value="{act}" /></zeebe:properties>'
    last = scope.parts[-1]
    assert "</bpmn:extensionElements>" in last
    scope.parts[-1] = last.replace("</bpmn:extensionElements>", f"{property}</bpmn:extensionElements>", 1)
    return scope


def codes(*processes: str) -> list[tuple[str, str]]:
    reading = read(diagram(*processes), "bpmn/p.bpmn")
    assert reading.findings == ()
    findings = list(law_findings(reading.processes, LIMITS, today=TODAY))
    assert all(f.zh and f.en for f in findings)
    return [(f.code, f.element) for f in findings]


def deciding(condition: str) -> str:
    """A process that calls one that refuses or accepts, and mediates on a condition."""
    inner = Scope().start("begin").user("decide", outputs={"decision": "= decision"}).xor("which", "which-accept")
    inner.service("refuse", "intake.refuse", outputs={"outcome": '= "refused"'}).end("done")
    inner.service("accept", "intake.accept", outputs={"outcome": '= "accepted"'}).end("done_too")
    inner.path("begin", "decide", "which").flow("which", "refuse", '= decision = "refuse"')
    inner.path("refuse", "done").path("which", "accept", "done_too")
    outer = Scope().start().call("acceptance", "q").xor("result", "result-end")
    outer.service("open", "mediation.open").end().end("mediated")
    outer.path("start", "acceptance", "result", "end").flow("result", "open", condition).path("open", "mediated")
    return outer.process("p") + inner.process("q")


@pytest.mark.parametrize("condition", ['= outcome != "accepted"', "= decision != null", '= outcome = "refused"'])
def test_what_was_refused_is_not_mediated(condition: str) -> None:
    assert codes(deciding(condition)) == [("law.refused_then_mediated", "open")]


def test_what_was_accepted_is_mediated() -> None:
    assert codes(deciding('= outcome = "accepted"')) == []


def test_the_entrusted_body_may_not_entrust_again() -> None:
    drawn = marked(Scope().start().user("mediate", groups="mediator").service("entrust", "x"), "entrust")
    drawn.end().path("start", "mediate", "entrust", "end")
    drawn.parts.append(lanes(council="mediate entrust"))
    assert codes(drawn.process()) == [("law.entrusted_again", "entrust")]
    drawn.parts[-1] = lanes(council="mediate", department="entrust")
    assert codes(drawn.process()) == []


def test_a_station_may_not_pass_a_case_on() -> None:
    drawn = Scope().start().user("help", groups="station_clerk").service("send", "intake.transfer").end()
    drawn.path("start", "help", "send", "end")
    drawn.parts.append(lanes(station="help send"))
    assert codes(drawn.process()) == [("law.station_passes_on", "send")]
    drawn.parts[-1] = lanes(station="help", centre="send")
    assert codes(drawn.process()) == []


def test_a_group_settles_only_with_the_consent_of_each() -> None:
    drawn = Scope().start().xor("which", "which-agree").service("ask", "settlement.ask_each")
    drawn.service("agree", "settlement.agree_for_group").end()
    drawn.path("start", "which", "agree", "end").flow("which", "ask", "= x").path("ask", "agree")
    assert codes(drawn.process()) == [("law.group_without_each", "agree")]
    always = (
        Scope().start().service("ask", "settlement.ask_each").service("agree", "settlement.agree_for_group").end()
    )
    assert codes(always.path("start", "ask", "agree", "end").process()) == []


def test_a_tip_off_never_reaches_the_merchant() -> None:
    def tipoff(**told: str) -> str:
        drawn = Scope().start().service("tell", "notices.tell", inputs=dict(told)).end()
        return drawn.path("start", "tell", "end").process("tipoff")

    assert codes(tipoff(recipients='= ["respondent"]')) == [("law.tipoff_told", "tell")]
    assert codes(tipoff(recipients='= ["officer"]')) == []
    path = marked(Scope().start().service("verify", "x"), "tipoff").user("answer", groups="respondent").end()
    assert codes(path.path("start", "verify", "answer", "end").process()) == [("law.tipoff_told", "answer")]


def test_a_legal_limit_that_begins_has_its_timer() -> None:
    drawn = Scope().start().service("receive", "intake.receive", outputs={"received_at": "= received_at"})
    drawn.user("decide").end().path("start", "receive", "decide", "end")
    assert codes(drawn.process()) == [("law.limit_without_timer", "receive")]
    drawn.boundary("c01", "decide", timer('= due("C01", received_at)', "timeDate")).end("e").path("c01", "e")
    assert codes(drawn.process()) == []


def test_one_of_several_limits_of_the_parties_is_enough() -> None:
    drawn = Scope().start().service("order", "settlement.open_order", outputs={"order_delivered_at": "= now()"})
    drawn.user("answer").end().path("start", "order", "answer", "end")
    drawn.boundary("late", "answer", timer('= due("C12b", order_delivered_at)', "timeDate")).end("e").path(
        "late", "e"
    )
    assert codes(drawn.process()) == []


def test_every_act_has_its_words() -> None:
    assert all(act.zh and act.en for act in ACTS.values())
