"""``hejie due``: the object of the contract, and what is refused."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.refusals import Invalid
from disputes.timelimits.commands import due

TEXT = Path("workflows/time_limits.yaml").read_bytes()


def ask(limit: str, start: str, **options: Any) -> dict[str, Any]:
    return due(limit, start, limits=TEXT, today=date(2026, 11, 22), **options)


def test_it_answers_with_the_object_of_the_contract() -> None:
    assert ask("C03", "2026-08-03", pauses=["2026-08-10/2026-08-22"]) == {
        "limit": "C03",
        "start": "2026-08-03",
        "due_on": "2026-10-14",
        "due_at": "2026-10-15T00:00:00+08:00",
        "article": "办法23; 22; 条例46(3)",
        "counted": 60,
        "skipped": [],
        "pauses": [
            {
                "from": "2026-08-10",
                "to": "2026-08-22",
                "why": "鉴定、检测所需时间不计入；回避（中止调解）不停止计时",
            }
        ],
        "rolled": None,
        "provisional": False,
    }


def test_the_edition_is_todays_unless_another_day_is_asked_for() -> None:
    assert ask("C03", "2024-03-01")["due_on"] == "2024-04-30"  # 60 days: 30 in March, 30 in April
    old = ask("C03", "2024-03-01", as_of="2024-03-01")
    assert (old["counted"], old["due_on"]) == (45, "2024-05-08")


def test_the_region_chooses_the_law_of_its_province() -> None:
    assert ask("C13", "2026-09-18", region="330299")["article"] == "浙江办法31(2)(二)"
    assert ask("C13", "2026-09-18", region="420100")["article"] == "本服务承诺，与浙江同长"


def test_a_repeated_tip_off_has_the_length_of_the_first() -> None:
    assert ask("C08", "2026-09-18")["due_on"] == ask("C06", "2026-09-18")["due_on"] == "2026-10-15"


@pytest.mark.parametrize(
    ("limit", "start", "options", "what"),
    [
        ("C99", "2026-09-18", {}, "no time limit C99"),
        ("C01", "18.9.2026", {}, "found '18.9.2026'"),
        ("S01", "2026-09-18", {}, "needs the moment"),
        ("C03", "2026-09-18", {"pauses": ["2026-09-20"]}, "FROM/TO"),
        ("C03", "2026-09-18", {"pauses": ["2026-09-20/2026-09-19"]}, "ends on or after"),
        ("C03", "2026-09-18", {"as_of": "yesterday"}, "yesterday"),
        ("C01", "2026-09-18", {"as_of": "2020-01-01"}, "No edition of C01"),
        ("C15", "2026-09-18", {"region": "420100"}, "CN-HB"),
        ("C01", "1990-01-01", {}, "no calendar is kept"),
    ],
)
def test_what_cannot_be_reckoned_is_refused_with_a_reason(
    limit: str, start: str, options: dict[str, Any], what: str
) -> None:
    with pytest.raises(Invalid, match=what):
        ask(limit, start, **options)
