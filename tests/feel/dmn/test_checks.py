"""Table checks: each planted fault is found with an example that shows it, and nothing is found that is not so."""

import random
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations, product
from typing import Any

import pytest

import feel.dmn
from feel.dmn import Decisions, DmnError, TableFinding, check_tables
from tests.feel.dmn.build import HEAD, table

Rules = Sequence[tuple[Sequence[str], Sequence[str]]]


def checked(policy: str, rules: Rules, **more: Any) -> tuple[Decisions, list[TableFinding]]:
    decisions = feel.dmn.parse(table(policy, rules, **more), "t")
    return decisions, check_tables(decisions)


def codes(findings: list[TableFinding]) -> list[str]:
    return [finding.code for finding in findings]


NUMBER = {"types": ["number"]}


@pytest.mark.parametrize(
    ("rules", "more", "pair", "where"),
    [
        ([(["< 10"], ["1"]), (["> 5"], ["2"])], NUMBER, ("r1", "r2"), lambda x: 5 < x < 10),
        ([(["<= 5"], ["1"]), ([">= 5"], ["2"])], NUMBER, ("r1", "r2"), lambda x: x == 5),
        ([(["[0..5)"], ["1"]), (["not([0..4])"], ["2"])], NUMBER, ("r1", "r2"), lambda x: 4 < x < 5),
        (
            [(["? > 1 and ? < 3"], ["1"]), (["2, 9"], ["2"]), (["> 9"], ["3"])],
            NUMBER,
            ("r1", "r2"),
            lambda x: x == 2,
        ),
        ([(["? between 0 and 5"], ["1"]), (["-"], ["2"])], NUMBER, ("r1", "r2"), lambda x: 0 <= x <= 5),
        ([(['"a", "b"'], ["1"]), (['not("a")'], ["2"])], {"types": ["string"]}, ("r1", "r2"), lambda x: x == "b"),
        ([(["true"], ["1"]), (["not(false)"], ["2"])], {"types": ["boolean"]}, ("r1", "r2"), lambda x: x is True),
        ([(["-"], ["1"]), (["-"], ["2"])], NUMBER, ("r1", "r2"), lambda x: True),
        (
            [(['< date("2026-12-01")'], ["1"]), (['>= @"2026-11-30"'], ["2"])],
            {"types": ["date"]},
            ("r1", "r2"),
            lambda x: x == "2026-11-30",
        ),
        (
            [(['<= duration("P10D")'], ["1"]), (['> duration("P9D")'], ["2"])],
            {"types": ["days and time duration"]},
            ("r1", "r2"),
            lambda x: x > "P9D",
        ),
        (
            [(['starts with(?, "ab")'], ["1"]), (['"abc"'], ["2"])],
            {"types": ["string"]},
            ("r1", "r2"),
            lambda x: x == "abc",
        ),
    ],
)
def test_an_overlap_is_found_with_an_example_that_both_rules_take(
    rules: Rules, more: dict[str, Any], pair: tuple[str, str], where: Any
) -> None:
    decisions, findings = checked("UNIQUE", rules, defaults=["0"], **more)
    (found,) = [each for each in findings if each.code == "table.overlap"]
    assert (found.severity, found.rules, found.element) == ("error", pair, pair[1])
    with pytest.raises(DmnError, match="hold together"):
        decisions.evaluate("answer", decisions.read_json(found.example))
    if found.example:
        assert where(found.example["x"])
    assert "规则 1 与规则 2 重叠" in found.zh
    assert "Rules 1 and 2 overlap" in found.en


