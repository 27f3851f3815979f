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
    #: The release whose time limits it is held to; None: that of its instance.
    limits_from: Mapped[str | None] = mapped_column(String(64))
    #: How often it was extended (``DeadlineExtension``, approved).
    extended: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
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


#: In place of a limit: every limit of the instance.
EVERY = "*"


class DeadlinePause(Base):
    """A time during which a limit stands still on one case; ``EVERY`` while the whole case does."""

    class Source(StrEnum):
        PROCEDURE = "procedure"  #: A service task of the diagram made it, and the diagram ends it.
        PERSON = "person"  #: An officer made it, for a reason that the law knows.
        REPAIR = "repair"  #: The case was stopped to be mended; all its limits stand still.

    __tablename__ = "deadline_pause"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    key: Mapped[str] = mapped_column(String(200))
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"))
    #: ``C03``, or ``EVERY``.
    limit: Mapped[str] = mapped_column("limit_id", String(20))
    source: Mapped[Source] = mapped_column(String(20), default=Source.PROCEDURE, server_default="procedure")
    #: Code of ``pause_reasons`` in the time limits; empty for a repair.
    reason: Mapped[str] = mapped_column(String(40), default="", server_default="")
    began_at: Mapped[datetime] = mapped_column(Moment)
    began_by: Mapped[str] = mapped_column(String(200))
    #: First day that is not counted, where it is not the day of ``began_at``.
    from_on: Mapped[date | None] = mapped_column(Date)
    #: None while it lasts.
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[str | None] = mapped_column(String(200))
    #: First day that counts again, where it is not the day of ``ended_at``.
    to_on: Mapped[date | None] = mapped_column(Date)
    why: Mapped[str] = mapped_column(Text, default="")
    #: The evidence that shows it, if there is any.
    evidence_id: Mapped[UUID | None] = mapped_column(Uuid)

    __table_args__ = (Index("ix_deadline_pause_instance_id_limit_id", "instance_id", "limit_id"),)


class DeadlineExtension(Base):
    """Somebody asked for more time; it counts once somebody else has approved it, and not before."""

    class State(StrEnum):
        REQUESTED = "requested"  #: Waits for whoever may approve it. Nothing has moved.
        APPROVED = "approved"  #: The deadline ends later.
        REFUSED = "refused"  #: The deadline stays as it is.
        WITHDRAWN = "withdrawn"  #: The person who asked took it back.
        LAPSED = "lapsed"  #: The deadline was over before anybody answered.

    __tablename__ = "deadline_extension"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    key: Mapped[str] = mapped_column(String(200))
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"))
    deadline_id: Mapped[UUID] = mapped_column(ForeignKey("deadline.id"))
    limit: Mapped[str] = mapped_column("limit_id", String(20))
    start: Mapped[str] = mapped_column(String(40))
    #: In the limit's own unit.
    amount: Mapped[int] = mapped_column(Integer)
    why: Mapped[str] = mapped_column(Text)
    #: Parties whose consent is on file.
    consents: Mapped[list[str]] = mapped_column(Json, default=list)
    article: Mapped[str] = mapped_column(String(200))
    #: Roles of which one decides.
    approved_by: Mapped[list[str]] = mapped_column(Json)
    state: Mapped[State] = mapped_column(String(20), default=State.REQUESTED)
    requested_at: Mapped[datetime] = mapped_column(Moment)
    requested_by: Mapped[str] = mapped_column(String(200))
    requested_by_name: Mapped[str] = mapped_column(String(200), default="")
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_by_name: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    #: The last day without it when it was asked for, and with it once approved.
    before_on: Mapped[date] = mapped_column(Date)
    after_on: Mapped[date] = mapped_column(Date)

    __table_args__ = (
        Index("ix_deadline_extension_instance_id", "instance_id"),
        Index("ix_deadline_extension_state_requested_at", "state", "requested_at"),
    )


