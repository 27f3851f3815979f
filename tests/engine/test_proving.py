"""The proofs agree with playing every way to its end (the small version; make prove plays more)."""

from collections import Counter

from tests.engine.exhausting import compare


def test_the_proofs_agree_with_exhaustive_play() -> None:
    verdicts = Counter(verdict for seed in range(60) if (verdict := compare(seed)) is not None)
    assert set(verdicts) == {(True, True), (False, False)}
    assert verdicts.total() >= 30 and min(verdicts.values()) >= 5
