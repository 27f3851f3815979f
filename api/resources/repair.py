"""Incidents, and what operators do to a case that has stopped."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from api.edge import clock, current_actor, needs, read_session, runtime, write_session
from api.resources.blueprint import Resources
from api.resources.paging import cursor, place
from api.schemas.repair import (
    CancelCaseSchema,
    CauseListSchema,
    CauseSchema,
    EditDataSchema,
    GiveUpSchema,
    IncidentPage,
    IncidentQuery,
    IncidentSchema,
    MoveSchema,
    MovesQuery,
    MovesSchema,
    OneIncidentSchema,
    PassOverSchema,
    RepairedSchema,
    ResumeCaseSchema,
    RetriedSchema,
    SkipSchema,
    SuspendCaseSchema,
)
from disputes.cases.models import Case
from disputes.repair import operations, queries
from disputes.repair.operations import Outcome

resources = Resources("repair", __name__, "Incidents, and mending a case that has stopped")


@resources.route("/incidents")
@needs("incident.list")
@resources.arguments(IncidentQuery, location="query")
@resources.response(200, IncidentPage)
def incidents(query: dict[str, Any]) -> dict[str, Any]:
    """Commands that failed inside a diagram, the oldest first; everything else goes on."""
    after, limit = place(query.pop("after", None), datetime, UUID), query.pop("limit")
    found = queries.incidents(
        read_session(), queries.Filters(**query), after=(after[0], after[1]) if after else None, limit=limit
    )
    shown = [_line(line) for line in found[:limit]]
    last = found[limit - 1].incident if len(found) > limit else None
    return {"items": shown, "next": cursor(last.at, last.id) if last else None}


@resources.route("/incidents/causes")
@needs("incident.list")
@resources.response(200, CauseListSchema)
def causes() -> dict[str, Any]:
    """Open incidents counted by what failed, the most frequent first."""
    found = queries.causes(read_session())
    return {"items": [{"process": p, "element": e, "kind": k, "open": n} for p, e, k, n in found]}


@resources.route("/incidents/retry", methods=("POST",))
@needs("incident.resolve")
@resources.arguments(CauseSchema)
@resources.response(200, RetriedSchema)
def retry_same(cause: dict[str, str]) -> operations.Report:
    """Retry the open incidents of one cause, 100 at most; each by itself, so that none holds up another."""
    return operations.retry_same(
        write_session(),
        runtime(),
        process=cause["process"],
        element=cause["element"],
        kind=cause["kind"],
        by=current_actor(),
        now=clock(),
    )


@resources.route("/incidents/<uuid:incident_id>")
@needs("incident.read")
@resources.response(200, OneIncidentSchema)
def one_incident(incident_id: UUID) -> dict[str, Any]:
    """One incident: what failed, on which element, with which data, and what may be done."""
    view = queries.incident(read_session(), incident_id, current_actor())
    return {
        **{name: getattr(view.incident, name) for name in IncidentSchema().fields},
        **{name: getattr(view, name) for name in ("command", "seen", "history", "same")},
        "actions": sorted(view.actions),
        "case_id": view.case.id if view.case else None,
    }


@resources.route("/incidents/<uuid:incident_id>/retry", methods=("POST",))
@needs("incident.resolve")
@resources.response(200, RepairedSchema)
def retry(incident_id: UUID) -> dict[str, Any]:
    """Carry the command out again, once its cause is mended; it stays open when it fails again."""
    return _shown(operations.retry(write_session(), runtime(), incident_id, by=current_actor(), now=clock()))


@resources.route("/incidents/<uuid:incident_id>/skip", methods=("POST",))
@needs("case.repair")
@resources.arguments(PassOverSchema)
@resources.response(200, RepairedSchema)
def pass_over(wanted: dict[str, Any], incident_id: UUID) -> dict[str, Any]:
    """Carry the command out again without the element that failed."""
    session = write_session()

    def act() -> Outcome:
        return operations.pass_over(
            session,
            runtime(),
            incident_id,
            variables=wanted["variables"],
            why=wanted["reason"],
            by=current_actor(),
            now=clock(),
        )

    return _done(session, act, wanted)


@resources.route("/incidents/<uuid:incident_id>/void", methods=("POST",))
@needs("incident.resolve")
@resources.arguments(GiveUpSchema)
@resources.response(200, RepairedSchema)
def void(wanted: dict[str, str], incident_id: UUID) -> dict[str, Any]:
    """Give the command up: it is not wanted any more."""
    return _shown(
        operations.void(
            write_session(), runtime(), incident_id, why=wanted["reason"], by=current_actor(), now=clock()
        )
    )


@resources.route("/cases/<reference>/moves")
@needs("case.repair")
@resources.arguments(MovesQuery, location="query")
@resources.response(200, MovesSchema)
def moves(query: dict[str, Any], reference: str) -> dict[str, Any]:
    """Where the case stands; with `token` also where those tokens could go, each with the token game's verdict."""
    session = read_session()
    case = queries.find(session, reference, current_actor(), "case.repair")
    tokens: list[int] = query["token"]
    found = queries.standing(session, runtime(), case, current_actor(), seen_from=tokens[0] if tokens else None)
    return {
        "state": found.instance.state if found else "",
        "places": found.places if found else [],
        "targets": queries.targets(session, runtime(), case, tokens) if tokens else [],
        "data": found.data if found else {},
        "actions": sorted(found.actions) if found else [],
    }


