"""Three-valued logic: whole truth tables, and equality and order between kinds."""

import itertools

import pytest

import feel

TRUTH = {True: "true", False: "false", None: "null", "x": '"x"'}


def both(left: object, right: object) -> bool | None:
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def either(left: object, right: object) -> bool | None:
    if left is True or right is True:
        return True
    return False if left is False and right is False else None


@pytest.mark.parametrize(("left", "right"), list(itertools.product(TRUTH, TRUTH)))
def test_and_and_or_have_three_values(left: object, right: object) -> None:
    assert feel.compile(f"{TRUTH[left]} and {TRUTH[right]}").evaluate({}) is both(left, right)
    assert feel.compile(f"{TRUTH[left]} or {TRUTH[right]}").evaluate({}) is either(left, right)


@pytest.mark.parametrize(("a", "b", "c"), list(itertools.product((True, False, None), repeat=3)))
def test_longer_rows_mean_the_same_as_pairs(a: bool | None, b: bool | None, c: bool | None) -> None:
    data = {"a": a, "b": b, "c": c}
    assert feel.compile("a and b and c").evaluate(data) is both(both(a, b), c)
    assert feel.compile("a or b or c").evaluate(data) is either(either(a, b), c)
    assert feel.compile("all([a, b, c])").evaluate(data) is both(both(a, b), c)
    assert feel.compile("any([a, b, c])").evaluate(data) is either(either(a, b), c)
    assert feel.compile("not(not(a))").evaluate(data) is a


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null = null", True),
        ("null != null", False),
        ("1 = null", False),
        ("1 != null", True),
        ('1 = "1"', None),
        ("true = 1", None),
        ("1 < null", None),
        ('1 < "2"', None),
        ("true < false", None),
        ("[1] = [1, 2]", False),
        ("[1, [2]] = [1, [2]]", True),
        ("{a: 1, b: 2} = {b: 2, a: 1}", True),
        ("[1..5] = [1..5)", False),
        ("null between 1 and 2", None),
        ("3 between null and 2", False),
        ("null in [1, 2]", False),
        ("null in [1, null]", True),
        ("missing > 5", None),
        ("missing = null", True),
        ("some x in [null, true] satisfies x", True),
        ("some x in [null, false] satisfies x", None),
        ("every x in [null, false] satisfies x", False),
        ("every x in [null, true] satisfies x", None),
        ("every x in [] satisfies false", True),
        ("some x in null satisfies true", None),
        ('if "yes" then 1 else 2', 2),
        ("if null then 1 else 2", 2),
    ],
)
def test_unknown_stays_unknown(text: str, value: object) -> None:
    assert feel.compile(text).evaluate({}) == value
    assert type(feel.compile(text).evaluate({})) is not bool or isinstance(value, bool)


def test_the_reasons_for_a_null_can_be_asked_for() -> None:
    value, notes = feel.compile("amount > 1000 and\n  name + 1 > 0").explain({"name": "x"})
    assert value is None
    assert [(note.line, note.column) for note in notes][1:] == [(1, 8), (2, 8), (2, 12)]
    assert notes[0].message == "amount has no value"
    assert "amount" in notes[0].zh and notes[0].zh != notes[0].message


@pytest.mark.parametrize(
    "text", ['"a" - 1', "1 / 0", "{}.x", "{a: 5}.a()", 'abs("x")', "abs(1, 2)", "for i in 1..null return i"]
)
def test_each_null_has_its_reason(text: str) -> None:
    value, notes = feel.compile(text).explain({})
    assert value is None
    assert notes and notes[0].line == 1
