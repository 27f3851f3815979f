"""How a built-in is declared: its name, its parameters and their kinds, beside the function that does the work.

``@built_in("substring", "string: string", "start position: number", "length?: number")`` checks and converts
the arguments before the function sees them. A null argument makes the result null, unless its kind ends in ``~``.
A last parameter ``*list: any`` takes one list or any number of values, ``**lists: list`` any number of lists.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from feel import temporal as t
from feel.limits import Runtime
from feel.values import KIND_ZH, Function, Range, Value, kind

_TYPES: dict[str, frozenset[type]] = {
    "number": frozenset((Decimal,)),
    "string": frozenset((str,)),
    "boolean": frozenset((bool,)),
    "date": frozenset((date, t.FarDate)),
    "date and time": frozenset((datetime, t.FarMoment)),
    "time": frozenset((t.Time,)),
    "days duration": frozenset((timedelta, t.FarDuration)),
    "months duration": frozenset((t.YearsMonths,)),
    "list": frozenset((list,)),
    "context": frozenset((dict,)),
    "range": frozenset((Range,)),
}
_TYPES["day"] = _TYPES["date"] | _TYPES["date and time"]
_FAIL: Any = object()


def _convert(value: Value, wanted: str) -> Value:
    """The value as the parameter's kind, or _FAIL."""
    if wanted == "any":
        return value
    if wanted == "function":
        return value if isinstance(value, Function) else _FAIL
    types = _TYPES[wanted]
    if type(value) in types:
        return value
    if wanted == "list":
        return [value]
    if type(value) is list and len(value) == 1 and type(value[0]) in types:
        return value[0]
    return _FAIL


class BuiltIn(Function):
    """A function of the standard library. ``parameters`` are the names for calls by name.

    ``kinds`` are those of the parameters, of which ``needed`` must be given; ``rest`` tells that the last may be
    given often, ``variadic`` that one list or any number of values is taken.
    """

    __slots__ = (
        "_by_name",
        "_function",
        "_nullable",
        "also",
        "kinds",
        "name",
        "needed",
        "parameters",
        "rest",
        "variadic",
    )

    def __init__(
        self,
        name: str,
        specs: Sequence[str],
        also: Sequence[tuple[str, ...]],
        by_name: Mapping[str, str],
        function: Callable[..., Value],
    ) -> None:
        self.name = name
        self._function = function
        self.rest = bool(specs) and specs[-1].startswith("**")
        self.variadic = bool(specs) and specs[-1].startswith("*") and not self.rest
        names, kinds, nullable, needed = [], [], [], 0
        for spec in specs:
            label, _, wanted = spec.lstrip("*").partition(": ")
            needed += not label.endswith("?")
            names.append(label.rstrip("?"))
            kinds.append(wanted.rstrip("~"))
            nullable.append(wanted.endswith("~"))
        self.parameters = tuple(names)
        self.also = tuple(also)
        self._by_name = dict(by_name)
        self.kinds = tuple(kinds)
        self._nullable = tuple(nullable)
        self.needed = needed

    def call(self, runtime: Runtime, arguments: list[Value], at: int = 0) -> Value:
        runtime.steps -= 1
        if runtime.steps < 0:
            runtime.spend()
        if self.variadic:
            return self._call_variadic(runtime, arguments, at)
        count = len(arguments)
        if (count > len(self.kinds) and not self.rest) or count < self.needed:
            return self._note_count(runtime, count, at)
        last = len(self.kinds) - 1
        for given, value in enumerate(arguments):
            place = given if given < last else last
            if value is None:
                if not self._nullable[place]:
                    return self._note_null(runtime, place, at)
                continue
            converted = _convert(value, self.kinds[place])
            if converted is _FAIL:
                return self._note_kind(runtime, place, value, at)
            if type(converted) is str and len(converted) > 100:
                runtime.spend(len(converted) // 100)
            arguments[given] = converted
        result = self._function(runtime, *arguments)
        if result is None and runtime.notes is not None:
            runtime.note(at, f"{self.name} has no result for these values", f"函数 {self.name} 对这些值没有结果")
        return result

    def _call_variadic(self, runtime: Runtime, arguments: list[Value], at: int) -> Value:
        if not arguments:
            return self._note_count(runtime, 0, at)
        items = arguments[0] if len(arguments) == 1 and type(arguments[0]) is list else arguments
        if items is arguments and len(items) == 1 and items[0] is None:
            return self._note_null(runtime, 0, at)
        runtime.spend(len(items))
        return self._function(runtime, items)

    def call_named(self, runtime: Runtime, arguments: Mapping[str, Value], at: int = 0) -> Value:
        assert self.parameters is not None
        for name, wanted in self._by_name.items():
            if name in arguments and _convert(arguments[name], wanted) is _FAIL:
                return None
        fitting = [names for names in (self.parameters, *self.also) if set(arguments) <= set(names)]
        # before(point, range) and before(range, point) have the same names: the order of the call decides.
        for names in sorted(fitting, key=lambda names: tuple(arguments) != names):
            given = [arguments.get(name) for name in names]
            while given and names[len(given) - 1] not in arguments:
                given.pop()
            if all(name in arguments for name in names[: min(self.needed, len(names))]):
                return self.call(runtime, given, at)
        known = ", ".join(self.parameters)
        runtime.note(at, f"{self.name} has the parameters {known}", f"函数 {self.name} 的形参是 {known}")
        return None

    def _note_count(self, runtime: Runtime, count: int, at: int) -> None:
        most, least = len(self.kinds), self.needed
        wanted = str(most) if most == least else f"{least} to {most}"
        zh = str(most) if most == least else f"{least} 至 {most}"
        runtime.note(
            at,
            f"{self.name} takes {wanted} arguments, not {count}",
            f"函数 {self.name} 需要 {zh} 个参数，给了 {count} 个",
        )

    def _note_null(self, runtime: Runtime, place: int, at: int) -> None:
        name = (self.parameters or ())[place]
        runtime.note(at, f"{name} of {self.name} is null", f"函数 {self.name} 的参数 {name} 是空值")

    def _note_kind(self, runtime: Runtime, place: int, value: Value, at: int) -> None:
        name, wanted = (self.parameters or ())[place], self.kinds[place]
        runtime.note(
            at,
            f"{name} of {self.name} must be a {wanted}, not a {kind(value)}",
            f"函数 {self.name} 的参数 {name} 应当是{KIND_ZH.get(wanted, wanted)}，而不是{KIND_ZH[kind(value)]}",
        )


BUILT_INS: dict[str, BuiltIn] = {}


def built_in(
    name: str, *specs: str, also: Sequence[tuple[str, ...]] = (), by_name: Mapping[str, str] | None = None
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Declare a built-in.

    ``also`` lists further sets of parameter names under which it may be called, ``by_name`` the kinds that some of
    them stand for when they are named.
    """

    def declare(function: Callable[..., Value]) -> Callable[..., Value]:
        BUILT_INS[name] = BuiltIn(name, specs, also, by_name or {}, function)
        return function

    return declare
