"""Status, stage and turn from where a diagram waits; and that the table knows every element that can wait."""

from pathlib import Path

import pytest
from lxml import etree

from disputes.cases.models import Exit, Stage, Status
from disputes.cases.rules import (
    EXIT_NAMES,
    STAGE_NAMES,
    STANDINGS,
    STATUS_NAMES,
    final_status,
    standing,
)
from disputes.identity.roles import Role

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DIAGRAMS = sorted(Path("workflows/bpmn").glob("*.bpmn"))


def waiting_elements(path: Path) -> set[tuple[str, str]]:
    """User tasks, event gateways, and catch events that no event gateway waits for."""
    found = set()
    for process in etree.parse(path).iter(f"{BPMN}process"):
        gateways = {element.get("id") for element in process.iter(f"{BPMN}eventBasedGateway")}
        behind = {f.get("targetRef") for f in process.iter(f"{BPMN}sequenceFlow") if f.get("sourceRef") in gateways}
        elements = [*process.iter(f"{BPMN}userTask"), *process.iter(f"{BPMN}receiveTask")]
        elements += [e for e in process.iter(f"{BPMN}intermediateCatchEvent") if e.get("id") not in behind]
        found |= {(process.get("id"), element.get("id")) for element in elements}
        found |= {(process.get("id"), gateway) for gateway in gateways}
    return found


@pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
def test_every_element_that_can_wait_has_a_standing(path: Path) -> None:
    missing = waiting_elements(path) - STANDINGS.keys()
    assert not missing, f"add {sorted(missing)} to disputes/cases/rules.py"


def test_the_table_names_no_element_that_the_diagrams_do_not_have() -> None:
    drawn = set[tuple[str, str]]().union(*(waiting_elements(path) for path in DIAGRAMS))
    assert not STANDINGS.keys() - drawn


def test_every_turn_is_a_role() -> None:
    assert {role for row in STANDINGS.values() for role in row.turn} <= set(Role)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ([("acceptance", "first_contact")], (Status.TO_ACCEPT, Stage.ACCEPTANCE, ("officer",))),
        ([("acceptance", "await_identity")], (Status.SUPPLEMENTING, Stage.ACCEPTANCE, ("complainant",))),
        ([("offers", "make_offer")], (Status.SETTLING, Stage.SETTLEMENT, ("respondent",))),
        ([("mediation", "await_appraisal")], (Status.APPRAISING, Stage.MEDIATION, ("mediator",))),
        ([("closure", "return_visit")], (Status.TO_REVISIT, Stage.REVISIT, ("centre_clerk",))),
    ],
)
def test_the_standing_follows_the_waiting_element(position: object, expected: object) -> None:
    found = standing(position)  # type: ignore[arg-type]
    assert found is not None
    assert (found.status, found.stage, found.turn) == expected


def test_of_several_waits_the_one_further_along_speaks() -> None:
    found = standing([("court_delegation", "mediate_for_court"), ("complaint", "answer_elsewhere")])
    assert found is not None
    assert found.status == Status.DELEGATED


def test_an_element_that_no_row_names_says_nothing() -> None:
    assert standing([("bench", "task")]) is None


def test_every_status_stage_and_exit_has_its_words() -> None:
    assert STATUS_NAMES.keys() == set(Status)
    assert STAGE_NAMES.keys() == set(Stage)
    assert EXIT_NAMES.keys() == set(Exit)


@pytest.mark.parametrize("exit", list(Exit))
def test_a_refused_case_stays_refused_and_all_others_are_archived(exit: Exit) -> None:
    refused = exit in (Exit.REFUSED, Exit.LAPSED_IDENTITY)
    assert final_status(exit) == (Status.REFUSED if refused else Status.ARCHIVED)
