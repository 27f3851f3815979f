"""Clocks and rows from what the domain keeps: deadlines, and tasks with their limits."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from api.languages import language
from api.pages.clocks import Clock, Timing, clock
from api.pages.words import _
from core.now import CHINA
from disputes.inbox.models import InboxItem
from disputes.timelimits.calendar import Calendar

#: What began a limit, said after its date: 9月18日收到. By the name of the variable that holds the start.
_BEGAN: dict[str, str] = {
    "C01": "收到",
    "C02": "通知",
    "C03": "受理",
    "C04": "决定终止",
    "S01": "分送",
}


def timing_of(record: Mapping[str, Any], *, due_at: datetime, met_at: datetime | None = None) -> Timing:
    """The timing that ``disputes.timelimits.explanation.record`` describes."""
    name: Mapping[str, str] = record.get("name") or {}
    rolled: Mapping[str, str] | None = record.get("rolled")
    return Timing(
        limit=str(record.get("limit") or ""),
        name=str(name.get(language()) or name.get("zh") or _("期限")),
        article=str(record.get("article") or ""),
        unit=str(record.get("unit") or ""),
        amount=record.get("amount"),
        start=_day_or_moment(record.get("start")) or due_at,
        due_at=due_at,
        began_with=_BEGAN.get(str(record.get("limit")), "") if language() == "zh" else "",
        made_up=tuple(date.fromisoformat(day) for day in record.get("made_up") or ()),
        pauses=tuple(
            (
                date.fromisoformat(pause["from"]),
                date.fromisoformat(pause["to"]) if pause.get("to") else None,
                str(pause.get("why") or ""),
            )
            for pause in record.get("pauses") or ()
        ),
        extensions=tuple(
            (
                date.fromisoformat(one["approved_on"]),
                str(one["approved_by"]),
                int(one["amount"]),
                date.fromisoformat(one["base_on"]) if one.get("base_on") else None,
                str(one["article"]),
            )
            for one in record.get("extensions") or ()
        ),
        rolled=(date.fromisoformat(rolled["from"]), str(rolled["why"])) if rolled else None,
        provisional=bool(record.get("provisional")),
        met_at=met_at,
        sentences=tuple((record.get("sentences") or {}).get(language()) or ()),
    )


def timing_of_item(item: InboxItem) -> Timing | None:
    """The limit of a task; None when it has none."""
    if item.due_at is None:
        return None
    if item.due_note and item.due_note.get("limit"):
        return timing_of(item.due_note, due_at=item.due_at)
    whole_days = item.due_at.astimezone(CHINA).time().isoformat() == "00:00:00"
    return Timing(
        limit=f"task-{item.task_id.hex[:8]}",
        name=item.title,
        article="",
        unit="day" if whole_days else "hour",
        amount=None,
        start=item.opened_at,
        due_at=item.due_at,
    )


def clock_of(timing: Timing, *, now: datetime, calendar: Calendar) -> Clock:
    """The clock that the template draws."""
    return clock(
        timing,
        now=now,
        is_workday=calendar.is_workday,
        day_name=lambda on: calendar.day(on).break_name.split("、")[0].removesuffix("节") or "",
    )


def clock_of_item(item: InboxItem, *, now: datetime, calendar: Calendar) -> Clock | None:
    """The clock of a task; None when it has no limit."""
    timing = timing_of_item(item)
    return None if timing is None else clock_of(timing, now=now, calendar=calendar)


def _day_or_moment(value: object) -> date | datetime | None:
    if not isinstance(value, str) or not value:
        return None
    if len(value) == len("2026-09-18"):
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
