"""A few folders of the DMN compatibility kit, and how results are compared; the whole kit runs in tests/prove."""

from decimal import Decimal
from pathlib import Path

import pytest

from feel import tck
from tests.feel.kit import KIT, MISSING

FOLDERS = [
    "compliance-level-2/0004-simpletable-U",
    "compliance-level-2/0106-feel-ternary-logic",
    "compliance-level-2/0118-multi-priority-hitpolicy",
    "compliance-level-3/0034-drg-scopes",
    "compliance-level-3/0068-feel-equality",
    "compliance-level-3/0092-feel-lambda",
    "compliance-level-3/1117-feel-date-and-time-function",
]


@pytest.mark.skipif(not KIT.exists(), reason=MISSING)
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_kit_passes(folder: str) -> None:
    result = tck.run(KIT / folder)
    assert result["failures"] == []
    passed, total = result["with_value"]
    assert passed == total > 0


def test_results_are_counted_apart_by_what_they_expect(tmp_path: Path) -> None:
    (tmp_path / "m.dmn").write_text(
        '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="m" namespace="urn:m">'
        '<decision name="one"><variable name="one"/><literalExpression><text>1</text></literalExpression></decision>'
        '<decision name="none"><variable name="none"/><literalExpression><text>1 +</text></literalExpression></decision>'
        "</definitions>"
    )
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    (tmp_path / "cases.xml").write_text(
        f'<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" {xsi}><modelName>m.dmn</modelName>'
        '<testCase id="a"><resultNode name="one"><expected><value xsi:type="xsd:decimal">1.000000001</value></expected>'
        '</resultNode><resultNode name="none"><expected><value xsi:nil="true"/></expected></resultNode></testCase>'
        '<testCase id="b"><resultNode name="one"><expected><value xsi:type="xsd:decimal">2</value></expected>'
        '</resultNode><resultNode name="one"><expected><value xsi:nil="true"/></expected></resultNode></testCase>'
        "</testCases>"
    )
    result = tck.run(tmp_path)
    assert (result["with_value"], result["null"]) == ([1, 2], [1, 2])
    assert [(each["test"], each["want"], each["got"]) for each in result["failures"]] == [
        ("b", 2, 1),
        ("b", None, 1),
    ]


@pytest.mark.parametrize(
    ("value", "want", "same"),
    [
        (Decimal("0.333333333333"), Decimal("0.3333333333"), True),
        (Decimal("0.34"), Decimal("0.33"), False),
        ([Decimal(1)], [Decimal(1), Decimal(2)], False),
        ({"a": None}, {"a": None}, True),
        ({"a": None}, {}, False),
        ("1", Decimal(1), False),
    ],
)
def test_results_are_compared_as_the_kit_does(value: object, want: object, same: bool) -> None:
    assert tck.matches(value, want) is same
