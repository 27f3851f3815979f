"""What a view needs from the edge: who asks, the moment, a session, the runtime, and a permission.

    from api.edge import clock, current_actor, needs, read_session, runtime, write_session

    @pages.get("/cases")
    @needs("case.list")                       # directly under the route; a guard test wants one on each
    def my_cases() -> str:
        page = queries.page(read_session(), current_actor(), after=None, limit=50)
        return render_template("cases.html", page=page)

    @pages.post("/tasks/<uuid:task_id>/answer")
    @needs("task.answer")
    def answer(task_id: UUID) -> Response:
        operations.answer(write_session(), runtime(), task_id, ..., by=current_actor(), now=clock())
        return redirect(...)                  # no commit: the edge commits once, after the view

- ``needs(permission)`` guards a view with a line of ``disputes/identity/permissions.py``. It is the coarse question
  ("may such a person do such things at all?"); operations and queries ask the fine one.
- ``current_actor()`` is the signed-in ``disputes.identity.actor.Actor``; it raises Unauthorized (401, or the
  sign-in page for a browser) when nobody is. ``caller()`` always answers an Actor: signed in, a guest of one case,
  or anonymous.
- ``read_session()`` never locks and sees what was committed. ``write_session()`` is the request's one transaction
  and does not exist in GET and HEAD requests. An answer below 400 commits it, everything else rolls it back.
- ``clock()`` is the moment of this request, aware; the same each time, read when the write session begins.
- ``runtime()`` is the engine wired with all services. ``settings()`` are the installation's settings.
- Refusals (``core.refusals``) need no handling: they become problem details for programs and the template
  ``error.html`` (variables ``status``, ``title``, ``detail``, ``code``, ``fields``) for browsers.
- ``@own_transactions`` marks the few views whose operation commits by itself (sign-in, phone codes).
- ``api.signin``: ``begin_session(person, now=)``, ``begin_guest(case_key, side, now=)``, ``end_session()``.
- A step that met a fault of its diagram left an incident and is committed: ``api.metrics.PARKED in
  write_session().info`` tells; the answer of a person is kept, and staff repeat the step once the cause is mended.
- A repeated POST with the same ``Idempotency-Key`` header (pages: a hidden field ``idempotency_key``) runs once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from flask import Flask, current_app, g, request
from flask.wrappers import Response
from sqlalchemy.orm import Session
from werkzeug.exceptions import Unauthorized

from api.polling import Polls
from core.db import Database
from core.refusals import Forbidden
from core.settings import Settings
from disputes.identity.actor import Actor
from disputes.identity.permissions import PERMISSIONS, allows

if TYPE_CHECKING:
    from engine import Engine

P = ParamSpec("P")
R = TypeVar("R")

#: Methods that change nothing (RFC 9110, section 9.2.1) and therefore get no write session.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass
class Edge:
    """What one application stands on; kept in ``app.extensions["hejie"]``."""

    settings: Settings
    database: Database
    clock: Callable[[], datetime]
    #: Requests that wait for something, such as a job.
    polls: Polls = field(default_factory=Polls, repr=False)
    _runtime: "Engine | None" = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def runtime(self) -> "Engine":
        """The engine with all services; put together when it is first needed."""
        with self._lock:
            if self._runtime is None:
                from api.metrics import measured
                from disputes.wiring import build_engine

                self._runtime = measured(build_engine(self.settings))
            return self._runtime


def the_edge() -> Edge:
    """The edge of the current application."""
    return cast(Edge, current_app.extensions["hejie"])


def settings() -> Settings:
    """The settings of this installation."""
    return the_edge().settings


def runtime() -> "Engine":
    """The engine, wired with every service, function and listener."""
    return the_edge().runtime


def clock() -> datetime:
    """The moment of this request, aware; the same on every call."""
    if "moment" not in g:
        g.moment = the_edge().clock()
    return cast(datetime, g.moment)


def read_session() -> Session:
    """A session that holds nobody up and sees what was committed; closed with the request."""
    if "reader" not in g:
        g.reader = the_edge().database.reader()
    return cast(Session, g.reader)


def write_session() -> Session:
    """The one transaction of this request; on SQLite it holds the write lock from here on.

    Raises RuntimeError in a request that must change nothing (GET, HEAD).
    """
    if "writer" not in g:
        if request.method in SAFE_METHODS:
            raise RuntimeError(f"A {request.method} request changes nothing, so it has no write session.")
        if commits_itself():
            raise RuntimeError("This view's operation commits by itself; it has no write session.")
        session = the_edge().database.session()
        g.writer = session
        session.connection()  # takes SQLite's lock now, so that the moment below is the moment of the step
        g.moment = the_edge().clock()
    return cast(Session, g.writer)


def let_go() -> None:
    """Hand back the connection with which it was read who asks: for a view that goes on to wait."""
    reader: Session | None = g.pop("reader", None)
    if reader is not None:
        reader.close()


def commits_itself() -> bool:
    """Is the view of this request marked with ``own_transactions``?"""
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "own_transactions", False))


def caller() -> Actor:
    """Who asks: somebody signed in, a guest of one case, or anonymous."""
    from api.signin import load_actor

    if "actor" not in g:
        g.actor = load_actor()
    return cast(Actor, g.actor)


def current_actor() -> Actor:
    """Who asks. Raises Unauthorized when nobody has signed in."""
    actor = caller()
    if not actor.signed_in:
        raise Unauthorized("请先登录。 Sign in first, or send a token as 'Authorization: Bearer …'.")
    return actor


def needs(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only those in who hold ``permission``, a line of ``disputes/identity/permissions.py``."""
    if permission not in PERMISSIONS:
        raise KeyError(f"disputes/identity/permissions.py has no line {permission!r}.")

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            require(permission)
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def require(permission: str) -> None:
    """Refuse the caller who does not hold ``permission``. Raises Unauthorized or Forbidden."""
    actor = caller()
    if allows(actor, permission):
        return
    if not actor.signed_in and actor.guest_case is None:
        current_actor()
    raise Forbidden(
        "您没有办理这一事项的权限。 None of your roles gives the permission that this needs.",
        code="permission.missing",
        permission=permission,
    )


