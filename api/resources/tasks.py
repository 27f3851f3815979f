"""Tasks: whose turn it is, taking one, giving it back, drafting and answering."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from api.edge import caller, clock, current_actor, needs, read_session, runtime, write_session
from api.metrics import PARKED
from api.resources.blueprint import Resources
from api.resources.versions import read_version, tagged
from api.schemas.tasks import (
    AnsweredSchema,
    AnswerSchema,
    CountsSchema,
    OneTaskSchema,
    ReassignSchema,
    TaskPage,
    TaskQuery,
    TaskSchema,
)
from core.now import CHINA
from disputes.inbox import operations, queries
from disputes.inbox.models import InboxItem

resources = Resources("tasks", __name__, "What waits for the caller")

#: Attributes of an inbox item that a list shows.
_SHOWN = tuple(field.attribute or name for name, field in TaskSchema().fields.items())


@resources.route("/tasks")
@needs("task.list")
@resources.arguments(TaskQuery, location="query")
@resources.response(200, TaskPage)
def tasks(query: dict[str, Any]) -> dict[str, Any]:
    """The open tasks that the caller may work on, the nearest limit first."""
    after, limit, overdue = query.pop("after", None), query.pop("limit"), query.pop("overdue")
    filters = queries.Filters(**query, overdue_at=clock() if overdue else None)
    session = read_session()
    page = queries.page(session, current_actor(), filters, after=after, limit=limit)
    still = queries.standing_still(session, {item.instance_id for item in page.items})
    lines = [
        {**{name: getattr(item, name) for name in _SHOWN}, "suspended": item.instance_id in still}
        for item in page.items
    ]
    return {"items": lines, "next": page.next}


@resources.route("/tasks/counts")
@needs("task.list")
@resources.response(200, CountsSchema)
def counts() -> queries.Counts:
    """How much waits for the caller, is late, and falls due today."""
    return queries.counts(read_session(), current_actor(), now=clock(), end_of_day=_end_of_day(clock()))


@resources.route("/tasks/<uuid:task_id>")
@needs("task.answer")
@resources.response(200, OneTaskSchema)
def one_task(task_id: UUID) -> dict[str, Any]:
    """One task with its form; the ETag is its version."""
    view = queries.task(read_session(), caller(), task_id, now=clock())
    tagged(view.item.version)
    shown = {name: getattr(view.item, name) for name in TaskSchema().fields if name not in ("id", "form")}
    return {
        **shown,
        "task_id": view.item.task_id,
        "form": {"id": view.form.id, "digest": view.form.digest, "fields_": view.form.inputs},
        "context": view.context,
        "draft": view.draft,
        "claimed_name": view.claimed_name,
        "suspended": view.suspended,
        "may_answer": view.may_answer,
        "may_claim": view.may_claim,
        "may_reassign": view.may_reassign,
    }


@resources.route("/tasks/<uuid:task_id>/claim", methods=("POST",))
@needs("task.claim")
@resources.response(200, TaskSchema)
def claim(task_id: UUID) -> InboxItem:
    """Take a task; refused when somebody else has it, or (with If-Match) when it changed."""
    return _tagged(
        operations.claim(write_session(), task_id, version=read_version(), by=current_actor(), now=clock())
    )


@resources.route("/tasks/<uuid:task_id>/unclaim", methods=("POST",))
@needs("task.unclaim")
@resources.response(200, TaskSchema)
def unclaim(task_id: UUID) -> InboxItem:
    """Give a task back, so that a colleague can take it."""
    return _tagged(operations.unclaim(write_session(), task_id, by=current_actor(), now=clock()))


@resources.route("/tasks/<uuid:task_id>/reassign", methods=("POST",))
@needs("task.reassign")
@resources.arguments(ReassignSchema)
@resources.response(200, TaskSchema)
def reassign(wanted: dict[str, UUID], task_id: UUID) -> InboxItem:
    """Give a task to a named person; a supervisor's or a head's act."""
    session = write_session()
    return _tagged(
        operations.reassign(
            session, task_id, wanted["person_id"], version=read_version(), by=current_actor(), now=clock()
        )
    )


@resources.route("/tasks/<uuid:task_id>/draft", methods=("PUT",))
@needs("task.draft")
@resources.arguments(AnswerSchema)
@resources.response(204)
def save_draft(draft: dict[str, Any], task_id: UUID) -> None:
    """Keep what has been typed so far; it is not checked."""
    session = write_session()
    operations.save_draft(session, task_id, draft["form_digest"], draft["answer"], by=current_actor(), now=clock())


@resources.route("/tasks/<uuid:task_id>/answer", methods=("POST",))
@needs("task.answer")
@resources.arguments(AnswerSchema)
@resources.response(200, AnsweredSchema)
@resources.alt_response(202, schema=AnsweredSchema, description="Kept, but the procedure met a fault.")
def answer(given: dict[str, Any], task_id: UUID) -> Any:
    """Answer a task: every field is checked, the answer kept, and the procedure runs on.

    202 instead of 200: the answer is kept, but the procedure met a fault and stands until staff put it right.
    """
    session = write_session()
    kept = operations.answer(
        session, runtime(), task_id, given["form_digest"], given["answer"], by=caller(), now=clock()
    )
    parked = PARKED in session.info
    body = {"task_id": task_id, "case_id": kept.case_id, "at": kept.at, "parked": parked}
    return body, 202 if parked else 200


def _tagged(item: InboxItem) -> InboxItem:
    tagged(item.version)
    return item


def _end_of_day(now: datetime) -> datetime:
    today = now.astimezone(CHINA).date()
    return datetime.combine(today + timedelta(days=1), time(), CHINA)
