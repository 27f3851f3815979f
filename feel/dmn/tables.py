"""Decision tables: which rules hold, and what the hit policy makes of them.

Every policy is enforced: two rules that hold under UNIQUE, or two that disagree under ANY, are an error that names
them. A table never picks one in silence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from feel.compiler import Code, Frame
from feel.dmn.errors import DmnEvaluationError
from feel.expression import Sheet
from feel.limits import Runtime
from feel.scalars import read_typed
from feel.types import MISMATCH, Type
from feel.values import KIND_ZH, Value, add, equal, kind, order, text_of

Environment = dict[str, Value]


class Tracing(Runtime):
    """The runtime of a decision, which also remembers which rules matched in which table."""

    __slots__ = ("matched",)

    def __init__(self, functions: Mapping[str, Callable[..., object]] | None = None) -> None:
        super().__init__(functions)
        self.matched: list[tuple[str, list[str]]] = []


@dataclass(slots=True)
class Input:
    """A column that is tested. ``allowed`` are the values that may be handed in."""

    label: str
    slot: int
    value: Code
    type: Type | None
    allowed: Code | None
    allowed_text: str
    source: str = ""  #: the expression as written


@dataclass(slots=True)
class Output:
    """A column that is answered. ``priorities`` are its allowed values, best first."""

    name: str
    type: Type | None
    default: Code | None
    priorities: list[Value] = field(default_factory=list)


class Cell(NamedTuple):
    """An entry of a rule as written; ``element`` is its id, or that of the rule."""

    element: str
    text: str


@dataclass(slots=True)
class Rule:
    id: str
    number: int
    tests: list[Code]  #: only of the cells that test something
    outputs: list[Code]
    cells: list[Cell] = field(default_factory=list)  #: all input entries, as written
    answers: list[Cell] = field(default_factory=list)  #: all output entries, as written


class Table:
    """A compiled decision table."""

    def __init__(
        self,
        element: str,
        policy: str,
        aggregation: str,
        sheet: Sheet,
        inputs: list[Input],
        outputs: list[Output],
        rules: list[Rule],
        options: Mapping[str, Any],
    ) -> None:
        #: How the texts of its cells are compiled.
        self.options = options
        self.element = element
        self.policy = policy
        self.inputs = inputs
        self.outputs = outputs
        self.rules = rules
        self.aggregation = aggregation
        self._sheet = sheet
        self._first_only = policy == "FIRST"
        self._decide = _POLICIES[policy]
        self._several = policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER")

    def __call__(self, environment: Environment, runtime: Runtime) -> Value:
        frame = self._sheet.frame(environment, runtime)
        runtime.spend(len(self.rules))
        for column in self.inputs:
            frame[column.slot] = self._given(column, frame)
        matched = []
        for rule in self.rules:
            for test in rule.tests:
                if test(frame) is not True:
                    break
            else:
                matched.append(rule)
                if self._first_only:
                    break
        if isinstance(runtime, Tracing):
            runtime.matched.append((self.element, [rule.id for rule in matched]))
        if not matched:
            return self._nothing(frame)
        return self._decide(self, frame, matched)

    # -- inputs ---------------------------------------------------------------------------------------------------

    def _given(self, column: Input, frame: Frame) -> Value:
        value = column.value(frame)
        if column.type is not None:
            value = _converted(value, column.type, frame[0])
            if value is MISMATCH:
                raise self._refused(column, column.value(frame), column.type, frame[0])
        if column.allowed is not None and value is not None:
            frame[column.slot] = value
            if column.allowed(frame) is not True:
                raise self._refused(column, value, None, frame[0])
        return value

    def _refused(self, column: Input, value: Value, of: Type | None, runtime: Runtime) -> DmnEvaluationError:
        if of is not None and of.kind != kind(value):
            return DmnEvaluationError(
                self.element,
                "input.type",
                f"“{column.label}”应当是{KIND_ZH.get(of.kind, of.kind)}，实际是{KIND_ZH[kind(value)]}",
                f"{column.label} must be a {of.kind}, not a {kind(value)}",
            )
        written = text_of(value, runtime, inside=True)
        allowed = column.allowed_text or str(of)
        return DmnEvaluationError(
            self.element,
            "input.value",
            f"“{column.label}”的值 {written} 不在允许的值之内：{allowed}",
            f"{column.label} is {written}, which is not among the allowed values {allowed}",
        )

    # -- outputs --------------------------------------------------------------------------------------------------

    def _answer(self, rule: Rule, frame: Frame) -> Value:
        return self._row([code(frame) for code in rule.outputs], frame[0])

    def _row(self, values: list[Value], runtime: Runtime) -> Value:
        """The answer of one rule: a value, or a context of the values of all columns."""
        fitting = {}
        for column, value in zip(self.outputs, values, strict=True):
            found = value if column.type is None else column.type.coerce(value, runtime)
            fitting[column.name] = None if found is MISMATCH else found
        return fitting if len(values) > 1 else found if found is not MISMATCH else None

    def _nothing(self, frame: Frame) -> Value:
        """No rule holds: the default entries, if there are any."""
        if any(column.default is not None for column in self.outputs):
            answer = self._row(
                [column.default(frame) if column.default else None for column in self.outputs], frame[0]
            )
            return [answer] if self._several and not self.aggregation else answer
        if self.aggregation == "COUNT":
            return Decimal(0)
        return [] if self._several and not self.aggregation else None

    # -- hit policies ---------------------------------------------------------------------------------------------

    def _unique(self, frame: Frame, matched: list[Rule]) -> Value:
        if len(matched) > 1:
            raise self._conflict(matched, "table.unique", "UNIQUE", "只许一条规则成立", "only one rule may hold")
        return self._answer(matched[0], frame)

    def _first(self, frame: Frame, matched: list[Rule]) -> Value:
        return self._answer(matched[0], frame)

    def _any(self, frame: Frame, matched: list[Rule]) -> Value:
        answers = [self._answer(rule, frame) for rule in matched]
        for rule, answer in zip(matched[1:], answers[1:], strict=True):
            if equal(answer, answers[0], frame[0]) is not True:
                raise self._conflict(
                    [matched[0], rule], "table.any", "ANY", "成立的规则必须结论相同", "rules that hold must agree"
                )
        return answers[0]

    def _priority(self, frame: Frame, matched: list[Rule]) -> Value:
        return min(
            ((self._rank(answer, frame[0]), answer) for answer in self._all(frame, matched)),
            key=lambda pair: pair[0],
        )[1]

    def _rule_order(self, frame: Frame, matched: list[Rule]) -> Value:
        frame[0].make(len(matched))
        return self._all(frame, matched)

    def _output_order(self, frame: Frame, matched: list[Rule]) -> Value:
        return sorted(self._rule_order(frame, matched), key=lambda answer: self._rank(answer, frame[0]))

    def _collect(self, frame: Frame, matched: list[Rule]) -> Value:
        answers = self._rule_order(frame, matched)
        if not self.aggregation:
            return answers
        if len(self.outputs) == 1:
            return self._aggregated(answers, frame[0])
        return {
            column.name: self._aggregated([answer[column.name] for answer in answers], frame[0])
            for column in self.outputs
        }

    def _aggregated(self, answers: list[Value], runtime: Runtime) -> Value:
        if self.aggregation == "COUNT":
            distinct: list[Value] = []
            for answer in answers:
                if not any(equal(answer, other, runtime) is True for other in distinct):
                    distinct.append(answer)
            return Decimal(len(distinct))
        if not all(kind(answer) in _ADDABLE or self.aggregation != "SUM" for answer in answers):
            return None
        result = answers[0]
        for answer in answers[1:]:
            if self.aggregation == "SUM":
                result = add(result, answer)
                continue
            place = order(answer, result)
            if place is None:
                return None
            if place < 0 if self.aggregation == "MIN" else place > 0:
                result = answer
        return result

    def _all(self, frame: Frame, matched: list[Rule]) -> list[Value]:
        return [self._answer(rule, frame) for rule in matched]

    def _rank(self, answer: Value, runtime: Runtime) -> tuple[int, ...]:
        """The place of an answer among the allowed values of each output, best first."""
        values = [answer] if len(self.outputs) == 1 else [answer[column.name] for column in self.outputs]
        return tuple(
            next(
                (place for place, best in enumerate(column.priorities) if equal(value, best, runtime) is True),
                10**6,
            )
            for column, value in zip(self.outputs, values, strict=True)
            if column.priorities
        )

    def _conflict(self, rules: list[Rule], code: str, policy: str, zh: str, en: str) -> DmnEvaluationError:
        numbers = ", ".join(str(rule.number) for rule in rules)
        return DmnEvaluationError(
            self.element,
            code,
            f"命中策略 {policy}：{zh}，但规则 {numbers} 同时成立",
            f"hit policy {policy}: {en}, but the rules {numbers} hold together",
            rules=tuple(rule.id for rule in rules),
        )


_ADDABLE = frozenset(("number", "string", "days and time duration", "years and months duration"))
_POLICIES: dict[str, Callable[[Any, Frame, list[Rule]], Value]] = {
    "UNIQUE": Table._unique,
    "FIRST": Table._first,
    "ANY": Table._any,
    "PRIORITY": Table._priority,
    "RULE ORDER": Table._rule_order,
    "OUTPUT ORDER": Table._output_order,
    "COLLECT": Table._collect,
}
POLICIES = frozenset(_POLICIES)


def _converted(value: Value, wanted: Type, runtime: Runtime) -> Value:
    """The value as the column's type. Data from JSON has its dates and times as text: they are read here."""
    found = wanted.coerce(value, runtime)
    if found is MISMATCH and type(value) is str:
        read = read_typed(value, wanted)
        found = MISMATCH if read is None else wanted.coerce(read, runtime)
    return found
