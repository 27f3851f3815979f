"""What people see of a form."""

from typing import Any

import pytest
from lxml import html

from forms import Form
from tests.forms.builders import REQUIRED, build_form, radio, text
from tests.forms.test_loading import ACCEPTANCE


def draw(
    form: Form, values: dict[str, Any] | None = None, context: dict[str, Any] | None = None, **more: Any
) -> Any:
    return html.fromstring(str(form.render(values or {}, context or {}, **more)))


def test_every_control_has_a_label_and_its_help_below() -> None:
    page = draw(build_form(text("a", label="店名", description="招牌上写的"), {"type": "textarea", "key": "b"}))
    (control,) = page.xpath("//input[@name='a']")
    (label,) = page.xpath(f"//label[@for='{control.get('id')}']")
    assert label.text == "店名"
    assert page.xpath(f"//*[@id='{control.get('aria-describedby')}']/text()") == ["招牌上写的"]
    assert page.xpath("//textarea[@name='b']")


def test_an_error_stands_above_its_field_and_what_was_typed_stays() -> None:
    form = build_form({"type": "money", "key": "sum", "label": "花了多少钱", "description": "按小票"})
    page = draw(form, {"sum": "八十多"}, errors={"sum": ["请填数字，例如86.40"]})
    (control,) = page.xpath("//input[@name='sum']")
    assert control.get("value") == "八十多"
    assert control.get("aria-invalid") == "true"
    described = control.get("aria-describedby").split()
    assert [page.xpath(f"string(//*[@id='{i}'])").strip() for i in described] == ["请填数字，例如86.40", "按小票"]
    everything = list(page.iter())
    assert everything.index(page.get_element_by_id(described[0])) < everything.index(control)


def test_required_is_said_in_a_word() -> None:
    page = draw(build_form(text("a", **REQUIRED), text("b")))
    assert "必填" in page.xpath("string(//label[@for='f-a'])")
    assert "必填" not in page.xpath("string(//label[@for='f-b'])")
    assert page.xpath("//input[@name='a']/@aria-required") == ["true"]


def test_what_is_hidden_is_absent() -> None:
    assert not draw(ACCEPTANCE, {"decision": "accept"}).xpath("//*[@name='ground' or @name='reasons']")
    assert draw(ACCEPTANCE, {"decision": "refuse"}).xpath("//select[@name='ground']")


def test_nothing_that_was_typed_becomes_markup() -> None:
    evil = "<script>alert(1)</script>\"'{{x}}"
    form = build_form(
        text("a", label=evil, description=evil, **REQUIRED),
        {"type": "textarea", "key": "b"},
        radio("c", evil),
        {"type": "text", "text": "你好 {{who}} " + evil.replace("{{x}}", "")},
        {"type": "table", "dataSource": "=rows", "label": evil, "columns": [{"key": "k", "label": evil}]},
    )
    drawn = str(
        form.render({"a": evil, "b": evil, "c": evil}, {"who": evil, "rows": [{"k": evil}]}, errors={"a": [evil]})
    )
    assert "<script" not in drawn
    assert html.fromstring(drawn).xpath("//input[@name='a']/@value") == [evil]


def test_a_text_block_reads_markdown_and_puts_values_in_as_words() -> None:
    form = build_form(
        {
            "type": "text",
            "text": "# 标题\n请在 **{{decide_by}}** 前，{{sum}}元。\n- 一\n- 二\n\n[法条](https://example.com/a)",
        }
    )
    page = draw(form, context={"decide_by": "2026-09-29", "sum": 3699})
    assert page.xpath("string(//h2)") == "标题"
    assert page.xpath("string(//strong)") == "9月29日 周二"
    assert "3,699元" in page.xpath("string(//p)")
    assert page.xpath("//ul/li/text()") == ["一", "二"]
    assert page.xpath("//a/@href") == ["https://example.com/a"]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example"])
def test_a_link_elsewhere_than_to_a_page_stays_words(address: str) -> None:
    page = draw(build_form({"type": "text", "text": f"[点]({address})"}))
    assert [a for a in page.xpath("//a/@href") if not a.startswith("//evil")] == []


def test_a_value_is_never_read_as_markdown() -> None:
    page = draw(build_form({"type": "text", "text": "{{who}}"}), context={"who": "**粗** [x](https://a.example)"})
    assert not page.xpath("//strong | //a")


def test_a_table_shows_what_was_found() -> None:
    page = draw(ACCEPTANCE, context={"grounds": [{"item": 5, "reason": "逾期未提供身份证明材料"}]})
    assert page.xpath("//table//td/text()") == ["5", "逾期未提供身份证明材料"]
    assert page.xpath("//table/caption/text()") == ["系统列出的情形，供参考"]


