"""The law's conflict checks: what a procedure may not be drawn to do, whatever else is right about it.

How a diagram says that something is done under the law stands in one table, ``ACTS``: a service, a called process,
or the property ``law`` on an element. Lanes are known by the roles that work in them. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import feel
from disputes.identity.roles import Role
from disputes.timelimits.limits import Bound, Kind, Limit, Limits
from engine import Finding, Severity, expressions
from engine.diagram import Element, Process
from engine.diagram import Kind as Shape

#: The property of an element that says what it does under the law: names of ``ACTS``, separated by commas.
PROPERTY = "law"


@dataclass(frozen=True)
class Act:
    """Something that the law has a rule about, and how a diagram says it besides by the property."""

    zh: str
    en: str
    services: frozenset[str] = frozenset()
    processes: frozenset[str] = frozenset()


ACTS: Mapping[str, Act] = {
    "refuse": Act("不予受理", "refuses the complaint", frozenset({"intake.refuse"})),
    "mediate": Act("调解", "mediates", frozenset({"mediation.open"}), frozenset({"mediation"})),
    "entrust": Act(
        "委托调解", "entrusts the mediation", frozenset({"mediation.entrust"}), frozenset({"entrusting"})
    ),
    "transfer": Act(
        "转送",
        "passes the case on",
        frozenset({"network.assign_office", "intake.transfer"}),
        frozenset({"dispatching"}),
    ),
    "ask-each": Act("逐一征求同意", "asks each for consent", frozenset({"settlement.ask_each"})),
    "settle-group": Act("群体和解", "settles for a group", frozenset({"settlement.agree_for_group"})),
    "tipoff": Act("举报", "handles a tip-off", frozenset(), frozenset({"tipoff", "clue"})),
}
#: Who works in the lane of a body to which mediation is entrusted (办法 第十九条), and in a station's (第四十一条).
ENTRUSTED = frozenset({Role.MEDIATOR.value, Role.COUNCIL_LIAISON.value})
STATION = frozenset({Role.STATION_CLERK.value})
MERCHANT = Role.RESPONDENT.value

#: Places with what is known there that are looked at when a path is followed.
MAX_PLACES = 20_000
_QUOTED = re.compile(r'"([^"]*)"')
_DUE = re.compile(r'\bdue\s*\(\s*"([^"]*)"')

Known = tuple[tuple[str, object], ...]


def law_findings(processes: Iterable[Process], limits: Limits | None, *, today: date) -> Iterator[Finding]:
    """Every conflict of the diagrams of a release with the law."""
    release = _Release({process.id: process for process in processes})
    yield from release.refused_then_mediated()
    yield from release.in_the_wrong_lane()
    yield from release.settled_without_each()
    yield from release.tipoffs_told()
    if limits is not None:
        yield from release.limits_without_timer(limits, today)


def acts_of(element: Element) -> frozenset[str]:
    """What an element does under the law."""
    said = {part.strip() for part in element.properties.get(PROPERTY, "").split(",")} - {""}
    for name, act in ACTS.items():
        called = element.kind is Shape.CALL and element.called in act.processes
        if called or (element.task_type and element.task_type in act.services):
            said.add(name)
    return frozenset(said)


class _Release:
    def __init__(self, processes: Mapping[str, Process]) -> None:
        self.processes = processes
        self.elements = [e for process in processes.values() for e in process.elements.values()]
        self.callers: dict[str, list[Element]] = {}
        for element in self.elements:
            if element.kind is Shape.CALL and element.called in processes:
                self.callers.setdefault(element.called, []).append(element)

    def doing(self, act: str) -> list[Element]:
        """The elements that do something."""
        return [element for element in self.elements if act in acts_of(element)]

    # No path from a refusal to a mediation.

    def refused_then_mediated(self) -> Iterator[Finding]:
        for refusal in self.doing("refuse"):
            for found, way in self._paths([refusal]):
                if found is not refusal and "mediate" in acts_of(found):
                    yield _error(
                        found,
                        "law.refused_then_mediated",
                        f"不予受理（{refusal.id}）后还走得到调解（{found.id}）；不得调解（办法 第十六条）。",
                        f'After the refusal "{refusal.id}" a path leads to the mediation "{found.id}"; '
                        "what was refused is not mediated (Measures art. 16).",
                        way,
                    )
                    break

    # Lanes that may not entrust again or pass on.

    def in_the_wrong_lane(self) -> Iterator[Finding]:
        for element in self.doing("entrust"):
            if self._works_here(element) & ENTRUSTED:
                yield _error(
                    element,
                    "law.entrusted_again",
                    f"受托组织的泳道里又在委托调解（{element.id}）；受托组织不得再委托（办法 第十九条）。",
                    f'"{element.id}" entrusts the mediation from the lane of an entrusted body, which may not '
                    "entrust again (Measures art. 19).",
                )
        for element in self.doing("transfer"):
            if self._works_here(element) & STATION:
                yield _error(
                    element,
                    "law.station_passes_on",
                    f"服务站的泳道里在转送案件（{element.id}）；只能退回处理中心，不得转送（办法 第四十一条）。",
                    f'"{element.id}" passes the case on from the lane of a station, which may only return it to '
                    "the centre (Measures art. 41).",
                )

    def _works_here(self, element: Element) -> frozenset[str]:
        """The roles that work in the lane of an element; its own where it has none."""
        process = self.processes[element.process]
        lane = process.lanes.get(element.id)
        beside = [e for e in process.elements.values() if lane is not None and process.lanes.get(e.id) == lane]
        here = [element, *beside]
        return frozenset(role for e in here for role in _roles(e))

    # A group settles only with the consent of each.

    def settled_without_each(self) -> Iterator[Finding]:
        roots = [
            e
            for process in self.processes.values()
            if process.id not in self.callers
            for e in process.inside(process.id)
            if e.kind is Shape.START
        ]
        if not self.doing("settle-group"):
            return
        for found, way in self._paths(roots, stop="ask-each"):
            if "settle-group" in acts_of(found):
                yield _error(
                    found,
                    "law.group_without_each",
                    f"群体和解（{found.id}）有一条路没有逐一征求同意；被代表的人都要同意（办法 第十二条）。",
                    f'A path leads to the group\'s settlement "{found.id}" without the consent of each '
                    "(Measures art. 12).",
                    way,
                )

    # What belongs to a tip-off never reaches the merchant.

    def tipoffs_told(self) -> Iterator[Finding]:
        inside = {name for name in ACTS["tipoff"].processes if name in self.processes}
        todo = list(inside)
        while todo:
            for element in self.processes[todo.pop()].elements.values():
                if element.kind is Shape.CALL and element.called in self.processes and element.called not in inside:
                    inside.add(element.called)
                    todo.append(element.called)
        starts = [e for e in self.doing("tipoff") if e.kind is not Shape.CALL]
        marked = [found for found, _ in self._paths(starts)] if starts else []
        for element in (*marked, *(e for e in self.elements if e.process in inside)):
            if MERCHANT in _roles(element) or MERCHANT in _told(element):
                yield _error(
                    element,
                    "law.tipoff_told",
                    f"举报的材料走到了经营者那里（{element.id}）；举报要对被举报人保密（办法 第三十七条）。",
                    f'What belongs to a tip-off reaches the merchant at "{element.id}"; it is kept from them '
                    "(Measures art. 37).",
                )

    # A legal limit that a stage starts has a timer.

    def limits_without_timer(self, limits: Limits, today: date) -> Iterator[Finding]:
        """A stage starts a limit when it writes the variable that the limit names as its start.

        Limits on parties with the same start are variants of one wait (C11, C12a, C12b): one timer is enough.
        """
        timed = {id for e in self.elements for t in e.triggers if t.kind == "timer" for id in _DUE.findall(t.text)}
        writes: dict[str, Element] = {}
        for element in self.elements:
            for _, target in element.outputs:
                writes.setdefault(target, element)
        in_force = [
            edition for editions in limits.editions.values() for edition in editions if edition.holds_on(today)
        ]
        legal = [limit for limit in in_force if limit.legal and limit.kind is Kind.TIMER and limit.start in writes]
        for id in dict.fromkeys(limit.id for limit in legal):
            limit = next(one for one in legal if one.id == id)
            if id in timed or any(other.id in timed for other in in_force if _is_variant(limit, other)):
                continue
            writer = writes[str(limit.start)]
            yield _error(
                writer,
                "law.limit_without_timer",
                f"从这里起算的法定期限 {id}（{limit.name_zh}，{limit.article}）在图上没有计时。",
                f"The legal limit {id} ({limit.name_en}, {limit.article}) begins here, and no timer holds to it.",
            )

    # Paths.

    def _paths(self, starts: Iterable[Element], *, stop: str = "") -> Iterator[tuple[Element, tuple[str, ...]]]:
        """Every element that a case may come to from some, with the way there, through calls and their ends.

        What is written as a constant on the way is remembered: a gateway that asks for it goes one way only.
        """
        todo: list[tuple[Element, Known, tuple[str, ...]]] = [(e, (), (e.id,)) for e in starts]
        seen: set[tuple[str, str, Known]] = set()
        reported: set[tuple[str, str]] = set()
        at = 0
        while at < len(todo) and at < MAX_PLACES:
            element, known, way = todo[at]
            at += 1
            if (element.process, element.id, known) in seen:
                continue
            seen.add((element.process, element.id, known))
            if (element.process, element.id) not in reported:
                reported.add((element.process, element.id))
                yield element, way
            if stop and stop in acts_of(element):
                continue
            after = _remember(known, element)
            for following in self._following(element, dict(after)):
                todo.append((following, after, (*way, following.id)))

    def _following(self, element: Element, known: Mapping[str, object]) -> Iterator[Element]:
        process = self.processes[element.process]
        waits = element.kind in (Shape.USER, Shape.RECEIVE, Shape.CATCH, Shape.EVENT_GATEWAY)
        if element.kind is Shape.SUB_PROCESS or (element.kind is Shape.CALL and element.called in self.processes):
            inner, scope = (
                (process, element.id)
                if element.kind is Shape.SUB_PROCESS
                else (self.processes[element.called], element.called)
            )
            yield from (e for e in inner.inside(scope) if e.kind is Shape.START)
            return
        if waits:
            yield from self._interrupting(element)
        if element.kind is Shape.END:
            for host in self._hosts(element):
                yield from self._leaving(host, known)
            return
        yield from self._leaving(element, known)

    def _leaving(self, element: Element, known: Mapping[str, object]) -> Iterator[Element]:
        process = self.processes[element.process]
        flows = [process.flows[f] for f in element.outgoing]
        if element.kind is not Shape.EXCLUSIVE or len(flows) < 2:
            yield from (process.elements[flow.target] for flow in flows)
            return
        for flow in sorted(flows, key=lambda f: f.id == element.default):
            answer = _answer(flow.condition, known) if flow.condition and flow.id != element.default else None
            if answer is not False:
                yield process.elements[flow.target]
            if answer is True:
                return

    def _hosts(self, element: Element) -> list[Element]:
        process = self.processes[element.process]
        if element.scope in process.elements:
            return [process.elements[element.scope]]
        return self.callers.get(process.id, [])

    def _interrupting(self, element: Element) -> Iterator[Element]:
        """The boundary events that may happen while a case waits at an element, its own and those around it."""
        todo, seen = [element], set[tuple[str, str]]()
        while todo:
            here = todo.pop()
            if (here.process, here.id) in seen:
                continue
            seen.add((here.process, here.id))
            yield from self.processes[here.process].boundaries(here.id)
            todo += self._hosts(here)


def _remember(known: Known, element: Element) -> Known:
    """What is known of variables after an element: constants that it writes, and no more of what else it writes."""
    values = dict(known)
    names = {element.result_variable, *(target for _, target in element.outputs)} - {""}
    for name in names:
        values.pop(name, None)
    for source, target in element.outputs:
        try:
            compiled = expressions.compiled(source)
            if not compiled.names and not compiled.calls:
                value = compiled.evaluate({})
                if isinstance(value, str | bool):
                    values[target] = value
        except feel.FeelError:
            continue
    return tuple(sorted(values.items()))


def _answer(condition: str, known: Mapping[str, object]) -> bool | None:
    """What a condition is, as far as what is known decides it."""
    try:
        compiled = expressions.compiled(condition)
        if not compiled.names <= known.keys() or compiled.calls:
            return None
        return compiled.evaluate(known) is True
    except feel.FeelError:
        return None


def _is_variant(limit: Limit, other: Limit) -> bool:
    return limit.bound is Bound.PARTY and other.bound is Bound.PARTY and other.start == limit.start


def _roles(element: Element) -> frozenset[str]:
    if element.kind is not Shape.USER:
        return frozenset()
    if not element.groups.lstrip().startswith("="):
        return frozenset(part.strip() for part in element.groups.split(",") if part.strip())
    named = frozenset(_QUOTED.findall(element.groups))
    return named | frozenset(_QUOTED.findall(element.loop.collection) if element.loop is not None else ())


def _told(element: Element) -> frozenset[str]:
    """The roles that a service is told to inform."""
    return frozenset(name for source, _ in element.inputs for name in _QUOTED.findall(source))


def _error(element: Element, code: str, zh: str, en: str, way: tuple[str, ...] = ()) -> Finding:
    return Finding(element.file, element.id, code, Severity.ERROR, zh, en, way)
