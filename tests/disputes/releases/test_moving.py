"""Cases go from one release to another: rehearsed, applied, refused one by one, and gone on with after a kill."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.db import Database
from core.refusals import Invalid, WrongState
from disputes.audit.models import AuditEvent
from disputes.inbox.models import InboxItem
from disputes.releases import moving, operations, queries
from disputes.releases.models import Migration, MigrationItem, Release
from engine import Instance, bundles, events
from tests.disputes.world import FORM, World, build_world, diagram

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
RENAMED = diagram().replace(b'id="decide_acceptance" name="decide_acceptance"', b'id="decide" name="decide"')
RENAMED = RENAMED.replace(b"decide_acceptance", b"decide")


def clock() -> datetime:
    return NOW


@contextmanager
def house(database: Database, cases: int = 3) -> Iterator[tuple[World, list[str]]]:
    """Two releases, some cases on the first: the last of them one task further."""
    with database.transaction() as session:
        world = build_world(session)
        for version, files in enumerate((diagram(), RENAMED), 1):
            digest = bundles.save(session, {"bpmn/acceptance.bpmn": files, "forms/decide.form": FORM}, now=NOW)
            session.add(
                Release(
                    version=version,
                    digest=digest,
                    name=f"v{version}",
                    deployed_at=NOW,
                    deployed_by="d",
                    findings=[],
                )
            )
            session.flush()
            bundles.make_current(session, digest, now=NOW)
        running = [world.run(session, world.case(session)) for _ in range(cases)]
        numbers = [case.case_no for case in running]
        task = world.item(session, running[-1], "decide_acceptance").task_id
    with database.transaction() as session:
        world.engine.complete(session, task, {"decision": "accept"}, now=NOW, by="t")
    yield world, numbers


def plan(database: Database, **given: object) -> Migration:
    with database.transaction() as session:
        wanted = {"from_version": 1, "to_version": 2, "mapping": {}, "now": NOW, "by": "person:d", **given}
        return moving.plan(session, **wanted)  # type: ignore[arg-type]


def states(database: Database, migration: Migration) -> dict[str, str]:
    with database.reader() as session:
        return {item.case_no: str(item.state) for item in moving.items_of(session, migration.id)}


def test_a_rehearsal_says_of_every_case_whether_it_fits_and_changes_none(database: Database) -> None:
    with house(database) as (world, numbers):
        migration = plan(database)
        assert moving.carry_on(database, world.engine, clock=clock) == 3
        assert states(database, migration) == {numbers[0]: "refused", numbers[1]: "refused", numbers[2]: "fits"}
        with database.reader() as session:
            assert session.get_one(Migration, migration.id).state == "rehearsed"
            refused = moving.items_of(session, migration.id, state="refused")[0]
            assert [reason["element"] for reason in refused.reasons] == ["decide_acceptance"]
            assert "decide_acceptance" in refused.reasons[0]["zh"] and refused.reasons[0]["en"]
            assert queries.running_on(session, [world.bundle]) == {world.bundle: 3}
        mapped = plan(database, mapping={"decide_acceptance": "decide"})
        moving.carry_on(database, world.engine, clock=clock)
        assert set(states(database, mapped).values()) == {"fits"}


def test_cases_are_carried_over_and_finished_by_the_new_release(database: Database) -> None:
    with house(database) as (world, numbers):
        migration = plan(database, mapping={"decide_acceptance": "decide"}, why="改名")
        moving.carry_on(database, world.engine, clock=clock)
        with database.transaction() as session:
            moving.begin(session, migration.id, now=NOW, by="person:d")
        moving.carry_on(database, world.engine, clock=clock)
        assert states(database, migration) == dict.fromkeys(numbers, "moved")
        with database.transaction() as session:
            assert session.get_one(Migration, migration.id).state == "done"
            assert moving.counts_of(session, migration.id)["moved"] == 3
            assert queries.running_on(session, [world.bundle]) == {}
            actions = session.scalars(
                select(AuditEvent.action).where(AuditEvent.chain == f"migration:{migration.id}")
            )
            assert list(actions) == [
                "release.migration_planned",
                "release.migration_begun",
                "release.migration_done",
            ]
            with pytest.raises(WrongState):
                moving.begin(session, migration.id, now=NOW, by="d")
        for _ in range(5):
            with database.transaction() as session:
                for item in session.scalars(select(InboxItem).where(InboxItem.state == "open")).all():
                    world.engine.complete(session, item.task_id, {"decision": "accept"}, now=NOW, by="t")
        with database.reader() as session:
            for instance in session.scalars(select(Instance)):
                assert (instance.state, instance.ended_element) == ("completed", "mediated")
                assert events.verify(session, instance.id)


def test_a_case_that_moved_on_between_rehearsal_and_application_is_judged_again(sqlite_database: Database) -> None:
    with house(sqlite_database) as (world, numbers):
        migration = plan(sqlite_database)
        moving.carry_on(sqlite_database, world.engine, clock=clock)
        with sqlite_database.transaction() as session:
            moving.begin(session, migration.id, now=NOW, by="d")
            fits = moving.items_of(session, migration.id, state="fits")[0]
            world.engine.cancel(session, fits.instance_id, reason="withdrawn", now=NOW, by="t")
        moving.carry_on(sqlite_database, world.engine, clock=clock)
        assert states(sqlite_database, migration)[numbers[2]] == "gone"


def test_a_killed_application_goes_on_where_it_stopped(database: Database) -> None:
    class Killed(BaseException):
        pass

    with house(database, cases=5) as (world, _):
        migration = plan(database, mapping={"decide_acceptance": "decide"})
        moving.carry_on(database, world.engine, clock=clock)
        with database.transaction() as session:
            moving.begin(session, migration.id, now=NOW, by="d")
        calls = 0
        whole = world.engine.migrate

        def dies(*args: object, **given: object) -> object:
            nonlocal calls
            calls += 1
            step = whole(*args, **given)  # type: ignore[arg-type]
            if calls == 3:
                raise Killed
            return step

        world.engine.migrate = dies  # type: ignore[method-assign, assignment]
        with pytest.raises(Killed):
            moving.carry_on(database, world.engine, clock=clock)
        assert sorted(states(database, migration).values()) == ["fits"] * 3 + ["moved"] * 2
        world.engine.migrate = whole  # type: ignore[method-assign]
        moving.carry_on(database, world.engine, clock=clock)
        assert set(states(database, migration).values()) == {"moved"}
        with database.reader() as session:
            for instance in session.scalars(select(Instance)):
                kinds = [event.kind for event in events.history(session, instance.id)]
                assert kinds.count("instance.migrated") == 1


def test_a_case_that_fails_unexpectedly_holds_up_nobody(sqlite_database: Database) -> None:
    with house(sqlite_database) as (world, _):
        migration = plan(sqlite_database)
        whole = world.engine.rehearse

        def fails(session: object, instance_id: object, **given: object) -> object:
            if instance_id == first:
                raise RuntimeError("a listener is broken")
            return whole(session, instance_id, **given)  # type: ignore[arg-type]

        with sqlite_database.reader() as session:
            first = moving.items_of(session, migration.id)[0].instance_id
        world.engine.rehearse = fails  # type: ignore[method-assign, assignment]
        moving.carry_on(sqlite_database, world.engine, clock=clock)
        with sqlite_database.reader() as session:
            found = {item.instance_id: item for item in moving.items_of(session, migration.id)}
            assert found[first].state == "refused" and found[first].reasons[0]["code"] == "migration.failed"
            assert session.get_one(Migration, migration.id).state == "rehearsed"
            assert MigrationItem.State.WAITING not in {item.state for item in found.values()}


def test_only_the_cases_that_were_asked_for(sqlite_database: Database) -> None:
    with house(sqlite_database) as (world, numbers):
        here = plan(sqlite_database, cases={"office": str(world.places["office"].id)})
        assert sorted(states(sqlite_database, here)) == sorted(numbers)
        other = plan(sqlite_database, cases={"office": str(world.places["other_office"].id)})
        assert states(sqlite_database, other) == {}
        with pytest.raises(Invalid):
            plan(sqlite_database, cases={"office": "云溪所"})
        with pytest.raises(Invalid):
            plan(sqlite_database, mapping={"nothing": "decide"})
        with pytest.raises(Invalid):
            plan(sqlite_database, to_version=1)


def test_releases_are_retired_only_when_nobody_needs_them(sqlite_database: Database) -> None:
    with house(sqlite_database) as (world, _):
        with sqlite_database.transaction() as session:
            with pytest.raises(WrongState) as current:
                operations.retire(session, 2, now=NOW, by="d")
            assert current.value.code == "release.is_current"
            with pytest.raises(WrongState) as used:
                operations.retire(session, 1, now=NOW, by="d")
            assert used.value.facts["running"] == 3
        with sqlite_database.transaction() as session:
            back = operations.reinstate(session, 1, now=NOW, by="d")
            assert (back.version, back.digest) == (3, world.bundle) and bundles.current(session) == world.bundle
            assert queries.current_release(session).version == 3
            assert operations.retire(session, 2, now=NOW, by="d").retired_by == "d"
            with pytest.raises(WrongState) as retired:
                operations.reinstate(session, 2, now=NOW, by="d")
            assert retired.value.code == "release.retired"
        with pytest.raises(WrongState):
            plan(sqlite_database)
        with sqlite_database.reader() as session:
            actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
            assert actions[-2:] == ["release.reinstated", "release.retired"]
