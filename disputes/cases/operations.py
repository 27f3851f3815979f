"""Filing a case, and what its parties and its office may tell it at any time."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from core import sealing
from core.now import CHINA
from core.refusals import Invalid, WrongState
from disputes.cases import filing as rules
from disputes.cases.access import require_on
from disputes.cases.evidence import add_evidence, read_evidence, share
from disputes.cases.models import Case, CaseNumber, Evidence, Kind, Note, Party, Side, Status
from disputes.cases.rules import status_name
from disputes.identity import operations as identity
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.identity.models import Person
from disputes.identity.permissions import allows, require
from disputes.identity.rules import normal_phone
from disputes.network import operations as network
from disputes.network import queries as places
from disputes.network.models import Organisation
from disputes.timelimits.queries import calendar, limits_of
from disputes.timelimits.rules import compute
from engine import Engine, bundles
from forms import compile_form

__all__ = [
    "add_evidence",
    "add_note",
    "file",
    "file_now",
    "read_evidence",
    "return_dispatch",
    "share",
    "supply_identity",
    "withdraw",
]

#: The form that a consumer fills in, and the process that it starts.
FORM = "file-complaint"
PROCESS = "complaint"


def file(
    session: Session,
    engine: Engine,
    filing: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime,
    synthetic: bool = False,
    ticket: str | None = None,
) -> Case:
    """File a matter and start its procedure on the release in force.

    ``filing`` is an answer to the form ``file-complaint``. A clerk files for somebody else by giving that
    person's name and phone; a person who signed in files for themself. Raises Invalid with a message per field.
    """
    require(by, "case.file")
    bundle = bundles.current(session)
    content = _valid(session, bundle, filing, by=by, now=now)
    complainant = _complainant(session, content, by=by, synthetic=synthetic, now=now)
    merchant = network.find_or_add_merchant(
        session,
        name=content["respondent_name"],
        uscc=content.get("uscc"),
        address=content.get("respondent_address"),
        phone=content.get("respondent_phone"),
        synthetic=synthetic,
        now=now,
    )
    region = places.district(session)
    case = Case(
        case_no=_next_number(session, region, now),
        title=rules.title(content),
        kind=Kind.COMPLAINT,
        status=Status.REGISTERED,
        complainant_id=complainant.id,
        filed_by=by.person_id,
        merchant_id=merchant.id if merchant else None,
        respondent_name=content["respondent_name"],
        station_id=_counter(by),
        facts=content["facts"],
        tipoff=content.get("violation_facts") or None,
        requests=list(content.get("requests") or []),
        category=content.get("category") or "",
        particulars=rules.particulars(content),
        occurred_on=rules.day(content.get("occurred_on")),
        disputed_fen=content.get("amount_fen") or 0,
        path=content["path"],
        region=region,
        filed_at=now,
        synthetic=synthetic,
        ticket=ticket,
    )
    session.add(case)
    session.flush()
    _add_parties(session, case, content, complainant, merchant)
    history = _history(session, case, complainant, now=now)
    facts = rules.routing_facts(
        case,
        content,
        merchant,
        history,
        limitation_ends_on=_limitation_ends_on(session, bundle, case, content),
        in_district=places.in_district(session, case.region, content.get("respondent_address"), merchant),
        in_mall_station=places.station_at(session, content.get("respondent_address") or "") is not None,
    )
    step = engine.start(session, bundle=bundle, process=PROCESS, key=str(case.id), data=facts, now=now, by=str(by))
    case.instance_id = step.instance.id
    session.flush()
    return case


def withdraw(session: Session, engine: Engine, case: Case, *, reason: str = "", by: Actor, now: datetime) -> Case:
    """Withdraw a complaint or a settlement request (办法 第二十三条第一款第一项). Too late: WrongState."""
    require_on(session, case, by, "case.withdraw")
    if reason.strip():
        _note(session, case, f"撤回原因：{reason.strip()}", ("complainant", "officer"), by=by, now=now)
    _deliver(session, engine, case, "complaint.withdrawn", "撤回", by=by, now=now)
    return case


def file_now(session: Session, engine: Engine, case: Case, *, by: Actor, now: datetime) -> Case:
    """Stop the settlement and file the complaint (我要投诉); at any time while the shop is being asked."""
    require_on(session, case, by, "case.file_now")
    _deliver(session, engine, case, "complaint.file_now", "转为投诉", by=by, now=now)
    case.path = "file_now"
    session.flush()
    return case


def supply_identity(
    session: Session,
    engine: Engine,
    case: Case,
    *,
    name: str,
    id_kind: str,
    id_no: str,
    attachments: Collection[UUID] = (),
    by: Actor,
    now: datetime,
) -> Case:
    """Supply proof of identity, asked for by a notice or not yet (办法 第十条第三款).

    ``attachments`` are evidence already laid before the case; they become identity papers. Raises Invalid.
    """
    require_on(session, case, by, "case.supply_identity")
    complainant = session.get_one(Person, case.complainant_id)
    identity.record_identity(session, complainant, id_kind=id_kind, id_no=id_no)
    if name.strip() and name.strip() != complainant.name:
        identity.edit_contact(session, complainant, name=name)
    party = _party(session, case, Side.COMPLAINANT)
    party.name, party.id_type, party.id_no = complainant.name, complainant.id_kind, complainant.id_no
    _mark_identity(session, case, attachments)
    _deliver(
        session,
        engine,
        case,
        "identity.supplied",
        "补交身份材料",
        payload={"attachments": len(attachments)},
        by=by,
        now=now,
    )
    return case


def return_dispatch(session: Session, engine: Engine, case: Case, *, reason: str, by: Actor, now: datetime) -> Case:
    """Give a case back to the centre: the office is not competent, and must not pass it on (办法 第四十一条)."""
    require_on(session, case, by, "case.return_to_centre")
    if len(reason.strip()) < 5:
        raise Invalid(
            "请写明退回的理由。 Say why the case is returned.",
            fields={"reason": ["至少 5 个字。 At least 5 characters."]},
        )
    _note(session, case, f"退回处理中心：{reason.strip()}", ("officer", "centre_clerk"), by=by, now=now)
    _deliver(session, engine, case, "dispatch.returned", "退回分送", by=by, now=now)
    return case


def add_note(
    session: Session,
    case: Case,
    *,
    text: str,
    visible_to: Collection[str] = (),
    by: Actor,
    now: datetime,
) -> Note:
    """Write a note on the case. Without ``visible_to`` the handling office alone reads it; nobody's for parties."""
    require_on(session, case, by, "note.write")
    if not text.strip() or len(text) > 4000:
        raise Invalid(
            "备注为 1 至 4000 个字。 A note has 1 to 4000 characters.",
            fields={"text": ["1 至 4000 个字。 1 to 4000 characters."]},
        )
    return _note(session, case, text.strip(), visible_to, by=by, now=now)


