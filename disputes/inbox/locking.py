"""Locking items: each once in a transaction, read afresh when it is locked."""

from collections.abc import Set
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import of_transaction
from disputes.inbox.models import InboxItem

#: Key of the items that a transaction holds, in ``Session.info``.
_HELD = "disputes.inbox.held"


def locked(session: Session, ids: Set[UUID]) -> list[InboxItem]:
    """The items of these tasks, locked until the transaction ends, in the order in which everybody locks them."""
    held: dict[UUID, InboxItem] = of_transaction(session, _HELD)
    wanted = ids - held.keys()
    if wanted:
        query = select(InboxItem).where(InboxItem.task_id.in_(wanted)).order_by(InboxItem.task_id)
        fresh = session.scalars(query.with_for_update().execution_options(populate_existing=True))
        held |= {item.task_id: item for item in fresh}
    return [held[task_id] for task_id in sorted(ids & held.keys())]
