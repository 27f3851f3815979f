"""A scenario from a case that ran: what people answered, what services gave back, what the clock did.

The scenario says what the case's chain of events says, and nothing about anybody: names, numbers, addresses and
what people wrote become stand-ins of the same shape; amounts, choices and moments stay, because the diagrams decide
by them. It is played once before it is handed out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.now import CHINA
from core.refusals import Invalid, WrongState
from disputes.cases.models import Case
from disputes.inbox.forms import context_of
from disputes.inbox.models import Answer, InboxItem
from disputes.releases.checks import compile_forms
from disputes.releases.scenarios.reading import read_scenarios
from disputes.releases.scenarios.running import Difference, run_scenarios
from disputes.timelimits import services as clock
from engine import Event, Instance, Task, bundles, events, values
from forms import Form

#: What a scenario cannot say: somebody moved, changed or held the case by hand.
BY_HAND = (
    "instance.cancelled", "instance.suspended", "instance.resumed", "instance.migrated", "token.", "data.",
)  # fmt: skip

#: Kinds of fields whose value is what somebody wrote; of all others it is a choice, a number or a date.
_WRITTEN = frozenset({"textfield", "textarea", "phone", "email", "idnumber", "uscc"})
#: Tried in turn until the form accepts one.
_STAND_INS = (
    "13800000000",
    "someone@example.org",
    "https://example.org/",
    "11010119900307257X",
    "91330299MA000001XY",
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,39}|[0-9]{1,6}")
#: Names of values that are somebody's words even where they look like a code.
_NAMES = re.compile(r"name|label|title|text|phone|address|terms|amount$|link|place|note|no$")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


@dataclass(frozen=True)
class Recorded:
    """A scenario file, and how its replay differed from the case; None when it went the same way."""

    text: str
    difference: Difference | None
    #: Steps of the scenario.
    steps: int


def record(session: Session, case: Case) -> Recorded:
    """The scenario of a case, replayed once.

    Raises WrongState for a case without a procedure, whose events were erased, or that somebody moved by hand.
    """
    instance = None if case.instance_id is None else session.get(Instance, case.instance_id)
    if instance is None:
        raise _untellable("它没有流程。", "it has no procedure.")
    history = events.history(session, instance.id)
    first = history[0].payload if history else None
    if not first or "data" not in first or any(event.payload is None for event in history):
        raise _untellable("它的经过已经删除，或者没有记下开始时的数据。", "its events were erased.")
    moved = next((event for event in history if event.kind.startswith(BY_HAND)), None)
    if moved is not None:
        raise _untellable(
            f"第 {moved.number} 条记录（{moved.kind}）是人工处理，场景里写不出来。",
            f"event {moved.number} ({moved.kind}) was done by hand.",
        )
    files = bundles.load(session, instance.bundle).files
    text = _Recording(session, case, instance, history, compile_forms(files)).text()
    (scenario,) = read_scenarios(text.encode(), "recorded.scenarios.yaml")
    outcomes, _ = run_scenarios(files, [scenario])
    return Recorded(text, outcomes[0].difference, len(scenario.steps))


def _untellable(zh: str, en: str) -> WrongState:
    return WrongState(f"这件案子录不成场景：{zh} The case cannot be recorded: {en}", code="scenario.untellable")


class Disguise:
    """Puts stand-ins in the place of what is somebody's: the same text always gets the same one."""

    def __init__(self, case_id: UUID) -> None:
        self._ids = {str(case_id): "case-1"}

    def __call__(self, value: Any) -> Any:
        """The value with stand-ins. Codes, numbers, dates and truth values stay."""
        if isinstance(value, Mapping):
            return {
                str(name): self.text(item) if isinstance(item, str) and _NAMES.search(str(name)) else self(item)
                for name, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self(item) for item in value]
        if not isinstance(value, str):
            return value
        if _UUID.fullmatch(value) or value in self._ids:
            return self._ids.setdefault(value, f"id-{len(self._ids)}")
        return value if _CODE.fullmatch(value) or _ISO.fullmatch(value) else self.text(value)

    def text(self, value: str) -> str:
        """A text of the same length that says nothing."""
        return "某" * len(value)


@dataclass
class _Told:
    """A step of the scenario while it is put together."""

    when: dict[str, Any] | None
    at: datetime
    fired: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    then: dict[str, Any] = field(default_factory=dict)

    def yaml(self) -> dict[str, Any]:
        then: dict[str, Any] = {}
        if self.fired:
            then["fired"] = self.fired
        if self.called:
            then["called"] = self.called
        then.update(self.then)
        step: dict[str, Any] = {} if self.when is None else {"when": self.when}
        if then or self.when is None:
            step["then"] = then
        return step


