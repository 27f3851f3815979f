"""Retention: how long personal data is kept, what is gone, holds, and what people ask to have erased."""

from datetime import datetime
from typing import Any
from uuid import UUID

from api.edge import caller, clock, current_actor, needs, read_session, settings, write_session
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.retention import (
    CaseRetentionSchema,
    DecisionSchema,
    ErasureRequestPage,
    ErasureRequestSchema,
    HoldSchema,
    PeriodListSchema,
    RequestQuery,
    WhySchema,
)
from disputes.cases import queries as cases
from disputes.cases.access import require_on
from disputes.retention import operations, periods, queries
from disputes.retention.models import ErasureRequest, Hold

resources = Resources("retention", __name__, "Personal data: periods, holds, erasure")


@resources.route("/retention/periods")
@needs("limit.read")
@resources.response(200, PeriodListSchema)
def all_periods() -> dict[str, Any]:
    """How long each kind of personal data is kept after a case was closed, why, and on what ground."""
    return {"items": list(periods.standard().values())}


@resources.route("/cases/<reference>/retention")
@needs("retention.read")
@resources.response(200, CaseRetentionSchema)
def of_case(reference: str) -> dict[str, Any]:
    """What is gone of a case, what keeps the rest, and what was asked."""
    session = read_session()
    case = cases.find(session, reference, caller())
    require_on(session, case, caller(), "retention.read")
    return queries.of_case(session, case)


@resources.route("/cases/<reference>/erasure-requests", methods=("POST",))
@needs("retention.ask")
@resources.arguments(WhySchema)
@resources.response(201, ErasureRequestSchema)
def ask(wanted: dict[str, str], reference: str) -> ErasureRequest:
    """Ask that one's data in this case be erased before its period ends (个人信息保护法 第四十七条)."""
    session = write_session()
    case = cases.find(session, reference, caller())
    return operations.ask(session, case, reason=wanted["reason"], by=caller(), now=clock())


@resources.route("/erasure-requests")
@needs("retention.list")
@resources.arguments(RequestQuery, location="query")
@resources.response(200, ErasureRequestPage)
def requests(query: dict[str, Any]) -> dict[str, Any]:
    """Requests of one's own offices that wait for a decision, the oldest first."""
    after, limit = place(query.get("after"), datetime, UUID), query["limit"]
    found = queries.open_requests(
        read_session(), current_actor(), after=(after[0], after[1]) if after else None, limit=limit + 1
    )
    return page(found, limit, "asked_at", "id")


@resources.route("/erasure-requests/<uuid:request_id>/decision", methods=("POST",))
@needs("retention.decide")
@resources.arguments(DecisionSchema)
@resources.response(200, ErasureRequestSchema)
def decide(decision: dict[str, Any], request_id: UUID) -> ErasureRequest:
    """Grant or refuse. A grant erases at once what the law does not keep; official papers stay for their period."""
    return operations.decide(
        write_session(), request_id, **decision, files=settings().files, by=current_actor(), now=clock()
    )


@resources.route("/cases/<reference>/holds", methods=("POST",))
@needs("retention.hold")
@resources.arguments(WhySchema)
@resources.response(201, HoldSchema)
def hold(wanted: dict[str, str], reference: str) -> Hold:
    """Keep a case's data beyond its periods."""
    session = write_session()
    case = cases.find(session, reference, caller())
    return operations.hold(session, case, reason=wanted["reason"], by=current_actor(), now=clock())


@resources.route("/cases/<reference>/holds/<uuid:hold_id>/lift", methods=("POST",))
@needs("retention.hold")
@resources.response(200, HoldSchema)
def lift(reference: str, hold_id: UUID) -> Hold:
    """End a hold."""
    session = write_session()
    case = cases.find(session, reference, caller())
    return operations.lift(session, case, hold_id, by=current_actor(), now=clock())
