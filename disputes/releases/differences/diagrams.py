"""Differences of diagrams: elements by their ids, flows by what they join, and everything that either says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from disputes.releases.differences import words
from disputes.releases.differences.words import Difference, Found, Name
from engine import diagram as diagrams
from engine.diagram import GATEWAYS, Element, Flow, Kind, Loop, Process, Trigger

#: Fields of an element that say where it stands or what flows do, told elsewhere.
_TOLD = frozenset(
    {"id", "file", "process", "line", "incoming", "outgoing", "name", "kind", "scope", "triggers", "loop",
     "interrupting", "attached_to", "default", "due", "inputs", "outputs", "headers", "properties"}
)  # fmt: skip

#: Field → what it is called. A field that is missing here is called by its own name.
_FIELDS: Mapping[str, tuple[str, Name]] = {
    "documentation": ("documentation", Name("说明", "documentation")),
    "form": ("form", Name("表单", "form")),
    "groups": ("role", Name("办理角色", "role")),
    "assignee": ("assignee", Name("办理人", "assignee")),
    "task_type": ("service", Name("服务", "service")),
    "decision": ("decision", Name("所用决策", "decision")),
    "script": ("script", Name("表达式", "expression")),
    "result_variable": ("result", Name("结果变量", "result variable")),
    "called": ("called", Name("调用的流程", "called process")),
    "propagate_parent": ("propagate", Name("带入全部变量", "passing all variables in")),
    "propagate_child": ("propagate", Name("带回全部变量", "passing all variables out")),
    "standard_loop": ("loop", Name("标准循环", "standard loop")),
    "event_sub_process": ("event_sub_process", Name("事件子流程", "event sub-process")),
    "for_compensation": ("compensation", Name("补偿", "compensation")),
    "foreign_script": ("script", Name("外部脚本", "foreign script")),
}


def compare(found: Found, changed: list[str]) -> Iterator[Difference]:
    """The differences of the diagrams in changed files."""
    before, after = _processes(found.before, changed), _processes(found.after, changed)
    for id in [*before, *(id for id in after if id not in before)]:
        old, new = before.get(id), after.get(id)
        yield from _Diagram(found, old, new).all()
    for path in changed:
        yield from _unreadable(found, path)


def _processes(files: Mapping[str, bytes], changed: list[str]) -> dict[str, Process]:
    return {
        process.id: process
        for path in changed
        if path in files
        for process in diagrams.read(files[path], path).processes
    }


def _unreadable(found: Found, path: str) -> Iterator[Difference]:
    """A file that says nothing that can be read, on either side."""
    sides = [files.get(path) for files in (found.before, found.after)]
    read = [content is not None and bool(diagrams.read(content, path).processes) for content in sides]
    if any(read) or sides[0] == sides[1]:
        return
    yield Difference(
        path,
        "",
        "",
        path,
        "diagram",
        "file",
        None,
        None,
        f"文件 {path} 改了，读不出流程。",
        f"The file {path} changed; no process can be read from it.",
    )


@dataclass
class _Diagram:
    """One process in both releases."""

    found: Found
    old: Process | None
    new: Process | None

    def all(self) -> Iterator[Difference]:
        old, new = self.old, self.new
        if old is None or new is None:
            yield self._whole()
            return
        if old.name != new.name:
            yield self._of_process("name", old.name, new.name, Name("名称", "name"))
        if old.documentation != new.documentation:
            yield self._of_process(
                "documentation", old.documentation, new.documentation, Name("说明", "documentation")
            )
        if old.executable != new.executable:
            yield self._of_process("executable", old.executable, new.executable, Name("可执行", "executable flag"))
        yield from self._properties("", self._title(new), dict(old.properties), dict(new.properties))
        for id, element in new.elements.items():
            if id not in old.elements:
                yield self._added(element)
        for id, element in old.elements.items():
            if id not in new.elements:
                yield self._removed(element)
            else:
                yield from self._element(element, new.elements[id])
        yield from self._flows()

    # Names.

    def _name(self, element: Element) -> Name:
        return self.found.name(element.file, element.id, element.name)

    def _title(self, process: Process) -> Name:
        return self.found.name(process.file, process.id, process.name)

    def _named(self, id: str) -> Name:
        for process in (self.new, self.old):
            if process is not None and id in process.elements:
                element = process.elements[id]
                if not element.name and element.kind in GATEWAYS:
                    kind = words.KINDS[element.kind]
                    return Name(f"{kind.zh} {id}", f"{kind.en} {id}")
                return self._name(element)
        return Name(id, id)

    def _kind(self, element: Element) -> Name:
        kind = words.KINDS[element.kind]
        if element.kind in (Kind.BOUNDARY, Kind.CATCH, Kind.THROW, Kind.END) and element.trigger is not None:
            trigger = words.TRIGGERS.get(element.trigger.kind, Name(element.trigger.kind, element.trigger.kind))
            return Name(f"{trigger.zh}{kind.zh}", f"{trigger.en} {kind.en}")
        return kind

    # Saying.

    def _say(self, element: str, name: Name, what: str, before: Any, after: Any, zh: str, en: str) -> Difference:
        process = self.new or self.old
        assert process is not None
        return Difference(process.file, process.id, element, name.zh, "diagram", what, before, after, zh, en)

    def _from_to(
        self, element: str, name: Name, what: str, label: Name, values: tuple[Any, Any], said: tuple[Name, Name]
    ) -> Difference:
        before, after = said
        return self._say(
            element,
            name,
            what,
            values[0],
            values[1],
            f"“{name.zh}”的{label.zh}{words.changed(before, after)}。",
            f'The {label.en} of "{name.en}" changed from {before.en} to {after.en}.',
        )

    def _whole(self) -> Difference:
        process = self.new or self.old
        assert process is not None
        title = self._title(process)
        if self.old is None:
            return self._say(
                "", title, "added", None, process.id, f"新增流程“{title.zh}”。", f'New process "{title.en}".'
            )
        return self._say(
            "", title, "removed", process.id, None, f"删去流程“{title.zh}”。", f'Process "{title.en}" is gone.'
        )

    def _of_process(self, what: str, before: Any, after: Any, label: Name) -> Difference:
        assert self.new is not None
        title = self._title(self.new)
        name = Name(f"{title.zh}", title.en)
        return self._from_to("", name, what, label, (before, after), (words.quoted(before), words.quoted(after)))

    def _added(self, element: Element) -> Difference:
        name, kind, where = self._name(element), self._kind(element), self._where(element, self.new)
        who = words.roles(element.groups) if element.groups else None
        role = f"，由{who.zh}办理" if who is not None else ""
        by = f", done by {who.en}" if who is not None else ""
        return self._say(
            element.id,
            name,
            "added",
            None,
            element.kind.value,
            f"{where.zh}新增{kind.zh}“{name.zh}”{role}。",
            f'New {kind.en} "{name.en}"{where.en}{by}.',
        )

    def _removed(self, element: Element) -> Difference:
        name, kind, where = self._name(element), self._kind(element), self._where(element, self.old)
        return self._say(
            element.id,
            name,
            "removed",
            element.kind.value,
            None,
            f"{where.zh}删去{kind.zh}“{name.zh}”。",
            f'The {kind.en} "{name.en}"{where.en} is gone.',
        )

    def _where(self, element: Element, process: Process | None) -> Name:
        if element.attached_to:
            host = self._named(element.attached_to)
            return Name(f"在“{host.zh}”上", f' on "{host.en}"')
        if process is not None and element.scope != process.id:
            scope = self._named(element.scope)
            return Name(f"在“{scope.zh}”里", f' inside "{scope.en}"')
        return Name("", "")

    # One element.

    def _element(self, old: Element, new: Element) -> Iterator[Difference]:
        name = self._name(new)
        if old.kind is not new.kind:
            before, after = words.KINDS[old.kind], words.KINDS[new.kind]
            yield self._say(
                new.id,
                name,
                "type",
                old.kind.value,
                new.kind.value,
                f"“{name.zh}”由{before.zh}改为{after.zh}。",
                f'"{name.en}" changed from a {before.en} to a {after.en}.',
            )
        if old.name != new.name:
            was = words.quoted(old.name)
            yield self._say(
                new.id,
                name,
                "name",
                old.name,
                new.name,
                f"{words.KINDS[new.kind].zh}{was.zh}改名为{words.quoted(new.name).zh}。",
                f"The {words.KINDS[new.kind].en} {was.en} is called {words.quoted(new.name).en} now.",
            )
        if old.scope != new.scope:
            before, after = self._named(old.scope), self._named(new.scope)
            yield self._from_to(
                new.id,
                name,
                "scope",
                Name("所在的流程", "place"),
                (old.scope, new.scope),
                (_in(before), _in(after)),
            )
        if old.attached_to != new.attached_to:
            before, after = self._named(old.attached_to), self._named(new.attached_to)
            yield self._say(
                new.id,
                name,
                "attached",
                old.attached_to,
                new.attached_to,
                f"“{name.zh}”由附在“{before.zh}”上改为附在“{after.zh}”上。",
                f'"{name.en}" was attached to "{before.en}" and is attached to "{after.en}" now.',
            )
        if old.interrupting != new.interrupting:
            yield self._interrupting(new, name)
        yield from self._triggers(old, new, name)
        yield from self._loop(old.loop, new.loop, new, name)
        if old.due != new.due:
            yield self._from_to(
                new.id, name, "due", Name("办理期限", "due date"), (old.due, new.due),
                (words.moment(old.due), words.moment(new.due)),
            )  # fmt: skip
        yield from self._mappings(old, new, name)
        yield from self._properties(new.id, name, dict(old.properties), dict(new.properties))
        yield from self._headers(old, new, name)
        yield from self._default(old, new, name)
        yield from self._lane(old, new, name)
        for field in fields(Element):
            if field.name not in _TOLD:
                yield from self._field(field.name, old, new, name)

    def _field(self, field: str, old: Element, new: Element, name: Name) -> Iterator[Difference]:
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            what, label = _FIELDS.get(field, (field, Name(field, field.replace("_", " "))))
            quote = (
                words.roles if field == "groups" else words.condition if isinstance(before, str) else words.quoted
            )
            yield self._from_to(new.id, name, what, label, (before, after), (quote(before), quote(after)))

    def _interrupting(self, new: Element, name: Name) -> Difference:
        host = self._named(new.attached_to)
        if new.interrupting:
            zh, en = f"“{name.zh}”改为中断“{host.zh}”。", f'"{name.en}" interrupts "{host.en}" now.'
        else:
            zh = f"“{name.zh}”不再中断“{host.zh}”，只是另起一路。"
            en = f'"{name.en}" no longer interrupts "{host.en}"; it goes on beside it.'
        return self._say(new.id, name, "interrupting", not new.interrupting, new.interrupting, zh, en)

    def _triggers(self, old: Element, new: Element, name: Name) -> Iterator[Difference]:
        if old.triggers == new.triggers:
            return
        before, after = old.trigger or Trigger(""), new.trigger or Trigger("")
        if len(old.triggers) > 1 or len(new.triggers) > 1 or before.kind != after.kind:
            said = [" ".join(t.kind for t in element.triggers) for element in (old, new)]
            kinds = [words.TRIGGERS.get(kind, words.quoted(kind)) for kind in said]
            yield self._from_to(
                new.id, name, "trigger", Name("触发方式", "trigger"), (said[0], said[1]), (kinds[0], kinds[1])
            )
            return
        if (before.timer, before.text) != (after.timer, after.text):
            subject, label = self._timer_of(new, name)
            yield self._from_to(
                new.id, subject, "timer", label, (before.text, after.text), _moments(before.text, after.text)
            )
        if before.name != after.name:
            trigger = words.TRIGGERS.get(after.kind, Name(after.kind, after.kind))
            label = Name(f"{trigger.zh}名" if after.kind != "error" else "错误代码", f"{trigger.en} name")
            yield self._from_to(
                new.id, name, after.kind, label, (before.name, after.name), _quotes(before.name, after.name)
            )
        if before.correlation != after.correlation:
            yield self._from_to(
                new.id,
                name,
                "correlation",
                Name("消息的关联键", "correlation key"),
                (before.correlation, after.correlation),
                (words.condition(before.correlation), words.condition(after.correlation)),
            )

    def _timer_of(self, element: Element, name: Name) -> tuple[Name, Name]:
        """Whose timer it is, and what it is to them."""
        if not element.attached_to:
            return name, Name("时间", "time")
        host = self._named(element.attached_to)
        what = Name("期限", "time limit") if element.interrupting else Name("提醒", "reminder")
        if not element.name:
            return host, what
        return host, Name(f"{what.zh}“{name.zh}”", f'{what.en} "{name.en}"')

    def _loop(self, old: Loop | None, new: Loop | None, element: Element, name: Name) -> Iterator[Difference]:
        if old == new:
            return
        if old is None or new is None:
            zh = f"“{name.zh}”改为逐项办理（多实例）。" if new else f"“{name.zh}”不再逐项办理（多实例）。"
            en = f'"{name.en}" is {"now" if new else "no longer"} done once for each item.'
            yield self._say(element.id, name, "loop", old is not None, new is not None, zh, en)
            return
        if old.sequential != new.sequential:
            zh, en = ("依次", "one after the other") if new.sequential else ("同时", "all at once")
            yield self._say(
                element.id, name, "loop", old.sequential, new.sequential,
                f"“{name.zh}”各项改为{zh}办理。", f'The items of "{name.en}" are done {en} now.',
            )  # fmt: skip
        for field, label in (
            ("collection", Name("输入集合", "input collection")),
            ("item", Name("输入元素", "input element")),
            ("output", Name("输出集合", "output collection")),
            ("output_item", Name("输出元素", "output element")),
            ("completion", Name("提前完成条件", "completion condition")),
        ):
            before, after = getattr(old, field), getattr(new, field)
            if before != after:
                yield self._from_to(
                    element.id,
                    name,
                    "loop",
                    label,
                    (before, after),
                    (words.condition(before), words.condition(after)),
                )

    def _mappings(self, old: Element, new: Element, name: Name) -> Iterator[Difference]:
        for side, label in (("inputs", Name("输入", "input")), ("outputs", Name("输出", "output"))):
            before = {target: source for source, target in getattr(old, side)}
            after = {target: source for source, target in getattr(new, side)}
            yield from self._table(new.id, name, side[:-1], label, before, after, feel=True)
            if before == after and getattr(old, side) != getattr(new, side):
                order = [[target for _, target in getattr(e, side)] for e in (old, new)]
                yield self._from_to(
                    new.id, name, side[:-1], Name(f"{label.zh}的次序", f"order of {label.en}s"),
                    (order[0], order[1]), (words.quoted("、".join(order[0])), words.quoted("、".join(order[1]))),
                )  # fmt: skip

    def _headers(self, old: Element, new: Element, name: Name) -> Iterator[Difference]:
        yield from self._table(
            new.id, name, "header", Name("任务头", "header"), dict(old.headers), dict(new.headers), feel=False
        )

    def _properties(
        self, id: str, name: Name, before: dict[str, str], after: dict[str, str]
    ) -> Iterator[Difference]:
        yield from self._table(id, name, "property", Name("属性", "property"), before, after, feel=False)

    def _table(
        self,
        id: str,
        name: Name,
        what: str,
        label: Name,
        before: dict[str, str],
        after: dict[str, str],
        *,
        feel: bool,
    ) -> Iterator[Difference]:
        quote = words.condition if feel else words.quoted
        for key in [*before, *(key for key in after if key not in before)]:
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            if old is None:
                zh, en = f"“{name.zh}”新增{label.zh} {key}。", f'New {label.en} {key} of "{name.en}".'
            elif new is None:
                zh, en = f"“{name.zh}”删去{label.zh} {key}。", f'The {label.en} {key} of "{name.en}" is gone.'
            else:
                one, other = quote(old), quote(new)
                zh = f"“{name.zh}”的{label.zh} {key} {words.changed(one, other)}。"
                en = f'The {label.en} {key} of "{name.en}" changed from {one.en} to {other.en}.'
            yield self._say(id, name, what, old, new, zh, en)

    def _default(self, old: Element, new: Element, name: Name) -> Iterator[Difference]:
        assert self.old is not None and self.new is not None
        before, after = self._target(self.old, old.default), self._target(self.new, new.default)
        if (old.default and before) == (new.default and after):
            return
        one, other = (self._named(before) if before else None), (self._named(after) if after else None)
        nothing = words.quoted(None)
        label = self._named(new.id)
        yield self._from_to(
            new.id, label, "default", Name("默认去向", "default way"), (before, after),
            (_in(one) if one else nothing, _in(other) if other else nothing),
        )  # fmt: skip

    def _target(self, process: Process, flow: str | None) -> str | None:
        found = process.flows.get(flow or "")
        return found.target if found is not None else None

    def _lane(self, old: Element, new: Element, name: Name) -> Iterator[Difference]:
        assert self.old is not None and self.new is not None
        before, after = self.old.lanes.get(old.id, ""), self.new.lanes.get(new.id, "")
        if before != after:
            yield self._from_to(new.id, name, "lane", Name("泳道", "lane"), (before, after), _quotes(before, after))

    # Flows.

    def _flows(self) -> Iterator[Difference]:
        assert self.old is not None and self.new is not None
        before, after = dict(self.old.flows), dict(self.new.flows)
        pairs = [(flow, after.pop(id)) for id, flow in before.items() if id in after and _joins(flow, after[id])]
        for old, _ in pairs:
            del before[old.id]
        # Drawn again between the same two elements under another id: the same flow.
        for old in list(before.values()):
            same = [new for new in after.values() if _joins(old, new)]
            if len(same) == 1 and sum(_joins(other, same[0]) for other in before.values()) == 1:
                pairs.append((before.pop(old.id), after.pop(same[0].id)))
        for old, new in pairs:
            yield from self._flow(old, new)
        for flow in after.values():
            yield self._new_flow(flow)
        for flow in before.values():
            source, target = self._named(flow.source), self._named(flow.target)
            yield self._say(
                flow.id, source, "flow_removed", flow.target, None,
                f"“{source.zh}”不再通往“{target.zh}”。", f'"{source.en}" no longer leads to "{target.en}".',
            )  # fmt: skip
        yield from self._order({old.id: new.id for old, new in pairs})

    def _new_flow(self, flow: Flow) -> Difference:
        source, target = self._named(flow.source), self._named(flow.target)
        when = words.condition(flow.condition) if flow.condition is not None else None
        zh = f"，条件是{when.zh}" if when else ""
        en = f" when {when.en}" if when else ""
        return self._say(
            flow.id, source, "flow_added", None, flow.target,
            f"“{source.zh}”新增一路通往“{target.zh}”{zh}。", f'New way from "{source.en}" to "{target.en}"{en}.',
        )  # fmt: skip

    def _flow(self, old: Flow, new: Flow) -> Iterator[Difference]:
        source, target = self._named(new.source), self._named(new.target)
        way = Name(f"{source.zh}”到“{target.zh}", f'{source.en}" to "{target.en}')
        if old.name != new.name:
            yield self._from_to(
                new.id, way, "name", Name("文字", "label"), (old.name, new.name), _quotes(old.name, new.name)
            )
        if old.condition != new.condition:
            yield self._from_to(
                new.id, way, "condition", Name("条件", "condition"), (old.condition, new.condition),
                (words.condition(old.condition), words.condition(new.condition)),
            )  # fmt: skip

    def _order(self, same: Mapping[str, str]) -> Iterator[Difference]:
        """The first true condition of an exclusive gateway counts, so their order is part of what it says."""
        assert self.old is not None and self.new is not None
        for id, old in self.old.elements.items():
            new = self.new.elements.get(id)
            if new is None or old.kind is not Kind.EXCLUSIVE or new.kind is not Kind.EXCLUSIVE:
                continue
            before = [same[f] for f in old.outgoing if f in same and f != old.default]
            after = [f for f in new.outgoing if f in before and f != new.default]
            before = [f for f in before if f in after]
            if before != after:
                name = self._named(id)
                said = [
                    "、".join(self._named(self.new.flows[f].target).zh for f in order) for order in (before, after)
                ]
                yield self._from_to(
                    id, name, "order", Name("条件的先后", "order of conditions"), (before, after), _quotes(*said)
                )


def _joins(one: Flow, other: Flow) -> bool:
    return (one.source, one.target) == (other.source, other.target)


def _in(name: Name) -> Name:
    return Name(f"“{name.zh}”", f'"{name.en}"')


def _quotes(before: str, after: str) -> tuple[Name, Name]:
    return words.quoted(before), words.quoted(after)


def _moments(before: str, after: str) -> tuple[Name, Name]:
    return words.moment(before), words.moment(after)
