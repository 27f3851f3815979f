"""Differences of decisions: rules by their ids and then by what they say, columns by their expressions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from disputes.releases.differences import words
from disputes.releases.differences.words import Difference, Found, Name

#: Parts of a file that say how it is drawn.
_DRAWN = frozenset({"DMNDI", "extensionElements"})
#: Ids say which is which, not what is decided; references to them do.
_NAMELESS = frozenset({"id", "exporter", "exporterVersion"})


def compare(found: Found, changed: list[str]) -> Iterator[Difference]:
    """The differences of the decisions in changed files."""
    for path in changed:
        old, new = _read(found.before.get(path)), _read(found.after.get(path))
        if old is None or new is None:
            yield _file(path, old, new)
            continue
        yield from _File(found, path, old, new).all()


def _file(path: str, old: etree._Element | None, new: etree._Element | None) -> Difference:
    stem = path.rpartition("/")[2]
    if new is not None:
        what, zh, en = "added", f"新增决策文件 {stem}。", f"New file of decisions {stem}."
    elif old is not None:
        what, zh, en = "removed", f"删去决策文件 {stem}。", f"The file of decisions {stem} is gone."
    else:
        what, zh, en = "file", f"决策文件 {stem} 改了，读不出内容。", f"The file {stem} changed and cannot be read."
    return Difference(path, "", "", stem, "decision", what, None, None, zh, en)


def _read(content: bytes | None) -> etree._Element | None:
    if content is None:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _tag(node: etree._Element) -> str:
    return etree.QName(node).localname


def _children(node: etree._Element | None, *tags: str) -> list[etree._Element]:
    return [] if node is None else [child for child in node if _tag(child) in tags]


def _child(node: etree._Element | None, tag: str) -> etree._Element | None:
    return next(iter(_children(node, tag)), None)


def _text(node: etree._Element | None, tag: str = "") -> str:
    """The text of a node, or of its child's ``<text>``."""
    if tag:
        node = _child(node, tag)
        inside = _child(node, "text")
        node = inside if inside is not None else node
    return "" if node is None else "".join(str(part) for part in node.itertext()).strip()


def meaning(node: etree._Element) -> Any:
    """What a node says, without ids, widths, positions and white space."""
    attributes = {
        key: value for key, value in node.attrib.items() if not str(key).startswith("{") and key not in _NAMELESS
    }
    inside = [meaning(child) for child in node if _tag(child) not in _DRAWN]
    return [_tag(node), sorted(attributes.items()), (node.text or "").strip(), inside]


@dataclass
class _File:
    found: Found
    path: str
    old: etree._Element
    new: etree._Element

    def all(self) -> Iterator[Difference]:
        before, after = self._parts(self.old), self._parts(self.new)
        for id in [*before, *(id for id in after if id not in before)]:
            old, new = before.get(id), after.get(id)
            if old is None or new is None:
                yield self._whole(id, old, new)
            elif _tag(old) == _tag(new) == "decision":
                yield from _Decision(self, id, old, new).all()
            elif meaning(old) != meaning(new):
                yield self._generic(id, new)
        if _heads(self.old) != _heads(self.new):
            yield self._generic("", self.new)

    def _parts(self, root: etree._Element) -> dict[str, etree._Element]:
        parts = [child for child in root if _tag(child) not in _DRAWN]
        return {
            child.get("id") or f"{_tag(child)}:{child.get('name', number)}": child
            for number, child in enumerate(parts)
        }

    def name(self, id: str, node: etree._Element) -> Name:
        return self.found.name(self.path, id, node.get("name", ""))

    def _whole(self, id: str, old: etree._Element | None, new: etree._Element | None) -> Difference:
        node = new if new is not None else old
        assert node is not None
        name, kind = self.name(id, node), _KINDS.get(_tag(node), Name(_tag(node), _tag(node)))
        if old is None:
            return self.say(
                id, "", name, "added", None, id, f"新增{kind.zh}“{name.zh}”。", f'New {kind.en} "{name.en}".'
            )
        return self.say(
            id, "", name, "removed", id, None, f"删去{kind.zh}“{name.zh}”。", f'The {kind.en} "{name.en}" is gone.'
        )

    def _generic(self, id: str, node: etree._Element) -> Difference:
        name = self.name(id, node)
        return self.say(
            id,
            "",
            name,
            "definition",
            None,
            None,
            f"“{name.zh}”的定义改了。",
            f'The definition of "{name.en}" changed.',
        )

    def say(
        self, of: str, element: str, name: Name, what: str, before: Any, after: Any, zh: str, en: str
    ) -> Difference:
        return Difference(self.path, of, element, name.zh, "decision", what, before, after, zh, en)


