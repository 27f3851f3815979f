"""What the edge itself remembers: answers to repeated requests, runs of nightly jobs, heartbeats of workers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment
from core.sealing import SealedBytes


class RepeatableAnswer(Base):
    """The answer to a request that carried an ``Idempotency-Key``, given again when the request is repeated.

    It is written in the transaction of the request itself, so there is one exactly if there is an effect.
    """

    __tablename__ = "repeatable_answer"
    __table_args__ = (Index("ix_repeatable_answer_at", "at"),)

    #: Who asked, as ``str(actor)``: a key belongs to its caller.
    caller: Mapped[str] = mapped_column(String(120), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    #: Which arrival of the request wrote the row; the others are repetitions.
    attempt: Mapped[UUID]
    #: Digest of method, path and body (64 hex digits).
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    headers: Mapped[list[list[str]] | None] = mapped_column(Json)
    #: The answer's body, encrypted: it may hold a token or personal data.
    body: Mapped[bytes | None] = mapped_column(SealedBytes)
    at: Mapped[datetime] = mapped_column(Moment)


class JobRun(Base):
    """One nightly job on one slot; the unique pair lets exactly one of many workers run it."""

    __tablename__ = "job_run"
    __table_args__ = (UniqueConstraint("job", "slot"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job: Mapped[str] = mapped_column(String(60))
    #: The day or hour that the job was due for, e.g. ``2026-11-22``.
    slot: Mapped[str] = mapped_column(String(20))
    owner: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    #: What it did, for the administrator; the error's text when it failed.
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    failed: Mapped[bool] = mapped_column(default=False)


class Heartbeat(Base):
    """A worker that lives says so every few seconds."""

    __tablename__ = "heartbeat"

    owner: Mapped[str] = mapped_column(String(120), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Moment)
    at: Mapped[datetime] = mapped_column(Moment)
    #: Timers fired since the start.
    fired: Mapped[int] = mapped_column(default=0)
