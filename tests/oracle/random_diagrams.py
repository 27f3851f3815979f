"""Random diagrams, as data for the token game and as BPMN for the engine.

Block by block, so that every diagram can end: sequences, choices, parallel and inclusive blocks, loops around any of
them, sub-processes and called processes with boundary events and escalations, event gateways, multi-instance tasks,
services and jobs of external workers.
"""

from collections.abc import Iterator
from random import Random
from xml.sax.saxutils import escape, quoteattr

from tests.oracle.token_game import Flow, Node, Process

#: ``pick`` is drawn below this; conditions look at it modulo 2 or 3 after dividing by a power of 2.
PICKS = 2**10


class Drawing:
    """Draws one diagram. ``files`` of the result are processes by id; the first is the main one."""

    def __init__(self, random: Random, size: int) -> None:
        self.random = random
        self.left = size
        self.number = 0
        self.called: list[Process] = []

    def draw(self, name: str = "main") -> Process:
        process = Process(name)
        self._start(process)
        return process

    def _start(self, process: Process, depth: int = 0, escalates: str = "") -> None:
        last = self._node(process, "start")
        early = self.random.random() < 0.5
        if escalates and early:
            last = self._throw(process, last, escalates)
        last = self._block(process, last, depth)
        if escalates and not early:
            last = self._throw(process, last, escalates)
        self._flow(process, last, self._node(process, "end"))

    def _throw(self, process: Process, before: str, code: str) -> str:
        throw = self._node(process, "throw", code=code)
        self._flow(process, before, throw)
        return throw

    def _name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}_{self.number}"

    def _node(self, process: Process, kind: str, **more: object) -> str:
        node = Node(self._name(kind), kind, **more)  # type: ignore[arg-type]
        process.nodes[node.id] = node
        return node.id

    def _flow(
        self,
        process: Process,
        source: str,
        target: str,
        when: tuple[int, int, int] | None = None,
        default: bool = False,
    ) -> None:
        flow = Flow(self._name("flow"), source, target, when, default)
        process.flows[flow.id] = flow

    def _block(self, process: Process, before: str, depth: int) -> str:
        """Draw a block after a node; answers the block's last node."""
        self.left -= 1
        draw = self.random.choice
        if self.left <= 0 or depth > 4:
            return self._task(process, before)
        kinds = [self._task, self._many, self._events, self._job, self._work]
        blocks = [self._sequence, self._choice, self._parallel, self._inclusive, self._loop, self._sub, self._call]
        if self.random.random() < 0.3:
            return draw(kinds)(process, before)
        return draw(blocks)(process, before, depth + 1)

    def _task(self, process: Process, before: str) -> str:
        task = self._node(process, "task")
        self._flow(process, before, task)
        if self.random.random() < 0.3:
            return self._boundary(process, task)
        return task

    def _boundary(self, process: Process, host: str, escalation: str = "") -> str:
        """A boundary event on a host: around and back to a merge, or aside to an end of its own."""
        interrupting = self.random.random() < 0.6
        trigger = self.random.choice(["timer", "message"]) if interrupting else "timer"
        if escalation:
            trigger = "escalation"
        event = self._node(
            process, "boundary", host=host, interrupting=interrupting, trigger=trigger, code=escalation
        )
        after = self._node(process, "task")
        self._flow(process, event, after)
        if not interrupting:
            self._flow(process, after, self._node(process, "end"))
            return host
        merge = self._node(process, "xor")
        self._flow(process, host, merge)
        self._flow(process, after, merge)
        return merge

    def _job(self, process: Process, before: str) -> str:
        job = self._node(process, "job")
        self._flow(process, before, job)
        return self._boundary(process, job) if self.random.random() < 0.4 else job

    def _work(self, process: Process, before: str) -> str:
        work = self._node(process, "work")
        self._flow(process, before, work)
        return work

    def _many(self, process: Process, before: str) -> str:
        many = self._node(process, "many", count=self.random.randint(1, 3))
        self._flow(process, before, many)
        return self._boundary(process, many) if self.random.random() < 0.4 else many

    def _events(self, process: Process, before: str) -> str:
        gateway, merge = self._node(process, "event"), self._node(process, "xor")
        self._flow(process, before, gateway)
        for kind in ("message", "timer"):
            event = self._node(process, kind)
            self._flow(process, gateway, event)
            self._flow(process, event, merge)
        return merge

    def _sequence(self, process: Process, before: str, depth: int) -> str:
        return self._block(process, self._block(process, before, depth), depth)

    def _branches(self, process: Process, split: str, join: str, depth: int, conditional: bool) -> None:
        count = self.random.randint(2, 3)
        for i in range(count):
            default = conditional and i == count - 1
            when = (2 ** self.random.randint(0, 6), self.random.choice([2, 3]), self.random.randint(0, 1))
            first = self._node(process, "task")
            self._flow(process, split, first, when if conditional and not default else None, default)
            self._flow(process, self._block(process, first, depth), join)

    def _choice(self, process: Process, before: str, depth: int) -> str:
        split, join = self._node(process, "xor"), self._node(process, "xor")
        self._flow(process, before, split)
        self._branches(process, split, join, depth, conditional=True)
        return join

    def _parallel(self, process: Process, before: str, depth: int) -> str:
        split, join = self._node(process, "and"), self._node(process, "and")
        self._flow(process, before, split)
        self._branches(process, split, join, depth, conditional=False)
        return join

    def _inclusive(self, process: Process, before: str, depth: int) -> str:
        split, join = self._node(process, "or"), self._node(process, "or")
        self._flow(process, before, split)
        self._branches(process, split, join, depth, conditional=True)
        return join

    def _loop(self, process: Process, before: str, depth: int) -> str:
        merge, again = self._node(process, "xor"), self._node(process, "xor")
        self._flow(process, before, merge)
        last = self._block(process, merge, depth)
        asked = self._node(process, "task")
        self._flow(process, last, asked)
        self._flow(process, asked, again)
        # Back with probability one half; the only way out is the default.
        self._flow(process, again, merge, (2 ** self.random.randint(0, 6), 2, 1))
        after = self._node(process, "task")
        self._flow(process, again, after, None, True)
        return after

    def _sub(self, process: Process, before: str, depth: int) -> str:
        inside = Process(self._name("inside"))
        code = self._name("code") if self.random.random() < 0.4 else ""
        self._start(inside, depth, code)
        if self.random.random() < 0.3:
            self._terminate(inside)
        sub = self._node(process, "sub", inside=inside)
        self._flow(process, before, sub)
        return self._around(process, sub, code)

    def _around(self, process: Process, host: str, code: str) -> str:
        """The boundary event of a scope: its own escalation, or another; an escalation need not be caught."""
        if self.random.random() < 0.4:
            return host
        return self._boundary(process, host, code if self.random.random() < 0.8 else "")

    def _terminate(self, process: Process) -> None:
        """Turn the end of a process into one that ends everything in it."""
        end = self.random.choice([node for node in process.nodes.values() if node.kind == "end"])
        process.nodes[end.id] = Node(end.id, "terminate")

    def _call(self, process: Process, before: str, depth: int) -> str:
        called = Process(self._name("called"))
        code = self._name("code") if self.random.random() < 0.3 else ""
        self._start(called, depth, code)
        self.called.append(called)
        call = self._node(process, "call", inside=called)
        self._flow(process, before, call)
        return self._around(process, call, code)


