"""Deploying: a gate before, a version after, and what new cases start on."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.db import Database
from core.refusals import NotFound
from disputes.releases import commands, queries
from disputes.releases.operations import NotDeployable, deploy
from engine import bundles
from tests.disputes.releases.building import SERVICES, release

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def test_what_has_an_error_is_not_deployed_and_says_why(database: Database) -> None:
    files = {path: text for path, text in release().items() if path != "forms/decide.form"}
    with database.transaction() as session:
        with pytest.raises(NotDeployable, match="2 处错误") as refused:
            deploy(session, files, name="", services=SERVICES, now=NOW, by="person:1")
        assert {f.element for f in refused.value.findings if f.severity == "error"} == {"decide", "overdue"}
        with pytest.raises(NotFound):
            queries.current_release(session)
        with pytest.raises(NotFound):
            bundles.current(session)


SCENARIO = """diagram: desk
defaults:
  now: 2026-09-18T10:00:00+08:00
  facts: { case_id: HS-1, region: "330299", received_at: 2026-09-18T10:00:00+08:00 }
scenarios:
  - name: 拒绝
    steps:
      - when: { complete: decide, as: officer, with: { decision: refuse } }
        then: { ended: END, complete: true }
"""


def test_a_release_whose_own_scenario_fails_is_not_deployed(database: Database) -> None:
    path = "scenarios/desk.scenarios.yaml"
    wrong = {**release(), path: SCENARIO.replace("END", "done").encode()}
    unreadable = {**release(), path: SCENARIO.replace("then", "thne").encode()}
    with database.transaction() as session:
        with pytest.raises(NotDeployable, match="没有通过") as refused:
            deploy(session, wrong, name="", services=SERVICES, now=NOW, by="person:1")
        (found,) = [f for f in refused.value.findings if f.severity == "error"]
        assert (found.file, found.element, found.code) == (path, "desk", "scenario.failed")
        assert "第1步（2026-09-18 10:00，第 9 行）：应当到达 done，实际到达 [refused]" in found.zh
        assert "line 9: It should end at done; it reached [refused]" in found.en
        with pytest.raises(NotDeployable, match="did you mean 'then'"):
            deploy(session, unreadable, name="", services=SERVICES, now=NOW, by="person:1")
        with pytest.raises(NotFound):
            queries.current_release(session)
        right = {**release(), path: SCENARIO.replace("END", "refused").encode()}
        assert deploy(session, right, name="", services=SERVICES, now=NOW, by="person:1").version == 1


def test_the_latest_release_is_the_one_on_which_cases_start(database: Database) -> None:
    first = release()
    second = {**first, "forms/consent.en.json": b"{}"}
    with database.transaction() as session:
        one = deploy(session, first, name="第一版", services=SERVICES, now=NOW, by="person:1")
        again = deploy(session, first, name="还是第一版", services=SERVICES, now=NOW, by="person:2")
        assert (one.version, again.version, again.name) == (1, 1, "第一版")
        two = deploy(session, second, name=" ", services=SERVICES, now=NOW, by="person:2")
        assert (two.version, two.name, two.deployed_by) == (2, "第2版", "person:2")
        assert two.findings == [] or {f["severity"] for f in two.findings} == {"warning"}
        assert queries.current_release(session).digest == two.digest == bundles.current(session)
        back = deploy(session, first, name="退回", services=SERVICES, now=NOW, by="person:1")
        assert (back.version, back.digest) == (3, one.digest)
        assert bundles.current(session) == one.digest
    with database.transaction() as session:
        assert [r.version for r in queries.releases(session)] == [3, 2, 1]
        assert [r.version for r in queries.releases(session, before=3, limit=1)] == [2]
        assert queries.view(queries.find(session, 1))["name"] == "第一版"
        with pytest.raises(NotFound):
            queries.find(session, 9)
        assert bundles.load(session, one.digest).files == first


def test_the_command_deploys_a_directory_or_answers_with_what_stops_it(
    sqlite_database: Database, written: Callable[[Mapping[str, bytes]], Path]
) -> None:
    directory = written(release())
    (directory / "forms" / "consent.en.json").unlink()
    with sqlite_database.transaction() as session:
        answer, status = commands.deploy(session, directory, name="首版", services=SERVICES, now=NOW, by="person:1")
        assert (status, answer["release"]["version"], answer["release"]["name"]) == (0, 1, "首版")
        assert [f["file"] for f in answer["findings"]] == ["forms/consent.form"]
        (directory / "forms" / "decide.form").unlink()
        answer, status = commands.deploy(session, directory, services=SERVICES, now=NOW, by="person:1")
        assert (status, answer["release"]) == (1, None)
        assert answer["findings"][0]["file"] == "workflows/bpmn/desk.bpmn"
        assert queries.current_release(session).version == 1
