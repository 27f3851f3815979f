"""Drafts when the form under them changes: what still fits is kept, and the migration says what does not."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.inbox.forms import form_in
from disputes.inbox.models import Draft, InboxItem
from engine import Change, Step
from forms import Form


def refit_drafts(session: Session, item: InboxItem, step: Step, *, form_before: str) -> None:
    """Move the drafts of an item to the form of the release that its case runs on now."""
    assert step.migrated is not None
    if not item.form or not form_before:
        return
    drafts = list(session.scalars(select(Draft).where(Draft.task_id == item.task_id)))
    if not drafts:
        return
    before = form_in(session, step.migrated.old, form_before)
    form = form_in(session, step.migrated.new, item.form)
    for draft in drafts:
        if draft.form_digest == form.digest:
            continue
        content: Mapping[str, Any] = json.loads(draft.content)
        kept = fitting(before, form, content)
        gone = sorted(content.keys() - kept.keys())
        draft.content, draft.form_digest = json.dumps(kept, ensure_ascii=False), form.digest
        if gone:
            step.migrated.changes.append(
                Change("draft", "task", item.process, item.element, item.title, ", ".join(gone), None)
            )


def fitting(before: Form, after: Form, content: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a draft that another form still asks for, in a field of the same kind that takes the value."""
    return {key: value for key, value in content.items() if _fits(before, after, key, value)}


def _fits(before: Form, after: Form, key: str, value: Any) -> bool:
    if key in after.scope.below:
        return key in before.scope.below
    asked, was = after.scope.asked.get(key), before.scope.asked.get(key)
    if asked is None or was is None or asked.type != was.type:
        return False
    if not asked.options:
        return True
    offered = {option.value for option in asked.options}
    return all(entry in offered for entry in (value if isinstance(value, list) else [value]) if entry)
