"""Work that elements give away: to people, to services, to external workers, to decision tables."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

import feel
import feel.dmn
from core.refusals import Refusal
from engine import moments, values
from engine.incidents import Stuck
from engine.listening import Listening
from engine.models import Job, Task
from engine.steps import BpmnError, Decided, ServiceCall
from engine.tokens import Token

#: Failures of the database are the transaction's, not the diagram's.
NOT_STUCK = (OperationalError, StaleDataError)


class Work(Listening):
    """Opens tasks and jobs, calls services, asks tables. A service may throw an error, so it knows who catches."""

    def open_task(self, token: Token) -> None:
        element = token.node.element
        due_at, note = self.due_of(token, element.due) if element.due else (None, None)
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
            form=self.text_of(token, element.form),
            role=self.names_of(token, element.groups),
            assignee=self.text_of(token, element.assignee) or None,
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
            payload={"task": str(task.id), "role": task.role, "due_at": moments.iso(due_at), "item": item},
        )

    def due_of(self, token: Token, text: str) -> tuple[datetime | None, dict[str, Any] | None]:
        note: dict[str, Any] = {}
        value = self.evaluate(token, text, note=note)
        if value is None:
            return None, note or None
        return self.as_moment(token.node.element, value), note or None

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
        entry = self.log("service.called", element, payload={"type": element.task_type})
        try:
            result = service(call)
        except BpmnError as error:
            entry["payload"]["error"] = error.code
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
        returned = self.taken_from(element, result or {})
        if returned:
            entry["payload"]["returned"] = returned
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
            job.state, job.ended_at, job.worker, job.locked_until = Job.State.CANCELLED, self.now, None, None
            self.step.dropped_jobs.append(job)

    def decide(self, token: Token) -> None:
        """Ask a decision table; the result variable enters the data unless the ioMapping picks from it."""
        element = token.node.element
        seen = self.scopes.visible(token)
        functions = _Lazily(lambda: self.functions_for(element, seen, None))
        try:
            result = self.specifications.decisions.evaluate(element.decision, seen, functions)
        except (feel.FeelError, feel.dmn.DmnError, LookupError) as error:
            raise Stuck("decision", element.process, element.id, f"{element.decision}: {error}") from error
        self.require_kept(element, element.result_variable or element.decision, result.value)
        matched = [str(rule) for rule in result.matched]
        self.step.decisions.append(
            Decided(element.process, element.id, element.decision, result.value, matched, list(result.trace))
        )
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
            self.require_kept(token.node.element, variable, value)
            self.scopes.assign(token, variable, value)


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
