"""Random commands on random diagrams: the engine beside the token game, command by command, with Hypothesis.

What fails is shrunk to a small diagram and few commands; the diagram is printed, so that it can be played again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import timedelta
from random import Random
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select, update

from core.db import Database
from core.refusals import Refusal, WrongState
from engine import (
    Engine,
    Incident,
    Instance,
    Job,
    Step,
    Task,
    Timer,
    bundles,
    events,
    specifications,
    state,
    timers,
)
from engine.bench import counting
from engine.migrating import NotMigratable
from engine.models import Subscription
from engine.nodes import MultiInstance
from tests.engine.house import NOW
from tests.oracle.random_diagrams import PICKS, Drawing, bpmn
from tests.oracle.token_game import Flow, Game, Node, Process

#: Diagrams of Hypothesis's own choosing shrink well and are small; those of a seed are as large as they are drawn.
SEEDED = st.builds(Random, st.integers(0, 2**32))
RANDOM = st.one_of(st.randoms(use_true_random=False), SEEDED, SEEDED, SEEDED)
SIZE = st.integers(3, 16)
#: Small numbers are spread over all bits: conditions look at any of them.
PICK = st.integers(0, PICKS - 1).map(lambda n: n * 2_654_435_761 % PICKS)
ANY = st.integers(0, 10_000)
KIND = st.sampled_from(
    [
        *["complete"] * 6,
        *["message"] * 2,
        *["time"] * 3,
        *["job"] * 2,
        "fail job",
        "migrate",
        "suspend",
        "move",
        "rearm",
        "stray message",
        "early timer",
    ]
)
#: Statements of a command, besides those for what it opens and closes.
STATEMENTS = 60


class Broken(Exception):
    """The service fails while it is told to."""


class CaseMachine(RuleBasedStateMachine):
    """Cases of random diagrams, one after the other."""

    #: Set by the test: where the case lives.
    database: ClassVar[Database]
    #: Commands given by all cases so far, by kind, and what was refused.
    commands: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.failing = False
        self.now = NOW
        self.engine = Engine(services={"work": self._work})
        self.kept: dict[int, tuple[UUID, str]] = {}

    def _work(self, call: object) -> None:
        if self.failing:
            raise Broken("The service was told to fail.")

    # -- the beginning and the end ------------------------------------------------------------------------------

    @initialize(random=RANDOM, size=SIZE, pick=PICK)
    def begin(self, random: Random, size: int, pick: int) -> None:
        self._start(random, size, pick)

    @precondition(lambda self: not self.running)
    @rule(random=RANDOM, size=SIZE, pick=PICK)
    def start(self, random: Random, size: int, pick: int) -> None:
        """The case is over: begin another."""
        self._start(random, size, pick)

    def _start(self, random: Random, size: int, pick: int) -> None:
        """Draw a diagram and start a case of it."""
        drawing = Drawing(random, size)
        self.main = drawing.draw()
        self.called = drawing.called
        for path, xml in self.files().items():
            note(f"{path}: {xml.decode()}")
        self.key = str(uuid4())
        self.kept = {}
        self.game = Game(self.main, pick)
        with self.database.transaction() as session:
            # A case that failed the test before this one may have left timers; nobody may fire them here.
            session.execute(update(Timer).values(state=Timer.State.DROPPED, wake_at=None))
            bundle = bundles.save(session, self.files(), now=NOW)
            step = self.engine.start(
                session, bundle=bundle, process="main", key=self.key, data={"pick": pick}, now=NOW, by="t"
            )
            self.instance_id = step.instance.id
        assert not step.incidents, [i.message for i in step.incidents]
        self.commands["start"] += 1
        self._compare()

    def teardown(self) -> None:
        """A case that still runs is cancelled, and leaves nothing open."""
        if hasattr(self, "instance_id") and self.running:
            with self.database.transaction() as session:
                self.engine.cancel(session, self.instance_id, reason="over", now=self.now, by="t")
            self.game.cancel()
            self.commands["cancel"] += 1
            self._compare()

    def files(self) -> dict[str, bytes]:
        return {f"bpmn/{p.id}.bpmn": bpmn(p) for p in [self.main, *self.called]}

    # -- commands -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.running)
    @rule(kind=KIND, which=ANY, pick=PICK, fail=st.booleans())
    def act(self, kind: str, which: int, pick: int, fail: bool) -> None:
        """One command; where there is nothing of its kind, somebody completes a task, or time passes.

        One rule for all of them: Hypothesis leaves out rules by turns, and a case that nobody works on goes nowhere.
        """
        if kind == "migrate":
            return self.migrate(which)
        if kind == "suspend":
            return self.suspend(which)
        if kind == "move" and self.tasks:
            return self.move(which)
        if kind in ("rearm", "stray message", "early timer"):
            return self.disturb(kind)
        if kind in ("job", "fail job") and self.jobs:
            return self.work(which, fail) if kind == "job" else self.fail_job(which)
        if kind == "message" and self.subscriptions:
            return self.message(which, fail)
        if self.tasks and (kind != "time" or not self.timers):
            return self.complete(which, pick, fail)
        if self.timers:
            return self.time(which % 7200, fail)
        if self.jobs:
            return self.work(which, fail)
        return self.message(which, fail)

    def complete(self, which: int, pick: int, fail: bool) -> None:
        """Somebody completes a task."""
        task = self.tasks[which % len(self.tasks)]
        self._command(
            "complete",
            lambda session: self.engine.complete(session, task.id, {"pick": pick}, now=self.now, by="t"),
            lambda game: game.complete(task.element, pick),
            fail=fail,
        )

    def work(self, which: int, fail: bool) -> None:
        """An external worker completes a job."""
        job = self.jobs[which % len(self.jobs)]
        self._command(
            "job",
            lambda session: self.engine.complete_job(session, job.id, {}, now=self.now, by="t"),
            lambda game: game.work(job.element),
            fail=fail,
        )

    def fail_job(self, which: int) -> None:
        """An external worker gives up a job, which stops the case there, and an operator offers it again."""
        job = self.jobs[which % len(self.jobs)]
        with self.database.transaction() as session:
            step = self.engine.fail_job(session, job.id, "no", retries=0, now=self.now, by="t")
            assert step is not None
        (incident,) = step.incidents
        with self.database.transaction() as session:
            self.engine.retry(session, incident.id, now=self.now, by="t")
        self.commands["fail job"] += 1
        self._compare()

    def message(self, which: int, fail: bool) -> None:
        """A message arrives that somebody waits for."""
        subscription = self.subscriptions[which % len(self.subscriptions)]
        self._command(
            "message",
            lambda session: self.engine.deliver(session, subscription.message, self.key, now=self.now, by="t"),
            lambda game: game.trigger(subscription.element),
            fail=fail,
        )

    def time(self, late: int, fail: bool) -> None:
        """Time passes until the next timers are due, or longer; they fire in their order."""
        due = min(timer.due_at for timer in self.timers)
        self.now = max(self.now, due) + timedelta(seconds=late)
        while claimed := timers.claim(self.database, owner="machine", now=self.now):
            for timer_id in claimed:
                with self.database.reader() as session:
                    timer = session.get_one(Timer, timer_id)
                if timer.state != Timer.State.CLAIMED:
                    continue
                element = timer.element
                self._command(
                    "time",
                    lambda session, timer_id=timer_id: self.engine.fire(  # type: ignore[misc]
                        session, timer_id, owner="machine", now=self.now
                    ),
                    lambda game, element=element: game.trigger(element),  # type: ignore[misc]
                    fail=fail,
                )
                fail = False

    def suspend(self, which: int) -> None:
        """The case stands still for a while, refuses commands meanwhile, and keeps the time that was left."""
        rows = self._ids()
        due = sorted((str(timer.id), timer.due_at) for timer in self.timers)
        with self.database.transaction() as session:
            self.engine.suspend(session, self.instance_id, reason="r", now=self.now, by="t")
        if self.tasks:
            with pytest.raises(WrongState), self.database.transaction() as session:
                self.engine.complete(session, self.tasks[0].id, {}, now=self.now, by="t")
        lost = timedelta(minutes=which)
        self.now += lost
        assert not timers.claim(self.database, owner="machine", now=self.now)
        with self.database.transaction() as session:
            self.engine.resume(session, self.instance_id, now=self.now, by="t")
        self._compare()
        assert self._ids() == rows
        assert sorted((str(timer.id), timer.due_at - lost) for timer in self.timers) == due
        self.commands["suspend"] += 1
        self.commands["resume"] += 1

    def move(self, which: int) -> None:
        """An operator takes a task's token to another task of its scope, where the case could still finish from."""
        task = self.tasks[which % len(self.tasks)]
        process = next(p for p in _scopes(self.main) if task.element in p.nodes)
        others = [n.id for n in process.nodes.values() if n.kind == "task" and n.id != task.element]
        if process.nodes[task.element].kind != "task" or not others:
            return None
        to = others[which % len(others)]
        game = deepcopy(self.game)
        game.move(task.element, to)
        try:
            with self.database.transaction() as session:
                step = self.engine.move(
                    session,
                    self.instance_id,
                    tokens=[task.token],
                    to=(task.process, to),
                    reason="r",
                    now=self.now,
                    by="t",
                )
        except Refusal:
            self.commands["move refused"] += 1
            return self._compare()
        assert not step.incidents
        self.commands["move"] += 1
        self.game, self.main = game, game.top.process
        self.called = _called_of(self.main)
        return self._compare()

    def disturb(self, how: str) -> None:
        """What must change nothing: moments evaluated again, a message that nobody wants, a timer before its time."""
        rows, due = self._ids(), [timer.due_at for timer in self.timers]
        with self.database.transaction() as session:
            if how == "rearm":
                self.engine.rearm(session, self.instance_id, now=self.now, by="t")
            elif how == "stray message":
                assert self.engine.deliver(session, "nobody", self.key, now=self.now, by="t") is None
            elif self.timers:
                fired = self.engine.fire(session, self.timers[0].id, owner="machine", now=self.now)
                assert fired is None
        self._compare()
        assert (rows, due) == (self._ids(), [timer.due_at for timer in self.timers])
        self.commands[how] += 1

    def migrate(self, which: int) -> None:
        """The case goes to the diagram with one more task on some flow, or stays where it is with every row kept."""
        flows = list(_flows_that_may_grow(self.main, self.called))
        before = deepcopy((self.game, self.main, self.called))
        if flows:
            process, flow = flows[which % len(flows)]
            _grow(process, flow, f"task_new{self.commands['migrate']}_{which}")
        rows = self._ids()
        try:
            with self.database.transaction() as session:
                bundle = bundles.save(session, self.files(), now=self.now)
                self.engine.migrate(session, self.instance_id, bundle=bundle, now=self.now, by="t")
            self.commands["migrate"] += 1
        except NotMigratable:
            self.game, self.main, self.called = before
            self.commands["migrate refused"] += 1
        self._compare()
        assert self._ids() == rows

    # -- the engine and the game --------------------------------------------------------------------------------

    def _command(
        self, kind: str, command: Callable[[Any], Step | None], play: Callable[[Game], None], *, fail: bool = False
    ) -> None:
        """Give the command to both. ``fail``: its services fail at first, and an operator has it tried again."""
        game = deepcopy(self.game)
        play(game)
        calls = game.worked > self.game.worked
        self.failing = fail
        with self.database.transaction() as session, counting(self.database.writing) as counter:
            step = command(session)
        self.failing = False
        assert step is not None
        self.commands[kind] += 1
        opened = len(step.opened) + len(step.jobs) + len(step.cancelled) + len(step.dropped) + len(step.elements)
        assert counter.statements <= STATEMENTS + 6 * opened, counter.texts
        if fail and calls:
            (incident,) = step.incidents
            self._compare(parked=True)
            with self.database.transaction() as session:
                step = self.engine.retry(session, incident.id, now=self.now, by="t")
            self.commands["retry"] += 1
        assert not step.incidents, [i.message for i in step.incidents]
        self.game = game
        self.main = game.top.process
        self.called = _called_of(self.main)
        self._compare()

    def _compare(self, *, parked: bool = False) -> None:
        """What waits is what must wait by BPMN's rules, in every table and in the state, and nothing is left over."""
        with self.database.reader() as session:
            instance = session.get_one(Instance, self.instance_id)
            self.running = instance.state == Instance.State.RUNNING

            def rows(model: Any, *states: str) -> list[Any]:
                statement = select(model).where(model.instance_id == self.instance_id)
                if states:
                    statement = statement.where(model.state.in_(states))
                return sorted(session.scalars(statement), key=lambda row: (row.token, str(row.id)))

            self.tasks: list[Task] = rows(Task, "open")
            self.jobs: list[Job] = rows(Job, "open", "failed")
            self.timers: list[Timer] = rows(Timer, "armed", "claimed", "parked")
            self.subscriptions: list[Subscription] = rows(Subscription)
            incidents = session.scalars(
                select(Incident).where(Incident.instance_id == self.instance_id, Incident.state == "open")
            ).all()
            assert events.verify(session, self.instance_id)
            assert instance.incidents == len(incidents) == int(parked)
            packed = state.unpack(instance.blob)
            specs = specifications.load(session, instance.bundle)
            top, scopes = state.load(instance.blob, specs, None)
            assert state.unpack(state.dump(top, scopes)) == packed
        tokens = {number: name for _, _, scope in packed["w"] for number, _, _, name, _ in scope}
        assert Counter(task.element for task in self.tasks) == self.game.waiting()
        assert Counter(job.element for job in self.jobs) == self.game.jobs()
        assert Counter(timer.element for timer in self.timers) == self.game.triggers("timer")
        assert Counter(s.element for s in self.subscriptions) == self.game.triggers("message")
        assert self.running != self.game.over
        assert bool(tokens) == self.running
        for row in (*self.tasks, *self.jobs, *self.timers, *self.subscriptions):
            assert row.token in tokens, f"{row} has no token"
        self._every_token_has_its_row(packed, specs)
        self._ids_are_stable()

    def _every_token_has_its_row(self, packed: Mapping[str, Any], specs: Any) -> None:
        tasks, jobs = ({row.token for row in rows} for rows in (self.tasks, self.jobs))
        listens = {row.token for row in (*self.timers, *self.subscriptions)}
        for _, key, scope in packed["w"]:
            for number, _, _, name, internal in scope:
                node = specs.scopes[key].node(name)
                kind, trigger = str(node.element.kind), node.element.trigger
                if isinstance(node, MultiInstance):
                    continue
                if kind == "userTask":
                    assert number in tasks, f"task {name} has no row"
                elif kind == "serviceTask":
                    assert number in jobs, f"job {name} has no row"
                elif kind in ("intermediateCatchEvent", "eventBasedGateway") or (
                    kind == "boundaryEvent" and trigger.kind != "escalation" and "host" in internal
                ):
                    assert number in listens, f"{name} listens to nothing"

    def _ids_are_stable(self) -> None:
        """What goes on waiting keeps its id: nobody's task is closed and opened again behind his back."""
        now = {row.token: (row.id, row.element) for row in (*self.tasks, *self.jobs)}
        for token in now.keys() & self.kept.keys():
            assert now[token] == self.kept[token]
        self.kept = now

    def _ids(self) -> list[str]:
        rows = (*self.tasks, *self.jobs, *self.timers, *self.subscriptions)
        return sorted(f"{row.id} {row.token} {row.element}" for row in rows)

    @invariant()
    def bounded(self) -> None:
        """The state stays small however long the case goes on."""
        if hasattr(self, "instance_id"):
            with self.database.reader() as session:
                size = len(session.get_one(Instance, self.instance_id).blob)
            waiting = len(self.tasks) + len(self.jobs) + len(self.timers) + len(self.subscriptions)
            assert size <= 1500 + 150 * waiting


