"""Thousands of random edits of our own diagrams, tables, forms and limits: told exactly when they mean something."""

import pytest

from tests.disputes.releases.test_differences import check_mutations

pytestmark = pytest.mark.prove


@pytest.mark.parametrize("seed", range(100, 110))
def test_no_random_edit_is_missed(seed: int) -> None:
    other, same = check_mutations(seed, 300)
    assert other > 100 and same > 20
