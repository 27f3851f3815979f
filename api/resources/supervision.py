"""What the house watches itself by: the audit, its chains, and incidents."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from api.edge import clock, current_actor, needs, read_session, runtime, write_session
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.supervision import (
    AuditPage,
    AuditQuery,
    IncidentPage,
    IncidentQuery,
    IncidentSchema,
    VerdictSchema,
)
from disputes.audit import queries as audit
from engine import Incident

resources = Resources("supervision", __name__, "The audit and incidents")


@resources.route("/audit/events")
@needs("audit.read")
@resources.arguments(AuditQuery, location="query")
@resources.response(200, AuditPage)
def audit_events(query: dict[str, Any]) -> dict[str, Any]:
    """Who did what and who looked at whose data, the newest first."""
    after, limit = place(query.pop("after", None), int), query.pop("limit")
    found = audit.events(read_session(), **query, before=after[0] if after else None, limit=limit + 1)
    return page(found, limit, "id")


@resources.route("/audit/verification")
@needs("audit.verify")
@resources.response(200, VerdictSchema)
def verify() -> dict[str, Any]:
    """Read every chain of the audit and say where one does not fit."""
    return asdict(audit.verify_all(read_session()))


@resources.route("/incidents")
@needs("incident.list")
@resources.arguments(IncidentQuery, location="query")
@resources.response(200, IncidentPage)
def incidents(query: dict[str, Any]) -> dict[str, Any]:
    """Commands that failed inside a diagram, the oldest first; everything else goes on."""
    after, limit = place(query.get("after"), datetime, UUID), query["limit"]
    wanted = select(Incident).where(Incident.state == query["state"]).order_by(Incident.at, Incident.id)
    if after:
        wanted = wanted.where(tuple_(Incident.at, Incident.id) > tuple_(*after))
    return page(read_session().scalars(wanted.limit(limit + 1)).all(), limit, "at", "id")


@resources.route("/incidents/<uuid:incident_id>/retry", methods=("POST",))
@needs("incident.resolve")
@resources.response(200, IncidentSchema)
def retry(incident_id: UUID) -> Incident:
    """Carry the command out again, once its cause is mended; it stays open when it fails again."""
    session = write_session()
    runtime().retry(session, incident_id, now=clock(), by=str(current_actor()))
    return session.get_one(Incident, incident_id)
