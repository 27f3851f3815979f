"""The technology compatibility kit of DMN: run its cases and count what passes.

Results that expect a value are counted apart from those that expect null, which an engine that knows nothing would
pass too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from feel import temporal as t
from feel.dmn import Decisions, DmnError, load
from feel.dmn.reading import Element, attribute, content
from feel.errors import FeelError
from feel.library import BUILT_INS
from feel.limits import Runtime
from feel.scalars import to_json
from feel.values import Value, equal

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
#: The kit compares numbers to this precision.
_NEAR = Decimal("1e-8")


@dataclass(slots=True)
class _Count:
    with_value: list[int] = field(default_factory=lambda: [0, 0])
    null: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, *, passed: bool, null: bool) -> None:
        counter = self.null if null else self.with_value
        counter[0] += passed
        counter[1] += 1


def run(folder: Path) -> dict[str, Any]:
    """Run every case below a folder. The answer is the JSON of ``hejie tck``."""
    counts: dict[str, _Count] = {}
    failures: list[dict[str, object]] = []
    for cases in sorted(folder.rglob("*.xml")):
        root = etree.parse(cases).getroot()
        if etree.QName(root).localname != "testCases":
            continue
        label = cases.parent.relative_to(folder).as_posix()
        count = counts.setdefault(label, _Count())
        for test, node, want, got, passed in _results(cases, root):
            count.add(passed=passed, null=want is None)
            if not passed:
                failure = {"folder": label, "test": test, "node": node, "want": _shown(want), "got": got}
                failures.append(failure)
    return {
        "folders": {name: {"with_value": each.with_value, "null": each.null} for name, each in counts.items()},
        "with_value": _sum(each.with_value for each in counts.values()),
        "null": _sum(each.null for each in counts.values()),
        "failures": failures,
    }


def table(report: Mapping[str, Any]) -> str:
    """The report for people: one line for each folder, and one for all."""

    def line(name: str, counts: Mapping[str, Sequence[int]]) -> str:
        (passed, total), (nulls, of_nulls) = counts["with_value"], counts["null"]
        return f"{passed:>5}/{total:<5} {nulls:>4}/{of_nulls:<4} {name}"

    lines = [line(name, counts) for name, counts in report["folders"].items()]
    return "\n".join([" with value     null folder", *lines, line("in all", report)])


def _sum(pairs: Iterator[list[int]]) -> list[int]:
    total = [0, 0]
    for passed, all_ in pairs:
        total = [total[0] + passed, total[1] + all_]
    return total


def _shown(value: Value) -> object:
    try:
        return to_json(value)
    except FeelError:
        return str(value)


def _local(element: Element, *names: str) -> list[Element]:
    return [child for child in element if isinstance(child.tag, str) and etree.QName(child).localname in names]


def _results(cases: Path, root: Element) -> Iterator[tuple[str, str, Value, object, bool]]:
    model_name = content(_local(root, "modelName")[0])
    decisions: Decisions | None = None
    broken = ""
    try:
        decisions = load(cases.parent / model_name, strict=False)
    except (DmnError, OSError) as error:
        broken = str(error)
    for case in _local(root, "testCase"):
        data = {attribute(node, "name"): _value(node) for node in _local(case, "inputNode")}
        for node in _local(case, "resultNode"):
            expected = _local(node, "expected")
            want = _value(expected[0]) if expected else None
            name = attribute(case, "invocableName") or attribute(node, "name")
            if decisions is None:
                yield attribute(case, "id"), attribute(node, "name"), want, broken, want is None
                continue
            value, problem = _ask(decisions, name, data)
            passed = (problem is None and matches(value, want)) or (problem is not None and want is None)
            yield attribute(case, "id"), attribute(node, "name"), want, problem or _shown(value), passed


def _ask(decisions: Decisions, name: str, data: dict[str, Value]) -> tuple[Value, str | None]:
    try:
        return decisions.evaluate(name, data).value, None
    except (DmnError, FeelError) as error:
        return None, f"{type(error).__name__}: {error}"


def _value(element: Element) -> Value:
    """The value that a node of a case writes: a single one, a list of items, or a context of components."""
    components = _local(element, "component")
    if components:
        return {attribute(found, "name"): _value(found) for found in components}
    for child in _local(element, "list", "value"):
        if etree.QName(child).localname == "list":
            return None if child.get(_NIL) == "true" else [_value(item) for item in _local(child, "item")]
        return _simple(child)
    return None


def _simple(element: Element) -> Value:
    if element.get(_NIL) == "true":
        return None
    text = "".join(str(piece) for piece in element.itertext())
    kind = attribute(element, _TYPE).rpartition(":")[2]
    if kind in ("decimal", "double", "integer", "int", "long", "float"):
        return BUILT_INS["number"].call(Runtime(), [text.strip()])
    if kind == "boolean":
        return text.strip() == "true"
    reader = {"date": t.parse_date, "time": t.parse_time, "dateTime": t.parse_moment, "duration": t.parse_duration}
    return reader[kind](text.strip()) if kind in reader else text


def matches(value: Value, want: Value) -> bool:
    """Whether a result is what the kit expects; numbers to eight places."""
    if isinstance(value, Decimal) and isinstance(want, Decimal):
        return abs(value - want) <= _NEAR * max(Decimal(1), abs(want))
    if isinstance(value, list) and isinstance(want, list):
        return len(value) == len(want) and all(matches(a, b) for a, b in zip(value, want, strict=True))
    if isinstance(value, dict) and isinstance(want, dict):
        return value.keys() == want.keys() and all(matches(value[key], want[key]) for key in value)
    return equal(value, want, Runtime()) is True
