"""Hostile input is refused or bounded, in a second of CPU time and a hundred megabytes; the kernel sees to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox import hostile
from tests.sandbox.cage import Cage


@pytest.fixture(scope="module")
def cage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cage]:
    cage = Cage(Path(tmp_path_factory.mktemp("cage")))
    yield cage
    cage.close()


def test_there_are_at_least_sixty() -> None:
    assert len(hostile.CASES) >= 60


@pytest.mark.parametrize("name", [name for name in hostile.CASES if name != "run: a plain process"])
def test_hostile_input_is_refused_or_bounded(cage: Cage, name: str) -> None:
    outcome = cage.run(name)
    assert outcome.how in ("refused", "bounded"), outcome.detail


def test_the_cage_holds(cage: Cage) -> None:
    assert cage.run("cage: works without end").how == "out of time"
    assert cage.run("cage: eats without end").how == "out of memory"
    assert cage.run("cage: fails").how == "traceback"
