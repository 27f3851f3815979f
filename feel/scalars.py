"""FEEL values as JSON and back.

| value | JSON |
|---|---|
| number | an integer when whole and below 2**53, a float when the float has exactly its digits, else a string |
| date, time, date and time, durations | the ISO 8601 text that ``string()`` writes |
| range, function | their text |
| list, context | array, object |
"""

from decimal import Decimal

from feel import temporal as t
from feel.limits import Runtime
from feel.types import Type
from feel.values import Value, from_python, kind, number_text, text_of

#: Integers beyond this are not exact in JavaScript.
MAX_EXACT = 2**53


def to_json(value: object) -> object:
    """A JSON-able copy of a value that an expression gave."""
    return _scalar(from_python(value))


def _scalar(value: Value) -> object:
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is Decimal:
        return _number(value)
    if type(value) is list:
        return [_scalar(item) for item in value]
    if type(value) is dict:
        return {key: _scalar(item) for key, item in value.items()}
    return text_of(value, Runtime())


def _number(value: Decimal) -> object:
    if value == value.to_integral_value():
        return int(value) if abs(value) < MAX_EXACT else number_text(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else number_text(value)


def from_json(value: object, kind_wanted: str | None = None) -> Value:
    """JSON as FEEL values. Texts stay texts unless ``kind_wanted`` names what they are, such as ``date``.

    A text that is not of the wanted kind becomes None.
    """
    found = from_python(value)
    if kind_wanted is None or not isinstance(found, str):
        return found
    if kind_wanted == "number":
        from feel.library.conversions import number

        return number(Runtime(), found)
    if kind_wanted in _READERS:
        parsed = _READERS[kind_wanted](found)
        return parsed if kind(parsed) == kind_wanted else None
    return found


def read_typed(value: Value, of: Type | None) -> Value:
    """JSON data as its declared type says: texts of dates, times and durations are read, at any depth."""
    if of is None or value is None:
        return value
    if type(value) is str and of.kind in _READERS:
        return from_json(value, of.kind)
    if type(value) is list:
        return [read_typed(item, of.item if of.kind == "list" else of) for item in value]
    if type(value) is dict and of.fields is not None:
        return {name: read_typed(item, of.fields.get(name)) for name, item in value.items()}
    return value


_READERS = {
    "date": t.parse_date,
    "time": t.parse_time,
    "date and time": t.parse_moment,
    "days and time duration": t.parse_duration,
    "years and months duration": t.parse_duration,
}