@resources.route("/cases/<reference>/suspend", methods=("POST",))
@needs("case.suspend")
@resources.arguments(SuspendCaseSchema)
@resources.response(200, RepairedSchema)
def suspend(wanted: dict[str, Any], reference: str) -> dict[str, Any]:
    """Let the case stand still; its people are told in the words of the cause."""
    session, case = _write(reference, "case.suspend")

    def act() -> Outcome:
        return operations.suspend(
            session,
            runtime(),
            case,
            why=wanted["reason"],
            cause=wanted["cause"],
            told=wanted["told"],
            keep_remaining=wanted["keep_remaining"],
            by=current_actor(),
            now=clock(),
        )

    return _done(session, act, wanted)


@resources.route("/cases/<reference>/resume", methods=("POST",))
@needs("case.suspend")
@resources.arguments(ResumeCaseSchema)
@resources.response(200, RepairedSchema)
def resume(wanted: dict[str, Any], reference: str) -> dict[str, Any]:
    """Let the case go on with what was left of its deadlines."""
    session, case = _write(reference, "case.suspend")

    def act() -> Outcome:
        return operations.resume(session, runtime(), case, why=wanted["reason"], by=current_actor(), now=clock())

    return _done(session, act, wanted)


@resources.route("/cases/<reference>/cancel", methods=("POST",))
@needs("case.cancel")
@resources.arguments(CancelCaseSchema)
@resources.response(200, RepairedSchema)
def cancel(wanted: dict[str, Any], reference: str) -> dict[str, Any]:
    """End the case: nothing stays open, and its people are told why."""
    session, case = _write(reference, "case.cancel")

    def act() -> Outcome:
        return operations.cancel(session, runtime(), case, why=wanted["reason"], by=current_actor(), now=clock())

    return _done(session, act, wanted)


@resources.route("/cases/<reference>/move", methods=("POST",))
@needs("case.repair")
@resources.arguments(MoveSchema)
@resources.response(200, RepairedSchema)
def move(wanted: dict[str, Any], reference: str) -> dict[str, Any]:
    """Take the case from where it waits to another element, if it can finish from there."""
    session, case = _write(reference, "case.repair")

    def act() -> Outcome:
        return operations.move(
            session,
            runtime(),
            case,
            tokens=wanted["tokens"],
            **wanted["to"],
            variables=wanted["variables"],
            why=wanted["reason"],
            by=current_actor(),
            now=clock(),
        )

    return _done(session, act, wanted)


@resources.route("/cases/<reference>/skip", methods=("POST",))
@needs("case.repair")
@resources.arguments(SkipSchema)
@resources.response(200, RepairedSchema)
def skip(wanted: dict[str, Any], reference: str) -> dict[str, Any]:
    """Let the case leave an element without the element being done."""
    session, case = _write(reference, "case.repair")

    def act() -> Outcome:
        return operations.skip(
            session,
            runtime(),
            case,
            token=wanted["token"],
            variables=wanted["variables"],
            why=wanted["reason"],
            by=current_actor(),
            now=clock(),
        )

    return _done(session, act, wanted)


@resources.route("/cases/<reference>/data", methods=("POST",))
@needs("case.repair")
@resources.arguments(EditDataSchema)
@resources.response(200, RepairedSchema)
def edit_data(wanted: dict[str, Any], reference: str) -> dict[str, Any]:
    """Correct the process data: names that the procedure knows, each with a value of its kind."""
    session, case = _write(reference, "case.repair")

    def act() -> Outcome:
        return operations.edit_data(
            session,
            runtime(),
            case,
            changes=wanted["changes"],
            token=wanted["token"],
            why=wanted["reason"],
            by=current_actor(),
            now=clock(),
        )

    return _done(session, act, wanted)


def _write(reference: str, permission: str) -> tuple[Session, Case]:
    session = write_session()
    return session, queries.find(session, reference, current_actor(), permission)


def _done(session: Session, act: Callable[[], Outcome], wanted: dict[str, Any]) -> dict[str, Any]:
    return _shown(operations.rehearse(session, act) if wanted["rehearse"] else act())


def _shown(outcome: Outcome) -> dict[str, Any]:
    return {
        **{name: getattr(outcome, name) for name in RepairedSchema().fields},
        "waits": [{"process": process, "element": element} for process, element in outcome.waits],
    }


def _line(line: queries.Line) -> dict[str, Any]:
    return {
        **{name: getattr(line.incident, name) for name in IncidentSchema().fields},
        "case_no": line.case_no,
        "title": line.title,
        "suspended": line.suspended,
    }
