"""The benchmark of the language measures what it says."""

from feel import bench


def test_samples_are_given_for_a_condition_a_table_and_the_import() -> None:
    found = bench.samples(rounds=2, times=10)
    assert {name: unit for name, (unit, _) in found.items()} == {
        "feel_condition": "us",
        "feel_table": "us",
        "feel_import": "ms",
    }
    assert all(len(values) == 2 and min(values) > 0 for _, values in found.values())
