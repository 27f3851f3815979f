"""My cases, one case, and what is laid before it."""

from datetime import datetime
from io import BytesIO
from uuid import UUID

from flask import flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from api import audited
from api.edge import caller, clock, current_actor, needs, read_session, settings, write_session
from api.languages import language
from api.pages.blueprint import pages
from api.pages.casefile import case_page, is_party_only
from api.pages.caseline import exit_words, who_words
from api.pages.running import clock_of_item
from api.pages.shell import in_language, is_desk
from api.pages.shown import Group, Row
from api.pages.words import _, plural
from core.refusals import Invalid, Refusal
from disputes.cases import operations, queries
from disputes.cases.evidence import LARGEST_FILE
from disputes.cases.models import Case
from disputes.cases.rules import status_name
from disputes.documents import queries as papers
from disputes.identity.actor import Actor
from disputes.identity.roles import Role
from disputes.inbox import queries as inbox
from disputes.inbox.models import InboxItem
from disputes.timelimits import queries as limits
from disputes.timelimits.calendar import Calendar
from forms.fields import yuan

#: Cases on one page of the list.
PER_PAGE = 30


@pages.get("/cases")
@needs("case.list")
def cases() -> str:
    """Every case that concerns the reader: those that need them first."""
    session, who, now = read_session(), current_actor(), clock()
    found = queries.page(session, who, after=request.args.get("after"), limit=PER_PAGE)
    calendar = limits.calendar(session)
    tasks = _tasks(session, who, found.items)
    yours: list[Row] = []
    waiting: list[Row] = []
    closed: list[Row] = []
    for case in found.items:
        row = _row(session, case, tasks.get(case.id), who, now=now, calendar=calendar)
        (closed if case.closed_at and not case.turn else yours if case.id in tasks else waiting).append(row)
    groups = [
        Group(title, rows)
        for title, rows in ((_("要您办"), yours), (_("等对方"), waiting), (_("已办结"), closed))
        if rows
    ]
    merchant, staff = who.has(Role.RESPONDENT), who.is_staff
    return render_template(
        "cases.html",
        headline=_headline(yours, waiting, merchant=merchant, staff=staff),
        subtitle=who.name,
        several=len(yours) > 1,
        first=None if staff or not yours else _first(yours[0]),
        groups=groups,
        waiting=bool(yours) or not groups,
        waiting_text=_("对方答复、要您签字或要补材料时，会出现在这里。"),
        empty_title=_("还没有纠纷") if merchant else _("还没有案件"),
        empty_text=_("有消费者想和您和解时，会出现在这里，并写明到哪天答复。")
        if merchant
        else _("您登记的投诉会出现在这里，写明办到哪里、轮到谁、到哪天。"),
        may_file=not merchant and not staff,
        more=url_for("pages.cases", after=found.next) if found.next else "",
    )


@pages.get("/cases/<uuid:case_id>")
@needs("case.read")
def case(case_id: UUID) -> str:
    """One case as this reader may see it."""
    session, who = read_session(), caller()
    found = queries.find(session, case_id, who)
    page = case_page(session, found, who, now=clock())
    if is_desk():
        return render_template("case_desk.html", page=page, wide=True)
    return render_template("case.html", page=page)


@pages.post("/cases/<uuid:case_id>/evidence")
@needs("evidence.add")
def add_evidence(case_id: UUID) -> Response:
    """Lay files before the case; each that cannot be taken says why."""
    session, who = write_session(), caller()
    found = queries.find(session, case_id, who)
    taken = 0
    for sent in request.files.getlist("file"):
        if not sent.filename:
            continue
        try:
            operations.add_evidence(
                session,
                found,
                name=sent.filename,
                content=sent.read(LARGEST_FILE + 1),
                files=settings().files,
                by=who,
                now=clock(),
            )
            taken += 1
        except Invalid as refusal:
            flash(_("%(name)s：%(why)s", name=sent.filename, why=in_language(refusal.message)), "warn")
    if taken:
        flash(plural("收到%(num)s个文件。", "收到%(num)s个文件。", taken), "ok")
    return redirect(url_for("pages.case", case_id=case_id, _anchor="evidence"), 303)


