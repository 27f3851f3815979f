"""Every planted fault is refused for exactly that fault; its sound twin passes; the engine runs into the fault."""

import re

import pytest

from core.db import Database
from engine import Catalogue, Severity, check
from tests.engine.faults.consequences import play
from tests.engine.faults.planted import FAULTS, Fault
from tests.engine.faults.sketching import sketch

PLAIN = Catalogue(
    forms={"f": {"x": "number", "pick": "string"}},
    choices={"f": {"pick": ("one", "two")}},
    roles={"party", "boss", "officer"},
    services={"work", "tell"},
    data={"x": "number", "y": "number"},
)
HOUSE = Catalogue(**{**PLAIN.__dict__, "parties": {"party"}, "supervisors": {"boss"}})
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(params=FAULTS, ids=lambda fault: fault.name)
def fault(request: pytest.FixtureRequest) -> Fault:
    return request.param  # type: ignore[no-any-return]


def found(text: str, fault: Fault) -> list[tuple[str, str]]:
    findings = check({"bpmn/p.bpmn": sketch(text)}, HOUSE if fault.house else PLAIN)
    for finding in findings:
        assert CHINESE.search(finding.zh) and not CHINESE.search(finding.en), finding
    return [(f.code, f.element) for f in findings]


def test_it_is_refused_for_exactly_that_fault(fault: Fault) -> None:
    assert found(fault.broken, fault) == [(fault.code, fault.element)]


def test_its_sound_twin_passes(fault: Fault) -> None:
    assert found(fault.sound, fault) == []


def test_the_engine_runs_into_it(fault: Fault, sqlite_database: Database) -> None:
    assert fault.comes_to(play(sqlite_database, sketch(fault.broken), fault.script))


def test_the_sound_twin_does_not_come_to_it(fault: Fault, sqlite_database: Database) -> None:
    """The same script, as far as it can be played: where a task is not open any more, the twin went another way."""
    try:
        played = play(sqlite_database, sketch(fault.sound), fault.script)
    except AssertionError:
        return
    assert fault.comes_to(played) is not fault.twin_differs


def test_there_are_enough_of_them_and_no_two_alike() -> None:
    assert len(FAULTS) >= 40 and len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_a_finding_names_the_elements_on_the_way() -> None:
    fault = FAULTS[0]
    (finding,) = check({"bpmn/p.bpmn": sketch(fault.broken)}, PLAIN)
    assert finding.severity is Severity.ERROR
    assert finding.trace == ("start", "which", "b", "join")
