"""Whose tasks wait: pages by key, counts, one task with its form, and the answers that services read."""

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_, union_all
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from core.refusals import Invalid
from disputes.cases.access import no_such_case, relation
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.identity.models import Person
from disputes.identity.permissions import may
from disputes.identity.roles import Role
from disputes.inbox.forms import context_of, form_of
from disputes.inbox.models import Answer, Draft, InboxItem, ItemState
from disputes.inbox.operations import no_such_task
from disputes.inbox.rules import may_work
from engine import Instance
from forms import Form

#: Most items of one page.
LARGEST_PAGE = 200


@dataclass(frozen=True)
class Filters:
    """What to show of one's tasks; an empty filter shows all that are open."""

    role: str | None = None
    #: An organisation: its items alone.
    office_id: UUID | None = None
    stage: str | None = None
    due_before: datetime | None = None
    #: Only what is past its limit at this moment.
    overdue_at: datetime | None = None
    #: Part of a case number or of a title.
    text: str = ""
    claimed: Literal["mine", "free", "others"] | None = None
    case_id: UUID | None = None


@dataclass(frozen=True)
class Page:
    """Items in the order of their limits, the nearest first, and the key of the next page."""

    items: Sequence[InboxItem]
    next: str | None


@dataclass(frozen=True)
class Counts:
    """How much waits for somebody."""

    open: int
    mine: int
    overdue: int
    today: int
    by_stage: Mapping[str, int] = field(default_factory=dict)
    by_role: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskView:
    """One task with everything that its page shows."""

    item: InboxItem
    case: Case
    form: Form
    context: Mapping[str, Any]
    #: What this person typed and did not send; empty when the form has changed since.
    draft: Mapping[str, Any]
    claimed_name: str | None
    #: The case stands still: nobody can answer before it goes on.
    suspended: bool
    may_answer: bool
    may_claim: bool
    may_reassign: bool