def own_transactions(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view whose operation commits by itself, because a failure must be counted although it is refused.

    It gets no write session (on SQLite the two would wait for each other) and heeds no Idempotency-Key.
    """
    view.own_transactions = True  # type: ignore[attr-defined]
    return view


def afterwards(act: Callable[[Session], None]) -> None:
    """Do this in one transaction of its own, after the request's has ended and before the answer leaves.

    Also after a GET and after a refusal that the view answers itself; an exception turns the answer into an error.
    """
    g.setdefault("afterwards", []).append(act)


class Application(Flask):
    """Flask, with one transaction around each request."""

    def dispatch_request(self) -> Response:
        from api.repeats import once

        with _transaction() as keep:
            response = once(lambda: self.make_response(super(Application, self).dispatch_request()))
            keep(response.status_code < 400)
        _do_what_comes_after()
        return response


@contextmanager
def _transaction() -> Iterator[Callable[[bool], None]]:
    """The one place that commits: after the view has answered, and only an answer below 400."""
    good = False

    def keep(value: bool) -> None:
        nonlocal good
        good = value

    try:
        yield keep
        if good and "writer" in g:
            g.writer.commit()
    finally:
        if "writer" in g:
            g.writer.rollback()


def _do_what_comes_after() -> None:
    acts: list[Callable[[Session], None]] = g.pop("afterwards", [])
    if acts:
        with the_edge().database.transaction() as session:
            for act in acts:
                act(session)


def close_sessions(_error: BaseException | None) -> None:
    """Hand back the connections of the request; registered as a teardown."""
    for name in ("writer", "reader"):
        session: Session | None = g.pop(name, None)
        if session is not None:
            session.close()
