"""The values at which a column of a table changes its mind.

A cell that compares its value with constants treats all values between two neighbouring constants alike. So one
value for each constant, and one between each two, stand for all values that there are.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from feel import syntax as tree
from feel import temporal as t
from feel.compiler import Compiler
from feel.errors import FeelError
from feel.expression import UnaryTests
from feel.limits import Runtime
from feel.values import ONE, Range, Value, add, divide, kind, order, subtract

#: What is not a constant.
UNKNOWN: Any = object()

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
#: The step from a constant to the values beside it.
_STEPS: dict[str, Value] = {
    "number": ONE,
    "date": _DAY,
    "date and time": _SECOND,
    "time": _SECOND,
    "days and time duration": _SECOND,
    "years and months duration": t.YearsMonths(1),
}
_TWO = Decimal(2)
#: Texts that stand for all that no cell names.
_OTHERS = ("其他", "另外", "x")


def constant(node: tree.Node, runtime: Runtime) -> Value:
    """The value of an expression without names; UNKNOWN for one that has some, that fails, or costs too much."""
    if _has_names(node):
        return UNKNOWN
    try:
        compiler = Compiler("", names=(), closed=True)
        code = compiler.expression(node)
        return code([runtime, *([None] * compiler.size)])
    except (FeelError, RecursionError):
        return UNKNOWN


def _has_names(node: object) -> bool:
    if isinstance(node, tree.Name):
        return True
    if isinstance(node, tree.Call) and isinstance(node.function, tree.Name):
        if node.function.name in ("now", "today"):
            return True
        parts: Iterable[object] = (*node.positional, *(node.named or ()))
    elif isinstance(node, tree.Node):
        parts = [getattr(node, name) for name in node._fields]
    elif isinstance(node, list | tuple):
        parts = node
    else:
        return False
    return any(_has_names(part) for part in parts)


class Constants:
    """What one cell compares its value with, and whether that is all it does."""

    def __init__(self, tests: UnaryTests, runtime: Runtime) -> None:
        self._runtime = runtime
        self.values: list[Value] = []
        #: The texts and other values that are asked for one by one.
        self.asked: list[tuple[tree.Node, Value]] = []
        #: Whether the cell does nothing but compare with these constants.
        self.exact = True
        self._ordered_texts = False
        if isinstance(tests.tree, tree.UnaryNode):
            for test in tests.tree.tests:
                self._test(test)

    def _test(self, node: tree.Node) -> None:
        if isinstance(node, tree.Anything):
            return
        if isinstance(node, tree.Test):
            self._bound(node.value, node.operator)
        elif (value := constant(node, self._runtime)) is not UNKNOWN:
            self._of_value(node, value)
        elif not self._question(node):
            self.exact = False
            self._search(node)

    def _of_value(self, node: tree.Node, value: Value) -> None:
        if isinstance(value, Range):
            self._end(value.low)
            self._end(value.high)
        elif isinstance(value, list):
            for item in value:
                self._of_value(node, item)
        else:
            self._add(value)
            self.asked.append((node, value))

    def _bound(self, node: tree.Node, operator: str) -> None:
        value = constant(node, self._runtime)
        if value is UNKNOWN:
            self.exact = False
            self._search(node)
            return
        if operator in ("=", "!="):
            self._add(value)
        else:
            self._end(value)
        if operator == "=":
            self.asked.append((node, value))

    def _end(self, value: Value) -> None:
        """A value that others are larger or smaller than; None where a range is open."""
        if isinstance(value, str):
            self.exact = False  # texts have no value that stands for all between two
        if value is not None:
            self._add(value)

    def _add(self, value: Value) -> None:
        if isinstance(value, dict | list):
            self.exact = False
        else:
            self.values.append(value)

    def _question(self, node: tree.Node) -> bool:
        """A condition on ``?`` that only compares it with constants."""
        if isinstance(node, tree.And | tree.Or):
            understood = [self._question(part) for part in node.parts]  # each has constants
            return all(understood)
        if isinstance(node, tree.Compare):
            if _is_question(node.left):
                self._bound(node.right, node.operator)
                return True
            if _is_question(node.right):
                self._bound(node.left, node.operator)
                return True
            return False
        if isinstance(node, tree.Between) and _is_question(node.value):
            self._bound(node.low, "<=")
            self._bound(node.high, "<=")
            return True
        if isinstance(node, tree.In) and _is_question(node.value):
            for test in node.tests:
                self._test(test)
            return True
        if isinstance(node, tree.Call) and isinstance(node.function, tree.Name) and node.function.name == "not":
            return len(node.positional) == 1 and self._question(node.positional[0])
        return False

    def _search(self, node: object) -> None:
        """Constants anywhere in something that is more than a comparison: good guesses, no more."""
        if isinstance(node, tree.Literal):
            self._add(node.value)
        elif isinstance(node, tree.Node):
            for name in node._fields:
                self._search(getattr(node, name))
        elif isinstance(node, list | tuple):
            for part in node:
                self._search(part)


def _is_question(node: tree.Node) -> bool:
    return isinstance(node, tree.Name) and node.name == "?"


def representatives(of: str | None, constants: list[Value]) -> list[Value] | None:
    """One value of the kind for each way in which cells can answer; None where that cannot be done."""
    nulls: list[Value] = [None] if any(value is None for value in constants) else []
    if of is None:
        kinds = {kind(value) for value in constants if value is not None}
        if len(kinds) != 1:
            return None
        (of,) = kinds
    known = [value for value in constants if kind(value) == of]
    if of == "boolean":
        return [True, False, *nulls]
    if of == "string":
        texts = list(dict.fromkeys(known))
        other = next(word for word in (*_OTHERS, "".join(texts) + "x") if word not in texts)
        return [*texts, other, *nulls]
    if of in _STEPS:
        ordered = _ordered(known)
        return None if ordered is None else [*_between(ordered, _STEPS[of], of), *nulls]
    return None


def _ordered(values: list[Value]) -> list[Value] | None:
    """In order, each once; None when two of them cannot be compared."""
    if any(order(values[0], value) is None for value in values):
        return None
    found: list[Value] = []
    for value in sorted(values, key=cmp_to_key(lambda a, b: order(a, b) or 0)):
        if not found or order(found[-1], value) != 0:
            found.append(value)
    return found


def _between(ordered: list[Value], step: Value, of: str) -> list[Value]:
    """The constants and a value in each gap, ends included."""
    if not ordered:
        return [_SAMPLES[of]()]
    found: list[Value] = [subtract(ordered[0], step)]
    for value, following in zip(ordered, [*ordered[1:], None], strict=True):
        found.append(value)
        middle = add(value, step) if following is None else _middle(value, following, step, of)
        if middle is not None:
            found.append(middle)
    return [value for value in found if value is not None]


def _middle(low: Value, high: Value, step: Value, of: str) -> Value:
    """A value between two: one step up if that is still below, else half way; None when there is none."""
    next_one = add(low, step)
    if order(next_one, high) == -1:
        return next_one
    if of == "number":
        return divide(add(low, high), _TWO)
    if of in ("date", "years and months duration"):
        return None
    middle = add(low, divide(subtract(high, low), _TWO))
    return middle if order(low, middle) == -1 and order(middle, high) == -1 else None


_SAMPLES: dict[str, Callable[[], Value]] = {
    "number": lambda: ONE,
    "date": lambda: t.make_date(2026, 1, 1),
    "date and time": lambda: t.parse_moment("2026-01-01T09:00:00+08:00"),
    "time": lambda: t.make_time(9, 0, 0),
    "days and time duration": lambda: _DAY,
    "years and months duration": lambda: t.YearsMonths(1),
}
