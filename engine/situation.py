"""Where a command stands: the locked instance, its tokens, variables and rows, and what has been noted so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.refusals import WrongState
from engine import events
from engine.diagram import Element, Flow
from engine.models import Delivery, Instance, Subscription, Timer
from engine.repeating import Passing
from engine.rows import Rows
from engine.scopes import Scopes
from engine.specifications import Specifications
from engine.steps import Step
from engine.tokens import Outer, Token

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass
class Situation:
    """What everything that a command does has in hand."""

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
    #: Subscriptions to messages that this command opened and that have not looked for a kept message yet.
    _opened: list[Subscription] = field(default_factory=list)
    #: Kept messages that this command took, in order, and those that it must leave where they are.
    taken: list[Delivery] = field(default_factory=list)
    spoiled: frozenset[UUID] = frozenset()
    #: The timer that this command lets happen.
    _firing: Timer | None = None
    #: The last end event of the started process.
    _ended: str | None = None
    _rearm_asked: bool = False
    #: From when durations and cycles count; none: from now.
    _since: datetime | None = None
    #: The instance is suspended: what is armed does not wake before it is resumed.
    held_still: bool = False
    #: The element that this command passes over, once.
    passing: Passing | None = None

    def __post_init__(self) -> None:
        self.rows = Rows(self.session, self.instance.id)

    def log(self, kind: str, element: Element | None = None, *, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Note an event; it is chained and written when the step is saved, and may be added to until then."""
        entry = events.entry(
            kind,
            payload,
            self.now,
            self.by,
            "" if element is None else element.process,
            "" if element is None else element.id,
        )
        self._log.append(entry)
        return entry

    def token(self, number: int) -> Token:
        """The token of a row. Raises WrongState when it is gone."""
        try:
            return self.top.get_task_from_id(number)
        except KeyError:
            raise WrongState("What waited there has ended.", code="token.gone") from None

    def ask_to_rearm(self) -> None:
        """A service stopped or resumed a clock: evaluate moments again when the step has come to rest."""
        self._rearm_asked = True

    def passes(self, token: Token) -> bool:
        """Whether a token that arrives is the one that goes on without its element being carried out."""
        return self.passing is not None and self.passing.takes(token)

    def passes_over(self, token: Token) -> bool:
        """Let that token go on: what its element would have written is written, and it is noted."""
        passing = self.passing
        if passing is None or not passing.takes(token):
            return False
        passing.done = True
        for name, value in passing.variables.items():
            self.scopes.assign(token, name, value)
        self.log(
            "token.skipped",
            token.node.element,
            payload={"variables": sorted(passing.variables), "reason": passing.why},
        )
        return True

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
