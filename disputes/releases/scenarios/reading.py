"""Reads a scenario file. Pure; what is wrong names the file, the scenario and the step."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import yaml


class ScenarioError(ValueError):
    """A scenario file cannot be read; the message says where and what was expected."""


@dataclass(frozen=True)
class When:
    """One command: exactly one of ``complete``, ``message`` and ``advance``."""

    complete: str = ""
    #: The role that answers; checked against the task.
    role: str = ""
    #: Which instance of a multi-instance: its item.
    item: str = ""
    message: str = ""
    advance: datetime | None = None
    #: The answer to the form, or what the message carries.
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What must hold after a command; only what is written is compared."""

    waiting: list[str] | None = None
    fired: list[str] | None = None
    called: list[str] | None = None
    due: Mapping[str, date] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    grounds: list[int] | None = None
    ended: str = ""
    complete: bool | None = None
    #: Fields of the form that refuse the answer; nothing else happens then.
    refused: list[str] | None = None
    #: The element at which the step stops as an incident.
    incident: str = ""


@dataclass(frozen=True)
class Step:
    when: When | None
    then: Expected


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
    #: Service type → what it returns, or ``{error: CODE}``, or ``{fails: message}``.
    services: Mapping[str, Mapping[str, Any]]
    #: Called process → the variables that its stand-in sets, or ``waits``.
    calls: Mapping[str, Any]
    steps: tuple[Step, ...]


_LIMIT = re.compile(r"(\d+) (working day|day|minute|hour|month|year)s?")
_GIVEN = {"now", "facts", "limits", "services", "calls"}


