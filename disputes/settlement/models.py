"""In-store settlement 店内和解: the order, its offers, the agreement, and the link of the sunshine channel."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Moment
from core.sealing import Sealed

#: Offers in one settlement; the sixth is refused (DOMAIN 3 b, B3).
MAX_ROUNDS = 5


class Channel(StrEnum):
    """How the merchant is reached (D5)."""

    IN_HOUSE = "in_house"  #: 内部协同: the merchant is on board and answers in its inbox
    SUNSHINE = "sunshine"  #: 外部阳光: a masked notice with a claim link


class OrderState(StrEnum):
    """Where a settlement request stands."""

    DELIVERED = "delivered"  #: the merchant has been told
    TALKING = "talking"  #: an offer was made
    AGREED = "agreed"  #: the parties agreed; performance is awaited
    SETTLED = "settled"  #: performed, or presumed so
    FAILED = "failed"  #: refused, run out of rounds or of time, or not performed
    WITHDRAWN = "withdrawn"  #: the complainant stopped it, or filed the complaint


class SettlementOrder(Base):
    """A settlement request 和解申请 as the merchant receives it."""

    __tablename__ = "settlement_order"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), primary_key=True)
    channel: Mapped[Channel] = mapped_column(String(12))
    state: Mapped[OrderState] = mapped_column(String(12))
    delivered_at: Mapped[datetime] = mapped_column(Moment)
    claimed_at: Mapped[datetime | None] = mapped_column(Moment)
    #: The notice as the merchant and, after a review, the public may read it: no name, phone or number in it.
    masked_notice: Mapped[str] = mapped_column(String(2000), default="")
    published_at: Mapped[datetime | None] = mapped_column(Moment)
    #: Why a clerk decided against publication.
    not_published_why: Mapped[str | None] = mapped_column(String(500))
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_why: Mapped[str | None] = mapped_column(String(200))


class OfferKind(StrEnum):
    """What a merchant offers."""

    REFUND = "refund"  #: 退货退款
    PART_REFUND = "part_refund"  #: 部分退款
    EXCHANGE = "exchange"  #: 换货，包括同一品牌异地异店换货
    REPAIR = "repair"  #: 修理
    COMPENSATION = "compensation"  #: 赔偿
    APOLOGY = "apology"  #: 赔礼道歉
    OTHER = "other"  #: 其他


class OfferState(StrEnum):
    """What became of an offer."""

    OPEN = "open"  #: waits for the complainant
    ACCEPTED = "accepted"  #: 接受
    COUNTERED = "countered"  #: 还价
    REJECTED = "rejected"  #: 拒绝


class Offer(Base):
    """One round: the offer and the complainant's answer. Never evidence later (规则 第十八条)."""

    __tablename__ = "offer"
    __table_args__ = (
        UniqueConstraint("case_id", "round"),
        CheckConstraint("round between 1 and 5", name="at_most_five_rounds"),
        CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    round: Mapped[int]
    kind: Mapped[OfferKind] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    text: Mapped[str] = mapped_column(Sealed)
    perform_on: Mapped[date | None] = mapped_column(Date)
    offered_at: Mapped[datetime] = mapped_column(Moment)
    offered_by: Mapped[str] = mapped_column(String(120))
    state: Mapped[OfferState] = mapped_column(String(12), default=OfferState.OPEN)
    counter_fen: Mapped[int | None] = mapped_column(BigInteger)
    counter_text: Mapped[str | None] = mapped_column(Sealed)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)


class SettlementAgreement(Base):
    """What the parties agreed to, and whether it was done."""

    __tablename__ = "settlement_agreement"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), primary_key=True)
    offer_id: Mapped[UUID] = mapped_column(ForeignKey("offer.id"))
    terms: Mapped[str] = mapped_column(Sealed)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    promised_at: Mapped[datetime] = mapped_column(Moment)
    performance_due_on: Mapped[date] = mapped_column(Date)
    #: Null while nobody has said.
    performed: Mapped[bool | None]
    #: Performed because the complainant kept silent, not because they said so.
    presumed: Mapped[bool] = mapped_column(default=False)
    told_at: Mapped[datetime | None] = mapped_column(Moment)
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("paper.id"))


class ClaimLink(Base):
    """A link that lets a merchant without an account answer one case; signed, expiring, revocable."""

    __tablename__ = "claim_link"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    made_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    first_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_why: Mapped[str | None] = mapped_column(String(200))
