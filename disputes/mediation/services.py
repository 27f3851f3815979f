"""What the diagrams of mediation and termination call."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.now import CHINA
from core.refusals import WrongState
from disputes.cases import filing
from disputes.cases.access import in_charge
from disputes.cases.listener import case_of
from disputes.cases.models import Case, Performance
from disputes.cases.papers import issue
from disputes.cases.services import case_for
from disputes.cases.telling import tell
from disputes.documents.models import Kind as PaperKind
from disputes.identity import queries as people
from disputes.identity.models import Person
from disputes.identity.roles import Role
from disputes.inbox.models import InboxItem
from disputes.inbox.queries import Given, answers, last_answer
from disputes.inbox.reactions import reacts_to
from disputes.mediation import rules
from disputes.mediation.models import (
    Agreement,
    Mediation,
    MediationSession,
    SessionState,
    Termination,
)
from disputes.network.models import Kind, Organisation
from engine import ServiceCall, Services, Step

services = Services()

PARTIES = ("complainant", "respondent")


@services.add("mediation.open")
def open_mediation(call: ServiceCall) -> Mapping[str, Any]:
    """Name the mediator (D8): a body if both sides agreed to entrust it, else the department (办法 第十九条)."""
    case = case_for(call)
    choice = _choose(call.session, case)
    case.mediator_id = choice.mediator.id if choice.mediator else None
    case.mediation_body_id = choice.body.id if choice.body else case.office_id
    call.session.add(
        Mediation(
            case_id=case.id,
            kind="administrative" if choice.kind == "department" else "entrusted",
            mediator_id=case.mediator_id,
            body_id=case.mediation_body_id,
            why=choice.why,
            opened_at=call.now,
        )
    )
    call.session.flush()
    name = choice.mediator.name if choice.mediator else "承办人员"
    tell(call.session, case, ["mediator"], "mediation.assigned", now=call.now)
    tell(call.session, case, list(PARTIES), "mediation.opened", mediator=name, now=call.now)
    return {"mediation_opened_at": call.now, "mediator_kind": choice.kind}


@services.add("mediation.announce")
def announce(call: ServiceCall) -> None:
    """Announce a session to both sides: when, where, who mediates (文书式样七, 办法 第二十条)."""
    case = case_for(call)
    given = _given(call, case, "plan_session")
    planned_for = _moment(given.content["session_at"])
    mode = str(given.content.get("mode") or "on_site")
    place = str(given.content.get("place") or given.content.get("link") or "")
    number = (
        call.session.scalar(select(func.max(MediationSession.number)).where(MediationSession.case_id == case.id))
        or 0
    ) + 1
    data = {"planned_for": planned_for, "place": place, "mode": mode, "mediator": _mediator_name(call, case)}
    paper = issue(call.session, case, PaperKind.MEDIATION_NOTICE, data, to=None, by=given.by, now=call.now)
    call.session.add(
        MediationSession(
            case_id=case.id,
            number=number,
            mediator_id=case.mediator_id,
            planned_for=planned_for,
            place=place,
            mode=mode,
            announced_at=call.now,
            paper_id=paper.id,
        )
    )
    call.session.flush()
    tell(call.session, case, list(PARTIES), "mediation.session", planned_for=planned_for, place=place, now=call.now)


@services.add("mediation.conclude")
def conclude(call: ServiceCall) -> Mapping[str, Any]:
    """Make the signed agreement a paper; it takes effect with the last signature (办法 第二十四条, 文书式样九)."""
    case = case_for(call)
    cancel_planned(call.session, case)
    draft = _given(call, case, "draft_agreement")
    signatures = signatures_over(call.session, case, "sign_agreement", since=draft.at)
    missing = [party for party in PARTIES if party not in {s["party"] for s in signatures}]
    if missing:
        raise WrongState(f"Expected both signatures, missing: {', '.join(missing)}.", code="agreement.unsigned")
    mediation = _mediation(call.session, case)
    agreement = make_agreement(
        call, case, draft, made_by=mediation.kind, body_id=mediation.body_id, signatures=signatures
    )
    mediation.ended_at, mediation.outcome = call.now, "agreed"
    tell(call.session, case, list(PARTIES), "mediation.agreed", due_on=agreement.performance_due_on, now=call.now)
    return {"agreement_effective_at": call.now, "performance_due_on": agreement.performance_due_on}


@services.add("mediation.terminate")
def terminate(call: ServiceCall) -> Mapping[str, Any]:
    """Decide to end the mediation: ground, reasons and the other routes on paper (办法 第二十三条, 文书式样八)."""
    case = case_for(call)
    cancel_planned(call.session, case)
    given = last_answer(call.session, case.id, "decide_termination")
    ground = int((given.content.get("ground") if given else None) or call.inputs.get("ground") or 3)
    reasons = str((given.content.get("reasons") if given else None) or _reason_of_silence(call, case))
    by = given.by if given else call.by
    paper = issue(
        call.session,
        case,
        PaperKind.TERMINATION,
        {"ground": ground, "reasons": reasons},
        to=None,
        by=by,
        now=call.now,
    )
    call.session.add(
        Termination(
            case_id=case.id,
            ground=ground,
            reasons=reasons,
            decided_at=call.now,
            decided_by=by,
            paper_id=paper.id,
        )
    )
    for mediation in call.session.scalars(
        select(Mediation).where(Mediation.case_id == case.id, Mediation.ended_at.is_(None))
    ):
        mediation.ended_at, mediation.outcome = call.now, "terminated"
    call.session.flush()
    tell(call.session, case, list(PARTIES), "mediation.terminated", number=paper.number, now=call.now)
    return {"termination_decided_at": call.now}


@services.add("mediation.told")
def told(call: ServiceCall) -> Mapping[str, Any]:
    """Keep that both sides were told of the termination in time (C04, 办法 第二十三条第二款)."""
    case = case_for(call)
    query = select(Termination).where(Termination.case_id == case.id).order_by(Termination.decided_at.desc())
    termination = call.session.scalars(query.limit(1)).one()
    termination.told_at = call.now
    return {"told_at": call.now}


def make_agreement(
    call: ServiceCall,
    case: Case,
    draft: Given,
    *,
    made_by: str,
    body_id: UUID | None,
    signatures: list[dict[str, Any]],
) -> Agreement:
    """Keep an agreement that both signed, and issue its paper; the case knows what was undertaken."""
    terms = str(draft.content["terms"])
    amount = int(draft.content.get("amount_fen") or 0)
    due_on = filing.day(draft.content["performance_due_on"])
    if due_on is None:
        raise WrongState("Expected the day of performance, found none.", code="agreement.no_date")
    on_paper = PaperKind.MEDIATION_STATEMENT if made_by == "administrative" else PaperKind.AGREEMENT
    body = call.session.get(Organisation, body_id) if body_id and made_by != "administrative" else None
    data = {
        "body": body.name if body else None,
        "terms": terms,
        "amount_fen": amount,
        "performance_due_on": due_on,
        "mediator": _mediator_name(call, case),
        "signatures": signatures,
    }
    paper = issue(call.session, case, on_paper, data, to=None, by=draft.by, now=call.now)
    version = call.session.scalar(select(func.max(Agreement.version)).where(Agreement.case_id == case.id)) or 0
    performed = draft.content.get("performed_on_the_spot") is True
    agreement = Agreement(
        case_id=case.id,
        version=version + 1,
        made_by=made_by,
        body_id=body_id,
        terms=terms,
        amount_fen=amount,
        performance_due_on=due_on,
        digest=terms_digest(terms, amount, due_on),
        signatures=signatures,
        effective_at=call.now,
        paper_id=paper.id,
    )
    call.session.add(agreement)
    case.agreed_fen = amount
    if performed:
        case.performance = Performance.PERFORMED
    call.session.flush()
    return agreement


def signatures_over(session: Session, case: Case, element: str, *, since: datetime) -> list[dict[str, Any]]:
    """Who signed since the text was drafted, once each, with the moment; no is no signature."""
    found: dict[str, dict[str, Any]] = {}
    for given in answers(session, case.id, element):
        if given.at < since or given.party is None:
            continue
        if given.content.get("sign"):
            found[given.party] = {
                "party": given.party,
                "name": given.by_name,
                "at": given.at.astimezone(CHINA).isoformat(timespec="seconds"),
                "digest": given.form_digest,
            }
        else:
            found.pop(given.party, None)
    return [found[party] for party in PARTIES if party in found]


def terms_digest(terms: str, amount_fen: int, due_on: date) -> str:
    """SHA-256 over exactly what both were shown."""
    return hashlib.sha256(f"{terms}\n{amount_fen}\n{due_on.isoformat()}".encode()).hexdigest()


def record_sessions(session: Session, case: Case) -> None:
    """Write the results of the sessions that were held into their rows, in order."""
    query = select(MediationSession).where(MediationSession.case_id == case.id).order_by(MediationSession.number)
    given = answers(session, case.id, "hold_session")
    for held, records in _matched(session.scalars(query).all(), given):
        last = records[-1]
        held.state, held.held_at = SessionState.HELD, last.at
        held.result = str(last.content["result"])
        held.note = "\n".join(filter(None, (str(record.content.get("note") or "") for record in records)))
        held.undisputed_facts = _as_list(records, "undisputed_facts")
        held.disputed_points = _as_list(records, "disputed_points")
    session.flush()


def cancel_planned(session: Session, case: Case) -> None:
    """A session that was announced and never held is off once the mediation has ended."""
    query = select(MediationSession).where(
        MediationSession.case_id == case.id, MediationSession.state == SessionState.PLANNED
    )
    for planned in session.scalars(query):
        planned.state = SessionState.CANCELLED
    session.flush()


@reacts_to("hold_session")
def keep_session(session: Session, case: Case, item: InboxItem, now: datetime) -> None:
    """The record of a session stands in its row at once."""
    record_sessions(session, case)


class MediationListener:
    """Cancels what is planned when the case has ended."""

    def step(self, session: Session, step: Step) -> None:
        case = case_of(session, step.instance.key) if step.ended is not None else None
        if case is not None:
            cancel_planned(session, case)


def _as_list(records: Sequence[Given], key: str) -> str:
    """What all records of a session say, each once: a session that an appraisal interrupted has several."""
    said = dict.fromkeys(line for record in records for line in rules.lines(str(record.content.get(key) or "")))
    return json.dumps(list(said), ensure_ascii=False)


def _matched(
    sessions: Sequence[MediationSession], records: Sequence[Given]
) -> list[tuple[MediationSession, list[Given]]]:
    """Each session with what was recorded between its announcement and the next one's."""
    pairs = []
    for index, session in enumerate(sessions):
        until = sessions[index + 1].announced_at if index + 1 < len(sessions) else None
        mine = [r for r in records if r.at >= session.announced_at and (until is None or r.at < until)]
        if mine:
            pairs.append((session, mine))
    return pairs


