"""Translates diagrams drawn for Camunda 7 into the vocabulary that runs here. Pure; never raises.

What means the same is translated and noted (a warning), what changes nothing about the way of a case is left out
and noted, and what cannot be translated is refused by name (an error) with what to draw instead. Never a guess.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from engine import juel
from engine.checking import EXTERNAL_WORKER
from engine.diagram import BPMN, ZEEBE, NotXml, is_too_large, parse
from engine.findings import Finding, Severity

#: Namespaces of Camunda 7 and of its ancestor.
VENDORS = ("http://camunda.org/schema/1.0/bpmn", "http://activiti.org/bpmn")

#: Attributes of the vendor that are translated, each beside the element that it is about.
TRANSLATED = frozenset(
    [
        "assignee",
        "candidateUsers",
        "candidateGroups",
        "formKey",
        "formRef",
        "dueDate",
        "type",
        "topic",
        "expression",
        "resultVariable",
        "decisionRef",
        "mapDecisionResult",
        "collection",
        "elementVariable",
        "calledElementBinding",
        "decisionRefBinding",
    ]
)
#: Attributes that say when and how a program does it, keeps it or shows it, never which way a case goes.
IGNORED = frozenset(
    [
        "async",
        "asyncBefore",
        "asyncAfter",
        "exclusive",
        "jobPriority",
        "taskPriority",
        "priority",
        "historyTimeToLive",
        "versionTag",
        "isStartableInTasklist",
        "candidateStarterUsers",
        "candidateStarterGroups",
        "followUpDate",
        "formRefBinding",
        "formRefVersion",
        "modelerTemplate",
        "modelerTemplateVersion",
        "modelerTemplateIcon",
        "diagramRelationId",
        "executionPlatform",
    ]
)
#: Attributes that name a variable which gets its value from an error or an escalation.
VARIABLES = frozenset(["errorCodeVariable", "errorMessageVariable", "escalationCodeVariable"])
#: Attributes that run Java.
JAVA = frozenset(["class", "delegateExpression", "variableMappingClass", "variableMappingDelegateExpression"])
#: Elements of the vendor's extensions that are translated, and that are left out.
TRANSLATED_ELEMENTS = frozenset(
    ["inputOutput", "inputParameter", "outputParameter", "in", "out", "properties", "property"]
)
IGNORED_ELEMENTS = frozenset(
    ["failedJobRetryTimeCycle", "formData", "formField", "validation", "constraint", "value", "formProperty"]
)

#: Flow nodes that need an id to be spoken of.
_NODES = frozenset(
    [
        "startEvent",
        "endEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
        "userTask",
        "manualTask",
        "task",
        "serviceTask",
        "scriptTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
        "eventBasedGateway",
        "complexGateway",
        "subProcess",
        "transaction",
        "adHocSubProcess",
        "callActivity",
        "sequenceFlow",
        "process",
    ]
)
#: Flow nodes after which a path may simply stop, by BPMN's own rule.
_MAY_STOP = frozenset(
    [
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "boundaryEvent",
        "userTask",
        "manualTask",
        "task",
        "serviceTask",
        "scriptTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "subProcess",
        "callActivity",
        "exclusiveGateway",
        "parallelGateway",
        "inclusiveGateway",
    ]
)
_CONDITIONAL = frozenset(["exclusiveGateway", "inclusiveGateway", "complexGateway"])


@dataclass(frozen=True)
class Imported:
    """A translated diagram; the same bytes where nothing was to be translated."""

    xml: bytes
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> bool:
        """Whether something stands in it that cannot be translated."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def translate(xml: bytes, file: str) -> Imported:
    """Translate one diagram. What cannot be read is left to ``engine.check``, which says so."""
    try:
        root = parse(xml)
    except NotXml:
        return Imported(xml, ())
    if root.tag != f"{BPMN}definitions" or is_too_large(root) or _speaks_ours(root):
        return Imported(xml, ())
    translator = _Translator(root, file)
    translator.translate()
    if not translator.changed:
        return Imported(xml, tuple(translator.findings))
    etree.cleanup_namespaces(root, keep_ns_prefixes=["bpmndi", "di", "dc", "xsi"])
    written = etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")
    return Imported(written, tuple(translator.findings))


def _speaks_ours(root: etree._Element) -> bool:
    """Whether a diagram was drawn with the zeebe vocabulary and nothing of the other one."""
    spaces = {etree.QName(name).namespace for node in root.iter("*") for name in (node.tag, *node.attrib)}
    return ZEEBE[1:-1] in spaces and not spaces & set(VENDORS)


