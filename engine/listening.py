"""What tokens wait for besides people: timers, messages, signals, errors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from engine import expressions, moments, signals
from engine.diagram import Element, Kind
from engine.evaluation import Evaluation
from engine.incidents import Stuck
from engine.models import Subscription, Timer
from engine.nodes import EventGateway
from engine.tokens import Token


class Listening(Evaluation):
    """Arms timers and opens subscriptions, drops them, and lets signals and errors arrive."""

    def listen(self, token: Token, element: Element, *, host: str) -> None:
        """Arm the timer or open the subscription of an event."""
        trigger = element.trigger
        if trigger is None:
            return
        if trigger.kind == "timer":
            due_at, cycle, note = self.moment_of(token, element)
            self._arm(token, element, host, due_at, cycle, note)
        elif trigger.kind == "message":
            key = self.feel_of(token, trigger.correlation, None, element=element)
            if key is None:
                raise Stuck(
                    "expression",
                    element.process,
                    element.id,
                    f"The correlation key {expressions.body(trigger.correlation)} is null.",
                )
            self._opened.append(self._subscribe(token, element, Subscription.Kind.MESSAGE, str(key)))
        elif trigger.kind == "signal":
            self._subscribe(token, element, Subscription.Kind.SIGNAL, "")

    def _subscribe(self, token: Token, element: Element, kind: Subscription.Kind, key: str) -> Subscription:
        assert element.trigger is not None
        subscription = Subscription(
            id=uuid4(),
            instance_id=self.instance.id,
            process=element.process,
            element=element.id,
            kind=kind,
            message=element.trigger.name,
            key=key,
            interrupting=element.interrupting,
            opened_at=self.now,
            token=token.id,
        )
        self.rows.add(subscription)
        return subscription

    def moment_of(self, token: Token, element: Element) -> tuple[datetime, str | None, dict[str, Any] | None]:
        trigger = element.trigger
        assert trigger is not None
        note: dict[str, Any] = {}
        value = self.evaluate(token, trigger.text, note=note, element=element)
        try:
            due_at, cycle = moments.due(trigger.timer, value, self._since or self.now)
        except ValueError as error:
            raise Stuck("expression", element.process, element.id, f"{trigger.text}: {error}") from error
        return due_at, cycle, note or None

    @contextmanager
    def counting_from(self, moment: datetime) -> Iterator[None]:
        """Within it durations and cycles count from a moment that has passed, for what should have begun then."""
        self._since = moment
        try:
            yield
        finally:
            self._since = None

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
        kinds = {trigger.kind for element in events_of(token) for trigger in element.triggers}
        alone = self._firing is not None and self._firing.token == token.id and len(events_of(token)) == 1
        if "timer" in kinds and not alone:
            self.step.dropped.extend(self.rows.drop_timers(token.id, self.now))
        if kinds & {"message", "signal"}:
            for subscription in self.rows.subscriptions().pop(token.id, []):
                self.rows.delete(subscription)

    def broadcast(self, token: Token, name: str) -> None:
        """Throw a signal: every event of this instance that waits for it happens, and others are told of it."""
        with self.session.no_autoflush:
            others = signals.throw(self.session, name, {}, instance_id=self.instance.id, now=self.now, by=self.by)
        self.log("signal.thrown", token.node.element, payload={"signal": name, "elsewhere": others})
        for workflow in self.top.workflows():
            for other in workflow.unfinished():
                for element in events_of(other):
                    trigger = element.trigger
                    if (
                        other.unfinished
                        and trigger is not None
                        and (trigger.kind, trigger.name) == ("signal", name)
                    ):
                        self.signalled(other, element, name, {})
                        break

    def signalled(self, token: Token, element: Element, name: str, payload: Mapping[str, Any]) -> None:
        """Let a signal arrive at an event that waits for it."""
        self.step.signals.append(name)
        self.log("signal.received", element, payload={"signal": name})
        token.node.happen(token, element.id, payload)

    def throw_error(self, token: Token, code: str, message: str, variables: Mapping[str, Any] = {}) -> None:
        """Leave by the nearest error boundary event that catches the code."""
        self.log("error.thrown", token.node.element, payload={"code": code})
        event = _catcher(token, "error", code)
        element = token.node.element
        if event is None:
            raise Stuck(
                "error_event", element.process, element.id, f"Nothing catches the error {code!r}: {message}"
            )
        payload = {**variables, "errorCode": code, "errorMessage": message}
        event.node.happen(event, event.node.element.id, payload)

    def escalate(self, token: Token, code: str) -> None:
        """Tell the nearest activity around that catches the escalation; where none does, nothing more happens."""
        event = _catcher(token, "escalation", code)
        caught = "" if event is None else event.node.element.id
        self.log("escalation.thrown", token.node.element, payload={"code": code, "caught": caught})
        if event is not None:
            event.node.happen(event, caught, {"escalationCode": code})


def _catcher(token: Token, kind: str, code: str) -> Token | None:
    """The boundary event that catches an error or escalation: of the innermost activity that has one, and there the
    one for this very code before one for all.
    """
    outer: Token | None = token
    while outer is not None:
        found: dict[str, Token] = {}
        for event in outer.node.listeners(outer):
            trigger = event.node.element.trigger
            if trigger is not None and trigger.kind == kind:
                found.setdefault(trigger.name, event)
        if code in found or "" in found:
            return found.get(code) or found[""]
        outer = outer.body or outer.host_of_workflow
    return None


def events_of(token: Token) -> list[Element]:
    """The events that a token listens for: its own, or those behind an event gateway."""
    node = token.node
    if isinstance(node, EventGateway):
        return [node.spec_of.node(flow.target).element for flow in node.flows]
    return [node.element] if node.element.kind in (Kind.CATCH, Kind.BOUNDARY, Kind.RECEIVE) else []
