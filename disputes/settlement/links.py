"""Claim links: signed, expiring, for one case, revocable. The database keeps what a signature cannot know."""

from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import NotFound
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.settlement.models import ClaimLink

#: A link outlives the limits of the sunshine channel (C13, S10) and the talks (C12b) and then ends.
LIFETIME = timedelta(days=45)
_SALT = "hejie.claim-link.1"


def make(session: Session, case: Case, *, secret: str, now: datetime) -> tuple[ClaimLink, str]:
    """A new link for the merchant of a case, and its token. Links made before are revoked."""
    if case.merchant_id is None:
        raise NotFound("这件投诉没有找到经营者。 No merchant is known for this case.", code="link.no_merchant")
    revoke(session, case, why="已发出新的链接", now=now)
    link = ClaimLink(case_id=case.id, organisation_id=case.merchant_id, made_at=now, expires_at=now + LIFETIME)
    session.add(link)
    session.flush()
    return link, token_of(link, secret=secret)


def token_of(link: ClaimLink, *, secret: str) -> str:
    """The signed text that stands in the link."""
    return str(_serializer(secret).dumps(str(link.id)))


def open_link(session: Session, token: str, *, secret: str, now: datetime) -> tuple[Case, Actor]:
    """The case that a link opens and the guest who came by it. Raises NotFound for anything but a live link."""
    link = _live(session, token, secret, now)
    if link.first_used_at is None:
        link.first_used_at = now
        session.flush()
    return session.get_one(Case, link.case_id), _bearer(link)


def peek(session: Session, token: str, *, secret: str, now: datetime) -> tuple[Case, Actor]:
    """As ``open_link``, for a session that only reads: the first use is not recorded."""
    link = _live(session, token, secret, now)
    return session.get_one(Case, link.case_id), _bearer(link)


def revoke(session: Session, case: Case, *, why: str, now: datetime) -> None:
    """End every live link of a case."""
    query = select(ClaimLink).where(ClaimLink.case_id == case.id, ClaimLink.revoked_at.is_(None))
    for link in session.scalars(query):
        link.revoked_at, link.revoked_why = now, why[:200]
    session.flush()


def _live(session: Session, token: str, secret: str, now: datetime) -> ClaimLink:
    link = _link(session, token, secret)
    if link is None or link.revoked_at is not None or now >= link.expires_at:
        raise NotFound(
            "链接无效或者已经过期，请向处理中心索取新的链接。 This link is not valid, or no longer.",
            code="link.invalid",
        )
    return link


def _bearer(link: ClaimLink) -> Actor:
    return Actor.guest(str(link.case_id), "respondent")


def _link(session: Session, token: str, secret: str) -> ClaimLink | None:
    try:
        link_id = UUID(str(_serializer(secret).loads(token)))
    except (BadData, ValueError):
        return None
    return session.get(ClaimLink, link_id)


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=_SALT)
