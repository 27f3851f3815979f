"""Messages: handed to the case that waits, or kept until one does or their time is over.

A message is taken by one event of one instance. Where nobody waits it is kept, and the first event that begins to
wait for its name and key takes it in the very step in which it begins. So that a message which is being kept and an
event which is beginning to wait never miss each other, both hold the lock of their queue (name and key) when they
look. The order is: instances first, queues second; who holds a queue and finds that somebody waits gives the queue
back before it locks that instance.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from core.db import hold, insert_missing
from core.refusals import Conflict, Invalid
from engine import state, values
from engine.models import Delivery, Instance, Subscription
from engine.steps import Step

if TYPE_CHECKING:
    from engine.runtime import Engine

#: A message that waits longer than this for its case was sent to the wrong one.
LONGEST_TTL = timedelta(days=366)
#: Messages kept for one name and key: more is a sender that has lost its way.
LONGEST_QUEUE = 1_000
#: Ids of messages that were delivered or have expired are remembered so long.
REMEMBERED = timedelta(days=90)
#: Looks for somebody who waits before the sender is asked to come again: each means that another was quicker.
_LOOKS = 5


class Outcome(StrEnum):
    """What became of a message that was published."""

    DELIVERED = "delivered"  #: A case took it, in this transaction.
    KEPT = "kept"  #: Nobody waits for it; it is kept for whoever does first.
    REPEATED = "repeated"  #: Its id has been here before; nothing was done.
    UNWANTED = "unwanted"  #: Nobody waits for it, and it was not to be kept.


@dataclass(frozen=True)
class Published:
    """The answer to who publishes a message."""

    outcome: Outcome
    #: The step of the case that took it; it may have failed and left an incident.
    step: Step | None = None
    #: Until when it is kept; none for one that waits for a suspended case to be resumed.
    expires_at: datetime | None = None
    #: Of a repeated one: what became of the first.
    first: Delivery.State | None = None


def publish(
    engine: "Engine",
    session: Session,
    message: str,
    key: str,
    *,
    payload: Mapping[str, Any],
    ttl: timedelta,
    message_id: str | None,
    now: datetime,
    by: str,
) -> Published:
    """See ``Engine.publish``."""
    if not timedelta() <= ttl <= LONGEST_TTL:
        raise Invalid(f"A message is kept for at most {LONGEST_TTL.days} days.", code="message.ttl")
    noted = None
    if message_id is not None:
        noted = _note(session, message, key, message_id, now, by)
        if noted.id is None:
            return Published(Outcome.REPEATED, first=noted.first)
    for _ in range(_LOOKS):
        instance_id = _who_waits(session, message, key)
        if instance_id is not None:
            instance = engine.lock(session, instance_id)
            here = _waiting_in(session, instance_id, message, key)
            if not here:
                continue  # another message was quicker
            if instance.state != Instance.State.RUNNING:
                _keep(session, noted, message, key, payload, None, now, by)
                return Published(Outcome.KEPT)
            if noted is not None:
                _settle(session, noted, instance_id=instance_id)
            return Published(Outcome.DELIVERED, engine.hand_over(session, instance, here, payload, now=now, by=by))
        if ttl <= timedelta():
            if noted is not None:
                session.execute(delete(Delivery).where(Delivery.id == noted.id))
            return Published(Outcome.UNWANTED)
        with session.begin_nested() as savepoint:
            hold(session, [queue(message, key)])
            if _who_waits(session, message, key) is None:
                _keep(session, noted, message, key, payload, now + ttl, now, by)
                return Published(Outcome.KEPT, expires_at=now + ttl)
            savepoint.rollback()  # gives the queue back: who holds one never waits for an instance
    raise Conflict("Others take what waits for this message; send it again.", code="message.crowded")


def queue(message: str, key: str) -> str:
    """The name of the lock that stands for all messages of a name and key."""
    return f"message:{message}:{key}"


def oldest_kept(
    session: Session, wanted: Collection[tuple[str, str]], *, but: Collection[UUID], now: datetime
) -> Delivery | None:
    """The oldest message that is kept for one of these (name, key), locked. Whoever asks holds their queues."""
    return session.scalar(
        select(Delivery)
        .where(
            tuple_(Delivery.message, Delivery.key).in_(sorted(wanted)),
            Delivery.state == Delivery.State.KEPT,
            or_(Delivery.expires_at.is_(None), Delivery.expires_at > now),
            Delivery.id.not_in(but),
        )
        .order_by(Delivery.at, Delivery.place)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def payload_of(kept: Delivery) -> dict[str, Any]:
    """What a kept message says, FEEL values."""
    return dict(values.decode(orjson.loads(kept.payload))) if kept.payload else {}


def expire(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Let messages go whose time is over, with what they say; answers how many. Their ids stay known."""
    over = (
        select(Delivery.id)
        .where(Delivery.state == Delivery.State.KEPT, Delivery.expires_at <= now)
        .order_by(Delivery.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(Delivery)
        .where(Delivery.id.in_(over), Delivery.state == Delivery.State.KEPT)
        .values(state=Delivery.State.EXPIRED, payload=None, ended_at=now)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement).all())


