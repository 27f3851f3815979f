"""What is asked, what is hidden, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from core.refusals import Invalid
from forms import compile_form
from tests.forms.builders import REQUIRED, build_form, hidden_when, radio, text

ACCEPTANCE = compile_form((Path(__file__).parent / "acceptance-decision.form").read_bytes())

REASONS = "已书面通知您补交身份证明材料，到期没有收到，所以属于这一项。"


def refused(form: Any, answer: dict[str, Any], context: dict[str, Any] | None = None) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        form.load(answer, context or {})
    return caught.value.fields


def test_an_acceptance_needs_only_the_decision() -> None:
    assert ACCEPTANCE.load({"decision": "accept"}, {}) == {"decision": "accept"}


def test_a_refusal_needs_ground_reasons_and_routes() -> None:
    assert set(refused(ACCEPTANCE, {"decision": "refuse"})) == {"ground", "reasons", "routes_told"}


def test_a_whole_refusal_is_loaded() -> None:
    answer = {"decision": "refuse", "ground": "5", "reasons": REASONS, "routes_told": True}
    assert ACCEPTANCE.load(answer, {}) == answer


def test_the_case_decides_whether_a_legal_review_is_asked() -> None:
    answer = {"decision": "refuse", "ground": "5", "reasons": REASONS, "routes_told": True}
    assert set(refused(ACCEPTANCE, answer, {"flags": ["a", "b"]})) == {"legal_review"}
    reviewed = {**answer, "legal_review": "同意，张复核"}
    assert ACCEPTANCE.load(reviewed, {"flags": ["a", "b"]})["legal_review"] == "同意，张复核"
    assert "legal_review" in refused(ACCEPTANCE, reviewed, {"flags": ["a"]})


def test_what_is_hidden_is_dropped_when_empty_and_refused_when_filled() -> None:
    assert ACCEPTANCE.load({"decision": "accept", "ground": "", "routes_told": False}, {}) == {"decision": "accept"}
    assert "ground" in refused(ACCEPTANCE, {"decision": "accept", "ground": "5"})


def test_a_field_hidden_by_a_hidden_field_is_hidden_too() -> None:
    """Ground 7 was chosen, then the decision turned to accept: its legal basis is not asked."""
    form = build_form(
        radio("decision"),
        radio("ground", "6", "7", **hidden_when('decision != "refuse"')),
        text("basis", **REQUIRED, **hidden_when('ground != "7"')),
    )
    assert form.visible({"decision": "accept", "ground": "7"}, {}) == {"decision"}
    assert form.load({"decision": "refuse", "ground": "6"}, {}) == {"decision": "refuse", "ground": "6"}
    assert set(refused(form, {"decision": "refuse", "ground": "7"})) == {"basis"}


def test_unknown_fields_are_refused() -> None:
    assert refused(build_form(text()), {"name": "a", "role": "admin"}) == {"role": ["表单里没有这一项"]}


def test_an_answer_cannot_shadow_the_case_with_a_field_that_is_hidden() -> None:
    form = build_form(text("secret", **hidden_when("true")), text("other", **hidden_when('flag != "yes"')))
    assert refused(form, {"flag": "yes", "other": "x"}) == {
        "flag": ["表单里没有这一项"],
        "other": ["按现在的选择，这一项不用填，请清空"],
    }


def test_what_was_left_empty_is_null_and_what_was_not_asked_is_absent() -> None:
    form = build_form(
        text("a"),
        {"type": "checkbox", "key": "b"},
        {"type": "filepicker", "key": "c"},
        text("d", **hidden_when("true")),
    )
    assert form.load({}, {}) == {"a": None, "b": False, "c": []}


def test_rows_are_loaded_one_by_one_and_errors_name_their_row() -> None:
    form = build_form(
        {
            "type": "dynamiclist",
            "path": "items",
            "components": [text("what", **REQUIRED), {"type": "money", "key": "price"}],
        }
    )
    loaded = form.load({"items": [{"what": "手机", "price": "3699"}, {"what": " ", "price": ""}]}, {})
    assert loaded == {"items": [{"what": "手机", "price": 369900}]}
    assert refused(form, {"items": [{"what": "手机"}, {"price": "5"}]}) == {"items.1.what": ["请填写这一项"]}
    assert refused(form, {"items": {"what": "手机"}}) == {"items": ["这一项要逐行填写"]}


def test_conditions_in_a_row_see_their_row() -> None:
    form = build_form(
        {
            "type": "dynamiclist",
            "path": "items",
            "components": [radio("kind", "new", "old"), text("age", **REQUIRED, **hidden_when('kind != "old"'))],
        }
    )
    assert form.load({"items": [{"kind": "new"}]}, {}) == {"items": [{"kind": "new"}]}
    assert set(refused(form, {"items": [{"kind": "new"}, {"kind": "old"}]})) == {"items.1.age"}


def test_a_group_without_a_path_keeps_its_values_beside_the_others() -> None:
    form = build_form({"type": "group", "id": "g", "components": [text("a")]}, text("b"))
    assert form.load({"a": "1", "b": "2"}, {}) == {"a": "1", "b": "2"}
    assert form.fields == {"a": "string", "b": "string"}


def test_a_hidden_group_hides_what_is_in_it() -> None:
    form = build_form(
        radio("decision"),
        {
            "type": "group",
            "id": "g",
            "components": [text("why", **REQUIRED)],
            **hidden_when('decision != "refuse"'),
        },
    )
    assert form.load({"decision": "accept"}, {}) == {"decision": "accept"}
    assert set(refused(form, {"decision": "refuse"})) == {"why"}


def test_a_group_with_a_path_keeps_its_values_below_it() -> None:
    form = build_form({"type": "group", "path": "address", "components": [text("street", **REQUIRED)]})
    assert form.load({"address": {"street": "云溪路1号"}}, {}) == {"address": {"street": "云溪路1号"}}
    assert refused(form, {}) == {"address.street": ["请填写这一项"]}
    assert refused(form, {"address": "云溪路"}) == {"address": ["这一组要逐项填写"]}
    assert form.fields == {"address": "context"}


def test_a_condition_that_cannot_be_evaluated_leaves_the_field_asked() -> None:
    form = build_form(text("a", **REQUIRED, **hidden_when("count(nothing) > 2")))
    assert set(refused(form, {})) == {"a"}


@pytest.mark.parametrize("answer", [[], "x", None, 3])
def test_an_answer_that_is_no_object_is_refused(answer: Any) -> None:
    with pytest.raises(Invalid):
        build_form(text()).load(answer, {})


def test_numbers_and_ticks_reach_conditions_as_such() -> None:
    form = build_form(
        {"type": "money", "key": "sum"},
        {"type": "checkbox", "key": "sure"},
        text("big", **REQUIRED, **hidden_when("sum = null or sum <= 100000")),
        text("why", **REQUIRED, **hidden_when("not(sure)")),
    )
    assert form.load({"sum": "1000"}, {}) == {"sum": 100000, "sure": False}
    assert set(refused(form, {"sum": "1000.01", "sure": True})) == {"big", "why"}
