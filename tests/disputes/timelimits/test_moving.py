"""Deadlines in motion: stopped by people, stopped with their case, extended by approval."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.db import Database
from core.refusals import Forbidden, Invalid, WrongState
from disputes.timelimits import operations, queries
from disputes.timelimits.calendar import Calendar
from disputes.timelimits.limits import Limit, LimitsError, load_limits
from disputes.timelimits.models import EVERY, Deadline, DeadlineExtension, DeadlinePause
from disputes.timelimits.rules import NEVER, Extension, Pause, compute, warning_at
from engine import Instance, Timer
from tests.disputes.timelimits.test_running import DIAGRAM, LIMITS, Case, at

PERSON = DeadlinePause.Source.PERSON


def limit(id: str, on: str = "2026-08-03", region: str | None = "330299") -> Limit:
    return load_limits(LIMITS).get(id, region=region, on=date.fromisoformat(on))


class Extendable(Case):
    """The task is held to C05 (fifteen working days, which the head may extend by fifteen)."""

    diagram = DIAGRAM.replace('due("S15", accepted_at)', 'due("C05", accepted_at)').replace(
        'warning("C03", accepted_at, 1)', 'warning("C05", accepted_at, 2)'
    )


def deadline(session: Any, case: Case, id: str) -> Deadline:
    query = select(Deadline).where(Deadline.instance_id == case.instance_id, Deadline.limit == id)
    found: Deadline = session.scalars(query).one()
    return found


def stop(case: Case, now: str, id: str = "C03", **more: Any) -> None:
    with case.database.transaction() as session:
        instance = case.engine.lock(session, case.instance_id)
        operations.pause(
            session, instance, limit(id), why=more.pop("why", ""), source=PERSON, now=at(now), by="person:1", **more
        )
        case.engine.rearm(session, case.instance_id, now=at(now), by="person:1")


def go_on(case: Case, now: str, id: str = "C03", **more: Any) -> None:
    with case.database.transaction() as session:
        instance = case.engine.lock(session, case.instance_id)
        operations.resume(session, instance, id, now=at(now), by="person:1", **more)
        case.engine.rearm(session, case.instance_id, now=at(now), by="person:1")


def test_a_person_stops_a_clock_and_it_goes_on_with_what_was_left(database: Database) -> None:
    case = Case(database)
    stop(case, "2026-08-10T15:00", reason="appraisal", why="主板送检")
    assert case.timer("expired").due_at == NEVER
    shown = case.shown("2026-08-12T09:00")["C03"]
    assert shown["pauses"] == [{"from": "2026-08-10", "to": None, "why": "主板送检"}]
    assert "appraisal or testing" in " ".join(shown["sentences"]["en"])
    go_on(case, "2026-08-22T09:00")
    assert case.timer("expired").due_at == at("2026-10-15T00:00")  # as after twelve days of appraisal in DOMAIN
    assert case.timer("warned").due_at == at("2026-09-14T09:00")


@pytest.mark.parametrize(
    ("id", "reason", "code"),
    [
        ("C01", None, "deadline.no_pause"),
        ("C03", "awaiting_court", "deadline.no_such_pause"),
        ("C03", "", "deadline.no_such_pause"),
        ("C03", "回避", "deadline.no_such_pause"),
        ("C04", "force_majeure", "deadline.no_pause"),
    ],
)
def test_what_the_law_lets_not_stop_is_refused_with_its_article(
    sqlite_database: Database, id: str, reason: str | None, code: str
) -> None:
    case = Case(sqlite_database)
    with pytest.raises(WrongState) as refused:
        stop(case, "2026-08-10T15:00", id, reason=reason)
    assert refused.value.code == code
    assert limit(id).article in refused.value.message
    assert case.timer("expired").due_at == at("2026-10-09T00:00")


def test_a_pause_reaches_back_as_far_as_evidence_shows(sqlite_database: Database) -> None:
    case = Case(sqlite_database)
    evidence = case.instance_id  # any id: whether there is such evidence is asked above
    with pytest.raises(Invalid):
        stop(case, "2026-08-20T15:00", from_on=date(2026, 8, 19))
    with pytest.raises(Invalid):
        stop(case, "2026-08-20T15:00", from_on=date(2026, 8, 21), evidence_id=evidence)
    with pytest.raises(Invalid):
        stop(case, "2026-08-20T15:00", from_on=date(2026, 8, 2), evidence_id=evidence)
    stop(case, "2026-08-20T15:00", from_on=date(2026, 8, 10), evidence_id=evidence)
    with pytest.raises(WrongState):
        stop(case, "2026-08-20T16:00")
    with pytest.raises(Invalid):
        go_on(case, "2026-08-22T09:00", to_on=date(2026, 8, 9))
    with pytest.raises(Invalid):
        go_on(case, "2026-08-22T09:00", to_on=date(2026, 8, 23))
    go_on(case, "2026-08-24T09:00", to_on=date(2026, 8, 22))
    assert case.timer("expired").due_at == at("2026-10-15T00:00")
    with pytest.raises(Invalid):  # inside the pause that has ended
        stop(case, "2026-08-25T09:00", from_on=date(2026, 8, 21), evidence_id=evidence)
    with pytest.raises(WrongState):
        go_on(case, "2026-08-25T09:00")


def test_the_procedure_takes_over_what_a_person_has_stopped(database: Database) -> None:
    case = Case(database)
    stop(case, "2026-08-08T10:00")
    case.complete("hold", "2026-08-10T15:00", result="C03")
    assert case.states()["C03"] == "paused"
    case.complete("appraise", "2026-08-22T09:00")
    shown = case.shown("2026-08-22T09:00")["C03"]
    assert shown["pauses"] == [{"from": "2026-08-08", "to": "2026-08-22", "why": "鉴定、检测"}]
    assert shown["due_on"] == "2026-10-16"


def test_a_supervisor_may_let_go_on_what_the_procedure_would_have_resumed(database: Database) -> None:
    case = Case(database)
    case.complete("hold", "2026-08-10T15:00", result="C03")
    go_on(case, "2026-08-12T09:00")
    step = case.complete("appraise", "2026-08-22T09:00")
    assert not step.incidents
    assert case.timer("expired").due_at == at("2026-10-09T00:00")  # 4 October is in the break


def test_a_case_that_is_mended_keeps_what_is_left_of_every_limit(database: Database) -> None:
    class Hours(Case):
        diagram = DIAGRAM.replace('due("S15", accepted_at)', 'due("S02", accepted_at)')

    case, noise = Hours(database), Hours(database, key="case-2")
    assert case.timer("late_first_call").due_at == at("2026-08-04T10:00")
    with database.transaction() as session:
        instance = case.engine.lock(session, case.instance_id)
        operations.pause_all(session, instance, why="", now=at("2026-08-03T12:00"), by="person:1")
        with pytest.raises(WrongState):
            operations.pause_all(session, instance, why="", now=at("2026-08-03T12:00"), by="person:1")
        case.engine.rearm(session, case.instance_id, now=at("2026-08-03T12:00"), by="person:1")
    assert case.states() == {"C03": "paused", "S02": "paused"}
    assert case.advance("2026-08-04T10:00") == 1  # the other case's
    assert noise.states() == {"C03": "running", "S02": "missed"}
    with database.transaction() as session:
        instance = case.engine.lock(session, case.instance_id)
        assert operations.stands_still(session, instance.id, EVERY) is not None
        operations.resume_all(session, instance, now=at("2026-08-04T15:30"), by="person:1")
        case.engine.rearm(session, case.instance_id, now=at("2026-08-04T15:30"), by="person:1")
    assert case.timer("late_first_call").due_at == at("2026-08-05T13:30")  # 27 and a half hours later
    assert case.timer("expired").due_at == at("2026-10-09T00:00")  # 3 October is in the same break
    assert case.states() == {"C03": "running", "S02": "running"}
    assert "mended" in " ".join(case.shown("2026-08-04T16:00")["C03"]["sentences"]["en"])


def test_office_hours_lose_only_the_office_time_of_a_repair() -> None:
    calendar = Calendar()
    s01 = limit("S01")
    start = at("2026-09-18T17:20")  # a Friday; ten minutes are left of the day, and Sunday 20 is a workday
    assert compute(s01, start, calendar=calendar).due_at == at("2026-09-20T08:50")
    stopped = Pause(date(2026, 9, 18), date(2026, 9, 20), exact=(at("2026-09-18T17:25"), at("2026-09-20T09:00")))
    assert compute(s01, start, calendar=calendar, pauses=[stopped]).due_at == at("2026-09-20T09:25")


#: limit, start, amount, last day without, last day with (by hand from the notices of 2025 and 2026).
EXTENDED = [
    ("C05", "2026-04-22", 15, "2026-05-15", "2026-06-05"),  # 1–5 May are off, Saturday 9 May is worked
    ("C06", "2026-09-10", 5, "2026-10-08", "2026-10-14"),  # 20 Sept, 10 Oct worked; 25–27 Sept, 1–7 Oct off
    ("C25", "2026-09-16", 10, "2026-10-08", "2026-10-12"),  # 15 + 10 days end on Sunday 11 October
    ("C22b", "2026-11-02", 30, "2026-11-09", "2026-12-09"),
]


@pytest.mark.parametrize(("id", "start", "amount", "without", "extended"), EXTENDED)
def test_an_extension_lengthens_the_limit_by_its_own_units(
    id: str, start: str, amount: int, without: str, extended: str
) -> None:
    calendar, begun = Calendar(), date.fromisoformat(start)
    more = Extension(amount, "王五", date(2026, 2, 1), "办法27")
    assert compute(limit(id, start), begun, calendar=calendar).due_on.isoformat() == without
    due = compute(limit(id, start), begun, calendar=calendar, extensions=[more])
    assert (due.due_on.isoformat(), due.extensions[0].base_on) == (extended, date.fromisoformat(without))
    assert due.limit == limit(id, start)


def test_an_extension_moves_the_ladder_of_warnings_with_the_end() -> None:
    calendar, c05 = Calendar(), limit("C05")
    more = [Extension(15, "王五", date(2026, 8, 10), "办法27")]
    today = date(2026, 8, 10)
    before = warning_at(c05, date(2026, 8, 3), 1, calendar=calendar, today=today)
    after = warning_at(c05, date(2026, 8, 3), 1, calendar=calendar, extensions=more, today=today)
    assert calendar.workdays_between(before.date(), after.date()) == 15


def ask(case: Case, now: str = "2026-08-10T10:00", by: str = "person:1", **more: Any) -> Any:
    with case.database.transaction() as session:
        case.engine.lock(session, case.instance_id)
        row = deadline(session, case, "C05")
        asked = operations.request_extension(
            session,
            row,
            limit("C05"),
            **{"amount": 15, "why": "案情复杂", **more},
            now=at(now),
            by=by,
            by_name="李四",
        )
        return asked.id


def answer(case: Case, asked: Any, now: str, by: str = "person:2", *, grant: bool = True) -> None:
    with case.database.transaction() as session:
        case.engine.lock(session, case.instance_id)
        row = session.get_one(DeadlineExtension, asked)
        if grant:
            operations.approve(
                session, row, deadline(session, case, "C05"), now=at(now), by=by, by_name="王五", note="同意"
            )
            case.engine.rearm(session, case.instance_id, now=at(now), by=by)
        else:
            operations.refuse(session, row, now=at(now), by=by, by_name="王五", note="不同意")


def test_nothing_moves_until_somebody_else_approves(database: Database) -> None:
    case = Extendable(database)
    assert case.timer("late_first_call").due_at == at("2026-08-25T00:00")
    asked = ask(case)
    assert case.timer("late_first_call").due_at == at("2026-08-25T00:00")
    with pytest.raises(Forbidden):
        answer(case, asked, "2026-08-10T11:00", by="person:1")
    with pytest.raises(WrongState):
        ask(case)  # one waits
    answer(case, asked, "2026-08-11T09:00")
    assert case.timer("late_first_call").due_at == at("2026-09-15T00:00")
    assert case.timer("warned").due_at == at("2026-09-10T09:00")
    shown = case.shown("2026-08-11T09:00")["C05"]
    assert shown["due_on"] == "2026-09-14"
    assert shown["extensions"] == [
        {
            "amount": 15,
            "approved_by": "王五",
            "approved_on": "2026-08-11",
            "article": "办法27",
            "why": "案情复杂",
            "base_on": "2026-08-24",
        }
    ]
    assert any("经王五批准延长15个工作日，原来最后一日是8月24日周一" in said for said in shown["sentences"]["zh"])
    with pytest.raises(WrongState, match="最多延长1次"):
        ask(case, "2026-08-12T10:00")
    assert case.timer("expired").due_at == at("2026-10-09T00:00")  # another limit of the same case


def test_a_refused_or_withdrawn_request_moves_nothing_and_another_may_follow(database: Database) -> None:
    case = Extendable(database)
    answer(case, ask(case), "2026-08-11T09:00", grant=False)
    with database.transaction() as session:
        waiting = session.get_one(DeadlineExtension, ask_in(session, case))
        operations.withdraw_extension(session, waiting, now=at("2026-08-11T10:00"), by="person:1")
        with pytest.raises(WrongState):
            operations.withdraw_extension(session, waiting, now=at("2026-08-11T10:00"), by="person:1")
    answer(case, ask(case, amount=None, until=date(2026, 8, 31)), "2026-08-12T09:00")
    assert case.timer("late_first_call").due_at == at("2026-09-01T00:00")


def ask_in(session: Any, case: Case) -> Any:
    row = deadline(session, case, "C05")
    asked = operations.request_extension(
        session, row, limit("C05"), amount=1, why="x", now=at("2026-08-11T09:30"), by="person:1"
    )
    return asked.id


def test_a_request_that_nobody_answers_lapses_with_the_limit(database: Database) -> None:
    case = Extendable(database)
    asked = ask(case)
    with pytest.raises(WrongState):  # the limit passes at this very moment, fired or not
        answer(case, asked, "2026-08-25T00:00")
    case.advance("2026-08-25T00:00")
    assert case.states()["C05"] == "missed"
    with database.transaction() as session:
        assert session.get_one(DeadlineExtension, asked).state == "lapsed"
    with pytest.raises(WrongState):
        answer(case, asked, "2026-08-25T09:00")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"amount": 16}, "extension.too_long"),
        ({"amount": 0}, "extension.too_long"),
        ({"amount": None, "until": date(2026, 8, 30)}, "extension.until"),  # a Sunday
        ({"amount": None, "until": date(2026, 8, 20)}, "extension.until"),
        ({"amount": None, "until": date(2027, 8, 20)}, "extension.until"),
        ({"amount": None}, "extension.until"),
    ],
)
def test_a_request_that_does_not_fit_says_what_would(
    sqlite_database: Database, wish: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        ask(Extendable(sqlite_database), **wish)
    assert refused.value.code == code


def test_what_the_law_lets_nobody_extend_is_refused(sqlite_database: Database) -> None:
    case = Case(sqlite_database)
    with sqlite_database.transaction() as session, pytest.raises(WrongState) as refused:
        operations.request_extension(
            session,
            deadline(session, case, "C03"),
            limit("C03"),
            amount=5,
            why="x",
            now=at("2026-08-10T10:00"),
            by="person:1",
        )
    assert refused.value.code == "deadline.no_extension"
    assert "办法23" in refused.value.message


def test_the_parties_consent_where_the_rule_asks_for_it(sqlite_database: Database) -> None:
    class Court(Case):
        diagram = DIAGRAM.replace('due("S15", accepted_at)', 'due("C21", accepted_at)')

    case = Court(sqlite_database)
    with sqlite_database.transaction() as session:
        wish: dict[str, Any] = {"amount": 20, "why": "x", "now": at("2026-08-10T10:00"), "by": "person:1"}
        row = deadline(session, case, "C21")
        with pytest.raises(Invalid) as refused:
            operations.request_extension(session, row, limit("C21"), consents=["complainant"], **wish)
        assert refused.value.fields == {"consents": ["respondent"]}
        both = ["complainant", "respondent"]
        assert operations.request_extension(session, row, limit("C21"), consents=both, **wish).amount == 20


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("pausable: [appraisal]", "pausable: [weather]"), "no reason 'weather'"),
        (("at_most: 15, approved_by: [head], article: 办法27", "at_most: 15, article: 办法27"), "approved_by"),
        (("at_most: 15, approved_by: [head], article: 办法27", "approved_by: [head], article: 办法27"), "at_most"),
        (("at_most: 15, approved_by: [head], article: 办法27", "at_most: 0, approved_by: [head]"), "above 0"),
        (("at_most: 15, approved_by: [head], article: 办法27", "at_most: 5, approved_by: [head]"), "article"),
        (("approved_by: [head], article: 办法27", "approver: [head], article: 办法27"), "extendable has"),
        (("  force_majeure: {", "  force_majeure: { en2: x,"), "pause_reasons.force_majeure"),
        (("    roll: break", "    covers_running: maybe\n        roll: break"), "covers_running"),
    ],
)
def test_a_file_of_limits_that_cannot_be_meant_is_refused(change: tuple[str, str], what: str) -> None:
    text = LIMITS.decode()
    assert change[0] in text
    with pytest.raises(LimitsError, match=what):
        load_limits(text.replace(*change, 1).encode())


def test_a_release_that_names_no_reasons_stops_for_an_appraisal_alone() -> None:
    text = LIMITS.decode().replace("    pausable: [appraisal]\n", "")
    c03 = load_limits(text.encode()).get("C03", on=date(2026, 8, 3))
    assert [reason.code for reason in c03.pausable] == ["appraisal"]


def test_a_timer_of_a_stopped_limit_does_not_fire_and_a_late_pause_is_refused(database: Database) -> None:
    case = Case(database)
    with database.transaction() as session:
        row = deadline(session, case, "C03")
        operations.require_running(row, now=row.due_at - timedelta(seconds=1))
        with pytest.raises(WrongState):
            operations.require_running(row, now=row.due_at)
    stop(case, "2026-10-08T23:59")
    assert case.advance("2026-10-09T00:00") == 1  # S15
    with database.transaction() as session:
        assert session.get_one(Instance, case.instance_id).state == "running"
        timers = session.scalars(select(Timer).where(Timer.element == "expired")).all()
        assert [timer.state for timer in timers] == ["armed"]
        assert [p.limit for p in queries.pauses_of(session, case.instance_id)] == ["C03"]
