"""Offers, the order and the agreement of a settlement, for those who may read them; and what forms show of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.cases.access import no_such_case, relation, roles_of
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.identity.permissions import may
from disputes.inbox.contexts import provides
from disputes.inbox.models import InboxItem
from disputes.settlement import masking
from disputes.settlement.models import (
    MAX_ROUNDS,
    Offer,
    OfferKind,
    SettlementAgreement,
    SettlementOrder,
)

OFFER_NAMES: dict[OfferKind, tuple[str, str]] = {
    OfferKind.REFUND: ("退货退款", "Refund"),
    OfferKind.PART_REFUND: ("部分退款", "Part refund"),
    OfferKind.EXCHANGE: ("换货", "Exchange"),
    OfferKind.REPAIR: ("修理", "Repair"),
    OfferKind.COMPENSATION: ("赔偿", "Compensation"),
    OfferKind.APOLOGY: ("赔礼道歉", "Apology"),
    OfferKind.OTHER: ("其他", "Other"),
}


def offers(session: Session, case: Case, actor: Actor) -> Sequence[Offer]:
    """The rounds, oldest first; never for a court: what was said to settle stays here (规则 第十八条)."""
    _require_reader(session, case, actor)
    roles = roles_of(session, case, actor)
    if not roles - {"court_liaison", "council_liaison"}:
        return []
    return session.scalars(select(Offer).where(Offer.case_id == case.id).order_by(Offer.round)).all()


def order(session: Session, case: Case, actor: Actor) -> SettlementOrder | None:
    """The settlement request as the merchant has it; None where the shop was not asked."""
    _require_reader(session, case, actor)
    return session.get(SettlementOrder, case.id)


def agreement(session: Session, case: Case, actor: Actor) -> SettlementAgreement | None:
    """What the parties agreed to between themselves, if they did."""
    _require_reader(session, case, actor)
    return session.get(SettlementAgreement, case.id)


@provides("make-offer", "answer-offer", "claim-order", "review-notice", "confirm-performance", "choose-route")
def form_context(session: Session, case: Case, item: InboxItem, now: datetime) -> Mapping[str, Any]:
    """The offer that lies open, the round, the masked notice, what was agreed."""
    rounds = session.scalars(select(Offer).where(Offer.case_id == case.id).order_by(Offer.round)).all()
    agreed = session.get(SettlementAgreement, case.id)
    found = session.get(SettlementOrder, case.id)
    notice = found.masked_notice if found and found.masked_notice else masking.notice(case)
    context: dict[str, Any] = {
        "masked_notice": notice,
        "max_rounds": MAX_ROUNDS,
        "round": len(rounds) + (1 if item.form == "make-offer" else 0),
        "rounds_left": MAX_ROUNDS - len(rounds),
    }
    if rounds:
        context |= _offer(rounds[-1])
    if agreed is not None:
        context |= {
            "agreed_terms": agreed.terms,
            "agreed_fen": agreed.amount_fen,
            "performance_due_on": agreed.performance_due_on.isoformat(),
        }
    return context


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "offer_kind": offer.kind,
        "offer_name": OFFER_NAMES[OfferKind(offer.kind)][0],
        "offer_fen": offer.amount_fen,
        "offer_perform_on": offer.perform_on.isoformat() if offer.perform_on else None,
        "counter_fen": offer.counter_fen,
        "counter_text": offer.counter_text,
    }


def _require_reader(session: Session, case: Case, actor: Actor) -> None:
    if not may(actor, "case.read", **relation(session, case)):
        raise no_such_case(case.case_no)
