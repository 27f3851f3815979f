"""Decision tables: every hit policy, enforced."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

import feel
import feel.dmn
from feel.dmn import DmnError, DmnEvaluationError
from tests.feel.dmn.build import table

N = Decimal
OVERLAPPING: Sequence[tuple[Sequence[str], Sequence[str]]] = [
    (["< 10"], ['"low"']),
    (["> 5"], ['"high"']),
    (["= 7"], ['"seven"']),
]
ORDER = (("out", '"seven", "high", "low"'),)


@pytest.mark.parametrize(
    ("policy", "x", "value", "matched"),
    [
        ("UNIQUE", 1, "low", ["r1"]),
        ("UNIQUE", 20, "high", ["r2"]),
        ("FIRST", 7, "low", ["r1"]),
        ("PRIORITY", 7, "seven", ["r1", "r2", "r3"]),
        ("PRIORITY", 6, "high", ["r1", "r2"]),
        ("RULE ORDER", 7, ["low", "high", "seven"], ["r1", "r2", "r3"]),
        ("OUTPUT ORDER", 7, ["seven", "high", "low"], ["r1", "r2", "r3"]),
        ("COLLECT", 7, ["low", "high", "seven"], ["r1", "r2", "r3"]),
        ("ANY", 1, "low", ["r1"]),
    ],
)
def test_each_hit_policy_makes_its_own_answer(policy: str, x: int, value: object, matched: list[str]) -> None:
    result = feel.dmn.parse(table(policy, OVERLAPPING, outputs=ORDER), "t").evaluate("answer", {"x": x})
    assert (result.value, result.matched) == (value, matched)


@pytest.mark.parametrize(
    ("policy", "rules", "code"),
    [("UNIQUE", ("r1", "r2", "r3"), "table.unique"), ("ANY", ("r1", "r2"), "table.any")],
)
def test_a_violated_hit_policy_is_an_error_that_names_the_rules(
    policy: str, rules: tuple[str, ...], code: str
) -> None:
    decisions = feel.dmn.parse(table(policy, OVERLAPPING), "t")
    with pytest.raises(DmnEvaluationError) as caught:
        decisions.evaluate("answer", {"x": 7})
    assert caught.value.rules == rules
    assert (caught.value.findings[0].code, caught.value.findings[0].element) == (code, "table")


def test_any_is_content_when_the_rules_agree() -> None:
    agreeing = [(["< 10"], ['"same"']), (["> 5"], ['"same"'])]
    result = feel.dmn.parse(table("ANY", agreeing), "t").evaluate("answer", {"x": 7})
    assert result.value == "same"


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [("SUM", N(8)), ("MIN", N(1)), ("MAX", N(4)), ("COUNT", N(3)), ("", [N(1), N(3), N(4)])],
)
def test_collected_answers_are_aggregated(aggregation: str, value: object) -> None:
    rules = [(["> 0"], ["1"]), (["> 1"], ["3"]), (["> 2"], ["4"]), (["> 9"], ["100"])]
    xml = table("COLLECT", rules, aggregation=aggregation)
    assert feel.dmn.parse(xml, "t").evaluate("answer", {"x": 5}).value == value


@pytest.mark.parametrize(
    ("policy", "aggregation", "value"),
    [
        ("UNIQUE", "", None),
        ("FIRST", "", None),
        ("RULE ORDER", "", []),
        ("COLLECT", "", []),
        ("COLLECT", "COUNT", N(0)),
    ],
)
def test_nothing_holds(policy: str, aggregation: str, value: object) -> None:
    xml = table(policy, [(["> 100"], ["1"])], aggregation=aggregation)
    assert feel.dmn.parse(xml, "t").evaluate("answer", {"x": 1}).value == value


def test_default_entries_answer_when_nothing_holds() -> None:
    outputs = (("a", ""), ("b", ""))
    xml = table("UNIQUE", [(["> 100"], ["1", "2"])], outputs=outputs, defaults=["0", '"none"'])
    assert feel.dmn.parse(xml, "t").evaluate("answer", {"x": 1}).value == {"a": N(0), "b": "none"}


@pytest.mark.parametrize(
    ("cell", "x", "holds"),
    [
        ("-", None, True),
        ("", None, True),
        ("1", 1, True),
        ('"a", "b"', "b", True),
        ('not("a", "b")', "b", False),
        ('not("a", "b")', "c", True),
        ("null", None, True),
        ("not(null)", None, False),
        ("not(null)", 1, True),
        ("[1..5]", 5, True),
        ("]1..5[", 5, False),
        ("< 5, > 10", 11, True),
        ("? > 5 and ? < 10", 7, True),
        ("? + 1 = 8", 7, True),
        ('starts with(?, "云")', "云溪", True),
        ("limit", 9, True),
        (">= limit", 8, False),
        ("limits", 2, True),
        ("> 5", None, False),
        ("> 5", "text", False),
        ("true", True, True),
        ("true", 1, False),
        ("-5", -5, True),
    ],
)
def test_a_cell_holds(cell: str, x: object, holds: bool) -> None:
    xml = table("FIRST", [([cell], ["1"])])
    result = feel.dmn.parse(xml, "t").evaluate("answer", {"x": x, "limit": 9, "limits": [1, 2, 3]})
    assert (result.value == 1) is holds


def test_a_value_outside_the_allowed_ones_is_refused_and_not_passed_over() -> None:
    xml = table("FIRST", [(['"a"'], ["1"])], types=["string"], allowed=['"a","b"'])
    decisions = feel.dmn.parse(xml, "t")
    assert decisions.evaluate("answer", {"x": "b"}).value is None
    with pytest.raises(DmnEvaluationError) as caught:
        decisions.evaluate("answer", {"x": "c"})
    assert caught.value.findings[0].code == "input.value"


def test_a_value_of_another_type_is_refused() -> None:
    decisions = feel.dmn.parse(table("FIRST", [(["> 1"], ["1"])], types=["number"]), "t")
    with pytest.raises(DmnEvaluationError, match="must be a number, not a string"):
        decisions.evaluate("answer", {"x": "7"})


def test_dates_that_come_from_json_as_text_are_read_by_the_type_of_their_column() -> None:
    decisions = feel.dmn.parse(table("FIRST", [(['> date("2026-10-01")'], ["1"])], types=["date"]), "t")
    assert decisions.evaluate("answer", {"x": "2026-11-22"}).value == 1
    assert decisions.evaluate("answer", {"x": "2026-09-22"}).value is None


@pytest.mark.parametrize(
    ("xml", "code", "element"),
    [
        (table("UNIQUE", [(["1 +"], ["1"])]), "feel.syntax", "r1"),
        (table("UNIQUE", [(["1"], ["max(1"])]), "feel.syntax", "r1"),
        (table("UNIQUE", [(["1", "2"], ["1"])]), "table.cells", "r1"),
        (table("PRIORITY", [(["1"], ["1"])]), "table.priorities", "table"),
        (table("SOMETIMES", [(["1"], ["1"])]), "table.policy", "table"),
        (table("UNIQUE", [(["1"], ["1"])], inputs=["a b +"]), "feel.syntax", "table"),
    ],
)
def test_a_broken_table_is_refused_when_it_is_read(xml: bytes, code: str, element: str) -> None:
    with pytest.raises(DmnError) as caught:
        feel.dmn.parse(xml, "t")
    assert (caught.value.findings[0].code, caught.value.findings[0].element) == (code, element)
    assert caught.value.findings[0].zh != caught.value.findings[0].en


WORKFLOWS = Path(__file__).resolve().parents[3] / "workflows" / "dmn"


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.dmn")), ids=lambda path: path.name)
def test_the_tables_of_the_procedure_are_sound(path: Path) -> None:
    assert feel.dmn.parse(path.read_bytes(), path.name).names


def test_the_grounds_for_refusal_are_all_listed() -> None:
    decisions = feel.dmn.parse((WORKFLOWS / "acceptance.dmn").read_bytes(), "acceptance.dmn")
    facts = {
        "in_remit": False,
        "handled_by": "court",
        "for_living": True,
        "dispute_shown": True,
        "received_on": "2026-11-22",
        "limitation_ends_on": feel.from_json("2026-11-21", "date"),
        "materials": "complete",
        "identity": "verified",
    }
    result = decisions.evaluate("refusal_grounds", facts)
    assert result.matched == ["ground_1", "ground_2", "ground_5"]
    assert [feel.to_json(each["item"]) for each in result.value] == [1, 2, 4]  # type: ignore[attr-defined]
