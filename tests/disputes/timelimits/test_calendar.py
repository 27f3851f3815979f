"""The calendar against an independent one, and against what the State Council announced."""

from datetime import date, datetime, time, timedelta

import chinese_calendar
import pytest

from core.now import CHINA
from disputes.timelimits.calendar import Calendar, Day, Status, each_day, known_year

#: 30 and 31 December 2006 and 31 December 2011 are make-up workdays in both; this one only in ``holidays``:
#: the notice for 2006 made it up for 3 January 2006, and ``chinesecalendar`` lacks it.
ORACLE_LACKS = {date(2005, 12, 31)}

BREAKS = [
    # 国办发明电〔2024〕12号
    ("2025-01-01", "2025-01-01", "元旦"),
    ("2025-01-28", "2025-02-04", "春节"),
    ("2025-04-04", "2025-04-06", "清明节"),
    ("2025-05-01", "2025-05-05", "劳动节"),
    ("2025-05-31", "2025-06-02", "端午节"),
    ("2025-10-01", "2025-10-08", "国庆节、中秋节"),
    # 国办发明电〔2025〕7号
    ("2026-01-01", "2026-01-03", "元旦"),
    ("2026-02-15", "2026-02-23", "春节"),
    ("2026-04-04", "2026-04-06", "清明节"),
    ("2026-05-01", "2026-05-05", "劳动节"),
    ("2026-06-19", "2026-06-21", "端午节"),
    ("2026-09-25", "2026-09-27", "中秋节"),
    ("2026-10-01", "2026-10-07", "国庆节"),
]
MADE_UP = [
    *("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
    *("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
]


def test_every_day_of_23_years_agrees_with_an_independent_calendar() -> None:
    calendar = Calendar()
    days = list(each_day(date(2004, 1, 1), date(2027, 1, 1)))
    differing = {day for day in days if calendar.is_workday(day) != chinese_calendar.is_workday(day)}
    assert differing == ORACLE_LACKS
    assert calendar.is_workday(date(2005, 12, 31))


def test_the_breaks_of_2025_and_2026_are_those_of_the_notices() -> None:
    calendar = Calendar()
    announced = {
        day: name
        for first, last, name in BREAKS
        for day in each_day(date.fromisoformat(first), date.fromisoformat(last) + timedelta(1))
    }
    for day in each_day(date(2025, 1, 1), date(2027, 1, 1)):
        assert calendar.day(day).break_name == announced.get(day, ""), day
        assert calendar.day(day).is_make_up == (day.isoformat() in MADE_UP), day
        assert calendar.is_announced(day)


def test_every_day_off_in_lieu_lies_in_a_break() -> None:
    for year in range(2004, 2027):
        for day in known_year(year).values():
            if not day.is_workday and day.date.weekday() < 5:
                assert day.break_name, day


def test_an_unannounced_year_follows_the_weekdays_and_the_statutory_holidays_and_says_so() -> None:
    calendar = Calendar()
    days = [calendar.day(day) for day in each_day(date(2027, 1, 1), date(2028, 1, 1))]
    assert {day.status for day in days} == {Status.PROVISIONAL}
    assert calendar.day(date(2027, 10, 1)).break_name == "国庆节"
    assert calendar.is_workday(date(2027, 10, 11))
    assert not calendar.is_workday(date(2027, 10, 9))  # a Saturday; whether it is made up is not announced


def test_a_given_day_stands_instead_and_breaks_are_named_again() -> None:
    # As if the notice for 2027 gave 1 to 3 January off and had Sunday 10 January worked.
    given = [
        Day(date(2026, 12, 31), True),
        *(
            Day(date(2027, 1, day), False, "元旦" if day == 1 else "", "元旦" if day == 1 else "", "notice")
            for day in (1, 2, 3)
        ),
        Day(date(2027, 1, 10), True, "调休上班", source="notice"),
    ]
    calendar = Calendar().changed(given)
    assert [calendar.day(date(2027, 1, d)).break_name for d in (1, 2, 3, 4)] == ["元旦"] * 3 + [""]
    assert calendar.is_announced(date(2027, 1, 2))
    assert calendar.is_workday(date(2027, 1, 10))
    assert not calendar.is_announced(date(2027, 1, 11))
    assert calendar.years == {2026, 2027}


def test_workdays_between_counts_the_last_day_and_not_the_first() -> None:
    calendar = Calendar()
    assert calendar.workdays_between(date(2026, 9, 18), date(2026, 9, 29)) == 7
    assert calendar.workdays_between(date(2026, 9, 29), date(2026, 9, 18)) == -7
    assert calendar.workdays_between(date(2026, 9, 30), date(2026, 10, 7)) == 0


OFFICE = ((time(8, 30), time(12, 0)), (time(13, 30), time(17, 30)))


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-09-18T10:00", 30, "2026-09-18T10:30"),
        ("2026-09-18T11:50", 30, "2026-09-18T13:50"),  # over lunch
        ("2026-09-18T12:30", 30, "2026-09-18T14:00"),  # within lunch
        ("2026-09-18T17:20", 30, "2026-09-20T08:50"),  # Saturday off, Sunday made up
        ("2026-09-18T17:00", 30, "2026-09-18T17:30"),  # to the last minute, not into the next day
        ("2026-09-30T17:29", 2, "2026-10-08T08:31"),  # over the whole National Day break
        ("2026-09-18T06:00", 450, "2026-09-18T17:30"),  # one whole day is 7 hours 30
    ],
)
def test_office_time_counts_only_the_hours_of_workdays(start: str, minutes: int, end: str) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=CHINA)
    found = Calendar().office_time(begin, timedelta(minutes=minutes), OFFICE)
    assert found == datetime.fromisoformat(end).replace(tzinfo=CHINA)


def test_a_day_outside_of_the_kept_years_is_refused() -> None:
    with pytest.raises(ValueError, match="no calendar is kept"):
        Calendar().day(date(1999, 1, 1))
