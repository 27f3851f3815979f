"""The five lawful routes of 消法 第三十九条 in the reader's words."""

from flask import url_for
from sqlalchemy.orm import Session

from api.languages import language
from api.pages.shell import Link
from api.pages.shown import Exit
from api.pages.words import _
from disputes.cases import queries
from disputes.cases.queries import CaseView
from disputes.cases.routes import Route
from disputes.identity.actor import Actor
from disputes.identity.roles import Role

ICONS = {"settle": "hand", "mediate": "people", "complain": "user", "arbitrate": "doc", "sue": "scale"}


def exits_of(session: Session, view: CaseView, who: Actor) -> list[Exit]:
    """All five, also the one in use and those that cannot be taken, with the reason."""
    own = Role.COMPLAINANT in view.roles
    return [_exit(route, view, own=own) for route in queries.exits(session, view.case, who)]


def _exit(route: Route, view: CaseView, *, own: bool) -> Exit:
    name = names()[route.code]
    if is_current(route, view):
        return Exit(name, "check", current=True)
    if not route.is_open:
        return Exit(
            name,
            ICONS[route.code],
            note=_("现在不能走"),
            facts=[(_("为什么不能走"), _half(route.closed))],
            closes=_half(route.closed),
        )
    action = None
    if own:
        url = url_for("pages.exit", case_id=view.case.id, code=route.code)
        action = Link(action_words(route), url)
    return Exit(
        name,
        ICONS[route.code],
        note=_("需要仲裁协议") if route.code == "arbitrate" else "",
        facts=facts_of(route),
        closes=_half(route.closes),
        action=action,
    )


def is_current(route: Route, view: CaseView) -> bool:
    """Is this the route on which the case goes now?"""
    case = view.case
    if route.code == "settle":
        return route.action == "settlement"
    return route.code == "complain" and case.exit is None and case.received_at is not None


def facts_of(route: Route) -> list[tuple[str, str]]:
    """What taking the route closes, what is not lost, and where it leads."""
    return [
        (_("会关上"), _half(route.closes) or _("不关上别的路。")),
        (_("不会丢"), _("凭证、文书和这里记下的经过，您都可以带走。")),
        (_("到哪里"), _where(route.code)),
    ]


def names() -> dict[str, str]:
    """The routes as people say them."""
    return {
        "settle": _("与商家自行和解"),
        "mediate": _("请消保委或其他调解组织调解"),
        "complain": _("向市场监管部门投诉"),
        "arbitrate": _("申请仲裁"),
        "sue": _("向人民法院起诉"),
    }


def action_words(route: Route) -> str:
    """What the button on the route's row says; it prepares and closes nothing."""
    if route.action == "file_now":
        return _("我要投诉，先看清楚")
    return {
        "settle": _("看怎么谈"),
        "mediate": _("看怎么申请"),
        "complain": _("看怎么投诉"),
        "arbitrate": _("看要什么材料"),
        "sue": _("准备起诉材料"),
    }[route.code]


def _where(code: str) -> str:
    return {
        "settle": _("直接找商家；谈成后在这里撤回，或者告诉调解员。"),
        "mediate": _("云溪区消费者权益保护委员会，或者人民调解委员会。"),
        "complain": _("云溪区市场监管投诉处理中心，就在这里办。"),
        "arbitrate": _("仲裁协议里写的仲裁委员会。"),
        "sue": _("云溪区人民法院立案窗口，或者网上立案。"),
    }[code]


def _half(words: tuple[str, str] | None) -> str:
    if words is None:
        return ""
    return words[1] if language() == "en" else words[0]
