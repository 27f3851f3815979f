"""Releases side by side and the move of running cases between them, over the API and the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from api import cli
from api.worker import Worker
from core.db import Database
from core.settings import Settings
from disputes.demo.accounts import PASSWORD as DEMO_PASSWORD
from disputes.releases.models import Release
from disputes.wiring import build_engine
from engine import Instance, bundles
from tests.disputes.district import release

from .conftest import NOW


@pytest.fixture
def case(talk: Any, district: Any) -> dict[str, Any]:
    """A case that the district's consumer has filed."""
    answer = talk("consumer").post("/cases", json={"answer": district.filing()})
    assert answer.status_code == 201, answer.json
    filed: dict[str, Any] = answer.json
    return filed


def second(database: Database, name: str = "首次联系投诉人", other: str = "首次联系") -> int:
    """The real release with one task renamed, stored as the next version."""
    files = dict(release())
    path = "bpmn/acceptance.bpmn"
    files[path] = files[path].replace(f'name="{name}"'.encode(), f'name="{other}"'.encode())
    with database.transaction() as session:
        latest = session.scalars(select(Release).order_by(Release.version.desc())).first()
        if latest is None:
            latest = Release(
                version=1, digest=bundles.current(session), name="v1", deployed_at=NOW, deployed_by="d", findings=[]
            )
            session.add(latest)
            session.flush()
        digest = bundles.save(session, files, now=NOW)
        session.add(
            Release(
                version=latest.version + 1, digest=digest, name="v2", deployed_at=NOW, deployed_by="d", findings=[]
            )
        )
        bundles.make_current(session, digest, now=NOW)
        return latest.version + 1


def test_differences_are_sentences_and_say_whom_they_touch(
    talk: Any, case: dict[str, Any], database: Database
) -> None:
    newest = second(database)
    designer = talk("designer")
    found = designer.get(f"/releases/{newest - 1}/differences/{newest}")
    assert found.status_code == 200, found.json
    (difference,) = found.json["items"]
    assert difference["zh"] == "用户任务“首次联系投诉人”改名为“首次联系”。"
    assert difference["touches"] == 1
    assert designer.get(f"/releases/{newest}/differences/{newest}").json["items"] == []
    assert designer.get(f"/releases/{newest}/differences/99").status_code == 404
    assert talk("officer").get(f"/releases/{newest}/differences/{newest}").status_code == 403
    listed = designer.get("/releases").json["items"]
    assert [(r["version"], r["current"], r["cases"]) for r in listed] == [(newest, True, 0), (newest - 1, False, 1)]


def test_a_migration_is_rehearsed_and_applied_by_the_worker(
    talk: Any,
    case: dict[str, Any],
    database: Database,
    settings: Settings,
) -> None:
    newest = second(database)
    designer = talk("designer")
    wanted = {"from_version": newest - 1, "to_version": newest, "why": "改名"}
    planned = designer.post("/migrations", json=wanted)
    assert planned.status_code == 201, planned.json
    path = f"/migrations/{planned.json['id']}"
    assert designer.post(f"{path}/apply").status_code == 409
    worker = Worker(database, build_engine(settings), settings, clock=lambda: NOW)
    assert worker.move_cases() == 1
    rehearsed = designer.get(path).json
    assert (rehearsed["state"], rehearsed["counts"]["fits"]) == ("rehearsed", 1)
    (item,) = designer.get(f"{path}/cases?state=fits").json["items"]
    assert item["case_no"] == case["case_no"] and item["tasks"] >= 1
    assert designer.post(f"{path}/apply").status_code == 200
    worker.move_cases()
    assert designer.get(path).json["state"] == "done"
    with database.reader() as session:
        assert session.scalars(select(Instance.bundle)).one() == bundles.current(session)
    assert designer.get("/migrations").json["items"][0]["id"] == planned.json["id"]
    tasks = talk("consumer").get(f"/cases/{case['id']}")
    assert tasks.status_code == 200
    assert designer.post(f"/releases/{newest - 1}/retire").json["retired_at"]
    assert designer.post(f"/releases/{newest - 1}/reinstate").status_code == 409
    assert talk("officer").post("/migrations", json=wanted).status_code == 403
    assert designer.post("/migrations", json={**wanted, "mapping": {"x": "y"}}).status_code == 422
    assert designer.post(f"{path}/abandon").status_code == 409


def test_the_command_rehearses_and_moves(
    case: dict[str, Any], database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    newest = second(database)
    monkeypatch.setattr(cli, "_settings", lambda: settings)
    monkeypatch.setattr(cli, "_database", lambda: database)
    versions = [str(newest - 1), str(newest)]
    assert cli.main(["move-cases", *versions, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["counts"]["fits"] == 1 and report["state"] == "rehearsed"
    assert cli.main(["move-cases", *versions, "--apply"]) == 0
    assert "moved 1" in capsys.readouterr().out
    assert cli.main(["move-cases", *versions, "--map", "nonsense"]) == 2
    capsys.readouterr()
    assert cli.main(["diff", *versions]) == 1
    assert "改名为“首次联系”" in capsys.readouterr().out


def test_two_directories_are_compared_without_a_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, days in (("a", "P7D"), ("b", "P10D")):
        (tmp_path / name).mkdir()
        from tests.disputes.releases.small import DIAGRAM

        (tmp_path / name / "desk.bpmn").write_text(DIAGRAM.replace("P7D", days), "utf-8")
    assert cli.main(["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["differences"]
    assert found["zh"] == "“等待商家答复”的期限由 7 天改为 10 天。" and found["touches"] is None
    assert cli.main(["diff", str(tmp_path / "a"), str(tmp_path / "a")]) == 0


def test_the_pages_lead_from_a_release_to_its_moved_cases(
    talk: Any, case: dict[str, Any], database: Database, app: Flask, settings: Settings
) -> None:
    newest = second(database)
    designer = Browser(app, "designer")
    assert "流程版本" in designer.get("/releases")
    read = designer.get(f"/releases/{newest}")
    assert "改名为“首次联系”" in read and "涉及1件在办" in read
    assert "is called" in designer.get(f"/releases/{newest}?lang=en")
    path = designer.post(f"/releases/{newest - 1}/moves?lang=zh", to=newest, mapping="", why="改名")
    worker = Worker(database, build_engine(settings), settings, clock=lambda: NOW)
    worker.move_cases()
    read = designer.get(path)
    assert case["case_no"] in read and "迁移可以迁移的1件" in read
    assert designer.post(f"{path}/apply") == path
    worker.move_cases()
    assert "已完成" in designer.get(path)
    designer.post(f"/releases/{newest - 1}/retire")
    assert "已停用" in designer.get(f"/releases/{newest - 1}")
    officer = Browser(app, "officer")
    assert officer.client.get("/releases").status_code in (302, 303, 403)
    assert officer.client.get(path).status_code in (302, 303, 403)


class Browser:
    """Somebody of the district in a browser."""

    def __init__(self, app: Flask, login: str) -> None:
        self.client = app.test_client()
        answer = self.client.post("/api/v1/sessions", json={"login": login, "password": DEMO_PASSWORD})
        assert answer.status_code == 201, answer.json
        self.csrf = answer.json["csrf_token"]

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return str(answer.text)

    def post(self, path: str, **form: Any) -> str:
        answer = self.client.post(path, data={"csrf_token": self.csrf, **form})
        assert answer.status_code == 303, (path, answer.status_code, answer.text[:800])
        return str(answer.headers["Location"])
