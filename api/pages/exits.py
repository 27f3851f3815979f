"""The second page of a route: it says what taking it does; nothing is closed before this page is confirmed."""

from uuid import UUID, uuid4

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from api.edge import caller, clock, needs, read_session, runtime, write_session
from api.pages.blueprint import pages
from api.pages.casefile import paper_lines
from api.pages.routes import facts_of, names
from api.pages.shown import ExitPage
from api.pages.words import _
from disputes.cases import operations, queries
from disputes.cases.queries import CaseView
from disputes.cases.routes import Route
from disputes.identity.actor import Actor


@pages.get("/cases/<uuid:case_id>/exits/<code>")
@needs("case.exits")
def exit(case_id: UUID, code: str) -> str:
    """What this route closes, keeps and needs."""
    session, who = read_session(), caller()
    case = queries.find(session, case_id, who)
    view = queries.view(session, case, who, now=clock())
    page = _withdrawal(view) if code == "withdraw" else _route(session, view, who, code)
    return render_template("exit.html", page=page)


@pages.post("/cases/<uuid:case_id>/exits/complain")
@needs("case.file_now")
def file_now(case_id: UUID) -> Response:
    """Stop the settlement and file the complaint."""
    session, who = write_session(), caller()
    case = queries.find(session, case_id, who)
    operations.file_now(session, runtime(), case, by=who, now=clock())
    flash(_("已经转为投诉，市场监管部门收到以后开始计算受理期限。"), "ok")
    return redirect(url_for("pages.case", case_id=case_id), 303)


@pages.post("/cases/<uuid:case_id>/exits/withdraw")
@needs("case.withdraw")
def withdraw(case_id: UUID) -> Response:
    """Withdraw the complaint or the settlement request."""
    session, who = write_session(), caller()
    case = queries.find(session, case_id, who)
    operations.withdraw(session, runtime(), case, by=who, now=clock())
    flash(_("已经撤回。凭证和文书还在，随时可以看。"), "ok")
    return redirect(url_for("pages.case", case_id=case_id), 303)


def _route(session: Session, view: CaseView, who: Actor, code: str) -> ExitPage:
    route = _find(session, view, who, code)
    case = view.case
    confirm = _("停止和解，现在投诉") if route.action == "file_now" and "file_now" in view.actions else ""
    return ExitPage(
        headline=names()[code],
        title=case.title,
        hint=_hint(code, filing=bool(confirm)),
        facts=facts_of(route),
        case_url=url_for("pages.case", case_id=case.id),
        url=url_for("pages.file_now", case_id=case.id),
        key=uuid4().hex,
        confirm=confirm,
        papers=paper_lines(session, view, who, clock()),
    )


def _withdrawal(view: CaseView) -> ExitPage:
    if "withdraw" not in view.actions:
        raise NotFound
    case = view.case
    return ExitPage(
        headline=_("撤回这件投诉？"),
        title=case.title,
        hint=_("撤回以后这里不再办，期限也不再算。"),
        facts=[
            (_("会关上"), _("这件投诉就此结束。同一件事以后可以再投诉，但要重新登记。")),
            (_("不会丢"), _("凭证、文书和经过都还在，您随时可以看。")),
        ],
        case_url=url_for("pages.case", case_id=case.id),
        url=url_for("pages.withdraw", case_id=case.id),
        key=uuid4().hex,
        confirm=_("撤回这件投诉"),
    )


def _find(session: Session, view: CaseView, who: Actor, code: str) -> Route:
    for route in queries.exits(session, view.case, who):
        if route.code == code and route.is_open:
            return route
    raise NotFound


def _hint(code: str, *, filing: bool) -> str:
    if filing:
        return _("确认以后，店内和解停止，市场监管部门收到投诉起7个工作日内决定是否受理。")
    return {
        "settle": _("您可以随时和商家自己谈。谈成以后在案件页撤回，或者告诉调解员。"),
        "mediate": _("带上下面的文书和凭证去申请。这一页只帮您准备，不会改动这件投诉。"),
        "complain": _("写清楚新的事实，重新登记一件。这一页不会改动这件投诉。"),
        "arbitrate": _("先要有仲裁协议。带上下面的文书和凭证去申请，这一页不会改动这件投诉。"),
        "sue": _("起诉状、身份证复印件、凭证，加上下面的文书。这一页只帮您准备，不会改动这件投诉。"),
    }[code]
