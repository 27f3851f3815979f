"""A release in small, with one of everything that a difference can be about."""

import json

DIAGRAM = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" id="d" targetNamespace="t">
  <bpmn:message id="m_go" name="case.withdrawn"><bpmn:extensionElements><zeebe:subscription correlationKey="= case_id" /></bpmn:extensionElements></bpmn:message>
  <bpmn:message id="m_other" name="case.returned"><bpmn:extensionElements><zeebe:subscription correlationKey="= case_no" /></bpmn:extensionElements></bpmn:message>
  <bpmn:error id="e_one" errorCode="refused" />
  <bpmn:process id="desk" name="受理台" isExecutable="true">
    <bpmn:documentation>办法 第十五条</bpmn:documentation>
    <bpmn:laneSet id="lanes">
      <bpmn:lane id="l1" name="承办人"><bpmn:flowNodeRef>decide</bpmn:flowNodeRef><bpmn:flowNodeRef>await_shop</bpmn:flowNodeRef></bpmn:lane>
      <bpmn:lane id="l2" name="督办人"></bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="begun" name="收到投诉" />
    <bpmn:sequenceFlow id="f0" sourceRef="begun" targetRef="decide" />
    <bpmn:userTask id="decide" name="作出决定">
      <bpmn:documentation>逐条核对。办法 第十六条</bpmn:documentation>
      <bpmn:extensionElements>
        <zeebe:formDefinition formId="decide" />
        <zeebe:assignmentDefinition candidateGroups="officer" />
        <zeebe:taskSchedule dueDate="= due(&#34;C01&#34;, received_at)" />
        <zeebe:ioMapping><zeebe:input source="= grounds" target="found" /><zeebe:output source="= decision" target="decision" /></zeebe:ioMapping>
        <zeebe:properties><zeebe:property name="article" value="办法15" /></zeebe:properties>
      </bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:boundaryEvent id="warned" name="第一次预警" cancelActivity="false" attachedToRef="decide"><bpmn:timerEventDefinition><bpmn:timeDate>= warning("C01", received_at, 1)</bpmn:timeDate></bpmn:timerEventDefinition></bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="warned" targetRef="remind" />
    <bpmn:serviceTask id="remind" name="提醒"><bpmn:extensionElements><zeebe:taskDefinition type="notices.remind" /><zeebe:taskHeaders><zeebe:header key="to" value="officer" /></zeebe:taskHeaders></bpmn:extensionElements></bpmn:serviceTask>
    <bpmn:sequenceFlow id="f2" sourceRef="remind" targetRef="reminded" />
    <bpmn:endEvent id="reminded" name="已提醒" />
    <bpmn:sequenceFlow id="f3" sourceRef="decide" targetRef="which" />
    <bpmn:exclusiveGateway id="which" name="受理吗" default="f5" />
    <bpmn:sequenceFlow id="f4" name="受理" sourceRef="which" targetRef="await_shop"><bpmn:conditionExpression>= decision = "accept"</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f5" sourceRef="which" targetRef="refused" />
    <bpmn:sequenceFlow id="f6" sourceRef="which" targetRef="mediate"><bpmn:conditionExpression>= decision = "mediate"</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:endEvent id="refused" name="不予受理" />
    <bpmn:userTask id="await_shop" name="等待商家答复">
      <bpmn:extensionElements><zeebe:formDefinition formId="answer" /><zeebe:assignmentDefinition candidateGroups="= [party]" /></bpmn:extensionElements>
      <bpmn:multiInstanceLoopCharacteristics isSequential="false"><bpmn:extensionElements><zeebe:loopCharacteristics inputCollection="= parties" inputElement="party" outputCollection="answers" outputElement="= answer" /></bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>
    </bpmn:userTask>
    <bpmn:boundaryEvent id="lapsed" attachedToRef="await_shop"><bpmn:timerEventDefinition><bpmn:timeDuration>P7D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>
    <bpmn:boundaryEvent id="withdrawn" name="撤回" attachedToRef="await_shop"><bpmn:messageEventDefinition messageRef="m_go" /></bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f7" sourceRef="lapsed" targetRef="rule" />
    <bpmn:sequenceFlow id="f8" sourceRef="withdrawn" targetRef="refused" />
    <bpmn:sequenceFlow id="f9" sourceRef="await_shop" targetRef="rule" />
    <bpmn:businessRuleTask id="rule" name="选出口"><bpmn:extensionElements><zeebe:calledDecision decisionId="exit" resultVariable="way" /></bpmn:extensionElements></bpmn:businessRuleTask>
    <bpmn:sequenceFlow id="f10" sourceRef="rule" targetRef="mediate" />
    <bpmn:callActivity id="mediate" name="调解"><bpmn:extensionElements><zeebe:calledElement processId="mediation" propagateAllChildVariables="false" /></bpmn:extensionElements></bpmn:callActivity>
    <bpmn:sequenceFlow id="f11" sourceRef="mediate" targetRef="sub" />
    <bpmn:subProcess id="sub" name="归档">
      <bpmn:startEvent id="s1" /><bpmn:sequenceFlow id="i1" sourceRef="s1" targetRef="daily" />
      <bpmn:intermediateCatchEvent id="daily" name="次日"><bpmn:timerEventDefinition><bpmn:timeDuration>PT24H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
      <bpmn:sequenceFlow id="i2" sourceRef="daily" targetRef="s2" /><bpmn:endEvent id="s2" />
    </bpmn:subProcess>
    <bpmn:sequenceFlow id="f12" sourceRef="sub" targetRef="closed" />
    <bpmn:endEvent id="closed" name="结案" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="plane"><bpmndi:BPMNPlane id="p" bpmnElement="desk"><bpmndi:BPMNShape id="decide_di" bpmnElement="decide"><dc:Bounds x="100" y="80" width="100" height="80" /></bpmndi:BPMNShape></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>"""

TABLE = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:biodi="http://bpmn.io/schema/dmn/biodi/2.0" id="exits" name="出口" namespace="n">
  <inputData id="facts" name="案件事实"><variable id="v0" name="案件事实" /></inputData>
  <decision id="exit" name="选出口（D9）">
    <description>办法 第二十三条</description>
    <variable id="v1" name="way" typeRef="string" />
    <informationRequirement id="r1"><requiredInput href="#facts" /></informationRequirement>
    <decisionTable id="t" hitPolicy="FIRST" biodi:annotationsWidth="400">
      <input id="i_amount" label="金额" biodi:width="120"><inputExpression id="x1" typeRef="number"><text>amount</text></inputExpression></input>
      <input id="i_channel" label="渠道"><inputExpression id="x2" typeRef="string"><text>channel</text></inputExpression><inputValues id="a1"><text>"store","web"</text></inputValues></input>
      <output id="o" name="way" label="出口" typeRef="string" />
      <rule id="one"><description>小额</description><inputEntry id="c1"><text>&lt; 1000</text></inputEntry><inputEntry id="c2"><text>"store"</text></inputEntry><outputEntry id="c3"><text>"mediated"</text></outputEntry></rule>
      <rule id="two"><inputEntry id="c4"><text>&gt;= 1000</text></inputEntry><inputEntry id="c5"><text>-</text></inputEntry><outputEntry id="c6"><text>"court_confirmed"</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <decision id="fee" name="费用"><variable id="v2" name="fee" typeRef="number" /><literalExpression id="l1"><text>amount * 0.01</text></literalExpression></decision>
</definitions>"""

