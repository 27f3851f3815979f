"""What people are told: notices inside Hejie, and the outbox of mails."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Moment
from core.sealing import Sealed


class Notice(Base):
    """One notice to a person, or to everybody who holds a role in an organisation (then one reader is enough)."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_person_id", "person_id", "id"),
        Index("ix_notice_organisation_id", "organisation_id", "role", "id"),
        Index("ix_notice_case_key", "case_key", "id"),
        CheckConstraint("(person_id is null) <> (organisation_id is null)", name="person_or_organisation"),
        CheckConstraint("(organisation_id is null) = (role is null)", name="role_with_organisation"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[str | None] = mapped_column(String(20))
    case_key: Mapped[str | None] = mapped_column(String(36))
    #: The template, ``deadline.warning``; the texts below are what it said on that day.
    kind: Mapped[str] = mapped_column(String(40))
    title_zh: Mapped[str] = mapped_column(String(120))
    title_en: Mapped[str] = mapped_column(String(200))
    text_zh: Mapped[str] = mapped_column(Sealed)
    text_en: Mapped[str] = mapped_column(Sealed)
    #: Where the notice leads, a path inside Hejie.
    link: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    read_by: Mapped[str | None] = mapped_column(String(120))

    def title(self, language: str = "zh") -> str:
        return self.title_en if language == "en" else self.title_zh

    def text(self, language: str = "zh") -> str:
        return self.text_en if language == "en" else self.text_zh


class Channel(StrEnum):
    """How a message leaves the house."""

    MAIL = "mail"  #: by SMTP
    SMS = "sms"  #: by a text-message gateway


class MailState(StrEnum):
    """Where a mail stands."""

    WAITING = "waiting"  #: to be sent when it is due
    SENDING = "sending"  #: leased by a worker until ``lease_until``
    SENT = "sent"  #: the server has taken it
    FAILED = "failed"  #: refused for good, or tried too often


class Mail(Base):
    """A mail or text message, written in the transaction that caused it, sent after its commit, at least once."""

    __tablename__ = "mail"
    __table_args__ = (Index("ix_mail_state", "state", "due_at"), Index("ix_mail_case_key", "case_key"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    channel: Mapped[str] = mapped_column(String(8), default=Channel.MAIL)
    #: Sent as Message-ID and unique: the same message is written once, and a second delivery is told by it.
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    recipient: Mapped[str] = mapped_column(Sealed)
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Sealed)
    language: Mapped[str] = mapped_column(String(2), default="zh")
    kind: Mapped[str] = mapped_column(String(40))
    case_key: Mapped[str | None] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(8), default=MailState.WAITING)
    due_at: Mapped[datetime] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    #: A code such as ``smtp 550`` or ``connection refused``; never an address.
    last_error: Mapped[str | None] = mapped_column(String(120))
