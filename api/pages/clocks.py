"""The one component for every deadline: its state in a word, what is left, the bar and the explanation.

The state's limits (more than 3 units: plenty) are the look's, not the law's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from markupsafe import Markup, escape

from api.languages import language
from api.pages import dates
from api.pages.dates import day_of
from api.pages.words import _
from core.now import CHINA

State = Literal["plenty", "soon", "today", "overdue", "paused", "prov", "done", "none"]

ICONS: dict[str, str] = {
    "plenty": "clock",
    "soon": "clock",
    "today": "bell",
    "overdue": "alert",
    "paused": "pause",
    "prov": "cal",
    "done": "check",
    "none": "dash",
}

#: Up to so many units left, a clock says 快到期.
SOON = 3

#: A table of counted days is shown up to so many weeks; longer limits are explained in steps alone.
MOST_WEEKS = 6

IsWorkday = Callable[[date], bool]
DayName = Callable[[date], str]


@dataclass(frozen=True)
class Timing:
    """One running or ended deadline as plain data."""

    limit: str
    name: str
    article: str
    #: ``working day``, ``day``, ``hour``, ``minute``, ``month``, ``year`` or empty (a date that an officer set).
    unit: str
    amount: int | None
    start: date | datetime
    due_at: datetime
    #: What began it, in a few words: 收到, 受理.
    began_with: str = ""
    #: What follows when it passes, one sentence.
    consequence: str = ""
    made_up: Sequence[date] = ()
    pauses: Sequence[tuple[date, date | None, str]] = ()
    rolled: tuple[date, str] | None = None
    provisional: bool = False
    met_at: datetime | None = None
    #: Approved extensions: (sentence parts) day, who, how many units, last day before, article.
    extensions: Sequence[tuple[date, str, int, date | None, str]] = ()
    #: The explanation in sentences, for readers of a language in which the reasons above are not kept.
    sentences: Sequence[str] = ()

    @property
    def whole_days(self) -> bool:
        return self.unit not in ("hour", "minute")

    @property
    def due_on(self) -> date:
        return dates.last_day(self.due_at) if self.whole_days else day_of(self.due_at)

    @property
    def paused(self) -> bool:
        return self.met_at is None and any(to is None for _from, to, _why in self.pauses)


@dataclass(frozen=True)
class Figure:
    """What is left: ``还剩`` ``3`` ``个工作日``."""

    before: str
    number: str
    after: str

    def __str__(self) -> str:
        return f"{self.before}{self.number}{self.after}"


@dataclass(frozen=True)
class Cell:
    """One day in the table of counted days."""

    kind: str = "out"
    number: str = ""
    note: str = ""


@dataclass(frozen=True)
class Clock:
    """A deadline as the template draws it."""

    id: str
    name: str
    state: State
    word: str
    figure: Figure
    due: Markup
    #: The date alone, for rows whose heading says what it is.
    when: Markup
    #: Per cent of the bar: used, and (from, width) of each pause.
    used: str
    off: tuple[tuple[str, str, str], ...]
    bar_says: str
    bar_from: str
    bar_to: str
    steps: tuple[tuple[str, str, Markup], ...]
    weeks: tuple[tuple[Cell, ...], ...]
    law: str
    consequence: str
    #: For rows: the state with the figure in it.
    row_word: str
    limit: str = ""
    provisional: bool = False
    extras: tuple[str, ...] = field(default=())
    #: Where staff may stop or extend it; empty for everybody else.
    manage: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.state]


def clock(timing: Timing, *, now: datetime, is_workday: IsWorkday, day_name: DayName = lambda _on: "") -> Clock:
    """The clock of one deadline."""
    state = _state(timing, now, is_workday)
    used, off = _bar(timing, now, is_workday)
    figure = _figure(timing, state, now, is_workday)
    weeks = _weeks(timing, now, is_workday, day_name) if timing.unit == "working day" else ()
    return Clock(
        id=f"clock-{timing.limit.lower()}-{int(timing.due_at.timestamp())}",
        name=timing.name,
        state=state,
        word=_word(timing, state, now),
        figure=figure,
        due=_due(timing, state, now),
        when=_when(timing, state, now),
        used=_percent(used),
        off=tuple((_percent(a), _percent(b - a), _percent(b)) for a, b in off),
        bar_says=_bar_says(timing, figure, now),
        bar_from=_bar_from(timing, now),
        bar_to=dates.day_words(timing.due_on, now, weekday=False),
        steps=_steps(timing, now),
        weeks=weeks,
        law=timing.article,
        consequence=timing.consequence,
        row_word=_row_word(state, figure, now, timing),
        limit=timing.limit,
        provisional=timing.provisional,
    )


def _state(timing: Timing, now: datetime, is_workday: IsWorkday) -> State:
    if timing.met_at is not None:
        return "done" if timing.met_at < timing.due_at else "overdue"
    if timing.paused:
        return "paused"
    if now >= timing.due_at:
        return "overdue"
    if timing.due_on == day_of(now):
        return "today"
    if _days_left(timing, now, is_workday) <= SOON:
        return "soon"
    return "prov" if timing.provisional else "plenty"


def _word(timing: Timing, state: State, now: datetime) -> str:
    if state == "done":
        return _("按时完成")
    if state == "overdue" and timing.met_at is not None:
        return _("超期完成")
    if state == "soon" and timing.due_on == day_of(now) + timedelta(days=1):
        return _("明天到期")
    return {
        "plenty": _("时间充裕"),
        "soon": _("快到期"),
        "today": _("今天到期"),
        "overdue": _("已逾期"),
        "paused": _("暂停计时"),
        "prov": _("暂定"),
        "none": _("无期限"),
    }[state]


def _days_left(timing: Timing, now: datetime, is_workday: IsWorkday) -> int:
    """Whole days after today up to the last one, in the clock's own unit."""
    return _days_between(day_of(now), timing.due_on, timing.unit == "working day", is_workday)


