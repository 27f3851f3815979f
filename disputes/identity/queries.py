"""Finding people and what they are."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, selectinload

from core import sealing
from core.refusals import NotFound
from disputes.identity.actor import Actor
from disputes.identity.models import Membership, Person
from disputes.identity.roles import Role
from disputes.identity.rules import normal_email, normal_login, normal_phone

#: Asked by every request, so it is built once, reads plain columns and unseals nothing.
_ACTOR = (
    select(
        Person.name,
        Person.language,
        Person.active,
        Person.session_epoch,
        Membership.role,
        Membership.organisation_id,
    )
    .outerjoin(Membership, Membership.person_id == Person.id)
    .where(Person.id == bindparam("person"))
)


def person(session: Session, person_id: UUID) -> Person:
    """The person of this id, with memberships. Raises NotFound."""
    found = session.scalars(_people().where(Person.id == person_id)).one_or_none()
    if found is None:
        raise NotFound("没有此人。 There is no such person.", code="identity.no_person")
    return found


def by_login(session: Session, login: str) -> Person | None:
    """The account of this login, in any case of letters."""
    return session.scalars(_people().where(Person.login == normal_login(login))).one_or_none()


def by_phone(session: Session, phone: str) -> Sequence[Person]:
    """Everybody registered with this phone: families and helpers share one."""
    normal = normal_phone(phone)
    if normal is None:
        return []
    found = _people().where(Person.phone_fingerprint == sealing.fingerprint(normal)).order_by(Person.created_at)
    return session.scalars(found).all()


def by_email(session: Session, email: str) -> Sequence[Person]:
    """Everybody registered with this mail address."""
    normal = normal_email(email)
    if normal is None:
        return []
    found = _people().where(Person.email_fingerprint == sealing.fingerprint(normal.lower()))
    return session.scalars(found.order_by(Person.created_at)).all()


def by_id_no(session: Session, id_no: str) -> Sequence[Person]:
    """Everybody registered with this identity number."""
    number = sealing.fingerprint(id_no.strip().upper())
    return session.scalars(_people().where(Person.id_no_fingerprint == number).order_by(Person.created_at)).all()


def actor(session: Session, person_id: UUID, *, epoch: int | None = None) -> Actor | None:
    """Who acts behind a session; None when the account is closed or the session's epoch is over."""
    found = session.execute(_ACTOR, {"person": person_id}).all()
    if not found or not found[0].active or (epoch is not None and epoch != found[0].session_epoch):
        return None
    return Actor(person_id, found[0].name, roles_of_rows(found), found[0].language)


def roles_of_rows(rows: Iterable[Any]) -> frozenset[tuple[Role, UUID]]:
    """The roles in rows of a person joined to the memberships; the columns are empty for somebody who has none."""
    return frozenset((Role(row.role), row.organisation_id) for row in rows if row.role is not None)


def as_actor(person: Person, *, scopes: frozenset[str] | None = None) -> Actor:
    """The person as somebody who acts."""
    roles = frozenset((Role(held.role), held.organisation_id) for held in person.memberships)
    return Actor(person.id, person.name, roles, person.language, scopes)


def holders(session: Session, role: Role | str, *organisation_ids: UUID) -> Sequence[Person]:
    """The active people who hold a role, in these organisations if any are named; oldest account first."""
    found = _people().join(Person.memberships).where(Membership.role == str(role), Person.active)
    if organisation_ids:
        found = found.where(Membership.organisation_id.in_(organisation_ids))
    return session.scalars(found.distinct().order_by(Person.created_at, Person.id)).all()


def people(session: Session, *, search: str = "", after: UUID | None = None, limit: int = 50) -> Sequence[Person]:
    """A page of people by id; ``search`` finds an exact login, phone or the beginning of a name."""
    page = _people().order_by(Person.id).limit(min(limit, 200))
    if after is not None:
        page = page.where(Person.id > after)
    if search:
        matches = Person.name.startswith(search, autoescape=True) | (Person.login == search.lower())
        phone = normal_phone(search)
        if phone is not None:
            matches |= Person.phone_fingerprint == sealing.fingerprint(phone)
        page = page.where(matches)
    return session.scalars(page).all()


def names(session: Session, person_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of these people."""
    if not person_ids:
        return {}
    found = session.execute(select(Person.id, Person.name).where(Person.id.in_(person_ids)))
    return {person_id: name for person_id, name in found}  # noqa: C416  # rows are no pairs to mypy


def _people() -> Select[Person]:
    return select(Person).options(selectinload(Person.memberships))
