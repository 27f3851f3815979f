"""Differences of the scenarios: which are there, and which say something else."""

from collections.abc import Iterator
from typing import Any

import yaml

from disputes.releases.differences.words import Difference, Found


def compare(found: Found, changed: list[str]) -> Iterator[Difference]:
    """The differences of the scenarios in changed files."""
    for path in changed:
        old, new = _read(found.before.get(path)), _read(found.after.get(path))
        if old == new:
            continue
        told = list(_named(path, old, new))
        if not told:
            stem = path.rpartition("/")[2]
            told = [
                Difference(
                    path, "", "", stem, "scenario", "defaults", None, None,
                    f"场景文件 {stem} 的公共部分改了。", f"What the scenarios in {stem} have in common changed.",
                )
            ]  # fmt: skip
        yield from told


def _named(path: str, old: Any, new: Any) -> Iterator[Difference]:
    before, after = dict(_scenarios(old)), dict(_scenarios(new))
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in before:
            what, zh, en = "added", f"新增场景“{name}”。", f'New scenario "{name}".'
        elif name not in after:
            what, zh, en = "removed", f"删去场景“{name}”。", f'The scenario "{name}" is gone.'
        elif before[name] != after[name]:
            what, zh, en = "changed", f"场景“{name}”改了。", f'The scenario "{name}" changed.'
        else:
            continue
        yield Difference(path, name, "", name, "scenario", what, None, None, zh, en)


def _read(content: bytes | None) -> Any:
    """The YAML of a file; a file that cannot be read is compared as it stands."""
    if content is None:
        return None
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError:
        return content


def _scenarios(read: Any) -> Iterator[tuple[str, Any]]:
    listed = read.get("scenarios") if isinstance(read, dict) else None
    for number, scenario in enumerate(listed if isinstance(listed, list) else [], 1):
        name = scenario.get("name") if isinstance(scenario, dict) else None
        yield str(name or number), scenario
