"""The engine's commands. Each is one step: lock the instance, apply, run until quiescent, save."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from engine.steps import FunctionContext, FunctionFactory, Listener, Service, Step


def no_functions(context: FunctionContext) -> Mapping[str, Any]:
    """The functions of an engine that was given none."""
    return {}


class Engine:
    """Runs the diagrams of bundles. It keeps no state between two commands; one serves all threads."""

    def __init__(
        self,
        *,
        services: Mapping[str, Service],
        functions: FunctionFactory = no_functions,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.services = services
        self.functions = functions
        self.listeners = list(listeners)

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
        """Start a process of a bundle for a business key."""
        raise NotImplementedError

    def complete(
        self, session: Session, task_id: UUID, answer: Mapping[str, Any], *, now: datetime, by: str
    ) -> Step:
        """Complete an open task with its answer."""
        raise NotImplementedError

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
        """Deliver a message to the case that waits for it."""
        raise NotImplementedError

    def cancel(self, session: Session, instance_id: UUID, *, reason: str, now: datetime, by: str) -> Step:
        """End an instance by command."""
        raise NotImplementedError

    def rearm(self, session: Session, instance_id: UUID, *, now: datetime, by: str) -> Step:
        """Evaluate the moments of armed timers and open tasks again."""
        raise NotImplementedError
