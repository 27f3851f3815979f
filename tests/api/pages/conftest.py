"""The application with its pages, served to a real browser where one is needed."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, g, render_template, request
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from api.app import create_app
from api.limits import limiter
from api.pages.shown import Group
from core.db import Database
from core.settings import Settings
from disputes.identity import operations as identity
from disputes.identity.actor import Actor
from disputes.identity.models import Membership
from disputes.identity.roles import Role
from disputes.network.models import Organisation
from disputes.network.seed import seed_district
from disputes.wiring import build_engine, load_release
from forms import compile_form
from tests.api.conftest import PASSWORD, SETTINGS
from tests.api.pages import examples
from tests.api.pages.examples import NOW

NOBODY = UUID(int=0)
READERS = {
    "consumer": Actor(NOBODY, "林晓岚"),
    "merchant": Actor(NOBODY, "石磊", frozenset({(Role.RESPONDENT, NOBODY)})),
    "mediator": Actor(NOBODY, "周启明", frozenset({(Role.MEDIATOR, NOBODY)})),
    "nobody": Actor.anonymous(),
}
#: Every example page: (name, who reads it).
EXAMPLES = [
    ("home", "nobody"),
    ("sign_in", "nobody"),
    ("track", "nobody"),
    ("error", "nobody"),
    ("case", "consumer"),
    ("cases", "merchant"),
    ("empty", "consumer"),
    ("case_desk", "mediator"),
    ("inbox", "mediator"),
    ("task", "mediator"),
]
ROOT = Path(__file__).parents[3]
SHOP, OTHER_SHOP = "松果优品数码店", "小满烘焙"
OFFICE = "云溪市场监督管理所"
PHONE = "13800000000"
FORM = Path(__file__).parents[2] / "forms" / "acceptance-decision.form"


@pytest.fixture(scope="session")
def district(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the district, its people and the release in force."""
    path = tmp_path_factory.mktemp("district") / "district.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    with database.transaction() as session:
        seed_district(session, now=NOW)
        load_release(session, ROOT, build_engine(SETTINGS), now=NOW, by="system")
        _add_people(session)
    with database.reader() as session:
        session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


def _add_people(session: Any) -> None:
    for login, name, role, place in (
        ("linxl", "林晓岚", None, None),
        ("zhaoyi", "赵一一", None, None),
        ("shilei", "石磊", "respondent", SHOP),
        ("guoxm", "郭小满", "respondent", OTHER_SHOP),
        ("zhouqm", "周启明", "officer", OFFICE),
    ):
        phone = PHONE if login == "linxl" else None
        person = identity.register(session, login=login, password=PASSWORD, name=name, phone=phone, now=NOW)
        if role:
            where = session.scalar(select(Organisation.id).where(Organisation.name == place))
            session.add(Membership(person_id=person.id, organisation_id=where, role=role, since=NOW))
    session.flush()


@pytest.fixture
def house(district: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "house.db"
    shutil.copy(district, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def pages(house: Database, tmp_path: Path) -> Flask:
    settings: Settings = replace(SETTINGS, files=tmp_path / "files", max_body=8 * 1024 * 1024)
    app = create_app(settings, database=house, clock=lambda: NOW)
    limiter.enabled = False
    return app


@pytest.fixture
def frame(database: Database, tmp_path: Path) -> Flask:
    """The application, with the example pages of the look beside its own."""
    settings: Settings = replace(SETTINGS, files=tmp_path / "files")
    app = create_app(settings, database=database, clock=lambda: examples.NOW)
    limiter.enabled = False

    @app.get("/example/<name>")
    def example(name: str) -> str:
        g.actor = g.page_reader = READERS[request.args.get("reader", "nobody")]
        return _draw(name)

    return app


def _draw(name: str) -> str:
    page = examples.case_page()
    match name:
        case "case":
            return render_template("case.html", page=page)
        case "case_desk":
            return render_template("case_desk.html", page=page, wide=True)
        case "inbox":
            return _inbox()
        case "cases":
            return _cases([Group("要您答复", examples.rows()[:2]), Group("等对方", examples.rows()[2:])])
        case "empty":
            return _cases([])
        case "task":
            return _task()
        case "sign_in":
            return render_template("sign_in.html", next="/", login="lin", error="登录名或者密码不正确。")
        case "track":
            return render_template("track.html", sent=True, error="", case_no="", phone="")
        case "error":
            detail = "没有这件投诉，或者您不是它的当事人。 There is no such case."
            return render_template("error.html", status=404, title="", detail=detail, code="case.none", fields={})
        case _:
            return render_template(f"{name}.html")


def _inbox() -> str:
    chips = [{"url": "#", "label": "全部", "here": True, "count": 40}]
    return render_template(
        "inbox.html",
        wide=True,
        headline="40件待办，3件今天要办",
        view="all",
        views=[{"url": "#", "label": "全部待办", "here": True, "count": 40}],
        q="",
        stage="",
        stages=[{"value": "mediation", "label": "调解"}],
        chips=chips,
        groups=[Group("今天要办", examples.rows()[:2]), Group("以后", examples.rows()[2:])],
        more="#",
    )


def _cases(groups: list[Group]) -> str:
    return render_template(
        "cases.html",
        headline="2件要您答复",
        subtitle="石磊",
        several=True,
        first={"what": "耳机左耳无声", "says": "请在今天 20:10前答复。", "url": "#", "label": "现在去办"}
        if groups
        else None,
        groups=groups,
        waiting=bool(groups),
        waiting_text="商家答复、要您签字或要补材料时，会出现在这里。",
        empty_title="还没有案件",
        empty_text="您登记的投诉会出现在这里。",
        may_file=True,
        more="",
    )


def _task() -> str:
    form = compile_form(FORM.read_bytes())
    errors = {"reasons": ["至少写20个字，现在是4个"], "ground": ["请选一项"]}
    context = {"decide_by": "2026-09-29", "grounds": [{"item": "5", "reason": "逾期"}], "flags": ["a", "b"]}
    values = {"decision": "refuse", "reasons": "没有收到"}
    example = examples.case_page()
    page = SimpleNamespace(
        what="作出受理决定",
        title=example.title,
        meta=example.meta,
        case_url="#",
        notice=None,
        summary=form.summary(errors),
        may_answer=True,
        url="#",
        draft_url="/example/draft",
        digest="d",
        fields=form.render(values, context, errors=errors, recheck_url="#", title="作出受理决定"),
        submit="提交",
        saved_at="14:20",
        unclaim_url="#",
        reassign=None,
        clock=examples.draw(examples.acceptance_limit()),
        offer=None,
        facts=example.facts,
        particulars=example.particulars,
        evidence=example.evidence,
        parties=example.parties,
    )
    return render_template("task.html", page=page)


def chromium() -> str:
    """Where the browser is; without one the test is skipped, or fails where a browser is required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        notice = "There is no Chromium on this machine: the pages are not tested in a browser."
        if os.environ.get("HEJIE_REQUIRE_BROWSER") == "1":
            pytest.fail(notice)
        pytest.skip(notice)
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this process."""
    path = chromium()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """serve(app): its address; the server ends with the test."""
    servers: list[Any] = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """visit(width=390): a new page in Chinese; whatever its console complains of fails the test.

    ``expect`` names complaints that the test itself provokes, for example a status.
    """
    complaints: list[str] = []
    expected: list[str] = []
    contexts = []

    def complain(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def open_page(width: int = 390, *, expect: tuple[str, ...] = (), **more: Any) -> Page:
        expected.extend(expect)
        context = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN", **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [said for said in complaints if not any(known in said for known in expected)] == []
