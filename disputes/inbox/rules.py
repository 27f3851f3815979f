"""Who may work on an item. Pure: an item and an actor in, an answer out."""

from disputes.cases.access import Relation
from disputes.identity.actor import Actor
from disputes.identity.permissions import may
from disputes.identity.roles import Role
from disputes.inbox.models import InboxItem


def may_work(item: InboxItem, actor: Actor, permission: str, known: Relation) -> bool:
    """May the actor do this to the item? ``known`` are the relations of its case.

    A party's item is the party's alone; a named mediator's is that mediator's; everything else belongs to those
    who hold the item's role in the item's organisation.
    """
    guest = _guest(actor, item, known)
    if item.role == Role.COMPLAINANT:
        return may(actor, permission, person_id=known["complainant_id"], case_key=guest)
    if item.role == Role.RESPONDENT:
        shop = known["merchant_id"]
        # Without a merchant that may know of the case nobody holds its role: "any merchant" must not follow.
        holds = {"role": item.role, "organisation_id": shop} if shop is not None else {}
        return may(actor, permission, case_key=guest, **holds)
    if item.person_id is not None:
        return may(actor, permission, person_id=item.person_id)
    return may(actor, permission, role=item.role, organisation_id=item.organisation_id)


def _guest(actor: Actor, item: InboxItem, known: Relation) -> str | None:
    """The case's key, but only for a guest who stands on the side that the item asks."""
    return str(known["case_key"]) if actor.guest_side == item.role else None