@pytest.mark.parametrize(
    ("rules", "more", "where"),
    [
        ([(["< 5"], ["1"]), (["> 5"], ["2"])], NUMBER, lambda x: x == 5),
        ([(["[0..5]"], ["1"]), (["> 5"], ["2"])], NUMBER, lambda x: x < 0),
        ([(["< 5"], ["1"]), ([">= 6"], ["2"])], NUMBER, lambda x: 5 <= x < 6),
        ([(["true"], ["1"])], {"types": ["boolean"]}, lambda x: x is False),
        ([(['"a"'], ["1"])], {"types": ["string"], "allowed": ['"a", "b"']}, lambda x: x == "b"),
        ([(['"a"'], ["1"])], {"types": ["string"]}, lambda x: x != "a"),
        ([(["[0..50]"], ["1"])], {"types": ["number"], "allowed": ["[0..100]"]}, lambda x: 50 < x <= 100),
        ([(['< date("2026-12-01")'], ["1"])], {"types": ["date"]}, lambda x: x >= "2026-12-01"),
    ],
)
@pytest.mark.parametrize("policy", ["UNIQUE", "FIRST", "ANY"])
def test_a_gap_is_found_with_an_example_that_no_rule_takes(
    policy: str, rules: Rules, more: dict[str, Any], where: Any
) -> None:
    decisions, findings = checked(policy, rules, **more)
    (found,) = findings
    assert (found.code, found.severity, found.element) == ("table.gap", "warning", "table")
    result = decisions.evaluate("answer", decisions.read_json(found.example))
    assert (result.value, result.matched) == (None, [])
    assert where(found.example["x"])


def test_a_default_or_a_list_of_answers_leaves_no_gap() -> None:
    rules: Rules = [(["< 5"], ["1"])]
    assert checked("UNIQUE", rules, defaults=["0"], **NUMBER)[1] == []
    for policy in ("COLLECT", "RULE ORDER"):
        assert checked(policy, rules, **NUMBER)[1] == []


def test_days_have_no_gap_between_one_and_the_next() -> None:
    rules: Rules = [(['<= @"2026-11-30"'], ["1"]), (['>= @"2026-12-01"'], ["2"])]
    assert checked("UNIQUE", rules, types=["date"])[1] == []


def test_only_rules_that_disagree_are_wrong_under_any() -> None:
    rules: Rules = [(["< 10"], ['"a"']), (["> 5"], ['"a"']), (["7"], ['"b"']), (["[5..10]"], ["unknown"])]
    _, findings = checked("ANY", rules, **NUMBER)
    assert [(each.code, each.rules) for each in findings] == [
        ("table.any", ("r1", "r3")),
        ("table.any", ("r2", "r3")),
    ]


@pytest.mark.parametrize(
    ("policy", "rules", "more", "masked"),
    [
        ("FIRST", [(["> 5"], ["1"]), (["> 7"], ["2"]), (["-"], ["3"])], NUMBER, ["r2"]),
        ("FIRST", [(["< 5"], ["1"]), ([">= 5"], ["2"]), (["null"], ["3"])], NUMBER, []),
        ("FIRST", [(["-"], ["1"]), (["1"], ["2"])], NUMBER, ["r2"]),
        ("FIRST", [(["true"], ["1"]), (["false"], ["2"]), (["not(null)"], ["3"])], {"types": ["boolean"]}, ["r3"]),
        ("FIRST", [(["true"], ["1"]), (["false"], ["2"]), (["-"], ["3"])], {"types": ["boolean"]}, []),
        ("FIRST", [(["> limit"], ["1"]), (["> 7"], ["2"]), (["-"], ["3"])], NUMBER, []),
        (
            "FIRST",
            [(['"a"'], ["1"]), (['"b"'], ["2"]), (['"a", "b"'], ["3"]), (["-"], ["4"])],
            {"types": ["string"]},
            ["r3"],
        ),
        (
            "PRIORITY",
            [(["> 7"], ['"low"']), (["> 5"], ['"high"']), (["<= 5"], ['"low"'])],
            {**NUMBER, "outputs": (("out", '"high", "low"'),)},
            ["r1"],
        ),
    ],
)
def test_a_rule_that_never_has_its_say_is_found(
    policy: str, rules: Rules, more: dict[str, Any], masked: list[str]
) -> None:
    decisions, findings = checked(policy, rules, **more)
    found = [each for each in findings if each.code == "table.masked"]
    assert [each.rules[0] for each in found] == masked
    for each in found:
        result = decisions.evaluate("answer", decisions.read_json(each.example))
        if policy == "PRIORITY":
            assert (each.rules[0] in result.matched, result.value) == (True, "high")
        else:
            assert each.rules[0] not in result.matched
        assert each.severity == "error"


