"""The gate's proofs against exhaustive play of the independent token game, on many random diagrams."""

from collections import Counter

import pytest

from tests.engine.exhausting import compare

pytestmark = pytest.mark.prove


def test_the_proofs_agree_with_exhaustive_play_on_five_hundred_diagrams() -> None:
    verdicts: Counter[tuple[bool, bool]] = Counter()
    seed = 100_000
    while verdicts.total() < 500:
        verdict = compare(seed)
        if verdict is not None:
            assert verdict[0] == verdict[1], f"seed {seed}: played {verdict[0]}, proved {verdict[1]}"
            verdicts[verdict] += 1
        seed += 1
    assert min(verdicts.values()) >= 50
