"""A form as HTML: the look's fields, errors above, help below, what was typed kept."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from core.now import CHINA
from forms import fields, words
from forms.components import CHOICES, Component, Piece, evaluate
from forms.loading import Scope, is_empty, scope_data, visible
from forms.markdown import hold, to_html
from forms.words import Language

if TYPE_CHECKING:
    from forms.compiling import Form

_WEEKDAYS = "一二三四五六日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: What a browser should offer to fill in and which keyboard to show, by component type.
_KEYBOARD = {"number": "numeric", "money": "decimal", "phone": "tel", "email": "email"}
_AUTOFILL = {"phone": "tel", "email": "email"}
#: What is said of a file of which only the id is known.
_NO_FILE = {"name": "", "note": "", "url": ""}
_LENGTHS = {"idnumber": 18, "uscc": 18, "phone": 20}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("forms"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = words
    return environment


class _Drawing:
    """One rendering: the language, the errors, the files known, and where to ask again."""

    def __init__(
        self,
        errors: Mapping[str, list[str]],
        language: Language,
        recheck_url: str,
        upload_url: str,
        files: Mapping[str, Mapping[str, str]],
        title: str,
    ) -> None:
        self.errors, self.language = errors, language
        self.recheck_url, self.upload_url, self.files = recheck_url, upload_url, files
        self.title = title

    def scope(
        self,
        scope: Scope,
        tops: Sequence[Component],
        values: Mapping[str, Any],
        context: Mapping[str, Any],
        path: str,
    ) -> list[dict[str, Any]]:
        values = {**_defaults(scope), **values}
        shown = visible(scope, values, context)
        data = scope_data(scope, values, context, shown)
        return self._lines([self._part(c, scope, values, data, shown, path) for c in tops if c.id in shown])

    def _lines(self, parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Parts that the designer put in one row of the layout stand beside each other."""
        lines: list[dict[str, Any]] = []
        for part in parts:
            row = part["row"]
            if row and lines and lines[-1]["kind"] == "line" and lines[-1]["row"] == row:
                lines[-1]["parts"].append(part)
            else:
                lines.append({"kind": "line", "row": row, "parts": [part]})
        return lines

    def _part(
        self,
        component: Component,
        scope: Scope,
        values: Mapping[str, Any],
        data: Mapping[str, Any],
        shown: frozenset[str],
        path: str,
    ) -> dict[str, Any]:
        say = self.language
        name = f"{path}{component.key}" if component.key else f"{path}{component.id}"
        layout = component.given.get("layout") or {}
        part: dict[str, Any] = {
            "kind": "radio" if component.type == "yesno" else component.type,
            "id": f"f-{name.replace('.', '-')}",
            "name": name,
            "label": component.words("label", say),
            "help": component.words("description", say),
            "required": component.required,
            "errors": self.errors.get(name, []),
            "row": layout.get("row") if layout.get("columns") else None,
            "article": component.properties.get("article", ""),
        }
        match component.type:
            case "text":
                said, values_said = _text(_pieces(component, say), data, component.id, say)
                part["html"] = to_html(_without_title(said, self.title), values_said)
            case "table":
                part |= _table(component, data, say)
            case "group" if component.opens_scope:
                below = scope.below[component.key][1]
                inner = values.get(component.key)
                part["parts"] = self.scope(
                    below, below.tops, inner if isinstance(inner, Mapping) else {}, data, f"{name}."
                )
            case "group":
                inside = [c for c in component.children if c.id in shown]
                part["parts"] = self._lines([self._part(c, scope, values, data, shown, path) for c in inside])
            case "dynamiclist":
                part |= self._rows(component, scope, values, data, name)
            case _ if component.asks:
                part |= self._input(component, values.get(component.key), data)
        return part

    def _rows(
        self,
        component: Component,
        scope: Scope,
        values: Mapping[str, Any],
        data: Mapping[str, Any],
        name: str,
    ) -> dict[str, Any]:
        given = values.get(component.key)
        rows = [row if isinstance(row, Mapping) else {} for row in given] if isinstance(given, list) else []
        if not rows:
            rows = [{}] * int(component.given.get("defaultRepetitions") or 1)
        below = scope.below[component.key][1]
        return {
            "rows": [self.scope(below, below.tops, row, data, f"{name}.{n}.") for n, row in enumerate(rows)],
            "may_add": component.given.get("allowAddRemove", True) is not False and len(rows) < fields.MOST_ENTRIES,
        }

    def _input(self, component: Component, value: Any, data: Mapping[str, Any]) -> dict[str, Any]:
        kind, say = component.type, self.language
        asked: dict[str, Any] = {
            "value": _typed(component, value),
            "checked": value is True,
            "keyboard": _KEYBOARD.get(kind, ""),
            "autofill": _AUTOFILL.get(kind, ""),
            "longest": _LENGTHS.get(kind) or component.validate.get("maxLength") or "",
            "subtype": component.given.get("subtype", "date"),
            "multiple": component.given.get("multiple") is True,
            "accept": component.given.get("accept") or "",
            "suffix": words.YUAN(say) if kind == "money" else "",
        }
        if kind == "number":
            asked["keyboard"] = "decimal" if component.given.get("decimalDigits") else "numeric"
        if component.type in CHOICES:
            chosen = _chosen(value)
            asked["options"] = [
                {"value": o.value, "label": o.label, "chosen": o.value in chosen, "n": n}
                for n, o in enumerate(component.options_in(data, say))
            ]
        if kind == "filepicker":
            ids = value if isinstance(value, list) else [value] if value else []
            asked["files"] = [{**_NO_FILE, **self.files.get(str(i), {}), "id": str(i)} for i in ids]
        return asked


