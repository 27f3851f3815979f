"""The parts of a form as its designer wrote them, with their expressions compiled."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import feel
from forms import words as said
from forms.findings import Finding
from forms.words import Language

log = logging.getLogger(__name__)

#: Types that ask something, and the FEEL type of what they give.
INPUTS = {
    "textfield": "string",
    "textarea": "string",
    "number": "number",
    "checkbox": "boolean",
    "yesno": "boolean",
    "checklist": "list",
    "radio": "string",
    "select": "string",
    "datetime": "string",
    "filepicker": "list",
    "phone": "string",
    "email": "string",
    "idnumber": "string",
    "uscc": "string",
    "money": "number",
}
#: Types that only show something.
SHOWN = frozenset({"text", "table", "spacer", "separator"})
#: Types that hold others.
#: Groups and lists within each other that a person still finds the way in.
MAX_DEPTH = 10
HOLDERS = frozenset({"group", "dynamiclist"})
CHOICES = frozenset({"radio", "select", "checklist", "yesno"})

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class Option(NamedTuple):
    """One listed value and its word."""

    value: str
    label: str


class Piece(NamedTuple):
    """A stretch of a text block: words, or an expression whose value stands there."""

    text: str
    expression: "feel.Expression | None"


@dataclass(frozen=True)
class Component:
    """One part of a form. ``key`` is where its value is kept; what only shows something has none."""

    type: str
    id: str
    key: str
    given: Mapping[str, Any]
    english: Mapping[str, Any]
    hide: "feel.Expression | None" = None
    source: "feel.Expression | None" = None
    options: tuple[Option, ...] = ()
    children: "tuple[Component, ...]" = ()
    pieces: Mapping[str, tuple[Piece, ...]] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """Whether somebody fills this in."""
        return self.type in INPUTS

    @property
    def validate(self) -> Mapping[str, Any]:
        """The rules as form-js writes them."""
        return cast(Mapping[str, Any], self.given.get("validate") or {})

    @property
    def required(self) -> bool:
        """Whether it must be filled in where it is shown."""
        return self.validate.get("required") is True

    @property
    def properties(self) -> Mapping[str, str]:
        """What the designer noted beside it, for example its article."""
        return cast(Mapping[str, str], self.given.get("properties") or {})

    @property
    def opens_scope(self) -> bool:
        """Whether its children keep their values below its own key."""
        return self.type == "dynamiclist" or (self.type == "group" and bool(self.key))

    def words(self, what: str, language: Language) -> str:
        """The label, description or other words, in English where English words exist."""
        if language == "en" and what in self.english:
            return str(self.english[what])
        return str(self.given.get(what) or "")

    def options_in(self, scope: Mapping[str, object], language: Language = "zh") -> tuple[Option, ...]:
        """The listed values; those that come from the case are read from ``scope``."""
        if self.source is None or self.type not in CHOICES:
            english = cast(Mapping[str, str], self.english.get("values") or {}) if language == "en" else {}
            if language == "en" and self.type == "yesno" and not self.given.get("values"):
                english = {"true": said.YES.en, "false": said.NO.en}
            return tuple(Option(o.value, str(english.get(o.value, o.label))) for o in self.options)
        listed = evaluate(self.source, scope, self.id)
        return tuple(_option(entry) for entry in listed) if isinstance(listed, list) else ()

    def walk(self) -> "Iterator[Component]":
        """This and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def evaluate(expression: "feel.Expression", scope: Mapping[str, object], element: str) -> object:
    """The value, or None where it cannot be had: a form that somebody needs is never refused for that."""
    try:
        return expression.evaluate(scope)
    except feel.FeelError as error:
        log.warning("expression of form component %s gave no value: %s", element, error)
        return None


def is_hidden(component: Component, scope: Mapping[str, object]) -> bool:
    """Whether the condition hides it. What cannot be decided is shown."""
    return component.hide is not None and evaluate(component.hide, scope, component.id) is True


