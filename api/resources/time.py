"""The calendar and the time limits."""

from datetime import date
from typing import Any

from api.edge import clock, current_actor, needs, read_session, runtime, settings, write_session
from api.resources.blueprint import Resources
from api.schemas.time import (
    CalendarNoticeSchema,
    CalendarSchema,
    CalendarYearQuery,
    ChangeSchema,
    DueQuery,
    DueSchema,
    LimitListSchema,
)
from core.now import CHINA
from disputes.timelimits import operations, queries
from disputes.timelimits.calendar import each_day
from disputes.timelimits.commands import due as compute_due
from engine import bundles

resources = Resources("time", __name__, "The calendar and the time limits")


@resources.route("/calendar")
@needs("calendar.read")
@resources.arguments(CalendarYearQuery, location="query")
@resources.response(200, CalendarSchema)
def calendar(query: dict[str, int]) -> dict[str, Any]:
    """Every day of a year: working or off, why, and whether it is announced or provisional."""
    known = queries.calendar(read_session())
    days = each_day(date(query["year"], 1, 1), date(query["year"] + 1, 1, 1))
    return {"year": query["year"], "days": [known.day(on) for on in days]}


@resources.route("/calendar/preview", methods=("POST",))
@needs("calendar.edit")
@resources.arguments(CalendarNoticeSchema)
@resources.response(200, ChangeSchema)
def preview(notice: dict[str, Any]) -> dict[str, Any]:
    """What a notice would change: the days, and every deadline that would move. Nothing is changed."""
    days = operations.Notice.from_json(notice).days()
    return operations.preview(read_session(), days, now=clock()).json()


@resources.route("/calendar", methods=("POST",))
@needs("calendar.edit")
@resources.arguments(CalendarNoticeSchema)
@resources.response(201, ChangeSchema)
def apply(notice: dict[str, Any]) -> dict[str, Any]:
    """Take a notice over: days, deadlines and running timers move, and the change is logged."""
    read = operations.Notice.from_json(notice)
    change = operations.apply(
        write_session(),
        runtime(),
        read.days(),
        source=read.source,
        document_no=read.document_no,
        now=clock(),
        by=str(current_actor()),
    )
    return change.json()


@resources.route("/limits")
@needs("limit.read")
@resources.response(200, LimitListSchema)
def limits() -> dict[str, Any]:
    """The time limits of the release in force, each edition with its article."""
    session = read_session()
    known = queries.limits_of(session, bundles.current(session))
    return {"items": [edition for limit in known for edition in known.editions[limit]]}


@resources.route("/limits/<limit>/due")
@needs("deadline.compute")
@resources.arguments(DueQuery, location="query")
@resources.response(200, DueSchema)
def due(query: dict[str, Any], limit: str) -> dict[str, Any]:
    """When a limit ends that began with `start`, with everything that explains it."""
    session = read_session()
    return compute_due(
        limit,
        query["start"].isoformat(),
        limits=bundles.load(session, bundles.current(session)).files["time_limits.yaml"],
        today=clock().astimezone(CHINA).date(),
        pauses=query["pause"],
        as_of=query["as_of"].isoformat() if "as_of" in query else None,
        region=query.get("region", settings().region),
        calendar=queries.calendar(session),
    )
