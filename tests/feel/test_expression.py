"""What expressions mean: one table, from the standard's precedence to names in Chinese."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

import feel
from feel import FeelNameError, FeelSyntaxError, YearsMonths

N = Decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", N(7)),
        ("(1 + 2) * 3", N(9)),
        ("2 * 3 ** 2", N(18)),
        ("3 ** 4 ** 5", N(3486784401)),
        ("-3 ** 2", N(9)),
        ("2 - 3 - 4", N(-5)),
        ("2 - (3 - 4)", N(3)),
        ("12 / 3 / 2", N(2)),
        ("- - 3", N(3)),
        ("0.1 + 0.2 = 0.3", True),
        ("1 / 3 * 3", N("0.9999999999999999999999999999999999")),
        ("1 < 2 and 2 < 3", True),
        ("true or true and false", True),
        ("(true or true) and false", False),
        ("1 + 1 = 2", True),
        ("not(1 = 2) and true", True),
        ("2 between 1 and 3 and false", False),
        ("5 in (1, 3, > 4)", True),
        ("5 in [1..5)", False),
        ("5 in ]1..5]", True),
        ("3 in [1, 2, 3]", True),
        ("1 in < 2 and true", True),
        ('"a" + "b" + "c"', "abc"),
        ("if 1 > 2 then 1 else if 2 > 3 then 2 else 3", N(3)),
        ("[1, 2, 3][2]", N(2)),
        ("[1, 2, 3][-1]", N(3)),
        ("[1, 2, 3][item > 1]", [N(2), N(3)]),
        ("[{a: 1, b: 2}, {a: 3, b: 4}][a > 1].b", [N(4)]),
        ("{a: 1, b: a + 1}.b", N(2)),
        ('{"two words": 2}.two words', N(2)),
        ("for i in 1..3, j in [10, 20] return i + j", [N(11), N(21), N(12), N(22), N(13), N(23)]),
        ("for i in 3..1 return i", [N(3), N(2), N(1)]),
        ("for i in 0..4 return if i = 0 then 1 else i * partial[-1]", [N(1), N(1), N(2), N(6), N(24)]),
        ("some x in [1, 2, 3] satisfies x > 2", True),
        ("every x in [1, 2, 3] satisfies x > 2", False),
        ("{fact: function(n: number) if n < 2 then 1 else n * fact(n - 1), r: fact(20)}.r", N(2432902008176640000)),
        ("(function(a, b) a - b)(b: 1, a: 3)", N(2)),
        ("{x: 5, f: function(y) x + y, r: f(1)}.r", N(6)),
        ('substring(start position: 2, string: "hello")', "ello"),
        ("5 instance of number", True),
        ("[1, 2] instance of list<number>", True),
        ('[1, "2"] instance of list<number>', False),
        ("null instance of number", False),
        ("true = 5 instance of number", True),
        ("2 + 3 instance of number and 1 = 1", True),
        ("for i in 1..3 return partial", [[], [[]], [[], [[]]]]),
        ('@"2026-11-22"', date(2026, 11, 22)),
        ('date("2026-01-31") + duration("P1M")', date(2026, 2, 28)),
        ('date("2026-03-01") - date("2026-02-28")', timedelta(days=1)),
        ('duration("P1Y2M")', YearsMonths(14)),
        (
            'date and time("2026-11-22T10:00:00+08:00")',
            datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=8))),
        ),
        ("[1..10[.start included", True),
        ("// the rest of the line\n1 /* and this */ + 1", N(2)),
        (r'"tab\t\u4e2d\U01F40E"', "tab\t中🐎"),
        ("string(1.50)", "1.5"),
        ('string([1, "a", {b: null}])', '[1, "a", {b: null}]'),
    ],
)
def test_an_expression_means_what_the_standard_says(text: str, value: object) -> None:
    assert feel.compile(text).evaluate({}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("金额 > 1000", True),
        ("投诉 金额 - 1", N(499)),
        ("profit-loss", N(7)),
        ("profit - loss", N(7)),
        ("a+b", N(3)),
        ("客户.姓名", "王芳"),
        ("客户.手机 号码", "13800000000"),
        ('first name + " " + last name', "Ada Lovelace"),
        ("items[price > 1].unit price", [N(9)]),
    ],
)
def test_names_may_have_spaces_signs_and_chinese(text: str, value: object) -> None:
    data = {
        "金额": 1200,
        "投诉 金额": 500,
        "profit-loss": 7,
        "a": 1,
        "b": 2,
        "客户": {"姓名": "王芳", "手机 号码": "13800000000"},
        "first name": "Ada",
        "last name": "Lovelace",
        "items": [{"price": 1, "unit price": 8}, {"price": 2, "unit price": 9}],
    }
    fields = ["手机 号码", "unit price"]
    assert feel.compile(text, names=data, fields=fields).evaluate(data) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("order total", N(1)),
        ("order total net", N(2)),
        ("order total net - tax", N(3)),
        ("order total - tax", N(-3)),
    ],
)
def test_the_longest_known_name_wins(text: str, value: object) -> None:
    data = {"order total": 1, "order total net": 2, "order total net - tax": 3, "tax": 4}
    assert feel.compile(text, names=data).evaluate(data) == value


def test_words_beside_each_other_are_one_name_when_nothing_is_declared() -> None:
    compiled = feel.compile('working age > 17 and home town = "青屏"')
    assert compiled.names == {"working age", "home town"}
    assert compiled.evaluate({"working age": 18, "home town": "青屏"}) is True


def test_injected_functions_may_have_names_of_several_words() -> None:
    compiled = feel.compile(
        "working days between(a, b) > 5 and is working day(a)",
        names=["a", "b"],
        functions=["working days between", "is working day"],
    )
    assert compiled.calls == {"working days between", "is working day"}
    assert compiled.names == {"a", "b"}
    functions = {"working days between": lambda a, b: (b - a).days, "is working day": lambda a: True}
    assert compiled.evaluate({"a": date(2026, 1, 1), "b": date(2026, 1, 9)}, functions) is True


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("1 +", 1, 4, "a value or a name"),
        ("if a then 1", 1, 12, "else"),
        ("a and\n  or b", 2, 3, "a value or a name"),
        ("max(1, 2", 1, 9, ")"),
        ('"open', 1, 1, '"'),
        ("金额 ＞ 5", 1, 4, ">"),
        ("a && b", 1, 3, "and"),
        ("[1, 2", 1, 6, "]"),
        ("function(a) external {}", 1, 13, "an expression"),
        ("?", 1, 1, "a name"),
        ("for x in [1] x", 1, 14, "return"),
    ],
)
def test_a_mistake_is_reported_where_it_stands(text: str, line: int, column: int, expected: str) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        feel.compile(text)
    assert (caught.value.line, caught.value.column, caught.value.expected) == (line, column, expected)
    assert caught.value.zh != caught.value.message


@pytest.mark.parametrize(
    ("text", "suggestion", "column"),
    [
        ("1 < amonut", "amount", 5),
        ("acceptedAt", "accepted_at", 1),
        ("string lenght(amount)", "string length", 1),
        ("投诉金领 > 3", "投诉金额", 1),
        ("xyzzy", None, 1),
    ],
)
def test_an_unknown_name_is_refused_and_the_nearest_is_offered(
    text: str, suggestion: str | None, column: int
) -> None:
    with pytest.raises(FeelNameError) as caught:
        feel.compile(text, names=["amount", "accepted_at", "投诉金额"])
    assert (caught.value.suggestion, caught.value.column) == (suggestion, column)
