"""Diagrams as a few lines of text, so that a fault and its sound twin can be compared at a glance.

    start > ask > which:xor -[x = 1]> a:user=party > end
    which -*> end
    late@a:timer > end

An element is declared where it is first named, ``id:kind=argument``; ``a > b`` is a flow, ``-[condition]>`` one with a
condition and ``-*>`` the default. ``event@host:timer`` is a boundary event, with ``~`` behind it one that does not
interrupt. ``(q)`` begins another process, ``[s]`` the inside of the sub-process declared as ``s:sub``.
A ``!`` behind a task marks it as a standing duty. Tasks write the variable ``x``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.engine.drawing import TERMINATE, Scope, diagram, each, error, escalation, message, timer

_ELEMENT = re.compile(r"(\w+)(?:@(\w+))?(?::(\w+)(?:=([^\s!~]+))?)?([!~]?)")
_ARROW = re.compile(r"\s+(>|-\[(?:[^\]]*)\]>|-\*>)\s+")
DUTY = '<zeebe:properties><zeebe:property name="standing-duty" value="true" /></zeebe:properties>'


@dataclass
class Drawn:
    """An element as it was declared."""

    id: str
    kind: str
    argument: str
    mark: str
    host: str


@dataclass
class Part:
    """A process or the inside of a sub-process."""

    elements: dict[str, Drawn] = field(default_factory=dict)
    flows: list[tuple[str, str, str]] = field(default_factory=list)


def sketch(text: str) -> bytes:
    """The diagram of a sketch. The first process is ``p``."""
    parts: dict[str, Part] = {"p": Part()}
    processes = ["p"]
    part = parts["p"]
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line[0] in "([":
            name = line[1:-1]
            part = parts.setdefault(name, Part())
            if line[0] == "(":
                processes.append(name)
            continue
        pieces = _ARROW.split(line)
        names = [_declare(part, piece) for piece in pieces[::2]]
        for source, arrow, target in zip(names, pieces[1::2], names[1:], strict=False):
            part.flows.append((source, arrow, target))
    named = Names()
    drawn = [_scope(parts[name], parts, named).process(name) for name in processes]
    return diagram(
        *drawn,
        messages=tuple(sorted(named.messages)),
        errors=tuple(sorted(named.errors)),
        escalations=tuple(sorted(named.escalations)),
    )


@dataclass
class Names:
    """What the elements refer to."""

    messages: set[str] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    escalations: set[str] = field(default_factory=set)

    def trigger(self, kind: str, argument: str) -> str:
        if kind == "timer":
            return timer(argument or "P3D")
        if kind == "daily":
            return timer("R/P1D", "timeCycle")
        if kind == "msg":
            self.messages.add(argument)
            return message(argument)
        if kind == "error":
            if argument:
                self.errors.add(argument)
            return error(argument)
        assert kind == "escalation", kind
        if argument:
            self.escalations.add(argument)
        return escalation(argument)


def _declare(part: Part, piece: str) -> str:
    found = _ELEMENT.fullmatch(piece)
    assert found, piece
    id, host, kind, argument, mark = found.groups()
    if id not in part.elements:
        by_name = "start" if id.startswith("start") else "end" if id.startswith("end") else "user"
        part.elements[id] = Drawn(id, kind or by_name, argument or "", mark, host or "")
    return id


def _scope(part: Part, parts: dict[str, Part], named: Names) -> Scope:
    scope = Scope()
    defaults = {source: f"{source}-{target}" for source, arrow, target in part.flows if arrow == "-*>"}
    for element in part.elements.values():
        _draw(scope, element, defaults.get(element.id, ""), parts, named)
    for source, arrow, target in part.flows:
        scope.flow(source, target, f"= {arrow[2:-2]}" if arrow.startswith("-[") else None)
    return scope


def _draw(scope: Scope, of: Drawn, default: str, parts: dict[str, Part], named: Names) -> None:
    id, kind, argument = of.id, of.kind, of.argument
    if of.host:
        scope.boundary(id, of.host, named.trigger(kind, argument), interrupting=of.mark != "~")
    elif kind == "user":
        scope.user(id, groups=argument or "officer", outputs={"x": "= x"})
        if of.mark == "!":
            scope.parts[-1] = scope.parts[-1].replace(
                "</bpmn:extensionElements>", f"{DUTY}</bpmn:extensionElements>"
            )
    elif kind == "pick":
        scope.user(id, outputs={"picked": "= pick"})
    elif kind == "many":
        scope.user(id, groups="party", loop=each(f"= {argument}"))
    elif kind in ("work", "job"):
        scope.service(id, "work" if kind == "work" else "outside")
    elif kind == "write":
        scope.service(id, "work", outputs={argument: "= x"})
    elif kind == "tell":
        scope.service(id, "tell", inputs={"recipients": f'= ["{argument}"]'})
    elif kind == "call":
        scope.call(id, argument)
    elif kind == "sub":
        scope.sub(id, _scope(parts[id], parts, named))
    elif kind in ("msg", "timer"):
        scope.catch(id, named.trigger(kind, argument))
    elif kind == "raise":
        scope.throw(id, named.trigger("escalation", argument))
    elif kind in ("error", "escalation"):
        scope.end(id, named.trigger(kind, argument))
    elif kind == "terminate":
        scope.end(id, TERMINATE)
    else:
        plain = {"start": scope.start, "end": scope.end, "and": scope.par, "event": scope.events}
        if kind in plain:
            plain[kind](id)
        else:
            {"xor": scope.xor, "or": scope.inc}[kind](id, default)
