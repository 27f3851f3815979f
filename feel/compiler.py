"""The tree to Python closures.

Each node becomes a function of one argument, the *frame*: a list whose slot 0 is the ``Runtime`` and whose further
slots hold the variables, numbered at compile time. Reading a variable is an index, and nothing is looked up by name
while an expression runs, except inside filters, where the entries of the item come first.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal, DecimalException
from typing import Any

from feel import syntax as tree
from feel import temporal as t
from feel.errors import FeelEvaluationError, FeelNameError, FeelSyntaxError, position
from feel.library import BUILT_INS, FOLDED
from feel.limits import CALL, CURVE, Runtime
from feel.names import nearest
from feel.properties import property_of
from feel.types import MISMATCH, Type, named
from feel.values import (
    KIND_ZH,
    NUMBERS,
    ONE,
    Function,
    Injected,
    Range,
    Value,
    add,
    contains,
    divide,
    equal,
    kind,
    member,
    multiply,
    negate,
    order,
    power,
    subtract,
    whole,
)

Frame = list[Any]
Code = Callable[[Frame], Any]

_PLAIN = frozenset((Decimal, str, bool))
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, tuple[Callable[[Decimal, Decimal], Decimal], Callable[[Value, Value], Value]]] = {
    "+": (NUMBERS.add, add),
    "-": (NUMBERS.subtract, subtract),
    "*": (NUMBERS.multiply, multiply),
    "/": (NUMBERS.divide, divide),
    "**": (NUMBERS.power, power),
}


class Closure(Function):
    """A function written in an expression, with the variables that it saw when it was made."""

    __slots__ = ("_body", "_frame", "_slots", "name", "parameters", "types")

    def __init__(
        self,
        parameters: tuple[str, ...],
        types: tuple[tuple[Type | None, ...], Type | None],
        slots: tuple[int, ...],
        body: Code,
        frame: Frame,
    ) -> None:
        self.name = ""
        self.parameters = parameters
        self.types = types
        self._slots = slots
        self._body = body
        self._frame = frame

    def remember(self, slot: int) -> None:
        """Let the function see itself under the name that it was just given, so that it can call itself."""
        self._frame[slot] = self

    def call(self, runtime: Runtime, arguments: list[Value]) -> Value:
        if len(arguments) != len(self._slots):
            return None
        runtime.spend(CALL)
        runtime.enter()
        frame = self._frame.copy()
        frame[0] = runtime
        for slot, given, of in zip(self._slots, arguments, self.types[0], strict=True):
            value = given if of is None else of.coerce(given, runtime)
            if value is MISMATCH:
                runtime.depth += 1
                return None
            frame[slot] = value
        result = self._body(frame)
        runtime.depth += 1
        return result

    def call_named(self, runtime: Runtime, arguments: Mapping[str, Value]) -> Value:
        assert self.parameters is not None
        if set(arguments) != set(self.parameters):
            return None
        return self.call(runtime, [arguments[name] for name in self.parameters])


class _Scope:
    __slots__ = ("item", "names", "partial")

    def __init__(self, names: dict[str, int], item: int | None = None, partial: int | None = None) -> None:
        self.names = names
        self.item = item  #: in a filter, the slot of the item whose entries are names
        self.partial = partial


class Compiler:
    """Compiles one tree. Afterwards ``free`` holds the variables that must be loaded, by slot."""

    def __init__(
        self,
        text: str,
        *,
        names: Collection[str] | None = None,
        functions: Collection[str] = (),
        types: Mapping[str, Type] | None = None,
        closed: bool = True,
    ) -> None:
        self.text = text
        #: Variables that are known to exist; ``closed`` when there are no others.
        self._names = frozenset(names or ())
        self._closed = closed and names is not None
        self._functions = frozenset(functions)
        self._types = types or {}
        self._scopes: list[_Scope] = []
        self.size = 1
        self.free: dict[str, int] = {}
        self.called: set[str] = set()  #: functions that are not built in (and now, today)
        self.only_called: set[str] = set()  #: free names that stand only where a function is called
        self._questions = 0

    # -- entry points ---------------------------------------------------------------------------------------------

    def expression(self, node: tree.Node) -> Code:
        return self._compile(node)

    def unary(self, node: tree.Node, slot: int) -> Code:
        """The tests of a cell. ``slot`` holds the value that is tested."""
        if isinstance(node, tree.Anything):
            return always
        assert isinstance(node, tree.UnaryNode)
        self._scopes.append(_Scope({"?": slot}))
        code = self._tests(node.tests, slot, None)
        self._scopes.pop()
        return _negated(code) if node.negated else code

    # -- names ----------------------------------------------------------------------------------------------------

    def slot(self) -> int:
        """A new place in the frame."""
        self.size += 1
        return self.size - 1

    def _error(self, node: tree.Node, message: str, zh: str, expected: str) -> FeelSyntaxError:
        line, column = position(self.text, node.at)
        return FeelSyntaxError(message, zh, line=line, column=column, expected=expected)

    def _unknown(
        self, node: tree.Node, name: str, known: Iterable[str], *, function: bool = False
    ) -> FeelSyntaxError:
        line, column = position(self.text, node.at)
        suggestion = nearest(name, known)
        what, what_zh = ("function", "函数") if function else ("name", "名称")
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        hint_zh = f"；是不是 {suggestion}？" if suggestion else ""
        return FeelNameError(
            f"there is no {what} {name}{hint}",
            f"没有名为 {name} 的{what_zh}{hint_zh}",
            line=line,
            column=column,
            name=name,
            suggestion=suggestion,
        )

    def _visible(self) -> set[str]:
        local = {name for scope in self._scopes for name in scope.names}
        return local | self._names | self._functions | set(BUILT_INS)

    def _find(self, name: str) -> tuple[int | None, list[int], bool]:
        """The slot of a local name, the slots of filter items on the way to it, and whether it is ``partial``."""
        items: list[int] = []
        for scope in reversed(self._scopes):
            if scope.item is not None:
                items.append(scope.item)
            if name in scope.names:
                return scope.names[name], items, scope.partial == scope.names[name]
        return None, items, False

    def _free_slot(self, name: str) -> int:
        slot = self.free.get(name)
        if slot is None:
            slot = self.free[name] = self.slot()
        return slot

    def _name(self, node: tree.Name, *, snapshot: bool = True) -> Code:
        name = node.name
        slot, items, partial = self._find(name)
        if name == "?":
            self._questions += 1
            if slot is None:
                raise self._error(
                    node, "? has a value only in a table's cell", "? 只在决策表的单元格里有值", "a name"
                )
        if slot is None:
            known = name in self._names or (not self._closed and name not in self._functions)
            if not known:
                constant = self._function_value(node, name, bool(items))
                if not items:
                    return constant
                return _item_name(name, tuple(items), constant)
            self.only_called.discard(name)
            slot = self._free_slot(name)
        if items:
            return _item_name(name, tuple(items), _read(slot))
        return _snapshot(slot) if partial and snapshot else _read(slot)

    def _function_value(self, node: tree.Node, name: str, in_filter: bool) -> Code:
        """A name that is no variable: an injected or built-in function as a value."""
        if name in self._functions:
            self.called.add(name)

            def injected(frame: Frame) -> Value:
                return Injected(name, _injected(frame[0], name))

            return injected
        if name in BUILT_INS:
            return _constant(BUILT_INS[name])
        if in_filter:
            return _constant(None)
        raise self._unknown(node, name, self._visible())

    # -- dispatch -------------------------------------------------------------------------------------------------

    def _compile(self, node: tree.Node) -> Code:
        return _COMPILE[type(node)](self, node)

    def _literal(self, node: tree.Literal) -> Code:
        value = node.value
        if isinstance(value, Decimal):
            try:
                value = NUMBERS.plus(value)
            except DecimalException:
                value = None
        return _constant(value)

    def _at_literal(self, node: tree.AtLiteral) -> Code:
        return _constant(t.parse_temporal(node.text))

    def _negate(self, node: tree.Negate) -> Code:
        operand = self._compile(node.operand)
        return lambda frame: negate(operand(frame))

    # -- logic ----------------------------------------------------------------------------------------------------

    def _and(self, node: tree.And) -> Code:
        parts = tuple(self._compile(part) for part in node.parts)
        places = tuple(part.at for part in node.parts)
        if len(parts) == 2:
            first, second = parts

            def both(frame: Frame) -> bool | None:
                left = first(frame)
                if left is False:
                    return False
                right = second(frame)
                if right is False:
                    return False
                if left is True and right is True:
                    return True
                _note_boolean(frame[0], places[0], left)
                _note_boolean(frame[0], places[1], right)
                return None

            return both

        def every(frame: Frame) -> bool | None:
            found: bool | None = True
            for place, part in zip(places, parts, strict=True):
                value = part(frame)
                if value is False:
                    return False
                if value is not True:
                    _note_boolean(frame[0], place, value)
                    found = None
            return found

        return every

    def _or(self, node: tree.Or) -> Code:
        parts = tuple((part.at, self._compile(part)) for part in node.parts)

        def some(frame: Frame) -> bool | None:
            found: bool | None = False
            for place, part in parts:
                value = part(frame)
                if value is True:
                    return True
                if value is not False:
                    _note_boolean(frame[0], place, value)
                    found = None
            return found

        return some

    def _compare(self, node: tree.Compare) -> Code:
        left, right, at = self._compile(node.left), self._compile(node.right), node.at
        if node.operator in ("=", "!="):
            return _equality(left, right, at, node.operator == "=")
        return _ordering(left, right, at, _ORDERS[node.operator], node.operator)

    def _between(self, node: tree.Between) -> Code:
        value, low, high = self._compile(node.value), self._compile(node.low), self._compile(node.high)

        def between(frame: Frame) -> bool | None:
            found = value(frame)
            after, before = order(found, low(frame)), order(found, high(frame))
            if after is None or before is None:
                return False if (after is not None and after < 0) or (before is not None and before > 0) else None
            return after >= 0 and before <= 0

        return between

    def _in(self, node: tree.In) -> Code:
        value, slot = self._compile(node.value), self.slot()
        tests = self._tests(node.tests, slot, node)

        def test(frame: Frame) -> bool | None:
            frame[slot] = value(frame)
            return tests(frame)  # type: ignore[no-any-return]

        return test

    def _if(self, node: tree.If) -> Code:
        condition, then, otherwise = (
            self._compile(node.condition),
            self._compile(node.then),
            self._compile(node.otherwise),
        )
        return lambda frame: then(frame) if condition(frame) is True else otherwise(frame)

    def _instance_of(self, node: tree.InstanceOf) -> Code:
        value, of = self._compile(node.value), self._type(node.type)

        def instance_of(frame: Frame) -> bool:
            found = value(frame)
            return of.kind == "Null" if found is None else of.accepts(found, frame[0], values=False)

        return instance_of

    def _type(self, node: tree.TypeNode) -> Type:
        if node.name in self._types and not node.arguments and not node.fields:
            return self._types[node.name]
        if node.name in ("list", "range") and node.arguments:
            return Type(node.name, item=self._type(node.arguments[0]))
        if node.name == "context" and node.fields:
            return Type("context", fields={name: self._type(of) for name, of in node.fields})
        if node.name == "function" and node.fields:
            return Type(
                "function",
                parameters=tuple(self._type(of) for of in node.arguments),
                result=self._type(node.fields[0][1]),
            )
        found = named(node.name)
        if found is None:
            raise self._unknown(node, node.name, {*self._types, "number", "string", "boolean", "date", "time"})
        return found

    # -- tests ----------------------------------------------------------------------------------------------------

    def _tests(self, tests: list[tree.Node], slot: int, inside: tree.Node | None) -> Code:
        """Whether one of the tests holds for the value in the slot. ``inside`` is the ``in`` they belong to."""
        texts = [test.value for test in tests if isinstance(test, tree.Literal)]
        if len(texts) == len(tests) and all(isinstance(text, str) for text in texts):
            return _one_of(frozenset(texts), slot)
        codes = tuple(self._test(test, slot, inside) for test in tests)
        if len(codes) == 1:
            return codes[0]

        def some(frame: Frame) -> bool | None:
            found: bool | None = False
            for code in codes:
                value = code(frame)
                if value is True:
                    return True
                if value is None:
                    found = None
            return found

        return some

    def _test(self, test: tree.Node, slot: int, inside: tree.Node | None) -> Code:
        if isinstance(test, tree.Anything):
            return always
        if isinstance(test, tree.Test):
            value, read = self._compile(test.value), _read(slot)
            if test.operator in ("=", "!="):
                return _equality(read, value, test.at, test.operator == "=")
            return _ordering(read, value, test.at, _ORDERS[test.operator], test.operator)
        if isinstance(test, tree.Literal) and isinstance(test.value, Decimal):
            number = test.value
            return lambda frame: (
                frame[slot] == number if type(frame[slot]) is Decimal else equal(frame[slot], number, frame[0])
            )
        before = self._questions
        code = self._compile(test)
        if inside is None and self._questions > before:

            def holds(frame: Frame) -> bool | None:
                value = code(frame)
                if value is None or type(value) is bool:
                    return value
                return member(frame[slot], value, frame[0])

            return holds
        if isinstance(test, tree.RangeNode):
            return lambda frame: _in_range(frame[slot], code(frame), frame[0])
        return lambda frame: member(frame[slot], code(frame), frame[0])

    # -- arithmetic -----------------------------------------------------------------------------------------------

    def _arithmetic(self, node: tree.Arithmetic) -> Code:
        spine: list[tree.Arithmetic] = []
        first: tree.Node = node
        while isinstance(first, tree.Arithmetic):
            spine.append(first)
            first = first.left
        code = self._compile(first)
        steps = [
            (*_ARITHMETIC[step.operator], step.operator, step.at, self._compile(step.right))
            for step in reversed(spine)
        ]
        if len(steps) > 20:
            return _chain(code, steps)
        for *step, right in steps:
            code = _operation(code, right, step)
        return code

    # -- collections ----------------------------------------------------------------------------------------------

    def _list(self, node: tree.ListNode) -> Code:
        items = tuple(self._compile(item) for item in node.items)
        size = len(items) or 1

        def make(frame: Frame) -> list[Value]:
            frame[0].make(size)
            return [item(frame) for item in items]

        return make

    def _range(self, node: tree.RangeNode) -> Code:
        low = self._compile(node.low) if node.low else _constant(None)
        high = self._compile(node.high) if node.high else _constant(None)
        low_included, high_included, sign, at = node.low_included, node.high_included, node.operator, node.at

        def make(frame: Frame) -> Range | None:
            start, end = low(frame), high(frame)
            if not sign and start is not None and end is not None and order(start, end) is None:
                frame[0].note(
                    at,
                    f"a range cannot go from {kind(start)} to {kind(end)}",
                    f"区间不能从{KIND_ZH[kind(start)]}到{KIND_ZH[kind(end)]}",
                )
                return None
            return Range(start, end, low_included, high_included, sign)

        if all(end is None or isinstance(end, tree.Literal | tree.AtLiteral) for end in (node.low, node.high)):
            return _constant(make([Runtime()]))
        return make

    def _context(self, node: tree.ContextNode) -> Code:
        scope = _Scope({})
        self._scopes.append(scope)
        entries: list[tuple[str, int, Code]] = []
        for key, value in node.entries:
            slot = self.slot()
            if isinstance(value, tree.FunctionNode):
                scope.names[key] = slot
            code = self._compile(value)
            scope.names[key] = slot
            entries.append((key, slot, code))
        self._scopes.pop()
        size = len(entries) or 1
        if len({key for key, _ in node.entries}) < len(entries):
            at = node.at

            def twice(frame: Frame) -> None:
                frame[0].note(at, "two entries have the same name", "有两个同名的条目")

            return twice

        def make(frame: Frame) -> dict[str, Value]:
            frame[0].make(size)
            made: dict[str, Value] = {}
            for key, slot, code in entries:
                value = made[key] = frame[slot] = code(frame)
                if type(value) is Closure:
                    value.remember(slot)
            return made

        return make

    def _path(self, node: tree.Path) -> Code:
        target, name, at = self._compile(node.target), node.name, node.at

        def path(frame: Frame) -> Value:
            value = target(frame)
            if type(value) is dict and name in value:
                return value[name]
            return property_of(value, name, frame[0], at)

        return path

    def _filter(self, node: tree.Filter) -> Code:
        source = node.target
        target = self._name(source, snapshot=False) if isinstance(source, tree.Name) else self._compile(source)
        condition = node.condition
        if isinstance(condition, tree.Literal) and isinstance(condition.value, Decimal):
            return _index(target, condition.value)
        slot = self.slot()
        self._scopes.append(_Scope({"item": slot}, item=slot))
        code = self._compile(condition)
        self._scopes.pop()
        if isinstance(condition, _SURELY_BOOLEAN):
            return _select(target, code, slot)
        return _select_or_index(target, code, slot)

    # -- iteration ------------------------------------------------------------------------------------------------

    def _domains(self, iterators: list[tree.Iterator], partial: int | None) -> list[tuple[int, Code]]:
        """Compiles the lists of an iteration; leaves a scope with its variables behind."""
        scope = _Scope({}, partial=partial)
        self._scopes.append(scope)
        domains = []
        for iterator in iterators:
            domain = self._compile(iterator.domain)
            items = _up_to(domain, self._compile(iterator.to)) if iterator.to else _items(domain)
            slot = self.slot()
            scope.names[iterator.name] = slot
            domains.append((slot, items))
        return domains

    def _for(self, node: tree.For) -> Code:
        partial = self.slot()
        domains = self._domains(node.iterators, partial)
        self._scopes[-1].names.setdefault("partial", partial)
        body = self._compile(node.body)
        self._scopes.pop()

        def loop(frame: Frame) -> list[Value] | None:
            runtime: Runtime = frame[0]
            result: list[Value] = []
            outer = frame[partial]
            frame[partial] = result
            try:
                for _ in _walk(frame, domains, 0):
                    runtime.spend()
                    runtime.make(1)
                    result.append(body(frame))
                    frame[partial] = result
            except NotIterable as reason:
                runtime.note(node.at, *reason.args)
                return None
            finally:
                frame[partial] = outer
            return result

        return loop

    def _quantified(self, node: tree.Quantified) -> Code:
        domains = self._domains(node.iterators, None)
        body = self._compile(node.body)
        self._scopes.pop()
        decisive, otherwise = (False, True) if node.every else (True, False)

        def quantified(frame: Frame) -> bool | None:
            runtime: Runtime = frame[0]
            found: bool | None = otherwise
            try:
                for _ in _walk(frame, domains, 0):
                    runtime.spend()
                    value: bool | None = body(frame)
                    if value is decisive:
                        return value
                    if value is None:
                        found = None
                    elif value is not otherwise:
                        _note_boolean(runtime, node.body.at, value)
                        return None
            except NotIterable as reason:
                runtime.note(node.at, *reason.args)
                return None
            return found

        return quantified

    # -- functions ------------------------------------------------------------------------------------------------

    def _function(self, node: tree.FunctionNode) -> Code:
        names = tuple(name for name, _ in node.parameters)
        if len(set(names)) < len(names):
            raise self._error(node, "two parameters have the same name", "有两个同名的形参", "different names")
        scope = _Scope({name: self.slot() for name in names})
        self._scopes.append(scope)
        body = self._compile(node.body)
        self._scopes.pop()
        types = tuple(self._type(of) if of else None for _, of in node.parameters)
        slots = tuple(scope.names[name] for name in names)

        def make(frame: Frame) -> Closure:
            frame[0].make(3 + len(frame) // 8)
            return Closure(names, (types, None), slots, body, frame.copy())

        return make

    def _call(self, node: tree.Call) -> Code:
        function = node.function
        if isinstance(function, tree.Name):
            found = self._call_by_name(node, function)
            if found is not None:
                return found
        return self._call_value(node, self._compile(function))

    def _call_by_name(self, node: tree.Call, function: tree.Name) -> Code | None:
        name = function.name
        slot, _, _ = self._find(name)
        if slot is not None or name in self._names:
            return None
        if name in self._functions:
            self.called.add(name)
            return self._call_injected(node, name)
        if name in BUILT_INS:
            if name in ("now", "today"):
                self.called.add(name)
            return self._call_built_in(node, name)
        if self._closed and not any(scope.item is not None for scope in self._scopes):
            known = {*self._functions, *BUILT_INS, *self._names}
            raise self._unknown(function, name, known, function=True)
        self.called.add(name)
        if name not in self.free:
            self.only_called.add(name)
        read, open_call = _read(self._free_slot(name)), name

        def by_name(frame: Frame) -> Value:
            if open_call in frame[0].functions:
                return Injected(open_call, frame[0].functions[open_call])
            return read(frame)

        return self._call_value(node, by_name)

    def _call_injected(self, node: tree.Call, name: str) -> Code:
        if node.named is not None:
            raise self._error(
                node,
                f"{name} takes its arguments by position",
                f"函数 {name} 只能按位置传参",
                "arguments without names",
            )
        arguments = tuple(self._compile(argument) for argument in node.positional)

        def injected(frame: Frame) -> Value:
            runtime = frame[0]
            return Injected(name, _injected(runtime, name)).call(runtime, [code(frame) for code in arguments])

        return injected

    def _call_built_in(self, node: tree.Call, name: str) -> Code:
        function, at = BUILT_INS[name], node.at
        if node.named is not None:
            named_arguments = [(key, self._compile(value)) for key, value in node.named]

            def by_name(frame: Frame) -> Value:
                return function.call_named(frame[0], {key: code(frame) for key, code in named_arguments}, at)

            return by_name
        arguments = tuple(self._compile(argument) for argument in node.positional)
        if name in FOLDED and all(isinstance(argument, tree.Literal) for argument in node.positional):
            value = function.call(Runtime(), [code([None]) for code in arguments])
            if value is not None:
                return _constant(value)
        if len(arguments) == 1:
            argument = arguments[0]
            return lambda frame: function.call(frame[0], [argument(frame)], at)
        return lambda frame: function.call(frame[0], [code(frame) for code in arguments], at)

    def _call_value(self, node: tree.Call, function: Code) -> Code:
        at = node.at
        arguments = tuple(self._compile(argument) for argument in node.positional)
        named_arguments = None if node.named is None else [(key, self._compile(value)) for key, value in node.named]

        def call(frame: Frame) -> Value:
            runtime: Runtime = frame[0]
            found = function(frame)
            if not isinstance(found, Function):
                runtime.note(at, f"a {kind(found)} cannot be called", f"{KIND_ZH[kind(found)]}不能当作函数调用")
                return None
            if named_arguments is not None:
                return found.call_named(runtime, {key: code(frame) for key, code in named_arguments})
            return found.call(runtime, [code(frame) for code in arguments])

        return call


_SURELY_BOOLEAN = tree.Compare | tree.And | tree.Or | tree.Between | tree.In | tree.InstanceOf | tree.Quantified

_COMPILE: dict[type, Callable[[Compiler, Any], Code]] = {
    tree.Literal: Compiler._literal,
    tree.AtLiteral: Compiler._at_literal,
    tree.Name: Compiler._name,
    tree.Negate: Compiler._negate,
    tree.Arithmetic: Compiler._arithmetic,
    tree.Compare: Compiler._compare,
    tree.Between: Compiler._between,
    tree.In: Compiler._in,
    tree.And: Compiler._and,
    tree.Or: Compiler._or,
    tree.InstanceOf: Compiler._instance_of,
    tree.If: Compiler._if,
    tree.For: Compiler._for,
    tree.Quantified: Compiler._quantified,
    tree.Path: Compiler._path,
    tree.Filter: Compiler._filter,
    tree.Call: Compiler._call,
    tree.ListNode: Compiler._list,
    tree.RangeNode: Compiler._range,
    tree.ContextNode: Compiler._context,
    tree.FunctionNode: Compiler._function,
}


# -- small pieces of compiled code --------------------------------------------------------------------------------


def _constant(value: Value) -> Code:
    return lambda frame: value


def always(frame: Frame) -> bool:
    return True


def _read(slot: int) -> Code:
    return operator.itemgetter(slot)


def _snapshot(slot: int) -> Code:
    """``partial`` as it is now; the list itself goes on growing."""

    def read(frame: Frame) -> Value:
        value = frame[slot]
        frame[0].make(len(value))
        return value.copy()

    return read


def _item_name(name: str, items: tuple[int, ...], otherwise: Code) -> Code:
    """A name inside a filter: an entry of the item if it has one, else the name outside."""

    def read(frame: Frame) -> Value:
        for slot in items:
            item = frame[slot]
            if type(item) is dict and name in item:
                return item[name]
        return otherwise(frame)

    return read


def _injected(runtime: Runtime, name: str) -> Callable[..., object]:
    try:
        return runtime.functions[name]
    except KeyError:
        raise FeelEvaluationError(
            f"the function {name} is not available here", f"这里没有提供函数 {name}"
        ) from None


def _negated(code: Code) -> Code:
    def opposite(frame: Frame) -> bool | None:
        value = code(frame)
        return None if value is None else not value

    return opposite


def _note_boolean(runtime: Runtime, at: int, value: Value) -> None:
    if value is not None and type(value) is not bool:
        runtime.note(
            at, f"true or false is expected, not a {kind(value)}", f"应当是是否值，而不是{KIND_ZH[kind(value)]}"
        )


def _note_pair(runtime: Runtime, at: int, sign: str, left: Value, right: Value) -> None:
    if runtime.notes is None:
        return
    a, b = kind(left), kind(right)
    runtime.note(at, f"{sign} does not work between {a} and {b}", f"{KIND_ZH[a]}与{KIND_ZH[b]}之间不能用 {sign}")


def _equality(left: Code, right: Code, at: int, same: bool) -> Code:
    sign = "=" if same else "!="

    def equality(frame: Frame) -> bool | None:
        a, b = left(frame), right(frame)
        of = type(a)
        if of is type(b) and of in _PLAIN:
            return (a == b) is same
        found = equal(a, b, frame[0])
        if found is None:
            _note_pair(frame[0], at, sign, a, b)
            return None
        return found is same

    return equality


def _ordering(left: Code, right: Code, at: int, test: Callable[[Any, Any], bool], sign: str) -> Code:
    def ordering(frame: Frame) -> bool | None:
        a, b = left(frame), right(frame)
        if type(a) is Decimal and type(b) is Decimal:
            return test(a, b)
        found = order(a, b)
        if found is None:
            _note_pair(frame[0], at, sign, a, b)
            return None
        return test(found, 0)

    return ordering


def _one_of(texts: frozenset[Any], slot: int) -> Code:
    only = next(iter(texts)) if len(texts) == 1 else None

    def test(frame: Frame) -> bool | None:
        value = frame[slot]
        if type(value) is str:
            return value in texts
        if type(value) is list and only is not None:
            return equal(value, only, frame[0])
        return False if value is None else None

    return test


def _in_range(value: Value, interval: Value, runtime: Runtime) -> bool | None:
    if type(interval) is not Range:
        return None
    return member(value, interval, runtime) if type(value) is Range else contains(interval, value, runtime)


def _operation(left: Code, right: Code, step: Any) -> Code:
    fast, slow, sign, at = step
    if sign == "**":

        def raise_to(frame: Frame) -> Value:
            frame[0].spend(CURVE)
            return _calculate(frame[0], left(frame), right(frame), fast, slow, sign, at)

        return raise_to

    def calculate(frame: Frame) -> Value:
        return _calculate(frame[0], left(frame), right(frame), fast, slow, sign, at)

    return calculate


def _calculate(
    runtime: Runtime,
    a: Value,
    b: Value,
    fast: Callable[[Decimal, Decimal], Decimal],
    slow: Callable[[Value, Value], Value],
    sign: str,
    at: int,
) -> Value:
    if type(a) is Decimal and type(b) is Decimal:
        try:
            return fast(a, b)
        except DecimalException:
            runtime.note(at, f"{sign} has no result for these numbers", f"这两个数字之间 {sign} 没有结果")
            return None
    value = slow(a, b)
    if value is None:
        _note_pair(runtime, at, sign, a, b)
    elif type(value) is str:
        runtime.make_text(len(value))
    return value


def _chain(first: Code, steps: list[Any]) -> Code:
    """A long row of sums or products, worked off in a loop so that it cannot exhaust the stack."""

    def calculate(frame: Frame) -> Value:
        value = first(frame)
        for fast, slow, sign, at, right in steps:
            if sign == "**":
                frame[0].spend(CURVE)
            value = _calculate(frame[0], value, right(frame), fast, slow, sign, at)
        return value

    return calculate


# -- filters ------------------------------------------------------------------------------------------------------


def _listed(value: Value) -> list[Value]:
    if type(value) is list:
        return value
    return [] if value is None else [value]


def _at(items: list[Value], place: Decimal) -> Value:
    index = whole(place)
    if index is None or index == 0 or abs(index) > len(items):
        return None
    return items[index - 1 if index > 0 else index]


def _index(target: Code, place: Decimal) -> Code:
    return lambda frame: _at(_listed(target(frame)), place)


def _select(target: Code, code: Code, slot: int) -> Code:
    def select(frame: Frame) -> list[Value]:
        items, runtime = _listed(target(frame)), frame[0]
        return _selected(items, code, slot, frame, runtime)

    return select


def _selected(items: list[Value], code: Code, slot: int, frame: Frame, runtime: Runtime) -> list[Value]:
    runtime.spend(len(items))
    found = []
    for item in items:
        frame[slot] = item
        if code(frame) is True:
            found.append(item)
    runtime.make(len(found))
    return found


def _select_or_index(target: Code, code: Code, slot: int) -> Code:
    """A condition of unknown type: a number is the place of one item, anything else is asked of each item."""

    def select(frame: Frame) -> Value:
        items, runtime = _listed(target(frame)), frame[0]
        frame[slot] = items[0] if items else None
        first = code(frame)
        if type(first) is Decimal:
            return _at(items, first)
        return _selected(items, code, slot, frame, runtime)

    return select


# -- iteration ----------------------------------------------------------------------------------------------------


class NotIterable(Exception):
    """What stands after ``in`` is no list."""


def _walk(frame: Frame, domains: list[tuple[int, Code]], level: int) -> Iterator[None]:
    slot, items = domains[level]
    last = level + 1 == len(domains)
    for item in items(frame):
        frame[slot] = item
        if last:
            yield
        else:
            frame[0].spend()
            yield from _walk(frame, domains, level + 1)


def _items(domain: Code) -> Code:
    def items(frame: Frame) -> Iterable[Value]:
        value = domain(frame)
        if type(value) is list:
            return value
        if type(value) is Range and value.low is not None and value.high is not None:
            return within(value, frame[0])
        if value is None:
            raise NotIterable("a list is expected after in, not null", "in 后面应当是列表，而不是空值")
        return [value]

    return items


def within(interval: Range, runtime: Runtime) -> Iterable[Value]:
    """The values of a range one by one, ends as they are included."""
    if order(interval.low, interval.high) == 1:
        raise NotIterable(
            "a range must not go down; write 3..1 without brackets", "区间不能递减；请写不带括号的 3..1"
        )
    found: Iterable[Value] = _steps(interval.low, interval.high, runtime)
    if not interval.low_included:
        found = (item for item in found if order(item, interval.low) != 0)
    if not interval.high_included:
        found = (item for item in found if order(item, interval.high) != 0)
    return found


def _up_to(low: Code, high: Code) -> Code:
    return lambda frame: _steps(low(frame), high(frame), frame[0])


def _steps(low: Value, high: Value, runtime: Runtime) -> Iterator[Value]:
    """From one end to the other, up or down: whole numbers by one, dates by a day."""
    start, end = whole(low), whole(high)
    if start is not None and end is not None:
        number, up = NUMBERS.create_decimal(start), start <= end
        for _ in range(abs(end - start) + 1):
            yield number
            number = NUMBERS.add(number, ONE) if up else NUMBERS.subtract(number, ONE)
        return
    if kind(low) == "date" and kind(high) == "date":
        first, last = t.ordinal(low), t.ordinal(high)
        for day in range(first, last + 1) if first <= last else range(first, last - 1, -1):
            runtime.spend(2)
            yield t.date_of_ordinal(day)
        return
    raise NotIterable(
        f"an iteration cannot go from {kind(low)} to {kind(high)}",
        f"循环不能从{KIND_ZH[kind(low)]}到{KIND_ZH[kind(high)]}",
    )
