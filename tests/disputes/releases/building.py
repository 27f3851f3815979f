"""A small release: one desk that decides within C01, asks the shop through a called process, and ends."""

import json
from pathlib import Path

SERVICES = {"notices.remind", "intake.accept", "intake.refuse", "deadline.pause", "deadline.resume"}

LIMITS = Path("workflows/time_limits.yaml").read_bytes()

DESK = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
  <bpmn:process id="desk" name="受理台" isExecutable="true">
    <bpmn:laneSet id="lanes">
      <bpmn:lane id="lane_officer" name="承办人">
        <bpmn:flowNodeRef>begun</bpmn:flowNodeRef><bpmn:flowNodeRef>decide</bpmn:flowNodeRef>
      </bpmn:lane>
      <bpmn:lane id="lane_supervisor" name="督办人"><bpmn:flowNodeRef>overdue</bpmn:flowNodeRef></bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="begun" name="收到投诉"><bpmn:outgoing>f0</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="f0" sourceRef="begun" targetRef="decide"/>
    <bpmn:userTask id="decide" name="作出决定">
      <bpmn:extensionElements>
        <zeebe:userTask/>
        <zeebe:formDefinition formId="decide"/>
        <zeebe:assignmentDefinition candidateGroups="officer"/>
        <zeebe:taskSchedule dueDate="= due(&#34;C01&#34;, received_at)"/>
        <zeebe:ioMapping><zeebe:output source="= decision" target="decision"/></zeebe:ioMapping>
      </bpmn:extensionElements>
      <bpmn:incoming>f0</bpmn:incoming><bpmn:outgoing>f1</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:boundaryEvent id="warned" name="第一次预警" cancelActivity="false" attachedToRef="decide">
      <bpmn:outgoing>f2</bpmn:outgoing>
      <bpmn:timerEventDefinition><bpmn:timeDate>= warning("C01", received_at, 1)</bpmn:timeDate></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f2" sourceRef="warned" targetRef="remind"/>
    <bpmn:serviceTask id="remind" name="提醒">
      <bpmn:extensionElements><zeebe:taskDefinition type="notices.remind"/></bpmn:extensionElements>
      <bpmn:incoming>f2</bpmn:incoming><bpmn:outgoing>f3</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="f3" sourceRef="remind" targetRef="reminded"/>
    <bpmn:endEvent id="reminded" name="已提醒"><bpmn:incoming>f3</bpmn:incoming></bpmn:endEvent>
    <bpmn:boundaryEvent id="expired" name="届满" attachedToRef="decide">
      <bpmn:outgoing>f4</bpmn:outgoing>
      <bpmn:timerEventDefinition><bpmn:timeDate>= due("C01", received_at)</bpmn:timeDate></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f4" sourceRef="expired" targetRef="overdue"/>
    <bpmn:userTask id="overdue" name="督办并决定">
      <bpmn:extensionElements>
        <zeebe:userTask/>
        <zeebe:formDefinition formId="decide"/>
        <zeebe:assignmentDefinition candidateGroups="supervisor"/>
        <zeebe:ioMapping><zeebe:output source="= decision" target="decision"/></zeebe:ioMapping>
        <zeebe:properties><zeebe:property name="standing-duty" value="true"/></zeebe:properties>
      </bpmn:extensionElements>
      <bpmn:incoming>f4</bpmn:incoming><bpmn:outgoing>f5</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:boundaryEvent id="day_passed" name="又过一日" cancelActivity="false" attachedToRef="overdue">
      <bpmn:outgoing>f6</bpmn:outgoing>
      <bpmn:timerEventDefinition><bpmn:timeCycle>R/P1D</bpmn:timeCycle></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f6" sourceRef="day_passed" targetRef="chase"/>
    <bpmn:serviceTask id="chase" name="催办">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="notices.remind"/>
        <zeebe:ioMapping><zeebe:input source="= [&quot;supervisor&quot;, &quot;head&quot;]" target="recipients"/></zeebe:ioMapping>
      </bpmn:extensionElements>
      <bpmn:incoming>f6</bpmn:incoming><bpmn:outgoing>f7</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="f7" sourceRef="chase" targetRef="chased"/>
    <bpmn:endEvent id="chased" name="已催办"><bpmn:incoming>f7</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="decide" targetRef="either"/>
    <bpmn:sequenceFlow id="f5" sourceRef="overdue" targetRef="either"/>
    <bpmn:exclusiveGateway id="either">
      <bpmn:incoming>f1</bpmn:incoming><bpmn:incoming>f5</bpmn:incoming><bpmn:outgoing>f8</bpmn:outgoing>
    </bpmn:exclusiveGateway>
    <bpmn:sequenceFlow id="f8" sourceRef="either" targetRef="which"/>
    <bpmn:exclusiveGateway id="which" name="是否受理？">
      <bpmn:incoming>f8</bpmn:incoming><bpmn:outgoing>yes</bpmn:outgoing><bpmn:outgoing>no</bpmn:outgoing>
    </bpmn:exclusiveGateway>
    <bpmn:sequenceFlow id="no" sourceRef="which" targetRef="refused">
      <bpmn:conditionExpression>= decision = "refuse"</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:endEvent id="refused" name="不予受理"><bpmn:incoming>no</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="yes" sourceRef="which" targetRef="accept">
      <bpmn:conditionExpression>= decision = "accept"</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:serviceTask id="accept" name="受理">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="intake.accept"/>
        <zeebe:ioMapping>
          <zeebe:output source="= accepted_at" target="accepted_at"/>
          <zeebe:output source="= grounds" target="grounds"/>
        </zeebe:ioMapping>
      </bpmn:extensionElements>
      <bpmn:incoming>yes</bpmn:incoming><bpmn:outgoing>g0</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="g0" sourceRef="accept" targetRef="ask"/>
    <bpmn:callActivity id="ask" name="征询双方">
      <bpmn:extensionElements><zeebe:calledElement processId="asking"/></bpmn:extensionElements>
      <bpmn:incoming>g0</bpmn:incoming><bpmn:outgoing>g1</bpmn:outgoing>
    </bpmn:callActivity>
    <bpmn:boundaryEvent id="withdrawn" name="撤回" attachedToRef="ask">
      <bpmn:outgoing>g2</bpmn:outgoing><bpmn:messageEventDefinition messageRef="m"/>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="g2" sourceRef="withdrawn" targetRef="gone"/>
    <bpmn:boundaryEvent id="too_long" name="满六十日" attachedToRef="ask">
      <bpmn:outgoing>g3</bpmn:outgoing>
      <bpmn:timerEventDefinition><bpmn:timeDate>= due("C03", accepted_at)</bpmn:timeDate></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="g3" sourceRef="too_long" targetRef="ended"/>
    <bpmn:endEvent id="ended" name="已终止"><bpmn:incoming>g3</bpmn:incoming></bpmn:endEvent>
    <bpmn:endEvent id="gone" name="已撤回"><bpmn:incoming>g2</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="g1" sourceRef="ask" targetRef="done"/>
    <bpmn:endEvent id="done" name="已受理"><bpmn:incoming>g1</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
  <bpmn:message id="m" name="complaint.withdrawn"><bpmn:extensionElements>
    <zeebe:subscription correlationKey="= case_id"/></bpmn:extensionElements></bpmn:message>
