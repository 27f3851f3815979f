"""What the diagram of closing calls: the closing itself, and the archive after the return visits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import WrongState
from disputes.cases.models import Case, Exit, Stage
from disputes.cases.services import case_for
from disputes.cases.telling import tell
from disputes.closure import rules
from disputes.closure.models import Rectification, ReturnVisit
from disputes.inbox.models import InboxItem
from disputes.inbox.queries import answers
from disputes.inbox.reactions import reacts_to
from engine import ServiceCall, Services

services = Services()


@services.add("cases.close")
def close(call: ServiceCall) -> Mapping[str, Any]:
    """Close the case: its exit, and the money recovered, from the agreement and its performance (DOMAIN 3)."""
    case = case_for(call)
    name = str(call.inputs.get("exit") or call.data.get("exit") or "")
    if name not in set(Exit):
        raise WrongState(f"Expected an exit of the procedure, found {name!r}.", code="case.exit", exit=name)
    case.exit = Exit(name)
    case.performance = rules.performance(
        case.performance, performed=call.data.get("performed"), presumed=call.data.get("presumed")
    )
    case.recovered_fen = rules.recovered_fen(case.exit, case.agreed_fen, case.performance)
    case.closed_at = call.now
    case.stage = Stage.CLOSURE
    told = ["complainant", *(["respondent"] if case.respondent_told_at else [])]
    tell(call.session, case, told, "case.closed", exit=case.exit, now=call.now)
    return {"closed_at": call.now, "recovered_fen": case.recovered_fen}


@services.add("closure.archive")
def archive(call: ServiceCall) -> None:
    """Lay the case down: nothing is asked of anybody any more."""
    case = case_for(call)
    keep_visits(call.session, case)
    keep_rectifications(call.session, case)


@reacts_to("return_visit", "rectify", "review_bad_case")
def keep_record(session: Session, case: Case, item: InboxItem, now: datetime) -> None:
    """A visit, a rectification and the supervisor's word are written down as soon as they are answered."""
    keep_visits(session, case)
    keep_rectifications(session, case)


def keep_visits(session: Session, case: Case) -> None:
    """Every visit that was answered has its row."""
    kept = set(session.scalars(select(ReturnVisit.number).where(ReturnVisit.case_id == case.id)))
    for number, given in enumerate(answers(session, case.id, "return_visit"), start=1):
        if number in kept:
            continue
        reached = given.content.get("reached") is True
        rating = given.content.get("rating") if reached else None
        session.add(
            ReturnVisit(
                case_id=case.id,
                number=number,
                reached=reached,
                rating=int(rating) if rating is not None else None,
                comment=str(given.content.get("comment") or ""),
                visited_at=given.at,
                visited_by=given.by,
            )
        )
    session.flush()


def keep_rectifications(session: Session, case: Case) -> None:
    """Every rectification has its row; the supervisor's word stands on the last."""
    query = select(Rectification).where(Rectification.case_id == case.id).order_by(Rectification.number)
    kept = list(session.scalars(query))
    for number, given in enumerate(answers(session, case.id, "rectify"), start=1):
        if number <= len(kept):
            continue
        done = Rectification(
            case_id=case.id,
            number=number,
            measures=str(given.content.get("measures") or ""),
            done_at=given.at,
            done_by=given.by,
        )
        session.add(done)
        kept.append(done)
    reviews = answers(session, case.id, "review_bad_case")
    if kept and reviews:
        kept[-1].reviewed_at = reviews[-1].at
        kept[-1].review = str(reviews[-1].content.get("review") or "")
    session.flush()