def test_the_same_rule_twice_is_found_where_the_policy_does_not_say_it() -> None:
    rules: Rules = [(["> 5"], ["1"]), (["> 6"], ["1"]), (["> 5"], ["1"]), (["> 5"], ["2"])]
    _, findings = checked("RULE ORDER", rules, **NUMBER)
    assert [(each.code, each.rules) for each in findings] == [("table.duplicate", ("r1", "r3"))]


@pytest.mark.parametrize(
    ("cell", "more", "code"),
    [
        ("[10..5]", NUMBER, "table.never"),
        ("? > 5 and ? < 3", NUMBER, "table.never"),
        ("> 100", {"types": ["number"], "allowed": ["[0..100]"]}, "table.never"),
        ("< 0, > 100", {"types": ["number"], "allowed": ["[0..100]"]}, "table.never"),
        ('"stroe"', {"types": ["string"], "allowed": ['"store", "online"']}, "table.value"),
        ('"x", "online"', {"types": ["string"], "allowed": ['"store", "online"']}, "table.value"),
        ('"5"', NUMBER, "feel.compare"),
        ("n > 5", NUMBER, "feel.compare"),
    ],
)
def test_an_entry_that_no_value_can_pass_is_found(cell: str, more: dict[str, Any], code: str) -> None:
    _, findings = checked("COLLECT", [([cell], ["1"]), (["-"], ["2"])], **more)
    assert code in codes(findings)
    assert all(each.severity == "error" for each in findings)
    if cell == '"stroe"':
        assert "Did you mean store?" in findings[0].en


def test_an_entry_that_only_nothing_passes_is_not_called_impossible() -> None:
    more = {"types": ["string"], "allowed": ['"a", "b"']}
    assert checked("FIRST", [(['"a"'], ["1"]), (['"b"'], ["2"]), (['not("a", "b")'], ["3"])], **more)[1] == []


def test_answers_are_held_against_their_column() -> None:
    xml = table("COLLECT", [(["1"], ['"hihg"']), (["2"], ['"low"'])], outputs=(("out", '"high", "low"'),), **NUMBER)
    (found,) = check_tables(feel.dmn.parse(xml, "t"))
    assert (found.code, found.severity, found.rules) == ("table.value", "error", ("r1",))
    assert "Did you mean high?" in found.en
    typed = xml.replace(
        b'<output name="out"><outputValues><text>"high", "low"</text></outputValues>',
        b'<output name="out" typeRef="number">',
    )
    assert codes(check_tables(feel.dmn.parse(typed, "t"))) == ["table.output_type", "table.output_type"]


def test_allowed_values_of_a_type_are_those_of_the_column() -> None:
    item = '<itemDefinition name="level"><typeRef>string</typeRef><allowedValues><text>"low", "high"</text></allowedValues></itemDefinition>'
    xml = table("UNIQUE", [(['"low"'], ["1"]), (['"hihg"'], ["2"])], types=["level"]).replace(
        HEAD.encode(), (HEAD + item).encode()
    )
    found = check_tables(feel.dmn.parse(xml, "t"))
    assert sorted(codes(found)) == ["table.gap", "table.never", "table.value"]
    assert next(each.example for each in found if each.code == "table.gap") == {"x": "high"}


def test_columns_that_hang_together_are_said_to_be_taken_as_free() -> None:
    rules: Rules = [(["> 5", "-"], ["1"]), (["-", "true"], ["2"])]
    _, findings = checked("UNIQUE", rules, inputs=("x", "x > 5"), types=["number", "boolean"])
    overlap = next(each for each in findings if each.code == "table.overlap")
    assert overlap.severity == "warning"
    assert "近似" in overlap.zh
    assert "Approximated" in overlap.en


def test_what_depends_on_more_than_its_value_is_never_judged() -> None:
    rules: Rules = [(["> limit"], ["1"]), (["<= limit"], ["2"])]
    assert checked("UNIQUE", rules, **NUMBER)[1] == []
    assert checked("UNIQUE", [(["!= limit"], ["1"]), (["!= other"], ["2"])], **NUMBER)[1] == []
    assert checked("FIRST", [(["limit"], ["1"]), (["limit"], ["2"]), (["-"], ["3"])], **NUMBER)[1] == []


