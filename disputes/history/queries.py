"""What happened across cases: who did what, when."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from disputes.cases.models import Case
from disputes.cases.queries import concerning
from disputes.identity.actor import Actor
from disputes.identity.models import Membership, Person
from engine import Event


@dataclass(frozen=True)
class Filters:
    """Which events; what is None is not asked for. ``kind`` may end in ``.*``; ``until`` is excluded."""

    case_no: str | None = None
    kind: str | None = None
    process: str | None = None
    element: str | None = None
    #: ``person:<uuid>``, ``system`` …, as the chain has it.
    by: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Happened:
    """One event of one case."""

    at: datetime
    instance_id: UUID
    number: int
    case_no: str
    kind: str
    process: str
    element: str
    by: str
    #: Staff by name; a party by nothing, here.
    who: str


def happened(
    session: Session,
    actor: Actor,
    filters: Filters,
    *,
    after: tuple[datetime, UUID, int] | None = None,
    limit: int = 50,
) -> list[Happened]:
    """Events of the cases that the actor may list, the newest first; ``after`` is the last one of the page before.

    Nothing of what people wrote is in it, and of people only staff are named.
    """
    mine = concerning(session, actor)
    if mine is None:
        return []
    wanted = (
        select(Event, Case.case_no)
        .join(Case, Case.instance_id == Event.instance_id)
        .where(mine)
        .order_by(Event.at.desc(), Event.instance_id.desc(), Event.number.desc())
        .limit(limit)
    )
    for column, value in (
        (Case.case_no, filters.case_no),
        (Event.process, filters.process),
        (Event.element, filters.element),
        (Event.by, filters.by),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if filters.kind is not None and filters.kind.endswith(".*"):
        wanted = wanted.where(Event.kind.startswith(filters.kind[:-1], autoescape=True))
    elif filters.kind is not None:
        wanted = wanted.where(Event.kind == filters.kind)
    if filters.since is not None:
        wanted = wanted.where(Event.at >= filters.since)
    if filters.until is not None:
        wanted = wanted.where(Event.at < filters.until)
    if after is not None:
        wanted = wanted.where(tuple_(Event.at, Event.instance_id, Event.number) < tuple_(*after))
    rows = session.execute(wanted).all()
    staff = _staff(session, {event.by for event, _ in rows})
    return [
        Happened(
            event.at, event.instance_id, event.number, case_no, event.kind, event.process, event.element,
            event.by if event.by in staff or not event.by.startswith(("person:", "guest:")) else "party",
            staff.get(event.by, ""),
        )
        for event, case_no in rows
    ]  # fmt: skip


def _staff(session: Session, actors: set[str]) -> dict[str, str]:
    """Names of those who hold an office, by the form in which the chain has them."""
    ids = [UUID(actor.removeprefix("person:")) for actor in actors if actor.startswith("person:")]
    office = select(Membership.person_id).where(Membership.role != "respondent")
    named = select(Person.id, Person.name).where(Person.id.in_(ids), Person.id.in_(office))
    return {f"person:{id}": name for id, name in session.execute(named)}
