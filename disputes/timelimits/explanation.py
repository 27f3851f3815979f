"""What people read about a deadline: why this day, and how much is left, in the clock's own unit. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from core.now import CHINA
from disputes.timelimits.calendar import ONE_DAY, WEEKDAYS_EN, WEEKDAYS_ZH, Calendar
from disputes.timelimits.limits import Kind, Limit, Unit
from disputes.timelimits.rules import Due, Extension, Skipped, day_of

_UNITS_ZH = {
    Unit.WORKING_DAY: "个工作日",
    Unit.DAY: "日",
    Unit.MINUTE: "分钟",
    Unit.HOUR: "小时",
    Unit.MONTH: "个月",
    Unit.YEAR: "年",
}
_MONTHS_EN = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]

#: Up to so many units before its end a deadline is *soon* (a parameter of the look, not of the law).
SOON = 3


class Clock(StrEnum):
    """How a deadline looks at a moment."""

    PLENTY = "plenty"  #: more than three units are left
    SOON = "soon"  #: one to three are left
    TODAY = "today"  #: it ends today
    OVERDUE = "overdue"  #: it has passed and nobody has acted
    PAUSED = "paused"  #: it stands still
    PROVISIONAL = "prov"  #: it runs, and rests on holidays that are not announced
    DONE = "done"  #: it is settled


@dataclass(frozen=True)
class Left:
    """What is left of a deadline, in its own unit; below zero: by how much it was exceeded."""

    clock: Clock
    amount: int
    unit: Unit


def sentences(due: Due, lang: str = "zh") -> list[str]:
    """Why the deadline ends on that day, sentence by sentence, in Chinese (``zh``) or English (``en``)."""
    return _chinese(due) if lang == "zh" else _english(due)


def length(limit: Limit, lang: str = "zh") -> str:
    """``7个工作日``, ``7 working days``; empty where an officer sets the date."""
    if limit.amount is None or limit.unit is None:
        return ""
    if lang == "zh":
        return f"{limit.amount}{_UNITS_ZH[limit.unit]}"
    return f"{limit.amount} {limit.unit}{'' if limit.amount == 1 else 's'}"


def record(due: Due) -> dict[str, Any]:
    """Everything that is kept with a running deadline: the command's JSON, names, unit and sentences."""
    limit = due.limit
    return {
        **due.json(),
        "name": {"zh": limit.name_zh, "en": limit.name_en},
        "unit": None if limit.unit is None else limit.unit.value,
        "amount": limit.amount,
        "legal": limit.legal,
        "bound": limit.bound.value,
        "region": limit.region,
        "made_up": [day.isoformat() for day in due.made_up],
        "paused": due.paused,
        "extensions": [
            {
                "amount": extension.amount,
                "approved_by": extension.approved_by,
                "approved_on": extension.approved_on.isoformat(),
                "article": extension.article,
                "why": extension.why,
                "base_on": None if extension.base_on is None else extension.base_on.isoformat(),
            }
            for extension in due.extensions
        ],
        "sentences": {"zh": sentences(due, "zh"), "en": sentences(due, "en")},
    }


def left(
    *, unit: Unit | None, due_on: date, due_at: datetime, provisional: bool, now: datetime, calendar: Calendar
) -> Left:
    """How a running deadline looks at ``now``; paused and settled ones are for the caller to tell."""
    today = day_of(now)
    if unit in (Unit.MINUTE, Unit.HOUR):
        return _left_of_an_instant(unit, due_at, now)
    counted = Unit.WORKING_DAY if unit is Unit.WORKING_DAY else Unit.DAY
    if now >= due_at:
        over = calendar.workdays_between(due_on, today) if counted is Unit.WORKING_DAY else (today - due_on).days
        return Left(Clock.OVERDUE, -max(over, 1), counted)
    days = calendar.workdays_between(today, due_on) if counted is Unit.WORKING_DAY else (due_on - today).days
    if today == due_on:
        clock = Clock.TODAY
    elif provisional:
        clock = Clock.PROVISIONAL
    else:
        clock = Clock.SOON if days <= SOON else Clock.PLENTY
    return Left(clock, days, counted)


