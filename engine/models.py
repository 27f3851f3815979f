"""The rows of the engine: bundles, instances, tasks, timers, subscriptions, jobs, suspensions, incidents, events.

Only ``engine`` writes these tables; others read ``Instance``, ``Task``, ``Timer``, ``Job``, ``Incident`` and
``Event``. A step locks its instance row first and writes everything else under that lock.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment
from core.sealing import Sealed


class BundleRow(Base):
    """All files of one release under one content digest; never changed once written."""

    __tablename__ = "bundle"

    #: SHA-256 over the sorted paths and contents, 64 hex digits.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: zstd of the packed files (``engine.bundles`` packs and unpacks).
    content: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime] = mapped_column(Moment)


class CurrentBundle(Base):
    """Which bundle new instances start on: one row."""

    __tablename__ = "current_bundle"

    #: Always ``main``.
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey("bundle.digest"))
    since: Mapped[datetime] = mapped_column(Moment)


class Instance(Base):
    """One run of a diagram, with everything that it calls: the row that a step locks."""

    class State(StrEnum):
        RUNNING = "running"  #: Something is still waiting or open.
        SUSPENDED = "suspended"  #: Stands still by command: no answer, no message, no timer moves it.
        COMPLETED = "completed"  #: An end was reached and nothing is open.
        CANCELLED = "cancelled"  #: Ended by command; nothing is open.

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    #: Digest of the bundle that it runs on.
    bundle: Mapped[str] = mapped_column(ForeignKey("bundle.digest"))
    #: Id of the process that was started.
    process: Mapped[str] = mapped_column(String(200))
    #: The business key: the case's id as text.
    key: Mapped[str] = mapped_column(String(200), index=True)
    state: Mapped[State] = mapped_column(String(20), default=State.RUNNING)
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    #: Id of the end event that ended the started process.
    ended_element: Mapped[str | None] = mapped_column(String(200))
    #: Thin state: zstd of tokens and variables, without any specification.
    blob: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    #: Number of events so far and the hash of the last: the head of the chain.
    event_count: Mapped[int] = mapped_column(Integer, default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    #: Open incidents.
    incidents: Mapped[int] = mapped_column(Integer, default=0)
    version: Mapped[int] = mapped_column(Integer)

    __tablename__ = "instance"
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_instance_state_process", "state", "process"),)

    @property
    def is_open(self) -> bool:
        """Whether it has not ended: it runs, or it stands still until it is resumed."""
        return self.state in (self.State.RUNNING, self.State.SUSPENDED)


class Suspension(Base):
    """A time during which an instance stands still by command. While one is open, none of its timers wakes."""

    __tablename__ = "suspension"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"), index=True)
    #: The instance's business key.
    key: Mapped[str] = mapped_column(String(200))
    began_at: Mapped[datetime] = mapped_column(Moment)
    began_by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    #: Whether what was left of each deadline when it began is left when it ends.
    keeps_remaining: Mapped[bool] = mapped_column(Boolean, default=True)
    #: None while it lasts.
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[str | None] = mapped_column(String(200))


class Task(Base):
    """Something that a person has to do; opened, completed and cancelled by steps."""

    class State(StrEnum):
        OPEN = "open"  #: Waits for its answer.
        COMPLETED = "completed"  #: Somebody answered it.
        CANCELLED = "cancelled"  #: A deadline, a message or an end took it away.

    __tablename__ = "task"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"))
    #: The instance's business key, repeated so that lists need no join.
    key: Mapped[str] = mapped_column(String(200))
    #: The diagram in which it is drawn (a called process has its own).
    process: Mapped[str] = mapped_column(String(200))
    element: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(400))
    #: Form id of ``zeebe:formDefinition``; empty when the task has none.
    form: Mapped[str] = mapped_column(String(200), default="")
    #: Candidate groups, comma-separated; nearly always one role.
    role: Mapped[str] = mapped_column(String(400), default="")
    assignee: Mapped[str | None] = mapped_column(String(200))
    #: The multi-instance input element, JSON (``"complainant"``); none outside a multi-instance.
    item: Mapped[Any | None] = mapped_column(Json)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    #: What ``note()`` attached while the due date was evaluated: limit, article, explanation.
    due_note: Mapped[dict[str, Any] | None] = mapped_column(Json)
    state: Mapped[State] = mapped_column(String(20), default=State.OPEN)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[str | None] = mapped_column(String(200))
    #: Token in the instance's state.
    token: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index("ix_task_instance_id_state", "instance_id", "state"),
        Index("ix_task_state_role_due_at", "state", "role", "due_at"),
        Index("ix_task_key", "key"),
    )


class Timer(Base):
    """A moment at which an instance goes on by itself. Written in the step that armed it."""

    class State(StrEnum):
        ARMED = "armed"  #: Waits for its moment, or for a worker to claim it.
        CLAIMED = "claimed"  #: A worker holds it for the time of its lease.
        FIRED = "fired"  #: Its effect is committed.
        DROPPED = "dropped"  #: What it guarded ended first.
        PARKED = "parked"  #: Firing failed; an incident holds it until it is retried.

    __tablename__ = "timer"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"))
    process: Mapped[str] = mapped_column(String(200))
    #: The event that fires: boundary event, catch event (also behind an event gateway).
    element: Mapped[str] = mapped_column(String(200))
    #: The activity that a boundary timer is attached to, or the event gateway; else the event itself.
    host: Mapped[str] = mapped_column(String(200), default="")
    due_at: Mapped[datetime] = mapped_column(Moment)
    #: What ``note()`` attached while the moment was evaluated: limit, article, explanation.
    note: Mapped[dict[str, Any] | None] = mapped_column(Json)
    #: Whether it takes away what it is attached to.
    interrupting: Mapped[bool] = mapped_column(Boolean, default=True)
    #: ``R3/PT1H`` after the first firing is ``R2/PT1H``; none for a single moment.
    cycle: Mapped[str | None] = mapped_column(String(100))
    state: Mapped[State] = mapped_column(String(20), default=State.ARMED)
    armed_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    token: Mapped[int] = mapped_column(Integer)
    #: When a worker must look at it: ``due_at`` while armed, the end of the lease while claimed, else none.
    wake_at: Mapped[datetime | None] = mapped_column(Moment)
    #: The worker that claimed it, and how often it was claimed: together they fence the firing.
    owner: Mapped[str | None] = mapped_column(String(200))
    attempt: Mapped[int] = mapped_column(Integer, default=0)

    __table_args__ = (
        Index("ix_timer_wake_at", "wake_at"),
        Index("ix_timer_instance_id_state", "instance_id", "state"),
    )


class Subscription(Base):
    """An instance waits for a message with a correlation key, or for a signal; deleted when it waits no more."""

    class Kind(StrEnum):
        MESSAGE = "message"  #: One event of one instance takes it.
        SIGNAL = "signal"  #: Every event of every instance that waits takes it.

    __tablename__ = "subscription"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"), index=True)
    process: Mapped[str] = mapped_column(String(200))
    element: Mapped[str] = mapped_column(String(200))
    kind: Mapped[Kind] = mapped_column(String(20), default=Kind.MESSAGE, server_default=Kind.MESSAGE)
    #: Name of the message or signal.
    message: Mapped[str] = mapped_column(String(200))
    #: The correlation key; empty for a signal.
    key: Mapped[str] = mapped_column(String(200))
    interrupting: Mapped[bool] = mapped_column(Boolean, default=True)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    token: Mapped[int] = mapped_column(Integer)

    __table_args__ = (Index("ix_subscription_message_key", "message", "key"),)


class Delivery(Base):
    """A message that somebody sent: handed to the case that waited, or kept until one waits or its time is over.

    A message that was handed over at once is noted only where its sender gave it an id.
    """

    class State(StrEnum):
        DELIVERED = "delivered"  #: An event took it.
        KEPT = "kept"  #: Nobody waits for it yet.
        EXPIRED = "expired"  #: Its time was over before anybody waited.

    __tablename__ = "delivery"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    message: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(200))
    #: The sender's id: the same id is not delivered twice.
    message_id: Mapped[str | None] = mapped_column(String(200))
    #: The instance that took it.
    instance_id: Mapped[UUID | None] = mapped_column(ForeignKey("instance.id"))
    #: When it was sent.
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(200), default="", server_default="")
    state: Mapped[State] = mapped_column(String(20), default=State.DELIVERED, server_default=State.DELIVERED)
    #: Its place in the queue of its name and key: the smallest is taken first.
    place: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: What it says, JSON, sealed; none once it was taken or its time was over.
    payload: Mapped[str | None] = mapped_column(Sealed)
    #: None for one that a suspended case keeps until it is resumed.
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("message", "key", "message_id"),
        Index("ix_delivery_state_expires_at", "state", "expires_at"),
    )


class Signal(Base):
    """A signal that was thrown: what it says, kept while it is on its way to other cases."""

    __tablename__ = "signal"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(200))
    #: The instance whose diagram threw it; none for one from outside.
    instance_id: Mapped[UUID | None] = mapped_column(ForeignKey("instance.id"))
    #: JSON, sealed.
    payload: Mapped[str] = mapped_column(Sealed)
    thrown_at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(200))


class SignalDelivery(Base):
    """A signal is on its way to an event of another instance that waited when it was thrown; deleted on arrival."""

    __tablename__ = "signal_delivery"

    signal_id: Mapped[UUID] = mapped_column(ForeignKey("signal.id"), primary_key=True)
    #: The subscription that it is for; where that is gone, the signal comes too late and does nothing.
    subscription_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    #: No foreign key: checking it would lock the receiver's row in the thrower's step, and two that throw to each
    #: other would wait for ever.
    instance_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    thrown_at: Mapped[datetime] = mapped_column(Moment)
    #: When a worker must look at it: the end of the lease while one holds it.
    wake_at: Mapped[datetime] = mapped_column(Moment, index=True)
    #: The worker that holds it, and how often it was held: together they fence the delivery.
    owner: Mapped[str | None] = mapped_column(String(200))
    attempt: Mapped[int] = mapped_column(Integer, default=0)


class Job(Base):
    """A service call whose type nobody registered in this process: an external worker does it."""

    class State(StrEnum):
        OPEN = "open"  #: Waits for a worker, or is held by one until ``locked_until``.
        COMPLETED = "completed"  #: The worker returned its variables.
        FAILED = "failed"  #: No retries are left; an incident holds it.
        CANCELLED = "cancelled"  #: What called it ended first.

    __tablename__ = "job"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    process: Mapped[str] = mapped_column(String(200))
    element: Mapped[str] = mapped_column(String(200))
    #: ``zeebe:taskDefinition type``.
    type: Mapped[str] = mapped_column(String(200))
    headers: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    #: The task's ``ioMapping`` inputs, JSON.
    inputs: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[State] = mapped_column(String(20), default=State.OPEN)
    retries: Mapped[int] = mapped_column(Integer, default=3)
    error: Mapped[str | None] = mapped_column(Text)
    #: Who holds it, and how often it was activated: together they fence what a worker says of it.
    worker: Mapped[str | None] = mapped_column(String(200))
    attempt: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: Not offered before: the end of the worker's lock, or of the pause after a failure.
    locked_until: Mapped[datetime | None] = mapped_column(Moment)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    token: Mapped[int] = mapped_column(Integer)

    __table_args__ = (Index("ix_job_state_type_opened_at", "state", "type", "opened_at"),)


class Incident(Base):
    """A command could not be carried out: rolled back, recorded here, and waiting for somebody to retry it."""

    class State(StrEnum):
        OPEN = "open"  #: The case stands where it stood before the command.
        RESOLVED = "resolved"  #: A retry went through.
        VOID = "void"  #: What failed is no longer wanted (the task was cancelled, the case ended).

    __tablename__ = "incident"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    process: Mapped[str] = mapped_column(String(200))
    #: The element that failed, not the one that was commanded.
    element: Mapped[str] = mapped_column(String(200))
    #: ``service``, ``expression``, ``data``, ``decision``, ``gateway``, ``error_event``, ``loop``, ``job`` or
    #: ``engine``.
    kind: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(Text)
    #: What the command was aimed at (``task:…``, ``timer:…``, ``message:…``); one open incident each.
    target: Mapped[str] = mapped_column(String(500))
    #: The command to repeat, sealed: it may hold what a person answered.
    command: Mapped[str] = mapped_column(Sealed)
    #: What the element that failed could see when it failed last: JSON of name → value as people read it, sealed.
    #: None where nothing was seen (a job), or where it was recorded before this was kept.
    seen: Mapped[str | None] = mapped_column(Sealed)
    state: Mapped[State] = mapped_column(String(20), default=State.OPEN)
    attempts: Mapped[int] = mapped_column(Integer, default=1)
    at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)
    resolved_by: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (Index("ix_incident_state_at", "state", "at"),)


class Event(Base):
    """One entry of an instance's log: append-only, numbered, chained by hash over salted payload digests."""

    __tablename__ = "event"

    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"), primary_key=True)
    #: 1, 2, 3 … without a gap.
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(200))
    #: ``instance.started``, ``task.opened``, ``timer.fired``, ``service.called`` …
    kind: Mapped[str] = mapped_column(String(60))
    process: Mapped[str] = mapped_column(String(200), default="")
    element: Mapped[str] = mapped_column(String(200), default="")
    #: JSON; none once it was erased. The chain still verifies: it stands on the digest.
    payload: Mapped[dict[str, Any] | None] = mapped_column(Json)
    #: Random, kept with the payload and erased with it, so that the digest cannot be guessed backwards.
    salt: Mapped[str | None] = mapped_column(String(32))
    #: SHA-256 over salt and payload.
    digest: Mapped[str] = mapped_column(String(64))
    #: SHA-256 over the entry before and all fields of this one but the payload.
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (Index("ix_event_at", "at"), Index("ix_event_by_at", "by", "at"))


class Outbox(Base):
    """An effect outside the database that must happen after the commit, at least once."""

    class State(StrEnum):
        WAITING = "waiting"  #: To be done when ``wake_at`` comes.
        DONE = "done"  #: Done once at least.
        FAILED = "failed"  #: Given up after the last attempt.

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    instance_id: Mapped[UUID | None] = mapped_column(ForeignKey("instance.id"), index=True)
    topic: Mapped[str] = mapped_column(String(100))
    #: Whoever receives the effect can recognise a repetition by this.
    idempotency_key: Mapped[str] = mapped_column(String(200), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[State] = mapped_column(String(20), default=State.WAITING)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    wake_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    done_at: Mapped[datetime | None] = mapped_column(Moment)
