"""One command on one instance: what elements ask for while tokens move, and what is saved afterwards."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

import feel
import feel.dmn
from core.now import CHINA
from core.refusals import Refusal, WrongState
from engine import events, expressions, moments, state, values
from engine.diagram import Element, Flow, Kind
from engine.incidents import Stuck
from engine.models import Instance, Job, Subscription, Task, Timer
from engine.nodes import Boundary, EventGateway, Inclusive, SubProcess, User, Working
from engine.rows import Rows
from engine.scopes import Scopes
from engine.specifications import Specifications
from engine.steps import BpmnError, Decided, FunctionContext, ServiceCall, Step
from engine.tokens import Inner, Outer, Token

if TYPE_CHECKING:
    from engine.runtime import Engine

#: Elements that one step may carry out. More than this is a loop that waits for nobody.
MAX_MOVES = 10_000
#: Tokens that may pile up in memory before finished ones are forgotten in the middle of a step.
FORGET_AT = 200

#: Failures of the database are the transaction's, not the diagram's.
NOT_STUCK = (OperationalError, StaleDataError)


@dataclass
class Run:
    """A command while it runs. The instance is locked."""

    engine: "Engine"
    session: Session
    instance: Instance
    specifications: Specifications
    now: datetime
    by: str
    step: Step
    #: Whether a refusal of a service goes back to the person who commanded, rather than to an incident.
    person_waits: bool = True
    top: Outer = field(init=False)
    scopes: Scopes = field(init=False)
    rows: Rows = field(init=False)
    _log: list[dict[str, Any]] = field(default_factory=list)
    _firing: Timer | None = None
    _ended: str | None = None
    _rearm_asked: bool = False

    def __post_init__(self) -> None:
        self.rows = Rows(self.session, self.instance.id)

    # The beginning and the end of a command.

    def create(self, process: str, data: Mapping[str, Any]) -> None:
        """Begin a new instance."""
        self.top = Outer(self.specifications.scopes[process], self.specifications.scopes, self)
        self.scopes = Scopes({0: dict(data)})
        self.rows.begin_empty()

    def load(self) -> None:
        """Take up an instance where it stands."""
        self.top, self.scopes = state.load(self.instance.blob, self.specifications, self)

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
                if len(token.workflow.tasks) > FORGET_AT:
                    token.workflow.forget_finished()
            if not (self._fire_inclusive() or self._finish_scopes()):
                return

    def save(self) -> None:
        """Write what the command did."""
        instance, step = self.instance, self.step
        if instance.state == Instance.State.RUNNING and not self.top.unfinished():
            instance.state = Instance.State.COMPLETED
            instance.ended_at = self.now
            instance.ended_element = step.ended = self._ended
            self.log("instance.completed", payload={"end": self._ended})
        step.position = list(self.position())
        step.data = MappingProxyType(self.scopes.root)
        try:
            instance.blob = state.dump(self.top, self.scopes)
        except TypeError as error:
            raise Stuck("expression", instance.process, "", str(error)) from error
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

    def log(self, kind: str, element: Element | None = None, *, payload: Mapping[str, Any]) -> None:
        """Note an event; it is chained and written when the step is saved."""
        self._log.append(
            events.entry(
                kind,
                payload,
                self.now,
                self.by,
                "" if element is None else element.process,
                "" if element is None else element.id,
            )
        )

    def token(self, number: int) -> Token:
        """The token of a row. Raises WrongState when it is gone."""
        try:
            return self.top.get_task_from_id(number)
        except KeyError:
            raise WrongState("What waited there has ended.", code="token.gone") from None

    # What commands do.

    def answer(self, task_id: UUID, number: int, answer: Mapping[str, Any]) -> None:
        """Complete the open task of a token."""
        task = self.rows.end_task(number, Task.State.COMPLETED, self.now, self.by)
        if task is None or task.id != task_id:
            found = self.session.scalar(select(Task.state).where(Task.id == task_id))
            raise WrongState(
                f"Expected an open task, found one that is {found}.",
                code=f"task.already_{found}",
                expected="open",
                found=str(found),
            )
        token = self.token(number)
        self.step.completed.append(task)
        self.log("task.completed", token.node.element, payload={"task": str(task.id), "role": task.role})
        assert isinstance(token.node, User)
        token.node.answered(token, answer)

    def fire(self, timer: Timer) -> None:
        """Let a timer happen."""
        token = self.token(timer.token)
        self._firing = timer
        timer.state, timer.ended_at, timer.wake_at = Timer.State.FIRED, self.now, None
        self.step.fired.append(timer)
        element = self.specifications.process(timer.process).elements[timer.element]
        self.log(
            "timer.fired",
            element,
            payload={"timer": str(timer.id), "due_at": timer.due_at.isoformat(), "host": timer.host},
        )
        # Written at once: what reads or drops the timers of this instance from here on must not meet it.
        self.session.flush()
        token.node.happen(token, timer.element, {})
        self._firing = None

    def receive(self, subscription: Subscription, payload: Mapping[str, Any]) -> None:
        """Let a message arrive at the event that subscribed to it."""
        token = self.token(subscription.token)
        self.step.messages.append(subscription.message)
        element = self.specifications.process(subscription.process).elements[subscription.element]
        self.log("message.received", element, payload={"message": subscription.message})
        token.node.happen(token, subscription.element, payload)

    def work_done(self, job: Job, result: Mapping[str, Any]) -> None:
        """Let a service task go on whose job an external worker has done."""
        token = self.token(job.token)
        job.state, job.ended_at, job.worker, job.locked_until = Job.State.COMPLETED, self.now, None, None
        self.rows.jobs().pop(job.token, None)
        self.log("job.completed", token.node.element, payload={"job": str(job.id), "type": job.type})
        assert isinstance(token.node, Working)
        token.node.worked(token, result)

    def work_failed(self, job: Job, code: str, message: str) -> None:
        """Leave a service task by its error boundary event, as an external worker asked."""
        token = self.token(job.token)
        job.state, job.ended_at, job.worker, job.locked_until = Job.State.COMPLETED, self.now, None, None
        self.rows.jobs().pop(job.token, None)
        self.throw_error(token, code, message)

    def end(self) -> None:
        """Take everything away that is open."""
        for token in self.top.unfinished():
            token.cancel()
        self.instance.state = Instance.State.CANCELLED
        self.instance.ended_at = self.now

    def ask_to_rearm(self) -> None:
        """A service stopped or resumed a clock: evaluate moments again when the step has come to rest."""
        self._rearm_asked = True

    def rearm_if_asked(self) -> None:
        if self._rearm_asked:
            self.rearm()

    def rearm(self) -> None:
        """Evaluate the moments of armed timers and open tasks again; those that moved are in the step."""
        for timers in self.rows.timers().values():
            for timer in timers:
                self._rearm_timer(timer)
        for number, task in self.rows.tasks().items():
            token = self.token(number)
            text = token.node.element.due
            if not text:
                continue
            due_at, note = self._due_of(token, text)
            if due_at != task.due_at:
                self.log(
                    "task.moved",
                    token.node.element,
                    payload={"task": str(task.id), "from": _iso(task.due_at), "to": _iso(due_at)},
                )
                task.due_at, task.due_note = due_at, note
                self.step.moved.append(task)

    def _rearm_timer(self, timer: Timer) -> None:
        element = self.specifications.process(timer.process).elements[timer.element]
        trigger = element.trigger
        if trigger is None or trigger.timer != "timeDate" or not expressions.is_expression(trigger.text):
            return
        due_at, _, note = self._moment(self.token(timer.token), element)
        if due_at != timer.due_at:
            self.log(
                "timer.moved",
                element,
                payload={"timer": str(timer.id), "from": timer.due_at.isoformat(), "to": due_at.isoformat()},
            )
            timer.due_at, timer.note = due_at, note
            if timer.state == Timer.State.ARMED:
                timer.wake_at = due_at
            self.step.moved.append(timer)

    # What the nodes ask: trace.

    def entered(self, token: Token) -> None:
        element = token.node.element
        if "index" not in token.internal_data:
            self.step.elements.append((element.process, element.id))

    def took(self, process: str, flow: Flow) -> None:
        self.step.flows.append((process, flow.id))

    def reached_end(self, token: Token) -> None:
        element = token.node.element
        self.step.ends.append((element.process, element.id))
        self.log("end.reached", element, payload={})
        if token.workflow is self.top:
            self._ended = element.id

    # What the nodes ask: expressions and variables.

    def evaluate(
        self,
        token: Token,
        text: str,
        context: Mapping[str, Any] | None = None,
        note: dict[str, Any] | None = None,
        element: Element | None = None,
    ) -> Any:
        """The value of a text: of an expression if it begins with ``=``, else the text itself."""
        if not expressions.is_expression(text):
            return text
        return self._feel(token, text, context, note, element)

    def _feel(
        self,
        token: Token,
        text: str,
        context: Mapping[str, Any] | None,
        note: dict[str, Any] | None = None,
        element: Element | None = None,
    ) -> Any:
        element = element or token.node.element
        seen = self.scopes.visible(token) if context is None else context
        try:
            expression = expressions.compiled(text)
            functions: dict[str, Callable[..., Any]] = {}
            if expression.calls:
                functions["now"] = lambda: self.now.astimezone(CHINA)
            if expression.calls & self.engine.function_names:
                functions |= self.engine.functions(self._function_context(element, seen, note))
            return expression.evaluate(seen, functions)
        except feel.FeelError as error:
            raise Stuck("expression", element.process, element.id, f"{expressions.body(text)}: {error}") from error

    def _function_context(
        self, element: Element, seen: Mapping[str, Any], note: dict[str, Any] | None
    ) -> FunctionContext:
        return FunctionContext(
            session=self.session,
            instance=self.instance,
            key=self.instance.key,
            now=self.now,
            process=element.process,
            element=element.id,
            data=seen,
            note=note.update if note is not None else _forget,
        )

    def holds(self, token: Token, condition: str, context: Mapping[str, Any] | None = None) -> bool:
        """Whether a condition is true. Null is not true; anything but a boolean is a mistake."""
        value = self._feel(token, condition, context)
        if value is None or isinstance(value, bool):
            return value is True
        element = token.node.element
        raise Stuck(
            "expression",
            element.process,
            element.id,
            f"{expressions.body(condition)} is {value!r}; a condition is true or false.",
        )

    def no_way(self, token: Token) -> Stuck:
        """No condition of a gateway is true and it has no default."""
        element = token.node.element
        return Stuck(
            "gateway", element.process, element.id, "No condition is true, and the gateway has no default flow."
        )

    def result_of(self, token: Token, text: str, context: Mapping[str, Any]) -> Any:
        """The result of one instance of a multi-instance; a bare name is read as one."""
        return self._feel(token, text, context) if text else None

    def collection(self, token: Token, text: str) -> list[Any]:
        """The items of a multi-instance."""
        value = self.evaluate(token, text)
        if not isinstance(value, list):
            element = token.node.element
            raise Stuck(
                "expression",
                element.process,
                element.id,
                f"{expressions.body(text)} is {value!r}; an input collection is a list.",
            )
        return value

    def take_inputs(self, token: Token) -> None:
        """Evaluate the ioMapping's inputs into the token's own scope."""
        element = token.node.element
        if not element.inputs:
            return
        seen = self.scopes.visible(token)
        local = self.scopes.local(token)
        for source, target in element.inputs:
            seen[target] = local[target] = self.evaluate(token, source, seen)

    def give_outputs(self, token: Token, result: Mapping[str, Any]) -> None:
        """Let what the ioMapping's outputs name enter the data; the rest of the result is forgotten."""
        element = token.node.element
        if not element.outputs or (token.node.name == element.id and element.loop is not None):
            return
        seen = self.scopes.visible(token)
        seen.update(result)
        for source, target in element.outputs:
            value = self.evaluate(token, source, seen)
            seen[target] = value
            self.scopes.assign(token, target, value)

    def keep_payload(self, token: Token, payload: Mapping[str, Any]) -> None:
        token.internal_data["payload"] = payload

    def payload_of(self, token: Token) -> Mapping[str, Any]:
        payload: Mapping[str, Any] = token.internal_data.pop("payload", {})
        return payload

    # What the nodes ask: tasks, services, jobs, decisions.

    def open_task(self, token: Token) -> None:
        element = token.node.element
        due_at, note = self._due_of(token, element.due) if element.due else (None, None)
        body = token.body
        item = None
        if body is not None and element.loop is not None and element.loop.item:
            item = values.plain(self.scopes.local(token).get(element.loop.item))
        task = Task(
            id=uuid4(),
            instance_id=self.instance.id,
            key=self.instance.key,
            process=element.process,
            element=element.id,
            name=element.name,
            form=self._text(token, element.form),
            role=self._names(token, element.groups),
            assignee=self._text(token, element.assignee) or None,
            item=item,
            due_at=due_at,
            due_note=note,
            state=Task.State.OPEN,
            opened_at=self.now,
            token=token.id,
        )
        self.rows.add(task)
        self.step.opened.append(task)
        self.log(
            "task.opened",
            element,
            payload={"task": str(task.id), "role": task.role, "due_at": _iso(due_at), "item": item},
        )

    def _due_of(self, token: Token, text: str) -> tuple[datetime | None, dict[str, Any] | None]:
        note: dict[str, Any] = {}
        value = self.evaluate(token, text, note=note)
        if value is None:
            return None, note or None
        return self._as_moment(token.node.element, value), note or None

    def _as_moment(self, element: Element, value: Any) -> datetime:
        try:
            return moments.moment(value, self.now)
        except ValueError as error:
            raise Stuck("expression", element.process, element.id, str(error)) from error

    def _text(self, token: Token, text: str) -> str:
        value = self.evaluate(token, text)
        return "" if value is None else str(value)

    def _names(self, token: Token, text: str) -> str:
        value = self.evaluate(token, text)
        if isinstance(value, list):
            return ",".join(str(item) for item in value)
        return "" if value is None else ",".join(part.strip() for part in str(value).split(","))

    def cancel_task(self, token: Token) -> None:
        task = self.rows.end_task(token.id, Task.State.CANCELLED, self.now, self.by)
        if task is not None:
            self.step.cancelled.append(task)
            self.log("task.cancelled", token.node.element, payload={"task": str(task.id)})

    def has_service(self, name: str) -> bool:
        return name in self.engine.services

    def call_service(self, token: Token) -> None:
        """Call the service of a task; what it returns is local to the task."""
        element = token.node.element
        service = self.engine.services[element.task_type]
        call = ServiceCall(
            session=self.session,
            engine=self.engine,
            instance=self.instance,
            key=self.instance.key,
            process=element.process,
            element=element.id,
            inputs=dict(self.scopes.held.get(token.id, {})) if element.inputs else {},
            data=MappingProxyType(self.scopes.visible(token)),
            headers=element.headers,
            now=self.now,
            by=self.by,
            rearm=self.ask_to_rearm,
        )
        self.step.services.append(element.task_type)
        self.log("service.called", element, payload={"type": element.task_type})
        try:
            result = service(call)
        except BpmnError as error:
            self.throw_error(token, error.code, str(error))
            return
        except NOT_STUCK:
            raise
        except Refusal as refusal:
            if self.person_waits:
                raise
            raise Stuck("service", element.process, element.id, refusal.message) from refusal
        except Exception as error:
            raise Stuck(
                "service",
                element.process,
                element.id,
                f"{element.task_type}: {type(error).__name__}: {error}",
            ) from error
        self.give_outputs(token, result or {})

    def open_job(self, token: Token) -> None:
        element = token.node.element
        job = Job(
            id=uuid4(),
            instance_id=self.instance.id,
            key=self.instance.key,
            process=element.process,
            element=element.id,
            type=element.task_type,
            headers=dict(element.headers),
            inputs=values.plain(self.scopes.held.get(token.id, {})) if element.inputs else {},
            state=Job.State.OPEN,
            opened_at=self.now,
            token=token.id,
        )
        self.rows.add(job)
        self.step.jobs.append(job)
        self.log("job.opened", element, payload={"job": str(job.id), "type": job.type})

    def cancel_job(self, token: Token) -> None:
        if self.has_service(token.node.element.task_type):
            return
        job = self.rows.jobs().pop(token.id, None)
        if job is not None:
            job.state, job.ended_at = Job.State.CANCELLED, self.now

    def decide(self, token: Token) -> None:
        """Ask a decision table; the result variable enters the data unless the ioMapping picks from it."""
        element = token.node.element
        seen = self.scopes.visible(token)
        functions = _Lazily(lambda: self.engine.functions(self._function_context(element, seen, None)))
        try:
            result = self.specifications.decisions.evaluate(element.decision, seen, functions)
        except (feel.FeelError, feel.dmn.DmnError, LookupError) as error:
            raise Stuck("decision", element.process, element.id, f"{element.decision}: {error}") from error
        matched = [str(rule) for rule in result.matched]
        self.step.decisions.append(Decided(element.process, element.id, element.decision, result.value, matched))
        self.log(
            "decision.taken",
            element,
            payload={"decision": element.decision, "value": values.plain(result.value), "matched": matched},
        )
        self._give(token, element.result_variable, result.value)

    def compute(self, token: Token) -> None:
        """Evaluate a script task's expression."""
        element = token.node.element
        self._give(token, element.result_variable, self.evaluate(token, element.script))

    def _give(self, token: Token, variable: str, value: Any) -> None:
        if token.node.element.outputs:
            self.give_outputs(token, {variable: value})
        elif variable:
            self.scopes.assign(token, variable, value)

    # What the nodes ask: timers, messages, signals, errors.

    def listen(self, token: Token, element: Element, *, host: str) -> None:
        """Arm the timer or open the subscription of an event."""
        trigger = element.trigger
        if trigger is None:
            return
        if trigger.kind == "timer":
            due_at, cycle, note = self._moment(token, element)
            self._arm(token, element, host, due_at, cycle, note)
        elif trigger.kind == "message":
            key = self._feel(token, trigger.correlation, None, element=element)
            if key is None:
                raise Stuck(
                    "expression",
                    element.process,
                    element.id,
                    f"The correlation key {expressions.body(trigger.correlation)} is null.",
                )
            subscription = Subscription(
                id=uuid4(),
                instance_id=self.instance.id,
                process=element.process,
                element=element.id,
                message=trigger.name,
                key=str(key),
                interrupting=element.interrupting,
                opened_at=self.now,
                token=token.id,
            )
            self.rows.add(subscription)

    def _moment(self, token: Token, element: Element) -> tuple[datetime, str | None, dict[str, Any] | None]:
        trigger = element.trigger
        assert trigger is not None
        note: dict[str, Any] = {}
        value = self.evaluate(token, trigger.text, note=note, element=element)
        try:
            due_at, cycle = moments.due(trigger.timer, value, self.now)
        except ValueError as error:
            raise Stuck("expression", element.process, element.id, f"{trigger.text}: {error}") from error
        return due_at, cycle, note or None

    def _arm(
        self,
        token: Token,
        element: Element,
        host: str,
        due_at: datetime,
        cycle: str | None,
        note: dict[str, Any] | None,
    ) -> None:
        timer = Timer(
            id=uuid4(),
            instance_id=self.instance.id,
            process=element.process,
            element=element.id,
            host=host,
            due_at=due_at,
            note=note,
            interrupting=element.interrupting,
            cycle=cycle,
            state=Timer.State.ARMED,
            armed_at=self.now,
            token=token.id,
            wake_at=due_at,
            attempt=0,
        )
        self.rows.add(timer)
        self.step.armed.append(timer)
        self.log(
            "timer.armed",
            element,
            payload={"timer": str(timer.id), "due_at": due_at.isoformat(), "host": host, "note": note},
        )

    def goes_on_listening(self, token: Token) -> bool:
        """After a boundary event that does not interrupt: whether it may happen again."""
        fired = self._firing
        if fired is None:
            return True
        following = moments.next_in_cycle(fired.cycle, fired.due_at, self.now) if fired.cycle else None
        if following is None:
            return False
        due_at, cycle = following
        self._arm(token, token.node.element, fired.host, due_at, cycle, fired.note)
        return True

    def stop_listening(self, token: Token) -> None:
        """Drop the timers and subscriptions of a token."""
        kinds = {trigger.kind for element in _events_of(token) for trigger in element.triggers}
        alone = self._firing is not None and self._firing.token == token.id and len(_events_of(token)) == 1
        if "timer" in kinds and not alone:
            self.step.dropped.extend(self.rows.drop_timers(token.id, self.now))
        if "message" in kinds:
            for subscription in self.rows.subscriptions().pop(token.id, []):
                self.rows.delete(subscription)

    def broadcast(self, token: Token, name: str) -> None:
        """Throw a signal: every event of this instance that waits for it happens."""
        for workflow in self.top.workflows():
            for other in workflow.unfinished():
                for element in _events_of(other):
                    trigger = element.trigger
                    if (
                        other.unfinished
                        and trigger is not None
                        and (trigger.kind, trigger.name) == ("signal", name)
                    ):
                        other.node.happen(other, element.id, {})
                        break

    def throw_error(self, token: Token, code: str, message: str) -> None:
        """Leave by the nearest error boundary event that catches the code."""
        self.log("error.thrown", token.node.element, payload={"code": code})
        outer: Token | None = token
        while outer is not None:
            for event in outer.node.listeners(outer):
                trigger = event.node.element.trigger
                if trigger is not None and trigger.kind == "error" and trigger.name in ("", code):
                    assert isinstance(event.node, Boundary)
                    event.node.happen(event, event.node.element.id, {"errorCode": code, "errorMessage": message})
                    return
            outer = outer.body or outer.host_of_workflow
        element = token.node.element
        raise Stuck("error_event", element.process, element.id, f"Nothing catches the error {code!r}: {message}")

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


class _Lazily(Mapping[str, Any]):
    """Functions that are made when the first of them is called."""

    def __init__(self, make: Any) -> None:
        self._make = make
        self._made: Mapping[str, Any] | None = None

    def _all(self) -> Mapping[str, Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _events_of(token: Token) -> list[Element]:
    """The events that a token listens for: its own, or those behind an event gateway."""
    node = token.node
    if isinstance(node, EventGateway):
        return [node.spec_of.node(flow.target).element for flow in node.flows]
    return [node.element] if node.element.kind in (Kind.CATCH, Kind.BOUNDARY, Kind.RECEIVE) else []


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _forget(_: dict[str, Any]) -> None:
    """A note that nothing keeps: no timer is being armed and no task opened."""
