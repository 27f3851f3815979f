"""A drawn diagram as plain geometry: what it says (BPMN) beside where it stands (DI)."""

import itertools
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BPMNDI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
DI = "{http://www.omg.org/spec/DD/20100524/DI}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"

EVENTS = ("startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent")
GATEWAYS = ("exclusiveGateway", "eventBasedGateway", "parallelGateway", "inclusiveGateway")
TASKS = ("userTask", "serviceTask", "businessRuleTask", "callActivity")
FLOW_NODES = (*EVENTS, *GATEWAYS, *TASKS, "subProcess")

Point = tuple[float, float]
Segment = tuple[Point, Point]


@dataclass(frozen=True)
class Box:
    """A rectangle; the origin is the upper left corner, y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def centre(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2

    def overlaps(self, other: "Box") -> bool:
        """Whether they share area; touching borders do not."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def holds(self, other: "Box") -> bool:
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def has_inside(self, point: Point) -> bool:
        """Whether the point lies inside or on the border."""
        x, y = point
        return self.x <= x <= self.right and self.y <= y <= self.bottom

    def has_on_border(self, point: Point) -> bool:
        x, y = point
        return self.has_inside(point) and (x in (self.x, self.right) or y in (self.y, self.bottom))

    def is_entered_by(self, segment: Segment) -> bool:
        """Whether the segment passes through the inside; running along the border does not count."""
        (x1, y1), (x2, y2) = segment
        left, right = min(x1, x2), max(x1, x2)
        top, bottom = min(y1, y2), max(y1, y2)
        if left == right:
            return self.x < left < self.right and top < self.bottom and self.y < bottom
        return self.y < top < self.bottom and left < self.right and self.x < right


@dataclass(frozen=True)
class Node:
    id: str
    kind: str
    name: str
    #: Id of the process or sub-process that it lies in.
    scope: str
    element: ElementTree.Element
    host: str = ""


@dataclass(frozen=True)
class Flow:
    id: str
    name: str
    source: str
    target: str
    scope: str
    element: ElementTree.Element


@dataclass
class Drawing:
    """One file: its nodes, flows and lanes, and the boxes and lines that show them."""

    path: Path
    root: ElementTree.Element
    process: str = ""
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    #: Lane id → the ids that it names.
    lanes: dict[str, list[str]] = field(default_factory=dict)
    lane_scope: dict[str, str] = field(default_factory=dict)
    pools: list[str] = field(default_factory=list)
    boxes: dict[str, Box] = field(default_factory=dict)
    lines: dict[str, list[Point]] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)

    def segments(self, flow: str) -> list[Segment]:
        line = self.lines[flow]
        return list(itertools.pairwise(line))

    def holders(self, node: str) -> set[str]:
        """The sub-processes around a node."""
        found: set[str] = set()
        scope = self.nodes[node].scope
        while scope in self.nodes:
            found.add(scope)
            scope = self.nodes[scope].scope
        return found


def read(path: Path) -> Drawing:
    """Read one diagram with its layout."""
    root = ElementTree.parse(path).getroot()
    drawing = Drawing(path, root)
    drawing.pools = [one.attrib["id"] for one in root.iter(f"{BPMN}participant")]
    for process in root.findall(f"{BPMN}process"):
        drawing.process = process.attrib["id"]
        _read_scope(drawing, process)
    for shape in root.iter(f"{BPMNDI}BPMNShape"):
        drawing.boxes[shape.attrib["bpmnElement"]] = _box(shape)
        _read_label(drawing, shape)
    for edge in root.iter(f"{BPMNDI}BPMNEdge"):
        points = [(float(p.attrib["x"]), float(p.attrib["y"])) for p in edge.findall(f"{DI}waypoint")]
        drawing.lines[edge.attrib["bpmnElement"]] = points
        _read_label(drawing, edge)
    return drawing


def _read_scope(drawing: Drawing, scope: ElementTree.Element) -> None:
    here = scope.attrib["id"]
    for lane in scope.findall(f"{BPMN}laneSet/{BPMN}lane"):
        drawing.lanes[lane.attrib["id"]] = [str(ref.text) for ref in lane.findall(f"{BPMN}flowNodeRef")]
        drawing.lane_scope[lane.attrib["id"]] = here
    for element in scope:
        kind = element.tag.removeprefix(BPMN)
        name = element.attrib.get("name", "")
        if kind in FLOW_NODES:
            host = element.attrib.get("attachedToRef", "")
            drawing.nodes[element.attrib["id"]] = Node(element.attrib["id"], kind, name, here, element, host)
        if kind == "sequenceFlow":
            drawing.flows[element.attrib["id"]] = Flow(
                element.attrib["id"],
                name,
                element.attrib["sourceRef"],
                element.attrib["targetRef"],
                here,
                element,
            )
        if kind == "subProcess":
            _read_scope(drawing, element)


def _box(shape: ElementTree.Element) -> Box:
    bounds = shape.find(f"{DC}Bounds")
    assert bounds is not None, shape.attrib
    return Box(*(float(bounds.attrib[name]) for name in ("x", "y", "width", "height")))


def _read_label(drawing: Drawing, of: ElementTree.Element) -> None:
    label = of.find(f"{BPMNDI}BPMNLabel")
    if label is not None:
        drawing.labels[of.attrib["bpmnElement"]] = _box(label)
