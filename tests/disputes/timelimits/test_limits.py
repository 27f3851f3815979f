"""The file of time limits: what it holds, which edition counts, and what is refused."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from disputes.timelimits.limits import Kind, Limits, LimitsError, Roll, Unit, UnknownLimit, load_limits, province_of

TEXT = Path("workflows/time_limits.yaml").read_bytes()
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def limits() -> Limits:
    return load_limits(TEXT)


# From the table of the domain: id, amount, unit, roll, warnings, region, first day.
LAW = [
    ("C01", 7, "working day", "none", (5, 6), "CN", "2026-04-15"),
    ("C02", None, None, "none", (), "CN", "2026-04-15"),
    ("C03", 60, "day", "break", (30, 45, 55), "CN", "2024-07-01"),
    ("C04", 7, "working day", "none", (5, 6), "CN", "2026-04-15"),
    ("C05", 15, "working day", "none", (10, 13), "CN", "2026-04-15"),
    ("C06", 15, "working day", "none", (10, 13), "CN", "2026-04-15"),
    ("C07", 7, "working day", "none", (5,), "CN", "2026-04-15"),
    ("C08", 15, "working day", "none", (10, 13), "CN", "2026-04-15"),
    ("C09", 90, "day", "none", (), "CN", "2019-04-01"),
    ("C10", 3, "year", "none", (), "CN", "2026-04-15"),
    ("C11", 10, "working day", "none", (7, 9), "CN", None),
    ("C12a", 7, "day", "none", (3,), "CN-HB", None),
    ("C12b", 14, "day", "none", (10,), "CN-HB", None),
    ("C13", 5, "day", "none", (3,), "CN-ZJ", "2017-05-01"),
    ("C14", 3, "day", "none", (2,), "CN-ZJ", "2017-05-01"),
    ("C15", 5, "working day", "none", (3,), "CN-ZJ", "2017-05-01"),
    ("C16", 10, "working day", "none", (7,), "CN-ZJ", "2017-05-01"),
    ("C17", 2, "working day", "none", (1,), "CN", "2022-01-01"),
    ("C18", 3, "working day", "none", (2,), "CN", "2022-01-01"),
    ("C19", 3, "working day", "none", (2,), "CN", "2022-01-01"),
    ("C20", 3, "working day", "none", (2,), "CN", "2022-01-01"),
    ("C21", 30, "day", "rest-day", (15, 25), "CN", "2022-01-01"),
    ("C22a", 15, "day", "rest-day", (10, 13), "CN", "2022-01-01"),
    ("C22b", 7, "day", "rest-day", (5,), "CN", "2022-01-01"),
    ("C23", 30, "day", "rest-day", (15, 25), "CN", "2024-01-01"),
    ("C24", 3, "day", "rest-day", (2,), "CN", "2011-03-30"),
    ("C25", 15, "day", "rest-day", (10, 14), "CN", "2011-03-30"),
    ("C26", 2, "year", "rest-day", (), "CN", "2024-01-01"),
    ("C27", 7, "day", "rest-day", (), "CN", "2024-01-01"),
    ("S01", 30, "minute", "none", (20,), "service", None),
    ("S02", 24, "hour", "none", (20,), "service", None),
    ("S03", 7, "day", "none", (5,), "service", None),
    ("S04", 1, "day", "none", (), "service", None),
    ("S05", 3, "working day", "none", (2,), "service", None),
    ("S06", 5, "working day", "none", (3,), "service", None),
]


@pytest.mark.parametrize(("id", "amount", "unit", "roll", "warnings", "region", "since"), LAW)
def test_each_limit_of_the_law_is_there_as_the_law_has_it(
    limits: Limits, id: str, amount: int, unit: str, roll: str, warnings: Any, region: str, since: str | None
) -> None:
    edition = limits.get(id, region=None if region in ("CN", "service") else region, on=TODAY)
    assert (edition.amount, edition.unit, edition.roll) == (amount, unit and Unit(unit), Roll(roll))
    assert (edition.warn_after, edition.region) == (warnings, region)
    assert edition.holds_from == (since and date.fromisoformat(since))
    assert edition.legal is (region != "service")
    assert edition.article and edition.mark and edition.name_zh and edition.name_en


def test_the_service_adds_its_own_limits_and_nothing_else(limits: Limits) -> None:
    assert [id for id in limits if id not in {row[0] for row in LAW}] == [f"S{n:02}" for n in range(7, 20)]
    for id in (f"S{n:02}" for n in range(1, 20)):
        assert {edition.region for edition in limits.editions[id]} == {"service"}


def test_the_rule_before_july_2024_counted_45_working_days(limits: Limits) -> None:
    before, after = limits.get("C03", on=date(2024, 6, 30)), limits.get("C03", on=date(2024, 7, 1))
    assert (before.amount, before.unit) == (45, Unit.WORKING_DAY)
    assert (after.amount, after.unit) == (60, Unit.DAY)


@pytest.mark.parametrize(
    ("region", "id", "edition"),
    [
        ("330299", "C13", "CN-ZJ"),
        ("CN-ZJ", "C13", "CN-ZJ"),
        ("420100", "C13", "service"),
        ("420100", "C12a", "CN-HB"),
        ("330299", "C12a", "service"),
        ("330299", "C01", "CN"),
        (None, "C13", "service"),
        (None, "C15", "CN-ZJ"),  # the only edition there is
    ],
)
def test_the_province_comes_before_the_country_and_the_country_before_the_service(
    limits: Limits, region: str | None, id: str, edition: str
) -> None:
    assert limits.get(id, region=region, on=TODAY).region == edition


@pytest.mark.parametrize(
    ("id", "region", "on", "what"),
    [
        ("C99", None, TODAY, "no time limit C99"),
        ("C15", "420100", TODAY, "holds in CN-HB on 2026-11-22; there is: CN-ZJ from 2017-05-01"),
        ("C01", None, date(2026, 4, 14), "No edition of C01 holds on 2026-04-14"),
        ("C13", "999999", TODAY, "999999 is no region"),
        ("C13", "CN-XX", TODAY, "CN-XX is no province"),
    ],
)
def test_a_limit_that_does_not_hold_is_refused_with_what_was_found(
    limits: Limits, id: str, region: str | None, on: date, what: str
) -> None:
    with pytest.raises(UnknownLimit, match=what):
        limits.get(id, region=region, on=on)


def test_provinces_come_from_the_first_two_digits() -> None:
    assert province_of("330299") == province_of("33") == province_of("CN-ZJ") == "CN-ZJ"
    assert province_of(None) is province_of("") is province_of("CN") is None


ENTRY = yaml.safe_load(TEXT)["limits"]["C01"]


def file(**changes: Any) -> bytes:
    entry = {key: value for key, value in {**ENTRY, **changes}.items() if value != "absent"}
    return yaml.safe_dump({"limits": {"C01": entry}}, allow_unicode=True).encode()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"limits: [", "is no YAML"),
        (b"limit: {}", "needs a mapping 'limits'"),
        (file(amount=0), "C01: expected a whole amount above 0"),
        (file(amount=True), "C01: expected a whole amount above 0"),
        (file(unit="week"), "C01: unit is one of working day"),
        (file(kind="set-by-officer"), "no amount and no unit"),
        (file(warn_after=[6, 5]), "warn_after must rise"),
        (file(warn_after=[5, 7]), "stay below 7"),
        (file(warn_after="5"), "list of whole numbers"),
        (file(roll="week"), "roll is one of none, break, rest-day"),
        (file(bound="absent"), "bound is one of party, authority"),
        (file(region="ZJ"), "region is CN"),
        (file(article=" "), "article is missing"),
        (file(who="officer"), "who needs 'zh' and 'en'"),
        (file(holds_from="soon"), "holds_from is a date"),
        (file(colour="red"), "unknown field 'colour'"),
        (file(hours="office"), "office hours go with minutes"),
        (file(pauses_with="C99"), "no other time limit C99"),
        (file(restarts="C01"), "'restarts' and the kind"),
        (file(editions=[]), "editions must be a list"),
        (file(editions=[{}, {}]), "two editions of CN hold on the same day"),
        (file(editions=[{"holds_until": date(2026, 5, 1)}, {"holds_from": date(2026, 4, 30)}]), "two editions"),
        (b"office_hours: [['12:00', '08:30']]\nlimits: {}", "must stand in order"),
        (b"office_hours: [8]\nlimits: {}", "pairs of times"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_by_limit_and_field(text: bytes, what: str) -> None:
    with pytest.raises(LimitsError, match=what):
        load_limits(text)


def test_every_timer_has_a_start_that_diagrams_can_name(limits: Limits) -> None:
    for editions in limits.editions.values():
        for edition in editions:
            assert edition.kind is Kind.DAILY_SWEEP or edition.start
