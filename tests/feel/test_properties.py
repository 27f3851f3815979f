"""Laws that hold for all values, tried on random ones."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import feel
from feel.errors import FeelError
from feel.limits import Runtime
from feel.values import equal, order

quick = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
numbers = st.decimals(-(10**12), 10**12, places=4)
small = st.integers(-50, 50)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
dates = st.dates(date(1900, 1, 1), date(2999, 12, 31))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))
durations = st.timedeltas(timedelta(days=-4000), timedelta(days=4000)).map(
    lambda value: timedelta(days=value.days, seconds=value.seconds)
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, dates, moments, durations)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


def calculate(text: str, **data: object) -> object:
    return feel.compile(text).evaluate(data)


@quick
@given(numbers, numbers, numbers)
def test_addition_and_multiplication_keep_their_laws(a: Decimal, b: Decimal, c: Decimal) -> None:
    assert calculate("a + b = b + a and (a + b) + c = a + (b + c) and a - b = -(b - a)", a=a, b=b, c=c) is True
    assert calculate("a * b = b * a", a=a, b=b) is True


@quick
@given(numbers, numbers)
def test_exactly_one_of_less_equal_and_greater_holds(a: Decimal, b: Decimal) -> None:
    assert calculate("count([a < b, a = b, a > b][item = true])", a=a, b=b) == 1
    assert calculate("(a <= b) = not(a > b) and (a != b) = not(a = b)", a=a, b=b) is True
    assert calculate("(x between a and b) = (x in [a..b])", a=min(a, b), b=max(a, b), x=a) is True


@quick
@given(numbers, numbers.filter(bool))
def test_the_remainder_has_the_sign_of_the_divisor(a: Decimal, b: Decimal) -> None:
    rest = calculate("modulo(a, b)", a=a, b=b)
    assert isinstance(rest, Decimal)
    assert rest == 0 or (rest < 0) == (b < 0)
    assert abs(rest) < abs(b)


@quick
@given(dates, st.integers(-5000, 5000))
def test_a_day_and_a_duration_go_there_and_back(day: date, days: int) -> None:
    moved = calculate("d + n", d=day, n=timedelta(days=days))
    assert moved == day + timedelta(days=days)
    assert calculate("m - d = n and m - n = d", d=day, m=moved, n=timedelta(days=days)) is True


@quick
@given(
    moments, durations, st.sampled_from(["Asia/Shanghai", "Europe/Paris", "America/New_York", "Australia/Sydney"])
)
def test_moments_in_any_zone_keep_their_distance(moment: datetime, duration: timedelta, zone: str) -> None:
    assert calculate("date and time(m, z) = m", m=moment, z=zone) is True
    assert calculate("(date and time(m, z) + d) - m = d", m=moment, z=zone, d=duration) is True


@quick
@given(values, values)
def test_equality_is_reflexive_and_symmetric(a: object, b: object) -> None:
    left, right = feel.from_json(a), feel.from_json(b)
    assert equal(left, left, Runtime()) is True
    assert equal(left, right, Runtime()) is equal(right, left, Runtime())
    forth, back = order(left, right), order(right, left)
    assert (forth is None) is (back is None)
    assert forth is None or forth == -(back or 0)


@quick
@given(st.lists(small, max_size=12))
def test_lists_keep_what_they_hold(items: list[int]) -> None:
    data = {"l": items}
    assert calculate("sort(l)", **data) == sorted(items)
    assert calculate("reverse(reverse(l)) = l and count(concatenate(l, l)) = 2 * count(l)", **data) is True
    assert calculate("sort(distinct values(l))", **data) == sorted(set(items))
    assert calculate("l[item > 3]", **data) == [item for item in items if item > 3]
    assert calculate("for x in l return x * 2", **data) == [item * 2 for item in items]
    assert calculate("some x in l satisfies x > 3", **data) is any(item > 3 for item in items)
    assert calculate("every x in l satisfies x > 3", **data) is all(item > 3 for item in items)


@quick
@given(texts, texts)
def test_strings_come_apart_where_they_were_joined(a: str, b: str) -> None:
    assert calculate("starts with(a + b, a) and ends with(a + b, b) and contains(a + b, b)", a=a, b=b) is True
    assert calculate("string length(a + b) = string length(a) + string length(b)", a=a, b=b) is True


@quick
@given(texts)
def test_a_string_literal_means_its_text(text: str) -> None:
    written = text.replace("\\", "\\\\").replace('"', '\\"')
    assert feel.compile(f'"{written}"').evaluate({}) == text


@quick
@given(st.one_of(numbers, dates, moments, durations))
def test_what_string_writes_is_read_again(value: object) -> None:
    kinds = "number" if isinstance(value, Decimal) else "date" if type(value) is date else "date and time"
    name = "duration" if isinstance(value, timedelta) else kinds
    assert calculate(f"{name}(string(v)) = v", v=value) is True


@quick
@given(values)
def test_results_are_json_and_numbers_dates_and_texts_survive(value: object) -> None:
    import json

    written = feel.to_json(value)
    assert json.loads(json.dumps(written)) == written


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [
                "1",
                "a",
                "b",
                '"x"',
                "+",
                "-",
                "*",
                "/",
                "**",
                "(",
                ")",
                "[",
                "]",
                "{",
                "}",
                ",",
                ":",
                ".",
                "..",
                "<",
                "<=",
                "=",
                "!=",
                "and",
                "or",
                "not",
                "if",
                "then",
                "else",
                "for",
                "in",
                "return",
                "some",
                "every",
                "satisfies",
                "between",
                "instance",
                "of",
                "number",
                "list",
                "function",
                "null",
                "true",
                '@"2026-11-22"',
                "?",
                "item",
                "金额",
                "（",
                "'",
                "//",
                '"',
            ]
        ),
        max_size=14,
    )
)
def test_any_text_is_a_value_or_an_error_of_ours(words: list[str]) -> None:
    text = " ".join(words)
    for compiled in (feel.compile, feel.compile_unary):
        try:
            found = compiled(text)  # type: ignore[operator]
            (found.evaluate if compiled is feel.compile else found.test)({"a": 1, "b": [1]})
        except FeelError as error:
            if not (error.zh and error.message):
                raise AssertionError("an error without words") from error
