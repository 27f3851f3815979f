"""One command on one instance: what it does, how tokens move until it is quiet, and what is saved."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from core.db import hold
from core.refusals import WrongState
from engine import events, expressions, messages, moments, state, suspending, values
from engine.incidents import Stuck
from engine.models import Delivery, Instance, Job, Subscription, Task, Timer
from engine.nodes import Inclusive, Node, SubProcess, User, Working
from engine.scopes import Scopes
from engine.tokens import Inner, Outer
from engine.work import Work

#: Elements that one step may carry out. More than this is a loop that waits for nobody.
MAX_MOVES = 10_000


class Run(Work):
    """A command while it runs. The instance is locked."""

    # The beginning and the end of a command.

    def create(self, process: str, data: Mapping[str, Any]) -> None:
        """Begin a new instance."""
        self.top = Outer(self.specifications.scopes[process], self.specifications.scopes, self)
        self.scopes = Scopes({0: dict(data)})
        self.rows.begin_empty()

    def load(self) -> None:
        """Take up an instance where it stands. One whose start failed stands nowhere."""
        self.held_still = self.instance.state == Instance.State.SUSPENDED
        if self.instance.blob:
            self.top, self.scopes = state.load(self.instance.blob, self.specifications, self)
        else:
            self.create(self.instance.process, {})

    def begin(self, workflow: Outer | Inner) -> None:
        """Put the first token into a process or sub-process."""
        specification = workflow.spec
        if not specification.entry:
            raise Stuck("engine", specification.process, "", f"{specification.name} has no plain start event.")
        token = workflow.task_tree._add_child(specification.node(specification.entry))
        token.node._update(token)

    def until_quiet(self) -> None:
        """Move tokens until nothing can go on by itself."""
        moves = 0
        while True:
            while self.top.ready:
                token = self.top.ready.popleft()
                if not token.unfinished:
                    continue
                moves += 1
                if moves > MAX_MOVES:
                    element = token.node.element
                    raise Stuck(
                        "loop",
                        element.process,
                        element.id,
                        f"After {MAX_MOVES} elements the step had not come to rest: a loop waits for nobody.",
                    )
                token.run()
                if len(token.workflow.tasks) > token.workflow.forget_at:
                    token.workflow.forget_finished()
            if not (self._fire_inclusive() or self._finish_scopes()):
                return

    def save(self) -> None:
        """Write what the command did."""
        instance, step = self.instance, self.step
        if instance.is_open and not self.top.unfinished():
            instance.state = Instance.State.COMPLETED
            instance.ended_at = self.now
            instance.ended_element = step.ended = self._ended
            self.log("instance.completed", payload={"end": self._ended})
        if self.held_still:
            suspending.keep_still(self) if instance.is_open else suspending.close(self)
        step.position = list(self.position())
        step.data = MappingProxyType(self.scopes.root)
        try:
            instance.blob = state.dump(self.top, self.scopes)
        except (TypeError, state.TooMuchData) as error:
            raise Stuck("data", instance.process, "", str(error)) from error
        # One flush, with the head of the chain already moved: the instance is updated once.
        log, self._log = self._log, []
        events.chain(instance, log)
        self.session.flush()
        events.insert_chained(self.session, log)

    def position(self) -> Iterator[tuple[str, str]]:
        """Where it waits, in the order in which the tokens arrived."""
        waiting = [t for w in self.top.workflows() for t in w.unfinished() if t.node.waits(t)]
        for token in sorted(waiting, key=lambda t: t.id):
            yield token.node.element.process, token.node.element.id

    def seen_at(self, process: str, element: str) -> dict[str, Any]:
        """What an element that failed could see, as people read it; of the process where no token is there."""
        here = [
            token
            for workflow in self.top.workflows()
            for token in workflow.tasks.values()
            if isinstance(token.task_spec, Node)
            and (token.node.element.process, token.node.element.id) == (process, element)
        ]
        seen = self.scopes.visible(max(here, key=lambda t: t.id)) if here else self.scopes.root
        return {name: values.shown(value) for name, value in seen.items()}

    # What commands do.

    def answer(self, task: Task, number: int, answer: Mapping[str, Any]) -> None:
        """Complete the open task of a token; it was read when the instance was locked."""
        if task.state != Task.State.OPEN:
            raise WrongState(
                f"Expected an open task, found one that is {task.state}.",
                code=f"task.already_{task.state}",
                expected="open",
                found=str(task.state),
            )
        self.rows.know(task)
        self.rows.end_task(number, Task.State.COMPLETED, self.now, self.by)
        token = self.token(number)
        self.step.completed.append(task)
        self.log("task.completed", token.node.element, payload={"task": str(task.id), "role": task.role})
        assert isinstance(token.node, User)
        token.node.answered(token, answer)

    def fire(self, timer: Timer) -> None:
        """Let a timer happen; its row already says that it has fired."""
        token = self.token(timer.token)
        self._firing = timer
        self.step.fired.append(timer)
        element = self.specifications.process(timer.process).elements[timer.element]
        self.log(
            "timer.fired",
            element,
            payload={"timer": str(timer.id), "due_at": timer.due_at.isoformat(), "host": timer.host},
        )
        token.node.happen(token, timer.element, {})
        self._firing = None

    def receive(self, subscription: Subscription, payload: Mapping[str, Any]) -> None:
        """Let a message arrive at the event that subscribed to it."""
        token = self.token(subscription.token)
        self.step.messages.append(subscription.message)
        element = self.specifications.process(subscription.process).elements[subscription.element]
        entry = self.log("message.received", element, payload={"message": subscription.message})
        carried = self.taken_from(element, payload)
        if carried:
            entry["payload"]["carried"] = carried
        token.node.happen(token, subscription.element, payload)

    def take_kept(self, *, everything: bool = False) -> None:
        """Let messages arrive that were kept for what this command began to wait for, the oldest first.

        ``everything``: for all that the instance waits for, when it is resumed. While it is suspended none arrives.
        """
        waiting, self._opened = self._opened, []
        if self.instance.state == Instance.State.SUSPENDED:
            return
        if everything:
            of_messages = Subscription.Kind.MESSAGE
            waiting = [s for rows in self.rows.subscriptions().values() for s in rows if s.kind == of_messages]
        while waiting := [s for s in waiting if s.id not in self.rows.deleted]:
            kept = self._next_kept(waiting)
            if kept is None:
                return
            self.taken.append(kept)
            payload = messages.payload_of(kept)
            kept.state, kept.instance_id = Delivery.State.DELIVERED, self.instance.id
            kept.payload, kept.ended_at = None, self.now
            # It is nobody's answer that fails when the message cannot be received.
            self.person_waits = False
            here = [s for s in waiting if (s.message, s.key) == (kept.message, kept.key)]
            self.receive(self._innermost(here), payload)
            self.until_quiet()
            waiting += self._opened
            self._opened = []

    def _next_kept(self, waiting: Sequence[Subscription]) -> Delivery | None:
        """The oldest message that is kept for what waits."""
        # What was taken is not written yet; the step writes everything at its end.
        passed = self.spoiled | {message.id for message in self.taken}
        wanted = {(s.message, s.key) for s in waiting}
        with self.session.no_autoflush:
            hold(self.session, [messages.queue(*one) for one in wanted])
            return messages.oldest_kept(self.session, wanted, but=passed, now=self.now)

    def _innermost(self, waiting: Sequence[Subscription]) -> Subscription:
        """Of several events that wait for one message: the innermost takes it, and among equals the latest."""
        return max(waiting, key=lambda row: (self.token(row.token).workflow.depth, row.token))

    def signal(self, subscription_id: UUID, payload: Mapping[str, Any]) -> None:
        """Let a signal of another case arrive at the event that subscribed to it."""
        rows = {row.id: row for found in self.rows.subscriptions().values() for row in found}
        subscription = rows[subscription_id]
        element = self.specifications.process(subscription.process).elements[subscription.element]
        self.signalled(self.token(subscription.token), element, subscription.message, payload)

    def work_done(self, job: Job, result: Mapping[str, Any]) -> None:
        """Let a service task go on whose job an external worker has done."""
        token = self.token(job.token)
        job.state, job.ended_at, job.worker, job.locked_until = Job.State.COMPLETED, self.now, None, None
        self.rows.jobs().pop(job.token, None)
        entry = self.log("job.completed", token.node.element, payload={"job": str(job.id), "type": job.type})
        returned = self.taken_from(token.node.element, result)
        if returned:
            entry["payload"]["returned"] = returned
        assert isinstance(token.node, Working)
        token.node.worked(token, result)

    def work_failed(self, job: Job, code: str, message: str, variables: Mapping[str, Any]) -> None:
        """Leave a service task by its error boundary event, as an external worker asked."""
        token = self.token(job.token)
        job.state, job.ended_at, job.worker, job.locked_until = Job.State.COMPLETED, self.now, None, None
        self.rows.jobs().pop(job.token, None)
        self.log("job.threw", token.node.element, payload={"job": str(job.id), "type": job.type, "code": code})
        self.throw_error(token, code, message, variables)

    def receive_innermost(self, waiting: Sequence[Subscription], payload: Mapping[str, Any]) -> None:
        """Give a message to the innermost of the events that wait for it, among equals the latest."""
        rows = {row.id: row for found in self.rows.subscriptions().values() for row in found}
        here = [rows[row.id] for row in waiting if row.id in rows]
        self.receive(self._innermost(here), payload)

    def cancel(self, reason: str) -> None:
        """End the instance by command."""
        self.log("instance.cancelled", payload={"reason": reason})
        self.end()

    def end(self) -> None:
        """Take everything away that is open."""
        for token in self.top.unfinished():
            token.cancel()
        self.instance.state = Instance.State.CANCELLED
        self.instance.ended_at = self.now

    def rearm_if_asked(self) -> None:
        if self._rearm_asked:
            self.rearm()

    def rearm(self, *, noted_only: bool = False) -> None:
        """Evaluate the moments of armed timers and open tasks again; those that moved are in the step.

        ``noted_only``: of those alone whose expression explained itself by a note.
        """
        for timers in self.rows.timers().values():
            for timer in timers:
                if timer.note or not noted_only:
                    self._rearm_timer(timer)
        for number, task in self.rows.tasks().items():
            token = self.token(number)
            text = token.node.element.due
            if not text or (noted_only and not task.due_note):
                continue
            if suspending.counts_from_arming(self, token, token.node.element, "timeDate", text):
                continue
            due_at, note = self.due_of(token, text)
            if due_at != task.due_at:
                self.log(
                    "task.moved",
                    token.node.element,
                    payload={"task": str(task.id), "from": moments.iso(task.due_at), "to": moments.iso(due_at)},
                )
            if (due_at, note) != (task.due_at, task.due_note):
                task.due_at, task.due_note = due_at, note
                self.step.moved.append(task)

    def _rearm_timer(self, timer: Timer) -> None:
        element = self.specifications.process(timer.process).elements[timer.element]
        trigger = element.trigger
        if trigger is None or trigger.timer != "timeDate" or not expressions.is_expression(trigger.text):
            return
        token = self.token(timer.token)
        if suspending.counts_from_arming(self, token, element, trigger.timer, trigger.text):
            return
        due_at, _, note = self.moment_of(token, element)
        if due_at != timer.due_at:
            self.log(
                "timer.moved",
                element,
                payload={"timer": str(timer.id), "from": timer.due_at.isoformat(), "to": due_at.isoformat()},
            )
        if (due_at, note) != (timer.due_at, timer.note):
            timer.due_at, timer.note = due_at, note
            if timer.state == Timer.State.ARMED:
                timer.wake_at = None if self.held_still else due_at
            self.step.moved.append(timer)

    # Quiescence.

    def _fire_inclusive(self) -> bool:
        """Let one inclusive gateway fire that waits for nothing more."""
        for workflow in self.top.workflows():
            for token in workflow.unfinished():
                node = token.node
                if isinstance(node, Inclusive) and token.is_waiting and node.fire_if_nothing_can_arrive(token):
                    return True
        return False

    def _finish_scopes(self) -> bool:
        """Complete the sub-processes in which nothing is open any more, from inside out."""
        finished = False
        for host_id, inner in reversed(list(self.top.subprocesses.items())):
            if not inner.unfinished():
                host = self.top.get_task_from_id(host_id)
                node = host.node
                assert isinstance(node, SubProcess)
                node.finished(host, inner)
                finished = True
        return finished
