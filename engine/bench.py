"""The benchmark of the engine: one process, measured beside the floor of the same machine in the same run.

The process: start → merge → four user tasks, each with an interrupting boundary timer and an exclusive gateway, the
last able to loop back → end. Every answer carries 1 kB that cannot be compressed. The floor is a bare transaction
that writes the same rows.
"""

import base64
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import Table, event, insert, select
from sqlalchemy.engine import Engine as SqlEngine
from sqlalchemy.orm import Session

from core.db import Database
from engine import bundles, jobs, timers
from engine.models import Event, Instance, Job, Task, Timer
from engine.runtime import Engine
from engine.steps import Step

#: The moment at which the benchmark's virtual time begins.
BEGIN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
#: A moment that no measure reaches.
NEVER = BEGIN + timedelta(days=3650)
PROCESS = "four_tasks"

INSTANCES, TASKS, TIMERS, EVENTS = (cast(Table, model.__table__) for model in (Instance, Task, Timer, Event))


def diagram() -> bytes:
    """The benchmark's process as BPMN with the zeebe vocabulary."""
    parts = [
        '<bpmn:startEvent id="filed"><bpmn:outgoing>to_again</bpmn:outgoing></bpmn:startEvent>',
        '<bpmn:exclusiveGateway id="again" />',
        '<bpmn:sequenceFlow id="to_again" sourceRef="filed" targetRef="again" />',
        '<bpmn:sequenceFlow id="to_task_1" sourceRef="again" targetRef="task_1" />',
    ]
    for n in range(1, 5):
        following = f"task_{n + 1}" if n < 4 else "done"
        parts.append(
            f'<bpmn:userTask id="task_{n}" name="Task {n}"><bpmn:extensionElements><zeebe:userTask />'
            f'<zeebe:formDefinition formId="form-{n}" /><zeebe:assignmentDefinition candidateGroups="officer" />'
            f'<zeebe:ioMapping><zeebe:output source="= choice" target="choice_{n}" /></zeebe:ioMapping>'
            "</bpmn:extensionElements></bpmn:userTask>"
            f'<bpmn:boundaryEvent id="late_{n}" attachedToRef="task_{n}"><bpmn:timerEventDefinition>'
            "<bpmn:timeDuration>P30D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"
            f'<bpmn:endEvent id="lapsed_{n}" />'
            f'<bpmn:exclusiveGateway id="choice_{n}" default="go_{n}" />'
            f'<bpmn:sequenceFlow id="to_choice_{n}" sourceRef="task_{n}" targetRef="choice_{n}" />'
            f'<bpmn:sequenceFlow id="lapse_{n}" sourceRef="late_{n}" targetRef="lapsed_{n}" />'
            f'<bpmn:sequenceFlow id="go_{n}" sourceRef="choice_{n}" targetRef="{following}" />'
            f'<bpmn:sequenceFlow id="other_{n}" sourceRef="choice_{n}" '
            f'targetRef="{"again" if n == 4 else f"stopped_{n}"}"><bpmn:conditionExpression>'
            f'= choice_{n} = "other"</bpmn:conditionExpression></bpmn:sequenceFlow>'
        )
        if n < 4:
            parts.append(f'<bpmn:endEvent id="stopped_{n}" />')
    parts.append('<bpmn:endEvent id="done" />')
    return (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="bench" targetNamespace="https://hejie.example/bench">'
        f'<bpmn:process id="{PROCESS}" isExecutable="true">{"".join(parts)}</bpmn:process></bpmn:definitions>'
    ).encode()


@dataclass
class Counter:
    """SQL statements and commits of one connection pool."""

    statements: int = 0
    commits: int = 0
    texts: list[str] = field(default_factory=list)