class Rederivation(Base):
    """All running deadlines reckoned again for a cause: rehearsed first, then applied or abandoned."""

    class State(StrEnum):
        REHEARSED = "rehearsed"  #: Nothing has changed yet.
        APPLYING = "applying"  #: The cause holds; case after case is moved.
        APPLIED = "applied"  #: Every case is moved, kept or reported.
        ABANDONED = "abandoned"  #: Never applied.

    class Cause(StrEnum):
        CALENDAR = "calendar"  #: Days of the calendar change.
        LIMITS = "limits"  #: The time limits of a release are to hold for running cases.
        CHECK = "check"  #: Nothing has changed: what is stored is compared with what is reckoned.

    __tablename__ = "rederivation"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    cause: Mapped[Cause] = mapped_column(String(20))
    state: Mapped[State] = mapped_column(String(20), default=State.REHEARSED)
    #: Why, in the words of whoever rehearsed it, and the document that it stands on.
    why: Mapped[str] = mapped_column(String(400), default="")
    document_no: Mapped[str] = mapped_column(String(100), default="")
    source: Mapped[str] = mapped_column(String(200), default="")
    #: Cause calendar: the days that are given, and those of them that differ (before, after).
    days: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    changed: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    #: Cause limits: digest of the release whose limits are to hold.
    release: Mapped[str | None] = mapped_column(String(64))
    #: What the rehearsal, and later the application, counted.
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    rehearsed_at: Mapped[datetime] = mapped_column(Moment)
    rehearsed_by: Mapped[str] = mapped_column(String(200))
    #: When it was ordered to be applied; its state tells whether that is finished.
    applied_at: Mapped[datetime | None] = mapped_column(Moment)
    applied_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class RederivationItem(Base):
    """One deadline that a re-derivation changes, before and after."""

    class State(StrEnum):
        PLANNED = "planned"  #: To be done when the re-derivation is applied.
        APPLIED = "applied"  #: Done as rehearsed.
        CHANGED = "changed"  #: Done, but the case had moved on since the rehearsal: ``after`` says what was done.
        GONE = "gone"  #: The deadline was over, or right already, when its turn came.
        KEPT = "kept"  #: Has passed and was acted upon: never reopened, only reported.
        FAILED = "failed"  #: Could not be reckoned; ``note`` says why.

    class Effect(StrEnum):
        LATER = "later"  #: More time.
        EARLIER = "earlier"  #: Less time.
        SAME = "same"  #: The same end, surer or otherwise explained.
        OVERDUE = "overdue"  #: The new end has passed already: it is due at once.
        OVER = "over"  #: The old end has passed and was acted upon; under the new rule it would not have.

    __tablename__ = "rederivation_item"

    rederivation_id: Mapped[UUID] = mapped_column(ForeignKey("rederivation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    deadline_id: Mapped[UUID] = mapped_column(Uuid)
    instance_id: Mapped[UUID] = mapped_column(Uuid)
    key: Mapped[str] = mapped_column(String(200))
    limit: Mapped[str] = mapped_column("limit_id", String(20))
    start: Mapped[str] = mapped_column(String(40))
    before_on: Mapped[date] = mapped_column(Date)
    after_on: Mapped[date] = mapped_column(Date)
    before_at: Mapped[datetime] = mapped_column(Moment)
    after_at: Mapped[datetime] = mapped_column(Moment)
    #: Whether it rests on days that are not announced, before and after.
    before_provisional: Mapped[bool] = mapped_column(Boolean, default=False)
    after_provisional: Mapped[bool] = mapped_column(Boolean, default=False)
    effect: Mapped[Effect] = mapped_column(String(20))
    #: Warnings that have gone out already and would now come later: elements.
    warned: Mapped[list[str]] = mapped_column(Json, default=list)
    state: Mapped[State] = mapped_column(String(20), default=State.PLANNED)
    note: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index("ix_rederivation_item_state", "rederivation_id", "state", "instance_id"),
        Index("ix_rederivation_item_key", "key"),
    )
