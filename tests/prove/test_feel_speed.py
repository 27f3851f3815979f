"""How fast conditions and tables are, and how long the package takes to load: processor time, best of several."""

import subprocess
import sys
import timeit

import pytest

import feel
import feel.dmn
from tests.feel.dmn.build import table


def best(work: "object", number: int) -> float:
    """Microseconds of one call."""
    return min(timeit.repeat(work, number=number, repeat=15)) / number * 1e6  # type: ignore[arg-type]


@pytest.mark.prove
def test_a_warm_condition_takes_three_microseconds() -> None:
    compiled = feel.compile('amount > 1000 and channel = "store"')
    data = {"amount": 1200, "channel": "store"}
    assert compiled.evaluate(data) is True
    assert best(lambda: compiled.evaluate(data), 5_000) <= 3


@pytest.mark.prove
@pytest.mark.parametrize("policy", ["UNIQUE", "FIRST", "COLLECT"])
def test_a_table_of_twelve_rules_and_four_inputs_takes_fifty_microseconds(policy: str) -> None:
    rules = [
        ([f'"{letter}"', f"[{n * 100}..{n * 100 + 100})", "-" if n % 2 else "true", f"> {n}"], [f'"{letter}"'])
        for n, letter in enumerate("abcdefghijkl")
    ]
    types = ("string", "number", "boolean", "number")
    decisions = feel.dmn.parse(table(policy, rules, inputs=("a", "b", "c", "d"), types=types), "t")
    data = {"a": "l", "b": 1150, "c": True, "d": 50}
    assert decisions.evaluate("answer", data).matched == ["r12"]
    assert best(lambda: decisions.evaluate("answer", data), 1_000) <= 50


@pytest.mark.prove
def test_the_package_loads_in_a_hundred_milliseconds() -> None:
    code = "import time; start = time.process_time(); import feel; print(time.process_time() - start)"
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
        for _ in range(5)
    ]
    assert min(seconds) <= 0.1
