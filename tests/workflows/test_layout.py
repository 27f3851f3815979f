"""Every diagram can be read left to right: nothing crosses, covers or hides anything else."""

from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from tests.workflows.drawing import EVENTS, GATEWAYS, Box, Drawing, Segment, read

DIAGRAMS = sorted(Path("workflows/bpmn").glob("*.bpmn"))


@pytest.fixture(params=DIAGRAMS, ids=lambda path: path.stem, scope="module")
def drawing(request: pytest.FixtureRequest) -> Drawing:
    return read(request.param)


def test_everything_that_is_said_is_drawn(drawing: Drawing) -> None:
    said = {*drawing.nodes, *drawing.lanes, *drawing.pools}
    assert said == set(drawing.boxes)
    assert set(drawing.flows) == set(drawing.lines)


def test_everything_that_has_a_name_beside_it_has_a_place_for_it(drawing: Drawing) -> None:
    named = {node.id for node in drawing.nodes.values() if node.name and node.kind in (*EVENTS, *GATEWAYS)}
    named |= {flow.id for flow in drawing.flows.values() if flow.name}
    assert named == set(drawing.labels)


def test_lines_have_right_angles_only(drawing: Drawing) -> None:
    slanted = [
        flow
        for flow in drawing.lines
        for (x1, y1), (x2, y2) in drawing.segments(flow)
        if (x1 != x2 and y1 != y2) or (x1, y1) == (x2, y2)
    ]
    assert slanted == []


def test_lines_start_and_end_on_the_border_of_their_shapes(drawing: Drawing) -> None:
    loose = [
        (flow.id, node)
        for flow in drawing.flows.values()
        for node, point in (
            (flow.source, drawing.lines[flow.id][0]),
            (flow.target, drawing.lines[flow.id][-1]),
        )
        if not _is_attached(drawing, node, point)
    ]
    assert loose == []


def test_no_line_passes_through_a_shape(drawing: Drawing) -> None:
    """A line may not enter any shape but the sub-processes that it lies in, and may not leave those."""
    hit = [
        (flow.id, shape)
        for flow in drawing.flows.values()
        for shape in drawing.nodes
        for segment in drawing.segments(flow.id)
        if shape not in drawing.holders(flow.source) and drawing.boxes[shape].is_entered_by(segment)
    ]
    assert hit == []
    left = [
        flow.id
        for flow in drawing.flows.values()
        for holder in drawing.holders(flow.source)
        for point in drawing.lines[flow.id]
        if not drawing.boxes[holder].has_inside(point)
    ]
    assert left == []


def test_no_two_lines_cross(drawing: Drawing) -> None:
    """Lines that fan out of one shape, or meet before one, may share their way there."""
    crossing = [
        (one.id, other.id)
        for one, other in combinations(drawing.flows.values(), 2)
        for a in drawing.segments(one.id)
        for b in drawing.segments(other.id)
        if _meet(a, b) and one.source != other.source and one.target != other.target
    ]
    assert crossing == []


def test_no_two_shapes_overlap(drawing: Drawing) -> None:
    overlapping = [
        (a.id, b.id)
        for a, b in combinations(drawing.nodes.values(), 2)
        if drawing.boxes[a.id].overlaps(drawing.boxes[b.id])
        and a.host != b.id
        and b.host != a.id
        and a.id not in drawing.holders(b.id)
        and b.id not in drawing.holders(a.id)
    ]
    assert overlapping == []


def test_no_label_covers_a_shape_a_line_or_a_label(drawing: Drawing) -> None:
    covered = []
    for label, box in drawing.labels.items():
        scope = drawing.nodes[label].id if label in drawing.nodes else drawing.flows[label].source
        around = drawing.holders(scope)
        covered += [(label, n) for n in drawing.nodes if n not in around and box.overlaps(drawing.boxes[n])]
        covered += [(label, f) for f in drawing.flows if any(map(box.is_entered_by, drawing.segments(f)))]
        covered += [(label, lane) for lane in drawing.lanes if _crosses_border(box, drawing.boxes[lane])]
    covered += [(a, b) for a, b in combinations(drawing.labels, 2) if drawing.labels[a].overlaps(drawing.labels[b])]
    assert covered == []


def test_boundary_events_sit_on_the_lower_border_of_their_host(drawing: Drawing) -> None:
    astray = [
        node.id
        for node in drawing.nodes.values()
        if node.host and not _sits_on_lower_border(drawing.boxes[node.id], drawing.boxes[node.host])
    ]
    assert astray == []


