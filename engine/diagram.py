"""Reads BPMN 2.0 with the zeebe vocabulary into plain, immutable facts. What cannot be read is a finding.

Nothing is executed here and nothing is refused for being unwise; ``engine.checking`` judges what was read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lxml import etree

from engine.findings import Finding, Severity

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"

#: A link event is read as a flow from its throw to its catch; the flow's id is this and the id of the throw.
LINK = "link:"


class Kind(StrEnum):
    """Elements of a diagram, named as BPMN names their tags."""

    START = "startEvent"
    END = "endEvent"
    CATCH = "intermediateCatchEvent"
    THROW = "intermediateThrowEvent"
    BOUNDARY = "boundaryEvent"
    USER = "userTask"
    MANUAL = "manualTask"
    TASK = "task"
    SERVICE = "serviceTask"
    SCRIPT = "scriptTask"
    RULE = "businessRuleTask"
    SEND = "sendTask"
    RECEIVE = "receiveTask"
    EXCLUSIVE = "exclusiveGateway"
    PARALLEL = "parallelGateway"
    INCLUSIVE = "inclusiveGateway"
    EVENT_GATEWAY = "eventBasedGateway"
    COMPLEX = "complexGateway"
    SUB_PROCESS = "subProcess"
    TRANSACTION = "transaction"
    AD_HOC = "adHocSubProcess"
    CALL = "callActivity"


#: Flow nodes of one file. Nobody reads a drawing of more, and the checks compare each with each.
MAX_ELEMENTS = 1_000
#: What boundary events may be attached to.
ACTIVITIES = frozenset(
    {
        Kind.USER,
        Kind.MANUAL,
        Kind.TASK,
        Kind.SERVICE,
        Kind.SCRIPT,
        Kind.RULE,
        Kind.SEND,
        Kind.RECEIVE,
        Kind.SUB_PROCESS,
        Kind.TRANSACTION,
        Kind.AD_HOC,
        Kind.CALL,
    }
)
GATEWAYS = frozenset({Kind.EXCLUSIVE, Kind.PARALLEL, Kind.INCLUSIVE, Kind.EVENT_GATEWAY, Kind.COMPLEX})
EVENTS = frozenset({Kind.START, Kind.END, Kind.CATCH, Kind.THROW, Kind.BOUNDARY})

#: Elements of a process that are drawn or described but not run.
SILENT = frozenset(
    f"{BPMN}{tag}"
    for tag in (
        "documentation",
        "extensionElements",
        "laneSet",
        "incoming",
        "outgoing",
        "sequenceFlow",
        "textAnnotation",
        "association",
        "group",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "category",
        "monitoring",
        "auditing",
        "multiInstanceLoopCharacteristics",
        "standardLoopCharacteristics",
        "ioSpecification",
        "property",
    )
)


@dataclass(frozen=True)
class Trigger:
    """What an event waits for or throws."""

    #: ``timer``, ``message``, ``error``, ``escalation``, ``signal``, ``link``, ``terminate``, and what the gate
    #: refuses: ``compensate``, ``conditional``, ``cancel``.
    kind: str
    #: Name of a message, signal or link, or code of an error or escalation; empty for an event that catches all.
    name: str = ""
    #: FEEL of a message's correlation key, with its leading ``=``.
    correlation: str = ""
    #: ``timeDate``, ``timeDuration`` or ``timeCycle``, and its text.
    timer: str = ""
    text: str = ""


@dataclass(frozen=True)
class Loop:
    """Multi-instance: once per item of a collection."""

    sequential: bool
    #: FEEL with its leading ``=``.
    collection: str
    #: Name of the variable that holds the item.
    item: str
    #: Name of the variable that collects the results, and FEEL of one result.
    output: str
    output_item: str
    #: FEEL; empty when all instances must complete.
    completion: str


@dataclass(frozen=True)
class Flow:
    """A sequence flow."""

    id: str
    name: str
    source: str
    target: str
    #: FEEL with or without its leading ``=``; none for an unconditional flow.
    condition: str | None


@dataclass(frozen=True)
class Element:
    """A flow node, with everything that its zeebe extensions say."""

    id: str
    kind: Kind
    name: str
    file: str
    #: Process and scope (sub-process or process) in which it is drawn.
    process: str
    scope: str
    line: int
    documentation: str = ""
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    default: str | None = None
    triggers: tuple[Trigger, ...] = ()
    #: Boundary events: the activity, and whether the event interrupts it.
    attached_to: str = ""
    interrupting: bool = True
    event_sub_process: bool = False
    loop: Loop | None = None
    standard_loop: bool = False
    form: str = ""
    groups: str = ""
    assignee: str = ""
    due: str = ""
    #: Type of the service or job, and its headers.
    task_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    decision: str = ""
    script: str = ""
    #: Script or function in another language than FEEL.
    foreign_script: bool = False
    result_variable: str = ""
    called: str = ""
    propagate_parent: bool = True
    propagate_child: bool = True
    properties: Mapping[str, str] = field(default_factory=dict)
    #: (source, target): FEEL with its leading ``=``, and the variable.
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    for_compensation: bool = False

    @property
    def trigger(self) -> Trigger | None:
        """The single trigger of an event; none for a plain one."""
        return self.triggers[0] if self.triggers else None


@dataclass(frozen=True)
class Process:
    """One process of a diagram, with the elements of all its sub-processes."""

    id: str
    name: str
    file: str
    executable: bool
    documentation: str
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    #: Element id → name of the lane that it lies in.
    lanes: Mapping[str, str]
    properties: Mapping[str, str]

    def inside(self, scope: str) -> Iterator[Element]:
        """The elements drawn directly in a scope."""
        return (element for element in self.elements.values() if element.scope == scope)

    def boundaries(self, activity: str) -> list[Element]:
        """The boundary events of an activity."""
        return [e for e in self.elements.values() if e.kind is Kind.BOUNDARY and e.attached_to == activity]


@dataclass(frozen=True)
class Reading:
    """What was read from one file."""

    processes: tuple[Process, ...]
    findings: tuple[Finding, ...]


class NotXml(ValueError):
    """The file cannot be read as XML, or is written in a way that no drawing tool writes."""


def parse(xml: bytes) -> etree._Element:
    """The root of an XML file, without entities, document types or anything fetched. Raises NotXml."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXml(str(error)) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXml("a document type (DOCTYPE) is not allowed.")
    return root