class _Translator:
    def __init__(self, root: etree._Element, file: str) -> None:
        self.root = root
        self.file = file
        self.findings: list[Finding] = []
        self.changed = False
        self.ids = {str(node.get("id")) for node in root.iter() if node.get("id")}
        self.vendor: set[str] = set()

    def translate(self) -> None:
        """Everything, in an order in which each finds what it needs."""
        self._name_nodes()
        for node in list(self.root.iter(f"{BPMN}*")):
            tag = etree.QName(node).localname
            translate = _OF_TAG.get(tag)
            if translate is not None:
                translate(self, node)
        for process in self.root.iter(f"{BPMN}process"):
            self._end_paths(process)
            self._ask_in_gateways(process)
        for node in list(self.root.iter(f"{BPMN}*")):
            self._leave_out(node)
        self._say_what_was_left_out()

    # What is said.

    def _note(self, node: etree._Element, code: str, zh: str, en: str) -> None:
        self.changed = True
        self._say(node, code, Severity.WARNING, zh, en)

    def _refuse(self, node: etree._Element, code: str, zh: str, en: str) -> None:
        self._say(node, code, Severity.ERROR, zh, en)

    def _say(self, node: etree._Element, code: str, severity: Severity, zh: str, en: str) -> None:
        self.findings.append(Finding(self.file, _nearest_id(node), code, severity, zh, en))

    # Reading and writing.

    def _taken(self, node: etree._Element, name: str) -> str:
        """An attribute of the vendor, taken away."""
        for vendor in VENDORS:
            key = f"{{{vendor}}}{name}"
            if key in node.attrib:
                self.changed = True
                return str(node.attrib.pop(key)).strip()
        return ""

    def _extensions(self, node: etree._Element) -> etree._Element:
        found = node.find(f"{BPMN}extensionElements")
        if found is None:
            found = etree.Element(f"{BPMN}extensionElements")
            place = sum(1 for child in node if child.tag == f"{BPMN}documentation")
            node.insert(place, found)
        return found

    def _zeebe(self, node: etree._Element, name: str, **attributes: str) -> None:
        self.changed = True
        extensions = self._extensions(node)
        found = extensions.find(f"{ZEEBE}{name}")
        if found is None:
            found = etree.SubElement(extensions, f"{ZEEBE}{name}", nsmap={"zeebe": ZEEBE[1:-1]})
        for key, value in attributes.items():
            found.set(key, value)

    def _mapping(self, node: etree._Element, direction: str, source: str, target: str) -> None:
        self._zeebe(node, "ioMapping")
        mapping = self._extensions(node).find(f"{ZEEBE}ioMapping")
        assert mapping is not None
        etree.SubElement(mapping, f"{ZEEBE}{direction}", source=source, target=target)

    def _feel(self, node: etree._Element, text: str, what: str) -> str:
        """``= `` and the FEEL of JUEL, or the text itself; empty, and said, where there is no translation."""
        if not juel.is_juel(text):
            return text
        try:
            feel = juel.translate(text)
        except juel.NotTranslated as why:
            self._refuse(
                node,
                "import.juel",
                f"{what} {text}：{why.zh}请改写成 FEEL。",
                f"{what} {text}: {why.en} Write it in FEEL.",
            )
            return ""
        self._note(
            node,
            "import.expression",
            f"{what} {text} 译为 FEEL：{feel}。缺的变量在 Camunda 7 里会报错，在 FEEL 里是 null。",
            f"{what} {text} became FEEL: {feel}. A missing variable is an error in Camunda 7 and null in FEEL.",
        )
        return f"= {feel}"

    def _new_id(self, stem: str) -> str:
        number = 1
        while f"{stem}_{number}" in self.ids:
            number += 1
        self.ids.add(f"{stem}_{number}")
        return f"{stem}_{number}"

    # Ids.

    def _name_nodes(self) -> None:
        named = 0
        for node in self.root.iter(*(f"{BPMN}{tag}" for tag in _NODES)):
            if not node.get("id"):
                node.set(
                    "id", self._new_id("flow" if node.tag == f"{BPMN}sequenceFlow" else etree.QName(node).localname)
                )
                named += 1
        if named:
            self._note(
                self.root,
                "import.ids",
                f"{named} 个没有 id 的元素得到了 id。",
                f"{named} elements without an id were given one.",
            )

    # Elements, tag by tag.

    def _activity(self, node: etree._Element) -> None:
        """What every activity may have: multi-instance, inputs and outputs, listeners."""
        self._loop(node)
        self._listeners(node)
        self._input_output(node)

    def _user_task(self, node: etree._Element) -> None:
        self._activity(node)
        assignee = self._taken(node, "assignee")
        users, groups = self._taken(node, "candidateUsers"), self._taken(node, "candidateGroups")
        for performer in list(node.iterfind(f"{BPMN}humanPerformer")):
            assignee = assignee or _words(performer)
            self._remove(performer)
        for owner in list(node.iterfind(f"{BPMN}potentialOwner")):
            people, teams = _owners(_words(owner))
            users, groups = ",".join(filter(None, (users, people))), ",".join(filter(None, (groups, teams)))
            self._remove(owner)
        given = {
            "assignee": self._feel(node, assignee, "camunda:assignee"),
            "candidateUsers": self._feel(node, users, "camunda:candidateUsers"),
            "candidateGroups": self._feel(node, groups, "camunda:candidateGroups"),
        }
        if any(given.values()):
            self._zeebe(node, "assignmentDefinition", **{key: value for key, value in given.items() if value})
        if users and not groups and not assignee:
            self._note(
                node,
                "import.candidate_users",
                f"任务在 Camunda 7 里由这些人自己领取：{users}。这里由角色领取，请写 candidateGroups。",
                f"In Camunda 7 these people may claim the task: {users}. Here a role does: give candidateGroups.",
            )
        form = self._taken(node, "formKey") or self._taken(node, "formRef")
        if form:
            self._zeebe(node, "formDefinition", formId=self._feel(node, form, "camunda:formKey"))
        due = self._taken(node, "dueDate")
        if due:
            if due.startswith("P"):
                due = f'= duration("{due}")'
            self._zeebe(node, "taskSchedule", dueDate=self._feel(node, due, "camunda:dueDate"))
        self._zeebe(node, "userTask")

    def _worker(self, node: etree._Element) -> None:
        """A service, send or business rule task, or what a message throw event says about its message."""
        self._activity(node)
        self._work(node, node)

    def _work(self, node: etree._Element, says: etree._Element) -> None:
        java = [name for name in JAVA if self._taken(says, name)]
        if java:
            self._refuse(
                node,
                "import.java",
                f"不执行 Java（camunda:{java[0]}）；请登记一个服务，或者写明外部工作者的主题（type）。",
                f"Java is not run (camunda:{java[0]}); register a service, or name an external worker's topic.",
            )
        kind, topic = self._taken(says, "type"), self._taken(says, "topic")
        if kind == "external" and topic:
            if juel.is_juel(topic):
                self._refuse(
                    node,
                    "import.topic",
                    "主题要写明，不能用表达式。",
                    "The topic is written out, not computed.",
                )
            else:
                self._zeebe(node, "taskDefinition", type=topic)
                self._property(node, EXTERNAL_WORKER, "true")
        elif kind:
            self._refuse(
                node,
                "import.built_in",
                f"没有内置的“{kind}”任务；请登记一个服务来做。",
                f'There is no built-in "{kind}" task; register a service for it.',
            )
        expression = self._taken(says, "expression")
        if expression:
            self._expression(node, expression, self._taken(says, "resultVariable"))
        decision = self._taken(node, "decisionRef")
        if decision:
            self._decision(node, decision)

    def _expression(self, node: etree._Element, text: str, result: str) -> None:
        """A service task that computes a value out of nothing becomes a script task; one that calls Java cannot."""
        if node.tag not in (f"{BPMN}serviceTask", f"{BPMN}sendTask", f"{BPMN}businessRuleTask"):
            self._refuse_expression(node, text, "")
            return
        try:
            if juel.is_juel(text) and not juel.is_fixed(text):
                self._refuse_expression(
                    node, text, "它读取的可能是 Java 对象。|What it reads may be a Java object."
                )
                return
            feel = juel.translate(text) if juel.is_juel(text) else f'"{text}"'
        except juel.NotTranslated as why:
            self._refuse_expression(node, text, f"{why.zh}|{why.en}")
            return
        node.tag = f"{BPMN}scriptTask"
        self._zeebe(node, "script", expression=f"= {feel}", resultVariable=result)
        self._note(
            node,
            "import.expression",
            f"camunda:expression {text} 不调用任何程序，译为脚本任务：{feel}。",
            f"camunda:expression {text} calls no program and became a script task: {feel}.",
        )

    def _refuse_expression(self, node: etree._Element, text: str, why: str) -> None:
        zh, _, en = why.partition("|")
        self._refuse(
            node,
            "import.java",
            f"camunda:expression {text} 调用 Java。{zh}请登记一个服务，或者画脚本任务写 FEEL。",
            f"camunda:expression {text} calls Java. {en} Register a service, or draw a script task with FEEL.",
        )

    def _decision(self, node: etree._Element, decision: str) -> None:
        mapped = self._taken(node, "mapDecisionResult")
        if juel.is_juel(decision):
            self._refuse(
                node, "import.decision", "决策要写明，不能用表达式。", "The decision is written out, not computed."
            )
        elif mapped not in _DECIDED:
            self._refuse(
                node,
                "import.decision",
                f"决策的结果“{mapped or 'resultList'}”是 Camunda 7 自己的形状；请用 singleEntry，一张表给一个值。",
                f"The decision result {mapped or 'resultList'} has a shape of Camunda 7's own; use singleEntry.",
            )
        else:
            self._zeebe(
                node, "calledDecision", decisionId=decision, resultVariable=self._taken(node, "resultVariable")
            )
            self._note(
                node,
                "import.decision",
                f"决策“{decision}”的结果按 DMN 给出：{_DECIDED[mapped][0]}。",
                f'The decision "{decision}" answers as DMN says: {_DECIDED[mapped][1]}.',
            )

    def _script(self, node: etree._Element) -> None:
        self._activity(node)
        language, script = str(node.get("scriptFormat", "")), node.find(f"{BPMN}script")
        resource = self._taken(node, "resource")
        text = "" if script is None else "".join(str(part) for part in script.itertext()).strip()
        if resource or script is None or language.lower() not in ("feel", "juel"):
            self._refuse(
                node,
                "import.script",
                f"不执行 {language or '别的语言'} 脚本；请用 FEEL 写表达式，或者登记一个服务。",
                f"Scripts in {language or 'another language'} are not run; write FEEL, or register a service.",
            )
            return
        feel = f"= {text}" if language.lower() == "feel" else self._feel(node, text, "script")
        self._remove(script)
        self._zeebe(node, "script", expression=feel, resultVariable=self._taken(node, "resultVariable"))

    def _receive_task(self, node: etree._Element) -> None:
        self._activity(node)
        if node.get("messageRef") is None:
            identity = str(node.get("id"))
            message = etree.SubElement(self.root, f"{BPMN}message", id=self._new_id("message"), name=identity)
            self._before_diagram(message)
            self._zeebe(message, "subscription", correlationKey="= case_id")
            node.set("messageRef", str(message.get("id")))
            self._note(
                node,
                "import.receive_task",
                f"在 Camunda 7 里由程序唤醒的接收任务，现在等消息“{identity}”。",
                f'A receive task that a program woke in Camunda 7 now waits for the message "{identity}".',
            )

    def _call(self, node: etree._Element) -> None:
        self._activity(node)
        if self._taken(node, "caseRef"):
            self._refuse(
                node,
                "import.case",
                "不执行 CMMN；请画成流程。",
                "CMMN cases are not run; draw the case as a process.",
            )
        if any(self._taken(node, name) for name in JAVA):
            self._refuse(
                node,
                "import.java",
                "变量映射调用 Java；请用 camunda:in 和 camunda:out。",
                "The mapping of variables calls Java; use camunda:in and camunda:out.",
            )
        binding = self._taken(node, "calledElementBinding")
        version = self._taken(node, "calledElementVersion") or self._taken(node, "calledElementVersionTag")
        if version or self._taken(node, "calledElementTenantId") or binding in ("version", "versionTag"):
            self._refuse(
                node,
                "import.binding",
                "不能调用流程的某一个版本：一次发布里的图一起运行。",
                "A call names no version: the diagrams of one release run together.",
            )
        called = str(node.get("calledElement", ""))
        if juel.is_juel(called):
            try:
                fixed = juel.is_fixed(called)
                feel = juel.translate(called)
            except juel.NotTranslated:
                fixed, feel = False, ""
            if fixed and re.fullmatch(r'"[\w.-]+"', feel):
                node.set("calledElement", feel.strip('"'))
        everything = {"in": "false", "out": "false"}
        for direction in ("in", "out"):
            for mapping in list(_vendor_elements(node, direction)):
                self._remove(mapping)
                if mapping.get("variables") == "all":
                    everything[direction] = "true"
                elif mapping.get("businessKey") is None:
                    self._handed_over(node, direction, mapping)
        if everything["in"] == "false":
            # What a message is correlated by; Camunda 7 knows the business key everywhere.
            self._mapping(node, "input", "= case_id", "case_id")
        self._zeebe(
            node,
            "calledElement",
            processId=str(node.get("calledElement", "")),
            propagateAllParentVariables=everything["in"],
            propagateAllChildVariables=everything["out"],
        )

    def _handed_over(self, node: etree._Element, direction: str, mapping: etree._Element) -> None:
        source, target = str(mapping.get("source", "")), str(mapping.get("target", ""))
        computed = str(mapping.get("sourceExpression", ""))
        feel = self._feel(node, computed, f"camunda:{direction}") if computed else f"= {source}"
        if feel and target:
            self._mapping(node, "input" if direction == "in" else "output", feel, target)

    def _start(self, node: etree._Element) -> None:
        form = self._taken(node, "formKey") or self._taken(node, "formRef")
        if form:
            self._note(
                node,
                "import.start_form",
                f"开始表单“{form}”没有带过来：流程由登记启动，登记有自己的表单。",
                f'The start form "{form}" was left out: a process is started by filing, which has its own.',
            )
        self._event(node)

    def _event(self, node: etree._Element) -> None:
        self._listeners(node)
        self._input_output(node)
        for definition in node.iterfind(f"{BPMN}messageEventDefinition"):
            self._work(node, definition)
        for definition in node.iterfind(f"{BPMN}errorEventDefinition"):
            self._error(definition)
            for name in ("errorCodeVariable", "errorMessageVariable"):
                self._variable_left_out(node, definition, name)
        for definition in node.iterfind(f"{BPMN}escalationEventDefinition"):
            self._variable_left_out(node, definition, "escalationCodeVariable")
        for definition in node.iterfind(f"{BPMN}timerEventDefinition"):
            self._timer(node, definition)

    def _variable_left_out(self, node: etree._Element, definition: etree._Element, name: str) -> None:
        variable = self._taken(definition, name)
        if variable:
            self._note(
                node,
                "import.variable_left_out",
                f"变量“{variable}”（camunda:{name}）在这里得不到值。",
                f'The variable "{variable}" (camunda:{name}) is given no value here.',
            )

    def _error(self, definition: etree._Element) -> None:
        reference = definition.get("errorRef")
        if reference and self.root.find(f"{BPMN}error[@id={_quoted(reference)}]") is None:
            error = etree.SubElement(self.root, f"{BPMN}error", id=self._new_id("error"), errorCode=str(reference))
            self._before_diagram(error)
            definition.set("errorRef", str(error.get("id")))
            self._note(
                definition,
                "import.error",
                f"没有定义的错误“{reference}”按代码读，与 Camunda 7 相同。",
                f'The undefined error "{reference}" is read as its code, as Camunda 7 does.',
            )

    def _timer(self, node: etree._Element, definition: etree._Element) -> None:
        for tag in ("timeDate", "timeDuration", "timeCycle"):
            for time in definition.iterfind(f"{BPMN}{tag}"):
                text = "".join(str(part) for part in time.itertext()).strip()
                if juel.is_juel(text):
                    time.text = self._feel(node, text, tag)
                elif tag == "timeDate" and text.startswith("P"):
                    time.tag = f"{BPMN}timeDuration"
                    self._note(
                        node,
                        "import.timer",
                        f"写成时刻的时长 {text} 读作时长，与 Camunda 7 相同。",
                        f"The duration {text} given as a date is read as one, as in Camunda 7.",
                    )
                elif tag == "timeCycle" and " " in text:
                    self._refuse(
                        node,
                        "import.cron",
                        f"不认识 cron“{text}”；请写 ISO 8601 的周期，如 R/PT5M。",
                        f'Cron "{text}" is not known; write an ISO 8601 cycle such as R/PT5M.',
                    )
                elif tag == "timeDate" and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+", text):
                    self._refuse(
                        node,
                        "import.no_offset",
                        f"时刻 {text} 没有时差，Camunda 7 用服务器的；请写明，如 +08:00。",
                        f"The moment {text} has no offset and takes the server's in Camunda 7; write it: +08:00.",
                    )

    def _message(self, node: etree._Element) -> None:
        if node.find(f"{BPMN}extensionElements/{ZEEBE}subscription") is not None:
            return
        self._zeebe(node, "subscription", correlationKey="= case_id")
        self._note(
            node,
            "import.correlation",
            f"消息“{node.get('name', '')}”按案件编号送达；Camunda 7 由发送的程序决定送给谁。",
            f'The message "{node.get("name", "")}" is correlated by case_id; Camunda 7 leaves it to the sender.',
        )

    def _flow(self, node: etree._Element) -> None:
        self._listeners(node)
        condition = node.find(f"{BPMN}conditionExpression")
        if condition is None:
            return
        language = str(condition.get("language", ""))
        text = "".join(str(part) for part in condition.itertext()).strip()
        if self._taken(condition, "resource") or (language and language.lower() not in ("feel", "juel")):
            self._refuse(
                node,
                "import.script",
                f"不执行 {language or '脚本'} 写的条件；请改写成 FEEL。",
                f"Conditions in {language or 'a script'} are not run; write it in FEEL.",
            )
            return
        if juel.is_juel(text):
            for child in list(condition):
                condition.remove(child)
            condition.text = self._feel(node, text, "condition") or "= null"
        if "language" in condition.attrib:
            del condition.attrib["language"]

    # What several elements share.

    def _loop(self, node: etree._Element) -> None:
        loop = node.find(f"{BPMN}multiInstanceLoopCharacteristics")
        if loop is None:
            return
        collection, item = self._taken(loop, "collection"), self._taken(loop, "elementVariable")
        reference, datum = loop.find(f"{BPMN}loopDataInputRef"), loop.find(f"{BPMN}inputDataItem")
        collection = collection or ("" if reference is None else _words(reference))
        item = item or ("" if datum is None else str(datum.get("name", "")))
        cardinality = loop.find(f"{BPMN}loopCardinality")
        done = loop.find(f"{BPMN}completionCondition")
        if done is not None and juel.is_juel(_words(done)):
            done.text = self._feel(node, _words(done), "completionCondition") or "= null"
        if collection:
            feel = (
                self._feel(node, collection, "camunda:collection")
                if juel.is_juel(collection)
                else f"= {collection}"
            )
            if feel:
                self._zeebe(loop, "loopCharacteristics", inputCollection=feel, inputElement=item)
        elif cardinality is not None:
            self._count(node, loop, _words(cardinality))
            loop.remove(cardinality)

    def _count(self, node: etree._Element, loop: etree._Element, text: str) -> None:
        count = self._feel(node, text, "loopCardinality").removeprefix("=").strip()
        if not count:
            return
        # FEEL counts a range downwards where its end is smaller; a loop of none has none.
        feel = f"for i in 1..{count} return i"
        if not count.isdigit() or count == "0":
            feel = f"if {count} < 1 then [] else for i in 1..({count}) return i"
        self._zeebe(loop, "loopCharacteristics", inputCollection=f"= {feel}")
        self._note(
            node,
            "import.cardinality",
            f"循环次数 {text} 译为 1 到 {count} 的一列数。",
            f"The cardinality {text} became the numbers from 1 to {count}.",
        )

    def _input_output(self, node: etree._Element) -> None:
        for tag, direction in (("inputParameter", "input"), ("outputParameter", "output")):
            for parameter in list(_vendor_elements(node, f"inputOutput/{tag}")):
                name = str(parameter.get("name", ""))
                source = self._parameter(node, parameter)
                if source:
                    self._mapping(node, direction, source, name)
        for whole in list(_vendor_elements(node, "inputOutput")):
            self._remove(whole)

    def _parameter(self, node: etree._Element, parameter: etree._Element) -> str:
        children = [child for child in parameter if isinstance(child.tag, str)]
        if not children:
            text = _words(parameter)
            return (
                self._feel(node, text, str(parameter.get("name", "")))
                if juel.is_juel(text)
                else f'= "{_escaped(text)}"'
            )
        shape = etree.QName(children[0]).localname
        if shape == "list" and all(etree.QName(v).localname == "value" for v in children[0]):
            parts = [self._value(node, v) for v in children[0]]
            return f"= [{', '.join(parts)}]" if all(parts) else ""
        if shape == "map" and all(etree.QName(v).localname == "entry" and not len(v) for v in children[0]):
            entries = [(str(v.get("key", "")), self._value(node, v)) for v in children[0]]
            if all(value for _, value in entries):
                return "= {" + ", ".join(f'"{_escaped(key)}": {value}' for key, value in entries) + "}"
            return ""
        self._refuse(
            node,
            "import.script",
            f"参数“{parameter.get('name', '')}”由脚本计算；请改写成 FEEL。",
            f'The parameter "{parameter.get("name", "")}" is computed by a script; write it in FEEL.',
        )
        return ""

    def _value(self, node: etree._Element, value: etree._Element) -> str:
        text = _words(value)
        if not juel.is_juel(text):
            return f'"{_escaped(text)}"'
        return self._feel(node, text, "value").removeprefix("=").strip()

    def _listeners(self, node: etree._Element) -> None:
        for tag in ("executionListener", "taskListener"):
            for listener in list(_vendor_elements(node, tag)):
                self._refuse(
                    node,
                    "import.listener",
                    f"不执行监听器（camunda:{tag} {listener.get('event', '')}）；请画一个服务任务，图上看得见。",
                    f"Listeners are not run (camunda:{tag} {listener.get('event', '')}); "
                    "draw a service task that people can see.",
                )
                self._remove(listener)
        for connector in list(_vendor_elements(node, "connector")):
            self._refuse(
                node,
                "import.java",
                "不执行连接器（camunda:connector）；请登记一个服务。",
                "Connectors are not run (camunda:connector); register a service.",
            )
            self._remove(connector)

    # What BPMN allows and is drawn out here.

    def _end_paths(self, process: etree._Element) -> None:
        """BPMN: a path that leads nowhere has ended. Here it ends in an end event that people see."""
        leaving = {str(flow.get("sourceRef")) for flow in process.iter(f"{BPMN}sequenceFlow")}
        entered = {str(flow.get("targetRef")) for flow in process.iter(f"{BPMN}sequenceFlow")}
        ended = 0
        for node in list(process.iter(*(f"{BPMN}{tag}" for tag in _MAY_STOP))):
            identity = str(node.get("id"))
            drawn_in = node.getparent()
            reached = identity in entered or node.get("attachedToRef") is not None
            if drawn_in is None or identity in leaving or not reached:
                continue
            if node.get("isForCompensation") == "true" or node.get("triggeredByEvent") == "true":
                continue
            if node.find(f"{BPMN}compensateEventDefinition") is not None:
                continue
            if node.find(f"{BPMN}linkEventDefinition") is not None:
                continue
            end = etree.SubElement(drawn_in, f"{BPMN}endEvent", id=self._new_id("end"))
            flow = etree.SubElement(
                drawn_in,
                f"{BPMN}sequenceFlow",
                id=self._new_id("flow"),
                sourceRef=identity,
                targetRef=str(end.get("id")),
            )
            self._draw(identity, str(end.get("id")), str(flow.get("id")))
            ended += 1
        if ended:
            self._note(
                process,
                "import.implicit_end",
                f"{ended} 条没有画完的路径得到了结束事件。",
                f"{ended} paths that led nowhere were given an end event.",
            )

    def _ask_in_gateways(self, process: etree._Element) -> None:
        """A task whose outgoing flows have conditions becomes a task and the inclusive gateway that it meant."""
        leaving: dict[str, list[etree._Element]] = {}
        nodes = {str(node.get("id")): node for node in process.iter(f"{BPMN}*") if node.get("id")}
        for flow in process.iter(f"{BPMN}sequenceFlow"):
            leaving.setdefault(str(flow.get("sourceRef")), []).append(flow)
        for identity, flows in leaving.items():
            node = nodes.get(identity)
            if node is None or etree.QName(node).localname in _CONDITIONAL:
                continue
            if all(flow.find(f"{BPMN}conditionExpression") is None for flow in flows):
                continue
            drawn_in = node.getparent()
            assert drawn_in is not None
            gateway = etree.SubElement(drawn_in, f"{BPMN}inclusiveGateway", id=self._new_id("gateway"))
            if node.get("default"):
                gateway.set("default", str(node.attrib.pop("default")))
            for flow in flows:
                flow.set("sourceRef", str(gateway.get("id")))
                if flow.find(f"{BPMN}conditionExpression") is None and flow.get("id") != gateway.get("default"):
                    etree.SubElement(flow, f"{BPMN}conditionExpression").text = "= true"
            to_gateway = etree.SubElement(
                drawn_in,
                f"{BPMN}sequenceFlow",
                id=self._new_id("flow"),
                sourceRef=identity,
                targetRef=str(gateway.get("id")),
            )
            for outgoing in list(node.iterfind(f"{BPMN}outgoing")):
                node.remove(outgoing)
            self._draw(identity, str(gateway.get("id")), str(to_gateway.get("id")))
            self._note(
                node,
                "import.conditional_flows",
                "从任务出去的条件改由它后面的包容网关来问，意思相同。",
                "The conditions on the flows out of this task are asked by an inclusive gateway behind it.",
            )

    def _draw(self, source: str, target: str, flow: str) -> None:
        """Place a new element to the right of another, in a diagram that has a layout."""
        shape = self.root.find(f".//{_DI}BPMNShape[@bpmnElement={_quoted(source)}]")
        bounds = None if shape is None else shape.find(f"{_DC}Bounds")
        plane = None if shape is None else shape.getparent()
        if bounds is None or plane is None:
            return
        try:
            x, y, width, height = (float(bounds.get(key, "0")) for key in ("x", "y", "width", "height"))
        except ValueError:
            return
        size = 50 if target.startswith("gateway") else 36
        middle, right = y + height / 2, x + width
        new = etree.SubElement(plane, f"{_DI}BPMNShape", id=f"{target}_di", bpmnElement=target)
        etree.SubElement(
            new, f"{_DC}Bounds", x=f"{right + 30:g}", y=f"{middle - size / 2:g}", width=str(size), height=str(size)
        )
        edge = etree.SubElement(plane, f"{_DI}BPMNEdge", id=f"{flow}_di", bpmnElement=flow)
        for at in (right, right + 30):
            etree.SubElement(edge, f"{_WAY}waypoint", x=f"{at:g}", y=f"{middle:g}")

    # What is left over.

    def _leave_out(self, node: etree._Element) -> None:
        for key in list(node.attrib):
            name = etree.QName(key)
            if name.namespace not in VENDORS:
                continue
            if name.localname in IGNORED or name.localname in TRANSLATED:
                # What is translated elsewhere has no meaning on an element that still has it.
                del node.attrib[key]
                self.vendor.add(name.localname)
            else:
                self._refuse(
                    node,
                    "import.attribute",
                    f"不认识 camunda:{name.localname}，它的意思不能照搬。",
                    f"camunda:{name.localname} has no counterpart here.",
                )
                del node.attrib[key]
            self.changed = True
        extensions = node.find(f"{BPMN}extensionElements")
        for child in list(() if extensions is None else extensions):
            name = etree.QName(child) if isinstance(child.tag, str) else None
            if name is None or name.namespace not in VENDORS or extensions is None:
                continue
            if name.localname in ("properties",):
                self._properties(node, child)
            elif name.localname in IGNORED_ELEMENTS:
                self.vendor.add(name.localname)
            else:
                self._refuse(
                    node,
                    "import.extension",
                    f"不认识 camunda:{name.localname}，它的意思不能照搬。",
                    f"camunda:{name.localname} has no counterpart here.",
                )
            extensions.remove(child)
            self.changed = True

    def _properties(self, node: etree._Element, given: etree._Element) -> None:
        for each in given:
            self._property(node, str(each.get("name", "")), str(each.get("value", "")))

    def _property(self, node: etree._Element, name: str, value: str) -> None:
        self._zeebe(node, "properties")
        properties = self._extensions(node).find(f"{ZEEBE}properties")
        assert properties is not None
        etree.SubElement(properties, f"{ZEEBE}property", name=name, value=value)

    def _say_what_was_left_out(self) -> None:
        if self.vendor:
            names = "、".join(sorted(self.vendor))
            self._note(
                self.root,
                "import.left_out",
                f"这些说的是 Camunda 7 怎样执行和保存，不影响走向，没有带过来：{names}。",
                f"These say how Camunda 7 runs and keeps it, not which way a case goes, and were left out: "
                f"{', '.join(sorted(self.vendor))}.",
            )

    def _remove(self, node: etree._Element) -> None:
        parent = node.getparent()
        if parent is not None:
            parent.remove(node)
            self.changed = True

    def _before_diagram(self, node: etree._Element) -> None:
        """Definitions stand before the drawing."""
        drawing = self.root.find(f"{_DI}BPMNDiagram")
        if drawing is not None:
            drawing.addprevious(node)


