"""An independent token game, written from the BPMN 2.0 semantics, and random diagrams to play it on.

It shares no code with the engine. A marking is nested: a scope is (tokens on flows, open activities), an activity is
(node, inside or None). Where BPMN leaves the order open (an inclusive gateway may fire as soon as it is enabled), all
orders are followed: the oracle answers with the set of markings in which a correct engine may rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tests.engine.drawing import Scope, diagram, message

Marking = tuple[tuple[str, ...], tuple[tuple[str, "Marking | None"], ...]]
EMPTY: Marking = ((), ())


@dataclass
class Net:
    """A random diagram, as the game sees it."""

    kind: dict[str, str] = field(default_factory=dict)
    scope: dict[str, str] = field(default_factory=dict)
    flows: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Flow → its place among the outgoing flows of its gateway.
    place: dict[str, int] = field(default_factory=dict)
    default: dict[str, str] = field(default_factory=dict)
    #: Boundary event → (activity, interrupting).
    boundary: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def out(self, node: str) -> list[str]:
        return [f for f, (source, _) in self.flows.items() if source == node]

    def into(self, node: str) -> list[str]:
        return [f for f, (_, target) in self.flows.items() if target == node]

    def start(self, scope: str) -> str:
        return next(n for n, k in self.kind.items() if k == "start" and self.scope[n] == scope)


def remove(items: tuple, item: object) -> tuple:
    found = list(items)
    found.remove(item)
    return tuple(found)


def add(items: tuple, *more: object) -> tuple:
    return tuple(sorted((*items, *more), key=repr))


class Game:
    """Plays on a net. ``c`` is the one variable: it decides every gateway."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._around: dict[tuple[str, str], frozenset[str]] = {}

    def begin(self, c: int) -> set[Marking]:
        return self.rest((add((), *self.net.out(self.net.start(""))), ()), c)

    # Moves of people.

    def complete(self, marking: Marking, task: str, c: int) -> set[Marking]:
        return self._act(marking, task, c, lambda scope, activity: self._leave(scope, activity, self.net.out(task)))

    def happen(self, marking: Marking, event: str, c: int) -> set[Marking]:
        host, interrupting = self.net.boundary[event]
        out = self.net.out(event)

        def move(scope: Marking, activity: tuple) -> Marking:
            if interrupting:
                return self._leave(scope, activity, out)
            return (add(scope[0], *out), scope[1])

        return self._act(marking, host, c, move)

    def _leave(self, scope: Marking, activity: tuple, out: list[str]) -> Marking:
        return (add(scope[0], *out), remove(scope[1], activity))

    def _act(self, marking: Marking, node: str, c: int, move) -> set[Marking]:
        found: set[Marking] = set()
        for changed in self._changes(marking, node, move):
            found |= self.rest(changed, c)
        return found

    def _changes(self, scope: Marking, node: str, move) -> Iterator[Marking]:
        for activity in set(scope[1]):
            name, inside = activity
            if name == node:
                yield move(scope, activity)
            if inside is not None:
                for changed in self._changes(inside, node, move):
                    yield (scope[0], add(remove(scope[1], activity), (name, changed)))

    # What happens by itself.

    def rest(self, marking: Marking, c: int) -> set[Marking]:
        """All markings in which nothing more happens by itself."""
        resting: set[Marking] = set()
        seen: set[Marking] = set()
        todo = [marking]
        while todo:
            now = todo.pop()
            if now in seen:
                continue
            seen.add(now)
            following = list(self._moves(now, c))
            if not following:
                resting.add(now)
            todo.extend(following)
            assert len(seen) < 20_000, "the diagram is too big for the oracle"
        return resting

    def _moves(self, scope: Marking, c: int) -> Iterator[Marking]:
        tokens, open_ = scope
        for activity in set(open_):
            name, inside = activity
            if inside is None:
                continue
            if inside == EMPTY:
                yield self._leave(scope, activity, self.net.out(name))
                return
            moves = list(self._moves(inside, c))
            if moves:
                for changed in moves:
                    yield (tokens, add(remove(open_, activity), (name, changed)))
                return
        inclusive = []
        for flow in sorted(set(tokens)):
            target = self.net.flows[flow][1]
            kind = self.net.kind[target]
            if kind == "or" and len(self.net.into(target)) > 1:
                if self._enabled(scope, target):
                    inclusive.append(target)
                continue
            if kind == "and" and len(self.net.into(target)) > 1:
                arriving = self.net.into(target)
                if all(f in tokens for f in arriving):
                    rest = tokens
                    for f in arriving:
                        rest = remove(rest, f)
                    yield (add(rest, *self.net.out(target)), open_)
                    break
                continue
            yield self._enter((remove(tokens, flow), open_), target, c)
            break
        for gateway in set(inclusive):
            rest = tokens
            for f in set(tokens) & set(self.net.into(gateway)):
                rest = remove(rest, f)
            yield (add(rest, *self._chosen(gateway, c)), open_)

    def _enter(self, scope: Marking, node: str, c: int) -> Marking:
        kind = self.net.kind[node]
        tokens, open_ = scope
        if kind == "user":
            return (tokens, add(open_, (node, None)))
        if kind == "sub":
            inside = (add((), *self.net.out(self.net.start(node))), ())
            return (tokens, add(open_, (node, inside)))
        if kind == "end":
            return scope
        return (add(tokens, *self._chosen(node, c)), open_)

    def _chosen(self, node: str, c: int) -> list[str]:
        out = self.net.out(node)
        kind = self.net.kind[node]
        if kind not in ("xor", "or") or len(out) == 1:
            return out
        others = [f for f in out if f != self.net.default[node]]
        if kind == "xor":
            taken = [f for f in others if c == self.net.place[f]][:1]
        else:
            taken = [f for f in others if c >> self.net.place[f] & 1]
        return taken or [self.net.default[node]]

    def _enabled(self, scope: Marking, gateway: str) -> bool:
        """BPMN 2.0, section 13.4.3, to the letter."""
        tokens, open_ = scope
        arriving = self.net.into(gateway)
        full = {f for f in arriving if f in tokens}
        if not full:
            return False
        empty = set(arriving) - full
        elsewhere = [self._reachable(self.net.flows[f][1], gateway) for f in set(tokens) - set(arriving)]
        elsewhere += [self._reachable(node, gateway) for node, _ in open_]
        return all(not (reach & empty) or reach & full for reach in elsewhere)

    def _reachable(self, node: str, gateway: str) -> frozenset[str]:
        """Flows into the gateway that are reached from a node without going through the gateway."""
        known = self._around.get((node, gateway))
        if known is not None:
            return known
        seen, todo, found = set(), [node], set()
        while todo:
            here = todo.pop()
            if here in seen or here == gateway:
                continue
            seen.add(here)
            attached = [b for b, (host, _) in self.net.boundary.items() if host == here]
            for source in (here, *attached):
                for f in self.net.out(source):
                    target = self.net.flows[f][1]
                    if target == gateway:
                        found.add(f)
                    todo.append(target)
        self._around[node, gateway] = frozenset(found)
        return frozenset(found)