def render(
    form: "Form",
    values: Mapping[str, Any],
    context: Mapping[str, Any],
    *,
    errors: Mapping[str, list[str]],
    language: Language,
    recheck_url: str,
    upload_url: str,
    files: Mapping[str, Mapping[str, str]],
    only: frozenset[str] | None,
    title: str,
) -> Markup:
    """See ``Form.render``."""
    drawing = _Drawing(errors, language, recheck_url, upload_url, files, title)
    tops = list(form.components) if only is None else _named(form.components, only)
    lines = drawing.scope(form.scope, tops, values, context, "")
    template = _environment().get_template("form.html")
    return Markup(  # noqa: S704 - the template escapes
        template.render(form=form, lines=lines, say=language, recheck_url=recheck_url, upload_url=upload_url)
    )


def summary(form: "Form", errors: Mapping[str, list[str]], language: Language) -> Markup:
    """See ``Form.summary``."""
    if not errors:
        return Markup("")
    labels = {f.key: c.words("label", language) for f, c in zip(form.inputs, _asked(form), strict=True)}
    listed = [
        {
            "href": f"#f-{path.replace('.', '-')}",
            "label": labels.get(path.rsplit(".", 1)[-1], path),
            "says": says[0],
        }
        for path, says in errors.items()
        if says
    ]
    template = _environment().get_template("summary.html")
    title = words.SUMMARY(language).format(n=len(listed))
    return Markup(template.render(listed=listed, title=title))  # noqa: S704 - the template escapes


def describe(
    form: "Form", answer: Mapping[str, Any], context: Mapping[str, Any], language: Language
) -> list[tuple[str, str]]:
    """See ``Form.describe``."""
    return _describe(form.scope, answer, context, language)


def _describe(
    scope: Scope, answer: Mapping[str, Any], context: Mapping[str, Any], language: Language
) -> list[tuple[str, str]]:
    data = {**context, **answer}
    said: list[tuple[str, str]] = []
    for component in scope.components:
        value = answer.get(component.key) if component.key else None
        if component.asks and not (value is None or value in ("", [])):
            said.append((component.words("label", language), _in_words(component, value, data, language)))
        elif component.opens_scope and isinstance(value, Mapping):
            said += _describe(scope.below[component.key][1], value, data, language)
        elif component.opens_scope and isinstance(value, list):
            for row in value:
                said += _describe(scope.below[component.key][1], row, data, language)
    return said


def _in_words(component: Component, value: Any, data: Mapping[str, Any], language: Language) -> str:
    if component.type in CHOICES:
        labels = {o.value: o.label for o in component.options_in(data, language)}
        chosen = _chosen(value)
        return ("、" if language == "zh" else ", ").join(labels.get(v, v) for v in chosen)
    if component.type == "money" and isinstance(value, int):
        return fields.yuan(value)
    if component.type == "filepicker" and isinstance(value, list):
        return f"{len(value)}个文件" if language == "zh" else f"{len(value)} files"
    if component.type == "datetime":
        return say_value(_temporal(component, value) or value, language)
    return say_value(value, language)


def _chosen(value: Any) -> list[str]:
    """The chosen values as options carry them: text, ``true`` and ``false`` for yes and no."""
    chosen = value if isinstance(value, list) else [value]
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in chosen]


def _temporal(component: Component, value: Any) -> date | datetime | None:
    if component.given.get("subtype", "date") == "datetime":
        return fields.parse_moment(value)
    return fields.parse_date(value) if component.given.get("subtype", "date") == "date" else None


