"""Whom a role means in one case: the person or the organisation that a task or a notice goes to."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from disputes.cases.access import in_charge
from disputes.cases.models import Case
from disputes.identity.models import Membership
from disputes.identity.roles import Role
from disputes.network.models import Kind, Organisation

#: Built once: every task that opens asks.
_HELD_IN = select(Membership.organisation_id).where(
    Membership.organisation_id.in_(bindparam("places", expanding=True)), Membership.role == bindparam("role")
)


@dataclass(frozen=True)
class Addressee:
    """A person, or everybody who holds ``role`` in an organisation; both None: everybody with the role."""

    role: str
    person_id: UUID | None = None
    organisation_id: UUID | None = None


def addressee(session: Session, case: Case, role: str) -> Addressee:
    """Whom ``role`` means in this case."""
    match role:
        case Role.COMPLAINANT:
            return Addressee(role, person_id=case.complainant_id)
        case Role.RESPONDENT:
            return Addressee(role, organisation_id=case.merchant_id)
        case Role.MEDIATOR if case.mediator_id is not None:
            return Addressee(role, person_id=case.mediator_id, organisation_id=case.mediation_body_id)
        case Role.MEDIATOR | Role.COUNCIL_LIAISON if case.mediation_body_id is not None:
            return Addressee(role, organisation_id=case.mediation_body_id)
        case Role.COURT_LIAISON:
            return Addressee(role, organisation_id=case.court_id or _court(session, case.region))
        case _:
            return Addressee(role, organisation_id=_nearest(session, case, role))


def _nearest(session: Session, case: Case, role: str) -> UUID | None:
    """The organisation nearest to the case in which somebody holds the role: the office, then upwards."""
    places = [place.id for place in in_charge(session, case)]
    held = set(session.scalars(_HELD_IN, {"places": places, "role": role}))
    return next((place for place in places if place in held), None)


def _court(session: Session, region: str) -> UUID | None:
    return session.scalar(
        select(Organisation.id)
        .where(Organisation.kind == Kind.COURT, Organisation.active)
        .order_by(Organisation.region != region, Organisation.code)
        .limit(1)
    )
