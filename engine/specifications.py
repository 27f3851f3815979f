"""Turns what was read from a bundle's diagrams into specifications, once per process and digest.

An instance refers to specifications by name and never carries them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

from sqlalchemy.orm import Session

from core.refusals import NotFound
from engine import bundles
from engine.decisions import Decisions
from engine.diagram import Element, Kind, Process, read
from engine.incidents import Stuck
from engine.nodes import (
    Boundary,
    Call,
    Catch,
    End,
    EventGateway,
    Exclusive,
    Inclusive,
    MultiInstance,
    Node,
    Parallel,
    PlainCatch,
    Rule,
    Script,
    Specification,
    Start,
    SubProcess,
    Throw,
    User,
    Working,
    WorkingEnd,
)
from engine.tokens import Token

_KINDS: Mapping[Kind, type[Node]] = {
    Kind.START: Start,
    Kind.END: End,
    Kind.CATCH: Catch,
    Kind.THROW: Throw,
    Kind.BOUNDARY: Boundary,
    Kind.USER: User,
    Kind.MANUAL: Throw,
    Kind.TASK: Throw,
    Kind.SERVICE: Working,
    Kind.SEND: Working,
    Kind.SCRIPT: Script,
    Kind.RULE: Rule,
    Kind.RECEIVE: Catch,
    Kind.EXCLUSIVE: Exclusive,
    Kind.PARALLEL: Parallel,
    Kind.INCLUSIVE: Inclusive,
    Kind.EVENT_GATEWAY: EventGateway,
    Kind.SUB_PROCESS: SubProcess,
    Kind.CALL: Call,
}

#: Triggers that events may have here; everything else is refused by the gate and stops as an incident.
_TRIGGERS = {
    Kind.CATCH: {"timer", "message", "signal", "link"},
    Kind.BOUNDARY: {"timer", "message", "signal", "error", "escalation"},
    Kind.THROW: {"message", "signal", "escalation", "link"},
    Kind.END: {"message", "signal", "error", "escalation", "terminate"},
    Kind.RECEIVE: {"message"},
    Kind.SEND: {"message"},
}


class Unsupported(Node):
    """What the gate refuses. In a bundle that nobody checked it stops the case instead of going wrong."""

    def enter(self, token: Token) -> bool:
        raise Stuck(
            "engine", self.element.process, self.element.id, f"The engine does not run this {self.element.kind}."
        )


@dataclass(frozen=True)
class Specifications:
    """Everything of a bundle that the engine runs."""

    digest: str
    #: Process as it was read, by id.
    processes: Mapping[str, Process]
    #: Specification by key: a process by its id, the inside of a sub-process as ``process/element``.
    scopes: Mapping[str, Specification]
    decisions: Decisions

    def process(self, name: str) -> Process:
        """The process of this id. Raises NotFound."""
        if name not in self.processes:
            raise NotFound(
                f"The release has no process {name!r}; it has {', '.join(sorted(self.processes))}.",
                code="process.not_found",
                process=name,
            )
        return self.processes[name]


_cache: dict[str, Specifications] = {}
_lock = Lock()


def load(session: Session, digest: str) -> Specifications:
    """The specifications of a stored bundle, from the process's cache when they are there."""
    found = _cache.get(digest)
    if found is not None:
        return found
    bundle = bundles.load(session, digest)
    built = build(digest, bundle.files)
    with _lock:
        if len(_cache) >= bundles.CACHE_SIZE:
            _cache.pop(next(iter(_cache)))
        _cache[digest] = built
    return built


def build(digest: str, files: Mapping[str, bytes]) -> Specifications:
    """Build from files. Files that cannot be read give nothing: the gate has said so."""
    processes: dict[str, Process] = {}
    scopes: dict[str, Specification] = {}
    for path in sorted(files):
        if not path.endswith(".bpmn"):
            continue
        for process in read(files[path], path).processes:
            if process.id not in processes:
                processes[process.id] = process
                for specification in specify(process):
                    scopes[specification.name] = specification
    decisions = Decisions({path: files[path] for path in sorted(files) if path.endswith(".dmn")})
    return Specifications(digest, processes, scopes, decisions)


def specify(process: Process) -> Iterator[Specification]:
    """The specifications of a process and of all its sub-processes."""
    insides = [
        element.id
        for element in process.elements.values()
        if element.kind is Kind.SUB_PROCESS and not element.event_sub_process
    ]
    for scope in (process.id, *insides):
        key = process.id if scope == process.id else f"{process.id}/{scope}"
        specification = Specification(key, process.id)
        for element in process.inside(scope):
            _add(specification, process, element)
        yield specification


def _add(specification: Specification, process: Process, element: Element) -> None:
    if element.kind is Kind.SUB_PROCESS and element.event_sub_process:
        return
    flows = [process.flows[flow] for flow in element.outgoing]
    boundaries = tuple(event.id for event in process.boundaries(element.id))
    kind = _class_of(element)
    node: Node
    if element.loop is not None and kind is not Unsupported:
        each = kind(specification, element, (), f"{element.id}[each]")
        _inside(each, process)
        body = MultiInstance(specification, element, flows)
        body.each = each.name
        node = body
    else:
        node = kind(specification, element, flows)
        _inside(node, process)
    node.boundaries = boundaries
    if element.kind is Kind.START and not element.triggers:
        specification.entry = element.id


def _inside(node: Node, process: Process) -> None:
    if isinstance(node, Call):
        node.inside = node.element.called
    elif isinstance(node, SubProcess):
        node.inside = f"{process.id}/{node.element.id}"


def _class_of(element: Element) -> type[Node]:
    kind = _KINDS.get(element.kind, Unsupported)
    trigger = element.trigger
    if len(element.triggers) > 1 or element.standard_loop or element.for_compensation:
        return Unsupported
    if trigger is not None and trigger.kind not in _TRIGGERS.get(element.kind, set()):
        return Unsupported
    if element.kind in (Kind.THROW, Kind.END) and trigger is not None and trigger.kind == "message":
        return WorkingEnd
    if element.kind is Kind.CATCH and (trigger is None or trigger.kind == "link"):
        return PlainCatch
    return kind
