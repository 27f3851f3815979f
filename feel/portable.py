"""The part of FEEL on which the browser's interpreter agrees with this one.

The browser computes with doubles, knows other built-ins, and answers false where the standard says null. A form's
conditions are evaluated in both, here with authority and there as a preview; so they keep to what is the same in
both. That it is the same is shown by ``tests/prove/test_feelin.py`` on random expressions that pass this lint.
"""

from collections.abc import Callable
from decimal import Decimal

from feel import syntax as tree
from feel.errors import position
from feel.expression import Expression
from feel.inference import Trouble

#: Built-ins that answer alike.
FUNCTIONS = frozenset(
    (
        *("not", "count", "sum", "min", "max", "abs", "floor", "ceiling", "string length", "upper case"),
        *(
            "lower case",
            "contains",
            "starts with",
            "ends with",
            "list contains",
            "append",
            "concatenate",
            "reverse",
        ),
        *("substring before", "substring after", "string join"),
    )
)
_TEMPORAL = frozenset(("date", "time", "date and time", "duration", "years and months duration", "now", "today"))


def check_portable(expression: Expression) -> list[Trouble]:
    """What in an expression the browser may answer otherwise; empty when both agree."""
    reader = _Reader(expression.text)
    reader.go(expression.tree, truth=True)
    return reader.findings


