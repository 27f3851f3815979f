"""Jobs for external workers: taken, held, returned; and signals to all cases from outside."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from api.edge import (
    clock,
    current_actor,
    let_go,
    needs,
    own_transactions,
    runtime,
    the_edge,
    write_session,
)
from api.resources.blueprint import Resources
from api.schemas.jobs import (
    ActivationSchema,
    CompletionSchema,
    DoneSchema,
    ErrorSchema,
    ExtensionSchema,
    FailedSchema,
    FailureSchema,
    JobListSchema,
    JobSchema,
    SignalSchema,
    ThrownSchema,
)
from disputes.audit.operations import record
from engine import Job, jobs, values

resources = Resources("jobs", __name__, "Jobs for external workers, and signals")


@resources.route("/jobs/activate", methods=("POST",))
@needs("job.work")
@own_transactions
@resources.arguments(ActivationSchema)
@resources.response(200, JobListSchema)
def activate(wanted: dict[str, Any]) -> dict[str, list[Job]]:
    """Take jobs, those that have waited longest first; they are this worker's until `locked_until`.

    A worker that does not return a job by then loses it: it is offered again. What it does must bear a repetition.
    """
    edge, worker = the_edge(), _holder(wanted["worker"])
    let_go()  # who asks is known; no connection is held while nothing happens

    def take() -> list[Job]:
        with edge.database.reader() as session:
            if not jobs.are_offered(session, wanted["types"], now=edge.clock()):
                return []
        with edge.database.transaction() as session:
            return jobs.activate(
                session,
                wanted["types"],
                worker=worker,
                limit=wanted["limit"],
                lock_for=timedelta(seconds=wanted["lock_seconds"]),
                now=edge.clock(),
            )

    return {"items": edge.polls.until(take, seconds=wanted["wait_seconds"])}


@resources.route("/jobs/<uuid:job_id>/extend", methods=("POST",))
@needs("job.work")
@resources.arguments(ExtensionSchema)
@resources.response(200, JobSchema)
def extend(wanted: dict[str, Any], job_id: UUID) -> Job:
    """Hold a job for longer, counted from now. Refused (409) once it is another's."""
    lock_for = timedelta(seconds=wanted["lock_seconds"])
    return jobs.extend(write_session(), job_id, **_holding(wanted), lock_for=lock_for, now=clock())


@resources.route("/jobs/<uuid:job_id>/complete", methods=("POST",))
@needs("job.work")
@resources.arguments(CompletionSchema)
@resources.response(200, DoneSchema)
def complete(wanted: dict[str, Any], job_id: UUID) -> dict[str, bool]:
    """Return what was done; the case goes on. Refused (409) once the job has ended or is another's."""
    result = values.from_json(wanted["variables"])
    step = runtime().complete_job(
        write_session(), job_id, result, **_holding(wanted), now=clock(), by=str(current_actor())
    )
    return {"parked": step.failed}


@resources.route("/jobs/<uuid:job_id>/fail", methods=("POST",))
@needs("job.work")
@resources.arguments(FailureSchema)
@resources.response(200, FailedSchema)
def fail(wanted: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """Give a job back: offered again after a pause, or left as an incident once no retries are left."""
    session, now = write_session(), clock()
    step = runtime().fail_job(
        session,
        job_id,
        wanted["error"],
        retries=wanted.get("retries"),
        retry_at=now + timedelta(seconds=wanted["retry_after_seconds"]),
        **_holding(wanted),
        now=now,
        by=str(current_actor()),
    )
    return {"parked": step is not None, "retries": session.get_one(Job, job_id).retries}


@resources.route("/jobs/<uuid:job_id>/error", methods=("POST",))
@needs("job.work")
@resources.arguments(ErrorSchema)
@resources.response(200, DoneSchema)
def throw(wanted: dict[str, Any], job_id: UUID) -> dict[str, bool]:
    """End a job by an error of the business: the case leaves by the error event that catches the code."""
    step = runtime().throw_job(
        write_session(),
        job_id,
        wanted["code"],
        wanted["message"] or wanted["code"],
        variables=values.from_json(wanted["variables"]),
        **_holding(wanted),
        now=clock(),
        by=str(current_actor()),
    )
    return {"parked": step.failed}


@resources.route("/signals", methods=("POST",))
@needs("signal.throw")
@resources.arguments(SignalSchema)
@resources.response(202, ThrownSchema)
def throw_signal(wanted: dict[str, Any]) -> dict[str, int]:
    """Throw a signal to every case that waits for it now. The worker brings it, each case in its own time."""
    session, by, now = write_session(), current_actor(), clock()
    payload = values.from_json(wanted["payload"])
    receivers = runtime().throw_signal(session, wanted["signal"], payload=payload, now=now, by=str(by))
    facts = {"signal": wanted["signal"], "receivers": receivers}
    record(session, chain="signals", action="signal.thrown", facts=facts, by=by, now=now)
    return {"receivers": receivers}


def _holder(worker: str) -> str:
    """A worker as the job's row names it: no account speaks for the worker of another."""
    return f"{worker}@{current_actor().person_id}"


def _holding(wanted: dict[str, Any]) -> dict[str, Any]:
    return {"worker": _holder(wanted["worker"]), "attempt": wanted["attempt"]}
