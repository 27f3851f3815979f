"""The chains of the audit and their events."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment


class AuditChain(Base):
    """The head of one chain; locked while an event is added, and the witness that none was cut off its end."""

    __tablename__ = "audit_chain"

    #: ``case:<key>``, ``person:<uuid>``, ``release:<digest>`` or an area such as ``identity``.
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    length: Mapped[int] = mapped_column(default=0)
    head: Mapped[str] = mapped_column(String(64))


class AuditEvent(Base):
    """One act or one look. ``facts`` may be erased later: the chain holds only their salted digest."""

    __tablename__ = "audit_event"
    __table_args__ = (
        UniqueConstraint("chain", "number"),
        Index("ix_audit_event_at", "at", "id"),
        Index("ix_audit_event_by", "by", "id"),
        Index("ix_audit_event_action", "action", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    chain: Mapped[str] = mapped_column(String(80))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(120))
    #: What was done, ``area.verb``: ``identity.signed_in``, ``personal_data.seen``.
    action: Mapped[str] = mapped_column(String(60))
    #: The facts, JSON scalars and lists; null once erased.
    facts: Mapped[dict[str, Any] | None] = mapped_column(Json)
    #: Salt of the facts' digest; erased with them, so that the digest cannot be guessed back.
    salt: Mapped[str | None] = mapped_column(String(32))
    facts_digest: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    erased_at: Mapped[datetime | None] = mapped_column(Moment)
