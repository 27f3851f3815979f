"""The load model is a diagram that the gate passes, and every dispute in it ends."""

from pathlib import Path

from core.db import Database
from engine import Catalogue, Engine, Severity, bundles, check, load
from engine.bench import BEGIN

MODEL = Path(__file__).parents[2] / "examples" / "load"


def test_the_load_model_passes_the_gate_with_its_proofs() -> None:
    catalogue = Catalogue(
        forms={"bank-decision": {"confidence": "select"}}, roles={"officer"}, services=set(load.SERVICES)
    )
    found = check(load.files(MODEL), catalogue)
    assert [f for f in found if f.severity is Severity.ERROR] == []


def test_disputes_of_both_ways_end_with_as_many_tasks_as_the_published_figures_have(database: Database) -> None:
    engine = Engine(services=load.SERVICES)
    with database.transaction() as session:
        bundle = bundles.save(session, load.files(MODEL), now=BEGIN)
    by_table, by_hand = (load.play(database, engine, bundle, amount) for amount in load.AMOUNTS)
    assert by_table["clear"] == by_hand["decide"] == 1 and not by_table["decide"]
    tasks = [sum(reached[element] for element in load.TASKS) for reached in (by_table, by_hand)]
    assert tasks == [17, 18]
    assert round(load.PUBLISHED["tasks"] / load.PUBLISHED["instances"]) == 18
