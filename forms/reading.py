"""What a browser sends, put in the shape of an answer.

Names say where a value belongs: ``decision``, ``address.street`` (a group with a path), ``items.0.price`` (the
first row of a list). ``_add`` and ``_remove`` are the buttons of lists; every other name that begins with an
underscore belongs to the page, as ``csrf_token`` does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from forms.fields import MOST_ENTRIES
from forms.loading import Scope

_SEVERAL = frozenset({"checklist", "filepicker"})


@dataclass(frozen=True)
class Reading:
    """The values, and whether a row was added or removed rather than the form sent."""

    values: dict[str, Any]
    rearranged: bool


def read(scope: Scope, pairs: Iterable[tuple[str, str]]) -> Reading:
    """See ``Form.read``."""
    given: dict[str, list[str]] = {}
    add, remove = "", ""
    for name, value in pairs:
        if name == "_add":
            add = value
        elif name == "_remove":
            remove = value
        elif not name.startswith("_") and name != "csrf_token":
            given.setdefault(name, []).append(value)
    values = _read(scope, given)
    if add:
        rows = _rows(values, add.split("."))
        if len(rows) < MOST_ENTRIES:
            rows.append({})
    if remove:
        *path, index = remove.split(".")
        rows = _rows(values, path)
        if index.isdecimal() and int(index) < len(rows):
            del rows[int(index)]
    return Reading(values, bool(add or remove))


def _read(scope: Scope, given: Mapping[str, list[str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    below: dict[str, dict[str, list[str]]] = {}
    for name, sent in given.items():
        head, dot, rest = name.partition(".")
        if dot and head in scope.below:
            below.setdefault(head, {})[rest] = sent
        elif name in scope.asked:
            values[name] = _value(scope.asked[name].type, sent)
        else:
            values[name] = sent[-1]
    for key, (component, inner) in scope.below.items():
        sent_below = below.get(key, {})
        if component.type == "group":
            values[key] = _read(inner, sent_below)
        else:
            values[key] = [_read(inner, row) for row in _split(sent_below)]
    return values


def _value(kind: str, sent: list[str]) -> Any:
    if kind == "checkbox":
        return sent[-1] == "true"
    if kind in _SEVERAL:
        return [value for value in sent if value]
    return sent[-1]


def _split(sent: Mapping[str, list[str]]) -> list[dict[str, list[str]]]:
    rows: dict[int, dict[str, list[str]]] = {}
    for name, values in sent.items():
        index, _, rest = name.partition(".")
        if index.isdecimal() and len(index) < 6:
            row = rows.setdefault(int(index), {})
            if rest != "_":
                row[rest] = values
    return [rows[index] for index in sorted(rows)[:MOST_ENTRIES]]


def _rows(values: Any, path: list[str]) -> list[Any]:
    for part in path:
        if isinstance(values, list):
            values = values[int(part)] if part.isdecimal() and int(part) < len(values) else None
        else:
            values = values.get(part) if isinstance(values, dict) else None
    return values if isinstance(values, list) else []
