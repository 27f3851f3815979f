"""What the diagrams of filing, dispatch and acceptance call."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.refusals import WrongState
from disputes.cases import filing
from disputes.cases.models import Case, Kind, Note
from disputes.cases.papers import issue
from disputes.cases.services import case_for
from disputes.cases.telling import tell
from disputes.documents.models import Kind as PaperKind
from disputes.inbox.queries import Given, last_answer
from disputes.intake.models import (
    AcceptanceDecision,
    Decision,
    Dispatch,
    IdentityRequest,
    Pointer,
    SealedTipoff,
)
from disputes.network import queries as places
from disputes.network.models import Organisation
from engine import ServiceCall, Services

services = Services()

#: The tasks in which acceptance is decided: the officer's, or the supervisor's after C01.
DECIDING = ("decide_acceptance", "decide_overdue")
DISPATCHING = ("dispatch", "dispatch_overdue")
#: The refusal ground "outside duty or competence" (办法 第十六条第一项).
NOT_COMPETENT = 1


@services.add("intake.separate_tipoff")
def separate_tipoff(call: ServiceCall) -> None:
    """Seal what points to a violation apart from the complaint (办法 第九条、第三十七条)."""
    case = case_for(call)
    case.kind = Kind.MIXED
    if call.session.scalar(select(SealedTipoff.id).where(SealedTipoff.case_id == case.id)) is None:
        text = case.tipoff or "投诉材料中同时反映涉嫌违法的线索，见原件。"
        call.session.add(SealedTipoff(case_id=case.id, text=text, received_at=case.filed_at, separated_at=call.now))
    case.tipoff = None
    tell(call.session, case, ["complainant"], "tipoff.separated", now=call.now)


@services.add("intake.point_elsewhere")
def point_elsewhere(call: ServiceCall) -> None:
    """Tell somebody whose matter is no complaint what the answer is and where to go (办法 第四十四条)."""
    case = case_for(call)
    given = _given(call, case, "answer_elsewhere")
    case.kind = Kind(str(call.data.get("matter") or Kind.OTHER))
    body = str(given.content.get("body") or "")
    answer = str(given.content.get("answer") or "")
    call.session.add(Pointer(case_id=case.id, answer=answer, body=body, told_at=call.now))
    tell(call.session, case, ["complainant"], "matter.pointed_elsewhere", answer=answer, body=body, now=call.now)


@services.add("intake.receive")
def receive(call: ServiceCall) -> Mapping[str, Any]:
    """The competent bureau receives the complaint, its centre included: C01 runs from now (办法 第十五条)."""
    case = case_for(call)
    if case.received_at is None:
        case.received_at = call.now
    tell(call.session, case, ["complainant"], "complaint.received", now=call.now)
    return {"received_at": case.received_at, "received_on": filing.china_day(case.received_at)}


@services.add("network.assign_office")
def assign_office(call: ServiceCall) -> Mapping[str, Any]:
    """Find the office: the one that a clerk chose, else by place and trade, among several the least loaded."""
    case = case_for(call)
    chosen = call.inputs.get("office_code") or call.data.get("office_code")
    if chosen:
        office = places.by_code(call.session, str(chosen))
        return {"office": office.code, "why": "处理中心指定"}
    address = _respondent_address(case) or str(case.particulars.get("respondent_address") or "")
    found = places.office_for(
        call.session,
        address=address,
        trade=case.category or None,
        merchant_id=case.merchant_id,
        region=case.region,
        load=_load(call.session),
    )
    return {"office": found.office.code, "why": found.why}


@services.add("intake.dispatched")
def dispatched(call: ServiceCall) -> Mapping[str, Any]:
    """Send the case to its office and start the clock of the first contact (S01)."""
    case = case_for(call)
    office = places.by_code(call.session, str(call.data["office"]))
    returned = case.office_id
    _close_return(call, case)
    by_hand = last_answer(call.session, case.id, *DISPATCHING) if call.data.get("office_code") else None
    reason = str(
        (by_hand.content.get("reason") if by_hand else None) or call.data.get("route_why") or "按地址和业态分送"
    )
    call.session.add(
        Dispatch(
            case_id=case.id,
            office_id=office.id,
            reason=reason[:500],
            dispatched_at=call.now,
            dispatched_by=by_hand.by if by_hand else "system",
        )
    )
    case.office_id = office.id
    call.session.flush()
    tell(call.session, case, ["officer"], "case.dispatched", now=call.now)
    if returned != office.id:
        tell(call.session, case, ["complainant"], "case.office_known", office=office.name, now=call.now)
    return {"dispatched_at": call.now, "office": office.code}


@services.add("notices.serve_identity_notice")
def serve_identity_notice(call: ServiceCall) -> Mapping[str, Any]:
    """Serve the notice to supply proof of identity by the officer's date (办法 第十条第三款, 文书式样四)."""
    case = case_for(call)
    due_on = filing.day(call.inputs.get("due_on") or call.data.get("identity_due_on"))
    if due_on is None:
        raise WrongState("Expected the date of the notice, found none.", code="identity.no_date")
    paper = issue(
        call.session,
        case,
        PaperKind.IDENTITY_NOTICE,
        {"due_on": due_on},
        to="complainant",
        by=call.by,
        now=call.now,
    )
    call.session.add(IdentityRequest(case_id=case.id, due_on=due_on, paper_id=paper.id, served_at=call.now))
    tell(call.session, case, ["complainant"], "identity.asked", due_on=due_on, now=call.now)
    return {"served_at": call.now}


