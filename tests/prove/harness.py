"""Kills real processes while real people work, and reads afterwards from the logs whether anything was lost.

``hejie web`` and ``hejie worker`` run as processes of their own on 127.0.0.1. Clients answer tasks over HTTP and
keep a journal of what they were told; SIGKILL ends whole process groups at random moments. The diagram goes round
and round: a task that may lapse and that rings twice, a rest by timer, a task that decides whether to go on.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, text

import core.now
from core.db import Database
from disputes.audit.queries import verify_all
from disputes.identity import tokens
from disputes.inbox.models import Answer, InboxItem, ItemState
from disputes.notices.models import Notice
from disputes.wiring import build_engine
from engine import Event, Incident, Instance, Task, Timer, bundles, timers
from forms import compile_form
from tests.disputes.world import World, build_world
from tests.engine.drawing import Scope, diagram, timer

#: Seconds after which a proof gives up waiting for a process, a request or quiet.
PATIENCE = 120
#: Until a claim of a killed worker has surely run out.
AFTER_LEASE = timers.LEASE + timedelta(seconds=1)
CLIENTS = 6
KEY = "a-key-for-tests"  # what tests/conftest.py unlocks the sealed columns with

FORM = json.dumps(
    {
        "type": "default",
        "id": "turn",
        "components": [
            {"type": "radio", "id": "go", "key": "go", "label": "下一步", "validate": {"required": True},
             "values": [{"label": "继续", "value": "on"}, {"label": "结束", "value": "finish"}]},
            {"type": "textfield", "id": "mark", "key": "mark", "label": "记号", "validate": {"required": True}},
        ],
    }
).encode()  # fmt: skip

#: What the log of a case may say, one letter an event (``LETTERS``): a task is opened (H), it may ring twice and each
#: ring reminds once (BS), it is answered and a rest follows (hR) or it lapses and is taken away (Lx), the decision is
#: opened and taken (Dd); at last the case ends.
STORY = re.compile(r"(H(BS){0,2}(hR|Lx)Dd)+E")
LETTERS = {
    ("task.opened", "handle"): "H",
    ("task.completed", "handle"): "h",
    ("task.cancelled", "handle"): "x",
    ("task.opened", "decide"): "D",
    ("task.completed", "decide"): "d",
    ("timer.fired", "bell"): "B",
    ("timer.fired", "late"): "L",
    ("timer.fired", "rest"): "R",
    ("service.called", "remind"): "S",
    ("instance.completed", ""): "E",
}


def drawn() -> bytes:
    """The diagram; its counters are raised by script tasks behind each timer and by each answer."""
    scope = (
        Scope()
        .start()
        .user("handle", form="turn", outputs={"handled": "=handled + 1"})
        .boundary("late", "handle", timer("=patience"))
        .boundary("bell", "handle", timer("R2/PT4S", "timeCycle"), interrupting=False)
        .script("lapse", "=lapsed + 1", "lapsed")
        .service("remind", "notices.remind", inputs={"recipients": '=["officer"]'})
        .script("ring", "=rung + 1", "rung")
        .end("reminded")
        .catch("rest", timer("=pause"))
        .script("rise", "=rested + 1", "rested")
        .user("decide", form="turn", outputs={"go": "=go"})
        .xor("which", default="which-over")
        .end("over")
        .path("start", "handle", "rest", "rise", "decide", "which")
        .path("late", "lapse", "decide")
        .path("bell", "remind", "ring", "reminded")
        .flow("which", "handle", '=go = "on"')
        .flow("which", "over")
    )
    return diagram(scope.process("round"))


def seed(database: Database, *, cases: int, luck: random.Random) -> list[Officer]:
    """A district with running cases, and officers with a token each who may answer all of them."""
    engine = build_engine(secret_key=KEY)
    now = core.now.now()
    with database.transaction() as session:
        world: World = build_world(session)
        bundle = bundles.save(session, {"bpmn/round.bpmn": drawn(), "forms/turn.form": FORM}, now=now)
        officers = []
        for name in ("officer", "second_officer"):
            person = world.people[name]
            _, plain = tokens.issue(
                session, person, name="proof", scopes=["task.*"], lasts=timedelta(days=1), now=now
            )
            officers.append(Officer(f"person:{person.id}", plain))
    for _ in range(cases):
        with database.transaction() as session:
            case = world.case(session)
            step = engine.start(
                session,
                bundle=bundle,
                process="round",
                key=str(case.id),
                data={
                    "handled": 0, "lapsed": 0, "rung": 0, "rested": 0,
                    "patience": f"PT{luck.randint(3, 15)}S", "pause": f"PT{luck.randint(1, 3)}S",
                },
                now=core.now.now(),
                by="system",
            )  # fmt: skip
            case.instance_id = step.instance.id
    return officers


@dataclass(frozen=True)
class Officer:
    """Somebody who answers tasks: as the log names them, and their token."""

    by: str
    token: str


@dataclass
class Journal:
    """What the clients sent and what they were told."""

    #: Task → (mark, by) of the answer that was acknowledged.
    acknowledged: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    #: Marks that were refused: they must not be found anywhere.
    refused: Counter[str] = field(default_factory=Counter)
    refused_marks: set[str] = field(default_factory=set)
    #: Answers that a kill left without an acknowledgement at the first try, and repetitions that were replayed.
    interrupted: int = 0
    replayed: int = 0
    faults: list[str] = field(default_factory=list)


class Clients:
    """Threads that answer open tasks until they are stopped. A try without an answer is repeated under its key."""

    def __init__(self, database: Database, port: int, people: list[Officer], luck: random.Random) -> None:
        self.database, self.port, self.people, self.luck = database, port, people, luck
        self.journal = Journal()
        self.go = "on"
        self.in_flight = 0
        self.digest = compile_form(FORM).digest
        self._open: list[UUID] = []
        self._lock = Lock()
        self._stop = Flag()
        self._threads: list[Thread] = []

    def start(self, *, go: str) -> None:
        """Begin to answer with ``go``."""
        self.go = go
        self._stop.clear()
        self._threads = [
            Thread(target=self._work, args=(self.people[n % len(self.people)],)) for n in range(CLIENTS)
        ]
        self._threads.append(Thread(target=self._look))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every thread finish the answer that it is giving."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=PATIENCE)
            if thread.is_alive():
                self.journal.faults.append("a client did not stop")

    def _look(self) -> None:
        while not self._stop.wait(0.3):
            with self.database.reader() as session:
                found = list(session.scalars(select(Task.id).where(Task.state == Task.State.OPEN)))
            self.luck.shuffle(found)
            with self._lock:
                self._open = found

    def _next(self) -> UUID | None:
        with self._lock:
            if not self._open:
                return None
            # One in ten is left for a second client to find: two answers to one task.
            return self.luck.choice(self._open) if self.luck.random() < 0.1 else self._open.pop()

    def _work(self, person: Officer) -> None:
        line = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while not self._stop.is_set():
                task = self._next()
                if task is None:
                    self._stop.wait(0.1)
                else:
                    self._answer(line, person, task)
        except Exception as error:
            self.journal.faults.append(f"a client failed: {type(error).__name__}: {error}")
            raise
        finally:
            line.close()

    def _answer(self, line: HTTPConnection, person: Officer, task: UUID) -> None:
        mark = uuid4().hex
        body = json.dumps({"form_digest": self.digest, "answer": {"go": self.go, "mark": mark}})
        headers = {
            "Authorization": f"Bearer {person.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": mark,
        }
        until = time.monotonic() + PATIENCE
        tries = 0
        while time.monotonic() < until:
            tries += 1
            try:
                with self._lock:
                    self.in_flight += 1
                line.request("POST", f"/api/v1/tasks/{task}/answer", body, headers)
                response = line.getresponse()
                content = response.read()
            except (OSError, HTTPException):
                line.close()
                with self._lock:
                    self.journal.interrupted += tries == 1
                time.sleep(0.1)
                continue
            finally:
                with self._lock:
                    self.in_flight -= 1
            with self._lock:
                self._note(
                    response.status, response.headers.get("Idempotency-Replayed"), content, task, mark, person
                )
            return
        self.journal.faults.append(f"no answer within {PATIENCE} s")

    def _note(
        self, status: int, replayed: str | None, content: bytes, task: UUID, mark: str, person: Officer
    ) -> None:
        journal = self.journal
        journal.replayed += replayed == "true"
        if status == 200:
            if task in journal.acknowledged:
                journal.faults.append(f"task {task} was acknowledged twice")
            journal.acknowledged[task] = (mark, person.by)
        elif status == 409:
            journal.refused[json.loads(content)["code"]] += 1
            journal.refused_marks.add(mark)
        else:
            journal.faults.append(f"{status}: {content[:300]!r}")


class Service:
    """``hejie web`` and ``hejie worker`` as processes that can be killed and started again."""

    def __init__(self, database: Database, home: Path, *, web_processes: int, workers: int) -> None:
        home.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.home = home
        self.web_processes, self.workers = web_processes, workers
        self.started = 0
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "HEJIE_DATABASE_URL": database.url.render_as_string(hide_password=False),
            "HEJIE_DATA_KEYS": KEY,
            "HEJIE_SECRET_KEY": KEY,
            "HEJIE_HOME": str(home),
            "TMPDIR": str(home),
        }

    def start(self, *, workers: bool = True) -> None:
        """Start what does not run, and wait until the web service answers."""
        if "web" not in self.running:
            self._spawn(
                "web", "--host", "127.0.0.1", "--port", str(self.port), "--processes", str(self.web_processes)
            )
        for number in range(self.workers if workers else 0):
            if f"worker{number}" not in self.running:
                self._spawn(f"worker{number}")
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < until, f"The web service does not answer.\n{self.logs()}"
            assert self.running["web"].poll() is None, f"The web service has ended.\n{self.logs()}"
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """SIGKILL to the whole process group: nobody cleans up."""
        process = self.running.pop(name)
        # A process that ended by itself would be a fault of its own.
        assert process.poll() is None, f"{name} has ended by itself.\n{self.logs()}"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=PATIENCE)
        self.running.clear()

    def logs(self) -> str:
        """What the processes wrote."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.home.glob("*.log")))

    def _spawn(self, name: str, *arguments: str) -> None:
        self.started += 1
        command = [sys.executable, "-m", "api.cli", name.rstrip("0123456789"), *arguments]
        with (self.home / f"{self.started:03d}-{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        line = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", "/healthz")
            return line.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            line.close()


