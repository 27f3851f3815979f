"""Running cases go from one release to another: every case is rehearsed on a copy first, then carried over alone.

Each case has a transaction of its own, in which its outcome is written down: what was committed stays when a
process is killed, and the next one goes on with the cases that wait. Any number of processes may work at once.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from core.db import Database
from core.refusals import Conflict, Invalid, NotFound, Refusal, WrongState
from disputes.audit.operations import record
from disputes.cases.models import Case
from disputes.releases import queries
from disputes.releases.models import Migration, MigrationItem, Release
from disputes.releases.operations import require_not_retired
from engine import Engine, Instance, Migrated, specifications
from engine.migrating import NotMigratable, Route

log = logging.getLogger(__name__)

State, Item = Migration.State, MigrationItem.State
#: Rows written in one statement.
CHUNK = 1000
#: Cases taken up by one look of a worker before it heeds a stop.
BATCH = 50


def plan(
    session: Session,
    *,
    from_version: int,
    to_version: int,
    mapping: Mapping[str, str],
    rederive: bool = False,
    cases: Mapping[str, str] = {},
    why: str = "",
    now: datetime,
    by: str,
) -> Migration:
    """Order the rehearsal of all cases that run on a release, or of those of an office or status.

    Raises NotFound; Invalid for a mapping that names what neither release has; WrongState for a retired release.
    """
    old, new = queries.find(session, from_version), queries.find(session, to_version)
    if old.digest == new.digest:
        raise Invalid("两版内容相同，没有可迁移的。 Both releases are the same.", code="migration.same_release")
    require_not_retired(new)
    Route(specifications.load(session, old.digest), specifications.load(session, new.digest), mapping)
    migration = Migration(
        from_version=from_version,
        to_version=to_version,
        mapping=dict(mapping),
        rederive=rederive,
        cases={key: value for key, value in cases.items() if value},
        why=why.strip(),
        created_at=now,
        created_by=by,
    )
    session.add(migration)
    session.flush()
    found = [
        {"migration_id": migration.id, "instance_id": id, "case_no": case_no or key, "state": Item.WAITING,
         "reasons": [], "changes": [], "tasks": 0}
        for id, key, case_no in session.execute(_cases(old, migration.cases))
    ]  # fmt: skip
    for first in range(0, len(found), CHUNK):
        session.execute(insert(MigrationItem), found[first : first + CHUNK])
    _record(session, migration, "release.migration_planned", {"cases": len(found)}, now=now, by=by)
    return migration


def _cases(release: Release, wanted: Mapping[str, str]) -> Any:
    query = (
        select(Instance.id, Instance.key, Case.case_no)
        .outerjoin(Case, Case.instance_id == Instance.id)
        .where(Instance.bundle == release.digest, Instance.state.in_(queries.OPEN))
        .order_by(Instance.started_at, Instance.id)
    )
    if "office" in wanted:
        try:
            query = query.where(Case.office_id == UUID(wanted["office"]))
        except ValueError as error:
            raise Invalid("办理单位要写编号。 The office is given by its id.", code="migration.office") from error
    if "status" in wanted:
        query = query.where(Case.status == wanted["status"])
    return query


def begin(session: Session, migration_id: UUID, *, now: datetime, by: str) -> Migration:
    """Order that the cases which fit be carried over (``carry_on``). Raises NotFound, WrongState."""
    migration = _locked(session, migration_id)
    _require(migration, State.REHEARSED)
    require_not_retired(queries.find(session, migration.to_version))
    migration.state, migration.applied_at, migration.applied_by = State.RUNNING, now, by
    _record(session, migration, "release.migration_begun", {}, now=now, by=by)
    return migration


def abandon(session: Session, migration_id: UUID, *, now: datetime, by: str) -> Migration:
    """Never carry a migration out. Raises NotFound, WrongState once it has begun."""
    migration = _locked(session, migration_id)
    _require(migration, State.REHEARSING, State.REHEARSED)
    migration.state, migration.ended_at = State.ABANDONED, now
    _record(session, migration, "release.migration_abandoned", {}, now=now, by=by)
    return migration


def carry_on(
    database: Database,
    engine: Engine,
    *,
    clock: Callable[[], datetime],
    migration_id: UUID | None = None,
    most: int | None = None,
) -> int:
    """Go on with everything that was ordered; answers how many cases were taken up, ``most`` at the most."""
    done = 0
    while most is None or done < most:
        with database.reader() as session:
            wanted = select(Migration.id).where(Migration.state.in_((State.REHEARSING, State.RUNNING)))
            if migration_id is not None:
                wanted = wanted.where(Migration.id == migration_id)
            found = session.scalar(wanted.order_by(Migration.created_at).limit(1))
        if found is None:
            break
        taken = _one(database, engine, found, clock)
        if taken is None:
            break
        done += taken
    return done


def _one(database: Database, engine: Engine, migration_id: UUID, clock: Callable[[], datetime]) -> int | None:
    """Take up the next case, or end the stage where there is none; none when others hold what is left."""
    instance_id: UUID | None = None
    try:
        with database.transaction() as session:
            migration = session.get_one(Migration, migration_id)
            if migration.state not in (State.REHEARSING, State.RUNNING):
                return 0
            query = select(MigrationItem).where(
                MigrationItem.migration_id == migration_id, MigrationItem.state == _wanted(migration)
            )
            item = session.scalars(
                query.order_by(MigrationItem.instance_id).limit(1).with_for_update(skip_locked=True)
            ).one_or_none()
            if item is None:
                return _end(session, migration_id, query, clock())
            instance_id = item.instance_id
            _take(session, engine, migration, item, now=clock())
    except Conflict:
        return None  # somebody is working on the case: nothing has changed, and its turn comes again
    except Exception as error:
        if instance_id is None:
            raise
        log.exception("The case %s was not carried over.", instance_id)
        with database.transaction() as session:
            _refuse(session, (migration_id, instance_id), [_failure(error)], clock())
    return 1


def _wanted(migration: Migration) -> MigrationItem.State:
    """The state of the cases whose turn comes at this stage."""
    return Item.WAITING if migration.state == State.REHEARSING else Item.FITS


def _refuse(session: Session, key: tuple[UUID, UUID], reasons: list[dict[str, Any]], now: datetime) -> None:
    item = session.get_one(MigrationItem, key)
    item.state, item.reasons, item.at, item.changes, item.tasks = Item.REFUSED, reasons, now, [], 0


def _failure(error: Exception) -> dict[str, Any]:
    said = f"{type(error).__name__}: {error}"[:300]
    zh, en = f"没有迁移成：{said}", f"It was not carried over: {said}"
    return {"code": "migration.failed", "process": "", "element": "", "zh": zh, "en": en}


def _refusal(refused: Refusal) -> dict[str, Any]:
    zh, _, en = refused.message.partition("。 ")
    said = {"zh": f"{zh}。" if en else zh, "en": en or zh}
    return {"code": refused.code, "process": "", "element": "", **said}


def _take(session: Session, engine: Engine, migration: Migration, item: MigrationItem, *, now: datetime) -> None:
    """Rehearse one case, or carry it over, and write down how it went."""
    old, new = queries.find(session, migration.from_version), queries.find(session, migration.to_version)
    carries = migration.state == State.RUNNING
    key = (item.migration_id, item.instance_id)
    instance = engine.lock(session, item.instance_id)
    if instance.bundle != old.digest or not instance.is_open:
        item.state, item.at = Item.GONE, now
        return
    try:
        report = _report(session, engine, migration, new.digest, item.instance_id, carries=carries, now=now)
    except NotMigratable as refused:
        _refuse(session, key, [reason.json() for reason in refused.reasons], now)
    except Conflict:
        raise
    except Refusal as refused:
        _refuse(session, key, [_refusal(refused)], now)
    else:
        item = session.get_one(MigrationItem, key)
        item.state, item.at = (Item.MOVED if carries else Item.FITS), now
        item.changes, item.tasks, item.reasons = _changes(report), len(report.tasks), []


def _report(
    session: Session,
    engine: Engine,
    migration: Migration,
    digest: str,
    instance_id: UUID,
    *,
    carries: bool,
    now: datetime,
) -> Migrated:
    by, mapping, rederive = f"system:migration:{migration.id}", migration.mapping, migration.rederive
    if not carries:
        return engine.rehearse(
            session, instance_id, bundle=digest, mapping=mapping, rederive=rederive, now=now, by=by
        )
    with session.begin_nested():
        step = engine.migrate(
            session, instance_id, bundle=digest, mapping=mapping, rederive=rederive, now=now, by=by
        )
    assert step.migrated is not None
    return step.migrated


def _changes(report: Migrated) -> list[dict[str, Any]]:
    return [asdict(change) for change in report.changes]


def _end(session: Session, migration_id: UUID, query: Any, now: datetime) -> int | None:
    """Close a stage in which no case waits any more; none while another process holds the last of them."""
    migration = _locked(session, migration_id)
    if session.scalar(query.with_only_columns(func.count())):
        return None
    if migration.state == State.REHEARSING:
        migration.state = State.REHEARSED
    elif migration.state == State.RUNNING:
        migration.state, migration.ended_at = State.DONE, now
        counts = counts_of(session, migration.id)
        by = f"system:migration:{migration.id}"
        _record(session, migration, "release.migration_done", counts, now=now, by=by)
    return 0


def counts_of(session: Session, migration_id: UUID) -> dict[str, int]:
    """State of an item → how many cases."""
    rows = session.execute(
        select(MigrationItem.state, func.count())
        .where(MigrationItem.migration_id == migration_id)
        .group_by(MigrationItem.state)
    )
    found = {str(state): count for state, count in rows}
    return {state.value: found.get(state.value, 0) for state in Item}


def find(session: Session, migration_id: UUID) -> Migration:
    """A migration. Raises NotFound."""
    migration = session.get(Migration, migration_id)
    if migration is None:
        raise NotFound("没有这次迁移。 There is no such migration.", code="migration.not_found")
    return migration


def migrations(
    session: Session, *, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Migration]:
    """Migrations, newest first."""
    wanted = select(Migration).order_by(Migration.created_at.desc(), Migration.id.desc()).limit(limit)
    if before is not None:
        at, id = before
        wanted = wanted.where((Migration.created_at < at) | ((Migration.created_at == at) & (Migration.id < id)))
    return list(session.scalars(wanted))


def items_of(
    session: Session, migration_id: UUID, *, state: str = "", after: UUID | None = None, limit: int = 50
) -> list[MigrationItem]:
    """The cases of a migration in the order of their instances."""
    wanted = select(MigrationItem).where(MigrationItem.migration_id == migration_id)
    if state:
        wanted = wanted.where(MigrationItem.state == state)
    if after is not None:
        wanted = wanted.where(MigrationItem.instance_id > after)
    return list(session.scalars(wanted.order_by(MigrationItem.instance_id).limit(limit)))


def item_json(item: MigrationItem) -> dict[str, Any]:
    """A case of a migration as the API and the command show it."""
    return {
        "instance_id": str(item.instance_id),
        "case_no": item.case_no,
        "state": str(item.state),
        "tasks": item.tasks,
        "reasons": item.reasons,
        "changes": item.changes,
    }


def _locked(session: Session, migration_id: UUID) -> Migration:
    migration = session.get(Migration, migration_id, with_for_update=True, populate_existing=True)
    if migration is None:
        raise NotFound("没有这次迁移。 There is no such migration.", code="migration.not_found")
    return migration


def _require(migration: Migration, *states: Migration.State) -> None:
    if migration.state not in states:
        raise WrongState(
            f"这次迁移已是“{migration.state}”。 Expected a migration that is {' or '.join(states)}, "
            f"found one that is {migration.state}.",
            code=f"migration.already_{migration.state}",
            expected=" or ".join(states),
            found=str(migration.state),
        )


def _record(
    session: Session, migration: Migration, action: str, facts: Mapping[str, Any], *, now: datetime, by: str
) -> None:
    known = {
        "migration": str(migration.id),
        "from": migration.from_version,
        "to": migration.to_version,
        "mapping": dict(migration.mapping),
        "why": migration.why,
    }
    record(session, chain=f"migration:{migration.id}", action=action, facts={**known, **facts}, by=by, now=now)
    session.flush()
