"""What stands in for the world in a scenario: services that record their calls, and called processes.

A service returns what the scenario says; of several answers it gives one a call, and the last for ever. Where the
scenario says nothing, every name that the task's outputs read gets a plausible value: ``…_at`` the moment,
``…_due_on`` the day a week later, ``…_on`` the day. ``deadline.pause`` and ``deadline.resume`` are the real ones:
the clock is what a scenario is about.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import feel
from core.now import CHINA
from disputes.documents.models import Kind
from disputes.timelimits import services as clock
from engine import BpmnError, Service, ServiceCall, specifications, values

#: Names that are no dates, with a value that the first edition's tables know.
_PLAUSIBLE: Mapping[str, Any] = {"office": "office-1", "mediator_kind": "department"}

#: Service → the paper that it issues when it goes through. Which paper ``mediation.conclude`` issues depends on the
#: answer; a scenario that asks for it lets the stand-in return ``paper``.
PAPERS: Mapping[str, Kind] = {
    "notices.serve_identity_notice": Kind.IDENTITY_NOTICE,
    "intake.accept": Kind.ACCEPTANCE,
    "intake.refuse": Kind.REFUSAL,
    "mediation.announce": Kind.MEDIATION_NOTICE,
    "mediation.terminate": Kind.TERMINATION,
    "settlement.agree": Kind.SETTLEMENT,
}
#: Services of stubs begin with this; they are not recorded.
_STUB = "scenario.stub."


class Failing(Exception):
    """A service that the scenario lets fail."""


class StandIns(Mapping[str, Service]):
    """Every type that anybody may ask for, but for those that the scenario leaves to an external worker."""

    def __init__(
        self,
        answers: Mapping[str, tuple[Mapping[str, Any], ...]],
        calls: Mapping[str, Any],
        *,
        invent: bool = True,
    ) -> None:
        self._invent = invent
        self._calls = calls
        self._answers = {name: list(listed) for name, listed in answers.items()}
        #: Everything that was called since the start.
        self.ever: set[str] = set()
        self.forget()

    def forget(self) -> None:
        """Begin a step: nothing was called in it yet."""
        #: Types that were called in this step, in order.
        self.called: list[str] = []
        #: What the notices that were ordered say: type, headers and inputs of the task.
        self.notices: list[Mapping[str, Any]] = []
        self.papers: list[str] = []

    def answer_from_now_on(self, answers: Mapping[str, tuple[Mapping[str, Any], ...]]) -> None:
        """Change what services answer from here on."""
        self._answers.update({name: list(listed) for name, listed in answers.items()})

    def __getitem__(self, name: str) -> Service:
        return self._serve

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def __contains__(self, name: object) -> bool:
        return not any("external" in answer for answer in self._answers.get(str(name), ())[:1])

    def _serve(self, call: ServiceCall) -> Mapping[str, Any] | None:
        process = specifications.load(call.session, call.instance.bundle).process(call.process)
        element = process.elements[call.element]
        if element.task_type.startswith(_STUB):
            result: Mapping[str, Any] = self._calls[element.task_type.removeprefix(_STUB)]
            return result
        given = self._called(element.task_type, call)
        if "fails" in given:
            raise Failing(str(given["fails"]))
        if "error" in given:
            raise BpmnError(str(given["error"]))
        paper = given.get("paper") or PAPERS.get(element.task_type)
        if paper is not None:
            self.papers.append(str(paper))
        if element.task_type in clock:
            return clock[element.task_type](call)
        if not self._invent:
            return given
        names = {name for source, _ in element.outputs for name in _names(source)}
        return {
            **{name: _plausible(name, call) for name in names - call.data.keys()},
            **_dated(names, call),
            **given,
        }

    def _called(self, type: str, call: ServiceCall) -> Mapping[str, Any]:
        self.called.append(type)
        self.ever.add(type)
        if type.startswith("notices."):
            self.notices.append({"service": type, **call.headers, **values.plain(call.inputs)})
        answers = self._answers.get(type, [])
        given: Mapping[str, Any] = answers[0] if answers else {}
        if len(answers) > 1:
            del answers[0]
        # A service may do with its answer what it likes; the next call gets it as it was written.
        return deepcopy(given)


def _names(source: str) -> frozenset[str]:
    return feel.compile(source.removeprefix("=")).names if source.startswith("=") else frozenset()


def _dated(names: set[str], call: ServiceCall) -> dict[str, Any]:
    """Moments and days are new at every call, also when the process knows an older one."""
    return {name: _plausible(name, call) for name in names if name.endswith(("_at", "_on"))}


def _plausible(name: str, call: ServiceCall) -> Any:
    today = call.now.astimezone(CHINA).date()
    if name.endswith("_at"):
        return call.now
    if name.endswith("_due_on"):
        return today + timedelta(days=7)
    if name.endswith("_on"):
        return today
    return _PLAUSIBLE.get(name)


def stub(process: str, does: Any) -> bytes:
    """A diagram that stands in for a called process: it sets variables and ends, or waits for ever."""
    if does == "waits":
        middle = f"""<bpmn:intermediateCatchEvent id="{process}_waits">
      <bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing>
      <bpmn:messageEventDefinition messageRef="{process}_message"/>
    </bpmn:intermediateCatchEvent>"""
    else:
        outputs = "".join(f'<zeebe:output source="= {name}" target={quoteattr(str(name))}/>' for name in does)
        middle = f"""<bpmn:serviceTask id="{process}_waits">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="{_STUB}{escape(process)}"/>
        <zeebe:ioMapping>{outputs}</zeebe:ioMapping>
      </bpmn:extensionElements>
      <bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing>
    </bpmn:serviceTask>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="stub" targetNamespace="stub">
  <bpmn:process id="{process}" isExecutable="true">
    <bpmn:startEvent id="{process}_starts"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="{process}_starts" targetRef="{process}_waits"/>
    {middle}
    <bpmn:sequenceFlow id="b" sourceRef="{process}_waits" targetRef="{process}_ends"/>
    <bpmn:endEvent id="{process}_ends"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
  <bpmn:message id="{process}_message" name="{process}.finished"><bpmn:extensionElements>
    <zeebe:subscription correlationKey="= case_id"/></bpmn:extensionElements></bpmn:message>
</bpmn:definitions>""".encode()
