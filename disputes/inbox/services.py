"""What the diagrams of every stage call to remind people."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from disputes.cases.services import case_for
from disputes.cases.telling import tell
from disputes.cases.words import names_of
from disputes.inbox.forms import due_words
from disputes.inbox.models import InboxItem, ItemState
from engine import ServiceCall, Services

services = Services()


@services.add("notices.remind")
def remind(call: ServiceCall) -> Mapping[str, Any]:
    """Remind the roles in ``recipients`` of what waits in the case: the task with the nearest limit, and its limit.

    Where nothing waits for anybody, the name of the element that calls says why people are told.
    """
    case = case_for(call)
    recipients = [str(role) for role in call.inputs.get("recipients") or []]
    item = call.session.scalars(
        select(InboxItem)
        .where(InboxItem.case_id == case.id, InboxItem.state == ItemState.OPEN)
        .order_by(InboxItem.role.in_(recipients).desc(), InboxItem.sort_at, InboxItem.task_id)
        .limit(1)
    ).one_or_none()
    names = names_of(call.session, call.instance.id)
    zh, en = names.of(call.process, call.element)
    if item is not None:
        zh, en = names.of(item.process, item.element)
    subject = str(call.inputs.get("subject") or "")
    due = due_words(item.due_at) if item is not None else None
    tell(
        call.session,
        case,
        recipients,
        "deadline.remind",
        what=subject or zh,
        what_en=subject or en,
        limit=f"最迟 {due}。" if due else "",
        limit_en=f"Due: {due}." if due else "",
        now=call.now,
    )
    return {"sent_at": call.now}
