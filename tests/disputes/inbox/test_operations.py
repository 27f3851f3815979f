"""Claiming, giving back, reassigning, drafting and answering."""

import json
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from core.db import Database
from core.refusals import Conflict, Forbidden, Invalid, NotFound, Refusal, WrongState
from disputes.cases.models import Case, Stage, Status
from disputes.identity.actor import Actor
from disputes.inbox import operations, queries
from disputes.inbox.forms import form_of
from disputes.inbox.models import Answer, Draft, InboxItem, ItemState
from engine import Task
from tests.disputes.world import NOW, World, accept, build_world


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction() as session:
        world = build_world(session)
        world.case(session)  # noise: a case that runs nowhere
        world.run(session, world.case(session))
        world.run(session, world.case(session, office_id=world.places["other_office"].id))
    return world


def running(session, world: World) -> Case:
    return session.scalars(select(Case).where(Case.case_no.endswith("0002"))).one()


def test_a_task_goes_to_the_office_of_its_case_and_to_nobody_else(database: Database, world: World) -> None:
    with database.transaction() as session:
        item = world.item(session, running(session, world), "decide_acceptance")
        assert (item.role, item.organisation_id, item.person_id) == ("officer", world.places["office"].id, None)
        assert item.stage == Stage.ACCEPTANCE
        for name, sees in (("officer", 1), ("second_officer", 1), ("other_officer", 1), ("complainant", 0)):
            found = queries.page(session, world.actor(session, name))
            assert len(found.items) == sees, name
        with pytest.raises(NotFound):
            operations.claim(session, item.task_id, by=world.actor(session, "other_officer"), now=NOW)
        with pytest.raises(Forbidden):
            operations.claim(session, item.task_id, by=world.actor(session, "complainant"), now=NOW)


def test_of_two_officers_the_second_is_told_who_has_the_task(database: Database, world: World) -> None:
    with database.transaction() as session:
        task = world.item(session, running(session, world), "decide_acceptance").task_id
        first, second = world.actor(session, "officer"), world.actor(session, "second_officer")
        operations.claim(session, task, by=first, now=NOW)
        operations.claim(session, task, by=first, now=NOW)  # again: nothing changes
        with pytest.raises(Conflict, match="officer"):
            operations.claim(session, task, by=second, now=NOW)
        with pytest.raises(Forbidden):
            operations.unclaim(session, task, by=second, now=NOW)
        operations.unclaim(session, task, by=first, now=NOW)
        assert operations.claim(session, task, by=second, now=NOW).claimed_by == second.person_id


