"""Draws diagrams for tests in a line or two: every element is a call, every flow is `a > b`."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import Any

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="https://hejie.example/tests">'
)


def attributes(**given: Any) -> str:
    return "".join(f' {name}="{escape(str(value))}"' for name, value in given.items() if value not in (None, ""))


class Scope:
    """A process, or the inside of a sub-process."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._flows = 0

    def node(self, tag: str, id: str, inner: str = "", extensions: str = "", **given: Any) -> Scope:
        extended = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
        self.parts.append(f"<bpmn:{tag}{attributes(id=id, **given)}>{extended}{inner}</bpmn:{tag}>")
        return self

    def start(self, id: str = "start") -> Scope:
        return self.node("startEvent", id)

    def end(self, id: str = "end", trigger: str = "", **kw: Any) -> Scope:
        return self.node("endEvent", id, trigger, **kw)

    def user(
        self,
        id: str,
        *,
        outputs: dict[str, str] | None = None,
        inputs: dict[str, str] | None = None,
        groups: str = "officer",
        due: str = "",
        loop: str = "",
        form: str = "f",
    ) -> Scope:
        extensions = (
            f"<zeebe:userTask /><zeebe:formDefinition{attributes(formId=form)} />"
            f"<zeebe:assignmentDefinition{attributes(candidateGroups=groups)} />"
            + (f"<zeebe:taskSchedule{attributes(dueDate=due)} />" if due else "")
            + mapping(inputs, outputs)
        )
        return self.node("userTask", id, loop, extensions, name=id)

    def service(
        self,
        id: str,
        type: str,
        *,
        inputs: dict[str, str] | None = None,
        outputs: dict[str, str] | None = None,
        loop: str = "",
        tag: str = "serviceTask",
        inner: str = "",
    ) -> Scope:
        extensions = f"<zeebe:taskDefinition{attributes(type=type)} />" + mapping(inputs, outputs)
        return self.node(tag, id, inner + loop, extensions)

    def script(self, id: str, expression: str, result: str) -> Scope:
        return self.node(
            "scriptTask", id, "", f"<zeebe:script{attributes(expression=expression, resultVariable=result)} />"
        )

    def rule(self, id: str, decision: str, result: str, outputs: dict[str, str] | None = None) -> Scope:
        called = f"<zeebe:calledDecision{attributes(decisionId=decision, resultVariable=result)} />"
        return self.node("businessRuleTask", id, "", called + mapping(None, outputs))

    def call(self, id: str, process: str, *, mappings: str = "", loop: str = "", **options: Any) -> Scope:
        called = f"<zeebe:calledElement{attributes(processId=process, **options)} />"
        return self.node("callActivity", id, loop, called + mappings)

    def sub(self, id: str, inside: Scope, *, loop: str = "", extensions: str = "", **given: Any) -> Scope:
        return self.node("subProcess", id, loop + "".join(inside.parts), extensions, **given)

    def boundary(
        self,
        id: str,
        host: str,
        trigger: str,
        *,
        interrupting: bool = True,
        outputs: dict[str, str] | None = None,
    ) -> Scope:
        return self.node(
            "boundaryEvent",
            id,
            trigger,
            mapping(None, outputs),
            attachedToRef=host,
            cancelActivity="true" if interrupting else "false",
        )

    def catch(self, id: str, trigger: str, outputs: dict[str, str] | None = None) -> Scope:
        return self.node("intermediateCatchEvent", id, trigger, mapping(None, outputs))

    def throw(self, id: str, trigger: str = "") -> Scope:
        return self.node("intermediateThrowEvent", id, trigger)

    def xor(self, id: str, default: str = "") -> Scope:
        return self.node("exclusiveGateway", id, default=default)

    def par(self, id: str) -> Scope:
        return self.node("parallelGateway", id)

    def inc(self, id: str, default: str = "") -> Scope:
        return self.node("inclusiveGateway", id, default=default)

    def events(self, id: str) -> Scope:
        return self.node("eventBasedGateway", id)

    def flow(self, source: str, target: str, condition: str | None = None, id: str = "") -> Scope:
        self._flows += 1
        inner = (
            "" if condition is None else f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>"
        )
        name = id or f"{source}-{target}"
        self.parts.append(
            f'<bpmn:sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>'
        )
        return self

    def path(self, *elements: str) -> Scope:
        """Flows from each element to the next."""
        for source, target in pairwise(elements):
            self.flow(source, target)
        return self

    def process(self, id: str = "p") -> str:
        return f'<bpmn:process id="{id}" isExecutable="true">{"".join(self.parts)}</bpmn:process>'


def mapping(inputs: dict[str, str] | None, outputs: dict[str, str] | None) -> str:
    if not inputs and not outputs:
        return ""
    lines = [f"<zeebe:input{attributes(source=s, target=t)} />" for t, s in (inputs or {}).items()]
    lines += [f"<zeebe:output{attributes(source=s, target=t)} />" for t, s in (outputs or {}).items()]
    return f"<zeebe:ioMapping>{''.join(lines)}</zeebe:ioMapping>"


def timer(text: str, kind: str = "timeDuration") -> str:
    return f"<bpmn:timerEventDefinition><bpmn:{kind}>{escape(text)}</bpmn:{kind}></bpmn:timerEventDefinition>"


def message(name: str) -> str:
    return f'<bpmn:messageEventDefinition messageRef="m_{name}" />'


def error(code: str) -> str:
    return f'<bpmn:errorEventDefinition errorRef="e_{code}" />' if code else "<bpmn:errorEventDefinition />"


def signal(name: str) -> str:
    return f'<bpmn:signalEventDefinition signalRef="s_{name}" />'


def escalation(code: str) -> str:
    return (
        f'<bpmn:escalationEventDefinition escalationRef="x_{code}" />'
        if code
        else "<bpmn:escalationEventDefinition />"
    )


def link(name: str) -> str:
    return f'<bpmn:linkEventDefinition name="{name}" />'


TERMINATE = "<bpmn:terminateEventDefinition />"


def each(
    collection: str,
    item: str = "item",
    *,
    output: str = "",
    output_item: str = "",
    completion: str = "",
    sequential: bool = False,
) -> str:
    inner = f"<bpmn:completionCondition>{escape(completion)}</bpmn:completionCondition>" if completion else ""
    zeebe = attributes(
        inputCollection=collection, inputElement=item, outputCollection=output, outputElement=output_item
    )
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{"true" if sequential else "false"}">'
        f"<bpmn:extensionElements><zeebe:loopCharacteristics{zeebe} /></bpmn:extensionElements>{inner}"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def diagram(
    *processes: str,
    messages: tuple[str, ...] = (),
    errors: tuple[str, ...] = (),
    signals: tuple[str, ...] = (),
    escalations: tuple[str, ...] = (),
) -> bytes:
    """A file of processes and of the messages, errors, signals and escalations that they name."""
    declared = [
        f'<bpmn:message id="m_{m}" name="{m}"><bpmn:extensionElements>'
        '<zeebe:subscription correlationKey="= case_id" /></bpmn:extensionElements></bpmn:message>'
        for m in messages
    ]
    declared += [f'<bpmn:error id="e_{e}" errorCode="{e}" />' for e in errors]
    declared += [f'<bpmn:signal id="s_{s}" name="{s}" />' for s in signals]
    declared += [f'<bpmn:escalation id="x_{x}" escalationCode="{x}" />' for x in escalations]
    return (HEAD + "".join(processes) + "".join(declared) + "</bpmn:definitions>").encode()
