"""What an expression and a table cost, for ``hejie bench``: lists of measured values by name and unit."""

import subprocess
import sys
import time
from collections.abc import Callable

import feel
import feel.dmn

CONDITION = 'amount > 1000 and channel = "store"'
_COLUMNS = (("amount", "number"), ("channel", "string"), ("urgent", "boolean"), ("age", "number"))
_RULES = 12


def samples(*, rounds: int = 30, times: int = 2000) -> dict[str, tuple[str, list[float]]]:
    """Each of ``rounds`` samples is the mean of ``times`` warm evaluations; imports have a new process each."""
    condition = feel.compile(CONDITION)
    table = feel.dmn.parse(_table(), "bench.dmn")
    data = {"amount": 1200, "channel": "store"}
    row = {"amount": _RULES * 100 - 50, "channel": "store", "urgent": True, "age": 7}
    assert condition.evaluate(data) is True
    assert table.evaluate("bench", row).matched == [f"rule_{_RULES}"]
    return {
        "feel_condition": ("us", _mean(lambda: condition.evaluate(data), rounds, times)),
        "feel_table": ("us", _mean(lambda: table.evaluate("bench", row), rounds, max(times // 10, 1))),
        "feel_import": ("ms", [_import() for _ in range(max(rounds // 6, 2))]),
    }


def _mean(action: Callable[[], object], rounds: int, times: int) -> list[float]:
    """Microseconds of one call, once for each round."""
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(times):
            action()
        found.append((time.perf_counter() - begin) / times * 1e6)
    return found


def _import() -> float:
    """Milliseconds that ``import feel`` takes in a process that has imported nothing else."""
    program = "import time; b = time.perf_counter(); import feel; print((time.perf_counter() - b) * 1000)"
    found = subprocess.run(  # noqa: S603 – our own interpreter, nothing from outside
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(found.stdout)


def _table() -> bytes:
    """A table of twelve rules and four inputs; only the last rule holds for the measured row."""
    columns = "".join(
        f'<input><inputExpression typeRef="{of}"><text>{name}</text></inputExpression></input>'
        for name, of in _COLUMNS
    )
    rules = ""
    for number in range(1, _RULES + 1):
        cells = (f"[{number * 100 - 100}..{number * 100})", '"store", "online"', "true", f"&lt; {number + 20}")
        entries = "".join(f"<inputEntry><text>{cell}</text></inputEntry>" for cell in cells)
        rules += f'<rule id="rule_{number}">{entries}<outputEntry><text>{number}</text></outputEntry></rule>'
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:bench">'
        '<decision id="bench" name="bench"><variable name="bench"/><decisionTable id="table" hitPolicy="UNIQUE">'
        f'{columns}<output name="out" typeRef="number"/>{rules}</decisionTable></decision></definitions>'
    ).encode()
