"""The door to the package: text in, something that can be evaluated out."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from feel.compiler import Code, Compiler
from feel.errors import FeelLimitError, position
from feel.library import BUILT_INS
from feel.limits import Functions, Runtime
from feel.parser import Parser
from feel.types import Type
from feel.values import Value, from_python

_MISSING: Any = object()
_AS_IT_IS = frozenset((str, bool, type(None), date, datetime, timedelta))


class Note(NamedTuple):
    """Why something became null while an expression was evaluated."""

    line: int
    column: int
    message: str
    zh: str


class _Compiled:
    """What expressions and unary tests have in common: the variables and how they are loaded."""

    __slots__ = ("_code", "_free", "_padding", "calls", "names", "text")

    def __init__(self, text: str, compiler: Compiler, code: Code) -> None:
        self.text = text
        #: Free variables of the text.
        self.names = frozenset(compiler.free) - compiler.only_called
        #: Functions called that are not built in, and ``now`` and ``today``, which read the clock.
        self.calls = frozenset(compiler.called)
        self._code = code
        self._free = tuple((slot, name, name in compiler.only_called) for name, slot in compiler.free.items())
        self._padding = [None] * (compiler.size - 1)

    def _frame(self, context: Mapping[str, object], runtime: Runtime) -> list[Any]:
        frame: list[Any] = [runtime, *self._padding]
        for slot, name, silent in self._free:
            value = context.get(name, _MISSING)
            of = type(value)
            if of is int:
                frame[slot] = Decimal(value) if -(10**34) < value < 10**34 else from_python(value)  # type: ignore
            elif of in _AS_IT_IS:
                frame[slot] = value
            elif value is _MISSING:
                if not silent:
                    runtime.note(self.text.find(name), f"{name} has no value", f"{name} 没有值")
            else:
                frame[slot] = from_python(value)
        return frame

    def _run(self, frame: list[Any]) -> Value:
        try:
            return self._code(frame)
        except RecursionError:
            raise FeelLimitError("the expression is nested too deep", "表达式嵌套过深") from None

    def _notes(self, raw: list[tuple[int, str, str]]) -> list[Note]:
        return [Note(*position(self.text, max(at, 0)), message, zh) for at, message, zh in raw]


class Expression(_Compiled):
    """A compiled expression. It holds no state: one may be evaluated in many threads at once."""

    __slots__ = ()

    def evaluate(self, context: Mapping[str, object], functions: Functions | None = None) -> object:
        """The value. What cannot be worked out is None, as FEEL says; ``explain`` tells why.

        Raises FeelLimitError when a bound is exceeded, FeelEvaluationError when an injected function fails.
        """
        return self._run(self._frame(context, Runtime(functions)))

    def explain(
        self, context: Mapping[str, object], functions: Functions | None = None
    ) -> tuple[object, list[Note]]:
        """The value, and the reasons why parts of it became null."""
        raw: list[tuple[int, str, str]] = []
        value = self._run(self._frame(context, Runtime(functions, raw)))
        return value, self._notes(raw)

    def run(self, context: Mapping[str, Value], runtime: Runtime) -> Value:
        """Evaluate as a part of something larger that has one budget for all."""
        return self._run(self._frame(context, runtime))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


class UnaryTests(_Compiled):
    """The compiled cell of a decision table: tests of one value."""

    __slots__ = ("_slot",)

    def __init__(self, text: str, compiler: Compiler, code: Code, slot: int) -> None:
        super().__init__(text, compiler, code)
        self._slot = slot

    def test(
        self, value: object, context: Mapping[str, object] | None = None, functions: Functions | None = None
    ) -> bool | None:
        """Whether the value passes; None when that cannot be worked out."""
        return self.run(from_python(value), context or {}, Runtime(functions))

    def run(self, value: Value, context: Mapping[str, Value], runtime: Runtime) -> bool | None:
        frame = self._frame(context, runtime)
        frame[self._slot] = value
        return self._run(frame)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"UnaryTests({self.text!r})"


def compile(
    text: str,
    *,
    names: Collection[str] | None = None,
    functions: Collection[str] = (),
    fields: Collection[str] = (),
    types: Mapping[str, Type] | None = None,
) -> Expression:
    """Compile an expression.

    ``names`` are the variables that exist; when given, any other is a FeelNameError. ``functions`` are the injected
    ones, ``fields`` the entries of contexts whose names have several words. Raises FeelSyntaxError.
    """
    tree = _parser(text, names, functions, fields, types).expression()
    compiler = Compiler(text, names=names, functions=functions, types=types)
    return Expression(text, compiler, compiler.expression(tree))


def compile_unary(
    text: str,
    *,
    names: Collection[str] | None = None,
    functions: Collection[str] = (),
    fields: Collection[str] = (),
    types: Mapping[str, Type] | None = None,
) -> UnaryTests:
    """Compile the cell of a decision table, such as ``-``, ``< 5``, ``"a", "b"`` or ``not(null)``."""
    tree = _parser(text, names, functions, fields, types).unary()
    compiler = Compiler(text, names=names, functions=functions, types=types)
    code, slot = compiler.unary(tree)
    return UnaryTests(text, compiler, code, slot)


def _parser(
    text: str,
    names: Collection[str] | None,
    functions: Collection[str],
    fields: Collection[str],
    types: Mapping[str, Type] | None,
) -> Parser:
    return Parser(text, names=names, functions=functions, fields=fields, types=types or (), built_ins=BUILT_INS)
