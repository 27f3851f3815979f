"""Incidents as operators read them, where a case stands and could go, and what its people are told meanwhile."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from disputes.cases.access import no_such_case, relation, require_on
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.identity.permissions import may
from disputes.inbox.queries import standing_still
from disputes.repair import rules
from disputes.repair.models import Cause, Standstill
from disputes.repair.operations import _find_case, no_such_incident
from engine import Engine, Event, Incident, Instance, Place, Suspension, Target, values
from engine.diagram import GATEWAYS, Kind


@dataclass(frozen=True)
class Filters:
    """Which incidents to show; an empty filter shows all that are open."""

    state: str = "open"
    kind: str | None = None
    process: str | None = None
    element: str | None = None
    case_id: UUID | None = None


@dataclass(frozen=True)
class Line:
    """One incident in a list."""

    incident: Incident
    case_no: str
    title: str
    suspended: bool


@dataclass(frozen=True)
class IncidentView:
    """One incident with everything that its page shows."""

    incident: Incident
    case: Case | None
    instance: Instance
    #: What was commanded: ``complete``, ``fire`` …, and whose answer it is.
    command: str
    #: What the failing element could see, what points to people covered; None where nothing was kept.
    seen: Mapping[str, Any] | None
    #: What happened to this incident, oldest first.
    history: Sequence[Event]
    #: Other open incidents of the same cause.
    same: int
    #: What this reader may do now: retry, pass_over, void, edit, move, suspend, resume, cancel.
    actions: frozenset[str]


def incidents(
    session: Session, filters: Filters, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Line]:
    """Incidents, the oldest first; one more than ``limit`` where there are more."""
    query = _wanted(select(Incident), filters).order_by(Incident.at, Incident.id).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(Incident.at, Incident.id) > tuple_(*after))
    found = session.scalars(query).all()
    cases = _cases(session, [incident.key for incident in found])
    still = standing_still(session, {incident.instance_id for incident in found})
    lines = []
    for one in found:
        case_no, title = cases.get(one.key, (one.key, ""))
        lines.append(Line(one, case_no, title, one.instance_id in still))
    return lines


def _wanted(query: Select[Any], filters: Filters) -> Select[Any]:
    query = query.where(Incident.state == filters.state)
    for column, wanted in (
        (Incident.kind, filters.kind),
        (Incident.process, filters.process),
        (Incident.element, filters.element),
        (Incident.key, str(filters.case_id) if filters.case_id else None),
    ):
        if wanted:
            query = query.where(column == wanted)
    return query


def _cases(session: Session, keys: Collection[str]) -> dict[str, tuple[str, str]]:
    ids = []
    for key in set(keys):
        try:
            ids.append(UUID(key))
        except ValueError:
            continue
    rows = session.execute(select(Case.id, Case.case_no, Case.title).where(Case.id.in_(ids)))
    return {str(case_id): (case_no, title) for case_id, case_no, title in rows}


def causes(session: Session) -> list[tuple[str, str, str, int]]:
    """Open incidents counted by cause, as (process, element, kind, how many), the most frequent first."""
    number = func.count()
    rows = session.execute(
        select(Incident.process, Incident.element, Incident.kind, number)
        .where(Incident.state == Incident.State.OPEN)
        .group_by(Incident.process, Incident.element, Incident.kind)
        .order_by(number.desc(), Incident.process, Incident.element)
    )
    return [(process, element, kind, count) for process, element, kind, count in rows]


def incident(session: Session, incident_id: UUID, actor: Actor) -> IncidentView:
    """One incident. Raises NotFound for one that the actor may not see."""
    found = session.get(Incident, incident_id)
    if found is None:
        raise no_such_incident(incident_id)
    case = _find_case(session, found)
    known = relation(session, case) if case is not None else {}
    if not may(actor, "incident.read", **known):
        raise no_such_incident(incident_id)
    instance = session.get_one(Instance, found.instance_id)
    same = session.scalar(
        select(func.count())
        .select_from(Incident)
        .where(
            Incident.state == Incident.State.OPEN,
            Incident.process == found.process,
            Incident.element == found.element,
            Incident.kind == found.kind,
            Incident.id != found.id,
        )
    )
    return IncidentView(
        incident=found,
        case=case,
        instance=instance,
        command=str(json.loads(found.command)["command"]),
        seen=rules.masked(json.loads(found.seen)) if found.seen is not None else None,
        history=_history(session, found),
        same=same or 0,
        actions=_actions(session, actor, found, case, instance, known),
    )


def _history(session: Session, found: Incident) -> list[Event]:
    events = session.scalars(
        select(Event)
        .where(Event.instance_id == found.instance_id, Event.kind.startswith("incident."))
        .order_by(Event.number)
    )
    return [event for event in events if (event.payload or {}).get("incident") == str(found.id)]


def _actions(
    session: Session,
    actor: Actor,
    found: Incident,
    case: Case | None,
    instance: Instance,
    known: Mapping[str, Any],
) -> frozenset[str]:
    if not instance.is_open:
        return frozenset()
    wanted: set[str] = set()
    running = instance.state == Instance.State.RUNNING
    if found.state == Incident.State.OPEN and may(actor, "incident.resolve", **known):
        wanted.add("void")
        if running:
            wanted.add("retry")
    if case is not None:
        wanted |= actions(session, actor, case, instance)
    if found.state == Incident.State.OPEN and running and "move" in wanted and _passable(session, found, instance):
        wanted.add("pass_over")
    return frozenset(wanted)


def _passable(session: Session, found: Incident, instance: Instance) -> bool:
    from engine import specifications

    process = specifications.load(session, instance.bundle).processes.get(found.process)
    element = process.elements.get(found.element) if process is not None else None
    return element is not None and found.kind != "job" and element.kind not in (*GATEWAYS, Kind.BOUNDARY)


def actions(session: Session, actor: Actor, case: Case, instance: Instance) -> frozenset[str]:
    """What the actor may command on a case now."""
    if not instance.is_open:
        return frozenset()
    known = relation(session, case)
    wanted: set[str] = set()
    if may(actor, "case.suspend", **known):
        wanted.add("resume" if instance.state == Instance.State.SUSPENDED else "suspend")
    if may(actor, "case.repair", **known):
        wanted |= {"move", "edit"}
    if may(actor, "case.cancel", **known):
        wanted.add("cancel")
    return frozenset(wanted)


def find(session: Session, reference: str | UUID, actor: Actor, permission: str) -> Case:
    """A case by id or number, for an operator: an administrator mends cases whose content is none of theirs.

    Raises NotFound for somebody who may neither do this to the case nor read it, Forbidden otherwise.
    """
    try:
        case = session.get(Case, UUID(str(reference)))
    except ValueError:
        case = session.scalar(select(Case).where(Case.case_no == str(reference)))
    if case is None:
        raise no_such_case(str(reference))
    require_on(session, case, actor, permission)
    return case


# Where a case stands.


@dataclass(frozen=True)
class Standing:
    """A case as an operator moves it."""

    case: Case
    instance: Instance
    places: Sequence[Place]
    #: Name → value as JSON, what points to people covered: seen from the first place that waits.
    data: Mapping[str, Any]
    #: The place from which the data is seen; None: the started process.
    seen_from: int | None
    incidents: Sequence[Incident]
    suspension: Suspension | None
    actions: frozenset[str]


def standing(
    session: Session, engine: Engine, case: Case, actor: Actor, *, seen_from: int | None = None
) -> Standing | None:
    """Where a case stands; None before its procedure began."""
    if case.instance_id is None:
        return None
    instance = session.get_one(Instance, case.instance_id)
    places = engine.places(session, instance.id)
    if seen_from is None or seen_from not in {place.number for place in places}:
        seen_from = next((place.number for place in places if place.waits), None)
    data = engine.seen_from(session, instance.id, seen_from)
    return Standing(
        case=case,
        instance=instance,
        places=places,
        data={name: rules.masked(values.shown(value)) for name, value in sorted(data.items())},
        seen_from=seen_from,
        incidents=open_incidents(session, case),
        suspension=_suspension(session, instance),
        actions=actions(session, actor, case, instance),
    )


def open_incidents(session: Session, case: Case) -> list[Incident]:
    """The open incidents of a case, oldest first."""
    return list(
        session.scalars(
            select(Incident)
            .where(Incident.instance_id == case.instance_id, Incident.state == Incident.State.OPEN)
            .order_by(Incident.at, Incident.id)
        )
    )


def targets(session: Session, engine: Engine, case: Case, tokens: Collection[int]) -> list[Target]:
    """Where tokens of a case could go, each with what the token game says."""
    return engine.targets(session, case.instance_id, tokens) if case.instance_id is not None else []


# What its people are told.


@dataclass(frozen=True)
class Stop:
    """Why a case does not go on, as one reader may know it."""

    #: ``suspended``, or ``failed`` where a command left an incident.
    what: str
    since: datetime
    #: What everybody is told, Chinese and English.
    zh: str
    en: str
    #: The operator's own reason, or what failed; for the office alone.
    why: str
    incident_id: UUID | None = None


def stops(session: Session, case: Case, *, staff: bool) -> list[Stop]:
    """Why a case stands still: suspended, or stopped by a fault. Parties read no reasons of the office."""
    if case.instance_id is None:
        return []
    instance = session.get_one(Instance, case.instance_id)
    found: list[Stop] = []
    suspension = _suspension(session, instance)
    if suspension is not None:
        words = session.get(Standstill, suspension.id)
        zh, en = rules.told(words.cause, words.told) if words is not None else rules.told(Cause.SYSTEM, "")
        found.append(Stop("suspended", suspension.began_at, zh, en, suspension.why if staff else ""))
    if not instance.incidents:
        return found
    zh, en = rules.TOLD[Cause.SYSTEM]
    for incident in open_incidents(session, case):
        if staff:
            found.append(Stop("failed", incident.at, zh, en, incident.message, incident.id))
        elif not found:
            found.append(Stop("failed", incident.at, zh, en, ""))
    return found


def _suspension(session: Session, instance: Instance) -> Suspension | None:
    if instance.state != Instance.State.SUSPENDED:
        return None
    return session.scalar(
        select(Suspension).where(Suspension.instance_id == instance.id, Suspension.ended_at.is_(None))
    )
