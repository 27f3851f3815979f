"""Runs the migrations on the database of HEJIE_DATABASE_URL, or on the connection that the caller hands over."""

import os

from alembic import context
from sqlalchemy.engine import Connection

import api.models  # noqa: F401  the edge keeps answers, job runs and heartbeats
import disputes.models  # noqa: F401
from core.db import Base, Database
from core.settings import Settings


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = Database(Settings.from_environment(os.environ).database_url)
    with database.writing.connect() as connection:
        run(connection)
        connection.commit()
    database.dispose()
