"""The application on a real database, and people who sign in to it."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine

from api.app import create_app
from api.limits import limiter
from api.polling import Polls
from core.db import Database
from core.settings import Settings
from disputes.identity import operations

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"

SETTINGS = Settings(
    production=False,
    database_url="",
    secret_key="a-key-for-tests",
    data_keys=("a-key-for-tests",),
    base_url="http://127.0.0.1:8315",
    smtp_url="",
    mail_from="hejie@localhost",
    region="330299",
    max_body=256 * 1024,
    files=Path("unused"),
    proxies=0,
    limiter_storage="memory://",
)


#: For tests in which the dialect can matter: transactions, locks, unique keys.
ON_BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """SQLite, unless the test is marked ON_BOTH: what stands below the edge runs on both in its own tests."""
    from tests.conftest import _postgresql, _sqlite

    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite" and "district" in request.fixturenames:
        path = tmp_path / "hejie.db"
        shutil.copy(request.getfixturevalue("district_template")[0], path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.dispose()
        return
    yield from _sqlite(request, tmp_path) if kind == "sqlite" else _postgresql(request)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    from dataclasses import replace

    return replace(SETTINGS, files=tmp_path / "files")


@pytest.fixture
def app(database: Database, settings: Settings) -> Flask:
    """The application on the test's database, at a fixed moment, without the limits per address."""
    built = create_app(settings, database=database, clock=lambda: NOW)
    limiter.enabled = False
    built.extensions["hejie"].polls = Polls(pause=lambda seconds: None)
    return built


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def register(database: Database) -> Callable[..., Any]:
    """register(login, **more): somebody with an account, committed."""

    def _register(login: str, name: str = "钱多多", **more: Any) -> Any:
        with database.transaction() as session:
            return operations.register(session, login=login, password=PASSWORD, name=name, now=NOW, **more)

    return _register


class Caller:
    """A browser-like client that has signed in and sends the CSRF token."""

    def __init__(self, app: Flask, login: str, password: str = PASSWORD) -> None:
        self.client = app.test_client()
        answer = self.client.post("/api/v1/sessions", json={"login": login, "password": password})
        assert answer.status_code == 201, answer.json
        self.person = answer.json["person"]
        self.csrf = answer.json["csrf_token"]

    def __call__(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        return self.client.open(path, method=method, headers={"X-CSRFToken": self.csrf, **(headers or {})}, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self("GET", path, **more)

    def post(self, path: str, **more: Any) -> Any:
        return self("POST", path, **more)

    def put(self, path: str, **more: Any) -> Any:
        return self("PUT", path, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self("DELETE", path, **more)


@pytest.fixture
def sign_in(app: Flask, register: Callable[..., Any]) -> Callable[..., Caller]:
    """sign_in(login): a new person who has signed in."""

    def _sign_in(login: str = "qian", **more: Any) -> Caller:
        register(login, **more)
        return Caller(app, login)

    return _sign_in


@pytest.fixture
def organisation(database: Database) -> Any:
    """An office of the district."""
    from disputes.network.models import Organisation

    with database.transaction() as session:
        office = Organisation(code="YX-01", name="云溪市场监管所", kind="office", region="330299", created_at=NOW)
        session.add(office)
    return office


@pytest.fixture(scope="session")
def district_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A SQLite file with the seeded district, laid down once, and who is in it."""
    from tests.disputes.district import build_district

    path = tmp_path_factory.mktemp("district") / "template.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    district = build_district(database)
    with database.writing.connect() as connection:
        connection.rollback()
    database.dispose()
    plain = create_engine(f"sqlite:///{path}")
    with plain.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    plain.dispose()
    return path, district


@pytest.fixture
def district(database: Database, request: pytest.FixtureRequest) -> Any:
    """The seeded district with the real procedure."""
    from tests.disputes.district import build_district

    if database.dialect == "sqlite":
        return request.getfixturevalue("district_template")[1]
    return build_district(database)


@pytest.fixture
def talk(app: Flask, database: Database, district: Any) -> Callable[[str], Any]:
    """talk(login): somebody of the district, over the API."""
    from .district import Talker

    return lambda login: Talker(app, database, login)