_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_DC = "{http://www.omg.org/spec/DD/20100524/DC}"
_WAY = "{http://www.omg.org/spec/DD/20100524/DI}"

#: What a decision's result is here, for each shape that Camunda 7 may ask for and that DMN knows.
_DECIDED = {
    "singleEntry": ("一个值", "one value"),
    "collectEntries": ("命中策略为 COLLECT 时一列值", "a list where its hit policy is COLLECT"),
}

_OF_TAG: Mapping[str, Callable[[_Translator, etree._Element], None]] = {
    "userTask": _Translator._user_task,
    "serviceTask": _Translator._worker,
    "sendTask": _Translator._worker,
    "businessRuleTask": _Translator._worker,
    "scriptTask": _Translator._script,
    "receiveTask": _Translator._receive_task,
    "manualTask": _Translator._activity,
    "task": _Translator._activity,
    "subProcess": _Translator._activity,
    "callActivity": _Translator._call,
    "startEvent": _Translator._start,
    "endEvent": _Translator._event,
    "intermediateCatchEvent": _Translator._event,
    "intermediateThrowEvent": _Translator._event,
    "boundaryEvent": _Translator._event,
    "exclusiveGateway": _Translator._listeners,
    "parallelGateway": _Translator._listeners,
    "inclusiveGateway": _Translator._listeners,
    "eventBasedGateway": _Translator._listeners,
    "process": _Translator._listeners,
    "message": _Translator._message,
    "sequenceFlow": _Translator._flow,
}


def _vendor_elements(node: etree._Element, path: str) -> Iterator[etree._Element]:
    for vendor in VENDORS:
        steps = "/".join(f"{{{vendor}}}{step}" for step in path.split("/"))
        yield from node.iterfind(f"{BPMN}extensionElements/{steps}")


def _nearest_id(node: etree._Element) -> str:
    at: etree._Element | None = node
    while at is not None and not at.get("id"):
        at = at.getparent()
    return "" if at is None else str(at.get("id"))


def _words(node: etree._Element) -> str:
    return "".join(str(part) for part in node.itertext()).strip()


def _owners(text: str) -> tuple[str, str]:
    """``user(a), group(b), c`` → users and groups; a bare name is a group."""
    users: list[str] = []
    groups: list[str] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        found = re.fullmatch(r"(user|group)\((.*)\)", part)
        (users if found is not None and found[1] == "user" else groups).append(found[2].strip() if found else part)
    return ",".join(users), ",".join(groups)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    """A text as a literal of ElementPath, which knows no escapes; one with both quotes is in no diagram."""
    return f'"{text}"' if '"' not in text else f"'{text.replace(chr(39), '')}'"


__all__ = ["Imported", "translate"]
