"""Telling people something, in the transaction in which it happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.orm import Session

from core.refusals import NotFound
from disputes.identity.actor import Actor
from disputes.identity.models import Membership, Person
from disputes.notices.models import Channel, Mail, Notice
from disputes.notices.queries import mine


def tell(
    session: Session,
    *,
    person_id: UUID | None = None,
    organisation_id: UUID | None = None,
    role: str | None = None,
    case_key: str | None = None,
    kind: str,
    title_zh: str,
    title_en: str,
    text_zh: str,
    text_en: str,
    link: str | None = None,
    now: datetime,
) -> Notice:
    """Write a notice to a person, or to everybody with ``role`` in an organisation; who has a mail address also
    gets a mail, in the person's language, once the transaction is committed.
    """
    notice = Notice(
        person_id=person_id,
        organisation_id=organisation_id,
        role=role,
        case_key=case_key,
        kind=kind,
        title_zh=title_zh[:120],
        title_en=title_en[:200],
        text_zh=text_zh,
        text_en=text_en,
        link=link,
        created_at=now,
    )
    session.add(notice)
    for person in _mailed(session, person_id, organisation_id, role):
        session.add(_mail(notice, person, now))
    return notice


@dataclass(frozen=True)
class Told:
    """One notice to a person, or to everybody with ``role`` in an organisation; the words of ``tell``."""

    kind: str
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    person_id: UUID | None = None
    organisation_id: UUID | None = None
    role: str | None = None
    case_key: str | None = None
    link: str | None = None


def tell_many(session: Session, told: Sequence[Told], *, now: datetime) -> None:
    """Write many notices as ``tell`` does one, asking once for all who has a mail address."""
    if not told:
        return
    people = {
        person.id: person
        for person in session.scalars(
            select(Person).where(
                Person.active,
                Person.email.is_not(None),
                Person.id.in_({one.person_id for one in told if one.person_id is not None}),
            )
        )
    }
    held: dict[tuple[UUID, str], list[Person]] = {}
    places = {one.organisation_id for one in told if one.organisation_id is not None}
    for place, role, person in session.execute(
        select(Membership.organisation_id, Membership.role, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.organisation_id.in_(places), Person.active, Person.email.is_not(None))
        .order_by(Person.id)
    ):
        held.setdefault((place, str(role)), []).append(person)
    mails = []
    for one in told:
        if one.person_id is not None:
            readers = [people[one.person_id]] if one.person_id in people else []
        else:
            readers = held.get((one.organisation_id, one.role or ""), []) if one.organisation_id else []
        mails += [_mail(Notice(**vars(one)), person, now) for person in readers]
    rows = [
        {**vars(one), "title_zh": one.title_zh[:120], "title_en": one.title_en[:200], "created_at": now}
        for one in told
    ]
    session.execute(insert(Notice), rows)
    session.add_all(mails)


def _mail(notice: Notice, person: Person, now: datetime) -> Mail:
    return Mail(
        channel=Channel.MAIL,
        message_id=f"{uuid4().hex}@hejie",
        recipient=person.email,
        subject=notice.title(person.language),
        text=notice.text(person.language),
        language=person.language,
        kind=notice.kind,
        case_key=notice.case_key,
        due_at=now,
        created_at=now,
    )


def _mailed(
    session: Session, person_id: UUID | None, organisation_id: UUID | None, role: str | None
) -> Iterable[Person]:
    """Who of those who are told has a mail address."""
    people = select(Person).where(Person.active, Person.email.is_not(None))
    if person_id is not None:
        return session.scalars(people.where(Person.id == person_id)).all()
    held = select(Membership.person_id).where(
        Membership.organisation_id == organisation_id, Membership.role == role
    )
    return session.scalars(people.where(Person.id.in_(held)).order_by(Person.id)).all()


def mark_read(session: Session, notice_id: int, *, by: Actor, now: datetime) -> Notice:
    """Note that a notice was read. Raises NotFound for somebody else's."""
    notice = session.scalars(mine(by).where(Notice.id == notice_id)).one_or_none()
    if notice is None:
        raise NotFound("There is no such notice.", code="notice.not_found")
    if notice.read_at is None:
        notice.read_at, notice.read_by = now, str(by)
        session.flush()
    return notice


def mark_all_read(session: Session, *, by: Actor, now: datetime) -> int:
    """Note that all of an actor's notices were read; how many were new."""
    unread = mine(by).where(Notice.read_at.is_(None)).with_only_columns(Notice.id)
    done = session.execute(
        update(Notice)
        .where(Notice.id.in_(unread.scalar_subquery()))
        .values(read_at=now, read_by=str(by))
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Notice], done).rowcount
