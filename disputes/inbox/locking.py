"""Locking items: each once in a transaction, read afresh when it is locked."""

from collections.abc import Set
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.db import of_transaction
from disputes.cases.models import Case
from disputes.inbox.models import InboxItem

#: Key of the items that a transaction holds, in ``Session.info``.
_HELD = "disputes.inbox.held"
#: Built once. Whoever locks an item wants its case next: the same statement brings it.
_LOCKED = (
    select(InboxItem, Case)
    .join(Case, Case.id == InboxItem.case_id)
    .where(InboxItem.task_id.in_(bindparam("tasks", expanding=True)))
    .order_by(InboxItem.task_id)
    .with_for_update(of=InboxItem)
    .execution_options(populate_existing=True)
)


def locked(session: Session, ids: Set[UUID]) -> list[InboxItem]:
    """The items of these tasks, locked until the transaction ends, in the order in which everybody locks them."""
    held: dict[UUID, InboxItem] = of_transaction(session, _HELD)
    wanted = ids - held.keys()
    if wanted:
        fresh = session.execute(_LOCKED, {"tasks": list(wanted)})
        held |= {item.task_id: item for item, _ in fresh}
    return [held[task_id] for task_id in sorted(ids & held.keys())]