@contextmanager
def serving(database: Database, home: Path, *, web_processes: int, workers: int) -> Iterator[Service]:
    """The service while the block runs; nothing of it survives the block."""
    service = Service(database, home, web_processes=web_processes, workers=workers)
    try:
        service.start()
        yield service
    finally:
        service.end()


def kill_again_and_again(
    database: Database,
    home: Path,
    *,
    cases: int,
    kills: int,
    web_processes: int,
    workers: int,
    at_work: tuple[float, float],
    answers_between: int,
    wait_for_claims: bool,
) -> dict[str, Any]:
    """Work, kill, start again; at last let everything come to rest, end every case, and read the logs.

    ``wait_for_claims``: the workers themselves take over what killed ones held, a minute later; otherwise no worker
    is started after the last kill, and this process fires the rest at moments that are far enough ahead.
    Answers the figures. Raises AssertionError where something was lost, doubled, early, stuck or broken.
    """
    luck = random.Random(cases * 1000 + kills)
    people = seed(database, cases=cases, luck=luck)
    with serving(database, home, web_processes=web_processes, workers=workers) as service:
        clients = Clients(database, service.port, people, luck)
        clients.start(go="on")
        try:
            for left in reversed(range(kills)):
                before = len(clients.journal.acknowledged)
                time.sleep(luck.uniform(*at_work))
                _until(
                    lambda before=before: len(clients.journal.acknowledged) >= before + answers_between,
                    f"{answers_between} answers were given since the last kill",
                )
                names = list(service.running)
                luck.shuffle(names)
                if left % 2 == 0:  # in the middle of a request and of a batch; otherwise at any moment
                    names.sort(key="web".__ne__)
                    _soon(lambda: clients.in_flight > 0)
                for name in names:
                    if left % 2 == 0 and name != "web":
                        _soon(lambda: _held_timers(database) > 0)
                    service.kill(name)
                    time.sleep(luck.uniform(0, 0.4))
                service.start(workers=wait_for_claims or left > 0)
            time.sleep(1)
        finally:
            clients.stop()
        if wait_for_claims:
            _until(lambda: _waiting_timers(database) == 0, "no timer waits")
        else:
            _fire_the_rest(database)
        _nobody_is_stuck(database)
        clients.start(go="finish")
        try:
            _until(lambda: _running(database) == 0, "every case has ended")
        finally:
            clients.stop()
        complaints = [line for line in service.logs().splitlines() if "Traceback" in line or "ERROR" in line]
        assert not complaints, service.logs()
    return {"kills": kills, **_account(database, clients.journal, people, cases)}


