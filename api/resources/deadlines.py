"""Deadlines in motion: stopping one, letting it go on, asking for more time, and deciding on that."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from api.edge import caller, clock, current_actor, needs, read_session, runtime, write_session
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.base import PageQuery
from api.schemas.deadlines import (
    DeadlineExtensionPage,
    DeadlineExtensionRequestSchema,
    DeadlineExtensionSchema,
    DeadlineOptionsSchema,
    DecisionNoteSchema,
    PauseRequestSchema,
    ResumeRequestSchema,
)
from disputes.cases import deadlines, queries
from disputes.cases.access import require_on
from disputes.cases.models import Case
from disputes.timelimits import queries as limits
from disputes.timelimits.models import DeadlineExtension

resources = Resources("deadlines", __name__, "Pauses and extensions of deadlines")


@resources.route("/cases/<reference>/deadlines/<uuid:deadline_id>")
@needs("case.deadlines")
@resources.response(200, DeadlineOptionsSchema)
def one_deadline(reference: str, deadline_id: UUID) -> dict[str, Any]:
    """One deadline, what the caller may do to it, and the requests for more time."""
    session = read_session()
    case = queries.find(session, reference, caller())
    require_on(session, case, caller(), "case.deadlines")
    return _shown(session, case, deadline_id)


@resources.route("/cases/<reference>/deadlines/<uuid:deadline_id>/pause", methods=("POST",))
@needs("deadline.pause")
@resources.arguments(PauseRequestSchema)
@resources.response(200, DeadlineOptionsSchema)
def pause(wanted: dict[str, Any], reference: str, deadline_id: UUID) -> dict[str, Any]:
    """Stop the clock for one of the reasons that its limit knows; else it is refused with the article."""
    session, case = _write(reference)
    deadlines.pause(session, runtime(), case, deadline_id, **wanted, by=current_actor(), now=clock())
    return _shown(session, case, deadline_id)


@resources.route("/cases/<reference>/deadlines/<uuid:deadline_id>/resume", methods=("POST",))
@needs("deadline.resume")
@resources.arguments(ResumeRequestSchema)
@resources.response(200, DeadlineOptionsSchema)
def resume(wanted: dict[str, Any], reference: str, deadline_id: UUID) -> dict[str, Any]:
    """Let the clock go on with what was left."""
    session, case = _write(reference)
    deadlines.resume(session, runtime(), case, deadline_id, **wanted, by=current_actor(), now=clock())
    return _shown(session, case, deadline_id)


@resources.route("/cases/<reference>/deadlines/<uuid:deadline_id>/extensions", methods=("POST",))
@needs("deadline.extend")
@resources.arguments(DeadlineExtensionRequestSchema)
@resources.response(201, DeadlineExtensionSchema)
def request_extension(wanted: dict[str, Any], reference: str, deadline_id: UUID) -> Any:
    """Ask for more time. Nothing moves until somebody else approves."""
    session, case = _write(reference)
    asked = deadlines.request_extension(
        session, runtime(), case, deadline_id, **wanted, by=current_actor(), now=clock()
    )
    where = url_for("deadlines.one_deadline", reference=case.id, deadline_id=deadline_id)
    return asked, 201, {"Location": where}


@resources.route("/extensions")
@needs("deadline.decide")
@resources.arguments(PageQuery, location="query")
@resources.response(200, DeadlineExtensionPage)
def extensions(query: dict[str, Any]) -> dict[str, Any]:
    """Requests that wait for the caller's decision, the oldest first."""
    after, limit = place(query.get("after"), datetime, UUID), query["limit"]
    found = deadlines.waiting_extensions(
        read_session(), current_actor(), after=(after[0], after[1]) if after else None, limit=limit + 1
    )
    return page([asked for asked, _case in found], limit, "requested_at", "id")


@resources.route("/extensions/<uuid:extension_id>/approve", methods=("POST",))
@needs("deadline.decide")
@resources.arguments(DecisionNoteSchema)
@resources.response(200, DeadlineExtensionSchema)
def approve(said: dict[str, str], extension_id: UUID) -> DeadlineExtension:
    """Grant more time; the deadline and its timers move at once."""
    return _decide(extension_id, said, grant=True)


@resources.route("/extensions/<uuid:extension_id>/refuse", methods=("POST",))
@needs("deadline.decide")
@resources.arguments(DecisionNoteSchema)
@resources.response(200, DeadlineExtensionSchema)
def refuse(said: dict[str, str], extension_id: UUID) -> DeadlineExtension:
    """Refuse more time, with the reason in `note`."""
    return _decide(extension_id, said, grant=False)


@resources.route("/extensions/<uuid:extension_id>/withdraw", methods=("POST",))
@needs("deadline.extend")
@resources.response(200, DeadlineExtensionSchema)
def withdraw(extension_id: UUID) -> DeadlineExtension:
    """Take one's own request back."""
    return deadlines.withdraw_extension(write_session(), runtime(), extension_id, by=current_actor(), now=clock())


def _decide(extension_id: UUID, said: dict[str, str], *, grant: bool) -> DeadlineExtension:
    return deadlines.decide_extension(
        write_session(), runtime(), extension_id, grant=grant, note=said["note"], by=current_actor(), now=clock()
    )


def _write(reference: str) -> tuple[Session, Case]:
    session = write_session()
    return session, queries.find(session, reference, caller())


def _shown(session: Session, case: Case, deadline_id: UUID) -> dict[str, Any]:
    row = deadlines.find(session, case, deadline_id)
    found = deadlines.options(session, case, row, caller(), now=clock())
    rule = found.limit.extendable
    return {
        "deadline": limits.deadline_view(row, now=clock(), calendar=limits.calendar(session)),
        "reasons": found.reasons,
        "may_resume": found.may_resume,
        "may_extend": found.may_extend,
        "extendable": None if rule is None else asdict(rule),
        "requests": found.requests if caller().is_staff else [],
    }