def draw(seed: int, size: int = 8) -> tuple[Process, dict[str, bytes]]:
    """A random process and its bundle: one file per process."""
    drawing = Drawing(Random(seed), size)
    main = drawing.draw()
    return main, {f"bpmn/{p.id}.bpmn": bpmn(p) for p in [main, *drawing.called]}


NAMESPACES = (
    'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
GATEWAYS = {
    "xor": "exclusiveGateway",
    "and": "parallelGateway",
    "or": "inclusiveGateway",
    "event": "eventBasedGateway",
}
DUE = '<bpmn:timerEventDefinition><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>'


def bpmn(process: Process) -> bytes:
    """The diagram as BPMN 2.0 with the zeebe vocabulary."""
    messages: list[str] = []
    body = _elements(process, messages)
    codes = sorted({node.code for node in _everything(process) if node.code})
    declared = "".join(
        f'<bpmn:message id="msg_{m}" name="{m}"><bpmn:extensionElements>'
        '<zeebe:subscription correlationKey="= case_id" /></bpmn:extensionElements></bpmn:message>'
        for m in messages
    )
    declared += "".join(
        f'<bpmn:escalation id="esc_{c}" name="{c}" escalationCode="{c}"></bpmn:escalation>' for c in codes
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><bpmn:definitions {NAMESPACES} id="d_{process.id}" '
        f'targetNamespace="https://hejie.example/random"><bpmn:process id="{process.id}" name="{process.id}" '
        f'isExecutable="true">{body}</bpmn:process>{declared}</bpmn:definitions>'
    ).encode()


def _everything(process: Process) -> Iterator[Node]:
    """The nodes of a process and of the sub-processes drawn in it."""
    for node in process.nodes.values():
        yield node
        if node.kind == "sub" and node.inside is not None:
            yield from _everything(node.inside)


def _elements(process: Process, messages: list[str]) -> str:
    parts = [_element(process, node, messages) for node in process.nodes.values()]
    for flow in process.flows.values():
        condition = ""
        if flow.when is not None:
            div, mod, rest = flow.when
            text = escape(f"= modulo(floor(pick / {div}), {mod}) = {rest}")
            condition = (
                f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{text}</bpmn:conditionExpression>'
            )
        parts.append(
            f'<bpmn:sequenceFlow id="{flow.id}" sourceRef="{flow.source}" targetRef="{flow.target}">{condition}</bpmn:sequenceFlow>'
        )
    return "".join(parts)


def _element(process: Process, node: Node, messages: list[str]) -> str:
    attributes = f'id="{node.id}" name={quoteattr(node.id)}'
    links = "".join(f"<bpmn:incoming>{f.id}</bpmn:incoming>" for f in process.into(node.id))
    links += "".join(f"<bpmn:outgoing>{f.id}</bpmn:outgoing>" for f in process.out(node.id))
    default = next((f.id for f in process.out(node.id) if f.default), None)
    if default:
        attributes += f' default="{default}"'

    def tag(name: str, inner: str = "", more: str = "") -> str:
        return f"<bpmn:{name} {attributes}{more}>{inner}</bpmn:{name}>"

    def extension(inner: str) -> str:
        return f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"

    def event(trigger: str) -> str:
        if trigger == "timer":
            return DUE
        if trigger == "escalation":
            return f'<bpmn:escalationEventDefinition escalationRef="esc_{node.code}" />'
        messages.append(node.id)
        return f'<bpmn:messageEventDefinition messageRef="msg_{node.id}" />'

    if node.kind == "start":
        return tag("startEvent", links)
    if node.kind == "end":
        return tag("endEvent", links)
    if node.kind == "terminate":
        return tag("endEvent", links + "<bpmn:terminateEventDefinition />")
    if node.kind in GATEWAYS:
        return tag(GATEWAYS[node.kind], links)
    if node.kind == "task":
        output = '<zeebe:ioMapping><zeebe:output source="= pick" target="pick" /></zeebe:ioMapping>'
        return tag("userTask", extension(f"<zeebe:userTask />{output}") + links)
    if node.kind == "many":
        items = list(range(node.count))
        loop = (
            "<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements><zeebe:loopCharacteristics "
            f'inputCollection="= {items}" inputElement="item" /></bpmn:extensionElements>'
            "</bpmn:multiInstanceLoopCharacteristics>"
        )
        return tag("userTask", extension("<zeebe:userTask />") + links + loop)
    if node.kind in ("job", "work"):
        return tag("serviceTask", extension(f'<zeebe:taskDefinition type="{node.kind}" />') + links)
    if node.kind == "throw":
        return tag("intermediateThrowEvent", links + event("escalation"))
    if node.kind in ("message", "timer"):
        return tag("intermediateCatchEvent", links + event(node.kind))
    if node.kind == "boundary":
        cancel = "" if node.interrupting else ' cancelActivity="false"'
        return tag("boundaryEvent", links + event(node.trigger), f' attachedToRef="{node.host}"{cancel}')
    assert node.inside is not None
    if node.kind == "sub":
        return tag("subProcess", links + _elements(node.inside, messages))
    return tag("callActivity", extension(f'<zeebe:calledElement processId="{node.inside.id}" />') + links)
