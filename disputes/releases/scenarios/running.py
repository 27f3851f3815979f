"""Runs scenarios on the real engine: a temporary SQLite database, the real calendar, a clock that only they move.

Each scenario is one transaction that is rolled back at its end: scenarios cannot see each other, and nothing but
the releases that they run on is written to the disk.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
from disputes.releases.scenarios.reading import Expected, ExpectedDeadline, Scenario, ScenarioError, Step, When
from disputes.releases.scenarios.standins import StandIns, stub
from disputes.timelimits import TimelimitsListener, functions_for
from disputes.timelimits.models import Deadline
from engine import Engine, FunctionContext, Incident, Instance, Job, Task, Timer, bundles, specifications, values
from engine import Step as EngineStep
from engine.diagram import Kind

#: Timers that may fire in one advance: more is a diagram that reminds too often, or a year too far.
MAX_FIRED = 2000

_OWNER = "scenario"


class Differs(Exception):
    """What was expected and what was found, in words and as values; ``what`` is the word of the scenario."""

    def __init__(self, zh: str, en: str, *, what: str = "", expected: Any = None, found: Any = None) -> None:
        super().__init__(zh)
        self.en, self.what, self.expected, self.found = en, what, expected, found


@dataclass(frozen=True)
class Difference:
    """Where a scenario went another way than it says: the step, the virtual moment, the line of its file."""

    step: int
    at: datetime
    line: int
    zh: str
    en: str
    what: str = ""
    expected: Any = None
    found: Any = None

    @property
    def place(self) -> str:
        """The step, the moment on the clock of China, and the line, as a person reads them."""
        local = self.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
        step = f"第{self.step}步" if self.step else "开始"
        return f"{step}（{local}{f'，第 {self.line} 行' if self.line else ''}）"

    def json(self) -> dict[str, Any]:
        """As the command ``scenario`` tells it."""
        return {
            "step": self.step,
            "at": self.at.astimezone(CHINA).isoformat(),
            "line": self.line,
            "what": self.what,
            "expected": _shown(self.expected),
            "found": _shown(self.found),
            "zh": self.zh,
            "en": self.en,
        }


@dataclass
class Seen:
    """Elements and flows that scenarios have reached, by process."""

    elements: dict[str, set[str]] = field(default_factory=dict)
    flows: dict[str, set[str]] = field(default_factory=dict)
    #: Table → the rules that matched.
    rules: dict[str, set[str]] = field(default_factory=dict)

    def add(self, step: EngineStep) -> None:
        """What a step passed through."""
        for process, id in step.elements:
            self.elements.setdefault(process, set()).add(id)
        for process, id in step.flows:
            self.flows.setdefault(process, set()).add(id)
        for decided in step.decisions:
            for table, rules in decided.trace:
                self.rules.setdefault(table, set()).update(rules)


@dataclass(frozen=True)
class Outcome:
    """How a scenario went."""

    scenario: Scenario
    difference: Difference | None
    #: The last end event that it named, or that ended the case.
    ended: str | None
    virtual: timedelta

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return self.difference is None

    @property
    def why(self) -> str:
        """What differed and where; empty when it passed."""
        return "" if self.difference is None else f"{self.difference.place}：{self.difference.zh}"

    def json(self) -> dict[str, Any]:
        """As the command ``scenario`` lists it."""
        return {
            "file": self.scenario.file,
            "name": self.scenario.name,
            "passed": self.passed,
            "why": self.why or None,
            "ended": self.ended,
            "virtual_days": round(self.virtual / timedelta(days=1), 2),
            "difference": None if self.difference is None else self.difference.json(),
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
    try:
        bundle = stage.bundle(scenario)
    except ScenarioError as error:
        unreadable = Difference(0, scenario.now, scenario.line, str(error), str(error))
        return Outcome(scenario, unreadable, None, timedelta())
    number, line = 0, scenario.line
    difference: Difference | None = None
    with database.session() as session:
        play = _Play(session, bundle, scenario, seen)
        try:
            play.start()
            for step in scenario.steps:
                number, line = number + 1, step.line
                play.take(step)
        except Differs as differs:
            lines = scenario.steps[number - 1].then.lines if number else {}
            difference = Difference(
                number,
                play.now,
                lines.get(differs.what, line),
                str(differs),
                differs.en,
                differs.what,
                differs.expected,
                differs.found,
            )
        except Refusal as refusal:
            difference = Difference(number, play.now, line, refusal.message, refusal.message)
        session.rollback()
    return Outcome(scenario, difference, play.ended, play.now - scenario.now)


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
        self.stand_ins = StandIns(scenario.services, scenario.calls, invent=scenario.invent)
        self.engine = Engine(services=self.stand_ins, functions=_functions, listeners=[TimelimitsListener()])
        self.forms = compile_forms(bundles.load(session, bundle).files)
        self.specifications = specifications.load(session, bundle)
        self.ended: str | None = None
        #: Everything that was ever seen, by id or name.
        self.ever: set[str] = set()
        self.waiting: list[str] = []
        self.data: Mapping[str, Any] = {}
        self._begin_step()

    def _begin_step(self) -> None:
        self.fired: list[str] = []
        self.ends: list[str] = []
        self.sent: list[str] = []
        self.reached: list[str] = []
        self.decided: dict[str, Any] = {}
        self.refused: list[str] | None = None
        self.failed: tuple[str, str] | None = None
        self.stuck: Incident | None = None
        self.stand_ins.forget()

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
        self.stand_ins.answer_from_now_on(step.services)
        if step.when is not None:
            self._begin_step()
            self._command(step.when)
        self._compare(step.then)

    # Commands.

    def _command(self, when: When) -> None:
        if when.complete:
            self._complete(when)
        elif when.message:
            self._deliver(when)
        elif when.job:
            self._job(when)
        elif when.retry:
            self._retry(when)
        elif when.advance is not None:
            self._advance(when.advance)

    def _deliver(self, when: When) -> None:
        step = self.engine.deliver(
            self.session, when.message, self.key, payload=dict(when.content), now=self.now, by=_OWNER
        )
        if step is None:
            raise Differs(
                f"没有谁在等消息 {when.message}；正在等待 {_listed(self.waiting)}。",
                f"Nobody waits for the message {when.message}; waiting are {_listed(self.waiting)}.",
                expected=when.message,
                found=self.waiting,
            )
        self.ever.add(when.message)
        self._heard(step)

    def _job(self, when: When) -> None:
        job = self.session.scalars(
            select(Job)
            .where(Job.instance_id == self.instance.id, Job.type == when.job, Job.state == Job.State.OPEN)
            .limit(1)
        ).first()
        if job is None:
            raise Differs(
                f"没有待办的外部作业 {when.job}；正在等待 {_listed(self.waiting)}。",
                f"There is no open job {when.job}; waiting are {_listed(self.waiting)}.",
                expected=when.job,
                found=self.waiting,
            )
        if when.error:
            step = self.engine.throw_job(
                self.session, job.id, when.error, when.fails or when.error, now=self.now, by=_OWNER
            )
        elif when.fails:
            failed = self.engine.fail_job(self.session, job.id, when.fails, retries=0, now=self.now, by=_OWNER)
            assert failed is not None
            step = failed
        else:
            step = self.engine.complete_job(self.session, job.id, dict(when.content), now=self.now, by=_OWNER)
        self._heard(step)

    def _retry(self, when: When) -> None:
        incident = self.session.scalars(
            select(Incident)
            .where(
                Incident.instance_id == self.instance.id,
                Incident.element == when.retry,
                Incident.state == Incident.State.OPEN,
            )
            .limit(1)
        ).first()
        if incident is None:
            raise Differs(
                f"{when.retry} 没有停住，不需要重试。",
                f"Nothing has stopped at {when.retry}; there is nothing to try again.",
                expected=when.retry,
            )
        self._heard(self.engine.retry(self.session, incident.id, now=self.now, by=_OWNER))

    def _complete(self, when: When) -> None:
        task = self._task(when)
        if when.role and when.role not in task.role.split(","):
            raise Differs(
                f"{task.element} 由 {task.role} 办，不是 {when.role}。",
                f"{task.element} is done by {task.role}, not by {when.role}.",
                expected=when.role,
                found=task.role,
            )
        answer: Mapping[str, Any] = values.plain(dict(when.content))
        form = self.forms.get(task.form)
        if form is not None:
            try:
                answer = form.load(answer, self._context(task))
            except Invalid as invalid:
                self.refused = sorted(invalid.fields)
                self.failed = (
                    f"表单 {task.form} 不接受：{_faults(invalid)}",
                    f"The form {task.form} does not accept: {_faults(invalid)}",
                )
                return
        self._heard(self.engine.complete(self.session, task.id, answer, now=self.now, by=when.role or _OWNER))

    def _task(self, when: When) -> Task:
        tasks = [task for task in self._open_tasks() if task.element == when.complete]
        if when.item:
            tasks = [task for task in tasks if when.item in (str(task.item), task.role)]
        if not tasks:
            which = f"{when.complete}（{when.item}）" if when.item else when.complete
            raise Differs(
                f"没有待办的任务 {which}；正在等待 {_listed(self.waiting)}。",
                f"There is no open task {which}; waiting are {_listed(self.waiting)}.",
                expected=which,
                found=self.waiting,
            )
        if len(tasks) > 1:
            raise Differs(
                f"{when.complete} 有 {len(tasks)} 个，用 for 写明是哪一个。",
                f"There are {len(tasks)} of {when.complete}; say with 'for' which one.",
                found=[task.item for task in tasks],
            )
        return tasks[0]

    def _open_tasks(self) -> list[Task]:
        return list(
            self.session.scalars(
                select(Task).where(Task.instance_id == self.instance.id, Task.state == Task.State.OPEN)
            )
        )

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
            raise Differs(
                f"时钟不能往回拨：现在是 {self.now.isoformat()}。",
                f"The clock does not run backwards: it is {self.now.isoformat()}.",
                expected=to,
                found=self.now,
            )
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
                raise Differs(
                    f"一步之内触发了 {MAX_FIRED} 次以上的计时。",
                    f"More than {MAX_FIRED} timers fired in one step.",
                )
            self.now = max(self.now, timer.due_at)
            timer.state, timer.owner, timer.attempt = Timer.State.CLAIMED, _OWNER, timer.attempt + 1
            self.session.flush()
            step = self.engine.fire(self.session, timer.id, owner=_OWNER, now=self.now)
            if step is None:
                raise Differs(f"计时 {timer.element} 没有触发。", f"The timer {timer.element} did not fire.")
            self._heard(step)
            if step.failed:
                break
        self.now = to

    def _heard(self, step: EngineStep) -> None:
        self.waiting = [element for _, element in step.position]
        if step.failed:
            incident = step.incidents[0]
            at = incident.element or incident.process
            self.failed = (f"停在 {at}：{incident.message}", f"stopped at {at}: {incident.message}")
            self.stuck = incident
            return
        self.step = step
        self.data = step.data
        self.seen.add(step)
        self.fired += [timer.element for timer in step.fired]
        self.ends += [element for _, element in step.ends]
        self.reached += [element for _, element in step.elements]
        self.decided.update({decided.decision: decided.value for decided in step.decisions})
        for process, id in step.elements:
            element = self.specifications.process(process).elements.get(id)
            trigger = None if element is None else element.trigger
            if element is not None and element.kind in (Kind.END, Kind.THROW) and trigger is not None:
                self.sent += [trigger.name] if trigger.kind in ("message", "signal") else []
        self.ever.update(self.reached, self.fired, self.sent, step.messages, self.stand_ins.ever)
        if step.ended is not None:
            self.ended = step.ended

    # Comparing.

    def _compare(self, then: Expected) -> None:
        self._compare_failure(then)
        self._same("waiting", then.waiting, self.waiting, ordered=False)
        self._same("fired", then.fired, self.fired)
        self._same("called", then.called, self.stand_ins.called)
        self._same("sent", then.sent, self.sent)
        self._same("papers", then.papers, self.stand_ins.papers)
        self._same("grounds", then.grounds, None if then.grounds is None else self._grounds(), ordered=False)
        self._compare_open(then)
        self._compare_notices(then)
        for limit, wanted in then.due.items():
            self._compare_deadline(limit, wanted)
        for name, value in then.data.items():
            self._equals("data", name, value, self.data.get(name))
        for name, value in then.decided.items():
            self._equals("decided", name, value, self.decided.get(name))
        self._compare_path(then)

    def _compare_failure(self, then: Expected) -> None:
        if then.refused is not None:
            if self.refused is None or sorted(then.refused) != self.refused:
                raise _differs("refused", "应当不接受", "should not accept", then.refused, self.refused or [])
        elif then.incident is not None:
            wanted, stuck = then.incident, self.stuck
            zh, en = self.failed or ("没有停", "did not stop")
            place = stuck is not None and stuck.element == wanted.at
            kind = stuck is not None and wanted.kind in ("", stuck.kind)
            if not place or not kind or wanted.says not in (stuck.message if stuck else ""):
                says = "，".join(part for part in (wanted.at, wanted.kind, wanted.says) if part)
                raise Differs(
                    f"应当停在 {says}，实际{zh}。",
                    f"It should stop at {says}; it {en}.",
                    what="incident",
                    expected=says,
                    found=zh,
                )
        elif self.failed is not None:
            raise Differs(*self.failed)

    def _compare_open(self, then: Expected) -> None:
        if not then.open:
            return
        found: dict[str, list[str]] = {}
        for task in self._open_tasks():
            for role in task.role.split(","):
                found.setdefault(role, []).append(task.element)
        for role, wanted in then.open.items():
            self._same("open", wanted, found.get(role, []), ordered=False, of=role)

    def _compare_notices(self, then: Expected) -> None:
        found = self.stand_ins.notices
        if then.notices is None:
            return
        same = len(then.notices) == len(found) and all(
            all(_equal(value, notice.get(name)) for name, value in wanted.items())
            for wanted, notice in zip(then.notices, found, strict=True)
        )
        if not same:
            raise _differs("notices", "notices 应当是", "notices should be", then.notices, found)

    def _compare_deadline(self, limit: str, wanted: ExpectedDeadline) -> None:
        row = self._deadline(limit, wanted.element)
        if wanted.state == "none":
            if row is not None and row.state in _GOING:
                raise Differs(
                    f"期限 {limit} 不应当在计，实际最后一日是 {row.due_on}。",
                    f"{limit} should not run; its last day is {row.due_on}.",
                    what="due",
                    expected="none",
                    found=row.due_on,
                )
            return
        facts = (
            ("on", "最后一日", "last day", wanted.on, row and row.due_on),
            ("at", "届满时刻", "end", wanted.at, row and row.due_at.astimezone(CHINA)),
            ("state", "状态", "state", wanted.state or None, row and row.state.value),
        )
        for _, zh, en, expected, found in facts:
            if expected is not None and (row is None or expected != found):
                there = f"，约束 {row.element}" if row is not None and wanted.element else ""
                raise Differs(
                    f"期限 {limit} 的{zh}应当是 {expected}，实际 {found or '没有在计'}{there}。",
                    f"The {en} of {limit} should be {expected}; found {found or 'that it does not run'}.",
                    what="due",
                    expected=expected,
                    found=found,
                )
        if row is None:
            raise Differs(f"期限 {limit} 应当在计，实际没有。", f"{limit} should run; it does not.", what="due")

    def _compare_path(self, then: Expected) -> None:
        missed = [id for id in then.reached if id not in self.reached]
        if missed:
            raise _differs("reached", "应当经过", "should come through", missed, self.reached)
        happened = [id for id in then.never if id in self.ever]
        if happened:
            raise Differs(
                f"不应当发生 {_listed(happened)}，实际发生了。",
                f"{_listed(happened)} should never happen, and did.",
                what="never",
                expected=[],
                found=happened,
            )
        if then.ended:
            if then.ended not in self.ends:
                raise Differs(
                    f"应当到达 {then.ended}，实际到达 {_listed(self.ends)}。",
                    f"It should end at {then.ended}; it reached {_listed(self.ends)}.",
                    what="ended",
                    expected=then.ended,
                    found=self.ends,
                )
            self.ended = then.ended
        if then.complete is not None and then.complete is not (self.instance.state == Instance.State.COMPLETED):
            raise Differs(
                f"整个流程应当{'已' if then.complete else '没有'}结束，实际正在等待 {_listed(self.waiting)}。",
                f"The whole case should {'' if then.complete else 'not '}be complete; "
                f"waiting are {_listed(self.waiting)}.",
                what="complete",
                expected=then.complete,
                found=self.waiting,
            )

    def _same(
        self, what: str, wanted: list[Any] | None, found: list[Any] | None, *, ordered: bool = True, of: str = ""
    ) -> None:
        if wanted is None or found is None:
            return
        same = wanted == found if ordered else Counter(wanted) == Counter(found)
        if not same:
            named = f"{what} {of}".strip()
            raise _differs(what, f"{named} 应当是", f"{named} should be", wanted, found)

    def _equals(self, what: str, name: str, wanted: Any, found: Any) -> None:
        if not _equal(wanted, found):
            plain = values.plain(found)
            raise Differs(
                f"{name} 应当是 {wanted!r}，实际 {plain!r}。",
                f"{name} should be {wanted!r}; found {plain!r}.",
                what=what,
                expected=wanted,
                found=plain,
            )

    def _grounds(self) -> list[int]:
        grounds = values.plain(self.data.get("grounds")) or []
        return [int(ground["item"] if isinstance(ground, Mapping) else ground) for ground in grounds]

    def _deadline(self, limit: str, element: str) -> Deadline | None:
        """The deadline of a limit on this case: one that runs, else the latest."""
        wanted = select(Deadline).where(Deadline.instance_id == self.instance.id, Deadline.limit == limit)
        if element:
            wanted = wanted.where(Deadline.element == element)
        rows = sorted(self.session.scalars(wanted), key=lambda row: (row.state in _GOING, row.opened_at))
        return rows[-1] if rows else None


_GOING = (Deadline.State.RUNNING, Deadline.State.PAUSED)


def _differs(what: str, zh: str, en: str, wanted: list[Any], found: Any) -> Differs:
    return Differs(
        f"{zh} {_listed(wanted)}，实际 {_listed(found)}。",
        f"{en} {_listed(wanted)}; found {_listed(found)}.",
        what=what,
        expected=wanted,
        found=found,
    )


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


def _shown(value: Any) -> Any:
    """A value as JSON; what is no FEEL value as text."""
    try:
        return values.plain(value)
    except TypeError:
        return str(value)


def _faults(invalid: Invalid) -> str:
    return (
        "；".join(f"{name}：{'、'.join(says)}" for name, says in sorted(invalid.fields.items())) or invalid.message
    )


def _listed(items: Iterable[object]) -> str:
    return f"[{', '.join(str(item) for item in items)}]"
