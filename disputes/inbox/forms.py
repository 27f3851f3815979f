"""The form of an item, compiled from the release on which its case runs, and what the form may read."""

import json
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from core.now import CHINA
from core.refusals import NotFound
from disputes.cases.models import Case
from disputes.inbox.contexts import provided
from disputes.inbox.models import InboxItem, ItemState
from engine import Engine, Instance, bundles, values
from forms import Form, compile_form

_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
#: Reads what a task sees; it runs nothing, so it needs no services.
_READER = Engine(services={})


def form_of(session: Session, item: InboxItem) -> Form:
    """The form exactly as the item's case was started with it. Raises NotFound."""
    instance = session.get(Instance, item.instance_id)
    if instance is None:
        raise NotFound("There is no such instance.", code="instance.not_found")
    return form_in(session, instance.bundle, item.form)


def form_in(session: Session, bundle: str, form_id: str) -> Form:
    """A form of a release, with its English words. Raises NotFound."""
    files = bundles.load(session, bundle).files
    content = files.get(f"forms/{form_id}.form")
    if content is None:
        raise NotFound(f"The release {bundle[:12]}… has no form {form_id!r}.", code="form.not_found", form=form_id)
    return compile_form(content, texts=_texts(files.get(f"forms/{form_id}.en.json", b"{}")))


def context_of(session: Session, case: Case, item: InboxItem, *, now: datetime) -> dict[str, Any]:
    """What the conditions and texts of the item's form may read: the process data that the task sees, the facts
    of the case that everybody who answers may know, and what the form's own capability adds.
    """
    return {
        **_seen(session, item),
        **_facts(case),
        "today": now.astimezone(CHINA).date().isoformat(),
        "now": now.astimezone(CHINA).isoformat(timespec="seconds"),
        "party": item.party,
        "due_on": due_words(item.due_at),
        "decide_by": due_words(item.due_at),
        **provided(session, case, item, now),
    }


def due_words(due_at: datetime | None) -> str | None:
    """By when, as people write it: the last day, or the minute where a limit ends inside a day."""
    if due_at is None:
        return None
    moment = due_at.astimezone(CHINA)
    if moment.time() == time():
        last = moment - timedelta(days=1)
        return f"{last.year}年{last.month}月{last.day}日 {_WEEKDAYS[last.weekday()]}"
    return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"


def _seen(session: Session, item: InboxItem) -> Mapping[str, Any]:
    """The data that the open task sees, as plain JSON; nothing once it has ended."""
    if item.state != ItemState.OPEN:
        return {}
    seen: Mapping[str, Any] = values.plain(_READER.seen_by(session, item.task_id))
    return seen


def _facts(case: Case) -> Mapping[str, Any]:
    return {
        "case_no": case.case_no,
        "case_title": case.title,
        "respondent_name": case.respondent_name,
        "requests": case.requests,
        "disputed_fen": case.disputed_fen,
        "filed_at": case.filed_at.astimezone(CHINA).isoformat(timespec="seconds"),
    }


@lru_cache(maxsize=512)
def _texts(content: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(content)
    return found
