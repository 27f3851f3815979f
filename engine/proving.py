"""What the token game proves about the diagrams of a release, as findings; and whether tokens may stand somewhere.

Each scope is played once (``engine.exploring``); called processes and sub-processes enter their surroundings as
what they may come to. Nothing here knows people or law; what waits for whom is judged in ``engine.silence``.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import feel
from engine import expressions
from engine.diagram import Element, Kind, Process
from engine.exploring import (
    ANY,
    COMPOUND,
    ENDED,
    Board,
    Inside,
    Mark,
    Marking,
    Space,
    is_end,
)
from engine.findings import Finding, Severity

#: States that are looked at when tokens are placed by hand.
MAX_STATES_PLACED = 2_000

Node = TypeVar("Node", bound=Hashable)


class Proofs:
    """The spaces of all scopes of a release, explored when they are first asked for.

    ``services``: the services that answer at once; none when that is not known, then all do.
    """

    def __init__(self, processes: Mapping[str, Process], services: Collection[str] | None = None) -> None:
        self.processes = processes
        self.services = services
        self._boards: dict[tuple[str, str], Board] = {}
        self._spaces: dict[tuple[str, str], Space] = {}
        self._busy: set[tuple[str, str]] = set()

    @cached_property
    def callers(self) -> Mapping[str, list[Element]]:
        """Process → the call activities that call it."""
        found: dict[str, list[Element]] = {}
        for process in self.processes.values():
            for element in process.elements.values():
                if element.kind is Kind.CALL and element.called in self.processes:
                    found.setdefault(element.called, []).append(element)
        return found

    def scopes(self, process: Process) -> list[str]:
        """The process and its sub-processes, from outside in."""
        return [process.id, *(e.id for e in process.elements.values() if e.kind is Kind.SUB_PROCESS)]

    def board(self, process: str, scope: str) -> Board:
        """A scope, ready to be played on."""
        known = self._boards.get((process, scope))
        if known is None:
            insides = {
                element.id: self.inside(element)
                for element in self.processes[process].inside(scope)
                if element.kind in COMPOUND
            }
            known = Board(self.processes[process], scope, insides, self.services)
            self._boards[process, scope] = known
        return known

    def space(self, process: str, scope: str) -> Space:
        """What the exploration of a scope found."""
        key = (process, scope)
        known = self._spaces.get(key)
        if known is None:
            self._busy.add(key)
            known = self._spaces[key] = self.board(process, scope).explore()
            self._busy.discard(key)
        return known

    def inner(self, element: Element) -> tuple[str, str] | None:
        """(process, scope) of the inside of a compound activity; none where it is not known."""
        if element.kind is Kind.CALL:
            return (element.called, element.called) if element.called in self.processes else None
        return (element.process, element.id)

    def inside(self, element: Element) -> Inside:
        """What is known of a compound activity from outside."""
        key = self.inner(element)
        if key is None or key in self._busy:
            return Inside()
        space = self.space(*key)
        if space.cut:
            return Inside(errors=frozenset(space.errors), escalations=frozenset(space.escalations))
        return Inside(
            ends=ENDED in space.edges,
            errors=frozenset(space.errors),
            escalations=frozenset(space.escalations),
            waits=space.waits,
        )


def prove(proofs: Proofs, process: Process) -> Iterator[Finding]:
    """The findings of the token game in one process."""
    for scope in proofs.scopes(process):
        yield from _Scope(proofs, process, scope).findings()
    if process.id not in proofs.callers:
        yield from _uncaught(proofs, process)


class _Scope:
    """Judges one scope by its space."""

    def __init__(self, proofs: Proofs, process: Process, scope: str) -> None:
        self.proofs = proofs
        self.process = process
        self.scope = scope
        self.board = proofs.board(process.id, scope)
        self.space = proofs.space(process.id, scope)

    def findings(self) -> Iterator[Finding]:
        starved = list(self._deadlocks())
        growing = list(self._unbounded())
        yield from growing
        yield from starved
        if self.space.cut:
            yield self._say(
                self.scope,
                "proof.incomplete",
                f"这一段的状态太多（{self.space.cut}），没有证完；请拆成子流程。",
                f"Not everything could be proved here ({self.space.cut}); split it into sub-processes.",
                (),
                Severity.WARNING,
            )
        else:
            never = list(self._never_thrown())
            yield from never
            if not growing:
                yield from self._cannot_finish()
            silenced = {f.element for f in (*starved, *growing, *never)}
            yield from self._unreachable(silenced)
        if not growing:
            yield from self._twice()
        yield from self._piles()
        yield from self._terminated()
        yield from self._instant_loops()

    def _say(
        self,
        element: str,
        code: str,
        zh: str,
        en: str,
        trace: Iterable[str] = (),
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        way = [name for name in trace if name in self.process.elements]
        steps = tuple(name for name, before in zip(way, ["", *way], strict=False) if name != before)
        for of_zh, of_en in self._approximated(steps):
            zh, en = zh + of_zh, f"{en} {of_en}"
        return Finding(self.process.file, element, code, severity, zh, en, steps)

    def _approximated(self, way: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """What was not looked at on a way, to be said with the finding."""
        passed = [self.process.elements[name] for name in way]
        if any(e.kind in (Kind.EXCLUSIVE, Kind.INCLUSIVE) and len(e.outgoing) > 1 for e in passed):
            yield (
                "（没有看条件的值，每个出口都算走得到。）",
                "(Values are not looked at: every way out of a gateway counts as possible.)",
            )
        if any(e.loop is not None for e in passed):
            yield "（多实例按一个等待算。）", "(A multi-instance counts as one wait.)"
        if any(e.kind is Kind.BOUNDARY and e.trigger and e.trigger.kind == "escalation" for e in passed):
            yield "（升级算作随时可能发生。）", "(An escalation counts as possible at any time.)"

    def _shown(self, id: str) -> str:
        name = self.process.elements[id].name if id in self.process.elements else ""
        return f"“{name}”（{id}）" if name else id

    def _plain(self, id: str) -> str:
        return f'"{id}"'

    # Tokens that can never move.

    def _stuck(self) -> list[Marking]:
        """States other than the end in which only joins wait, and nothing moves."""
        return [
            marking
            for marking, edges in self.space.edges.items()
            if not edges and not is_end(marking) and all(mark.joins for mark in marking)
        ]

    def _deadlocks(self) -> Iterator[Finding]:
        if self.space.cut:
            return
        seen: set[str] = set()
        for marking in self._stuck():
            for mark in marking:
                join = self.process.flows[mark.name].target
                if join in seen:
                    continue
                seen.add(join)
                missing = [
                    self.process.flows[f].source
                    for f in self.process.elements[join].incoming
                    if Mark(f, joins=True) not in marking
                ]
                yield self._say(
                    join,
                    "flow.deadlock",
                    f"汇合{self._shown(join)}会永远等下去：从{'、'.join(map(self._shown, missing))}不会再有令牌来。"
                    "请让汇合的网关和分开的网关同一种。",
                    f"The join {self._plain(join)} may wait for ever: no token comes from "
                    f"{', '.join(map(self._plain, missing))} any more. Join with the kind of gateway that split.",
                    self.space.trace(marking),
                )

    def _cannot_finish(self) -> Iterator[Finding]:
        """A state from which no end is reached, though something goes on moving."""
        fine = self.space.finishing()
        fine |= self._reaching({m for m, edges in self.space.edges.items() if not edges})
        lost = [marking for marking in self.space.edges if marking not in fine]
        if lost:
            first = lost[0]
            element = next((mark.name for mark in first if not mark.joins), self.scope)
            yield self._say(
                element,
                "flow.cannot_finish",
                f"从{self._shown(element)}起，怎么走都到不了结束；请画一条出路。",
                f"From {self._plain(element)} on, no way leads to an end; draw a way out.",
                self.space.trace(first),
            )

    def _reaching(self, goals: set[Marking]) -> set[Marking]:
        back: dict[Marking, list[Marking]] = {}
        for source, edges in self.space.edges.items():
            for edge in edges:
                back.setdefault(edge.target, []).append(source)
        found, todo = set(goals), list(goals)
        while todo:
            for source in back.get(todo.pop(), ()):
                if source not in found:
                    found.add(source)
                    todo.append(source)
        return found

    # Elements that are never reached.

    def _unreachable(self, explained: set[str]) -> Iterator[Finding]:
        """Reported at the first element of each part that is never reached; not behind another fault."""
        never = [
            e for e in self.board.elements.values() if e.id not in self.space.visited and e.kind is not Kind.START
        ]
        if not never or not self.space.visited:
            return
        names = {e.id for e in never}
        behind = self._follow({name for name in explained if name in self.board.elements})
        # Behind a sub-process that never ends, and behind an event that no message of ours brings.
        told = set(behind)
        for element in self.board.elements.values():
            if element.kind in COMPOUND and element.id not in names and not self.board.insides[element.id].ends:
                told |= self._follow({element.id})
        for element in never:
            if element.id in told or (not element.incoming and element.kind is not Kind.BOUNDARY):
                continue
            sources = {self.process.flows[f].source for f in element.incoming if f in self.process.flows}
            if element.kind is Kind.BOUNDARY:
                sources = {element.attached_to}
            if sources & names and not sources <= names:
                sources -= names
            if sources <= names and not self._is_island(element.id, names):
                continue
            told |= self._follow({element.id})
            yield self._say(
                element.id,
                "flow.unreachable",
                f"没有一条路走得到{self._shown(element.id)}；请检查前面的条件和连线。",
                f"No way leads to {self._plain(element.id)}; look at the conditions and flows before it.",
            )

    def _is_island(self, start: str, never: set[str]) -> bool:
        """Whether everything before an element is never reached either, back to nowhere."""
        seen, todo = {start}, [start]
        while todo:
            element = self.process.elements[todo.pop()]
            before = [self.process.flows[f].source for f in element.incoming if f in self.process.flows]
            if element.kind is Kind.BOUNDARY:
                before.append(element.attached_to)
            for name in before:
                if name not in never:
                    return False
                if name not in seen:
                    seen.add(name)
                    todo.append(name)
        return True

    def _follow(self, roots: set[str]) -> frozenset[str]:
        return self.board.follow(roots, aside=True)

    # Tokens that multiply.

    def _unbounded(self) -> Iterator[Finding]:
        for element, way in list(self.space.unbounded.items())[:1]:
            yield self._say(
                element,
                "flow.unbounded",
                f"每走一圈，{self._shown(element)}就多一个令牌，没有尽头：分开的路没有汇合就又绕回去了。",
                f"Each round leaves one more token at {self._plain(element)}, without end: "
                "what was split goes round again without being joined.",
                (*way, element),
            )

    def _piles(self) -> Iterator[Finding]:
        for element, way in self.space.piles.items():
            if not self._comes_from_a_timer(element):
                continue
            yield self._say(
                element,
                "flow.piles_up",
                f"前一个{self._shown(element)}还没有办完，就又来一个；请让它不等人，或者打断前一个。",
                f"Another {self._plain(element)} comes while the one before is still open; "
                "let it wait for nobody, or interrupt the one before.",
                (*way, element),
                Severity.WARNING,
            )

    def _comes_from_a_timer(self, element: str) -> bool:
        events = [e for e in self.board.elements.values() if e.kind is Kind.BOUNDARY and not e.interrupting]
        return any(
            event.trigger is not None
            and event.trigger.kind == "timer"
            and element in self.board.follow([event.id], aside=True)
            for event in events
        )

    def _twice(self) -> Iterator[Finding]:
        found = self.space.twice or dict(list(self.space.doubled.items())[:1])
        for element, way in found.items():
            yield self._say(
                element,
                "flow.runs_twice",
                f"两条同时走的路在{self._shown(element)}没有汇合，后面会办两遍；要等齐就画并行网关，只要先到的就打断另一条。",
                f"Two paths that run at once meet at {self._plain(element)} without being joined: what follows "
                "runs twice. Draw a parallel gateway to wait for both.",
                way,
                Severity.WARNING,
            )

    def _terminated(self) -> Iterator[Finding]:
        for element, (lost, way) in self.space.terminated.items():
            yield self._say(
                element,
                "flow.terminate_loses",
                f"终止结束{self._shown(element)}会丢掉还在等的{'、'.join(map(self._shown, lost))}。",
                f"The terminate end {self._plain(element)} takes away {', '.join(map(self._plain, lost))}, "
                "which still wait.",
                way,
                Severity.WARNING,
            )

    # Events.

    def _never_thrown(self) -> Iterator[Finding]:
        for event in self.board.elements.values():
            trigger, host = event.trigger, self.board.elements.get(event.attached_to)
            if event.kind is not Kind.BOUNDARY or trigger is None or host is None:
                continue
            if trigger.kind not in ("error", "escalation") or self.board.can_happen(event):
                continue
            if host.id not in self.space.visited:
                continue
            word = ("错误", "error") if trigger.kind == "error" else ("升级", "escalation")
            which = f"“{trigger.name}”" if trigger.name else ""
            that = f' "{trigger.name}"' if trigger.name else ""
            yield self._say(
                event.id,
                "event.never_thrown",
                f"{self._shown(host.id)}里没有什么会抛出{word[0]}{which}，这个边界事件永远等不到。",
                f"Nothing in {self._plain(host.id)} throws the {word[1]}{that}; this event can never happen.",
            )

    # Loops that wait for nobody.

    def _instant_loops(self) -> Iterator[Finding]:
        """Loops in which nothing waits and nothing changes what their ways out ask."""
        at_once = {e.id for e in self.board.elements.values() if not self.board.waits(e)}
        graph = {
            name: [
                self.process.flows[f].target
                for f in self.process.elements[name].outgoing
                if f in self.process.flows and self.process.flows[f].target in at_once
            ]
            for name in at_once & self.space.visited
        }
        for loop in loops(graph):
            inside = set(loop)
            asked: set[str] = set()
            for name in loop:
                for flow_id in self.process.elements[name].outgoing:
                    flow = self.process.flows[flow_id]
                    if flow.condition and len(self.process.elements[name].outgoing) > 1:
                        asked |= _names(flow.condition)
            written = set().union(*(_written(self.process.elements[name]) for name in loop))
            leaves = any(
                self.process.flows[f].target not in inside
                for name in loop
                for f in self.process.elements[name].outgoing
                if f in self.process.flows
            )
            if (leaves and asked & written) or not leaves:
                continue
            head = min(loop, key=list(self.process.elements).index)
            yield self._say(
                head,
                "flow.instant_loop",
                f"经过{self._shown(head)}的这一圈不等任何人，也不改变出口条件问的东西，进去就停不下来。",
                f"The loop through {self._plain(head)} waits for nobody and changes nothing that its way out asks: "
                "once entered it never stops.",
                sorted(loop, key=list(self.process.elements).index),
            )


def _uncaught(proofs: Proofs, process: Process) -> Iterator[Finding]:
    """Errors that leave a process that nobody calls: nobody catches them. Reported where they are thrown."""
    for code in sorted(proofs.space(process.id, process.id).errors):
        if code == ANY:
            continue
        for thrower, way in _throwers(proofs, (process.id, process.id), code, set()):
            said = f"“{code}”" if code else ""
            yield Finding(
                thrower.file,
                thrower.id,
                "event.uncaught",
                Severity.ERROR,
                f"错误{said}没有人接：请在外面的子流程或者调用活动上画一个边界错误事件。",
                f'Nobody catches the error "{code}": draw an error boundary event around it.',
                way,
            )


def _throwers(
    proofs: Proofs, key: tuple[str, str], code: str, seen: set[tuple[str, str]]
) -> Iterator[tuple[Element, tuple[str, ...]]]:
    """Where an error that leaves a scope uncaught is thrown."""
    if key in seen:
        return
    seen.add(key)
    board, space = proofs.board(*key), proofs.space(*key)
    for element in board.elements.values():
        trigger = element.trigger
        if element.kind is Kind.END and trigger is not None and (trigger.kind, trigger.name) == ("error", code):
            if element.id in space.visited:
                way = tuple(n for n in space.errors.get(code, ()) if n in proofs.processes[key[0]].elements)
                yield element, way
        elif element.kind in COMPOUND and element.id in space.visited:
            inner = proofs.inner(element)
            if inner is not None and code in board.codes_thrown(element) and board.escapes(element, code):
                yield from _throwers(proofs, inner, code, seen)


def loops(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The parts of a graph in which one can go round."""
    return [part for part in components(graph) if len(part) > 1 or part[0] in graph[part[0]]]


