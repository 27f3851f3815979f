"""Jobs for external workers: offered to one worker at a time, for as long as its lock holds; at least once.

A worker activates jobs, does them outside, and says how it went (``Engine.complete_job``, ``fail_job``). A worker
that dies loses its lock when its time is over, and the job is offered again: what a worker does must bear being
done twice. What it says late is refused once another has the job: a lock is known by worker and attempt together.

Activation takes no instance's lock and waits for nobody (SKIP LOCKED; on SQLite there is one writer): it holds the
rows of jobs for one short transaction, and a step, which locks its instance first, waits for no longer than that.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, literal, or_, select, update
from sqlalchemy.orm import Session

from core.refusals import Invalid, NotFound, WrongState
from engine.models import Instance, Job

#: A worker holds a job for so long at most before it says that it still works on it.
LONGEST_LOCK = timedelta(hours=12)
#: Jobs that one worker takes at once.
MOST = 100
#: Types that one worker does.
MOST_TYPES = 50


def activate(
    session: Session, types: Collection[str], *, worker: str, limit: int, lock_for: timedelta, now: datetime
) -> list[Job]:
    """Take up to ``limit`` jobs of these types for a worker, those that have waited longest first.

    Jobs of suspended cases are not offered. Raises Invalid.
    """
    if not 1 <= limit <= MOST or not 1 <= len(types) <= MOST_TYPES or not worker:
        raise Invalid(
            f"A worker with a name takes 1 to {MOST} jobs of 1 to {MOST_TYPES} types at once.",
            code="job.activation",
        )
    _require_lock(lock_for)
    offered = (
        select(Job.id)
        .join(Instance, Instance.id == Job.instance_id)
        .where(*_offered(types, now))
        .order_by(Job.opened_at, Job.id)
        .limit(limit)
        .with_for_update(of=Job, skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(Job)
        .where(Job.id.in_(offered))
        .values(worker=worker, attempt=Job.attempt + 1, locked_until=now + lock_for)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(session.scalars(statement), key=lambda job: (job.opened_at, job.id))


def are_offered(session: Session, types: Collection[str], *, now: datetime) -> bool:
    """Whether there is anything to activate; asked without a lock."""
    there = select(literal(1)).join_from(Job, Instance, Instance.id == Job.instance_id)
    return session.scalar(there.where(*_offered(types, now)).limit(1)) is not None


def extend(session: Session, job_id: UUID, *, worker: str, attempt: int, lock_for: timedelta, now: datetime) -> Job:
    """Hold a job for longer: its worker is at work. Raises NotFound, Invalid, and WrongState if it lost it."""
    _require_lock(lock_for)
    statement = (
        update(Job)
        .where(Job.id == job_id, Job.state == Job.State.OPEN, Job.worker == worker, Job.attempt == attempt)
        .values(locked_until=now + lock_for)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    job = session.scalar(statement)
    if job is None:
        found = session.get(Job, job_id, populate_existing=True)
        if found is None:
            raise NotFound("There is no such job.", code="job.not_found")
        require_open(found, Job.State.OPEN)
        require_held(found, worker, attempt)
        raise AssertionError("The job is open and held, and was not extended.")
    return job


def require_open(job: Job, *states: Job.State) -> None:
    """Refuse to go on with a job that has ended. Raises WrongState."""
    if job.state not in states:
        raise WrongState(
            f"Expected an open job, found one that is {job.state}.",
            code=f"job.already_{job.state}",
            expected="open",
            found=str(job.state),
        )


def require_held(job: Job, worker: str, attempt: int) -> None:
    """Refuse a worker whose lock ran out and whose job another took, or that was given back. Raises WrongState."""
    if (job.worker, job.attempt) != (worker, attempt):
        raise WrongState(
            f"Expected the job to be held by {worker!r} in attempt {attempt}; "
            + (f"attempt {job.attempt} is another's." if job.worker else "it was given back."),
            code="job.not_held",
            expected=f"attempt {attempt}",
            found=f"attempt {job.attempt}",
        )


def _offered(types: Collection[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Job.state == Job.State.OPEN,
        Job.type.in_(sorted(set(types))),
        or_(Job.locked_until.is_(None), Job.locked_until <= now),
        Instance.state == Instance.State.RUNNING,
    )


def _require_lock(lock_for: timedelta) -> None:
    if not timedelta() < lock_for <= LONGEST_LOCK:
        raise Invalid(f"A job is held for at most {LONGEST_LOCK}.", code="job.lock")
