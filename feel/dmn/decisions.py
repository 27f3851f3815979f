"""A DMN file as a whole: its decisions, what each needs, and how they are asked."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from feel.dmn.boxed import Builder, Defined, Logic, fitted
from feel.dmn.errors import DmnEvaluationError, DmnFinding
from feel.dmn.items import Items
from feel.dmn.reading import Element, attribute, child, children, identity, local, name_of, target
from feel.dmn.tables import Environment, Table, Tracing
from feel.expression import measure, too_deep
from feel.limits import Runtime
from feel.scalars import read_typed
from feel.types import Type
from feel.values import Value, from_python

_REQUIREMENTS = {
    "informationRequirement": ("requiredInput", "requiredDecision"),
    "knowledgeRequirement": ("requiredKnowledge",),
}
Path = tuple[str, ...]
_KINDS = ("decision", "inputData", "businessKnowledgeModel", "decisionService")


@dataclass(frozen=True)
class DecisionResult:
    """What was decided. ``matched`` are the rules of the decision's own table; ``trace`` those of all tables."""

    value: object
    matched: list[str]
    trace: list[tuple[str, list[str]]] = field(default_factory=list)


@dataclass(slots=True)
class Part:
    """An element of a decision requirements graph."""

    owner: "Decisions"
    id: str
    name: str
    kind: str
    element: Element
    variable: str  #: the name under which others see its value
    type: Type | None
    needs: list[tuple[str, "Part"]]  #: namespace prefix in names (of an import) and the part
    logic: Logic | None = None
    free: frozenset[str] = frozenset()
    table: str = ""  #: id of the decision's own table
    tables: list[Table] = field(default_factory=list)  #: all tables within
    options: dict[str, Any] = field(default_factory=dict)  #: how its texts are compiled