def _heads(root: etree._Element) -> Any:
    """The definitions without what they hold."""
    return sorted((k, v) for k, v in root.attrib.items() if not str(k).startswith("{") and k not in _NAMELESS)


_KINDS: Mapping[str, Name] = {
    "decision": Name("决策", "decision"),
    "inputData": Name("输入数据", "input data"),
    "businessKnowledgeModel": Name("业务知识", "business knowledge model"),
    "itemDefinition": Name("数据类型", "item definition"),
    "knowledgeSource": Name("依据", "knowledge source"),
    "decisionService": Name("决策服务", "decision service"),
}

#: As the specification names them; the default is written as nothing.
_DEFAULT_POLICY = "UNIQUE"


@dataclass
class _Decision:
    file: _File
    id: str
    old: etree._Element
    new: etree._Element

    def all(self) -> Iterator[Difference]:
        found = list(self._told())
        if not found and meaning(self.old) != meaning(self.new):
            found.append(self.file._generic(self.id, self.new))
        yield from found

    @property
    def name(self) -> Name:
        return self.file.name(self.id, self.new)

    def _told(self) -> Iterator[Difference]:
        old, new = self.old, self.new
        if old.get("name") != new.get("name"):
            yield self._change("", "name", Name("名称", "name"), old.get("name", ""), new.get("name", ""))
        for tag, label in (
            ("description", Name("说明", "description")),
            ("question", Name("问题", "question")),
            ("allowedAnswers", Name("可能的回答", "allowed answers")),
        ):
            if _text(old, tag) != _text(new, tag):
                yield self._change("", "documentation", label, _text(old, tag), _text(new, tag))
        yield from self._requirements()
        types = [self._variable(node) for node in (old, new)]
        if types[0] != types[1]:
            yield self._change("", "variable", Name("结果变量", "result variable"), types[0], types[1])
        kinds = [self._logic(node) for node in (old, new)]
        if kinds[0] is None or kinds[1] is None or _tag(kinds[0]) != _tag(kinds[1]):
            said = [_LOGIC.get("" if node is None else _tag(node), Name("其他", "other")) for node in kinds]
            if (kinds[0] is None) != (kinds[1] is None) or kinds[0] is not None:
                zh = f"“{self.name.zh}”由{said[0].zh}改为{said[1].zh}。"
                en = f'"{self.name.en}" changed from {said[0].en} to {said[1].en}.'
                yield self.file.say(self.id, "", self.name, "logic", said[0].en, said[1].en, zh, en)
        elif _tag(kinds[0]) == "decisionTable":
            yield from _Table(self, kinds[0], kinds[1]).all()
        elif _tag(kinds[0]) == "literalExpression":
            texts = [_text(_child(node, "text")) for node in kinds if node is not None]
            if texts[0] != texts[1]:
                yield self._change("", "expression", Name("表达式", "expression"), texts[0], texts[1])
        elif meaning(kinds[0]) != meaning(kinds[1]):
            yield self.file._generic(self.id, self.new)

    def _change(self, element: str, what: str, label: Name, before: str, after: str) -> Difference:
        one, other = words.quoted(before), words.quoted(after)
        name = self.name
        return self.file.say(
            self.id,
            element,
            name,
            what,
            before,
            after,
            f"“{name.zh}”的{label.zh}{words.changed(one, other)}。",
            f'The {label.en} of "{name.en}" changed from {one.en} to {other.en}.',
        )

    def _variable(self, node: etree._Element) -> str:
        variable = _child(node, "variable")
        return "" if variable is None else " ".join(filter(None, (variable.get("name"), variable.get("typeRef"))))

    def _logic(self, node: etree._Element) -> etree._Element | None:
        return next((child for child in node if _tag(child) in _LOGIC), None)

    def _requirements(self) -> Iterator[Difference]:
        before, after = (
            {str(part.get("href", "")) for tag in _REQUIRED for need in _children(node, tag) for part in need}
            for node in (self.old, self.new)
        )
        for href in sorted(after - before):
            yield self._needs(href, True)
        for href in sorted(before - after):
            yield self._needs(href, False)

    def _needs(self, href: str, now: bool) -> Difference:
        target = href.lstrip("#")
        parts = {**self.file._parts(self.file.old), **self.file._parts(self.file.new)}
        said = self.file.name(target, parts[target]) if target in parts else Name(target, target)
        zh = f"“{self.name.zh}”{'新增' if now else '不再'}依赖“{said.zh}”。"
        en = f'"{self.name.en}" {"now" if now else "no longer"} depends on "{said.en}".'
        return self.file.say(
            self.id, "", self.name, "requirement", None if now else target, target if now else None, zh, en
        )


