"""Effects outside the database: written with the step that wants them, done after its commit, at least once.

Whoever receives an effect recognises a repetition by its idempotency key.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.db import Database
from engine.models import Outbox

logger = logging.getLogger(__name__)

#: Does one effect; what it raises is tried again later.
Handler = Callable[[Outbox], None]

#: A claimed effect is left to others after this.
LEASE = timedelta(minutes=5)
#: The first repetition comes after this, each further one after twice as long.
FIRST_DELAY = timedelta(seconds=30)
#: After this many attempts (about four hours) somebody has to look.
MAX_ATTEMPTS = 10


def add(
    session: Session,
    topic: str,
    payload: Mapping[str, Any],
    *,
    idempotency_key: str,
    now: datetime,
    instance_id: UUID | None = None,
) -> Outbox:
    """Want an effect. It becomes visible to workers with the commit of the caller's transaction."""
    row = Outbox(
        id=uuid4(),
        instance_id=instance_id,
        topic=topic,
        idempotency_key=idempotency_key,
        payload=dict(payload),
        state=Outbox.State.WAITING,
        attempts=0,
        created_at=now,
        wake_at=now,
    )
    session.add(row)
    return row


def drain(database: Database, handlers: Mapping[str, Handler], *, now: datetime, limit: int = 100) -> int:
    """Do what waits, for the topics that have a handler; answers how many effects were done."""
    done = 0
    for row in _claim(database, list(handlers), now, limit):
        try:
            handlers[row.topic](row)
        except Exception as error:  # a job loop: an effect that fails is tried again
            logger.exception("%s %s was not done.", row.topic, row.idempotency_key)
            _settle(database, row, now, f"{type(error).__name__}: {error}")
        else:
            _settle(database, row, now, None)
            done += 1
    return done


def waiting(session: Session, now: datetime) -> int:
    """How many effects are due."""
    return session.scalar(select(func.count()).select_from(Outbox).where(Outbox.wake_at <= now)) or 0


def _claim(database: Database, topics: list[str], now: datetime, limit: int) -> list[Outbox]:
    due = (
        select(Outbox.id)
        .where(Outbox.wake_at <= now, Outbox.topic.in_(topics))
        .order_by(Outbox.wake_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(Outbox)
        .where(Outbox.id.in_(due))
        .values(attempts=Outbox.attempts + 1, wake_at=now + LEASE)
        .returning(Outbox)
        .execution_options(synchronize_session=False)
    )
    with database.transaction() as session:
        rows = list(session.scalars(statement))
    return sorted(rows, key=lambda row: row.created_at)


def _settle(database: Database, row: Outbox, now: datetime, error: str | None) -> None:
    values: dict[str, Any]
    if error is None:
        values = {"state": Outbox.State.DONE, "done_at": now, "wake_at": None, "error": None}
    elif row.attempts >= MAX_ATTEMPTS:
        values = {"state": Outbox.State.FAILED, "wake_at": None, "error": error}
    else:
        values = {"wake_at": now + FIRST_DELAY * 2 ** (row.attempts - 1), "error": error}
    with database.transaction() as session:
        # Fenced: if the lease ran out and another worker has taken it, the row is no longer ours to settle.
        session.execute(update(Outbox).where(Outbox.id == row.id, Outbox.attempts == row.attempts).values(**values))
