"""Which migration the database has reached, which one this code needs, and the way from one to the other."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from core.db import Database

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def found(session: Session) -> str | None:
    """The revision of the database; None when it was never migrated."""
    return MigrationContext.configure(session.connection()).get_current_revision()


@cache
def head() -> str | None:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def upgrade(database: Database) -> None:
    """Bring the database to the newest revision, in one transaction."""
    config = _config()
    with database.writing.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    return Config(str(MIGRATIONS / "alembic.ini"))
