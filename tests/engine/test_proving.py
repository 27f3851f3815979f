"""The proofs agree with playing every way to its end (the small version; make prove plays more), and say what they
left out."""

from collections import Counter

import pytest

from engine import Catalogue, Finding, Severity, check
from tests.engine.drawing import Scope, diagram
from tests.engine.exhausting import compare
from tests.engine.faults.sketching import sketch

CATALOGUE = Catalogue(forms={"f": {"x": "number"}}, roles={"party", "boss", "officer"}, services={"work", "tell"})
HOUSE = Catalogue(**{**CATALOGUE.__dict__, "parties": {"party"}, "supervisors": {"boss"}})


def found(xml: bytes, catalogue: Catalogue = CATALOGUE, **options: bool) -> list[Finding]:
    return check({"bpmn/p.bpmn": xml}, catalogue, **options)


def test_the_proofs_agree_with_exhaustive_play() -> None:
    verdicts = Counter(verdict for seed in range(60) if (verdict := compare(seed)) is not None)
    assert set(verdicts) == {(True, True), (False, False)}
    assert verdicts.total() >= 30 and min(verdicts.values()) >= 5


def test_a_finding_says_what_was_not_looked_at() -> None:
    (finding,) = found(sketch("start > which:xor -[x = 1]> a > join:and > end\nwhich -*> b > join"))
    assert "没有看条件的值" in finding.zh and "Values are not looked at" in finding.en
    (finding,) = found(sketch("start > split:and > a > join:xor > end\nsplit > b > join"))
    assert "Values" not in finding.en


def test_what_is_too_big_to_be_proved_says_so() -> None:
    wide = "start > split:and > a0 > join:and > end\n" + "\n".join(f"split > a{n} > join" for n in range(1, 13))
    findings = found(sketch(wide))
    assert [(f.code, f.element, f.severity) for f in findings] == [("proof.incomplete", "p", Severity.WARNING)]


def test_proofs_can_be_left_out() -> None:
    broken = sketch("start > which:xor -[x = 1]> a > join:and > end\nwhich -*> b > join")
    assert found(broken, proofs=False) == []


def test_what_cannot_be_read_is_not_played() -> None:
    """The shape is refused by name already; nothing is guessed about it, and nothing raises."""
    drawn = Scope().start().node("complexGateway", "c").user("a").end().path("start", "c", "a", "end")
    assert [f.code for f in found(diagram(drawn.process()))] == ["bpmn.complex_gateway"]


@pytest.mark.parametrize(("said", "accepted"), [("这里就要先到的。", True), ("", False)])
def test_a_warning_is_accepted_with_its_reason(said: str, accepted: bool) -> None:
    drawn = Scope().start().par("split").user("a").user("b").end().path("start", "split", "a", "join", "end")
    reason = f"<bpmn:documentation>{said}</bpmn:documentation>" if said else ""
    property = (
        '<zeebe:properties><zeebe:property name="accepted-finding" value="flow.runs_twice" /></zeebe:properties>'
    )
    drawn.node("exclusiveGateway", "join", reason, property).path("split", "b", "join")
    assert ([f.code for f in found(diagram(drawn.process()))] == []) is accepted


def test_an_error_is_never_accepted() -> None:
    drawn = Scope().start().xor("which", "which-b").user("a").user("b").end()
    property = (
        '<zeebe:properties><zeebe:property name="accepted-finding" value="flow.deadlock" /></zeebe:properties>'
    )
    drawn.node("parallelGateway", "join", "<bpmn:documentation>so be it</bpmn:documentation>", property)
    drawn.flow("start", "which").flow("which", "a", "= x = 1").path("which", "b", "join", "end").path("a", "join")
    assert [f.code for f in found(diagram(drawn.process()))] == ["flow.deadlock"]


def test_how_many_instances_there_are_is_declared_where_it_cannot_be_seen() -> None:
    text = "start > a:many=people > end\nlate@a:timer > end"
    assert [(f.code, f.severity) for f in found(sketch(text), HOUSE)] == [("loop.no_bound", Severity.WARNING)]
    bound = (
        '<zeebe:properties><zeebe:property name="at-most" value="{}" /></zeebe:properties></bpmn:extensionElements>'
    )
    for most, expected in (("20", []), ("21", ["loop.too_many"])):
        declared = sketch(text).decode().replace("</bpmn:extensionElements>", bound.format(most), 1)
        assert [f.code for f in found(declared.encode(), HOUSE)] == expected


def test_a_supervisor_may_be_told_by_an_escalation_that_the_caller_catches() -> None:
    text = """
        start > c:call=q > end
        told@c:escalation=late~ > t:tell=boss > end2
        (q)
        start_q > a:user=officer > end_q
        late@a:timer > r:raise=late > end_r"""
    assert found(sketch(text), HOUSE) == []
    unheard = text.replace("t:tell=boss", "t:tell=officer")
    assert {f.code for f in found(sketch(unheard), HOUSE)} == {"silence.authority"}
