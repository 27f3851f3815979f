"""People, their memberships, tokens, one-time codes and counted failures."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Json, Moment
from core.sealing import Sealed
from disputes.identity.roles import Role


class IdKind(StrEnum):
    """The kinds of identity document of the registration form (文书式样一)."""

    RESIDENT = "resident"  #: 居民身份证
    PASSPORT = "passport"  #: 护照
    HK_MACAO = "hk_macao"  #: 港澳居民来往内地通行证
    TAIWAN = "taiwan"  #: 台湾居民来往大陆通行证
    FOREIGNER = "foreigner"  #: 外国人永久居留身份证
    OTHER = "other"  #: 其他证件


class Person(Base):
    """Somebody: a consumer, a merchant's agent or staff. Without a login: registered by a clerk or by phone.

    Phone, e-mail, address and identity number are encrypted at rest; a keyed fingerprint finds them again.
    """

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_phone_fingerprint", "phone_fingerprint"),
        Index("ix_person_email_fingerprint", "email_fingerprint"),
        Index("ix_person_id_no_fingerprint", "id_no_fingerprint"),
        CheckConstraint("language in ('zh', 'en')", name="language"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    #: Lower case; null for a person who has no account.
    login: Mapped[str | None] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(Sealed)
    phone_fingerprint: Mapped[str | None] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(Sealed)
    email_fingerprint: Mapped[str | None] = mapped_column(String(64))
    id_kind: Mapped[str | None] = mapped_column(String(12))
    id_no: Mapped[str | None] = mapped_column(Sealed)
    id_no_fingerprint: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(Sealed)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(2), default="zh", server_default="zh")
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    #: A session carries the epoch at which it began; raising it signs the person out everywhere.
    session_epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    #: Labelled made-up data of seed, demonstration and benchmark.
    synthetic: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(default=1)

    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="person", cascade="all, delete-orphan", order_by="Membership.since"
    )

    __mapper_args__ = {"version_id_col": version}


class Membership(Base):
    """A role that a person holds in an organisation."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("person_id", "organisation_id", "role"),
        Index("ix_membership_organisation_id", "organisation_id", "role"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    role: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime] = mapped_column(Moment)

    person: Mapped[Person] = relationship(back_populates="memberships")

    @property
    def as_role(self) -> Role:
        return Role(self.role)


class ApiToken(Base):
    """A key for programs, shown once, kept as a digest; it can do no more than its person and its scopes."""

    __tablename__ = "api_token"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    #: The first characters of the token, so that its owner can tell it from others.
    prefix: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class Throttle(Base):
    """Failures counted against one subject: the fingerprint of a login, of a phone number or of an address.

    Kept apart from Person, so that an unknown login is slowed exactly as a known one is, and so that counting
    never meets the version of the person's row.
    """

    __tablename__ = "throttle"

    subject: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_failed_at: Mapped[datetime] = mapped_column(Moment, index=True)
    locked_until: Mapped[datetime | None] = mapped_column(Moment)


class PhoneCode(Base):
    """A one-time code sent to a phone, kept as a salted digest; it opens one thing, once, for a few minutes."""

    __tablename__ = "phone_code"
    __table_args__ = (Index("ix_phone_code_phone_fingerprint", "phone_fingerprint", "sent_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    phone_fingerprint: Mapped[str] = mapped_column(String(64))
    #: What the code opens, e.g. ``track:<case number>``.
    purpose: Mapped[str] = mapped_column(String(80))
    salt: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
