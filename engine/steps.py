"""What a step tells those who stand around it: services are called by it, listeners hear of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from engine.models import Incident, Instance, Job, Task, Timer


@dataclass(frozen=True)
class ServiceCall:
    """What a service is given. Its result is local to the task: the ioMapping's outputs pick from it."""

    session: Session
    #: The engine that calls. A service must not command the instance that is calling it.
    engine: Any
    instance: Instance
    key: str
    process: str
    element: str
    #: The values of the task's ioMapping inputs, FEEL values.
    inputs: dict[str, Any]
    #: Everything the task can see: its inputs and the process data around it. Read only.
    data: Mapping[str, Any]
    #: ``zeebe:taskHeaders``.
    headers: Mapping[str, str]
    now: datetime
    by: str
    #: Asks that, once the step has come to rest, the moments of armed timers and open tasks are evaluated again:
    #: for a service that stops or resumes a clock.
    rearm: Callable[[], None] = lambda: None


Service = Callable[[ServiceCall], Mapping[str, Any] | None]


class Services(Mapping[str, Service]):
    """A registry of services, by the type that a service task names.

    >>> services = Services()
    >>> @services.add("intake.accept")
    ... def accept(call): ...
    """

    def __init__(self, *others: Mapping[str, Service]) -> None:
        self._services: dict[str, Service] = {}
        for other in others:
            for name, service in other.items():
                self.add(name)(service)

    def add(self, name: str) -> Callable[[Service], Service]:
        """Register a function under a type. A type has one service: a second one is an error."""

        def register(service: Service) -> Service:
            if name in self._services:
                raise ValueError(f"Two services are registered for {name!r}.")
            self._services[name] = service
            return service

        return register

    def __getitem__(self, name: str) -> Service:
        return self._services[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._services)

    def __len__(self) -> int:
        return len(self._services)


@dataclass(frozen=True)
class FunctionContext:
    """Where an expression that calls an injected function is evaluated."""

    session: Session
    instance: Instance
    key: str
    now: datetime
    process: str
    element: str
    #: Everything that the expression can see. Read only.
    data: Mapping[str, Any]
    #: Attaches an explanation (JSON) to the timer being armed or the task being opened.
    note: Callable[[dict[str, Any]], None]


#: Called once per evaluation of an expression that calls a function which FEEL itself does not have.
FunctionFactory = Callable[[FunctionContext], Mapping[str, Callable[..., Any]]]


class BpmnError(Exception):
    """A service raises it to leave its task by the error boundary event with this code."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


@dataclass(frozen=True)
class Decided:
    """A decision that a step took: the value, and the rules that matched."""

    process: str
    element: str
    decision: str
    value: Any
    matched: list[str]
    #: Every table that was asked on the way, with the rules that matched in it.
    trace: list[tuple[str, list[str]]] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """One thing that a migration did to what waits."""

    #: ``armed``, ``dropped``, ``due`` (a moment that moved), ``kept`` (a moment that would be another by the new
    #: diagram), ``renamed``, ``form``, ``role``, ``assignee``, ``draft``.
    what: str
    #: ``task``, ``timer`` or ``event`` (a message, a signal, an error).
    kind: str
    process: str
    element: str
    name: str
    #: Moments as ISO text, else ids or names.
    before: str | None
    after: str | None
    #: When the task was opened or the timer armed.
    since: str | None = None


@dataclass
class Migrated:
    """How an instance was carried from one bundle to another; plain data."""

    #: Digests of the two bundles.
    old: str
    new: str
    #: Place before → place after, as (process, element), of what waits under another name now.
    renamed: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    #: Open tasks that were carried over.
    tasks: list[UUID] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    #: Where it waits afterwards, as a step says it.
    position: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Step:
    """Everything that one command did, in one transaction. Handed to listeners before the commit."""

    instance: Instance
    now: datetime
    by: str
    #: ``start``, ``complete``, ``deliver``, ``signal``, ``fire``, ``cancel``, ``rearm``, ``complete_job``,
    #: ``throw_job``, ``fail_job``, ``migrate``, ``suspend``, ``resume``, ``set_data``, ``move``, ``skip`` …; a
    #: repeated command keeps its own name.
    command: str = ""
    opened: list[Task] = field(default_factory=list)
    completed: list[Task] = field(default_factory=list)
    cancelled: list[Task] = field(default_factory=list)
    armed: list[Timer] = field(default_factory=list)
    fired: list[Timer] = field(default_factory=list)
    dropped: list[Timer] = field(default_factory=list)
    #: Timers and open tasks whose moment, or its explanation, ``rearm`` changed.
    moved: list[Timer | Task] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    #: Jobs that were taken away before a worker had done them.
    dropped_jobs: list[Job] = field(default_factory=list)
    #: Types of the services that ran, in order.
    services: list[str] = field(default_factory=list)
    decisions: list[Decided] = field(default_factory=list)
    #: Messages that were received, in order.
    messages: list[str] = field(default_factory=list)
    #: Signals that were received, in order.
    signals: list[str] = field(default_factory=list)
    #: Elements that wait after the step, as (process, element): open tasks (one entry per instance of a
    #: multi-instance), catch events, event gateways, jobs. Not the activities around them.
    position: list[tuple[str, str]] = field(default_factory=list)
    #: Elements that were entered and flows that were taken, in order, as (process, id).
    elements: list[tuple[str, str]] = field(default_factory=list)
    flows: list[tuple[str, str]] = field(default_factory=list)
    #: End events that were reached, in order, as (process, element), those inside sub-processes too.
    ends: list[tuple[str, str]] = field(default_factory=list)
    #: The end event of the started process, once the instance is complete.
    ended: str | None = None
    #: Process data of the started process after the step, FEEL values.
    data: Mapping[str, Any] = field(default_factory=dict)
    #: What a migration carried over.
    migrated: Migrated | None = None
    #: Failures: the command was rolled back and these were recorded instead.
    incidents: list[Incident] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the command was rolled back and left an incident."""
        return bool(self.incidents)


class Listener(Protocol):
    """Hears of every step inside its transaction; what it raises rolls the step back."""

    def step(self, session: Session, step: Step) -> None: ...
