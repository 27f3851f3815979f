"""Messages are taken by who waits, kept for who does not wait yet, and never lost, doubled or taken twice."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.db import Database
from core.refusals import Conflict, Invalid
from engine import Incident, Instance, ServiceCall, Services, messages
from engine.messages import Outcome, Published
from engine.models import Delivery
from tests.engine.drawing import Scope, diagram, mapping, message, timer
from tests.engine.house import House
from tests.engine.test_elements import only

DAY = timedelta(days=1)


def waits_later() -> Scope:
    """First a task, then a wait for the message, then a task."""
    return (
        Scope()
        .start()
        .user("first")
        .catch("wait", message("m"), {"said": "= text"})
        .user("last")
        .end()
        .path("start", "first", "wait", "last", "end")
    )


def house_of(database: Database, scope: Scope, **options: Any) -> House:
    return House(database, diagram(scope.process(), messages=("m",)), **options)


def publish(
    house: House, *, key: str = "case-1", ttl: timedelta = DAY, message_id: str | None = None, **payload: Any
) -> Published:
    with house.database.transaction() as session:
        return house.engine.publish(
            session, "m", key, payload=payload, ttl=ttl, message_id=message_id, now=house.now, by="sender"
        )


def kept(house: House) -> list[Delivery]:
    with house.database.reader() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.place, Delivery.key)))


def test_a_message_is_kept_until_somebody_waits_and_taken_in_that_step(database: Database) -> None:
    house = house_of(database, waits_later())
    house.start()
    published = publish(house, text="hello")
    assert (published.outcome, published.expires_at, published.step) == (Outcome.KEPT, house.now + DAY, None)
    step = only(house.complete("first"))
    assert (step.position, step.messages, step.data["said"]) == ([("p", "last")], ["m"], "hello")
    (row,) = kept(house)
    assert (row.state, row.instance_id, row.payload) == ("delivered", step.instance.id, None)
    assert house.subscriptions() == [] and house.chain_is_whole()


def test_a_message_that_somebody_waits_for_is_delivered_and_leaves_no_row(database: Database) -> None:
    house = house_of(database, waits_later())
    house.start()
    house.complete("first")
    published = publish(house, text="now")
    assert published.outcome == Outcome.DELIVERED and published.step is not None
    assert only(published.step).data["said"] == "now" and kept(house) == []


def test_without_a_time_to_live_nobody_keeps_it(database: Database) -> None:
    house = house_of(database, waits_later())
    house.start()
    assert publish(house, ttl=timedelta(), text="lost", message_id="a").outcome == Outcome.UNWANTED
    assert kept(house) == [] and only(house.complete("first")).position == [("p", "wait")]
    assert publish(house, ttl=timedelta(), text="found", message_id="a").outcome == Outcome.DELIVERED


def test_an_expired_message_is_not_taken_and_is_swept_with_what_it_says(database: Database) -> None:
    house = house_of(database, waits_later())
    house.start()
    publish(house, text="late", message_id="a")
    publish(house, ttl=2 * DAY, key="other", text="stays")
    house.advance(DAY)
    with database.transaction() as session:
        assert messages.expire(session, now=house.now - timedelta(seconds=1)) == 0
    assert only(house.complete("first")).position == [("p", "wait")]
    with database.transaction() as session:
        assert messages.expire(session, now=house.now) == 1
        assert messages.expire(session, now=house.now) == 0
    assert [(row.state, row.payload is None) for row in kept(house)] == [("expired", True), ("kept", False)]
    again = publish(house, text="late", message_id="a")
    assert (again.outcome, again.first) == (Outcome.REPEATED, "expired")
    with database.transaction() as session:
        assert messages.forget_old(session, now=house.now + messages.REMEMBERED) == 1
    assert [row.key for row in kept(house)] == ["other"]


@pytest.mark.parametrize("waiting", [False, True])
def test_the_same_id_is_heeded_once(database: Database, waiting: bool) -> None:
    house = house_of(database, waits_later())
    house.start()
    if waiting:
        house.complete("first")
    first = publish(house, text="one", message_id="id-1")
    second = publish(house, text="two", message_id="id-1")
    assert first.outcome == (Outcome.DELIVERED if waiting else Outcome.KEPT)
    assert (second.outcome, second.first) == (Outcome.REPEATED, first.outcome)
    elsewhere = publish(house, key="case-2", text="two", message_id="id-1")
    assert elsewhere.outcome == Outcome.KEPT
    if not waiting:
        assert only(house.complete("first")).data["said"] == "one"


def test_kept_messages_are_taken_in_the_order_of_their_arrival_one_by_one(database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user("u", outputs={"n": "= n + 1"})
        .catch("wait", message("m"), {"said": "= said + text"})
        .xor("more", default="more-u")
        .end()
        .path("start", "u", "wait", "more")
        .flow("more", "end", "= n > 2")
        .flow("more", "u")
    )
    house = house_of(database, drawn)
    house.start(n=0, said="")
    for text in ("a", "b", "c", "d"):
        publish(house, text=text)
    for _ in range(3):
        step = only(house.complete("u"))
    assert step.data["said"] == "abc" and [row.state for row in kept(house)] == ["delivered"] * 3 + ["kept"]


def test_one_message_goes_to_one_case_of_those_that_share_a_key(database: Database) -> None:
    house = House(
        database, diagram(waits_later().process(), messages=("m",)).replace(b'"= case_id"', b'"= &quot;all&quot;"')
    )
    one, two = house.start(key="c1"), house.start(key="c2")
    publish(house, key="all", text="first")
    with database.transaction() as session:
        step = house.engine.complete(session, one.opened[0].id, {}, now=house.now, by="t")
        assert step.data["said"] == "first"
    with database.transaction() as session:
        step = house.engine.complete(session, two.opened[0].id, {}, now=house.now, by="t")
        assert step.position == [("p", "wait")]


def test_an_event_that_does_not_interrupt_takes_all_that_were_kept(database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user("first")
        .user("u")
        .boundary("b", "u", message("m"), interrupting=False)
        .user("note")
        .end()
        .end("e2")
        .path("start", "first", "u", "end")
        .path("b", "note", "e2")
    )
    house = house_of(database, drawn)
    house.start()
    for _ in range(3):
        publish(house)
    only(house.complete("first"))
    assert house.waiting() == ["note", "note", "note", "u"] and len(house.subscriptions()) == 1


@pytest.mark.parametrize("how", ["boundary", "receive", "gateway"])
def test_every_kind_of_wait_takes_a_kept_message(database: Database, how: str) -> None:
    drawn = Scope().start().user("first").end().user("after").path("after", "end")
    if how == "boundary":
        drawn.user("u").boundary("b", "u", message("m")).path("start", "first", "u", "end").path("b", "after")
    elif how == "receive":
        drawn.node("receiveTask", "r", "", mapping(None, {"said": "= text"}), messageRef="m_m")
        drawn.path("start", "first", "r", "after")
    else:
        drawn.events("g").catch("c", message("m")).catch("t", timer("P1D")).end("e2")
        drawn.path("start", "first", "g", "c", "after").path("g", "t", "e2")
    house = house_of(database, drawn)
    house.start()
    publish(house, text="x")
    assert only(house.complete("first")).position == [("p", "after")]
    assert house.timers() == [] and house.subscriptions() == []


def test_a_kept_message_that_cannot_be_received_is_an_incident_and_spoils_no_answer(database: Database) -> None:
    def bite(call: ServiceCall) -> None:
        if call.data["said"] != "cured":
            raise LookupError(call.data["said"])

    services = Services({"bite": bite})
    drawn = Scope().start().user("first").catch("wait", message("m"), {"said": "= text"}).service("s", "bite")
    house = house_of(database, drawn.user("last").end().path("start", "first", "wait", "s", "last", "end"))
    house.engine.services = services
    house.start()
    publish(house, text="poison")
    publish(house, text="more poison")
    step = only(house.complete("first"))
    assert step.position == [("p", "wait")] and house.tasks() == []
    with database.reader() as session:
        (incident,) = session.scalars(select(Incident))
        assert (incident.element, incident.kind, incident.attempts) == ("s", "service", 2)
        assert session.scalars(select(Instance.incidents)).one() == 1
    assert [row.state for row in kept(house)] == ["delivered", "delivered"]
    with database.transaction() as session:
        again = house.engine.retry(session, incident.id, now=house.now, by="op")
        assert again.failed
    assert publish(house, text="cured").outcome == Outcome.DELIVERED
    assert house.waiting() == ["last"] and house.chain_is_whole()


def test_a_sender_that_has_lost_its_way_is_stopped(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "LONGEST_QUEUE", 2)
    house = house_of(sqlite_database, waits_later())
    publish(house)
    publish(house)
    with pytest.raises(Conflict, match="nobody takes them"):
        publish(house)
    with pytest.raises(Invalid, match="bytes"):
        publish(house, key="k", text="x" * 20_000)
    for ttl in (timedelta(days=-1), timedelta(days=400)):
        with pytest.raises(Invalid, match="days"):
            publish(house, ttl=ttl)


def race_to_wait(database: Database, rounds: int) -> None:
    """Somebody sends while the case begins to wait: the message arrives, whoever was first."""
    house = house_of(database, waits_later())
    for turn in range(rounds):
        key = f"case-{turn}"
        task = house.start(key=key).opened[0].id
        barrier = threading.Barrier(2)
        outcomes: list[Any] = []

        def send(key: str = key, barrier: threading.Barrier = barrier, outcomes: list[Any] = outcomes) -> None:
            barrier.wait()
            outcomes.append(publish(house, key=key, text="hello", message_id="one").outcome)

        def begin(task: Any = task, barrier: threading.Barrier = barrier, outcomes: list[Any] = outcomes) -> None:
            barrier.wait()
            with database.transaction() as session:
                house.engine.complete(session, task, {}, now=house.now, by="t")
            outcomes.append("began")

        threads = [threading.Thread(target=send), threading.Thread(target=begin)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(outcomes) == 2, outcomes
        with database.reader() as session:
            instance = session.scalars(select(Instance).where(Instance.key == key)).one()
            assert house.engine.position(session, instance) == [("p", "last")], (turn, outcomes)
            assert house.engine.data(session, instance.id)["said"] == "hello"


def test_a_message_and_a_wait_that_begin_together_meet(database: Database) -> None:
    race_to_wait(database, 15)


def test_of_two_senders_of_one_id_one_is_heard(database: Database) -> None:
    house = house_of(database, waits_later())
    for turn in range(10):
        house.start(key=f"case-{turn}")
        outcomes: list[Outcome] = []
        barrier = threading.Barrier(2)

        def send(turn: int = turn, barrier: threading.Barrier = barrier, to: list[Outcome] = outcomes) -> None:
            barrier.wait()
            to.append(publish(house, key=f"case-{turn}", message_id="same").outcome)

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == [Outcome.KEPT, Outcome.REPEATED]