class _Reader:
    """``truth`` tells that a place asks only whether it is true, so that false and null are alike there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.findings: list[Trouble] = []

    def _say(self, node: tree.Node, zh: str, en: str) -> None:
        self.findings.append(Trouble(*position(self._text, node.at), "feel.portable", zh, en))

    def go(self, node: tree.Node, *, truth: bool = False) -> None:
        step = _STEPS.get(type(node))
        if step is None:
            self._say(
                node,
                "浏览器的预览不一定懂这种写法；表单里请只用比较、逻辑、算术、列表和常用函数。",
                "The browser's preview may not know this; keep to comparisons, logic, arithmetic, lists and common "
                "functions in forms.",
            )
        else:
            step(self, node, truth)

    # -- what is alike --------------------------------------------------------------------------------------------

    def _leaf(self, node: tree.Node, truth: bool) -> None:
        pass

    def _literal(self, node: tree.Literal, truth: bool) -> None:
        if isinstance(node.value, Decimal) and len(node.value.as_tuple().digits) > 15:
            self._say(
                node,
                "浏览器的数字只有 15 位有效数字。",
                "The browser's numbers have 15 digits.",
            )

    def _logic(self, node: tree.And | tree.Or, truth: bool) -> None:
        for part in node.parts:
            self.go(part, truth=truth)
        for part in node.parts[:-1]:
            if _ends_in_range(part):
                self._say(
                    part,
                    "in 区间后面接 and、or，浏览器会读错；请把它写在最后。",
                    "The browser misreads and, or after in with a range; write that part last.",
                )

    def _if(self, node: tree.If, truth: bool) -> None:
        self.go(node.condition, truth=True)
        self.go(node.then, truth=truth)
        self.go(node.otherwise, truth=truth)

    def _negate(self, node: tree.Negate, truth: bool) -> None:
        self._arithmetic_part(node.operand)

    def _arithmetic(self, node: tree.Arithmetic, truth: bool) -> None:
        spine: list[tree.Node] = [node]
        while spine:
            found = spine.pop()
            if isinstance(found, tree.Arithmetic):
                if found.operator == "**":
                    self._say(found, "乘方在浏览器里结果不同。", "Powers have other results in the browser.")
                spine += [found.left, found.right]
            else:
                self._arithmetic_part(found)

    def _arithmetic_part(self, node: tree.Node) -> None:
        if _is_temporal(node):
            self._say(
                node,
                "日期和时间的计算在浏览器里结果不同；请在流程里算好再给表单。",
                "The browser reckons dates and times otherwise; let the process do it and give the result.",
            )
        else:
            self.go(node)

    def _compare(self, node: tree.Compare, truth: bool) -> None:
        self._sides(node.operator, (node.left, node.right), node)

    def _sides(self, operator: str, sides: tuple[tree.Node, ...], node: tree.Node) -> None:
        if operator in ("=", "!=") and any(_has_fraction(side) for side in sides):
            self._say(
                node,
                "小数在浏览器里不精确，不要用等号比较；请用大于、小于，或者先取整。",
                "Fractions are not exact in the browser; do not ask whether they are equal, but which is larger.",
            )
        for side in sides:
            self.go(side)

    def _list(self, node: tree.ListNode, truth: bool) -> None:
        for item in node.items:
            self.go(item)

    def _path(self, node: tree.Path, truth: bool) -> None:
        self.go(node.target)

    def _filter(self, node: tree.Filter, truth: bool) -> None:
        self.go(node.target)
        condition = node.condition
        if isinstance(condition, tree.Compare) and not _is_safe_filter(condition):
            self._say(
                condition,
                "筛选时与可能为空的值比较是否相等，浏览器结果不同；请用 = 与写明的值比较。",
                "A filter that asks for equality with what may be null differs in the browser; "
                "compare by = with a literal.",
            )
        self.go(condition, truth=True)

    def _call(self, node: tree.Call, truth: bool) -> None:
        name = node.function.name if isinstance(node.function, tree.Name) else ""
        if node.named is not None or name not in FUNCTIONS | _TEMPORAL:
            self._say(
                node,
                f"浏览器的预览不一定有函数 {name}，或者结果不同。" if name else "浏览器的预览不一定懂这种调用。",
                f"The browser's preview may not have {name}, or answers otherwise."
                if name
                else "The browser's preview may not know this call.",
            )
        for argument in node.positional:
            self.go(argument)

    # -- alike only where it is asked whether they are true -------------------------------------------------------

    def _only_truth(self, node: tree.Node, truth: bool) -> None:
        if not truth:
            self._say(
                node,
                "对空值，浏览器在这里得出 false，而不是空值；请不要放在 not(…) 或者等号里，改用比较和 and、or。",
                "For null the browser says false here, not null; do not use it within not(…) or =, "
                "but comparisons with and, or.",
            )

    def _in(self, node: tree.In, truth: bool) -> None:
        self._only_truth(node, truth)
        if _has_fraction(node.value):
            self._sides("=", (node.value,), node)
        else:
            self.go(node.value)
        for test in node.tests:
            if isinstance(test, tree.RangeNode):
                self._ascending(test, test.low, test.high)
            elif isinstance(test, tree.Test):
                self._sides(test.operator, (test.value,), test)
            else:
                self._sides("=", (test,), test)

    def _between(self, node: tree.Between, truth: bool) -> None:
        self._only_truth(node, truth)
        self.go(node.value)
        self._ascending(node, node.low, node.high)

    def _ascending(self, node: tree.Node, low: tree.Node | None, high: tree.Node | None) -> None:
        ends = [end.value for end in (low, high) if isinstance(end, tree.Literal)]
        if len(ends) == 2 and all(isinstance(end, Decimal) for end in ends) and ends[0] <= ends[1]:  # type: ignore[operator]
            return
        self._say(
            node,
            "区间的两端请写成从小到大的两个数字；别的写法浏览器结果不同，改用比较和 and。",
            "Write both ends as numbers, the smaller first; other ranges differ in the browser: use comparisons.",
        )

    def _quantified(self, node: tree.Quantified, truth: bool) -> None:
        self._only_truth(node, truth)
        for iterator in node.iterators:
            if iterator.to is not None or not isinstance(iterator.domain, tree.Name | tree.ListNode | tree.Path):
                self._say(
                    iterator,
                    "some、every 请直接用一个列表名。",
                    "Let some and every go through a list by its name.",
                )
            else:
                self.go(iterator.domain)
        self.go(node.body, truth=True)


def _is_safe_filter(condition: tree.Compare) -> bool:
    if condition.operator != "=":
        return condition.operator != "!="
    sides = (condition.left, condition.right)
    return any(isinstance(side, tree.Literal) and side.value is not None for side in sides)


def _ends_in_range(node: tree.Node) -> bool:
    """Whether the last thing in it is ``x in [a..b]``: the browser reads ``and`` and ``or`` after it otherwise."""
    while isinstance(node, tree.And | tree.Or):
        node = node.parts[-1]
    return isinstance(node, tree.In) and isinstance(node.tests[-1], tree.RangeNode)


def _is_temporal(node: tree.Node) -> bool:
    if isinstance(node, tree.Call) and isinstance(node.function, tree.Name):
        return node.function.name in _TEMPORAL
    return isinstance(node, tree.AtLiteral)


def _has_fraction(node: tree.Node) -> bool:
    """Whether a number that may not be whole comes out of reckoning."""
    if isinstance(node, tree.Arithmetic):
        return node.operator in ("/", "*") or _has_fraction(node.left) or _has_fraction(node.right)
    if isinstance(node, tree.Literal) and isinstance(node.value, Decimal):
        return node.value != node.value.to_integral_value()
    if isinstance(node, tree.If):
        return _has_fraction(node.then) or _has_fraction(node.otherwise)
    if isinstance(node, tree.Negate):
        return _has_fraction(node.operand)
    return isinstance(node, tree.Call) and any(_has_fraction(argument) for argument in node.positional)


_STEPS: dict[type, Callable[..., None]] = {
    tree.Literal: _Reader._literal,
    tree.Name: _Reader._leaf,
    tree.AtLiteral: _Reader._leaf,
    tree.And: _Reader._logic,
    tree.Or: _Reader._logic,
    tree.If: _Reader._if,
    tree.Negate: _Reader._negate,
    tree.Arithmetic: _Reader._arithmetic,
    tree.Compare: _Reader._compare,
    tree.ListNode: _Reader._list,
    tree.Path: _Reader._path,
    tree.Filter: _Reader._filter,
    tree.Call: _Reader._call,
    tree.In: _Reader._in,
    tree.Between: _Reader._between,
    tree.Quantified: _Reader._quantified,
}
