"""Every way a random diagram can go, played by the independent token game; to hold the deploy gate's proofs against.

Gateways choose freely here, as the proofs assume, by a script of choices that is extended until every choice was
made. No code is shared with the proofs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from random import Random
from typing import Any

from engine.diagram import Kind, read
from engine.proving import Proofs, prove
from tests.oracle.random_diagrams import Drawing, bpmn
from tests.oracle.token_game import Activity, Flow, Game, Node, Process, Scope

#: What the proofs call a process from which an end is not always reached, or in which tokens multiply.
UNSOUND = {"flow.deadlock", "flow.cannot_finish", "flow.unbounded", "flow.piles_up"}

#: More tokens than this at once: they multiply without end.
CROWD = 12
#: States of one diagram; larger ones are left out.
MAX_STATES = 1_500

Key = tuple[Any, ...]


class Choice(Exception):
    """A gateway asks, and the script has no answer yet."""

    def __init__(self, options: int) -> None:
        self.options = options


class TooBig(Exception):
    """Not played to the end."""


class Free(Game):
    """A game whose gateways go where a script says."""

    def __init__(self, process: Process, script: list[int]) -> None:
        self.script = script
        self.crowded = False
        super().__init__(process, 0)

    def _pass(self, scope: Scope, node: Node) -> None:
        flows = scope.process.out(node.id)
        if node.kind in ("xor", "or") and len(flows) > 1:
            default = [flow for flow in flows if flow.default]
            others = [flow for flow in flows if not flow.default]
            ways = [[flow] for flow in flows]
            if node.kind == "or":
                ways = [list(c) for n in range(1, len(others) + 1) for c in combinations(others, n)]
                ways += [default] if default else []
            if not self.script:
                raise Choice(len(ways))
            flows = ways[self.script.pop(0)]
        self.moving += [(scope, flow.id) for flow in flows]
        if len(self.moving) > CROWD * 2 or sum(scope.parked.values()) > CROWD:
            self.crowded = True
            self.moving.clear()


def key_of(scope: Scope) -> Key:
    parked = tuple(sorted((flow, n) for flow, n in scope.parked.items() if n))
    activities = sorted(
        (
            a.node.id,
            tuple(sorted(n.id for n in a.armed)),
            () if a.inner is None else key_of(a.inner),
        )
        for a in scope.activities
    )
    return (scope.process.id, parked, tuple(activities))


def clone(scope: Scope) -> Scope:
    activities = [
        # Of a multi-instance one instance stands for all.
        Activity(a.node, list(a.armed), None if a.inner is None else clone(a.inner), 1)
        for a in scope.activities
    ]
    return Scope(scope.process, dict(scope.variables), activities, Counter(scope.parked))


def outcomes(process: Process, state: Scope | None, command: tuple[str, str] | None) -> Iterator[Scope | None]:
    """Every state that a command leads to; None stands for tokens without end."""
    todo: list[list[int]] = [[]]
    while todo:
        script = todo.pop()
        try:
            if state is None:
                game = Free(process, list(script))
            else:
                game = Free.__new__(Free)
                game.script, game.crowded, game.moving, game.top = list(script), False, [], clone(state)
                game.worked = 0
                assert command is not None
                if command[0] == "complete":
                    game.complete(command[1], 0)
                elif command[0] == "work":
                    game.work(command[1])
                else:
                    game.trigger(command[1])
        except Choice as choice:
            if len(script) > 25:
                raise TooBig from None
            todo += [[*script, n] for n in range(choice.options)]
            continue
        yield None if game.crowded else game.top


def commands(state: Scope) -> list[tuple[str, str]]:
    game = Free.__new__(Free)
    game.top = state
    waits = [("complete", name) for name in game.waiting()] + [("work", name) for name in game.jobs()]
    return waits + [("trigger", name) for kind in ("timer", "message") for name in game.triggers(kind)]


def is_sound(process: Process) -> bool:
    """Whether from every state the end can be reached, with a bounded number of tokens. Raises TooBig."""
    states: dict[Key, Scope] = {}
    before: dict[Key, set[Key]] = {}
    todo: list[Scope] = []
    sound = True

    def found(state: Scope | None, source: Key | None) -> None:
        nonlocal sound
        if state is None or count(state) > CROWD:
            sound = False
            return
        key = key_of(state)
        if source is not None:
            before.setdefault(key, set()).add(source)
        if key not in states:
            if len(states) >= MAX_STATES:
                raise TooBig
            states[key] = state
            todo.append(state)

    for first in outcomes(process, None, None):
        found(first, None)
    while todo:
        state = todo.pop()
        for command in commands(state):
            for after in outcomes(process, state, command):
                found(after, key_of(state))
    if not sound:
        return False
    ended = (process.id, (), ())
    fine = {ended} & states.keys()
    back = list(fine)
    while back:
        for source in before.get(back.pop(), ()):
            if source not in fine:
                fine.add(source)
                back.append(source)
    return fine == states.keys()


def count(scope: Scope) -> int:
    return sum(scope.parked.values()) + sum(1 if a.inner is None else 1 + count(a.inner) for a in scope.activities)


def processes_of(process: Process) -> list[Process]:
    """A process and all that runs inside it."""
    inner = [node.inside for node in process.nodes.values() if node.inside is not None]
    return [process, *(found for one in inner for found in processes_of(one))]


def mutate(random: Random, pool: list[Process]) -> None:
    """Bend one flow to another element, or turn one join into another kind: mostly a fault, sometimes none."""
    process = random.choice(pool)
    if random.random() < 0.67:
        flow = random.choice(list(process.flows.values()))
        behind = {f.target for f in process.flows.values() if process.nodes[f.source].kind == "event"}
        targets = [
            node.id
            for node in process.nodes.values()
            if node.kind not in ("start", "boundary") and node.id not in (flow.source, flow.target, *behind)
        ]
        if targets and flow.target not in behind:
            bent = Flow(flow.id, flow.source, random.choice(targets), flow.when, flow.default)
            process.flows[flow.id] = bent
        return
    joins = [n for n in process.nodes.values() if n.kind in ("xor", "and", "or") and len(process.into(n.id)) > 1]
    if joins:
        join = random.choice(joins)
        other = random.choice([kind for kind in ("xor", "and", "or") if kind != join.kind])
        process.nodes[join.id] = Node(join.id, other)


def compare(seed: int) -> tuple[bool, bool] | None:
    """(sound by exhaustive play, sound by the proofs) for one random diagram; None when it is left out.

    Left out: diagrams that are too big to be played out, shapes that the gate refuses before it proves, and caught
    escalations, which the proofs let come at any time and as often as they like.
    """
    random = Random(seed)
    drawing = Drawing(random, random.randint(3, 8))
    main = drawing.draw()
    drawn = [main, *drawing.called]
    for _ in range(random.randint(0, 2)):
        mutate(random, [inner for process in drawn for inner in processes_of(process)])
    processes = {}
    for one in drawn:
        reading = read(bpmn(one), one.id)
        assert reading.findings == ()
        processes |= {process.id: process for process in reading.processes}
    nodes = [node for one in drawn for inner in processes_of(one) for node in inner.nodes.values()]
    if any(node.trigger == "escalation" for node in nodes):
        return None
    elements = [e for process in processes.values() for e in process.elements.values()]
    if any(not e.incoming and e.kind not in (Kind.START, Kind.BOUNDARY) for e in elements):
        return None
    try:
        played = all(is_sound(process) for process in processes_of(main))
    except TooBig:
        return None
    proofs = Proofs(processes, {"work"})
    codes = {finding.code for process in processes.values() for finding in prove(proofs, process)}
    return None if "proof.incomplete" in codes else (played, not codes & UNSOUND)
