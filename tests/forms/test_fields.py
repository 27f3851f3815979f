"""What people type, and what is kept of it."""

from typing import Any

import pytest

from core.refusals import Invalid
from tests.forms.builders import REQUIRED, build_form, radio


def load(component: dict[str, Any], value: Any, **context: Any) -> Any:
    return build_form({"key": "x", **component}).load({"x": value}, context)["x"]


def refusal(component: dict[str, Any], value: Any, **context: Any) -> str:
    with pytest.raises(Invalid) as caught:
        load(component, value, **context)
    assert list(caught.value.fields) == ["x"]
    return caught.value.fields["x"][0]


@pytest.mark.parametrize(
    ("component", "typed", "kept"),
    [
        ({"type": "textfield"}, "  林晓岚 ", "林晓岚"),
        ({"type": "textarea"}, "一行\r\n两行", "一行\n两行"),
        ({"type": "number"}, "3", 3),
        ({"type": "number"}, 3, 3),
        ({"type": "number", "decimalDigits": 1}, "4.5", 4.5),
        ({"type": "number", "decimalDigits": 1}, "4.0", 4),
        ({"type": "money"}, "86.40", 8640),
        ({"type": "money"}, "86.4元", 8640),
        ({"type": "money"}, "￥3,699", 369900),
        ({"type": "money"}, 8640, 8640),
        ({"type": "checkbox"}, True, True),
        ({"type": "datetime", "subtype": "date"}, "2026-09-20", "2026-09-20"),
        ({"type": "datetime", "subtype": "date"}, "2026年9月20日", "2026-09-20"),
        ({"type": "datetime", "subtype": "time"}, "14:30", "14:30"),
        ({"type": "datetime", "subtype": "datetime"}, "2026-09-24T18:00", "2026-09-24T18:00:00+08:00"),
        ({"type": "datetime", "subtype": "datetime"}, "2026-09-24T10:00:00Z", "2026-09-24T18:00:00+08:00"),
        ({"type": "datetime", "subtype": "datetime"}, "2026年9月24日 18:00", "2026-09-24T18:00:00+08:00"),
        ({"type": "phone"}, "138 0000 0000", "13800000000"),
        ({"type": "phone"}, "+86 138-0000-0000", "13800000000"),
        ({"type": "phone"}, "（0571）8765 4321", "057187654321"),
        ({"type": "phone"}, "12315", "12315"),
        ({"type": "email"}, " lin@example.com", "lin@example.com"),
        ({"type": "idnumber"}, "11010519491231002x", "11010519491231002X"),
        ({"type": "uscc"}, "91350100m000100y43", "91350100M000100Y43"),
        ({"type": "filepicker"}, ["a", "a"], ["a"]),
        ({"type": "filepicker"}, "a", ["a"]),
    ],
)
def test_what_is_typed_is_kept_in_one_form(component: dict[str, Any], typed: Any, kept: Any) -> None:
    found = load(component, typed)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("component", "typed", "says"),
    [
        ({"type": "textfield", "validate": {"minLength": 6}}, "短", "至少写6个字，现在是1个"),
        ({"type": "textfield", "validate": {"maxLength": 3}}, "太长了吧", "最多写3个字，现在是4个"),
        ({"type": "textfield", "validate": {"pattern": "[A-Z]+"}}, "abc", "格式不对"),
        ({"type": "textfield"}, 12, "要填文字"),
        ({"type": "textarea"}, "长" * 5001, "最多写5000个字"),
        ({"type": "number"}, "三", "请填整数"),
        ({"type": "number"}, "3.5", "请填整数"),
        ({"type": "number", "decimalDigits": 1}, "3.55", "最多1位小数"),
        ({"type": "number", "validate": {"min": 1, "max": 5}}, "0", "不能小于1"),
        ({"type": "number", "validate": {"min": 1, "max": 5}}, "6", "不能大于5"),
        ({"type": "number"}, "1e999", "请填整数"),
        ({"type": "number"}, "NaN", "请填整数"),
        ({"type": "number"}, True, "请填整数"),
        ({"type": "money"}, "八十多", "请填数字，例如86.40"),
        ({"type": "money"}, "86.405", "最多2位小数"),
        ({"type": "money"}, "-1", "不能小于0元"),
        ({"type": "money", "validate": {"min": 100, "max": 500000}}, "5000.01", "不能大于5,000元"),
        ({"type": "money"}, 86.4, "请填数字"),
        ({"type": "datetime", "subtype": "date"}, "2026-02-30", "请填日期"),
        ({"type": "datetime", "subtype": "date"}, "昨天", "请填日期"),
        ({"type": "datetime", "subtype": "time"}, "24:00", "请填时间"),
        ({"type": "datetime", "subtype": "datetime"}, "2026-09-24", "请填日期和时间"),
        ({"type": "phone"}, "1380000000", "请填11位手机号"),
        ({"type": "phone"}, "23800000000", "请填11位手机号"),
        ({"type": "email"}, "lin@", "请填完整的邮箱"),
        ({"type": "idnumber"}, "110105194912310021", "有一位不对"),
        ({"type": "idnumber"}, "110105194913310025", "有一位不对"),
        ({"type": "idnumber"}, "1101051949", "是18位"),
        ({"type": "uscc"}, "91350100M000100Y42", "有一位不对"),
        ({"type": "uscc"}, "91350100I000100Y43", "是18位"),
        ({"type": "filepicker"}, ["a", "b"], "最多1项"),
        ({"type": "filepicker", "multiple": True}, [3], "请至少上传一个文件"),
        ({"type": "checkbox"}, "yes", "只能勾选或者不勾选"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_type(component: dict[str, Any], typed: Any, says: str) -> None:
    assert says in refusal(component, typed)


def test_a_choice_outside_the_list_is_refused() -> None:
    assert refusal(radio("x", "a", "b"), "c") == "请从列出的选项中选择"
    assert refusal({**radio("x", "a", "b"), "type": "checklist"}, ["a", "c"]) == "请从列出的选项中选择"


def test_ticks_are_kept_in_the_order_of_the_list() -> None:
    assert load({**radio("x", "a", "b", "c"), "type": "checklist"}, ["c", "a"]) == ["a", "c"]


def test_options_may_come_from_the_case() -> None:
    component = {"type": "select", "valuesExpression": "=bodies"}
    bodies = [{"value": "m1", "label": "云溪人民调解委员会"}]
    assert load(component, "m1", bodies=bodies) == "m1"
    assert refusal(component, "m2", bodies=bodies) == "请从列出的选项中选择"


def test_a_past_day_is_refused_only_where_the_form_says_so() -> None:
    strict = {"type": "datetime", "subtype": "date", "disallowPassedDates": True}
    assert load({"type": "datetime"}, "2020-01-01", today="2026-09-23") == "2020-01-01"
    assert load(strict, "2026-09-23", today="2026-09-23") == "2026-09-23"
    assert "已经过去" in refusal(strict, "2026-09-22", today="2026-09-23")


@pytest.mark.parametrize(
    ("component", "says"),
    [
        ({"type": "textfield"}, "请填写这一项"),
        (radio("x", "a"), "请选一项"),
        ({**radio("x", "a"), "type": "checklist"}, "请至少选一项"),
        ({"type": "checkbox"}, "请先勾选这一项"),
        ({"type": "filepicker"}, "请至少上传一个文件"),
        ({"type": "money"}, "请填写这一项"),
    ],
)
def test_a_required_field_left_empty_says_what_is_missing(component: dict[str, Any], says: str) -> None:
    for empty in (None, "", "  ", [], False):
        assert refusal({**component, **REQUIRED}, empty) == says


def test_messages_are_english_for_english_readers() -> None:
    form = build_form({"type": "money", "key": "x"})
    with pytest.raises(Invalid) as caught:
        form.load({"x": "lots"}, {}, language="en")
    assert caught.value.fields == {"x": ["Please enter an amount in yuan, for example 86.40"]}


def test_no_is_an_answer_to_a_question_and_silence_is_none() -> None:
    form = build_form({"type": "yesno", "key": "sign", **REQUIRED})
    assert form.load({"sign": False}, {}) == {"sign": False}
    assert form.load({"sign": "false"}, {}) == {"sign": False}
    assert form.load({"sign": "true"}, {}) == {"sign": True}
    for silent in ({}, {"sign": None}, {"sign": ""}, {"sign": "perhaps"}, {"sign": 1}):
        with pytest.raises(Invalid):
            form.load(silent, {})
    assert form.fields["sign"] == "boolean"
    drawn = str(form.render({"sign": False}, {}))
    assert drawn.count('type="radio"') == 2
    assert 'value="false" checked' in drawn
