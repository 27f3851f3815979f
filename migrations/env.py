"""Runs the migrations on the database of HEJIE_DATABASE_URL, or on the connection that the caller hands over."""

import os
from typing import Any, Literal

from alembic import context
from sqlalchemy import types
from sqlalchemy.engine import Connection

import api.models  # noqa: F401  the edge keeps answers, job runs and heartbeats
import disputes.models  # noqa: F401
from core.db import Base, Database
from core.settings import Settings


def rendered(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Write our own column types as the plain ones that they are stored as: a migration outlives the code."""
    if kind == "type" and isinstance(item, types.TypeDecorator):
        inner = item.impl_instance
        if isinstance(inner, types.DateTime):
            return "sa.DateTime(timezone=True)"
        return f"sa.{inner!r}"
    if kind == "type" and isinstance(item, types.JSON):
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=rendered,
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
