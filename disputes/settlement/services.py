"""What the diagrams of in-store settlement call: the order, the invitation, the offers, the agreement."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.refusals import Invalid, WrongState
from disputes.cases import filing
from disputes.cases.models import Case, Performance
from disputes.cases.papers import issue
from disputes.cases.services import case_for
from disputes.cases.telling import tell
from disputes.documents.models import Kind as PaperKind
from disputes.inbox.queries import Given, last_answer
from disputes.network.models import Organisation
from disputes.notices.models import Channel, Mail
from disputes.settlement import links, masking
from disputes.settlement.models import (
    MAX_ROUNDS,
    Offer,
    OfferKind,
    OfferState,
    OrderState,
    SettlementAgreement,
    SettlementOrder,
)
from disputes.settlement.models import Channel as Way
from engine import ServiceCall, Services
from engine.steps import Service

#: Days for performance where the offer names no date: the law's three in Zhejiang (浙江办法 第三十一条).
DEFAULT_DAYS = 3


def services(*, secret: str, base_url: str) -> Services:
    """The services of this capability; ``secret`` signs the claim links that stand under ``base_url``."""
    registry = Services()
    for name, service in _PLAIN.items():
        registry.add(name)(service)

    @registry.add("settlement.invite_merchant")
    def invite_merchant(call: ServiceCall) -> Mapping[str, Any]:
        """Send the masked notice with a claim link to the merchant's registered phone and mail (外部阳光)."""
        case = case_for(call)
        order = _order(call, case, Way.SUNSHINE)
        order.masked_notice = masking.notice(case)
        case.respondent_told_at = case.respondent_told_at or call.now
        _, token = links.make(call.session, case, secret=secret, now=call.now)
        url = f"{base_url}/claim/{token}"
        tell(
            call.session,
            case,
            ["respondent"],
            "settlement.invited",
            notice=order.masked_notice,
            url=url,
            now=call.now,
        )
        invite_outside(call.session, case, order.masked_notice, url, now=call.now)
        tell(call.session, case, ["complainant"], "settlement.merchant_invited", now=call.now)
        return {"merchant_notified_at": call.now}

    return registry


def invite_outside(session: Session, case: Case, notice: str, url: str, *, now: datetime) -> int:
    """Send the invitation to the merchant's registered mail and phone: it has no account to read it in.

    Answers how many messages wait to be sent; text messages wait for a gateway.
    """
    merchant = session.get(Organisation, case.merchant_id) if case.merchant_id else None
    reached = [(Channel.MAIL, merchant.email), (Channel.SMS, merchant.phone)] if merchant else []
    messages = [
        Mail(
            channel=channel,
            message_id=f"{uuid4().hex}@hejie",
            recipient=recipient,
            subject="有消费者希望与您和解 A consumer would like to settle with you",
            text=f"{notice}\n打开链接即可答复，不需要注册 Open the link to answer: {url}",
            kind="settlement.invited",
            case_key=str(case.id),
            due_at=now,
            created_at=now,
        )
        for channel, recipient in reached
        if recipient
    ]
    session.add_all(messages)
    session.flush()
    return len(messages)


def open_order(call: ServiceCall) -> Mapping[str, Any]:
    """Lay the request in the merchant's inbox; the clocks C12a and C12b run from its delivery."""
    case = case_for(call)
    order = _order(call, case, Way(str(call.data.get("channel") or Way.IN_HOUSE)))
    order.delivered_at = call.now
    if order.channel == Way.SUNSHINE:
        order.claimed_at = order.claimed_at or call.now
    case.respondent_told_at = case.respondent_told_at or call.now
    tell(call.session, case, ["respondent"], "settlement.order", now=call.now)
    tell(call.session, case, ["complainant"], "settlement.order_delivered", now=call.now)
    return {"order_delivered_at": call.now}


def publish_notice(call: ServiceCall) -> Mapping[str, Any]:
    """Publish the masked notice after a clerk's review, or keep why it is not published."""
    case = case_for(call)
    order = call.session.get_one(SettlementOrder, case.id)
    given = _given(call, case, "review_notice")
    if given.content.get("publish") is False:
        order.not_published_why = str(given.content.get("reason") or "")[:500]
        return {"notice_published_at": call.now, "published": False}
    order.published_at = call.now
    tell(call.session, case, ["complainant", "respondent"], "settlement.published", now=call.now)
    return {"notice_published_at": call.now, "published": True}