def _days_between(after: date, until: date, working: bool, is_workday: IsWorkday) -> int:
    if not working:
        return (until - after).days
    if until < after:
        return -_days_between(until, after, True, is_workday)
    days = (after + timedelta(days=n) for n in range(1, (until - after).days + 1))
    return sum(1 for on in days if is_workday(on))


def _figure(timing: Timing, state: State, now: datetime, is_workday: IsWorkday) -> Figure:
    if timing.met_at is not None:
        return _used_figure(timing, timing.met_at, is_workday)
    number, unit = _left(timing, now, is_workday)
    if state == "overdue":
        templates = {
            "working": _("逾期{n}个工作日"),
            "day": _("逾期{n}天"),
            "hour": _("逾期{n}小时"),
            "minute": _("逾期{n}分钟"),
        }
    elif state == "paused":
        templates = {
            "working": _("停在剩{n}个工作日"),
            "day": _("停在剩{n}天"),
            "hour": _("停在剩{n}小时"),
            "minute": _("停在剩{n}分钟"),
        }
    elif timing.provisional:
        templates = {
            "working": _("约剩{n}个工作日"),
            "day": _("约剩{n}天"),
            "hour": _("约剩{n}小时"),
            "minute": _("约剩{n}分钟"),
        }
    else:
        templates = {
            "working": _("还剩{n}个工作日"),
            "day": _("还剩{n}天"),
            "hour": _("还剩{n}小时"),
            "minute": _("还剩{n}分钟"),
        }
    return _split(templates[unit], number)


def _split(template: str, number: int) -> Figure:
    before, _mark, after = template.partition("{n}")
    return Figure(before, f"{number:,}", after)


