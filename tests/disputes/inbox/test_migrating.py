"""Items and drafts follow their tasks into another release."""

import json
from collections.abc import Mapping

from sqlalchemy import select

from core.db import Database
from disputes.inbox import operations
from disputes.inbox.forms import form_of
from disputes.inbox.models import Draft
from engine import Instance, Step, bundles
from tests.disputes.world import FORM, NOW, World, build_world, diagram


def changed(world: World, database: Database, drawing: bytes, form: bytes) -> str:
    with database.transaction() as session:
        files = {"bpmn/acceptance.bpmn": drawing, "forms/decide.form": form}
        return bundles.save(session, files, now=NOW)


def migrate(world: World, database: Database, bundle: str, mapping: Mapping[str, str] = {}) -> Step:
    with database.transaction() as session:
        instance = session.scalars(select(Instance)).one()
        return world.engine.migrate(session, instance.id, bundle=bundle, mapping=mapping, now=NOW, by="d")


def test_an_item_follows_its_task_and_a_draft_keeps_what_fits(database: Database) -> None:
    with database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        case_id = case.id
        item = world.item(session, case, "decide_acceptance")
        officer = world.actor(session, "officer")
        operations.claim(session, item.task_id, by=officer, now=NOW)
        typed = {"decision": "refuse", "reasons": "没有管辖权"}
        operations.save_draft(session, item.task_id, form_of(session, item).digest, typed, by=officer, now=NOW)
        before = (item.task_id, item.claimed_by, item.organisation_id)
    form = json.loads(FORM)
    form["components"][0]["values"][1]["value"] = "decline"
    drawing = diagram().replace(b"decide_acceptance", b"decide")
    bundle = changed(world, database, drawing, json.dumps(form).encode())
    step = migrate(world, database, bundle, {"decide_acceptance": "decide"})
    assert step.migrated is not None
    assert [(c.what, c.before) for c in step.migrated.changes if c.what == "draft"] == [("draft", "decision")]
    with database.reader() as session:
        case = session.get_one(type(case), case_id)
        item = world.item(session, case, "decide")
        assert (item.task_id, item.claimed_by, item.organisation_id) == before
        draft = session.scalars(select(Draft)).one()
        assert json.loads(draft.content) == {"reasons": "没有管辖权"}
        assert draft.form_digest == form_of(session, item).digest


def test_an_item_goes_to_another_role_without_its_claim(sqlite_database: Database) -> None:
    database = sqlite_database
    with database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        case_id = case.id
        item = world.item(session, case, "decide_acceptance")
        operations.claim(session, item.task_id, by=world.actor(session, "officer"), now=NOW)
    drawing = diagram().replace(b'candidateGroups="officer"', b'candidateGroups="centre_clerk"')
    migrate(world, database, changed(world, database, drawing, FORM))
    with database.reader() as session:
        case = session.get_one(type(case), case_id)
        item = world.item(session, case, "decide_acceptance")
        assert (item.role, item.claimed_by) == ("centre_clerk", None)
        assert item.organisation_id == world.places["centre"].id
