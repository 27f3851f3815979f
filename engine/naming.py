"""Which variables may have a value where an expression is evaluated, and what their types are.

Pure, and never a false alarm: a name counts as given as soon as some element that may come before, or may run
beside, writes it; a type is known only when all that write the name agree. Where a value comes from outside (what
a service returns, what a message carries) nothing is said.
"""

from collections.abc import Iterable, Mapping

import feel
from engine import expressions
from engine.diagram import Element, Kind, Process
from engine.exploring import COMPOUND
from engine.findings import Catalogue

#: What every multi-instance knows of itself.
LOOP_NAMES = frozenset(
    {
        "loopCounter",
        "numberOfInstances",
        "numberOfCompletedInstances",
        "numberOfTerminatedInstances",
        "numberOfActiveInstances",
    }
)


class Naming:
    """The variables of the processes of a release. Of use only when the catalogue tells with what a case starts."""

    def __init__(self, processes: Mapping[str, Process], catalogue: Catalogue) -> None:
        self.processes = processes
        self.catalogue = catalogue
        self.started_with = frozenset({"case_id", *(catalogue.data or ())})
        self._callers: dict[str, list[Element]] = {}
        for process in processes.values():
            for element in process.elements.values():
                if element.kind is Kind.CALL:
                    self._callers.setdefault(element.called, []).append(element)
        self._written: dict[str, frozenset[str]] = {}
        self._scopes: dict[tuple[str, str], frozenset[str]] = {}
        self._before: dict[tuple[str, str], frozenset[str]] = {}
        self.types = self._types()

    # Names.

    def seen_by(self, element: Element) -> frozenset[str]:
        """The variables that may have a value when an expression of an element is evaluated."""
        place = element
        if element.kind is Kind.BOUNDARY and element.attached_to in self.processes[element.process].elements:
            place = self.processes[element.process].elements[element.attached_to]
        names = self.before(place)
        names |= {target for _, target in element.inputs}
        if element.loop is not None:
            names |= LOOP_NAMES | {element.loop.item, element.loop.output}
            names |= {target for _, target in element.outputs}
            names |= self._inside(element)
        return names

    def before(self, element: Element) -> frozenset[str]:
        """The variables that may have a value when a token comes to an element."""
        key = (element.process, element.id)
        known = self._before.get(key)
        if known is None:
            process = self.processes[element.process]
            names = set(self._scope(process, element.scope))
            for other in self._before_or_beside(process, element):
                names |= self._writes(process.elements[other])
            known = self._before[key] = frozenset(names)
        return known

    def _scope(self, process: Process, scope: str) -> frozenset[str]:
        """What may have a value at the start of a scope."""
        key = (process.id, scope)
        known = self._scopes.get(key)
        if known is not None:
            return known
        # A process that calls itself is refused elsewhere; here it must only come to an end.
        self._scopes[key] = frozenset()
        host = process.elements.get(scope)
        if host is not None:
            found = self._around(host)
        elif process.id in self._callers:
            found = frozenset({"case_id"})
            for call in self._callers[process.id]:
                if call.propagate_parent:
                    found |= self._around(call)
                else:
                    found |= {target for _, target in call.inputs}
        else:
            found = self.started_with
        self._scopes[key] = found
        return found

    def _around(self, host: Element) -> frozenset[str]:
        """What the inside of an activity sees: what is before and beside it, its inputs and its item."""
        process = self.processes[host.process]
        names = set(self.before(host)) | {target for _, target in host.inputs}
        for event in process.boundaries(host.id):
            if not event.interrupting:
                for other in _follow(process, [event.id]):
                    names |= self._writes(process.elements[other])
        if host.loop is not None:
            names |= LOOP_NAMES | {host.loop.item, host.loop.output}
        return frozenset(names)

    def _before_or_beside(self, process: Process, element: Element) -> set[str]:
        before = _ancestors(process, element.id)
        beside: set[str] = set()
        for name in {*before, element.id}:
            other = process.elements[name]
            splits = len(other.outgoing) > 1 and other.kind not in (Kind.EXCLUSIVE, Kind.EVENT_GATEWAY)
            roots = [process.flows[f].target for f in other.outgoing] if splits and name != element.id else []
            roots += [b.id for b in process.boundaries(name) if not b.interrupting]
            if roots:
                beside |= {name, *_follow(process, roots)}
        if element.kind is Kind.BOUNDARY:
            before |= {element.attached_to}
        return before | beside

    def _writes(self, element: Element) -> frozenset[str]:
        """The variables that an element, or anything inside it, may give a value."""
        if element.kind in COMPOUND:
            return _written(element) | self._inside(element)
        return _written(element)

    def _inside(self, element: Element) -> frozenset[str]:
        process = self.processes[element.process]
        if element.kind is Kind.SUB_PROCESS:
            found = frozenset[str]()
            for inner in process.inside(element.id):
                found |= self._writes(inner)
            return found
        if element.kind is Kind.CALL and element.called in self.processes:
            known = self._written.get(element.called)
            if known is None:
                self._written[element.called] = frozenset()
                known = frozenset[str]()
                for inner in self.processes[element.called].elements.values():
                    known |= self._writes(inner)
                self._written[element.called] = known
            return known
        return frozenset()

    # Types.

    def fields_of(self, element: Element) -> Mapping[str, feel.Type]:
        """The types of what a task's form asks."""
        asked = self.catalogue.forms.get(element.form, {})
        choices = self.catalogue.choices.get(element.form, {})
        types = {name: feel.named(kind) or feel.ANY for name, kind in asked.items()}
        return types | {name: feel.Type("string", allowed=tuple(values)) for name, values in choices.items()}

    def _types(self) -> Mapping[str, feel.Type]:
        """The types of variables on which all that write them agree."""
        found: dict[str, list[feel.Type | None]] = {}
        data = self.catalogue.data
        for name in self.started_with:
            kind = data.get(name) if isinstance(data, Mapping) else None
            found.setdefault(name, []).append(feel.named(kind) if kind else None)
        for process in self.processes.values():
            for element in process.elements.values():
                for name, of in self._given(element):
                    found.setdefault(name, []).append(of)
        joined = {name: _joined(types) for name, types in found.items()}
        return {name: of for name, of in joined.items() if of is not None}

    def _given(self, element: Element) -> Iterable[tuple[str, feel.Type | None]]:
        """(variable, type) for everything that an element writes; none where the type is not known."""
        local = dict(self.fields_of(element)) if element.kind is Kind.USER else {}
        for source, target in element.outputs:
            yield target, self._type_of(source, local)
        for source, target in element.inputs:
            yield target, self._type_of(source, {})
        if element.kind is Kind.SCRIPT:
            yield element.result_variable, self._type_of(element.script, {})
        elif element.result_variable:
            yield element.result_variable, None
        loop = element.loop
        if loop is not None:
            yield loop.output, None
            of = self._type_of(loop.collection, {})
            yield loop.item, of.item if of is not None else None

    def _type_of(self, text: str, names: Mapping[str, feel.Type]) -> feel.Type | None:
        """The type of an expression over these names alone; of any other name it is not known."""
        if not expressions.is_expression(text):
            return feel.named("string")
        try:
            compiled = expressions.compiled(text, frozenset(self.catalogue.functions))
        except feel.FeelError:
            return None
        return feel.infer(compiled, {**dict.fromkeys(compiled.names, feel.ANY), **names}).type


