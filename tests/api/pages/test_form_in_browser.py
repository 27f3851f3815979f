"""A form as somebody fills it in: what appears, what stays, what is saved."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g, jsonify, render_template, request
from flask import Response as FlaskResponse
from playwright.sync_api import Page

from api.signin import csrf
from forms import Form, compile_form
from tests.api.pages.conftest import FORM, READERS
from tests.forms.builders import build_form, hidden_when, radio, text

pytestmark = pytest.mark.browser

SMALL = build_form(
    radio("decision", label="决定"),
    text("why", label="理由", **hidden_when('decision != "refuse"')),
    {"type": "filepicker", "key": "files", "label": "凭证", "multiple": True},
    {"type": "dynamiclist", "path": "items", "label": "物品", "components": [text("what", label="什么")]},
    {"type": "textarea", "key": "note", "label": "说明", "validate": {"maxLength": 20}},
)


class Desk:
    """A page with one form, and what was sent to it."""

    def __init__(self, app: Flask, form: Form, context: dict[str, Any] | None = None) -> None:
        self.form, self.context = form, context or {}
        self.drafts: list[dict[str, Any]] = []
        self.files: list[str] = []
        self.refusing = 0
        app.add_url_rule("/desk", "desk", self.show)
        for name in ("again", "draft", "upload"):
            app.add_url_rule(f"/desk/{name}", f"desk_{name}", getattr(self, name), methods=["POST"])
            csrf.exempt(app.view_functions[f"desk_{name}"])

    def show(self) -> str:
        g.actor = g.page_reader = READERS["consumer"]
        page = SimpleNamespace(
            what="一件事", title="一件投诉", meta=[], case_url="#", notice=None, summary="", may_answer=True,
            url="/desk", draft_url="/desk/draft", digest="d", fields=self.fields({}), submit="提交",
            saved_at="", unclaim_url="", reassign=None, clock=None, offer=None, facts="", particulars=[], evidence=[], parties=[],
        )  # fmt: skip
        return render_template("task.html", page=page)

    def fields(self, values: dict[str, Any]) -> Any:
        return self.form.render(values, self.context, recheck_url="/desk/again", upload_url="/desk/upload")

    def again(self) -> str:
        return str(self.fields(self.form.read(request.form.items(multi=True)).values))

    def draft(self) -> FlaskResponse:
        assert request.form.get("csrf_token")
        self.drafts.append(self.form.read(request.form.items(multi=True)).values)
        return jsonify(saved_at="14:20")

    def upload(self) -> tuple[FlaskResponse, int]:
        sent = request.files["file"]
        if self.refusing:
            return jsonify(detail="只收照片、PDF、录音和录像。"), self.refusing
        self.files.append(str(sent.filename))
        return jsonify(id=f"id-{sent.filename}", note="1 kB，已传好"), 201


def test_a_field_appears_as_one_chooses_and_nothing_that_was_typed_is_lost(
    frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    Desk(frame, compile_form(FORM.read_bytes()), {"flags": ["a", "b"], "decide_by": "2026-09-29"})
    page = visit(390)
    page.goto(f"{serve(frame)}/desk")
    assert page.query_selector("#f-reasons") is None
    page.get_by_text("不予受理", exact=True).click()
    page.fill("#f-reasons", "查明的事实是没有收到材料")
    page.select_option("#f-ground", "7")
    page.wait_for_selector("#f-legal_basis")
    assert page.input_value("#f-reasons") == "查明的事实是没有收到材料"
    assert page.input_value("#f-ground") == "7"
    page.get_by_text("受理", exact=True).click()
    page.wait_for_selector("#f-reasons", state="detached")
    assert page.query_selector("#f-legal_review") is None


def test_the_cursor_stays_where_somebody_types(
    frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    Desk(frame, SMALL)
    page = visit(390)
    page.goto(f"{serve(frame)}/desk")
    page.get_by_text("词refuse").click()
    page.wait_for_selector("#f-why")
    page.click("#f-why")
    with page.expect_response("**/desk/again"):
        page.keyboard.type("查", delay=20)
    page.keyboard.type("到了", delay=20)
    page.wait_for_timeout(600)
    page.keyboard.type("。")
    assert page.input_value("#f-why") == "查到了。"
    assert page.evaluate("document.activeElement.id") == "f-why"


def test_what_is_typed_is_saved_and_says_so(
    frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    desk = Desk(frame, SMALL)
    page = visit(390)
    page.goto(f"{serve(frame)}/desk")
    page.fill("#f-note", "盒底已经过期")
    page.wait_for_selector(".hj-saved[data-s=saved]")
    assert page.inner_text(".hj-saved") == "已保存，14:20"
    assert desk.drafts[-1]["note"] == "盒底已经过期"
    assert page.inner_text("#f-note-letters") == "已写6字，最多20字"


def test_a_file_is_sent_at_once_and_its_id_goes_with_the_form(
    frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    desk = Desk(frame, SMALL)
    page = visit(390)
    page.goto(f"{serve(frame)}/desk")
    with page.expect_response("**/desk/draft"):
        page.set_input_files(
            "#f-files", [{"name": "小票.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}]
        )
    assert page.query_selector("[data-file='id-小票.pdf']")
    assert desk.files == ["小票.pdf"]
    assert desk.drafts[-1]["files"] == ["id-小票.pdf"]
    with page.expect_response("**/desk/draft"):
        page.get_by_role("button", name="删除").click()
    assert page.query_selector("[data-file]") is None
    assert not desk.drafts[-1].get("files")


def test_a_file_that_cannot_be_taken_says_why_and_can_be_tried_again(
    frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    desk = Desk(frame, SMALL)
    desk.refusing = 503
    page = visit(390, expect=("503",))
    page.goto(f"{serve(frame)}/desk")
    page.set_input_files("#f-files", [{"name": "货架.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}])
    page.wait_for_selector(".hj-tile[data-s=failed]")
    assert "只收照片" in page.inner_text(".hj-tile[data-s=failed]")
    desk.refusing = 0
    page.get_by_role("button", name="再传一次").click()
    page.wait_for_selector("[data-file='id-货架.pdf']")


def test_rows_are_added_in_place(frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]) -> None:
    Desk(frame, SMALL)
    page = visit(390)
    page.goto(f"{serve(frame)}/desk")
    page.fill("#f-items-0-what", "手机")
    page.get_by_text("再加一行").click()
    page.wait_for_selector("#f-items-1-what")
    page.fill("#f-items-1-what", "耳机")
    page.get_by_text("删去第1行").click()
    page.wait_for_selector("#f-items-1-what", state="detached")
    assert page.input_value("#f-items-0-what") == "耳机"
