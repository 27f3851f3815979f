"""Reads a scenario file. Pure; what is wrong names the file, the line, the scenario and the step."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

import yaml

from core.yaml_limits import require_modest

#: Aliases of YAML multiply what they name; a scenario has no use for many.
MOST_ALIASES = 100


class ScenarioError(ValueError):
    """A scenario file cannot be read; the message says where and what was expected."""


class Lined(dict[str, Any]):
    """A mapping of a YAML file that knows on which line it and each of its keys stand."""

    line: int = 0
    lines: dict[str, int]


@dataclass(frozen=True)
class When:
    """One command: exactly one of ``complete``, ``message``, ``job``, ``retry`` and ``advance``."""

    complete: str = ""
    #: The role that answers; checked against the task.
    role: str = ""
    #: Which instance of a multi-instance: its item.
    item: str = ""
    message: str = ""
    #: The type of a job that an external worker takes.
    job: str = ""
    #: The element at which an incident is tried again.
    retry: str = ""
    advance: datetime | None = None
    #: The answer to the form, what the message carries, or what the worker returns.
    content: Mapping[str, Any] = field(default_factory=dict)
    #: The worker leaves by the error boundary event with this code.
    error: str = ""
    #: The worker gives up with these words; the job becomes an incident.
    fails: str = ""


@dataclass(frozen=True)
class ExpectedDeadline:
    """What must hold of the deadline of a limit; only what is written is compared."""

    on: date | None = None
    at: datetime | None = None
    #: ``running``, ``paused``, ``met``, ``missed``, ``dropped``, or ``none`` where it must not run.
    state: str = ""
    #: The element that it bounds.
    element: str = ""


@dataclass(frozen=True)
class ExpectedIncident:
    """Where a step stops, and what it says."""

    at: str
    kind: str = ""
    says: str = ""


@dataclass(frozen=True)
class Expected:
    """What must hold after a command; only what is written is compared."""

    waiting: list[str] | None = None
    #: Role → the tasks that are open for it, each as often as it is open.
    open: Mapping[str, list[str]] = field(default_factory=dict)
    fired: list[str] | None = None
    called: list[str] | None = None
    #: Messages that the diagrams sent in this step, in order.
    sent: list[str] | None = None
    #: Notices that were ordered in this step, in order: task headers, of which those written are compared.
    notices: list[Mapping[str, Any]] | None = None
    #: Papers that were ordered in this step, in order, by kind.
    papers: list[str] | None = None
    #: Decision → what it decided in this step.
    decided: Mapping[str, Any] = field(default_factory=dict)
    due: Mapping[str, ExpectedDeadline] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    grounds: list[int] | None = None
    #: Elements that the step came through.
    reached: list[str] = field(default_factory=list)
    #: Elements, timers, services and messages of which nothing has been seen since the start.
    never: list[str] = field(default_factory=list)
    ended: str = ""
    complete: bool | None = None
    #: Fields of the form that refuse the answer; nothing else happens then.
    refused: list[str] | None = None
    incident: ExpectedIncident | None = None
    #: Word → its line in the file.
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    when: When | None
    then: Expected
    #: What services answer from this step on.
    services: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class Scenario:
    """One scenario with everything that it begins with."""

    file: str
    diagram: str
    name: str
    now: datetime
    facts: Mapping[str, Any]
    #: Service limits that hold in this scenario only: id → (amount, unit).
    limits: Mapping[str, tuple[int, str]]
    #: Service type → its answers in turn, the last for ever: what it returns, ``{error: CODE}``,
    #: ``{fails: message}``, or ``{external: true}`` where a worker takes it.
    services: Mapping[str, tuple[Mapping[str, Any], ...]]
    #: Called process → the variables that its stand-in sets, or ``waits``.
    calls: Mapping[str, Any]
    steps: tuple[Step, ...]
    #: Whether stand-ins invent what nobody told them; a recorded scenario tells everything.
    invent: bool = True
    line: int = 0


_LIMIT = re.compile(r"(\d+) (working day|day|minute|hour|month|year)s?")
_GIVEN = ("now", "facts", "limits", "services", "calls", "invent")
_COMMANDS = ("complete", "message", "job", "retry", "advance")
_THEN = (
    "waiting", "open", "fired", "called", "sent", "notices", "papers", "decided", "due", "data", "grounds",
    "reached", "never", "ended", "complete", "refused", "incident",
)  # fmt: skip
_STATES = ("running", "paused", "met", "missed", "dropped", "none")


def read_scenarios(content: bytes, file: str) -> list[Scenario]:
    """The scenarios of a file. Raises ScenarioError."""
    tree = _load(content, file)
    where = _Where(file)
    _keys(tree, ("diagram", "calendar", "defaults", "services", "calls", "scenarios"), where)
    if not isinstance(tree.get("diagram"), str):
        raise where.error("'diagram' names the process.", tree, "diagram")
    if tree.get("calendar", "calendar_day") != "calendar_day":
        raise where.error(
            f"the calendar is calendar_day, the real one; found {tree['calendar']!r}.", tree, "calendar"
        )
    defaults = _keys(tree.get("defaults") or {}, _GIVEN, where.at("defaults"))
    common = {
        **defaults,
        "services": {**_mapping(tree, "services", where), **_mapping(defaults, "services", where)},
        "calls": {**_mapping(tree, "calls", where), **_mapping(defaults, "calls", where)},
    }
    listed = tree.get("scenarios")
    if not isinstance(listed, list) or not listed:
        raise where.error("'scenarios' is a list.", tree, "scenarios")
    found = [_scenario(raw, common, tree["diagram"], where, number) for number, raw in enumerate(listed, 1)]
    names = [scenario.name for scenario in found]
    twice = next((i for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise where.error(f"two scenarios are named {names[twice]!r}.", listed[twice], "name")
    return found


@dataclass(frozen=True)
class _Where:
    """A place in a file, for what is told about it."""

    file: str
    path: str = ""

    def at(self, part: str) -> "_Where":
        return _Where(self.file, f"{self.path}: {part}" if self.path else part)

    def error(self, what: str, raw: Any = None, key: str = "") -> ScenarioError:
        """The error, with the line of a key, else of the mapping in which it should stand."""
        line = _line(raw, key)
        place = f"{self.file}:{line}" if line else self.file
        return ScenarioError(f"{place}: {self.path}: {what}" if self.path else f"{place}: {what}")


def _line(raw: Any, key: str = "") -> int:
    return raw.lines.get(key, raw.line) if isinstance(raw, Lined) else 0


class _Loader(yaml.SafeLoader):
    """YAML's safe kinds; mappings know their lines, and no key may stand twice."""

    aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            self.aliases += 1
            if self.aliases > MOST_ALIASES:
                raise yaml.YAMLError(f"more than {MOST_ALIASES} aliases")
        return super().compose_node(parent, index)


