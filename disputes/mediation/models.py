"""Mediation 调解: sessions, the agreement with its signatures and performance, and the termination."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment
from core.sealing import Sealed


class Mode(StrEnum):
    """How a session is held (办法 第二十条)."""

    ON_SITE = "on_site"  #: 现场
    VIDEO = "video"  #: 视频
    PHONE = "phone"  #: 电话
    ONLINE = "online"  #: 互联网文字


class SessionState(StrEnum):
    """Where a session stands."""

    PLANNED = "planned"  #: announced
    HELD = "held"  #: held; the result says how
    CANCELLED = "cancelled"  #: the case ended before it


class MediationSession(Base):
    """One meeting of the parties with the mediator."""

    __tablename__ = "mediation_session"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        Index("ix_mediation_session_mediator_id", "mediator_id", "planned_for"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    number: Mapped[int]
    mediator_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    planned_for: Mapped[datetime] = mapped_column(Moment)
    place: Mapped[str] = mapped_column(String(200), default="")
    mode: Mapped[str] = mapped_column(String(12))
    announced_at: Mapped[datetime] = mapped_column(Moment)
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("paper.id"))
    state: Mapped[SessionState] = mapped_column(String(12), default=SessionState.PLANNED)
    #: agreed, no_agreement, no_show, another_session or appraisal
    result: Mapped[str | None] = mapped_column(String(20))
    held_at: Mapped[datetime | None] = mapped_column(Moment)
    #: Facts that neither side disputes, confirmed in writing; they travel with a hand-over (规则 第二十二条).
    undisputed_facts: Mapped[str] = mapped_column(Sealed, default="[]")
    disputed_points: Mapped[str] = mapped_column(Sealed, default="[]")
    #: The mediator's own record: statements made to settle stay here and travel nowhere (规则 第十八条).
    note: Mapped[str] = mapped_column(Sealed, default="")


class Mediation(Base):
    """One mediation: of the department, of a body it entrusted, or of one that a court delegated to."""

    __tablename__ = "mediation"
    __table_args__ = (UniqueConstraint("case_id", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    #: administrative 行政调解, entrusted 委托调解 or delegated 诉前委派
    kind: Mapped[str] = mapped_column(String(16))
    mediator_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    body_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    #: Why this mediator (D8).
    why: Mapped[str] = mapped_column(String(300), default="")
    opened_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    #: agreed, terminated, withdrawn, to_litigation
    outcome: Mapped[str | None] = mapped_column(String(16))


class Agreement(Base):
    """A mediated agreement, as drafted and signed; the case says whether it was performed."""

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        UniqueConstraint("case_id", "version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    version: Mapped[int]
    #: administrative, entrusted or delegated: who mediated decides whether a court may confirm it (D9).
    made_by: Mapped[str] = mapped_column(String(16))
    body_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    terms: Mapped[str] = mapped_column(Sealed)
    amount_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    performance_due_on: Mapped[date] = mapped_column(Date)
    #: SHA-256 of the terms as both were shown them; a signature is over it.
    digest: Mapped[str] = mapped_column(String(64))
    #: ``[{party, name, at, digest}]``
    signatures: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    effective_at: Mapped[datetime | None] = mapped_column(Moment)
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("paper.id"))


class Termination(Base):
    """The decision to end a mediation without agreement, and the telling of it (办法 第二十三条)."""

    __tablename__ = "termination"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    #: Number of the ground in 办法 第二十三条第一款, 1 to 8.
    ground: Mapped[int]
    reasons: Mapped[str] = mapped_column(Sealed, default="")
    decided_at: Mapped[datetime] = mapped_column(Moment)
    decided_by: Mapped[str] = mapped_column(String(120))
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("paper.id"))
    told_at: Mapped[datetime | None] = mapped_column(Moment)
