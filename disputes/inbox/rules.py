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
    if item.role == Role.COMPLAINANT:
        return may(actor, permission, complainant_id=known["complainant_id"], case_key=_guest(actor, item, known))
    if item.role == Role.RESPONDENT:
        return may(actor, permission, merchant_id=known["merchant_id"], case_key=_guest(actor, item, known))
    if item.person_id is not None:
        return may(actor, permission, person_id=item.person_id)
    places = {place for role, place in actor.roles if role == item.role}
    if item.organisation_id is None:
        return bool(places) and may(actor, permission, organisation_id=list(places))
    return item.organisation_id in places and may(actor, permission, organisation_id=item.organisation_id)


def _guest(actor: Actor, item: InboxItem, known: Relation) -> str | None:
    """The case's key, but only for a guest who stands on the side that the item asks."""
    return str(known["case_key"]) if actor.guest_side == item.role else None
