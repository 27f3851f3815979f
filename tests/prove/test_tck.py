"""The whole DMN compatibility kit that lies in shared data, with the thresholds that were reached."""

import pytest

from feel import tck
from tests.feel.kit import KIT, MISSING

#: Results that fail, by folder and test: none. A new failure has to be explained here or mended.
KNOWN: set[tuple[str, str]] = set()


@pytest.mark.prove
@pytest.mark.skipif(not KIT.exists(), reason=MISSING)
@pytest.mark.parametrize(
    ("level", "with_value", "null"), [("compliance-level-2", 110, 16), ("compliance-level-3", 757, 265)]
)
def test_the_compatibility_kit(level: str, with_value: int, null: int, capsys: pytest.CaptureFixture[str]) -> None:
    result = tck.run(KIT / level)
    with capsys.disabled():
        print(f"\nDMN compatibility kit, {level}\n{tck.table(result)}")
    failed = [each for each in result["failures"] if (each["folder"], each["test"]) not in KNOWN]
    assert failed == []
    assert result["with_value"] == [with_value, with_value]
    assert result["null"] == [null, null]