def test_money_and_dates_come_back_as_people_type_them() -> None:
    form = build_form(
        {"type": "money", "key": "a"},
        {"type": "datetime", "subtype": "datetime", "key": "b"},
        {"type": "datetime", "key": "c"},
        {"type": "number", "key": "d"},
    )
    page = draw(form, {"a": 8640, "b": "2026-09-24T18:00:00+08:00", "c": "2026年9月20日", "d": 0})
    values = {e.get("name"): e.get("value") for e in page.xpath("//input")}
    assert values == {"a": "86.40", "b": "2026-09-24T18:00", "c": "2026-09-20", "d": "0"}


def test_a_form_that_reacts_asks_again_and_another_does_not() -> None:
    assert ACCEPTANCE.render({}, {}, recheck_url="/again").count("hx-post") == 1
    assert "hx-post" not in build_form(text()).render({}, {}, recheck_url="/again")


def test_english_words_are_used_where_they_exist() -> None:
    texts = {"decision": {"label": "Decision", "values": {"accept": "Accept"}}, "intro": "Hello {{who}}"}
    form = build_form(
        radio("decision"), text("b", label="理由"), {"type": "text", "id": "intro", "text": "你好"}, texts=texts
    )
    page = draw(form, context={"who": "Lin"}, language="en")
    said = page.text_content()
    assert "Decision" in said
    assert "Accept" in said
    assert "词refuse" in said
    assert "理由" in said
    assert "Hello Lin" in said


def test_rows_can_be_added_and_removed_by_buttons_that_need_no_script() -> None:
    form = build_form({"type": "dynamiclist", "path": "items", "label": "物品", "components": [text("what")]})
    pairs = [("items.0._", ""), ("items.0.what", "手机"), ("items.1._", ""), ("items.1.what", "耳机")]
    added = form.read([*pairs, ("_add", "items")])
    assert added.rearranged
    assert added.values == {"items": [{"what": "手机"}, {"what": "耳机"}, {}]}
    removed = form.read([*pairs, ("_remove", "items.0")])
    assert removed.values == {"items": [{"what": "耳机"}]}
    page = draw(form, added.values)
    assert len(page.xpath("//input[contains(@name, '.what')]")) == 3
    assert page.xpath("//button[@name='_add']/@value") == ["items"]
    assert page.xpath("//button[@name='_remove']/@value") == ["items.0", "items.1", "items.2"]


def test_what_a_browser_sends_is_put_in_shape() -> None:
    form = build_form(
        text("a"),
        {"type": "checkbox", "key": "b"},
        {**radio("c", "x", "y"), "type": "checklist"},
        {"type": "filepicker", "key": "d"},
        {"type": "group", "path": "g", "components": [text("e")]},
    )
    reading = form.read(
        [
            ("csrf_token", "t"),
            ("_digest", "d"),
            ("a", "1"),
            ("b", "true"),
            ("c", "x"),
            ("c", "y"),
            ("d", "f1"),
            ("g.e", "2"),
        ]
    )
    assert not reading.rearranged
    assert reading.values == {"a": "1", "b": True, "c": ["x", "y"], "d": ["f1"], "g": {"e": "2"}}
    assert form.load(reading.values, {}) == reading.values


def test_a_row_number_of_a_million_makes_no_million_rows() -> None:
    form = build_form({"type": "dynamiclist", "path": "items", "components": [text("what")]})
    assert form.read([("items.99999.what", "x"), ("items.999999999.what", "y")]).values == {
        "items": [{"what": "x"}]
    }


def test_the_summary_leads_to_each_field() -> None:
    page = html.fromstring(str(ACCEPTANCE.summary({"ground": ["请选一项"], "reasons": ["请填写这一项"]})))
    assert page.xpath("//a/@href") == ["#f-ground", "#f-reasons"]
    assert "有2处要改" in page.text_content()
    assert ACCEPTANCE.summary({}) == ""


def test_an_answer_is_described_in_words() -> None:
    form = build_form(
        radio("decision", label="决定"),
        {"type": "money", "key": "sum", "label": "金额"},
        {"type": "datetime", "key": "on", "label": "日期"},
        {"type": "checkbox", "key": "ok", "label": "同意"},
        text("empty"),
    )
    answer = {"decision": "accept", "sum": 369900, "on": "2026-09-29", "ok": True, "empty": None}
    assert form.describe(answer, {}) == [
        ("决定", "词accept"),
        ("金额", "3,699元"),
        ("日期", "9月29日 周二"),
        ("同意", "是"),
    ]


def test_ids_are_unique_and_every_reference_exists() -> None:
    form = build_form(
        text("a", description="h"),
        radio("b", **REQUIRED),
        {"type": "dynamiclist", "path": "c", "components": [text("a2"), radio("b2")]},
        {"type": "filepicker", "key": "d", "label": "凭证"},
    )
    page = draw(form, {"c": [{}, {}]}, errors={"a": ["x"], "b": ["y"], "c.1.a2": ["z"]})
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    references = [i for value in page.xpath("//@aria-describedby | //label/@for") for i in value.split()]
    assert set(references) <= set(ids)
