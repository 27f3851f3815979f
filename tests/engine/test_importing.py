"""Diagrams drawn for Camunda 7: translated where they mean the same, noted where something is left out, else refused."""

from pathlib import Path

import pytest

from core.db import Database
from engine import Catalogue, Severity, check
from engine.diagram import Element, read
from engine.importing import Imported, translate
from tests.engine.house import House

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t">'
)


def drawn(body: str, more: str = "") -> Imported:
    return translate(
        f'{HEAD}<process id="p" isExecutable="true">{body}</process>{more}</definitions>'.encode(), "x.bpmn"
    )


def around(task: str, more: str = "") -> Imported:
    """start → the task named t → end, with flows that have no ids, as old diagrams do."""
    return drawn(
        f'<startEvent id="s"/><sequenceFlow sourceRef="s" targetRef="t"/>{task}'
        '<sequenceFlow sourceRef="t" targetRef="e"/><endEvent id="e"/>',
        more,
    )


def element(imported: Imported, name: str = "t") -> Element:
    reading = read(imported.xml, "x.bpmn")
    assert not reading.findings
    return reading.processes[0].elements[name]


def errors(imported: Imported) -> list[str]:
    found = [*imported.findings, *check({"x.bpmn": imported.xml}, Catalogue(complete=False))]
    return sorted({f.code for f in found if f.severity is Severity.ERROR})


def codes(imported: Imported) -> set[str]:
    return {f.code for f in imported.findings}


def test_a_user_task_keeps_who_does_it_with_which_form_and_by_when() -> None:
    imported = around(
        '<userTask id="t" camunda:assignee="${clerk}" camunda:candidateGroups="sales, legal" '
        'camunda:formKey="offer" camunda:dueDate="P3D" camunda:priority="50" camunda:asyncBefore="true"/>'
    )
    task = element(imported)
    assert (task.assignee, task.groups, task.form, task.due) == (
        "= clerk",
        "sales, legal",
        "offer",
        '= duration("P3D")',
    )
    assert not errors(imported)
    assert {"import.ids", "import.expression", "import.left_out"} <= codes(imported)
    assert "priority" in next(f.en for f in imported.findings if f.code == "import.left_out")
    assert b"camunda" not in imported.xml.replace(b"camunda.org/schema/zeebe", b"")


def test_owners_in_bpmns_own_words_become_groups_and_the_assignee() -> None:
    performer = (
        "<humanPerformer><resourceAssignmentExpression><formalExpression>kermit</formalExpression>"
        "</resourceAssignmentExpression></humanPerformer><potentialOwner><resourceAssignmentExpression>"
        "<formalExpression>user(fozzie), group(management), accounts</formalExpression>"
        "</resourceAssignmentExpression></potentialOwner>"
    )
    task = element(around(f'<userTask id="t">{performer}</userTask>'))
    assert (task.assignee, task.groups) == ("kermit", "management,accounts")


def test_an_external_task_becomes_a_job_of_its_topic() -> None:
    imported = around('<serviceTask id="t" camunda:type="external" camunda:topic="charge-card"/>')
    assert element(imported).task_type == "charge-card"
    assert not errors(imported)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ('camunda:class="org.acme.Delegate"', "import.java"),
        ('camunda:delegateExpression="${bean}"', "import.java"),
        ('camunda:expression="${bean.go()}"', "import.java"),
        ('camunda:expression="${bean}"', "import.java"),
        ('camunda:type="mail"', "import.built_in"),
        ('camunda:type="external" camunda:topic="${topic}"', "import.topic"),
        ('camunda:invented="1" camunda:type="external" camunda:topic="a"', "import.attribute"),
    ],
)
def test_java_and_what_has_no_counterpart_is_refused_by_name(attributes: str, code: str) -> None:
    imported = around(f'<serviceTask id="t" {attributes}/>')
    assert code in errors(imported)
    refused = next(f for f in imported.findings if f.code == code)
    assert refused.element == "t" and refused.zh and refused.en


def test_an_expression_that_calls_nothing_becomes_a_script_task() -> None:
    imported = around('<serviceTask id="t" camunda:expression="${1 + 1}" camunda:resultVariable="two"/>')
    task = element(imported)
    assert (task.kind, task.script, task.result_variable) == ("scriptTask", "= 1 + 1", "two")
    assert not errors(imported)


def test_listeners_and_foreign_scripts_are_refused() -> None:
    listener = '<extensionElements><camunda:executionListener event="start" class="a.B"/></extensionElements>'
    assert errors(around(f'<userTask id="t">{listener}</userTask>')) == ["import.listener"]
    script = '<scriptTask id="t" scriptFormat="groovy"><script>println 1</script></scriptTask>'
    assert "import.script" in errors(around(script))


def test_conditions_are_translated_and_asked_in_a_gateway(database: Database) -> None:
    def flow(name: str, to: str, condition: str = "") -> str:
        inner = f"<conditionExpression><![CDATA[{condition}]]></conditionExpression>" if condition else ""
        return f'<sequenceFlow id="{name}" sourceRef="t" targetRef="{to}">{inner}</sequenceFlow>'

    imported = drawn(
        '<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>'
        '<userTask id="t"><extensionElements><camunda:inputOutput><camunda:outputParameter name="amount">${amount}'
        "</camunda:outputParameter></camunda:inputOutput></extensionElements></userTask>"
        + flow("big", "large", "${amount > 1000}")
        + flow("always", "log")
        + '<userTask id="large"/><userTask id="log"/>'
    )
    assert not errors(imported)
    assert {"import.conditional_flows", "import.implicit_end"} <= codes(imported)
    house = House(database, imported.xml)
    house.start()
    house.complete("t", amount=5)
    assert house.waiting() == ["log"]
    house.complete("log")
    assert house.instance().state == "completed"
    house.start(key="case-2")
    house.complete("t", amount=5000)
    assert house.waiting() == ["large", "log"]


