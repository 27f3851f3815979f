"""Four hundred and sixty-five foreign diagrams: each is accepted or refused with findings, and the page is true."""

import shutil
from pathlib import Path

import pytest

from core.db import Database
from engine import corpora
from tests.engine.corpora import CORPORA, needs_corpora

pytestmark = [pytest.mark.prove, needs_corpora]

PAGE = Path(__file__).parents[2] / "docs" / "corpora.md"


@pytest.fixture(scope="module")
def surveyed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[corpora.Surveyed]:
    path = tmp_path_factory.mktemp("corpora") / "corpora.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    found = corpora.survey(CORPORA, database)
    database.dispose()
    return found


def test_nine_of_ten_of_what_is_on_the_list_are_accepted(surveyed: list[corpora.Surveyed]) -> None:
    assert len(surveyed) == 465
    listed = [each for each in surveyed if not each.beyond]
    assert len(listed) >= 200
    assert sum(each.accepted for each in listed) >= 0.9 * len(listed)


def test_what_is_not_on_the_list_is_never_accepted(surveyed: list[corpora.Surveyed]) -> None:
    assert [each.path for each in surveyed if each.beyond and each.accepted] == []


def test_every_refusal_says_what_and_where_in_both_languages(surveyed: list[corpora.Surveyed]) -> None:
    for each in surveyed:
        for finding in each.findings:
            assert finding.zh and finding.en and finding.code, each.path


def test_what_is_accepted_runs_until_it_waits_or_ends(surveyed: list[corpora.Surveyed]) -> None:
    """All but those whose error nobody catches: the drawing leaves it open, and the engine asks an operator."""
    for each in surveyed:
        for how, why in each.runs.values():
            assert how in (corpora.WAITS, corpora.ENDS) or why.startswith("Nothing catches the error"), each.path


def test_the_page_is_true_to_the_code(surveyed: list[corpora.Surveyed]) -> None:
    """After a change: ``hejie corpora ../shared/data/corpora > docs/corpora.md``."""
    assert corpora.text(corpora.report(surveyed)) + "\n" == PAGE.read_text()
