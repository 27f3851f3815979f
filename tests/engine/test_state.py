"""Thin state: what is open and nothing else, and every FEEL value as it was."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feel
from core.db import Database
from engine import state, values
from tests.engine.drawing import Scope, diagram, timer
from tests.engine.house import House

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.text(max_size=8)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas(timedelta(days=-1000), timedelta(days=1000))
    | st.integers(-5000, 5000).map(feel.YearsMonths)
)
NAMES = st.text(max_size=6) | st.sampled_from(["$d", "$t", "$c", "$"])


@settings(max_examples=150, deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)))
def test_every_value_survives_the_round_trip(value: object) -> None:
    again = values.decode(orjson.loads(orjson.dumps(values.encode(value))))
    assert again == value
    assert isinstance(again, date) == isinstance(value, date)
    assert isinstance(again, str) == isinstance(value, str)
    orjson.dumps(values.plain(value))


@pytest.mark.parametrize(
    "text",
    [
        'date("-44-03-15")',
        'date("99999-12-31")',
        '@"-0044-03-15"',
        'date and time("99999-12-31T23:59:59.5+08:00")',
        'date and time("2026-11-22T10:00:00+08:00")',
        'date and time("2026-11-22T10:00:00")',
        'time("10:00:00@Asia/Shanghai")',
        'time("10:00:00.123456789")',
        'duration("P4000000D")',
        'duration("PT0.000000001S")',
        'duration("-P999Y11M")',
        "1e20",
        "10 ** 100",
        "0.1 + 0.2",
        '[{a: @"99999-01-01"}, {}]',
    ],
)
def test_what_an_expression_gives_survives_the_round_trip(text: str) -> None:
    value = feel.compile(text).evaluate({})
    again = values.decode(orjson.loads(orjson.dumps(values.encode(value))))
    assert again == value or (again is None and value is None)
    assert feel.compile("a = b").evaluate({"a": value, "b": again}) is True
    orjson.dumps(values.plain(value))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[1..5]", "区间"),
        ("{a: [(< 5)]}", "range"),
        ("function(x) x", "函数"),
        ("[abs]", "function"),
        ("{a: {b: now}}", "function"),
    ],
)
def test_what_lives_only_in_an_expression_is_refused_in_both_languages(text: str, word: str) -> None:
    with pytest.raises(values.NotKept, match=word) as refused:
        values.encode(feel.compile(text).evaluate({}))
    assert refused.value.zh and refused.value.en


def test_what_is_too_deep_or_too_long_is_refused() -> None:
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    with pytest.raises(values.NotKept, match="nested"):
        values.encode(deep)
    with pytest.raises(values.NotKept, match="too long"):
        values.encode(10**5000)
    assert values.encode([float("nan"), Decimal("Infinity")]) == [None, None]


def test_a_value_that_feel_does_not_have_is_refused() -> None:
    with pytest.raises(values.NotKept, match="object"):
        values.encode({"a": [object()]})
    assert values.plain({"on": date(2026, 3, 2), "n": Decimal("1.50"), "$": 1}) == {
        "on": "2026-03-02",
        "n": "1.50",
        "$": 1,
    }


def test_the_state_holds_what_is_open_and_no_specification(sqlite_database: Database) -> None:
    inside = Scope().start("s2").user("b").end("e2").path("s2", "b", "e2")
    drawn = (
        Scope()
        .start()
        .user("a")
        .sub("inner", inside)
        .boundary("late", "inner", timer("P1D"))
        .end()
        .end("lapsed")
        .path("start", "a", "inner", "end")
        .flow("late", "lapsed")
    )
    house = House(sqlite_database, diagram(drawn.process()))
    house.start(at=datetime(2026, 3, 2, tzinfo=UTC))
    house.complete("a")
    unpacked = state.unpack(house.instance().blob)
    top, inner = unpacked["w"]
    assert [token[3] for token in top[2]] == ["inner", "late"]
    assert [token[3] for token in inner[2]] == ["b"]
    assert set(unpacked) == {"v", "l", "s", "w"} and len(house.instance().blob) < 300
    with pytest.raises(ValueError, match="shape 99"):
        state.unpack(state._compressor().compress(orjson.dumps({**unpacked, "v": 99})))
