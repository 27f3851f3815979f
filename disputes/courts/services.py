"""What the diagrams of court delegation and judicial confirmation call."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.now import CHINA
from core.refusals import WrongState
from disputes.cases import filing
from disputes.cases.access import centre
from disputes.cases.addressing import addressee
from disputes.cases.models import Case
from disputes.cases.services import case_for
from disputes.cases.telling import tell
from disputes.courts import package
from disputes.courts.models import ConfirmationApplication, Handover, HandoverState
from disputes.identity import queries as people
from disputes.identity.roles import Role
from disputes.inbox.models import InboxItem
from disputes.inbox.queries import Given, answers, last_answer
from disputes.inbox.reactions import reacts_to
from disputes.mediation.models import Agreement, Mediation
from disputes.mediation.services import make_agreement, signatures_over
from disputes.network.models import Organisation
from engine import ServiceCall, Services

services = Services()

PARTIES = ("complainant", "respondent")
#: Delegation before docketing, application for confirmation, return of materials: as the schema names them.
DELEGATION, APPLICATION, RETURN = "诉前委派", "司法确认申请", "退回"


@services.add("courts.build_package")
def build_package(call: ServiceCall) -> Mapping[str, Any]:
    """Build the package and lay it before the court's liaison; refused with the list of what is missing."""
    case = case_for(call)
    court = _court(call.session, case)
    _send(call.session, case, DELEGATION, receiver=court, by=call.by, now=call.now)
    if _delegated(call.session, case) is None:
        call.session.add(
            Mediation(
                case_id=case.id, kind="delegated", body_id=None, why="双方同意诉前委派调解", opened_at=call.now
            )
        )
    call.session.flush()
    tell(call.session, case, ["court_liaison"], "court.package_sent", now=call.now)
    tell(call.session, case, list(PARTIES), "court.delegation_opened", court=court.name, now=call.now)
    return {"package_sent_at": call.now}


@services.add("courts.record_agreement")
def record_agreement(call: ServiceCall) -> Mapping[str, Any]:
    """Keep the agreement that a delegated mediation reached; it takes effect with this record."""
    case = case_for(call)
    given = _given(call, case, "mediate_for_court")
    mediation = _delegated(call.session, case)
    signatures = [
        {"party": party, "name": "", "at": _iso(given.at), "digest": given.form_digest} for party in PARTIES
    ]
    agreement = make_agreement(
        call,
        case,
        given,
        made_by="delegated",
        body_id=mediation.body_id if mediation else case.mediation_body_id,
        signatures=signatures,
    )
    if mediation is not None:
        mediation.ended_at, mediation.outcome = call.now, "agreed"
    tell(call.session, case, list(PARTIES), "mediation.agreed", due_on=agreement.performance_due_on, now=call.now)
    return {"agreement_effective_at": call.now, "performance_due_on": agreement.performance_due_on}


@services.add("courts.return_materials")
def return_materials(call: ServiceCall) -> None:
    """Send the materials back to the court for docketing: the delegated mediation failed (规则 第二十六条)."""
    case = case_for(call)
    mediation = _delegated(call.session, case)
    if mediation is not None:
        mediation.ended_at, mediation.outcome = call.now, "to_litigation"
    for handover in _handovers(call.session, case, DELEGATION):
        handover.state = HandoverState.BACK
    _send(call.session, case, RETURN, receiver=_court(call.session, case), by=call.by, now=call.now)
    tell(call.session, case, ["court_liaison", *PARTIES], "court.materials_returned", now=call.now)


