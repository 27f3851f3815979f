"""What inference knows of an expression before it runs, and that it never raises a false alarm."""

import random

import pytest

import feel
from feel import ANY, Type, named
from feel.limits import Runtime
from feel.syntax import Arithmetic, Compare, Negate


def of(name: str) -> Type:
    found = named(name)
    assert found is not None
    return found


NAMES = {
    "n": of("number"),
    "s": of("string"),
    "b": of("boolean"),
    "d": of("date"),
    "m": of("date and time"),
    "t": of("time"),
    "days": of("days and time duration"),
    "months": of("years and months duration"),
    "any": ANY,
    "numbers": Type("list", item=of("number")),
    "rows": Type("list", item=Type("context", fields={"id": of("string"), "sum": of("number")})),
    "case": Type("context", fields={"amount": of("number"), "channel": of("string")}),
    "channel": Type("string", allowed=("online", "store", "express")),
    "due": Type("function", parameters=(of("string"), of("date and time")), result=of("date and time")),
}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("n + 1", "number"),
        ('s + "x"', "string"),
        ("m - m", "days and time duration"),
        ("d + days", "date"),
        ("n * months", "years and months duration"),
        ("days / days", "number"),
        ("any + 1", "Any"),
        ("any ** 2", "number"),
        ("n > 1 and b", "boolean"),
        ("if b then 1 else 2", "number"),
        ("if b then 1 else null", "number"),
        ('if b then 1 else "x"', "Any"),
        ("case.amount", "number"),
        ("rows.sum", "list<number>"),
        ("rows[sum > 1]", "list<context<id: string, sum: number>>"),
        ("rows[1].id", "string"),
        ("rows[any]", "Any"),
        ("for r in rows return r.sum", "list<number>"),
        ("for i in 1..3 return i * 2", "list<number>"),
        ("some r in rows satisfies r.sum > 1", "boolean"),
        ("{a: n, b: a + 1}.b", "number"),
        ("(function(x: number) x + 1)(2)", "number"),
        ("count(numbers)", "number"),
        ("max(numbers)", "Any"),
        ('due("C01", m)', "date and time"),
        ("reverse(rows)[1].sum", "number"),
        ("unknown + 1", "Any"),
        ("[1..3].start", "number"),
        ("d.year", "number"),
        ('@"P1D"', "days and time duration"),
    ],
)
def test_the_type_of_a_result_is_known_and_nothing_is_wrong(text: str, kind: str) -> None:
    found = feel.infer(feel.compile(text), NAMES)
    assert (repr(found.type), found.findings) == (kind, [])


@pytest.mark.parametrize(
    ("text", "code", "column", "hint"),
    [
        ('n > "5"', "feel.compare", 3, ""),
        ("s = 5", "feel.compare", 3, ""),
        ("d < m", "feel.compare", 3, ""),
        ("b < true", "feel.compare", 3, ""),
        ("any > true", "feel.compare", 5, ""),
        ('n between 1 and "9"', "feel.compare", 3, ""),
        ('n in ("a", 5)', "feel.compare", 7, ""),
        ("s in [1..5]", "feel.compare", 6, ""),
        ("n + b", "feel.arithmetic", 3, ""),
        ("any - s", "feel.arithmetic", 5, ""),
        ('"a" - "b"', "feel.arithmetic", 5, ""),
        ("d + 1", "feel.arithmetic", 3, ""),
        ("-s", "feel.arithmetic", 1, ""),
        ("b and n", "feel.condition", 7, ""),
        ("if s then 1 else 2", "feel.condition", 4, ""),
        ("not(n)", "feel.condition", 5, ""),
        ("every x in numbers satisfies x", "feel.condition", 30, ""),
        ('numbers["a"]', "feel.condition", 9, ""),
        ("string length(n)", "feel.argument", 15, ""),
        ('substring(s, "1")', "feel.argument", 14, ""),
        ("substring(s)", "feel.count", 1, ""),
        ('due("C01")', "feel.count", 1, ""),
        ("abs(n: 1, x: 2)", "feel.argument", 1, ""),
        ("n(1)", "feel.call", 1, ""),
        ("case.amout", "feel.property", 6, "amount"),
        ("rows.summ", "feel.property", 6, "sum"),
        ("d.hours", "feel.property", 3, ""),
        ('channel = "stor"', "feel.enum", 9, "store"),
        ('"shop" != channel', "feel.enum", 8, ""),
        ('channel in ("online", "stroe")', "feel.enum", 23, "store"),
        ('channel in ["online", "stroe"]', "feel.enum", 12, "store"),
        ('@"2026-13-01" < d', "feel.literal", 1, ""),
        ('date("2026-02-30")', "feel.literal", 1, ""),
    ],
)
def test_what_can_never_work_is_said_where_it_stands(text: str, code: str, column: int, hint: str) -> None:
    found = feel.infer(feel.compile(text), NAMES).findings
    assert [(each.code, each.line, each.column) for each in found] == [(code, 1, column)]
    assert f"did you mean {hint}?" in found[0].en if hint else found[0].zh
    assert any("\u4e00" <= char <= "\u9fff" for char in found[0].zh)


