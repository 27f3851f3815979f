"""What every page shares: its frame, the reader's choices of look, navigation, and words for errors."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request, url_for
from werkzeug.exceptions import HTTPException

from api.languages import language
from api.pages.clocks import ICONS
from api.pages.words import _
from core.refusals import Refusal
from disputes.identity.actor import Actor
from disputes.identity.permissions import allows
from disputes.identity.roles import Role, role_name

#: A choice of look is kept for a year.
KEPT_SECONDS = 365 * 24 * 3600

CHOICES: dict[str, tuple[str, ...]] = {
    "type": ("normal", "large"),
    "theme": ("auto", "light", "dark"),
    "keys": ("on", "off"),
}

_BILINGUAL = re.compile(r"^(?P<zh>.*?[。！？])\s+(?P<en>[^\u4e00-\u9fff]*)$", re.DOTALL)


@dataclass(frozen=True)
class Look:
    """How this reader wants pages: large type, theme, single-key shortcuts."""

    large: bool
    theme: str
    keys: bool


@dataclass(frozen=True)
class Link:
    """Where something leads and what it is called."""

    label: str
    url: str
    here: bool = False


@dataclass(frozen=True)
class ErrorWords:
    """An error as a person reads it."""

    title: str
    detail: str
    again: str = ""


def init_shell(app: Flask) -> None:
    """Give templates what the frame needs, and remember choices of look."""
    app.after_request(_remember)
    app.context_processor(lambda: {"look": look(), "desk": is_desk(), "wide": False})
    app.jinja_env.globals.update(
        asset=asset,
        brand_words=brand_words,
        clock_icons=ICONS,
        error_words=error_words,
        here_with=here_with,
        navigation=navigation,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def look() -> Look:
    """The look of this request."""
    return Look(_choice("type") == "large", _choice("theme"), _choice("keys") == "on")


def is_desk() -> bool:
    """Does somebody at a desk read: staff, with a keyboard and much to see?"""
    return reader().is_staff


def reader() -> Actor:
    """Who reads; anonymous when that cannot be told (an error page must never fail itself)."""
    from api.edge import caller

    if "page_reader" not in g:
        try:
            g.page_reader = caller()
        except (HTTPException, Refusal):
            g.page_reader = Actor.anonymous()
    who: Actor = g.page_reader
    return who


def asset(name: str) -> str:
    """The address of a static file, with a mark that changes when the file does."""
    return url_for("static", filename=name, v=_mark(str(Path(current_app.static_folder or "") / name)))


@lru_cache(maxsize=64)
def _mark(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def here_with(**changes: Any) -> str:
    """This address with some choices changed; after a form came back, the page that holds the form."""
    kept: dict[str, Any] = (
        {} if request.method == "POST" else {k: v for k, v in request.args.items() if k not in CHOICES}
    )
    kept.pop("lang", None)
    if request.endpoint is None or request.routing_exception is not None:
        return url_for("pages.home", **changes)
    try:
        return url_for(request.endpoint, **(request.view_args or {}), **{**kept, **changes})
    except Exception:
        return url_for("pages.home", **changes)


def brand_words() -> str:
    """What stands beside the brand: whose desk this is."""
    who = reader()
    if who.has(Role.RESPONDENT):
        return _("商家")
    for role, words in (
        (Role.COURT_LIAISON, _("诉调对接")),
        (Role.SUPERVISOR, _("督办")),
        (Role.MEDIATOR, _("调解工作台")),
        (Role.OFFICER, _("市场监管所")),
        (Role.STATION_CLERK, _("服务站")),
        (Role.CENTRE_CLERK, _("处理中心")),
    ):
        if who.has(role):
            return words
    return _("工作台") if who.is_staff else _("消费纠纷服务")


def navigation() -> list[Link]:
    """The main links of this reader."""
    who = reader()
    wanted: list[tuple[str, str]] = []
    if who.is_staff:
        wanted = [("inbox", _("待办")), ("cases", _("案件"))]
        if who.has(Role.DESIGNER) or who.has(Role.ADMIN):
            wanted.append(("releases", _("流程版本")))
        if allows(who, "deadline.decide"):
            wanted.append(("extensions", _("延期")))
        if allows(who, "rederivation.rehearse"):
            wanted.append(("rederivations", _("期限推算")))
        if allows(who, "incident.list"):
            wanted.append(("incidents", _("停住的")))
    elif who.has(Role.RESPONDENT):
        wanted = [("cases", _("纠纷"))]
    elif who.signed_in:
        wanted = [("cases", _("我的案件")), ("file", _("我要投诉"))]
    else:
        wanted = [("file", _("我要投诉"))]
    links = [Link(label, url_for(f"pages.{name}"), request.endpoint == f"pages.{name}") for name, label in wanted]
    if who.signed_in:
        return [*links, Link(who.name, url_for("pages.me"), request.endpoint == "pages.me")]
    return [*links, Link(_("登录"), url_for("pages.sign_in"), request.endpoint == "pages.sign_in")]


def in_language(text: str) -> str:
    """Of a sentence in both languages (``没有权限。 You may not.``) the reader's half."""
    match = _BILINGUAL.match(text.strip())
    if match is None:
        return text
    return match["en"].strip() if language() == "en" else match["zh"]


def error_words(status: int, detail: str, code: str) -> ErrorWords:
    """What happened and what to do, without scolding."""
    said = in_language(detail)
    known = {
        400: _("这个请求看不懂"),
        401: _("请先登录"),
        403: _("这一页不归您看"),
        404: _("没有找到这一页"),
        405: _("没有找到这一页"),
        409: _("这里刚刚有了变化"),
        413: _("文件太大了"),
        422: _("有几处要改"),
        429: _("试得太快了，请稍等"),
        503: _("现在人多，请稍后再试"),
    }
    title = known.get(status, _("我们这边出了问题") if status >= 500 else HTTPStatus(status).phrase)
    if status == 404 and code.startswith("http."):
        said = _("可能是链接不完整，或者这件不归您看。从首页再找一次。")
    if status == 413:
        said = _("请选小一点的文件再传，其他填过的还在。")
    if status >= 500 and status != 503:
        said = _("已经记下来了，什么都没有改动。请稍后再试。")
    if status == 400 and "CSRF" in detail:
        title, said = _("页面放得太久了"), _("为了安全，请回到上一页刷新后再提交，填过的内容还在。")
    if code.startswith("idempotency."):
        title, said = _("这一页已经提交过一次"), _("看看是不是已经办好了；要改的话，打开新的一页再提交。")
    again = request.full_path.rstrip("?") if request.method == "GET" and status >= 500 else ""
    return ErrorWords(title, said, again)


def role_words(role: str) -> str:
    """A role as this reader names it."""
    return role_name(role, language())


def _choice(name: str) -> str:
    for chosen in (request.args.get(name), request.cookies.get(f"hejie_{name}")):
        if chosen in CHOICES[name]:
            return chosen
    return CHOICES[name][0]


def _remember(response: Response) -> Response:
    for name, values in CHOICES.items():
        chosen = request.args.get(name)
        if chosen in values and chosen != request.cookies.get(f"hejie_{name}"):
            response.set_cookie(
                f"hejie_{name}",
                chosen,
                max_age=KEPT_SECONDS,
                secure=request.is_secure,
                httponly=True,
                samesite="Lax",
            )
    return response
