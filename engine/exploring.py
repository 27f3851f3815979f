"""The token game of a diagram: every state in which one scope may come to rest, and how it gets there.

Pure, and shared by the deploy gate and by repair. A scope is a process or the inside of a sub-process; what lies
deeper is played once for itself and enters as a summary (``Inside``). A state is a multiset of marks: tokens that
wait at an element, and tokens that wait on a flow for a join. Between two states nothing waits: an element that
does its work at once is passed in the same move, as the engine does it. Which way a gateway goes is not known here,
so it goes every way, except where its conditions are constant.

What this leaves out on purpose: values (two gateways that ask the same question are asked separately), how long
timers take, how many instances a multi-instance has (one wait stands for all), and who sends a message or a signal
(one that is waited for may come at any time).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import chain, combinations
from typing import NamedTuple

import feel
from engine import expressions
from engine.diagram import Element, Flow, Kind, Process

#: States of one scope that are looked at; the largest scope of our own procedure has 60.
MAX_STATES = 3_000
#: Ways through the elements between two states that are looked at in one move.
MAX_PASSAGES = 4_000
#: Tokens that move at once; more than this multiply without end.
MAX_MOVING = 60
#: Stands for every error code: a service or an external worker may throw any.
ANY = "*"

_AT_ONCE = frozenset({Kind.START, Kind.END, Kind.THROW, Kind.TASK, Kind.MANUAL, Kind.SCRIPT, Kind.RULE})
_WORKING = frozenset({Kind.SERVICE, Kind.SEND, Kind.THROW, Kind.END})
COMPOUND = frozenset({Kind.SUB_PROCESS, Kind.CALL})


class Mark(NamedTuple):
    """One token that waits."""

    #: Id of the element it waits at, or of the flow on which it waits for a join.
    name: str
    joins: bool = False
    #: Timers on the activity that do not interrupt and have already happened: each happens once.
    happened: tuple[str, ...] = ()


Marking = tuple[Mark, ...]
#: Nothing is left: the scope has ended.
ENDED: Marking = ()


class Actor(StrEnum):
    """Who or what lets a token move on."""

    PERSON = "person"  #: somebody answers a task
    JOB = "job"  #: an external worker does it
    TIMER = "timer"
    MESSAGE = "message"  #: a message or a signal arrives
    INSIDE = "inside"  #: a sub-process or a called process ends
    ERROR = "error"  #: an error or an escalation is caught


@dataclass(frozen=True)
class Inside:
    """What is known of a sub-process or a called process from outside."""

    #: Whether it may end in the ordinary way.
    ends: bool = True
    #: Error codes that leave it uncaught, and escalation codes; ``ANY`` where a service may throw.
    errors: frozenset[str] = frozenset()
    escalations: frozenset[str] = frozenset()
    #: False: it always passes at once.
    waits: bool = True


@dataclass(frozen=True)
class Edge:
    """One move from a state: who moved, at which element, and where it led."""

    actor: Actor
    #: The activity that was done, or the event that happened.
    element: str
    #: False: a boundary event that leaves its activity open.
    leaves: bool
    target: Marking
    #: Elements and flows that were passed, in order.
    passed: tuple[str, ...]


@dataclass
class Space:
    """Everything that the exploration of one scope found."""

    scope: str
    #: State → (state before, edge), none for a first one.
    before: dict[Marking, tuple[Marking, Edge] | None] = field(default_factory=dict)
    #: The elements and flows passed on the way to a first state.
    first: dict[Marking, tuple[str, ...]] = field(default_factory=dict)
    edges: dict[Marking, list[Edge]] = field(default_factory=dict)
    #: Elements and flows that some token passes or waits at.
    visited: set[str] = field(default_factory=set)
    #: Error code → the elements on the way to where it is thrown, for errors that leave the scope.
    errors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    escalations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: What grows without end: the element where tokens pile up → the way there.
    unbounded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: The same where each further token comes from an event that does not interrupt.
    piles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Where two tokens merge without being joined → the way there.
    twice: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Elements at which two tokens wait at once.
    doubled: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Terminate end event → the waits that it takes away, and the way there.
    terminated: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    #: Whether some state waits at all.
    waits: bool = False
    #: Why the exploration was cut short; empty when it is complete.
    cut: str = ""

    def trace(self, marking: Marking) -> tuple[str, ...]:
        """The elements on a shortest way from the start to a state."""
        parts: list[tuple[str, ...]] = []
        here: Marking | None = marking
        while here is not None:
            step = self.before.get(here)
            if step is None:
                parts.append(self.first.get(here, ()))
                break
            here, edge = step
            parts.append((edge.element, *edge.passed))
        return tuple(chain.from_iterable(reversed(parts)))

    def finishing(self, usable: Callable[[Edge], bool] | None = None) -> set[Marking]:
        """The states from which the end is reached over edges that may be used (all, unless told otherwise)."""
        back: dict[Marking, list[Marking]] = {}
        for source, edges in self.edges.items():
            for edge in edges:
                if usable is None or usable(edge):
                    back.setdefault(edge.target, []).append(source)
        found = {m for m in self.edges if is_end(m)}
        todo = list(found)
        while todo:
            for source in back.get(todo.pop(), ()):
                if source not in found:
                    found.add(source)
                    todo.append(source)
        return found


def is_end(marking: Marking) -> bool:
    """Whether nothing is left, or an error has left the scope."""
    return not marking or marking[0].name.startswith("error:")


def _error_exit(code: str) -> Marking:
    return (Mark(f"error:{code}"),)


class TooMuch(Exception):
    """A bound of the exploration was reached."""


@dataclass(frozen=True)
class _Rest:
    """Where a move may come to rest."""

    marking: Marking
    passed: tuple[str, ...]


class Board:
    """One scope, ready to be played on.

    ``insides`` tells of the compound activities in it, by element; ``services`` names the services that answer at
    once (none: all of them do).
    """

    def __init__(
        self,
        process: Process,
        scope: str,
        insides: Mapping[str, Inside],
        services: Collection[str] | None = None,
    ) -> None:
        self.process = process
        self.scope = scope
        self.services = services
        self.insides = insides
        self.elements = {e.id: e for e in process.inside(scope)}
        self.flows = {f.id: f for f in process.flows.values() if f.source in self.elements}
        self.boundaries: dict[str, list[Element]] = {}
        for element in self.elements.values():
            if element.kind is Kind.BOUNDARY:
                self.boundaries.setdefault(element.attached_to, []).append(element)
        self._around: dict[str, dict[str, frozenset[str]]] = {}
        self._open: dict[str, frozenset[str]] = {}
        self._choices: dict[str, list[tuple[str, ...]]] = {}

    # What elements are.

    def waits(self, element: Element) -> bool:
        """Whether a token rests here until somebody or something lets it go on."""
        kind = element.kind
        if kind in COMPOUND:
            return self.insides.get(element.id, Inside()).waits
        if kind in (Kind.USER, Kind.RECEIVE, Kind.EVENT_GATEWAY):
            return True
        if kind is Kind.CATCH:
            return element.trigger is not None and element.trigger.kind != "link"
        return self.is_job(element)

    def is_job(self, element: Element) -> bool:
        """Whether an external worker does it."""
        works = element.kind in (Kind.SERVICE, Kind.SEND)
        return works and self.services is not None and element.task_type not in self.services

    @staticmethod
    def may_throw(element: Element) -> bool:
        """Whether a service or an external worker is behind it, which may throw any error."""
        return element.kind in _WORKING and bool(element.task_type)

    @staticmethod
    def joins(element: Element) -> bool:
        return element.kind in (Kind.PARALLEL, Kind.INCLUSIVE) and len(element.incoming) > 1

    @cached_property
    def side(self) -> frozenset[str]:
        """Elements that are reached only by way of events that do not interrupt."""
        roots = [e.id for e in self.elements.values() if e.kind is Kind.START]
        return frozenset(self.elements) - self.follow(roots, aside=False)

    def follow(self, roots: Iterable[str], *, aside: bool, through_joins: bool = True) -> frozenset[str]:
        """Elements reached from some along flows; ``aside``: also by events that do not interrupt."""
        seen = set(roots)
        todo = list(seen)
        while todo:
            here = todo.pop()
            element = self.elements[here]
            if not through_joins and self.joins(element):
                continue
            following = [self.flows[f].target for f in element.outgoing if f in self.flows]
            following += [b.id for b in self.boundaries.get(here, ()) if aside or b.interrupting]
            for name in following:
                if name not in seen:
                    seen.add(name)
                    todo.append(name)
        return frozenset(seen)

    def reaches_unjoined(self, name: str) -> frozenset[str]:
        """Elements that a token at an element may come to without being joined to another on the way."""
        known = self._open.get(name)
        if known is None:
            known = self._open[name] = self.follow([name], aside=False, through_joins=False)
        return known

    # Moves between two states.

    def begin(self, space: Space) -> list[_Rest]:
        """The states in which the scope may first rest."""
        start = next((e for e in self.elements.values() if e.kind is Kind.START), None)
        if start is None:
            return []
        return self.settle((), (("", start.id),), space)

    def settle(self, marks: Marking, moving: tuple[tuple[str, str], ...], space: Space) -> list[_Rest]:
        """Let tokens move until nothing moves by itself. ``moving``: (flow, element that it enters).

        Raises TooMuch.
        """
        rests: dict[Marking, _Rest] = {}
        seen: set[tuple[Marking, tuple[tuple[str, str], ...]]] = set()
        #: A doubled element counts when the other token that comes to it is still there in the end.
        todo: list[tuple[Marking, tuple[tuple[str, str], ...], tuple[str, ...], tuple[tuple[str, str], ...]]]
        todo = [(marks, moving, (), ())]
        while todo:
            marks, moving, passed, doubled = todo.pop()
            if (marks, moving) in seen:
                continue
            seen.add((marks, moving))
            if len(seen) > MAX_PASSAGES:
                raise TooMuch("too many ways between two waits")
            if len(moving) > MAX_MOVING:
                space.unbounded.setdefault(moving[0][1], passed[:MAX_MOVING])
                continue
            if moving:
                (flow, name), rest = moving[0], moving[1:]
                on_the_way = (*passed, flow, name) if flow else (*passed, name)
                space.visited.update((flow, name))
                doubled += tuple(self._doubles(name, flow, marks, rest))
                for new_marks, new_moving in self._enter(flow, self.elements[name], marks, rest, on_the_way, space):
                    todo.append((new_marks, new_moving, on_the_way, doubled))
                continue
            fired = list(self._inclusive(marks))
            if fired:
                for gateway, left in fired:
                    for flows in self._chosen(self.elements[gateway]):
                        todo.append((left, self._moves(flows), passed, doubled))
                continue
            for name, other in doubled:
                if other == "" or any(mark.name == other for mark in marks):
                    space.twice.setdefault(name, passed)
            rests.setdefault(marks, _Rest(marks, passed))
        return list(rests.values())

    def _moves(self, flows: Iterable[str]) -> tuple[tuple[str, str], ...]:
        return tuple((f, self.flows[f].target) for f in flows if f in self.flows)

    def _doubles(
        self, name: str, flow: str, marks: Marking, moving: tuple[tuple[str, str], ...]
    ) -> Iterator[tuple[str, str]]:
        """Other tokens that will come to the same element as this one, with nothing to join them before."""
        element = self.elements[name]
        if len(element.incoming) < 2 or self.joins(element) or name in self.side:
            return
        for mark in marks:
            if not mark.joins and name in self.reaches_unjoined(mark.name):
                yield name, mark.name
        for other_flow, other in moving:
            comes = other_flow != flow and not self.joins(self.elements[other])
            if comes and name in self.reaches_unjoined(other):
                yield name, ""

    def _enter(
        self,
        flow: str,
        element: Element,
        marks: Marking,
        moving: tuple[tuple[str, str], ...],
        passed: tuple[str, ...],
        space: Space,
    ) -> Iterator[tuple[Marking, tuple[tuple[str, str], ...]]]:
        """What a token that arrives may bring about."""
        if self.joins(element):
            yield self._join(flow, element, marks, moving)
            return
        if self.waits(element):
            space.waits = True
            yield _put(marks, Mark(element.id)), moving
            return
        if element.kind in COMPOUND:
            yield from self._pass_compound(element, marks, moving, passed, space)
            return
        if self.may_throw(element):
            yield from self._thrown(element, ANY, marks, moving, passed, space)
        trigger = element.trigger
        if element.kind in (Kind.END, Kind.THROW) and trigger is not None:
            if trigger.kind == "terminate":
                lost = tuple(mark.name for mark in marks if not mark.joins)
                if lost:
                    space.terminated.setdefault(element.id, (lost, passed))
                yield ENDED, ()
                return
            if trigger.kind == "error":
                space.errors.setdefault(trigger.name, passed)
                yield _error_exit(trigger.name), ()
                return
            if trigger.kind == "escalation":
                space.escalations.setdefault(trigger.name, passed)
        for flows in self._chosen(element):
            yield marks, (*moving, *self._moves(flows))

    def _join(
        self, flow: str, element: Element, marks: Marking, moving: tuple[tuple[str, str], ...]
    ) -> tuple[Marking, tuple[tuple[str, str], ...]]:
        marks = _put(marks, Mark(flow, joins=True))
        if element.kind is Kind.PARALLEL:
            waiting = [Mark(f, joins=True) for f in element.incoming]
            if all(mark in marks for mark in waiting):
                for mark in waiting:
                    marks = _take(marks, mark)
                return marks, (*moving, *self._moves(element.outgoing))
        return marks, moving

    def _pass_compound(
        self,
        element: Element,
        marks: Marking,
        moving: tuple[tuple[str, str], ...],
        passed: tuple[str, ...],
        space: Space,
    ) -> Iterator[tuple[Marking, tuple[tuple[str, str], ...]]]:
        """A sub-process in which nothing waits is passed at once."""
        inside = self.insides[element.id]
        if inside.ends:
            yield marks, (*moving, *self._moves(element.outgoing))
        for code in sorted(inside.errors):
            yield from self._thrown(element, code, marks, moving, passed, space)
        for event in self._escalated(element, inside, passed, space):
            more = () if event.interrupting else self._moves(element.outgoing)
            space.visited.add(event.id)
            yield marks, (*moving, *self._moves(event.outgoing), *more)

    def catchers(self, element: Element, code: str) -> list[Element]:
        """The error boundary events of an activity that may catch a code."""
        events = [b for b in self.boundaries.get(element.id, ()) if b.trigger and b.trigger.kind == "error"]
        if code == ANY:
            return events
        exact = [b for b in events if b.trigger and b.trigger.name in ("", code)]
        return exact[:1]

    def escapes(self, element: Element, code: str) -> bool:
        """Whether an error of an activity may leave the scope."""
        events = self.catchers(element, code)
        return not events if code != ANY else not any(b.trigger and not b.trigger.name for b in events)

    def _thrown(
        self,
        element: Element,
        code: str,
        marks: Marking,
        moving: tuple[tuple[str, str], ...],
        passed: tuple[str, ...],
        space: Space,
    ) -> Iterator[tuple[Marking, tuple[tuple[str, str], ...]]]:
        for event in self.catchers(element, code):
            space.visited.add(event.id)
            yield marks, (*moving, *self._moves(event.outgoing))
        if self.escapes(element, code):
            space.errors.setdefault(code, passed)
            if code != ANY:
                yield _error_exit(code), ()

    def _escalated(
        self, element: Element, inside: Inside, passed: tuple[str, ...], space: Space
    ) -> Iterator[Element]:
        """The escalation boundary events of a compound activity that may happen; the rest passes on outwards."""
        events = [b for b in self.boundaries.get(element.id, ()) if b.trigger and b.trigger.kind == "escalation"]
        for code in sorted(inside.escalations):
            exact = (b for b in events if b.trigger and b.trigger.name == code)
            caught = next(exact, None) or next((b for b in events if b.trigger and not b.trigger.name), None)
            if caught is None:
                space.escalations.setdefault(code, passed)
            else:
                yield caught

    # Gateways.

    def _chosen(self, element: Element) -> list[tuple[str, ...]]:
        """The sets of flows on which tokens may leave together."""
        known = self._choices.get(element.id)
        if known is None:
            known = self._choices[element.id] = self._ways_out(element)
        return known

    def _ways_out(self, element: Element) -> list[tuple[str, ...]]:
        outgoing = [f for f in element.outgoing if f in self.flows]
        if element.kind not in (Kind.EXCLUSIVE, Kind.INCLUSIVE) or len(outgoing) < 2:
            return [tuple(outgoing)]
        asked = [(f, constant(self.flows[f])) for f in outgoing if f != element.default]
        default = [element.default] if element.default in outgoing else []
        if element.kind is Kind.EXCLUSIVE:
            ways: list[tuple[str, ...]] = []
            for flow, value in asked:
                if value is not False:
                    ways.append((flow,))
                if value is True:
                    return ways
            return ways + [(f,) for f in default if f is not None]
        always = [f for f, value in asked if value is True]
        open_ = [f for f, value in asked if value is None]
        if len(open_) > 10:
            raise TooMuch("an inclusive gateway with more than ten flows")
        subsets = chain.from_iterable(combinations(open_, n) for n in range(len(open_) + 1))
        ways = [(*always, *subset) for subset in subsets if always or subset]
        return ways if always else ways + [(f,) for f in default if f is not None]

    def _inclusive(self, marks: Marking) -> Iterator[tuple[str, Marking]]:
        """The inclusive joins that may fire, each with what is left of the marks."""
        names = {self.flows[m.name].target for m in marks if m.joins}
        for name in sorted(names):
            gateway = self.elements[name]
            if gateway.kind is not Kind.INCLUSIVE or self._may_still_come(gateway, marks):
                continue
            left = marks
            for flow in gateway.incoming:
                if Mark(flow, joins=True) in left:
                    left = _take(left, Mark(flow, joins=True))
            yield name, left

    def _may_still_come(self, gateway: Element, marks: Marking) -> bool:
        """BPMN 2.0, 13.4.3: a token elsewhere reaches an empty flow of the join, and none that has a token."""
        full = {m.name for m in marks if m.joins and self.flows[m.name].target == gateway.id}
        empty = set(gateway.incoming) - full
        for mark in marks:
            place = self.flows[mark.name].target if mark.joins else mark.name
            if place == gateway.id:
                continue
            reached = self._flows_reached(place, gateway.id)
            if reached & empty and not reached & full:
                return True
        return False

    def _flows_reached(self, place: str, gateway: str) -> frozenset[str]:
        """The flows into a gateway that a token reaches without passing the gateway."""
        known = self._around.setdefault(gateway, {}).get(place)
        if known is None:
            seen, todo = {place}, [place]
            found: set[str] = set()
            while todo:
                here = todo.pop()
                sources = [self.elements[here], *self.boundaries.get(here, ())]
                for flow in chain.from_iterable(s.outgoing for s in sources):
                    if flow not in self.flows:
                        continue
                    target = self.flows[flow].target
                    if target == gateway:
                        found.add(flow)
                    elif target not in seen:
                        seen.add(target)
                        todo.append(target)
            known = self._around[gateway][place] = frozenset(found)
        return known

    # Moves from a state.

    def moves(self, marking: Marking) -> Iterator[tuple[Actor, str, bool, Marking, tuple[tuple[str, str], ...]]]:
        """(actor, element, whether its activity is left, marks that stay, tokens that move) for each move."""
        for mark in dict.fromkeys(marking):
            if mark.joins or mark.name.startswith("error:"):
                continue
            element = self.elements[mark.name]
            without = _take(marking, mark)
            for actor, name, flows in self._completions(element):
                yield actor, name, True, without, self._moves(flows)
            for event in self.boundaries.get(element.id, ()):
                yield from self._happens(event, mark, marking, without)

    def _completions(self, element: Element) -> Iterator[tuple[Actor, str, tuple[str, ...]]]:
        kind = element.kind
        if kind is Kind.USER:
            yield Actor.PERSON, element.id, element.outgoing
        elif kind in COMPOUND:
            if self.insides.get(element.id, Inside()).ends:
                yield Actor.INSIDE, element.id, element.outgoing
        elif kind is Kind.EVENT_GATEWAY:
            for flow in element.outgoing:
                if flow in self.flows:
                    event = self.elements[self.flows[flow].target]
                    yield _actor_of(event), event.id, event.outgoing
        elif kind in (Kind.CATCH, Kind.RECEIVE):
            yield _actor_of(element), element.id, element.outgoing
        else:
            yield Actor.JOB, element.id, element.outgoing

    def _happens(
        self, event: Element, mark: Mark, marking: Marking, without: Marking
    ) -> Iterator[tuple[Actor, str, bool, Marking, tuple[tuple[str, str], ...]]]:
        trigger = event.trigger
        if trigger is None or not self.can_happen(event):
            return
        if event.interrupting:
            yield _actor_of(event), event.id, True, without, self._moves(event.outgoing)
            return
        stays = marking
        if trigger.kind == "timer" and trigger.timer != "timeCycle":
            if event.id in mark.happened:
                return
            happened = tuple(sorted((*mark.happened, event.id)))
            stays = _put(without, mark._replace(happened=happened))
        yield _actor_of(event), event.id, False, stays, self._moves(event.outgoing)

    def can_happen(self, event: Element) -> bool:
        """Whether anything throws what an error or escalation event catches; all others may always happen."""
        trigger, host = event.trigger, self.elements.get(event.attached_to)
        if trigger is None or host is None:
            return False
        if trigger.kind == "error":
            codes = self.codes_thrown(host)
            return any(event in self.catchers(host, code) for code in codes)
        if trigger.kind == "escalation":
            thrown = self.insides.get(host.id, Inside()).escalations if host.kind in COMPOUND else frozenset()
            return bool(thrown) if not trigger.name else trigger.name in thrown
        return True

    def codes_thrown(self, host: Element) -> frozenset[str]:
        """The error codes that may come out of an activity."""
        if host.kind in COMPOUND:
            return self.insides.get(host.id, Inside()).errors
        return frozenset({ANY}) if self.may_throw(host) else frozenset()

    # The whole space.

    def explore(
        self, first: Iterable[Marking] = (), entering: Iterable[str] = (), *, limit: int = MAX_STATES
    ) -> Space:
        """Every state that is reached from the start, or from the states given.

        ``entering``: elements at which a token has just arrived besides; it comes on no flow.
        """
        space = Space(self.scope)
        todo: list[Marking] = []
        try:
            given = list(first)
            arrived = tuple(("", name) for name in entering)
            rests = [rest for m in given for rest in self.settle(m, arrived, space)] if given else self.begin(space)
            for rest in rests:
                if rest.marking not in space.before:
                    space.before[rest.marking] = None
                    space.first[rest.marking] = rest.passed
                    todo.append(rest.marking)
            for marking in given:
                space.visited.update(mark.name for mark in marking)
            at = 0
            while at < len(todo):
                here = todo[at]
                at += 1
                space.edges[here] = []
                self._count_doubles(here, space)
                for move in self.moves(here):
                    self._play(here, move, space, todo)
                self._outwards(here, space)
                if len(todo) > limit:
                    raise TooMuch(f"more than {limit} states")
        except TooMuch as bound:
            space.cut = str(bound)
            for marking in todo:
                space.edges.setdefault(marking, [])
        return space

    def _play(
        self,
        here: Marking,
        move: tuple[Actor, str, bool, Marking, tuple[tuple[str, str], ...]],
        space: Space,
        todo: list[Marking],
    ) -> None:
        actor, name, leaves, stays, moving = move
        space.visited.add(name)
        for rest in self.settle(stays, moving, space):
            target = rest.marking
            if not leaves and self._differs_by(name, here, target):
                # What came after the event is over already: it may as well not have happened.
                target = here
            edge = Edge(actor, name, leaves, target, rest.passed)
            if target not in space.before and not is_end(target):
                below = self._grows(here, target, space, repeated=not leaves)
                if below is not None:
                    space.edges[here].append(Edge(actor, name, leaves, below, rest.passed))
                    continue
            if target not in space.before:
                space.before[target] = (here, edge)
                todo.append(target)
            space.edges[here].append(edge)

    def _count_doubles(self, marking: Marking, space: Space) -> None:
        waiting = Counter(mark.name for mark in marking if not mark.joins)
        for name, count in waiting.items():
            if count > 1 and name not in self.side and name not in space.doubled:
                space.doubled[name] = space.trace(marking)

    @staticmethod
    def _differs_by(event: str, before: Marking, after: Marking) -> bool:
        """Whether the only difference is that a timer is known to have happened."""

        def without(marking: Marking) -> list[Mark]:
            return sorted(m._replace(happened=tuple(h for h in m.happened if h != event)) for m in marking)

        return without(before) == without(after)

    def _grows(self, here: Marking, target: Marking, space: Space, *, repeated: bool) -> Marking | None:
        """A state on the way that is contained in the new one: from there tokens grow for ever."""
        size = Counter(target)
        state: Marking | None = here
        while state is not None:
            if len(state) < len(target):
                extra = size - Counter(state)
                if sum(extra.values()) == len(target) - len(state):
                    places = {self.flows[m.name].target if m.joins else m.name for m in extra}
                    if repeated and any(Counter(here)[m] == 0 for m in extra):
                        return None
                    found = space.piles if repeated or places <= self.side else space.unbounded
                    found.setdefault(min(places), (*space.trace(here),))
                    return state
            step = space.before.get(state)
            state = None if step is None else step[0]
        return None

    def _outwards(self, marking: Marking, space: Space) -> None:
        """Errors and escalations of waiting activities that nothing here catches."""
        for mark in marking:
            if mark.joins or mark.name.startswith("error:"):
                continue
            element = self.elements[mark.name]
            for code in self.codes_thrown(element):
                if self.escapes(element, code) and code not in space.errors:
                    space.errors[code] = (*space.trace(marking), element.id)
                if self.escapes(element, code) and code != ANY:
                    exit_ = _error_exit(code)
                    edge = Edge(Actor.ERROR, element.id, True, exit_, ())
                    space.edges[marking].append(edge)
                    space.edges.setdefault(exit_, [])
                    space.before.setdefault(exit_, (marking, edge))
            if element.kind in COMPOUND:
                inside = self.insides.get(element.id, Inside())
                for _ in self._escalated(element, inside, space.trace(marking), space):
                    pass


def _actor_of(event: Element) -> Actor:
    trigger = event.trigger
    if trigger is None:
        return Actor.INSIDE
    if trigger.kind == "timer":
        return Actor.TIMER
    return Actor.ERROR if trigger.kind in ("error", "escalation") else Actor.MESSAGE


def _put(marks: Marking, mark: Mark) -> Marking:
    return tuple(sorted((*marks, mark)))


def _take(marks: Marking, mark: Mark) -> Marking:
    at = marks.index(mark)
    return marks[:at] + marks[at + 1 :]


def constant(flow: Flow) -> bool | None:
    """What a condition always is; none where it depends on anything."""
    if not flow.condition:
        return None
    try:
        compiled = expressions.compiled(flow.condition)
        if compiled.names or compiled.calls:
            return None
        return compiled.evaluate({}) is True
    except feel.FeelError:
        return None
