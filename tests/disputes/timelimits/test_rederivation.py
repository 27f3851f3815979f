"""Running deadlines reckoned again: rehearsed, applied, killed in between, raced."""

import random
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import chinese_calendar
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import disputes.timelimits.rederivation as rederivation
import engine.bundles
from core.db import Database
from core.refusals import Invalid, NotFound, WrongState
from disputes.audit import queries as audit
from disputes.timelimits import operations, queries
from disputes.timelimits.calendar import Day, Status
from disputes.timelimits.models import Rederivation
from engine import Task, events, timers
from tests.disputes.timelimits.test_running import DIAGRAM, LIMITS, Case, at, build_engine

CALENDAR, LIMIT_CHANGE, CHECK = Rederivation.Cause.CALENDAR, Rederivation.Cause.LIMITS, Rederivation.Cause.CHECK
BY = "person:9"


_C05 = LIMITS.index(b"  C05:")
SINCE_2025 = LIMITS[:_C05] + LIMITS[_C05:].replace(b"holds_from: 2026-04-15", b"holds_from: 2025-04-15", 1)


def off(*days: str, name: str = "春节") -> list[Day]:
    return [Day(date.fromisoformat(d), False, name, name, "import", "号", Status.ANNOUNCED) for d in days]


def worked(*days: str) -> list[Day]:
    return [Day(date.fromisoformat(d), True, "调休上班", "", "import", "号", Status.ANNOUNCED) for d in days]


def rehearse(database: Database, days: Iterable[Day] = (), now: str = "2026-01-20T09:00", **more: Any) -> UUID:
    more.setdefault("cause", CALENDAR)
    with database.transaction() as session:
        return rederivation.rehearse(session, days=days, now=at(now), by=BY, **more).id


def begin(database: Database, plan: UUID, now: str = "2026-01-20T09:30") -> None:
    with database.transaction() as session:
        rederivation.begin(session, rederivation.find(session, plan, lock=True), now=at(now), by=BY)


def carry_out(database: Database, now: str = "2026-01-20T09:30", **more: Any) -> int:
    return rederivation.carry_out(database, build_engine(), clock=lambda: at(now), **more)


def apply(database: Database, plan: UUID, now: str = "2026-01-20T09:30", **more: Any) -> None:
    begin(database, plan, now)
    carry_out(database, now, **more)


def listed(database: Database, plan: UUID) -> list[tuple[str, str, str, str, str, str]]:
    with database.reader() as session:
        return [
            (i.key, i.limit, i.before_on.isoformat(), i.after_on.isoformat(), str(i.effect), str(i.state))
            for i in sorted(rederivation.items(session, plan, limit=1000), key=lambda i: (i.key, i.limit))
        ]


def counts(database: Database, plan: UUID) -> dict[str, Any]:
    with database.reader() as session:
        return rederivation.find(session, plan).counts


class Working(Case):
    """C05, fifteen working days: the task and the boundary of the first call; its second warning; C03 around."""

    diagram = (
        DIAGRAM.replace(
            'dueDate="= due(&#34;C03&#34;, accepted_at)"', 'dueDate="= due(&#34;C05&#34;, accepted_at)"'
        )
        .replace('due("S15", accepted_at)', 'due("C05", accepted_at)')
        .replace('warning("C03", accepted_at, 1)', 'warning("C05", accepted_at, 2)')
    )

    #: As if the rule had been there before the spring of 2026, whose break the tables by hand are about.
    limits = SINCE_2025

    def __init__(self, database: Database, **more: Any) -> None:
        super().__init__(database, **{"now": "2026-01-28T10:00", **more})


