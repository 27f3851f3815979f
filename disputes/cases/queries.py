"""One case as each of its readers sees it: the view, the timeline, what it waits for, the routes that are open."""

import base64
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from core.refusals import Invalid
from disputes.cases.access import (
    COMPLAINING,
    Relation,
    no_such_case,
    relation,
    require_on,
    roles_of,
)
from disputes.cases.evidence import may_see
from disputes.cases.masking import mask_text
from disputes.cases.models import Case, Evidence, Note, Party, Side
from disputes.cases.routes import Route, routes
from disputes.cases.timeline import Entry, timeline_of
from disputes.cases.waits import Wait, waits_of
from disputes.identity.actor import Actor
from disputes.identity.models import Person
from disputes.identity.permissions import may
from disputes.identity.roles import Role
from disputes.identity.rules import mask_address, mask_id_no, mask_name, mask_phone
from disputes.network.models import Kind, Organisation

#: Most cases of one page.
LARGEST_PAGE = 200
#: Roles whose duty needs a person's data without its mask.
_UNMASKED = frozenset({"officer", "centre_clerk", "station_clerk", "supervisor", "head", "court_liaison", "system"})


@dataclass(frozen=True)
class Filters:
    """Which of one's cases to show."""

    status: str | None = None
    stage: str | None = None
    exit: str | None = None
    office_id: UUID | None = None
    open_only: bool = False
    #: Part of a case number, a title or a merchant's name.
    text: str = ""


@dataclass(frozen=True)
class Page:
    """Cases, the newest first, and the key of the next page."""

    items: Sequence[Case]
    next: str | None


@dataclass(frozen=True)
class PartyView:
    """One party, as far as the reader may know it."""

    id: UUID
    side: str
    name: str
    phone: str
    address: str
    id_no: str
    uscc: str
    #: Fields of somebody else that stand here without their mask: showing them is a look that the audit keeps.
    unmasked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class EvidenceView:
    """A file that the reader may open."""

    id: UUID
    name: str
    mime: str
    size: int
    sha256: str
    is_identity: bool
    added_at: datetime
    visible_to: Sequence[str]
    mine: bool


@dataclass(frozen=True)
class NoteView:
    """A note that the reader may read."""

    text: str
    written_by: str
    written_at: datetime


@dataclass(frozen=True)
class CaseView:
    """A case as one reader sees it; what the reader must not see is not in it."""

    case: Case
    #: In which roles the reader stands to the case.
    roles: frozenset[str]
    facts: str
    parties: Sequence[PartyView]
    evidence: Sequence[EvidenceView]
    notes: Sequence[NoteView]
    waits: Sequence[Wait]
    office: Organisation | None
    mediator: str | None
    mediation_body: Organisation | None
    court: Organisation | None
    #: What the reader may do now beside tasks, by the name of the operation.
    actions: Sequence[str] = field(default_factory=tuple)

    @property
    def is_party(self) -> bool:
        return bool(self.roles & {"complainant", "respondent"})


