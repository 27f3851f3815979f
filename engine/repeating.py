"""What becomes of an incident: its command is repeated, repeated past the element that failed, or given up.

A command that failed was rolled back, so the case stands where it stood before it. Repeating it does what it would
have done then, with the data and the rows of now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import NotFound, WrongState
from engine import values
from engine.diagram import GATEWAYS, Kind
from engine.models import Incident, Instance, Job, Subscription, Task, Timer
from engine.tokens import Token

if TYPE_CHECKING:
    from engine.run import Run
    from engine.runtime import Apply, Engine
    from engine.specifications import Specifications
    from engine.steps import Step


@dataclass
class Passing:
    """Passing over one element, once, when a command is repeated."""

    process: str
    element: str
    #: What the element would have written, by variable.
    variables: Mapping[str, Any]
    why: str
    done: bool = False

    def takes(self, token: Token) -> bool:
        """Whether this is the token that goes on without its element being carried out."""
        element = token.node.element
        return not self.done and (element.process, element.id) == (self.process, self.element)


def locked(engine: "Engine", session: Session, incident_id: UUID) -> tuple[Instance, Incident]:
    """Lock an incident's instance and read both afresh. Raises NotFound, WrongState when it is not open."""
    instance_id = session.scalar(select(Incident.instance_id).where(Incident.id == incident_id))
    if instance_id is None:
        raise NotFound("There is no such incident.", code="incident.not_found")
    instance = engine.lock(session, instance_id)
    incident = session.scalar(
        select(Incident).where(Incident.id == incident_id).execution_options(populate_existing=True)
    )
    assert incident is not None
    if incident.state != Incident.State.OPEN:
        raise WrongState(
            f"Expected an open incident, found one that is {incident.state}.",
            code=f"incident.already_{incident.state}",
            expected="open",
            found=str(incident.state),
        )
    return instance, incident


def repeat(
    engine: "Engine",
    session: Session,
    instance: Instance,
    incident: Incident,
    *,
    passing: Passing | None = None,
    now: datetime,
    by: str,
) -> "Step":
    """Carry out an incident's command again. Fails again: the incident counts one attempt more."""
    command: dict[str, Any] = orjson.loads(incident.command)
    apply = applying(engine, session, instance, command)

    def again(run: "Run") -> None:
        run.passing = passing
        apply(run)

    # What a person answered is theirs to correct; on a repetition nobody waits.
    return engine._command(session, instance, command, incident.target, again, now, by, person_waits=False)


def applying(engine: "Engine", session: Session, instance: Instance, command: Mapping[str, Any]) -> "Apply":
    """What a stored command does. Raises WrongState when what it was aimed at is gone."""
    kind = command["command"]
    if kind == "start":
        return engine._starting(values.decode(command["data"]))
    if kind == "complete":
        return _completing(session, UUID(command["task"]), values.decode(command["answer"]))
    if kind == "fire":
        return _firing(session, UUID(command["timer"]))
    if kind == "deliver":
        return _receiving(session, instance, command)
    if kind == "signal":
        return _signalled(session, UUID(command["subscription"]), values.decode(command["payload"]))
    if kind in ("complete_job", "throw_job", "retry_job"):
        return _working(session, command)
    if kind == "rearm":
        return lambda run: run.rearm()
    assert kind == "cancel", kind
    return lambda run: run.cancel(command["reason"])


def _completing(session: Session, task_id: UUID, answer: Mapping[str, Any]) -> "Apply":
    def apply(run: "Run") -> None:
        task = session.get_one(Task, task_id, populate_existing=True)
        run.answer(task, task.token, answer)

    return apply


def _firing(session: Session, timer_id: UUID) -> "Apply":
    def apply(run: "Run") -> None:
        timer = session.get_one(Timer, timer_id, populate_existing=True)
        if timer.state != Timer.State.PARKED:
            raise WrongState("The timer is no longer armed.", code="timer.gone")
        timer.state, timer.ended_at = Timer.State.FIRED, run.now
        # Written at once: what reads or drops the timers of this instance must not meet it.
        session.flush()
        run.fire(timer)

    return apply


