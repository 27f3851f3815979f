"""What the house watches itself by: the audit and its chains."""

from dataclasses import asdict
from typing import Any

from api.edge import needs, read_session
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.supervision import AuditPage, AuditQuery, VerdictSchema
from disputes.audit import queries as audit

resources = Resources("supervision", __name__, "The audit")


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