def test_every_node_lies_in_what_holds_it(drawing: Drawing) -> None:
    astray = [
        (node.id, node.scope)
        for node in drawing.nodes.values()
        if node.scope in drawing.nodes
        and not node.host
        and not drawing.boxes[node.scope].holds(drawing.boxes[node.id])
    ]
    assert astray == []


def test_lanes_hold_what_they_name_and_each_node_is_named_once(drawing: Drawing) -> None:
    for scope in set(drawing.lane_scope.values()):
        lanes = [lane for lane, of in drawing.lane_scope.items() if of == scope]
        named = sorted(node for lane in lanes for node in drawing.lanes[lane])
        assert named == sorted(node.id for node in drawing.nodes.values() if node.scope == scope)
        astray = [
            (lane, node)
            for lane in lanes
            for node in drawing.lanes[lane]
            if not _lies_in_lane(drawing, drawing.boxes[node], drawing.boxes[lane], node)
        ]
        assert astray == []


def test_nothing_covers_the_name_of_a_lane(drawing: Drawing) -> None:
    """The name stands upright in the first 30 pixels of its lane."""
    boxes = {node: drawing.boxes[node] for node in drawing.nodes if node not in drawing.lane_scope.values()}
    covered = [
        (lane, other)
        for lane in drawing.lanes
        for other, box in (*boxes.items(), *drawing.labels.items())
        if box.overlaps(replace(drawing.boxes[lane], width=30))
    ]
    assert covered == []


def test_lanes_fill_their_pool_without_gap(drawing: Drawing) -> None:
    for scope in set(drawing.lane_scope.values()):
        holder = drawing.boxes[scope] if scope in drawing.boxes else drawing.boxes[drawing.pools[0]]
        boxes = sorted(
            (drawing.boxes[lane] for lane, of in drawing.lane_scope.items() if of == scope), key=lambda b: b.y
        )
        assert boxes[0].y == holder.y
        assert boxes[-1].bottom == holder.bottom
        assert all(above.bottom == below.y for above, below in pairwise(boxes))
        assert {box.right for box in boxes} == {holder.right}


def test_tasks_events_and_gateways_have_their_usual_size(drawing: Drawing) -> None:
    for node in drawing.nodes.values():
        box = drawing.boxes[node.id]
        if node.kind in EVENTS:
            assert (box.width, box.height) == (36, 36), node.id
        elif node.kind in GATEWAYS:
            assert (box.width, box.height) == (50, 50), node.id
        elif node.kind != "subProcess":
            assert (box.width, box.height) == (100, 80), node.id


def test_the_main_ways_lead_to_the_right(drawing: Drawing) -> None:
    """Only a loop leads back: of all lines at most one in six ends left of where it starts."""
    back = [flow.id for flow in drawing.flows.values() if _leads_back(drawing, flow.source, flow.target)]
    assert len(back) * 6 <= len(drawing.flows), back


def _leads_back(drawing: Drawing, source: str, target: str) -> bool:
    return drawing.boxes[target].right < drawing.boxes[source].x


def _is_attached(drawing: Drawing, node: str, point: tuple[float, float]) -> bool:
    box = drawing.boxes[node]
    if drawing.nodes[node].kind in (*EVENTS, *GATEWAYS):
        x, y = box.centre
        return point in ((box.x, y), (box.right, y), (x, box.y), (x, box.bottom))
    return box.has_on_border(point)


def _meet(a: Segment, b: Segment) -> bool:
    """Whether two segments share a point."""
    return all(
        min(a[0][i], a[1][i]) <= max(b[0][i], b[1][i]) and min(b[0][i], b[1][i]) <= max(a[0][i], a[1][i])
        for i in (0, 1)
    )


def _crosses_border(box: Box, lane: Box) -> bool:
    return box.overlaps(lane) and not (lane.y <= box.y and box.bottom <= lane.bottom)


def _sits_on_lower_border(event: Box, host: Box) -> bool:
    x, y = event.centre
    return y == host.bottom and host.x < x < host.right


def _lies_in_lane(drawing: Drawing, box: Box, lane: Box, node: str) -> bool:
    if drawing.nodes[node].host:
        return lane.y <= box.centre[1] <= lane.bottom
    return lane.y <= box.y and box.bottom <= lane.bottom


def test_there_are_diagrams() -> None:
    assert DIAGRAMS