def _left_of_an_instant(unit: Unit, due_at: datetime, now: datetime) -> Left:
    seconds = (due_at - now).total_seconds()
    size = 60 if unit is Unit.MINUTE else 3600
    if seconds <= 0:
        return Left(Clock.OVERDUE, -max(int(-seconds // size), 1), unit)
    clock = Clock.TODAY if day_of(due_at) == day_of(now) else Clock.SOON
    if (day_of(due_at) - day_of(now)).days > SOON:
        clock = Clock.PLENTY
    return Left(clock, int(seconds // size), unit)


def _chinese(due: Due) -> list[str]:
    limit = due.limit
    year = day_of(due.start).year
    begun = _start_zh(due)
    if limit.kind is Kind.SET_BY_OFFICER:
        text = [f"{limit.name_zh}（{limit.id}）：承办人定在{begun}，过完当日才届满。"]
    else:
        counting = "" if not _whole(limit) else "，开始的当日不计入"
        text = [f"{limit.name_zh}（{limit.id}）自{begun}起算{counting}，期限{length(limit)}。"]
    if limit.office_hours:
        spans = "、".join(f"{a:%H:%M}至{b:%H:%M}" for a, b in limit.office_hours)
        text.append(f"只计工作日的办公时间{spans}。")
    if due.skipped:
        runs = "；".join(f"{_run_zh(run, year)}{run[0].why_zh}" for run in _runs(due.skipped))
        text.append(f"不计入：{runs}。")
    if due.made_up:
        days = "、".join(_day_zh(day, year) for day in due.made_up)
        text.append(f"{days}调休上班，计入。")
    for pause in due.pauses:
        why = f"（{pause.why}）" if pause.why else ""
        if pause.to_on is None:
            text.append(f"{_day_zh(pause.from_on, year)}起暂停计时{why}，恢复以后再接着算。")
        else:
            last = pause.to_on - ONE_DAY
            span = _day_zh(pause.from_on, year)
            if last != pause.from_on:
                span += f"至{_day_zh(last, year)}"
            text.append(f"{span}暂停计时{why}，共{(pause.to_on - pause.from_on).days}日，期限相应顺延。")
    for extension in due.extensions:
        text.append(_extension_zh(extension, limit, year))
    if due.rolled:
        after = "放假后的第一日" if due.rolled.break_name else "下一个工作日"
        text.append(f"{_day_zh(due.rolled.from_on, year)}本是最后一日，{due.rolled.why_zh}，顺延到{after}。")
    if due.paused:
        text.append(f"如果现在恢复，最后一日是{_day_zh(due.due_on, year)}。")
    elif not _whole(limit):
        text.append(f"到{_day_zh(due.due_on, year)}{due.due_at:%H:%M}届满。")
    elif limit.kind is not Kind.SET_BY_OFFICER:
        text.append(f"最后一日是{_day_zh(due.due_on, year)}，过完当日才届满。")
    if due.provisional:
        text.append("其间有的年份还没有公布放假安排，这个日期是暂定的。")
    text.append(f"依据：{limit.article}。")
    return text


def _english(due: Due) -> list[str]:
    limit = due.limit
    year = day_of(due.start).year
    begun = _start_en(due)
    if limit.kind is Kind.SET_BY_OFFICER:
        text = [f"{limit.name_en} ({limit.id}): the officer set {begun}; it ends with that day."]
    else:
        counting = "; that day is not counted" if _whole(limit) else ""
        text = [f"{limit.name_en} ({limit.id}) runs for {length(limit, 'en')} from {begun}{counting}."]
    if limit.office_hours:
        spans = " and ".join(f"{a:%H:%M}–{b:%H:%M}" for a, b in limit.office_hours)
        text.append(f"Only office hours of workdays count: {spans}.")
    if due.skipped:
        runs = "; ".join(f"{_run_en(run, year)} ({run[0].why_en})" for run in _runs(due.skipped))
        text.append(f"Not counted: {runs}.")
    if due.made_up:
        days = ", ".join(_day_en(day, year) for day in due.made_up)
        text.append(f"Counted as make-up workdays: {days}.")
    for pause in due.pauses:
        said = pause.why_en or pause.why
        why = f" ({said})" if said else ""
        if pause.to_on is None:
            text.append(f"The clock has stood still since {_day_en(pause.from_on, year)}{why}.")
        else:
            last = pause.to_on - ONE_DAY
            span = f"on {_day_en(pause.from_on, year)}"
            if last != pause.from_on:
                span = f"from {_day_en(pause.from_on, year)} to {_day_en(last, year)}"
            days_ = (pause.to_on - pause.from_on).days
            text.append(f"The clock stood still {span}{why}: {days_} day{'' if days_ == 1 else 's'}.")
    for extension in due.extensions:
        text.append(_extension_en(extension, limit, year))
    if due.rolled:
        after = "the first day after it" if due.rolled.break_name else "the next workday"
        would_be = f"{_day_en(due.rolled.from_on, year)}, {due.rolled.why_en}"
        text.append(f"Its last day would be {would_be}, so it moves to {after}.")
    if due.paused:
        text.append(f"If it went on now, the last day would be {_day_en(due.due_on, year)}.")
    elif not _whole(limit):
        text.append(f"It ends on {_day_en(due.due_on, year)} at {due.due_at:%H:%M}.")
    elif limit.kind is not Kind.SET_BY_OFFICER:
        text.append(f"The last day is {_day_en(due.due_on, year)}; it ends when that day is over.")
    if due.provisional:
        text.append("The holidays of a year that it touches are not announced yet: the date is provisional.")
    text.append(f"Source: {limit.article}.")
    return text


def _extension_zh(extension: Extension, limit: Limit, year: int) -> str:
    base = f"，原来最后一日是{_day_zh(extension.base_on, year)}" if extension.base_on else ""
    unit = _UNITS_ZH[limit.unit] if limit.unit else "日"
    who = f"经{extension.approved_by}" if extension.approved_by else "经"
    longer = f"延长{extension.amount}{unit}{base}（{extension.article}）。"
    return f"{_plain_zh(extension.approved_on, year)}{who}批准{longer}"


def _extension_en(extension: Extension, limit: Limit, year: int) -> str:
    base = f"; the last day was {_day_en(extension.base_on, year)}" if extension.base_on else ""
    unit = f"{limit.unit or 'day'}{'' if extension.amount == 1 else 's'}"
    who = f" by {extension.approved_by}" if extension.approved_by else ""
    on = _plain_en(extension.approved_on, year)
    return f"Extended by {extension.amount} {unit}, approved{who} on {on}{base} ({extension.article})."


def _whole(limit: Limit) -> bool:
    return limit.unit is None or limit.unit.whole_days


def _runs(days: Iterable[Skipped]) -> list[list[Skipped]]:
    """Neighbouring days with the same reason, together; two days of one weekend too."""
    ordered = list(days)
    runs = [[day] for day in ordered[:1]]
    for before, day in pairwise(ordered):
        if day.date - before.date == ONE_DAY and day.why_zh == before.why_zh:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _run_zh(run: Sequence[Skipped], year: int) -> str:
    first, last = run[0].date, run[-1].date
    if first == last:
        # 9月19日周六：星期几已经写在理由里。
        return _plain_zh(first, year)
    same_month = (first.year, first.month) == (last.year, last.month)
    return f"{_plain_zh(first, year)}至{f'{last.day}日' if same_month else _plain_zh(last, year)}"


def _run_en(run: Sequence[Skipped], year: int) -> str:
    first, last = run[0].date, run[-1].date
    if first == last:
        return _plain_en(first, year)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{_plain_en(last, year)}"
    return f"{_plain_en(first, year)} – {_plain_en(last, year)}"


def _start_zh(due: Due) -> str:
    day = _day_zh(day_of(due.start), 0)
    if isinstance(due.start, datetime) and not _whole(due.limit):
        return f"{day} {due.start.astimezone(CHINA):%H:%M}"
    return day


def _start_en(due: Due) -> str:
    day = _day_en(day_of(due.start), 0)
    if isinstance(due.start, datetime) and not _whole(due.limit):
        return f"{day} at {due.start.astimezone(CHINA):%H:%M}"
    return day


def _plain_zh(day: date, year: int) -> str:
    return f"{'' if day.year == year else f'{day.year}年'}{day.month}月{day.day}日"


def _plain_en(day: date, year: int) -> str:
    return f"{day.day} {_MONTHS_EN[day.month - 1]}{'' if day.year == year else f' {day.year}'}"


def _day_zh(day: date, year: int) -> str:
    return f"{_plain_zh(day, year)}{WEEKDAYS_ZH[day.weekday()]}"


def _day_en(day: date, year: int) -> str:
    return f"{WEEKDAYS_EN[day.weekday()]} {_plain_en(day, year)}"
