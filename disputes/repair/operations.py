"""What operators command: each with its permission, a reason, the engine's step, and a line in the audit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import Invalid, NotFound, Refusal, WrongState
from disputes.audit.operations import record
from disputes.cases.access import relation, require_on
from disputes.cases.models import Case
from disputes.cases.telling import tell
from disputes.identity.actor import Actor
from disputes.identity.permissions import may, require
from disputes.repair import rules
from disputes.repair.models import Cause, Standstill
from disputes.timelimits import functions
from disputes.timelimits import operations as timelimits
from disputes.timelimits.models import EVERY
from engine import Engine, Incident, Instance, Step, Suspension, Task

#: Incidents that one command retries at most; the report says how many are left.
MOST_RETRIED = 100


@dataclass(frozen=True)
class Opened:
    """A task that a command opened, or took away."""

    process: str
    element: str
    name: str
    role: str
    due_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    """What a command did, or would do."""

    #: Where the case waits afterwards, as (process, element).
    waits: Sequence[tuple[str, str]]
    opened: Sequence[Opened] = ()
    cancelled: Sequence[Opened] = ()
    #: Services that ran, by type.
    services: Sequence[str] = ()
    #: Timers that were armed and dropped, by element.
    armed: Sequence[str] = ()
    dropped: Sequence[str] = ()
    #: Id of the end event that ended the case.
    ended: str | None = None
    #: Why it failed again; empty when it went through.
    failed: str = ""


# Suspending.


def suspend(
    session: Session,
    engine: Engine,
    case: Case,
    *,
    why: str,
    cause: Cause = Cause.SYSTEM,
    told: str = "",
    keep_remaining: bool = True,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Let a case stand still. Its people are told ``told`` and the words of the cause, never ``why``.

    ``keep_remaining``: what is left of every deadline is left when it goes on, and the explanation of each shows
    the pause. Raises Invalid, WrongState.
    """
    require_on(session, case, by, "case.suspend")
    why = rules.reason(why)
    zh, en = rules.told(cause, told)
    instance = _locked(session, engine, case)
    if keep_remaining and instance.state == Instance.State.RUNNING:
        timelimits.pause_all(session, instance, why=rules.pause_words(cause), now=now, by=str(by))
    step = engine.suspend(session, instance.id, reason=why, keep_remaining=keep_remaining, now=now, by=str(by))
    suspension = session.scalars(
        select(Suspension).where(Suspension.instance_id == instance.id, Suspension.ended_at.is_(None))
    ).one()
    session.add(Standstill(suspension_id=suspension.id, case_id=case.id, cause=cause, told=told.strip()))
    session.flush()
    tell(session, case, _people(case), "case.suspended", now=now, why_zh=zh, why_en=en)
    _record(session, case, "case.suspended", {"keeps_remaining": keep_remaining, "cause": str(cause)}, why, by, now)
    return outcome(step)


def resume(session: Session, engine: Engine, case: Case, *, why: str = "", by: Actor, now: datetime) -> Outcome:
    """Let a suspended case go on, with what was left of its deadlines. Raises WrongState when it does not stand."""
    require_on(session, case, by, "case.suspend")
    instance = _locked(session, engine, case)
    kept = timelimits.stands_still(session, instance.id, EVERY) is not None
    if kept and instance.state == Instance.State.SUSPENDED:
        timelimits.resume_all(session, instance, now=now, by=str(by))
    step = engine.resume(session, instance.id, reason=why.strip(), now=now, by=str(by))
    zh, en = rules.KEPT if kept else ("", "")
    tell(session, case, _people(case), "case.resumed", now=now, kept_zh=zh, kept_en=en)
    _record(session, case, "case.resumed", {}, why.strip(), by, now)
    return outcome(step)


def cancel(session: Session, engine: Engine, case: Case, *, why: str, by: Actor, now: datetime) -> Outcome:
    """End a case by command: nothing stays open, and its people are told. The head's or the supervisor's act."""
    require_on(session, case, by, "case.cancel")
    why = rules.reason(why)
    instance = _locked(session, engine, case)
    step = engine.cancel(session, instance.id, reason=why, now=now, by=str(by))
    tell(session, case, _people(case), "case.cancelled", now=now, why=why)
    _record(session, case, "case.cancelled", {}, why, by, now)
    return outcome(step)


# Moving and correcting.


