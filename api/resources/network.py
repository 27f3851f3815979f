"""Organisations, and which office is competent for an address."""

from typing import Any
from uuid import UUID

from werkzeug.exceptions import PreconditionRequired

from api.edge import clock, current_actor, needs, read_session, require, settings, write_session
from api.limits import PUBLIC_LOOK_UP, limiter
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.resources.versions import matched, read_version, tagged
from api.schemas.network import (
    ChangeOrganisationSchema,
    CompetenceQuery,
    CompetenceSchema,
    MerchantQuery,
    NewOrganisationSchema,
    OrganisationPage,
    OrganisationQuery,
    OrganisationSchema,
)
from disputes.audit.operations import record
from disputes.network import operations, queries
from disputes.network.models import Kind, Organisation
from disputes.network.rules import Found

resources = Resources("network", __name__, "Organisations and competence")


@resources.route("/organisations")
@needs("network.read")
@resources.arguments(OrganisationQuery, location="query")
@resources.response(200, OrganisationPage)
def organisations(query: dict[str, Any]) -> dict[str, Any]:
    """Organisations of one kind, by code. Merchants are listed under `/merchants`."""
    return _page(Kind(query["kind"]), query)


@resources.route("/merchants")
@needs("network.read_merchants")
@resources.arguments(MerchantQuery, location="query")
@resources.response(200, OrganisationPage)
def merchants(query: dict[str, Any]) -> dict[str, Any]:
    """Merchants, by code."""
    return _page(Kind.MERCHANT, query)


@resources.route("/organisations/<uuid:organisation_id>")
@needs("network.read")
@resources.response(200, OrganisationSchema)
def organisation(organisation_id: UUID) -> Organisation:
    """One organisation; the ETag is its version."""
    found = queries.find(read_session(), organisation_id)
    if found.kind == Kind.MERCHANT:
        require("network.read_merchants")
    return _tagged(found)


@resources.route("/organisations", methods=("POST",))
@needs("network.edit")
@resources.arguments(NewOrganisationSchema)
@resources.response(201, OrganisationSchema)
def add(wanted: dict[str, Any]) -> Organisation:
    """Add an organisation."""
    session = write_session()
    parent_id = wanted.pop("parent_id", None)
    parent = queries.find(session, parent_id) if parent_id else None
    added = operations.add(session, **{**wanted, "kind": Kind(wanted["kind"])}, parent=parent, now=clock())
    _note(added, "organisation.added", {"code": added.code})
    return _tagged(added)


@resources.route("/organisations/<uuid:organisation_id>", methods=("PATCH",))
@needs("network.edit")
@resources.arguments(ChangeOrganisationSchema)
@resources.response(200, OrganisationSchema)
def change(changes: dict[str, Any], organisation_id: UUID) -> Organisation:
    """Change an organisation. `If-Match` with the ETag that was read is required: others edit it too."""
    session = write_session()
    found = queries.find(session, organisation_id)
    if read_version() is None:
        raise PreconditionRequired("Send the ETag that you have read as If-Match.")
    matched(found.version)
    operations.change(session, found, changes, version=found.version)
    _note(found, "organisation.changed", {"fields": sorted(changes)})
    return _tagged(found)


@resources.route("/competence")
@needs("network.find_competence")
@limiter.limit(PUBLIC_LOOK_UP)
@resources.arguments(CompetenceQuery, location="query")
@resources.response(200, CompetenceSchema)
def competence(query: dict[str, Any]) -> Found:
    """Which office is competent for an address, and why. Of several, the dispatch takes the least loaded."""
    return queries.office_for(
        read_session(),
        address=query["address"],
        merchant_id=query.get("merchant_id"),
        region=settings().region,
        load=lambda _office: 0,
    )


def _page(kind: Kind, query: dict[str, Any]) -> dict[str, Any]:
    after = place(query.get("after"), str)
    found = queries.page(
        read_session(),
        kind=kind,
        parent_id=query.get("parent_id"),
        text=query["text"],
        after=after[0] if after else None,
        limit=query["limit"] + 1,
    )
    return page(found, query["limit"], "code")


def _note(place: Organisation, action: str, facts: dict[str, Any]) -> None:
    """Leave what was done to an organisation in the audit; of a change the fields, not what stands in them."""
    chain = f"organisation:{place.id}"
    record(write_session(), chain=chain, action=action, facts=facts, by=current_actor(), now=clock())


def _tagged(found: Organisation) -> Organisation:
    tagged(found.version)
    return found