def test_two_officers_at_the_same_moment_have_one_winner(database: Database, world: World) -> None:
    with database.transaction() as session:
        task = world.item(session, running(session, world), "decide_acceptance").task_id
        actors = [world.actor(session, name) for name in ("officer", "second_officer")]
    outcomes: list[str] = []
    barrier = Barrier(2)

    def race(actor: Actor) -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                operations.claim(session, task, by=actor, now=NOW)
            outcomes.append("won")
        except Conflict:
            outcomes.append("lost")

    threads = [Thread(target=race, args=(actor,)) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost", "won"]


def test_a_stale_version_is_a_conflict(database: Database, world: World) -> None:
    with database.transaction() as session:
        item = world.item(session, running(session, world), "decide_acceptance")
        read = item.version
        operations.claim(session, item.task_id, version=read, by=world.actor(session, "officer"), now=NOW)
        operations.unclaim(session, item.task_id, by=world.actor(session, "officer"), now=NOW)
        with pytest.raises(Conflict):
            operations.claim(session, item.task_id, version=read, by=world.actor(session, "officer"), now=NOW)


def test_an_answer_is_kept_sealed_and_the_diagram_goes_on(database: Database, world: World) -> None:
    with database.transaction() as session:
        case = running(session, world)
        item = world.item(session, case, "decide_acceptance")
        officer = world.actor(session, "officer")
        operations.save_draft(session, item.task_id, "x", {"decision": "refuse"}, by=officer, now=NOW)
        digest = form_of(session, item).digest
        kept = operations.answer(session, world.engine, item.task_id, digest, accept(), by=officer, now=NOW)
        assert json.loads(kept.content) == {"decision": "accept"}
        assert session.scalar(select(func.count()).select_from(Draft)) == 0
        session.refresh(item)
        assert (item.state, item.ended_at) == (ItemState.DONE, NOW)
        assert case.status == Status.ACCEPTED
        assert sorted(case.turn) == ["complainant", "respondent"]
        parties = session.scalars(
            select(InboxItem.role).where(InboxItem.case_id == case.id, InboxItem.state == ItemState.OPEN)
        )
        assert sorted(parties) == ["complainant", "respondent"]
    with database.writing.connect() as connection:
        raw = connection.exec_driver_sql("SELECT content FROM answer").scalar_one()
        assert b"accept" not in bytes(raw)


@pytest.mark.parametrize(
    ("name", "party", "allowed"),
    [
        ("complainant", "complainant", True),
        ("complainant", "respondent", False),
        ("respondent", "respondent", True),
        ("respondent", "complainant", False),
        ("other_respondent", "respondent", False),
        ("officer", "complainant", False),
        ("stranger", "complainant", False),
    ],
)
def test_each_party_answers_for_itself(sqlite_database: Database, name: str, party: str, allowed: bool) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        item = world.item(session, case, "decide_acceptance")
        digest = form_of(session, item).digest
        officer = world.actor(session, "officer")
        operations.answer(session, world.engine, item.task_id, digest, accept(), by=officer, now=NOW)
        mine = world.item(session, case, "answer_mediation", party)
        actor = world.actor(session, name)
        if allowed:
            operations.answer(session, world.engine, mine.task_id, digest, accept(), by=actor, now=NOW)
        else:
            with pytest.raises((Forbidden, NotFound)):
                operations.answer(session, world.engine, mine.task_id, digest, accept(), by=actor, now=NOW)


def test_the_bearer_of_a_claim_link_answers_for_the_merchant_of_that_case_alone(
    database: Database, world: World
) -> None:
    with database.transaction() as session:
        case = running(session, world)
        first = world.item(session, case, "decide_acceptance")
        digest = form_of(session, first).digest
        operations.answer(
            session, world.engine, first.task_id, digest, accept(), by=world.actor(session, "officer"), now=NOW
        )
        bearer = Actor.guest(str(case.id), "respondent")
        theirs = world.item(session, case, "answer_mediation", "respondent")
        other_side = world.item(session, case, "answer_mediation", "complainant")
        with pytest.raises((Forbidden, NotFound)):
            operations.answer(session, world.engine, other_side.task_id, digest, accept(), by=bearer, now=NOW)
        with pytest.raises(NotFound):
            operations.answer(
                session,
                world.engine,
                theirs.task_id,
                digest,
                accept(),
                by=Actor.guest("00000000-0000-0000-0000-000000000001", "respondent"),
                now=NOW,
            )
        assert [item.task_id for item in queries.page(session, bearer).items] == [theirs.task_id]
        kept = operations.answer(session, world.engine, theirs.task_id, digest, accept(), by=bearer, now=NOW)
        assert kept.by_person is None


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"digest": "0" * 64}, Conflict),
        ({"answer": {"decision": "maybe"}}, Invalid),
        ({"answer": {"decision": "accept", "extra": 1}}, Invalid),
        ({"answer": {"decision": "refuse", "reasons": "短"}}, Invalid),
        ({"answer": {}}, Invalid),
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(
    sqlite_database: Database, change: dict[str, object], refusal: type[Refusal]
) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        item = world.item(session, case, "decide_acceptance")
        digest = str(change.get("digest") or form_of(session, item).digest)
        answer = change.get("answer", accept())
        with pytest.raises(refusal):
            operations.answer(
                session,
                world.engine,
                item.task_id,
                digest,
                answer,
                by=world.actor(session, "officer"),
                now=NOW,  # type: ignore[arg-type]
            )
        assert session.scalar(select(func.count()).select_from(Answer)) == 0
        assert session.get_one(Task, item.task_id).state == Task.State.OPEN


def test_answering_twice_is_refused(database: Database, world: World) -> None:
    with database.transaction() as session:
        item = world.item(session, running(session, world), "decide_acceptance")
        digest, officer = form_of(session, item).digest, world.actor(session, "officer")
        operations.answer(session, world.engine, item.task_id, digest, accept(), by=officer, now=NOW)
        with pytest.raises(WrongState) as refused:
            operations.answer(session, world.engine, item.task_id, digest, accept(), by=officer, now=NOW)
        assert refused.value.code == "task.already_completed"


