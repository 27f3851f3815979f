"""The way in for answers: what is shown with these values, and are they valid."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any

from marshmallow import RAISE, Schema, ValidationError

from core.refusals import Invalid
from forms import fields, words
from forms.components import Component, in_scope, is_hidden
from forms.words import Language, Say

#: What the expressions of the answer being loaded may read.
_reading: ContextVar[Mapping[str, Any]] = ContextVar("forms_reading", default=MappingProxyType({}))

#: Deepest nesting of groups and lists that an answer may have.
DEEPEST = 8


class Scope:
    """Components whose values are kept side by side: a form, a group with a path, or the rows of a list."""

    def __init__(self, components: Sequence[Component]) -> None:
        self.components = tuple(in_scope(components))
        self.tops = tuple(components)
        self.asked = {c.key: c for c in self.components if c.asks}
        self.below = {c.key: (c, Scope(c.children)) for c in self.components if c.opens_scope}

    @cached_property
    def schema(self) -> type[Schema]:
        """The marshmallow schema of everything that is asked here."""
        made = {key: field_of(component) for key, component in self.asked.items()}
        return Schema.from_dict(made, name="Answer")  # type: ignore[return-value,arg-type,unused-ignore]


def typed(scope: Scope, answer: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """See ``Form.typed``."""
    shown = visible(scope, answer, context)
    given = _given(scope, answer, context)
    return {c.key: given[c.key] for c in scope.components if c.key and c.id in shown and c.key in given}


def _given(scope: Scope, answer: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """Each field as conditions see it while somebody still types, and what lies below as it was sent."""
    token = _reading.set({**context, **answer})
    try:
        given = {key: _gently(component, answer.get(key)) for key, component in scope.asked.items()}
    finally:
        _reading.reset(token)
    return given | {key: answer.get(key) for key in scope.below}


def visible(scope: Scope, answer: Mapping[str, Any], context: Mapping[str, Any]) -> frozenset[str]:
    """The ids of what is shown. Hidden fields count as empty, so conditions are repeated until they settle."""
    given = _given(scope, answer, context)
    shown = frozenset(c.id for c in scope.components)
    for _ in range(len(scope.components) + 1):
        data = scope_data(scope, given, context, shown)
        now = frozenset(_shown(scope.tops, data))
        if now == shown:
            break
        shown = now
    return shown


def scope_data(
    scope: Scope, given: Mapping[str, Any], context: Mapping[str, Any], shown: frozenset[str]
) -> dict[str, Any]:
    """What an expression may read: the case, and over it this scope's own fields, null where hidden or empty."""
    own = {c.key: given.get(c.key) if c.id in shown else None for c in scope.components if c.key}
    return {**context, **own}


