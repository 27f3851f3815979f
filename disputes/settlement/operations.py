"""What a merchant does outside its tasks: claiming an invitation, by its link or signed in."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.refusals import WrongState
from disputes.cases.access import relation
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.identity.permissions import require
from disputes.settlement import links
from disputes.settlement.links import open_link, peek, revoke
from disputes.settlement.models import ClaimLink, SettlementOrder
from engine import Engine

__all__ = ["claim", "new_link", "open_link", "peek", "revoke"]


def claim(session: Session, engine: Engine, case: Case, *, by: Actor, now: datetime) -> SettlementOrder:
    """Answer a published notice: the merchant takes the order and the talks begin (settlement.claimed).

    Before the publication the task ``claim_order`` is answered instead. Raises WrongState when nobody waits.
    """
    require(by, "settlement.claim", merchant_id=case.merchant_id, case_key=relation(session, case)["case_key"])
    order = session.get(SettlementOrder, case.id)
    step = engine.deliver(session, "settlement.claimed", str(case.id), now=now, by=str(by)) if order else None
    if order is None or step is None:
        raise WrongState(
            "现在没有等待认领的和解邀约。 Nothing waits to be claimed in this case now.", code="settlement.not_open"
        )
    order.claimed_at = now
    session.flush()
    return order


def new_link(session: Session, case: Case, *, secret: str, by: Actor, now: datetime) -> tuple[ClaimLink, str]:
    """A new claim link for a merchant that lost its own; earlier ones stop working."""
    require(by, "case.edit", office_id=relation(session, case)["office_id"])
    if case.closed_at is not None:
        raise WrongState("这件投诉已经办结。 Expected a case that runs; this one is closed.", code="case.closed")
    return links.make(session, case, secret=secret, now=now)