def _soon(wanted: Callable[[], bool]) -> None:
    """Come back when it is so; after five seconds the moment is as good as any."""
    until = time.monotonic() + 5
    while time.monotonic() < until and not wanted():
        time.sleep(0.005)


def _held_timers(database: Database) -> int:
    held = select(func.count()).select_from(Timer).where(Timer.state == Timer.State.CLAIMED, Timer.attempt == 1)
    with database.reader() as session:
        return session.scalar(held) or 0


def _fire_the_rest(database: Database) -> None:
    engine = build_engine(secret_key=KEY)
    for turn in range(1, 8):
        timers.drain(database, engine, owner="proof", now=core.now.now() + turn * AFTER_LEASE)
    assert _waiting_timers(database) == 0


def _until(done: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < until, f"After {PATIENCE} s it is still not so that {what}."
        time.sleep(0.25)


def _running(database: Database) -> int:
    with database.reader() as session:
        query = select(func.count()).select_from(Instance).where(Instance.state == Instance.State.RUNNING)
        return session.scalar(query) or 0


def _waiting_timers(database: Database) -> int:
    over = (Timer.State.FIRED, Timer.State.DROPPED)
    with database.reader() as session:
        return session.scalar(select(func.count()).select_from(Timer).where(Timer.state.not_in(over))) or 0


def _nobody_is_stuck(database: Database) -> None:
    """At rest every case waits for one decision, and state, tasks and inbox agree about that."""
    engine = build_engine(secret_key=KEY)
    with database.reader() as session:
        tasks, items = defaultdict(list), defaultdict(list)
        for instance_id, task_id, element in session.execute(
            select(Task.instance_id, Task.id, Task.element).where(Task.state == Task.State.OPEN)
        ):
            assert element == "decide"
            tasks[instance_id].append(task_id)
        for instance_id, task_id in session.execute(
            select(InboxItem.instance_id, InboxItem.task_id).where(InboxItem.state == ItemState.OPEN)
        ):
            items[instance_id].append(task_id)
        assert tasks == items
        for instance in session.scalars(select(Instance)):
            assert instance.state == Instance.State.RUNNING
            assert engine.position(session, instance) == [("round", "decide")]
            assert len(tasks[instance.id]) == 1


def _account(database: Database, journal: Journal, people: list[Officer], cases: int) -> dict[str, Any]:
    """Hold the journal of the clients against the logs of the cases."""
    assert journal.faults == []
    with database.reader() as session:
        if database.dialect == "sqlite":
            assert session.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
        verdict = verify_all(session)
        assert verdict.is_whole, verdict.broken
        assert session.scalar(select(func.count()).select_from(Incident)) == 0
        instances = session.scalars(select(Instance)).all()
        assert len(instances) == cases and {i.state for i in instances} == {Instance.State.COMPLETED}
        logs: dict[UUID, list[Event]] = defaultdict(list)
        for event in session.scalars(select(Event).order_by(Event.instance_id, Event.number)):
            logs[event.instance_id].append(event)
        _stories(database, instances, logs, Counter(session.scalars(select(Notice.case_key))))
        every = [event for log in logs.values() for event in log]
        _answers(session, journal, every, people)
        lateness = _timers(session, every)
        return {
            "answers": len(journal.acknowledged),
            "refused": dict(journal.refused),
            "interrupted": journal.interrupted,
            "replayed": journal.replayed,
            "timers_fired": len(lateness),
            "claimed_again": session.scalar(select(func.count()).select_from(Timer).where(Timer.attempt > 1)),
            "lateness_median": round(sorted(lateness)[len(lateness) // 2], 2),
            "lateness_most": round(max(lateness), 1),
            "events": verdict.events,
        }


def _stories(
    database: Database, instances: list[Instance], logs: dict[UUID, list[Event]], notices: Counter[str]
) -> None:
    """Each case's log is a story that the diagram can tell, and its counters say the same."""
    engine = build_engine(secret_key=KEY)
    for instance in instances:
        log = logs[instance.id]
        assert [event.number for event in log] == list(range(1, instance.event_count + 1))
        story = "".join(LETTERS.get((event.kind, event.element), "") for event in log)
        assert STORY.fullmatch(story), f"{instance.id}: {story}"
        with database.reader() as session:
            data = engine.data(session, instance.id)
        counted = {"handled": "h", "lapsed": "L", "rung": "B", "rested": "R"}
        assert {name: data[name] for name in counted} == {n: story.count(letter) for n, letter in counted.items()}
        assert notices[instance.key] == story.count("S"), f"{instance.id}: {story}"


def _answers(session: Any, journal: Journal, events: list[Event], people: list[Officer]) -> None:
    """Every acknowledged answer stands in a log once, and nothing stands there that was refused."""
    completed = [(UUID(e.payload["task"]), e.by) for e in events if e.kind == "task.completed" and e.payload]
    assert len(dict(completed)) == len(completed), "a task was completed twice"
    logged = dict(completed)
    kept = {answer.task_id: answer for answer in session.scalars(select(Answer))}
    assert kept.keys() == logged.keys()
    ended = dict(session.execute(select(Task.id, Task.state)).all())
    mirrored = dict(session.execute(select(InboxItem.task_id, InboxItem.state)).all())
    as_item = {Task.State.COMPLETED: ItemState.DONE, Task.State.CANCELLED: ItemState.DROPPED}
    assert {task: as_item[Task.State(state)] for task, state in ended.items()} == mirrored
    assert {task for task, state in ended.items() if state == Task.State.COMPLETED} == logged.keys()
    for task, (mark, by) in journal.acknowledged.items():
        assert logged[task] == by
        assert json.loads(kept[task].content)["mark"] == mark and f"person:{kept[task].by_person}" == by
    # Clients repeat until they are told: what nobody was told of was not done.
    assert logged.keys() == journal.acknowledged.keys()
    assert not journal.refused_marks & {json.loads(answer.content)["mark"] for answer in kept.values()}


def _timers(session: Any, events: list[Event]) -> list[float]:
    """Every timer fired once and not early, or was dropped with its task; answers how late each fired."""
    fired = [(UUID(e.payload["timer"]), e.at) for e in events if e.kind == "timer.fired" and e.payload]
    at: dict[UUID, datetime] = dict(fired)
    assert len(at) == len(fired), "a timer fired twice"
    ends = {(task.instance_id, task.ended_at) for task in session.scalars(select(Task))}
    lateness = []
    for row in session.scalars(select(Timer)):
        if row.state == Timer.State.FIRED:
            assert at[row.id] == row.ended_at
            late = (at[row.id] - row.due_at).total_seconds()
            assert late >= 0, f"{row.element} fired {-late} s before it was due"
            lateness.append(late)
        else:
            assert row.state == Timer.State.DROPPED and row.id not in at
            assert row.host == "handle" and (row.instance_id, row.ended_at) in ends
    assert len(lateness) == len(at)
    return lateness
