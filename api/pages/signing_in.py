"""Signing in and out."""

from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from api import audited
from api.edge import caller, clock, needs, own_transactions, read_session
from api.limits import TRY_SIGN_IN, limiter
from api.pages.blueprint import pages
from api.pages.shell import in_language
from api.signin import begin_session
from core.refusals import Forbidden
from disputes.identity import queries


@pages.get("/sign-in")
@needs("account.sign_in")
def sign_in() -> str | Response:
    """The form; somebody who is signed in goes on."""
    if caller().signed_in:
        return redirect(_next())
    return render_template("sign_in.html", next=_next(), login="", error="")


@pages.post("/sign-in")
@needs("account.sign_in")
@own_transactions
@limiter.limit(TRY_SIGN_IN)
def sign_in_now() -> tuple[str, int] | Response:
    """Try the login and the password."""
    login = request.form.get("login", "")
    try:
        person = audited.sign_in(login, request.form.get("password", ""), now=clock())
    except Forbidden as refusal:
        page = render_template("sign_in.html", next=_next(), login=login, error=in_language(refusal.message))
        return page, 422
    begin_session(queries.person(read_session(), person.id), now=clock())
    return redirect(_next(), 303)


@pages.post("/sign-out")
@needs("account.sign_in")
def sign_out() -> Response:
    """End the session of this browser."""
    audited.sign_out()
    return redirect(url_for("pages.home"), 303)


def _next() -> str:
    """Where to go on: a page of ours and nothing else."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return url_for("pages.home")
    return wanted