#: The break of 2026 is 15–23 February, Saturdays 14 and 28 February are worked. By hand, C15 from a start:
#: five working days (consumer council, Zhejiang) before and after a change of the days.
BREAK_MOVES = [
    # The break begins a day later: 15 February (a Sunday) stays a day off, 16 becomes a workday.
    ("2026-02-11", worked("2026-02-16"), "2026-02-25", "2026-02-24"),
    # It lasts a day longer: 24 February is off too.
    ("2026-02-11", off("2026-02-24"), "2026-02-25", "2026-02-26"),
    # A make-up Saturday is added: 7 February is worked.
    ("2026-02-04", worked("2026-02-07"), "2026-02-11", "2026-02-10"),
    # A make-up Saturday is taken back: 14 February is off, and joins the break.
    ("2026-02-11", off("2026-02-14"), "2026-02-25", "2026-02-26"),
    # The break is moved by a day as a whole: 24 off, 16 worked.
    ("2026-02-11", [*worked("2026-02-16"), *off("2026-02-24")], "2026-02-25", "2026-02-25"),
    # A day that it does not look at.
    ("2026-02-11", off("2026-03-02", name="地方假"), "2026-02-25", "2026-02-25"),
]


@pytest.mark.parametrize(("start", "days", "before", "after"), BREAK_MOVES)
def test_a_break_that_moves_moves_the_deadlines_that_count_it(
    sqlite_database: Database, start: str, days: list[Day], before: str, after: str
) -> None:
    class Council(Case):
        diagram = DIAGRAM.replace('due("S15", accepted_at)', 'due("C15", accepted_at)')

    case = Council(sqlite_database, now=f"{start}T10:00")
    assert case.shown(f"{start}T12:00")["C15"]["due_on"] == before
    plan = rehearse(sqlite_database, days, f"{start}T13:00")
    assert case.shown(f"{start}T13:00")["C15"]["due_on"] == before  # a rehearsal changes nothing
    apply(sqlite_database, plan, f"{start}T14:00")
    assert case.shown(f"{start}T14:00")["C15"]["due_on"] == after
    midnight = at(f"{after}T00:00") + timedelta(days=1)
    assert case.timer("late_first_call").due_at == midnight


def test_every_carrier_moves_with_its_explanation_and_the_chain_says_so(database: Database) -> None:
    case, noise = Working(database), Case(database, key="case-2", now="2026-01-28T10:00")
    c05 = case.shown("2026-01-29T10:00")["C05"]
    assert c05["due_on"] == "2026-02-25"
    assert noise.shown("2026-01-29T10:00")["C03"]["due_on"] == "2026-03-29"
    told: list[dict[str, Any]] = []

    def tell(session: Session, moved: Any, plan: Rederivation, now: datetime) -> None:
        told.append(
            {
                key: [(m.limit, m.before.isoformat(), m.after.isoformat()) for m in what]
                for key, what in moved.items()
            }
        )

    plan = rehearse(database, off("2026-02-24"), "2026-01-29T10:00", document_no="国办发明电〔2026〕1号")
    assert listed(database, plan) == [("case-1", "C05", "2026-02-25", "2026-02-26", "later", "planned")]
    begin(database, plan, "2026-01-29T11:00")
    assert case.shown("2026-01-29T11:00")["C05"]["due_on"] == "2026-02-25"  # case after case
    carry_out(database, "2026-01-29T11:00", tell=tell)
    assert case.timer("late_first_call").due_at == at("2026-02-27T00:00")
    assert case.timer("warned").due_at == at("2026-02-14T09:00")  # thirteen working days: before the break
    shown = case.shown("2026-01-29T11:00")["C05"]
    assert shown["due_on"] == "2026-02-26"
    assert "2026-02-24" in [day["date"] for day in shown["skipped"]]
    assert told == [{"case-1": [("C05", "2026-02-25", "2026-02-26")]}]
    with database.transaction() as session:
        task = session.scalars(select(Task).where(Task.instance_id == case.instance_id)).one()
        assert (task.due_at, task.due_note["due_on"]) == (at("2026-02-27T00:00"), "2026-02-26")  # type: ignore[index]
        kinds = [e.kind for e in events.history(session, case.instance_id)]
        assert kinds[-3:].count("deadline.moved") == 1
        assert {"timer.moved", "task.moved"} <= set(kinds)
        assert events.verify(session, case.instance_id)
        assert "deadline.moved" not in [e.kind for e in events.history(session, noise.instance_id)]
        assert audit.verify_all(session).is_whole
        assert rederivation.find(session, plan).state == "applied"
    assert case.complete("hold", "2026-02-26T23:59", result="C03").incidents == []  # the case goes on as before


