"""The procedure keeps the house's rules: every wait is bounded, every silence leads somewhere, every word has its source."""

import json
import re
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path

import pytest

import disputes.models  # noqa: F401
import feel.dmn
from disputes.releases.checks import check_tree
from disputes.releases.scenarios.reading import Scenario, read_scenarios
from disputes.releases.scenarios.running import Outcome, Seen, run_scenarios
from disputes.releases.tree import Tree, read_tree
from tests.workflows.drawing import BPMN, ZEEBE, Drawing, Node, read

DIAGRAMS = {path.stem: read(path) for path in sorted(Path("workflows/bpmn").glob("*.bpmn"))}
TABLES = sorted(Path("workflows/dmn").glob("*.dmn"))
DMN = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"

#: What stands where a source is given: an article, or the limit that carries it.
SOURCE = re.compile(r"第[一二三四五六七八九十百零]+条|[CSD]\d|意见 三")
WAITING = ("userTask", "intermediateCatchEvent", "eventBasedGateway")
LIMIT = re.compile(r'^= (due|warning)\("[CS]\d\d[ab]?", .+\)$')


@pytest.fixture(params=DIAGRAMS.values(), ids=lambda drawing: drawing.process, scope="module")
def drawing(request: pytest.FixtureRequest) -> Drawing:
    return request.param  # type: ignore[no-any-return]


@cache
def release() -> Tree:
    return read_tree(Path())


@cache
def played() -> tuple[list[Outcome], Seen]:
    return run_scenarios(release().files, scenarios())


@cache
def scenarios() -> tuple[Scenario, ...]:
    files = release().files
    paths = [path for path in sorted(files) if path.startswith("scenarios/")]
    return tuple(scenario for path in paths for scenario in read_scenarios(files[path], path))


def test_the_gate_finds_nothing_against_the_procedure() -> None:
    services = {
        task.attrib["type"] for drawing in DIAGRAMS.values() for task in drawing.root.iter(f"{ZEEBE}taskDefinition")
    }
    findings = check_tree(release(), services, today=date(2026, 11, 22))
    assert [(f.file, f.element, f.en) for f in findings] == []


def test_file_process_and_pool_have_one_name(drawing: Drawing) -> None:
    assert drawing.process == drawing.path.stem
    for participant in drawing.root.iter(f"{BPMN}participant"):
        assert participant.attrib["processRef"] == drawing.process


def test_every_id_is_given_once(drawing: Drawing) -> None:
    ids = [element.attrib["id"] for element in drawing.root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))


def test_no_diagram_grows_beyond_what_one_can_read(drawing: Drawing) -> None:
    assert len(drawing.nodes) <= 52


def test_timers_name_a_limit_and_never_a_number(drawing: Drawing) -> None:
    for kind in ("timeDate", "timeCycle", "timeDuration"):
        for timer in drawing.root.iter(f"{BPMN}{kind}"):
            text = str(timer.text)
            assert LIMIT.match(text) if kind == "timeDate" else text == "R/P1D", text
    names = [node.name for node in drawing.nodes.values()] + [flow.name for flow in drawing.flows.values()]
    assert [name for name in names if re.search(r"\d|[一二三四五六七八九十]+(个工作)?日", name)] == []


def test_whatever_decides_waits_or_informs_says_why_and_from_where(drawing: Drawing) -> None:
    needs = ("userTask", "serviceTask", "businessRuleTask", "callActivity", "boundaryEvent")
    for node in drawing.nodes.values():
        said = (node.element.findtext(f"{BPMN}documentation") or "").strip()
        asks = node.kind == "exclusiveGateway" and bool(node.name)
        if node.kind in needs or asks:
            assert said, f"{node.id} has no documentation"
        if node.kind in ("userTask", "businessRuleTask") or node.host:
            assert SOURCE.search(said) or _is_daily(node), f"{node.id}: {said}"


def test_splits_ask_and_answer_and_joins_are_silent(drawing: Drawing) -> None:
    for node in drawing.nodes.values():
        if node.kind != "exclusiveGateway":
            continue
        incoming = [flow for flow in drawing.flows.values() if flow.target == node.id]
        outgoing = [flow for flow in drawing.flows.values() if flow.source == node.id]
        assert (len(incoming) > 1) != (len(outgoing) > 1), f"{node.id} splits or joins, not both"
        if len(outgoing) > 1:
            assert node.name.endswith("？"), node.id
            assert all(flow.name for flow in outgoing), node.id
        else:
            assert not node.name, node.id