@services.add("courts.apply_confirmation")
def apply_confirmation(call: ServiceCall) -> Mapping[str, Any]:
    """Lodge the joint application with the court (民诉法 第二百零五条); both have signed inside C23."""
    case = case_for(call)
    agreement = _agreement(call.session, case)
    if agreement is None or agreement.effective_at is None:
        raise WrongState("Expected an agreement in force, found none.", code="confirmation.no_agreement")
    court = _court(call.session, case)
    signatures = signatures_over(call.session, case, "sign_application", since=agreement.effective_at)
    missing = [party for party in PARTIES if party not in {s["party"] for s in signatures}]
    if missing:
        raise WrongState(f"Expected both signatures, missing: {', '.join(missing)}.", code="confirmation.unsigned")
    handover = _send(call.session, case, APPLICATION, receiver=court, by=call.by, now=call.now)
    call.session.add(
        ConfirmationApplication(
            case_id=case.id,
            agreement_id=agreement.id,
            court_id=court.id,
            handover_id=handover.id,
            signatures=signatures,
            applied_at=call.now,
        )
    )
    call.session.flush()
    tell(call.session, case, ["court_liaison"], "court.application", now=call.now)
    return {"application_received_at": call.now}


@services.add("courts.record_ruling")
def record_ruling(call: ServiceCall) -> Mapping[str, Any]:
    """Keep the court's ruling: valid and enforceable, or dismissed (民诉法 第二百零六条)."""
    case = case_for(call)
    application = call.session.scalars(
        select(ConfirmationApplication).where(ConfirmationApplication.case_id == case.id)
    ).one()
    docket = last_answer(call.session, case.id, "decide_docket", "docket_overdue")
    if docket is not None:
        application.docketed = docket.content.get("decision") == "accept"
        application.docketed_at = docket.at
        application.court_case_no = str(docket.content.get("court_case_no") or "") or None
        application.reasons = str(docket.content.get("reasons") or "") or None
    ruled = last_answer(call.session, case.id, "rule_confirmation", "ruling_overdue")
    if ruled is not None:
        application.ruling = "valid" if ruled.content["result"] == "valid" else "dismissed"
        application.ruling_no = str(ruled.content.get("ruling_no") or "") or None
        application.reasons = str(ruled.content.get("reasons") or "") or application.reasons
        application.ruled_at, application.ruled_on = ruled.at, filing.china_day(ruled.at)
    else:
        application.ruling = "dismissed"
    receive(_last_handover(call.session, case, APPLICATION), status="已签收", given=ruled or docket, now=call.now)
    kind = "court.confirmed" if application.ruling == "valid" else "court.dismissed"
    tell(call.session, case, list(PARTIES), kind, number=application.ruling_no or "", now=call.now)
    return {"ruling": application.ruling, "ruled_at": call.now}


def receive(handover: Handover, *, status: str, given: Given | None, now: datetime) -> None:
    """Write the receiver's receipt on a package: 已签收, or 退回补正 with the reason."""
    receipt = {"status": status, "at": _iso(given.at if given else now), "by": given.by_name if given else ""}
    if given and given.content.get("reason"):
        receipt["reason"] = str(given.content["reason"])
    if given and given.content.get("peer_case_no"):
        receipt["peer_case_no"] = str(given.content["peer_case_no"])
    handover.receipt = receipt
    handover.state = HandoverState.RETURNED if status == "退回补正" else HandoverState.RECEIPTED


def _send(session: Session, case: Case, type: str, *, receiver: Organisation, by: str, now: datetime) -> Handover:
    attempt = session.scalar(
        select(func.max(Handover.attempt)).where(Handover.case_id == case.id, Handover.type == type)
    )
    sender = session.get(Organisation, case.office_id) if case.office_id else centre(session, case.region)
    if sender is None:
        raise WrongState("Expected an office or a centre that sends, found none.", code="handover.no_sender")
    handover_id = uuid4()
    built = package.build(
        session, case, handover_id=handover_id, type=type, sender=sender, receiver=receiver, now=now
    )
    handover = Handover(
        id=handover_id,
        case_id=case.id,
        type=type,
        attempt=(attempt or 0) + 1,
        from_id=sender.id,
        to_id=receiver.id,
        package=built.text,
        digest=built.digest,
        state=HandoverState.SENT,
        sent_at=now,
        sent_by=by,
    )
    session.add(handover)
    session.flush()
    return handover


