"""The notices that somebody may read, and the state of the outbox."""

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from disputes.identity.actor import Actor
from disputes.notices.models import Channel, Mail, MailState, Notice


def mine(actor: Actor) -> Select[Notice]:
    """Notices to the actor, or to a role that the actor holds in an organisation."""
    to: list[ColumnElement[bool]] = [
        and_(Notice.organisation_id == place, Notice.role == role) for role, place in sorted(actor.roles, key=str)
    ]
    if actor.person_id is not None:
        to.append(Notice.person_id == actor.person_id)
    return select(Notice).where(or_(*to) if to else false())


def page(
    session: Session, actor: Actor, *, unread: bool = False, before: int | None = None, limit: int = 30
) -> list[Notice]:
    """Newest first; ``before`` is the id of the last one of the page before."""
    query = mine(actor).order_by(Notice.id.desc()).limit(limit)
    if unread:
        query = query.where(Notice.read_at.is_(None))
    if before is not None:
        query = query.where(Notice.id < before)
    return list(session.scalars(query))


def unread_count(session: Session, actor: Actor) -> int:
    """How many notices wait to be read."""
    query = mine(actor).where(Notice.read_at.is_(None)).with_only_columns(func.count(Notice.id))
    return session.scalar(query) or 0


def of_case(session: Session, actor: Actor, case_key: str) -> list[Notice]:
    """What the actor was told about one case, newest first."""
    return list(session.scalars(mine(actor).where(Notice.case_key == case_key).order_by(Notice.id.desc())))


def undelivered(session: Session, *, limit: int = 50) -> list[Mail]:
    """What has not left the house, newest first: waiting, leased or refused."""
    query = select(Mail).where(Mail.state != MailState.SENT).order_by(Mail.created_at.desc(), Mail.id).limit(limit)
    return list(session.scalars(query))


def undelivered_counts(session: Session) -> dict[str, int]:
    """How much has not left the house, by channel."""
    query = select(Mail.channel, func.count()).where(Mail.state != MailState.SENT).group_by(Mail.channel)
    counted = {channel: number for channel, number in session.execute(query)}  # noqa: C416  # rows are no pairs to mypy
    return {str(channel): counted.get(channel, 0) for channel in Channel}


def backlog(session: Session) -> dict[str, int]:
    """Mails by state."""
    counted = {state.value: 0 for state in MailState}
    for state, count in session.execute(select(Mail.state, func.count()).group_by(Mail.state)):
        counted[state] = count
    return counted