class Decisions:
    """The decisions of one file, compiled. Immutable, and safe in many threads at once."""

    def __init__(self, root: Element, *, functions: Collection[str], imports: Mapping[str, "Decisions"]) -> None:
        self.findings: list[DmnFinding] = []
        self.namespace = attribute(root, "namespace")
        self._imports = {
            name_of(found): imports[attribute(found, "namespace")]
            for found in children(root, "import")
            if attribute(found, "namespace") in imports
        }
        imported = {
            (f"{prefix}.{name}" if prefix else name): of
            for prefix, other in self._imports.items()
            for name, of in other._items.types.items()
        }
        self._items: Items = Items(root, imported, self._problem)
        for other in self._imports.values():
            self._items.fields |= other._items.fields | {part.variable for part in other._parts.values()}
        self._builder = Builder(self._items, functions, self.findings, (attribute(root, "expressionLanguage"),))
        self._parts: dict[str, Part] = {}
        self._by_name: dict[str, Part] = {}
        for found in children(root, *_KINDS):
            self._register(found)
        for part in self._parts.values():
            self._connect(part)
        #: Names of all parts: a decision sees only those that it needs.
        self.hidden = frozenset(name for part in self._parts.values() for name in (part.variable, part.name))
        self._refuse_cycles()
        for part in self._parts.values():
            self._compile(part)

    def _problem(self, element: Element, code: str, zh: str, en: str) -> None:
        self.findings.append(DmnFinding(identity(element), code, zh, en))

    # -- reading --------------------------------------------------------------------------------------------------

    def _register(self, element: Element) -> None:
        variable = child(element, "variable")
        name = name_of(element)
        of = self._items.of(variable)
        seen_as = (name_of(variable) if variable is not None else "") or name
        id_ = attribute(element, "id") or name
        part = Part(self, id_, name, local(element), element, seen_as, of, [])
        if id_ in self._parts:
            self._problem(element, "id.twice", f"标识 {id_} 出现两次", f"the id {id_} is used twice")
            return
        self._parts[id_] = part
        self._by_name.setdefault(name, part)

    def _connect(self, part: Part) -> None:
        for kind, names in _REQUIREMENTS.items():
            for requirement in children(part.element, kind):
                for reference in children(requirement, *names):
                    found = self._target(reference)
                    if found is None:
                        where = attribute(reference, "href")
                        self._problem(
                            requirement, "reference", f"引用的 {where} 不存在", f"there is no {where} to refer to"
                        )
                    else:
                        part.needs.append(found)

    def _target(self, reference: Element) -> tuple[str, Part] | None:
        namespace, id_ = target(reference)
        if id_ in self._parts and namespace in ("", self.namespace):
            return "", self._parts[id_]
        for prefix, other in self._imports.items():
            if other.namespace == namespace and id_ in other._parts:
                return prefix, other._parts[id_]
        return None

    def _refuse_cycles(self) -> None:
        done: set[str] = set()
        for part in self._parts.values():
            path: list[str] = []
            if self._has_cycle(part, path, done):
                circle = " → ".join(self._parts[id_].name for id_ in path)
                self._problem(
                    part.element, "cycle", f"决策互相依赖：{circle}", f"decisions need each other: {circle}"
                )
                part.needs.clear()

    def _has_cycle(self, part: Part, path: list[str], done: set[str]) -> bool:
        """Whether a part needs itself; ``path`` is then the way round, else empty. A chain may be of any length."""
        if part.id in done:
            return False
        path.append(part.id)
        on_path, todo = {part.id}, [self._needed(part)]
        while todo:
            needed = next(todo[-1], None)
            if needed is None:
                todo.pop()
                done.add(path[-1])
                on_path.discard(path.pop())
            elif needed.id in on_path:
                return True
            elif needed.id not in done:
                path.append(needed.id)
                on_path.add(needed.id)
                todo.append(self._needed(needed))
        return False

    @staticmethod
    def _needed(part: Part) -> Iterator[Part]:
        return (needed for prefix, needed in part.needs if not prefix and needed.kind != "businessKnowledgeModel")

    # -- compiling ------------------------------------------------------------------------------------------------

    def _compile(self, part: Part) -> None:
        names = frozenset(
            name for prefix, needed in part.needs for name in ((prefix or needed.variable), needed.name)
        )
        self._builder.free, self._builder.loose, self._builder.tables = set(), set(), []
        if part.kind == "decision":
            part.logic = self._builder.expression_of(part.element, names)
            table = child(part.element, "decisionTable")
            part.table = "" if table is None else identity(table)
        elif part.kind == "businessKnowledgeModel":
            part.logic = self._knowledge(part, names | {part.variable})
        elif part.kind == "decisionService":
            part.logic = self._service(part)
        part.free = frozenset(self._builder.free)
        part.tables, part.options = self._builder.tables, self._builder.options(names)
        own = {part.variable, part.name} if part.kind == "businessKnowledgeModel" else set()
        for name in sorted((self._builder.loose & self.hidden) - names - own):
            self._problem(
                part.element,
                "requirement.missing",
                f"用到了 {name}，但没有画出对它的依赖",
                f"{name} is used, but no requirement is drawn to it",
            )

    def _knowledge(self, part: Part, names: frozenset[str]) -> Logic | None:
        encapsulated = child(part.element, "encapsulatedLogic")
        if encapsulated is None:
            return None
        of = part.type
        result = of.result if of is not None and of.kind == "function" else of
        return self._builder.function(encapsulated, names, name=part.name, result=result)

    def _service(self, part: Part) -> Logic:
        def parts(label: str) -> list[Part]:
            found = [self._target(reference) for reference in children(part.element, label)]
            return [each[1] for each in found if each is not None]

        outputs = parts("outputDecision")
        given = parts("inputData") + parts("inputDecision")
        names = tuple(each.variable for each in given)
        types = (tuple(each.type for each in given), None)

        def decide(environment: Environment, runtime: Runtime) -> Value:
            asked = _Asked(environment, runtime)
            for each in given:
                asked.know(each, environment[each.variable])
            values = {each.variable: asked.value(each) for each in outputs}
            result = next(iter(values.values())) if len(outputs) == 1 else values
            of = part.type
            return fitted(result, of.result if of is not None and of.kind == "function" else of, runtime)

        return lambda environment, runtime: Defined(part.name, names, types, decide, dict(environment))

    # -- asking ---------------------------------------------------------------------------------------------------

    @property
    def names(self) -> frozenset[str]:
        """Ids and names of all decisions and decision services."""
        parts = [part for part in self._parts.values() if part.kind in ("decision", "decisionService")]
        return frozenset(part.id for part in parts) | frozenset(part.name for part in parts)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All elements of the graph, in the order of the file."""
        return tuple(self._parts.values())

    def inputs(self, decision: str) -> frozenset[str]:
        """The names that must come from outside for a decision, its requirements included."""
        wanted: set[str] = set()
        self._collect(self._find(decision), wanted, set())
        return frozenset(wanted)

    def read_json(self, data: Mapping[str, object]) -> dict[str, Value]:
        """JSON data with the texts of dates, times and durations read as the declared inputs say."""
        types = {name: part.type for part in self._parts.values() for name in (part.variable, part.name)}
        return {name: read_typed(from_python(value), types.get(name)) for name, value in data.items()}

    def _collect(self, part: Part, wanted: set[str], seen: set[str]) -> None:
        if part.id in seen:
            return
        seen.add(part.id)
        own = {name for _, needed in part.needs for name in (needed.variable, needed.name)}
        wanted |= part.free - own
        for _, needed in part.needs:
            if needed.kind == "inputData":
                wanted |= {needed.variable} & part.free
            else:
                self._collect(needed, wanted, seen)

    def _find(self, name: str) -> Part:
        part = self._parts.get(name) or self._by_name.get(name)
        if part is None or part.kind == "inputData":
            known = ", ".join(sorted(self.names))
            raise DmnEvaluationError(
                name,
                "decision.unknown",
                f"没有名为 {name} 的决策；有：{known}",
                f"there is no decision {name}; known: {known}",
            )
        return part

    def evaluate(
        self,
        decision: str,
        data: Mapping[str, object],
        functions: Mapping[str, Callable[..., object]] | None = None,
    ) -> DecisionResult:
        """Decide by id or name. ``data`` holds the inputs; other names in it are visible to expressions too.

        Raises DmnEvaluationError (hit policy violated, input not allowed, broken decision) and FeelEvaluationError.
        """
        part = self._find(decision)
        runtime = Tracing(functions)
        asked = _Asked(_Outside(data), runtime)
        try:
            value = asked.value(part) if part.kind == "decision" else asked.called(part)
        except RecursionError:
            raise too_deep() from None
        measure(value, runtime)
        own = [matched for table, matched in runtime.matched if table == part.table]
        return DecisionResult(value, own[-1] if own else [], runtime.matched)


class _Outside(dict[str, Value]):
    """The data from outside, converted when it is read."""

    def __init__(self, data: Mapping[str, object]) -> None:
        super().__init__()
        self._data = data

    def __missing__(self, name: str) -> Value:
        value = self[name] = from_python(self._data[name])
        return value


class _Asked:
    """One question: the decisions on the way to its answer are made once each.

    A ``path`` says through which imports a part was reached: the same file imported twice has its inputs twice.
    """

    def __init__(self, data: Environment, runtime: Runtime) -> None:
        self._data = data
        self._runtime = runtime
        self._known: dict[tuple[Path, int], Value] = {}

    def know(self, part: Part, value: Value) -> None:
        """Take a value as given instead of deciding it."""
        self._known[(), id(part)] = value

    def value(self, part: Part, path: Path = ()) -> Value:
        key = path, id(part)
        if key not in self._known:
            self._known[key] = self._made(part, path)
        return self._known[key]

    def called(self, part: Part) -> Value:
        """A decision service or a knowledge model, with its parameters taken from outside by name."""
        function = self.value(part)
        if not isinstance(function, Defined) or function.parameters is None:
            return None
        return function.call(self._runtime, [self._outside(name) for name in function.parameters])

    def _outside(self, name: str) -> Value:
        try:
            return self._data[name]
        except KeyError:
            return None

    def _input(self, part: Part, path: Path) -> Value:
        """An input from outside; one of an imported file under its qualified name, or within a context."""
        if path:
            if (found := self._outside(".".join((*path, part.variable)))) is not None:
                return found
            found = self._outside(path[0])
            for step in (*path[1:], part.variable):
                found = found.get(step) if isinstance(found, dict) else None
            if found is not None:
                return found
        found = self._outside(part.variable)
        return self._outside(part.name) if found is None else found

    def _made(self, part: Part, path: Path) -> Value:
        if part.kind == "inputData":
            return fitted(self._input(part, path), part.type, self._runtime)
        if part.logic is None:
            return None
        if part.kind == "businessKnowledgeModel":
            return self._knowledge(part, part.logic, path)
        value = part.logic(self._environment(part, path), self._runtime)
        return fitted(value, part.type, self._runtime) if part.kind == "decision" else value

    def _knowledge(self, part: Part, logic: Logic, path: Path) -> Value:
        """A knowledge model sees itself and those it needs, which may need it in turn; nothing from outside."""
        function = self._known[path, id(part)] = logic({}, self._runtime)
        if isinstance(function, Defined):
            function.see({part.variable: function, **self._needed(part, path)})
        return function

    def _environment(self, part: Part, path: Path) -> Environment:
        """What a decision may see: what it needs, and data from outside that is no part of the graph."""
        environment: Environment = {}
        for name in part.free - part.owner.hidden:
            try:
                environment[name] = self._data[name]
            except KeyError:
                continue
        environment.update(self._needed(part, path))
        return environment

    def _needed(self, part: Part, path: Path) -> Environment:
        environment: Environment = {}
        for prefix, needed in part.needs:
            value = self.value(needed, (*path, prefix) if prefix else path)
            if prefix:
                environment.setdefault(prefix, {})[needed.variable] = value
            else:
                environment[needed.variable] = value
                environment.setdefault(needed.name, value)
        return environment
