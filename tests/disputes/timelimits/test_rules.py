"""The arithmetic of limits: the worked examples, and dates around the breaks worked out by hand."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.now import CHINA
from disputes.timelimits.calendar import Calendar
from disputes.timelimits.limits import Bound, Kind, Limit, Roll, Unit, load_limits
from disputes.timelimits.rules import (
    NEVER,
    Pause,
    TimeLimitError,
    compute,
    day_of,
    merged,
    moment_of,
    months_after,
    warning_at,
)

CALENDAR = Calendar()
LIMITS = load_limits(Path("workflows/time_limits.yaml").read_bytes())
TODAY = date(2026, 11, 22)
VECTORS = json.loads(Path(__file__).with_name("deadline_vectors.json").read_text())


def limit(amount: int | None, unit: Unit | None, roll: Roll = Roll.NONE, **changes: Any) -> Limit:
    base = LIMITS.get("C01", on=TODAY)
    return replace(base, id="X", amount=amount, unit=unit, roll=roll, warn_after=(), **changes)


def due_on(start: str, amount: int, unit: str, roll: str = "none", *pauses: Pause) -> str:
    edition = limit(amount, Unit(unit), Roll(roll))
    return compute(edition, date.fromisoformat(start), calendar=CALENDAR, pauses=pauses).due_on.isoformat()


def vectors() -> list[tuple[str, str, str]]:
    return [(v["start"], what, day) for v in VECTORS for what, day in v.items() if what != "start"]


@pytest.mark.parametrize(("start", "what", "day"), vectors())
def test_the_worked_examples_agree(start: str, what: str, day: str) -> None:
    length, _, roll = what.partition("/")
    pauses: tuple[Pause, ...] = ()
    if " paused " in length:
        length, _, days = length.partition(" paused ")
        first = date(2026, 8, 10)
        pauses = (Pause(first, first + timedelta(int(days.split()[0])), "鉴定"),)
    amount, unit = int(length[:-2]), {"WD": "working day", "CD": "day"}[length[-2:]]
    assert due_on(start, amount, unit, roll or "none", *pauses) == day


# Worked out with the notices in hand (国办发明电〔2024〕12号, 国办发明电〔2025〕7号), not with the code.
# 2025 off: 1.1; 1.28–2.4; 4.4–4.6; 5.1–5.5; 5.31–6.2; 10.1–10.8. Worked: 1.26 2.8 4.27 9.28 10.11.
# 2026 off: 1.1–1.3; 2.15–2.23; 4.4–4.6; 5.1–5.5; 6.19–6.21; 9.25–9.27; 10.1–10.7.
#      Worked: 1.4 2.14 2.28 5.9 9.20 10.10.
BY_HAND = [
    # start, amount, unit, roll, last day, why
    ("2024-12-31", 1, "working day", "none", "2025-01-02", "1 January, a Wednesday, is off by itself"),
    ("2024-12-31", 7, "working day", "none", "2025-01-10", "2 3 | 6 7 8 9 10 January"),
    ("2025-01-24", 1, "working day", "none", "2025-01-26", "the Sunday before the break is worked"),
    ("2025-01-24", 3, "working day", "none", "2025-02-05", "26 27 | 5 February"),
    ("2025-01-27", 5, "working day", "none", "2025-02-10", "5 6 7 8(Sat) | 10 February"),
    ("2025-01-20", 7, "working day", "none", "2025-02-05", "21 22 23 24 26 27 | 5 February"),
    ("2025-01-20", 10, "working day", "none", "2025-02-08", "… 5 6 7 8(Sat)"),
    ("2025-02-05", 3, "working day", "none", "2025-02-08", "6 7 8(Sat)"),
    ("2025-01-14", 14, "day", "none", "2025-01-28", "New Year's Eve, not rolled"),
    ("2025-01-14", 14, "day", "break", "2025-02-05", "28 January is the first day of the break"),
    ("2025-01-27", 7, "day", "break", "2025-02-05", "3 February is a day off in lieu inside the break"),
    ("2025-01-12", 14, "day", "rest-day", "2025-01-26", "a Sunday, but worked"),
    ("2025-01-12", 13, "day", "rest-day", "2025-01-26", "Saturday 25 January rolls to the worked Sunday"),
    ("2024-12-02", 60, "day", "break", "2025-02-05", "29 to 31 Dec + 31 = 31 January, in the break"),
    ("2025-04-03", 1, "working day", "none", "2025-04-07", "Qingming, Friday to Sunday"),
    ("2025-03-28", 5, "working day", "none", "2025-04-07", "31 1 2 3 | 7 April"),
    ("2025-03-06", 30, "day", "none", "2025-04-05", "25 in March + 5"),
    ("2025-03-06", 30, "day", "break", "2025-04-07", "5 April is Saturday inside Qingming"),
    ("2025-04-25", 1, "working day", "none", "2025-04-27", "Sunday, worked"),
    ("2025-04-25", 5, "working day", "none", "2025-05-06", "27(Sun) 28 29 30 | 6 May"),
    ("2025-04-30", 3, "working day", "none", "2025-05-08", "6 7 8 May"),
    ("2025-03-04", 60, "day", "break", "2025-05-06", "27 + 30 + 3 = 3 May, in the break"),
    ("2025-04-20", 7, "day", "rest-day", "2025-04-27", "Sunday, worked"),
    ("2025-05-30", 1, "working day", "none", "2025-06-03", "31 May to 2 June off"),
    ("2025-05-26", 7, "working day", "none", "2025-06-05", "27 28 29 30 | 3 4 5 June"),
    ("2025-04-02", 60, "day", "break", "2025-06-03", "28 + 31 + 1 = 1 June, Sunday inside the break"),
    ("2025-09-26", 3, "working day", "none", "2025-09-30", "28(Sun) 29 30"),
    ("2025-09-26", 7, "working day", "none", "2025-10-13", "28 29 30 | 9 10 11(Sat) | 13 October"),
    ("2025-09-30", 5, "working day", "none", "2025-10-14", "9 10 11(Sat) | 13 14 October"),
    ("2025-08-05", 60, "day", "break", "2025-10-09", "26 + 30 + 4 = 4 October, in the break"),
    ("2025-09-24", 14, "day", "break", "2025-10-09", "8 October is the break's last day"),
    ("2025-09-25", 14, "day", "break", "2025-10-09", "9 October is worked: nothing to roll"),
    ("2025-09-21", 7, "day", "rest-day", "2025-09-28", "Sunday, worked"),
    ("2025-10-09", 3, "working day", "none", "2025-10-13", "10 11(Sat) | 13"),
    ("2025-12-31", 1, "working day", "none", "2026-01-04", "Sunday 4 January is worked"),
    ("2025-12-30", 3, "working day", "none", "2026-01-05", "31 | 4(Sun) 5"),
    ("2025-12-26", 7, "working day", "none", "2026-01-07", "29 30 31 | 4(Sun) 5 6 7"),
    ("2025-11-03", 60, "day", "break", "2026-01-04", "27 + 31 + 2 = 2 January; first day after is a Sunday"),
    ("2025-12-20", 15, "day", "rest-day", "2026-01-04", "Sunday, worked"),
    ("2026-02-13", 1, "working day", "none", "2026-02-14", "Saturday, worked"),
    ("2026-02-10", 7, "working day", "none", "2026-02-26", "11 12 13 14(Sat) | 24 25 26"),
    ("2026-02-24", 5, "working day", "none", "2026-03-02", "25 26 27 28(Sat) | 2 March"),
    ("2025-12-19", 60, "day", "break", "2026-02-24", "12 + 31 + 17 = 17 February, New Year's Day"),
    ("2026-02-08", 7, "day", "break", "2026-02-24", "15 February is the Sunday that opens the break"),
    ("2026-02-14", 14, "day", "rest-day", "2026-02-28", "Saturday, worked"),
    ("2026-04-02", 2, "working day", "none", "2026-04-07", "3 | 7 April"),
    ("2026-02-03", 60, "day", "break", "2026-04-07", "25 + 31 + 4 = 4 April, Saturday inside Qingming"),
    ("2026-04-28", 5, "working day", "none", "2026-05-08", "29 30 | 6 7 8 May"),
    ("2026-04-28", 7, "working day", "none", "2026-05-11", "… 9(Sat) | 11 May"),
    ("2026-03-05", 60, "day", "break", "2026-05-06", "26 + 30 + 4 = 4 May"),
    ("2026-04-25", 14, "day", "rest-day", "2026-05-09", "Saturday, worked"),
    ("2026-06-18", 1, "working day", "none", "2026-06-22", "Friday to Sunday off"),
    ("2026-04-21", 60, "day", "break", "2026-06-22", "9 + 31 + 20 = 20 June"),
    ("2026-06-12", 7, "working day", "none", "2026-06-24", "15 16 17 18 | 22 23 24"),
    ("2026-09-18", 1, "working day", "none", "2026-09-20", "Sunday, worked"),
    ("2026-09-24", 3, "working day", "none", "2026-09-30", "28 29 30"),
    ("2026-09-29", 3, "working day", "none", "2026-10-09", "30 | 8 9 October"),
    ("2026-09-29", 5, "working day", "none", "2026-10-12", "30 | 8 9 10(Sat) | 12"),
    ("2026-07-28", 60, "day", "break", "2026-09-28", "3 + 31 + 26 = 26 September, Saturday of Mid-Autumn"),
    ("2026-09-27", 7, "day", "rest-day", "2026-10-08", "4 October, in the break"),
    ("2026-09-30", 10, "day", "rest-day", "2026-10-10", "Saturday, worked"),
    ("2026-10-11", 6, "day", "break", "2026-10-17", "an ordinary Saturday is no break"),
    ("2026-10-11", 6, "day", "rest-day", "2026-10-19", "an ordinary Saturday is a rest day"),
    ("2026-01-31", 1, "month", "none", "2026-02-28", "February has no 31st"),
    ("2024-10-05", 2, "year", "rest-day", "2026-10-08", "5 October 2026 is in the break"),
    ("2024-02-29", 3, "year", "none", "2027-02-28", "2027 has no 29 February"),
]


@pytest.mark.parametrize(("start", "amount", "unit", "roll", "day", "why"), BY_HAND)
def test_dates_around_the_breaks_agree_with_those_worked_out_by_hand(
    start: str, amount: int, unit: str, roll: str, day: str, why: str
) -> None:
    assert due_on(start, amount, unit, roll) == day, why


def test_a_limit_ends_when_its_last_day_is_over() -> None:
    due = compute(LIMITS.get("C01", on=TODAY), date(2026, 9, 18), calendar=CALENDAR)
    assert due.due_on == date(2026, 9, 29)
    assert due.due_at.isoformat() == "2026-09-30T00:00:00+08:00"
    assert due.json() == {
        "limit": "C01",
        "start": "2026-09-18",
        "due_on": "2026-09-29",
        "due_at": "2026-09-30T00:00:00+08:00",
        "article": "办法15; 消法46; 条例46(2)",
        "counted": 7,
        "skipped": [
            {"date": "2026-09-19", "why": "周六"},
            {"date": "2026-09-25", "why": "中秋节放假"},
            {"date": "2026-09-26", "why": "中秋节放假"},
            {"date": "2026-09-27", "why": "中秋节放假"},
        ],
        "pauses": [],
        "rolled": None,
        "provisional": False,
    }
    assert due.made_up == (date(2026, 9, 20),)


def test_the_legal_day_of_a_moment_is_chinas() -> None:
    late = datetime(2026, 9, 18, 17, 0, tzinfo=UTC)  # 01:00 of the 19th in China
    assert day_of(late) == date(2026, 9, 19)
    assert compute(limit(1, Unit.DAY), late, calendar=CALENDAR).due_on == date(2026, 9, 20)


@pytest.mark.parametrize(
    ("pauses", "day"),
    [
        ([], "2026-10-02"),
        ([("2026-08-10", "2026-08-22")], "2026-10-14"),  # 12 days: TO is not counted
        ([("2026-08-03", "2026-08-15")], "2026-10-14"),  # from the day of the start on
        ([("2026-07-20", "2026-08-05")], "2026-10-04"),  # only its two days from the start on
        ([("2026-08-10", "2026-08-15"), ("2026-08-13", "2026-08-22")], "2026-10-14"),  # overlapping: once
        ([("2026-08-10", "2026-08-15"), ("2026-08-15", "2026-08-22")], "2026-10-14"),  # touching
        ([("2026-08-10", "2026-08-10")], "2026-10-02"),  # no day at all
        ([("2026-10-02", "2026-10-05")], "2026-10-05"),  # begins on the last day
        ([("2026-10-03", "2026-10-05")], "2026-10-02"),  # begins after it
        ([("2026-08-10", "2026-08-12"), ("2026-10-04", "2026-10-06")], "2026-10-06"),  # 2 days, then 2 more
    ],
)
def test_each_paused_day_moves_the_end_by_one_day(pauses: list[tuple[str, str]], day: str) -> None:
    spans = [Pause(date.fromisoformat(a), date.fromisoformat(b)) for a, b in pauses]
    assert due_on("2026-08-03", 60, "day", "none", *spans) == day


def test_a_pause_moves_a_limit_in_working_days_only_by_its_workdays() -> None:
    # Thursday 24 September to Tuesday 29: Thursday and Monday are workdays, 25–27 is Mid-Autumn.
    pause = Pause(date(2026, 9, 24), date(2026, 9, 29))
    assert due_on("2026-09-18", 7, "working day") == "2026-09-29"
    assert due_on("2026-09-18", 7, "working day", "none", pause) == "2026-10-08"  # 20–23, 29, 30, 8


def test_a_pause_is_counted_before_the_end_is_rolled() -> None:
    due = compute(
        LIMITS.get("C03", on=TODAY),
        date(2026, 7, 31),
        calendar=CALENDAR,
        pauses=[Pause(date(2026, 8, 10), date(2026, 8, 12), "鉴定")],
    )
    assert due.due_on == date(2026, 10, 8)  # 29 September + 2 = 1 October, in the break
    assert due.rolled is not None and due.rolled.from_on == date(2026, 10, 1)


def test_an_open_pause_lasts_through_today_and_its_timer_never_fires() -> None:
    c03 = LIMITS.get("C03", on=TODAY)
    pauses = [Pause(date(2026, 8, 10), None, "鉴定")]
    due = compute(c03, date(2026, 8, 3), calendar=CALENDAR, pauses=pauses, today=date(2026, 8, 21))
    assert due.paused and due.fires_at == NEVER
    assert due.due_on == date(2026, 10, 14)  # as if it went on on the 22nd: 12 days
    assert due.json()["pauses"] == [{"from": "2026-08-10", "to": None, "why": "鉴定"}]
    assert warning_at(c03, date(2026, 8, 3), 1, calendar=CALENDAR, pauses=pauses, today=date(2026, 8, 21)) == NEVER
    with pytest.raises(TimeLimitError, match="is paused"):
        compute(c03, date(2026, 8, 3), calendar=CALENDAR, pauses=pauses)


def test_overlapping_pauses_are_one_and_keep_both_reasons() -> None:
    spans = merged(
        [
            Pause(date(2026, 8, 13), date(2026, 8, 22), "检测"),
            Pause(date(2026, 8, 10), date(2026, 8, 15), "鉴定"),
            Pause(date(2026, 9, 1), date(2026, 9, 2), "鉴定"),
        ]
    )
    assert spans == (
        Pause(date(2026, 8, 10), date(2026, 8, 22), "鉴定；检测"),
        Pause(date(2026, 9, 1), date(2026, 9, 2), "鉴定"),
    )


def test_a_pause_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(TimeLimitError, match="ends on or after"):
        Pause(date(2026, 8, 10), date(2026, 8, 9))


@pytest.mark.parametrize(("rung", "moment"), [(1, "2026-09-24T09:00:00+08:00"), (2, "2026-09-28T09:00:00+08:00")])
def test_a_warning_is_due_at_nine_on_its_own_counted_day(rung: int, moment: str) -> None:
    c01 = LIMITS.get("C01", on=TODAY)
    found = warning_at(c01, date(2026, 9, 18), rung, calendar=CALENDAR, today=TODAY)
    assert found.isoformat() == moment


def test_a_warning_is_not_rolled_and_a_pause_moves_it() -> None:
    c03 = LIMITS.get("C03", on=TODAY)
    start = date(2026, 9, 5)  # + 30 = 5 October, in the break
    assert warning_at(c03, start, 1, calendar=CALENDAR, today=TODAY).isoformat() == "2026-10-05T09:00:00+08:00"
    paused = [Pause(date(2026, 9, 10), date(2026, 9, 12))]
    moved = warning_at(c03, start, 1, calendar=CALENDAR, pauses=paused, today=TODAY)
    assert moved.isoformat() == "2026-10-07T09:00:00+08:00"


def test_a_rung_that_the_ladder_does_not_have_is_refused() -> None:
    with pytest.raises(TimeLimitError, match="no rung 3"):
        warning_at(LIMITS.get("C01", on=TODAY), date(2026, 9, 18), 3, calendar=CALENDAR, today=TODAY)


def test_minutes_and_hours_end_at_their_instant() -> None:
    start = datetime(2026, 9, 18, 17, 20, tzinfo=CHINA)
    wall_clock = compute(limit(30, Unit.MINUTE), start, calendar=CALENDAR)
    assert wall_clock.due_at == datetime(2026, 9, 18, 17, 50, tzinfo=CHINA)
    office = compute(LIMITS.get("S01", on=TODAY), start, calendar=CALENDAR)
    assert office.due_at == datetime(2026, 9, 20, 8, 50, tzinfo=CHINA)
    hours = compute(limit(48, Unit.HOUR), start, calendar=CALENDAR)
    assert hours.due_at == datetime(2026, 9, 20, 17, 20, tzinfo=CHINA)
    paused = compute(
        limit(24, Unit.HOUR), start, calendar=CALENDAR, pauses=[Pause(date(2026, 9, 19), date(2026, 9, 21))]
    )
    assert paused.due_at == datetime(2026, 9, 21, 17, 20, tzinfo=CHINA)
    warned = warning_at(LIMITS.get("S01", on=TODAY), start, 1, calendar=CALENDAR, today=TODAY)
    assert warned == datetime(2026, 9, 20, 8, 40, tzinfo=CHINA)


def test_minutes_need_a_moment() -> None:
    with pytest.raises(TimeLimitError, match="needs the moment"):
        compute(limit(30, Unit.MINUTE), date(2026, 9, 18), calendar=CALENDAR)


def test_a_date_that_an_officer_set_ends_with_its_day_and_depends_on_no_calendar() -> None:
    c02 = LIMITS.get("C02", on=TODAY)
    due = compute(c02, date(2027, 1, 2), calendar=CALENDAR)
    assert (due.due_on, due.counted, due.provisional) == (date(2027, 1, 2), None, False)
    assert due.due_at.isoformat() == "2027-01-03T00:00:00+08:00"


@pytest.mark.parametrize(
    ("id", "start", "provisional"),
    [
        ("C03", "2026-11-20", True),  # ends on 19 January 2027
        ("C03", "2026-11-01", False),  # ends on 31 December 2026
        ("C01", "2026-12-28", True),
        ("C01", "2026-12-22", False),
        ("C23", "2026-12-02", True),
        ("C12a", "2026-12-28", True),
    ],
)
def test_a_date_in_an_unannounced_year_is_provisional(id: str, start: str, provisional: bool) -> None:
    due = compute(LIMITS.get(id, on=TODAY), date.fromisoformat(start), calendar=CALENDAR)
    assert due.provisional is provisional


def test_a_start_is_read_from_days_moments_and_text() -> None:
    assert moment_of("2026-09-18") == date(2026, 9, 18)
    assert moment_of("2026-09-18T10:00:00+08:00") == datetime(2026, 9, 18, 10, tzinfo=CHINA)
    assert moment_of(datetime(2026, 9, 18, 10)) == datetime(2026, 9, 18, 10, tzinfo=CHINA)
    for wrong in (None, 5, "tomorrow", ""):
        with pytest.raises(TimeLimitError, match="found"):
            moment_of(wrong)


DAYS = st.dates(date(2024, 1, 1), date(2026, 6, 30))


@settings(max_examples=150, deadline=None)
@given(start=DAYS, amount=st.integers(1, 40), gaps=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9))))
def test_working_days_agree_with_counting_them_one_by_one(
    start: date, amount: int, gaps: list[tuple[int, int]]
) -> None:
    pauses = [Pause(start + timedelta(a + 1), start + timedelta(a + 1 + n)) for a, n in gaps[:4]]
    due = compute(limit(amount, Unit.WORKING_DAY), start, calendar=CALENDAR, pauses=pauses)
    still = {
        p.from_on + timedelta(i)
        for p in pauses
        for i in range((p.to_on or start).toordinal() - p.from_on.toordinal())
    }
    days = (start + timedelta(i) for i in range(1, 400))
    counted = [day for day in days if CALENDAR.is_workday(day) and day not in still]
    assert due.due_on == counted[amount - 1]


@settings(max_examples=150, deadline=None)
@given(start=DAYS, amount=st.integers(1, 90), roll=st.sampled_from(list(Roll)), later=st.integers(1, 30))
def test_a_later_start_never_ends_earlier(start: date, amount: int, roll: Roll, later: int) -> None:
    edition = limit(amount, Unit.DAY, roll)
    first = compute(edition, start, calendar=CALENDAR)
    second = compute(edition, start + timedelta(later), calendar=CALENDAR)
    assert first.due_on <= second.due_on
    assert roll is not Roll.REST_DAY or CALENDAR.is_workday(first.due_on)
    assert roll is not Roll.BREAK or not CALENDAR.day(first.due_on).break_name


def test_months_end_with_the_month_where_the_day_is_missing() -> None:
    assert months_after(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert months_after(date(2023, 12, 31), 2) == date(2024, 2, 29)
    assert months_after(date(2026, 1, 30), 1) == date(2026, 2, 28)
    assert months_after(date(2026, 12, 15), 12) == date(2027, 12, 15)


def test_the_kinds_that_need_no_length_say_so() -> None:
    with pytest.raises(TimeLimitError, match="no length of its own"):
        compute(
            replace(limit(None, None), kind=Kind.RESTART, bound=Bound.AUTHORITY, restarts="C06"),
            date(2026, 9, 18),
            calendar=CALENDAR,
        )