@pytest.mark.parametrize(("count", "tasks"), [("3", 3), ("${2 + 2}", 4), ("0", 0)])
def test_a_cardinality_becomes_a_list(database: Database, count: str, tasks: int) -> None:
    imported = around(
        f'<userTask id="t"><multiInstanceLoopCharacteristics><loopCardinality>{count}</loopCardinality>'
        "</multiInstanceLoopCharacteristics></userTask>"
    )
    assert not errors(imported)
    house = House(database, imported.xml)
    house.start()
    assert len(house.tasks()) == tasks


def test_a_collection_keeps_its_element_variable() -> None:
    imported = around(
        '<userTask id="t" camunda:assignee="${person}"><multiInstanceLoopCharacteristics isSequential="true" '
        'camunda:collection="people" camunda:elementVariable="person"><completionCondition>'
        "${nrOfCompletedInstances == 2}</completionCondition></multiInstanceLoopCharacteristics></userTask>"
    )
    loop = element(imported).loop
    assert loop is not None
    assert (loop.collection, loop.item, loop.completion) == (
        "= people",
        "person",
        "= numberOfCompletedInstances = 2",
    )


def test_a_receive_task_that_a_program_woke_waits_for_a_message(database: Database) -> None:
    imported = around('<receiveTask id="t"/>')
    assert not errors(imported)
    house = House(database, imported.xml)
    house.start()
    assert house.deliver("t") is not None
    assert house.instance().state == "completed"


def test_a_call_hands_over_what_it_names_and_nothing_else(database: Database) -> None:
    imported = translate(
        (
            f'{HEAD}<process id="p"><startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="c"/>'
            '<callActivity id="c" calledElement="q"><extensionElements><camunda:in source="a" target="b"/>'
            '<camunda:in businessKey="#{execution.processBusinessKey}"/>'
            '<camunda:out sourceExpression="${b == 1}" target="done"/></extensionElements></callActivity></process>'
            '<process id="q"><startEvent id="s2"/><sequenceFlow id="f2" sourceRef="s2" targetRef="u"/>'
            '<userTask id="u"/></process></definitions>'
        ).encode(),
        "x.bpmn",
    )
    assert not errors(imported)
    house = House(database, imported.xml)
    house.start(a=1, secret=2)
    with database.reader() as session:
        assert house.engine.seen_by(session, house.tasks()[0].id) == {"b": 1, "case_id": "case-1"}
    house.complete("u")
    assert house.data()["done"] is True


@pytest.mark.parametrize(
    ("timer", "code"),
    [
        ("<timeDate>PT5M</timeDate>", ""),
        ("<timeDuration>${wait}</timeDuration>", ""),
        ("<timeCycle>0 0/5 * * * ?</timeCycle>", "import.cron"),
        ("<timeDate>2036-11-14T11:12:22</timeDate>", "import.no_offset"),
        ("<timeDuration>${bean.wait()}</timeDuration>", "import.juel"),
    ],
)
def test_timers(timer: str, code: str) -> None:
    imported = around(
        f'<intermediateCatchEvent id="t"><timerEventDefinition>{timer}</timerEventDefinition></intermediateCatchEvent>'
    )
    found = errors(imported)
    assert (code in found) if code else not found


def test_only_a_decision_result_that_dmn_knows_is_taken() -> None:
    rule = '<businessRuleTask id="t" camunda:decisionRef="d" camunda:resultVariable="r" {}/>'
    imported = around(rule.format('camunda:mapDecisionResult="singleEntry"'))
    task = element(imported)
    assert (task.decision, task.result_variable) == ("d", "r")
    assert "import.decision" in errors(around(rule.format("")))


def test_an_undefined_error_is_read_as_its_code() -> None:
    imported = drawn(
        '<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="sub"/><subProcess id="sub">'
        '<startEvent id="s2"/><sequenceFlow id="g" sourceRef="s2" targetRef="x"/>'
        '<endEvent id="x"><errorEventDefinition errorRef="broken"/></endEvent></subProcess>'
        '<boundaryEvent id="b" attachedToRef="sub"><errorEventDefinition errorRef="broken"/></boundaryEvent>'
    )
    assert not errors(imported)
    trigger = element(imported, "x").trigger
    assert trigger is not None and trigger.name == "broken"


def test_new_elements_are_placed_where_the_diagram_has_a_layout() -> None:
    imported = drawn(
        '<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/><userTask id="t"/>',
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" '
        'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" id="d"><bpmndi:BPMNPlane id="pl" bpmnElement="p">'
        '<bpmndi:BPMNShape id="t_di" bpmnElement="t"><dc:Bounds x="200" y="100" width="100" height="80"/>'
        "</bpmndi:BPMNShape></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>",
    )
    assert b'bpmnElement="end_1"' in imported.xml and b'x="330" y="122"' in imported.xml


def test_our_own_diagrams_stay_as_they_are_byte_for_byte() -> None:
    paths = sorted((Path(__file__).parents[2] / "workflows" / "bpmn").glob("*.bpmn"))
    assert paths
    for path in paths:
        assert translate(path.read_bytes(), path.name) == Imported(path.read_bytes(), ())


@pytest.mark.parametrize("xml", [b"", b"<a>", b"<!DOCTYPE a><a/>", b"<html/>", b"\xff\xfe\x00"])
def test_what_is_no_diagram_is_left_to_the_check(xml: bytes) -> None:
    imported = translate(xml, "x.bpmn")
    assert imported == Imported(xml, ())
    assert errors(imported)
