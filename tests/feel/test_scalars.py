"""Values to JSON and back."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest

import feel
from feel import Range, Time, YearsMonths


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (Decimal("5.00"), 5),
        (Decimal("0.1"), 0.1),
        (Decimal(2**53), "9007199254740992"),
        (Decimal("0.1000000000000000000000000000000001"), "0.1000000000000000000000000000000001"),
        (1.5, 1.5),
        (float("nan"), None),
        (True, True),
        (Colour.RED, "red"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 9, tzinfo=timezone(timedelta(hours=8))), "2026-11-22T09:00:00+08:00"),
        (time(9, 30), "09:30:00"),
        (Time(0), "00:00:00"),
        (timedelta(days=1, hours=2), "P1DT2H"),
        (YearsMonths(14), "P1Y2M"),
        (Range(1, 2), "[1..2]"),
        ((1, {"a": [None]}), [1, {"a": [None]}]),
    ],
)
def test_a_value_becomes_json(value: object, json: object) -> None:
    assert feel.to_json(value) == json


@pytest.mark.parametrize(
    ("json", "kind", "value"),
    [
        ("2026-11-22", "date", date(2026, 11, 22)),
        ("2026-11-22", None, "2026-11-22"),
        ("2026-11-22", "date and time", datetime(2026, 11, 22)),
        ("P1Y", "years and months duration", YearsMonths(12)),
        ("P1Y", "days and time duration", None),
        ("12.50", "number", Decimal("12.5")),
        ("soon", "date", None),
        (12, "date", Decimal(12)),
    ],
)
def test_json_is_read_as_the_kind_that_is_asked_for(json: object, kind: str | None, value: object) -> None:
    assert feel.from_json(json, kind) == value