def test_every_wait_is_bounded(drawing: Drawing) -> None:
    """By a limit that interrupts it or a scope around it, or as a standing duty that reminds every day."""
    unbounded = [
        node.id
        for node in drawing.nodes.values()
        if node.kind in WAITING and not _is_behind_event_gateway(drawing, node) and not _is_bounded(drawing, node)
    ]
    assert unbounded == []


def test_no_limit_decides_in_the_place_of_an_authority(drawing: Drawing) -> None:
    """An interrupting limit on an authority's duty leads to somebody's task, never straight to a decision."""
    papers = {
        "intake.accept",
        "intake.refuse",
        "mediation.terminate",
        "courts.record_ruling",
        "network.assign_office",
    }
    for node in drawing.nodes.values():
        trigger = node.element.find(f"{BPMN}timerEventDefinition/{BPMN}timeDate")
        if trigger is None or not re.match(r'= due\("C', str(trigger.text)):
            continue
        host = drawing.nodes[node.host] if node.host else node
        if not _roles_inside(drawing, host) & {"officer", "centre_clerk", "court_liaison", "supervisor"}:
            continue
        assert not _services_before_a_task(drawing, node.id) & papers, node.id


def test_warnings_and_daily_reminders_never_interrupt(drawing: Drawing) -> None:
    for node in drawing.nodes.values():
        timer = node.element.find(f"{BPMN}timerEventDefinition")
        if timer is None or not node.host:
            continue
        text = "".join(timer.itertext())
        if "warning(" in text or "R/P1D" in text:
            assert node.element.attrib.get("cancelActivity") == "false", node.id


def test_lanes_agree_with_who_may_do_the_task(drawing: Drawing) -> None:
    """Tasks of one role stand in one lane of a process: the lane says who acts."""
    lane_of = {node: lane for lane, nodes in drawing.lanes.items() for node in nodes}
    seen: dict[tuple[str, str], set[str]] = {}
    for node in drawing.nodes.values():
        if node.kind == "userTask" and node.id in lane_of:
            seen.setdefault((node.scope, _role(node)), set()).add(lane_of[node.id])
    assert {key: lanes for key, lanes in seen.items() if len(lanes) > 1} == {}


def test_english_lies_beside_every_name_and_every_sentence(drawing: Drawing) -> None:
    english = json.loads(drawing.path.with_suffix(".en.json").read_text())
    for element in drawing.root.iter():
        id, name = element.attrib.get("id"), element.attrib.get("name")
        if id is None or element.tag in (f"{BPMN}message", f"{BPMN}participant"):
            continue
        if name:
            assert english.get(id, {}).get("name"), id
        if element.find(f"{BPMN}documentation") is not None:
            assert english[id].get("documentation"), id
    ids = {element.attrib.get("id") for element in drawing.root.iter()}
    assert set(english) <= ids


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_rule_of_a_table_has_its_article_and_its_english(path: Path) -> None:
    english = json.loads(path.with_suffix(".en.json").read_text())
    root = read(path).root
    for rule in root.iter(f"{DMN}rule"):
        said = rule.findtext(f"{DMN}description") or ""
        assert re.search(r"\d|建议值", said), rule.attrib["id"]
        assert english[rule.attrib["id"]]["description"], rule.attrib["id"]
    for decision in root.iter(f"{DMN}decision"):
        assert english[decision.attrib["id"]]["name"] and english[decision.attrib["id"]]["description"]
        assert decision.find(f"{DMN}description") is not None
    drawn = {shape.attrib["dmnElementRef"] for shape in root.iter() if shape.tag.endswith("DMNShape")}
    assert {d.attrib["id"] for d in root.iter() if d.tag in (f"{DMN}decision", f"{DMN}inputData")} == drawn


def test_classify_answers_every_combination_of_hints_once() -> None:
    decisions = _table("classify")
    hints = ("wants_remedy", "points_to_violation", "asks_information", "other_channel")
    for given in product((True, False, None), repeat=4):
        kind = decisions.evaluate("classify", dict(zip(hints, given, strict=True))).value
        wants, points = given[0] is True, given[1] is True
        expected = {(True, True): "mixed", (True, False): "complaint", (False, True): "tipoff"}.get((wants, points))
        assert kind == (expected or ("other" if given[3] is True else "consultation")), given


