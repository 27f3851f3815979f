"""The demonstration: seven exits, real tickets with the outcome that fits, and nothing that waits without a limit."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Base, Database
from core.refusals import NotFound
from disputes.cases.models import Case, Performance
from disputes.courts import package
from disputes.courts.models import ConfirmationApplication, Handover, HandoverState
from disputes.courts.services import content_of
from disputes.demo import run
from disputes.demo.report import text
from disputes.demo.seed import seed
from disputes.demo.stories import STORIES, tickets
from disputes.inbox.models import InboxItem, ItemState
from disputes.intake.models import AcceptanceDecision, SealedTipoff
from disputes.releases.scenarios.reading import read_scenarios
from disputes.releases.scenarios.recording import record
from disputes.settlement.models import SettlementAgreement
from engine import Incident, Instance, events
from tests.disputes.district import build_district

EXITS = {
    "settled_in_house", "settled_sunshine", "refused", "mediated", "court_confirmed", "withdrawn", "lapsed_identity",
}  # fmt: skip
#: Tickets whose label says that the matter is not the market regulator's duty.
NOT_OUR_DUTY = {"03", "05", "06", "08", "10"}


@dataclass
class Played:
    """A demonstration that was played to its end."""

    database: Database
    told: dict[str, Any]

    def case(self, name: str) -> Case:
        story = next(s for s in STORIES if s.name == name)
        with self.database.reader() as session:
            return session.scalars(
                select(Case).where(Case.facts.is_not(None), Case.filed_at == story.starts(END, _no_day))
            ).one()

    def ticket(self, number: str) -> dict[str, Any]:
        return next(case for case in self.told["cases"] if case["ticket"] == number)


def require_faithful(session: Session, case: Case) -> None:
    """The recording replays, ends where the case ended, and holds nothing that somebody wrote or is called."""
    recorded = record(session, case)
    assert recorded.difference is None, (case.case_no, recorded.difference)
    (scenario,) = read_scenarios(recorded.text.encode(), "recorded.scenarios.yaml")
    last = scenario.steps[-1].then
    ended = session.get_one(Instance, case.instance_id).ended_element
    assert (last.ended or None, last.complete) == (ended, ended is not None)
    secrets = [case.facts, case.title, case.respondent_name, case.case_no, str(case.id)]
    secrets += [
        text for party in case.parties for text in (party.name, party.phone, party.address, party.id_no) if text
    ]
    assert not [secret for secret in secrets if secret in recorded.text]


END = datetime.fromisoformat("2026-11-22T12:00:00+08:00")


def _no_day(moment: datetime, ahead: int) -> datetime:
    raise AssertionError("only stories with a fixed moment are looked up")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    import disputes.models  # noqa: F401

    database = Database(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}")
    Base.metadata.create_all(database.writing)
    yield Played(database, run(database, end=END))
    database.dispose()


def test_all_seven_exits_are_taken(played: Played) -> None:
    assert {case["exit"] for case in played.told["cases"]} >= EXITS


def test_the_ten_real_tickets_are_there_word_for_word(played: Played) -> None:
    found = {case["ticket"]: case for case in played.told["cases"] if case["ticket"]}
    assert found.keys() == tickets(Path()).keys()
    assert not any(case["synthetic"] for case in found.values())
    assert all(case["synthetic"] for case in played.told["cases"] if not case["ticket"])
    with played.database.reader() as session:
        for case in session.scalars(select(Case).where(Case.ticket.is_not(None))):
            assert case.ticket is not None
            assert case.facts.startswith(tickets(Path())[case.ticket].strip())


def test_five_tickets_are_refused_as_not_our_duty_and_the_right_body_is_named(played: Played) -> None:
    assert {case["ticket"] for case in played.told["cases"] if case["ticket"] and case["exit"] == "refused"} == (
        NOT_OUR_DUTY
    )
    with played.database.reader() as session:
        query = select(Case.ticket, AcceptanceDecision).join(Case, Case.id == AcceptanceDecision.case_id)
        for ticket, decision in session.execute(query.where(Case.ticket.in_(NOT_OUR_DUTY))):
            assert decision.ground == 1, ticket
            assert decision.competent_body, ticket


def test_a_case_of_every_exit_is_recorded_and_replays_to_the_same_end_without_anybody_s_data(
    played: Played,
) -> None:
    with played.database.reader() as session:
        cases = {case.exit: case for case in session.scalars(select(Case).order_by(Case.filed_at))}
        assert len(cases) >= len(EXITS) + 1
        for case in cases.values():
            require_faithful(session, case)


def test_nothing_waits_without_a_limit(played: Played) -> None:
    waits = [wait for case in played.told["cases"] for wait in case["open_waits"]]
    assert waits
    assert all(wait["limit"] and wait["due_on"] for wait in waits)
    assert all(
        (case["exit"] is None) or case["status"] != "archived"
        for case in played.told["cases"]
        if case["open_waits"]
    )


def test_every_role_finds_something_in_its_inbox(played: Played) -> None:
    with played.database.reader() as session:
        waiting = set(session.scalars(select(InboxItem.role).where(InboxItem.state == ItemState.OPEN)))
    assert waiting >= {
        "complainant", "respondent", "centre_clerk", "officer", "supervisor", "mediator", "court_liaison",
    }  # fmt: skip


def test_events_go_forward_in_time_and_none_lies_after_the_end(played: Played) -> None:
    for case in played.told["cases"]:
        moments = [datetime.fromisoformat(event["at"]) for event in case["events"]]
        assert moments == sorted(moments), case["case_no"]
        assert moments[-1] <= END


def test_an_act_is_met_exactly_when_it_comes_before_the_end_of_its_last_day(played: Played) -> None:
    seen = {True: 0, False: 0}
    for case in played.told["cases"]:
        for event in case["events"]:
            if event["met"] is None or not event["what"].startswith("完成"):
                continue
            seen[event["met"]] += 1
            on_time = datetime.fromisoformat(event["at"]).date() <= date.fromisoformat(event["due_on"])
            if not event["limit"].startswith(("S01", "S07")):  # these two end inside a day
                assert event["met"] == on_time, event
    assert seen[True] > 50
    assert seen[False] > 0


@pytest.mark.parametrize(
    ("name", "element", "limit", "last_day"),
    [
        ("lapsed-identity", "decide_acceptance", "C01", "2026-09-29"),
        ("washing-machine", "decide_acceptance", "C01", "2026-08-12"),
        ("washing-machine", "tell_termination", "C04", "2026-09-08"),
        ("second-hand-phone", "sign_agreement", "S17", None),
    ],
)
def test_hand_checked_last_days(played: Played, name: str, element: str, limit: str, last_day: str | None) -> None:
    case_no = played.case(name).case_no
    events_of = next(case["events"] for case in played.told["cases"] if case["case_no"] == case_no)
    found = [e for e in events_of if e["element"] == element and e["limit"] == limit]
    assert found
    if last_day is not None:
        assert {e["due_on"] for e in found} == {last_day}


def test_an_appraisal_of_twelve_days_moves_the_sixty_days_by_twelve(played: Played) -> None:
    case_no = played.case("washing-machine").case_no
    events_of = next(case["events"] for case in played.told["cases"] if case["case_no"] == case_no)
    days = [e["due_on"] for e in events_of if e["element"] == "hold_session" and e["limit"] == "C03"]
    # Accepted on 2026-08-05: the sixtieth day, 10-04, lies in the break and rolls to 10-08; with the pause, 10-16.
    assert days[0] == "2026-10-08"
    assert days[-1] == "2026-10-16"


def test_silence_of_an_officer_is_warned_of_missed_and_handed_to_the_supervisor(played: Played) -> None:
    case_no = played.case("silent-officer").case_no
    events_of = next(case["events"] for case in played.told["cases"] if case["case_no"] == case_no)
    fired = [e["element"] for e in events_of if e["element"].startswith("c01_") and e["limit"] == "C01"]
    assert fired == ["c01_first_warning", "c01_second_warning", "c01_expired"]
    assert next(e for e in events_of if e["element"] == "c01_expired")["met"] is False


def test_recovered_money_follows_the_agreement_and_its_performance(played: Played) -> None:
    expected = {
        "bag": (12_000, Performance.PERFORMED),
        "oil-gluten": (11_500, Performance.PRESUMED),
        "second-hand-phone": (190_000, Performance.PERFORMED),
        "sand-in-buns": (101_900, Performance.PERFORMED),
        "withdrawn": (0, None),
        "prepaid-card": (0, None),
        "guided-price": (0, None),
        "filed-now": (80_000, Performance.PRESUMED),
    }
    for name, (recovered, performance) in expected.items():
        case = played.case(name)
        assert (case.recovered_fen, case.performance) == (recovered, performance), name
    with played.database.reader() as session:
        assert session.get_one(SettlementAgreement, played.case("oil-gluten").id).presumed


def test_packages_are_complete_and_carry_nothing_that_was_said_to_settle(played: Played) -> None:
    with played.database.reader() as session:
        handovers = session.scalars(select(Handover).order_by(Handover.sent_at)).all()
        assert {handover.type for handover in handovers} == {"诉前委派", "司法确认申请"}
        for handover in handovers:
            content = content_of(handover)
            assert package.missing(content) == {}
            assert content["report_part_removed"] is True
            written = json.dumps(content, ensure_ascii=False)
            for concession in ("商家只肯赔 800 元", "商家私下表示", "以假充真，", "涉嫌以假充真"):
                assert concession not in written
        machine = [h for h in handovers if h.case_id == played.case("washing-machine").id]
        assert [(h.attempt, h.state) for h in machine if h.type == "诉前委派"] == [
            (1, HandoverState.RETURNED),
            (2, HandoverState.RECEIPTED),
        ]
        content = content_of(machine[1])
        assert content["undisputed_facts"] == ["洗衣机使用中漏水", "进水阀存在质量缺陷", "地板受损面积约 6 平方米"]
        assert content["receipt"]["peer_case_no"] == "（2026）云0299诉前调88号"
        assert content["consents"]["complainant_entrust"] is True
        paused = next(clock["paused"] for clock in content["clocks"] if clock["clock_id"] == "C03")
        assert [(p["from"][:10], p["to"][:10]) for p in paused] == [("2026-08-14", "2026-08-26")]
        complainant = next(p for p in content["parties"] if p["role"] == "投诉人")
        assert len(complainant["id_no"]) == 18


def test_the_sealed_tip_off_stays_where_it_is(played: Played) -> None:
    with played.database.reader() as session:
        sealed = session.scalars(
            select(SealedTipoff).where(SealedTipoff.case_id == played.case("second-hand-phone").id)
        ).one()
        assert "以假充真" in sealed.text


def test_two_agreements_were_confirmed_by_the_court(played: Played) -> None:
    with played.database.reader() as session:
        rulings = session.scalars(
            select(ConfirmationApplication).where(ConfirmationApplication.ruling.is_not(None))
        ).all()
        assert [(r.ruling, r.docketed, len(r.signatures)) for r in rulings] == [("valid", True, 2)] * 2


def test_no_step_failed_and_every_chain_is_whole(played: Played) -> None:
    with played.database.reader() as session:
        assert session.scalars(select(Incident.message)).all() == []
        for instance_id in session.scalars(select(Case.instance_id)):
            assert instance_id is not None
            assert events.verify(session, instance_id)


def test_the_telling_names_who_what_which_limit_and_whether_it_was_met(played: Played) -> None:
    told = text(played.told)
    assert "真实工单 01" in told
    assert "合成 synthetic" in told
    assert "C01 办法15" in told
    assert "按期 met" in told
    assert "超期 missed" in told


def test_the_same_story_is_told_on_either_database(database: Database) -> None:
    build_district(database)  # without the gate, which the whole demonstration has passed
    told = run(database, row="bag", end=END)
    assert [(case["exit"], case["open_waits"]) for case in told["cases"]] == [("settled_in_house", [])]


def test_a_row_that_is_none_is_refused(sqlite_database: Database) -> None:
    with pytest.raises(NotFound):
        run(sqlite_database, row="no-such-row")


def test_the_tickets_come_with_their_licence() -> None:
    note = Path("examples/tickets/README.md").read_text("utf-8")
    assert "MIT License" in note
    assert "market-complaint-agent" in note


def test_many_synthetic_cases_are_filed_at_once(sqlite_database: Database) -> None:
    build_district(sqlite_database)
    report = seed(sqlite_database, cases=7, directory=Path(), now=END)
    assert report["cases"] == 7
    with sqlite_database.reader() as session:
        assert session.scalars(select(Case.synthetic)).all() == [True] * 7
        assert report["tasks"] == len(
            session.scalars(select(InboxItem.task_id).where(InboxItem.state == ItemState.OPEN)).all()
        )