def forget_old(session: Session, *, now: datetime) -> int:
    """Forget the ids of messages that were delivered or expired long ago; answers how many."""
    long_ago = Delivery.state != Delivery.State.KEPT, Delivery.at < now - REMEMBERED
    return int(session.execute(delete(Delivery).where(*long_ago)).rowcount)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Noted:
    """The row of a message's id: ours, or none if it was there before."""

    id: UUID | None
    first: Delivery.State | None = None


def _note(session: Session, message: str, key: str, message_id: str, now: datetime, by: str) -> _Noted:
    """Claim an id. A second sender waits here until the first one's transaction has ended."""
    mine = uuid4()
    insert_missing(
        session,
        Delivery,
        id=mine,
        message=message,
        key=key,
        message_id=message_id,
        at=now,
        by=by,
        state=Delivery.State.DELIVERED,
        place=0,
    )
    row = session.execute(
        select(Delivery.id, Delivery.state).where(
            Delivery.message == message, Delivery.key == key, Delivery.message_id == message_id
        )
    ).one()
    return _Noted(mine) if row.id == mine else _Noted(None, Delivery.State(row.state))


def _settle(session: Session, noted: _Noted, **values: Any) -> None:
    statement = update(Delivery).where(Delivery.id == noted.id).values(**values)
    session.execute(statement.execution_options(synchronize_session=False))


def _keep(
    session: Session,
    noted: _Noted | None,
    message: str,
    key: str,
    payload: Mapping[str, Any],
    expires_at: datetime | None,
    now: datetime,
    by: str,
) -> None:
    text = orjson.dumps(values.encode(dict(payload))).decode()
    if len(text) > state.MAX_DATA:
        raise Invalid(f"A message says at most {state.MAX_DATA} bytes.", code="message.too_large")
    last, waiting = session.execute(
        select(func.max(Delivery.place), func.count()).where(
            Delivery.message == message, Delivery.key == key, Delivery.state == Delivery.State.KEPT
        )
    ).one()
    if waiting >= LONGEST_QUEUE:
        raise Conflict(
            f"{waiting} messages of this name and key wait already, and nobody takes them.",
            code="message.queue_full",
        )
    found: dict[str, Any] = {
        "state": Delivery.State.KEPT,
        "payload": text,
        "expires_at": expires_at,
        "place": (last or 0) + 1,
    }
    if noted is not None:
        _settle(session, noted, **found)
    else:
        session.add(Delivery(id=uuid4(), message=message, key=key, at=now, by=by, **found))
    session.flush()


def _waits(message: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Subscription.kind == Subscription.Kind.MESSAGE,
        Subscription.message == message,
        Subscription.key == key,
    )


def _who_waits(session: Session, message: str, key: str) -> UUID | None:
    """The instance that has waited for the shortest time."""
    return session.scalar(
        select(Subscription.instance_id)
        .where(*_waits(message, key))
        .order_by(Subscription.opened_at.desc(), Subscription.id)
        .limit(1)
    )


def _waiting_in(session: Session, instance_id: UUID, message: str, key: str) -> list[Subscription]:
    return list(
        session.scalars(
            select(Subscription)
            .where(*_waits(message, key), Subscription.instance_id == instance_id)
            .execution_options(populate_existing=True)
        )
    )
