"""What is wrong with a decision table before anybody asks it: overlaps, gaps, rules that are never reached.

Rules are boxes over the values at which columns change (``feel.dmn.boundaries``). Each example that is given was
put through the cells of the table and does what the finding says. Where a cell asks more than a comparison with
constants, it is taken so that nothing is said that might not be true; where columns hang together, the finding says
that it took them as free. Work is bounded: a table too large to be gone through says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

from feel import syntax as tree
from feel.dmn.boundaries import UNKNOWN, Constants, constant, representatives
from feel.dmn.decisions import Decisions, Part
from feel.dmn.items import Item
from feel.dmn.reading import child, identity, text
from feel.dmn.tables import Cell, Input, Output, Rule, Table
from feel.errors import FeelError
from feel.expression import Expression, UnaryTests, compile, compile_unary
from feel.inference import Inferred, infer, infer_unary
from feel.limits import Runtime
from feel.names import nearest
from feel.scalars import to_json
from feel.types import ANY, MISMATCH, Type
from feel.values import KIND_ZH, Value, equal, kind, member, text_of

MAX_TESTS = 30_000  # different cells times values put to the test for one column
MAX_STEPS = 100_000  # values looked at in all searches of one kind
MAX_FINDINGS = 20  # of one kind for one table

_ONE_ANSWER = ("UNIQUE", "FIRST", "ANY", "PRIORITY")


class TableFinding(NamedTuple):
    """One thing that is wrong with a table.

    ``severity`` is ``error`` or ``warning``. ``rules`` are the ids of the rules that it is about, ``example``
    values of input expressions, as JSON, that show it.
    """

    element: str
    code: str
    severity: str
    zh: str
    en: str
    rules: tuple[str, ...] = ()
    example: Mapping[str, object] = {}


def check_tables(decisions: Decisions) -> list[TableFinding]:
    """Everything that can be said of the tables and expressions of a file, in its order."""
    findings: list[TableFinding] = []
    for part in decisions.parts:
        names = _types_of(part)
        findings.extend(_expression(part, names))
        for table in part.tables:
            findings.extend(_Checker(part, table, names).findings())
    return findings


def _types_of(part: Part) -> dict[str, Type]:
    """The types of what a part needs, by name."""
    return {
        name: needed.type
        for prefix, needed in part.needs
        if not prefix and needed.kind in ("inputData", "decision") and needed.type is not None
        for name in (needed.variable, needed.name)
    }


def _expression(part: Part, names: Mapping[str, Type]) -> list[TableFinding]:
    """What can never work in the literal expression that is a decision's whole logic."""
    found = child(part.element, "literalExpression") if part.kind == "decision" else None
    if found is None or not text(found):
        return []
    try:
        told = infer(compile(text(found), **part.options, closed=False), names)
    except FeelError:
        return []  # said already when the file was read
    return list(_troubles(identity(found), text(found), told))


def _troubles(element: str, source: str, told: Inferred) -> Iterable[TableFinding]:
    for found in told.findings:
        yield TableFinding(element, found.code, "error", f"{source}：{found.zh}", f"{source}: {found.en}")


class _Cell:
    """One input entry: how it answers each of the column's values."""

    __slots__ = ("_runtime", "constants", "opaque", "tests", "written")

    def __init__(self, written: Cell, table: Table, runtime: Runtime) -> None:
        self.written = written
        self._runtime = runtime
        self.tests: UnaryTests | None = None
        self.constants: Constants | None = None
        self.opaque = False  #: whether its answer depends on more than the value
        if written.text in ("", "-"):
            return
        self.tests = compile_unary(written.text, **table.options, closed=False)
        self.constants = Constants(self.tests, runtime)
        self.opaque = bool(self.tests.names - {"?"} or self.tests.calls)

    @property
    def exact(self) -> bool:
        """Whether the values that were tried stand for all."""
        return self.tests is None or (not self.opaque and self.constants is not None and self.constants.exact)

    def holds(self, value: Value) -> bool:
        if self.tests is None:
            return True
        try:
            return self.tests.run(value, {}, self._runtime) is True
        except (FeelError, RecursionError):
            self.opaque = True
            return False