def page(
    session: Session,
    actor: Actor,
    filters: Filters | None = None,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """The cases that concern the actor. Raises Invalid for a key that is none."""
    limit = max(1, min(limit, LARGEST_PAGE))
    mine = concerning(session, actor)
    if mine is None:
        return Page([], None)
    query = select(Case).where(mine, *_conditions(filters or Filters()))
    if after is not None:
        query = query.where(tuple_(Case.filed_at, Case.id) < tuple_(*_key(after)))
    query = query.order_by(Case.filed_at.desc(), Case.id.desc()).limit(limit + 1)
    found = list(session.scalars(query))
    return Page(found[:limit], _cursor(found[limit - 1]) if len(found) > limit else None)


def find(session: Session, reference: str | UUID, actor: Actor) -> Case:
    """The case with this id or case number. Raises NotFound unless the actor may read it."""
    case = _by_reference(session, reference)
    if case is None or not may(actor, "case.read", **relation(session, case)):
        raise no_such_case(str(reference))
    return case


def view(session: Session, case: Case, actor: Actor, *, now: datetime) -> CaseView:
    """The case as the actor sees it. Raises NotFound for one that is none of theirs."""
    require_on(session, case, actor, "case.read")
    known = relation(session, case)
    roles = roles_of(session, case, actor)
    waits = waits_of(session, case, roles=roles, now=now)
    mediator = session.get(Person, case.mediator_id) if case.mediator_id else None
    return CaseView(
        case=case,
        roles=roles,
        facts=_facts(case, roles),
        parties=[_party(party, roles) for party in _parties(session, case)],
        evidence=_evidence(session, case, actor, roles),
        notes=_notes(session, case, actor, roles),
        waits=waits,
        office=session.get(Organisation, case.office_id) if case.office_id else None,
        mediator=mediator.name if mediator else None,
        mediation_body=session.get(Organisation, case.mediation_body_id) if case.mediation_body_id else None,
        court=session.get(Organisation, case.court_id) if case.court_id else None,
        actions=_actions(case, actor, known, waits),
    )


def timeline(session: Session, case: Case, actor: Actor) -> list[Entry]:
    """What happened, as far as the actor may know, oldest first. Raises NotFound."""
    require_on(session, case, actor, "case.timeline")
    return timeline_of(session, case, roles_of(session, case, actor))


def waits(session: Session, case: Case, actor: Actor, *, now: datetime) -> list[Wait]:
    """What the case waits for: whose turn it is, and by when. Raises NotFound."""
    require_on(session, case, actor, "case.deadlines")
    return waits_of(session, case, roles=roles_of(session, case, actor), now=now)


def exits(session: Session, case: Case, actor: Actor) -> list[Route]:
    """The five lawful routes: open or why not, and what each would close. Raises NotFound."""
    require_on(session, case, actor, "case.exits")
    return routes(case)


@dataclass(frozen=True)
class CaseLine:
    """A case with its complainant's name, for the lists of an office."""

    case: Case
    complainant: str


def by_ids(session: Session, case_ids: Collection[UUID]) -> dict[UUID, CaseLine]:
    """Cases by their ids, with the complainant's name. Who may see them was asked of the list before."""
    if not case_ids:
        return {}
    named = session.execute(
        select(Party.case_id, Party.name).where(Party.case_id.in_(case_ids), Party.side == Side.COMPLAINANT)
    )
    names = {case_id: name for case_id, name in named}  # noqa: C416  # rows are no pairs to mypy
    found = session.scalars(select(Case).where(Case.id.in_(case_ids)))
    return {case.id: CaseLine(case, names.get(case.id, "")) for case in found}


def _by_reference(session: Session, reference: str | UUID) -> Case | None:
    if isinstance(reference, UUID):
        return session.get(Case, reference)
    try:
        return session.get(Case, UUID(reference))
    except ValueError:
        return session.scalar(select(Case).where(Case.case_no == reference))


def concerning(session: Session, actor: Actor) -> ColumnElement[bool] | None:
    """The cases that concern an actor; None when there can be none."""
    if actor.is_system:
        return Case.id.is_not(None)
    ways: list[ColumnElement[bool]] = []
    if actor.person_id is not None:
        acting = select(Party.case_id).where(Party.person_id == actor.person_id, Party.side.in_(COMPLAINING))
        ways += [Case.complainant_id == actor.person_id, Case.id.in_(acting), Case.mediator_id == actor.person_id]
    shops = actor.organisations(Role.RESPONDENT)
    if shops:
        ways.append(and_(Case.merchant_id.in_(shops), Case.respondent_told_at.is_not(None)))
    ways += _staff_ways(session, actor)
    if actor.guest_case is not None:
        ways.append(Case.id == UUID(actor.guest_case))
    return or_(*ways) if ways else None


def _staff_ways(session: Session, actor: Actor) -> list[ColumnElement[bool]]:
    ways: list[ColumnElement[bool]] = []
    desks = actor.organisations(Role.OFFICER, Role.STATION_CLERK, Role.CENTRE_CLERK, Role.SUPERVISOR, Role.HEAD)
    if desks:
        above = select(Organisation.region).where(
            Organisation.id.in_(desks), Organisation.kind.in_((Kind.CENTRE, Kind.BUREAU))
        )
        regions = set(session.scalars(above))
        ways += [Case.region.in_(regions)] if regions else []
        ways += [Case.office_id.in_(desks), Case.station_id.in_(desks)]
    bodies = actor.organisations(Role.MEDIATOR, Role.HEAD, Role.COUNCIL_LIAISON)
    if bodies:
        ways.append(Case.mediation_body_id.in_(bodies))
    courts = actor.organisations(Role.COURT_LIAISON)
    if courts:
        ways.append(Case.court_id.in_(courts))
    return ways


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.status:
        wanted.append(Case.status == filters.status)
    if filters.stage:
        wanted.append(Case.stage == filters.stage)
    if filters.exit:
        wanted.append(Case.exit == filters.exit)
    if filters.office_id:
        wanted.append(Case.office_id == filters.office_id)
    if filters.open_only:
        wanted.append(Case.closed_at.is_(None))
    text = filters.text.strip()
    if text:
        columns = (Case.case_no, Case.title, Case.respondent_name)
        wanted.append(or_(*(column.contains(text, autoescape=True) for column in columns)))
    return wanted


def _parties(session: Session, case: Case) -> Sequence[Party]:
    return session.scalars(select(Party).where(Party.case_id == case.id).order_by(Party.position)).all()


def _facts(case: Case, roles: frozenset[str]) -> str:
    """The facts; the merchant's side reads them without the complainant's name, numbers and address."""
    if roles - {"respondent"}:
        return case.facts
    hidden = [party for party in case.parties if party.side != Side.RESPONDENT]
    return mask_text(
        case.facts,
        names=tuple(party.name for party in hidden),
        addresses=tuple(party.address or "" for party in hidden),
    )


def _party(party: Party, roles: frozenset[str]) -> PartyView:
    """A party: whole for oneself and for the offices, by name for the mediator, masked for the other side."""
    own = (party.side in COMPLAINING and "complainant" in roles) or (
        party.side == Side.RESPONDENT and "respondent" in roles
    )
    whole = own or bool(roles & _UNMASKED)
    open_to = whole or "mediator" in roles or party.side == Side.RESPONDENT
    other_party = roles == {"respondent"}
    looked_at = open_to and not own and party.side != Side.RESPONDENT  # a shop's phone is on its door
    return PartyView(
        id=party.id,
        side=party.side,
        name=party.name if open_to else mask_name(party.name),
        phone=_shown(party.phone, mask_phone, open_to, other_party),
        address=_shown(party.address, mask_address, open_to, other_party),
        id_no=mask_id_no(party.id_no) if whole else "",
        uscc=party.uscc or "",
        unmasked=frozenset(name for name in ("phone", "address") if looked_at and getattr(party, name)),
    )


def _shown(value: str | None, mask: Callable[[str | None], str], open_to: bool, other_party: bool) -> str:
    """Whole, masked, or (for the other party) nothing at all."""
    if open_to:
        return value or ""
    return "" if other_party else mask(value)


def _evidence(session: Session, case: Case, actor: Actor, roles: frozenset[str]) -> list[EvidenceView]:
    query = select(Evidence).where(Evidence.case_id == case.id).order_by(Evidence.added_at, Evidence.id)
    return [
        EvidenceView(
            id=e.id,
            name=e.name,
            mime=e.mime,
            size=e.size,
            sha256=e.sha256,
            is_identity=e.is_identity,
            added_at=e.added_at,
            visible_to=e.visible_to,
            mine=actor.person_id is not None and e.added_by == actor.person_id,
        )
        for e in session.scalars(query)
        if may_see(e, roles, actor)
    ]


def _notes(session: Session, case: Case, actor: Actor, roles: frozenset[str]) -> list[NoteView]:
    """Notes for the reader's roles, and one's own. A mediator's private note is the mediator's alone."""
    query = select(Note, Person.name).outerjoin(Person, Person.id == Note.written_by)
    query = query.where(Note.case_id == case.id).order_by(Note.written_at, Note.id)
    return [
        NoteView(note.text, name or "系统", note.written_at)
        for note, name in session.execute(query)
        if set(note.visible_to) & roles or (actor.person_id is not None and note.written_by == actor.person_id)
    ]


def _actions(case: Case, actor: Actor, known: Relation, waits: Sequence[Wait]) -> list[str]:
    """What the reader may do to the case beside tasks, as the diagram waits now."""
    if case.closed_at is not None:
        return []
    messages = {message for wait in waits for message in wait.messages}
    possible = {
        "withdraw": ("case.withdraw", "complaint.withdrawn"),
        "file_now": ("case.file_now", "complaint.file_now"),
        "supply_identity": ("case.supply_identity", "identity.supplied"),
        "return_dispatch": ("case.return_to_centre", "dispatch.returned"),
        "add_evidence": ("evidence.add", None),
        "add_note": ("note.write", None),
    }
    return [
        name
        for name, (permission, message) in possible.items()
        if (message is None or message in messages) and may(actor, permission, **known)
    ]


def _cursor(case: Case) -> str:
    return base64.urlsafe_b64encode(f"{case.filed_at.isoformat()}|{case.id}".encode()).decode().rstrip("=")


def _key(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, _, case_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError(moment)
        return at, UUID(case_id)
    except ValueError as error:
        raise Invalid(
            "这一页的页码无效。 The key of the page is not one that we gave.",
            code="page.key",
            fields={"after": ["无效。 Not a key of ours."]},
        ) from error