@pages.post("/cases/<uuid:case_id>/notes")
@needs("note.write")
def add_note(case_id: UUID) -> Response:
    """Write a note that the parties do not see."""
    session, who = write_session(), current_actor()
    found = queries.find(session, case_id, who)
    try:
        operations.add_note(session, found, text=request.form.get("text", ""), by=who, now=clock())
    except Invalid as refusal:
        flash(in_language(refusal.message), "warn")
    return redirect(url_for("pages.case", case_id=case_id, _anchor="notes"), 303)


@pages.get("/evidence/<uuid:evidence_id>")
@needs("evidence.read")
def evidence(evidence_id: UUID) -> Response:
    """A file as it was laid down; never shown inside a page of ours, so that it cannot act there."""
    file, content = operations.read_evidence(read_session(), evidence_id, files=settings().files, by=caller())
    audited.opened(file)
    return send_file(BytesIO(content), mimetype=file.mime, as_attachment=True, download_name=file.name, max_age=0)


@pages.get("/papers/<uuid:paper_id>")
@needs("paper.read")
def paper(paper_id: UUID) -> Response:
    """An issued paper, as everybody received it."""
    session, who = read_session(), caller()
    found = papers.find(session, paper_id)
    case_of_it = queries.find(session, found.case_key, who)
    view = queries.view(session, case_of_it, who, now=clock())
    if is_party_only(view) and found.addressee is not None and found.addressee not in view.roles:
        raise _no_paper()
    return send_file(
        BytesIO(found.pdf),
        mimetype="application/pdf",
        as_attachment=False,
        download_name=f"{found.title}-{found.number}.pdf",
        max_age=0,
    )


def _no_paper() -> Refusal:
    from core.refusals import NotFound

    return NotFound("没有这份文书，或者不是给您的。 There is no such paper for you.", code="paper.not_found")


def _tasks(session: Session, who: Actor, found: list[Case] | object) -> dict[UUID, InboxItem]:
    """The nearest open task of this reader in each case."""
    page = inbox.page(session, who, limit=inbox.LARGEST_PAGE)
    first: dict[UUID, InboxItem] = {}
    for item in page.items:
        first.setdefault(item.case_id, item)
    return first


def _row(
    session: Session, case: Case, item: InboxItem | None, who: Actor, *, now: datetime, calendar: Calendar
) -> Row:
    """A case in a list: what is next, who owes it, and by when."""
    merchant = case.merchant_id in who.organisations(Role.RESPONDENT)
    roles = {Role.RESPONDENT.value} if merchant else {Role.COMPLAINANT.value} if not who.is_staff else set()
    limit = clock_of_item(item, now=now, calendar=calendar) if item else None
    closed = case.closed_at is not None and not case.turn
    if closed:
        step, state, word = exit_words(case.exit), "done", _("已办结")
    elif item is not None:
        step = item.title
        state, word = (limit.state, limit.row_word) if limit else ("none", _("没有期限"))
    else:
        step = status_name(case.status, language())
        state, word = "none", _("等%(who)s", who=who_words(case.turn, roles, ""))
    return Row(
        url=url_for("pages.task", task_id=item.task_id) if item and not who.is_staff else _case_url(case),
        what=case.title,
        who=_who(case, merchant=merchant),
        step=step,
        state=state,
        word=word,
        when=limit.when if limit else "",
        sum=yuan(case.disputed_fen) if case.disputed_fen else "",
        mine=item is not None,
    )


def _who(case: Case, *, merchant: bool) -> str:
    sum_words = _("，%(sum)s", sum=yuan(case.disputed_fen)) if case.disputed_fen else ""
    return (_("消费者") if merchant else case.respondent_name) + sum_words


def _first(row: Row) -> dict[str, object]:
    return {
        "what": row.what,
        "says": _("%(step)s，%(word)s。", step=row.step, word=row.word),
        "url": row.url,
        "label": _("现在去办"),
    }


def _headline(yours: list[Row], waiting: list[Row], *, merchant: bool, staff: bool) -> str:
    if staff:
        return _("案件")
    if yours:
        words = _("%(n)s件要您答复") if merchant else _("%(n)s件轮到您")
        return words % {"n": len(yours)}
    if waiting:
        return _("%(n)s件在办，现在不用您做什么", n=len(waiting))
    return _("纠纷") if merchant else _("我的案件")


def _case_url(case: Case) -> str:
    return url_for("pages.case", case_id=case.id)
