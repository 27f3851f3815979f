"""Plays random diagrams on the engine and on the oracle side by side."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from engine import Engine, Instance, Task, bundles, specifications, state
from engine.models import Subscription
from tests.engine.house import NOW
from tests.engine.token_game import Drawer, Game, Marking, Net, add, visible

#: Actions in one run; loops are left or not as chance has it.
ACTIONS = 14
#: More open tasks than this, and the run stops: tokens multiply without end where joins do not fit splits.
CROWD = 7


def play(database: Database, seed: int, *, size: int = 6) -> int:
    """One random run; answers with the number of steps. Raises AssertionError where engine and oracle differ."""
    random = Random(seed)
    xml, net = Drawer(random).draw(random.randint(2, size))
    game = Game(net)
    engine = Engine(services={})
    steps = 0
    with database.session() as session:
        bundle = bundles.save(session, {"bpmn/p.bpmn": xml}, now=NOW)
        c = random.randint(0, 3)
        step = engine.start(session, bundle=bundle, process="p", key="k", data={"c": c}, now=NOW, by="t")
        may = game.begin(c)
        while True:
            steps += 1
            assert not step.incidents, f"seed {seed}: {[i.message for i in step.incidents]}"
            here = marking_of(session, step.instance, net)
            assert here in may, f"seed {seed}, step {steps}: {here} is none of {may}\n{xml.decode()}"
            assert (step.instance.state == "completed") == (here == ((), ())), f"seed {seed}"
            reloaded(session, step.instance)
            tasks, events = choices(session, step.instance.id)
            assert [t.element for t in tasks] == visible(here), f"seed {seed}"
            if not tasks or steps > ACTIONS or len(tasks) > CROWD:
                break
            c = random.randint(0, 3)
            if events and random.random() < 0.25:
                event = random.choice(events)
                delivered = engine.deliver(session, event, "k", payload={"c": c}, now=NOW, by="t")
                assert delivered is not None
                step, may = delivered, game.happen(here, event, c)
            else:
                task = random.choice(tasks)
                step = engine.complete(session, task.id, {"c": c}, now=NOW, by="t")
                may = game.complete(here, task.element, c)
        session.rollback()
    return steps


def choices(session: Session, instance_id: UUID) -> tuple[list[Task], list[str]]:
    tasks = session.scalars(
        select(Task).where(Task.instance_id == instance_id, Task.state == "open").order_by(Task.element)
    )
    events = session.scalars(
        select(Subscription.message).where(Subscription.instance_id == instance_id).order_by(Subscription.message)
    )
    return list(tasks), sorted(set(events))


def reloaded(session: Session, instance: Instance) -> None:
    """Loading and dumping again changes nothing."""
    specs = specifications.load(session, instance.bundle)
    top, scopes = state.load(instance.blob, specs, None)
    assert state.unpack(state.dump(top, scopes)) == state.unpack(instance.blob)


def marking_of(session: Session, instance: Instance, net: Net) -> Marking:
    """The engine's stored state, in the words of the game."""
    workflows = {host: tokens for host, _, tokens in state.unpack(instance.blob)["w"]}
    return _scope(workflows, 0, net)


def _scope(workflows: dict[int, list[Any]], host: int, net: Net) -> Marking:
    flows: tuple = ()
    activities: tuple = ()
    for number, _, _, name, internal in workflows[host]:
        kind = net.kind[name]
        if kind == "user":
            activities = add(activities, (name, None))
        elif kind == "sub":
            activities = add(activities, (name, _scope(workflows, number, net)))
        elif kind in ("and", "or"):
            flows = add(flows, internal["via"])
        else:
            assert kind == "boundary"
    return (flows, activities)
