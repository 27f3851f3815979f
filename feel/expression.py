"""The door to the package: text in, something that can be evaluated out."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from feel.compiler import Code, Compiler, Frame
from feel.errors import FeelLimitError, FeelSyntaxError, position
from feel.library import BUILT_INS
from feel.limits import Functions, Runtime
from feel.parser import Parser
from feel.syntax import Node
from feel.types import Type
from feel.values import Value, from_python, whole_number

_MISSING: Any = object()
_AS_IT_IS = frozenset((str, bool, type(None), date, datetime, timedelta))


class Note(NamedTuple):
    """Why something became null while an expression was evaluated."""

    line: int
    column: int
    message: str
    zh: str


class _Layout:
    """The variables of compiled code and their places in the frame."""

    __slots__ = ("_free", "_padding")

    def __init__(self, compiler: Compiler) -> None:
        self._free = tuple((slot, name, name in compiler.only_called) for name, slot in compiler.free.items())
        self._padding: list[Any] = [None] * (compiler.size - 1)

    def outside(self, context: Mapping[str, object], runtime: Runtime, text: str) -> Frame:
        """A frame filled with values from outside, as FEEL holds them."""
        frame: Frame = [runtime, *self._padding]
        for slot, name, silent in self._free:
            value = context.get(name, _MISSING)
            of = type(value)
            if of is int:
                frame[slot] = whole_number(value)  # type: ignore[arg-type]
            elif of in _AS_IT_IS:
                frame[slot] = value
            elif value is _MISSING:
                frame[slot] = self._missing(name, silent, runtime, text)
            else:
                frame[slot] = from_python(value)
        return frame

    def inside(self, context: Mapping[str, Value], runtime: Runtime, text: str) -> Frame:
        """A frame filled with values that are FEEL's already."""
        frame: Frame = [runtime, *self._padding]
        for slot, name, silent in self._free:
            value = context.get(name, _MISSING)
            frame[slot] = self._missing(name, silent, runtime, text) if value is _MISSING else value
        return frame

    def _missing(self, name: str, silent: bool, runtime: Runtime, text: str) -> Value:
        """A name that nobody gave a value: perhaps a built-in that is handed on as a value, else null."""
        found = BUILT_INS.get(name)
        if found is None and not silent:
            runtime.note(max(text.find(name), 0), f"{name} has no value", f"{name} 没有值")
        return found


class _Compiled:
    """What expressions and unary tests have in common."""

    __slots__ = ("_code", "_layout", "calls", "names", "text", "tree")

    def __init__(self, text: str, tree: Node, compiler: Compiler, code: Code) -> None:
        self.text = text
        self.tree = tree
        #: Free variables of the text.
        self.names = frozenset(compiler.free) - compiler.only_called
        #: Functions called that are not built in, and ``now`` and ``today``, which read the clock.
        self.calls = frozenset(compiler.called)
        self._code = code
        self._layout = _Layout(compiler)


class Expression(_Compiled):
    """A compiled expression. It holds no state: one may be evaluated in many threads at once."""

    __slots__ = ()

    def evaluate(self, context: Mapping[str, object], functions: Functions | None = None) -> object:
        """The value. What cannot be worked out is None, as FEEL says; ``explain`` tells why.

        Raises FeelLimitError when a bound is exceeded, FeelEvaluationError when an injected function fails.
        """
        runtime = Runtime(functions)
        try:
            value = self._code(self._layout.outside(context, runtime, self.text))
        except RecursionError:
            raise too_deep() from None
        if type(value) is list or type(value) is dict:
            measure(value, runtime)
        return value

    def explain(
        self, context: Mapping[str, object], functions: Functions | None = None
    ) -> tuple[object, list[Note]]:
        """The value, and the reasons why parts of it became null."""
        raw: list[tuple[int, str, str]] = []
        runtime = Runtime(functions, raw)
        value = run(self._code, self._layout.outside(context, runtime, self.text))
        measure(value, runtime)
        return value, [Note(*position(self.text, at), message, zh) for at, message, zh in raw]

    def run(self, context: Mapping[str, Value], runtime: Runtime) -> Value:
        """Evaluate as a part of something larger that has one budget for all."""
        return self._code(self._layout.inside(context, runtime, self.text))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