def test_what_has_passed_is_kept_and_what_is_due_by_now_is_due_at_once(database: Database) -> None:
    passed = Working(database, key="a-passed")
    sooner = Working(database, key="b-sooner", now="2026-02-02T10:00")
    passed.advance("2026-02-26T00:00")
    assert passed.states()["C05"] == "missed"
    assert sooner.shown("2026-02-26T09:00")["C05"]["due_on"] == "2026-02-28"
    # It turns out on 27 February that 24 and 25 were off, and that five days of the break were worked.
    days = [*off("2026-02-24", "2026-02-25"), *worked(*(f"2026-02-{d}" for d in range(16, 21)))]
    plan = rehearse(database, days, "2026-02-27T09:00")
    assert listed(database, plan) == [("b-sooner", "C05", "2026-02-28", "2026-02-20", "overdue", "planned")]
    apply(database, plan, "2026-02-27T09:30")
    assert sooner.timer("late_first_call").due_at < at("2026-02-27T09:30")
    assert sooner.advance("2026-02-27T09:30") >= 1
    assert sooner.states()["C05"] == "missed"
    assert passed.states()["C05"] == "missed"


def test_a_limit_that_was_missed_is_not_reopened(database: Database) -> None:
    case = Working(database)
    case.advance("2026-02-26T00:00")
    fired = case.timer("late_first_call")
    plan = rehearse(database, off("2026-02-24", "2026-02-25"), "2026-02-26T09:00")
    assert listed(database, plan) == [("case-1", "C05", "2026-02-25", "2026-02-27", "over", "kept")]
    assert counts(database, plan)["over"] == 1
    apply(database, plan, "2026-02-26T09:30")
    after = case.timer("late_first_call")
    assert (after.state, after.due_at) == ("fired", fired.due_at)
    assert case.states()["C05"] == "missed"


def test_a_warning_that_went_out_is_listed_and_not_repeated(database: Database) -> None:
    case = Working(database)
    case.advance("2026-02-14T09:00")
    assert case.timer("warned").state == "fired"
    assert [listed(database, rehearse(database, off("2026-02-24"), "2026-02-14T09:30"))[0][4]] == ["later"]
    plan = rehearse(database, off("2026-02-13"), "2026-02-14T10:00")
    with database.reader() as session:
        assert [i.warned for i in rederivation.items(session, plan)] == [["warned"]]
    apply(database, plan, "2026-02-14T11:00")
    assert case.timer("warned").state == "fired"
    assert case.advance("2026-02-26T00:00") == 0
    assert case.advance("2026-02-27T00:00") == 1


def test_announcing_the_days_clears_the_mark_of_what_rested_on_them(database: Database) -> None:
    case = Case(database, now="2026-11-20T10:00")
    assert case.shown("2026-11-22T10:00")["C03"]["clock"] == "prov"
    notice = operations.Notice.from_json(
        {"year": 2027, "breaks": [{"name": "元旦", "from": "2027-01-01", "to": "2027-01-03"}], "workdays": []}
    )
    plan = rehearse(database, notice.days(), "2026-11-22T10:00")
    assert listed(database, plan) == [("case-1", "C03", "2027-01-19", "2027-01-19", "same", "planned")]
    assert counts(database, plan)["settled"] == 1
    apply(database, plan, "2026-11-22T11:00")
    assert case.shown("2026-11-22T11:00")["C03"]["clock"] == "plenty"
    with database.transaction() as session:
        task = session.scalars(select(Task).where(Task.instance_id == case.instance_id)).one()
        assert task.due_note is not None and task.due_note["provisional"] is False
        assert "deadline.moved" not in [e.kind for e in events.history(session, case.instance_id)]


