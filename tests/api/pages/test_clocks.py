"""Every deadline in the words and figures of the look."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from flask import Flask, g
from flask_babel import Babel

from api.languages import language
from api.pages import dates
from api.pages.clocks import Clock, Timing
from tests.api.pages.examples import NOW, acceptance_limit, answer_limit, at, draw, mediation_limit


@pytest.fixture(autouse=True)
def _reading() -> Iterator[None]:
    yield from _in_language("zh")


def _in_language(wanted: str) -> Iterator[None]:
    app = Flask("api")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=language)
    with app.test_request_context():
        g.language = wanted
        yield


def figure(clock: Clock) -> str:
    return str(clock.figure)


@pytest.mark.parametrize(
    ("now", "state", "word", "left", "row"),
    [
        (NOW, "plenty", "时间充裕", "还剩15天", "还剩15天"),
        (at(10, 4, 9), "plenty", "时间充裕", "还剩4天", "还剩4天"),
        (at(10, 5, 9), "soon", "快到期", "还剩3天", "还剩3天"),
        (at(10, 7, 9), "soon", "明天到期", "还剩1天", "还剩1天"),
        (at(10, 8, 9), "today", "今天到期", "还剩15小时", "今天到期"),
        (at(10, 8, 23, 30), "today", "今天到期", "还剩30分钟", "今天到期"),
        (at(10, 9), "overdue", "已逾期", "逾期1天", "逾期1天"),
        (at(10, 10, 9), "overdue", "已逾期", "逾期2天", "逾期2天"),
    ],
)
def test_a_limit_in_days_says_what_is_left(now: datetime, state: str, word: str, left: str, row: str) -> None:
    clock = draw(mediation_limit(), now)
    assert (clock.state, clock.word, figure(clock), clock.row_word) == (state, word, left, row)


@pytest.mark.parametrize(
    ("now", "state", "left"),
    [
        (at(9, 21, 9), "plenty", "还剩5个工作日"),
        (NOW, "soon", "还剩3个工作日"),
        (at(9, 26, 9), "soon", "还剩2个工作日"),  # the break itself counts nothing down
        (at(9, 28, 9), "soon", "还剩1个工作日"),
        (at(9, 29, 18), "today", "还剩6小时"),
        (at(9, 30, 9), "overdue", "逾期1个工作日"),
        (at(10, 8, 9), "overdue", "逾期2个工作日"),  # nor does the next break count up
    ],
)
def test_a_limit_in_working_days_counts_only_those(now: datetime, state: str, left: str) -> None:
    clock = draw(acceptance_limit(), now)
    assert (clock.state, figure(clock)) == (state, left)


@pytest.mark.parametrize(
    ("now", "state", "left"),
    [
        (NOW, "soon", "还剩27小时"),
        (at(9, 24, 9), "today", "还剩9小时"),
        (at(9, 24, 17, 40), "today", "还剩20分钟"),
        (at(9, 24, 18, 0), "overdue", "逾期1分钟"),
        (at(9, 24, 21), "overdue", "逾期3小时"),
    ],
)
def test_a_limit_in_hours_runs_to_its_minute(now: datetime, state: str, left: str) -> None:
    clock = draw(answer_limit(), now)
    assert (clock.state, figure(clock)) == (state, left)
    assert "9月24日 周四 18:00" in str(clock.due) or "今天 18:00" in str(clock.due)


def test_the_counted_days_are_numbered_and_the_skipped_ones_named() -> None:
    weeks = draw(acceptance_limit()).weeks
    assert [len(week) for week in weeks] == [7, 7, 7]
    said = [(cell.number, cell.note, cell.kind) for week in weeks for cell in week if cell.number]
    assert said == [
        ("18", "收到", "off"),
        ("19", "休", "off"),
        ("20", "班 1", "past"),
        ("21", "2", "past"),
        ("22", "3", "past"),
        ("23", "今天 4", "now"),
        ("24", "5", ""),
        ("25", "中秋", "off"),
        ("26", "中秋", "off"),
        ("27", "中秋", "off"),
        ("28", "6", ""),
        ("29", "到期 7", "due"),
    ]


def test_a_long_limit_is_explained_in_steps_alone() -> None:
    clock = draw(mediation_limit())
    assert clock.weeks == ()
    assert [title for _kind, title, _said in clock.steps] == ["开始", "期限", "暂停", "顺延", "到期"]
    assert "8月12日" in str(clock.steps[2][2])
    assert "8月14日" in str(clock.steps[2][2]), "the last paused day, not the first that counts again"
    assert "这3天不算在内" in str(clock.steps[2][2])


def test_the_bar_shows_the_share_that_is_used_and_each_pause() -> None:
    clock = draw(mediation_limit())
    assert clock.used == "77.3%"
    assert clock.off == (("13.6%", "4.5%", "18.2%"),)
    assert draw(acceptance_limit()).used == "57.1%"
    assert draw(mediation_limit(), at(12, 1)).used == "100%"
    assert draw(mediation_limit(), at(8, 3)).used == "0%"


def test_a_paused_limit_says_where_it_stopped_and_why() -> None:
    timing = replace(mediation_limit(), pauses=((date(2026, 9, 16), None, "检测中"),), rolled=None)
    clock = draw(timing)
    assert (clock.state, clock.word) == ("paused", "暂停计时")
    assert str(clock.due) == '检测中，<time datetime="2026-09-16">9月16日</time>起'
    assert clock.row_word.startswith("暂停，剩15")
    assert "due" not in [kind for kind, _title, _said in clock.steps], "nobody knows the day yet"


def test_a_provisional_date_says_about_and_that_it_may_change() -> None:
    timing = Timing(
        "C30", "分期付款", "协议", "day", 120, date(2026, 9, 9), at(12, 31) + timedelta(days=7), provisional=True
    )
    clock = draw(timing)
    assert (clock.state, clock.word) == ("prov", "暂定")
    assert figure(clock) == "约剩105天"
    assert "2027年1月6日" in str(clock.due)
    assert "可能变" in str(clock.due)


def test_what_was_met_says_how_long_it_took() -> None:
    clock = draw(replace(acceptance_limit(), met_at=at(9, 21, 15)))
    assert (clock.state, clock.word, figure(clock)) == ("done", "按时完成", "用了2个工作日")
    late = draw(replace(acceptance_limit(), met_at=at(9, 30, 9)))
    assert (late.state, late.word) == ("overdue", "超期完成")


def test_words_are_escaped() -> None:
    timing = replace(mediation_limit(), pauses=((date(2026, 8, 12), date(2026, 8, 15), "<b>检测</b>"),))
    assert "<b>" not in str(draw(timing).steps[2][2])


@pytest.mark.parametrize(
    ("on", "words"),
    [(date(2026, 9, 29), "9月29日 周二"), (date(2027, 1, 6), "2027年1月6日"), (date(2026, 1, 1), "1月1日 周四")],
)
def test_a_day_is_written_as_people_write_it(on: date, words: str) -> None:
    assert dates.day_words(on, NOW) == words
    assert dates.day(on, NOW) == f'<time datetime="{on.isoformat()}">{words}</time>'


def test_an_exclusive_midnight_is_the_day_before() -> None:
    assert dates.due(at(9, 30), NOW, whole_days=True) == '<time datetime="2026-09-29">9月29日 周二</time>'
    assert dates.moment_words(at(9, 23, 20, 10), NOW) == "今天 20:10"


class TestInEnglish:
    @pytest.fixture(autouse=True)
    def _english(self) -> Iterator[None]:
        yield from _in_language("en")

    def test_a_clock_speaks_english(self) -> None:
        clock = draw(acceptance_limit())
        assert (clock.word, figure(clock)) == ("Due soon", "3 working days left")
        assert "Tue 29 Sep" in str(clock.due)

    def test_the_explanation_is_the_one_kept_in_english(self) -> None:
        clock = draw(replace(mediation_limit(), sentences=("It runs for 60 days.", "It moved.")))
        assert [str(said) for _kind, _title, said in clock.steps] == ["It runs for 60 days.", "It moved."]
