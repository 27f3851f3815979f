"""The five routes of 消法 第三十九条: which are open, and what taking one closes."""

from datetime import UTC, datetime

import pytest

from disputes.cases.models import Case, Exit, Stage
from disputes.cases.routes import Route, routes

NOW = datetime(2026, 9, 18, tzinfo=UTC)


def of(**given: object) -> dict[str, Route]:
    values: dict[str, object] = {"stage": Stage.ACCEPTANCE, "turn": ["officer"], "exit": None, "received_at": NOW}
    return {route.code: route for route in routes(Case(**{**values, **given}))}


def test_while_the_shop_is_asked_the_complaint_can_be_filed_at_any_time() -> None:
    found = of(stage=Stage.SETTLEMENT, turn=["respondent"], received_at=None)
    assert found["complain"].action == "file_now"
    assert all(route.is_open for route in found.values())


def test_before_filing_one_is_warned_that_a_consumer_association_closes_the_complaint() -> None:
    assert of(stage=Stage.SETTLEMENT, received_at=None)["mediate"].closes is not None


@pytest.mark.parametrize("exit", [Exit.SETTLED_IN_HOUSE, Exit.SETTLED_SUNSHINE, Exit.MEDIATED])
def test_an_agreement_leaves_only_the_court_open(exit: Exit) -> None:
    found = of(exit=exit, stage=Stage.CLOSURE)
    assert [code for code, route in found.items() if route.is_open] == ["sue"]


def test_a_confirmed_agreement_leaves_nothing_open() -> None:
    assert not any(route.is_open for route in of(exit=Exit.COURT_CONFIRMED).values())


def test_after_a_termination_the_court_and_arbitration_are_open_and_the_authority_is_not() -> None:
    found = of(exit=Exit.TERMINATED)
    assert found["sue"].is_open
    assert found["arbitrate"].is_open
    assert not found["complain"].is_open


def test_who_lapsed_for_want_of_identity_may_complain_again() -> None:
    assert of(exit=Exit.LAPSED_IDENTITY)["complain"].is_open
    assert not of(exit=Exit.REFUSED)["complain"].is_open


def test_every_closed_route_says_why_in_both_languages() -> None:
    for exit in (None, *Exit):
        for route in of(exit=exit).values():
            assert route.is_open or (route.closed is not None and all(route.closed))