def _called_of(process: Process) -> list[Process]:
    """The processes that a process calls, and those that they call."""
    found: list[Process] = []
    for node in process.nodes.values():
        if node.inside is not None:
            found += [node.inside] if node.kind == "call" else []
            found += _called_of(node.inside)
    return found


def _scopes(process: Process) -> Iterator[Process]:
    """A process, and every sub-process and called process in it."""
    yield process
    for node in process.nodes.values():
        if node.inside is not None:
            yield from _scopes(node.inside)


def _flows_that_may_grow(main: Process, called: list[Process]) -> Any:
    """Flows that lead into no join and out of no event gateway: on those no token waits."""
    todo = [main, *called]
    for process in todo:
        todo += [n.inside for n in process.nodes.values() if n.kind == "sub" and n.inside is not None]
        for flow in process.flows.values():
            source, target = process.nodes[flow.source], process.nodes[flow.target]
            if source.kind != "event" and target.kind not in ("and", "or"):
                yield process, flow


def _grow(process: Process, flow: Flow, name: str) -> None:
    """Put a task on a flow."""
    process.nodes[name] = Node(name, "task")
    process.flows[flow.id] = Flow(flow.id, flow.source, name, flow.when, flow.default)
    process.flows[f"{flow.id}_{name}"] = Flow(f"{flow.id}_{name}", name, flow.target)
