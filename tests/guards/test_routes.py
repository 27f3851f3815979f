"""Every route names its permission; only Flask's own static files need none."""

from pathlib import Path

import pytest
from flask import Flask

from api.app import create_app
from core.db import Database
from core.settings import Settings
from disputes.identity.permissions import PERMISSIONS


@pytest.fixture
def app(sqlite_database: Database) -> Flask:
    return create_app(Settings.from_environment({"HEJIE_DATA_KEYS": "a-key-for-tests"}), database=sqlite_database)


def test_every_route_names_a_permission(app: Flask) -> None:
    unguarded = [
        f"{rule.rule} ({rule.endpoint}): put @needs(...) from api/edge.py right below the route"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        and getattr(app.view_functions[rule.endpoint], "permission", None) not in PERMISSIONS
    ]
    assert unguarded == []


def test_only_one_place_commits() -> None:
    """The edge commits a request, and the few who keep a transaction of their own use Database.transaction."""
    root = Path(__file__).resolve().parents[2]
    lines = [
        f"{path.relative_to(root)}:{number}"
        for package in ("api", "disputes", "forms", "engine", "feel")
        for path in sorted((root / package).rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if ".commit()" in line
    ]
    assert [place.partition(":")[0] for place in lines] == ["api/edge.py"], lines