def _choose(session: Session, case: Case) -> rules.Choice:
    entrust = _entrusting(session, case)
    office = in_charge(session, case)
    department = _candidates(session, [place.id for place in office], Role.MEDIATOR) or _candidates(
        session, [case.office_id] if case.office_id else [], Role.OFFICER
    )
    bodies: list[rules.Candidate] = []
    if entrust:
        query = select(Organisation.id).where(
            Organisation.kind.in_((Kind.COUNCIL, Kind.MEDIATION_BODY)), Organisation.active
        )
        bodies = _candidates(session, list(session.scalars(query)), Role.MEDIATOR)
    return rules.choose(department, bodies, both_entrust=entrust, trade=case.category)


def _entrusting(session: Session, case: Case) -> bool:
    """Did both sides agree to entrust a body, when they answered or when they filed (办法 第十九条)?"""
    said: dict[str, bool] = {}
    for given in answers(session, case.id, "answer_mediation"):
        if given.party and "entrust" in given.content:
            said[given.party] = given.content["entrust"] is True
    return all(said.get(party) for party in PARTIES)


def _candidates(session: Session, places: list[UUID], role: Role) -> list[rules.Candidate]:
    if not places:
        return []
    counted = session.execute(
        select(Case.mediator_id, func.count())
        .where(Case.mediator_id.is_not(None), Case.closed_at.is_(None))
        .group_by(Case.mediator_id)
    )
    loads = {mediator: number for mediator, number in counted}  # noqa: C416  # rows are no pairs to mypy
    found = []
    for person in people.holders(session, role, *places):
        place = next(
            m.organisation_id for m in person.memberships if m.role == role and m.organisation_id in places
        )
        found.append(rules.Candidate(person, session.get_one(Organisation, place), loads.get(person.id, 0)))
    return found