def _mapping_with_lines(loader: _Loader, node: yaml.MappingNode) -> Lined:
    loader.flatten_mapping(node)
    found = Lined()
    found.line, found.lines = node.start_mark.line + 1, {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            key = str(key)
        if key in found.lines and found.lines[key] != key_node.start_mark.line + 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"the word {key!r} stands here a second time", key_node.start_mark
            )
        found[key] = loader.construct_object(value_node, deep=True)
        found.lines[key] = key_node.start_mark.line + 1
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_with_lines)


def _load(content: bytes, file: str) -> Any:
    try:
        require_modest(content)
        return yaml.load(content, Loader=_Loader)  # noqa: S506  # a SafeLoader with lines
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark is not None else file
        raise ScenarioError(f"{place}: no YAML: {getattr(error, 'problem', None) or error}") from error


def _scenario(raw: Any, common: Mapping[str, Any], diagram: str, file: _Where, number: int) -> Scenario:
    where = file.at(f"scenario {number}")
    _keys(raw, ("name", "given", "steps"), where)
    name = raw.get("name")
    if not isinstance(name, str) or not name.strip():
        raise where.error("it has no name.", raw, "name")
    where = file.at(name)
    given = _keys(raw.get("given") or {}, _GIVEN, where)
    both = {
        key: {**_mapping(common, key, where), **_mapping(given, key, where)}
        for key in ("facts", "limits", "services", "calls")
    }
    steps = raw.get("steps")
    if not isinstance(steps, list) or not steps:
        raise where.error("'steps' is a list.", raw, "steps")
    now = given if "now" in given else common
    invent = given.get("invent", common.get("invent", True))
    if not isinstance(invent, bool):
        raise where.error("invent is true or false.", given, "invent")
    return Scenario(
        file=file.file,
        diagram=diagram,
        name=name,
        now=_moment(now.get("now"), "now", where, now if isinstance(now, Lined) else raw),
        facts=_plain(both["facts"]),
        limits={str(id): _limit(str(id), text, where, raw) for id, text in both["limits"].items()},
        services={str(type): _results(result, str(type), where, raw) for type, result in both["services"].items()},
        calls=_plain(both["calls"]),
        steps=tuple(_step(step, where.at(f"step {i}"), raw, first=i == 1) for i, step in enumerate(steps, 1)),
        invent=invent,
        line=_line(raw, "name"),
    )


