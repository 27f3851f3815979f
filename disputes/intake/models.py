"""What intake writes: dispatches, identity requests, decisions, sealed tip-offs and pointers elsewhere."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Moment
from core.sealing import Sealed


class Dispatch(Base):
    """One sending of a case to an office, and its return if the office had no competence (办法 第四十一条)."""

    __tablename__ = "dispatch"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    #: Why this office: what the routing found, or what the clerk wrote.
    reason: Mapped[str] = mapped_column(String(500))
    dispatched_at: Mapped[datetime] = mapped_column(Moment)
    dispatched_by: Mapped[str] = mapped_column(String(120))
    returned_at: Mapped[datetime | None] = mapped_column(Moment)
    returned_by: Mapped[str | None] = mapped_column(String(120))
    return_reason: Mapped[str | None] = mapped_column(String(500))


class IdentityRequest(Base):
    """A notice to supply proof of identity by a date (办法 第十条第三款, 文书式样四)."""

    __tablename__ = "identity_request"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    due_on: Mapped[date] = mapped_column(Date)
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("paper.id"))
    served_at: Mapped[datetime] = mapped_column(Moment)


class Decision(StrEnum):
    """What was decided on a complaint (办法 第十五条)."""

    ACCEPT = "accept"  #: 受理
    REFUSE = "refuse"  #: 不予受理


class AcceptanceDecision(Base):
    """The decision to accept a complaint or not, with its ground and its reasons."""

    __tablename__ = "acceptance_decision"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    decision: Mapped[Decision] = mapped_column(String(8))
    #: Number of the ground in 办法 第十六条, 1 to 7; null when accepted.
    ground: Mapped[int | None]
    reasons: Mapped[str | None] = mapped_column(Sealed)
    legal_basis: Mapped[str | None] = mapped_column(String(200))
    #: The body that is competent instead, when the ground is the first.
    competent_body: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[datetime] = mapped_column(Moment)
    #: The person behind the decision, ``person:<uuid>``.
    decided_by: Mapped[str] = mapped_column(String(120))
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("paper.id"))


class SealedTipoff(Base):
    """The tip-off in a mixed matter, kept apart: it never reaches the merchant (办法 第九、三十七条)."""

    __tablename__ = "sealed_tipoff"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), unique=True)
    text: Mapped[str] = mapped_column(Sealed)
    received_at: Mapped[datetime] = mapped_column(Moment)
    separated_at: Mapped[datetime] = mapped_column(Moment)


class Pointer(Base):
    """What somebody was told whose matter is no complaint: the answer, and where to go (办法 第四十四条)."""

    __tablename__ = "pointer"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    answer: Mapped[str] = mapped_column(Sealed)
    body: Mapped[str] = mapped_column(String(200), default="")
    told_at: Mapped[datetime] = mapped_column(Moment)
