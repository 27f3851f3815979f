"""Migrations: running cases go from one release to another, rehearsed first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from api.edge import clock, current_actor, needs, read_session, write_session
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.migrations import (
    CountedMigrationSchema,
    MigrationItemPage,
    MigrationItemQuery,
    MigrationPage,
    MigrationQuery,
    MigrationSchema,
    PlanMigrationSchema,
)
from disputes.releases import moving
from disputes.releases.models import Migration

resources = Resources("migrations", __name__, "Running cases move from one release to another")


@resources.route("/migrations")
@needs("migration.read")
@resources.arguments(MigrationQuery, location="query")
@resources.response(200, MigrationPage)
def migrations(query: dict[str, Any]) -> dict[str, Any]:
    """Migrations, the newest first."""
    after = place(query.get("after"), datetime, UUID)
    before = (after[0], after[1]) if after else None
    found = moving.migrations(read_session(), before=before, limit=query["limit"] + 1)
    return page(found, query["limit"], "created_at", "id")


@resources.route("/migrations", methods=("POST",))
@needs("migration.plan")
@resources.arguments(PlanMigrationSchema)
@resources.response(201, MigrationSchema)
def plan(wanted: dict[str, Any]) -> Migration:
    """Order a rehearsal; a worker tries every case on a copy. Ask for the migration until it is `rehearsed`."""
    return moving.plan(write_session(), **wanted, now=clock(), by=str(current_actor()))


@resources.route("/migrations/<uuid:migration_id>")
@needs("migration.read")
@resources.response(200, CountedMigrationSchema)
def one(migration_id: UUID) -> dict[str, Any]:
    """One migration, with how many cases stand where."""
    return _counted(read_session(), moving.find(read_session(), migration_id))


@resources.route("/migrations/<uuid:migration_id>/cases")
@needs("migration.read")
@resources.arguments(MigrationItemQuery, location="query")
@resources.response(200, MigrationItemPage)
def cases(query: dict[str, Any], migration_id: UUID) -> dict[str, Any]:
    """What happens to each case, or why it stays where it is."""
    session, after = read_session(), place(query.get("after"), UUID)
    moving.find(session, migration_id)
    found = moving.items_of(
        session, migration_id, state=query["state"], after=after[0] if after else None, limit=query["limit"] + 1
    )
    return page(found, query["limit"], "instance_id")


@resources.route("/migrations/<uuid:migration_id>/apply", methods=("POST",))
@needs("migration.apply")
@resources.response(200, CountedMigrationSchema)
def apply(migration_id: UUID) -> dict[str, Any]:
    """Carry over the cases that fit; a worker takes them one by one, and judges each once more."""
    session = write_session()
    return _counted(session, moving.begin(session, migration_id, now=clock(), by=str(current_actor())))


@resources.route("/migrations/<uuid:migration_id>/abandon", methods=("POST",))
@needs("migration.apply")
@resources.response(200, CountedMigrationSchema)
def abandon(migration_id: UUID) -> dict[str, Any]:
    """Never carry it out."""
    session = write_session()
    return _counted(session, moving.abandon(session, migration_id, now=clock(), by=str(current_actor())))


def _counted(session: Session, migration: Migration) -> dict[str, Any]:
    fields = {name: getattr(migration, name) for name in MigrationSchema().fields}
    return {**fields, "counts": moving.counts_of(session, migration.id)}