_REQUIRED = ("informationRequirement", "knowledgeRequirement", "authorityRequirement")
_LOGIC: Mapping[str, Name] = {
    "": Name("没有内容", "nothing"),
    "decisionTable": Name("决策表", "a decision table"),
    "literalExpression": Name("表达式", "an expression"),
    "context": Name("上下文", "a context"),
    "invocation": Name("调用", "an invocation"),
    "list": Name("列表", "a list"),
    "relation": Name("关系表", "a relation"),
    "functionDefinition": Name("函数", "a function"),
    "conditional": Name("条件", "a conditional"),
    "for": Name("循环", "an iteration"),
    "every": Name("全称判断", "an every"),
    "some": Name("存在判断", "a some"),
    "filter": Name("筛选", "a filter"),
}


@dataclass
class _Column:
    """An input or output of a table, with the facts that can change."""

    key: str
    id: str
    label: str
    facts: dict[str, str]


@dataclass
class _Rule:
    id: str
    number: int
    #: Column → cell.
    cells: dict[str, str]
    description: str
    #: Annotations, in order.
    notes: tuple[str, ...]


class _Table:
    def __init__(self, decision: _Decision, old: etree._Element, new: etree._Element | None) -> None:
        assert new is not None
        self.decision, self.old, self.new = decision, old, new
        self.name = decision.name

    def all(self) -> Iterator[Difference]:
        old, new = self.old, self.new
        policies = [node.get("hitPolicy") or _DEFAULT_POLICY for node in (old, new)]
        if policies[0] != policies[1]:
            yield self.decision._change("", "hit_policy", Name("命中策略", "hit policy"), policies[0], policies[1])
        for attribute, label in (
            ("aggregation", Name("汇总方式", "aggregation")),
            ("preferredOrientation", Name("排列方向", "orientation")),
            ("outputLabel", Name("输出名称", "output label")),
        ):
            if (old.get(attribute) or "") != (new.get(attribute) or ""):
                yield self.decision._change(
                    "", attribute, label, old.get(attribute) or "", new.get(attribute) or ""
                )
        same: dict[str, str] = {}
        for side, label in (("input", Name("输入列", "input")), ("output", Name("输出列", "output"))):
            yield from self._columns(side, label, same)
        notes = [tuple(_notes_head(node)) for node in (old, new)]
        if notes[0] != notes[1]:
            yield self.decision._change(
                "", "annotation", Name("批注列", "annotation columns"), "、".join(notes[0]), "、".join(notes[1])
            )
        yield from self._rules(same, policies[1])

    # Columns.

    def _columns(self, side: str, label: Name, same: dict[str, str]) -> Iterator[Difference]:
        old, new = _columns(self.old, side), _columns(self.new, side)
        pairs = _pair(old, new, lambda c: c.id, lambda c: c.key)
        for one, other in pairs:
            same[one.key] = other.key
            for fact, value in other.facts.items():
                if one.facts[fact] != value:
                    yield self._fact(label, other, fact, one.facts[fact], value)
        matched = {id(column) for pair in pairs for column in pair}
        for column in new:
            if id(column) not in matched:
                yield self._column(label, column, True)
        for column in old:
            if id(column) not in matched:
                yield self._column(label, column, False)
        before = [one.key for one, _ in sorted(pairs, key=lambda p: old.index(p[0]))]
        after = [one.key for one, _ in sorted(pairs, key=lambda p: new.index(p[1]))]
        if before != after:
            names = {one.key: other.label for one, other in pairs}
            yield self.decision._change(
                "",
                f"{side}_order",
                Name(f"{label.zh}的次序", f"order of {label.en}s"),
                "、".join(names[key] for key in before),
                "、".join(names[key] for key in after),
            )

    def _column(self, label: Name, column: _Column, added: bool) -> Difference:
        zh = f"“{self.name.zh}”{'新增' if added else '删去'}{label.zh}“{column.label}”。"
        en = (
            f'New {label.en} "{column.label}" of "{self.name.en}".'
            if added
            else f'The {label.en} "{column.label}" of "{self.name.en}" is gone.'
        )
        what = f"column_{'added' if added else 'removed'}"
        values: tuple[Any, Any] = (None, column.label) if added else (column.label, None)
        return self.decision.file.say(self.decision.id, column.id, self.name, what, *values, zh, en)

    def _fact(self, label: Name, column: _Column, fact: str, before: str, after: str) -> Difference:
        said, one, other = _FACTS[fact], words.quoted(before), words.quoted(after)
        return self.decision.file.say(
            self.decision.id,
            column.id,
            self.name,
            "column",
            before,
            after,
            f"“{self.name.zh}”{label.zh}“{column.label}”的{said.zh}{words.changed(one, other)}。",
            f'The {said.en} of {label.en} "{column.label}" of "{self.name.en}" went from {one.en} to {other.en}.',
        )

    # Rules.

    def _rules(self, same: Mapping[str, str], policy: str) -> Iterator[Difference]:
        old, new = _rules(self.old), _rules(self.new)
        labels = {c.key: c.label for side in ("input", "output") for c in _columns(self.new, side)}
        labels |= {
            c.key: c.label for s in ("input", "output") for c in _columns(self.old, s) if c.key not in labels
        }
        renamed = [
            _Rule(r.id, r.number, {same[k]: v for k, v in r.cells.items() if k in same}, r.description, r.notes)
            for r in old
        ]
        kept = set(same.values())
        pairs = _matches(renamed, new, kept)
        for one, other in pairs:
            for key, cell in other.cells.items():
                if key in one.cells and one.cells[key] != cell:
                    yield self._cell(other, labels[key], one.cells[key], cell)
                elif key not in one.cells and cell not in ("", "-"):
                    yield self._cell(other, labels[key], "", cell)
            if one.description != other.description:
                yield self._cell(other, "说明", one.description, other.description, english="description")
            if one.notes != other.notes:
                yield self._cell(other, "批注", "、".join(one.notes), "、".join(other.notes), english="annotation")
        matched = {id(rule) for pair in pairs for rule in pair}
        for rule in new:
            if id(rule) not in matched:
                yield self._rule(rule, labels, True)
        for rule in renamed:
            if id(rule) not in matched:
                yield self._rule(rule, labels, False)
        yield from self._moved(pairs)

    def _cell(self, rule: _Rule, column: str, before: str, after: str, english: str = "") -> Difference:
        one, other = words.quoted(before), words.quoted(after)
        return self.decision.file.say(
            self.decision.id,
            rule.id,
            self.name,
            "rule",
            before,
            after,
            f"“{self.name.zh}”第 {rule.number} 条规则的“{column}”{words.changed(one, other)}。",
            f'"{english or column}" in rule {rule.number} of "{self.name.en}" changed from {one.en} to {other.en}.',
        )

    def _rule(self, rule: _Rule, labels: Mapping[str, str], added: bool) -> Difference:
        said = words.short(
            "；".join(f"{labels.get(k, k)} {v}" for k, v in rule.cells.items() if v not in ("", "-"))
        )
        if added:
            zh, en = (
                f"“{self.name.zh}”新增第 {rule.number} 条规则：{said}。",
                f'New rule {rule.number} of "{self.name.en}": {said}.',
            )
            values: tuple[Any, Any] = (None, dict(rule.cells))
        else:
            zh, en = (
                f"“{self.name.zh}”删去原第 {rule.number} 条规则：{said}。",
                f'Rule {rule.number} of "{self.name.en}" is gone: {said}.',
            )
            values = (dict(rule.cells), None)
        what = f"rule_{'added' if added else 'removed'}"
        return self.decision.file.say(self.decision.id, rule.id, self.name, what, *values, zh, en)

    def _moved(self, pairs: Sequence[tuple[_Rule, _Rule]]) -> Iterator[Difference]:
        """Rules that changed places, told once: under FIRST and RULE ORDER the place decides."""
        before = [other.number for _, other in sorted(pairs, key=lambda pair: pair[0].number)]
        after = sorted(before)
        if before != after:
            yield self.decision._change(
                "",
                "rule_order",
                Name("规则次序（新表中的序号）", "order of rules (numbered as in the new table)"),
                " ".join(map(str, before)),
                " ".join(map(str, after)),
            )


