"""What a check of a form finds."""

from typing import Any

import pytest

from forms import FormError, compile_form
from tests.forms.builders import build_content, build_form, hidden_when, radio, text


def codes(*components: dict[str, Any]) -> set[tuple[str, str]]:
    return {(f.element, f.code) for f in build_form(*components).check()}


@pytest.mark.parametrize(
    ("component", "code"),
    [
        ({"type": "html", "content": "<b>x</b>"}, "form.unknown_type"),
        ({"type": "iframe"}, "form.unknown_type"),
        ({"type": "button"}, "form.unknown_type"),
        ({"type": "hologram"}, "form.unknown_type"),
        ({"type": "textfield"}, "form.no_key"),
        ({"type": "textfield", "key": "a.b"}, "form.bad_key"),
        ({"type": "textfield", "key": "_hidden"}, "form.bad_key"),
        ({"type": "textfield", "key": "a", "label": ""}, "form.no_label"),
        ({"type": "textfield", "key": "a", "readonly": True}, "form.read_only"),
        ({"type": "radio", "key": "a"}, "form.no_values"),
        (radio("a", "x", "x"), "form.duplicate_value"),
        ({"type": "number", "key": "a", "validate": {"min": "=other"}}, "form.bad_rule"),
        ({"type": "textfield", "key": "a", "validate": {"pattern": "("}}, "form.bad_rule"),
        ({"type": "datetime", "key": "a", "subtype": "century"}, "form.bad_rule"),
        (text("a", **hidden_when("decision = = 1")), "form.expression"),
        (text("a", **hidden_when("amount / 3 = 1")), "form.not_portable"),
        (text("a", **hidden_when('day > @"2026-01-01" + span')), "form.not_portable"),
        ({"type": "text", "text": "{{#if x}}a{{/if}}"}, "form.template"),
        ({"type": "text", "text": "{{ 1 + }}"}, "form.expression"),
        ({"type": "table", "dataSource": "=rows"}, "form.no_columns"),
    ],
)
def test_a_fault_is_found_on_its_component(component: dict[str, Any], code: str) -> None:
    element = component.get("key") or component["type"]
    assert codes(component) == {(element, code)}
    assert codes(text("fine"), component) == {(element, code)}


def test_two_fields_with_one_key_are_found() -> None:
    assert ("b", "form.duplicate_key") in codes(text("a"), {**text("a"), "id": "b"})


def test_two_components_with_one_id_are_found() -> None:
    assert ("x", "form.duplicate_id") in codes({**text("a"), "id": "x"}, {**text("b"), "id": "x"})


def test_the_same_key_in_two_scopes_is_no_fault() -> None:
    rows = {"type": "dynamiclist", "path": "items", "components": [{**text("a"), "id": "inner"}]}
    assert codes(text("a"), rows) == set()


def test_findings_speak_both_languages() -> None:
    (finding,) = build_form({"type": "html"}).check()
    assert finding.severity == "error"
    assert "网页代码" in finding.zh
    assert "text block" in finding.en


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b'"x"', b"{"])
def test_what_is_no_form_at_all_is_refused(content: bytes) -> None:
    with pytest.raises(FormError):
        compile_form(content)


def test_a_form_without_components_is_found() -> None:
    assert [f.code for f in compile_form(b'{"id": "x"}').check()] == ["form.components"]


def test_names_are_those_of_the_case() -> None:
    form = build_form(
        radio("decision"),
        text("why", **hidden_when('decision != "refuse" or count(flags) < 2')),
        {"type": "text", "text": "到{{decide_by}}"},
    )
    assert form.names == {"flags", "decide_by"}
    assert form.reacts
    assert not build_form(text("a"), {"type": "text", "text": "{{decide_by}}"}).reacts


def test_the_same_content_is_compiled_once_and_words_change_the_digest() -> None:
    content = build_content(text("a"))
    assert compile_form(content) is compile_form(content)
    assert compile_form(content).digest != compile_form(content, texts={"a": "A"}).digest
    assert compile_form(content).digest != compile_form(build_content(text("b"))).digest


def test_the_catalogue_is_told_key_and_type() -> None:
    form = build_form(
        text("a"),
        {"type": "money", "key": "b"},
        {"type": "checkbox", "key": "c"},
        {"type": "dynamiclist", "path": "d", "components": [text("e")]},
        {"type": "text", "text": "x"},
    )
    assert form.fields == {"a": "string", "b": "number", "c": "boolean", "d": "list"}
    assert [f.key for f in form.inputs] == ["a", "b", "c", "e"]
