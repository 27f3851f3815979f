"""Who stands where to a case: the relations that permissions ask for, and the roles in which somebody reads it."""

from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from core.db import of_transaction
from core.refusals import NotFound
from disputes.cases.models import Case, Party, Side
from disputes.identity.actor import Actor
from disputes.identity.permissions import may, require
from disputes.identity.roles import Role
from disputes.network.models import Kind, Organisation

#: Whoever stands on the complainant's side of a case.
COMPLAINING = (Side.COMPLAINANT, Side.REPRESENTATIVE, Side.AGENT)

#: Statements that most requests need are built once.
_COMPLAINING = select(Party.person_id).where(
    Party.case_id == bindparam("case"), Party.side.in_(COMPLAINING), Party.person_id.is_not(None)
)
_NEAR = select(Organisation).where(
    or_(
        and_(Organisation.kind.in_((Kind.CENTRE, Kind.BUREAU)), Organisation.region == bindparam("region")),
        Organisation.id == bindparam("office", type_=Uuid()),
        Organisation.id == bindparam("station", type_=Uuid()),
    )
)

#: Key of the places in charge that a transaction has looked up, in ``Session.info``.
_IN_CHARGE = "disputes.cases.in_charge"

Relation = dict[str, UUID | str | list[UUID] | list[str] | None]


def relation(session: Session, case: Case) -> Relation:
    """What ``identity.permissions`` wants to know of a case."""
    return {
        "case_key": str(case.id),
        "complainant_id": complainants(session, case),
        "merchant_id": case.merchant_id if case.respondent_told_at is not None else None,
        "office_id": [place.id for place in in_charge(session, case)],
        "mediator_id": case.mediator_id,
        "mediation_body_id": case.mediation_body_id,
        "court_id": case.court_id,
        "council_id": case.mediation_body_id if _is_council(session, case) else None,
    }


def complainants(session: Session, case: Case) -> list[UUID]:
    """The complainant, and the representatives and agents who act for them."""
    found = session.scalars(_COMPLAINING, {"case": case.id})
    return sorted({case.complainant_id, *(person for person in found if person is not None)})


def in_charge(session: Session, case: Case) -> list[Organisation]:
    """The office in charge and all above it, nearest first; before the dispatch, the centre of the district.

    Asked several times in a step, so each transaction looks once.
    """
    found = of_transaction(session, _IN_CHARGE)
    key = (case.office_id, case.station_id, case.region)
    if key not in found:
        found[key] = _look_up(session, case)
    places: list[Organisation] = found[key]
    return places


def _look_up(session: Session, case: Case) -> list[Organisation]:
    asked = {"region": case.region, "office": case.office_id, "station": case.station_id}
    near = {place.id: place for place in session.scalars(_NEAR, asked)}
    middle = next(
        (p for p in sorted(near.values(), key=lambda p: p.code) if p.kind == Kind.CENTRE and p.active), None
    )
    middle = middle or centre(session, case.region)
    start = near.get(case.office_id) if case.office_id else middle
    places: list[Organisation] = []
    while start is not None and start not in places:
        places.append(start)
        start = (
            (near.get(start.parent_id) or session.get(Organisation, start.parent_id)) if start.parent_id else None
        )
    if middle is not None and middle not in places:
        places.append(middle)
    station = near.get(case.station_id) if case.station_id else None
    if station is not None and station not in places:
        places.append(station)
    return places


def centre(session: Session, region: str) -> Organisation | None:
    """The processing centre that receives for a region."""
    return session.scalar(
        select(Organisation)
        .where(Organisation.kind == Kind.CENTRE, Organisation.active)
        .order_by(Organisation.region != region, Organisation.code)
        .limit(1)
    )


def roles_of(session: Session, case: Case, actor: Actor) -> frozenset[str]:
    """In which roles the actor stands to this case; empty for somebody whom it does not concern."""
    known = relation(session, case)
    roles = {
        role for role, place in actor.roles if place in _places(known, "office_id") and role != Role.RESPONDENT
    }
    sides = {
        "complainant": actor.person_id in _places(known, "complainant_id")
        or (actor.guest_case == str(case.id) and actor.guest_side == "complainant"),
        "respondent": (known["merchant_id"] in actor.organisations(Role.RESPONDENT))
        or (actor.guest_case == str(case.id) and actor.guest_side == "respondent"),
        "mediator": (actor.person_id is not None and actor.person_id == case.mediator_id)
        or case.mediation_body_id in actor.organisations(Role.MEDIATOR, Role.HEAD),
        "council_liaison": known["council_id"] in actor.organisations(Role.COUNCIL_LIAISON),
        "court_liaison": case.court_id in actor.organisations(Role.COURT_LIAISON),
        "system": actor.is_system,
    }
    return frozenset(roles | {role for role, holds in sides.items() if holds})


def require_on(session: Session, case: Case, actor: Actor, permission: str) -> None:
    """Refuse an actor who may not do this to the case.

    Raises NotFound when the actor may not even know that the case exists, Forbidden otherwise.
    """
    known = relation(session, case)
    if may(actor, permission, **known):
        return
    if not may(actor, "case.read", **known):
        raise no_such_case(case.case_no)
    require(actor, permission, **known)


def no_such_case(reference: str) -> NotFound:
    """The refusal that tells nobody whether a case exists."""
    return NotFound(
        "没有这件投诉，或者您不是它的当事人。 There is no such case, or it is not yours.",
        code="case.not_found",
        case=reference,
    )


def _is_council(session: Session, case: Case) -> bool:
    if case.mediation_body_id is None:
        return False
    body = session.get(Organisation, case.mediation_body_id)
    return body is not None and body.kind == Kind.COUNCIL


def _places(known: Relation, name: str) -> frozenset[object]:
    value = known[name]
    if value is None:
        return frozenset()
    return frozenset(value) if isinstance(value, list) else frozenset((value,))