def _left(timing: Timing, now: datetime, is_workday: IsWorkday) -> tuple[int, str]:
    """How much is left (or over), and in which unit: days of the last day itself are told in hours."""
    past = now >= timing.due_at
    if timing.whole_days:
        days = abs(_days_left(timing, now, is_workday))
        if days:
            return days, "working" if timing.unit == "working day" else "day"
        if timing.paused:
            return 0, "working" if timing.unit == "working day" else "day"
    seconds = abs((timing.due_at - now).total_seconds())
    if seconds < 3600:
        return max(int(seconds // 60), 1), "minute"
    hours = int(seconds // 3600)
    return (hours, "hour") if hours < 72 or not past else (hours // 24, "day")


def _used_figure(timing: Timing, met_at: datetime, is_workday: IsWorkday) -> Figure:
    if timing.whole_days:
        working = timing.unit == "working day"
        days = max(_days_between(day_of(timing.start), day_of(met_at), working, is_workday), 0)
        return _split(_("用了{n}个工作日") if working else _("用了{n}天"), days)
    start = timing.start if isinstance(timing.start, datetime) else met_at
    minutes = max(int((met_at - start).total_seconds() // 60), 0)
    return _split(_("用了{n}分钟"), minutes) if minutes < 60 else _split(_("用了{n}小时"), minutes // 60)


def _due(timing: Timing, state: State, now: datetime) -> Markup:
    if timing.met_at is not None:
        return escape(_("{when}完成")).format(when=dates.day(timing.met_at, now))
    if state == "paused":
        from_on, _to, why = next(p for p in timing.pauses if p[1] is None)
        return escape(_("{why}，{when}起")).format(
            why=why or _("暂停"), when=dates.day(from_on, now, weekday=False)
        )
    when = dates.due(timing.due_at, now, whole_days=timing.whole_days)
    if timing.provisional:
        return escape(_("{when}，假期公布后可能变")).format(when=when)
    return escape(_("{when}到期")).format(when=when)


def _when(timing: Timing, state: State, now: datetime) -> Markup:
    if state == "paused":
        return escape(next(why for _from, to, why in timing.pauses if to is None) or _("暂停"))
    return dates.due(timing.due_at, now, whole_days=timing.whole_days)


def _row_word(state: State, figure: Figure, now: datetime, timing: Timing) -> str:
    if state == "today" and timing.whole_days:
        return _("今天到期")
    if state == "paused":
        return _("暂停，剩{n}").format(n=f"{figure.number}{figure.after}")
    if state == "prov":
        return _("暂定，剩{n}").format(n=f"{figure.number}{figure.after}")
    return str(figure)


def _bar(timing: Timing, now: datetime, is_workday: IsWorkday) -> tuple[float, list[tuple[float, float]]]:
    end = timing.met_at or now
    if timing.unit == "working day" and timing.amount:
        used = _days_between(day_of(timing.start), day_of(end), True, is_workday)
        stood = sum(
            1
            for a, b, _why in timing.pauses
            for n in range(((b or day_of(end)) - a).days)
            if is_workday(a + timedelta(days=n)) and a + timedelta(days=n) > day_of(timing.start)
        )
        return _share(used - stood, timing.amount), []
    if timing.whole_days:
        return _bar_in_days(timing, day_of(end))
    first = timing.start if isinstance(timing.start, datetime) else _midnight(timing.start)
    whole = (max(timing.due_at, end) - first).total_seconds()
    return _share((end - first).total_seconds(), whole), []


def _bar_in_days(timing: Timing, today: date) -> tuple[float, list[tuple[float, float]]]:
    start = day_of(timing.start)
    whole = (max(timing.due_on, today) - start).days
    off = [
        (_share((a - start).days, whole), _share(((to or today + timedelta(days=1)) - start).days, whole))
        for a, to, _why in timing.pauses
    ]
    return _share((today - start).days, whole), off


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole else 1.0


def _percent(share: float) -> str:
    rounded = Decimal(str(share * 100)).quantize(Decimal("0.1"), ROUND_HALF_UP).normalize()
    return f"{rounded:f}%"


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=CHINA)


def _bar_says(timing: Timing, figure: Figure, now: datetime) -> str:
    said = _("从{start}到{end}，{left}。").format(
        start=dates.day_words(timing.start, now, weekday=False),
        end=dates.day_words(timing.due_on, now, weekday=False),
        left=str(figure),
    )
    if timing.pauses:
        said += _("中间暂停过{n}次。").format(n=len(timing.pauses))
    return said


def _bar_from(timing: Timing, now: datetime) -> str:
    return f"{dates.day_words(timing.start, now, weekday=False)}{timing.began_with}"


def _steps(timing: Timing, now: datetime) -> tuple[tuple[str, str, Markup], ...]:
    """(kind, title, sentence) of each step from the start to the end."""
    if language() == "en" and timing.sentences:
        return tuple(("", str(n), escape(said)) for n, said in enumerate(timing.sentences, 1))
    steps = [("start", _("开始"), _start_sentence(timing, now))]
    if timing.amount:
        steps.append(("length", _("期限"), Markup(_length_sentence(timing))))  # noqa: S704 - our own words
    for from_on, to_on, why in timing.pauses:
        steps.append(("pause", _("暂停"), _pause_sentence(from_on, to_on, why, now)))
    for on, who, amount, base, law in timing.extensions:
        steps.append(("length", _("延长"), escape(_extension_sentence(on, who, amount, base, law, now))))
    if timing.made_up:
        days = Markup("、").join(dates.day(on, now) for on in timing.made_up)
        steps.append(("makeup", _("调休"), escape(_("{days}调休上班，算工作日。")).format(days=days)))
    if timing.rolled:
        from_on, why = timing.rolled
        sentence = escape(_("本来到{when}。{why}，顺延到之后第一天。")).format(
            when=dates.day(from_on, now), why=why
        )
        steps.append(("roll", _("顺延"), sentence))
    if timing.provisional:
        steps.append(("prov", _("暂定"), escape(_("这一年的放假安排还没有公布，公布后可能变，变了会告诉您。"))))
    if not timing.paused:
        steps.append(("due", _("到期"), dates.due(timing.due_at, now, whole_days=timing.whole_days)))
    return tuple(steps)


def _start_sentence(timing: Timing, now: datetime) -> Markup:
    began = timing.began_with
    if not timing.whole_days and isinstance(timing.start, datetime):
        return escape(_("{when}{began}，从这一刻起算。")).format(when=dates.moment(timing.start, now), began=began)
    if timing.amount:
        return escape(_("{when}{began}。当天不算，从第二天算第1天。")).format(
            when=dates.day(timing.start, now), began=began
        )
    return escape(_("{when}由经办人员确定。")).format(when=dates.day(timing.start, now))


def _length_sentence(timing: Timing) -> str:
    templates = {
        "working day": _("{n}个工作日，周末和放假不算。"),
        "day": _("{n}天，周末也算。"),
        "hour": _("{n}小时。"),
        "minute": _("{n}分钟。"),
        "month": _("{n}个月。"),
        "year": _("{n}年。"),
    }
    return templates[timing.unit].format(n=timing.amount)


def _pause_sentence(from_on: date, to_on: date | None, why: str, now: datetime) -> Markup:
    if to_on is None:
        return escape(_("{start}起{why}，恢复之前的日子不算在内。")).format(
            start=dates.day(from_on, now, weekday=False), why=why or _("暂停")
        )
    return escape(_("{start}至{end}{why}，这{n}天不算在内。")).format(
        start=dates.day(from_on, now, weekday=False),
        end=dates.day(to_on - timedelta(days=1), now, weekday=False),
        why=why or _("暂停"),
        n=(to_on - from_on).days,
    )


def _extension_sentence(on: date, who: str, amount: int, base: date | None, law: str, now: datetime) -> str:
    return _("{on}经{who}批准延长{n}，原来到{when}。{law}").format(
        on=dates.day_words(on, now, weekday=False),
        who=who,
        n=amount,
        when=dates.day_words(base, now) if base else "",
        law=law,
    )


def _weeks(timing: Timing, now: datetime, is_workday: IsWorkday, day_name: DayName) -> tuple[tuple[Cell, ...], ...]:
    """The counted days, Monday first, each with its number; empty when there would be too many weeks."""
    start, due, today = day_of(timing.start), timing.due_on, day_of(now)
    first = start - timedelta(days=start.weekday())
    count = ((due - first).days // 7) + 1
    if count > MOST_WEEKS or due <= start:
        return ()
    stood = {
        a + timedelta(days=n)
        for a, b, _why in timing.pauses
        for n in range(((b or today + timedelta(days=1)) - a).days)
    }
    number = 0
    weeks = []
    for week in range(count):
        cells = []
        for weekday in range(7):
            on = first + timedelta(days=7 * week + weekday)
            counts = start < on <= due and is_workday(on) and on not in stood
            number += counts
            cells.append(_cell(timing, on, today, number if counts else 0, stood, is_workday, day_name))
        weeks.append(tuple(cells))
    return tuple(weeks)


def _cell(
    timing: Timing,
    on: date,
    today: date,
    number: int,
    stood: set[date],
    is_workday: IsWorkday,
    day_name: DayName,
) -> Cell:
    start, due = day_of(timing.start), timing.due_on
    if not start <= on <= due:
        return Cell()
    if on == start:
        return Cell("off", str(on.day), timing.began_with or _("开始"))
    if on == due:
        return Cell("due", str(on.day), f"{_('到期')} {number or ''}".strip())
    if on in stood:
        return Cell("off", str(on.day), _("暂停"))
    if not number:
        return Cell("off", str(on.day), day_name(on) or _("休"))
    if on == today:
        return Cell("now", str(on.day), f"{_('今天')} {number}")
    made_up = f"{_('班')} " if on.weekday() >= 5 else ""
    return Cell("past" if on < today else "", str(on.day), f"{made_up}{number}")