def components(graph: Mapping[Node, Sequence[Node]]) -> list[list[Node]]:
    """The strongly connected parts of a graph (Tarjan). Edges that lead out of it are ignored."""
    index: dict[Node, int] = {}
    low: dict[Node, int] = {}
    stack: list[Node] = []
    on: set[Node] = set()
    found: list[list[Node]] = []

    def visit(node: Node) -> Iterator[Node]:
        index[node] = low[node] = len(index)
        stack.append(node)
        on.add(node)
        return iter(graph[node])

    for root in graph:
        if root in index:
            continue
        work = [(root, visit(root))]
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    found.append(stack[at:])
                    on.difference_update(stack[at:])
                    del stack[at:]
            elif following in graph and following not in index:
                work.append((following, visit(following)))
            elif following in on:
                low[node] = min(low[node], index[following])
    return found


def _names(condition: str) -> frozenset[str]:
    try:
        compiled = expressions.compiled(condition)
    except feel.FeelError:
        return frozenset()
    return compiled.names


def _written(element: Element) -> set[str]:
    """The variables that an element may change."""
    names = {target for _, target in element.outputs}
    if element.result_variable:
        names.add(element.result_variable)
    if element.loop is not None and element.loop.output:
        names.add(element.loop.output)
    return names


# Tokens placed by hand.


