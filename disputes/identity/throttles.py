"""Counting failures against a subject, in a transaction of its own, with a lock that grows.

An attempt is counted *before* it is checked and forgiven when it succeeds. Counting afterwards would let a
hundred guesses that arrive together all pass the check before the first is counted.
"""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from core import sealing
from core.db import Database, insert_missing
from core.refusals import Forbidden
from disputes.identity.models import Throttle

#: Attempts before the first lock.
FREE_ATTEMPTS = 5
#: The first lock; each further failure doubles it.
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(hours=1)
#: Failures are forgotten when nothing was tried for so long.
MEMORY = timedelta(hours=24)


class Locked(Forbidden):
    """Too many failures; the caller must wait. The fact ``retry_after`` says how many seconds."""


def lock_after(failures: int) -> timedelta:
    """How long the subject is locked after so many failures in a row."""
    if failures < FREE_ATTEMPTS:
        return timedelta(0)
    # 2⁷ × 30 s is beyond the longest lock: a larger exponent only makes large numbers.
    doublings: int = min(failures - FREE_ATTEMPTS, 7)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def subject_of(kind: str, value: str) -> str:
    """The key under which failures are counted: a keyed fingerprint, because logins and phones are personal."""
    return f"{kind}:{sealing.fingerprint(value.strip().lower())}"


def count_attempt(database: Database, subject: str, *, now: datetime) -> None:
    """Count an attempt, committed at once. Raises Locked while the subject is locked."""
    with database.transaction() as session:
        row = lock(session, subject, now=now)
        if row.locked_until is not None and now < row.locked_until:
            wait = int((row.locked_until - now).total_seconds()) + 1
            raise Locked(
                f"尝试次数过多，请在 {wait} 秒后再试。 Too many attempts; try again in {wait} seconds.",
                code="identity.locked",
                retry_after=wait,
            )
        if now - row.last_failed_at > MEMORY:
            row.failures = 0
        row.failures += 1
        row.last_failed_at = now
        wait_for = lock_after(row.failures)
        row.locked_until = now + wait_for if wait_for else None


def forgive(database: Database, subject: str) -> None:
    """Forget the failures of a subject that has succeeded."""
    with database.transaction() as session:
        session.execute(delete(Throttle).where(Throttle.subject == subject))


def forget_old(session: Session, *, now: datetime) -> int:
    """Drop counts that nobody added to for a day; answers how many."""
    result = session.execute(delete(Throttle).where(Throttle.last_failed_at < now - MEMORY))
    assert isinstance(result, CursorResult)
    return result.rowcount


def lock(session: Session, subject: str, *, now: datetime) -> Throttle:
    """The subject's row, locked until the end of the transaction; others who count wait for it."""
    insert_missing(session, Throttle, subject=subject, failures=0, last_failed_at=now)
    return session.scalars(select(Throttle).where(Throttle.subject == subject).with_for_update()).one()
