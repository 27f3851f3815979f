"""API tokens: shown once, kept as a digest, limited to scopes, ending on a day, revocable at once."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.refusals import Invalid, NotFound
from disputes.identity import queries
from disputes.identity.actor import Actor
from disputes.identity.models import ApiToken, Membership, Person
from disputes.identity.permissions import is_scope

#: Tells scanners of leaked secrets what they have found.
PREFIX = "hj_"
LONGEST_LIFE = timedelta(days=366)
#: ``last_used_at`` is written at most so often: a write for every read would hold SQLite's lock for nothing.
USE_NOTED_EVERY = timedelta(minutes=10)

#: Asked by every request of a program: token, person and roles in one statement.
_USED = (
    select(
        ApiToken.id,
        ApiToken.person_id,
        ApiToken.scopes,
        ApiToken.expires_at,
        ApiToken.last_used_at,
        ApiToken.revoked_at,
        Person.name.label("person"),
        Person.language,
        Person.active,
        Membership.role,
        Membership.organisation_id,
    )
    .join(Person, Person.id == ApiToken.person_id)
    .outerjoin(Membership, Membership.person_id == Person.id)
    .where(ApiToken.digest == bindparam("digest"))
)


@dataclass(frozen=True)
class Use:
    """A token in force: who acts with it, and when that was last noted."""

    actor: Actor
    token_id: UUID
    noted_at: datetime | None

    def is_worth_noting(self, *, now: datetime) -> bool:
        """Has the last noted use grown old?"""
        return self.noted_at is None or now - self.noted_at >= USE_NOTED_EVERY


def issue(
    session: Session, person: Person, *, name: str, scopes: Collection[str], lasts: timedelta, now: datetime
) -> tuple[ApiToken, str]:
    """A new token and its plain text, which nobody sees again. Raises Invalid."""
    faults: dict[str, list[str]] = {}
    if not 0 < len(name.strip()) <= 100:
        faults["name"] = ["请给令牌起名，不超过 100 个字。 Name the token in at most 100 characters."]
    unknown = sorted(scope for scope in scopes if not is_scope(scope))
    if unknown or not scopes:
        faults["scopes"] = [
            f"没有这些权限：{unknown}。 Unknown scopes." if unknown else "至少选择一项。 Choose one."
        ]
    if not timedelta(0) < lasts <= LONGEST_LIFE:
        faults["lasts"] = [f"有效期最长 {LONGEST_LIFE.days} 天。 At most {LONGEST_LIFE.days} days."]
    if faults:
        raise Invalid("有些内容需要改正。 Some of this needs to be corrected.", fields=faults)
    plain = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        person_id=person.id,
        name=name.strip(),
        prefix=plain[:10],
        digest=_digest(plain),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=now + lasts,
    )
    session.add(token)
    session.flush()
    return token, plain


def used(session: Session, plain: str, *, now: datetime) -> Use | None:
    """Who acts with the token of this text, within its scopes. None when token or account is not in force."""
    if not plain.startswith(PREFIX) or len(plain) > 100:
        return None
    found = session.execute(_USED, {"digest": _digest(plain)}).all()
    if not found:
        return None
    token = found[0]
    if not token.active or token.revoked_at is not None or now >= token.expires_at:
        return None
    roles, scopes = queries.roles_of_rows(found), frozenset(token.scopes)
    actor = Actor(token.person_id, token.person, roles, token.language, scopes)
    return Use(actor, token.id, token.last_used_at)


def note_use(session: Session, token_id: UUID, *, now: datetime) -> None:
    """Remember when the token was used."""
    token = session.get(ApiToken, token_id)
    if token is not None:
        token.last_used_at = now
        session.flush()


def revoke(session: Session, token_id: UUID, *, now: datetime) -> ApiToken:
    """End a token; again is harmless. Raises NotFound."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFound("没有这个令牌。 There is no such token.", code="identity.no_token")
    token.revoked_at = token.revoked_at or now
    session.flush()
    return token


def of_person(session: Session, person_id: UUID) -> Sequence[ApiToken]:
    """The tokens of a person, newest first, also those that have ended."""
    return session.scalars(
        select(ApiToken).where(ApiToken.person_id == person_id).order_by(ApiToken.created_at.desc(), ApiToken.id)
    ).all()


def _digest(plain: str) -> str:
    # 256 random bits need no slow digest.
    return hashlib.sha256(plain.encode()).hexdigest()
