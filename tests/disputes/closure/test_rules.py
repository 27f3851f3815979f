"""Recovered money: from the agreement and its performance."""

import pytest

from disputes.cases.models import Exit, Performance
from disputes.closure.rules import performance, recovered_fen


@pytest.mark.parametrize(
    ("exit", "done", "expected"),
    [
        (Exit.SETTLED_IN_HOUSE, Performance.PERFORMED, 160_000),
        (Exit.SETTLED_SUNSHINE, Performance.PRESUMED, 160_000),
        (Exit.MEDIATED, Performance.NOT_PERFORMED, 0),
        (Exit.MEDIATED, None, 0),
        (Exit.COURT_CONFIRMED, Performance.PERFORMED, 160_000),
        (Exit.WITHDRAWN, Performance.PERFORMED, 0),
        (Exit.REFUSED, None, 0),
        (Exit.TERMINATED, Performance.PERFORMED, 0),
    ],
)
def test_what_was_recovered(exit: Exit, done: Performance | None, expected: int) -> None:
    assert recovered_fen(exit, 160_000, done) == expected


@pytest.mark.parametrize(
    ("known", "performed", "presumed", "expected"),
    [
        (Performance.PERFORMED, None, True, Performance.PERFORMED),
        (None, True, False, Performance.PERFORMED),
        (None, True, True, Performance.PRESUMED),
        (None, False, False, Performance.NOT_PERFORMED),
        (None, None, None, None),
    ],
)
def test_silence_is_marked_as_presumed(
    known: Performance | None, performed: object, presumed: object, expected: Performance | None
) -> None:
    assert performance(known, performed=performed, presumed=presumed) == expected