def _reason_of_silence(call: ServiceCall, case: Case) -> str:
    """Why the mediation ends where no officer wrote reasons: who refused, or who kept silent."""
    said = {g.party: g.content.get("mediation_consent") for g in answers(call.session, case.id, "answer_mediation")}
    names = {"complainant": "投诉人", "respondent": "被投诉人"}
    refused = [names[p] for p in PARTIES if said.get(p) is False]
    silent = [names[p] for p in PARTIES if p not in said]
    if refused:
        return f"{'、'.join(refused)}明确表示不同意调解。"
    return f"{'、'.join(silent) or '当事人'}在答复期限内没有答复是否同意调解，视为不参加调解。"


def _mediation(session: Session, case: Case) -> Mediation:
    query = select(Mediation).where(Mediation.case_id == case.id, Mediation.kind != "delegated")
    return session.scalars(query.order_by(Mediation.opened_at.desc()).limit(1)).one()


def _mediator_name(call: ServiceCall, case: Case) -> str:
    person = call.session.get(Person, case.mediator_id) if case.mediator_id else None
    return person.name if person else ""


def _given(call: ServiceCall, case: Case, *elements: str) -> Given:
    given = last_answer(call.session, case.id, *elements)
    if given is None:
        raise WrongState(f"Expected an answer to {' or '.join(elements)}, found none.", code="answer.missing")
    return given


def _moment(value: object) -> datetime:
    """A date and time of a form; without an offset it is China's."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
