"""A token game over small diagrams: what must wait after each command, by the rules of BPMN 2.0 alone.

It knows no engine. A diagram is data (``Process``); a ``Game`` holds scopes of tokens and answers ``waiting()``.
Conditions look at one number, ``pick``, which a completed task may set; so a run until nothing moves is confluent,
and the only order that matters is BPMN's own: an inclusive join fires when nothing else can still reach it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Flow:
    """A sequence flow; taken at an exclusive or inclusive split when ``pick // div % mod == rest``, or by default."""

    id: str
    source: str
    target: str
    #: (div, mod, rest), or None where the flow has no condition.
    when: tuple[int, int, int] | None = None
    default: bool = False

    def holds(self, pick: int) -> bool:
        assert self.when is not None
        div, mod, rest = self.when
        return pick // div % mod == rest


@dataclass(frozen=True)
class Node:
    """An element. ``kind``: start, end, terminate, task, many (parallel multi-instance task), job (of an external
    worker), work (a service at once), throw (an escalation), xor, and, or, event (event-based gateway), message,
    timer (catch events), sub, call, boundary."""

    id: str
    kind: str
    #: sub, call: the process inside.
    inside: "Process | None" = None
    #: boundary: the activity it sits on; whether it interrupts; message, timer or escalation.
    host: str = ""
    interrupting: bool = True
    trigger: str = ""
    #: many: how many instances.
    count: int = 0
    #: throw, boundary: code of the escalation.
    code: str = ""


@dataclass
class Process:
    """A process, or the inside of a sub-process. Exactly one start."""

    id: str
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    def out(self, node: str) -> list[Flow]:
        return [flow for flow in self.flows.values() if flow.source == node]

    def into(self, node: str) -> list[Flow]:
        return [flow for flow in self.flows.values() if flow.target == node]

    def boundaries(self, host: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.kind == "boundary" and node.host == host]

    @property
    def start(self) -> str:
        return next(node.id for node in self.nodes.values() if node.kind == "start")


@dataclass(eq=False)
class Activity:
    """Something that waits at a node: a task, a sub-process, an event gateway, a catch event."""

    node: Node
    #: boundary events that have not fired yet (a timer fires once, a message may come again).
    armed: list[Node]
    inner: "Scope | None" = None
    #: many: instances that are still open.
    left: int = 1


@dataclass(eq=False)
class Scope:
    """One run of a process."""

    process: Process
    #: Where ``pick`` lives: a called process has its own, a sub-process sees its parent's.
    variables: dict[str, int]
    activities: list[Activity] = field(default_factory=list)
    #: Tokens on flows that wait for a join.
    parked: Counter[str] = field(default_factory=Counter)