class Reader:
    """Turns form-js JSON into components and collects what is wrong with it."""

    def __init__(self, english: Mapping[str, Any]) -> None:
        self.english = english
        self.findings: list[Finding] = []
        self._ids: set[str] = set()
        self._depth = 0

    def read(self, given: object, path: str = "") -> tuple[Component, ...]:
        """Read a list of components. ``path`` is the scope that keeps their values."""
        if not isinstance(given, list):
            self._find("", "form.components", "表单没有 components 列表。", "The form has no list of components.")
            return ()
        read = [self._component(one, path) for one in given if self._is_component(one)]
        self._refuse_duplicates(read, path)
        return tuple(read)

    def _is_component(self, given: object) -> bool:
        if isinstance(given, dict) and isinstance(given.get("type"), str):
            return True
        self._find("", "form.component", "有一个组件没有类型。", "A component has no type.")
        return False

    def _component(self, given: Mapping[str, Any], path: str) -> Component:
        kind = given["type"]
        element = str(given.get("id") or given.get("key") or kind)
        if element in self._ids:
            self._find(
                element,
                "form.duplicate_id",
                f"有两个组件的编号都是“{element}”。",
                f"Two components share the id “{element}”.",
            )
        self._ids.add(element)
        if kind not in INPUTS and kind not in SHOWN and kind not in HOLDERS:
            self._refuse_type(element, kind)
        key = self._key(given, element, kind)
        children = self._children(given, element, key or path) if kind in HOLDERS else ()
        english = self.english.get(element, {})
        if isinstance(english, str):
            english = {"text" if kind == "text" else "label": english}
        self._check_words(given, element, kind)
        self._check_rules(given, element, kind)
        return Component(
            type=kind,
            id=element,
            key=key,
            given=given,
            english=english,
            hide=self._expression((given.get("conditional") or {}).get("hide"), element),
            source=self._source(given, element, kind),
            options=self._options(given, element, kind),
            children=children,
            pieces=self._texts(given, english, element) if kind == "text" else {},
        )

    def _children(self, given: Mapping[str, Any], element: str, path: str) -> tuple[Component, ...]:
        if self._depth >= MAX_DEPTH:
            self._find(
                element,
                "form.too_deep",
                f"组和列表套了超过 {MAX_DEPTH} 层。",
                f"Groups and lists stand more than {MAX_DEPTH} deep in each other.",
            )
            return ()
        self._depth += 1
        children = self.read(given.get("components", []), path)
        self._depth -= 1
        return children

    def _key(self, given: Mapping[str, Any], element: str, kind: str) -> str:
        key = str(given.get("path" if kind in HOLDERS else "key") or "")
        if not key and (kind in INPUTS or kind == "dynamiclist"):
            self._find(
                element,
                "form.no_key",
                f"“{element}”没有键名，答案没有地方放。",
                f"“{element}” has no key, so its answer has no place.",
            )
        if key and kind not in SHOWN and not _KEY.fullmatch(key):
            self._find(
                element,
                "form.bad_key",
                f"键名“{key}”只能用字母、数字和下划线，以字母开头。",
                f"The key “{key}” may only hold letters, digits and underscores, starting with a letter.",
            )
        return "" if kind in SHOWN else key

    def _refuse_type(self, element: str, kind: str) -> None:
        if kind in ("html", "iframe"):
            zh, en = "不能放网页代码，请改用文字块。", "Markup is not taken; use a text block."
        elif kind == "button":
            zh, en = "按钮由页面给出，请删去。", "The page draws the buttons; remove this one."
        else:
            zh, en = f"没有“{kind}”这种组件。", f"There is no component of type “{kind}”."
        self._find(element, "form.unknown_type", zh, en)

    def _check_words(self, given: Mapping[str, Any], element: str, kind: str) -> None:
        if (kind in INPUTS or kind in ("table", "dynamiclist")) and not given.get("label"):
            self._find(
                element,
                "form.no_label",
                f"“{element}”没有标签，用读屏的人不知道填什么。",
                f"“{element}” has no label; who listens to the page cannot know what to fill in.",
            )
        if given.get("readonly") or given.get("disabled"):
            self._find(
                element,
                "form.read_only",
                f"“{element}”是只读的：只给人看的内容请用文字块或者表格。",
                f"“{element}” is read-only: show such content in a text block or a table.",
            )

    def _check_rules(self, given: Mapping[str, Any], element: str, kind: str) -> None:
        rules = given.get("validate") or {}
        for rule in ("min", "max", "minLength", "maxLength"):
            if rule in rules and not (isinstance(rules[rule], int | float) or _is_number(rules[rule])):
                self._find(element, "form.bad_rule", f"“{rule}”要填数字。", f"“{rule}” must be a number.")
        try:
            re.compile(str(rules.get("pattern") or ""))
        except re.error as error:
            self._find(element, "form.bad_rule", f"pattern 不能用：{error}", f"The pattern cannot be used: {error}")
        if kind == "datetime" and given.get("subtype", "date") not in ("date", "time", "datetime"):
            self._find(
                element,
                "form.bad_rule",
                "subtype 只能是 date、time、datetime。",
                "The subtype must be date, time or datetime.",
            )

    def _source(self, given: Mapping[str, Any], element: str, kind: str) -> "feel.Expression | None":
        if kind in CHOICES:
            return self._expression(given.get("valuesExpression") or given.get("valuesKey"), element)
        if kind == "table":
            if not given.get("columns"):
                self._find(element, "form.no_columns", "表格没有列。", "The table has no columns.")
            return self._expression(given.get("dataSource"), element)
        return None

    def _options(self, given: Mapping[str, Any], element: str, kind: str) -> tuple[Option, ...]:
        if kind not in CHOICES:
            return ()
        listed = given.get("values")
        if kind == "yesno":
            listed = listed or [{"value": True, "label": said.YES.zh}, {"value": False, "label": said.NO.zh}]
            if [entry.get("value") for entry in listed if isinstance(entry, Mapping)] != [True, False]:
                self._find(
                    element,
                    "form.yes_no",
                    "是否题只有两个选项，先 true 后 false。",
                    "A yes-or-no question has two options, true first, then false.",
                )
        if not listed and not (given.get("valuesExpression") or given.get("valuesKey")):
            self._find(
                element, "form.no_values", f"“{element}”没有可选的项。", f"“{element}” has nothing to choose from."
            )
        options = tuple(_option(entry) for entry in listed or ())
        if len({o.value for o in options}) < len(options):
            self._find(element, "form.duplicate_value", "有两个选项的值相同。", "Two options share one value.")
        return options

    def _texts(
        self, given: Mapping[str, Any], english: Mapping[str, Any], element: str
    ) -> dict[str, tuple[Piece, ...]]:
        texts = {"zh": str(given.get("text") or "")}
        if "text" in english:
            texts["en"] = str(english["text"])
        return {language: self._pieces(text, element) for language, text in texts.items()}

    def _pieces(self, text: str, element: str) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        at = 0
        for match in _TEMPLATE.finditer(text):
            pieces.append(Piece(text[at : match.start()], None))
            if match[1].strip()[:1] in ("#", "/"):
                self._find(
                    element, "form.template", f"文字块里不能用{match[0]}。", f"A text block cannot use {match[0]}."
                )
            else:
                pieces.append(Piece("", self._expression(match[1], element)))
            at = match.end()
        pieces.append(Piece(text[at:], None))
        return tuple(piece for piece in pieces if piece.text or piece.expression)

    def _expression(self, text: object, element: str) -> "feel.Expression | None":
        if not isinstance(text, str) or not text.strip():
            return None
        try:
            expression = feel.compile(text.strip().removeprefix("="))
            for trouble in feel.check_portable(expression):
                self._warn(element, "form.not_portable", f"“{text}”：{trouble.zh}", f"“{text}”: {trouble.en}")
            return expression
        except feel.FeelError as error:
            self._find(
                element,
                "form.expression",
                f"表达式“{text}”不能用：{error.zh}",
                f"The expression “{text}” does not compile: {error}",
            )
            return None

    def _refuse_duplicates(self, read: Sequence[Component], path: str) -> None:
        seen: set[str] = set()
        for component in in_scope(read):
            if component.key and component.key in seen:
                self._find(
                    component.id,
                    "form.duplicate_key",
                    f"键名“{component.key}”用了两次，后面的会盖住前面的。",
                    f"The key “{component.key}” is used twice; one would hide the other.",
                )
            seen.add(component.key)

    def _find(self, element: str, code: str, zh: str, en: str) -> None:
        self._note(Finding(element, code, "error", zh, en))

    def _warn(self, element: str, code: str, zh: str, en: str) -> None:
        self._note(Finding(element, code, "warning", zh, en))

    def _note(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)


def in_scope(components: Sequence[Component]) -> Iterator[Component]:
    """The components whose values are kept side by side: groups without a path are looked into."""
    for component in components:
        yield component
        if not component.opens_scope:
            yield from in_scope(component.children)


def _option(entry: object) -> Option:
    if isinstance(entry, Mapping):
        value = entry.get("value", "")
        value = str(value).lower() if isinstance(value, bool) else str(value)
        return Option(value, str(entry.get("label") or value))
    return Option(str(entry), str(entry))


def _is_number(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value) is not None
