"""Running deadlines reckoned again: rehearsed, read, applied or abandoned."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for

from api.edge import clock, current_actor, needs, read_session, write_session
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.base import PageQuery
from api.schemas.deadlines import (
    RederivationItemPage,
    RederivationItemQuery,
    RederivationPage,
    RederivationSchema,
    RehearsalSchema,
)
from disputes.timelimits import rederivation
from disputes.timelimits.models import Rederivation

resources = Resources("rederivations", __name__, "Running deadlines reckoned again")


@resources.route("/rederivations")
@needs("rederivation.read")
@resources.arguments(PageQuery, location="query")
@resources.response(200, RederivationPage)
def rederivations(query: dict[str, Any]) -> dict[str, Any]:
    """What was rehearsed and applied, the newest first."""
    after, limit = place(query.get("after"), datetime, UUID), query["limit"]
    found = rederivation.plans(read_session(), after=(after[0], after[1]) if after else None, limit=limit + 1)
    return page(found, limit, "rehearsed_at", "id")


@resources.route("/rederivations", methods=("POST",))
@needs("rederivation.rehearse")
@resources.arguments(RehearsalSchema)
@resources.response(201, RederivationSchema)
def rehearse(wanted: dict[str, Any]) -> Any:
    """Rehearse a cause: which deadlines would change, before and after. Nothing is changed."""
    plan = rederivation.rehearse_wanted(write_session(), wanted, now=clock(), by=str(current_actor()))
    return plan, 201, {"Location": url_for("rederivations.one", plan_id=plan.id)}


@resources.route("/rederivations/<uuid:plan_id>")
@needs("rederivation.read")
@resources.response(200, RederivationSchema)
def one(plan_id: UUID) -> Rederivation:
    """One re-derivation with its counts."""
    return rederivation.find(read_session(), plan_id)


@resources.route("/rederivations/<uuid:plan_id>/items")
@needs("rederivation.read")
@resources.arguments(RederivationItemQuery, location="query")
@resources.response(200, RederivationItemPage)
def items(query: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Each deadline that it changes, before and after."""
    after, limit = place(query.pop("after", None), int), query.pop("limit")
    session = read_session()
    rederivation.find(session, plan_id)
    found = rederivation.items(session, plan_id, **query, after=after[0] if after else 0, limit=limit + 1)
    return page(found, limit, "number")


@resources.route("/rederivations/<uuid:plan_id>/apply", methods=("POST",))
@needs("rederivation.apply")
@resources.response(202, RederivationSchema)
def apply(plan_id: UUID) -> Rederivation:
    """Make the cause hold and order that all cases be moved; the worker moves them, case after case."""
    session = write_session()
    plan = rederivation.find(session, plan_id, lock=True)
    return rederivation.begin(session, plan, now=clock(), by=str(current_actor()))


@resources.route("/rederivations/<uuid:plan_id>/abandon", methods=("POST",))
@needs("rederivation.rehearse")
@resources.response(200, RederivationSchema)
def abandon(plan_id: UUID) -> Rederivation:
    """Never apply it."""
    session = write_session()
    plan = rederivation.find(session, plan_id, lock=True)
    return rederivation.abandon(session, plan, now=clock(), by=str(current_actor()))
