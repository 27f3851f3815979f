"""Deadlines on running cases: a real engine, a real database, a small diagram."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import engine.bundles
from core.db import Database
from core.now import CHINA
from core.refusals import Invalid, WrongState
from disputes.timelimits import TimelimitsListener, functions_for, operations, queries, services
from disputes.timelimits.models import CalendarChange, CalendarDay, Deadline, DeadlinePause
from disputes.timelimits.operations import Notice
from disputes.timelimits.rules import NEVER
from engine import Engine, Instance, Step, Task, Timer
from engine.timers import drain

LIMITS = Path("workflows/time_limits.yaml").read_bytes()

#: mediate (C03 with its ladder, interrupting at its end) → hold → gateway-free: hold, then tell. A message withdraws.
DIAGRAM = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
  <bpmn:process id="mediate" isExecutable="true">
    <bpmn:startEvent id="begun"><bpmn:outgoing>f0</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="f0" sourceRef="begun" targetRef="stage"/>
    <bpmn:subProcess id="stage">
      <bpmn:incoming>f0</bpmn:incoming><bpmn:outgoing>f9</bpmn:outgoing>
      <bpmn:startEvent id="s0"><bpmn:outgoing>g0</bpmn:outgoing></bpmn:startEvent>
      <bpmn:sequenceFlow id="g0" sourceRef="s0" targetRef="hold"/>
      <bpmn:userTask id="hold" name="调解">
        <bpmn:extensionElements>
          <zeebe:userTask/>
          <zeebe:assignmentDefinition candidateGroups="mediator"/>
          <zeebe:taskSchedule dueDate="= due(&#34;C03&#34;, accepted_at)"/>
          <zeebe:ioMapping><zeebe:output source="= result" target="result"/></zeebe:ioMapping>
        </bpmn:extensionElements>
        <bpmn:incoming>g0</bpmn:incoming><bpmn:outgoing>g1</bpmn:outgoing>
      </bpmn:userTask>
      <bpmn:boundaryEvent id="late_first_call" cancelActivity="false" attachedToRef="hold">
        <bpmn:outgoing>g7</bpmn:outgoing>
        <bpmn:timerEventDefinition><bpmn:timeDate>= due("S15", accepted_at)</bpmn:timeDate></bpmn:timerEventDefinition>
      </bpmn:boundaryEvent>
      <bpmn:endEvent id="called"><bpmn:incoming>g7</bpmn:incoming></bpmn:endEvent>
      <bpmn:sequenceFlow id="g7" sourceRef="late_first_call" targetRef="called"/>
      <bpmn:sequenceFlow id="g1" sourceRef="hold" targetRef="pause"/>
      <bpmn:serviceTask id="pause">
        <bpmn:extensionElements>
          <zeebe:taskDefinition type="deadline.pause"/>
          <zeebe:ioMapping>
            <zeebe:input source="= result" target="limit"/>
            <zeebe:output source="= paused_at" target="paused_at"/>
          </zeebe:ioMapping>
        </bpmn:extensionElements>
        <bpmn:incoming>g1</bpmn:incoming><bpmn:outgoing>g2</bpmn:outgoing>
      </bpmn:serviceTask>
      <bpmn:sequenceFlow id="g2" sourceRef="pause" targetRef="appraise"/>
      <bpmn:userTask id="appraise" name="等待鉴定">
        <bpmn:extensionElements>
          <zeebe:userTask/>
          <zeebe:taskSchedule dueDate="= due(&#34;S16&#34;, paused_at)"/>
        </bpmn:extensionElements>
        <bpmn:incoming>g2</bpmn:incoming><bpmn:outgoing>g3</bpmn:outgoing>
      </bpmn:userTask>
      <bpmn:sequenceFlow id="g3" sourceRef="appraise" targetRef="resume"/>
      <bpmn:serviceTask id="resume">
        <bpmn:extensionElements>
          <zeebe:taskDefinition type="deadline.resume"/>
          <zeebe:ioMapping><zeebe:input source="= &#34;C03&#34;" target="limit"/></zeebe:ioMapping>
        </bpmn:extensionElements>
        <bpmn:incoming>g3</bpmn:incoming><bpmn:outgoing>g4</bpmn:outgoing>
      </bpmn:serviceTask>
      <bpmn:sequenceFlow id="g4" sourceRef="resume" targetRef="agree"/>
      <bpmn:userTask id="agree" name="签署"><bpmn:extensionElements><zeebe:userTask/></bpmn:extensionElements>
        <bpmn:incoming>g4</bpmn:incoming><bpmn:outgoing>g5</bpmn:outgoing></bpmn:userTask>
      <bpmn:sequenceFlow id="g5" sourceRef="agree" targetRef="agreed"/>
      <bpmn:endEvent id="agreed"><bpmn:incoming>g5</bpmn:incoming></bpmn:endEvent>
    </bpmn:subProcess>
    <bpmn:boundaryEvent id="warned" cancelActivity="false" attachedToRef="stage">
      <bpmn:outgoing>f1</bpmn:outgoing>
      <bpmn:timerEventDefinition><bpmn:timeDate>= warning("C03", accepted_at, 1)</bpmn:timeDate></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:endEvent id="reminded"><bpmn:incoming>f1</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="warned" targetRef="reminded"/>
    <bpmn:boundaryEvent id="expired" attachedToRef="stage">
      <bpmn:outgoing>f2</bpmn:outgoing>
      <bpmn:timerEventDefinition><bpmn:timeDate>= due("C03", accepted_at)</bpmn:timeDate></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:endEvent id="terminated"><bpmn:incoming>f2</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f2" sourceRef="expired" targetRef="terminated"/>
    <bpmn:boundaryEvent id="withdrawn" attachedToRef="stage">
      <bpmn:outgoing>f3</bpmn:outgoing>
      <bpmn:messageEventDefinition messageRef="m"/>
    </bpmn:boundaryEvent>
    <bpmn:endEvent id="ended"><bpmn:incoming>f3</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f3" sourceRef="withdrawn" targetRef="ended"/>
    <bpmn:sequenceFlow id="f9" sourceRef="stage" targetRef="done"/>
    <bpmn:endEvent id="done"><bpmn:incoming>f9</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
  <bpmn:message id="m" name="withdrawn"><bpmn:extensionElements>
    <zeebe:subscription correlationKey="= case_id"/></bpmn:extensionElements></bpmn:message>
</bpmn:definitions>"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def build_engine() -> Engine:
    return Engine(services=services, functions=functions_for, listeners=[TimelimitsListener()])


class Case:
    """One case on the diagram, driven by hand."""

    diagram = DIAGRAM
    limits = LIMITS

    def __init__(
        self, database: Database, *, now: str = "2026-08-03T10:00", key: str = "case-1", **data: Any
    ) -> None:
        self.database, self.engine, self.key = database, build_engine(), key
        with database.transaction() as session:
            files = {"bpmn/mediate.bpmn": self.diagram.encode(), "time_limits.yaml": self.limits}
            bundle = engine.bundles.save(session, files, now=at(now))
            step = self.engine.start(
                session,
                bundle=bundle,
                process="mediate",
                key=key,
                data={"accepted_at": at(now), "region": "330299", **data},
                now=at(now),
                by="person:1",
            )
            assert not step.incidents, step.incidents[0].message
            self.instance_id = step.instance.id

    def complete(self, element: str, now: str, **answer: Any) -> Step:
        with self.database.transaction() as session:
            task = session.scalars(
                select(Task.id).where(
                    Task.instance_id == self.instance_id, Task.element == element, Task.state == "open"
                )
            ).one()
            return self.engine.complete(session, task, answer, now=at(now), by="person:1")

    def advance(self, now: str) -> int:
        return drain(self.database, self.engine, owner="w", now=at(now), limit=100)

    def states(self) -> dict[str, str]:
        with self.database.transaction() as session:
            rows = session.scalars(select(Deadline).where(Deadline.instance_id == self.instance_id))
            return {row.limit: str(row.state) for row in rows}

    def shown(self, now: str) -> dict[str, dict[str, Any]]:
        with self.database.transaction() as session:
            return {d["limit"]: d for d in queries.deadlines_of(session, self.key, now=at(now))}

    def timer(self, element: str) -> Timer:
        with self.database.transaction() as session:
            return session.scalars(
                select(Timer).where(Timer.instance_id == self.instance_id, Timer.element == element)
            ).one()


def test_a_deadline_runs_from_the_step_that_arms_it_with_its_explanation(database: Database) -> None:
    case = Case(database)
    assert case.states() == {"C03": "running", "S15": "running"}
    assert case.timer("expired").due_at == at("2026-10-09T00:00")
    assert case.timer("warned").due_at == at("2026-09-02T09:00")
    shown = case.shown("2026-08-03T12:00")["C03"]
    assert shown["due_on"] == "2026-10-08"
    assert shown["rolled"] == {"from": "2026-10-02", "why": "最后一日逢国庆节放假"}
    assert (shown["clock"], shown["left"], shown["left_unit"]) == ("plenty", 66, "day")
    assert (shown["state"], shown["element"], shown["process"]) == ("running", "stage", "mediate")
    assert shown["sentences"]["zh"][0].startswith("调解期限（C03）自2026年8月3日")
    with database.transaction() as session:
        task = session.scalars(select(Task).where(Task.instance_id == case.instance_id)).one()
        assert task.due_note is not None and task.due_note["limit"] == "C03"
        assert queries.deadlines_of(session, "another", now=at("2026-08-03T12:00")) == []


def test_a_warning_settles_nothing_and_the_end_of_a_limit_is_missed(database: Database) -> None:
    case = Case(database)
    case.advance("2026-09-02T09:00")
    assert case.timer("warned").state == Timer.State.FIRED
    assert case.states() == {"C03": "running", "S15": "missed"}  # five working days passed long ago
    assert case.shown("2026-09-02T09:00")["S15"]["clock"] == "overdue"
    case.advance("2026-10-09T00:00")
    assert case.states()["C03"] == "missed"
    with database.transaction() as session:
        instance = session.get_one(Instance, case.instance_id)
        assert instance.ended_element == "terminated"


def test_a_pause_keeps_the_timers_still_and_resuming_moves_them_by_the_paused_days(database: Database) -> None:
    case = Case(database)
    step = case.complete("hold", "2026-08-10T15:00", result="C03")
    assert {row.element for row in step.moved} == {"expired", "warned"}
    assert case.states() == {"C03": "paused", "S15": "met", "S16": "running"}
    assert case.timer("expired").due_at == NEVER
    shown = case.shown("2026-08-12T09:00")["C03"]
    assert shown["clock"] == "paused"
    assert shown["pauses"] == [{"from": "2026-08-10", "to": None, "why": "鉴定、检测"}]
    assert case.advance("2026-12-01T00:00") == 0  # nothing fires while it is paused
    case.complete("appraise", "2026-08-22T09:00")
    assert case.timer("expired").due_at == at("2026-10-15T00:00")
    assert case.timer("warned").due_at == at("2026-09-14T09:00")
    shown = case.shown("2026-08-22T09:00")["C03"]
    assert (shown["state"], shown["due_on"]) == ("running", "2026-10-14")
    assert shown["pauses"] == [{"from": "2026-08-10", "to": "2026-08-22", "why": "鉴定、检测"}]
    case.complete("agree", "2026-09-01T10:00")
    assert case.states()["C03"] == "met"
    assert case.shown("2026-09-01T10:00")["C03"]["clock"] == "done"


def test_a_limit_that_nothing_may_stop_is_not_paused(database: Database) -> None:
    case = Case(database)
    with pytest.raises(WrongState, match="没有规定可以暂停"):
        case.complete("hold", "2026-08-04T15:00", result="C01")
    assert case.states() == {"C03": "running", "S15": "running"}


def test_pausing_twice_and_resuming_what_runs_are_refused(database: Database) -> None:
    case = Case(database)
    with database.transaction() as session:
        instance = session.get_one(Instance, case.instance_id)
        limit = queries.limits_of(session, instance.bundle).get("C03", on=date(2026, 8, 3))
        with pytest.raises(WrongState, match="没有暂停"):
            operations.resume(session, instance, "C03", now=at("2026-08-04T09:00"), by="system")
        operations.pause(session, instance, limit, why="鉴定", now=at("2026-08-04T09:00"), by="system")
        with pytest.raises(WrongState, match="已经暂停"):
            operations.pause(session, instance, limit, why="鉴定", now=at("2026-08-04T10:00"), by="system")


def test_an_answer_in_time_meets_a_limit_and_a_withdrawal_drops_it(database: Database) -> None:
    case = Case(database)
    noise = Case(database, key="case-2")
    with database.transaction() as session:
        case.engine.deliver(session, "withdrawn", "case-1", now=at("2026-08-05T10:00"), by="person:1")
    assert case.states() == {"C03": "dropped", "S15": "dropped"}
    assert noise.states() == {"C03": "running", "S15": "running"}
    noise.complete("hold", "2026-08-05T10:00", result="C03")
    assert noise.states() == {"C03": "paused", "S15": "met", "S16": "running"}
    with database.transaction() as session:
        noise.engine.deliver(session, "withdrawn", "case-2", now=at("2026-08-06T10:00"), by="person:1")
        assert session.scalars(select(DeadlinePause.ended_at)).all() == [at("2026-08-06T10:00")]
    assert noise.states() == {"C03": "dropped", "S15": "met", "S16": "dropped"}


def test_a_promise_that_follows_a_law_stands_still_with_it(sqlite_database: Database) -> None:
    class Following(Case):
        diagram = DIAGRAM.replace('warning("C03", accepted_at, 1)', 'due("S03", accepted_at)')

    case = Following(sqlite_database)
    assert case.timer("warned").due_at == at("2026-08-11T00:00")
    case.complete("hold", "2026-08-05T10:00", result="C03")
    assert case.states() == {"C03": "paused", "S03": "paused", "S15": "met", "S16": "running"}
    case.complete("appraise", "2026-08-08T10:00")
    assert case.timer("warned").due_at == at("2026-08-14T00:00")
    assert case.states() == {"C03": "running", "S03": "running", "S15": "met", "S16": "met"}


def test_cancelling_a_case_drops_what_runs(database: Database) -> None:
    case = Case(database)
    with database.transaction() as session:
        case.engine.cancel(session, case.instance_id, reason="test", now=at("2026-08-05T10:00"), by="system")
    assert case.states() == {"C03": "dropped", "S15": "dropped"}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"accepted_at": None}, "C03 needs its start"),
        ({"accepted_at": "soon"}, "found 'soon'"),
        ({"region": "99"}, "99 is no region"),
    ],
)
def test_a_limit_that_cannot_be_reckoned_is_an_incident_not_a_guess(
    sqlite_database: Database, data: dict[str, Any], what: str
) -> None:
    with pytest.raises(AssertionError, match=what):
        Case(sqlite_database, **data)


def test_a_running_deadline_keeps_the_law_with_which_it_began(sqlite_database: Database) -> None:
    case = Case(sqlite_database, now="2024-06-20T10:00", region="CN-HB")
    assert case.shown("2024-06-20T10:00")["C03"]["counted"] == 45
    case.complete("hold", "2024-07-10T10:00", result="C03")  # the rule has changed on 1 July
    case.complete("appraise", "2024-07-12T10:00")
    shown = case.shown("2024-07-12T10:00")["C03"]
    assert shown["counted"] == 45
    assert shown["edition_on"] == "2024-06-20"


NOTICE = Notice.from_json(
    {
        "year": 2027,
        "document_no": "国办发明电〔2026〕0号",
        "breaks": [
            {"name": "元旦", "from": "2027-01-01", "to": "2027-01-03"},
            {"name": "春节", "from": "2027-02-05", "to": "2027-02-11"},
        ],
        "workdays": ["2027-01-30", "2027-02-20"],
    }
)


def test_a_calendar_change_lists_each_deadline_before_and_after_and_then_moves_it(database: Database) -> None:
    moving = Case(database, now="2026-12-12T10:00", key="moving")  # + 60 = 10 February
    steady = Case(database, now="2026-11-20T10:00", key="steady")  # + 60 = 19 January
    untouched = Case(database, now="2026-08-03T10:00", key="untouched")
    Case(database, now="2027-01-05T10:00", key="later")  # begun after the first day that changes
    now = at("2027-01-06T12:00")
    with database.transaction() as session:
        assert queries.calendar(session).day(date(2027, 2, 11)).is_workday
        change = operations.preview(session, NOTICE.days(), now=now)
        assert session.scalars(select(CalendarDay)).all() == []
    expected = [
        {
            "key": "moving",
            "limit": "C03",
            "start": "2026-12-12T10:00:00+08:00",
            "before": "2027-02-11",
            "after": "2027-02-12",
            "provisional": False,
        }
    ]
    assert [m for m in change.json()["moved"] if m["limit"] == "C03"] == expected
    assert {m["key"] for m in change.json()["settled"]} == {"steady", "later"}
    assert steady.shown("2027-01-06T12:00")["C03"]["clock"] == "prov"
    with database.transaction() as session:
        applied = operations.apply(
            session,
            build_engine(),
            NOTICE.days(),
            source="State Council",
            document_no=NOTICE.document_no,
            now=now,
            by="person:9",
        )
    assert applied == change
    assert moving.timer("expired").due_at == at("2027-02-13T00:00")
    shown = moving.shown("2027-01-06T12:00")["C03"]
    assert (shown["due_on"], shown["provisional"]) == ("2027-02-12", False)
    assert steady.shown("2027-01-06T12:00")["C03"]["provisional"] is False
    assert steady.timer("expired").due_at == at("2027-01-20T00:00")
    assert untouched.timer("expired").due_at == at("2026-10-09T00:00")
    with database.transaction() as session:
        logged = session.scalars(select(CalendarChange)).one()
        assert (logged.by, logged.document_no) == ("person:9", "国办发明电〔2026〕0号")
        assert logged.moved == change.json()["moved"]
        assert len(session.scalars(select(CalendarDay)).all()) == 365
        again = operations.preview(session, NOTICE.days(), now=now)
        assert again.json() == {"days": [], "moved": [], "settled": []}


def test_one_day_can_be_overridden_and_the_rest_of_its_year_stays(database: Database) -> None:
    with database.transaction() as session:
        days = operations.override(date(2026, 11, 30), is_workday=False, name="本地停工", source="admin")
        operations.apply(session, build_engine(), days, source="admin", now=at("2026-11-22T10:00"), by="person:9")
    with database.transaction() as session:
        calendar = queries.calendar(session)
        assert not calendar.is_workday(date(2026, 11, 30))
        # Monday between a weekend and Tuesday: the run of days off is one break.
        assert [calendar.day(date(2026, 11, d)).break_name for d in (27, 28, 29, 30)] == [
            "",
            "本地停工",
            "本地停工",
            "本地停工",
        ]
        assert calendar.day(date(2026, 10, 1)).break_name == "国庆节"
        assert calendar.is_announced(date(2026, 12, 31))


def test_filling_the_table_moves_nothing_and_a_second_time_writes_nothing(database: Database) -> None:
    case = Case(database)
    with database.transaction() as session:
        before = [queries.calendar(session).day(date(2027, 1, d)) for d in range(1, 31)]
        assert operations.fill_calendar(session, range(2025, 2028), now=at("2026-11-22T10:00"), by="system") == 1095
    with database.transaction() as session:
        assert operations.fill_calendar(session, [2026], now=at("2026-11-22T10:00"), by="system") == 0
        assert [queries.calendar(session).day(date(2027, 1, d)) for d in range(1, 31)] == before
        assert operations.preview(session, [], now=at("2026-11-22T10:00")).changed == ()
    assert case.timer("expired").due_at == at("2026-10-09T00:00")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"breaks": []}, "没有写假期"),
        ({"breaks": [{"name": "元旦", "from": "2027-01-03", "to": "2027-01-01"}]}, "不是一段假期"),
        ({"workdays": ["2027-01-02"]}, "既放假又上班"),
        ({"workdays": ["2027-01-05"]}, "本来就是工作日"),
        ({"workdays": ["2031-01-05"]}, "不属于 2027"),
        ({"year": 1990}, "1990 不在"),
        ({"breaks": [{"name": "元旦"}]}, "from"),
    ],
)
def test_a_notice_that_cannot_be_right_is_refused(changes: dict[str, Any], what: str) -> None:
    good = {
        "year": 2027,
        "breaks": [{"name": "元旦", "from": "2027-01-01", "to": "2027-01-03"}],
        "workdays": ["2027-01-10"],
    }
    with pytest.raises(Invalid) as refused:
        Notice.from_json({**good, **changes}).days()
    assert what in str(refused.value.fields)