def record_offer(call: ServiceCall) -> Mapping[str, Any]:
    """Keep the merchant's offer as the next round and lay it before the complainant."""
    case = case_for(call)
    given = _given(call, case, "make_offer")
    number = (call.session.scalar(select(func.max(Offer.round)).where(Offer.case_id == case.id)) or 0) + 1
    if number > MAX_ROUNDS:
        raise WrongState(
            f"和解最多 {MAX_ROUNDS} 轮。 Expected at most {MAX_ROUNDS} rounds of offers.",
            code="settlement.rounds",
            round=number,
        )
    order = call.session.get_one(SettlementOrder, case.id)
    order.state = OrderState.TALKING
    call.session.add(
        Offer(
            case_id=case.id,
            round=number,
            kind=OfferKind(str(given.content["kind"])),
            amount_fen=int(given.content.get("amount_fen") or 0),
            text=str(given.content.get("text") or ""),
            perform_on=filing.day(given.content.get("perform_on")),
            offered_at=call.now,
            offered_by=given.by,
        )
    )
    call.session.flush()
    tell(call.session, case, ["complainant"], "settlement.offer", round=number, now=call.now)
    return {"offered_at": call.now, "round": number, "rounds": number}


def record_answer(call: ServiceCall) -> Mapping[str, Any]:
    """Keep the complainant's answer to the offer that lies open."""
    case = case_for(call)
    given = _given(call, case, "answer_offer")
    offer = _last_offer(call.session, case)
    answer = str(given.content["answer"])
    states = {"accept": OfferState.ACCEPTED, "counter": OfferState.COUNTERED, "reject": OfferState.REJECTED}
    offer.state, offer.answered_at = states[answer], call.now
    if offer.state == OfferState.COUNTERED:
        offer.counter_fen = int(given.content.get("counter_fen") or 0)
        offer.counter_text = str(given.content.get("counter_text") or "")
    call.session.flush()
    tell(call.session, case, ["respondent"], f"settlement.{answer}", round=offer.round, now=call.now)
    return {"answered_at": call.now, "answer": answer, "rounds": offer.round}


def agree(call: ServiceCall) -> Mapping[str, Any]:
    """Make the agreement from the accepted offer; performance is due by its date (C14)."""
    case = case_for(call)
    offer = _last_offer(call.session, case)
    if offer.state != OfferState.ACCEPTED:
        raise WrongState(f"Expected an accepted offer, found one that is {offer.state}.", code="offer.state")
    due_on = _performance_day(offer, call)
    paper = issue(
        call.session,
        case,
        PaperKind.SETTLEMENT,
        {
            "terms": offer.text,
            "amount_fen": offer.amount_fen,
            "kind": offer.kind,
            "performance_due_on": due_on,
            # Nothing was filed: the merchant reads what it has read before, and no number or address.
            "facts": masking.notice(case),
            "complainant_phone": "",
            "complainant_address": "",
        },
        to=None,
        by=call.by,
        now=call.now,
    )
    call.session.add(
        SettlementAgreement(
            case_id=case.id,
            offer_id=offer.id,
            terms=offer.text,
            amount_fen=offer.amount_fen,
            promised_at=call.now,
            performance_due_on=due_on,
            paper_id=paper.id,
        )
    )
    case.agreed_fen = offer.amount_fen
    call.session.get_one(SettlementOrder, case.id).state = OrderState.AGREED
    call.session.flush()
    tell(call.session, case, ["complainant", "respondent"], "settlement.agreed", due_on=due_on, now=call.now)
    return {"promised_at": call.now, "performance_due_on": due_on}


