"""The benchmark measures what it says, and its promises that do not depend on the machine hold."""

from core.db import Database
from engine import bench, check
from engine.findings import Catalogue


def test_the_benchmark_says_all_its_measures(sqlite_database: Database) -> None:
    measures = bench.run(sqlite_database, cases=5, rounds=(3, 10), waiting=2000, due=20)
    assert {
        "start", "step", "step_statements", "step_commits", "step_at_3_rounds", "step_at_10_rounds",
        "state_at_3_rounds", "state_at_10_rounds", "idle_tick_100", "idle_tick_2000", "drain_rate",
        "drain_lateness", "memory", "job_activation", "job_completion", "job_rate",
    } == set(measures)  # fmt: skip
    for measure in measures.values():
        assert set(measure) == {"unit", "median", "p95", "p99", "n", "floor", "ratio"}
    assert measures["step_statements"]["median"] <= 25 and measures["step_commits"]["median"] == 1
    assert measures["state_at_10_rounds"]["median"] <= 3000
    assert measures["state_at_10_rounds"]["median"] <= 1.1 * measures["state_at_3_rounds"]["median"]
    assert measures["step"]["floor"] and measures["step"]["ratio"]


def test_the_benchmarks_diagram_passes_the_gate() -> None:
    catalogue = Catalogue(forms={f"form-{n}": {"choice": "select"} for n in range(1, 5)}, roles={"officer"})
    assert check({"bpmn/four_tasks.bpmn": bench.diagram()}, catalogue) == []
