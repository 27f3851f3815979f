"""The engine's commands. Each is one step: lock the instance, apply, run until quiescent, save.

A refusal goes back to whoever commanded and rolls everything back. A failure inside the diagram rolls back to the
savepoint before the command and leaves an incident, which the caller commits.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import ColumnElement, Executable, bindparam, delete, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from core.db import of_transaction
from core.refusals import Conflict, NotFound, Refusal, WrongState
from engine import (
    editing,
    events,
    jobs,
    messages,
    migrating,
    moving,
    repeating,
    signals,
    specifications,
    state,
    suspending,
    values,
)
from engine.findings import FUNCTIONS
from engine.incidents import Stuck
from engine.models import (
    Delivery,
    Incident,
    Instance,
    Job,
    Signal,
    SignalDelivery,
    Subscription,
    Task,
    Timer,
)
from engine.run import Run
from engine.steps import FunctionContext, FunctionFactory, Listener, Migrated, Service, Step
from engine.tokens import Outer

#: Built once: a step has little time, and building a statement takes as long as sending it.
#: A row's instance never changes, so that it may be looked up in the statement that locks.
_LOCKED = select(Instance).where(Instance.id == bindparam("instance")).with_for_update()
_OF_TASK = (
    select(Instance, Task)
    .join(Task, Task.instance_id == Instance.id)
    .where(Task.id == bindparam("task"))
    .with_for_update(of=Instance)
)
_OF_TIMER = (
    select(Instance, Timer.token)
    .join(Timer, Timer.instance_id == Instance.id)
    .where(Timer.id == bindparam("timer"))
    .with_for_update(of=Instance)
)

#: Commands that an operator may give while an instance stands still.
WHILE_SUSPENDED = frozenset({"cancel", "move", "rearm", "resume", "set_data", "skip", "void"})

#: What a command does once the instance is loaded.
Apply = Callable[[Run], None]


def no_functions(context: FunctionContext) -> Mapping[str, Any]:
    """The functions of an engine that was given none."""
    return {}


class _NotDue(Exception):
    """A timer is no longer this worker's to fire."""