def _joined(types: Iterable[feel.Type | None]) -> feel.Type | None:
    """A type that all belong to; none when one is not known, or when they differ."""
    found: feel.Type | None = None
    for of in types:
        if of is None or of.kind == "Any":
            return None
        if of.kind == "Null":
            continue
        if found is None:
            found = of
        elif found.kind != of.kind:
            return None
        elif found.allowed is None or of.allowed is None:
            found = feel.named(found.kind)
        else:
            found = feel.Type(found.kind, allowed=tuple(dict.fromkeys((*found.allowed, *of.allowed))))
    return found


def _written(element: Element) -> frozenset[str]:
    names = {target for _, target in element.outputs} | {element.result_variable}
    if element.loop is not None:
        names.add(element.loop.output)
    return frozenset(names - {""})


def _ancestors(process: Process, start: str) -> set[str]:
    """The elements of a scope from which a token may come to an element, itself included when it lies on a loop."""
    found: set[str] = set()
    todo = [start]
    while todo:
        element = process.elements[todo.pop()]
        sources = [process.flows[f].source for f in element.incoming if f in process.flows]
        if element.kind is Kind.BOUNDARY and element.attached_to in process.elements:
            sources.append(element.attached_to)
        for name in sources:
            if name not in found:
                found.add(name)
                todo.append(name)
    return found


def _follow(process: Process, roots: Iterable[str]) -> set[str]:
    found = set(roots)
    todo = list(found)
    while todo:
        name = todo.pop()
        following = [process.flows[f].target for f in process.elements[name].outgoing if f in process.flows]
        following += [b.id for b in process.boundaries(name)]
        for other in following:
            if other not in found:
                found.add(other)
                todo.append(other)
    return found
