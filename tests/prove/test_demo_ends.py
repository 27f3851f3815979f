"""The stories that are told backwards from the end must run whatever day it is: before a break, inside it, after."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from core.db import Database
from disputes.cases.models import Case
from disputes.demo import play
from disputes.demo.stories import STORIES
from tests.test_demo import require_faithful


@pytest.mark.prove
@pytest.mark.parametrize(
    "end",
    [
        "2026-11-22T12:00:00+08:00",
        "2026-11-25T02:30:00+08:00",
        "2026-12-31T23:50:00+08:00",
        "2027-02-10T09:00:00+08:00",
        "2026-10-04T15:00:00+08:00",
        "2026-10-12T08:00:00+08:00",
    ],
)
def test_every_open_story_runs_to_any_end(
    sqlite_database: Database, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play, "STORIES", tuple(story for story in STORIES if story.before))
    told = play.run(sqlite_database, end=datetime.fromisoformat(end), directory=Path())
    assert len(told["cases"]) == len([story for story in STORIES if story.before])
    assert all(wait["limit"] for case in told["cases"] for wait in case["open_waits"])


@pytest.mark.prove
def test_every_case_of_the_demonstration_is_recorded_and_replays(sqlite_database: Database) -> None:
    play.run(sqlite_database, directory=Path())
    with sqlite_database.reader() as session:
        cases = list(session.scalars(select(Case)))
        assert len(cases) == len(STORIES)
        for case in cases:
            require_faithful(session, case)
