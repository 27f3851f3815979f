"""Random diagrams whose running cases are carried, between any two commands, to a diagram that grew a task."""

from __future__ import annotations

import re
from copy import deepcopy
from random import Random

from core.db import Database
from engine import Engine, bundles, specifications, state
from engine.migrating import NotMigratable
from tests.engine.house import NOW
from tests.engine.playing import ACTIONS, CROWD, choices, marking_of
from tests.engine.token_game import Drawer, Game, Net, visible


def wander(database: Database, seed: int, *, size: int = 6) -> tuple[int, int]:
    """One random run; answers with the migrations that went through and those that were rightly refused.

    After every command the case goes to the same diagram drawn again, which must change nothing; now and then to
    one with a task put on some flow, after which the engine must agree with the token game of that diagram.
    """
    random = Random(seed)
    xml, net = Drawer(random).draw(random.randint(2, size))
    game = Game(net)
    engine = Engine(services={})
    moved = refused = 0
    with database.session() as session:

        def saved(drawn: bytes) -> str:
            return bundles.save(session, {"bpmn/p.bpmn": drawn}, now=NOW)

        c = random.randint(0, 3)
        step = engine.start(session, bundle=saved(xml), process="p", key="k", data={"c": c}, now=NOW, by="t")
        may = game.begin(c)
        for turn in range(ACTIONS):
            here = marking_of(session, step.instance, net)
            assert here in may, f"seed {seed}: {here} is none of {may}"
            tasks, events = choices(session, step.instance.id)
            assert [task.element for task in tasks] == visible(here), f"seed {seed}"
            if not tasks or len(tasks) > CROWD:
                break
            instance = step.instance
            before = (instance.blob, instance.event_count, [(t.id, t.token, t.version) for t in tasks])
            engine.migrate(session, instance.id, bundle=saved(xml + b"<!-- %d -->" % turn), now=NOW, by="t")
            after, _ = choices(session, instance.id)
            assert before == (
                instance.blob,
                instance.event_count - 1,
                [(t.id, t.token, t.version) for t in after],
            ), f"seed {seed}: the same diagram changed the case"
            if random.random() < 0.4:
                flow = random.choice(list(net.flows))
                grown, bigger = with_a_task(xml, net, flow, f"extra{turn}", keep_first=random.random() < 0.5)
                ids = sorted(str(task.id) for task in tasks)
                try:
                    step = engine.migrate(session, instance.id, bundle=saved(grown), now=NOW, by="t")
                except NotMigratable:
                    refused += 1
                else:
                    moved += 1
                    xml, net, game = grown, bigger, Game(bigger)
                    stands = marking_of(session, instance, net)
                    assert stands in game.rest(stands, c), f"seed {seed}: not at rest after the migration"
                    still, events = choices(session, instance.id)
                    assert sorted(str(task.id) for task in still) == ids, f"seed {seed}: tasks were not kept"
                    here, tasks = stands, still
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
            specs = specifications.load(session, step.instance.bundle)
            top, scopes = state.load(step.instance.blob, specs, None)
            assert state.unpack(state.dump(top, scopes)) == state.unpack(step.instance.blob)
        session.rollback()
    return moved, refused


def with_a_task(xml: bytes, net: Net, flow: str, task: str, *, keep_first: bool) -> tuple[bytes, Net]:
    """A diagram and its net with a task put on a flow; the flow's id stays with its first or with its last half."""
    grown = deepcopy(net)
    source, target = net.flows[flow]
    other = f"{flow}_{task}"
    first, last = (flow, other) if keep_first else (other, flow)
    grown.kind[task], grown.scope[task] = "user", net.scope[target]
    # Flows stay in their order: it decides which condition is asked first.
    grown.flows = {}
    for name, ends in net.flows.items():
        if name == flow:
            grown.flows[first], grown.flows[last] = (source, task), (task, target)
        else:
            grown.flows[name] = ends
    if flow in grown.place:
        grown.place[first] = grown.place.pop(flow)
    if grown.default.get(source) == flow:
        grown.default[source] = first
    drawn = xml.decode()
    found = re.search(rf'<bpmn:sequenceFlow id="{flow}"[^>]*>(.*?)</bpmn:sequenceFlow>', drawn)
    assert found is not None
    drawn = drawn.replace(
        found[0],
        f'<bpmn:sequenceFlow id="{first}" sourceRef="{source}" targetRef="{task}">{found[1]}</bpmn:sequenceFlow>'
        f'<bpmn:userTask id="{task}" name="{task}"><bpmn:extensionElements><zeebe:userTask /><zeebe:ioMapping>'
        '<zeebe:output source="= c" target="c" /></zeebe:ioMapping></bpmn:extensionElements></bpmn:userTask>'
        f'<bpmn:sequenceFlow id="{last}" sourceRef="{task}" targetRef="{target}"></bpmn:sequenceFlow>',
    )
    if first != flow:
        drawn = drawn.replace(f'default="{flow}"', f'default="{first}"')
    return drawn.encode(), grown
