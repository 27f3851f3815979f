"""Who asks: a session cookie, a token, the one case that a guest opened, or nobody. And protection against forgery.

A session cookie holds the person's id and the epoch in which it began; raising the epoch ends all sessions. A
request that carries a token is judged by the token alone and needs no CSRF token: no browser adds it by itself.
"""

from datetime import datetime
from uuid import UUID

from flask import Flask, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect, generate_csrf
from werkzeug.exceptions import Unauthorized

from api.edge import SAFE_METHODS, clock, read_session, the_edge
from api.languages import preferred
from disputes.identity import queries, tokens
from disputes.identity.actor import Actor
from disputes.identity.models import Person

csrf = CSRFProtect()

#: Seconds that a guest may stay with the case that a phone code or a claim link opened.
GUEST_STAYS = 2 * 60 * 60


class Visitor(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """An Actor as Flask-Login wants it."""

    def __init__(self, actor: Actor, epoch: int) -> None:
        self.actor = actor
        self.id = f"{actor.person_id}.{epoch}"


def init_signin(app: Flask) -> None:
    """Load the caller of each request, and refuse forged ones."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, SESSION_PROTECTION=None)
    csrf.init_app(app)
    manager = LoginManager(app)
    manager.session_protection = None
    manager.user_loader(_visitor)
    app.before_request(_refuse_forgery)
    app.jinja_env.globals["caller"] = load_caller


def load_caller() -> Actor:
    """The caller, for templates."""
    from api.edge import caller

    return caller()


def load_actor() -> Actor:
    """Who asks. Raises Unauthorized for a token that is not in force."""
    plain = bearer()
    if plain is not None:
        return _by_token(plain)
    if current_user.is_authenticated:
        actor: Actor = current_user.actor
        return actor
    guest = session.get("guest")
    if guest and clock().timestamp() < guest["until"]:
        return Actor.guest(guest["case"], guest["side"], preferred())
    return Actor.anonymous(preferred())


def begin_session(person: Person, *, now: datetime) -> str:
    """Sign this browser in; answers the CSRF token of the new session."""
    session.clear()
    session.permanent = True
    session["began"] = now.timestamp()
    visitor = Visitor(queries.as_actor(person), person.session_epoch)
    login_user(visitor)
    g.actor = visitor.actor
    g.pop("csrf_token", None)
    return str(generate_csrf())


def end_session() -> None:
    """Sign this browser out; also a guest leaves the case."""
    logout_user()
    session.clear()
    g.pop("actor", None)


def begin_guest(case_key: str, side: str, *, now: datetime) -> str:
    """Let this browser see, or answer, one case for a while; answers the CSRF token."""
    session.clear()
    session.permanent = True
    session["guest"] = {"case": case_key, "side": side, "until": now.timestamp() + GUEST_STAYS}
    g.pop("actor", None)
    g.pop("csrf_token", None)
    return str(generate_csrf())


def bearer() -> str | None:
    """The token that the request carries."""
    kind, _, plain = request.headers.get("Authorization", "").partition(" ")
    return plain.strip() if kind.lower() == "bearer" else None


def _by_token(plain: str) -> Actor:
    use = tokens.used(read_session(), plain, now=clock())
    if use is None:
        raise Unauthorized("这个令牌无效或者已经失效。 This token is not in force.")
    if use.is_worth_noting(now=clock()):
        with the_edge().database.transaction() as own:  # what the request goes on to do may be refused
            tokens.note_use(own, use.token_id, now=clock())
    return use.actor


def _visitor(visitor_id: str) -> Visitor | None:
    person_id, _, epoch = visitor_id.partition(".")
    try:
        actor = queries.actor(read_session(), UUID(person_id), epoch=int(epoch))
    except ValueError:
        return None
    return None if actor is None else Visitor(actor, int(epoch))


def _refuse_forgery() -> None:
    if request.method in SAFE_METHODS or bearer() is not None:
        return
    if request.path.startswith("/api/") and not ("_user_id" in session or "guest" in session):
        return  # without a cookie there is nothing that a stranger's page could ride on
    csrf.protect()
