"""Functions on numbers (10.3.4.5). All keep to 34 digits; what has no result is null."""

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    DecimalException,
)

from feel import temporal as t
from feel.library.define import built_in
from feel.limits import CURVE, Runtime
from feel.values import NUMBERS, ZERO, Value, kind, negate, whole

MAX_SCALE = 6176  # the exponents of decimal128
MIN_SCALE = -6111


def _round(value: Decimal, scale: Decimal | None, rounding: str) -> Decimal | None:
    places = 0 if scale is None else whole(scale.to_integral_value(ROUND_DOWN))
    if places is None or not MIN_SCALE <= places <= MAX_SCALE:
        return None
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return value
    if value.adjusted() + places < -1:  # smaller than a tenth of the last place
        away = rounding == ROUND_UP or (rounding == (ROUND_FLOOR if value < 0 else ROUND_CEILING))
        return Decimal((value.is_signed(), (1,), -places)) if away and value else ZERO
    try:
        return value.quantize(Decimal((0, (1,), -places)), rounding, NUMBERS)
    except DecimalException:
        return value if places > 0 else None


def _rounding(name: str, rounding: str, scale: str) -> None:
    @built_in(name, "n: number", scale)
    def rounded(runtime: Runtime, value: Decimal, scale: Decimal | None = None) -> Decimal | None:
        return _round(value, scale, rounding)


_rounding("decimal", ROUND_HALF_EVEN, "scale: number")
_rounding("floor", ROUND_FLOOR, "scale?: number")
_rounding("ceiling", ROUND_CEILING, "scale?: number")
_rounding("round up", ROUND_UP, "scale: number")
_rounding("round down", ROUND_DOWN, "scale: number")
_rounding("round half up", ROUND_HALF_UP, "scale: number")
_rounding("round half down", ROUND_HALF_DOWN, "scale: number")


@built_in("abs", "n: any", also=[("number",)])
def absolute(runtime: Runtime, value: Value) -> Value:
    if type(value) is list and len(value) == 1:
        value = value[0]
    found = kind(value)
    if found == "number":
        return NUMBERS.abs(value)
    if found == "years and months duration":
        return negate(value) if value.months < 0 else value
    if found == "days and time duration":
        return negate(value) if t.nanoseconds(value) < 0 else value
    return None


@built_in("modulo", "dividend: number", "divisor: number")
def modulo(runtime: Runtime, dividend: Decimal, divisor: Decimal) -> Decimal | None:
    """The remainder with the sign of the divisor: ``dividend - divisor * floor(dividend / divisor)``."""
    if not divisor:
        return None
    try:
        rest = NUMBERS.remainder(dividend, divisor)
        return NUMBERS.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest
    except DecimalException:
        pass  # the quotient has more than 34 digits
    try:
        quotient = NUMBERS.divide(dividend, divisor).to_integral_value(ROUND_FLOOR)
        return NUMBERS.subtract(dividend, NUMBERS.multiply(divisor, quotient))
    except DecimalException:
        return None


def _calculation(name: str, calculate: Callable[[Decimal], Decimal]) -> None:
    @built_in(name, "number: number")
    def calculated(runtime: Runtime, value: Decimal) -> Decimal | None:
        runtime.spend(CURVE)
        try:
            return calculate(value)
        except DecimalException:
            return None


_calculation("sqrt", NUMBERS.sqrt)
_calculation("exp", NUMBERS.exp)
_calculation("log", lambda value: NUMBERS.ln(value) if value > 0 else NUMBERS.divide(value, ZERO))


@built_in("odd", "number: number")
def odd(runtime: Runtime, value: Decimal) -> bool | None:
    return not _ends_even(value) if _is_whole(value) else None


@built_in("even", "number: number")
def even(runtime: Runtime, value: Decimal) -> bool | None:
    return _ends_even(value) if _is_whole(value) else None


def _is_whole(value: Decimal) -> bool:
    return value == value.to_integral_value()


def _ends_even(value: Decimal) -> bool:
    """Whether a whole number is even, by its last digit: the whole of a giant would take a while to write out."""
    _, digits, exponent = value.to_integral_value().as_tuple()
    return bool(exponent) or digits[-1] % 2 == 0
