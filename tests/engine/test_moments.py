"""ISO 8601 as timers use it."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

import feel
from engine import moments

NOW = datetime(2026, 1, 31, 2, 0, tzinfo=UTC)
CHINA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("value", "due"),
    [
        ("PT1H", NOW + timedelta(hours=1)),
        ("P1DT2H3M4S", NOW + timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("P2W", NOW + timedelta(weeks=2)),
        ("P1M", datetime(2026, 2, 28, 2, 0, tzinfo=UTC)),
        ("P1Y2M", datetime(2027, 3, 31, 2, 0, tzinfo=UTC)),
        (timedelta(minutes=5), NOW + timedelta(minutes=5)),
        (feel.YearsMonths(1), datetime(2026, 2, 28, 2, 0, tzinfo=UTC)),
        ("2026-10-01T09:00:00+08:00", datetime(2026, 10, 1, 1, 0, tzinfo=UTC)),
        ("2026-10-01", datetime(2026, 10, 1, tzinfo=CHINA)),
        (date(2026, 10, 1), datetime(2026, 10, 1, tzinfo=CHINA)),
        (datetime(2026, 10, 1, tzinfo=CHINA), datetime(2026, 10, 1, tzinfo=CHINA)),
    ],
)
def test_what_a_timer_may_say(value: Any, due: datetime) -> None:
    assert moments.moment(value, NOW) == due


@pytest.mark.parametrize(
    "value", ["", "1 day", "PT", "P", "P1H", "2026-10-01T09:00:00", datetime(2026, 10, 1), None, 5, True, []]
)
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        moments.moment(value, NOW)


@pytest.mark.parametrize(
    ("cycle", "late", "following"),
    [
        ("R/P1D", timedelta(), (timedelta(days=1), "R/P1D")),
        ("R3/PT1H", timedelta(), (timedelta(hours=1), "R2/PT1H")),
        ("R1/PT1H", timedelta(), None),
        ("R/P1D", timedelta(hours=23, minutes=59), (timedelta(days=1), "R/P1D")),
        ("R/P1D", timedelta(days=1), (timedelta(days=2), "R/P1D")),
        ("R/P1D", timedelta(days=400, hours=1), (timedelta(days=401), "R/P1D")),
        ("R5/PT1H", timedelta(hours=9, minutes=30), (timedelta(hours=10), "R4/PT1H")),
    ],
)
def test_a_cycle_goes_on_with_the_first_moment_still_to_come(
    cycle: str, late: timedelta, following: tuple[timedelta, str] | None
) -> None:
    expected = None if following is None else (NOW + following[0], following[1])
    assert moments.next_in_cycle(cycle, NOW, NOW + late) == expected


@pytest.mark.parametrize("text", ["R/P1D/P1D", "R", "R/", "R-1/P1D", "R/PT0S", "0 0 * * *", "P1D"])
def test_what_is_no_cycle_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        moments.parse_cycle(text)