</bpmn:definitions>"""

ASKING = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
  <bpmn:process id="asking" name="征询" isExecutable="true">
    <bpmn:startEvent id="asked" name="开始"><bpmn:outgoing>a0</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a0" sourceRef="asked" targetRef="answer"/>
    <bpmn:userTask id="answer" name="答复">
      <bpmn:extensionElements>
        <zeebe:userTask/>
        <zeebe:formDefinition formId="consent"/>
        <zeebe:assignmentDefinition candidateGroups="= [party]"/>
        <zeebe:ioMapping><zeebe:output source="= consent" target="consent"/></zeebe:ioMapping>
      </bpmn:extensionElements>
      <bpmn:incoming>a0</bpmn:incoming><bpmn:outgoing>a1</bpmn:outgoing>
      <bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements>
        <zeebe:loopCharacteristics inputCollection="= [&#34;complainant&#34;, &#34;respondent&#34;]" inputElement="party"
          outputCollection="consents" outputElement="= consent"/>
      </bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>
    </bpmn:userTask>
    <bpmn:boundaryEvent id="silent" name="不答复" attachedToRef="answer">
      <bpmn:outgoing>a2</bpmn:outgoing>
      <bpmn:timerEventDefinition><bpmn:timeDate>= due("S06", accepted_at)</bpmn:timeDate></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="a1" sourceRef="answer" targetRef="answered"/>
    <bpmn:sequenceFlow id="a2" sourceRef="silent" targetRef="unanswered"/>
    <bpmn:endEvent id="answered" name="已答复"><bpmn:incoming>a1</bpmn:incoming></bpmn:endEvent>
    <bpmn:endEvent id="unanswered" name="未答复"><bpmn:incoming>a2</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>"""


def form(id: str, *components: dict[str, object]) -> bytes:
    return json.dumps({"type": "default", "id": id, "schemaVersion": 19, "components": components}).encode()


DECIDE = form(
    "decide",
    {
        "type": "radio",
        "id": "decision",
        "key": "decision",
        "label": "决定",
        "values": [{"label": "受理", "value": "accept"}, {"label": "不予受理", "value": "refuse"}],
        "validate": {"required": True},
    },
)
CONSENT = form(
    "consent",
    {
        "type": "radio",
        "id": "consent",
        "key": "consent",
        "label": "是否同意",
        "values": [{"label": "同意", "value": "yes"}, {"label": "不同意", "value": "no"}],
        "validate": {"required": True},
    },
)

_NAMES = [
    *("desk", "begun", "decide", "warned", "remind", "reminded", "expired", "overdue", "day_passed", "chase"),
    *("chased", "which", "refused", "accept", "ask", "withdrawn", "gone", "too_long", "ended", "done"),
]


def release() -> dict[str, bytes]:
    """The files of the release, without a finding."""
    return {
        "bpmn/desk.bpmn": DESK.encode(),
        "bpmn/desk.en.json": json.dumps({id: {"name": id} for id in _NAMES}).encode(),
        "bpmn/asking.bpmn": ASKING.encode(),
        "bpmn/asking.en.json": json.dumps(
            {id: {"name": id} for id in ("asking", "asked", "answer", "silent", "answered", "unanswered")}
        ).encode(),
        "forms/decide.form": DECIDE,
        "forms/decide.en.json": json.dumps(
            {"decision": {"label": "Decision", "values": {"accept": "Accept", "refuse": "Refuse"}}}
        ).encode(),
        "forms/consent.form": CONSENT,
        "forms/consent.en.json": json.dumps(
            {"consent": {"label": "Consent", "values": {"yes": "Yes", "no": "No"}}}
        ).encode(),
        "time_limits.yaml": LIMITS,
    }