def _valid(
    session: Session, bundle: str, filing: Mapping[str, Any], *, by: Actor, now: datetime
) -> Mapping[str, Any]:
    form = compile_form(bundles.load(session, bundle).files[f"forms/{FORM}.form"])
    context = {
        "today": now.astimezone(CHINA).date().isoformat(),
        "signed_in": by.signed_in,
        "for_another": allows(by, "case.file_for_another"),
    }
    return form.load(filing, context, language="en" if by.language == "en" else "zh")


def _complainant(
    session: Session, content: Mapping[str, Any], *, by: Actor, synthetic: bool, now: datetime
) -> Person:
    """The person who complains: the one who signed in, or the one whom a clerk or a guest names."""
    if by.person_id is not None and not allows(by, "case.file_for_another"):
        return _completed(session, session.get_one(Person, by.person_id), content)
    phone = normal_phone(content.get("complainant_phone") or "")
    name = (content.get("complainant_name") or "").strip()
    for known in people.by_phone(session, phone) if phone and by.person_id is not None else ():
        if known.name == name and known.active:
            return _completed(session, known, content)
    return identity.register(
        session,
        name=name,
        phone=content.get("complainant_phone"),
        address=content.get("complainant_address"),
        id_kind=rules.id_kind(content),
        id_no=content.get("id_no") or None,
        language=by.language,
        synthetic=synthetic,
        now=now,
    )


def _completed(session: Session, person: Person, content: Mapping[str, Any]) -> Person:
    """Keep what the filing adds to what we know of the person; nothing known is overwritten.

    The person's row is locked first: two filings of one person at the same moment add one after the other.
    """
    session.refresh(person, with_for_update=True)
    address = content.get("complainant_address")
    if address and not person.address:
        identity.edit_contact(session, person, address=address)
    phone = content.get("complainant_phone")
    if phone and not person.phone:
        identity.edit_contact(session, person, phone=phone)
    kind = rules.id_kind(content)
    if kind is not None and not person.id_no:
        identity.record_identity(session, person, id_kind=kind, id_no=content["id_no"])
    return person


def _counter(by: Actor) -> UUID | None:
    """The station, centre or office at whose counter the case was typed."""
    return min(by.organisations("station_clerk", "centre_clerk", "officer"), default=None)


