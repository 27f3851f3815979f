"""What was erased, what must not be erased yet, and what people asked to have erased."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment
from core.sealing import Sealed


class Kind(StrEnum):
    """Kinds of personal data; each has its own period (``workflows/retention.yaml``)."""

    IDENTITY = "identity"  #: identity numbers and identity papers
    CORRESPONDENCE = "correspondence"  #: notices, mails and drafts
    CASE = "case"  #: what people said, wrote and laid before a case; who they are
    PAPER = "paper"  #: official papers, agreements and packages handed to a court
    ACCOUNT = "account"  #: a consumer's account that nobody uses


class Erasure(Base):
    """One kind of data of one case is gone; the row is written in the transaction that erases."""

    __tablename__ = "erasure"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), primary_key=True)
    kind: Mapped[Kind] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(120))
    #: The period or the request by which it went.
    why: Mapped[str] = mapped_column(String(400))
    #: Table → rows.
    counts: Mapped[dict[str, Any]] = mapped_column(Json)


class Hold(Base):
    """A case whose data must stay: a court, an audit or a review still needs it."""

    __tablename__ = "retention_hold"
    __table_args__ = (Index("ix_retention_hold_case_id", "case_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    reason: Mapped[str] = mapped_column(String(400))
    set_at: Mapped[datetime] = mapped_column(Moment)
    set_by: Mapped[str] = mapped_column(String(120))
    lifted_at: Mapped[datetime | None] = mapped_column(Moment)
    lifted_by: Mapped[str | None] = mapped_column(String(120))


class RequestState(StrEnum):
    """Where a request for erasure stands."""

    OPEN = "open"  #: Nobody has decided.
    GRANTED = "granted"  #: Erased, but for what the law keeps.
    REFUSED = "refused"  #: The law keeps the data, and the answer says which.


class ErasureRequest(Base):
    """Somebody asks that their data be erased before its period ends (个人信息保护法 第四十七条)."""

    __tablename__ = "erasure_request"
    __table_args__ = (Index("ix_erasure_request_state_asked_at", "state", "asked_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    state: Mapped[RequestState] = mapped_column(String(12), default=RequestState.OPEN)
    reason: Mapped[str] = mapped_column(Sealed)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    asked_by: Mapped[str] = mapped_column(String(120))
    #: The answer to the person, with the ground.
    answer: Mapped[str | None] = mapped_column(Sealed)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[str | None] = mapped_column(String(120))
