"""Papers are numbered without gap or twin, kept with their digest, and found again by the code on a print."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import func, inspect, select

from core.db import Database
from core.refusals import Invalid, NotFound, WrongState
from disputes.documents import operations, queries, rendering
from disputes.documents.models import Kind, Paper, PaperRegister
from disputes.network.models import Organisation
from tests.disputes.documents.paper_data import NOW, data, issue, office


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_issued_and_read_back(database: Database, kind: Kind) -> None:
    with database.transaction() as session:
        issued = issue(session, kind, case_key="a-case", addressee="complainant")
        issue(session, kind, case_key="another-case")
    with database.reader() as session:
        (paper,) = queries.of_case(session, "a-case")
        assert paper.id == issued.id
        assert paper.pdf.startswith(b"%PDF-1.7")
        assert paper.digest == hashlib.sha256(paper.pdf).hexdigest()
        assert (paper.kind, paper.year, paper.sequence, paper.addressee) == (kind, 2026, 1, "complainant")
        assert paper.issued_at == NOW and paper.dated_on == date(2026, 9, 18)
        assert queries.by_code(session, paper.verification_code).id == paper.id


def test_numbers_run_per_kind_and_year(database: Database) -> None:
    next_year = {"now": datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "data": data(dated_on=date(2027, 1, 1))}
    with database.transaction() as session:
        place = office(session)
        numbers = [
            issue(session, kind, organisation=place, **when).number
            for kind, when in [
                (Kind.ACCEPTANCE, {}),
                (Kind.ACCEPTANCE, {}),
                (Kind.REFUSAL, {}),
                (Kind.ACCEPTANCE, next_year),
                (Kind.ACCEPTANCE, {}),
            ]
        ]
    assert numbers == [
        "鼓楼市监投受〔2026〕第1号",
        "鼓楼市监投受〔2026〕第2号",
        "鼓楼市监投不受〔2026〕第1号",
        "鼓楼市监投受〔2027〕第1号",
        "鼓楼市监投受〔2026〕第3号",
    ]


def test_a_paper_that_is_rolled_back_gives_its_number_back(database: Database) -> None:
    with database.transaction() as session:
        issue(session)
    with pytest.raises(RuntimeError), database.transaction() as session:
        assert issue(session).sequence == 2
        raise RuntimeError("something else failed")
    with database.transaction() as session:
        assert issue(session).sequence == 2


def test_offices_that_issue_at_once_get_numbers_without_gap_or_twin(database: Database) -> None:
    """Eight threads, from an empty register; each takes three numbers, some of them of another kind."""
    with database.transaction() as session:
        place_id = office(session).id
    start, failures = threading.Barrier(8), []

    def clerk(number: int) -> None:
        start.wait()
        try:
            for _ in range(3):
                kind = Kind.REFUSAL if number % 4 == 0 else Kind.ACCEPTANCE
                with database.transaction() as session:
                    issue(session, kind, organisation=session.get_one(Organisation, place_id))
        except Exception as failure:
            failures.append(failure)

    clerks = [threading.Thread(target=clerk, args=(number,)) for number in range(8)]
    for thread in clerks:
        thread.start()
    for thread in clerks:
        thread.join()
    assert failures == []
    with database.reader() as session:
        for kind, expected in ((Kind.ACCEPTANCE, 18), (Kind.REFUSAL, 6)):
            given = session.scalars(select(Paper.sequence).where(Paper.kind == kind).order_by(Paper.sequence))
            assert list(given) == list(range(1, expected + 1))
            assert session.get_one(PaperRegister, (str(kind), 2026)).last == expected
        assert session.scalar(select(func.count(Paper.verification_code.distinct()))) == 24


def test_a_refused_paper_takes_no_number(database: Database) -> None:
    with database.transaction() as session:
        with pytest.raises(Invalid):
            issue(session, Kind.REFUSAL, data=data(ground=9))
        assert session.scalars(select(PaperRegister)).all() == []


def test_a_paper_is_dated_on_the_day_of_issue_in_china(database: Database) -> None:
    evening = datetime(2026, 9, 18, 16, 30, tzinfo=UTC)  # half past midnight of the 19th in China
    with database.transaction() as session:
        with pytest.raises(Invalid) as refused:
            issue(session, now=evening)
        assert refused.value.fields == {"dated_on": ["2026-09-19"]}
        issue(session, now=evening, data=data(dated_on=date(2026, 9, 19)))


def test_a_withdrawn_paper_is_no_longer_shown_and_keeps_its_number(database: Database) -> None:
    with database.transaction() as session:
        paper = issue(session, case_key="a-case")
        operations.withdraw(session, paper.id, why="收件人写错了", now=NOW)
        assert queries.of_case(session, "a-case") == []
        assert list(queries.of_case(session, "a-case", withdrawn=True)) == [paper]
        assert queries.by_code(session, paper.verification_code).withdrawn_why == "收件人写错了"
        assert issue(session).sequence == 2
        with pytest.raises(WrongState):
            operations.withdraw(session, paper.id, why="再收一次", now=NOW)


@pytest.mark.parametrize("why", ["", "  ", "长" * 201])
def test_withdrawing_needs_a_reason(sqlite_database: Database, why: str) -> None:
    with sqlite_database.transaction() as session:
        paper = issue(session)
        with pytest.raises(Invalid):
            operations.withdraw(session, paper.id, why=why, now=NOW)


def test_a_code_is_found_however_it_is_typed(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        paper = issue(session)
        paper.verification_code = "10AB-CDEF-GH11-00ZZ"
        session.flush()
        for typed in ("10AB-CDEF-GH11-00ZZ", " 1oab cdef ghil oozz ", "10abcdefgh1100zz", "10AB－CDEF－GH11－00ZZ"):
            assert queries.by_code(session, typed).id == paper.id
        for typed in ("", "10AB-CDEF-GH11-00ZY", "10AB-CDEF-GH11", "%", "x" * 10_000, "\x00"):
            with pytest.raises(NotFound):
                queries.by_code(session, typed)


def test_codes_are_long_enough_not_to_be_guessed() -> None:
    codes = {operations.new_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)


def test_an_unknown_paper_is_not_found(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        with pytest.raises(NotFound):
            queries.find(session, uuid4())
        with pytest.raises(NotFound):
            operations.withdraw(session, uuid4(), why="没有", now=NOW)


def test_a_list_of_papers_does_not_unseal_them(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        issue(session, case_key="a-case")
    with sqlite_database.reader() as session:
        (paper,) = queries.of_case(session, "a-case")
        assert {"pdf", "data"} <= inspect(paper).unloaded
        assert paper.pdf.startswith(b"%PDF")


def test_a_paper_can_be_made_again_from_what_was_kept(database: Database) -> None:
    with database.transaction() as session:
        issue(session, Kind.MEDIATION_STATEMENT, case_key="a-case")
    with database.reader() as session:
        (paper,) = queries.of_case(session, "a-case")
        again = rendering.render(Kind(paper.kind), json.loads(paper.data), at=paper.issued_at)
        assert (again.pdf, again.digest, again.pages) == (paper.pdf, paper.digest, paper.pages)
