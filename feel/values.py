"""The values of FEEL in Python, and what equality, order and arithmetic mean between them.

number: ``Decimal`` (34 digits) · string: ``str`` · boolean: ``bool`` · null: ``None`` · list: ``list`` ·
context: ``dict`` · range: ``Range`` · function: ``Function`` · dates, times and durations: see ``feel.temporal``.

Operations never raise on a wrong kind: they answer ``None`` (null), as the standard says.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from enum import Enum
from typing import Any

from feel import temporal as t
from feel.errors import FeelEvaluationError
from feel.limits import Runtime
from feel.temporal import FarDate, FarDuration, FarMoment, Time, YearsMonths

#: The arithmetic of IEEE 754 decimal128, as the standard asks.
NUMBERS = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
ZERO = Decimal(0)
ONE = Decimal(1)

Value = Any
Arguments = list[Value]


class Range:
    """All values between two ends.

    ``operator`` is set when it was written with one, as ``(< 10)``: then an end of None bounds nothing, and ``!=``
    means everything but its ends.
    """

    __slots__ = ("high", "high_included", "low", "low_included", "operator")

    def __init__(
        self, low: Value, high: Value, low_included: bool = True, high_included: bool = True, operator: str = ""
    ) -> None:
        self.low = low
        self.high = high
        self.low_included = low_included
        self.high_included = high_included
        self.operator = operator

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Range) and ranges_equal(self, other, Runtime())

    def __hash__(self) -> int:
        return hash((self.low_included, self.high_included, self.operator))

    def __repr__(self) -> str:
        opening, closing = "[" if self.low_included else "(", "]" if self.high_included else ")"
        return f"{opening}{self.low}..{self.high}{closing}"


class Function:
    """A function as a value: built in, written in an expression, or injected."""

    __slots__ = ()
    name: str
    parameters: tuple[str, ...] | None  #: None when they have no names

    def call(self, runtime: Runtime, arguments: Arguments) -> Value:
        raise NotImplementedError

    def call_named(self, runtime: Runtime, arguments: Mapping[str, Value]) -> Value:
        if self.parameters is None or any(name not in self.parameters for name in arguments):
            return None
        return self.call(runtime, [arguments.get(name) for name in self.parameters])


class Injected(Function):
    """A Python callable handed in from outside; it takes positional values."""

    __slots__ = ("function", "name", "parameters")

    def __init__(self, name: str, function: Callable[..., object]) -> None:
        self.name = name
        self.function = function
        self.parameters = None

    def call(self, runtime: Runtime, arguments: Arguments) -> Value:
        runtime.spend()
        try:
            return from_python(self.function(*arguments))
        except FeelEvaluationError:
            raise
        except Exception as error:
            raise FeelEvaluationError(
                f"{self.name} failed: {error or type(error).__name__}",
                f"函数 {self.name} 出错：{error or type(error).__name__}",
            ) from error


# -- kinds --------------------------------------------------------------------------------------------------------

_KINDS: dict[type, str] = {
    Decimal: "number",
    str: "string",
    bool: "boolean",
    type(None): "null",
    date: "date",
    FarDate: "date",
    datetime: "date and time",
    FarMoment: "date and time",
    Time: "time",
    timedelta: "days and time duration",
    FarDuration: "days and time duration",
    YearsMonths: "years and months duration",
    list: "list",
    dict: "context",
    Range: "range",
}
KIND_ZH = {
    "number": "数字",
    "string": "文本",
    "boolean": "是否值",
    "null": "空值",
    "date": "日期",
    "date and time": "日期时间",
    "time": "时间",
    "days and time duration": "天时分秒时长",
    "years and months duration": "年月时长",
    "list": "列表",
    "context": "上下文",
    "range": "区间",
    "function": "函数",
}


def kind(value: Value) -> str:
    return _KINDS.get(type(value)) or "function"


_AS_IT_IS = frozenset(_KINDS) - {list, dict, Range}


def from_python(value: object, depth: int = 0) -> Value:
    """A value from outside as FEEL holds it. Raises FeelEvaluationError for what FEEL has no kind for."""
    kind_of = type(value)
    if kind_of in _AS_IT_IS:
        return value if kind_of is not Decimal or value.is_finite() else None  # type: ignore[attr-defined]
    if kind_of is int:
        return whole_number(value)  # type: ignore[arg-type]
    if kind_of is float:
        number = Decimal(repr(value))
        return number if number.is_finite() else None
    if depth > 60:
        raise FeelEvaluationError("the data is nested too deep", "数据嵌套过深")
    if isinstance(value, Mapping):
        return {str(key): from_python(item, depth + 1) for key, item in value.items()}
    if kind_of in (list, tuple, set, frozenset) or isinstance(value, list):
        return [from_python(item, depth + 1) for item in value]  # type: ignore[attr-defined]
    return _uncommon(value)


def whole_number(value: int) -> Decimal | None:
    """An int as a number of 34 digits; null beyond the largest."""
    if -_EXACT < value < _EXACT:
        return Decimal(value)
    return NUMBERS.create_decimal(value) if value.bit_length() < 20_000 else None


_EXACT = 10**34


def _uncommon(value: object) -> Value:
    if isinstance(value, Enum):
        return from_python(value.value)
    if isinstance(value, Function):
        return value
    if isinstance(value, Range):
        low, high = from_python(value.low), from_python(value.high)
        return Range(low, high, value.low_included, value.high_included, value.operator)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return whole_number(int(value))
    if isinstance(value, time):
        return t.time_of(value)
    for native in (datetime, date, timedelta):
        if isinstance(value, native):
            return value
    if callable(value):
        return Injected(getattr(value, "__name__", "function"), value)
    raise FeelEvaluationError(
        f"a {type(value).__name__} cannot be used in an expression",
        f"表达式不能使用 {type(value).__name__} 类型的值",
    )


def whole(value: Value) -> int | None:
    """An integer of reasonable size from a number; None for fractions and for giants."""
    if type(value) is not Decimal or not -1_000_000_000_000 < value < 1_000_000_000_000:
        return None
    return int(value) if value == value.to_integral_value() else None


# -- equality and order -------------------------------------------------------------------------------------------

_PLAIN = frozenset((Decimal, str, bool, date, FarDate, timedelta, FarDuration, YearsMonths))


def equal(left: Value, right: Value, runtime: Runtime) -> bool | None:
    """Equality: None when the kinds cannot be compared. Every part of a list or context is a step."""
    if left is None or right is None:
        return left is right
    a, b = type(left), type(right)
    if a is b and a in _PLAIN:
        return bool(left == right)
    first, second = kind(left), kind(right)
    if first != second:
        return True if first in _DURATIONS and second in _DURATIONS and _is_zero(left) and _is_zero(right) else None
    if first == "date and time":
        return t.moments_equal(left, right)
    if first == "time":
        return t.times_equal(left, right)
    if first == "list":
        return _lists_equal(left, right, runtime)
    if first == "context":
        return _contexts_equal(left, right, runtime)
    if first == "range":
        return ranges_equal(left, right, runtime)
    if first == "function":
        return left is right
    return False  # a native and a far value of the same kind


def _is_zero(duration: Value) -> bool:
    return duration.months == 0 if isinstance(duration, YearsMonths) else t.nanoseconds(duration) == 0


def _lists_equal(left: list[Value], right: list[Value], runtime: Runtime) -> bool | None:
    if len(left) != len(right):
        return False
    runtime.spend(2 * len(left) + 2)
    return all(equal(a, b, runtime) is True for a, b in zip(left, right, strict=True))


def _contexts_equal(left: dict[str, Value], right: dict[str, Value], runtime: Runtime) -> bool | None:
    if left.keys() != right.keys():
        return False
    runtime.spend(2 * len(left) + 2)
    return all(equal(item, right[key], runtime) is True for key, item in left.items())


def ranges_equal(left: Range, right: Range, runtime: Runtime) -> bool:
    return (
        left.operator == right.operator
        and left.low_included == right.low_included
        and left.high_included == right.high_included
        and equal(left.low, right.low, runtime) is True
        and equal(left.high, right.high, runtime) is True
    )


_ORDERED = frozenset((Decimal, str, date, timedelta, YearsMonths))


def order(left: Value, right: Value) -> int | None:
    """-1, 0 or 1; None when the two cannot be ordered."""
    a, b = type(left), type(right)
    if a is b and a in _ORDERED:
        return -1 if left < right else int(left > right)
    first = kind(left)
    if first != kind(right):
        return None
    if first == "date and time":
        return t.order_moments(left, right)
    if first == "time":
        return t.order_times(left, right)
    if first == "date":
        x, y = t.ordinal(left), t.ordinal(right)
        return (x > y) - (x < y)
    if first == "days and time duration":
        x, y = t.nanoseconds(left), t.nanoseconds(right)
        return (x > y) - (x < y)
    return None


def contains(interval: Range, value: Value, runtime: Runtime) -> bool | None:
    """Whether the value lies in the range; None when it cannot be compared with the ends."""
    if interval.operator == "!=":
        same = equal(value, interval.low, runtime)
        return None if same is None else not same
    if interval.low is None and interval.high is None:
        return None
    if interval.low is not None:
        place = order(value, interval.low)
        if place is None:
            return None
        if place < 0 or (place == 0 and not interval.low_included):
            return False
    if interval.high is not None:
        place = order(value, interval.high)
        if place is None:
            return None
        if place > 0 or (place == 0 and not interval.high_included):
            return False
    return True


def member(value: Value, of: Value, runtime: Runtime) -> bool | None:
    """``value in of``: equal to it, an item of the list, or within the range."""
    if type(of) is Range:
        return True if type(value) is Range and ranges_equal(value, of, runtime) else contains(of, value, runtime)
    if type(of) is not list:
        return equal(value, of, runtime)
    if type(value) is list and equal(value, of, runtime) is True:
        return True
    runtime.spend(len(of))
    return any((member if type(item) is Range else equal)(value, item, runtime) is True for item in of)


# -- arithmetic ---------------------------------------------------------------------------------------------------


def add(left: Value, right: Value) -> Value:
    a, b = type(left), type(right)
    if a is Decimal and b is Decimal:
        try:
            return NUMBERS.add(left, right)
        except DecimalException:
            return None
    if a is str and b is str:
        return left + right
    first, second = kind(left), kind(right)
    if second in _POINTS and first in _DURATIONS:
        left, right, first, second = right, left, second, first
    if second not in _DURATIONS:
        return None
    return _ADD[first](left, right, 1) if first in _ADD else None


def subtract(left: Value, right: Value) -> Value:
    if type(left) is Decimal and type(right) is Decimal:
        try:
            return NUMBERS.subtract(left, right)
        except DecimalException:
            return None
    first, second = kind(left), kind(right)
    if second in _DURATIONS:
        return _ADD[first](left, right, -1) if first in _ADD else None
    if first in _POINTS and second in _POINTS:
        return _distance(left, right, first, second)
    return None


_POINTS = frozenset(("date", "date and time", "time"))
_DURATIONS = frozenset(("days and time duration", "years and months duration"))


def _distance(left: Value, right: Value, first: str, second: str) -> Value:
    """The duration between two points in time; a date counts as midnight of universal time beside a moment."""
    if first == "time" or second == "time":
        if first != second:
            return None
        a, b = t.time_offset(left), t.time_offset(right)
        if left.zone == right.zone:
            return t.make_duration(left.nanos - right.nanos)
        if a is None or b is None:
            return None
        return t.make_duration(left.nanos - right.nanos - (a - b) * t.SECOND)
    if first == "date" and second == "date":
        return t.make_duration((t.ordinal(left) - t.ordinal(right)) * t.DAY)
    if first == "date":
        left = t.make_moment(t.ordinal(left), 0, UTC if t.offset(right) is not None else None)
    elif second == "date":
        right = t.make_moment(t.ordinal(right), 0, UTC if t.offset(left) is not None else None)
    x, y = t.instant(left), t.instant(right)
    if x is None and y is None:
        x, y = t.local(left), t.local(right)
    return None if x is None or y is None else t.make_duration(x - y)


def _add_to_date(value: t.Date, duration: Value, sign: int) -> Value:
    if isinstance(duration, YearsMonths):
        return t.make_date(*t.add_months(value.year, value.month, value.day, sign * duration.months))
    days = (t.ordinal(value) * t.DAY + sign * t.nanoseconds(duration)) // t.DAY
    return t.date_of_ordinal(days)


def _add_to_moment(value: t.Moment, duration: Value, sign: int) -> Value:
    if isinstance(duration, YearsMonths):
        days, at, zone = t.parts(value)
        moved = t.make_date(*t.add_months(*t.parts_of_ordinal(days), sign * duration.months))
        return None if moved is None else t.make_moment(t.ordinal(moved), at, zone)
    return t.shift(value, sign * t.nanoseconds(duration))


def _add_to_time(value: Time, duration: Value, sign: int) -> Value:
    if isinstance(duration, YearsMonths):
        return None
    return Time((value.nanos + sign * t.nanoseconds(duration)) % t.DAY, value.zone)


def _add_to_months(value: YearsMonths, duration: Value, sign: int) -> Value:
    return t.make_months(value.months + sign * duration.months) if isinstance(duration, YearsMonths) else None


def _add_to_duration(value: t.Duration, duration: Value, sign: int) -> Value:
    if isinstance(duration, YearsMonths):
        return None
    return t.make_duration(t.nanoseconds(value) + sign * t.nanoseconds(duration))


_ADD: dict[str, Callable[[Any, Value, int], Value]] = {
    "date": _add_to_date,
    "date and time": _add_to_moment,
    "time": _add_to_time,
    "years and months duration": _add_to_months,
    "days and time duration": _add_to_duration,
}


def multiply(left: Value, right: Value) -> Value:
    a, b = type(left), type(right)
    if a is Decimal and b is Decimal:
        try:
            return NUMBERS.multiply(left, right)
        except DecimalException:
            return None
    if a is Decimal:
        left, right, b = right, left, a
    if b is not Decimal:
        return None
    return _scale(left, right, NUMBERS.multiply)


def divide(left: Value, right: Value) -> Value:
    if type(right) is Decimal:
        if type(left) is Decimal:
            try:
                return NUMBERS.divide(left, right)
            except DecimalException:
                return None
        return _scale(left, right, NUMBERS.divide)
    first = kind(left)
    if first not in _DURATIONS or first != kind(right):
        return None
    if isinstance(left, YearsMonths):
        return divide(Decimal(left.months), Decimal(right.months))
    return divide(Decimal(t.nanoseconds(left)), Decimal(t.nanoseconds(right)))


def _scale(value: Value, factor: Decimal, operation: Callable[[Decimal, Decimal], Decimal]) -> Value:
    """A duration times or divided by a number, cut to whole months or nanoseconds."""
    try:
        if isinstance(value, YearsMonths):
            months = operation(Decimal(value.months), factor)
            return t.make_months(int(months)) if abs(months) <= t.MAX_MONTHS else None
        if kind(value) == "days and time duration":
            nanos = operation(Decimal(t.nanoseconds(value)), factor)
            return t.make_duration(int(nanos)) if abs(nanos) <= t.MAX_DURATION else None
    except DecimalException:
        return None
    return None


def power(left: Value, right: Value) -> Value:
    if type(left) is not Decimal or type(right) is not Decimal:
        return None
    try:
        return NUMBERS.power(left, right)
    except DecimalException:
        return None


def negate(value: Value) -> Value:
    if type(value) is Decimal:
        return NUMBERS.minus(value)
    if type(value) is YearsMonths:
        return YearsMonths(-value.months)
    if type(value) in (timedelta, FarDuration):
        return t.make_duration(-t.nanoseconds(value))
    return None


# -- text ---------------------------------------------------------------------------------------------------------


def number_text(value: Decimal) -> str:
    """Digits without an exponent and without useless zeros."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text_of(value: Value, runtime: Runtime, *, inside: bool = False) -> str | None:
    """The value as FEEL's ``string()`` writes it; strings within lists and contexts keep their quotes."""
    if value is None:
        return "null" if inside else None
    of = type(value)
    if of is str:
        return quoted(value) if inside else str(value)
    if of is Decimal:
        return number_text(value)
    if of is bool:
        return "true" if value else "false"
    if of is list or of is dict:
        return _collection_text(value, runtime)
    if of is Range:
        return _range_text(value, runtime)
    found = kind(value)
    if found == "date":
        return t.format_date(value)
    if found == "date and time":
        return t.format_moment(value)
    if of is Time:
        return t.format_time(value)
    if found in _DURATIONS:
        return t.format_duration(value)
    return f"function {getattr(value, 'name', '')}".strip()


def _collection_text(value: Value, runtime: Runtime) -> str:
    runtime.spend(2 * len(value) + 2)
    runtime.make(len(value))
    runtime.enter()
    if type(value) is list:
        text = "[" + ", ".join(text_of(item, runtime, inside=True) or "" for item in value) + "]"
    else:
        entries = (f"{_key_text(key)}: {text_of(item, runtime, inside=True)}" for key, item in value.items())
        text = "{" + ", ".join(entries) + "}"
    runtime.depth += 1
    runtime.make_text(len(text))
    return text


def _key_text(key: str) -> str:
    return key if all(part.isidentifier() or part.isdigit() for part in key.split()) and key else quoted(key)


def _range_text(value: Range, runtime: Runtime) -> str:
    if value.operator:
        bound = value.low if value.low is not None else value.high
        return f"({value.operator} {text_of(bound, runtime, inside=True)})"
    opening, closing = "[" if value.low_included else "(", "]" if value.high_included else ")"
    low = text_of(value.low, runtime, inside=True)
    high = text_of(value.high, runtime, inside=True)
    return f"{opening}{low}..{high}{closing}"
