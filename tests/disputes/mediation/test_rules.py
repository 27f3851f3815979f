"""Who mediates (D8, first edition)."""

from datetime import UTC, datetime

from disputes.identity.models import Person
from disputes.mediation.rules import Candidate, choose, lines
from disputes.network.models import Kind, Organisation

NOW = datetime(2026, 9, 18, tzinfo=UTC)


def somebody(name: str, load: int = 0, kind: Kind = Kind.MEDIATION_BODY, skills: tuple[str, ...] = ()) -> Candidate:
    body = Organisation(name=f"{name}的机构", kind=kind, skills=list(skills))
    return Candidate(Person(name=name, created_at=NOW), body, load)


def test_without_both_consents_the_department_mediates_and_the_least_loaded_takes_it() -> None:
    choice = choose(
        [somebody("忙", 9, Kind.OFFICE), somebody("闲", 1, Kind.OFFICE)],
        [somebody("行业")],
        both_entrust=False,
        trade="手机",
    )
    assert (choice.kind, choice.mediator and choice.mediator.name) == ("department", "闲")


def test_with_both_consents_the_body_that_knows_the_trade_comes_first() -> None:
    choice = choose(
        [somebody("所", 0, Kind.OFFICE)],
        [somebody("闲", 0), somebody("懂", 5, skills=("手机",))],
        both_entrust=True,
        trade="手机",
    )
    assert (choice.kind, choice.mediator and choice.mediator.name) == ("mediation_body", "懂")


def test_the_council_is_named_as_such() -> None:
    assert choose([], [somebody("消", 0, Kind.COUNCIL)], both_entrust=True, trade="").kind == "council"


def test_a_conflict_of_interest_excludes() -> None:
    choice = choose(
        [],
        [somebody("甲"), somebody("乙", 9)],
        both_entrust=True,
        trade="",
        excluded=lambda candidate: candidate.person.name == "甲",
    )
    assert choice.mediator is not None
    assert choice.mediator.name == "乙"


def test_without_anybody_the_office_goes_on_itself() -> None:
    choice = choose([], [], both_entrust=False, trade="")
    assert (choice.kind, choice.mediator) == ("department", None)


def test_lines_lose_their_marks() -> None:
    assert lines("- 购买了手机\n\n • 付款 1600 元 \n") == ["购买了手机", "付款 1600 元"]