def _court(session: Session, case: Case) -> Organisation:
    """The court of the district; from now on its liaison stands in the case."""
    court_id = case.court_id or addressee(session, case, Role.COURT_LIAISON).organisation_id
    court = session.get(Organisation, court_id) if court_id else None
    if court is None:
        raise WrongState("Expected a court in the network, found none.", code="court.missing")
    case.court_id = court.id
    session.flush()
    return court


def _delegated(session: Session, case: Case) -> Mediation | None:
    query = select(Mediation).where(Mediation.case_id == case.id, Mediation.kind == "delegated")
    return session.scalars(query).one_or_none()


def _agreement(session: Session, case: Case) -> Agreement | None:
    query = select(Agreement).where(Agreement.case_id == case.id).order_by(Agreement.version.desc()).limit(1)
    return session.scalars(query).one_or_none()


def _handovers(session: Session, case: Case, type: str) -> list[Handover]:
    query = select(Handover).where(Handover.case_id == case.id, Handover.type == type)
    return list(session.scalars(query.order_by(Handover.attempt)))


def _last_handover(session: Session, case: Case, type: str) -> Handover:
    found = _handovers(session, case, type)
    if not found:
        raise WrongState(f"Expected a package {type}, found none.", code="handover.missing")
    return found[-1]


def _given(call: ServiceCall, case: Case, *elements: str) -> Given:
    given = last_answer(call.session, case.id, *elements)
    if given is None:
        raise WrongState(f"Expected an answer to {' or '.join(elements)}, found none.", code="answer.missing")
    return given


def _iso(moment: datetime) -> str:
    return moment.astimezone(CHINA).isoformat(timespec="seconds")


@reacts_to("receipt_package")
def keep_receipt(session: Session, case: Case, item: InboxItem, now: datetime) -> None:
    """The court's receipt stands on the package at once; a returned one is sent again when it is corrected."""
    given = last_answer(session, case.id, item.element)
    status = "退回补正" if given and given.content.get("result") == "returned" else "已签收"
    receive(_last_handover(session, case, DELEGATION), status=status, given=given, now=now)
    session.flush()


@reacts_to("correct_package")
def send_again(session: Session, case: Case, item: InboxItem, now: datetime) -> None:
    """A corrected package is built anew from the case, as it stands now."""
    given = last_answer(session, case.id, item.element)
    _send(session, case, DELEGATION, receiver=_court(session, case), by=given.by if given else "system", now=now)


@reacts_to("choose_mediator", "designate_mediator", "designate_overdue")
def appoint_chosen(session: Session, case: Case, item: InboxItem, now: datetime) -> None:
    """The mediator whom both named alike, or whom the court designated, finds the task in their inbox."""
    chosen = _chosen(session, case, item.element)
    if chosen is not None:
        _appoint(session, case, chosen)


def _chosen(session: Session, case: Case, element: str) -> UUID | None:
    """The mediator that the court designated, or that both sides named alike (规则 第十条)."""
    given = answers(session, case.id, element)
    names = {g.party: str(g.content.get("mediator") or "") for g in given}
    if element == "choose_mediator" and (len(names) < len(PARTIES) or len(set(names.values())) != 1):
        return None
    named = str(given[-1].content.get("mediator") or "")
    try:
        return UUID(named)
    except ValueError:
        return None


def _appoint(session: Session, case: Case, person_id: UUID) -> None:
    person = people.person(session, person_id)
    body = next((m.organisation_id for m in person.memberships if m.role == Role.MEDIATOR), None)
    case.mediator_id, case.mediation_body_id = person.id, body
    mediation = _delegated(session, case)
    if mediation is not None:
        mediation.mediator_id, mediation.body_id = person.id, body
    session.flush()


def content_of(handover: Handover) -> Mapping[str, Any]:
    """The package as JSON, with its receipt once there is one."""
    content: dict[str, Any] = json.loads(handover.package)
    return {**content, "receipt": handover.receipt} if handover.receipt else content