def test_a_cancelled_case_takes_its_tasks_away(database: Database, world: World) -> None:
    with database.transaction() as session:
        case = running(session, world)
        item = world.item(session, case, "decide_acceptance")
        operations.save_draft(session, item.task_id, "x", {}, by=world.actor(session, "officer"), now=NOW)
        assert case.instance_id is not None
        world.engine.cancel(session, case.instance_id, reason="误登记", now=NOW, by="system")
        session.refresh(item)
        assert item.state == ItemState.DROPPED
        assert session.scalar(select(func.count()).select_from(Draft)) == 0


def test_a_supervisor_gives_a_task_to_somebody_of_the_office_only(database: Database, world: World) -> None:
    with database.transaction() as session:
        task = world.item(session, running(session, world), "decide_acceptance").task_id
        supervisor = world.actor(session, "supervisor")
        second = world.people["second_officer"].id
        assert operations.reassign(session, task, second, by=supervisor, now=NOW).claimed_by == second
        with pytest.raises(Forbidden):
            operations.reassign(session, task, world.people["other_officer"].id, by=supervisor, now=NOW)
        with pytest.raises(Forbidden):
            operations.reassign(session, task, second, by=world.actor(session, "officer"), now=NOW)


def test_pages_go_by_key_and_the_nearest_limit_comes_first(database: Database, world: World) -> None:
    with database.transaction() as session:
        office = world.places["office"].id
        for number in range(7):
            case = world.run(session, world.case(session), now=NOW + timedelta(minutes=number))
            item = world.item(session, case, "decide_acceptance")
            item.sort_at = item.due_at = NOW + timedelta(days=7 - number)
        session.flush()
        actor = world.actor(session, "officer")
        seen: list[InboxItem] = []
        after = None
        while True:
            page = queries.page(session, actor, after=after, limit=3)
            seen += page.items
            after = page.next
            if after is None:
                break
        assert len(seen) == 8
        assert len({item.task_id for item in seen}) == 8
        assert [item.sort_at for item in seen] == sorted(item.sort_at for item in seen)
        assert {item.organisation_id for item in seen} == {office}
        soon = queries.page(session, actor, queries.Filters(due_before=NOW + timedelta(days=3)))
        assert len(soon.items) == 2
        found = queries.page(session, actor, queries.Filters(text=seen[0].case_no))
        assert [item.task_id for item in found.items] == [seen[0].task_id]
        assert queries.page(session, actor, queries.Filters(text="%")).items == []
        with pytest.raises(Invalid):
            queries.page(session, actor, after="not-a-key")


def test_counts_tell_what_is_open_mine_late_and_due_today(database: Database, world: World) -> None:
    with database.transaction() as session:
        actor = world.actor(session, "officer")
        items = [world.item(session, running(session, world), "decide_acceptance")]
        for _ in range(2):
            items.append(world.item(session, world.run(session, world.case(session)), "decide_acceptance"))
        for item, hours in zip(items, (-1, 2, 48), strict=True):
            item.sort_at = item.due_at = NOW + timedelta(hours=hours)
        session.flush()
        operations.claim(session, items[0].task_id, by=actor, now=NOW)
        counts = queries.counts(session, actor, now=NOW, end_of_day=NOW + timedelta(hours=14))
        assert (counts.open, counts.mine, counts.overdue, counts.today) == (3, 1, 1, 1)
        assert counts.by_stage == {"acceptance": 3}


def test_a_task_is_shown_with_its_form_its_draft_and_what_one_may_do(database: Database, world: World) -> None:
    with database.transaction() as session:
        item = world.item(session, running(session, world), "decide_acceptance")
        officer = world.actor(session, "officer")
        digest = form_of(session, item).digest
        operations.save_draft(session, item.task_id, digest, {"decision": "refuse"}, by=officer, now=NOW)
        view = queries.task(session, officer, item.task_id, now=NOW)
        assert view.draft == {"decision": "refuse"}
        assert view.context["case_id"] == str(item.case_id)
        assert view.context["today"] == "2026-09-18"
        assert (view.may_answer, view.may_claim, view.may_reassign) == (True, True, False)
        other = queries.task(session, world.actor(session, "supervisor"), item.task_id, now=NOW)
        assert (other.may_answer, other.may_reassign) == (False, True)
        with pytest.raises(NotFound):
            queries.task(session, world.actor(session, "complainant"), item.task_id, now=NOW)
