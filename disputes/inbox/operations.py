"""Taking a task, giving it back, drafting and answering. One of two people who do the same thing wins."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import Conflict, Forbidden, NotFound, WrongState
from disputes.audit.operations import record
from disputes.cases.access import relation
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.identity.models import Membership, Person
from disputes.identity.permissions import may
from disputes.identity.roles import Role
from disputes.inbox.forms import context_of, form_of
from disputes.inbox.locking import locked
from disputes.inbox.models import Answer, Draft, InboxItem, ItemState
from disputes.inbox.reactions import react
from disputes.inbox.rules import may_work
from engine import Engine

#: Longest draft that is kept, in characters of JSON.
LONGEST_DRAFT = 100_000
#: Roles whose tasks are never claimed: there is nobody else who could do them.
_PARTIES = (Role.COMPLAINANT, Role.RESPONDENT)


def claim(session: Session, task_id: UUID, *, version: int | None = None, by: Actor, now: datetime) -> InboxItem:
    """Take a task. Raises Conflict when somebody else has it, or when it changed since ``version`` was read."""
    item = _locked(session, task_id)
    _require(session, item, by, "task.claim")
    _require_open(item)
    if item.claimed_by == by.person_id:
        return item
    _require_free(session, item, by)
    _require_version(item, version)
    item.claimed_by, item.claimed_at = by.person_id, now
    session.flush()
    return item


def unclaim(session: Session, task_id: UUID, *, by: Actor, now: datetime) -> InboxItem:
    """Give a task back, so that a colleague can take it."""
    item = _locked(session, task_id)
    _require(session, item, by, "task.unclaim")
    _require_open(item)
    if item.claimed_by is not None and item.claimed_by != by.person_id:
        raise Forbidden(
            "这件任务由别人签收，只有本人可以退回。 Somebody else has taken this task; only they can give it back.",
            code="task.claimed_by_another",
        )
    item.claimed_by = item.claimed_at = None
    session.flush()
    return item


def reassign(
    session: Session,
    task_id: UUID,
    to: UUID,
    *,
    version: int | None = None,
    by: Actor,
    now: datetime,
) -> InboxItem:
    """Give a task to a named person who holds its role in its organisation. A supervisor's or a head's act."""
    item = _locked(session, task_id)
    _require_known(session, item, by)
    known = relation(session, _case(session, item))
    if item.role in _PARTIES or not may(
        by, "task.reassign", organisation_id=item.organisation_id, office_id=known["office_id"]
    ):
        raise Forbidden(
            "这件任务不能由您改派。 You may not give this task to another person.", code="task.not_reassignable"
        )
    _require_open(item)
    _require_version(item, version)
    if not _holds(session, to, item):
        raise Forbidden(
            "被指派的人在承办单位没有相应的岗位。 That person does not hold the task's role in its organisation.",
            code="task.role_missing",
            role=item.role,
        )
    if item.person_id is not None:
        item.person_id = to
    item.claimed_by, item.claimed_at = to, now
    session.flush()
    facts = {"task": str(task_id), "to": str(to)}
    record(session, chain=f"case:{item.case_id}", action="task.reassigned", facts=facts, by=by, now=now)
    return item


def save_draft(
    session: Session, task_id: UUID, form_digest: str, content: Mapping[str, Any], *, by: Actor, now: datetime
) -> None:
    """Keep what has been typed so far. It is not checked; the answer will be."""
    item = _item(session, task_id)
    _require(session, item, by, "task.draft")
    _require_open(item)
    if by.person_id is None:
        raise Forbidden(
            "登录后才能保存草稿。 Drafts are kept for people who have signed in.", code="draft.needs_account"
        )
    text = json.dumps(dict(content), ensure_ascii=False, default=str)
    if len(text) > LONGEST_DRAFT:
        raise Conflict(
            "草稿太长，没有保存。 The draft is too long to be kept.", code="draft.too_long", most=LONGEST_DRAFT
        )
    draft = session.get(Draft, (task_id, by.person_id)) or Draft(task_id=task_id, person_id=by.person_id)
    draft.form_digest, draft.content, draft.saved_at = form_digest, text, now
    session.add(draft)
    session.flush()


def answer(
    session: Session,
    engine: Engine,
    task_id: UUID,
    form_digest: str,
    answer: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime,
) -> Answer:
    """Answer a task: check the person, the form and every field; keep the answer sealed; run the diagram on.

    ``form_digest`` is the digest of the form that the person was shown. Raises Conflict when the form is another
    one by now, WrongState when the task is no longer open, Invalid with a message per field.
    """
    # The instance first, as every step does: a deadline that fires now waits, or has already won.
    try:
        instance, _ = engine.lock_task(session, task_id)
    except NotFound:
        raise no_such_task(task_id) from None
    item = _locked(session, task_id)
    _require(session, item, by, "task.answer")
    _require_open(item)
    _require_free(session, item, by)
    form = form_of(session, item)
    if form.digest != form_digest:
        raise Conflict(
            "表单在您打开之后有了新版本，请核对后再提交。 The form has changed since you opened it.",
            code="form.changed",
            form=item.form,
        )
    case = _case(session, item)
    context = context_of(session, case, item, now=now)
    content = form.load(answer, context, language="en" if by.language == "en" else "zh")
    kept = _answer(session, item, tried=instance.incidents > 0)
    kept.form_digest = form_digest
    kept.content = json.dumps(content, ensure_ascii=False)
    kept.by_person, kept.by_name, kept.at = by.person_id, by.name, now
    session.add(kept)
    session.flush()
    react(session, case, item, now)
    engine.complete(session, task_id, content, now=now, by=str(by))
    session.flush()
    return kept


def _answer(session: Session, item: InboxItem, *, tried: bool) -> Answer:
    """The answer to a task: a new one, or the one whose step failed before and that this try replaces."""
    kept = session.scalar(select(Answer).where(Answer.task_id == item.task_id)) if tried else None
    return kept or Answer(
        task_id=item.task_id, case_id=item.case_id, element=item.element, party=item.party, form=item.form
    )


def _item(session: Session, task_id: UUID) -> InboxItem:
    item = session.get(InboxItem, task_id)
    if item is None:
        raise no_such_task(task_id)
    return item


def _locked(session: Session, task_id: UUID) -> InboxItem:
    found = locked(session, {task_id})
    if not found:
        raise no_such_task(task_id)
    return found[0]


def _case(session: Session, item: InboxItem) -> Case:
    return session.get_one(Case, item.case_id)


def _require(session: Session, item: InboxItem, by: Actor, permission: str) -> None:
    case = _case(session, item)
    if may_work(session, case, item, by, permission):
        return
    if not may(by, "case.read", **relation(session, case)):
        raise no_such_task(item.task_id)
    raise Forbidden("这件任务不由您办理。 This task is not yours to do.", code="task.not_yours", role=item.role)


def _require_known(session: Session, item: InboxItem, by: Actor) -> None:
    if not may(by, "case.read", **relation(session, _case(session, item))):
        raise no_such_task(item.task_id)


def _require_open(item: InboxItem) -> None:
    if item.state != ItemState.OPEN:
        raise WrongState(
            "这件任务已经结束。 Expected an open task; this one has ended.",
            code=f"task.{'already_completed' if item.state == ItemState.DONE else 'dropped'}",
            state=item.state,
        )


def _require_free(session: Session, item: InboxItem, by: Actor) -> None:
    if item.claimed_by is None or item.claimed_by == by.person_id:
        return
    holder = session.get(Person, item.claimed_by)
    raise Conflict(
        f"这件任务已由{holder.name if holder else '同事'}签收。 A colleague has already taken this task.",
        code="task.claimed_by_another",
    )


def _require_version(item: InboxItem, version: int | None) -> None:
    if version is not None and item.version != version:
        raise Conflict(
            "这件任务在您查看之后有了变化，请刷新。 The task has changed since you read it.",
            code="task.changed",
            expected=version,
            found=item.version,
        )


def _holds(session: Session, person_id: UUID, item: InboxItem) -> bool:
    query = (
        select(Membership.id)
        .join(Person)
        .where(Membership.person_id == person_id, Membership.role == item.role, Person.active)
    )
    if item.organisation_id is not None:
        query = query.where(Membership.organisation_id == item.organisation_id)
    return session.scalar(query.limit(1)) is not None


def no_such_task(task_id: UUID) -> NotFound:
    """The refusal that tells nobody whether a task exists."""
    return NotFound(
        "没有这件任务，或者它不归您办理。 There is no such task, or it is not yours.",
        code="task.not_found",
        task=str(task_id),
    )