def page(
    session: Session,
    actor: Actor,
    filters: Filters | None = None,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """The open tasks that the actor may work on. Raises Invalid for a key that is none."""
    limit = max(1, min(limit, LARGEST_PAGE))
    branches = _branches(actor)
    if not branches:
        return Page([], None)
    wanted = [InboxItem.state == ItemState.OPEN, *_conditions(filters or Filters(), actor)]
    if after is not None:
        wanted.append(tuple_(InboxItem.sort_at, InboxItem.task_id) > tuple_(*_key(after)))
    # One short ordered scan of an index for each way in which a task can be somebody's, merged.
    scans = [
        select(InboxItem.task_id, InboxItem.sort_at)
        .where(branch, *wanted)
        .order_by(InboxItem.sort_at, InboxItem.task_id)
        .limit(limit + 1)
        .subquery()
        for branch in branches
    ]
    merged = union_all(*(select(scan) for scan in scans)).subquery()
    ids = (
        select(merged.c.task_id, merged.c.sort_at)
        .distinct()
        .order_by(merged.c.sort_at, merged.c.task_id)
        .limit(limit + 1)
        .subquery()
    )
    query = select(InboxItem).join(ids, ids.c.task_id == InboxItem.task_id)
    found = list(session.scalars(query.order_by(InboxItem.sort_at, InboxItem.task_id)))
    return Page(found[:limit], _cursor(found[limit - 1]) if len(found) > limit else None)


def counts(session: Session, actor: Actor, *, now: datetime, end_of_day: datetime) -> Counts:
    """How much waits for the actor, is claimed by the actor, is late, and falls due before ``end_of_day``."""
    branches = _branches(actor)
    if not branches:
        return Counts(0, 0, 0, 0)
    mine = func.sum(_one(InboxItem.claimed_by == actor.person_id)) if actor.person_id else func.sum(0)
    rows = session.execute(
        select(
            InboxItem.stage,
            InboxItem.role,
            func.count(),
            mine,
            func.sum(_one(InboxItem.sort_at <= now)),
            func.sum(_one(and_(InboxItem.sort_at > now, InboxItem.sort_at <= end_of_day))),
        )
        .where(InboxItem.state == ItemState.OPEN, or_(*branches))
        .group_by(InboxItem.stage, InboxItem.role)
    ).all()
    by_stage: dict[str, int] = {}
    by_role: dict[str, int] = {}
    for stage, role, number, *_ in rows:
        by_stage[stage] = by_stage.get(stage, 0) + number
        by_role[role] = by_role.get(role, 0) + number
    totals = [sum(int(row[column] or 0) for row in rows) for column in (2, 3, 4, 5)]
    return Counts(totals[0], totals[1], totals[2], totals[3], by_stage, by_role)


def task(session: Session, actor: Actor, task_id: UUID, *, now: datetime) -> TaskView:
    """One task as the actor sees it. Raises NotFound for a task that is none of theirs."""
    item = session.get(InboxItem, task_id)
    if item is None:
        raise no_such_task(task_id)
    case = session.get_one(Case, item.case_id)
    known = relation(session, case)
    works = may_work(session, case, item, actor, "task.answer")
    supervises = may(actor, "task.reassign", organisation_id=item.organisation_id, office_id=known["office_id"])
    if not works and not supervises:
        raise no_such_task(task_id)
    form = form_of(session, item)
    free = item.claimed_by is None or item.claimed_by == actor.person_id
    is_open = item.state == ItemState.OPEN
    holder = session.get(Person, item.claimed_by) if item.claimed_by else None
    is_party = item.role in (Role.COMPLAINANT, Role.RESPONDENT)
    suspended = item.instance_id in standing_still(session, (item.instance_id,))
    return TaskView(
        item=item,
        case=case,
        form=form,
        context=context_of(session, case, item, now=now),
        draft=_draft(session, task_id, actor, form),
        claimed_name=holder.name if holder else None,
        suspended=suspended,
        may_answer=works and free and is_open and not suspended,
        may_claim=works and is_open and item.claimed_by is None and not is_party,
        may_reassign=supervises and is_open and not is_party,
    )


def of_case(session: Session, case: Case, actor: Actor) -> list[InboxItem]:
    """The open tasks of a case that the actor may work on. Raises NotFound for a case that is none of theirs."""
    known = relation(session, case)
    if not may(actor, "case.read", **known):
        raise no_such_case(case.case_no)
    items = session.scalars(
        select(InboxItem)
        .where(InboxItem.case_id == case.id, InboxItem.state == ItemState.OPEN)
        .order_by(InboxItem.sort_at, InboxItem.task_id)
    )
    return [item for item in items if may_work(session, case, item, actor, "task.answer")]


def standing_still(session: Session, instances: Collection[UUID]) -> frozenset[UUID]:
    """Which of these instances are suspended: their tasks cannot be answered before they are resumed."""
    if not instances:
        return frozenset()
    query = select(Instance.id).where(Instance.id.in_(instances), Instance.state == Instance.State.SUSPENDED)
    return frozenset(session.scalars(query))


@dataclass(frozen=True)
class Given:
    """An answer that was given, unsealed: what a service reads."""

    content: Mapping[str, Any]
    by_person: UUID | None
    by_name: str
    at: datetime
    element: str
    party: str | None
    form_digest: str

    @property
    def by(self) -> str:
        """As events and papers name the person."""
        return f"person:{self.by_person}" if self.by_person else "guest"


def last_answer(session: Session, case_id: UUID, *elements: str, party: str | None = None) -> Given | None:
    """The newest answer given to one of these tasks of a case."""
    query = select(Answer).where(Answer.case_id == case_id, Answer.element.in_(elements))
    if party is not None:
        query = query.where(Answer.party == party)
    found = session.scalars(query.order_by(Answer.at.desc(), Answer.id).limit(1)).one_or_none()
    return _given(found) if found else None


def answers(session: Session, case_id: UUID, element: str) -> list[Given]:
    """All answers given to a task of a case, oldest first."""
    query = select(Answer).where(Answer.case_id == case_id, Answer.element == element)
    return [_given(found) for found in session.scalars(query.order_by(Answer.at, Answer.id))]


def _given(found: Answer) -> Given:
    return Given(
        json.loads(found.content),
        found.by_person,
        found.by_name,
        found.at,
        found.element,
        found.party,
        found.form_digest,
    )


def _branches(actor: Actor) -> list[ColumnElement[bool]]:
    """The ways in which a task can be the actor's, each served by an index of its own."""
    nobody = InboxItem.person_id.is_(None)
    ways = [
        and_(InboxItem.role == str(role), InboxItem.organisation_id == place, nobody)
        for role, place in sorted(actor.roles)
    ]
    ways += [
        and_(InboxItem.role == str(role), InboxItem.organisation_id.is_(None), nobody)
        for role in sorted({role for role, _ in actor.roles})
    ]
    if actor.person_id is not None:
        ways.append(InboxItem.person_id == actor.person_id)
    if actor.guest_case is not None:
        ways.append(and_(InboxItem.case_id == UUID(actor.guest_case), InboxItem.role == actor.guest_side))
    return ways


def _conditions(filters: Filters, actor: Actor) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.role:
        wanted.append(InboxItem.role == filters.role)
    if filters.office_id:
        wanted.append(InboxItem.organisation_id == filters.office_id)
    if filters.stage:
        wanted.append(InboxItem.stage == filters.stage)
    if filters.due_before:
        wanted.append(InboxItem.sort_at < filters.due_before)
    if filters.overdue_at:
        wanted.append(InboxItem.sort_at <= filters.overdue_at)
    if filters.case_id:
        wanted.append(InboxItem.case_id == filters.case_id)
    if filters.text.strip():
        text = filters.text.strip()
        wanted.append(
            or_(
                InboxItem.case_no.contains(text, autoescape=True),
                InboxItem.case_title.contains(text, autoescape=True),
                InboxItem.title.contains(text, autoescape=True),
            )
        )
    match filters.claimed:
        case "mine":
            wanted.append(InboxItem.claimed_by == actor.person_id)
        case "free":
            wanted.append(InboxItem.claimed_by.is_(None))
        case "others":
            wanted.append(InboxItem.claimed_by.is_not(None) & (InboxItem.claimed_by != actor.person_id))
    return wanted


def _one(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return sql_case((condition, 1), else_=0)


def _draft(session: Session, task_id: UUID, actor: Actor, form: Form) -> Mapping[str, Any]:
    if actor.person_id is None:
        return {}
    draft = session.get(Draft, (task_id, actor.person_id))
    if draft is None or draft.form_digest != form.digest:
        return {}
    content: Mapping[str, Any] = json.loads(draft.content)
    return content


def _cursor(item: InboxItem) -> str:
    return base64.urlsafe_b64encode(f"{item.sort_at.isoformat()}|{item.task_id}".encode()).decode().rstrip("=")


def _key(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, task_id = text.partition("|")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError(moment)
        return at, UUID(task_id)
    except ValueError as error:
        raise Invalid(
            "这一页的页码无效。 The key of the page is not one that we gave.",
            code="page.key",
            fields={"after": ["无效。 Not a key of ours."]},
        ) from error
