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


def test_a_value_that_feel_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
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