class Game:
    """One run. Commands raise LookupError when nothing waits there."""

    def __init__(self, process: Process, pick: int) -> None:
        self.top = Scope(process, {"pick": pick})
        self.moving: list[tuple[Scope, str]] = []
        #: Services that were called.
        self.worked = 0
        self._enter(self.top, process.start)
        self._settle()

    # -- what can be seen ---------------------------------------------------------------------------------------

    def scopes(self, scope: Scope | None = None) -> Iterator[tuple[Scope, Activity | None, Scope | None]]:
        """Every live scope with the activity it runs in and that activity's scope."""
        todo: list[tuple[Scope, Activity | None, Scope | None]] = [(scope or self.top, None, None)]
        while todo:
            found = todo.pop()
            yield found
            todo += [(a.inner, a, found[0]) for a in found[0].activities if a.inner is not None]

    def waiting(self) -> Counter[str]:
        """Open user tasks by element, instances of a multi-instance counted singly."""
        return self._count("task", "many")

    def jobs(self) -> Counter[str]:
        """Open jobs of external workers by element."""
        return self._count("job")

    def _count(self, *kinds: str) -> Counter[str]:
        counts: Counter[str] = Counter()
        for scope, _, _ in self.scopes():
            for activity in scope.activities:
                if activity.node.kind in kinds:
                    counts[activity.node.id] += activity.left
        return counts

    def triggers(self, kind: str) -> Counter[str]:
        """Armed timers or awaited messages by the element of the event."""
        counts: Counter[str] = Counter()
        for scope, _, _ in self.scopes():
            for activity in scope.activities:
                for node in activity.armed:
                    if node.trigger == kind:
                        counts[node.id] += 1
                if activity.node.kind == kind:
                    counts[activity.node.id] += 1
                if activity.node.kind == "event":
                    for flow in scope.process.out(activity.node.id):
                        if scope.process.nodes[flow.target].kind == kind:
                            counts[flow.target] += 1
        return counts

    @property
    def over(self) -> bool:
        return not self.top.activities and not any(self.top.parked.values())

    # -- commands -----------------------------------------------------------------------------------------------

    def complete(self, element: str, pick: int) -> None:
        """A person completes one open task of an element; a plain task writes ``pick``."""
        scope, activity = self._find(lambda a: a.node.id == element and a.node.kind in ("task", "many"))
        if activity.node.kind == "task":
            scope.variables["pick"] = pick
        activity.left -= 1
        if activity.left == 0:
            scope.activities.remove(activity)
            self._leave(scope, activity.node.id)
        self._settle()

    def work(self, element: str) -> None:
        """An external worker completes the job of an element."""
        scope, activity = self._find(lambda a: a.node.id == element and a.node.kind == "job")
        scope.activities.remove(activity)
        self._leave(scope, element)
        self._settle()

    def move(self, element: str, to: str) -> None:
        """An operator takes a token away from a task and starts another element of the same scope instead."""
        scope, activity = self._find(lambda a: a.node.id == element)
        scope.activities.remove(activity)
        self._enter(scope, to)
        self._settle()

    def cancel(self) -> None:
        """Everything is taken away."""
        self.top.activities.clear()
        self.top.parked.clear()

    def trigger(self, element: str) -> None:
        """A timer or a message of an event happens."""
        for scope, _, _ in list(self.scopes()):
            for activity in scope.activities:
                event = next((node for node in activity.armed if node.id == element), None)
                if event is not None:
                    if event.trigger == "timer":
                        activity.armed.remove(event)
                    if event.interrupting:
                        scope.activities.remove(activity)
                    self._leave(scope, element)
                    return self._settle()
                at_gateway = activity.node.kind == "event" and any(
                    flow.target == element for flow in scope.process.out(activity.node.id)
                )
                if activity.node.id == element or at_gateway:
                    scope.activities.remove(activity)
                    self._leave(scope, element)
                    return self._settle()
        raise LookupError(element)

    def _find(self, test) -> tuple[Scope, Activity]:  # type: ignore[no-untyped-def]
        for scope, _, _ in self.scopes():
            for activity in scope.activities:
                if test(activity):
                    return scope, activity
        raise LookupError

    # -- the rules ----------------------------------------------------------------------------------------------

    def _leave(self, scope: Scope, node: str) -> None:
        """All outgoing flows of a node that does not choose get a token."""
        self.moving += [(scope, flow.id) for flow in scope.process.out(node)]

    def _settle(self) -> None:
        """Move until nothing moves; inclusive joins only then; ended scopes last."""
        while True:
            if self.moving:
                scope, flow = self.moving.pop(0)
                if self._alive(scope):
                    self._arrive(scope, scope.process.flows[flow])
            elif not self._fire_inclusive() and not self._end_scopes():
                return

    def _alive(self, scope: Scope) -> bool:
        return any(found is scope for found, _, _ in self.scopes())

    def _arrive(self, scope: Scope, flow: Flow) -> None:
        node = scope.process.nodes[flow.target]
        incoming = scope.process.into(node.id)
        if node.kind in ("and", "or") and len(incoming) > 1:
            scope.parked[flow.id] += 1
            if node.kind == "and" and all(scope.parked[f.id] for f in incoming):
                for f in incoming:
                    scope.parked[f.id] -= 1
                self._pass(scope, node)
            return
        self._enter(scope, node.id)

    def _enter(self, scope: Scope, name: str) -> None:
        node = scope.process.nodes[name]
        if node.kind in ("task", "job", "event", "message", "timer"):
            scope.activities.append(Activity(node, scope.process.boundaries(name)))
        elif node.kind == "many":
            scope.activities.append(Activity(node, scope.process.boundaries(name), left=node.count))
        elif node.kind in ("sub", "call"):
            assert node.inside is not None
            variables = scope.variables if node.kind == "sub" else dict(scope.variables)
            inner = Scope(node.inside, variables)
            scope.activities.append(Activity(node, scope.process.boundaries(name), inner))
            self._enter(inner, node.inside.start)
        elif node.kind == "terminate":
            scope.activities.clear()
            scope.parked.clear()
            self.moving = [(s, f) for s, f in self.moving if s is not scope and self._alive(s)]
        elif node.kind == "throw":
            self._throw(scope, node)
        elif node.kind != "end":
            self.worked += node.kind == "work"
            self._pass(scope, node)

    def _throw(self, scope: Scope, node: Node) -> None:
        """An escalation looks for who catches it, from inside out; nobody need."""
        inner = scope
        while True:
            found = next(((a, outer) for s, a, outer in self.scopes() if s is inner), (None, None))
            activity, outer = found
            if activity is None or outer is None:
                return self._pass(scope, node)
            caught = next((b for b in activity.armed if b.trigger == "escalation" and b.code == node.code), None)
            if caught is not None:
                break
            inner = outer
        if caught.interrupting:
            outer.activities.remove(activity)
        else:
            self._pass(scope, node)
        return self._leave(outer, caught.id)

    def _pass(self, scope: Scope, node: Node) -> None:
        flows = scope.process.out(node.id)
        pick = scope.variables["pick"]
        if node.kind in ("xor", "or") and len(flows) > 1:
            chosen = [flow for flow in flows if not flow.default and flow.holds(pick)]
            if node.kind == "xor":
                chosen = chosen[:1]
            flows = chosen or [flow for flow in flows if flow.default]
        self.moving += [(scope, flow.id) for flow in flows]

    def _fire_inclusive(self) -> bool:
        for scope, _, _ in self.scopes():
            for node in scope.process.nodes.values():
                incoming = scope.process.into(node.id)
                if node.kind != "or" or len(incoming) < 2 or not any(scope.parked[f.id] for f in incoming):
                    continue
                if self._may_still_come(scope, node, incoming):
                    continue
                for f in incoming:
                    if scope.parked[f.id]:
                        scope.parked[f.id] -= 1
                self._pass(scope, node)
                return True
        return False

    def _may_still_come(self, scope: Scope, join: Node, incoming: list[Flow]) -> bool:
        """BPMN 2.0, 13.4.3: a token elsewhere can reach an empty incoming flow and no flow that already has one."""
        empty = {f.id for f in incoming if not scope.parked[f.id]}
        full = {f.id for f in incoming if scope.parked[f.id]}
        places = [activity.node.id for activity in scope.activities]
        places += [scope.process.flows[f].target for f, n in scope.parked.items() if n and f not in full]
        for place in places:
            reached = self._reachable(scope.process, place, join.id)
            if reached & empty and not reached & full:
                return True
        return False

    def _reachable(self, process: Process, place: str, around: str) -> set[str]:
        """Flows that a token at a node may still take without passing the join."""
        seen: set[str] = set()
        todo = [place]
        while todo:
            node = todo.pop()
            if node == around:
                continue
            leaving = process.out(node) + [f for b in process.boundaries(node) for f in process.out(b.id)]
            for flow in leaving:
                if flow.id not in seen:
                    seen.add(flow.id)
                    todo.append(flow.target)
        return seen

    def _end_scopes(self) -> bool:
        for inner, activity, outer in self.scopes():
            if activity is None or outer is None or inner.activities or any(inner.parked.values()):
                continue
            outer.activities.remove(activity)
            if activity.node.kind == "call":
                outer.variables["pick"] = inner.variables["pick"]
            self._leave(outer, activity.node.id)
            return True
        return False
