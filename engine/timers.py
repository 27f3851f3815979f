"""What is due: claimed by a worker in one short transaction, fired in a second one that locks the instance first.

Only this module decides that a timer is due: at its moment exactly, never before. The effect is committed once: the
second transaction sees under the instance's lock whether the timer is still claimed by this worker, and marks it
fired together with its effect. A few timers share such a transaction; when one of them fails, each has its own.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.db import Database
from engine import leases
from engine.models import Timer
from engine.runtime import Engine
from engine.steps import Step

#: How long a claim holds. A worker that dies leaves its timers to others after this.
#: Short, since nobody extends it: a firing that takes longer may be tried by another worker, and takes effect once.
LEASE = timedelta(seconds=15)
#: Timers claimed at once: enough to make the claim cheap, few enough to fire well within the lease.
BATCH = 20
#: Timers fired in one transaction: a commit costs as much as a step, and a person's answer must not wait for many.
TOGETHER = 5


def claim(
    database: Database, *, owner: str, now: datetime, limit: int = BATCH, lease: timedelta = LEASE
) -> list[UUID]:
    """Claim timers that are due, or whose claim ran out, in the order in which they must fire."""
    return [timer_id for timer_id, _ in _claim(database, owner, now, limit, lease)]


def _claim(
    database: Database, owner: str, now: datetime, limit: int, lease: timedelta
) -> Sequence[tuple[UUID, int]]:
    due = (
        select(Timer.id)
        .where(Timer.wake_at <= now)
        .order_by(Timer.wake_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(Timer)
        .where(Timer.id.in_(due))
        .values(state=Timer.State.CLAIMED, owner=owner, attempt=Timer.attempt + 1, wake_at=now + lease)
        .returning(Timer.id, Timer.attempt, Timer.due_at, Timer.interrupting, Timer.armed_at, Timer.token)
        .execution_options(synchronize_session=False)
    )
    with database.transaction() as session:
        rows = session.execute(statement).all()
    # At one moment a warning comes before the expiry that would take it away.
    ordered = sorted(rows, key=lambda r: (r.due_at, r.interrupting, r.armed_at, r.token))
    return [(row.id, row.attempt) for row in ordered]


def fire(
    database: Database,
    engine: Engine,
    timer_id: UUID,
    *,
    owner: str,
    now: datetime,
    attempt: int | None = None,
) -> Step | None:
    """Let one claimed timer take effect, in a transaction of its own; none when it was no longer to be fired."""
    with database.transaction() as session:
        return engine.fire(session, timer_id, owner=owner, attempt=attempt, now=now)


def drain(
    database: Database,
    engine: Engine,
    *,
    owner: str,
    now: datetime,
    limit: int = 10_000,
    lease: timedelta = LEASE,
) -> int:
    """Fire everything that is due now, in order, and what becomes due by that; answers how many fired.

    One timer that fails does not hold up the others: it becomes an incident of its case; for a passing reason, such
    as a database that is away, its claim runs out and it is tried again.
    """
    fired = 0
    while fired < limit and next_is_due(database, now):
        claimed = _claim(database, owner, now, min(BATCH, limit - fired), lease)
        if not claimed:
            break
        held = [
            leases.Held(
                f"Timer {timer_id}",
                partial(engine.fire, timer_id=timer_id, owner=owner, attempt=attempt, now=now),
                partial(_park, engine, timer_id, owner, attempt, now),
            )
            for timer_id, attempt in claimed
        ]
        for first in range(0, len(held), TOGETHER):
            fired += leases.carry_out_together(database, held[first : first + TOGETHER])
    return fired


def _park(
    engine: Engine,
    timer_id: UUID,
    owner: str,
    attempt: int,
    now: datetime,
    session: Session,
    error: Exception,
) -> Step | None:
    return engine.park_timer(session, timer_id, owner=owner, attempt=attempt, error=error, now=now)


def next_is_due(database: Database, now: datetime) -> bool:
    """Whether anything is due; asked without a lock, so that an idle tick holds nobody up."""
    with database.reader() as session:
        moment = next_due(session)
        return moment is not None and moment <= now


def next_due(session: Session) -> datetime | None:
    """The next moment at which a worker has something to do."""
    return session.scalar(select(func.min(Timer.wake_at)))
