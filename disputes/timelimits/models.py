"""The calendar, the deadlines that run on cases, and what stopped them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment


class CalendarDay(Base):
    """One day as an administrator or an import gave it; days that are missing follow ``holidays``."""

    __tablename__ = "calendar_day"

    date: Mapped[date] = mapped_column(Date, primary_key=True)
    is_workday: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(String(100), default="")
    break_name: Mapped[str] = mapped_column(String(100), default="")
    source: Mapped[str] = mapped_column(String(200))
    document_no: Mapped[str] = mapped_column(String(100), default="")
    #: ``announced`` or ``provisional``.
    status: Mapped[str] = mapped_column(String(20))


class CalendarChange(Base):
    """One import or override of calendar days, and the deadlines that it moved. Never changed."""

    __tablename__ = "calendar_change"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(200))
    document_no: Mapped[str] = mapped_column(String(100), default="")
    #: SHA-256 over the whole calendar after the change: processes recognise the one they hold by it.
    digest: Mapped[str] = mapped_column(String(64))
    #: Days that changed: ``[{date, before: {...}, after: {...}}]``.
    days: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    #: Deadlines that moved: ``[{key, limit, start, before, after}]``.
    moved: Mapped[list[dict[str, Any]]] = mapped_column(Json)


class Deadline(Base):
    """A time limit that runs, or ran, on one case."""

    class State(StrEnum):
        RUNNING = "running"  #: Somebody is held to it.
        PAUSED = "paused"  #: It stands still until it is resumed.
        MET = "met"  #: What it demanded was done in time.
        MISSED = "missed"  #: Its end passed first.
        DROPPED = "dropped"  #: What demanded it was taken away: withdrawn, cancelled, ended otherwise.

    __tablename__ = "deadline"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    #: The business key of the instance: the case's id as text.
    key: Mapped[str] = mapped_column(String(200))
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"))
    #: ``C01``.
    limit: Mapped[str] = mapped_column("limit_id", String(20))
    #: As ISO text: a day or a moment.
    start: Mapped[str] = mapped_column(String(40))
    start_on: Mapped[date] = mapped_column(Date)
    #: The case's region when it began; with ``edition_on`` it fixes the edition for good.
    region: Mapped[str] = mapped_column(String(10), default="")
    #: The day whose law applies: that on which the deadline began to run here.
    edition_on: Mapped[date] = mapped_column(Date)
    process: Mapped[str] = mapped_column(String(200))
    #: The activity or task that it bounds, as the first of its timers and tasks has it.
    element: Mapped[str] = mapped_column(String(200))
    due_on: Mapped[date] = mapped_column(Date)
    due_at: Mapped[datetime] = mapped_column(Moment)
    provisional: Mapped[bool] = mapped_column(Boolean, default=False)
    state: Mapped[State] = mapped_column(String(20), default=State.RUNNING)
    #: ``disputes.timelimits.explanation.record``.
    explanation: Mapped[dict[str, Any]] = mapped_column(Json)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    #: When it was met, missed or dropped.
    settled_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("instance_id", "limit_id", "start"),
        Index("ix_deadline_key_state", "key", "state"),
        Index("ix_deadline_state_due_at", "state", "due_at"),
    )


class DeadlinePause(Base):
    """A time during which a limit stands still on one case."""

    __tablename__ = "deadline_pause"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    key: Mapped[str] = mapped_column(String(200))
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"))
    limit: Mapped[str] = mapped_column("limit_id", String(20))
    began_at: Mapped[datetime] = mapped_column(Moment)
    began_by: Mapped[str] = mapped_column(String(200))
    #: None while it lasts.
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[str | None] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index("ix_deadline_pause_instance_id_limit_id", "instance_id", "limit_id"),)
