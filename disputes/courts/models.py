"""What goes to a court and comes back: packages, confirmation applications, rulings."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment
from core.sealing import Sealed


class HandoverState(StrEnum):
    """Where a package stands."""

    SENT = "sent"  #: 已送出
    RECEIPTED = "receipted"  #: 已签收
    RETURNED = "returned"  #: 退回补正
    BACK = "back"  #: 调解未成，材料退回


class Handover(Base):
    """One package 案件移送包, complete by handover.schema.json, exactly as the receiver got it."""

    __tablename__ = "handover"
    __table_args__ = (
        UniqueConstraint("case_id", "type", "attempt"),
        Index("ix_handover_to_id", "to_id", "state", "sent_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    #: 诉前委派, 司法确认申请, 退回 … as the schema names them
    type: Mapped[str] = mapped_column(String(16))
    #: Rises by one each time a returned package is sent again.
    attempt: Mapped[int]
    from_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    to_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    package: Mapped[str] = mapped_column(Sealed)
    #: SHA-256 of the package's canonical JSON.
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[HandoverState] = mapped_column(String(12), default=HandoverState.SENT)
    sent_at: Mapped[datetime] = mapped_column(Moment)
    sent_by: Mapped[str] = mapped_column(String(120))
    #: 已签收 or 退回补正, when, by whom, why
    receipt: Mapped[dict[str, Any] | None] = mapped_column(Json)


class ConfirmationApplication(Base):
    """A joint application for judicial confirmation and its ruling (民诉法 第二百零五、二百零六条)."""

    __tablename__ = "confirmation_application"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), unique=True)
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    court_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    handover_id: Mapped[UUID] = mapped_column(ForeignKey("handover.id"))
    #: ``[{party, name, at}]``: both sign before the thirty days are over (C23).
    signatures: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    applied_at: Mapped[datetime] = mapped_column(Moment)
    docketed: Mapped[bool | None]
    docketed_at: Mapped[datetime | None] = mapped_column(Moment)
    court_case_no: Mapped[str | None] = mapped_column(String(60))
    #: valid 确认有效, or dismissed 驳回申请
    ruling: Mapped[str | None] = mapped_column(String(12))
    ruling_no: Mapped[str | None] = mapped_column(String(60))
    ruled_on: Mapped[date | None] = mapped_column(Date)
    ruled_at: Mapped[datetime | None] = mapped_column(Moment)
    reasons: Mapped[str | None] = mapped_column(Sealed)
