"""What a capability does at once with an answer, before the diagram goes on.

Most answers are read by the service that follows. Where none follows, or where what comes next is already for
somebody whom the answer names, the capability registers a reaction when it is imported.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from disputes.cases.models import Case
from disputes.inbox.models import InboxItem

Reaction = Callable[[Session, Case, InboxItem, datetime], None]

_reactions: dict[str, Reaction] = {}


def reacts_to(*elements: str) -> Callable[[Reaction], Reaction]:
    """Register what happens when one of these tasks is answered. A task has one reaction."""

    def register(reaction: Reaction) -> Reaction:
        for element in elements:
            if _reactions.setdefault(element, reaction) is not reaction:
                raise ValueError(f"Two reactions are registered for the task {element!r}.")
        return reaction

    return register


def react(session: Session, case: Case, item: InboxItem, now: datetime) -> None:
    """Run the reaction to the item's task, if it has one. The answer is already kept."""
    reaction = _reactions.get(item.element)
    if reaction is not None:
        reaction(session, case, item, now)