def test_channel_never_sends_the_injured_or_the_vulnerable_to_the_shop() -> None:
    decisions = _table("channel")
    names = ("injury", "vulnerable", "merchant_on_board", "merchant_contactable")
    for given in product((True, False, None), repeat=4):
        channel = decisions.evaluate("channel", dict(zip(names, given, strict=True))).value
        if given[0] is True or given[1] is True:
            assert channel == "skip"
        else:
            expected = "in_house" if given[2] is True else "sunshine" if given[3] is True else "platform"
            assert channel == expected, given


def test_routing_answers_every_seller_and_place_once() -> None:
    decisions = _table("routing")
    sellers = ("shop", "platform", "own_site", "platform_merchant", None)
    for seller, here, reachable, mall, injury, fen in product(
        sellers, (True, False), (True, False), (True, False), (True, False), (0, 100_000, 100_001)
    ):
        facts = {
            "region": "330299",
            "seller_kind": seller,
            "in_district": here,
            "address_reachable": reachable,
            "in_mall_station": mall,
            "injury": injury,
            "amount_fen": fen,
        }
        found = decisions.evaluate("routing", facts).value
        assert isinstance(found, dict), facts
        assert found["route"] == _route(seller, here, reachable, mall, injury, fen), facts
        assert found["why"]


def _route(seller: str | None, here: bool, reachable: bool, mall: bool, injury: bool, fen: int) -> str:
    """办法 第十三条, said once more in Python."""
    if seller is None:
        return "unclear"
    if seller == "platform_merchant" and not reachable:
        return "platform_bureau"
    if not here:
        return "other_bureau"
    return "station" if seller == "shop" and mall and not injury and fen <= 100_000 else "office"


def test_the_exit_is_found_for_every_way_through_the_stages() -> None:
    decisions = _table("exit")
    ends = {node.id for node in DIAGRAMS["complaint"].nodes.values() if node.kind == "endEvent"}
    reached = set()
    for way in _ways():
        found = decisions.evaluate("exit", way).value
        assert found in ends, way
        reached.add(found)
    assert reached == ends - {"pointed_elsewhere", "answer_chased"}


def _ways() -> list[dict[str, str | None]]:
    """Every combination of results that the diagrams can leave behind."""
    ways: list[dict[str, str | None]] = []
    shops = [(s, c) for s in ("settled", "failed", "withdrawn") for c in ("in_house", "sunshine")]
    ways += [{"settlement_outcome": s, "channel": c} for s, c in shops]
    for settlement in (None, "failed"):
        before = {"settlement_outcome": settlement, "channel": "in_house"}
        ways += [{**before, "outcome": "withdrawn"}]
        ways += [{**before, "outcome": "refused", "identity": i} for i in ("verified", "missing", None, "refused")]
        confirmations = (None, "not_applied", "confirmed", "dismissed")
        for outcome, mediation in (("accepted", "agreed"), ("accepted", "terminated"), ("terminated", None)):
            middle = {**before, "outcome": outcome, "mediation_outcome": mediation}
            if mediation == "agreed":
                ways += [{**middle, "confirmation_outcome": c} for c in confirmations]
                continue
            ways += [{**middle, "court_outcome": court} for court in (None, "to_litigation")]
            ways += [{**middle, "court_outcome": "agreed", "confirmation_outcome": c} for c in confirmations]
        ways += [{**before, "outcome": "accepted", "mediation_outcome": "withdrawn"}]
    return ways


def test_every_scenario_passes() -> None:
    outcomes, _ = played()
    assert [(o.scenario.file, o.scenario.name, o.why) for o in outcomes if not o.passed] == []


def test_every_diagram_has_scenarios_of_its_own() -> None:
    assert {scenario.diagram for scenario in scenarios()} == set(DIAGRAMS)


def test_scenarios_pass_every_element_and_every_flow(drawing: Drawing) -> None:
    """Every end event among them."""
    _, seen = played()
    assert set(drawing.nodes) - seen.elements.get(drawing.process, set()) == set()
    assert set(drawing.flows) - seen.flows.get(drawing.process, set()) == set()


def test_every_end_of_a_case_is_named_by_a_scenario(drawing: Drawing) -> None:
    """An end that leads out of the process stands in some scenario's ``ended``, or is followed by one that does."""
    named = {step.then.ended for scenario in scenarios() for step in scenario.steps if step.then.ended}
    outer = {
        node.id for node in drawing.nodes.values() if node.kind == "endEvent" and node.scope == drawing.process
    }
    outer -= {end for end in outer if _ends_a_reminder(drawing, end)}
    wrapping = {"stage_finished", "settlement_finished", "mediation_finished"}
    assert outer - wrapping - named == set()