def _step(raw: Any, where: _Where, around: Any, *, first: bool) -> Step:
    _keys(raw, ("given", "when", "then"), where, around)
    if "when" not in raw and not first:
        raise where.error("only the first step may have a 'then' alone.", raw)
    given = _keys(raw.get("given") or {}, ("services",), where)
    when = None if "when" not in raw else _when(raw["when"], where, raw)
    services = _mapping(given, "services", where)
    return Step(
        when,
        _expected(raw.get("then") or {}, where),
        {str(type): _results(result, str(type), where, given) for type, result in services.items()},
        _line(raw),
    )


def _when(raw: Any, where: _Where, around: Any) -> When:
    _keys(raw, (*_COMMANDS, "as", "with", "for", "error", "fails"), where, around)
    commands = [name for name in _COMMANDS if name in raw]
    if len(commands) != 1:
        raise where.error(f"a step has one of {', '.join(_COMMANDS[:-1])} and {_COMMANDS[-1]}.", raw)
    goes_with = {
        "as": ("complete",),
        "for": ("complete",),
        "with": ("complete", "message", "job"),
        "error": ("job",),
        "fails": ("job",),
    }
    for name, allowed in goes_with.items():
        if name in raw and commands[0] not in allowed:
            raise where.error(f"'{name}' goes with {' or '.join(allowed)}.", raw, name)
    if sum(name in raw for name in ("with", "error", "fails")) > 1:
        raise where.error("a job is done 'with' something, or leaves by an 'error', or 'fails': one of them.", raw)
    return When(
        complete=str(raw.get("complete", "")),
        role=str(raw.get("as", "")),
        item=str(raw.get("for", "")),
        message=str(raw.get("message", "")),
        job=str(raw.get("job", "")),
        retry=str(raw.get("retry", "")),
        advance=_moment(raw["advance"], "advance", where, raw) if "advance" in raw else None,
        content=_plain(_mapping(raw, "with", where)),
        error=str(raw.get("error", "")),
        fails=str(raw.get("fails", "")),
    )


def _expected(raw: Any, where: _Where) -> Expected:
    _keys(raw, _THEN, where)
    open_for = _mapping(raw, "open", where)
    for role, tasks in open_for.items():
        if not isinstance(tasks, list):
            raise where.error(f"open for {role} is a list of tasks.", open_for, role)
    due = _mapping(raw, "due", where)
    if not isinstance(raw.get("complete", True), bool):
        raise where.error("complete is true or false.", raw, "complete")
    return Expected(
        waiting=_list(raw, "waiting", where),
        open=_plain(open_for),
        fired=_list(raw, "fired", where),
        called=_list(raw, "called", where),
        sent=_list(raw, "sent", where),
        notices=_notices(raw, where),
        papers=_list(raw, "papers", where),
        decided=_plain(_mapping(raw, "decided", where)),
        due={limit: _deadline(wanted, limit, where, due) for limit, wanted in due.items()},
        data=_plain(_mapping(raw, "data", where)),
        grounds=_list(raw, "grounds", where),
        reached=_list(raw, "reached", where) or [],
        never=_list(raw, "never", where) or [],
        ended=str(raw.get("ended", "")),
        complete=raw.get("complete"),
        refused=_list(raw, "refused", where),
        incident=_incident(raw, where),
        lines={**raw.lines} if isinstance(raw, Lined) else {},
    )


