"""Differences of forms: fields by their ids and keys, and everything that the form's file says about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from disputes.releases.differences import words
from disputes.releases.differences.words import Difference, Found, Name, read_json

#: What the file says about itself and not about the form.
_ABOUT = frozenset({"components", "schemaVersion", "exporter", "executionPlatform", "executionPlatformVersion"})
#: What a component says about its place on the page, and what is told otherwise.
_PLACE = frozenset({"layout", "components", "id", "values"})

_LABELS: Mapping[str, Name] = {
    "type": Name("类型", "type"),
    "key": Name("字段名", "key"),
    "label": Name("标题", "label"),
    "text": Name("文字", "text"),
    "description": Name("说明", "description"),
    "conditional.hide": Name("隐藏条件", "condition that hides it"),
    "validate.required": Name("必填", "being required"),
    "validate.minLength": Name("最少字数", "least length"),
    "validate.maxLength": Name("最多字数", "greatest length"),
    "validate.min": Name("最小值", "least value"),
    "validate.max": Name("最大值", "greatest value"),
    "validate.pattern": Name("格式", "pattern"),
    "validate.validationType": Name("格式", "kind of text"),
    "valuesExpression": Name("选项来源", "source of options"),
    "valuesKey": Name("选项来源", "source of options"),
    "defaultValue": Name("默认值", "default"),
    "multiple": Name("可多个", "taking several"),
    "path": Name("路径", "path"),
}


def compare(found: Found, changed: list[str]) -> Iterator[Difference]:
    """The differences of the forms in changed files."""
    for path in changed:
        yield from _Form(found, path).all()


@dataclass
class _Form:
    found: Found
    path: str

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2].removesuffix(".form")

    def all(self) -> Iterator[Difference]:
        old, new = read_json(self.found.before.get(self.path)), read_json(self.found.after.get(self.path))
        title = Name(self.id, self.id)
        if not isinstance(old, dict) or not isinstance(new, dict):
            yield self._whole(isinstance(old, dict), isinstance(new, dict))
            return
        for key in sorted((old.keys() | new.keys()) - _ABOUT):
            if old.get(key) != new.get(key):
                yield self._change("", title, key, Name(key, key), old.get(key), new.get(key))
        before, after = dict(_components(old)), dict(_components(new))
        for id, (component, place) in after.items():
            if id not in before:
                name = self._name(component)
                kind = component.get("type", "")
                zh = f"表单“{self.id}”新增{_asks(component).zh}“{name.zh}”（{kind}）。"
                en = f'New {_asks(component).en} "{name.en}" ({kind}) in the form "{self.id}".'
                yield self._say(id, name, "added", None, kind, zh, en)
            elif before[id][1] != place:
                name = self._name(component)
                one, other = words.quoted(before[id][1]), words.quoted(place)
                zh = f"表单“{self.id}”的“{name.zh}”由{one.zh}移到{other.zh}里。"
                en = f'"{name.en}" in the form "{self.id}" moved from {one.en} into {other.en}.'
                yield self._say(id, name, "moved", before[id][1], place, zh, en)
        for id, (component, _) in before.items():
            name = self._name(component)
            if id in after:
                yield from self._component(id, self._name(after[id][0]), component, after[id][0])
            else:
                zh = f"表单“{self.id}”删去{_asks(component).zh}“{name.zh}”。"
                en = f'The {_asks(component).en} "{name.en}" of the form "{self.id}" is gone.'
                yield self._say(id, name, "removed", component.get("type", ""), None, zh, en)
        orders = [[id for id in side if id in before and id in after] for side in (before, after)]
        if orders[0] != orders[1]:
            said = ["、".join(self._name(after[id][0]).zh for id in order) for order in orders]
            yield self._change("", title, "order", Name("次序", "order of fields"), said[0], said[1])

    def _name(self, component: Mapping[str, Any]) -> Name:
        shown = str(component.get("label") or component.get("key") or component.get("text") or "")
        id = str(component.get("id") or component.get("key") or "")
        name = self.found.name(self.path, id, words.short(shown.lstrip("# ")))
        return Name(words.short(name.zh), words.short(name.en))

    def _whole(self, old: bool, new: bool) -> Difference:
        name = Name(self.id, self.id)
        if new and not old:
            return self._say("", name, "added", None, self.id, f"新增表单“{self.id}”。", f'New form "{self.id}".')
        if old and not new:
            return self._say(
                "", name, "removed", self.id, None, f"删去表单“{self.id}”。", f'The form "{self.id}" is gone.'
            )
        zh, en = f"表单“{self.id}”改了，读不出内容。", f'The form "{self.id}" changed and cannot be read.'
        return self._say("", name, "file", None, None, zh, en)

    def _component(
        self, id: str, name: Name, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Iterator[Difference]:
        before, after = _flat(old), _flat(new)
        for key in [*before, *(key for key in after if key not in before)]:
            if before.get(key) != after.get(key):
                if key == "validate.required":
                    yield self._required(id, name, after.get(key) is True)
                else:
                    label = _LABELS.get(key, Name(key, key))
                    yield self._change(id, name, key, label, before.get(key), after.get(key))
        yield from self._options(id, name, old.get("values"), new.get("values"))

    def _required(self, id: str, name: Name, now: bool) -> Difference:
        zh = f"表单“{self.id}”的“{name.zh}”改为{'必填' if now else '可以不填'}。"
        en = f'"{name.en}" in the form "{self.id}" is {"required" if now else "optional"} now.'
        return self._say(id, name, "required", not now, now, zh, en)

    def _options(self, id: str, name: Name, old: Any, new: Any) -> Iterator[Difference]:
        if old == new:
            return
        before, after = _listed(old), _listed(new)
        for value in after:
            if value not in before:
                zh = f"表单“{self.id}”的“{name.zh}”新增选项“{after[value]}”。"
                en = f'New option "{after[value]}" of "{name.en}" in the form "{self.id}".'
                yield self._say(id, name, "option_added", None, value, zh, en)
            elif before[value] != after[value]:
                zh = f"表单“{self.id}”的“{name.zh}”的选项“{before[value]}”改为“{after[value]}”。"
                en = f'The option "{before[value]}" of "{name.en}" in the form "{self.id}" is "{after[value]}" now.'
                yield self._say(id, name, "option", before[value], after[value], zh, en)
        for value in before:
            if value not in after:
                zh = f"表单“{self.id}”的“{name.zh}”删去选项“{before[value]}”。"
                en = f'The option "{before[value]}" of "{name.en}" in the form "{self.id}" is gone.'
                yield self._say(id, name, "option_removed", value, None, zh, en)
        orders = [[value for value in side if value in before and value in after] for side in (before, after)]
        if orders[0] != orders[1] or (before == after and list(before) == list(after)):
            yield self._change(
                id,
                name,
                "option_order",
                Name("选项", "options"),
                "、".join(before.values()),
                "、".join(after.values()),
            )

    def _change(self, id: str, name: Name, what: str, label: Name, before: Any, after: Any) -> Difference:
        feel = what.startswith("conditional") or what in ("valuesExpression", "expression")
        quote = words.condition if feel else words.quoted
        one, other = quote(before), quote(after)
        of = (f"表单“{self.id}”的“{name.zh}”", f'"{name.en}" in the form "{self.id}"')
        if not id:
            of = (f"表单“{self.id}”", f'the form "{self.id}"')
        zh = f"{of[0]}的{label.zh}{words.changed(one, other)}。"
        en = f"The {label.en} of {of[1]} changed from {one.en} to {other.en}."
        return self._say(id, name, what, before, after, zh, en)

    def _say(self, element: str, name: Name, what: str, before: Any, after: Any, zh: str, en: str) -> Difference:
        return Difference(self.path, self.id, element, name.zh, "form", what, before, after, zh, en)


def _components(form: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, tuple[Mapping[str, Any], str]]]:
    """Id → component and the id of what holds it, in the order of the form."""
    listed = form.get("components")
    for number, component in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(component, dict):
            id = str(component.get("id") or component.get("key") or f"{place}/{number}")
            yield id, (component, place)
            yield from _components(component, id)


def _flat(component: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Attributes as ``validate.required``; false and absent are the same."""
    found: dict[str, Any] = {}
    for key, value in component.items():
        if not prefix and key in _PLACE:
            continue
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        elif value not in (None, False, ""):
            found[f"{prefix}{key}"] = value
    return found


def _listed(values: Any) -> dict[str, str]:
    listed = [entry for entry in values if isinstance(entry, dict)] if isinstance(values, list) else []
    return {str(entry.get("value")): str(entry.get("label", entry.get("value"))) for entry in listed}


def _asks(component: Mapping[str, Any]) -> Name:
    return Name("字段", "field") if component.get("key") else Name("内容", "block")