class Engine:
    """Runs the diagrams of bundles. It keeps no state between two commands; one serves all threads."""

    def __init__(
        self,
        *,
        services: Mapping[str, Service],
        functions: FunctionFactory = no_functions,
        listeners: Sequence[Listener] = (),
        function_names: Collection[str] = FUNCTIONS,
    ) -> None:
        self.services = services
        self.functions = functions
        self.listeners = list(listeners)
        #: Names that ``functions`` provides; expressions may call them besides FEEL's own.
        self.function_names = frozenset(function_names)

    # Commands.

    def start(
        self,
        session: Session,
        *,
        bundle: str,
        process: str,
        key: str,
        data: Mapping[str, Any],
        now: datetime,
        by: str,
    ) -> Step:
        """Start a process of a bundle for a business key. ``case_id`` is set to the key if the data lacks it."""
        specifications.load(session, bundle).process(process)
        instance = Instance(
            id=uuid4(), bundle=bundle, process=process, key=key, started_at=now, event_count=0, event_head=""
        )
        session.add(instance)
        session.flush()
        given = {"case_id": key, **data}
        command = {"command": "start", "data": values.encode(given)}
        return self._command(session, instance, command, f"start:{instance.id}", self._starting(given), now, by)

    def _starting(self, data: Mapping[str, Any]) -> Apply:
        def apply(run: Run) -> None:
            run.create(run.instance.process, data)
            started = {"process": run.instance.process, "bundle": run.instance.bundle, "data": values.encode(data)}
            run.log("instance.started", payload=started)
            run.begin(run.top)

        return apply

    def complete(
        self, session: Session, task_id: UUID, answer: Mapping[str, Any], *, now: datetime, by: str
    ) -> Step:
        """Complete an open task with its answer. Raises NotFound, WrongState, Conflict."""
        instance, task = self.lock_task(session, task_id)
        token = task.token
        command = {"command": "complete", "task": str(task_id), "answer": values.encode(dict(answer))}
        return self._command(
            session,
            instance,
            command,
            f"task:{task_id}",
            lambda run: run.answer(task, token, answer),
            now,
            by,
        )

    def publish(
        self,
        session: Session,
        message: str,
        key: str,
        *,
        payload: Mapping[str, Any] = {},
        ttl: timedelta = timedelta(),
        message_id: str | None = None,
        now: datetime,
        by: str,
    ) -> messages.Published:
        """Hand a message to the case that waits for it, or keep it for ``ttl``; zero: nobody waits, nobody gets it.

        Where several events of a case wait for it, the innermost takes it, and among equals the latest. The same
        ``message_id`` under the same name and key is heeded once. A suspended case keeps its messages until it is
        resumed. Raises Invalid (too large, kept too long) and Conflict (too many wait).
        """
        return messages.publish(
            self, session, message, key, payload=payload, ttl=ttl, message_id=message_id, now=now, by=by
        )

    def deliver(
        self,
        session: Session,
        message: str,
        key: str,
        *,
        payload: Mapping[str, Any] = {},
        message_id: str | None = None,
        now: datetime,
        by: str,
    ) -> Step | None:
        """Publish a message that is not to be kept; none when nobody took it."""
        return self.publish(session, message, key, payload=payload, message_id=message_id, now=now, by=by).step

    def hand_over(
        self,
        session: Session,
        instance: Instance,
        waiting: Sequence[Subscription],
        payload: Mapping[str, Any],
        *,
        now: datetime,
        by: str,
    ) -> Step:
        """Give a message to an instance whose row is locked and that waits for it."""
        message, key = waiting[0].message, waiting[0].key
        command = _deliver_command(message, key, payload)
        target = f"message:{message}:{key}"

        def apply(run: Run) -> None:
            run.receive_innermost(waiting, payload)

        return self._command(session, instance, command, target, apply, now, by)

    def throw_signal(
        self, session: Session, name: str, *, payload: Mapping[str, Any] = {}, now: datetime, by: str
    ) -> int:
        """Throw a signal from outside to every case that waits for it now; answers how many events will get it."""
        return signals.throw(session, name, payload, instance_id=None, now=now, by=by)

    def receive_signal(
        self,
        session: Session,
        signal_id: UUID,
        subscription_id: UUID,
        *,
        owner: str,
        attempt: int,
        now: datetime,
    ) -> Step | None:
        """Let a signal arrive that this worker holds; none when it came too late or another worker has it."""
        found = session.scalar(select(SignalDelivery.instance_id).where(*_is_delivery(signal_id, subscription_id)))
        if found is None:
            return None
        instance = self.lock(session, found)
        mine = (
            *_is_delivery(signal_id, subscription_id),
            SignalDelivery.owner == owner,
            SignalDelivery.attempt == attempt,
        )
        subscription = session.get(Subscription, subscription_id, populate_existing=True)
        if subscription is not None and instance.state != Instance.State.RUNNING:
            later = update(SignalDelivery).where(*mine).values(wake_at=now + signals.PATIENCE, owner=None)
            session.execute(later, execution_options={"synchronize_session": False})
            return None
        arrived = session.scalar(
            delete(SignalDelivery).where(*mine).returning(SignalDelivery.subscription_id),
            execution_options={"synchronize_session": False},
        )
        if arrived is None or subscription is None:
            return None
        signal = session.get_one(Signal, signal_id)
        return self._signal(session, instance, subscription, signals.payload_of(signal), signal_id, now, signal.by)

    def _signal(
        self,
        session: Session,
        instance: Instance,
        subscription: Subscription,
        payload: Mapping[str, Any],
        signal_id: UUID,
        now: datetime,
        by: str,
    ) -> Step:
        subscription_id = subscription.id

        def apply(run: Run) -> None:
            run.signal(subscription_id, payload)

        command = _signal_command(signal_id, subscription_id, payload)
        target = f"signal:{signal_id}:{subscription_id}"
        return self._command(session, instance, command, target, apply, now, by, person_waits=False)

    def park_signal(
        self,
        session: Session,
        signal_id: UUID,
        subscription_id: UUID,
        *,
        owner: str,
        attempt: int,
        error: Exception,
        now: datetime,
    ) -> Step | None:
        """Leave a signal that failed outside the diagram as an incident of its receiver."""
        mine = (
            *_is_delivery(signal_id, subscription_id),
            SignalDelivery.owner == owner,
            SignalDelivery.attempt == attempt,
        )
        found = session.scalar(select(SignalDelivery.instance_id).where(*mine))
        if found is None:
            return None
        instance = self.lock(session, found)
        gone = delete(SignalDelivery).where(*mine).returning(SignalDelivery.subscription_id)
        held = session.scalar(gone, execution_options={"synchronize_session": False})
        subscription = session.get(Subscription, subscription_id, populate_existing=True)
        if held is None or subscription is None:
            return None
        signal = session.get_one(Signal, signal_id)
        stuck = Stuck("listener", subscription.process, subscription.element, f"{type(error).__name__}: {error}")
        step = Step(instance, now, signal.by, "signal")
        command = _signal_command(signal_id, subscription_id, signals.payload_of(signal))
        self._park(session, step, command, f"signal:{signal_id}:{subscription_id}", stuck)
        return step

    def fire(
        self, session: Session, timer_id: UUID, *, owner: str, attempt: int | None = None, now: datetime
    ) -> Step | None:
        """Let a claimed timer take effect; none when it is no longer this owner's to fire. Never early."""
        row = self._locked(session, _OF_TIMER, {"timer": timer_id})
        if row is None:
            return None
        instance: Instance = row[0]
        if instance.state == Instance.State.SUSPENDED:
            return None

        def apply(run: Run) -> None:
            timer = run.rows.fire_timer(timer_id, owner, attempt, now)
            if timer is None:
                raise _NotDue
            run.fire(timer)

        try:
            return self._fire(session, instance, timer_id, apply, now, "system")
        except _NotDue:
            session.expire_all()
            self._release(session, timer_id, owner, now)
            return None

    def _fire(
        self, session: Session, instance: Instance, timer_id: UUID, apply: Apply, now: datetime, by: str
    ) -> Step:
        command = {"command": "fire", "timer": str(timer_id)}
        return self._command(session, instance, command, f"timer:{timer_id}", apply, now, by, person_waits=False)

    def park_timer(
        self, session: Session, timer_id: UUID, *, owner: str, attempt: int, error: Exception, now: datetime
    ) -> Step | None:
        """Leave a timer that failed outside the diagram (a listener, a fault of ours) as an incident of its case.

        Tried again for ever it would stop the case in silence. Listeners are not told: one of them has failed.
        """
        row = self._locked(session, _OF_TIMER, {"timer": timer_id})
        if row is None:
            return None
        timer = session.get_one(Timer, timer_id, populate_existing=True)
        if (timer.state, timer.owner, timer.attempt) != (Timer.State.CLAIMED, owner, attempt):
            return None
        step = Step(row[0], now, "system", "fire")
        stuck = Stuck("listener", timer.process, timer.element, f"{type(error).__name__}: {error}")
        self._park(session, step, {"command": "fire", "timer": str(timer_id)}, f"timer:{timer_id}", stuck)
        return step

    def _release(self, session: Session, timer_id: UUID, owner: str, now: datetime) -> None:
        """Give back a claim on a timer that was moved into the future meanwhile."""
        timer = session.get_one(Timer, timer_id)
        if timer.state == Timer.State.CLAIMED and timer.owner == owner and timer.due_at > now:
            timer.state, timer.owner, timer.wake_at = Timer.State.ARMED, None, timer.due_at

    def cancel(self, session: Session, instance_id: UUID, *, reason: str, now: datetime, by: str) -> Step:
        """End an instance by command: nothing stays open. Raises NotFound, WrongState."""
        instance = self.lock(session, instance_id)
        self._require_open(instance)
        command = {"command": "cancel", "reason": reason}
        target = f"cancel:{instance_id}"
        return self._command(session, instance, command, target, lambda run: run.cancel(reason), now, by)

    def rearm(self, session: Session, instance_id: UUID, *, now: datetime, by: str) -> Step:
        """Evaluate the moments of armed timers and open tasks again, after a pause or a change of the calendar.

        Durations and cycles keep the moment at which they began; only moments given by an expression move.
        """
        instance = self.lock(session, instance_id)
        self._require_open(instance)
        return self._command(
            session,
            instance,
            {"command": "rearm"},
            f"rearm:{instance_id}",
            lambda run: run.rearm(),
            now,
            by,
        )

    def migrate(
        self,
        session: Session,
        instance_id: UUID,
        *,
        bundle: str,
        mapping: Mapping[str, str] = {},
        rederive: bool = False,
        now: datetime,
        by: str,
    ) -> Step:
        """Carry a running instance to another bundle; ``engine.migrating`` says by which rules.

        ``mapping`` names what has another id there: ``{"accept": "decide", "complaint/*": "dispute/*"}``. Ids of
        tasks and due dates are kept; with ``rederive`` moments are evaluated again by the new diagrams. Raises
        NotMigratable with every reason, and nothing has changed; NotFound, WrongState, Conflict, Invalid.
        """
        instance = self.lock(session, instance_id)
        self._require_running(instance)
        if instance.incidents:
            raise migrating.incident_open(instance)
        old = specifications.load(session, instance.bundle)
        new = specifications.load(session, bundle)
        route = migrating.Route(old, new, mapping)
        report = Migrated(instance.bundle, bundle)
        step = Step(instance, now, by, "migrate", migrated=report)
        try:
            with _contended(instance), session.begin_nested():
                packed = state.unpack(instance.blob)
                run = Run(self, session, instance, new, now, by, step)
                migrating.migrate(run, packed, route, rederive=rederive)
                run.until_quiet()
                run.take_kept()
                run.rearm_if_asked()
                run.save()
                migrating.require_a_way_on(packed, run, route)
        except Stuck as stuck:
            session.expire_all()
            raise migrating.NotMigratable([migrating.stuck_reason(stuck)]) from stuck
        report.position = step.position
        self._tell(session, step)
        return step

    def rehearse(
        self,
        session: Session,
        instance_id: UUID,
        *,
        bundle: str,
        mapping: Mapping[str, str] = {},
        rederive: bool = False,
        now: datetime,
        by: str,
    ) -> Migrated:
        """What ``migrate`` would do, listeners included: it is done and taken back. Raises the same refusals."""
        savepoint = session.begin_nested()
        try:
            step = self.migrate(
                session, instance_id, bundle=bundle, mapping=mapping, rederive=rederive, now=now, by=by
            )
            session.flush()
        finally:
            savepoint.rollback()
            session.expire_all()
        assert step.migrated is not None
        return step.migrated

    def complete_job(
        self,
        session: Session,
        job_id: UUID,
        result: Mapping[str, Any],
        *,
        worker: str | None = None,
        attempt: int | None = None,
        now: datetime,
        by: str,
    ) -> Step:
        """Take over what an external worker returned. Raises NotFound, and WrongState when the job has ended or,
        where ``worker`` and ``attempt`` say who returns it, when another has it meanwhile.
        """
        instance, job = self._job(session, job_id)
        jobs.require_open(job, Job.State.OPEN, Job.State.FAILED)
        if worker is not None and attempt is not None:
            jobs.require_held(job, worker, attempt)

        def apply(run: Run) -> None:
            run.work_done(run.rows.jobs()[job.token], result)

        command = {"command": "complete_job", "job": str(job_id), "result": values.encode(dict(result))}
        return self._command(session, instance, command, f"job:{job_id}", apply, now, by)

    def throw_job(
        self,
        session: Session,
        job_id: UUID,
        code: str,
        message: str,
        *,
        variables: Mapping[str, Any] = {},
        worker: str | None = None,
        attempt: int | None = None,
        now: datetime,
        by: str,
    ) -> Step:
        """Leave a job by the error event that catches the code; an incident where none does. Raises as above."""
        instance, job = self._job(session, job_id)
        jobs.require_open(job, Job.State.OPEN, Job.State.FAILED)
        if worker is not None and attempt is not None:
            jobs.require_held(job, worker, attempt)

        def apply(run: Run) -> None:
            run.work_failed(run.rows.jobs()[job.token], code, message, variables)

        command = {
            "command": "throw_job",
            "job": str(job_id),
            "code": code,
            "error": message,
            "variables": values.encode(dict(variables)),
        }
        return self._command(session, instance, command, f"job:{job_id}", apply, now, by)

    def fail_job(
        self,
        session: Session,
        job_id: UUID,
        error: str,
        *,
        retries: int | None = None,
        retry_at: datetime | None = None,
        worker: str | None = None,
        attempt: int | None = None,
        now: datetime,
        by: str,
    ) -> Step | None:
        """Give a job back: to be offered again from ``retry_at``, or as an incident once no retries are left.

        ``retries`` are those that remain; by default one less than before. Raises as above.
        """
        instance, job = self._job(session, job_id)
        jobs.require_open(job, Job.State.OPEN)
        if worker is not None and attempt is not None:
            jobs.require_held(job, worker, attempt)
        job.error, job.retries = error, max(job.retries - 1 if retries is None else retries, 0)
        job.worker, job.locked_until = None, retry_at
        session.flush()
        events.append(
            session,
            instance,
            "job.failed",
            payload={"job": str(job_id), "type": job.type, "retries": job.retries},
            at=now,
            by=by,
            process=job.process,
            element=job.element,
        )
        if job.retries > 0:
            return None
        step = Step(instance, now, by, "fail_job")
        stuck = Stuck("job", job.process, job.element, f"{job.type}: {error}")
        self._park(session, step, {"command": "retry_job", "job": str(job_id)}, f"job:{job_id}", stuck)
        self._tell(session, step)
        return step

    # Incidents and repair. What an operator commands is refused when it fails; it leaves no incident of its own.

    def retry(self, session: Session, incident_id: UUID, *, now: datetime, by: str) -> Step:
        """Repeat the command that left an incident. Raises NotFound, WrongState when it is settled or void."""
        instance, incident = repeating.locked(self, session, incident_id)
        return repeating.repeat(self, session, instance, incident, now=now, by=by)

    def skip_failed(
        self,
        session: Session,
        incident_id: UUID,
        *,
        variables: Mapping[str, Any] = {},
        reason: str,
        now: datetime,
        by: str,
    ) -> Step:
        """Repeat the command that left an incident, passing over the element that failed.

        ``variables`` is what the element would have written. Raises NotFound, WrongState, Invalid.
        """
        instance, incident = repeating.locked(self, session, incident_id)
        specs = specifications.load(session, instance.bundle)
        editing.require_known(specs, variables)
        passing = repeating.passing_over(specs, incident, variables, reason)
        return repeating.repeat(self, session, instance, incident, passing=passing, now=now, by=by)

    def void(self, session: Session, incident_id: UUID, *, reason: str, now: datetime, by: str) -> Step:
        """Give up the command that left an incident: it is not wanted any more. Raises NotFound, WrongState."""
        instance, incident = repeating.locked(self, session, incident_id)
        return self._repair(session, instance, "void", repeating.giving_up(incident, reason), now, by)

    def suspend(
        self,
        session: Session,
        instance_id: UUID,
        *,
        reason: str,
        keep_remaining: bool = True,
        now: datetime,
        by: str,
    ) -> Step:
        """Let an instance stand still: nothing but an operator's command moves it, and no timer wakes.

        ``keep_remaining``: what is left of each deadline now is left when it is resumed; else deadlines run on,
        and what has passed meanwhile takes effect on resuming. Raises NotFound, WrongState.
        """
        instance = self._open(session, instance_id)
        if instance.state == Instance.State.SUSPENDED:
            raise self._suspended(instance)

        def apply(run: Run) -> None:
            suspending.suspend(run, reason, keeps_remaining=keep_remaining)

        return self._repair(session, instance, "suspend", apply, now, by)

    def resume(self, session: Session, instance_id: UUID, *, reason: str = "", now: datetime, by: str) -> Step:
        """Let a suspended instance go on. Raises NotFound, WrongState when it does not stand still."""
        instance = self._open(session, instance_id)
        if instance.state != Instance.State.SUSPENDED:
            raise WrongState(
                "案件没有暂停。 Expected a suspended instance, found one that is running.",
                code="instance.not_suspended",
                expected="suspended",
                found=str(instance.state),
            )
        return self._repair(session, instance, "resume", lambda run: suspending.resume(run, reason), now, by)

    def set_data(
        self,
        session: Session,
        instance_id: UUID,
        changes: Mapping[str, Any],
        *,
        token: int | None = None,
        reason: str,
        now: datetime,
        by: str,
    ) -> Step:
        """Correct process data (FEEL values), as seen from a token or in the started process.

        Raises NotFound, WrongState, Invalid with a fault for each name: unknown, fixed, or of another kind.
        """
        instance = self._open(session, instance_id)

        def apply(run: Run) -> None:
            editing.set_data(run, token, changes, reason)

        return self._repair(session, instance, "set_data", apply, now, by)

    def move(
        self,
        session: Session,
        instance_id: UUID,
        *,
        tokens: Collection[int],
        to: moving.To,
        variables: Mapping[str, Any] = {},
        reason: str,
        now: datetime,
        by: str,
    ) -> Step:
        """Take tokens away where they wait and start the element ``to``, a (process, element), instead.

        Raises NotFound, Invalid, and WrongState with the finding when the case could not finish from there.
        """
        instance = self._open(session, instance_id)

        def apply(run: Run) -> None:
            editing.require_known(run.specifications, variables)
            planned = moving.plan(run.top, run.specifications, tokens, to)
            moving.require_sound(run.top, run.specifications, planned, self.services)
            moving.move(run, planned, variables, reason)

        return self._repair(session, instance, "move", apply, now, by)

    def skip(
        self,
        session: Session,
        instance_id: UUID,
        *,
        token: int,
        variables: Mapping[str, Any] = {},
        reason: str,
        now: datetime,
        by: str,
    ) -> Step:
        """Let a token leave its element without doing it; ``variables`` is what it would have written.

        Raises NotFound, Invalid, WrongState.
        """
        instance = self._open(session, instance_id)

        def apply(run: Run) -> None:
            editing.require_known(run.specifications, variables)
            moving.skip(run, token, variables, reason)

        return self._repair(session, instance, "skip", apply, now, by)

    def _open(self, session: Session, instance_id: UUID) -> Instance:
        instance = self.lock(session, instance_id)
        self._require_open(instance)
        return instance

    def _repair(
        self, session: Session, instance: Instance, command: str, apply: Apply, now: datetime, by: str
    ) -> Step:
        target = f"{command}:{instance.id}"
        return self._command(session, instance, {"command": command}, target, apply, now, by, parks=False)

    # Questions.

    def data(self, session: Session, instance_id: UUID) -> dict[str, Any]:
        """The process data of an instance, FEEL values. Raises NotFound."""
        blob = session.scalar(select(Instance.blob).where(Instance.id == instance_id))
        if blob is None:
            raise NotFound("There is no such instance.", code="instance.not_found")
        return state.root_data(blob)

    def seen_by(self, session: Session, task_id: UUID) -> dict[str, Any]:
        """Everything that a task sees: its inputs, its multi-instance item, and the data around it."""
        task = session.get(Task, task_id)
        if task is None:
            raise NotFound("There is no such task.", code="task.not_found")
        return self.seen_from(session, task.instance_id, task.token)

    def places(self, session: Session, instance_id: UUID) -> list[moving.Place]:
        """The tokens of an instance, as an operator moves them. Raises NotFound."""
        top, _, _ = self._standing(session, instance_id)
        return moving.places(top) if top is not None else []

    def targets(self, session: Session, instance_id: UUID, tokens: Collection[int]) -> list[moving.Target]:
        """Where tokens could be moved, each with what the token game says. Raises NotFound, Invalid, WrongState."""
        top, specs, instance = self._standing(session, instance_id)
        self._require_open(instance)
        if top is None:
            return []
        return moving.targets(top, specs, tokens, self.services)

    def _standing(
        self, session: Session, instance_id: UUID
    ) -> tuple[Outer | None, specifications.Specifications, Instance]:
        instance = session.get(Instance, instance_id)
        if instance is None:
            raise NotFound("There is no such instance.", code="instance.not_found")
        specs = specifications.load(session, instance.bundle)
        if not instance.is_open or not instance.blob:
            return None, specs, instance
        return state.load(instance.blob, specs, None)[0], specs, instance

    def seen_from(self, session: Session, instance_id: UUID, token: int | None) -> dict[str, Any]:
        """Everything that a token sees, FEEL values; of the started process when there is no such token."""
        instance = session.get(Instance, instance_id)
        if instance is None:
            raise NotFound("There is no such instance.", code="instance.not_found")
        if not instance.blob:
            return {}
        top, scopes = state.load(instance.blob, specifications.load(session, instance.bundle), None)
        try:
            return scopes.visible(top.get_task_from_id(token)) if token is not None else dict(scopes.root)
        except KeyError:
            return dict(scopes.root)

    def position(self, session: Session, instance: Instance) -> list[tuple[str, str]]:
        """Where an instance waits, as a step says it."""
        if not instance.is_open or not instance.blob:
            return []
        specs = specifications.load(session, instance.bundle)
        top, _ = state.load(instance.blob, specs, None)
        waiting = [t for w in top.workflows() for t in w.unfinished() if t.node.waits(t)]
        return [(t.node.element.process, t.node.element.id) for t in sorted(waiting, key=lambda t: t.id)]

    # One step.

    def lock(self, session: Session, instance_id: UUID) -> Instance:
        """Lock the instance's row and read it afresh. Everything else of a step is read after this."""
        row = self._locked(session, _LOCKED, {"instance": instance_id})
        if row is None:
            raise NotFound("There is no such instance.", code="instance.not_found")
        instance: Instance = row[0]
        return instance

    def lock_task(self, session: Session, task_id: UUID) -> tuple[Instance, Task]:
        """Lock a task's instance and read both afresh; once in a transaction, for who checks before completing."""
        held: dict[UUID, tuple[Instance, Task]] = of_transaction(session, "engine.held")
        if task_id not in held:
            row = self._locked(session, _OF_TASK, {"task": task_id})
            if row is None:
                raise NotFound("There is no such task.", code="task.not_found")
            held[task_id] = (row[0], row[1])
        return held[task_id]

    def _locked(self, session: Session, statement: Executable, values: dict[str, UUID]) -> Any:
        try:
            return session.execute(statement, values, execution_options={"populate_existing": True}).one_or_none()
        except OperationalError as error:
            if not _is_contention(error):
                raise
            raise Conflict("The case is being worked on; try again.", code="instance.locked") from error

    def _suspended(self, instance: Instance) -> WrongState:
        return WrongState(
            "案件处理已暂停，恢复后才能继续。 Expected a running instance, found one that is suspended.",
            code="instance.suspended",
            expected="running",
            found=str(instance.state),
        )

    def _require_running(self, instance: Instance) -> None:
        self._require_open(instance)
        if instance.state == Instance.State.SUSPENDED:
            raise self._suspended(instance)

    def _require_open(self, instance: Instance) -> None:
        if not instance.is_open:
            raise WrongState(
                f"Expected a running instance, found one that is {instance.state}.",
                code=f"instance.already_{instance.state}",
                expected="running",
                found=str(instance.state),
            )

    def _job(self, session: Session, job_id: UUID) -> tuple[Instance, Job]:
        instance_id = session.scalar(select(Job.instance_id).where(Job.id == job_id))
        if instance_id is None:
            raise NotFound("There is no such job.", code="job.not_found")
        instance = self.lock(session, instance_id)
        # Activation changes a job without the instance's lock, so its row is locked too, always after the instance.
        one = select(Job).where(Job.id == job_id).with_for_update()
        job = session.scalar(one.execution_options(populate_existing=True))
        assert job is not None
        return instance, job

    def _command(
        self,
        session: Session,
        instance: Instance,
        command: dict[str, Any],
        target: str,
        apply: Apply,
        now: datetime,
        by: str,
        *,
        person_waits: bool = True,
        parks: bool = True,
        spoiled: frozenset[UUID] = frozenset(),
    ) -> Step:
        if instance.state == Instance.State.SUSPENDED and command["command"] not in WHILE_SUSPENDED:
            raise self._suspended(instance)
        step = Step(instance, now, by, command["command"])
        specs = specifications.load(session, instance.bundle)
        try:
            with _contended(instance), session.begin_nested():
                run = Run(self, session, instance, specs, now, by, step, person_waits, spoiled=spoiled)
                if command["command"] != "start":
                    run.load()
                apply(run)
                run.until_quiet()
                run.take_kept(everything=command["command"] == "resume")
                run.rearm_if_asked()
                run.save()
                if instance.incidents:
                    self._settle(session, step, target)
        except Stuck as stuck:
            if run.taken:
                # A message that was kept cannot be received: that is its own incident, and not of this command.
                seen = run.seen_at(stuck.process, stuck.element)
                session.expire_all()
                step = Step(instance, now, by, command["command"])
                message_id = self._park_kept(session, step, run.taken[-1], stuck, seen)
                return self._command(
                    session,
                    instance,
                    command,
                    target,
                    apply,
                    now,
                    by,
                    person_waits=person_waits,
                    parks=parks,
                    spoiled=spoiled | {message_id},
                )
            if not parks:
                raise WrongState(
                    f"没有做成，案件没有变化：{stuck.message}  It failed, and nothing was changed.",
                    code="repair.failed",
                    process=stuck.process,
                    element=stuck.element,
                    kind=stuck.kind,
                ) from stuck
            seen = run.seen_at(stuck.process, stuck.element)
            # What was read from UPDATE … RETURNING inside the savepoint is no longer so.
            session.expire_all()
            step = Step(instance, now, by, command["command"])
            self._park(session, step, command, target, stuck, seen)
        self._tell(session, step)
        return step

    def _tell(self, session: Session, step: Step) -> None:
        for listener in self.listeners:
            listener.step(session, step)

    # Incidents.

    def _park(
        self,
        session: Session,
        step: Step,
        command: dict[str, Any],
        target: str,
        stuck: Stuck,
        seen: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that a command could not be carried out. The savepoint before it has been restored."""
        instance, now, by = step.instance, step.now, step.by
        incident = None
        if instance.incidents:
            incident = session.scalar(
                select(Incident).where(
                    Incident.instance_id == instance.id,
                    Incident.target == target,
                    Incident.state == Incident.State.OPEN,
                )
            )
        if incident is None:
            incident = Incident(
                id=uuid4(),
                instance_id=instance.id,
                key=instance.key,
                target=target,
                state=Incident.State.OPEN,
                attempts=0,
                at=now,
            )
            session.add(incident)
            instance.incidents += 1
        incident.process, incident.element = stuck.process, stuck.element
        incident.kind, incident.message = stuck.kind, stuck.message
        incident.command = orjson.dumps(command).decode()
        incident.seen = None if seen is None else orjson.dumps(seen).decode()
        incident.attempts += 1
        incident.last_at = now
        if command["command"] == "fire":
            timer = session.get_one(Timer, UUID(command["timer"]))
            timer.state, timer.wake_at, timer.owner = Timer.State.PARKED, None, None
        elif command["command"] in ("complete_job", "throw_job", "retry_job"):
            # Offered again it would be done again, only to meet the same fault.
            job = session.get_one(Job, UUID(command["job"]))
            job.state, job.worker, job.locked_until = Job.State.FAILED, None, None
        session.flush()
        events.append(
            session,
            instance,
            "incident.opened" if incident.attempts == 1 else "incident.repeated",
            payload={"incident": str(incident.id), "kind": stuck.kind, "command": command["command"]},
            at=now,
            by=by,
            process=stuck.process,
            element=stuck.element,
        )
        step.incidents.append(incident)
        step.position = self.position(session, instance)

    def _park_kept(
        self, session: Session, step: Step, kept: Delivery, stuck: Stuck, seen: Mapping[str, Any]
    ) -> UUID:
        """Leave a kept message that an event could not receive as an incident; answers the message's id."""
        instance = step.instance
        command = _deliver_command(kept.message, kept.key, messages.payload_of(kept))
        kept.state, kept.instance_id = Delivery.State.DELIVERED, instance.id
        kept.payload, kept.ended_at = None, step.now
        self._park(session, step, command, f"message:{kept.message}:{kept.key}", stuck, seen)
        return kept.id

    def _settle(self, session: Session, step: Step, target: str) -> None:
        """A command went through: what stood in its way is resolved, what it made pointless is void."""
        gone = {f"task:{task.id}" for task in step.cancelled} | {f"timer:{timer.id}" for timer in step.dropped}
        gone |= {f"job:{job.id}" for job in step.dropped_jobs}
        ended = not step.instance.is_open
        for incident in session.scalars(
            select(Incident).where(Incident.instance_id == step.instance.id, Incident.state == Incident.State.OPEN)
        ):
            if incident.target == target:
                incident.state = Incident.State.RESOLVED
            elif ended or incident.target in gone:
                incident.state = Incident.State.VOID
            else:
                continue
            incident.resolved_at, incident.resolved_by = step.now, step.by
            step.instance.incidents -= 1
            events.append(
                session,
                step.instance,
                "incident.resolved" if incident.state == Incident.State.RESOLVED else "incident.voided",
                payload={"incident": str(incident.id), "attempts": incident.attempts},
                at=step.now,
                by=step.by,
                process=incident.process,
                element=incident.element,
            )


#: PostgreSQL: lock not available in time, deadlock, serialization failure.
_CONTENTION = {"55P03", "40P01", "40001"}


@contextmanager
def _contended(instance: Instance) -> Iterator[None]:
    """Say in a refusal that somebody else was faster."""
    try:
        yield
    except StaleDataError as error:
        raise Conflict(
            "Somebody else changed the case meanwhile; read it again.",
            code="instance.changed",
            instance=str(instance.id),
        ) from error
    except OperationalError as error:
        if not _is_contention(error):
            raise
        raise Conflict("The case is being worked on; try again.", code="instance.locked") from error


def _is_contention(error: OperationalError) -> bool:
    """Whether somebody else held the rows for too long, rather than that the database is ill."""
    return getattr(error.orig, "sqlstate", None) in _CONTENTION or "database is locked" in str(error.orig)


def _deliver_command(message: str, key: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"command": "deliver", "message": message, "key": key, "payload": values.encode(dict(payload))}


def _signal_command(signal_id: UUID, subscription_id: UUID, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "command": "signal",
        "signal": str(signal_id),
        "subscription": str(subscription_id),
        "payload": values.encode(dict(payload)),
    }


def _is_delivery(signal_id: UUID, subscription_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return SignalDelivery.signal_id == signal_id, SignalDelivery.subscription_id == subscription_id


__all__ = ["Engine", "Refusal", "no_functions"]