_FACTS: Mapping[str, Name] = {
    "label": Name("标题", "title"),
    "expression": Name("表达式", "expression"),
    "type": Name("类型", "type"),
    "allowed": Name("可取的值", "allowed values"),
    "default": Name("默认值", "default"),
    "name": Name("名称", "name"),
}


def _columns(table: etree._Element, side: str) -> list[_Column]:
    found = []
    for number, node in enumerate(_children(table, side)):
        if side == "input":
            expression = _child(node, "inputExpression")
            facts = {
                "label": node.get("label", ""),
                "expression": _text(expression, "text") if expression is not None else "",
                "type": "" if expression is None else expression.get("typeRef", ""),
                "allowed": _text(node, "inputValues"),
            }
            key = facts["expression"] or facts["label"]
        else:
            facts = {
                "label": node.get("label", ""),
                "name": node.get("name", ""),
                "type": node.get("typeRef", ""),
                "allowed": _text(node, "outputValues"),
                "default": _text(node, "defaultOutputEntry"),
            }
            key = facts["name"] or facts["label"]
        label = facts["label"] or key or str(number + 1)
        found.append(_Column(f"{side}:{number}:{key}", node.get("id", ""), label, facts))
    return found


def _rules(table: etree._Element) -> list[_Rule]:
    keys = [column.key for side in ("input", "output") for column in _columns(table, side)]
    found = []
    for number, node in enumerate(_children(table, "rule"), 1):
        cells = [_text(entry) for entry in (*_children(node, "inputEntry"), *_children(node, "outputEntry"))]
        notes = tuple(_text(entry) for entry in _children(node, "annotationEntry"))
        description = _text(node, "description")
        found.append(
            _Rule(node.get("id") or str(number), number, dict(zip(keys, cells, strict=False)), description, notes)
        )
    return found