def read(xml: bytes, file: str) -> Reading:
    """Read one BPMN file. Never raises: what is wrong with it is a finding."""
    try:
        root = parse(xml)
    except NotXml as error:
        return Reading((), (_finding(file, "", "bpmn.xml", f"文件不是合法的 XML：{error}", f"Not XML: {error}"),))
    if root.tag != f"{BPMN}definitions":
        return Reading((), (_finding(file, "", "bpmn.root", "这不是 BPMN 2.0 图。", "Not a BPMN 2.0 diagram."),))
    return _Reader(root, file).read()


def is_too_large(root: etree._Element) -> bool:
    """Whether a diagram has more elements or flows than are looked at."""
    flows = sum(1 for _ in root.iter(f"{BPMN}sequenceFlow"))
    nodes = sum(1 for _ in root.iter(*(f"{BPMN}{kind}" for kind in Kind)))
    return nodes > MAX_ELEMENTS or flows > 2 * MAX_ELEMENTS


def _finding(file: str, element: str, code: str, zh: str, en: str) -> Finding:
    return Finding(file, element, code, Severity.ERROR, zh, en)


class _Reader:
    def __init__(self, root: etree._Element, file: str) -> None:
        self.root = root
        self.file = file
        self.findings: list[Finding] = []
        self.ids: set[str] = set()
        self.messages = {
            node.get("id", ""): (node.get("name", ""), _attribute(node, "subscription", "correlationKey"))
            for node in root.iter(f"{BPMN}message")
        }
        self.signals = {node.get("id", ""): node.get("name", "") for node in root.iter(f"{BPMN}signal")}
        self.errors = {node.get("id", ""): node.get("errorCode", "") for node in root.iter(f"{BPMN}error")}
        self.escalations = {
            node.get("id", ""): node.get("escalationCode", "") for node in root.iter(f"{BPMN}escalation")
        }

    def read(self) -> Reading:
        if is_too_large(self.root):
            self._wrong(
                "",
                "bpmn.too_large",
                f"一张图最多 {MAX_ELEMENTS} 个元素、{2 * MAX_ELEMENTS} 条顺序流；请分成几个流程，相互调用。",
                f"A diagram has at most {MAX_ELEMENTS} elements and {2 * MAX_ELEMENTS} flows; "
                "draw several processes and call them.",
            )
            return Reading((), tuple(self.findings))
        processes = tuple(self._process(node) for node in self.root.iter(f"{BPMN}process"))
        if not processes:
            self._wrong("", "bpmn.no_process", "图中没有流程。", "The diagram has no process.")
        return Reading(processes, tuple(self.findings))

    def _wrong(self, element: str, code: str, zh: str, en: str) -> None:
        self.findings.append(_finding(self.file, element, code, zh, en))

    def _process(self, node: etree._Element) -> Process:
        process = node.get("id", "")
        if not process:
            self._wrong("", "bpmn.no_id", "流程没有 id。", "A process has no id.")
        elements: dict[str, Element] = {}
        flows: dict[str, Flow] = {}
        lanes: dict[str, str] = {}
        self._scope(node, process, process, elements, flows, lanes)
        self._link(elements, flows)
        self._connect(elements, flows)
        return Process(
            id=process,
            name=node.get("name", ""),
            file=self.file,
            executable=node.get("isExecutable", "false") == "true",
            documentation=_documentation(node),
            elements=elements,
            flows=flows,
            lanes=lanes,
            properties=_properties(node),
        )

    def _scope(
        self,
        node: etree._Element,
        process: str,
        scope: str,
        elements: dict[str, Element],
        flows: dict[str, Flow],
        lanes: dict[str, str],
    ) -> None:
        for lane in node.iterfind(f"{BPMN}laneSet//{BPMN}lane"):
            for reference in lane.iterfind(f"{BPMN}flowNodeRef"):
                lanes[(reference.text or "").strip()] = lane.get("name", "")
        for child in node:
            if not isinstance(child.tag, str):
                continue
            if child.tag == f"{BPMN}sequenceFlow":
                flow = self._flow(child)
                if self._claim(flow.id, child):
                    flows[flow.id] = flow
            elif child.tag in SILENT:
                continue
            elif child.tag.startswith(BPMN):
                element = self._element(child, process, scope)
                if element is None:
                    continue
                elements[element.id] = element
                if element.kind in (Kind.SUB_PROCESS, Kind.TRANSACTION, Kind.AD_HOC):
                    self._scope(child, process, element.id, elements, flows, lanes)

    def _claim(self, identity: str, node: etree._Element) -> bool:
        tag = etree.QName(node).localname
        if not identity:
            self._wrong(
                "",
                "bpmn.no_id",
                f"第 {node.sourceline} 行的 {tag} 没有 id。",
                f"The {tag} on line {node.sourceline} has no id.",
            )
            return False
        if identity in self.ids:
            self._wrong(
                identity,
                "bpmn.duplicate_id",
                f"id“{identity}”用了两次，每个元素要有自己的 id。",
                f'The id "{identity}" is used twice; every element needs its own.',
            )
            return False
        self.ids.add(identity)
        return True

    def _flow(self, node: etree._Element) -> Flow:
        condition = node.find(f"{BPMN}conditionExpression")
        return Flow(
            id=node.get("id", ""),
            name=node.get("name", ""),
            source=node.get("sourceRef", ""),
            target=node.get("targetRef", ""),
            condition=None if condition is None else _text(condition),
        )

    def _element(self, node: etree._Element, process: str, scope: str) -> Element | None:
        identity = node.get("id", "")
        tag = etree.QName(node).localname
        try:
            kind = Kind(tag)
        except ValueError:
            self._wrong(
                identity,
                "bpmn.unknown_element",
                f"不认识的元素 {tag}，引擎不会执行它。",
                f"The engine does not know {tag} and would not run it.",
            )
            return None
        if not self._claim(identity, node):
            return None
        result = _attribute(node, "calledDecision", "resultVariable")
        if kind is Kind.SCRIPT:
            result = _attribute(node, "script", "resultVariable")
        called = _attribute(node, "calledElement", "processId") or node.get("calledElement", "")
        return Element(
            id=identity,
            kind=kind,
            name=node.get("name", ""),
            file=self.file,
            process=process,
            scope=scope,
            line=int(str(node.sourceline or 0)),
            documentation=_documentation(node),
            default=node.get("default"),
            triggers=tuple(self._triggers(node, identity, kind)),
            attached_to=node.get("attachedToRef", ""),
            interrupting=node.get("cancelActivity", "true") == "true",
            event_sub_process=node.get("triggeredByEvent", "false") == "true",
            loop=self._loop(node, identity),
            standard_loop=node.find(f"{BPMN}standardLoopCharacteristics") is not None,
            form=_attribute(node, "formDefinition", "formId"),
            groups=_attribute(node, "assignmentDefinition", "candidateGroups"),
            assignee=_attribute(node, "assignmentDefinition", "assignee"),
            due=_attribute(node, "taskSchedule", "dueDate"),
            task_type=_attribute(node, "taskDefinition", "type"),
            headers={h.get("key", ""): h.get("value", "") for h in _extensions(node, "taskHeaders/header")},
            decision=_attribute(node, "calledDecision", "decisionId"),
            script=_attribute(node, "script", "expression"),
            foreign_script=node.find(f"{BPMN}script") is not None,
            result_variable=result,
            called=called,
            propagate_parent=_attribute(node, "calledElement", "propagateAllParentVariables") != "false",
            propagate_child=_attribute(node, "calledElement", "propagateAllChildVariables") != "false",
            properties=_properties(node),
            inputs=tuple((m.get("source", ""), m.get("target", "")) for m in _extensions(node, "ioMapping/input")),
            outputs=tuple(
                (m.get("source", ""), m.get("target", "")) for m in _extensions(node, "ioMapping/output")
            ),
            for_compensation=node.get("isForCompensation", "false") == "true",
        )

    def _triggers(self, node: etree._Element, identity: str, kind: Kind) -> Iterator[Trigger]:
        if kind in (Kind.RECEIVE, Kind.SEND) and node.get("messageRef") is not None:
            yield self._message(node, identity)
        for child in node:
            if not isinstance(child.tag, str) or not child.tag.startswith(BPMN):
                continue
            tag = etree.QName(child).localname
            if not tag.endswith("EventDefinition"):
                continue
            trigger = tag.removesuffix("EventDefinition")
            if trigger == "message":
                yield self._message(child, identity)
            elif trigger == "signal":
                yield Trigger(
                    "signal", self._resolve(self.signals, child.get("signalRef"), identity, "signal", "信号")
                )
            elif trigger == "error":
                reference = child.get("errorRef")
                yield Trigger(
                    "error", self._resolve(self.errors, reference, identity, "error", "错误") if reference else ""
                )
            elif trigger == "escalation":
                reference = child.get("escalationRef")
                if reference is None and kind is Kind.BOUNDARY:
                    yield Trigger("escalation")
                else:
                    code = self._resolve(self.escalations, reference, identity, "escalation", "升级")
                    yield Trigger("escalation", code)
            elif trigger == "timer":
                yield self._timer(child, identity)
            elif trigger == "link":
                yield Trigger("link", child.get("name", ""))
            else:
                yield Trigger(trigger)

    def _message(self, node: etree._Element, identity: str) -> Trigger:
        reference = node.get("messageRef")
        if reference is None or reference not in self.messages:
            self._wrong(
                identity,
                "bpmn.message_unresolved",
                "消息事件没有指向图中定义的消息；请在属性面板里选一个消息。",
                "The message event names no message of this diagram; choose one in the properties panel.",
            )
            return Trigger("message")
        name, correlation = self.messages[reference]
        if not name:
            self._wrong(identity, "bpmn.message_unnamed", "消息没有名称。", "The message has no name.")
        return Trigger("message", name, correlation=correlation)

    def _resolve(self, table: Mapping[str, str], reference: str | None, identity: str, word: str, wort: str) -> str:
        if reference is None or reference not in table:
            self._wrong(
                identity,
                f"bpmn.{word}_unresolved",
                f"事件没有指向图中定义的{wort}。",
                f"The event names no {word} of this diagram.",
            )
            return ""
        return table[reference]

    def _timer(self, node: etree._Element, identity: str) -> Trigger:
        given = [
            (tag, _text(child))
            for tag in ("timeDate", "timeDuration", "timeCycle")
            if (child := node.find(f"{BPMN}{tag}")) is not None
        ]
        if len(given) != 1 or not given[0][1]:
            self._wrong(
                identity,
                "bpmn.timer_empty",
                "计时事件要写明一个时刻、一个时长或者一个周期。",
                "A timer needs exactly one of a date, a duration or a cycle.",
            )
            return Trigger("timer")
        return Trigger("timer", timer=given[0][0], text=given[0][1])

    def _loop(self, node: etree._Element, identity: str) -> Loop | None:
        loop = node.find(f"{BPMN}multiInstanceLoopCharacteristics")
        if loop is None:
            return None
        zeebe = next(iter(_extensions(loop, "loopCharacteristics")), None)
        completion = loop.find(f"{BPMN}completionCondition")
        if zeebe is None or not zeebe.get("inputCollection"):
            self._wrong(
                identity,
                "bpmn.loop_without_collection",
                "多实例要写明输入集合（inputCollection）。",
                "A multi-instance needs its input collection (inputCollection).",
            )
        return Loop(
            sequential=loop.get("isSequential", "false") == "true",
            collection="" if zeebe is None else zeebe.get("inputCollection", ""),
            item="" if zeebe is None else zeebe.get("inputElement", ""),
            output="" if zeebe is None else zeebe.get("outputCollection", ""),
            output_item="" if zeebe is None else zeebe.get("outputElement", ""),
            completion="" if completion is None else _text(completion),
        )

    def _link(self, elements: Mapping[str, Element], flows: dict[str, Flow]) -> None:
        """A link is a flow that is not drawn as one: from each throw to the one catch of its name and scope."""
        catches: dict[tuple[str, str], Element] = {}
        links = [(e, e.trigger) for e in elements.values() if e.trigger is not None and e.trigger.kind == "link"]
        for element, trigger in links:
            if element.kind is not Kind.CATCH:
                continue
            if (element.scope, trigger.name) in catches:
                self._wrong(
                    element.id,
                    "bpmn.link_twice",
                    f"链接“{trigger.name}”在这里有两个入口，不知道去哪一个。",
                    f'The link "{trigger.name}" arrives at two events here; it can lead to one only.',
                )
            else:
                catches[element.scope, trigger.name] = element
        for element, trigger in links:
            if element.kind is not Kind.THROW:
                continue
            catch = catches.get((element.scope, trigger.name))
            if catch is None:
                self._wrong(
                    element.id,
                    "bpmn.link_unresolved",
                    f"链接“{trigger.name}”在同一层里没有对应的入口。",
                    f'The link "{trigger.name}" arrives nowhere in this process or sub-process.',
                )
            else:
                identity = f"{LINK}{element.id}"
                flows[identity] = Flow(identity, trigger.name, element.id, catch.id, None)

    def _connect(self, elements: dict[str, Element], flows: dict[str, Flow]) -> None:
        incoming: dict[str, list[str]] = {}
        outgoing: dict[str, list[str]] = {}
        for flow in list(flows.values()):
            ends = [end for end in (flow.source, flow.target) if end not in elements]
            if ends:
                self._wrong(
                    flow.id,
                    "bpmn.flow_loose",
                    "这条顺序流有一端没有连上元素。",
                    "One end of this flow is not connected to an element.",
                )
                del flows[flow.id]
                continue
            if elements[flow.source].scope != elements[flow.target].scope:
                self._wrong(
                    flow.id,
                    "bpmn.flow_crosses_scope",
                    "顺序流不能穿过子流程的边界。",
                    "A flow cannot cross the border of a sub-process.",
                )
                del flows[flow.id]
                continue
            outgoing.setdefault(flow.source, []).append(flow.id)
            incoming.setdefault(flow.target, []).append(flow.id)
        for element in list(elements.values()):
            elements[element.id] = _with_flows(
                element, tuple(incoming.get(element.id, ())), tuple(outgoing.get(element.id, ()))
            )
            if element.kind is Kind.BOUNDARY and element.attached_to not in elements:
                self._wrong(
                    element.id,
                    "bpmn.boundary_loose",
                    "边界事件没有附在任何活动上。",
                    "The boundary event is not attached to an activity.",
                )


def _with_flows(element: Element, incoming: tuple[str, ...], outgoing: tuple[str, ...]) -> Element:
    return replace(element, incoming=incoming, outgoing=outgoing)


def _extensions(node: etree._Element, path: str) -> list[etree._Element]:
    steps = "/".join(f"{ZEEBE}{step}" for step in path.split("/"))
    return list(node.iterfind(f"{BPMN}extensionElements/{steps}"))


def _attribute(node: etree._Element, tag: str, name: str) -> str:
    for extension in _extensions(node, tag):
        return str(extension.get(name, "")).strip()
    return ""


def _properties(node: etree._Element) -> dict[str, str]:
    return {p.get("name", ""): p.get("value", "") for p in _extensions(node, "properties/property")}


def _documentation(node: etree._Element) -> str:
    found = node.find(f"{BPMN}documentation")
    return "" if found is None else _text(found)


def _text(node: etree._Element) -> str:
    return "".join(str(part) for part in node.itertext()).strip()
