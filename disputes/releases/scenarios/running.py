"""Runs scenarios on the real engine: a temporary SQLite database, the real calendar, a clock that only they move.

Each scenario is one transaction that is rolled back at its end: scenarios cannot see each other, and nothing but
the releases that they run on is written to the disk.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import sealing
from core.db import Base, Database
from core.now import CHINA
from core.refusals import Invalid, Refusal
from disputes.releases.checks import LIMITS_PATH, compile_forms, read_processes
from disputes.releases.scenarios.reading import Expected, Scenario, ScenarioError, Step, When
from disputes.releases.scenarios.standins import StandIns, stub
from disputes.timelimits import TimelimitsListener, functions_for
from disputes.timelimits.models import Deadline
from engine import Engine, FunctionContext, Instance, Task, Timer, bundles, values
from engine import Step as EngineStep

#: Timers that may fire in one advance: more is a diagram that reminds too often, or a year too far.
MAX_FIRED = 2000

_OWNER = "scenario"


class Differs(Exception):
    """What was expected and what was found."""


@dataclass
class Seen:
    """Elements and flows that scenarios have reached, by process."""

    elements: dict[str, set[str]] = field(default_factory=dict)
    flows: dict[str, set[str]] = field(default_factory=dict)

    def add(self, step: EngineStep) -> None:
        """What a step passed through."""
        for process, id in step.elements:
            self.elements.setdefault(process, set()).add(id)
        for process, id in step.flows:
            self.flows.setdefault(process, set()).add(id)


@dataclass(frozen=True)
class Outcome:
    """How a scenario went."""

    scenario: Scenario
    #: Empty when it passed; else the step and what differed.
    why: str
    #: The last end event that it named, or that ended the case.
    ended: str | None
    virtual: timedelta

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.why

    def json(self) -> dict[str, Any]:
        """As the command ``scenario`` lists it."""
        return {
            "file": self.scenario.file,
            "name": self.scenario.name,
            "passed": self.passed,
            "why": self.why or None,
            "ended": self.ended,
            "virtual_days": round(self.virtual / timedelta(days=1), 2),
        }


def run_scenarios(files: Mapping[str, bytes], scenarios: Iterable[Scenario]) -> tuple[list[Outcome], Seen]:
    """Run scenarios on the files of a release."""
    seen = Seen()
    with TemporaryDirectory(prefix="hejie-scenarios-") as home, sealing.with_throwaway_keys():
        database = Database(f"sqlite:///{Path(home) / 'scenarios.db'}")
        try:
            Base.metadata.create_all(database.writing, tables=_tables())
            stage = _Stage(database, files)
            outcomes = [_run(database, stage, scenario, seen) for scenario in scenarios]
        finally:
            database.dispose()
    return outcomes, seen


def _tables() -> list[Any]:
    """The tables that a scenario touches: the engine's and those of time limits."""
    owners = ("engine.", "disputes.timelimits.")
    return [mapper.local_table for mapper in Base.registry.mappers if mapper.class_.__module__.startswith(owners)]


def _run(database: Database, stage: "_Stage", scenario: Scenario, seen: Seen) -> Outcome:
    where, why = "开始", ""
    bundle = stage.bundle(scenario)
    with database.session() as session:
        play = _Play(session, bundle, scenario, seen)
        try:
            play.start()
            for number, step in enumerate(scenario.steps, 1):
                where = f"第{number}步"
                play.take(step)
        except Differs as differs:
            why = f"{where}：{differs}"
        except Refusal as refusal:
            why = f"{where}：{refusal.message}"
        session.rollback()
    return Outcome(scenario, why, play.ended, play.now - scenario.now)


class _Stage:
    """The releases that scenarios run on: the files, with a scenario's own limits and stand-ins for processes."""

    def __init__(self, database: Database, files: Mapping[str, bytes]) -> None:
        self._database = database
        # What scenarios cannot touch would only make releases larger.
        self._files = {path: text for path, text in files.items() if not path.startswith("scenarios/")}
        self._processes = {process.id: process for process in read_processes(files)}
        self._saved: dict[str, str] = {}

    def bundle(self, scenario: Scenario) -> str:
        """The digest of the release of a scenario, stored."""
        files = {path: text for path, text in self._files.items() if not path.endswith(".bpmn")}
        for path in self._diagrams(scenario):
            files[path] = self._files[path]
        for process, does in scenario.calls.items():
            files[f"bpmn/{process}.stand-in.bpmn"] = stub(process, does)
        if scenario.limits and LIMITS_PATH in files:
            files[LIMITS_PATH] = _with_limits(files[LIMITS_PATH], scenario)
        digest = bundles.digest(files)
        if digest not in self._saved:
            with self._database.transaction() as session:
                self._saved[digest] = bundles.save(session, files, now=scenario.now)
        return self._saved[digest]

    def _diagrams(self, scenario: Scenario) -> set[str]:
        """The diagrams that the scenario can reach; those of processes with a stand-in are not among them."""
        found: set[str] = set()
        todo, seen = [scenario.diagram], set(scenario.calls)
        while todo:
            process = self._processes.get(todo.pop())
            if process is None or process.id in seen:
                continue
            seen.add(process.id)
            found.add(process.file)
            todo += [element.called for element in process.elements.values() if element.called]
        return found