def test_a_rehearsal_can_be_abandoned_and_each_step_happens_once(database: Database) -> None:
    case = Working(database)
    plan = rehearse(database, off("2026-02-24"), "2026-01-29T10:00")
    with database.transaction() as session:
        rederivation.abandon(session, rederivation.find(session, plan), now=at("2026-01-29T11:00"), by=BY)
    for again in (begin,):
        with pytest.raises(WrongState):
            again(database, plan)
    assert carry_out(database) == 0
    assert case.timer("late_first_call").due_at == at("2026-02-26T00:00")
    second = rehearse(database, off("2026-02-24"), "2026-01-29T10:00")
    apply(database, second)
    with pytest.raises(WrongState):
        begin(database, second)
    assert carry_out(database) == 0  # twice is once
    with database.transaction() as session, pytest.raises(NotFound):
        rederivation.find(session, case.instance_id)


@pytest.mark.parametrize(
    "wish",
    [{"cause": CALENDAR}, {"cause": LIMIT_CHANGE}, {"cause": CHECK, "release": "x"}, {"cause": LIMIT_CHANGE, "days": off("2026-02-24"), "release": "x"}],
)  # fmt: skip
def test_a_cause_stands_on_something(sqlite_database: Database, wish: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        rehearse(sqlite_database, **wish)


def test_a_case_that_moved_on_since_the_rehearsal_is_reckoned_again_and_marked(database: Database) -> None:
    done, paused, began = Working(database, key="a"), Working(database, key="b"), []
    plan = rehearse(database, off("2026-02-24"), "2026-01-29T10:00")
    with database.transaction() as session:
        done.engine.deliver(session, "withdrawn", "a", now=at("2026-01-29T11:00"), by="person:1")
    stop(paused, "2026-01-29T11:00")
    go_on(paused, "2026-02-02T09:00")
    begin(database, plan, "2026-02-02T10:00")
    began.append(Working(database, key="c", now="2026-02-02T10:05"))
    carry_out(database, "2026-02-02T10:10")
    states = {(row[0], row[1]): row[3:] for row in listed(database, plan)}
    assert states["a", "C05"][2] == "gone"
    # Thursday and Friday 29 and 30 January stood still: two working days more.
    assert states["b", "C05"] == ("2026-02-28", "later", "changed")
    assert began[0].shown("2026-02-02T10:10")["C05"]["due_on"] == "2026-03-02"  # by the new calendar from the start
    with database.reader() as session:
        assert rederivation.find(session, plan).state == "applied"


def stop(case: Case, now: str) -> None:
    with case.database.transaction() as session:
        instance = case.engine.lock(session, case.instance_id)
        limit = queries.limits_of(session, instance.bundle).get("C05", region="330299", on=date(2026, 8, 1))
        operations.pause(session, instance, limit, why="", now=at(now), by="person:1")
        case.engine.rearm(session, case.instance_id, now=at(now), by="person:1")


def go_on(case: Case, now: str) -> None:
    with case.database.transaction() as session:
        instance = case.engine.lock(session, case.instance_id)
        operations.resume(session, instance, "C05", now=at(now), by="person:1")
        case.engine.rearm(session, case.instance_id, now=at(now), by="person:1")


def test_a_stopped_clock_is_reckoned_as_if_it_went_on_and_its_timer_stays(database: Database) -> None:
    case = Working(database)
    stop(case, "2026-02-05T10:00")
    plan = rehearse(database, off("2026-02-24"), "2026-02-10T10:00")
    found = [row for row in listed(database, plan) if row[1] == "C05"]
    assert [row[4] for row in found] == ["later"]
    apply(database, plan, "2026-02-10T11:00")
    assert case.timer("late_first_call").due_at.year == 9999
    assert case.states()["C05"] == "paused"
    go_on(case, "2026-02-11T09:00")
    assert case.shown("2026-02-11T10:00")["C05"]["due_on"] == found[0][3]


def test_a_moment_with_something_added_to_it_is_evaluated_by_the_engine(database: Database) -> None:
    class Later(Working):
        diagram = Working.diagram.replace(
            '= due("C05", accepted_at)</bpmn:timeDate>',
            '= due("C05", accepted_at) + duration("PT9H")</bpmn:timeDate>',
        )

    case = Later(database)
    assert case.timer("late_first_call").due_at == at("2026-02-26T09:00")
    apply(database, rehearse(database, off("2026-02-24"), "2026-01-29T10:00"), "2026-01-29T11:00")
    assert case.timer("late_first_call").due_at == at("2026-02-27T09:00")
    assert case.timer("warned").due_at == at("2026-02-14T09:00")


def test_killed_in_the_middle_the_rest_is_done_and_nothing_twice(database: Database, monkeypatch: Any) -> None:
    cases = [Working(database, key=f"case-{n}") for n in range(7)]
    monkeypatch.setattr(rederivation, "BATCH", 2)
    plan = rehearse(database, off("2026-02-24"), "2026-01-29T10:00")
    begin(database, plan, "2026-01-29T11:00")
    assert carry_out(database, "2026-01-29T11:00", batches=2) == 4

    class Killed(BaseException):
        """As kill -9: nothing catches it, and what was not committed is lost."""

    def die(*_: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        carry_out(database, "2026-01-29T11:00", tell=die)
    assert sorted(row[5] for row in listed(database, plan)) == ["applied"] * 4 + ["planned"] * 3
    assert carry_out(database, "2026-01-29T11:01") == 3
    assert {case.shown("2026-01-29T12:00")["C05"]["due_on"] for case in cases} == {"2026-02-26"}
    with database.transaction() as session:
        for case in cases:
            kinds = [e.kind for e in events.history(session, case.instance_id)]
            assert kinds.count("deadline.moved") == 1
        assert audit.verify_all(session).is_whole


def test_one_case_that_fails_holds_up_nobody(database: Database, monkeypatch: Any) -> None:
    cases = [Working(database, key=f"case-{n}") for n in range(3)]
    plan = rehearse(database, off("2026-02-24"), "2026-01-29T10:00")
    plain = rederivation._move_one

    def breaks(reckoner: Any, plan: Any, item: Any, *rest: Any) -> None:
        if item.key == "case-1":
            raise RuntimeError("out of order")
        plain(reckoner, plan, item, *rest)

    monkeypatch.setattr(rederivation, "_move_one", breaks)
    apply(database, plan, "2026-01-29T11:00")
    assert [case.shown("2026-01-29T12:00")["C05"]["due_on"] for case in cases] == [
        "2026-02-26", "2026-02-25", "2026-02-26",
    ]  # fmt: skip
    assert [row[5] for row in listed(database, plan)] == ["applied", "failed", "applied"]
    with database.reader() as session:
        [failed] = rederivation.items(session, plan, state="failed")
        assert "out of order" in failed.note
        assert rederivation.find(session, plan).state == "applied"


def test_a_timer_that_a_worker_has_claimed_is_not_fired_early(database: Database) -> None:
    case = Working(database)
    claimed = timers.claim(database, owner="w", now=at("2026-02-26T00:00"))
    assert case.timer("late_first_call").id in claimed
    apply(database, rehearse(database, off("2026-02-24"), "2026-02-26T00:00"), "2026-02-26T00:00")
    assert (
        timers.fire(database, case.engine, case.timer("late_first_call").id, owner="w", now=at("2026-02-26T00:00"))
        is None
    )
    assert case.timer("late_first_call").state == "armed"
    assert case.advance("2026-02-26T23:59") <= 1  # the warning
    assert case.states()["C05"] == "running"
    case.advance("2026-02-27T00:00")
    assert case.states()["C05"] == "missed"


LONGER = LIMITS.decode().replace(
    "    start: clue_found_at\n    amount: 15\n", "    start: clue_found_at\n    amount: 20\n"
)


def release(database: Database, limits: str, diagram: str = Working.diagram) -> str:
    with database.transaction() as session:
        files = {"bpmn/mediate.bpmn": diagram.encode(), "time_limits.yaml": limits.encode()}
        return engine.bundles.save(session, files, now=at("2026-04-20T09:00"))


def test_limits_of_another_release_hold_for_running_cases_once_that_is_applied(database: Database) -> None:
    case = Working(database, now="2026-04-22T10:00")
    assert case.shown("2026-04-22T11:00")["C05"]["due_on"] == "2026-05-15"
    digest = release(database, LONGER)
    plan = rehearse(database, (), "2026-04-23T09:00", cause=LIMIT_CHANGE, release=digest)
    assert listed(database, plan) == [("case-1", "C05", "2026-05-15", "2026-05-22", "later", "planned")]
    apply(database, plan, "2026-04-23T10:00")
    assert case.shown("2026-04-23T10:00")["C05"]["due_on"] == "2026-05-22"
    # It stays so: what is reckoned later stands on the same limits.
    stop(case, "2026-04-24T10:00")
    go_on(case, "2026-04-27T09:00")
    assert case.shown("2026-04-27T10:00")["C05"]["due_on"] == "2026-05-25"  # Friday 24 stood still
    assert rehearse_count(database, "2026-04-28T09:00") == 0


def rehearse_count(database: Database, now: str) -> int:
    return len(listed(database, rehearse(database, (), now, cause=CHECK)))


EDITIONS = """    editions:
      - { holds_from: 2026-04-15, holds_until: 2026-05-01, amount: 15, warn_after: [10, 13] }
      - { holds_from: 2026-05-01, amount: 20, warn_after: [10, 13]%s }
"""


@pytest.mark.parametrize(("covers", "moves"), [("", False), (", covers_running: true", True)])
def test_a_new_edition_reaches_back_only_where_it_says_so(database: Database, covers: str, moves: bool) -> None:
    text = LIMITS.decode()
    begin_at, end_at = text.index("  C05:"), text.index("  C06:")
    c05 = text[begin_at:end_at].replace("    amount: 15\n", "").replace("    warn_after: [10, 13]\n", "")
    c05 = c05.replace("    holds_from: 2026-04-15\n", "") + EDITIONS % covers
    digest = release(database, text[:begin_at] + c05 + text[end_at:])
    case = Working(database, now="2026-04-22T10:00")
    assert rehearse_limits(database, digest, "2026-04-30T09:00") == []  # not in force yet
    plan = rehearse(database, (), "2026-05-06T09:00", cause=LIMIT_CHANGE, release=digest)
    assert [row[2:4] for row in listed(database, plan)] == ([("2026-05-15", "2026-05-22")] if moves else [])
    apply(database, plan, "2026-05-06T10:00")
    shown = case.shown("2026-05-06T10:00")["C05"]["due_on"]
    assert shown == ("2026-05-22" if moves else "2026-05-15")
    assert rehearse_count(database, "2026-05-07T09:00") == 0


def rehearse_limits(database: Database, digest: str, now: str) -> list[Any]:
    return listed(database, rehearse(database, (), now, cause=LIMIT_CHANGE, release=digest))


def test_limits_that_say_nothing_of_a_running_deadline_fail_that_case_alone(database: Database) -> None:
    case = Working(database, now="2026-04-22T10:00")
    text = LIMITS.decode()
    digest = release(database, text[: text.index("  C05:")] + text[text.index("  C06:") :])
    plan = rehearse(database, (), "2026-04-23T09:00", cause=LIMIT_CHANGE, release=digest)
    assert [row[5] for row in listed(database, plan) if row[1] == "C05"] == ["failed"]
    apply(database, plan, "2026-04-23T10:00")
    assert case.shown("2026-04-23T10:00")["C05"]["due_on"] == "2026-05-15"


def test_after_a_migration_one_case_is_evaluated_anew(database: Database) -> None:
    case = Working(database, now="2026-04-22T10:00")
    with database.transaction() as session:
        instance = case.engine.lock(session, case.instance_id)
        instance.bundle = release_in(session, LONGER)
        session.flush()
        moved = rederivation.rearm_instance(session, case.engine, instance.id, now=at("2026-04-23T09:00"), by=BY)
    assert [(m.limit, m.before.isoformat(), m.after.isoformat()) for m in moved] == [
        ("C05", "2026-05-15", "2026-05-22")
    ]
    assert case.shown("2026-04-23T10:00")["C05"]["due_on"] == "2026-05-22"


def test_after_a_migration_what_nobody_is_held_to_any_more_is_dropped(database: Database) -> None:
    case = Working(database, now="2026-04-22T10:00")
    other = Working.diagram.replace('"C05"', '"C06"').replace("&#34;C05&#34;", "&#34;C06&#34;")
    with database.transaction() as session:
        instance = case.engine.lock(session, case.instance_id)
        instance.bundle = release_in(session, LONGER, other)
        session.flush()
        rederivation.rearm_instance(session, case.engine, instance.id, now=at("2026-04-23T09:00"), by=BY)
    states = case.states()
    assert states["C06"] == "running"
    assert states["C05"] == "dropped"


def release_in(session: Session, limits: str, diagram: str = Working.diagram) -> str:
    files = {"bpmn/mediate.bpmn": diagram.encode(), "time_limits.yaml": limits.encode()}
    return engine.bundles.save(session, files, now=at("2026-04-20T09:00"))


# An oracle of its own: chinesecalendar's days, a set of changes, and counting day by day.


def oracle(start: date, count: int, changed: dict[date, bool], stood: set[date]) -> date:
    def is_worked(on: date) -> bool:
        return changed.get(on, chinese_calendar.is_workday(on))

    left = count + (start in stood and is_worked(start))
    on = start
    while left:
        on += timedelta(days=1)
        left -= is_worked(on) and on not in stood
    return on


def drawn(seed: int) -> Iterator[tuple[dict[date, bool], list[tuple[date, list[tuple[date, date]]]]]]:
    draw = random.Random(seed)
    changed: dict[date, bool] = {}
    for _ in range(draw.randint(1, 8)):
        on = date(2025, 12, 20) + timedelta(days=draw.randint(0, 130))
        changed[on] = not chinese_calendar.is_workday(on)
    begun = []
    for _ in range(4):
        start = date(2025, 12, 15) + timedelta(days=draw.randint(0, 60))
        pauses = []
        if draw.random() < 0.5:
            first = start + timedelta(days=draw.randint(0, 9))
            pauses.append((first, first + timedelta(days=draw.randint(0, 9))))
        begun.append((start, pauses))
    yield changed, begun


@pytest.mark.parametrize("seed", range(6))
def test_random_changes_move_random_cases_as_counting_day_by_day_does(sqlite_database: Database, seed: int) -> None:
    for changed, begun in drawn(seed):
        check_random(sqlite_database, changed, begun)


def check_random(database: Database, changed: dict[date, bool], begun: Any) -> None:
    cases = []
    for number, (start, pauses) in enumerate(begun):
        case = Working(database, key=f"case-{number}", now=f"{start}T10:00")
        with database.transaction() as session:
            instance = case.engine.lock(session, case.instance_id)
            limit = queries.limits_of(session, instance.bundle).get("C05", on=date(2026, 8, 1))
            for first, last in pauses:
                operations.pause(session, instance, limit, why="", now=at(f"{first}T11:00"), by=BY)
                operations.resume(session, instance, "C05", now=at(f"{last}T12:00"), by=BY)
            case.engine.rearm(session, case.instance_id, now=at(f"{start}T13:00"), by=BY)
        cases.append((case, start, pauses))
    days = [Day(on, is_worked, "改", "" if is_worked else "改", "import") for on, is_worked in changed.items()]
    now = "2026-01-01T00:00"
    apply(database, rehearse(database, days, now), now)
    for case, start, pauses in cases:
        stood = {first + timedelta(days=n) for first, last in pauses for n in range((last - first).days)}
        expected = oracle(start, 15, changed, stood)
        assert case.shown(now)["C05"]["due_on"] == expected.isoformat()
        assert case.timer("late_first_call").due_at == at(f"{expected}T00:00") + timedelta(days=1)
        warned = oracle(start, 13, changed, stood)
        assert case.timer("warned").due_at == at(f"{warned}T09:00")
    assert listed(database, rehearse(database, (), now, cause=CHECK)) == []