class _Recording:
    def __init__(
        self, session: Session, case: Case, instance: Instance, history: list[Event], forms: Mapping[str, Form]
    ) -> None:
        self.session, self.case, self.instance, self.history = session, case, instance, history
        self.forms = forms
        self.disguise = Disguise(case.id)
        self.tasks = {
            str(task.id): task for task in session.scalars(select(Task).where(Task.instance_id == instance.id))
        }
        self.answers = {
            str(answer.task_id): json.loads(answer.content)
            for answer in session.scalars(select(Answer).where(Answer.case_id == case.id))
        }
        self.facts = self.disguise(values.decode((history[0].payload or {})["data"]))
        self.services: dict[str, list[dict[str, Any]]] = {}
        self.steps: list[_Told] = []

    def text(self) -> str:
        """The scenario as YAML."""
        for event in self.history:
            self._tell(event)
        self._end()
        tree = {
            "diagram": self.instance.process,
            "calendar": "calendar_day",
            "scenarios": [
                {
                    "name": f"录自 {self.case.filed_at.astimezone(CHINA):%Y-%m} 的一件案子",
                    "given": {
                        "now": self.instance.started_at.astimezone(CHINA),
                        "facts": self.facts,
                        "services": self._services(),
                        "invent": False,
                    },
                    "steps": [step.yaml() for step in self.steps],
                }
            ],
        }
        return yaml.dump(tree, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=116)

    def _tell(self, event: Event) -> None:
        payload = event.payload or {}
        if event.kind == "instance.started":
            self.steps.append(_Told(None, event.at))
        elif event.kind == "timer.fired":
            self._advance(event.at).fired.append(event.element)
        elif event.kind == "task.completed":
            self._command(event.at, self._answered(payload["task"], event.at))
        elif event.kind == "message.received":
            carried = self.disguise(values.decode(payload.get("carried") or {}))
            when: dict[str, Any] = {"message": payload["message"]}
            self._command(event.at, {**when, "with": carried} if carried else when)
        elif event.kind == "job.completed":
            self.services[payload["type"]] = [{"external": True}]
            returned = self.disguise(values.decode(payload.get("returned") or {}))
            self._command(event.at, {"job": payload["type"], "with": returned})
        elif event.kind == "service.called":
            self._called(payload)

    def _called(self, payload: Mapping[str, Any]) -> None:
        type = payload["type"]
        self.steps[-1].called.append(type)
        given = {"error": payload["error"]} if "error" in payload else {}
        given = given or self.disguise(values.decode(payload.get("returned") or {}))
        self.services.setdefault(type, []).append(given)

    def _services(self) -> dict[str, Any]:
        """What each service answered: once if it always answered the same, else call by call."""
        told: dict[str, Any] = {}
        for type, answers in self.services.items():
            if type in clock or not any(answers):
                continue
            told[type] = answers[0] if all(answer == answers[0] for answer in answers) else answers
        return told

    def _advance(self, to: datetime) -> _Told:
        """The step that sets the clock to a moment: a new one unless the last one did nothing else."""
        last = self.steps[-1]
        if last.when is not None and "advance" in last.when and not last.then:
            last.when["advance"] = last.at = max(to, last.at)
            last.when["advance"] = last.at.astimezone(CHINA)
        else:
            self.steps.append(_Told({"advance": to.astimezone(CHINA)}, to))
        return self.steps[-1]

    def _command(self, at: datetime, when: dict[str, Any]) -> None:
        if at > self.steps[-1].at:
            self._advance(at)
        self.steps.append(_Told(when, at))

    def _answered(self, task_id: str, at: datetime) -> dict[str, Any]:
        task = self.tasks[task_id]
        when: dict[str, Any] = {"complete": task.element}
        if isinstance(task.item, str):
            when["for"] = self.disguise(task.item)
        if task.role:
            when["as"] = task.role.split(",")[0]
        content = self._content(task, self.answers.get(task_id) or {}, at)
        return {**when, "with": content} if content else when

    def _content(self, task: Task, content: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        """An answer with stand-ins that its form accepts."""
        form = self.forms.get(task.form)
        if form is None:
            return self.disguise(content)  # type: ignore[no-any-return]
        item = self.session.get(InboxItem, task.id)
        context = {} if item is None else self.disguise(_json(context_of(self.session, self.case, item, now=at)))
        for name in form.names:
            if name in context and name not in self.facts and name not in _OF_TASK:
                self.facts[name] = context[name]
        kinds = {asked.key: asked.kind for asked in form.inputs}
        given = {
            name: self._written(value) if kinds.get(name) in _WRITTEN else self.disguise(value)
            for name, value in content.items()
            if value is not None
        }
        for name in [name for name, value in given.items() if isinstance(value, str)]:
            for stand_in in ("", *_STAND_INS):
                tried = {**given, name: stand_in or given[name]}
                if name not in _faults(form, tried, {**self.facts, **context}):
                    given = tried
                    break
        return given

    def _written(self, value: Any) -> Any:
        return self.disguise.text(value) if isinstance(value, str) else self.disguise(value)

    def _end(self) -> None:
        last = self.steps[-1]
        if self.instance.state == Instance.State.COMPLETED:
            last.then.update(ended=self.instance.ended_element, complete=True)
            return
        waiting: dict[str, list[str]] = {}
        for task in self.tasks.values():
            if task.state == Task.State.OPEN:
                for role in task.role.split(","):
                    waiting.setdefault(role, []).append(task.element)
        last.then.update({"open": waiting} if waiting else {}, complete=False)


#: What the inbox tells a form about its own task; a scenario knows it too.
_OF_TASK = frozenset({"today", "now", "party", "due_on", "decide_by"})


def _faults(form: Form, answer: Mapping[str, Any], context: Mapping[str, Any]) -> set[str]:
    try:
        form.load(answer, context)
    except Invalid as invalid:
        return {path.partition(".")[0] for path in invalid.fields}
    return set()


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


class _Dumper(yaml.SafeDumper):
    """Short mappings and lists on one line, moments with their offset, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _moment(dumper: yaml.SafeDumper, value: datetime) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:timestamp", value.isoformat())


def _day(dumper: yaml.SafeDumper, value: date) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:timestamp", value.isoformat())


def _other(dumper: yaml.SafeDumper, value: Any) -> yaml.Node:
    return dumper.represent_data(values.plain(value))


_Dumper.add_representer(datetime, _moment)
_Dumper.add_representer(date, _day)
_Dumper.add_multi_representer(object, _other)