def test_each_limit_passes_in_some_scenario() -> None:
    """Each silence of a party and of an authority is played."""
    _, seen = played()
    for drawing in DIAGRAMS.values():
        timers = {
            node.id
            for node in drawing.nodes.values()
            if node.element.find(f"{BPMN}timerEventDefinition") is not None
        }
        assert timers <= seen.elements[drawing.process]


# Helpers.


def _table(stem: str) -> "feel.dmn.Decisions":
    return feel.dmn.parse(Path(f"workflows/dmn/{stem}.dmn").read_bytes(), stem)


def _role(node: Node) -> str:
    found = node.element.find(f".//{ZEEBE}assignmentDefinition")
    return "" if found is None else found.attrib["candidateGroups"]


def _boundaries(drawing: Drawing, node: Node) -> list[Node]:
    """The boundary events of a node and of the sub-processes around it."""
    hosts = {node.id, *drawing.holders(node.id)}
    return [event for event in drawing.nodes.values() if event.host in hosts]


def _is_daily(node: Node) -> bool:
    cycle = node.element.find(f"{BPMN}timerEventDefinition/{BPMN}timeCycle")
    return cycle is not None and cycle.text == "R/P1D"


def _is_standing(node: Node) -> bool:
    return any(
        one.attrib.get("name") == "standing-duty" and one.attrib.get("value") == "true"
        for one in node.element.iter(f"{ZEEBE}property")
        if node.kind == "userTask"
    )


def _interrupts_in_time(node: Node) -> bool:
    date_ = node.element.find(f"{BPMN}timerEventDefinition/{BPMN}timeDate")
    return date_ is not None and node.element.attrib.get("cancelActivity", "true") == "true"


def _is_bounded(drawing: Drawing, node: Node) -> bool:
    around = _boundaries(drawing, node)
    if any(_interrupts_in_time(event) for event in around):
        return True
    if _is_standing(node) and any(_is_daily(event) for event in around):
        return True
    if node.kind == "eventBasedGateway" and any(
        _interrupts_in_time(drawing.nodes[flow.target]) for flow in drawing.flows.values() if flow.source == node.id
    ):
        return True
    callers = _callers(drawing.process)
    return bool(callers) and all(_is_bounded(caller, call) for caller, call in callers)


def _callers(process: str) -> list[tuple[Drawing, Node]]:
    return [
        (drawing, node)
        for drawing in DIAGRAMS.values()
        for node in drawing.nodes.values()
        for called in node.element.findall(f".//{ZEEBE}calledElement")
        if node.kind == "callActivity" and called.attrib["processId"] == process
    ]


def _is_behind_event_gateway(drawing: Drawing, node: Node) -> bool:
    return any(
        drawing.nodes[flow.source].kind == "eventBasedGateway"
        for flow in drawing.flows.values()
        if flow.target == node.id
    )


def _after(drawing: Drawing, start: str, *, through: tuple[str, ...]) -> list[Node]:
    """What follows, as far as it leads through nodes of these kinds."""
    found: list[Node] = []
    todo = [start]
    while todo:
        here = todo.pop()
        for flow in drawing.flows.values():
            target = drawing.nodes[flow.target]
            if flow.source == here and target not in found:
                found.append(target)
                if target.kind in through:
                    todo.append(target.id)
    return found


def _services_before_a_task(drawing: Drawing, event: str) -> set[str]:
    passed = _after(drawing, event, through=("exclusiveGateway", "serviceTask", "businessRuleTask"))
    return {
        one.attrib["type"]
        for node in passed
        for one in node.element.findall(f".//{ZEEBE}taskDefinition")
        if node.kind == "serviceTask"
    }


def _roles_inside(drawing: Drawing, host: Node) -> set[str]:
    inside = [host, *(node for node in drawing.nodes.values() if host.id in drawing.holders(node.id))]
    return {_role(node) for node in inside}


def _ends_a_reminder(drawing: Drawing, end: str) -> bool:
    """Whether it closes the side path of a reminder, which ends no case."""
    before = [drawing.nodes[flow.source] for flow in drawing.flows.values() if flow.target == end]
    return any(
        one.attrib["type"] == "notices.remind" and not node.element.findall(f".//{ZEEBE}output")
        for node in before
        for one in node.element.findall(f".//{ZEEBE}taskDefinition")
    )
