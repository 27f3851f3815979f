"""The part of JUEL that means the same in FEEL, and what is refused."""

import pytest

import feel
from engine import juel


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("${approved}", "approved"),
        ("${!approved}", "approved != true"),
        ("${not confirmed}", "confirmed != true"),
        ("${amount > 1000}", "amount > 1000"),
        ("${x == 'a' && y}", 'x = "a" and y'),
        ("#{input == 3 || input == 1}", "input = 3 or input = 1"),
        ("${a || b && c}", "a or b and c"),
        ("${(a || b) && c}", "(a or b) and c"),
        ("${!(a && b || c)}", "(a and b or c) != true"),
        ("${a == b == c}", "(a = b) = c"),
        ("${5-2}", "5 - 2"),
        ("${1 - (2 - 3)}", "1 - (2 - 3)"),
        ("${-1 < x}", "0 - 1 < x"),
        ("${a ? 'x' : 'y'}", 'if a then "x" else "y"'),
        ("${nrOfCompletedInstances == 6}", "numberOfCompletedInstances = 6"),
        ("${x eq 'it\\'s \"q\"'}", 'x = "it\'s \\"q\\""'),
    ],
)
def test_what_means_the_same_is_translated(given: str, wanted: str) -> None:
    assert juel.translate(given) == wanted
    feel.compile(wanted)


@pytest.mark.parametrize(
    "given",
    [
        "${order.total > 5}",
        "${bean.check(execution)}",
        "${list[0]}",
        "${execution}",
        "${a > b}",
        "${x + 1}",
        "${x / 2 == 1}",
        "${x == 1 && 'text'}",
        "${1 == 'a'}",
        "${empty x}",
        "prefix ${x}",
        "${}",
        "${a == }",
        "${(a}",
        "${a ? b}",
        "${a b}",
        "${a § b}",
        "${" + "(" * 500 + "a" + ")" * 500 + "}",
        "${" + "!" * 500 + "a}",
        "${" + "a && " * 5000 + "a}",
    ],
)
def test_what_hangs_on_java_or_on_conversions_is_refused(given: str) -> None:
    with pytest.raises(juel.NotTranslated) as refused:
        juel.translate(given)
    assert refused.value.zh and refused.value.en


@pytest.mark.parametrize(
    ("expression", "data", "wanted"),
    [
        # What is missing is false in JUEL, and its negation true.
        ("${!approved}", {"approved": None}, True),
        ("${!approved}", {"approved": True}, False),
        ("${!(amount > 5)}", {"amount": None}, True),
        ("${!(amount > 5)}", {"amount": 6}, False),
        ("${a && !b}", {"a": True, "b": None}, True),
        ("${x == null}", {"x": None}, True),
    ],
)
def test_a_translation_answers_as_juel_would(expression: str, data: dict[str, object], wanted: bool) -> None:
    assert feel.compile(juel.translate(expression)).evaluate(data) is wanted


def test_only_what_names_no_variable_is_fixed() -> None:
    assert juel.is_fixed("${true}")
    assert juel.is_fixed("${1 + 1 == 2}")
    assert not juel.is_fixed("${bean}")
    assert not juel.is_fixed("${nrOfInstances}")
