"""The chains of the audit and their events."""

from datetime import datetime
from typing import Any
from uuid import UUID

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


class Anchored(Base):
    """The head of one chain as the latest anchor found it; a chain may grow beyond it and never fall behind."""

    __tablename__ = "audit_anchored"

    #: The name of an audit chain, or ``events:<instance>``.
    chain: Mapped[str] = mapped_column(String(80), primary_key=True)
    #: The case's instance whose events it is; none for an audit chain.
    of_instance: Mapped[UUID | None]
    length: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)
    #: Keyed digest of name, length and head: nobody without the data keys can write one.
    seal: Mapped[str] = mapped_column(String(64))


class Anchor(Base):
    """All anchored heads of one night under one digest, chained to the anchor before."""

    __tablename__ = "audit_anchor"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    chains: Mapped[int]
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64))
