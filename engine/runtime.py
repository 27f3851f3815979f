"""The engine's commands. Each is one step: lock the instance, apply, run until quiescent, save.

A refusal goes back to whoever commanded and rolls everything back. A failure inside the diagram rolls back to the
savepoint before the command and leaves an incident, which the caller commits.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Executable, bindparam, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from core.db import of_transaction
from core.refusals import Conflict, NotFound, Refusal, WrongState
from engine import editing, events, migrating, moving, repeating, specifications, state, suspending, values
from engine.findings import FUNCTIONS
from engine.incidents import Stuck
from engine.models import Delivery, Incident, Instance, Job, Subscription, Task, Timer
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
        """Deliver a message to the case that waits for it; none when nobody waits or it was delivered before.

        Where several events of a case wait for it, the innermost takes it, and among equals the latest.
        """
        waiting = select(Subscription).where(Subscription.message == message, Subscription.key == key)
        instance_id = session.scalar(
            waiting.with_only_columns(Subscription.instance_id).order_by(Subscription.opened_at.desc()).limit(1)
        )
        if instance_id is None:
            return None
        instance = self.lock(session, instance_id)
        if message_id is not None and session.scalar(
            select(Delivery.id).where(
                Delivery.message == message, Delivery.key == key, Delivery.message_id == message_id
            )
        ):
            return None
        here = list(
            session.scalars(
                waiting.where(Subscription.instance_id == instance_id).execution_options(populate_existing=True)
            )
        )
        if not here:
            return None
        if message_id is not None:
            session.add(Delivery(message=message, key=key, message_id=message_id, instance_id=instance_id, at=now))
            session.flush()
        command = {
            "command": "deliver",
            "message": message,
            "key": key,
            "payload": values.encode(dict(payload)),
        }
        target = f"message:{message}:{key}"

        def apply(run: Run) -> None:
            run.receive_innermost(here, payload)

        return self._command(session, instance, command, target, apply, now, by)

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
                run.rearm_if_asked()
                run.save()
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
        self, session: Session, job_id: UUID, result: Mapping[str, Any], *, now: datetime, by: str
    ) -> Step:
        """Take over what an external worker returned. Raises NotFound, WrongState."""
        instance, job = self._job(session, job_id)
        if job.state not in (Job.State.OPEN, Job.State.FAILED):
            raise WrongState(
                f"Expected an open job, found one that is {job.state}.",
                code=f"job.already_{job.state}",
                expected="open",
                found=str(job.state),
            )

        def apply(run: Run) -> None:
            run.work_done(run.rows.jobs()[job.token], result)

        command = {"command": "complete_job", "job": str(job_id), "result": values.encode(dict(result))}
        return self._command(session, instance, command, f"job:{job_id}", apply, now, by)

    def fail_job(
        self,
        session: Session,
        job_id: UUID,
        error: str,
        *,
        retries: int,
        retry_at: datetime | None = None,
        code: str | None = None,
        now: datetime,
        by: str,
    ) -> Step | None:
        """Give a job back: to be tried again, to leave by an error event (``code``), or to stop as an incident."""
        instance, job = self._job(session, job_id)
        if job.state != Job.State.OPEN:
            raise WrongState(
                f"Expected an open job, found one that is {job.state}.",
                code=f"job.already_{job.state}",
                expected="open",
                found=str(job.state),
            )
        if code is not None:

            def apply(run: Run) -> None:
                run.work_failed(run.rows.jobs()[job.token], code, error)

            command = {"command": "throw_job", "job": str(job_id), "code": code, "error": error}
            return self._command(session, instance, command, f"job:{job_id}", apply, now, by)
        job.error, job.retries = error, max(retries, 0)
        job.worker, job.locked_until = None, retry_at
        if job.retries > 0:
            return None
        job.state = Job.State.FAILED
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
        number, instance = task.token, session.get_one(Instance, task.instance_id)
        specs = specifications.load(session, instance.bundle)
        top, scopes = state.load(instance.blob, specs, None)
        try:
            return scopes.visible(top.get_task_from_id(number))
        except KeyError:
            return dict(scopes.root)

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
        job = session.scalar(select(Job).where(Job.id == job_id).execution_options(populate_existing=True))
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
    ) -> Step:
        if instance.state == Instance.State.SUSPENDED and command["command"] not in WHILE_SUSPENDED:
            raise self._suspended(instance)
        step = Step(instance, now, by, command["command"])
        specs = specifications.load(session, instance.bundle)
        try:
            with _contended(instance), session.begin_nested():
                run = Run(self, session, instance, specs, now, by, step, person_waits)
                if command["command"] != "start":
                    run.load()
                apply(run)
                run.until_quiet()
                run.rearm_if_asked()
                run.save()
                if instance.incidents:
                    self._settle(session, step, target)
        except Stuck as stuck:
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

    def _settle(self, session: Session, step: Step, target: str) -> None:
        """A command went through: what stood in its way is resolved, what it made pointless is void."""
        gone = {f"task:{task.id}" for task in step.cancelled} | {f"timer:{timer.id}" for timer in step.dropped}
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


__all__ = ["Engine", "Refusal", "no_functions"]