def _add_parties(
    session: Session,
    case: Case,
    content: Mapping[str, Any],
    complainant: Person,
    merchant: Organisation | None,
) -> None:
    phone = normal_phone(content.get("complainant_phone") or "") or complainant.phone
    session.add(
        Party(
            case_id=case.id,
            position=1,
            side=Side.COMPLAINANT,
            person_id=complainant.id,
            name=complainant.name,
            phone=phone,
            phone_fingerprint=sealing.fingerprint(phone) if phone else None,
            address=content.get("complainant_address") or complainant.address,
            id_type=complainant.id_kind,
            id_no=complainant.id_no,
            consents=rules.consents(content),
        )
    )
    session.add(
        Party(
            case_id=case.id,
            position=2,
            side=Side.RESPONDENT,
            organisation_id=merchant.id if merchant else None,
            name=content["respondent_name"],
            phone=content.get("respondent_phone") or (merchant.phone if merchant else None) or None,
            address=content.get("respondent_address") or (merchant.address if merchant else None) or None,
            uscc=merchant.uscc if merchant else content.get("uscc") or None,
        )
    )
    if content.get("agent_name"):
        session.add(Party(case_id=case.id, position=3, side=Side.AGENT, name=content["agent_name"]))
    session.flush()


def _next_number(session: Session, region: str, now: datetime) -> str:
    """Take the next running number of the region's day: one row per day, locked until the commit."""
    day = now.astimezone(CHINA).date()
    dialect = session.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    statement = insert(CaseNumber).values(region=region, day=day, last=1)
    statement = statement.on_conflict_do_update(
        index_elements=["region", "day"], set_={"last": CaseNumber.last + 1}
    )
    last = session.scalar(statement.returning(CaseNumber.last))
    return f"{region}-{day:%Y%m%d}-{last:04d}"


def _history(session: Session, case: Case, complainant: Person, *, now: datetime) -> rules.History:
    """What the register says of earlier cases, for the flags of D3 (办法 第十七条)."""
    since = now - rules.LOOK_BACK
    same = select(func.count()).where(
        Case.complainant_id == complainant.id,
        Case.filed_at >= since,
        Case.merchant_id == case.merchant_id if case.merchant_id else Case.respondent_name == case.respondent_name,
    )
    persons = 1
    if complainant.phone_fingerprint is not None:
        sharing = select(func.count(Party.person_id.distinct())).where(
            Party.phone_fingerprint == complainant.phone_fingerprint, Party.side == Side.COMPLAINANT
        )
        persons = session.scalar(sharing) or 1
    return rules.History(repeat_complaints=session.scalar(same) or 1, shared_contact_persons=max(persons, 1))


def _limitation_ends_on(session: Session, bundle: str, case: Case, content: Mapping[str, Any]) -> date:
    """The last day of the three years from when the complainant knew of the harm (C10, 办法 第十六条第四项)."""
    known_on = rules.day(content.get("harm_known_on")) or case.occurred_on or rules.china_day(case.filed_at)
    limit = limits_of(session, bundle).get("C10", region=case.region, on=rules.china_day(case.filed_at))
    return compute(limit, known_on, calendar=calendar(session)).due_on


def _party(session: Session, case: Case, side: Side) -> Party:
    query = select(Party).where(Party.case_id == case.id, Party.side == side).order_by(Party.position).limit(1)
    return session.scalars(query).one()


def _mark_identity(session: Session, case: Case, attachments: Collection[UUID]) -> None:
    if not attachments:
        return
    query = select(Evidence).where(Evidence.case_id == case.id, Evidence.id.in_(attachments))
    found = session.scalars(query).all()
    if len(found) != len(set(attachments)):
        raise Invalid(
            "有的附件不属于这件投诉。 Some attachments do not belong to this case.",
            fields={"attachments": ["请重新选择。 Choose again."]},
        )
    for evidence in found:
        evidence.is_identity = True


def _note(
    session: Session, case: Case, text: str, visible_to: Collection[str], *, by: Actor, now: datetime
) -> Note:
    note = Note(
        case_id=case.id, text=text, visible_to=sorted(set(visible_to)), written_by=by.person_id, written_at=now
    )
    session.add(note)
    session.flush()
    return note


def _deliver(
    session: Session,
    engine: Engine,
    case: Case,
    message: str,
    what: str,
    *,
    payload: Mapping[str, Any] | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """Deliver a party's message to the case. Raises WrongState when nothing in the diagram waits for it."""
    step = engine.deliver(session, message, str(case.id), payload=payload or {}, now=now, by=str(by))
    if step is None:
        raise WrongState(
            f"现在不能{what}：这件投诉处于“{status_name(case.status)}”。 "
            f"The case does not wait for '{message}' now.",
            code="case.not_now",
            message_name=message,
            status=case.status,
        )
