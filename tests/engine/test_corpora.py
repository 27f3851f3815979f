"""Foreign diagrams: the list of what is supported, and a tenth of the corpora (make prove takes all of them)."""

from pathlib import Path
from typing import Any

import pytest

from engine import Severity, check, corpora
from engine.importing import translate
from engine.vocabulary import beyond
from tests.engine.corpora import CORPORA, needs_corpora


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<userTask id="a" camunda:assignee="${x}"/>', []),
        ('<userTask id="a" camunda:assignee="${x.y}"/>', ["JUEL beyond names, literals, comparisons and logic"]),
        ('<serviceTask id="a" camunda:class="x.Y"/>', ["Java"]),
        ('<serviceTask id="a" camunda:expression="${true}"/>', []),
        ('<serviceTask id="a" camunda:expression="${bean}"/>', ["Java"]),
        ('<subProcess id="a" triggeredByEvent="true"/>', ["an event sub-process"]),
        ('<startEvent id="a"><timerEventDefinition/></startEvent>', ["a timer start event"]),
        ('<complexGateway id="a"/><transaction id="b"/>', ["complexGateway", "transaction"]),
        ('<task id="a" camunda:mystery="1"/>', ["camunda:mystery"]),
        ('<scriptTask id="a" scriptFormat="javascript"/>', ["a script in another language"]),
    ],
)
def test_the_list_is_read_from_tags_and_attributes_alone(body: str, found: list[str]) -> None:
    xml = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        f'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><process id="p">{body}</process></definitions>'
    )
    assert beyond(xml.encode()) == found


def test_data_is_made_up_from_what_expressions_ask() -> None:
    xml = (
        b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">'
        b'<exclusiveGateway id="a"/><task id="b"/><task id="c"/>'
        b'<sequenceFlow id="f" sourceRef="a" targetRef="b"><conditionExpression>= n = 3</conditionExpression>'
        b'</sequenceFlow><sequenceFlow id="g" sourceRef="a" targetRef="c"><conditionExpression>= yes'
        b"</conditionExpression></sequenceFlow></process></definitions>"
    )
    made: dict[str, Any] = corpora.asked_for({"x.bpmn": xml})
    assert made == {"n": 3, "yes": True}


@needs_corpora
@pytest.mark.parametrize("path", sorted(CORPORA.rglob("*.bpmn"))[::10], ids=lambda path: path.stem)
def test_every_refusal_says_what_and_where_in_both_languages(path: Path) -> None:
    raw = path.read_bytes()
    imported = translate(raw, path.name)
    findings = [*imported.findings, *check({path.name: imported.xml}, corpora.ELSEWHERE, proofs=False)]
    for finding in findings:
        assert finding.zh and finding.en and finding.code
    if beyond(raw):
        assert any(finding.severity is Severity.ERROR for finding in findings)
