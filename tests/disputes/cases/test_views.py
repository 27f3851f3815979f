"""Each reader's own view of one case: what is not for them is not in it."""

from dataclasses import asdict
from datetime import timedelta

import pytest

from core.db import Database
from core.refusals import NotFound
from disputes.cases import operations, queries
from disputes.inbox import operations as inbox
from disputes.inbox.forms import form_of
from tests.disputes.world import NOW, World, accept, build_world

PHONE, FLAT, NAME = "13800138000", "301", "王小明"


def everything(session, world: World, case, name: str) -> str:
    """All text that a reader is handed."""
    actor = world.actor(session, name)
    view = queries.view(session, case, actor, now=NOW)
    shown = [view.facts, *(str(asdict(party)) for party in view.parties), *(note.text for note in view.notes)]
    shown += [f"{entry.who} {entry.what}" for entry in queries.timeline(session, case, actor)]
    return "\n".join(shown)


def test_the_merchant_reads_the_facts_without_the_complainant(database: Database) -> None:
    with database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        text = everything(session, world, case, "respondent")
        assert "1600 元" in text
        for secret in (PHONE, FLAT, NAME, "199001011234"):
            assert secret not in text


@pytest.mark.parametrize("name", ["complainant", "officer", "supervisor"])
def test_the_complainant_and_the_office_read_it_whole(sqlite_database: Database, name: str) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        text = everything(session, world, case, name)
        assert PHONE in text
        assert NAME in text
        assert "330299199001011234" not in text


def test_a_merchant_who_was_not_told_does_not_know_that_there_is_a_case(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session, respondent_told_at=None))
        actor = world.actor(session, "respondent")
        with pytest.raises(NotFound):
            queries.find(session, case.case_no, actor)
        assert queries.page(session, actor).items == []


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("complainant", True),
        ("respondent", True),
        ("officer", True),
        ("clerk", True),
        ("supervisor", True),
        ("stranger", False),
        ("other_officer", False),
        ("other_respondent", False),
        ("mediator", False),
        ("court_liaison", False),
    ],
)
def test_who_finds_the_case_and_has_it_in_their_list(sqlite_database: Database, name: str, sees: bool) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        actor = world.actor(session, name)
        assert [found.id for found in queries.page(session, actor).items] == ([case.id] if sees else [])
        if sees:
            assert queries.find(session, case.id, actor) is case
        else:
            with pytest.raises(NotFound):
                queries.find(session, case.id, actor)


def test_nothing_from_before_it_was_told_is_on_the_merchants_timeline(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        later = NOW + timedelta(hours=3)
        case = world.run(session, world.case(session, respondent_told_at=later))
        item = world.item(session, case, "decide_acceptance")
        digest = form_of(session, item).digest
        officer = world.actor(session, "officer")
        inbox.answer(session, world.engine, item.task_id, digest, accept(), by=officer, now=later)
        theirs = queries.timeline(session, case, world.actor(session, "respondent"))
        assert [entry.element for entry in theirs] == ["answer_mediation"]
        assert all(entry.at >= later for entry in theirs)
        whole = queries.timeline(session, case, officer)
        assert [entry.kind for entry in whole][:2] == ["instance.started", "task.opened"]
        assert [entry.who for entry in whole if entry.kind == "task.completed"] == ["officer"]


def test_a_private_note_is_its_writers_alone(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session, mediator_id=world.people["mediator"].id))
        mediator = world.actor(session, "mediator")
        operations.add_note(session, case, text="底线是八百元", visible_to=[], by=mediator, now=NOW)
        operations.add_note(
            session, case, text="双方都到场", visible_to=["officer"], by=mediator, now=NOW + timedelta(1)
        )
        notes = {
            name: [n.text for n in queries.view(session, case, world.actor(session, name), now=NOW).notes]
            for name in ("mediator", "officer", "complainant", "respondent")
        }
        assert notes == {
            "mediator": ["底线是八百元", "双方都到场"],
            "officer": ["双方都到场"],
            "complainant": [],
            "respondent": [],
        }


def test_the_view_says_whose_turn_it_is(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        view = queries.view(session, case, world.actor(session, "complainant"), now=NOW)
        assert [(wait.element, wait.turn) for wait in view.waits] == [("decide_acceptance", ("officer",))]
        assert view.actions == ["add_evidence"]
        assert view.is_party
