"""Correcting the data of a case by hand: names that its diagrams know, each with a value of its kind."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import feel
from core.refusals import Invalid
from engine import expressions, values
from engine.diagram import Element, Process

if TYPE_CHECKING:
    from engine.run import Run
    from engine.specifications import Specifications

#: The key of the case itself; messages are correlated by it.
FIXED = frozenset({"case_id"})


def set_data(run: "Run", number: int | None, changes: Mapping[str, Any], why: str) -> None:
    """Write variables where a token sees them (None: the started process). Raises Invalid with a fault per name.

    Moments of timers and tasks that rest on expressions are evaluated again.
    """
    scopes = _scopes(run, number)
    known = known_names(run.specifications)
    faults: dict[str, list[str]] = {}
    before: dict[str, Any] = {}
    for name, value in changes.items():
        scope = next((held for held in scopes if name in held), scopes[-1])
        fault = _fault(name, value, scope, known)
        if fault:
            faults[name] = [fault]
            continue
        before[name] = values.plain(scope.get(name))
        scope[name] = value
    if not changes:
        faults[""] = ["没有要修改的数据。 There is nothing to change."]
    if faults:
        raise Invalid("数据没有修改。 The data was not changed.", code="data.invalid", fields=faults)
    run.log(
        "data.edited",
        run.token(number).node.element if number is not None else None,
        payload={
            "before": before,
            "after": {name: values.plain(value) for name, value in changes.items()},
            "reason": why,
        },
    )
    run.rearm()


def require_known(specifications: "Specifications", variables: Mapping[str, Any]) -> None:
    """Refuse variables that no diagram knows, and the case's key. Raises Invalid."""
    known = known_names(specifications) if variables else frozenset()
    faults = {name: [fault] for name, value in variables.items() if (fault := _fault(name, value, {}, known))}
    if faults:
        raise Invalid("这些数据不能写入。 These variables cannot be written.", code="data.invalid", fields=faults)


def _scopes(run: "Run", number: int | None) -> list[dict[str, Any]]:
    """The scopes that a token sees, from inside out."""
    if number is None:
        return [run.scopes.root]
    return [run.scopes.held[scope] for scope in run.scopes.chain(run.token(number))]


def _fault(name: str, value: Any, scope: Mapping[str, Any], known: frozenset[str]) -> str:
    if name in FIXED:
        return f"{name} 不能修改。 {name} is fixed."
    if name not in scope and name not in known:
        near = get_close_matches(name, [*scope, *known], 1)
        zh, en = (f"，是不是“{near[0]}”？", f" Did you mean {near[0]}?") if near else ("。", "")
        return f"流程里没有用到“{name}”{zh} The procedure knows no {name}.{en}"
    try:
        values.encode(value)
    except TypeError as error:
        return str(error)
    was, is_now = kind_of(scope.get(name)), kind_of(value)
    if "null" not in (was, is_now) and was != is_now:
        return f"原来是 {was}，不能改成 {is_now}。 It is a {was}; a {is_now} does not fit."
    return ""


def kind_of(value: Any) -> str:
    """The FEEL type of a value, as FEEL names it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, datetime | feel.FarMoment):
        return "date and time"
    if isinstance(value, date | feel.FarDate):
        return "date"
    if isinstance(value, time | feel.Time):
        return "time"
    if isinstance(value, timedelta | feel.FarDuration):
        return "days and time duration"
    if isinstance(value, feel.YearsMonths):
        return "years and months duration"
    if isinstance(value, list | tuple):
        return "list"
    return "context" if isinstance(value, Mapping) else "string"


def known_names(specifications: "Specifications") -> frozenset[str]:
    """Every variable that the diagrams and tables of a bundle read or write."""
    found: set[str] = set(specifications.decisions.inputs)
    for process in specifications.processes.values():
        for element in process.elements.values():
            found |= _written(element)
        for text in _texts(process):
            try:
                found |= expressions.compiled(text).names
            except feel.FeelError:
                continue  # the gate has said so
    return frozenset(found - {""})


def _written(element: Element) -> set[str]:
    names = {target for _, target in (*element.inputs, *element.outputs)} | {element.result_variable}
    return names | ({element.loop.item, element.loop.output} if element.loop is not None else set())


def _texts(process: Process) -> Iterator[str]:
    """Every FEEL expression of a process."""
    for flow in process.flows.values():
        if flow.condition is not None:
            yield flow.condition
    for element in process.elements.values():
        marked = [element.form, element.groups, element.assignee, element.due, element.script]
        marked += [source for source, _ in (*element.inputs, *element.outputs)]
        for trigger in element.triggers:
            marked += [trigger.text, trigger.correlation]
        if element.loop is not None:
            marked += [element.loop.collection]
            yield from (t for t in (element.loop.output_item, element.loop.completion) if t)
        yield from (text for text in marked if expressions.is_expression(text))