def _notices(raw: Mapping[str, Any], where: _Where) -> list[Mapping[str, Any]] | None:
    listed = _list(raw, "notices", where)
    for one in listed or []:
        if not isinstance(one, dict):
            raise where.error(
                "a notice is a mapping of what it must say: {to: officer, limit: C01}.", raw, "notices"
            )
    return listed


def _deadline(wanted: Any, limit: str, where: _Where, around: Any) -> ExpectedDeadline:
    if type(wanted) is date:
        return ExpectedDeadline(on=wanted)
    if wanted == "none":
        return ExpectedDeadline(state="none")
    if not isinstance(wanted, dict):
        raise where.error(
            f"due {limit} is a date, or a mapping of on, at, state and for; found {wanted!r}.", around, limit
        )
    _keys(wanted, ("on", "at", "state", "for"), where.at(f"due {limit}"))
    if "on" in wanted and type(wanted["on"]) is not date:
        raise where.error(f"due {limit}: 'on' is a date, found {wanted['on']!r}.", wanted, "on")
    state = str(wanted.get("state", ""))
    if state and state not in _STATES:
        raise where.error(
            f"due {limit}: 'state' is one of {', '.join(_STATES)}{_meant(state, _STATES)}.", wanted, "state"
        )
    return ExpectedDeadline(
        on=wanted.get("on"),
        at=_moment(wanted["at"], f"due {limit}: at", where, wanted) if "at" in wanted else None,
        state=state,
        element=str(wanted.get("for", "")),
    )


def _incident(raw: Mapping[str, Any], where: _Where) -> ExpectedIncident | None:
    wanted = raw.get("incident")
    if not wanted:
        return None
    if not isinstance(wanted, dict):
        return ExpectedIncident(str(wanted))
    _keys(wanted, ("at", "kind", "says"), where.at("incident"))
    if not wanted.get("at"):
        raise where.error("incident: 'at' names the element at which the step stops.", wanted)
    return ExpectedIncident(str(wanted["at"]), str(wanted.get("kind", "")), str(wanted.get("says", "")))


def _limit(id: str, text: object, where: _Where, around: Any) -> tuple[int, str]:
    if not id.startswith("S"):
        raise where.error(f"{id} is a limit of law; only service limits (S…) may be changed.", around)
    found = _LIMIT.fullmatch(str(text))
    if found is None:
        raise where.error(f"{id} is a length such as '5 working days' or '48 hours', found {text!r}.", around)
    return int(found[1]), found[2]


def _results(raw: Any, type: str, where: _Where, around: Any) -> tuple[Mapping[str, Any], ...]:
    answers = raw if isinstance(raw, list) else [raw]
    if not answers or not all(isinstance(one, dict) for one in answers):
        raise where.error(
            f"{type}: expected what the service returns, or {{error: CODE}}, or {{fails: message}}, or "
            "{external: true}, or a list of these, one for each call.",
            around,
        )
    return tuple(_plain(one) for one in answers)


def _moment(value: Any, what: str, where: _Where, around: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise where.error(f"{what}: expected a moment with its offset, 2026-09-18T10:00:00+08:00.", around, what)
    return value


def _mapping(raw: Mapping[str, Any], name: str, where: _Where) -> dict[str, Any]:
    value = raw.get(name) or {}
    if not isinstance(value, dict):
        raise where.error(f"'{name}' is a mapping.", raw, name)
    return value


def _list(raw: Mapping[str, Any], name: str, where: _Where) -> list[Any] | None:
    value = raw.get(name)
    if value is not None and not isinstance(value, list):
        raise where.error(f"'{name}' is a list.", raw, name)
    return None if value is None else _plain(value)


def _keys(raw: Any, known: Collection[str], where: _Where, around: Any = None) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise where.error(f"expected a mapping, found {type(raw).__name__}.", around)
    unknown = sorted((str(key) for key in raw if key not in known), key=lambda key: _line(raw, key))
    if unknown:
        there_is = ", ".join(sorted(known))
        meant = _meant(unknown[0], known)
        raise where.error(f"unknown word {unknown[0]!r}{meant}; there is {there_is}.", raw, unknown[0])
    return raw


def _meant(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f": did you mean {near[0]!r}?" if near else ""


def _plain(value: Any) -> Any:
    """The same without lines: plain mappings and lists, as the engine takes them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