@contextmanager
def counting(sql: SqlEngine) -> Iterator[Counter]:
    """Count what is sent to the database meanwhile."""
    counter = Counter()

    def executed(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counter.statements += 1
        counter.texts.append(statement)

    def committed(_c: Any) -> None:
        counter.commits += 1

    event.listen(sql, "before_cursor_execute", executed)
    event.listen(sql, "commit", committed)
    try:
        yield counter
    finally:
        event.remove(sql, "before_cursor_execute", executed)
        event.remove(sql, "commit", committed)


def answer(choice: str = "go") -> dict[str, str]:
    """1 kB that cannot be compressed, and the choice of the gateway behind the task."""
    return {"choice": choice, "text": base64.b64encode(os.urandom(768)).decode()}


class Bench:
    """The measures, each beside its floor."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.engine = Engine(services={})
        with database.transaction() as session:
            self.bundle = bundles.save(session, {"bpmn/four_tasks.bpmn": diagram()}, now=BEGIN)

    def start(self, now: datetime = BEGIN) -> Step:
        """Start one case."""
        with self.database.transaction() as session:
            return self.engine.start(
                session,
                bundle=self.bundle,
                process=PROCESS,
                key=str(uuid4()),
                data={},
                now=now,
                by="person:bench",
            )

    def complete(self, task_id: UUID, choice: str = "go", now: datetime = BEGIN) -> Step:
        """Complete one task."""
        with self.database.transaction() as session:
            return self.engine.complete(session, task_id, answer(choice), now=now, by="person:bench")

    def tick(self, now: datetime = BEGIN + timedelta(seconds=1)) -> int:
        """What a worker does once a second."""
        return timers.drain(self.database, self.engine, owner="bench", now=now)

    def loop(self, rounds: int, *, at: Callable[[int], None] = lambda _: None) -> Step:
        """One case that goes round the loop."""
        step = self.start()
        for turn in range(1, rounds + 1):
            for n in range(1, 5):
                step = self.complete(step.opened[0].id, "other" if n == 4 else "go")
            at(turn)
        return step

    def floor(self, instance_id: UUID) -> None:
        """A bare transaction of the rows of one step: no diagram, no ORM."""
        with self.database.transaction() as session:
            connection = session.connection()
            connection.execute(select(Instance.version).where(Instance.id == instance_id).with_for_update())
            connection.execute(
                INSTANCES.update()
                .where(Instance.id == instance_id)
                .values(blob=self._floor_blob, version=Instance.version + 1)
            )
            ended = {"state": "completed", "ended_at": BEGIN, "ended_by": "person:bench"}
            task, timer = self._floor_rows[instance_id]
            connection.execute(TASKS.update().where(Task.id == task).values(**ended))
            connection.execute(TIMERS.update().where(Timer.id == timer).values(state="dropped", wake_at=None))
            self._floor_rows[instance_id] = self._insert_rows(session, instance_id)

    _floor_blob = b""
    _floor_rows: dict[UUID, tuple[UUID, UUID]] = {}

    def _insert_rows(self, session: Session, instance_id: UUID) -> tuple[UUID, UUID]:
        task, timer = uuid4(), uuid4()
        common = {"instance_id": instance_id, "process": PROCESS, "token": 1}
        session.execute(
            insert(TASKS),
            [
                {
                    **common,
                    "id": task,
                    "key": str(instance_id),
                    "element": "task_1",
                    "name": "Task 1",
                    "form": "form-1",
                    "role": "officer",
                    "state": "open",
                    "opened_at": BEGIN,
                    "version": 1,
                }
            ],
        )
        session.execute(
            insert(TIMERS),
            [
                {
                    **common,
                    "id": timer,
                    "element": "late_1",
                    "host": "task_1",
                    "due_at": NEVER,
                    "wake_at": NEVER,
                    "interrupting": True,
                    "state": "armed",
                    "armed_at": BEGIN,
                    "attempt": 0,
                }
            ],
        )
        number = self._floor_number = self._floor_number + 4
        session.execute(
            insert(EVENTS),
            [
                {
                    "instance_id": instance_id,
                    "number": number + n,
                    "at": BEGIN,
                    "by": "person:bench",
                    "kind": "task.opened",
                    "process": PROCESS,
                    "element": "task_1",
                    "payload": {"task": str(task), "role": "officer", "due_at": None, "item": None},
                    "salt": "0" * 32,
                    "digest": "0" * 64,
                    "hash": "0" * 64,
                }
                for n in range(3)
            ],
        )
        return task, timer

    _floor_number = 10_000_000

    def prepare_floor(self) -> UUID:
        """An instance whose rows the floor writes over."""
        instance = self.start().instance
        instance_id, self._floor_blob = instance.id, instance.blob
        with self.database.transaction() as session:
            self._floor_rows[instance_id] = self._insert_rows(session, instance_id)
        return instance_id


def timed(action: Callable[[], object]) -> float:
    """Seconds that it took."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def measure(unit: str, samples: list[float], floor: list[float] | float | None = None) -> dict[str, Any]:
    """A measure in the shape of CONTRACTS: ``ratio`` is the median over the floor's median."""
    ordered = sorted(samples)
    base = statistics.median(floor) if isinstance(floor, list) else floor
    median = statistics.median(ordered)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return {
        "unit": unit,
        "median": round(median, 4),
        "p95": round(at(0.95), 4),
        "p99": round(at(0.99), 4),
        "n": len(ordered),
        "floor": None if base is None else round(base, 4),
        "ratio": None if not base else round(median / base, 2),
    }


#: Loop rounds after which a step is measured.
ROUNDS = (3, 10, 100, 1000, 3000)


def run(
    database: Database,
    *,
    cases: int = 200,
    rounds: tuple[int, ...] = ROUNDS,
    waiting: int = 100_000,
    due: int = 10_000,
) -> dict[str, dict[str, Any]]:
    """All measures of the engine on an empty database with all tables."""
    bench = Bench(database)
    measures: dict[str, dict[str, Any]] = {}
    for _ in range(20):
        bench.complete(bench.start().opened[0].id)
    instance_id = bench.prepare_floor()
    starts, steps, floors = [], [], []
    opened: list[UUID] = []
    for _ in range(cases):
        starts.append(timed(lambda: opened.append(bench.start().opened[0].id)) * 1000)
        steps.append(timed(lambda: bench.complete(opened[-1])) * 1000)
        floors.append(timed(lambda: bench.floor(instance_id)) * 1000)
    measures["start"] = measure("ms", starts, floors)
    measures["step"] = measure("ms", steps, floors)
    measures |= _count_sql(bench)
    measures |= _rounds(bench, rounds)
    measures |= _idle(bench, waiting)
    measures |= _drain(bench, due)
    measures |= _jobs(bench, cases)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    measures["memory"] = measure("MB", [memory])
    return measures


def _count_sql(bench: Bench) -> dict[str, dict[str, Any]]:
    task = bench.start().opened[0].id
    with counting(bench.database.writing) as counter:
        bench.complete(task)
    return {
        "step_statements": measure("statements", [counter.statements]),
        "step_commits": measure("commits", [counter.commits]),
    }


def beside_a_young_case(bench: Bench, step: Step, turns: int) -> tuple[Step, list[float], list[float]]:
    """Milliseconds of the steps of an old case and, in turn with them, of one that has just begun.

    Measured in turn, because on a shared machine two moments a minute apart cannot be compared.
    """
    young = bench.loop(2)
    old_times, young_times = [], []
    for _ in range(turns):
        for n in range(1, 5):
            choice = "other" if n == 4 else "go"
            old_task, young_task = step.opened[0].id, young.opened[0].id
            begin = time.perf_counter()
            step = bench.complete(old_task, choice)
            between = time.perf_counter()
            young = bench.complete(young_task, choice)
            old_times.append((between - begin) * 1000)
            young_times.append((time.perf_counter() - between) * 1000)
    return step, old_times, young_times


def _rounds(bench: Bench, rounds: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    """The cost of a step and the size of the state, the further the loop has turned; the floor is a young case."""
    measures: dict[str, dict[str, Any]] = {}
    step = bench.start()
    instance_id = step.instance.id
    turn = 0
    for wanted in rounds:
        while turn < wanted:
            for n in range(1, 5):
                step = bench.complete(step.opened[0].id, "other" if n == 4 else "go")
            turn += 1
        size = len(step.instance.blob)
        step, old, young = beside_a_young_case(bench, step, 10)
        turn += 10
        measures[f"step_at_{wanted}_rounds"] = measure("ms", old, young)
        measures[f"state_at_{wanted}_rounds"] = measure("bytes", [float(size)])
    assert step.instance.id == instance_id
    return measures


def _idle(bench: Bench, waiting: int) -> dict[str, dict[str, Any]]:
    """A tick that finds nothing due, with few and with many timers waiting."""
    measures: dict[str, dict[str, Any]] = {}
    instance_id = bench.start().instance.id
    for count in (100, waiting):
        _add_timers(bench, instance_id, count, NEVER)
        measures[f"idle_tick_{count}"] = measure("ms", [timed(bench.tick) * 1000 for _ in range(50)])
    return measures


def _drain(bench: Bench, due: int) -> dict[str, dict[str, Any]]:
    """Timers that are due at one moment, one for each case."""
    at = BEGIN + timedelta(days=60)
    count = 0
    while count < due:
        bench.start(at - timedelta(days=30))
        count += 1
    lateness: list[float] = []
    begin = time.perf_counter()

    class Noting:
        def step(self, session: Session, step: Step) -> None:
            lateness.extend(time.perf_counter() - begin for _ in step.fired)

    noting = Noting()
    bench.engine.listeners.append(noting)
    fired = timers.drain(bench.database, bench.engine, owner="bench", now=at)
    seconds = time.perf_counter() - begin
    bench.engine.listeners.remove(noting)
    return {
        "drain_rate": measure("timers/s", [fired / seconds]),
        "drain_lateness": measure("s", lateness),
    }


def _jobs(bench: Bench, count: int) -> dict[str, dict[str, Any]]:
    """Jobs of one external worker: taken ten at a time, each returned in a transaction of its own."""
    xml = (
        b'<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        b'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="jobs" targetNamespace="https://hejie.example/bench">'
        b'<bpmn:process id="one_job" isExecutable="true"><bpmn:startEvent id="s" /><bpmn:serviceTask id="t">'
        b'<bpmn:extensionElements><zeebe:taskDefinition type="bench" /></bpmn:extensionElements></bpmn:serviceTask>'
        b'<bpmn:endEvent id="e" /><bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="t" />'
        b'<bpmn:sequenceFlow id="f2" sourceRef="t" targetRef="e" /></bpmn:process></bpmn:definitions>'
    )
    database, engine = bench.database, bench.engine
    with database.transaction() as session:
        bundle = bundles.save(session, {"bpmn/one_job.bpmn": xml}, now=BEGIN)
        for n in range(count):
            engine.start(session, bundle=bundle, process="one_job", key=f"{n}", data={}, now=BEGIN, by="bench")
    activations, completions = [], []

    def take() -> list[Job]:
        with database.transaction() as session:
            return jobs.activate(
                session, ["bench"], worker="bench", limit=10, lock_for=timedelta(minutes=5), now=BEGIN
            )

    def give_back(job: Job) -> None:
        with database.transaction() as session:
            engine.complete_job(
                session, job.id, {}, worker="bench", attempt=job.attempt, now=BEGIN, by="person:bench"
            )

    begin = time.perf_counter()
    while taken := take():
        activations.append((time.perf_counter() - begin) * 1000)
        completions += [timed(partial(give_back, job)) * 1000 for job in taken]
        begin = time.perf_counter()
    seconds = (sum(activations) + sum(completions)) / 1000
    return {
        "job_activation": measure("ms for 10", activations),
        "job_completion": measure("ms", completions),
        "job_rate": measure("jobs/s", [len(completions) / seconds]),
    }


def _add_timers(bench: Bench, instance_id: UUID, count: int, due_at: datetime) -> None:
    rows = [
        {
            "id": uuid4(),
            "instance_id": instance_id,
            "process": PROCESS,
            "element": "late_1",
            "host": "task_1",
            "due_at": due_at + timedelta(seconds=n),
            "wake_at": due_at + timedelta(seconds=n),
            "interrupting": True,
            "state": "armed",
            "armed_at": BEGIN,
            "token": 1,
            "attempt": 0,
        }
        for n in range(count)
    ]
    with bench.database.transaction() as session:
        for first in range(0, count, 5000):
            session.execute(insert(TIMERS), rows[first : first + 5000])
