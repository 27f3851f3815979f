"""Issuing a paper, and withdrawing one that was issued in error."""

import json
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.db import insert_missing
from core.now import CHINA
from core.refusals import Invalid, NotFound, WrongState
from disputes.documents import rendering, rules
from disputes.documents.models import Kind, Paper, PaperRegister

#: Crockford's digits: none can be taken for another when read aloud or typed.
CODE_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Sixteen digits of five bits: 80 bits, not to be guessed.
CODE_LENGTH = 16


class Issuer(Protocol):
    """The organisation in whose name a paper is issued."""

    @property
    def id(self) -> UUID: ...

    @property
    def name(self) -> str: ...


def issue(
    session: Session,
    kind: Kind,
    *,
    case_key: str,
    data: Mapping[str, Any],
    addressee: Literal["complainant", "respondent"] | None,
    organisation: Issuer,
    by: str,
    now: datetime,
) -> Paper:
    """Number, make and register a paper; ``addressee`` None: both sides receive it.

    ``data`` are values, not words: dates, moments, fen, lists; which each kind needs stands in rules.FORMS.
    The number's register stays locked until the transaction ends, so that numbers of a kind and year have no gap
    and no twin. Raises Invalid (``paper.data``), naming each field that is missing or does not fit.
    """
    words = rules.words(kind, {"office": organisation.name, **data})
    dated_on = data["dated_on"]
    assert isinstance(dated_on, date)
    _require_day_of(dated_on, now)
    year, sequence = dated_on.year, _next(session, kind, dated_on.year)
    words["number"] = rules.number(kind, words["office"], year, sequence)
    words["code"] = new_code()
    made = rendering.render(kind, words, at=now)
    paper = Paper(
        kind=kind,
        year=year,
        sequence=sequence,
        number=words["number"],
        case_key=case_key,
        title=words["title"],
        addressee=addressee,
        dated_on=dated_on,
        issued_at=now,
        issued_by=by,
        organisation_id=organisation.id,
        template=rendering.template_digest(kind),
        data=json.dumps(words, ensure_ascii=False, sort_keys=True),
        pdf=made.pdf,
        pages=made.pages,
        digest=made.digest,
        verification_code=words["code"],
    )
    session.add(paper)
    session.flush()
    return paper


def withdraw(session: Session, paper_id: UUID, *, why: str, now: datetime) -> Paper:
    """Take a paper out of force; its number is not given again. Raises NotFound, WrongState, Invalid."""
    paper = session.get(Paper, paper_id, with_for_update=True, populate_existing=True)
    if paper is None:
        raise NotFound("没有这份文书。 There is no such paper.", code="paper.not_found")
    if paper.withdrawn_at is not None:
        raise WrongState(
            "这份文书已经收回。 Expected a paper in force, found it withdrawn.", code="paper.withdrawn"
        )
    if not why.strip() or len(why) > 200:
        raise Invalid(
            "请写明收回的理由，最多 200 字。 Expected a reason of 1 to 200 characters.",
            fields={"why": ["1–200"]},
        )
    paper.withdrawn_at, paper.withdrawn_why = now, why.strip()
    session.flush()
    return paper


def new_code() -> str:
    """A verification code: 7K3M-Q0ZT-14XD-W9HB."""
    digits = "".join(secrets.choice(CODE_DIGITS) for _ in range(CODE_LENGTH))
    return "-".join(digits[at : at + 4] for at in range(0, CODE_LENGTH, 4))


def _require_day_of(dated_on: date, now: datetime) -> None:
    """A paper is dated on the day on which it is issued, in China."""
    today = now.astimezone(CHINA).date()
    if dated_on != today:
        raise Invalid(
            f"文书的日期应当是出具当日。 Expected the day of issue {today}, found {dated_on}.",
            code="paper.data",
            fields={"dated_on": [today.isoformat()]},
        )


def _next(session: Session, kind: Kind, year: int) -> int:
    """The next number of the year; its register is locked from here to the end of the transaction."""
    count_up = (
        update(PaperRegister)
        .where(PaperRegister.kind == kind, PaperRegister.year == year)
        .values(last=PaperRegister.last + 1)
        .returning(PaperRegister.last)
        .execution_options(synchronize_session=False)
    )
    given = session.scalar(count_up)
    if given is None:
        insert_missing(session, PaperRegister, kind=str(kind), year=year, last=0)
        given = session.scalars(count_up).one()
    return given
