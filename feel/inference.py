"""What an expression will give and what in it can never work, from the types of the names in it.

    feel.infer(feel.compile("amount > limit"), {"amount": feel.named("number"), "limit": feel.named("string")})

It never guesses: where a type is not known the answer is ``Any`` and nothing is said. Null belongs to every type.
What it says is so for all values: the marked place is null whenever it is reached, or one of two ways is dead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from feel import syntax as tree
from feel import temporal as t
from feel.errors import position
from feel.expression import Expression, UnaryTests
from feel.library import BUILT_INS, FOLDED
from feel.library.define import BuiltIn
from feel.limits import Runtime
from feel.names import nearest
from feel.properties import PROPERTIES
from feel.types import ANY, BUILT_IN, NULL, Type, named
from feel.values import KIND_ZH, kind

NUMBER, STRING, BOOLEAN = BUILT_IN["number"], BUILT_IN["string"], BUILT_IN["boolean"]
DATE, MOMENT = BUILT_IN["date"], BUILT_IN["date and time"]
DAYS, MONTHS = BUILT_IN["days and time duration"], BUILT_IN["years and months duration"]

_UNKNOWN = frozenset(("Any", "Null"))
_ORDERED = frozenset(("number", "string", "date", "time", "date and time", DAYS.kind, MONTHS.kind))
_POINTS = frozenset(("date", "date and time"))
_DURATIONS = frozenset((DAYS.kind, MONTHS.kind))
#: What a pair of kinds gives; a pair that is not here gives null.
_SUMS: dict[str, dict[tuple[str, str], str]] = {
    "+": {("number", "number"): "number", ("string", "string"): "string"},
    "-": {("number", "number"): "number", ("time", "time"): DAYS.kind},
    "*": {("number", "number"): "number"},
    "/": {("number", "number"): "number"},
    "**": {("number", "number"): "number"},
}
for _duration in _DURATIONS:
    _SUMS["+"][_duration, _duration] = _SUMS["-"][_duration, _duration] = _duration
    _SUMS["*"]["number", _duration] = _SUMS["*"][_duration, "number"] = _SUMS["/"][_duration, "number"] = _duration
    _SUMS["/"][_duration, _duration] = "number"
    for _point in _POINTS:
        _SUMS["+"][_point, _duration] = _SUMS["+"][_duration, _point] = _SUMS["-"][_point, _duration] = _point
for _first in _POINTS:
    for _second in _POINTS:
        _SUMS["-"][_first, _second] = DAYS.kind
_SUMS["+"]["time", DAYS.kind] = _SUMS["+"][DAYS.kind, "time"] = _SUMS["-"]["time", DAYS.kind] = "time"

_PROPERTY_KINDS = {
    "timezone": "string",
    "time offset": DAYS.kind,
    "start included": "boolean",
    "end included": "boolean",
}

#: What a built-in gives when it gives anything; those that are not here give what cannot be told.
_RESULTS: dict[str, str] = {
    **dict.fromkeys(
        (
            *(
                "not",
                "contains",
                "starts with",
                "ends with",
                "matches",
                "list contains",
                "all",
                "any",
                "odd",
                "even",
            ),
            *("is", "before", "after", "meets", "met by", "overlaps", "overlaps before", "overlaps after"),
            *("finishes", "finished by", "includes", "during", "starts", "started by", "coincides"),
        ),
        "boolean",
    ),
    **dict.fromkeys(
        (
            *("string length", "count", "product", "median", "stddev", "number", "decimal", "floor", "ceiling"),
            *("round up", "round down", "round half up", "round half down", "modulo", "sqrt", "exp", "log"),
            *("day of year", "week of year"),
        ),
        "number",
    ),
    **dict.fromkeys(
        (
            *("string", "substring", "upper case", "lower case", "substring before", "substring after", "replace"),
            *("string join", "day of week", "month of year"),
        ),
        "string",
    ),
    **dict.fromkeys(
        (
            *("split", "sublist", "append", "concatenate", "insert before", "remove", "list replace", "reverse"),
            *("index of", "distinct values", "union", "flatten", "sort", "mode", "get entries"),
        ),
        "list",
    ),
    **dict.fromkeys(("context", "context put", "context merge"), "context"),
    "range": "range",
    "date": "date",
    "today": "date",
    "time": "time",
    "date and time": "date and time",
    "now": "date and time",
    "years and months duration": MONTHS.kind,
}
#: Kinds of parameters as built-ins declare them, where they are not the kinds of values.
_PARAMETERS = {
    "days duration": frozenset((DAYS.kind,)),
    "months duration": frozenset((MONTHS.kind,)),
    "day": _POINTS,
}


class Trouble(NamedTuple):
    """Something in an expression that can never work. ``line`` and ``column`` count from 1."""

    line: int
    column: int
    code: str
    zh: str
    en: str


class Inferred(NamedTuple):
    """The type of the result, ``Any`` when it cannot be told, and what is wrong."""

    type: Type
    findings: list[Trouble]


def infer(
    expression: Expression, names: Mapping[str, Type], *, wanted: str | None = None, closed: bool = False
) -> Inferred:
    """The type of an expression.

    ``names`` are the types of variables and of injected functions; when ``closed`` there are no others. ``wanted``
    is the kind that the place needs, such as ``boolean``: a result that can never be one is a finding.
    """
    reader = _Reader(expression.text, names, closed)
    found = reader.type_of(expression.tree)
    if wanted is not None and found.kind not in (*_UNKNOWN, wanted):
        reader.say(
            _start(expression.tree),
            "feel.condition" if wanted == "boolean" else "feel.type",
            f"这里应当得出{_zh(wanted)}，而这个表达式得出{_zh(found.kind)}",
            f"a {wanted} is needed here, and this gives a {found.kind}",
        )
    return Inferred(found, reader.findings)


def infer_unary(tests: UnaryTests, of: Type, names: Mapping[str, Type], *, closed: bool = False) -> Inferred:
    """The same for the cell of a table that tests a value of type ``of``."""
    reader = _Reader(tests.text, names, closed)
    reader.scopes.append({"?": of})
    if isinstance(tests.tree, tree.UnaryNode):
        for test in tests.tree.tests:
            reader.test(test, of)
    return Inferred(BOOLEAN, reader.findings)


def of_value(value: Any) -> Type:
    """The type of a value that is known."""
    if value is None:
        return NULL
    found = kind(value)
    if found == "list":
        return Type("list", item=_joined_all([of_value(item) for item in value]))
    if found == "context":
        return Type("context", fields={name: of_value(item) for name, item in value.items()})
    return BUILT_IN.get(found, ANY)


def _zh(of: str) -> str:
    return KIND_ZH.get(of, of)


def _joined(a: Type, b: Type) -> Type:
    """A type that values of both belong to."""
    if a is b or b.kind == "Null":
        return a
    if a.kind == "Null":
        return b
    if a.kind != b.kind or a.kind == "Any":
        return ANY
    if a.kind == "list":
        return Type("list", item=_joined(a.item or ANY, b.item or ANY))
    return BUILT_IN.get(a.kind, ANY)


def _joined_all(types: list[Type]) -> Type:
    found = NULL
    for of in types:
        found = _joined(found, of)
    return found if types else ANY


def _start(node: tree.Node) -> int:
    """Where a node begins; operators know only their own place."""
    while isinstance(node, tree.Arithmetic | tree.Compare):
        node = node.left
    while isinstance(node, tree.And | tree.Or):
        node = node.parts[0]
    return node.at


def _temporal(text: str) -> Type:
    return of_value(t.parse_temporal(text))


class _Reader:
    """Goes over one tree and notes what cannot work."""

    def __init__(self, text: str, names: Mapping[str, Type], closed: bool) -> None:
        self._text = text
        self._names = names
        self._closed = closed
        self.scopes: list[dict[str, Type]] = []
        self._items: dict[int, Type] = {}  #: the items of the filters around, by the place of their scope
        self.findings: list[Trouble] = []

    def say(self, at: int, code: str, zh: str, en: str) -> None:
        self.findings.append(Trouble(*position(self._text, at), code, zh, en))

    def type_of(self, node: tree.Node) -> Type:
        return _OF[type(node)](self, node)

    # -- values and names -----------------------------------------------------------------------------------------

    def _literal(self, node: tree.Literal) -> Type:
        found = of_value(node.value)
        return Type(found.kind, allowed=(node.value,)) if found is STRING else found

    def _at(self, node: tree.AtLiteral) -> Type:
        found = _temporal(node.text)
        if found is NULL:
            self.say(
                node.at,
                "feel.literal",
                f"“{node.text}”不是日期、时间或者时长，结果总是空值",
                f'"{node.text}" is no date, time or duration; this is always null',
            )
        return found

    def _name(self, node: tree.Name) -> Type:
        name = node.name
        for depth in range(len(self.scopes) - 1, -1, -1):
            item = self._items.get(depth)
            if item is not None and item.fields is not None and name in item.fields:
                return item.fields[name]
            if item is not None and item.fields is None and item.kind in (*_UNKNOWN, "context"):
                return ANY  # an entry of the item, perhaps
            if name in self.scopes[depth]:
                return self.scopes[depth][name]
        if name in self._names:
            return self._names[name]
        if name in BUILT_INS:
            return BUILT_IN["function"]
        if self._closed and not self._items:
            known = {*self._names, *(local for scope in self.scopes for local in scope)}
            self._unknown(node.at, "feel.name", "名称", "name", name, known)
        return ANY

    def _unknown(self, at: int, code: str, what_zh: str, what: str, name: str, known: Any) -> None:
        suggestion = nearest(name, known)
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        hint_zh = f"；是不是 {suggestion}？" if suggestion else ""
        self.say(at, code, f"没有名为 {name} 的{what_zh}{hint_zh}", f"there is no {what} {name}{hint}")

    # -- arithmetic -----------------------------------------------------------------------------------------------

    def _arithmetic(self, node: tree.Arithmetic) -> Type:
        spine: list[tree.Arithmetic] = []
        first: tree.Node = node
        while isinstance(first, tree.Arithmetic):
            spine.append(first)
            first = first.left
        found = self.type_of(first)
        for step in reversed(spine):
            found = self._sum(step, found, self.type_of(step.right))
        return found

    def _sum(self, node: tree.Arithmetic, left: Type, right: Type) -> Type:
        pairs, a, b = _SUMS[node.operator], left.kind, right.kind
        if a in _UNKNOWN or b in _UNKNOWN:
            for known, place in ((a, 0), (b, 1)):
                if known not in _UNKNOWN and not any(pair[place] == known for pair in pairs):
                    self._no_arithmetic(node, known)
            return NUMBER if node.operator == "**" else ANY
        found = pairs.get((a, b))
        if found is None:
            self.say(
                node.at,
                "feel.arithmetic",
                f"{_zh(a)}与{_zh(b)}之间不能用 {node.operator}，结果总是空值",
                f"{node.operator} does not work between {a} and {b}; this is always null",
            )
            return ANY
        return BUILT_IN[found]

    def _no_arithmetic(self, node: tree.Arithmetic, of: str) -> None:
        self.say(
            node.at,
            "feel.arithmetic",
            f"{_zh(of)}不能用 {node.operator} 计算，结果总是空值",
            f"{node.operator} does not work with a {of}; this is always null",
        )

    def _negate(self, node: tree.Negate) -> Type:
        found = self.type_of(node.operand)
        if found.kind not in (*_UNKNOWN, "number", *_DURATIONS):
            self.say(
                node.at,
                "feel.arithmetic",
                f"{_zh(found.kind)}前面不能加负号，结果总是空值",
                f"a {found.kind} has no negative; this is always null",
            )
            return ANY
        return found

    # -- logic ----------------------------------------------------------------------------------------------------

    def _logic(self, node: tree.And | tree.Or) -> Type:
        for part in node.parts:
            self._condition(part)
        return BOOLEAN

    def _condition(self, node: tree.Node) -> None:
        found = self.type_of(node)
        if found.kind not in (*_UNKNOWN, "boolean"):
            self.say(
                _start(node),
                "feel.condition",
                f"这里应当是是否值，而不是{_zh(found.kind)}",
                f"true or false is expected here, not a {found.kind}",
            )

    def _if(self, node: tree.If) -> Type:
        self._condition(node.condition)
        return _joined(self.type_of(node.then), self.type_of(node.otherwise))

    # -- comparisons ----------------------------------------------------------------------------------------------

    def _compare(self, node: tree.Compare) -> Type:
        left, right = self.type_of(node.left), self.type_of(node.right)
        self._comparison(node.at, node.operator, left, right)
        return BOOLEAN

    def _comparison(self, at: int, sign: str, left: Type, right: Type) -> None:
        a, b = left.kind, right.kind
        ordered = sign not in ("=", "!=")
        for of in (a, b):
            if ordered and of not in _UNKNOWN and of not in _ORDERED:
                self.say(
                    at,
                    "feel.compare",
                    f"{_zh(of)}没有大小之分，不能用 {sign}，结果总是空值",
                    f"{sign} does not work with a {of}: it has no order; this is always null",
                )
                return
        if a in _UNKNOWN or b in _UNKNOWN:
            return
        if a != b and (ordered or not (a in _DURATIONS and b in _DURATIONS)):
            outcome, outcome_zh = (
                ("this is always null", "结果总是空值") if ordered else ("they are never equal", "永远不会相等")
            )
            self.say(
                at,
                "feel.compare",
                f"{_zh(a)}与{_zh(b)}不能用 {sign} 比较，{outcome_zh}",
                f"{sign} does not work between {a} and {b}; {outcome}",
            )
            return
        if not ordered:
            self._listed(at, left, right)

    def _listed(self, at: int, left: Type, right: Type) -> None:
        """Two types of listed values that share none are never equal."""
        if left.allowed is None or right.allowed is None or set(left.allowed) & set(right.allowed):
            return
        if len(left.allowed) == len(right.allowed) == 1 or "" in (*left.allowed, *right.allowed):
            return  # two literals, which the writer sees; or a question after what was not answered
        single, several = (left, right) if len(left.allowed) == 1 else (right, left)
        written = "、".join(map(str, single.allowed or ()))
        known = [str(value) for value in several.allowed or ()]
        suggestion = nearest(written, known)
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        hint_zh = f"；是不是 {suggestion}？" if suggestion else ""
        listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        self.say(
            at,
            "feel.enum",
            f"“{written}”不在允许的值之内：{listed}{hint_zh}",
            f'"{written}" is not among the allowed values {listed}{hint}',
        )

    def _between(self, node: tree.Between) -> Type:
        value = self.type_of(node.value)
        self._comparison(node.at, "between", value, self.type_of(node.low))
        self._comparison(node.at, "between", value, self.type_of(node.high))
        return BOOLEAN

    def _in(self, node: tree.In) -> Type:
        value = self.type_of(node.value)
        for test in node.tests:
            self.test(test, value, inside=True)
        return BOOLEAN

    def test(self, node: tree.Node, of: Type, *, inside: bool = False) -> None:
        """One test of a value of type ``of``, in a cell or ``inside`` an ``in``."""
        if isinstance(node, tree.Anything):
            return
        if isinstance(node, tree.Test):
            self._comparison(node.at, node.operator, of, self.type_of(node.value))
            return
        found = self.type_of(node)
        if found.kind == "boolean" and not inside and (of.kind in ("boolean", *_UNKNOWN) or _asks(node)):
            return
        if found.kind == "range" and of.kind != "range":
            self._comparison(node.at, "in", of, found.item or ANY)
        elif found.kind == "list" and of.kind != "list":
            item = found.item or ANY
            if item.allowed is not None and of.allowed is not None:
                for value in item.allowed:
                    self._listed(_start(node), of, Type("string", allowed=(value,)))
            elif item.kind not in ("range", "list"):
                self._comparison(_start(node), "=", of, item)
        elif found.kind != "list" and of.kind != "list":
            self._comparison(_start(node), "=", of, found)

    def _instance_of(self, node: tree.InstanceOf) -> Type:
        self.type_of(node.value)
        return BOOLEAN

    # -- collections ----------------------------------------------------------------------------------------------

    def _list(self, node: tree.ListNode) -> Type:
        types = [self.type_of(item) for item in node.items]
        item = _joined_all(types)
        if types and all(of.allowed is not None and of.kind == "string" for of in types):
            item = Type("string", allowed=tuple(value for of in types for value in of.allowed or ()))
        return Type("list", item=item)

    def _range(self, node: tree.RangeNode) -> Type:
        ends = [self.type_of(end) for end in (node.low, node.high) if end is not None]
        if len(ends) == 2 and node.operator == "":
            self._comparison(node.at, "..", *ends)
        of = _joined_all(ends) if node.operator not in ("=", "!=") else ANY
        return Type("range", item=BUILT_IN.get(of.kind, ANY))

    def _context(self, node: tree.ContextNode) -> Type:
        fields: dict[str, Type] = {}
        self.scopes.append(fields)
        for name, value in node.entries:
            if isinstance(value, tree.FunctionNode):
                fields[name] = BUILT_IN["function"]
            fields[name] = self.type_of(value)
        self.scopes.pop()
        return Type("context", fields=fields)

    def _path(self, node: tree.Path) -> Type:
        return self._property(node, self.type_of(node.target))

    def _property(self, node: tree.Path, of: Type) -> Type:
        name = node.name
        if of.kind == "list":
            return Type("list", item=self._property(node, of.item)) if of.item is not None else of
        if of.kind in _UNKNOWN:
            return ANY
        if of.kind == "context":
            if of.fields is None:
                return ANY
            if name not in of.fields:
                self._unknown(node.at + 1, "feel.property", "条目", "entry", name, of.fields)
            return of.fields.get(name, ANY)
        known = PROPERTIES.get(of.kind, {})
        if name not in known:
            suggestion = nearest(name, known)
            hint = f"; did you mean {suggestion}?" if suggestion else ""
            hint_zh = f"；是不是 {suggestion}？" if suggestion else ""
            self.say(
                node.at + 1,
                "feel.property",
                f"{_zh(of.kind)}没有属性 {name}{hint_zh}",
                f"a {of.kind} has no property {name}{hint}",
            )
            return ANY
        if name in ("start", "end"):
            return of.item or ANY
        return BUILT_IN[_PROPERTY_KINDS.get(name, "number")]

    def _filter(self, node: tree.Filter) -> Type:
        target = self.type_of(node.target)
        item = (target.item or ANY) if target.kind == "list" else ANY if target.kind in _UNKNOWN else target
        self._items[len(self.scopes)] = item
        self.scopes.append({"item": item})
        condition = self.type_of(node.condition)
        self.scopes.pop()
        del self._items[len(self.scopes)]
        if condition.kind == "number":
            return item
        if condition.kind == "boolean":
            return Type("list", item=item)
        if condition.kind not in _UNKNOWN:
            self.say(
                _start(node.condition),
                "feel.condition",
                f"筛选条件应当是是否值或者位置，而不是{_zh(condition.kind)}",
                f"a filter needs true or false or a place, not a {condition.kind}",
            )
        return ANY

    # -- iteration ------------------------------------------------------------------------------------------------

    def _iterators(self, iterators: list[tree.Iterator]) -> dict[str, Type]:
        scope: dict[str, Type] = {}
        self.scopes.append(scope)
        for iterator in iterators:
            domain = self.type_of(iterator.domain)
            if iterator.to is not None:
                other = self.type_of(iterator.to)
                item = domain if domain.kind == other.kind else ANY
            elif domain.kind in ("list", "range"):
                item = domain.item or ANY
            else:
                item = domain
            scope[iterator.name] = item
        return scope

    def _for(self, node: tree.For) -> Type:
        scope = self._iterators(node.iterators)
        scope.setdefault("partial", Type("list", item=ANY))
        body = self.type_of(node.body)
        self.scopes.pop()
        return Type("list", item=body)

    def _quantified(self, node: tree.Quantified) -> Type:
        self._iterators(node.iterators)
        self._condition(node.body)
        self.scopes.pop()
        return BOOLEAN

    # -- functions ------------------------------------------------------------------------------------------------

    def _function(self, node: tree.FunctionNode) -> Type:
        types = tuple(_declared(of) for _, of in node.parameters)
        self.scopes.append({name: of for (name, _), of in zip(node.parameters, types, strict=True)})
        result = self.type_of(node.body)
        self.scopes.pop()
        return Type("function", parameters=types, result=result)

    def _call(self, node: tree.Call) -> Type:
        is_not = isinstance(node.function, tree.Name) and node.function.name == "not"
        given = [ANY if is_not else self.type_of(argument) for argument in node.positional]
        by_name = None if node.named is None else {name: self.type_of(value) for name, value in node.named}
        function = node.function
        if isinstance(function, tree.Name) and self._is_built_in(function.name):
            return self._built_in(node, BUILT_INS[function.name], given, by_name)
        if isinstance(function, tree.Name) and not self._is_known(function.name):
            return ANY
        of = self.type_of(function)
        if of.kind not in (*_UNKNOWN, "function"):
            self.say(
                node.at,
                "feel.call",
                f"{_zh(of.kind)}不能当作函数调用",
                f"a {of.kind} cannot be called",
            )
            return ANY
        if of.parameters is not None and by_name is None and len(given) != len(of.parameters):
            self._count(node, len(of.parameters), len(of.parameters), len(given))
        return of.result or ANY

    def _is_known(self, name: str) -> bool:
        return name in self._names or any(name in scope for scope in self.scopes)

    def _is_built_in(self, name: str) -> bool:
        return name in BUILT_INS and not self._is_known(name)

    def _count(self, node: tree.Call, least: int, most: int, given: int) -> None:
        wanted = str(most) if most == least else f"{least} to {most}"
        zh = str(most) if most == least else f"{least} 至 {most}"
        name = node.function.name if isinstance(node.function, tree.Name) else "函数"
        self.say(
            node.at,
            "feel.count",
            f"{name} 需要 {zh} 个参数，给了 {given} 个，结果总是空值",
            f"{name} takes {wanted} arguments, not {given}; this is always null",
        )

    def _built_in(
        self, node: tree.Call, function: BuiltIn, given: list[Type], by_name: dict[str, Type] | None
    ) -> Type:
        result = self._result(function.name, given)
        if by_name is not None:
            allowed = {name for names in (function.parameters or (), *function.also) for name in names}
            for name in by_name:
                if name not in allowed:
                    self._unknown(
                        node.at,
                        "feel.argument",
                        f"参数（{function.name}）",
                        f"parameter of {function.name}",
                        name,
                        allowed,
                    )
            return result
        if function.variadic:
            if not given:
                self._count(node, 1, 1, 0)
            return result
        if len(given) < function.needed or (len(given) > len(function.kinds) and not function.rest):
            self._count(node, function.needed, len(function.kinds), len(given))
            return result
        last = len(function.kinds) - 1
        for place, of in enumerate(given):
            self._argument(node, function, min(place, last), node.positional[place], of)
        if function.name == "not":
            self._condition(node.positional[0])
        self._folded(node, function)
        return result

    def _argument(self, node: tree.Call, function: BuiltIn, place: int, argument: tree.Node, of: Type) -> None:
        wanted = function.kinds[place]
        if wanted in ("any", "list") or of.kind in _UNKNOWN:
            return
        item = of.item.kind if of.kind == "list" and of.item is not None else of.kind
        if of.kind == "list" and item in (*_UNKNOWN, "list"):
            return  # a list of one item stands for the item
        if item in _PARAMETERS.get(wanted, (wanted,)):
            return
        names = function.parameters or ()
        self.say(
            _start(argument),
            "feel.argument",
            f"{function.name} 的参数 {names[place]} 应当是{_zh(wanted)}，而不是{_zh(of.kind)}，结果总是空值",
            f"{names[place]} of {function.name} must be a {wanted}, not a {of.kind}; this is always null",
        )

    def _folded(self, node: tree.Call, function: BuiltIn) -> None:
        """A constructor of a literal that has no result, such as ``date("2026-02-30")``."""
        literals = [argument.value for argument in node.positional if isinstance(argument, tree.Literal)]
        if function.name not in FOLDED or len(literals) != len(node.positional) or None in literals:
            return
        if self.findings and self.findings[-1].code in ("feel.argument", "feel.count"):
            return
        if function.call(Runtime(), list(literals)) is None:
            written = ", ".join(str(value) for value in literals)
            self.say(
                node.at,
                "feel.literal",
                f"{function.name}({written}) 没有这样的值，结果总是空值",
                f"there is no {function.name} {written}; this is always null",
            )

    def _result(self, name: str, given: list[Type]) -> Type:
        if (
            name in ("sublist", "remove", "reverse", "distinct values", "sort")
            and given
            and given[0].kind == "list"
        ):
            return given[0]
        if name == "split":
            return Type("list", item=STRING)
        found = named(_RESULTS.get(name, "Any"))
        return found or ANY


def _declared(of: tree.TypeNode | None) -> Type:
    if of is None or of.arguments or of.fields:
        return ANY
    return named(of.name) or ANY


def _asks(node: tree.Node) -> bool:
    """Whether the value that is tested, ``?``, stands somewhere in the expression."""
    left: list[Any] = [node]
    while left:
        found = left.pop()
        if isinstance(found, tree.Name) and found.name == "?":
            return True
        if isinstance(found, tree.Node):
            left.extend(getattr(found, name) for name in found._fields)
        elif isinstance(found, list | tuple):
            left.extend(found)
    return False


_OF: dict[type, Callable[[_Reader, Any], Type]] = {
    tree.Literal: _Reader._literal,
    tree.AtLiteral: _Reader._at,
    tree.Name: _Reader._name,
    tree.Negate: _Reader._negate,
    tree.Arithmetic: _Reader._arithmetic,
    tree.Compare: _Reader._compare,
    tree.Between: _Reader._between,
    tree.In: _Reader._in,
    tree.And: _Reader._logic,
    tree.Or: _Reader._logic,
    tree.InstanceOf: _Reader._instance_of,
    tree.If: _Reader._if,
    tree.For: _Reader._for,
    tree.Quantified: _Reader._quantified,
    tree.Path: _Reader._path,
    tree.Filter: _Reader._filter,
    tree.Call: _Reader._call,
    tree.ListNode: _Reader._list,
    tree.RangeNode: _Reader._range,
    tree.ContextNode: _Reader._context,
    tree.FunctionNode: _Reader._function,
}