@services.add("intake.accept")
def accept(call: ServiceCall) -> Mapping[str, Any]:
    """Accept the complaint: the paper, the clock of mediation, the merchant told (办法 第十五条、第二十三条)."""
    case = case_for(call)
    given = _given(call, case, *DECIDING)
    case.accepted_at = call.now
    case.respondent_told_at = case.respondent_told_at or call.now
    paper = issue(call.session, case, PaperKind.ACCEPTANCE, {}, to="complainant", by=given.by, now=call.now)
    call.session.add(
        AcceptanceDecision(
            case_id=case.id,
            decision=Decision.ACCEPT,
            decided_at=call.now,
            decided_by=given.by,
            paper_id=paper.id,
        )
    )
    tell(call.session, case, ["complainant"], "complaint.accepted", number=paper.number, now=call.now)
    tell(call.session, case, ["respondent"], "complaint.accepted_against", now=call.now)
    return {"accepted_at": call.now}


@services.add("intake.refuse")
def refuse(call: ServiceCall) -> Mapping[str, Any]:
    """Refuse the complaint with ground, reasons and the other routes (办法 第十六条; 条例 第四十六条第二款)."""
    case = case_for(call)
    given = _given(call, case, *DECIDING)
    ground = int(given.content["ground"])
    reasons = str(given.content["reasons"])
    body = str(given.content.get("competent_body") or "") or None
    if ground == NOT_COMPETENT:
        body = body or filing.competent_body(case)
    data = {"ground": ground, "reasons": reasons, "competent_body": body}
    data["legal_basis"] = given.content.get("legal_basis")
    paper = issue(call.session, case, PaperKind.REFUSAL, data, to="complainant", by=given.by, now=call.now)
    call.session.add(
        AcceptanceDecision(
            case_id=case.id,
            decision=Decision.REFUSE,
            ground=ground,
            reasons=reasons,
            legal_basis=given.content.get("legal_basis"),
            competent_body=body,
            decided_at=call.now,
            decided_by=given.by,
            paper_id=paper.id,
        )
    )
    tell(call.session, case, ["complainant"], "complaint.refused", number=paper.number, body=body, now=call.now)
    return {"ground": ground, "competent_body": body}


@services.add("intake.record_withdrawal")
def record_withdrawal(call: ServiceCall) -> None:
    """Keep that the complainant withdrew, and tell everybody who was asked to act (办法 第二十三条第一款第一项)."""
    case = case_for(call)
    call.session.add(
        Note(
            case_id=case.id,
            text="投诉人撤回投诉，阶段内的任务和计时一并取消。",
            visible_to=["complainant", "officer"],
            written_at=call.now,
        )
    )
    roles = ["complainant", "officer", *(["respondent"] if case.respondent_told_at else [])]
    tell(call.session, case, roles, "complaint.withdrawn", now=call.now)


def _given(call: ServiceCall, case: Case, *elements: str) -> Given:
    given = last_answer(call.session, case.id, *elements)
    if given is None:
        raise WrongState(
            f"Expected an answer to {' or '.join(elements)} before {call.element}, found none.",
            code="answer.missing",
        )
    return given


def _respondent_address(case: Case) -> str | None:
    return next((party.address for party in case.parties if party.side == "respondent"), None)


def _close_return(call: ServiceCall, case: Case) -> None:
    """Mark the dispatch before this one as returned; the officer's reason stands in their note."""
    query = select(Dispatch).where(Dispatch.case_id == case.id, Dispatch.returned_at.is_(None))
    for earlier in call.session.scalars(query):
        earlier.returned_at, earlier.returned_by = call.now, call.by
        earlier.return_reason = "退回处理中心重新分送"


def _load(session: Session) -> Callable[[Organisation], int]:
    """Open cases of an office, for the choice among several."""

    def count(office: Organisation) -> int:
        query = select(func.count()).where(Case.office_id == office.id, Case.closed_at.is_(None))
        return session.scalar(query) or 0

    return count
