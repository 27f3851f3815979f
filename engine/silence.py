"""What happens when nobody acts: every wait is bounded, and every silence leads where the house wants it to lead.

Pure. Who is a party and who supervises comes with the catalogue. The silence of the parties is played in the token
game: only timers fire, authorities and workers do their part, and from every state an end must be reached. Where a
limit of an authority leads is followed along the flows, timers only, through callers and called processes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.diagram import Element, Kind, Process
from engine.exploring import COMPOUND, Actor, Edge, Marking
from engine.findings import Catalogue, Finding, Severity
from engine.proving import Proofs, components

#: Property that exempts a task from having to end: a duty of an authority that is reminded of for ever.
STANDING_DUTY = "standing-duty"

_QUOTED = re.compile(r'"([^"]*)"')
_ENDLESS = re.compile(r"R(-1)?/")

Key = tuple[str, str]


@dataclass(frozen=True)
class _Quiet:
    """What becomes of a scope when some are silent."""

    ends: bool
    #: Where it hangs: (element, elements on the way).
    hangs: tuple[tuple[Element, tuple[str, ...]], ...] = ()


def is_standing(element: Element) -> bool:
    """Whether a task is marked as a standing duty."""
    return element.properties.get(STANDING_DUTY, "") == "true"


def roles_of(element: Element) -> frozenset[str]:
    """The roles of a task, as far as they stand in the diagram."""
    if not element.groups.lstrip().startswith("="):
        return frozenset(filter(None, (part.strip() for part in element.groups.split(","))))
    named = frozenset(_QUOTED.findall(element.groups))
    if element.loop is not None and element.loop.item and element.loop.item in element.groups:
        named |= frozenset(_QUOTED.findall(element.loop.collection))
    return named


class Silence:
    """Judges a release by what happens when nobody acts."""

    def __init__(self, proofs: Proofs, catalogue: Catalogue) -> None:
        self.proofs = proofs
        self.parties = frozenset(catalogue.parties)
        self.supervisors = frozenset(catalogue.supervisors)
        self._quiet: dict[tuple[Key, bool], _Quiet] = {}

    def findings(self, processes: Iterable[Process]) -> Iterator[Finding]:
        """Everything, for processes whose shape is sound enough to be played."""
        todo = list(processes)
        reported: set[tuple[str, str]] = set()
        for process in todo:
            for finding in self._waits(process):
                reported.add((finding.file, finding.element))
                yield finding
        for process in todo:
            if process.id not in self.proofs.callers:
                for finding in self._parties(process):
                    if (finding.file, finding.element) not in reported:
                        reported.add((finding.file, finding.element))
                        yield finding
        for process in todo:
            for finding in self._authorities(process):
                if (finding.file, finding.element) not in reported:
                    reported.add((finding.file, finding.element))
                    yield finding
        for process in todo:
            for finding, wait in self._cycles(process):
                if (wait.file, wait.id) not in reported:
                    yield finding

    # What elements are.

    def is_partys(self, element: Element) -> bool:
        """Whether only parties can answer a task."""
        roles = roles_of(element)
        return element.kind is Kind.USER and bool(roles) and roles <= self.parties

    def is_authoritys(self, element: Element) -> bool:
        """Whether somebody answers a task who is neither a party nor a supervisor."""
        roles = roles_of(element)
        return element.kind is Kind.USER and not roles <= self.parties and not roles & self.supervisors

    def tells_above(self, element: Element) -> bool:
        """Whether an element brings the matter before a supervisor: their task, or a service that names them."""
        if element.kind is Kind.USER:
            return bool(roles_of(element) & self.supervisors)
        texts = [*(source for source, _ in element.inputs), *(f'"{v}"' for v in element.headers.values())]
        return bool(element.task_type) and any(set(_QUOTED.findall(text)) & self.supervisors for text in texts)

    def _process(self, element: Element) -> Process:
        return self.proofs.processes[element.process]

    def _around(self, element: Element) -> list[Element]:
        """The element and the sub-processes around it, from inside out."""
        process = self._process(element)
        found = [element]
        while found[-1].scope in process.elements:
            found.append(process.elements[found[-1].scope])
        return found

    def _timers(self, element: Element) -> list[Element]:
        """The timers at an element: on its edge, itself, or behind it where it is an event gateway."""
        process = self._process(element)
        events = [b for b in process.boundaries(element.id) if _is_timer(b)]
        if element.kind is Kind.CATCH and _is_timer(element):
            events.append(element)
        if element.kind is Kind.EVENT_GATEWAY:
            targets = [process.elements[process.flows[f].target] for f in element.outgoing]
            events += [target for target in targets if _is_timer(target)]
        return events

    def waits_of(self, process: Process) -> Iterator[Element]:
        """The elements at which somebody or something outside is waited for, sub-processes aside."""
        for element in process.elements.values():
            if element.kind in COMPOUND or element.kind is Kind.BOUNDARY:
                continue
            if self._is_behind_event_gateway(element):
                continue
            if self.proofs.board(process.id, element.scope).waits(element):
                yield element

    def _is_behind_event_gateway(self, element: Element) -> bool:
        process = self._process(element)
        return any(process.elements[process.flows[f].source].kind is Kind.EVENT_GATEWAY for f in element.incoming)

    # Every wait is bounded.

    def _waits(self, process: Process) -> Iterator[Finding]:
        for element in self.waits_of(process):
            if is_standing(element) and element.kind is Kind.USER:
                yield from self._duty(element)
            elif not self._is_bounded(element, set()):
                yield self._say(
                    element,
                    "wait.unbounded",
                    f"{_shown(element)}可能永远等下去：它自己和外层都没有到时打断、或者报告督办人的计时。",
                    f'"{element.id}" may wait for ever: neither it nor what is around it has a timer that '
                    "interrupts or tells a supervisor.",
                )

    def _is_bounded(self, element: Element, seen: set[str]) -> bool:
        for around in self._around(element):
            if any(event.interrupting or self.escalates(event) for event in self._timers(around)):
                return True
        return self._all_callers(element, seen, self._is_bounded)

    def _is_interrupted(self, element: Element, seen: set[str]) -> bool:
        for around in self._around(element):
            if any(event.interrupting for event in self._timers(around)):
                return True
        return self._all_callers(element, seen, self._is_interrupted)

    def _all_callers(self, element: Element, seen: set[str], holds: Callable[[Element, set[str]], bool]) -> bool:
        """Whether something holds at every place that calls the element's process; nobody calls it: false."""
        if element.process in seen:
            return True
        callers = self.proofs.callers.get(element.process, [])
        return bool(callers) and all(holds(call, seen | {element.process}) for call in callers)

    def _duty(self, element: Element) -> Iterator[Finding]:
        if self.is_partys(element):
            yield self._say(
                element,
                "duty.of_a_party",
                f"{_shown(element)}是当事人的任务，不能标为常设职责；当事人的沉默要有期限。",
                f'"{element.id}" is a task of the parties, so no standing duty; their silence has a limit.',
            )
            return
        daily = [
            event
            for around in self._around(element)
            for event in self._timers(around)
            if is_endless(event) and self.escalates(event)
        ]
        if not daily:
            yield self._say(
                element,
                "duty.no_reminder",
                f"{_shown(element)}是常设职责，却没有反复提醒并报告督办人的计时（R/P1D）。",
                f'"{element.id}" is a standing duty without a repeating timer (R/P1D) that tells a supervisor.',
            )

    # The silence of the parties leads to an end.

    def _parties(self, process: Process) -> Iterator[Finding]:
        quiet = self._become((process.id, process.id), parties_only=True)
        for element, way in quiet.hangs:
            yield self._say(
                element,
                "silence.parties",
                f"当事人一直不作声，案件就停在{_shown(element)}，永远到不了结束；请让期限届满走向一个结束。",
                f'If the parties stay silent the case hangs at "{element.id}" and never ends; '
                "let the limit lead to an end.",
                way,
            )

    def _become(self, key: Key, *, parties_only: bool) -> _Quiet:
        """What becomes of a scope when the parties are silent, or when nobody at all acts."""
        known = self._quiet.get((key, parties_only))
        if known is not None:
            return known
        self._quiet[key, parties_only] = _Quiet(True)
        space = self.proofs.space(*key)
        if space.cut:
            return self._quiet[key, parties_only]
        elements = self.proofs.processes[key[0]].elements

        def usable(edge: Edge) -> bool:
            return self._is_usable(elements[edge.element], edge, parties_only)

        may_end = space.finishing()
        fine = space.finishing(usable)
        stuck = [m for m in space.edges if m not in fine and m in may_end]
        graph = {m: [e.target for e in space.edges[m] if usable(e) and e.target not in fine] for m in stuck}
        hangs: list[tuple[Element, tuple[str, ...]]] = []
        for part in components(graph):
            inside = set(part)
            if any(target not in inside for m in part for target in graph[m]):
                continue
            first = min(part, key=stuck.index)
            hangs += self._culprits(first, elements, tuple(n for n in space.trace(first) if n in elements))
        made = _Quiet(not stuck, tuple({(e.process, e.id): (e, way) for e, way in hangs}.values()))
        self._quiet[key, parties_only] = made
        return made

    def _is_usable(self, element: Element, edge: Edge, parties_only: bool) -> bool:
        if edge.actor is Actor.TIMER:
            return True
        if edge.actor is Actor.PERSON:
            return parties_only and not self.is_partys(element)
        if edge.actor is Actor.JOB:
            return parties_only
        if edge.actor is Actor.INSIDE and element.kind in COMPOUND:
            inner = self.proofs.inner(element)
            return inner is None or self._become(inner, parties_only=parties_only).ends
        return False

    def _culprits(
        self, marking: Marking, elements: Mapping[str, Element], way: tuple[str, ...]
    ) -> Iterator[tuple[Element, tuple[str, ...]]]:
        """The waits at which a state hangs; the first of its own, or those inside its sub-processes."""
        marks = [elements[mark.name] for mark in marking if not mark.joins]
        for element in marks:
            if element.kind in COMPOUND:
                inner = self.proofs.inner(element)
                if inner is not None:
                    for found, inside in self._become(inner, parties_only=True).hangs:
                        yield found, (*way, *inside) if found.process == element.process else inside
            elif self.is_partys(element) or element.kind is not Kind.USER:
                yield element, way
                return

    # The silence of an authority leads to its supervisor.

    def escalates(self, event: Element) -> bool:
        """Whether a timer, with nothing but timers after it, brings the matter before a supervisor."""
        return self._tells(self._after(event))

    def _after(self, element: Element) -> list[Element]:
        process = self._process(element)
        return [process.elements[process.flows[f].target] for f in element.outgoing if f in process.flows]

    def _tells(self, first: Iterable[Element]) -> bool:
        """Whether a supervisor is told before the process is left and waits again, or a party is waited for."""
        todo = [(element, False) for element in first]
        seen: set[tuple[str, str, bool]] = set()
        while todo:
            element, beyond = todo.pop()
            if (element.process, element.id, beyond) in seen:
                continue
            seen.add((element.process, element.id, beyond))
            if self.tells_above(element):
                return True
            waits = self.proofs.board(element.process, element.scope).waits(element)
            if waits and (beyond or self.is_partys(element)):
                continue
            leaves = element.kind is Kind.END and element.scope == element.process
            todo += [(after, beyond or leaves) for after in self._next_in_silence(element)]
        return False

    def _next_in_silence(self, element: Element) -> list[Element]:
        """Where a token comes from here when only timers fire."""
        board = self.proofs.board(element.process, element.scope)
        following = [after for event in self._timers(element) for after in self._after(event)]
        if element.kind in COMPOUND:
            inner = self.proofs.inner(element)
            if inner is not None:
                inside = self.proofs.processes[inner[0]].inside(inner[1])
                following += [e for e in inside if e.kind is Kind.START]
            return following
        if board.waits(element):
            return following
        if element.kind in (Kind.END, Kind.THROW):
            following += self._thrown_to(element)
        if element.kind is Kind.END:
            following += [after for host in self._hosts(element) for after in self._after(host)]
            return following
        return following + self._after(element)

    def _hosts(self, element: Element) -> list[Element]:
        """The activities in which the scope of an element runs."""
        process = self._process(element)
        if element.scope in process.elements:
            return [process.elements[element.scope]]
        return self.proofs.callers.get(process.id, [])

    def _thrown_to(self, element: Element) -> list[Element]:
        """Behind the boundary events that catch the error or escalation that an element throws."""
        trigger = element.trigger
        if trigger is None or trigger.kind not in ("error", "escalation"):
            return []
        found: list[Element] = []
        todo = self._hosts(element)
        seen: set[tuple[str, str]] = set()
        while todo:
            host = todo.pop()
            if (host.process, host.id) in seen:
                continue
            seen.add((host.process, host.id))
            caught = [
                b
                for b in self._process(host).boundaries(host.id)
                if b.trigger and b.trigger.kind == trigger.kind and b.trigger.name in ("", trigger.name)
            ]
            if caught:
                found += [after for event in caught for after in self._after(event)]
            else:
                todo += self._hosts(host)
        return found

    def _authorities(self, process: Process) -> Iterator[Finding]:
        for element in self.waits_of(process):
            if self.is_authoritys(element) and not self._tells(self._in_the_end(element, set())):
                yield self._say(
                    element,
                    "silence.authority",
                    f"{_shown(element)}一直没有人办，也不会有督办人知道；请让一个计时报告督办人，或者交给督办人。",
                    f'If nobody does "{element.id}" no supervisor ever learns of it; let a timer tell one or hand '
                    "it to one.",
                )

    def _in_the_end(self, element: Element, seen: set[str]) -> list[Element]:
        """What follows the timers at a wait, around it, and around the calls of its process."""
        found = [
            after
            for around in self._around(element)
            for event in self._timers(around)
            for after in self._after(event)
        ]
        if element.process not in seen:
            for call in self.proofs.callers.get(element.process, []):
                found += self._in_the_end(call, seen | {element.process})
        return found

    # Timers that go round for ever.

    def _cycles(self, process: Process) -> Iterator[tuple[Finding, Element]]:
        """(finding, the wait that it is about)"""
        for event in process.elements.values():
            if event.kind is not Kind.BOUNDARY or event.interrupting or not is_endless(event):
                continue
            host = process.elements.get(event.attached_to)
            if host is None or self._is_interrupted(host, set()):
                continue
            unmarked = [w for w in self._waits_inside(host, set()) if self._may_be_for_ever(w, host)]
            if unmarked:
                yield self._cycle(event, unmarked[0]), unmarked[0]
        for scope in self.proofs.scopes(process):
            yield from self._rounds(process, scope)

    def _may_be_for_ever(self, wait: Element, host: Element) -> bool:
        """Whether nothing ends a wait of an authority that is not marked as a standing duty."""
        if not self.is_authoritys(wait) and not (wait.kind is Kind.USER and roles_of(wait) & self.supervisors):
            return False
        if is_standing(wait):
            return False
        inner = [around for around in self._around(wait) if around.id != host.id]
        return not any(event.interrupting for around in inner for event in self._timers(around))

    def _waits_inside(self, host: Element, seen: set[Key]) -> Iterator[Element]:
        if host.kind not in COMPOUND:
            yield host
            return
        key = self.proofs.inner(host)
        if key is None or key in seen:
            return
        seen.add(key)
        for element in self.proofs.processes[key[0]].inside(key[1]):
            if element.kind in COMPOUND:
                yield from self._waits_inside(element, seen)
            elif self.proofs.board(*key).waits(element) and not self._is_behind_event_gateway(element):
                yield element

    def _rounds(self, process: Process, scope: str) -> Iterator[tuple[Finding, Element]]:
        """Interrupting timers that lead round and round while nobody acts."""
        space = self.proofs.space(process.id, scope)
        sub = process.elements.get(scope)
        if space.cut or (self._is_interrupted(sub, set()) if sub is not None else self._called_for_a_time(process)):
            return

        def usable(edge: Edge) -> bool:
            return self._is_usable(process.elements[edge.element], edge, parties_only=False)

        fine = space.finishing(usable)
        graph = {m: [e.target for e in edges if usable(e)] for m, edges in space.edges.items() if m not in fine}
        for part in components(graph):
            inside = set(part)
            if any(target not in inside for m in part for target in graph[m]):
                continue
            round_ = [e for m in part for e in space.edges[m] if usable(e) and e.leaves and e.actor is Actor.TIMER]
            waits = [
                wait
                for m in part
                for mark in m
                if not mark.joins
                for wait in self._waits_inside(process.elements[mark.name], set())
            ]
            if not round_ or any(is_standing(w) for w in waits) or not any(map(self.is_authoritys, waits)):
                continue
            yield self._cycle(process.elements[round_[0].element], waits[0]), waits[0]

    def _called_for_a_time(self, process: Process) -> bool:
        callers = self.proofs.callers.get(process.id, [])
        return bool(callers) and all(self._is_interrupted(call, {process.id}) for call in callers)

    def _cycle(self, event: Element, wait: Element) -> Finding:
        return self._say(
            event,
            "silence.timer_cycle",
            f"没有人办{_shown(wait)}时，计时{_shown(event)}会永远转下去；是督办人的常设职责就标上 standing-duty，"
            "否则给它一个期限。",
            f'While nobody does "{wait.id}" the timer "{event.id}" goes round for ever; mark the task as a '
            "standing-duty if it is one, or give it a limit.",
            (wait.id, event.id) if wait.process == event.process else (event.id,),
        )

    def _say(self, element: Element, code: str, zh: str, en: str, way: tuple[str, ...] = ()) -> Finding:
        return Finding(element.file, element.id, code, Severity.ERROR, zh, en, way)


def _is_timer(element: Element) -> bool:
    return element.trigger is not None and element.trigger.kind == "timer"


def is_endless(event: Element) -> bool:
    """Whether a timer repeats without a last time."""
    trigger = event.trigger
    return (
        trigger is not None
        and trigger.timer == "timeCycle"
        and (bool(_ENDLESS.match(trigger.text)) or trigger.text.lstrip().startswith("="))
    )


def _shown(element: Element) -> str:
    return f"“{element.name}”（{element.id}）" if element.name else element.id
