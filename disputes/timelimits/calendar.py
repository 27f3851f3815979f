"""Working days, days off and holiday breaks of the mainland. Pure.

What the State Council announced comes from the package ``holidays`` (checked against ``chinesecalendar`` for
2004–2026) until an administrator or an import says otherwise. ``holidays`` does not list the weekend days inside
a break: a break is the maximal run of days off that contains a statutory holiday. A year that nobody announced
follows the weekday rule and the statutory holidays, and each of its days is provisional.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache

import holidays

from core.now import CHINA

#: First and last year of which ``holidays`` 0.109 knows the announced schedule.
ANNOUNCED_FROM, ANNOUNCED_TO = 2004, 2026

#: No date beyond this year is reckoned: a limit that ends there is a mistake.
LAST_YEAR = 2199

#: The State Council's notices of the years that cases touch.
DOCUMENTS = {2025: "国办发明电〔2024〕12号", 2026: "国办发明电〔2025〕7号"}

#: Chinese and English names of the breaks.
BREAKS_EN = {
    "元旦": "New Year",
    "春节": "Spring Festival",
    "清明节": "Qingming",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-Autumn Festival",
    "国庆节": "National Day",
}
WEEKDAYS_ZH = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
WEEKDAYS_EN = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

ONE_DAY = timedelta(days=1)


class Status(StrEnum):
    """How sure a day is."""

    ANNOUNCED = "announced"  #: by the State Council, or by whoever keeps the calendar
    PROVISIONAL = "provisional"  #: by the weekday rule; the announcement may change it


@dataclass(frozen=True)
class Day:
    """One day of the calendar."""

    date: date
    is_workday: bool
    #: What the day is called: 国庆节, 调休上班; empty for an ordinary day.
    name: str = ""
    #: The holiday break that it belongs to; empty outside of breaks.
    break_name: str = ""
    #: Where it is known from.
    source: str = "weekday"
    document_no: str = ""
    status: Status = Status.ANNOUNCED

    @property
    def is_make_up(self) -> bool:
        """A day of the weekend on which offices work."""
        return self.is_workday and self.date.weekday() >= 5

    def why_off(self, lang: str = "zh") -> str:
        """Why it does not count, in a word."""
        if self.break_name:
            return f"{self.break_name}放假" if lang == "zh" else f"{break_in_english(self.break_name)} break"
        if self.date.weekday() >= 5:
            return (WEEKDAYS_ZH if lang == "zh" else WEEKDAYS_EN)[self.date.weekday()]
        return self.name or ("放假" if lang == "zh" else "day off")


def break_in_english(name: str) -> str:
    """``国庆节、中秋节`` → ``National Day and Mid-Autumn Festival``; a name that is unknown stays Chinese."""
    return " and ".join(BREAKS_EN.get(part, part) for part in name.split("、"))


class Calendar:
    """Days by date; years that it was not given are reckoned from ``holidays``."""

    def __init__(self, days: Iterable[Day] = ()) -> None:
        self._given = {day.date: day for day in days}
        self._cache: dict[date, Day] = {}

    @cached_property
    def years(self) -> frozenset[int]:
        """The years of which this calendar was given days."""
        return frozenset(day.year for day in self._given)

    def day(self, on: date) -> Day:
        """What kind of day it is."""
        day = self._given.get(on) or self._cache.get(on)
        if day is None:
            if not ANNOUNCED_FROM <= on.year <= LAST_YEAR:
                raise ValueError(f"{on} is outside of {ANNOUNCED_FROM}–{LAST_YEAR}: no calendar is kept for it.")
            day = self._cache[on] = known_year(on.year)[on]
        return day

    def is_workday(self, on: date) -> bool:
        """Do offices work on that day? Make-up workdays count, days of a break do not."""
        return self.day(on).is_workday

    def is_announced(self, on: date) -> bool:
        """Is the day fixed, or may an announcement still change it?"""
        return self.day(on).status is Status.ANNOUNCED

    def next_workday(self, on: date) -> date:
        """That day if offices work on it, else the first workday after it."""
        while not self.is_workday(on):
            on += ONE_DAY
        return on

    def after_break(self, on: date) -> date:
        """That day, or, when it lies in a holiday break, the first day after the break."""
        while self.day(on).break_name:
            on += ONE_DAY
        return on

    def workdays_between(self, first: date, last: date) -> int:
        """How many workdays come after ``first`` up to ``last``; negative the other way round."""
        if last < first:
            return -self.workdays_between(last, first)
        return sum(self.is_workday(day) for day in each_day(first + ONE_DAY, last + ONE_DAY))

    def office_time(self, start: datetime, amount: timedelta, spans: tuple[tuple[time, time], ...]) -> datetime:
        """The instant at which that much office time has passed, counted in ``spans`` of workdays."""
        moment = start.astimezone(CHINA)
        on, left = moment.date(), amount
        while True:
            if self.is_workday(on):
                for opens, closes in spans:
                    begin = max(moment, datetime.combine(on, opens, CHINA))
                    end = datetime.combine(on, closes, CHINA)
                    if begin < end:
                        if left <= end - begin:
                            return begin + left
                        left -= end - begin
            on += ONE_DAY

    def office_time_between(
        self, start: datetime, end: datetime, spans: tuple[tuple[time, time], ...]
    ) -> timedelta:
        """How much office time lies between two moments."""
        first, last = start.astimezone(CHINA), end.astimezone(CHINA)
        passed = timedelta()
        for on in each_day(first.date(), last.date() + ONE_DAY):
            if self.is_workday(on):
                for opens, closes in spans:
                    begin = max(first, datetime.combine(on, opens, CHINA))
                    stop = min(last, datetime.combine(on, closes, CHINA))
                    passed += max(stop - begin, timedelta())
        return passed

    def changed(self, days: Iterable[Day]) -> "Calendar":
        """A calendar in which these days stand instead; the names of breaks are worked out again."""
        return Calendar(named_breaks({**self._given, **{day.date: day for day in days}}.values()))

    def given(self) -> Iterator[Day]:
        """The days that it was given, in order."""
        return iter(sorted(self._given.values(), key=lambda day: day.date))


def each_day(first: date, end: date) -> Iterator[date]:
    """Every day from ``first``, without ``end``."""
    for i in range((end - first).days):
        yield first + timedelta(days=i)


_EVE = {"农历除夕": "春节", "除夕": "春节"}
_OBSERVED = re.compile(r"（补假）$")
_SWAPPED = re.compile(r"^休息日")


@lru_cache(maxsize=256)
def known_year(year: int) -> Mapping[date, Day]:
    """Every day of a year as ``holidays`` knows it; a year that was not announced is provisional throughout."""
    # The neighbours are read too: a break may reach over New Year.
    days = named_breaks(_plain(day) for day in each_day(date(year - 1, 12, 1), date(year + 1, 2, 1)))
    return {day.date: day for day in days if day.date.year == year}


def _plain(on: date) -> Day:
    listed, make_up = _listed(on.year)
    status = Status.ANNOUNCED if ANNOUNCED_FROM <= on.year <= ANNOUNCED_TO else Status.PROVISIONAL
    if on in make_up:
        # Announced together with the holiday that it makes up for, even in a year that is not announced itself.
        return Day(on, True, "调休上班", source="holidays", document_no=DOCUMENTS.get(on.year, ""))
    if on in listed:
        names = [_EVE.get(n, n) for n in (_OBSERVED.sub("", p) for p in listed[on].split("; "))]
        statutory = "、".join(dict.fromkeys(name for name in names if not _SWAPPED.match(name)))
        return Day(on, False, statutory or "调休放假", statutory, "holidays", DOCUMENTS.get(on.year, ""), status)
    return Day(on, on.weekday() < 5, status=status)


@lru_cache(maxsize=256)
def _listed(year: int) -> tuple[Mapping[date, str], frozenset[date]]:
    country = holidays.country_holidays("CN", years=year, language="zh_CN")
    names = {day: name for day, name in country.items() if day.year == year}
    # A make-up workday is also a holiday's eve in no year: what ``holidays`` lists as off is off.
    return names, frozenset(day for day in country.weekend_workdays if day.year == year and day not in names)


def named_breaks(days: Iterable[Day]) -> list[Day]:
    """Give every day off of a run that contains a statutory holiday the run's name, and no other day one.

    A statutory holiday is recognised by its ``break_name``; the run is named after all that it contains.
    """
    ordered = sorted(days, key=lambda day: day.date)
    result: list[Day] = []
    run: list[Day] = []

    def close() -> None:
        parts = dict.fromkeys(part for day in run for part in day.break_name.split("、") if part)
        result.extend(replace(day, break_name="、".join(parts)) for day in run)
        run.clear()

    for day in ordered:
        if run and (day.is_workday or day.date - run[-1].date != ONE_DAY):
            close()
        if day.is_workday:
            result.append(replace(day, break_name=""))
        else:
            run.append(day)
    close()
    return result
