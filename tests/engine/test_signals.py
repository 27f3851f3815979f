"""A signal reaches every case that waits when it is thrown: its own at once, the others by a worker, once each."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import func, select, update

from core.db import Database
from engine import Incident, Instance, ServiceCall, Services, Step, signals
from engine.models import Signal, SignalDelivery
from tests.engine.drawing import Scope, diagram, signal
from tests.engine.house import House
from tests.engine.test_elements import only


def waits(then: str = "got") -> Scope:
    return (
        Scope()
        .start("sw")
        .user("before")
        .catch("w", signal("go"), {"why": "= why"})
        .user(then)
        .end("ew")
        .path("sw", "before", "w", then, "ew")
    )


def throws() -> Scope:
    return Scope().start("st").user("ready").throw("t", signal("go")).end("et").path("st", "ready", "t", "et")


def house_of(database: Database, *scopes: Scope, **options: object) -> House:
    drawn = [scope.process(name) for scope, name in zip(scopes, ("p", "q", "r"), strict=False)]
    return House(database, diagram(*drawn, signals=("go",)), **options)


def drain(house: House, owner: str = "w") -> int:
    return signals.drain(house.database, house.engine, owner=owner, now=house.now)


def complete(house: House, step: Step) -> Step:
    with house.database.transaction() as session:
        return only(house.engine.complete(session, step.opened[0].id, {}, now=house.now, by="t"))


def positions(house: House) -> dict[str, list[str]]:
    with house.database.reader() as session:
        return {
            i.key: [element for _, element in house.engine.position(session, i)]
            for i in session.scalars(select(Instance))
        }


def test_whoever_waits_at_the_throw_receives_it_once_and_nobody_else(database: Database) -> None:
    house = house_of(database, waits(), throws())
    early = [house.start("p", key=f"early-{n}") for n in range(3)]
    late = house.start("p", key="late")
    for step in early:
        complete(house, step)
    thrower = house.start("q", key="thrower")
    complete(house, thrower)
    complete(house, late)
    assert all(where == ["w"] for key, where in positions(house).items() if key != "thrower")
    assert drain(house) == 3 and drain(house) == 0
    assert positions(house) == {
        "early-0": ["got"],
        "early-1": ["got"],
        "early-2": ["got"],
        "late": ["w"],
        "thrower": [],
    }
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(SignalDelivery)) == 0
        assert signals.forget_old(session, now=house.now + timedelta(days=2)) == 1


def test_a_signal_from_outside_brings_what_it_says(database: Database) -> None:
    house = house_of(database, waits())
    complete(house, house.start())
    with database.transaction() as session:
        assert house.engine.throw_signal(session, "go", payload={"why": "flood"}, now=house.now, by="admin") == 1
        assert house.engine.throw_signal(session, "other", now=house.now, by="admin") == 0
        assert session.scalar(select(func.count()).select_from(Signal)) == 1
    assert drain(house) == 1
    assert house.waiting() == ["got"] and house.data()["why"] == "flood"
    assert house.chain_is_whole()


def test_who_waits_no_more_when_it_arrives_is_past_it(database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user("u")
        .boundary("b", "u", signal("go"))
        .user("again")
        .end()
        .path("start", "u", "again", "u")
        .path("b", "end")
    )
    house = house_of(database, drawn)
    house.start()
    with database.transaction() as session:
        assert house.engine.throw_signal(session, "go", now=house.now, by="admin") == 1
    house.complete("u")
    house.complete("again")
    assert len(house.subscriptions()) == 1, "it waits again, by another subscription"
    assert drain(house) == 0 and house.waiting() == ["u"]
    with database.reader() as session:
        assert signals.waiting(session) == 0


def test_an_event_that_does_not_interrupt_hears_each_throw(database: Database) -> None:
    drawn = Scope().start().user("u").boundary("b", "u", signal("go"), interrupting=False).user("note").end()
    house = house_of(database, drawn.end("e2").path("start", "u", "end").path("b", "note", "e2"))
    house.start()
    for _ in range(2):
        with database.transaction() as session:
            house.engine.throw_signal(session, "go", now=house.now, by="admin")
    assert drain(house) == 2 and house.waiting() == ["note", "note", "u"]


def test_one_receiver_that_fails_holds_up_nobody(database: Database) -> None:
    def bite(call: ServiceCall) -> None:
        if call.key == "bad":
            raise LookupError("no")

    drawn = Scope().start().catch("w", signal("go")).service("s", "bite").user("got").end()
    house = house_of(database, drawn.path("start", "w", "s", "got", "end"), services=Services({"bite": bite}))
    for key in ("one", "bad", "two"):
        house.start(key=key)
    with database.transaction() as session:
        house.engine.throw_signal(session, "go", now=house.now, by="admin")
    drain(house)
    assert positions(house) == {"one": ["got"], "bad": ["w"], "two": ["got"]}
    house.services = house.engine.services = Services({"bite": lambda call: None})
    with database.transaction() as session:
        incident = session.scalars(select(Incident)).one()
        assert (incident.kind, incident.key) == ("service", "bad")
        only(house.engine.retry(session, incident.id, now=house.now, by="op"))
    assert positions(house)["bad"] == ["got"]


def test_a_listener_that_fails_parks_the_signal_with_its_case(database: Database) -> None:
    class Bad:
        def step(self, session: object, step: Step) -> None:
            if step.command == "signal":
                raise KeyError("ours")

    house = house_of(database, waits(), listeners=[Bad()])
    complete(house, house.start())
    with database.transaction() as session:
        house.engine.throw_signal(session, "go", payload={"why": "flood"}, now=house.now, by="admin")
    assert drain(house) == 0 and house.waiting() == ["w"]
    house.engine.listeners.clear()
    with database.transaction() as session:
        incident = session.scalars(select(Incident)).one()
        assert (incident.kind, incident.element) == ("listener", "w")
        only(house.engine.retry(session, incident.id, now=house.now, by="op"))
    assert house.waiting() == ["got"] and house.data()["why"] == "flood"


def test_a_suspended_case_receives_it_once_it_is_resumed(database: Database) -> None:
    house = house_of(database, waits())
    step = complete(house, house.start())
    with database.transaction() as session:
        house.engine.throw_signal(session, "go", now=house.now, by="admin")
        session.execute(update(Instance).where(Instance.id == step.instance.id).values(state="suspended"))
    assert drain(house) == 0
    with database.transaction() as session:
        session.execute(update(Instance).where(Instance.id == step.instance.id).values(state="running"))
    assert drain(house) == 0, "it is asked again after a while"
    house.now += signals.PATIENCE
    assert drain(house) == 1 and house.waiting() == ["got"]


def test_a_delivery_is_fenced_by_owner_and_attempt(database: Database) -> None:
    house = house_of(database, waits())
    complete(house, house.start())
    with database.transaction() as session:
        house.engine.throw_signal(session, "go", now=house.now, by="admin")
    ((signal_id, subscription_id, attempt),) = signals._claim(database, "dead", house.now, 10)
    assert drain(house) == 0, "held by a worker that has died"
    house.now += signals.LEASE
    ((_, _, second),) = signals._claim(database, "w2", house.now, 10)
    for owner, number in (("dead", attempt), ("w2", attempt)):
        with database.transaction() as session:
            assert (
                house.engine.receive_signal(
                    session, signal_id, subscription_id, owner=owner, attempt=number, now=house.now
                )
                is None
            )
    with database.transaction() as session:
        assert house.engine.receive_signal(
            session, signal_id, subscription_id, owner="w2", attempt=second, now=house.now
        )
    assert house.waiting() == ["got"]


def test_two_cases_that_throw_to_each_other_and_two_workers_do_not_wait_for_ever(database: Database) -> None:
    """Each throws from inside its step while the other, locked too, waits for the same signal."""
    drawn = (
        Scope()
        .start()
        .par("split")
        .user("ready")
        .throw("t", signal("go"))
        .catch("w", signal("go"))
        .end()
        .end("e2")
        .path("start", "split", "ready", "t", "end")
        .path("split", "w", "e2")
    )
    house = house_of(database, drawn)
    for turn in range(8):
        steps = [house.start(key=f"case-{turn}-{n}") for n in range(2)]
        barrier = threading.Barrier(2)
        done: list[str] = []

        def throw(step: Step, barrier: threading.Barrier = barrier, done: list[str] = done) -> None:
            barrier.wait()
            complete(house, step)
            drain(house, owner=step.instance.key)
            done.append(step.instance.key)

        threads = [threading.Thread(target=throw, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(done) == 2
        drain(house)
    with database.reader() as session:
        assert set(session.scalars(select(Instance.state))) == {"completed"}
        assert signals.waiting(session) == 0
