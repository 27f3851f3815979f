"""What two releases say differently, as data and as sentences in both languages. Pure.

``differences(before, after)`` takes two sets of files, path → content. What is only drawn elsewhere, and what a
reader of the files cannot see (positions, widths, order of attributes, white space), is no difference.
"""

from collections.abc import Iterator, Mapping

from disputes.releases.differences import decisions, diagrams, forms, limits, scenarios, texts
from disputes.releases.differences.words import Difference, Found

#: Suffix or name of a file → the comparison of its kind. The first that fits.
_KINDS = (
    (".bpmn", diagrams.compare),
    (".dmn", decisions.compare),
    (".form", forms.compare),
    ("time_limits.yaml", limits.compare),
    (".en.json", texts.compare),
    (".yaml", scenarios.compare),
)


def differences(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[Difference]:
    """Every difference in the order of the files; none between files that mean the same."""
    return list(_all(before, after))


def _all(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[Difference]:
    for suffix, compare in _KINDS:
        old = {path: before[path] for path in sorted(before) if _kind(path) == suffix}
        new = {path: after[path] for path in sorted(after) if _kind(path) == suffix}
        changed = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
        if changed:
            yield from compare(Found(before, after), sorted(changed))


def _kind(path: str) -> str:
    return next((suffix for suffix, _ in _KINDS if path.endswith(suffix)), "")


__all__ = ["Difference", "differences"]
