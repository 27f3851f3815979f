"""Filing: what is kept, what starts, what is refused; and what the parties may tell a running case."""

from datetime import date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from core.db import Database
from core.refusals import Forbidden, Invalid, NotFound, WrongState
from disputes.cases import operations, queries
from disputes.cases.filing import ROUTING_FACTS
from disputes.cases.models import Case, Exit, Kind, Stage, Status
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.identity.models import Person
from disputes.intake.models import SealedTipoff
from disputes.network.models import Organisation
from engine import Engine
from tests.disputes.district import NOW, STALL, District, build_district


@pytest.fixture
def district(sqlite_database: Database) -> District:
    return build_district(sqlite_database)


def test_a_complaint_goes_to_the_office_of_its_place_and_its_clock_runs(database: Database) -> None:
    district = build_district(database)
    with database.transaction() as session:
        case = district.file(session)
        assert case.case_no == "330299-20260918-0001"
        assert (case.status, case.stage, case.turn) == (Status.TO_ACCEPT, Stage.ACCEPTANCE, ["officer"])
        office = session.get_one(Organisation, case.office_id)
        assert office.code == "YX-01"
        assert case.received_at == NOW
        assert case.respondent_told_at is None
        assert case.disputed_fen == 160_000
        data = district.engine.data(session, case.instance_id)  # type: ignore[arg-type]
        assert data["in_remit"] is True
        assert data["limitation_ends_on"].isoformat() == "2029-09-10"
        assert not {"facts", "complainant_name", "complainant_phone"} & data.keys()
        consumer = district.consumer(session)
        wait = queries.waits(session, case, consumer, now=NOW)[0]
        assert (wait.element, wait.limit) == ("first_contact", "S01")


#: FEEL types of what Python hands to the engine.
TYPES = {bool: "boolean", str: "string", int: "number", datetime: "date and time", date: "date"}


def test_a_case_starts_with_the_facts_that_the_gate_is_told_of(
    sqlite_database: Database, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []
    start = Engine.start

    def spy(self: Engine, *given: Any, data: dict[str, Any], **more: Any) -> Any:
        started.append(dict(data))
        return start(self, *given, data=data, **more)

    monkeypatch.setattr(Engine, "start", spy)
    with sqlite_database.transaction() as session:
        district.file(session)
    (facts,) = started
    assert {name: TYPES[type(value)] for name, value in facts.items() if value is not None} == {
        name: kind for name, kind in ROUTING_FACTS.items() if facts.get(name) is not None
    }
    assert ROUTING_FACTS.keys() == facts.keys()


def test_asking_the_shop_first_starts_no_legal_clock(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first")
        assert (case.stage, case.turn) == (Stage.SETTLEMENT, ["respondent"])
        assert case.received_at is None
        assert case.respondent_told_at == NOW
        item = district.item(session, case, "make_offer")
        assert item.organisation_id == case.merchant_id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"facts": "短"}, "facts"),
        ({"requests": []}, "requests"),
        ({"respondent_name": ""}, "respondent_name"),
        ({"truthful": False}, "truthful"),
        ({"complainant_phone": "12"}, "complainant_phone"),
        ({"amount_fen": -1}, "amount_fen"),
        ({"unknown_field": 1}, "unknown_field"),
    ],
)
def test_a_filing_that_does_not_fit_says_which_field(
    sqlite_database: Database, change: dict[str, Any], field: str
) -> None:
    district = build_district(sqlite_database)
    with sqlite_database.transaction() as session:
        with pytest.raises(Invalid) as refused:
            district.file(session, **change)
        assert field in refused.value.fields
        assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_a_tip_off_inside_a_complaint_is_sealed_apart(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, points_to_violation=True, violation_facts="商家以假充真，冒充原装出售。")
        assert case.kind == Kind.MIXED
        assert case.tipoff is None
        sealed = session.scalars(select(SealedTipoff).where(SealedTipoff.case_id == case.id)).one()
        assert sealed.text == "商家以假充真，冒充原装出售。"
        assert "以假充真" not in str(district.engine.data(session, case.instance_id))  # type: ignore[arg-type]
        assert case.status == Status.TO_ACCEPT


