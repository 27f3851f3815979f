"""The lint that keeps forms to what the browser's interpreter answers alike."""

import pytest

import feel


@pytest.mark.parametrize(
    "text",
    [
        'decision != "accept" and (flags = null or count(flags) < 2)',
        'not(kind = "refund" or kind = "part_refund")',
        "amount * 2 > limit / 3",
        "n in [1..5]",
        'p and channel in ("a", "b")',
        "if n between 1 and 9 then s else t",
        "rows[sum > 3].id",
        "some x in xs satisfies x > 2",
        'day > @"2026-01-01"',
        'list contains(requests, "其他")',
    ],
)
def test_what_both_answer_alike_passes(text: str) -> None:
    assert feel.check_portable(feel.compile(text)) == []


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a / 3 = 1", 7),
        ("a != 0.1", 3),
        ("not(n in [1..5])", 7),
        ("(n in [1..5]) = true", 4),
        ("n in [5..1]", 6),
        ("n in [1..m]", 6),
        ("n between a and b", 3),
        ("n in [1..5] and p", 3),
        ("p or (q and n in [1..5]) or p", 9),
        ("for x in xs return x", 1),
        ("n ** 2 > 4", 3),
        ('@"2026-01-01" + span > day', 1),
        ('date("2026-01-01") - day', 1),
        ("xs[item = n]", 9),
        ("xs[item != 1]", 9),
        ("substring(s, 2)", 1),
        ("abs(n: 1)", 1),
        ("{a: 1}.a", 1),
        ("(function(x) x)(1)", 2),
        ("n instance of number", 3),
        ("some x in append(xs, 1) satisfies x > 2", 6),
        ("1234567890123456789 > n", 1),
    ],
)
def test_what_the_browser_may_answer_otherwise_is_said_where_it_stands(text: str, column: int) -> None:
    findings = feel.check_portable(feel.compile(text))
    assert [(found.code, found.line) for found in findings] == [("feel.portable", 1)]
    assert findings[0].zh and findings[0].en
    assert findings[0].column == column
