"""Dates as people write them: 9月29日 周二, 今天 20:10, the year only when it is not this one."""

from datetime import date, datetime, timedelta

from markupsafe import Markup, escape

from api.languages import language
from api.pages.words import _
from core.now import CHINA

_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_of(value: date | datetime) -> date:
    """The day in China."""
    return value.astimezone(CHINA).date() if isinstance(value, datetime) else value


def day_words(value: date | datetime, now: datetime, *, weekday: bool = True) -> str:
    """``9月29日 周二``; in another year ``2027年1月6日``."""
    on, today = day_of(value), day_of(now)
    other_year = on.year != today.year
    if language() == "en":
        words = f"{on.day} {_MONTHS_EN[on.month - 1]}" + (f" {on.year}" if other_year else "")
        return f"{_WEEKDAYS_EN[on.weekday()]} {words}" if weekday and not other_year else words
    words = f"{on.month}月{on.day}日"
    if other_year:
        return f"{on.year}年{words}"
    return f"{words} {_WEEKDAYS[on.weekday()]}" if weekday else words


def moment_words(value: datetime, now: datetime) -> str:
    """``9月24日 周四 18:00``; today ``今天 20:10``."""
    local = value.astimezone(CHINA)
    day = _("今天") if local.date() == day_of(now) else day_words(value, now)
    return f"{day} {local:%H:%M}"


def day(value: date | datetime, now: datetime, *, weekday: bool = True) -> Markup:
    """A day as a <time> element."""
    return _time(day_of(value).isoformat(), day_words(value, now, weekday=weekday))


def moment(value: datetime, now: datetime) -> Markup:
    """A moment as a <time> element."""
    return _time(value.astimezone(CHINA).isoformat(timespec="minutes"), moment_words(value, now))


def due(value: datetime, now: datetime, *, whole_days: bool) -> Markup:
    """When a limit ends: the last day of one that counts days, the minute of one that counts hours."""
    if whole_days:
        return day(last_day(value), now)
    return moment(value, now)


def last_day(due_at: datetime) -> date:
    """The last lawful day of an exclusive end at midnight."""
    return day_of(due_at - timedelta(microseconds=1))


def _time(stamp: str, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(stamp, escape(words))
