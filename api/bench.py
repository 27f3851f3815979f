"""``hejie bench``: the measures of engine and FEEL, a step over HTTP, and how late an idle worker is."""

import http.client
import json
import os
import platform
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import core.now
import disputes.models  # noqa: F401
import feel.bench
from api.app import create_app
from api.bench_deadlines import rederivation_measures
from api.edge import Edge
from api.worker import Worker
from core import sealing
from core.db import Base, Database
from core.now import CHINA
from core.refusals import Invalid
from core.settings import DEVELOPMENT_KEY, Settings
from disputes.cases.models import Case
from disputes.identity import operations as identity
from disputes.identity import queries as people
from disputes.identity import tokens
from disputes.identity.models import Person
from disputes.inbox.forms import form_in
from disputes.inbox.models import InboxItem, ItemState
from disputes.network.models import Organisation
from disputes.releases.checks import check_tree
from disputes.releases.tree import read_tree
from disputes.wiring import build_services
from engine import Engine, Instance, bench, bundles, load
from engine.steps import Step

#: What ``--quick`` measures: whether it runs at all.
QUICK: dict[str, Any] = {"cases": 5, "rounds": (3, 10), "waiting": 1000, "due": 50}
REGION = "330299"


def run(url: str | None = None, *, directory: Path = Path(), quick: bool = False) -> dict[str, Any]:
    """All measures on an empty database: the one at ``url``, else a SQLite file of its own."""
    with tempfile.TemporaryDirectory(prefix="hejie-bench-") as place:
        sealing.unlock((DEVELOPMENT_KEY,))
        address = url or f"sqlite:///{Path(place) / 'bench.db'}"
        database = Database(address)
        try:
            _require_empty(database)
            # First, while no timer of another measure is due by the real clock.
            late = idle_lateness(database, Path(place), timers=5 if quick else 60)
            measures = over_http(database, Path(place), steps=20 if quick else 300) | late
            measures |= bench.run(database, **(QUICK if quick else {}))
            measures |= rederivation_measures(database, directory, deadlines=200 if quick else 10_000)
            measures |= of_feel(quick=quick)
            measures |= of_gate(directory, rounds=1 if quick else 10)
            measures |= load.run(
                database,
                address,
                directory / "examples" / "load",
                count=4 if quick else 400,
                keys=(DEVELOPMENT_KEY,),
            )
        finally:
            database.dispose()
    return {"machine": machine(), "database": database.dialect, "measures": measures}


def of_gate(directory: Path, *, rounds: int) -> dict[str, dict[str, Any]]:
    """The deploy gate over the whole release of a directory, its scenarios aside."""
    tree = read_tree(directory)
    services, today = set(build_services()), core.now.now().astimezone(CHINA).date()
    times = [bench.timed(lambda: check_tree(tree, services, today=today)) * 1000 for _ in range(rounds)]
    return {"check_release": bench.measure("ms", times)}


def text(report: Mapping[str, Any]) -> str:
    """The report for people: median, 95th, 99th, and the ratio to the floor of the same run."""
    lines = [f"{report['machine']}, {report['database']}"]
    for name, measure in report["measures"].items():
        shown = f"{measure['median']:>11} {measure['unit']:<10} p95 {measure['p95']:<10} p99 {measure['p99']:<10}"
        ratio = f" {measure['ratio']} × the floor of {measure['floor']}" if measure["ratio"] else ""
        lines.append(f"{name:<26}{shown}{ratio}".rstrip())
    return "\n".join(lines)