def load(scope: Scope, answer: Mapping[str, Any], context: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """See ``Form.load``."""
    if not isinstance(answer, Mapping):
        raise Invalid("The answer must be an object of fields.", code="answer.invalid")
    errors: dict[str, list[Say]] = {}
    loaded = _load(scope, answer, context, "", errors, 0)
    if errors:
        fields_said = {path: [say(language) for say in says] for path, says in errors.items()}
        raise Invalid(words.SUMMARY(language).format(n=len(errors)), code="answer.invalid", fields=fields_said)
    return loaded


def _load(
    scope: Scope,
    answer: Mapping[str, Any],
    context: Mapping[str, Any],
    path: str,
    errors: dict[str, list[Say]],
    depth: int,
) -> dict[str, Any]:
    shown = visible(scope, answer, context)
    asked = {key: c for key, c in scope.asked.items() if c.id in shown}
    for key in answer:
        if key not in scope.asked and key not in scope.below:
            errors[f"{path}{key}"] = [words.UNKNOWN]
        elif not is_empty(answer[key]) and key not in asked and not _is_below(scope, key, shown):
            errors[f"{path}{key}"] = [words.NOT_ASKED]
    loaded = _load_fields(scope, asked, answer, context, path, errors)
    inner = {**context, **loaded}
    for key, (component, below) in scope.below.items():
        if component.id in shown:
            loaded[key] = _load_below(component, below, answer.get(key), inner, f"{path}{key}", errors, depth + 1)
    return loaded


def _is_below(scope: Scope, key: str, shown: frozenset[str]) -> bool:
    return key in scope.below and scope.below[key][0].id in shown


def _load_fields(
    scope: Scope,
    asked: Mapping[str, Component],
    answer: Mapping[str, Any],
    context: Mapping[str, Any],
    path: str,
    errors: dict[str, list[Say]],
) -> dict[str, Any]:
    filled = {key: answer[key] for key, component in asked.items() if not _unanswered(component, answer.get(key))}
    token = _reading.set({**context, **answer})
    try:
        loaded: dict[str, Any] = dict(scope.schema(only=list(asked), unknown=RAISE).load(filled))
    except ValidationError as error:
        messages: Mapping[str, list[Any]] = error.normalized_messages()  # type: ignore[no-untyped-call]
        for key, says in messages.items():
            errors[f"{path}{key}"] = [say for say in says if isinstance(say, Say)]
        return {}
    finally:
        _reading.reset(token)
    return {key: loaded.get(key, _left_empty(component)) for key, component in asked.items()}


def _load_below(
    component: Component,
    below: Scope,
    given: Any,
    context: Mapping[str, Any],
    path: str,
    errors: dict[str, list[Say]],
    depth: int,
) -> Any:
    if depth > DEEPEST:
        errors[path] = [words.NOT_GROUP]
        return None
    if component.type == "group":
        if not isinstance(given or {}, Mapping):
            errors[path] = [words.NOT_GROUP]
            return None
        return _load(below, given or {}, context, f"{path}.", errors, depth)
    rows = [] if given is None else given
    if not isinstance(rows, list) or any(not isinstance(row, Mapping) for row in rows):
        errors[path] = [words.NOT_ROWS]
        return None
    rows = [row for row in rows if not is_empty(row)]
    if len(rows) > fields.MOST_ENTRIES:
        errors[path] = [words.too_many(fields.MOST_ENTRIES)]
        return None
    if component.required and not rows:
        errors[path] = [words.ADD_ROW]
    return [_load(below, row, context, f"{path}.{n}.", errors, depth) for n, row in enumerate(rows)]


def is_empty(value: object) -> bool:
    """Whether nothing was filled in. An unticked box is empty."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, Mapping):
            todo += one.values()
        elif not (one is None or one is False or (isinstance(one, str) and not one.strip())):
            return False
    return True


def _unanswered(component: Component, value: object) -> bool:
    """Whether a field was left empty; to a yes-or-no question, no is an answer."""
    return is_empty(value) and not (component.type == "yesno" and value is False)


def _left_empty(component: Component) -> Any:
    if component.type == "checkbox":
        return False
    return [] if component.type in ("checklist", "filepicker") else None


def _gently(component: Component, value: Any) -> Any:
    """The value as conditions see it while somebody still types: null when it is not valid yet."""
    if _unanswered(component, value):
        return _left_empty(component)
    try:
        return field_of(component).deserialize(value)
    except ValidationError:
        return None


def _shown(components: Sequence[Component], data: Mapping[str, Any]) -> list[str]:
    ids: list[str] = []
    for component in components:
        if is_hidden(component, data):
            continue
        ids.append(component.id)
        if not component.opens_scope:
            ids += _shown(component.children, data)
    return ids


def field_of(component: Component) -> fields.Answered:
    """The marshmallow field of one component."""
    required, rules = component.required, component.validate
    match component.type:
        case "number":
            return fields.Number(
                required=required,
                digits=int(component.given.get("decimalDigits") or 0),
                least=_bound(rules.get("min")),
                most=_bound(rules.get("max")),
            )
        case "money":
            return fields.Money(
                required=required,
                least=int(_bound(rules.get("min")) or 0),
                most=int(_bound(rules.get("max")) or fields.GREATEST_FEN),
            )
        case "checkbox":
            return fields.Tick(required=required)
        case "yesno":
            return fields.YesNo(required=required)
        case "radio" | "select":
            return fields.Choice(required=required, values=lambda: _values(component))
        case "checklist":
            return fields.Choices(required=required, values=lambda: _values(component))
        case "datetime":
            return _datetime_field(component, required)
        case "filepicker":
            return fields.Files(required=required, multiple=component.given.get("multiple") is True)
        case "phone":
            return fields.Phone(required=required)
        case "email":
            return fields.Email(required=required)
        case "idnumber":
            return fields.IdNumber(required=required)
        case "uscc":
            return fields.Uscc(required=required)
        case _:
            return _text_field(component, required)


def _text_field(component: Component, required: bool) -> fields.Answered:
    rules = component.validate
    if rules.get("validationType") == "phone":
        return fields.Phone(required=required)
    if rules.get("validationType") == "email":
        return fields.Email(required=required)
    wrong = component.properties.get("pattern_says")
    return fields.Text(
        required=required,
        least=int(rules.get("minLength") or 0),
        most=int(rules.get("maxLength") or fields.LONGEST_TEXT),
        pattern=str(rules.get("pattern") or ""),
        pattern_says=Say(wrong, component.properties.get("pattern_says_en") or wrong) if wrong else words.PATTERN,
    )


def _datetime_field(component: Component, required: bool) -> fields.Answered:
    subtype = component.given.get("subtype", "date")
    today = _today if component.given.get("disallowPassedDates") is True else (lambda: None)
    if subtype == "time":
        return fields.TimeOfDay(required=required)
    return (fields.MomentOfDay if subtype == "datetime" else fields.Day)(required=required, today=today)


def _values(component: Component) -> list[str]:
    return [option.value for option in component.options_in(_reading.get())]


def _today() -> date | None:
    return fields.parse_date(_reading.get().get("today"))


def _bound(value: object) -> Decimal | None:
    return None if value in (None, "") else Decimal(str(value))
