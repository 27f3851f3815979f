"""Papers that were issued, and the registers of their numbers."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Moment
from core.sealing import Sealed, SealedBytes


class Kind(StrEnum):
    """The papers that Hejie issues; the official forms are those of April 2026."""

    IDENTITY_NOTICE = "identity_notice"  #: 限期提供身份证明材料通知书 (文书式样四)
    ACCEPTANCE = "acceptance"  #: 投诉受理决定书 (文书式样五)
    REFUSAL = "refusal"  #: 投诉不予受理决定书 (文书式样六)
    MEDIATION_NOTICE = "mediation_notice"  #: 投诉调解通知书 (文书式样七)
    TERMINATION = "termination"  #: 投诉终止调解决定书 (文书式样八)
    MEDIATION_STATEMENT = "mediation_statement"  #: 投诉调解书 (文书式样九)
    AGREEMENT = "agreement"  #: 调解协议书 of a mediation body (人民调解法 第二十八、二十九条)
    RECORD = "record"  #: 调解记录 (办法 第二十四条; 人民调解法 第二十八条 for an oral agreement)
    SETTLEMENT = "settlement"  #: 和解协议 between the parties themselves


class Paper(Base):
    """One issued paper: its number, the data that it was made from, and the bytes that everybody received."""

    __tablename__ = "paper"
    __table_args__ = (
        UniqueConstraint("kind", "year", "sequence"),
        Index("ix_paper_case_key", "case_key", "issued_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(24))
    year: Mapped[int]
    sequence: Mapped[int]
    #: As printed: 云溪市监投受〔2026〕第12号.
    number: Mapped[str] = mapped_column(String(60), unique=True)
    case_key: Mapped[str] = mapped_column(String(36))
    title: Mapped[str] = mapped_column(String(60))
    #: Which side of the case receives it; null: both.
    addressee: Mapped[str | None] = mapped_column(String(20))
    dated_on: Mapped[date] = mapped_column(Date)
    issued_at: Mapped[datetime] = mapped_column(Moment)
    issued_by: Mapped[str] = mapped_column(String(120))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    #: The template's content digest and the compiler's version: the same input makes the same bytes again.
    template: Mapped[str] = mapped_column(String(100))
    data: Mapped[str] = mapped_column(Sealed, deferred=True)
    pdf: Mapped[bytes] = mapped_column(SealedBytes, deferred=True)
    pages: Mapped[int]
    #: SHA-256 of the PDF.
    digest: Mapped[str] = mapped_column(String(64))
    #: What a reader types to learn whether a print is genuine.
    verification_code: Mapped[str] = mapped_column(String(20), unique=True)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)
    withdrawn_why: Mapped[str | None] = mapped_column(String(200))


class PaperRegister(Base):
    """The last number given in one year to one kind of paper; its row is locked until the paper is committed."""

    __tablename__ = "paper_register"

    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
