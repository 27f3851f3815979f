"""A load model: bank card disputes, of the shape that Camunda publishes figures for, with services in the process.

Documents are collected with reminders, each item of the dispute is checked with its merchant side by side, a table
decides or a person does, the money is paid by a called process. Messages arrive as a client would send them.
"""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from core import sealing
from core.db import Database
from engine import bundles
from engine.bench import BEGIN, measure
from engine.runtime import Engine
from engine.steps import ServiceCall, Step

#: What Camunda publishes for its model of this name: instances and tasks a second, and the cores that it takes.
PUBLISHED = {"instances": 7.0, "tasks": 125.0, "cores": 8.7}
#: Items of one dispute: with five, an instance has the eighteen tasks that the published figures come to.
POSITIONS = 5
#: Elements that count as tasks, as the published figures count them.
TASKS = frozenset(
    {
        "request_documents", "documents", "store", "ask_merchant", "assess", "rate", "decide", "transfer",
        "update", "tell_refund", "refuse",
    }
)  # fmt: skip
#: Amounts that lead to the table's "high" and to its "unclear".
AMOUNTS = (33, 500)


def files(directory: Path) -> dict[str, bytes]:
    """The bundle of the model, as it lies in ``examples/load``."""
    folders = {".bpmn": "bpmn", ".dmn": "dmn"}
    return {
        f"{folders[path.suffix]}/{path.name}": path.read_bytes()
        for path in sorted(directory.iterdir())
        if path.suffix in folders
    }


def _nothing(call: ServiceCall) -> None:
    """The model measures the engine: what a service does costs nothing."""


def _store(call: ServiceCall) -> Mapping[str, Any]:
    return {"customer_claims": 1}


SERVICES: Mapping[str, Callable[[ServiceCall], Mapping[str, Any] | None]] = {
    "bank.tell": _nothing,
    "bank.store": _store,
    "bank.assess": _nothing,
    "bank.update": _nothing,
    "bank.transfer": _nothing,
}


def play(database: Database, engine: Engine, bundle: str, amount: int) -> Counter[str]:
    """One dispute from filing to its end; answers how often each element was reached."""
    reached: Counter[str] = Counter()

    def count(step: Step | None) -> Step:
        assert step is not None and not step.incidents, "The load model stopped."
        reached.update(element for _, element in step.elements)
        return step

    key, now = str(uuid4()), BEGIN
    with database.transaction() as session:
        data = {"positions": list(range(1, POSITIONS + 1))}
        count(
            engine.start(
                session, bundle=bundle, process="bank_disputes", key=key, data=data, now=now, by="system:load"
            )
        )
    messages = [("bank.documents", key, {"amount": amount})]
    messages += [("bank.agrees" if n % 2 else "bank.declines", f"{key}-{n}", {}) for n in range(1, POSITIONS + 1)]
    step = None
    for name, correlation, payload in messages:
        now += timedelta(minutes=5)
        with database.transaction() as session:
            step = count(engine.deliver(session, name, correlation, payload=payload, now=now, by="system:load"))
    assert step is not None
    for task in step.opened:
        with database.transaction() as session:
            step = count(engine.complete(session, task.id, {"confidence": "high"}, now=now, by="person:clerk"))
    assert step.instance.state == "completed", step.position
    return reached


def _work(url: str, bundle: str, count: int, keys: tuple[str, ...], ready: Any, go: Any, answers: Any) -> None:
    """One worker process: its share of the disputes, on a connection of its own."""
    sealing.unlock(keys)
    database, engine = Database(url), Engine(services=SERVICES)
    for amount in AMOUNTS:
        play(database, engine, bundle, amount)
    ready.release()
    go.wait()
    tasks, times = 0, []
    begin, used = time.monotonic(), time.process_time()
    for number in range(count):
        started = time.perf_counter()
        reached = play(database, engine, bundle, AMOUNTS[number % len(AMOUNTS)])
        times.append(time.perf_counter() - started)
        tasks += sum(reached[element] for element in TASKS)
    answers.put((begin, time.monotonic(), tasks, times, time.process_time() - used))
    database.dispose()


def run(
    database: Database, url: str, directory: Path, *, count: int = 200, processes: int = 2, keys: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Instances and tasks a second with some worker processes, beside the published figures."""
    with database.transaction() as session:
        bundle = bundles.save(session, files(directory), now=BEGIN)
    context = multiprocessing.get_context("spawn")
    ready, go, answers = context.Semaphore(0), context.Event(), context.Queue()
    workers = [
        context.Process(target=_work, args=(url, bundle, count // processes, keys, ready, go, answers))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    go.set()
    found = [answers.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    begins, ends, tasks, samples, used = zip(*found, strict=True)
    seconds = max(ends) - min(begins)
    times = [one * 1000 for each in samples for one in each]
    return {
        "load_instances": measure("instances/s", [len(times) / seconds]),
        "load_tasks": measure("tasks/s", [sum(tasks) / seconds]),
        # What a core does that has nothing else to do; without what a database server of its own takes.
        "load_instances_a_core": measure("instances/s", [len(times) / sum(used)]),
        "load_tasks_a_core": measure("tasks/s", [sum(tasks) / sum(used)]),
        "load_instance": measure("ms", times),
        "published_instances": measure("instances/s", [PUBLISHED["instances"]]),
        "published_tasks": measure("tasks/s", [PUBLISHED["tasks"]]),
        "published_cores": measure("cores", [PUBLISHED["cores"]]),
    }