class UnaryTests(_Compiled):
    """The compiled cell of a decision table: tests of one value."""

    __slots__ = ("_slot",)

    def __init__(self, text: str, tree: Node, compiler: Compiler, code: Code, slot: int) -> None:
        super().__init__(text, tree, compiler, code)
        self._slot = slot

    def test(
        self, value: object, context: Mapping[str, object] | None = None, functions: Functions | None = None
    ) -> bool | None:
        """Whether the value passes; None when that cannot be worked out."""
        frame = self._layout.outside(context or {}, Runtime(functions), self.text)
        frame[self._slot] = from_python(value)
        return run(self._code, frame)  # type: ignore[no-any-return]

    def run(self, value: Value, context: Mapping[str, Value], runtime: Runtime) -> bool | None:
        """Test as a part of something larger that has one budget for all."""
        frame = self._layout.inside(context, runtime, self.text)
        frame[self._slot] = value
        return self._code(frame)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"UnaryTests({self.text!r})"


class Sheet:
    """Many texts over one frame: the cells of a table. Compile all of them first, then make frames."""

    def __init__(
        self,
        *,
        names: Collection[str] = (),
        functions: Collection[str] = (),
        fields: Collection[str] = (),
        types: Mapping[str, Type] | None = None,
    ) -> None:
        self._names, self._functions, self._fields, self._types = names, functions, fields, types
        self._compiler = Compiler("", names=names, functions=functions, types=types, closed=False)
        self._layout: _Layout | None = None

    @property
    def names(self) -> frozenset[str]:
        """The free variables of all texts, and the functions that they call by name."""
        return frozenset(self._compiler.free)

    def slot(self) -> int:
        """A new place in the frame, for the value that a column tests."""
        return self._compiler.slot()

    def expression(self, text: str) -> Code:
        tree = self._parser(text).expression()
        return _compiled(lambda: self._compiler.expression(tree))

    def tests(self, text: str, slot: int) -> Code:
        tree = self._parser(text).unary()
        return _compiled(lambda: self._compiler.unary(tree, slot))

    def _parser(self, text: str) -> Parser:
        self._compiler.text = text
        return parser(text, self._names, self._functions, self._fields, self._types)

    def frame(self, context: Mapping[str, Value], runtime: Runtime) -> Frame:
        if self._layout is None:
            self._layout = _Layout(self._compiler)
        return self._layout.inside(context, runtime, "")


def run(code: Code, frame: Frame) -> Value:
    """Run compiled code; a stack that is used up is one more bound exceeded."""
    try:
        return code(frame)
    except RecursionError:
        raise too_deep() from None


def measure(value: Value, runtime: Runtime) -> None:
    """Refuse a result that is small in memory only because its parts are shared: written out it would be huge."""
    left = [value]
    while left:
        found = left.pop()
        if type(found) is list or type(found) is dict:
            runtime.spend(len(found) + 1)
            left.extend(found.values() if isinstance(found, dict) else found)


def too_deep() -> FeelLimitError:
    return FeelLimitError("the expression is nested too deep", "表达式嵌套过深")


def compile(
    text: str,
    *,
    names: Collection[str] | None = None,
    functions: Collection[str] = (),
    fields: Collection[str] = (),
    types: Mapping[str, Type] | None = None,
    closed: bool = True,
) -> Expression:
    """Compile an expression.

    ``names`` are the variables that exist; when given and ``closed``, any other is a FeelNameError. ``functions``
    are injected, ``fields`` are entries of contexts whose names have several words. Raises FeelSyntaxError.
    """
    tree = parser(text, names, functions, fields, types).expression()
    compiler = Compiler(text, names=names, functions=functions, types=types, closed=closed)
    return Expression(text, tree, compiler, _compiled(lambda: compiler.expression(tree)))


def compile_unary(
    text: str,
    *,
    names: Collection[str] | None = None,
    functions: Collection[str] = (),
    fields: Collection[str] = (),
    types: Mapping[str, Type] | None = None,
    closed: bool = True,
) -> UnaryTests:
    """Compile the cell of a decision table, such as ``-``, ``< 5``, ``"a", "b"`` or ``not(null)``."""
    tree = parser(text, names, functions, fields, types).unary()
    compiler = Compiler(text, names=names, functions=functions, types=types, closed=closed)
    slot = compiler.slot()
    return UnaryTests(text, tree, compiler, _compiled(lambda: compiler.unary(tree, slot)), slot)


def _compiled(work: Callable[[], Code]) -> Code:
    try:
        return work()
    except RecursionError:
        raise FeelSyntaxError(
            "the expression is nested too deep", "表达式嵌套过深", line=1, column=1, expected="a flatter expression"
        ) from None


def parser(
    text: str,
    names: Collection[str] | None,
    functions: Collection[str],
    fields: Collection[str],
    types: Mapping[str, Type] | None,
) -> Parser:
    return Parser(text, names=names, functions=functions, fields=fields, types=types or (), built_ins=BUILT_INS)