def _receiving(session: Session, instance: Instance, command: Mapping[str, Any]) -> "Apply":
    here = session.scalars(
        select(Subscription).where(
            Subscription.instance_id == instance.id,
            Subscription.kind == Subscription.Kind.MESSAGE,
            Subscription.message == command["message"],
            Subscription.key == command["key"],
        )
    ).all()
    if not here:
        raise WrongState("Nothing waits for the message any more.", code="message.unwanted")
    payload = values.decode(command["payload"])
    return lambda run: run.receive_innermost(here, payload)


def _signalled(session: Session, subscription_id: UUID, payload: Mapping[str, Any]) -> "Apply":
    if session.get(Subscription, subscription_id, populate_existing=True) is None:
        raise WrongState("Nothing waits for the signal any more.", code="signal.late")
    return lambda run: run.signal(subscription_id, payload)


def _working(session: Session, command: Mapping[str, Any]) -> "Apply":
    job_id = UUID(command["job"])

    def apply(run: "Run") -> None:
        job = session.get_one(Job, job_id)
        if job.state not in (Job.State.OPEN, Job.State.FAILED):
            raise WrongState(f"The job is {job.state}.", code=f"job.already_{job.state}", found=str(job.state))
        if command["command"] == "retry_job":
            job.state, job.retries, job.error, job.locked_until = Job.State.OPEN, 1, None, None
            return
        job = run.rows.jobs()[job.token]
        if command["command"] == "complete_job":
            run.work_done(job, values.decode(command["result"]))
        else:
            variables = values.decode(command.get("variables", {}))
            run.work_failed(job, command["code"], command["error"], variables)

    return apply


def passing_over(
    specifications: "Specifications", incident: Incident, variables: Mapping[str, Any], why: str
) -> Passing:
    """What it takes to repeat an incident's command without its element. Raises WrongState where that cannot be."""
    process = specifications.processes.get(incident.process)
    element = process.elements.get(incident.element) if process is not None else None
    if element is None or incident.kind == "job" or element.kind in (*GATEWAYS, Kind.BOUNDARY):
        raise WrongState(
            "只能跳过本身在做事的环节；网关、边界事件和外部作业请改用“移动”或“修改数据”。 "
            "Only an element that does something itself can be passed over; move the token or edit the data.",
            code="repair.cannot_pass",
            element=incident.element,
        )
    return Passing(incident.process, incident.element, variables, why)


def giving_up(incident: Incident, why: str) -> "Apply":
    """Never repeat the command: void. Raises WrongState where the case would then wait for nothing."""
    command = orjson.loads(incident.command)

    def apply(run: "Run") -> None:
        if command["command"] in ("start", "retry_job"):
            raise _needed(incident.element)
        if command["command"] == "fire":
            _drop_timer(run, UUID(command["timer"]))
        incident.state, incident.resolved_at, incident.resolved_by = Incident.State.VOID, run.now, run.by
        run.instance.incidents -= 1
        element = run.specifications.processes[incident.process].elements.get(incident.element)
        run.log("incident.voided", element, payload={"incident": str(incident.id), "reason": why})

    return apply


def _drop_timer(run: "Run", timer_id: UUID) -> None:
    for timers in run.rows.timers().values():
        for timer in timers:
            if timer.id != timer_id:
                continue
            if run.specifications.process(timer.process).elements[timer.element].kind is not Kind.BOUNDARY:
                raise _needed(timer.element)
            timer.state, timer.ended_at = Timer.State.DROPPED, run.now
            run.step.dropped.append(timer)


def _needed(element: str) -> WrongState:
    return WrongState(
        "这件事不做，案件就停在这里：请重试、跳过、移动或者取消案件。 "
        "Without it the case would stand still for ever: retry, skip, move, or cancel the case.",
        code="incident.needed",
        element=element,
    )