class _Column:
    """One input: values that stand for all, each with the rules whose entry holds for it."""

    def __init__(self, column: Input, cells: list[_Cell], runtime: Runtime) -> None:
        self.input = column
        self._runtime = runtime
        self.cells = cells
        self.asks = any(cell.tests is not None for cell in cells)
        self.values: list[tuple[Value, int]] = []
        self.every: list[Value] = []
        self.too_many = False  #: cells and values to try them all
        self.complete = self._fill()
        #: Rules whose entry holds when nothing is given.
        self.null = _bits(place for place, cell in enumerate(cells) if cell.holds(None))
        #: Rules (as bits) whose entry is known for every value, and those of which nothing is known.
        self.exact = _bits(place for place, cell in enumerate(cells) if cell.exact and self.complete)
        self.opaque = _bits(
            place for place, cell in enumerate(cells) if cell.opaque or (cell.tests and not self.values)
        )

    def _fill(self) -> bool:
        """Try the values; false when they cannot be listed."""
        of = self.input.type
        wanted = None if of is None or of.kind in ("Any", "Null") else of.kind
        constants = [value for cell in self.cells if cell.constants for value in cell.constants.values]
        limits = _limits(self.input, self._runtime)
        for limit in limits:
            constants += limit.values
        found = representatives(wanted, constants)
        if found is None:
            if not self.asks:
                self.values = self.every = []
                return True
            return False
        listed = [value for value in found if self._allowed(value)]
        alike: dict[str, int] = {}  #: the rules, as bits, whose entry reads the same
        first: dict[str, _Cell] = {}
        for place, cell in enumerate(self.cells):
            alike[cell.written.text] = alike.get(cell.written.text, 0) | 1 << place
            first.setdefault(cell.written.text, cell)
        if len(listed) * len(first) > MAX_TESTS:
            self.too_many = True
            return False
        self.every = listed
        masks: dict[int, Value] = {}
        for value in listed:
            masks.setdefault(_union(alike[text] for text, cell in first.items() if cell.holds(value)), value)
        for cell in self.cells:
            cell.opaque |= first[cell.written.text].opaque
        self.values = [(value, mask) for mask, value in masks.items()]
        return all(limit.exact for limit in limits)

    def _allowed(self, value: Value) -> bool:
        if value is None:
            return True
        try:
            if self.input.type is not None and not self.input.type.accepts(value, self._runtime):
                return False
            if self.input.allowed_text:
                return compile_unary(self.input.allowed_text).run(value, {}, self._runtime) is True
        except FeelError:
            return False
        return True

    @property
    def listed(self) -> list[Value] | None:
        """The allowed values, when they are written one by one."""
        found: list[Value] = []
        for limit in _limits(self.input, self._runtime):
            if limit.exact and len(limit.asked) == len(limit.values):
                found += limit.values
        return found or None


def _limits(column: Input, runtime: Runtime) -> list[Constants]:
    """What the allowed values of the column and of its type compare with."""
    found: list[Constants] = []
    of = column.type
    while isinstance(of, Item):
        if of.constraint is not None:
            found.append(Constants(of.constraint, runtime))
        of = of.base
    if column.allowed_text:
        found.append(Constants(compile_unary(column.allowed_text), runtime))
    return found