def _notes_head(table: etree._Element) -> Iterator[str]:
    for node in _children(table, "annotation"):
        yield node.get("name", "")


def _pair(old: list[_Column], new: list[_Column], *keys: Any) -> list[tuple[_Column, _Column]]:
    """Columns that are the same: by id, else by what they ask."""
    pairs = []
    left, right = list(old), list(new)
    for key in keys:
        for one in list(left):
            mark = key(one).rpartition(":")[2]
            same = [other for other in right if mark and key(other).rpartition(":")[2] == mark]
            if same:
                pairs.append((one, same[0]))
                left.remove(one)
                right.remove(same[0])
    return pairs


def _matches(old: list[_Rule], new: list[_Rule], kept: set[str]) -> list[tuple[_Rule, _Rule]]:
    """Rules that are the same: by id, else by equal cells, else by the most equal cells, at least half of them."""
    pairs: list[tuple[_Rule, _Rule]] = []
    left, right = list(old), list(new)

    def take(one: _Rule, other: _Rule) -> None:
        pairs.append((one, other))
        left.remove(one)
        right.remove(other)

    for one in list(left):
        same = next((other for other in right if other.id == one.id), None)
        if same is not None:
            take(one, same)
    for one in list(left):
        same = next((other for other in right if _alike(one, other, kept) == len(kept)), None)
        if same is not None:
            take(one, same)
    ranked = sorted(
        ((_alike(one, other, kept), one, other) for one in left for other in right),
        key=lambda ranked: (-ranked[0], ranked[1].number, ranked[2].number),
    )
    for score, one, other in ranked:
        if 2 * score >= len(kept) > 0 and one in left and other in right:
            take(one, other)
    return pairs


def _alike(one: _Rule, other: _Rule, kept: set[str]) -> int:
    return sum(one.cells.get(key) == other.cells.get(key) for key in kept)