@dataclass
class Scope:
    """The tokens of one running scope, as they stand or are to stand."""

    process: str
    #: Id of the sub-process; empty for the process itself.
    element: str = ""
    #: Which scope of the list holds its host, and the element that it runs in; none for the started process.
    host: int | None = None
    host_element: str = ""
    #: Element → tokens that wait there; a multi-instance or a sub-process counts as one.
    at: Counter[str] = field(default_factory=Counter)
    #: Flow → tokens that wait on it for a join.
    via: Counter[str] = field(default_factory=Counter)
    #: Element → tokens that have just arrived there, whether it waits or not; it has not been carried out yet.
    entering: Counter[str] = field(default_factory=Counter)


def judge_marking(
    processes: Mapping[str, Process], marking: Sequence[Scope], *, services: Collection[str] | None = None
) -> Finding | None:
    """The first thing wrong with tokens standing where a marking says, none if a case may go on from there.

    Judged scope by scope: that the elements and flows are there and can hold a token, that the end is reached
    from every state that may follow, that no join starves, and that nothing runs twice or without end.
    """
    proofs = Proofs(processes, services)
    for scope in marking:
        found = _judge_scope(proofs, scope)
        if found is not None:
            return found
    return None


def _judge_scope(proofs: Proofs, scope: Scope) -> Finding | None:
    process = proofs.processes.get(scope.process)
    if process is None:
        return _no_place(
            "", scope.process, f"没有流程“{scope.process}”。", f'There is no process "{scope.process}".'
        )
    name = scope.element or scope.process
    board = proofs.board(process.id, name)
    marks: list[Mark] = []
    for id, count in scope.at.items():
        element = board.elements.get(id)
        if element is None or not board.waits(element):
            return _no_place(
                process.file,
                id,
                f"令牌不能停在“{id}”：这里没有这个元素，或者它从不等待。",
                f'No token can stand at "{id}": it is not in this scope, or nothing waits there.',
            )
        marks += [Mark(id)] * count
    for id, count in scope.via.items():
        flow = board.flows.get(id)
        if flow is None or not board.joins(board.elements[flow.target]):
            return _no_place(
                process.file,
                id,
                f"连线“{id}”不通向汇合，令牌不能等在上面。",
                f'The flow "{id}" leads to no join; no token can wait on it.',
            )
        marks += [Mark(id, joins=True)] * count
    arriving = list(scope.entering.elements())
    for id in arriving:
        element = board.elements.get(id)
        if element is None or board.joins(element):
            return _no_place(
                process.file,
                id,
                f"令牌不能放到“{id}”：这里没有这个元素，或者它是汇合，要放在通向它的连线上。",
                f'No token can be put at "{id}": it is not in this scope, or a join, entered by a flow.',
            )
    if not marks and not arriving:
        return None
    space = board.explore([tuple(sorted(marks))], arriving, limit=MAX_STATES_PLACED)
    judged = _Scope(proofs, process, name)
    judged.space = space
    findings = [*judged._unbounded(), *judged._deadlocks(), *judged._cannot_finish(), *judged._twice()]
    return next(iter(findings), None)


def _no_place(file: str, element: str, zh: str, en: str) -> Finding:
    return Finding(file, element, "flow.no_place", Severity.ERROR, zh, en)
