"""Sessions and tokens of one's own; people and their roles for the administrator."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from api import audited
from api.edge import clock, current_actor, needs, own_transactions, read_session, write_session
from api.limits import TRY_SIGN_IN, limiter
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.resources.versions import matched, tagged
from api.schemas.accounts import (
    ActiveSchema,
    CallerSchema,
    MembershipSchema,
    NewPersonSchema,
    NewTokenSchema,
    PersonPage,
    PersonQuery,
    PersonSchema,
    SessionSchema,
    SignInSchema,
    TokenListSchema,
    TokenRequestSchema,
)
from api.signin import begin_session
from disputes.identity import operations, queries, rules, tokens
from disputes.identity.actor import Actor
from disputes.identity.models import ApiToken, Person
from disputes.identity.permissions import require

resources = Resources("accounts", __name__, "Sessions, tokens, people and roles")


@resources.route("/sessions", methods=("POST",))
@needs("account.sign_in")
@own_transactions
@limiter.limit(TRY_SIGN_IN)
@resources.arguments(SignInSchema)
@resources.response(201, SessionSchema)
def sign_in(credentials: dict[str, str]) -> dict[str, Any]:
    """Sign in; the session's cookie is set."""
    person = audited.sign_in(credentials["login"], credentials["password"], now=clock())
    with_roles = queries.person(read_session(), person.id)
    return {"csrf_token": begin_session(with_roles, now=clock()), "person": _caller(queries.as_actor(with_roles))}


@resources.route("/sessions/current", methods=("DELETE",))
@needs("account.sign_in")
@resources.response(204)
def sign_out() -> None:
    """Sign out of this browser; harmless when nobody is signed in."""
    audited.sign_out()


@resources.route("/me")
@needs("account.read")
@resources.response(200, CallerSchema)
def me() -> dict[str, Any]:
    """Who asks."""
    return _caller(current_actor())


@resources.route("/tokens")
@needs("token.list")
@resources.response(200, TokenListSchema)
def my_tokens() -> dict[str, Any]:
    """One's own tokens, newest first, also those that have ended."""
    return {"items": tokens.of_person(read_session(), _own_id())}


@resources.route("/tokens", methods=("POST",))
@needs("token.issue")
@resources.arguments(TokenRequestSchema)
@resources.response(201, NewTokenSchema)
def issue_token(wanted: dict[str, Any]) -> dict[str, Any]:
    """Make a token for a program; its secret is shown this once."""
    session = write_session()
    person = queries.person(session, _own_id())
    token, plain = tokens.issue(
        session,
        person,
        name=wanted["name"],
        scopes=wanted["scopes"],
        lasts=timedelta(days=wanted["lasts_days"]),
        now=clock(),
    )
    _note(person.id, "token_issued", token=str(token.id), scopes=token.scopes)
    return {"token": plain, **{name: getattr(token, name) for name in _TOKEN_FIELDS}}


@resources.route("/tokens/<uuid:token_id>", methods=("DELETE",))
@needs("token.revoke")
@resources.response(204)
def revoke_token(token_id: UUID) -> None:
    """End a token at once; again is harmless."""
    session = write_session()
    token = session.get(ApiToken, token_id)
    require(current_actor(), "token.revoke", person_id=token.person_id if token else None)
    in_force = token is not None and token.revoked_at is None
    ended = tokens.revoke(session, token_id, now=clock())
    if in_force:
        _note(ended.person_id, "token_revoked", token=str(ended.id))


@resources.route("/people")
@needs("person.list")
@resources.arguments(PersonQuery, location="query")
@resources.response(200, PersonPage)
def people(query: dict[str, Any]) -> dict[str, Any]:
    """Registered people; `search` finds an exact login or phone, or the beginning of a name."""
    after = place(query.get("after"), UUID)
    found = queries.people(
        read_session(), search=query["search"], after=after[0] if after else None, limit=query["limit"] + 1
    )
    listed = page(found, query["limit"], "id")
    return {**listed, "items": [_person(person) for person in listed["items"]]}


@resources.route("/people", methods=("POST",))
@needs("person.edit")
@resources.arguments(NewPersonSchema)
@resources.response(201, PersonSchema)
def register_person(person: dict[str, Any]) -> dict[str, Any]:
    """Register somebody; with a login and a password they have an account."""
    registered = operations.register(write_session(), now=clock(), **person)
    _note(registered.id, "registered")
    return _person(registered)


@resources.route("/people/<uuid:person_id>")
@needs("person.list")
@resources.response(200, PersonSchema)
def one_person(person_id: UUID) -> dict[str, Any]:
    """One person; the ETag is the version."""
    return _person(queries.person(read_session(), person_id))


@resources.route("/people/<uuid:person_id>/active", methods=("PUT",))
@needs("person.edit")
@resources.arguments(ActiveSchema)
@resources.response(200, PersonSchema)
def close_or_reopen(wanted: dict[str, bool], person_id: UUID) -> dict[str, Any]:
    """Close an account, or open it again. Closing ends its sessions and tokens at once."""
    session = write_session()
    person = queries.person(session, person_id)
    matched(person.version)
    was_active = person.active
    (operations.reactivate if wanted["active"] else operations.deactivate)(session, person)
    if person.active != was_active:
        _note(person.id, "reactivated" if person.active else "deactivated")
    return _person(person)


@resources.route("/people/<uuid:person_id>/memberships", methods=("POST",))
@needs("membership.edit")
@resources.arguments(MembershipSchema)
@resources.response(201, PersonSchema)
def give_role(wanted: dict[str, Any], person_id: UUID) -> dict[str, Any]:
    """Give somebody a role in an organisation."""
    session = write_session()
    person = queries.person(session, person_id)
    matched(person.version)
    held = len(person.memberships)
    given = operations.grant(session, person, wanted["role"], wanted["organisation_id"], now=clock())
    if len(person.memberships) > held:
        _note(person.id, "role_granted", role=given.role, organisation=str(given.organisation_id))
    return _person(person)


@resources.route("/people/<uuid:person_id>/memberships/<role>/<uuid:organisation_id>", methods=("DELETE",))
@needs("membership.edit")
@resources.response(204)
def take_role(person_id: UUID, role: str, organisation_id: UUID) -> None:
    """Take a role away; the person's sessions end."""
    session = write_session()
    operations.withdraw(session, queries.person(session, person_id), role, organisation_id)
    _note(person_id, "role_withdrawn", role=role, organisation=str(organisation_id))


def _person(person: Person) -> dict[str, Any]:
    tagged(person.version)
    return {
        "id": person.id,
        "name": person.name,
        "login": person.login,
        "phone": rules.mask_phone(person.phone),
        "email": rules.mask_email(person.email),
        "language": person.language,
        "active": person.active,
        "roles": [{"role": held.role, "organisation_id": held.organisation_id} for held in person.memberships],
        "version": person.version,
    }


_TOKEN_FIELDS = ("id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")


def _own_id() -> UUID:
    person_id = current_actor().person_id
    assert person_id is not None  # current_actor has signed in
    return person_id


def _note(person_id: UUID, act: str, **facts: str | list[str]) -> None:
    """Leave an act upon an account in the audit, with the act itself."""
    audited.record_identity(write_session(), person_id, act, by=str(current_actor()), now=clock(), **facts)


def _caller(actor: Actor) -> dict[str, Any]:
    return {
        "id": actor.person_id,
        "name": actor.name,
        "language": actor.language,
        "roles": [{"role": str(role), "organisation_id": place} for role, place in sorted(actor.roles)],
    }