FORM = json.dumps(
    {
        "type": "default",
        "id": "decide",
        "schemaVersion": 19,
        "components": [
            {"type": "text", "id": "intro", "text": "# 决定"},
            {"type": "radio", "id": "decision", "key": "decision", "label": "决定", "validate": {"required": True}, "values": [{"label": "受理", "value": "accept"}, {"label": "不予受理", "value": "refuse"}]},
            {"type": "textarea", "id": "reasons", "key": "reasons", "label": "理由", "conditional": {"hide": "=decision != \"refuse\""}, "validate": {"minLength": 5}, "layout": {"row": "r1", "columns": 8}},
            {"type": "group", "id": "more", "label": "补充", "components": [{"type": "textfield", "id": "note", "key": "note", "label": "备注"}]},
        ],
    },
    ensure_ascii=False,
)  # fmt: skip

LIMITS = """limits:
  C01:
    zh: 受理决定
    en: Decision on acceptance
    bound: authority
    who: { zh: 市场监管部门, en: market regulator }
    starts: { zh: 收到投诉, en: received }
    start: received_at
    amount: 7
    unit: working day
    warn_after: [5, 6]
    region: CN
    holds_from: 2026-04-15
    article: 办法15
    mark: V
  C03:
    zh: 调解期限
    en: Mediation
    bound: authority
    who: { zh: 市场监管部门, en: market regulator }
    starts: { zh: 受理, en: acceptance }
    start: accepted_at
    article: 办法23
    mark: V
    editions:
      - { region: CN, holds_from: 2024-07-01, amount: 60, unit: day }
      - { region: CN-ZJ, holds_from: 2026-01-01, amount: 45, unit: day }
"""

SCENARIOS = """diagram: desk
scenarios:
  - name: 到期不答
    steps: [{ when: { advance: 2026-09-30 } }]
  - name: 撤回
    steps: [{ when: { message: case.withdrawn } }]
"""

ENGLISH = json.dumps(
    {"desk": "Desk", "decide": "Decide", "await_shop": {"name": "Wait for the shop"}, "which": "Accepted?"}
)

FILES = {
    "bpmn/desk.bpmn": DIAGRAM.encode(),
    "bpmn/desk.en.json": ENGLISH.encode(),
    "dmn/exit.dmn": TABLE.encode(),
    "forms/decide.form": FORM.encode(),
    "scenarios/desk.scenarios.yaml": SCENARIOS.encode(),
    "time_limits.yaml": LIMITS.encode(),
}
