"""History: who did what when, the event log as OCEL 2.0, and whether a case follows its release."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, stream_with_context

from api.edge import caller, current_actor, needs, read_session, the_edge
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.history import ConformanceSchema, HistoryEventPage, HistoryQuery, OcelQuery
from disputes.cases import queries as cases
from disputes.cases.access import require_on
from disputes.history import conformance, ocel, queries

resources = Resources("history", __name__, "Events across cases, export for process mining, conformance")


@resources.route("/history/events")
@needs("history.read")
@resources.arguments(HistoryQuery, location="query")
@resources.response(200, HistoryEventPage)
def happened(query: dict[str, Any]) -> dict[str, Any]:
    """Who did what when, in the cases of one's own places, the newest first."""
    after, limit = place(query.pop("after", None), datetime, UUID, int), query.pop("limit")
    found = queries.happened(
        read_session(),
        current_actor(),
        queries.Filters(**query),
        after=(after[0], after[1], after[2]) if after else None,
        limit=limit + 1,
    )
    return page(found, limit, "at", "instance_id", "number")


@resources.route("/history/ocel")
@needs("export.events")
@resources.arguments(OcelQuery, location="query")
@resources.response(200, content_type="application/json", description="OCEL 2.0 JSON, streamed.")
def export(query: dict[str, Any]) -> Response:
    """The event log as OCEL 2.0, for process mining; people are pseudonyms."""
    actor, scope = current_actor(), ocel.Scope(**query)

    def pieces() -> Iterator[bytes]:
        with the_edge().database.reader() as session:
            yield from ocel.export(session, scope, by=actor)

    response = Response(stream_with_context(pieces()), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename="hejie.ocel.json")
    return response


@resources.route("/cases/<reference>/conformance")
@needs("case.conformance")
@resources.response(200, ConformanceSchema)
def follows(reference: str) -> dict[str, Any]:
    """Does the case follow its release: its chain, what was done by hand, and its course played again."""
    session = read_session()
    case = cases.find(session, reference, caller())
    require_on(session, case, caller(), "case.conformance")
    return conformance.check(session, case).json()
