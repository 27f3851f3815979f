"""Boxed expressions (DMN chapter 10.2 and 7.3) to functions of an environment.

An environment maps names to values; ``Logic`` takes one and the runtime, and gives the value.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from feel.compiler import NotIterable, within
from feel.dmn.errors import DmnEvaluationError, DmnFinding
from feel.dmn.items import Items
from feel.dmn.reading import Element, attribute, child, children, identity, local, name_of, text
from feel.dmn.tables import POLICIES, Cell, Environment, Input, Output, Rule, Table
from feel.errors import FeelError, FeelNameError
from feel.expression import Sheet, compile
from feel.limits import CALL, Runtime
from feel.types import MISMATCH, Type
from feel.values import Function, Range, Value

Logic = Callable[[Environment, Runtime], Value]
Names = frozenset[str]

EXPRESSIONS = (
    "literalExpression",
    "decisionTable",
    "context",
    "invocation",
    "list",
    "relation",
    "functionDefinition",
    "conditional",
    "filter",
    "for",
    "some",
    "every",
)
_MAX_NESTING = 40


class Defined(Function):
    """A function with boxed logic: a business knowledge model, a decision service, a function definition."""

    __slots__ = ("_body", "_environment", "name", "parameters", "types")

    def __init__(
        self,
        name: str,
        parameters: tuple[str, ...],
        types: tuple[tuple[Type | None, ...], Type | None],
        body: Logic,
        environment: Environment,
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.types = types
        self._body = body
        self._environment = environment

    def see(self, names: Mapping[str, Value]) -> None:
        """Let the function use further names, such as its own, so that it can call itself."""
        self._environment.update(names)

    def call(self, runtime: Runtime, arguments: list[Value]) -> Value:
        assert self.parameters is not None
        if len(arguments) != len(self.parameters):
            return None
        runtime.spend(CALL)
        runtime.enter()
        environment = dict(self._environment)
        for name, given, of in zip(self.parameters, arguments, self.types[0], strict=True):
            value = given if of is None else of.coerce(given, runtime)
            if value is MISMATCH:
                runtime.depth += 1
                return None
            environment[name] = value
        result = self._body(environment, runtime)
        runtime.depth += 1
        return fitted(result, self.types[1], runtime)

    def call_named(self, runtime: Runtime, arguments: Mapping[str, Value]) -> Value:
        assert self.parameters is not None
        if set(arguments) - set(self.parameters):
            return None
        return self.call(runtime, [arguments.get(name) for name in self.parameters])


def fitted(value: Value, of: Type | None, runtime: Runtime) -> Value:
    """The value as the type; null when it does not fit."""
    if of is None:
        return value
    found = of.coerce(value, runtime)
    return None if found is MISMATCH else found


class Builder:
    """Compiles the boxed expressions of one file and collects what is wrong with them."""

    def __init__(
        self, items: Items, functions: Collection[str], findings: list[DmnFinding], languages: Collection[str]
    ) -> None:
        self._items = items
        self._functions = frozenset(functions)
        self._findings = findings
        self._languages = languages
        self._depth = 0
        #: Names used by everything compiled since they were emptied: all, and those that nothing inside binds.
        self.free: set[str] = set()
        self.loose: set[str] = set()
        #: The decision tables compiled so far.
        self.tables: list[Table] = []

    # -- problems -------------------------------------------------------------------------------------------------

    def problem(self, element: Element, code: str, zh: str, en: str) -> Logic:
        """Record a finding; the answer is logic that refuses to run."""
        finding = DmnFinding(identity(element), code, zh, en)
        self._findings.append(finding)

        def refuse(environment: Environment, runtime: Runtime) -> Value:
            raise DmnEvaluationError(*finding)

        return refuse

    def _syntax(self, element: Element, error: FeelError) -> Logic:
        code = "feel.name" if isinstance(error, FeelNameError) else "feel.syntax"
        where = f"第 {error.line} 行第 {error.column} 列：" if error.line else ""
        return self.problem(element, code, f"{text(element)}：{where}{error.zh}", f"{text(element)}: {error}")

    def _uses(self, names: Iterable[str]) -> None:
        self.free.update(names)
        self.loose.update(names)

    @contextmanager
    def _binding(self, names: set[str]) -> Iterator[None]:
        """Names used within are loose outside only when they are not in ``names``, which may grow meanwhile."""
        outer, self.loose = self.loose, set()
        yield
        self.loose = outer | (self.loose - names)

    # -- dispatch -------------------------------------------------------------------------------------------------

    def expression_of(self, element: Element, names: Names) -> Logic | None:
        """The one expression directly inside the element."""
        found = child(element, *EXPRESSIONS)
        return None if found is None else self.logic(found, names)

    def logic(self, element: Element, names: Names) -> Logic:
        self._depth += 1
        try:
            if self._depth > _MAX_NESTING:
                return self.problem(element, "nesting", "嵌套过深", "nested too deep")
            found = _BUILD[local(element)](self, element, names)
        finally:
            self._depth -= 1
        return _typed(found, self._items.of(element)) if local(element) != "functionDefinition" else found

    def _inner(self, element: Element, label: str, names: Names) -> Logic:
        """The expression within a named part such as ``then`` or ``return``."""
        part = child(element, label)
        found = None if part is None else self.expression_of(part, names)
        return found or self.problem(element, "expression.missing", f"缺少 {label}", f"{label} is missing")

    # -- the kinds of expressions ---------------------------------------------------------------------------------

    def _literal(self, element: Element, names: Names) -> Logic:
        if not self._is_feel(element):
            return self.problem(element, "language", "只支持 FEEL 表达式", "only FEEL is supported")
        source = text(element)
        return self._feel(element, source, names) if source else _null

    def _feel(self, element: Element, source: str, names: Names) -> Logic:
        try:
            compiled = compile(source, **self.options(names), closed=False)
        except FeelError as error:
            return self._syntax(element, error)
        self._uses(compiled.names | compiled.calls)
        return compiled.run

    def options(self, names: Names) -> dict[str, Any]:
        """How texts are compiled where these names are seen."""
        return {
            "names": names,
            "functions": self._functions - names,
            "fields": self._items.fields,
            "types": self._items.types,
        }

    def _is_feel(self, element: Element) -> bool:
        language = attribute(element, "expressionLanguage")
        return not language or "feel" in language.lower() or language in self._languages

    def _context(self, element: Element, names: Names) -> Logic:
        entries: list[tuple[str, Type | None, Logic]] = []
        final: Logic | None = None
        bound: set[str] = set()
        with self._binding(bound):
            for entry in children(element, "contextEntry"):
                variable = child(entry, "variable")
                name = "" if variable is None else name_of(variable)
                is_function = child(entry, "functionDefinition") is not None
                found = self.expression_of(entry, names | {name} if name and is_function else names) or _null
                if not name:
                    final = found
                    continue
                entries.append((name, None if is_function else self._items.of(variable), found))
                names = names | {name}
                bound.add(name)

        def context(environment: Environment, runtime: Runtime) -> Value:
            inner, made = dict(environment), {}
            runtime.make(len(entries) + 1)
            for name, of, logic in entries:
                made[name] = inner[name] = value = fitted(logic(inner, runtime), of, runtime)
                if isinstance(value, Defined):
                    value.see({name: value})
            return made if final is None else final(inner, runtime)

        return context

    def _invocation(self, element: Element, names: Names) -> Logic:
        function = self.expression_of(element, names)
        if function is None:
            return self.problem(element, "expression.missing", "没有写明调用的函数", "the function is missing")
        bindings = []
        for binding in children(element, "binding"):
            parameter = child(binding, "parameter")
            if parameter is None:
                continue
            given = self.expression_of(binding, names) or _null
            bindings.append((name_of(parameter), self._items.of(parameter), given))

        def invoke(environment: Environment, runtime: Runtime) -> Value:
            found = function(environment, runtime)
            if not isinstance(found, Function):
                return None
            arguments = {name: fitted(given(environment, runtime), of, runtime) for name, of, given in bindings}
            return found.call_named(runtime, arguments)

        return invoke

    def _list(self, element: Element, names: Names) -> Logic:
        items = [self.logic(item, names) for item in children(element, *EXPRESSIONS)]

        def make(environment: Environment, runtime: Runtime) -> Value:
            runtime.make(len(items) + 1)
            return [item(environment, runtime) for item in items]

        return make

    def _relation(self, element: Element, names: Names) -> Logic:
        columns = [(name_of(column), self._items.of(column)) for column in children(element, "column")]
        rows = [
            [self.logic(cell, names) for cell in children(row, *EXPRESSIONS)] for row in children(element, "row")
        ]
        if any(len(row) != len(columns) for row in rows):
            return self.problem(element, "relation.cells", "行与列的数目不符", "a row has not one cell per column")

        def make(environment: Environment, runtime: Runtime) -> Value:
            runtime.make(len(rows) * (len(columns) + 1))
            return [
                {
                    name: fitted(cell(environment, runtime), of, runtime)
                    for (name, of), cell in zip(columns, row, strict=True)
                }
                for row in rows
            ]

        return make

    def _conditional(self, element: Element, names: Names) -> Logic:
        condition, then, otherwise = (self._inner(element, part, names) for part in ("if", "then", "else"))
        return lambda environment, runtime: (
            then(environment, runtime)
            if condition(environment, runtime) is True
            else otherwise(environment, runtime)
        )

    def _filter(self, element: Element, names: Names) -> Logic:
        source = self._inner(element, "in", names)
        with self._binding({"item"}):
            match = self._inner(element, "match", names | {"item"})

        def select(environment: Environment, runtime: Runtime) -> Value:
            found = source(environment, runtime)
            items = found if isinstance(found, list) else [] if found is None else [found]
            selected = []
            for item in items:
                runtime.spend()
                inner = {**environment, "item": item}
                if isinstance(item, dict):
                    inner.update(item)
                if match(inner, runtime) is True:
                    selected.append(item)
            runtime.make(len(selected))
            return selected

        return select

    def _domain(self, element: Element, names: Names) -> Logic:
        """What an iteration goes through: an expression, or ``1..5`` without brackets."""
        part = child(element, "in")
        written = None if part is None else child(part, "literalExpression")
        source = text(written)
        if written is None or ".." not in source or source[0] in "[(]":
            return self._inner(element, "in", names)
        return self._feel(written, f"for item in {source} return item", names)

    def _for(self, element: Element, names: Names) -> Logic:
        name = attribute(element, "iteratorVariable")
        source = self._domain(element, names)
        with self._binding({name, "partial"}):
            body = self._inner(element, "return", names | {name, "partial"})

        def loop(environment: Environment, runtime: Runtime) -> Value:
            items = _iterated(source(environment, runtime), runtime)
            if items is None:
                return None
            made: list[Value] = []
            for item in items:
                runtime.spend()
                runtime.make(1)
                made.append(body({**environment, name: item, "partial": list(made)}, runtime))
            return made

        return loop

    def _quantified(self, element: Element, names: Names) -> Logic:
        name, every = attribute(element, "iteratorVariable"), local(element) == "every"
        source = self._domain(element, names)
        with self._binding({name}):
            body = self._inner(element, "satisfies", names | {name})

        def quantified(environment: Environment, runtime: Runtime) -> bool | None:
            items = _iterated(source(environment, runtime), runtime)
            if items is None:
                return None
            answer: bool | None = every
            for item in items:
                runtime.spend()
                found = body({**environment, name: item}, runtime)
                if found is (not every):
                    return not every
                if found is None:
                    answer = None
                elif found is not every:
                    return None
            return answer

        return quantified

    # -- functions ------------------------------------------------------------------------------------------------

    def function(self, element: Element, names: Names, *, name: str = "", result: Type | None = None) -> Logic:
        """Logic whose value is the function that the element defines."""
        if attribute(element, "kind") not in ("", "FEEL"):
            return self.problem(
                element,
                "function.external",
                "不支持外部函数（Java、PMML）",
                "external functions (Java, PMML) are refused",
            )
        formal = list(children(element, "formalParameter"))
        parameters = tuple(name_of(parameter) for parameter in formal)
        types = tuple(self._items.of(parameter) for parameter in formal)
        with self._binding(set(parameters)):
            body = self.expression_of(element, names | set(parameters)) or _null
        of_body = child(element, *EXPRESSIONS)
        result = result or self._items.of(element if attribute(element, "typeRef") else of_body)
        return lambda environment, runtime: Defined(name, parameters, (types, result), body, dict(environment))

    def _function_definition(self, element: Element, names: Names) -> Logic:
        return self.function(element, names)

    # -- tables ---------------------------------------------------------------------------------------------------

    def _table(self, element: Element, names: Names) -> Logic:
        policy = attribute(element, "hitPolicy") or "UNIQUE"
        aggregation = attribute(element, "aggregation")
        if policy not in POLICIES or aggregation not in ("", "SUM", "COUNT", "MIN", "MAX"):
            return self.problem(
                element, "table.policy", f"没有命中策略 {policy} {aggregation}", "no such hit policy"
            )
        before = len(self._findings)
        sheet = Sheet(**self.options(names))
        inputs = [self._input(found, sheet) for found in children(element, "input")]
        outputs = [self._output(found, sheet, self._items) for found in children(element, "output")]
        if not outputs:
            return self.problem(element, "table.output", "决策表没有输出列", "the table has no output")
        rules = [
            self._rule(found, number, sheet, inputs, outputs)
            for number, found in enumerate(children(element, "rule"), 1)
        ]
        if policy in ("PRIORITY", "OUTPUT ORDER") and not any(column.priorities for column in outputs):
            return self.problem(
                element,
                "table.priorities",
                f"命中策略 {policy} 需要输出列的允许值来定先后",
                f"hit policy {policy} needs the allowed values of an output to order by",
            )
        if len(self._findings) > before:
            finding = self._findings[before]

            def refuse(environment: Environment, runtime: Runtime) -> Value:
                raise DmnEvaluationError(*finding)

            return refuse
        self._uses(sheet.names)
        table = Table(identity(element), policy, aggregation, sheet, inputs, outputs, rules, self.options(names))
        self.tables.append(table)
        return table

    def _code(self, element: Element, compile_text: Callable[[], Any]) -> Any:
        try:
            return compile_text()
        except FeelError as error:
            self._syntax(element, error)
            return None

    def _input(self, element: Element, sheet: Sheet) -> Input:
        slot = sheet.slot()
        expression = child(element, "inputExpression")
        source = text(expression) or "null"
        value = self._code(element if expression is None else expression, lambda: sheet.expression(source))
        values = child(element, "inputValues")
        allowed = None
        if values is not None and text(values):
            allowed = self._code(values, lambda: sheet.tests(text(values), slot))
        of = self._items.of(expression)
        label = attribute(element, "label") or source
        return Input(label, slot, value, of, allowed, text(values), source)

    def _output(self, element: Element, sheet: Sheet, items: Items) -> Output:
        default = child(element, "defaultOutputEntry")
        code = None
        if default is not None and text(default):
            code = self._code(default, lambda: sheet.expression(text(default)))
        values = child(element, "outputValues")
        priorities: list[Value] = []
        if values is not None and text(values):
            listed = f"[{text(values)}]"
            found = self._code(values, lambda: compile(listed, **self.options(frozenset()), closed=False))
            priorities = found.evaluate({}) if found is not None else []
        return Output(name_of(element), items.of(element), code, priorities or [])

    def _rule(
        self, element: Element, number: int, sheet: Sheet, inputs: list[Input], outputs: list[Output]
    ) -> Rule:
        cells, answers = list(children(element, "inputEntry")), list(children(element, "outputEntry"))
        if len(cells) != len(inputs) or len(answers) != len(outputs):
            self.problem(
                element,
                "table.cells",
                f"规则 {number} 的单元格数目与列数不符",
                f"rule {number} does not have one cell per column",
            )
            return Rule(identity(element), number, [], [])
        tests = []
        for cell, column in zip(cells, inputs, strict=True):
            source = text(cell)
            if source not in ("", "-"):
                code = self._code(cell, lambda source=source, column=column: sheet.tests(source, column.slot))  # type: ignore[misc]
                tests.append(code)
        codes = [
            self._code(cell, lambda cell=cell: sheet.expression(text(cell) or "null"))  # type: ignore[misc]
            for cell in answers
        ]
        written = [[Cell(identity(cell), text(cell)) for cell in row] for row in (cells, answers)]
        return Rule(attribute(element, "id") or str(number), number, tests, codes, *written)


def _null(environment: Environment, runtime: Runtime) -> Value:
    return None


def _typed(logic: Logic, of: Type | None) -> Logic:
    if of is None or of.kind == "Any":
        return logic
    return lambda environment, runtime: fitted(logic(environment, runtime), of, runtime)


def _iterated(value: Value, runtime: Runtime) -> list[Value] | None:
    """The items that an iteration goes through; None when there is nothing to go through."""
    if isinstance(value, list):
        return value
    if not isinstance(value, Range):
        return None if value is None else [value]
    items = []
    try:
        for item in within(value, runtime):
            runtime.make(1)
            items.append(item)
    except NotIterable:
        return None
    return items


_BUILD: dict[str, Callable[[Builder, Element, Names], Logic]] = {
    "literalExpression": Builder._literal,
    "decisionTable": Builder._table,
    "context": Builder._context,
    "invocation": Builder._invocation,
    "list": Builder._list,
    "relation": Builder._relation,
    "functionDefinition": Builder._function_definition,
    "conditional": Builder._conditional,
    "filter": Builder._filter,
    "for": Builder._for,
    "some": Builder._quantified,
    "every": Builder._quantified,
}