def move(
    session: Session,
    engine: Engine,
    case: Case,
    *,
    tokens: Collection[int],
    process: str,
    element: str,
    variables: Sequence[Mapping[str, Any]] = (),
    why: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Take the case from where it waits to another element; the token game must find that it can finish there."""
    require_on(session, case, by, "case.repair")
    why = rules.reason(why)
    instance = _locked(session, engine, case)
    given = typed(engine.seen_from(session, instance.id, min(tokens, default=None)), variables)
    step = engine.move(
        session,
        instance.id,
        tokens=tokens,
        to=(process, element),
        variables=given,
        reason=why,
        now=now,
        by=str(by),
    )
    facts = {"to": f"{process}/{element}", "variables": sorted(given)}
    _record(session, case, "case.moved", facts, why, by, now)
    return outcome(step)


def skip(
    session: Session,
    engine: Engine,
    case: Case,
    *,
    token: int,
    variables: Sequence[Mapping[str, Any]] = (),
    why: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Let the case leave an element without the element being done."""
    require_on(session, case, by, "case.repair")
    why = rules.reason(why)
    instance = _locked(session, engine, case)
    given = typed(engine.seen_from(session, instance.id, token), variables)
    place = next((p for p in engine.places(session, instance.id) if p.number == token), None)
    step = engine.skip(session, instance.id, token=token, variables=given, reason=why, now=now, by=str(by))
    element = f"{place.process}/{place.element}" if place else ""
    _record(session, case, "case.skipped", {"element": element, "variables": sorted(given)}, why, by, now)
    return outcome(step)


def edit_data(
    session: Session,
    engine: Engine,
    case: Case,
    *,
    changes: Sequence[Mapping[str, Any]],
    token: int | None = None,
    why: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Correct the process data: ``changes`` are ``{name, value, kind}``, values as JSON. Raises Invalid."""
    require_on(session, case, by, "case.repair")
    why = rules.reason(why)
    instance = _locked(session, engine, case)
    given = typed(engine.seen_from(session, instance.id, token), changes)
    step = engine.set_data(session, instance.id, given, token=token, reason=why, now=now, by=str(by))
    _record(session, case, "case.data_edited", {"names": sorted(given)}, why, by, now)
    return outcome(step)


def typed(seen: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Changes as FEEL values. Raises Invalid with a fault for each name."""
    given: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for change in changes:
        name = str(change["name"])
        if name in given:
            faults[name] = ["写了两次。 Written twice."]
            continue
        try:
            given[name] = rules.value(change.get("value"), change.get("kind"), seen.get(name))
        except (ValueError, TypeError) as error:
            faults[name] = [str(error)]
    if faults:
        raise Invalid("数据没有修改。 The data was not changed.", code="data.invalid", fields=faults)
    return given


# Incidents.


def retry(session: Session, engine: Engine, incident_id: UUID, *, by: Actor, now: datetime) -> Outcome:
    """Carry out the command again that left an incident. It stays open when it fails again."""
    incident = _incident(session, incident_id, by)
    step = engine.retry(session, incident_id, now=now, by=str(by))
    facts = {"incident": str(incident_id), "failed": step.failed}
    record(session, chain=f"case:{incident.key}", action="incident.retried", facts=facts, by=by, now=now)
    return outcome(step)


def pass_over(
    session: Session,
    engine: Engine,
    incident_id: UUID,
    *,
    variables: Sequence[Mapping[str, Any]] = (),
    why: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Carry out the command again without the element that failed; ``variables`` is what it would have written."""
    incident = _incident(session, incident_id, by)
    case = _case_of(session, incident)
    require_on(session, case, by, "case.repair")
    why = rules.reason(why)
    given = typed(engine.data(session, incident.instance_id), variables)
    step = engine.skip_failed(session, incident_id, variables=given, reason=why, now=now, by=str(by))
    facts = {"incident": str(incident_id), "element": incident.element, "failed": step.failed}
    _record(session, case, "incident.passed_over", facts, why, by, now)
    return outcome(step)


def void(session: Session, engine: Engine, incident_id: UUID, *, why: str, by: Actor, now: datetime) -> Outcome:
    """Give up the command that left an incident: it is not wanted any more."""
    incident = _incident(session, incident_id, by)
    why = rules.reason(why)
    step = engine.void(session, incident_id, reason=why, now=now, by=str(by))
    facts = {"incident": str(incident_id), "reason": why}
    record(session, chain=f"case:{incident.key}", action="incident.voided", facts=facts, by=by, now=now)
    return outcome(step)


@dataclass
class Report:
    """What came of retrying many."""

    resolved: list[UUID] = field(default_factory=list)
    #: Failed again, with what was said.
    failed: dict[UUID, str] = field(default_factory=dict)
    #: Could not be retried: settled meanwhile, or the case is suspended.
    refused: dict[UUID, str] = field(default_factory=dict)
    #: Incidents of the same cause that were not reached.
    left: int = 0


def retry_same(
    session: Session,
    engine: Engine,
    *,
    process: str,
    element: str,
    kind: str,
    most: int = MOST_RETRIED,
    by: Actor,
    now: datetime,
) -> Report:
    """Retry the open incidents of one cause, the oldest first, each by itself."""
    require(by, "incident.resolve")
    query = select(Incident.id).where(
        Incident.state == Incident.State.OPEN,
        Incident.process == process,
        Incident.element == element,
        Incident.kind == kind,
    )
    # Cases are locked in one order, so that two who do this at once do not wait for each other.
    found = session.scalars(query.order_by(Incident.instance_id, Incident.id)).all()
    report = Report(left=max(len(found) - most, 0))
    for incident_id in found[:most]:
        try:
            with session.begin_nested():
                done = retry(session, engine, incident_id, by=by, now=now)
        except Refusal as refused:
            report.refused[incident_id] = refused.message
            continue
        if done.failed:
            report.failed[incident_id] = done.failed
        else:
            report.resolved.append(incident_id)
    return report


# Rehearsing.


def rehearse(session: Session, act: Callable[[], Outcome]) -> Outcome:
    """What a command would do: it is done, looked at and taken back. Raises what the command raises."""
    nested = session.begin_nested()
    try:
        return act()
    finally:
        nested.rollback()
        functions.forget(session)
        session.expire_all()


def outcome(step: Step) -> Outcome:
    """A step as an operator reads it."""
    return Outcome(
        waits=list(step.position),
        opened=[_opened(task) for task in step.opened],
        cancelled=[_opened(task) for task in step.cancelled],
        services=list(step.services),
        armed=[timer.element for timer in step.armed],
        dropped=[timer.element for timer in step.dropped],
        ended=step.ended,
        failed="；".join(incident.message for incident in step.incidents),
    )


def _opened(task: Task) -> Opened:
    return Opened(task.process, task.element, task.name, task.role, task.due_at)


# What they have in common.


def _locked(session: Session, engine: Engine, case: Case) -> Instance:
    """The instance of a case, locked as every step locks it: first."""
    if case.instance_id is None:
        raise WrongState("案件还没有开始办理。 The case has not begun.", code="instance.not_found")
    return engine.lock(session, case.instance_id)


def _incident(session: Session, incident_id: UUID, by: Actor) -> Incident:
    """An incident that the actor may deal with. Raises NotFound for anybody else's."""
    incident = session.get(Incident, incident_id)
    if incident is None:
        raise no_such_incident(incident_id)
    case = _find_case(session, incident)
    known = relation(session, case) if case is not None else {}
    if not may(by, "incident.read", **known):
        raise no_such_incident(incident_id)
    require(by, "incident.resolve", **known)
    return incident


def _find_case(session: Session, incident: Incident) -> Case | None:
    try:
        return session.get(Case, UUID(incident.key))
    except ValueError:
        return None


def _case_of(session: Session, incident: Incident) -> Case:
    case = _find_case(session, incident)
    if case is None:
        raise no_such_incident(incident.id)
    return case


def no_such_incident(incident_id: UUID) -> NotFound:
    """The refusal that tells nobody whether an incident exists."""
    return NotFound(
        "没有这一处停住的地方，或者不归您处理。 There is no such incident, or it is not yours.",
        code="incident.not_found",
        incident=str(incident_id),
    )


def _people(case: Case) -> list[str]:
    """Who is told: the complainant, the merchant once it may know of the case, and the handling officer."""
    return ["complainant", *(["respondent"] if case.respondent_told_at is not None else []), "officer"]


def _record(
    session: Session, case: Case, action: str, facts: Mapping[str, Any], why: str, by: Actor, now: datetime
) -> None:
    record(session, chain=f"case:{case.id}", action=action, facts={**facts, "reason": why}, by=by, now=now)