def test_somebody_without_an_account_may_file_and_a_clerk_for_somebody_at_the_counter(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        before = session.scalar(select(func.count()).select_from(Person)) or 0
        own = district.file(session, by=Actor.anonymous(), complainant_name="冯静")
        clerk = district.cast.staff(session, "centre_clerk")
        helped = district.file(session, by=clerk, complainant_name="冯静")
        assert own.filed_by is None
        assert helped.filed_by == clerk.person_id
        assert helped.complainant_id == own.complainant_id  # the clerk finds who is known by name and phone
        assert helped.station_id in clerk.organisations("centre_clerk")
        assert session.scalar(select(func.count()).select_from(Person)) == before + 1


def test_a_guest_never_files_in_the_name_of_a_known_person(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        known = people.by_login(session, district.cast.consumer_login)
        assert known is not None
        case = district.file(
            session, by=Actor.anonymous(), complainant_name=known.name, complainant_phone=known.phone
        )
        assert case.complainant_id != known.id


def test_case_numbers_are_unique_when_many_file_at_once(database: Database) -> None:
    district = build_district(database)
    numbers: list[str] = []
    faults: list[BaseException] = []
    barrier = Barrier(4)

    def file_two() -> None:
        try:
            barrier.wait()
            for _ in range(2):
                with database.transaction() as session:
                    number = district.file(session).case_no
                numbers.append(number)
        except BaseException as fault:
            faults.append(fault)

    threads = [Thread(target=file_two) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert sorted(numbers) == [f"330299-20260918-{number:04d}" for number in range(1, 9)]


def test_numbers_begin_anew_with_the_day_in_china(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        late = NOW.replace(hour=15, minute=59)
        assert district.file(session, now=late).case_no == "330299-20260918-0001"
        assert district.file(session, now=late + timedelta(minutes=1)).case_no == "330299-20260919-0001"


def test_withdrawing_ends_the_case_at_any_time_and_only_the_complainant_may(database: Database) -> None:
    district = build_district(database)
    with database.transaction() as session:
        case = district.file(session)
        officer = district.actor(session, case, district.item(session, case, "first_contact"))
        with pytest.raises(Forbidden):
            operations.withdraw(session, district.engine, case, by=officer, now=NOW)
        stranger = Actor.guest("00000000-0000-0000-0000-000000000001", "complainant")
        with pytest.raises(NotFound):
            operations.withdraw(session, district.engine, case, by=stranger, now=NOW)
        me = district.consumer(session)
        operations.withdraw(session, district.engine, case, reason="已经解决", by=me, now=NOW)
        assert (case.exit, case.status, case.closed_at) == (Exit.WITHDRAWN, Status.ARCHIVED, NOW)
        assert case.recovered_fen == 0
        with pytest.raises(WrongState):
            operations.withdraw(session, district.engine, case, by=me, now=NOW)


def test_filing_now_leaves_the_settlement_and_starts_the_legal_clock(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, path="shop_first")
        later = NOW + timedelta(days=2)
        me = district.consumer(session)
        operations.file_now(session, district.engine, case, by=me, now=later)
        assert (case.path, case.received_at, case.stage) == ("file_now", later, Stage.ACCEPTANCE)
        with pytest.raises(WrongState):
            operations.file_now(session, district.engine, case, by=me, now=later)


def test_an_office_gives_a_case_back_to_the_centre_and_never_onward(
    sqlite_database: Database, district: District
) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session)
        officer = district.actor(session, case, district.item(session, case, "first_contact"))
        with pytest.raises(Invalid):
            operations.return_dispatch(session, district.engine, case, reason="不归", by=officer, now=NOW)
        operations.return_dispatch(session, district.engine, case, reason="不在本所辖区", by=officer, now=NOW)
        assert (case.status, case.turn) == (Status.TO_DISPATCH, ["centre_clerk"])
        district.do(session, case, "dispatch", office="YX-03", reason="经营场所在鼓楼")
        assert session.get_one(Organisation, case.office_id).code == "YX-03"
        assert district.item(session, case, "first_contact").organisation_id == case.office_id


def test_identity_is_supplied_once_it_is_asked_for(sqlite_database: Database, district: District) -> None:
    with sqlite_database.transaction() as session:
        case = district.file(session, respondent_name=STALL)
        me = district.consumer(session)
        proof = {"name": me.name, "id_kind": "resident", "id_no": "33029919900307123X"}
        district.do(session, case, "first_contact", identity="gap", identity_due_on="2026-09-25")
        assert (case.status, case.turn) == (Status.SUPPLEMENTING, ["complainant"])
        assert "supply_identity" in queries.view(session, case, me, now=NOW).actions
        with pytest.raises(Invalid):
            operations.supply_identity(session, district.engine, case, **proof, by=me, now=NOW)
        proof["id_no"] = proof["id_no"][:17] + _check(proof["id_no"][:17])
        operations.supply_identity(session, district.engine, case, **proof, by=me, now=NOW)
        assert district.item(session, case, "verify_identity").role == "officer"
        assert "supply_identity" not in queries.view(session, case, me, now=NOW).actions


def _check(first: str) -> str:
    from disputes.identity.rules import resident_id_check

    return resident_id_check(first)