def machine() -> str:
    """What it ran on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def over_http(database: Database, place: Path, *, steps: int) -> dict[str, dict[str, Any]]:
    """Tasks of running cases, answered over HTTP on one connection: form checked, answer kept, step run."""
    plain = bench.Bench(database)
    floor_instance = plain.prepare_floor()
    app = create_app(_settings(place), database=database)
    edge: Edge = app.extensions["hejie"]
    with database.transaction() as session:
        token, digests = _furnish(session, edge.runtime)
    floors, samples, empty, statements, commits = [], [], [], [], []
    with _served(app) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for number in range(steps + 20):
            task_id, form = _open_task(database, edge.runtime)
            body = json.dumps({"form_digest": digests[form], "answer": bench.answer()})
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            with bench.counting(database.writing) as counted:
                begun = time.perf_counter()
                connection.request("POST", f"/api/v1/tasks/{task_id}/answer", body, headers)
                answer = connection.getresponse()
                told = answer.read()
                taken = (time.perf_counter() - begun) * 1000
            if answer.status != 200:
                raise Invalid(f"The service answered {answer.status}: {told.decode()}", code="bench.refused")
            if number < 20:
                continue  # warming up
            samples.append(taken)
            statements.append(float(counted.statements))
            commits.append(float(counted.commits))
            floors.append(bench.timed(lambda: plain.floor(floor_instance)) * 1000)
            empty.append(bench.timed(lambda: _get(connection, "/healthz")) * 1000)
        connection.close()
    return {
        "http_step": bench.measure("ms", samples, floors),
        "http_empty": bench.measure("ms", empty),
        "http_step_statements": bench.measure("statements", statements),
        "http_step_commits": bench.measure("commits", commits),
    }


def of_feel(*, quick: bool) -> dict[str, dict[str, Any]]:
    """What a condition, a table of 12 rules and 4 inputs, and the import of the language cost."""
    found = feel.bench.samples(rounds=3, times=100) if quick else feel.bench.samples()
    return {name: bench.measure(unit, values) for name, (unit, values) in found.items()}


def idle_lateness(database: Database, place: Path, *, timers: int) -> dict[str, dict[str, Any]]:
    """How late single timers fire on a worker that has nothing else to do, by the real clock."""
    late: list[float] = []

    class Noting(Engine):
        def fire(self, session: Session, *command: Any, **more: Any) -> Step | None:
            step = super().fire(session, *command, **more)
            for timer in step.fired if step else ():
                late.append((core.now.now() - timer.due_at).total_seconds())
            return step

    engine = Noting(services={})
    files = {"bpmn/four_tasks.bpmn": bench.diagram().replace(b"P30D", b"PT1S")}
    with database.transaction() as session:
        bundle = bundles.save(session, files, now=core.now.now())
    worker = Worker(database, engine, _settings(place))
    worker.start()
    for _ in range(timers):
        with database.transaction() as session:
            engine.start(
                session,
                bundle=bundle,
                process=bench.PROCESS,
                key=str(uuid4()),
                data={},
                now=core.now.now(),
                by="system",
            )
        time.sleep(0.07)  # not in step with the worker's ticks
    patience = time.monotonic() + 10
    while len(late) < timers and time.monotonic() < patience:
        time.sleep(0.1)
    worker.stop()
    return {"idle_lateness": bench.measure("s", late)}


def _require_empty(database: Database) -> None:
    Base.metadata.create_all(database.writing)
    with database.reader() as session:
        if session.scalar(select(func.count()).select_from(Instance)):
            raise Invalid("The benchmark wants an empty database.", code="bench.not_empty")


def _settings(place: Path) -> Settings:
    return replace(Settings.from_environment({"HEJIE_HOME": str(place)}), region=REGION)


def _furnish(session: Session, engine: Engine) -> tuple[str, dict[str, str]]:
    """An office, an officer with a token, and the benchmark's process with a form for each task."""
    now = core.now.now()
    office = Organisation(code="BENCH", name="基准所", kind="centre", region=REGION, synthetic=True, created_at=now)
    session.add(office)
    session.flush()
    officer = identity.register(session, name="基准 员工", synthetic=True, now=now)
    identity.grant(session, officer, "officer", office.id, now=now)
    _token, plain = tokens.issue(
        session,
        people.person(session, officer.id),
        name="bench",
        scopes=["task.*"],
        lasts=timedelta(days=1),
        now=now,
    )
    files = {"bpmn/four_tasks.bpmn": bench.diagram()}
    files |= {f"forms/form-{n}.form": _form(f"form-{n}") for n in range(1, 5)}
    digest = bundles.save(session, files, now=now)
    bundles.make_current(session, digest, now=now)
    return plain, {f"form-{n}": form_in(session, digest, f"form-{n}").digest for n in range(1, 5)}


def _form(name: str) -> bytes:
    """Two questions, as a designer would draw them."""
    return json.dumps(
        {
            "type": "default",
            "id": name,
            "schemaVersion": 19,
            "components": [
                {
                    "type": "textfield",
                    "id": "choice",
                    "key": "choice",
                    "label": "选择",
                    "validate": {"required": True},
                },
                {"type": "textarea", "id": "text", "key": "text", "label": "说明"},
            ],
        }
    ).encode()


def _open_task(database: Database, engine: Engine) -> tuple[UUID, str]:
    """The next task to answer: of a case that runs, else of a new one."""
    query = select(InboxItem.task_id, InboxItem.form).where(InboxItem.state == ItemState.OPEN).limit(1)
    with database.reader() as session:
        found = session.execute(query).first()
    if found is not None:
        return found.task_id, found.form
    with database.transaction() as session:
        now = core.now.now()
        person = session.scalars(select(Person).limit(1)).one()
        case = Case(
            case_no=f"BENCH-{uuid4().hex[:20]}",
            title="基准",
            complainant_id=person.id,
            respondent_name="基准",
            facts="基准",
            path="file_now",
            region=REGION,
            filed_at=now,
            synthetic=True,
        )
        session.add(case)
        session.flush()
        engine.start(
            session,
            bundle=bundles.current(session),
            process=bench.PROCESS,
            key=str(case.id),
            data={},
            now=now,
            by="system",
        )
    return _open_task(database, engine)


@contextmanager
def _served(app: Any) -> Iterator[int]:
    """The application behind waitress, as ``hejie run`` serves it; its port."""
    import waitress

    server: Any = waitress.create_server(app, host="127.0.0.1", port=0, threads=8, ident=None)
    thread = threading.Thread(target=_run, args=(server,), daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.task_dispatcher.shutdown()  # first, so that no thread answers into what is closed
        server.close()
        thread.join(timeout=10)


def _run(server: Any) -> None:
    try:
        server.run()
    except OSError:
        return  # the closed listening socket is how a running server is woken


def _get(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    connection.getresponse().read()
