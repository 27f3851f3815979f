"""Operators' pages: the list of what has stopped, one incident, mending a case, and what its parties see."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from api.app import create_app
from api.limits import limiter
from api.signin import begin_session
from core.db import Database
from disputes.cases.models import Case
from disputes.identity import queries as people
from engine import Engine, Incident, Instance, Services
from tests.api.conftest import SETTINGS
from tests.disputes.district import NOW, District, build_district

WHY = "登记接口出错 E-17，正在修复"


@pytest.fixture
def stopped(sqlite_database: Database) -> Case:
    """A case whose acceptance fails: the service behind it does not answer."""
    district = build_district(sqlite_database)
    services = Services()
    for name in district.engine.services:

        def fail(call: object) -> dict[str, object]:
            raise RuntimeError("the register does not answer, call 13800138000")

        services.add(name)(fail)
    broken = Engine(services=services, functions=district.engine.functions, listeners=district.engine.listeners)
    with sqlite_database.transaction() as session:
        case = district.file(session)
        district.do(session, case, "first_contact", identity="verified")
        with pytest.raises(AssertionError):
            District(district.cast, broken).do(session, case, "decide_acceptance", decision="accept")
        assert session.scalars(select(Incident)).one().element
        return case


@pytest.fixture
def pages(sqlite_database: Database, stopped: Case, tmp_path: Path) -> Flask:
    app = create_app(replace(SETTINGS, files=tmp_path / "files"), database=sqlite_database, clock=lambda: NOW)
    limiter.enabled = False

    @app.get("/as/<login>")
    def become(login: str) -> str:
        with sqlite_database.reader() as session:
            person = people.by_login(session, login)
            assert person is not None
            begin_session(person, now=NOW)
        return ""

    become.permission = "service.read"  # type: ignore[attr-defined]
    return app


def as_(pages: Flask, login: str) -> FlaskClient:
    client = pages.test_client()
    assert client.get(f"/as/{login}").status_code == 200
    return client


def read(client: FlaskClient, path: str, status: int = 200, **data: str) -> str:
    """The page at a path; what is given is sent as a form, with the token that the site handed out."""
    if not data:
        answer = client.get(path)
    else:
        page = client.get(path.rpartition("/")[0]).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token is not None
        answer = client.post(path, data={**data, "csrf_token": token[1]})
    assert answer.status_code == status, answer.text
    return answer.text


def test_an_operator_finds_what_stopped_and_retries_it(
    pages: Flask, stopped: Case, sqlite_database: Database
) -> None:
    admin = as_(pages, "admin")
    listed = read(admin, "/incidents")
    assert "停住的案件" in listed and stopped.case_no in listed and "全部重试" in listed
    (url,) = set(re.findall(r'href="(/incidents/[0-9a-f-]{36})"', listed))
    one = read(admin, url)
    assert "the register does not answer" in one and "case_id" in one
    english = read(admin, f"{url}?lang=en")
    assert "What failed" in english and "Retry" in english
    read(admin, f"{url}?lang=zh")
    again = read(admin, f"{url}/skip", 422, reason="x")
    assert "5–500" in again
    seen = read(admin, f"{url}/skip", reason=WHY, rehearse="1")
    assert "如果这样做" in seen
    with sqlite_database.reader() as session:
        assert session.scalars(select(Incident.state)).one() == "open", "a look changes nothing"
    read(admin, f"{url}/retry", 303, reason=WHY)
    assert "没有停住的案件" in read(admin, "/incidents")


def test_a_case_is_suspended_on_its_page_and_its_parties_read_their_own_words(pages: Flask, stopped: Case) -> None:
    supervisor, consumer, path = as_(pages, "supervisor"), as_(pages, "consumer"), f"/cases/{stopped.id}/repair"
    page = read(supervisor, path)
    assert "移动到" in page and "流程数据" in page and "终止办理" in page
    body = {"reason": WHY, "cause": "data", "told": "请等通知。", "keep_remaining": "yes"}
    assert "如果这样做" in read(supervisor, f"{path}/suspend", **body, rehearse="1")
    read(supervisor, f"{path}/suspend", 303, **body)
    assert "恢复办理" in read(supervisor, path)
    theirs = read(consumer, f"/cases/{stopped.id}")
    assert "案件处理暂停" in theirs and "请等通知" in theirs and "E-17" not in theirs
    assert "去处理" not in theirs and "the register" not in theirs
    ours = read(supervisor, f"/cases/{stopped.id}")
    assert "E-17" in ours and "the register does not answer" in ours and "去处理" in ours
    read(supervisor, f"{path}/suspend", 409, **body)
    read(supervisor, f"{path}/resume", 303, reason=" ")
    assert "请等通知" not in read(consumer, f"/cases/{stopped.id}")


def test_data_is_corrected_and_the_case_moved_from_the_page(
    pages: Flask, stopped: Case, sqlite_database: Database
) -> None:
    supervisor, path = as_(pages, "supervisor"), f"/cases/{stopped.id}/repair"
    page = read(supervisor, path)
    token = re.search(r'type="hidden" name="token" value="(\d+)"', page)
    assert token is not None
    wrong = {"token": token[1], "name": "nowhere", "value": "1", "reason": WHY}
    assert "流程里没有用到" in read(supervisor, f"{path}/data", 422, **wrong)
    right = {"token": token[1], "value:region": "330298", "reason": WHY}
    read(supervisor, f"{path}/data", 303, **right)
    assert "330298" in read(supervisor, path)
    options = re.findall(r'<option value="(\w+/\w+)">', page)
    assert options
    read(supervisor, f"{path}/cancel", 303, reason=WHY)
    with sqlite_database.reader() as session:
        case = session.get_one(Case, stopped.id)
        assert session.get_one(Instance, case.instance_id).state == "cancelled" and case.closed_at == NOW


@pytest.mark.parametrize("login", ["consumer", "officer", "merchant"])
def test_nobody_else_opens_them(pages: Flask, stopped: Case, login: str) -> None:
    client = as_(pages, login)
    read(client, "/incidents", 403)
    read(client, f"/cases/{stopped.id}/repair", 403)