def _with_limits(text: bytes, scenario: Scenario) -> bytes:
    """The limits with this scenario's lengths; unchanged when they are the same."""
    tree = yaml.safe_load(text)
    changed = False
    for id, (amount, unit) in scenario.limits.items():
        entry = tree["limits"].get(id)
        if entry is None:
            raise ScenarioError(f"{scenario.file}: {scenario.name}: there is no time limit {id}.")
        if (entry.get("amount"), entry.get("unit")) != (amount, unit):
            changed = True
            entry["amount"], entry["unit"] = amount, unit
            entry["warn_after"] = [rung for rung in entry.get("warn_after") or [] if rung < amount]
            if unit not in ("minute", "hour"):
                entry.pop("hours", None)
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode() if changed else text


class _Play:
    """One scenario while it runs."""

    def __init__(self, session: Session, bundle: str, scenario: Scenario, seen: Seen) -> None:
        self.session, self.bundle, self.scenario, self.seen = session, bundle, scenario, seen
        self.now = scenario.now
        self.key = str(scenario.facts.get("case_id") or "scenario")
        self.stand_ins = StandIns(scenario.services, scenario.calls)
        self.engine = Engine(services=self.stand_ins, functions=_functions, listeners=[TimelimitsListener()])
        self.forms = compile_forms(bundles.load(session, bundle).files)
        self.ended: str | None = None
        self.fired: list[str] = []
        self.ends: list[str] = []
        self.refused: list[str] | None = None
        self.failed = ""
        self.stuck_at = ""
        self.waiting: list[str] = []
        self.data: Mapping[str, Any] = {}

    def start(self) -> None:
        """Start the process with the scenario's facts."""
        self.step = self.engine.start(
            self.session,
            bundle=self.bundle,
            process=self.scenario.diagram,
            key=self.key,
            data=dict(self.scenario.facts),
            now=self.now,
            by=_OWNER,
        )
        self.instance = self.step.instance
        self._heard(self.step)

    def take(self, step: Step) -> None:
        """Carry out one step and compare. Raises Differs."""
        if step.when is not None:
            self.fired, self.ends, self.refused, self.failed = [], [], None, ""
            self.stand_ins.called.clear()
            self._command(step.when)
        self._compare(step.then)

    # Commands.

    def _command(self, when: When) -> None:
        if when.complete:
            self._complete(when)
        elif when.message:
            step = self.engine.deliver(
                self.session, when.message, self.key, payload=dict(when.content), now=self.now, by=_OWNER
            )
            if step is None:
                raise Differs(f"没有谁在等消息 {when.message}；正在等待 {_listed(self.waiting)}。")
            self._heard(step)
        elif when.advance is not None:
            self._advance(when.advance)

    def _complete(self, when: When) -> None:
        task = self._task(when)
        if when.role and when.role not in task.role.split(","):
            raise Differs(f"{task.element} 由 {task.role} 办，不是 {when.role}。")
        answer: Mapping[str, Any] = values.plain(dict(when.content))
        form = self.forms.get(task.form)
        if form is not None:
            try:
                answer = form.load(answer, self._context(task))
            except Invalid as invalid:
                self.refused = sorted(invalid.fields)
                self.failed = f"表单 {task.form} 不接受：{_faults(invalid)}"
                return
        self._heard(self.engine.complete(self.session, task.id, answer, now=self.now, by=when.role or _OWNER))

    def _task(self, when: When) -> Task:
        tasks = list(
            self.session.scalars(
                select(Task).where(
                    Task.instance_id == self.instance.id,
                    Task.element == when.complete,
                    Task.state == Task.State.OPEN,
                )
            )
        )
        if when.item:
            tasks = [task for task in tasks if when.item in (str(task.item), task.role)]
        if not tasks:
            which = f"{when.complete}（{when.item}）" if when.item else when.complete
            raise Differs(f"没有待办的任务 {which}；正在等待 {_listed(self.waiting)}。")
        if len(tasks) > 1:
            raise Differs(f"{when.complete} 有 {len(tasks)} 个，用 for 写明是哪一个。")
        return tasks[0]

    def _context(self, task: Task) -> dict[str, Any]:
        """What the form may read, as the inbox gives it, without the facts that only a case has."""
        seen: dict[str, Any] = values.plain(self.engine.seen_by(self.session, task.id))
        local = self.now.astimezone(CHINA)
        last = None if task.due_at is None else (task.due_at.astimezone(CHINA) - timedelta(microseconds=1)).date()
        return {
            **seen,
            "today": local.date().isoformat(),
            "now": local.isoformat(timespec="seconds"),
            "party": task.item if isinstance(task.item, str) else task.role,
            "due_on": None if last is None else last.isoformat(),
            "decide_by": "" if last is None else last.isoformat(),
        }

    def _advance(self, to: datetime) -> None:
        if to < self.now:
            raise Differs(f"时钟不能往回拨：现在是 {self.now.isoformat()}。")
        while True:
            timer = self.session.scalars(
                select(Timer)
                .where(
                    Timer.instance_id == self.instance.id,
                    Timer.state == Timer.State.ARMED,
                    Timer.due_at <= to,
                )
                .order_by(Timer.due_at, Timer.interrupting, Timer.armed_at, Timer.token)
                .limit(1)
            ).first()
            if timer is None:
                break
            if len(self.fired) >= MAX_FIRED:
                raise Differs(f"一步之内触发了 {MAX_FIRED} 次以上的计时。")
            self.now = max(self.now, timer.due_at)
            timer.state, timer.owner, timer.attempt = Timer.State.CLAIMED, _OWNER, timer.attempt + 1
            self.session.flush()
            step = self.engine.fire(self.session, timer.id, owner=_OWNER, now=self.now)
            if step is None:
                raise Differs(f"计时 {timer.element} 没有触发。")
            self._heard(step)
            if step.failed:
                break
        self.now = to

    def _heard(self, step: EngineStep) -> None:
        self.waiting = [element for _, element in step.position]
        if step.failed:
            incident = step.incidents[0]
            self.failed = f"停在 {incident.element or incident.process}：{incident.message}"
            self.stuck_at = incident.element
            return
        self.step = step
        self.data = step.data
        self.seen.add(step)
        self.fired += [timer.element for timer in step.fired]
        self.ends += [element for _, element in step.ends]
        if step.ended is not None:
            self.ended = step.ended

    # Comparing.

    def _compare(self, then: Expected) -> None:
        if then.refused is not None:
            if self.refused is None or sorted(then.refused) != self.refused:
                raise Differs(f"应当不接受 {_listed(then.refused)}，实际 {_listed(self.refused or [])}。")
        elif then.incident:
            if not self.failed or self.refused is not None or self.stuck_at != then.incident:
                raise Differs(f"应当停在 {then.incident}，实际{self.failed or '没有停'}。")
        elif self.failed:
            raise Differs(self.failed)
        self._same("waiting", then.waiting, self.waiting, ordered=False)
        self._same("fired", then.fired, self.fired)
        self._same("called", then.called, self.stand_ins.called)
        self._same("grounds", then.grounds, None if then.grounds is None else self._grounds(), ordered=False)
        for limit, day in then.due.items():
            found = self._due(limit)
            if found != day:
                raise Differs(f"期限 {limit} 的最后一日应当是 {day}，实际 {found or '没有在计'}。")
        for name, wanted in then.data.items():
            if not _equal(wanted, self.data.get(name)):
                raise Differs(f"{name} 应当是 {wanted!r}，实际 {values.plain(self.data.get(name))!r}。")
        if then.ended:
            if then.ended not in self.ends:
                raise Differs(f"应当到达 {then.ended}，实际到达 {_listed(self.ends)}。")
            self.ended = then.ended
        if then.complete is not None and then.complete is not (self.instance.state == Instance.State.COMPLETED):
            raise Differs(
                f"整个流程应当{'已' if then.complete else '没有'}结束，实际正在等待 {_listed(self.waiting)}。"
            )

    def _same(self, what: str, wanted: list[Any] | None, found: list[Any] | None, *, ordered: bool = True) -> None:
        if wanted is None or found is None:
            return
        same = wanted == found if ordered else Counter(wanted) == Counter(found)
        if not same:
            raise Differs(f"{what} 应当是 {_listed(wanted)}，实际 {_listed(found)}。")

    def _grounds(self) -> list[int]:
        grounds = values.plain(self.data.get("grounds")) or []
        return [int(ground["item"] if isinstance(ground, Mapping) else ground) for ground in grounds]

    def _due(self, limit: str) -> date | None:
        """The last day of a deadline of the case: of one that runs, else of the latest."""
        rows = self.session.scalars(
            select(Deadline).where(Deadline.instance_id == self.instance.id, Deadline.limit == limit)
        )
        running = (Deadline.State.RUNNING, Deadline.State.PAUSED)
        ordered = sorted(rows, key=lambda row: (row.state in running, row.opened_at))
        return ordered[-1].due_on if ordered else None


def _functions(context: FunctionContext) -> Mapping[str, Callable[..., Any]]:
    """Those of time limits, and ``case``, which finds a fact among what the scenario gave."""
    return {**functions_for(context), "case": context.data.get}


def _equal(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, datetime) and not isinstance(found, datetime):
        try:
            found = datetime.fromisoformat(str(found))
        except ValueError:
            return False
    if isinstance(wanted, datetime):
        return bool(wanted == found)
    return bool(values.plain(wanted) == values.plain(found))


def _faults(invalid: Invalid) -> str:
    return (
        "；".join(f"{name}：{'、'.join(says)}" for name, says in sorted(invalid.fields.items())) or invalid.message
    )


def _listed(items: Iterable[object]) -> str:
    return f"[{', '.join(str(item) for item in items)}]"
