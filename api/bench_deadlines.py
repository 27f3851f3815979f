"""Measures of deadlines in motion: many running deadlines reckoned again after a change of the calendar."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.db import Database
from core.now import CHINA
from disputes.cases.models import Case, Stage, Status
from disputes.cases.models import Kind as CaseKind
from disputes.cases.rederivations import tell_moved
from disputes.identity import operations as identity
from disputes.network.models import Kind, Organisation
from disputes.timelimits import rederivation
from disputes.timelimits.calendar import Day
from disputes.timelimits.models import Rederivation
from disputes.wiring import build_engine
from engine import Engine, bench, bundles

#: Every case has one deadline that its task, its boundary timer and two warnings hold somebody to.
_DIAGRAM = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="https://hejie.example/bench">
  <bpmn:process id="held" isExecutable="true">
    <bpmn:startEvent id="begun"/><bpmn:sequenceFlow id="f0" sourceRef="begun" targetRef="decide"/>
    <bpmn:userTask id="decide" name="决定"><bpmn:extensionElements><zeebe:userTask/>
      <zeebe:assignmentDefinition candidateGroups="officer"/>
      <zeebe:taskSchedule dueDate="= due(&quot;C05&quot;, begun_at)"/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:sequenceFlow id="f1" sourceRef="decide" targetRef="done"/><bpmn:endEvent id="done"/>
    {timers}
  </bpmn:process>
</bpmn:definitions>"""
_TIMER = """<bpmn:boundaryEvent id="{id}" cancelActivity="false" attachedToRef="decide"><bpmn:timerEventDefinition>
      <bpmn:timeDate>= {moment}</bpmn:timeDate></bpmn:timerEventDefinition></bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="to_{id}" sourceRef="{id}" targetRef="end_{id}"/><bpmn:endEvent id="end_{id}"/>"""
_MOMENTS = {
    "late": 'due("C05", begun_at)',
    "warned": 'warning("C05", begun_at, 1)',
    "warned_again": 'warning("C05", begun_at, 2)',
}
#: Cases begin on these days, evenly; ten per cent of them on the last.
_FIRST = date(2026, 12, 7)
_DAYS = 10
_REGION = "330299"


def rederivation_measures(database: Database, directory: Path, *, deadlines: int) -> dict[str, dict[str, Any]]:
    """Rehearse and apply a change that moves a tenth of the running deadlines, then one that moves all."""
    engine = build_engine()
    _fill(database, engine, directory, deadlines)
    last = datetime.combine(_FIRST + timedelta(days=_DAYS), datetime.min.time(), CHINA)
    # Fifteen working days from the last day of all reach the 7th of January; the others end before.
    tenth = _measured(database, engine, [_off("2027-01-07")], last)
    whole = _measured(database, engine, [_off("2026-12-23")], last + timedelta(hours=1))
    name = f"rederive_{deadlines}"
    return {
        f"{name}_tenth_rehearsed": bench.measure("s", [tenth[0]]),
        f"{name}_tenth_applied": bench.measure("s", [tenth[1]]),
        f"{name}_all_rehearsed": bench.measure("s", [whole[0]]),
        f"{name}_all_applied": bench.measure("s", [whole[1]]),
        f"{name}_tenth_moved": bench.measure("deadlines", [float(tenth[2])]),
        f"{name}_all_moved": bench.measure("deadlines", [float(whole[2])]),
    }


def _measured(database: Database, engine: Engine, days: list[Day], now: datetime) -> tuple[float, float, int]:
    plan_id: list[UUID] = []

    def rehearse() -> None:
        with database.transaction() as session:
            plan = rederivation.rehearse(
                session, cause=Rederivation.Cause.CALENDAR, days=days, now=now, by="system:bench"
            )
            plan_id.append(plan.id)

    def apply() -> None:
        with database.transaction() as session:
            plan = rederivation.find(session, plan_id[0], lock=True)
            rederivation.begin(session, plan, now=now, by="system:bench")
        rederivation.carry_out(database, engine, clock=lambda: now, tell=tell_moved)

    rehearsed, applied = _timed(rehearse), _timed(apply)
    with database.reader() as session:
        moved = rederivation.progress(session, plan_id[0])
    return rehearsed, applied, moved.get("applied", 0)


def _timed(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _off(day: str) -> Day:
    return Day(date.fromisoformat(day), False, "地方放假", "地方放假", "bench")


def _fill(database: Database, engine: Engine, directory: Path, number: int) -> None:
    """Cases of one merchant and a hundred consumers, each with a running deadline, as steps make them."""
    begun = datetime.combine(_FIRST, datetime.min.time(), CHINA)
    timers = "\n    ".join(_TIMER.format(id=id, moment=m.replace('"', "&quot;")) for id, m in _MOMENTS.items())
    limits = (directory / "workflows" / "time_limits.yaml").read_bytes()
    with database.transaction() as session:
        files = {"bpmn/held.bpmn": _DIAGRAM.format(timers=timers).encode(), "time_limits.yaml": limits}
        bundle = bundles.save(session, files, now=begun)
        office, merchant = (_organisation(code, kind, begun) for code, kind in _PLACES)
        session.add_all([office, merchant])
        session.flush()
        people = [identity.register(session, name=f"基准 {n}", synthetic=True, now=begun).id for n in range(100)]
        office_id, merchant_id = office.id, merchant.id
    keys = [uuid4() for _ in range(number)]
    for first in range(0, number, 500):
        with database.transaction() as session:
            _cases(session, keys[first : first + 500], first, people, office_id, merchant_id, begun)
            for n, key in enumerate(keys[first : first + 500], first):
                at = begun + timedelta(days=n % _DAYS, hours=9)
                data = {"begun_at": at, "region": _REGION}
                engine.start(session, bundle=bundle, process="held", key=str(key), data=data, now=at, by="system")


_PLACES = (("BENCH-O", Kind.OFFICE), ("BENCH-M", Kind.MERCHANT))


def _organisation(code: str, kind: Kind, now: datetime) -> Organisation:
    return Organisation(code=code, name=code, kind=kind, region=_REGION, synthetic=True, created_at=now)


def _cases(
    session: Session,
    keys: list[UUID],
    first: int,
    people: list[UUID],
    office_id: UUID,
    merchant_id: UUID,
    now: datetime,
) -> None:
    rows = [
        {
            "id": key,
            "case_no": f"{_REGION}-BENCH-{number:06d}",
            "title": "基准",
            "kind": CaseKind.COMPLAINT,
            "status": Status.REGISTERED,
            "stage": Stage.REGISTRATION,
            "complainant_id": people[number % len(people)],
            "merchant_id": merchant_id,
            "respondent_name": "基准商家",
            "office_id": office_id,
            "facts": "基准",
            "path": "file_now",
            "region": _REGION,
            "filed_at": now,
            "respondent_told_at": now,
            "synthetic": True,
        }
        for number, key in enumerate(keys, first)
    ]
    session.execute(insert(Case), rows)