def test_a_name_that_does_not_exist_is_said_only_when_all_names_are_known() -> None:
    expression = feel.compile("amuont > 1")
    assert feel.infer(expression, {"amount": of("number")}).findings == []
    (found,) = feel.infer(expression, {"amount": of("number")}, closed=True).findings
    assert (found.code, found.en) == ("feel.name", "there is no name amuont; did you mean amount?")


def test_a_condition_that_can_never_be_true_or_false_is_said() -> None:
    assert [f.code for f in feel.infer(feel.compile("n + 1"), NAMES, wanted="boolean").findings] == [
        "feel.condition"
    ]
    for text in ("n > 1", "any", "null", "b"):
        assert feel.infer(feel.compile(text), NAMES, wanted="boolean").findings == []
    assert [f.code for f in feel.infer(feel.compile("\nn"), NAMES, wanted="string").findings] == ["feel.type"]
    assert feel.infer(feel.compile("\n n"), NAMES, wanted="string").findings[0][:2] == (2, 2)


@pytest.mark.parametrize(
    ("cell", "kind", "codes"),
    [
        ("> 5", "number", []),
        ('"a", "b"', "string", []),
        ("[1..5], > 10", "number", []),
        ("-", "number", []),
        ("not(null)", "string", []),
        ("? > 5 and n > 1", "number", []),
        ('starts with(?, "a")', "string", []),
        ('> "5"', "number", ["feel.compare"]),
        ('"a"', "number", ["feel.compare"]),
        ("5", "string", ["feel.compare"]),
        ("[1..5]", "string", ["feel.compare"]),
        ("n > 5", "string", ["feel.compare"]),
        ("true", "boolean", []),
        ("n > 5", "boolean", []),
        ("? + true > 1", "number", ["feel.arithmetic"]),
        ("numbers", "number", []),
    ],
)
def test_the_cell_of_a_table_is_held_against_its_column(cell: str, kind: str, codes: list[str]) -> None:
    found = feel.infer_unary(feel.compile_unary(cell), of(kind), NAMES)
    assert [each.code for each in found.findings] == codes


def test_asking_whether_a_choice_was_left_empty_is_no_mistake() -> None:
    assert feel.infer(feel.compile('channel = "" or channel in ("", "store")'), NAMES).findings == []


def test_the_entries_of_a_filtered_item_may_hide_any_name() -> None:
    loose = {**NAMES, "things": Type("list", item=Type("context")), "unknown": ANY}
    for text in ('things[n = "x"]', 'unknown[n = "x"]', 'unknown[item.n = "x" and n > "y"]'):
        assert feel.infer(feel.compile(text), loose).findings == []
    assert feel.infer(feel.compile('rows[n = "x"]'), NAMES).findings != []


_VALUES: dict[str, list[str]] = {
    "n": ["1", "-2.5"],
    "s": ['"a"', '""'],
    "b": ["true", "false"],
    "d": ['@"2026-11-22"'],
    "m": ['@"2026-11-22T10:00:00"'],
    "t": ['@"10:00:00"'],
    "days": ['@"P1D"', '@"PT0S"'],
    "months": ['@"P1M"'],
    "numbers": ["[1, 2]"],
}


def _random_text(dice: random.Random, depth: int) -> str:
    if depth == 0 or dice.random() < 0.2:
        return dice.choice([*_VALUES, *(text for texts in _VALUES.values() for text in texts), "null"])
    a, b, c = (_random_text(dice, depth - 1) for _ in range(3))
    return dice.choice(
        [
            f"({a}) {dice.choice(['+', '-', '*', '/', '=', '!=', '<', '>=', 'and', 'or'])} ({b})",
            f"if ({a}) = ({b}) then ({c}) else ({b})",
            f"[{a}, {b}]",
            f"({a}) between ({b}) and ({c})",
            f"({a}) in ({b})",
            f"{dice.choice(['string length', 'abs', 'count', 'not', 'floor', 'sum', 'string'])}({a})",
            f"(for x in ({a}) return x = ({b}))",
            f"-({a})",
            f"{{k: {a}}}.k",
        ]
    )


def test_a_result_that_is_not_null_is_of_the_type_that_was_told_and_what_was_condemned_is_null() -> None:
    """Random expressions: the type told is never wrong; a finding at the outermost place means null."""
    dice = random.Random(20261122)
    typed = condemned = 0
    values = {name: [feel.compile(text).evaluate({}) for text in texts] for name, texts in _VALUES.items()}
    for _ in range(2000):
        text = _random_text(dice, 3)
        expression = feel.compile(text)
        told = feel.infer(expression, NAMES)
        data = {name: dice.choice(found) for name, found in values.items()}
        value = expression.evaluate(data)
        if told.type.kind != "Any" and value is not None:
            typed += 1
            assert told.type.accepts(value, Runtime()), (text, told.type, value)
        tree = expression.tree
        outermost = [f for f in told.findings if f.column == tree.at + 1]
        if isinstance(tree, Arithmetic | Negate) and any(f.code == "feel.arithmetic" for f in outermost):
            condemned += 1
            assert value is None, (text, outermost, value)
        if isinstance(tree, Compare) and tree.operator in ("<", ">=") and outermost:
            condemned += 1
            assert value is None, (text, outermost, value)
    assert typed > 500
    assert condemned > 100