def say_value(value: object, language: Language) -> str:
    """A value as people write it: 9月29日 周二, 1,599, 是."""
    zh = language == "zh"
    match value:
        case None:
            return ""
        case bool():
            return (words.YES if value else words.NO)(language)
        case datetime():
            local = value.astimezone(CHINA) if value.tzinfo else value
            return f"{say_value(local.date(), language)} {local:%H:%M}"
        case date():
            if zh:
                return f"{value.month}月{value.day}日 周{_WEEKDAYS[value.weekday()]}"
            return f"{_WEEKDAYS_EN[value.weekday()]} {value.day} {_MONTHS_EN[value.month - 1]} {value.year}"
        case time():
            return value.strftime("%H:%M")
        case int() | float() | Decimal():
            return _number(value)
        case list() | tuple():
            return ("、" if zh else ", ").join(say_value(entry, language) for entry in value)
        case _:
            return str(value)


def _number(value: int | float | Decimal) -> str:
    exact = Decimal(str(value))
    return f"{exact:,f}" if exact != exact.to_integral_value() else f"{int(exact):,}"


def _text(
    pieces: Sequence[Piece], data: Mapping[str, Any], element: str, language: Language
) -> tuple[str, list[str]]:
    """The block with a mark at each expression, and the values for the marks."""
    text = ""
    values: list[str] = []
    for piece in pieces:
        if piece.expression is None:
            text += piece.text
        else:
            text += hold(len(values))
            values.append(say_value(_dated(evaluate(piece.expression, data, element)), language))
    return text, values


def _pieces(component: Component, language: Language) -> Sequence[Piece]:
    return component.pieces.get(language) or component.pieces["zh"]


def _without_title(text: str, title: str) -> str:
    """The block without a first heading that says what the page's heading says."""
    first, _, rest = text.lstrip().partition("\n")
    return rest if title and first.lstrip("#").strip() == title and first.startswith("#") else text


def _named(components: Sequence[Component], only: frozenset[str]) -> list[Component]:
    """The components of these ids, groups without a path looked into."""
    found: list[Component] = []
    for component in components:
        if component.id in only:
            found.append(component)
        elif not component.opens_scope:
            found += _named(component.children, only)
    return found


def _dated(value: object) -> object:
    """Dates travel through a case as ISO text; a person reads them as dates."""
    if isinstance(value, str) and len(value) >= 10 and value[4:5] == "-" and value[7:8] == "-":
        return (fields.parse_moment(value) if len(value) > 10 else fields.parse_date(value)) or value
    return value


def _table(component: Component, data: Mapping[str, Any], language: Language) -> dict[str, Any]:
    rows = evaluate(component.source, data, component.id) if component.source else None
    english = component.english.get("columns") or {}
    columns = [
        (
            str(c.get("key") or ""),
            str(english.get(c.get("key"), c.get("label") or "") if language == "en" else c.get("label") or ""),
        )
        for c in component.given.get("columns") or ()
    ]
    listed = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return {
        "head": [label for _, label in columns],
        "body": [[say_value(_dated(row.get(key)), language) for key, _ in columns] for row in listed],
    }


def _defaults(scope: Scope) -> dict[str, Any]:
    return {
        key: component.given["defaultValue"]
        for key, component in scope.asked.items()
        if component.given.get("defaultValue") not in (None, "")
    }


def _typed(component: Component, value: Any) -> str:
    """What stands in the control: what was typed, or a kept value in the form that people type."""
    if is_empty(value) or isinstance(value, list | Mapping):
        return "0" if value == 0 and value is not False and value is not None else ""
    if component.type == "money" and isinstance(value, int):
        return f"{value // 100}" if value % 100 == 0 else f"{value // 100}.{value % 100:02d}"
    if component.type == "datetime":
        return _typed_moment(component, value)
    return str(value)


def _typed_moment(component: Component, value: Any) -> str:
    readers: dict[str, Callable[[object], Any]] = {
        "date": fields.parse_date,
        "time": fields.parse_time,
        "datetime": fields.parse_moment,
    }
    subtype = component.given.get("subtype", "date")
    moment = readers[subtype](value)
    if moment is None:
        return str(value)
    if subtype == "datetime":
        return str(moment.astimezone(CHINA).strftime("%Y-%m-%dT%H:%M"))
    return str(moment.strftime("%H:%M") if subtype == "time" else moment.isoformat())


def _asked(form: "Form") -> list[Component]:
    return [c for top in form.components for c in top.walk() if c.asks]