def visible(marking: Marking) -> list[str]:
    """Open user tasks, sorted."""
    found = []
    for name, inside in marking[1]:
        found += [name] if inside is None else visible(inside)
    return sorted(found)


class Drawer:
    """Draws a random diagram: blocks whose joins need not fit their splits, loops, sub-processes, boundary events."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.net = Net()
        self.number = 0
        self.messages: list[str] = []

    def draw(self, size: int) -> tuple[bytes, Net]:
        scope = self._scope("", size)
        return diagram(scope.process(), messages=tuple(self.messages)), self.net

    def _name(self, kind: str, scope: str) -> str:
        self.number += 1
        name = f"{kind}{self.number}"
        self.net.kind[name] = kind
        self.net.scope[name] = scope
        return name

    def _scope(self, name: str, size: int) -> Scope:
        drawn = Scope()
        start = self._name("start", name)
        drawn.start(start)
        last = self._block(drawn, name, start, size)
        self._end(drawn, name, last)
        return drawn

    def _end(self, drawn: Scope, scope: str, last: str) -> None:
        end = self._name("end", scope)
        drawn.end(end)
        self._flow(drawn, last, end)

    def _flow(self, drawn: Scope, source: str, target: str, place: int | None = None) -> str:
        self.number += 1
        name = f"f{self.number}"
        condition = None
        self.net.flows[name] = (source, target)
        if place is not None:
            self.net.place[name] = place
            condition = (
                f"= c = {place}" if self.net.kind[source] == "xor" else f"= modulo(floor(c / {2**place}), 2) = 1"
            )
        drawn.flow(source, target, condition, id=name)
        return name

    def _user(self, drawn: Scope, scope: str, before: str, place: int | None = None, *, plain: bool = False) -> str:
        task = self._name("user", scope)
        drawn.user(task, outputs={"c": "= c"})
        self._flow(drawn, before, task, place)
        if not plain and self.random.random() < 0.3:
            self._boundary(drawn, scope, task)
        return task

    def _boundary(self, drawn: Scope, scope: str, host: str) -> None:
        interrupting = self.random.random() < 0.6
        event = self._name("boundary", scope)
        self.net.boundary[event] = (host, interrupting)
        self.messages.append(event)
        drawn.boundary(event, host, message(event), interrupting=interrupting, outputs={"c": "= c"})
        last = event
        if self.random.random() < 0.5:
            last = self._user(drawn, scope, event, plain=True)
        # Where the exception comes back into the main path, a later join must reckon with it.
        if self._open_joins and self.random.random() < 0.5:
            self._flow(drawn, last, self.random.choice(self._open_joins))
        else:
            self._end(drawn, scope, last)

    _open_joins: list[str] = []

    def _block(self, drawn: Scope, scope: str, before: str, size: int) -> str:
        """A block after an element; answers with its last element, which has no outgoing flow yet."""
        if size <= 1:
            return self._user(drawn, scope, before)
        shape = self.random.choice(("sequence", "split", "split", "split", "loop", "sub"))
        if shape == "sequence":
            first = self._block(drawn, scope, before, size // 2)
            return self._block(drawn, scope, first, size - size // 2)
        if shape == "loop":
            return self._loop(drawn, scope, before, size)
        if shape == "sub":
            return self._sub(drawn, scope, before, size)
        return self._split(drawn, scope, before, size)

    def _split(self, drawn: Scope, scope: str, before: str, size: int) -> str:
        opening = self.random.choice(("xor", "and", "or"))
        # Mostly the join fits the split; where it does not, tokens multiply or wait for ever, and both must agree.
        closing = opening if self.random.random() < 0.6 else self.random.choice(("xor", "and", "or", "or"))
        split, join = self._name(opening, scope), self._name(closing, scope)
        self._flow(drawn, before, split)
        outer, self._open_joins = self._open_joins, [*self._open_joins, join]
        branches = self.random.randint(2, 3)
        places: list[int | None] = [None] * branches if opening == "and" else [*range(branches - 1), None]
        for place in places:
            if size > 2 and self.random.random() < 0.15:
                flow = self._flow(drawn, split, join, place)
            else:
                first = len(self.net.flows)
                if self.random.random() < 0.5:
                    step = self._user(drawn, scope, split, place)
                    flow = list(self.net.flows)[first]
                    if size > 3 and self.random.random() < 0.6:
                        step = self._block(drawn, scope, step, size // branches)
                else:
                    step = self._user(drawn, scope, split, place, plain=True)
                    flow = list(self.net.flows)[first]
                self._flow(drawn, step, join)
            if place is None and opening != "and":
                self.net.default[split] = flow
        self._open_joins = outer
        self._draw_gateway(drawn, split)
        self._draw_gateway(drawn, join)
        return join

    def _draw_gateway(self, drawn: Scope, name: str) -> None:
        draw = {"xor": drawn.xor, "and": drawn.par, "or": drawn.inc}[self.net.kind[name]]
        if name in self.net.default:
            draw(name, self.net.default[name])
        else:
            draw(name)

    def _loop(self, drawn: Scope, scope: str, before: str, size: int) -> str:
        again = self._name(self.random.choice(("xor", "xor", "xor", "or")), scope)
        self._flow(drawn, before, again)
        task = self._user(drawn, scope, again, plain=True)
        last = self._block(drawn, scope, task, size - 1)
        question = self._name("xor", scope)
        self._flow(drawn, last, question)
        self._flow(drawn, question, again, 1)
        leave = self._name("xor", scope)
        self.net.default[question] = self._flow(drawn, question, leave)
        for gateway in (again, question, leave):
            self._draw_gateway(drawn, gateway)
        return leave

    def _sub(self, drawn: Scope, scope: str, before: str, size: int) -> str:
        name = self._name("sub", scope)
        self._flow(drawn, before, name)
        outer, self._open_joins = self._open_joins, []
        inside = self._scope(name, size - 1)
        self._open_joins = outer
        drawn.sub(name, inside)
        if self.random.random() < 0.6:
            self._boundary(drawn, scope, name)
        return name
