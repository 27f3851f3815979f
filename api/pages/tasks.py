"""One task: its form, the facts beside, and the draft that is kept while somebody types."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from api import audited
from api.edge import caller, clock, current_actor, needs, read_session, runtime, settings, write_session
from api.languages import language
from api.pages.blueprint import pages
from api.pages.casefile import is_party_only, offer_of, particulars, parties_of, tiles
from api.pages.running import clock_of_item
from api.pages.shown import Choice, Notice, Reassign, TaskPage
from api.pages.words import _
from core.now import CHINA
from core.refusals import Conflict, Invalid
from disputes.cases import operations as case_operations
from disputes.cases import queries as cases
from disputes.cases.evidence import LARGEST_FILE
from disputes.cases.queries import CaseView
from disputes.identity import queries as people
from disputes.identity.roles import Role
from disputes.inbox import operations, queries
from disputes.inbox.models import ItemState
from disputes.inbox.queries import TaskView
from disputes.timelimits import queries as limits
from forms.words import Language

#: Fields of the page itself, beside those of the form.
OWN_FIELDS = ("csrf_token", "idempotency_key")


@pages.get("/tasks/<uuid:task_id>")
@needs("task.read")
def task(task_id: UUID) -> str:
    """The task as this reader may see it."""
    session = read_session()
    found = queries.task(session, caller(), task_id, now=clock())
    return _page(session, found, dict(found.draft))


@pages.post("/tasks/<uuid:task_id>")
@needs("task.answer")
def answer_task(task_id: UUID) -> str | Response | tuple[str, int]:
    """Answer the task; what does not fit comes back with its reasons and with what was typed."""
    session, who, now = write_session(), caller(), clock()
    found = queries.task(session, who, task_id, now=now)
    reading = found.form.read(_pairs())
    values = reading.values
    _take_files(session, found, values)
    if reading.rearranged:
        return _page(session, found, values)
    try:
        operations.answer(session, runtime(), task_id, request.form.get("_digest", ""), values, by=who, now=now)
    except Invalid as refusal:
        return _page(session, found, values, errors=refusal.fields), 422
    except Conflict as refusal:
        if refusal.code != "form.changed":
            raise
        found = queries.task(session, who, task_id, now=now)
        return _page(session, found, values, changed=True), 409
    flash(_("“%(what)s”办好了。", what=found.item.title), "ok")
    return redirect(_after(session, found), 303)


@pages.post("/tasks/<uuid:task_id>/again")
@needs("task.read")
def task_again(task_id: UUID) -> str:
    """The fields as they stand with what is typed now; nothing is kept."""
    session = read_session()
    found = queries.task(session, caller(), task_id, now=clock())
    return str(_fields(session, found, found.form.read(_pairs()).values, {}))


@pages.post("/tasks/<uuid:task_id>/draft")
@needs("task.draft")
def task_draft(task_id: UUID) -> FlaskResponse:
    """Keep what is typed now."""
    session, who = write_session(), current_actor()
    found = queries.task(session, who, task_id, now=clock())
    values = found.form.read(_pairs()).values
    operations.save_draft(session, task_id, found.form.digest, values, by=who, now=clock())
    return jsonify(saved_at=clock().astimezone(CHINA).strftime("%H:%M"))


@pages.post("/tasks/<uuid:task_id>/upload")
@needs("evidence.add")
def task_upload(task_id: UUID) -> tuple[FlaskResponse, int]:
    """Lay one file before the case of the task."""
    session, who = write_session(), caller()
    found = queries.task(session, who, task_id, now=clock())
    sent = request.files.get("file")
    if sent is None:
        raise BadRequest("没有收到文件。 No file was sent.")
    kept = case_operations.add_evidence(
        session,
        found.case,
        name=sent.filename or "",
        content=sent.read(LARGEST_FILE + 1),
        files=settings().files,
        by=who,
        now=clock(),
    )
    return jsonify(id=str(kept.id), note=_("已传好")), 201


def _page(
    session: Session,
    found: TaskView,
    values: Mapping[str, Any],
    *,
    errors: Mapping[str, list[str]] | None = None,
    changed: bool = False,
) -> str:
    who, now = caller(), clock()
    view = cases.view(session, found.case, who, now=now)
    audited.looked(view, purpose="task")
    item = found.item
    talks = item.element in ("make_offer", "answer_offer")
    found_offer = offer_of(session, view, who, now=now) if talks else None
    page = TaskPage(
        what=item.title,
        title=found.case.title,
        meta=_meta(view),
        case_url=url_for("pages.case", case_id=found.case.id),
        url=url_for("pages.answer_task", task_id=item.task_id),
        facts=view.facts,
        particulars=particulars(view, now),
        parties=parties_of(view),
        offer=replace(found_offer, task_url="") if found_offer else None,
        evidence=tiles(view, now),
        clock=clock_of_item(item, now=now, calendar=limits.calendar(session)),
        may_answer=found.may_answer,
        why_not=_why_not(found),
        fields=_fields(session, found, values, errors or {}),
        summary=found.form.summary(errors or {}, language=_language()),
        digest=found.form.digest,
        submit=_("提交"),
        draft_url=url_for("pages.task_draft", task_id=item.task_id) if who.signed_in and found.may_answer else "",
        saved_at="",
        notice=_notice(found, changed=changed),
        unclaim_url=_unclaim_url(found),
        reassign=_reassign(session, found),
    )
    return render_template("task.html", page=page)


def _fields(session: Session, found: TaskView, values: Mapping[str, Any], errors: Mapping[str, list[str]]) -> Any:
    item, who = found.item, caller()
    view = cases.view(session, found.case, who, now=clock())
    known = {str(f.id): {"name": f.name, "note": "", "url": ""} for f in view.evidence}
    return found.form.render(
        values,
        found.context,
        errors=errors,
        language=_language(),
        recheck_url=url_for("pages.task_again", task_id=item.task_id),
        upload_url=url_for("pages.task_upload", task_id=item.task_id),
        files=known,
        title=item.title,
    )


def _notice(found: TaskView, *, changed: bool) -> Notice | None:
    item = found.item
    if changed:
        return Notice("warn", _("表单刚刚有了新版本，您填的都在，请看一遍再提交。"))
    if item.state != ItemState.OPEN:
        return None
    if found.suspended:
        return Notice("warn", _("案件处理暂停，恢复以后才能提交。填过的草稿还在。"))
    if found.claimed_name and item.claimed_by != caller().person_id:
        return Notice("note", _("%(name)s已经认领，正在办。", name=found.claimed_name))
    if found.may_claim:
        url = url_for("pages.claim", task_id=item.task_id)
        return Notice("note", _("还没有人认领。认领以后别人不会重复办；不认领也可以直接提交。"), url)
    return None


def _why_not(found: TaskView) -> str:
    if found.item.state == ItemState.DONE:
        return _("这件已经办好了。")
    if found.item.state == ItemState.DROPPED:
        return _("这一步已经不需要办了，可能是期限过了，或者投诉撤回了。")
    if found.suspended:
        return _("案件处理暂停，恢复以后才能提交。您现在不用做什么。")
    return _("这件现在由别人办，您可以看，不能提交。")


def _unclaim_url(found: TaskView) -> str:
    item = found.item
    mine = item.claimed_by is not None and item.claimed_by == caller().person_id
    return url_for("pages.unclaim", task_id=item.task_id) if mine and item.state == ItemState.OPEN else ""


def _reassign(session: Session, found: TaskView) -> Reassign | None:
    item = found.item
    if not found.may_reassign:
        return None
    places = (item.organisation_id,) if item.organisation_id else ()
    holders = people.holders(session, item.role, *places)
    choices = [Choice(str(person.id), person.name) for person in holders if person.id != item.claimed_by]
    if not choices:
        return None
    return Reassign(url_for("pages.reassign", task_id=item.task_id), item.version, choices)


def _take_files(session: Session, found: TaskView, values: dict[str, Any]) -> None:
    """Files that came with the form itself, from browsers that run no scripts."""
    for key, sent in request.files.items(multi=True):
        if sent.filename and key in found.form.fields:
            kept = case_operations.add_evidence(
                session,
                found.case,
                name=sent.filename,
                content=sent.read(LARGEST_FILE + 1),
                files=settings().files,
                by=caller(),
                now=clock(),
            )
            values[key] = [*(values.get(key) or []), str(kept.id)]


def _after(session: Session, found: TaskView) -> str:
    """Where to go on: a party to the case, somebody at a desk to what is next."""
    if found.item.role in (Role.COMPLAINANT, Role.RESPONDENT):
        return url_for("pages.case", case_id=found.case.id)
    return url_for("pages.inbox")


def _meta(view: CaseView) -> list[str]:
    if is_party_only(view):
        return [_("案号 %(no)s", no=view.case.case_no)]
    return [view.case.case_no, view.case.respondent_name]


def _pairs() -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.form.items(multi=True) if name not in OWN_FIELDS]


def _language() -> Language:
    return "en" if language() == "en" else "zh"
