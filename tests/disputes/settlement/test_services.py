"""In-store settlement through the real diagrams: in the shop's inbox, by the claim link, in silence, in quarrel."""

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.refusals import Forbidden, NotFound, WrongState
from disputes.cases.models import Case, Exit, Performance, Status
from disputes.identity.actor import Actor
from disputes.inbox import queries as inbox
from disputes.notices.models import Channel, Mail
from disputes.settlement import links, operations, queries
from disputes.settlement.models import Offer, OfferState, OrderState, SettlementAgreement, SettlementOrder
from engine import timers
from tests.disputes.district import NOW, District, build_district

SECRET = "a-secret-for-tests"
#: Has no account, and a registered phone.
BAGS = {"respondent_name": "老街箱包", "respondent_address": "鼓楼步行街二楼15号"}


@pytest.fixture
def district(sqlite_database: Database) -> District:
    return build_district(sqlite_database)


def token(session: Session, case: Case) -> str:
    """What stands in the link that was sent to the shop."""
    mail = session.scalars(select(Mail).where(Mail.case_key == str(case.id))).one()
    assert mail.channel == Channel.SMS
    found = re.search(r"/claim/([\w.-]+)", mail.text)
    assert found is not None
    return found.group(1)


def test_a_shop_without_an_account_answers_by_its_link(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first", **BAGS)
        order = session.get_one(SettlementOrder, case.id)
        assert (order.channel, order.state, case.channel) == ("sunshine", OrderState.DELIVERED, "sunshine")
        assert "13800138000" not in order.masked_notice
        link = token(session, case)
        found, bearer = links.open_link(session, link, secret=SECRET, now=NOW)
        assert found.id == case.id
        assert [item.element for item in inbox.page(session, bearer).items] == ["claim_order"]
        district.do(session, case, "claim_order", claim=True, contact_name="店主", contact_phone="13900009004")
        assert order.claimed_at == NOW
        district.do(
            session, case, "make_offer", kind="refund", amount_fen=160_000, text="退货退款", perform_on="2026-09-20"
        )
        district.do(session, case, "answer_offer", answer="accept")
        assert case.status == Status.PERFORMING
        agreement = session.get_one(SettlementAgreement, case.id)
        assert agreement.performance_due_on.isoformat() == "2026-09-20"
        district.do(session, case, "confirm_performance", performed=True)
        assert (case.exit, case.performance, case.recovered_fen) == (
            Exit.SETTLED_SUNSHINE,
            Performance.PERFORMED,
            160_000,
        )
        assert order.state == OrderState.SETTLED
        with pytest.raises(NotFound):
            links.peek(session, link, secret=SECRET, now=NOW)


def test_a_silent_shop_is_published_after_review_and_may_still_come(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first", **BAGS)
        link = token(session, case)
    late = NOW + timedelta(days=6)
    timers.drain(sqlite_database, district.engine, owner="test", now=late)
    with sqlite_database.transaction() as session:
        case = session.get_one(Case, case.id)
        assert case.turn == ["centre_clerk"]
        bearer = links.open_link(session, link, secret=SECRET, now=late)[1]
        with pytest.raises(WrongState):
            operations.claim(session, district.engine, case, by=bearer, now=late)
        district.do(session, case, "review_notice", publish=True, now=late)
        order = session.get_one(SettlementOrder, case.id)
        assert order.published_at == late
        stranger = Actor.guest("00000000-0000-0000-0000-000000000001", "respondent")
        with pytest.raises(Forbidden):
            operations.claim(session, district.engine, case, by=stranger, now=late)
        operations.claim(session, district.engine, case, by=bearer, now=late)
        assert district.item(session, case, "make_offer").role == "respondent"


def test_a_notice_that_is_not_approved_keeps_its_reason_and_ends_the_settlement(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first", **BAGS)
    late = NOW + timedelta(days=6)
    timers.drain(sqlite_database, district.engine, owner="test", now=late)
    with sqlite_database.transaction() as session:
        case = session.get_one(Case, case.id)
        district.do(session, case, "review_notice", publish=False, reason="涉及未成年人。", now=late)
        order = session.get_one(SettlementOrder, case.id)
        assert (order.published_at, order.state) == (None, OrderState.FAILED)
        assert district.item(session, case, "choose_route").role == "complainant"


def test_five_rounds_and_no_sixth(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first")
        for number in range(1, 6):
            view = inbox.task(
                session,
                district.cast.merchant_side(session, case),
                district.item(session, case, "make_offer").task_id,
                now=NOW,
            )
            assert view.context["rounds_left"] == 6 - number
            district.do(session, case, "make_offer", kind="part_refund", amount_fen=number * 100, text="退一部分")
            district.do(session, case, "answer_offer", answer="counter", counter_fen=160_000, counter_text="全退")
        offers = queries.offers(session, case, district.consumer(session))
        assert [(offer.round, offer.state) for offer in offers] == [(n, OfferState.COUNTERED) for n in range(1, 6)]
        assert district.item(session, case, "choose_route")
        assert session.get_one(SettlementOrder, case.id).state == OrderState.FAILED
        district.do(session, case, "choose_route", route="stop")
        assert case.exit == Exit.NOT_PURSUED


def test_a_promise_that_was_not_kept_recovers_nothing_and_the_complaint_can_be_filed(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first")
        district.do(session, case, "make_offer", kind="refund", amount_fen=160_000, text="明天退款")
        district.do(session, case, "answer_offer", answer="accept")
        district.do(session, case, "confirm_performance", performed=False)
        assert (case.performance, case.agreed_fen) == (Performance.NOT_PERFORMED, 0)
        district.do(session, case, "choose_route", route="file")
        assert case.received_at == NOW
        assert district.item(session, case, "first_contact")


def test_what_was_offered_is_shown_to_nobody_of_a_court(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first")
        district.do(session, case, "make_offer", kind="refund", amount_fen=1, text="退一分钱")
        court = district.cast.staff(session, "court_liaison")
        case.court_id = next(iter(court.organisations("court_liaison")))
        session.flush()
        assert session.scalars(select(Offer).where(Offer.case_id == case.id)).all()
        assert queries.offers(session, case, court) == []


def test_an_office_makes_a_new_link_and_the_old_one_stops(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first", **BAGS)
        old = token(session, case)
        clerk = district.cast.staff(session, "centre_clerk")
        _, new = operations.new_link(session, case, secret=SECRET, by=clerk, now=NOW)
        assert links.peek(session, new, secret=SECRET, now=NOW)[0].id == case.id
        with pytest.raises(NotFound):
            links.peek(session, old, secret=SECRET, now=NOW)
        with pytest.raises(Forbidden):
            operations.new_link(session, case, secret=SECRET, by=district.consumer(session), now=NOW)


def test_nothing_is_asked_of_anybody_at_a_later_moment_than_now(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first")
        item = district.item(session, case, "make_offer")
        assert isinstance(item.due_at, datetime)
        assert item.due_at == NOW + timedelta(hours=48)
