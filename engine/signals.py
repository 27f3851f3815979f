"""Signals between cases: one throw, and every event of every other case that waits at that moment.

Who waits is read in the thrower's step: each event whose subscription is committed then is written down, and gets
the signal in a transaction of its own, brought by a worker. So nobody holds two cases at once, and one receiver
that fails holds up nobody. A signal is not kept: who begins to wait afterwards has missed it; who waits no more
when it arrives is past it. The thrower's own case receives it in the same step and is not among the others.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Uuid, delete, func, insert, literal, select, tuple_, update
from sqlalchemy.orm import Session

from core.db import Database
from core.refusals import Invalid
from engine import leases, state, values
from engine.models import Signal, SignalDelivery, Subscription
from engine.steps import Step

if TYPE_CHECKING:
    from engine.runtime import Engine

#: How long a worker's hold on a delivery lasts; after it another worker takes it.
LEASE = timedelta(seconds=15)
#: Deliveries held at once.
BATCH = 50
#: A suspended case is asked again after this whether it may receive.
PATIENCE = timedelta(minutes=1)


def throw(
    session: Session,
    name: str,
    payload: Mapping[str, Any],
    *,
    instance_id: UUID | None,
    now: datetime,
    by: str,
) -> int:
    """Send a signal on its way to all cases but the thrower's; answers how many events will get it."""
    waits = [Subscription.kind == Subscription.Kind.SIGNAL, Subscription.message == name, Subscription.key == ""]
    if instance_id is not None:
        waits.append(Subscription.instance_id != instance_id)
    if session.scalar(select(Subscription.id).where(*waits).limit(1)) is None:
        return 0
    text = orjson.dumps(values.encode(dict(payload))).decode()
    if len(text) > state.MAX_DATA:
        raise Invalid(f"A signal says at most {state.MAX_DATA} bytes.", code="signal.too_large")
    signal = uuid4()
    session.execute(
        insert(Signal).values(id=signal, name=name, instance_id=instance_id, payload=text, thrown_at=now, by=by)
    )
    receivers = select(
        literal(signal, Uuid()),
        Subscription.id,
        Subscription.instance_id,
        literal(now, SignalDelivery.thrown_at.type),
        literal(now, SignalDelivery.wake_at.type),
        literal(0),
    ).where(*waits)
    columns = ["signal_id", "subscription_id", "instance_id", "thrown_at", "wake_at", "attempt"]
    session.execute(insert(SignalDelivery).from_select(columns, receivers, include_defaults=False))
    sent = select(func.count()).where(SignalDelivery.signal_id == signal)
    return session.scalar(sent) or 0


def drain(database: Database, engine: "Engine", *, owner: str, now: datetime, limit: int = 1_000) -> int:
    """Bring signals to whom they are for, in the order in which they were thrown; answers how many arrived."""
    arrived = seen = 0
    while seen < limit and _any_waits(database, now):
        held = _claim(database, owner, now, min(BATCH, limit - seen))
        if not held:
            break
        seen += len(held)
        for signal_id, subscription_id, attempt in held:
            arrived += leases.carry_out(
                database,
                leases.Held(
                    f"Signal {signal_id} to {subscription_id}",
                    partial(
                        engine.receive_signal,
                        signal_id=signal_id,
                        subscription_id=subscription_id,
                        owner=owner,
                        attempt=attempt,
                        now=now,
                    ),
                    partial(_park, engine, signal_id, subscription_id, owner, attempt, now),
                ),
            )
    return arrived


def waiting(session: Session) -> int:
    """How many deliveries are on their way."""
    return session.scalar(select(func.count()).select_from(SignalDelivery)) or 0


def forget_old(session: Session, *, now: datetime) -> int:
    """Forget signals that have reached everybody; answers how many."""
    under_way = select(SignalDelivery.signal_id)
    old = delete(Signal).where(Signal.thrown_at < now - timedelta(days=1), Signal.id.not_in(under_way))
    return int(session.execute(old).rowcount)  # type: ignore[attr-defined]


def payload_of(signal: Signal) -> dict[str, Any]:
    """What a signal says, FEEL values."""
    return dict(values.decode(orjson.loads(signal.payload)))


def _park(
    engine: "Engine",
    signal_id: UUID,
    subscription_id: UUID,
    owner: str,
    attempt: int,
    now: datetime,
    session: Session,
    error: Exception,
) -> Step | None:
    return engine.park_signal(
        session, signal_id, subscription_id, owner=owner, attempt=attempt, error=error, now=now
    )


def _any_waits(database: Database, now: datetime) -> bool:
    """Asked without a lock, so that an idle worker holds nobody up."""
    with database.reader() as session:
        return session.scalar(select(literal(1)).where(SignalDelivery.wake_at <= now).limit(1)) is not None


def _claim(database: Database, owner: str, now: datetime, limit: int) -> list[tuple[UUID, UUID, int]]:
    key = tuple_(SignalDelivery.signal_id, SignalDelivery.subscription_id)
    due = (
        select(SignalDelivery.signal_id, SignalDelivery.subscription_id)
        .where(SignalDelivery.wake_at <= now)
        .order_by(SignalDelivery.wake_at, SignalDelivery.thrown_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(SignalDelivery)
        .where(key.in_(due))
        .values(owner=owner, attempt=SignalDelivery.attempt + 1, wake_at=now + LEASE)
        .returning(
            SignalDelivery.signal_id,
            SignalDelivery.subscription_id,
            SignalDelivery.attempt,
            SignalDelivery.thrown_at,
        )
        .execution_options(synchronize_session=False)
    )
    with database.transaction() as session:
        rows = session.execute(statement).all()
    ordered = sorted(rows, key=lambda row: (row.thrown_at, row.signal_id, row.subscription_id))
    return [(row.signal_id, row.subscription_id, row.attempt) for row in ordered]