def record_performance(call: ServiceCall) -> Mapping[str, Any]:
    """Keep whether the merchant did what it promised; silence counts as done, and is marked so (S08)."""
    case = case_for(call)
    agreement = call.session.get_one(SettlementAgreement, case.id)
    presumed = call.data.get("presumed") is True
    given = None if presumed else last_answer(call.session, case.id, "confirm_performance")
    if not presumed and not (given and given.content.get("performed")):
        raise WrongState(
            "Expected performance to be confirmed or presumed, found neither.", code="settlement.performance"
        )
    agreement.performed, agreement.presumed, agreement.told_at = True, presumed, call.now
    case.performance = Performance.PRESUMED if presumed else Performance.PERFORMED
    order = call.session.get_one(SettlementOrder, case.id)
    _end(order, OrderState.SETTLED, "推定已履行" if presumed else "已履行", call)
    links.revoke(call.session, case, why="已经和解", now=call.now)
    return {"performed": True, "presumed": presumed}


def fail(call: ServiceCall) -> Mapping[str, Any]:
    """End the settlement without result; the complainant chooses a route (S12)."""
    case = case_for(call)
    why = "和解不成"
    agreement = call.session.get(SettlementAgreement, case.id)
    if agreement is not None and agreement.performed is None:
        agreement.performed, agreement.told_at = False, call.now
        case.performance, case.agreed_fen, why = Performance.NOT_PERFORMED, 0, "达成和解后没有履行"
    order = call.session.get(SettlementOrder, case.id)
    if order is not None and order.ended_at is None:
        _end(order, OrderState.FAILED, why, call)
    links.revoke(call.session, case, why="和解已经结束", now=call.now)
    told = ["complainant", *(["respondent"] if case.respondent_told_at else [])]
    tell(call.session, case, told, "settlement.failed", now=call.now)
    return {"settlement_failed_at": call.now}


def withdraw(call: ServiceCall) -> None:
    """End the settlement because the complainant stopped it."""
    case = case_for(call)
    order = call.session.get(SettlementOrder, case.id)
    if order is not None and order.ended_at is None:
        _end(order, OrderState.WITHDRAWN, "消费者撤回", call)
    links.revoke(call.session, case, why="消费者已经撤回", now=call.now)
    if case.respondent_told_at is not None:
        tell(call.session, case, ["respondent"], "complaint.withdrawn", now=call.now)


_PLAIN: dict[str, Service] = {
    "settlement.open_order": open_order,
    "settlement.publish_notice": publish_notice,
    "settlement.record_offer": record_offer,
    "settlement.record_answer": record_answer,
    "settlement.agree": agree,
    "settlement.record_performance": record_performance,
    "settlement.fail": fail,
    "settlement.withdraw": withdraw,
}


def _order(call: ServiceCall, case: Case, channel: Way) -> SettlementOrder:
    order = call.session.get(SettlementOrder, case.id)
    if order is None:
        order = SettlementOrder(
            case_id=case.id, channel=channel, state=OrderState.DELIVERED, delivered_at=call.now, masked_notice=""
        )
        call.session.add(order)
    case.channel = order.channel
    call.session.flush()
    return order


def _end(order: SettlementOrder, state: OrderState, why: str, call: ServiceCall) -> None:
    order.state, order.ended_at, order.ended_why = state, call.now, why[:200]


def _given(call: ServiceCall, case: Case, element: str) -> Given:
    given = last_answer(call.session, case.id, element)
    if given is None:
        raise WrongState(f"Expected an answer to {element}, found none.", code="answer.missing")
    return given


def _last_offer(session: Session, case: Case) -> Offer:
    offer = session.scalars(
        select(Offer).where(Offer.case_id == case.id).order_by(Offer.round.desc()).limit(1)
    ).one_or_none()
    if offer is None:
        raise WrongState("Expected an offer, found none.", code="offer.missing")
    return offer


def _performance_day(offer: Offer, call: ServiceCall) -> date:
    """The day that the offer names, or the third day after the promise."""
    today = filing.china_day(call.now)
    if offer.perform_on is not None and offer.perform_on < today:
        raise Invalid(
            "履行日期已经过去。 The day of performance has passed.",
            fields={"perform_on": ["请写今天以后的日期。 Choose a day from today on."]},
        )
    return offer.perform_on or today + timedelta(days=DEFAULT_DAYS)
