"""Relations between points and ranges (10.3.4.7), and ``range`` from text.

Each takes points or ranges. Two ends can be compared only when both are known; otherwise the answer is null.
"""

from collections.abc import Callable, Sequence

from feel.library.define import built_in
from feel.limits import Runtime
from feel.values import Range, Value, order

_POINT_NAMES = [("point1", "point2"), ("point", "range"), ("range", "point"), ("range1", "range2")]
_RANGE_NAMES = [("range", "point"), ("range1", "range2")]
Relation = Callable[[Range, Range], bool]


class _Unknown(Exception):
    """Two ends that cannot be compared."""


def _compare(left: Value, right: Value) -> int:
    found = order(left, right)
    if found is None:
        raise _Unknown
    return found


def _as_range(value: Value) -> Range | None:
    """A point is the range that holds only itself."""
    if isinstance(value, Range):
        return None if value.operator == "!=" else value
    return None if value is None or isinstance(value, list | dict | bool) else Range(value, value)


def _relation(name: str, *, points: str, also: Sequence[tuple[str, ...]]) -> Callable[[Relation], Relation]:
    """Declare a relation. ``points`` tells on which sides a point may stand: both, left, right or none."""

    def declare(relation: Relation) -> Relation:
        @built_in(name, "point1: any", "point2: any", also=also)
        def related(runtime: Runtime, left: Value, right: Value) -> bool | None:
            first, second = _as_range(left), _as_range(right)
            is_point = (not isinstance(left, Range), not isinstance(right, Range))
            if first is None or second is None or is_point not in _ALLOWED[points]:
                return None
            try:
                return relation(first, second)
            except _Unknown:
                return None

        return relation

    return declare


_ALLOWED = {
    "any": {(True, True), (True, False), (False, True), (False, False)},
    "same": {(True, True), (False, False)},
    "left": {(True, False), (False, False)},
    "right": {(False, True), (False, False)},
    "none": {(False, False)},
}


def _ends_before(a: Range, b: Range) -> bool:
    if a.high is None or b.low is None:
        return False
    place = _compare(a.high, b.low)
    return place < 0 or (place == 0 and not (a.high_included and b.low_included))


def _meets(a: Range, b: Range) -> bool:
    return a.high_included and b.low_included and _compare(a.high, b.low) == 0


def _low_of(a: Range, b: Range) -> int:
    """Where a begins, beside where b begins."""
    if a.low is None or b.low is None:
        if a.low is None and b.low is None:
            return 0
        return -1 if a.low is None else 1
    return _compare(a.low, b.low) or (b.low_included - a.low_included)


def _high_of(a: Range, b: Range) -> int:
    """Where a ends, beside where b ends."""
    if a.high is None or b.high is None:
        if a.high is None and b.high is None:
            return 0
        return 1 if a.high is None else -1
    return _compare(a.high, b.high) or (a.high_included - b.high_included)


@_relation("before", points="any", also=_POINT_NAMES)
def before(a: Range, b: Range) -> bool:
    return _ends_before(a, b)


@_relation("after", points="any", also=_POINT_NAMES)
def after(a: Range, b: Range) -> bool:
    return _ends_before(b, a)


@_relation("meets", points="none", also=[("range1", "range2")])
def meets(a: Range, b: Range) -> bool:
    return _meets(a, b)


@_relation("met by", points="none", also=[("range1", "range2")])
def met_by(a: Range, b: Range) -> bool:
    return _meets(b, a)


@_relation("overlaps", points="none", also=[("range1", "range2")])
def overlaps(a: Range, b: Range) -> bool:
    return not _ends_before(a, b) and not _ends_before(b, a)


@_relation("overlaps before", points="none", also=[("range1", "range2")])
def overlaps_before(a: Range, b: Range) -> bool:
    return _low_of(a, b) < 0 and not _ends_before(a, b) and _high_of(a, b) <= 0


@_relation("overlaps after", points="none", also=[("range1", "range2")])
def overlaps_after(a: Range, b: Range) -> bool:
    return _low_of(a, b) > 0 and not _ends_before(b, a) and _high_of(a, b) >= 0


@_relation("finishes", points="left", also=[("point", "range"), ("range1", "range2")])
def finishes(a: Range, b: Range) -> bool:
    return _high_of(a, b) == 0 and _low_of(a, b) >= 0


@_relation("finished by", points="right", also=_RANGE_NAMES)
def finished_by(a: Range, b: Range) -> bool:
    return _high_of(a, b) == 0 and _low_of(a, b) <= 0


@_relation("includes", points="right", also=_RANGE_NAMES)
def includes(a: Range, b: Range) -> bool:
    return _low_of(a, b) <= 0 and _high_of(a, b) >= 0


@_relation("during", points="left", also=[("point", "range"), ("range1", "range2")])
def during(a: Range, b: Range) -> bool:
    return _low_of(a, b) >= 0 and _high_of(a, b) <= 0


@_relation("starts", points="left", also=[("point", "range"), ("range1", "range2")])
def starts(a: Range, b: Range) -> bool:
    return _low_of(a, b) == 0 and _high_of(a, b) <= 0


@_relation("started by", points="right", also=_RANGE_NAMES)
def started_by(a: Range, b: Range) -> bool:
    return _low_of(a, b) == 0 and _high_of(a, b) >= 0


@_relation("coincides", points="same", also=[("point1", "point2"), ("range1", "range2")])
def coincides(a: Range, b: Range) -> bool:
    return _low_of(a, b) == 0 and _high_of(a, b) == 0


@built_in("range", "from: string")
def make_range(runtime: Runtime, text: str) -> Range | None:
    from feel.literals import range_of

    return range_of(text)