def test_texts_that_are_ordered_are_not_called_impossible() -> None:
    rules: Rules = [(['< "m"'], ["1"]), (['> "m"'], ["2"]), (['("a".."f")'], ["3"]), (["-"], ["4"])]
    assert checked("COLLECT", rules, types=["string"])[1] == []


def test_a_giant_table_is_checked_within_bounds() -> None:
    dice = random.Random(7)
    for size in (30, 80):
        rules = [([f"> {dice.randrange(999)}" for _ in range(8)], [str(n)]) for n in range(size)]
        more = {"inputs": [f"x{n}" for n in range(8)], "types": ["number"] * 8}
        _, findings = checked("FIRST", rules, **more)
        assert "table.too_large" in codes(findings)
        assert len(findings) <= 60


# -- against brute force ------------------------------------------------------------------------------------------

_GRID: dict[str, list[Any]] = {
    "number": [Decimal(n) / 2 for n in range(-2, 13)],
    "string": ["a", "b", "c", "其他"],
    "boolean": [True, False],
}


def _cell(dice: random.Random, of: str) -> str:
    if dice.random() < 0.25:
        return "-"
    if of == "boolean":
        return dice.choice(["true", "false", "not(true)"])
    if of == "string":
        return dice.choice(['"a"', '"b"', '"a", "b"', 'not("a")', 'not("b", "c")', '? = "c"'])
    low, high = sorted(dice.sample(range(6), 2))
    return dice.choice(
        [
            f"< {low}",
            f">= {high}",
            f"[{low}..{high}]",
            f"({low}..{high})",
            f"{low}, {high}",
            f"not([{low}..{high}))",
            f"? > {low}",
        ]
    )


@pytest.mark.parametrize("policy", ["UNIQUE", "FIRST"])
def test_random_tables_are_judged_as_brute_force_judges_them(policy: str) -> None:
    dice = random.Random(20261122)
    seen = {"overlap": 0, "gap": 0, "masked": 0}
    for _ in range(60):
        of = [dice.choice(list(_GRID)) for _ in range(dice.randint(1, 3))]
        rules = [([_cell(dice, each) for each in of], [str(n)]) for n in range(dice.randint(2, 5))]
        names = [f"x{n}" for n in range(len(of))]
        _, findings = checked(policy, rules, inputs=names, types=of)
        # COLLECT over the same rules tells which of them hold together.
        collecting = feel.dmn.parse(table("COLLECT", rules, inputs=names, types=of), "t")
        held = [
            collecting.evaluate("answer", dict(zip(names, point, strict=True))).matched
            for point in product(*(_GRID[each] for each in of))
        ]
        assert ("table.gap" in codes(findings)) == any(not each for each in held), rules
        seen["gap"] += any(not each for each in held)
        if policy == "UNIQUE":
            pairs = {pair for each in held for pair in combinations(each, 2)}
            assert {each.rules for each in findings if each.code == "table.overlap"} == pairs, rules
            seen["overlap"] += len(pairs)
        else:
            empty = {f"r{n}" for n, (cells, _) in enumerate(rules, 1) if not any(f"r{n}" in each for each in held)}
            null = collecting.evaluate("answer", {}).matched[:1]
            first = {each[0] for each in held if each} | set(null)
            later = {f"r{n}" for n in range(1, len(rules) + 1)} - first - empty
            told = {each.rules[0] for each in findings if each.code == "table.masked"}
            assert told <= {f"r{n}" for n in range(1, len(rules) + 1)} - first, rules
            some_null = any("not(" in cell for cells, _ in rules for cell in cells)
            if not some_null and not any("-" in cells for cells, _ in rules):
                assert later <= told, rules
            seen["masked"] += len(told)
    assert all(seen[what] > 5 for what in (("overlap", "gap") if policy == "UNIQUE" else ("masked", "gap")))


def test_cells_that_cost_much_are_not_judged_and_hold_up_nobody() -> None:
    costly = "count(for i in 1..100000 return i)"
    rules = [([f"> {costly}"], [costly]) for _ in range(200)]
    _, findings = checked("UNIQUE", rules, **NUMBER)
    assert "table.overlap" not in codes(findings)
