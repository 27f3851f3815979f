"""How many running cases a difference touches: those that stand at what changed, or may still come to it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.releases.checks import read_processes
from disputes.releases.differences import Difference
from disputes.releases.queries import OPEN
from engine import Instance, state
from engine.diagram import Element, Kind, Process

#: Process and element.
Place = tuple[str, str]


def standing(session: Session, digest: str) -> Counter[frozenset[Place]]:
    """Where the running cases of a release stand: sets of places, with the number of cases that stand so."""
    found: Counter[frozenset[Place]] = Counter()
    blobs = select(Instance.blob).where(Instance.bundle == digest, Instance.state.in_(OPEN))
    for blob in session.scalars(blobs):
        if blob:
            found[frozenset(state.places(blob))] += 1
    return found


def touches(
    differences: Sequence[Difference],
    before: Mapping[str, bytes],
    after: Mapping[str, bytes],
    cases: Mapping[frozenset[Place], int],
) -> list[int]:
    """For each difference the number of cases that it touches."""
    ways = _Ways(read_processes(before))
    new = {process.id: process for process in read_processes(after)}
    ahead = {marking: ways.ahead(marking) for marking in cases}
    answers = []
    for difference in differences:
        places = set(_places(difference, ways.processes, new))
        answers.append(sum(count for marking, count in cases.items() if places & ahead[marking]))
    return answers


class _Ways:
    """Which places may follow which, through sub-processes and called processes."""

    def __init__(self, processes: Iterable[Process]) -> None:
        self.processes = {process.id: process for process in processes}

    def ahead(self, places: Iterable[Place]) -> set[Place]:
        """These places and everything that a case may come to from them."""
        todo, seen = list(places), set()
        while todo:
            place = todo.pop()
            if place in seen or place[0] not in self.processes:
                continue
            seen.add(place)
            todo += self._next(*place)
        return seen

    def _next(self, process: str, id: str) -> Iterator[Place]:
        drawn = self.processes[process]
        element = drawn.elements.get(id)
        if element is None:
            return
        for flow in element.outgoing:
            yield process, drawn.flows[flow].target
        for boundary in drawn.boundaries(id):
            yield process, boundary.id
        if element.kind is Kind.SUB_PROCESS:
            yield from ((process, inner.id) for inner in drawn.inside(id) if inner.kind is Kind.START)
        if element.kind is Kind.CALL and element.called in self.processes:
            called = self.processes[element.called]
            yield from ((called.id, inner.id) for inner in called.inside(called.id) if inner.kind is Kind.START)


def _places(difference: Difference, old: Mapping[str, Process], new: Mapping[str, Process]) -> Iterator[Place]:
    """The places of the earlier release at which a difference is met."""
    if difference.kind == "diagram":
        yield from _drawn(difference, old, new)
        return
    for process in old.values():
        for element in process.elements.values():
            if _uses(element, difference):
                yield process.id, element.id


def _drawn(difference: Difference, old: Mapping[str, Process], new: Mapping[str, Process]) -> Iterator[Place]:
    before, after = old.get(difference.of), new.get(difference.of)
    if before is None:
        return
    if not difference.element:
        yield from ((before.id, id) for id in before.elements)
        return
    todo, seen = [difference.element], set()
    while todo:
        id = todo.pop()
        if id in seen:
            continue
        seen.add(id)
        if id in before.elements:
            yield before.id, id
        elif id in before.flows:
            yield before.id, before.flows[id].source
        elif after is not None and id in after.flows:
            todo.append(after.flows[id].source)
        elif after is not None and id in after.elements:
            # New: met on the way from what stood before it.
            element = after.elements[id]
            todo += [after.flows[flow].source for flow in element.incoming]
            todo += [element.attached_to] if element.attached_to else []


def _uses(element: Element, difference: Difference) -> bool:
    match difference.kind:
        case "form":
            return element.form == difference.of
        case "decision":
            return bool(element.decision) and element.decision == difference.of
        case "limit":
            texts = [element.due, *(trigger.text for trigger in element.triggers)]
            return any(f'"{difference.of}"' in text for text in texts) if difference.of else False
    return False
