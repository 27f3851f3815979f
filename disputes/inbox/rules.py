"""Who may work on an item."""

from sqlalchemy.orm import Session

from disputes.cases.access import complainants
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.identity.permissions import may
from disputes.identity.roles import Role
from disputes.inbox.models import InboxItem


def may_work(session: Session, case: Case, item: InboxItem, actor: Actor, permission: str) -> bool:
    """May the actor do this to the item of the case?

    A party's item is the party's alone; a named mediator's is that mediator's; everything else belongs to those
    who hold the item's role in the item's organisation.
    """
    guest = str(case.id) if actor.guest_side == item.role else None
    if item.role == Role.COMPLAINANT:
        own = actor.person_id == case.complainant_id
        persons = [case.complainant_id] if own else complainants(session, case)
        return may(actor, permission, person_id=persons, case_key=guest)
    if item.role == Role.RESPONDENT:
        shop = case.merchant_id if case.respondent_told_at is not None else None
        if shop is None:
            # Nobody may know of the case yet: "the role in any organisation" must not follow from that.
            return may(actor, permission, case_key=guest)
        return may(actor, permission, case_key=guest, role=item.role, organisation_id=shop)
    if item.person_id is not None:
        return may(actor, permission, person_id=item.person_id)
    return may(actor, permission, role=item.role, organisation_id=item.organisation_id)