def _union(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _bits(places: Iterable[int]) -> int:
    return sum(1 << place for place in places)


class _TooMuch(Exception):
    """A search would take longer than it may."""


class _Checker:
    """Judges one table."""

    def __init__(self, part: Part, table: Table, names: Mapping[str, Type]) -> None:
        self._part = part
        self._table = table
        self._names = names
        self._rules = table.rules
        self._all = (1 << len(table.rules)) - 1
        #: What all cells of the table may cost together; one that costs more is not judged.
        runtime = Runtime()
        cells = [[_Cell(written, table, runtime) for written in rule.cells] for rule in table.rules]
        self._columns = [
            _Column(column, [row[place] for row in cells], runtime) for place, column in enumerate(table.inputs)
        ]
        self._free = self._vary_freely()
        self._answers = [[_answer(written, table, runtime) for written in rule.answers] for rule in table.rules]
        self._said: dict[str, int] = {}
        self._steps = MAX_STEPS

    def findings(self) -> list[TableFinding]:
        found = [*self._types(), *self._entries(), *self._outputs()]
        dead = {rule for finding in found if finding.code == "table.never" for rule in finding.rules}
        found += self._overlaps()
        found += self._duplicates()
        too_much = any(column.too_many for column in self._columns)
        for search in (self._gaps, lambda: self._masked(dead)):
            self._steps = MAX_STEPS
            try:
                found += search()
            except _TooMuch:
                too_much = True
        if too_much:
            found.append(
                self._finding(
                    self._table.element,
                    "table.too_large",
                    "warning",
                    "决策表太大，没有查完重叠和遗漏；请拆成几张表。",
                    "The table is too large to look for all overlaps and gaps; make several of it.",
                )
            )
        return found

    def _finding(
        self,
        element: str,
        code: str,
        severity: str,
        zh: str,
        en: str,
        rules: Iterable[Rule] = (),
        example: Mapping[int, Value] | None = None,
    ) -> TableFinding:
        self._said[code] = self._said.get(code, 0) + 1
        shown = {self._columns[place].input.source: to_json(value) for place, value in (example or {}).items()}
        return TableFinding(element, code, severity, zh, en, tuple(rule.id for rule in rules), shown)

    def _enough(self, code: str) -> bool:
        return self._said.get(code, 0) >= MAX_FINDINGS

    # -- what columns and cells are -------------------------------------------------------------------------------

    def _vary_freely(self) -> bool:
        """Whether every column reads a name of its own that no other decision gives."""
        derived = {
            name
            for _, needed in self._part.needs
            if needed.kind != "inputData"
            for name in (needed.variable, needed.name)
        }
        seen: set[str] = set()
        for column in self._columns:
            if not column.asks:
                continue
            node = self._source(column.input)
            if node is None or not isinstance(node.tree, tree.Name) or node.tree.name in seen | derived:
                return False
            seen.add(node.tree.name)
        return True

    def _source(self, column: Input) -> Expression | None:
        try:
            return compile(column.source, **self._table.options, closed=False)
        except FeelError:
            return None

    def _types(self) -> Iterable[TableFinding]:
        """Cells and answers held against the types of their columns."""
        for column in self._columns:
            source = self._source(column.input)
            told = None if source is None else infer(source, self._names)
            if told is not None and source is not None:
                yield from _troubles(self._table.element, source.text, told)
            of = column.input.type or (told.type if told else ANY)
            for rule in self._rules:
                cell = column.cells[self._rules.index(rule)]
                if cell.tests is not None:
                    loose = Type(of.kind, item=of.item, fields=of.fields)  # values are judged below
                    yield from _troubles(
                        cell.written.element, cell.written.text, infer_unary(cell.tests, loose, self._names)
                    )
        for place, rule in ((place, rule) for rule in self._rules for place in range(len(self._table.outputs))):
            written = rule.answers[place]
            if not written.text:
                continue
            try:
                answer = compile(written.text, **self._table.options, closed=False)
            except FeelError:
                continue
            yield from _troubles(written.element, written.text, infer(answer, self._names))

    def _entries(self) -> Iterable[TableFinding]:
        """Entries that no allowed value passes, and values that are asked for and never come."""
        for column in self._columns:
            listed = column.listed
            for place, (rule, cell) in enumerate(zip(self._rules, column.cells, strict=True)):
                if cell.tests is None or cell.constants is None:
                    continue
                for _, value in cell.constants.asked if listed else ():
                    if value is None or any(equal(value, one, Runtime()) is True for one in listed or ()):
                        continue
                    if self._enough("table.value"):
                        return
                    yield self._stranger(rule, cell.written.element, column.input.label, value, listed or [])
                known = cell.exact and column.complete and column.every
                passed = column.null | _union(mask for _, mask in column.values)
                if known and not passed >> place & 1:
                    if self._enough("table.never"):
                        return
                    yield self._finding(
                        cell.written.element,
                        "table.never",
                        "error",
                        f"规则 {rule.number} 的“{column.input.label}”写着 {cell.written.text}，没有一个值能满足。",
                        f"Rule {rule.number}: no value of {column.input.label} can pass {cell.written.text}.",
                        [rule],
                    )

    def _stranger(self, rule: Rule, element: str, label: str, value: Value, listed: list[Value]) -> TableFinding:
        written = _text(value)
        meant = nearest(str(value), [str(one) for one in listed])
        hint, hint_zh = (f" Did you mean {meant}?", f"是不是 {meant}？") if meant else ("", "")
        known = ", ".join(_text(one) for one in listed[:12])
        return self._finding(
            element,
            "table.value",
            "error",
            f"规则 {rule.number}：{written} 不是“{label}”允许的值（{known}）。{hint_zh}",
            f"Rule {rule.number}: {written} is not among the allowed values of {label} ({known}).{hint}",
            [rule],
        )

    def _outputs(self) -> Iterable[TableFinding]:
        """Answers that their column does not allow."""
        for rule, answers in zip(self._rules, self._answers, strict=True):
            for column, written, value in zip(self._table.outputs, rule.answers, answers, strict=True):
                if value is UNKNOWN or value is None:
                    continue
                if column.type is not None and column.type.coerce(value, Runtime()) is MISMATCH:
                    yield self._misfit(rule, written, column, column.type, value)
                elif column.priorities and member(value, column.priorities, Runtime()) is not True:
                    yield self._stranger(rule, written.element, column.name or "输出", value, column.priorities)

    def _misfit(self, rule: Rule, written: Cell, column: Output, of: Type, value: Value) -> TableFinding:
        other_kind = of.kind != kind(value)
        wanted, wanted_zh = (of.kind, KIND_ZH.get(of.kind, of.kind)) if other_kind else (str(of), str(of))
        return self._finding(
            written.element,
            "table.output_type" if other_kind else "table.value",
            "error",
            f"规则 {rule.number}：结论 {written.text} 不合“{column.name}”的类型 {wanted_zh}，结果会是空值。",
            f"Rule {rule.number}: {written.text} is not a {wanted}, as {column.name} needs; it would be null.",
            [rule],
        )

    # -- boxes ----------------------------------------------------------------------------------------------------

    def _choices(self, place: int) -> list[tuple[Value, int]]:
        column = self._columns[place]
        return column.values or [(UNKNOWN, self._all)]

    def _search(self, within: int | None, covering: int, *, exactly: bool) -> dict[int, Value] | None:
        """Values that none of the ``covering`` rules takes, inside the box of the rule ``within`` if there is one.

        ``exactly`` counts only entries of which every value is known as taking anything; otherwise an entry of
        which nothing is known takes everything.
        """
        seen: set[tuple[int, int]] = set()

        def look(place: int, active: int) -> list[Value] | None:
            if place == len(self._columns):
                return [] if not active else None
            if (place, active) in seen:
                return None
            column = self._columns[place]
            choices = self._choices(place)
            self._steps -= len(choices) + 1
            if self._steps < 0:
                raise _TooMuch
            for value, mask in [*choices, (None, column.null)] if exactly and column.values else choices:
                if within is not None and column.exact >> within & 1 and not mask >> within & 1:
                    continue
                taken = mask & column.exact if exactly else mask | column.opaque
                rest = look(place + 1, active & taken)
                if rest is not None:
                    return [value, *rest]
            seen.add((place, active))
            return None

        found = look(0, covering)
        return None if found is None else self._example(found)

    def _example(self, values: list[Value]) -> dict[int, Value]:
        """The values of the columns that any rule asks about."""
        return {
            place: value for place, value in enumerate(values) if value is not UNKNOWN and self._columns[place].asks
        }

    def _common(self, first: int, second: int) -> dict[int, Value] | None:
        """Values for which both rules surely hold."""
        both = 1 << first | 1 << second
        values: list[Value] = []
        for place, column in enumerate(self._columns):
            if column.opaque & both:
                return None
            found = next((value for value, mask in self._choices(place) if mask & both == both), MISMATCH)
            if found is MISMATCH:
                return None
            values.append(found)
        return self._example(values)

    # -- findings over boxes --------------------------------------------------------------------------------------

    def _overlaps(self) -> Iterable[TableFinding]:
        policy = self._table.policy
        if policy not in ("UNIQUE", "ANY"):
            return
        for first, second in combinations(range(len(self._rules)), 2):
            if policy == "ANY" and not self._disagree(first, second):
                continue
            example = self._common(first, second)
            if example is None:
                continue
            code = "table.overlap" if policy == "UNIQUE" else "table.any"
            if self._enough(code):
                return
            a, b = self._rules[first], self._rules[second]
            must = "只许一条规则成立" if policy == "UNIQUE" else "同时成立的规则必须结论相同"
            must_en = "only one rule may hold" if policy == "UNIQUE" else "rules that hold together must agree"
            when, when_en = self._words(example)
            yield self._finding(
                b.id,
                code,
                "error" if self._free else "warning",
                f"规则 {a.number} 与规则 {b.number} 重叠：{when}时两条都成立，"
                f"而命中策略 {policy} {must}。{self._caveat[0]}",
                f"Rules {a.number} and {b.number} overlap: both hold when {when_en}, "
                f"and under hit policy {policy} {must_en}.{self._caveat[1]}",
                [a, b],
                example,
            )

    @property
    def _caveat(self) -> tuple[str, str]:
        if self._free:
            return "", ""
        return (
            "（近似：假定各列的值互不相干。）",
            " (Approximated: the columns are taken to vary freely.)",
        )

    def _disagree(self, first: int, second: int) -> bool:
        """Whether two rules surely give different answers."""
        pairs = zip(self._answers[first], self._answers[second], strict=True)
        return any(a is not UNKNOWN and b is not UNKNOWN and equal(a, b, Runtime()) is not True for a, b in pairs)

    def _masked(self, dead: set[str]) -> Iterable[TableFinding]:
        """Rules that never have their say, because others that come first always hold where they do."""
        if self._table.policy not in ("FIRST", "PRIORITY"):
            return
        for place, rule in enumerate(self._rules):
            before = self._before(place)
            if rule.id in dead or not before or self._search(place, before, exactly=True) is not None:
                continue
            if self._enough("table.masked"):
                return
            example = self._common(place, place)
            names = "、".join(str(self._rules[other].number) for other in _places(before & self._meeting(place)))
            names_en = names.replace("、", ", ")
            when, when_en = self._words(example or {})
            shown, shown_en = (f"（例如{when}）", f" (for example {when_en})") if example else ("", "")
            yield self._finding(
                rule.id,
                "table.masked",
                "error",
                f"规则 {rule.number} 永远轮不到：凡是它成立的情形{shown}，规则 {names} 中总有一条在先。",
                f"Rule {rule.number} never has its say: wherever it holds{shown_en}, "
                f"one of the rules {names_en} comes first.",
                [rule],
                example,
            )

    def _before(self, place: int) -> int:
        """The rules that win against this one wherever both hold."""
        if self._table.policy == "FIRST":
            return (1 << place) - 1
        own = self._rank(place)
        found = 0
        for other in range(len(self._rules)):
            rank = self._rank(other)
            if own is not None and rank is not None and (rank, other) < (own, place):
                found |= 1 << other
        return found

    def _rank(self, place: int) -> tuple[int, ...] | None:
        ranks = []
        for column, value in zip(self._table.outputs, self._answers[place], strict=True):
            if not column.priorities:
                continue
            if value is UNKNOWN:
                return None
            at = (at for at, best in enumerate(column.priorities) if equal(value, best, Runtime()) is True)
            ranks.append(next(at, 10**6))
        return tuple(ranks)

    def _meeting(self, place: int) -> int:
        """The rules that hold together with this one somewhere."""
        return _bits(other for other in range(len(self._rules)) if self._common(place, other) is not None)

    def _duplicates(self) -> Iterable[TableFinding]:
        """Rules with the same entries and the same answer, where the policy takes no notice of it."""
        if self._table.policy in ("UNIQUE", "FIRST", "PRIORITY") or self._table.aggregation in ("SUM", "COUNT"):
            return
        seen: dict[tuple[str, ...], Rule] = {}
        for rule in self._rules:
            key = tuple(cell.text or "-" for cell in (*rule.cells, *rule.answers))
            earlier = seen.setdefault(key, rule)
            if earlier is rule:
                continue
            if self._enough("table.duplicate"):
                return
            yield self._finding(
                rule.id,
                "table.duplicate",
                "warning",
                f"规则 {rule.number} 与规则 {earlier.number} 完全相同。",
                f"Rule {rule.number} is the same as rule {earlier.number}.",
                [earlier, rule],
            )

    def _gaps(self) -> Iterable[TableFinding]:
        """Values for which no rule holds, where the table then has no answer."""
        if self._table.policy not in _ONE_ANSWER or any(column.default for column in self._table.outputs):
            return
        if any(column.asks and not column.values for column in self._columns):
            return
        example = self._search(None, self._all, exactly=False)
        if example is None:
            return
        when, when_en = self._words(example)
        yield self._finding(
            self._table.element,
            "table.gap",
            "warning",
            f"没有规则管到这种情形：{when}；结果会是空值。"
            f"请补一条规则，或者给输出列写默认值（本来就没有结论的，写 null）。{self._caveat[0]}",
            f"No rule covers {when_en}; the answer would be null. Add a rule, or a default to the output "
            f"(null, where there shall be no answer)."
            f"{self._caveat[1]}",
            example=example,
        )

    def _words(self, example: Mapping[int, Value]) -> tuple[str, str]:
        """The example as people read it, in Chinese and in English."""
        columns = [(self._columns[place], value) for place, value in example.items()]
        zh = "，".join(f"{column.input.label} = {_text(value)}" for column, value in columns)
        en = ", ".join(f"{column.input.source} = {_text(value)}" for column, value in columns)
        return zh or "任何情况", en or "anything is given"


def _answer(written: Cell, table: Table, runtime: Runtime) -> Value:
    """The value of an output entry that is a constant."""
    if not written.text:
        return None
    try:
        return constant(compile(written.text, **table.options, closed=False).tree, runtime)
    except FeelError:
        return UNKNOWN


def _text(value: Value) -> str:
    return text_of(value, Runtime(), inside=True) or "null"


def _places(bits: int) -> Iterable[int]:
    place = 0
    while bits >> place:
        if bits >> place & 1:
            yield place
        place += 1
