"""What people read about a deadline, in both languages."""

from datetime import date, datetime
from pathlib import Path

import pytest

from core.now import CHINA
from disputes.timelimits.calendar import Calendar
from disputes.timelimits.explanation import Clock, left, length, record, sentences
from disputes.timelimits.limits import Unit, load_limits
from disputes.timelimits.rules import Due, Pause, compute

CALENDAR = Calendar()
LIMITS = load_limits(Path("workflows/time_limits.yaml").read_bytes())
TODAY = date(2026, 11, 22)


def due(id: str, start: str, *pauses: Pause, today: date | None = None) -> Due:
    begin = datetime.fromisoformat(start) if "T" in start else date.fromisoformat(start)
    return compute(LIMITS.get(id, on=TODAY), begin, calendar=CALENDAR, pauses=pauses, today=today)


def test_working_days_say_what_was_not_counted_and_what_was() -> None:
    assert sentences(due("C01", "2026-09-18")) == [
        "受理决定（C01）自2026年9月18日周五起算，开始的当日不计入，期限7个工作日。",
        "不计入：9月19日周六；9月25日至27日中秋节放假。",
        "9月20日周日调休上班，计入。",
        "最后一日是9月29日周二，过完当日才届满。",
        "依据：办法15; 消法46; 条例46(2)。",
    ]
    assert sentences(due("C01", "2026-09-18"), "en") == [
        "Decision on acceptance (C01) runs for 7 working days from Friday 18 September 2026; that day is not counted.",
        "Not counted: 19 September (Saturday); 25–27 September (Mid-Autumn Festival break).",
        "Counted as make-up workdays: Sunday 20 September.",
        "The last day is Tuesday 29 September; it ends when that day is over.",
        "Source: 办法15; 消法46; 条例46(2).",
    ]


def test_a_roll_over_says_where_it_came_from() -> None:
    assert "10月2日周五本是最后一日，逢国庆节放假，顺延到放假后的第一日。" in sentences(due("C03", "2026-08-03"))
    assert (
        "Its last day would be Friday 2 October, in the National Day break, so it moves to the first day after it."
        in sentences(due("C03", "2026-08-03"), "en")
    )
    assert "10月18日周日本是最后一日，逢周日，顺延到下一个工作日。" in sentences(due("C23", "2026-09-18"))


def test_pauses_name_their_days_and_their_reason() -> None:
    closed, open_ = Pause(date(2026, 8, 10), date(2026, 8, 22), "鉴定"), Pause(date(2026, 9, 1), None, "检测")
    text = sentences(due("C03", "2026-08-03", closed, open_, today=date(2026, 9, 5)))
    assert text[1:4] == [
        "8月10日周一至8月21日周五暂停计时（鉴定），共12日，期限相应顺延。",
        "9月1日周二起暂停计时（检测），恢复以后再接着算。",
        "如果现在恢复，最后一日是10月19日周一。",
    ]
    single = sentences(due("C03", "2026-08-03", Pause(date(2026, 8, 10), date(2026, 8, 11))), "en")
    assert "The clock stood still on Monday 10 August: 1 day." in single


def test_a_provisional_date_says_so_and_names_the_year() -> None:
    text = sentences(due("C03", "2026-11-20"))
    assert "最后一日是2027年1月19日周二，过完当日才届满。" in text
    assert "其间有的年份还没有公布放假安排，这个日期是暂定的。" in text


def test_minutes_say_their_hours_and_officers_their_date() -> None:
    assert sentences(due("S01", "2026-09-18T17:20:00+08:00"))[:3] == [
        "首问响应（S01）自2026年9月18日周五 17:20起算，期限30分钟。",
        "只计工作日的办公时间08:30至12:00、13:30至17:30。",
        "到9月20日周日08:50届满。",
    ]
    assert sentences(due("C02", "2026-09-22"))[0] == (
        "限期提供身份证明材料（C02）：承办人定在2026年9月22日周二，过完当日才届满。"
    )
    assert length(LIMITS.get("C02", on=TODAY)) == ""
    assert length(LIMITS.get("S11", on=TODAY), "en") == "1 working day"


def test_the_record_holds_the_commands_object_and_both_languages() -> None:
    kept = record(due("C01", "2026-09-18"))
    assert kept.items() >= due("C01", "2026-09-18").json().items()
    assert kept["name"] == {"zh": "受理决定", "en": "Decision on acceptance"}
    assert kept["made_up"] == ["2026-09-20"]
    assert set(kept["sentences"]) == {"zh", "en"}


@pytest.mark.parametrize(
    ("now", "clock", "amount"),
    [
        ("2026-09-18T11:00", Clock.PLENTY, 7),
        ("2026-09-22T09:00", Clock.PLENTY, 4),  # 23, 24, 28, 29
        ("2026-09-23T09:00", Clock.SOON, 3),
        ("2026-09-27T23:00", Clock.SOON, 2),
        ("2026-09-28T08:00", Clock.SOON, 1),
        ("2026-09-29T23:59", Clock.TODAY, 0),
        ("2026-09-30T00:00", Clock.OVERDUE, -1),
        ("2026-10-07T12:00", Clock.OVERDUE, -1),  # only 30 September was a workday
        ("2026-10-08T12:00", Clock.OVERDUE, -2),
    ],
)
def test_what_is_left_counts_in_the_limits_own_unit(now: str, clock: Clock, amount: int) -> None:
    one = due("C01", "2026-09-18")
    found = left(
        unit=Unit.WORKING_DAY,
        due_on=one.due_on,
        due_at=one.due_at,
        provisional=False,
        now=datetime.fromisoformat(now).replace(tzinfo=CHINA),
        calendar=CALENDAR,
    )
    assert (found.clock, found.amount, found.unit) == (clock, amount, Unit.WORKING_DAY)


@pytest.mark.parametrize(
    ("now", "clock", "amount"),
    [
        ("2026-09-14T17:00", Clock.PLENTY, 144),
        ("2026-09-18T17:21", Clock.SOON, 47),
        ("2026-09-20T10:00", Clock.TODAY, 7),
        ("2026-09-20T17:20", Clock.OVERDUE, -1),
        ("2026-09-20T20:30", Clock.OVERDUE, -3),
    ],
)
def test_hours_count_to_their_instant(now: str, clock: Clock, amount: int) -> None:
    one = due("S07", "2026-09-18T17:20:00+08:00")
    found = left(
        unit=Unit.HOUR,
        due_on=one.due_on,
        due_at=one.due_at,
        provisional=False,
        now=datetime.fromisoformat(now).replace(tzinfo=CHINA),
        calendar=CALENDAR,
    )
    assert (found.clock, found.amount) == (clock, amount)


def test_a_date_on_an_unannounced_calendar_looks_provisional_until_its_day() -> None:
    one = due("C03", "2026-11-20")
    for now, clock in (
        ("2027-01-15", Clock.PROVISIONAL),
        ("2027-01-19", Clock.TODAY),
        ("2027-01-20", Clock.OVERDUE),
    ):
        found = left(
            unit=Unit.DAY,
            due_on=one.due_on,
            due_at=one.due_at,
            provisional=True,
            now=datetime.fromisoformat(f"{now}T10:00+08:00"),
            calendar=CALENDAR,
        )
        assert found.clock is clock