def read_scenarios(content: bytes, file: str) -> list[Scenario]:
    """The scenarios of a file. Raises ScenarioError."""
    try:
        tree = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{file}: no YAML: {error}") from error
    _keys(tree, {"diagram", "calendar", "defaults", "services", "calls", "scenarios"}, file)
    if not isinstance(tree.get("diagram"), str):
        raise ScenarioError(f"{file}: 'diagram' names the process.")
    if tree.get("calendar", "calendar_day") != "calendar_day":
        raise ScenarioError(f"{file}: the calendar is calendar_day, the real one; found {tree['calendar']!r}.")
    defaults = _keys(tree.get("defaults") or {}, _GIVEN, f"{file}: defaults")
    common = {
        **defaults,
        "services": {**_mapping(tree, "services", file), **_mapping(defaults, "services", file)},
        "calls": {**_mapping(tree, "calls", file), **_mapping(defaults, "calls", file)},
    }
    listed = tree.get("scenarios")
    if not isinstance(listed, list) or not listed:
        raise ScenarioError(f"{file}: 'scenarios' is a list.")
    found = [_scenario(raw, common, tree["diagram"], file, number) for number, raw in enumerate(listed, 1)]
    names = [scenario.name for scenario in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ScenarioError(f"{file}: two scenarios are named {twice!r}.")
    return found


def _scenario(raw: Any, common: Mapping[str, Any], diagram: str, file: str, number: int) -> Scenario:
    where = f"{file}: scenario {number}"
    _keys(raw, {"name", "given", "steps"}, where)
    name = raw.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ScenarioError(f"{where} has no name.")
    where = f"{file}: {name}"
    given = _keys(raw.get("given") or {}, _GIVEN, where)
    both = {key: {**_mapping(common, key, where), **_mapping(given, key, where)} for key in _GIVEN - {"now"}}
    steps = raw.get("steps")
    if not isinstance(steps, list) or not steps:
        raise ScenarioError(f"{where}: 'steps' is a list.")
    return Scenario(
        file=file,
        diagram=diagram,
        name=name,
        now=_moment(given.get("now", common.get("now")), f"{where}: now"),
        facts=both["facts"],
        limits={str(id): _limit(str(id), text, where) for id, text in both["limits"].items()},
        services={str(type): _result(result, f"{where}: {type}") for type, result in both["services"].items()},
        calls=both["calls"],
        steps=tuple(_step(step, f"{where}: step {i}", first=i == 1) for i, step in enumerate(steps, 1)),
    )


def _step(raw: Any, where: str, *, first: bool) -> Step:
    _keys(raw, {"when", "then"}, where)
    if "when" not in raw and not first:
        raise ScenarioError(f"{where}: only the first step may have a 'then' alone.")
    when = None if "when" not in raw else _when(raw["when"], where)
    return Step(when, _expected(raw.get("then") or {}, where))


def _when(raw: Any, where: str) -> When:
    _keys(raw, {"complete", "message", "advance", "as", "with", "for"}, where)
    commands = [name for name in ("complete", "message", "advance") if name in raw]
    if len(commands) != 1:
        raise ScenarioError(f"{where}: a step has one of complete, message and advance.")
    for name in ("as", "for"):
        if name in raw and commands != ["complete"]:
            raise ScenarioError(f"{where}: '{name}' goes with complete.")
    if "with" in raw and commands == ["advance"]:
        raise ScenarioError(f"{where}: 'with' goes with complete or message.")
    return When(
        complete=str(raw.get("complete", "")),
        role=str(raw.get("as", "")),
        item=str(raw.get("for", "")),
        message=str(raw.get("message", "")),
        advance=_moment(raw["advance"], f"{where}: advance") if "advance" in raw else None,
        content=_mapping(raw, "with", where),
    )


def _expected(raw: Any, where: str) -> Expected:
    _keys(
        raw,
        {"waiting", "fired", "called", "due", "data", "grounds", "ended", "complete", "refused", "incident"},
        where,
    )
    due = _mapping(raw, "due", where)
    for limit, day in due.items():
        if type(day) is not date:
            raise ScenarioError(f"{where}: due {limit} is a date, found {day!r}.")
    if not isinstance(raw.get("complete", True), bool):
        raise ScenarioError(f"{where}: complete is true or false.")
    return Expected(
        waiting=_list(raw, "waiting", where),
        fired=_list(raw, "fired", where),
        called=_list(raw, "called", where),
        due=due,
        data=_mapping(raw, "data", where),
        grounds=_list(raw, "grounds", where),
        ended=str(raw.get("ended", "")),
        complete=raw.get("complete"),
        refused=_list(raw, "refused", where),
        incident=str(raw.get("incident", "")),
    )


def _limit(id: str, text: object, where: str) -> tuple[int, str]:
    if not id.startswith("S"):
        raise ScenarioError(f"{where}: {id} is a limit of law; only service limits (S…) may be changed.")
    found = _LIMIT.fullmatch(str(text))
    if found is None:
        raise ScenarioError(f"{where}: {id} is a length such as '5 working days' or '48 hours', found {text!r}.")
    return int(found[1]), found[2]


def _result(raw: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise ScenarioError(
            f"{where}: expected what the service returns, or {{error: CODE}}, or {{fails: message}}."
        )
    return raw


def _moment(value: Any, where: str) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ScenarioError(f"{where}: expected a moment with its offset, 2026-09-18T10:00:00+08:00.")
    return value


def _mapping(raw: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    value = raw.get(name) or {}
    if not isinstance(value, dict):
        raise ScenarioError(f"{where}: '{name}' is a mapping.")
    return value


def _list(raw: Mapping[str, Any], name: str, where: str) -> list[Any] | None:
    value = raw.get(name)
    if value is not None and not isinstance(value, list):
        raise ScenarioError(f"{where}: '{name}' is a list.")
    return value


def _keys(raw: Any, known: set[str], where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ScenarioError(f"{where}: expected a mapping, found {type(raw).__name__}.")
    unknown = sorted(str(key) for key in raw if key not in known)
    if unknown:
        raise ScenarioError(f"{where}: unknown word {unknown[0]!r}; there is {', '.join(sorted(known))}.")
    return raw
