"""The first page, and what a person sees of themself."""

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from api.edge import caller, current_actor, needs
from api.pages.blueprint import pages
from api.pages.shell import role_words


@pages.get("/")
@needs("service.read")
def home() -> str | Response:
    """Where each reader's work begins."""
    who = caller()
    if who.guest_case is not None:
        return redirect(url_for("pages.case", case_id=who.guest_case))
    if who.is_staff:
        return redirect(url_for("pages.inbox"))
    if who.signed_in:
        return redirect(url_for("pages.cases"))
    return render_template("home.html")


@pages.get("/me")
@needs("case.list")
def me() -> str:
    """Who is signed in, and the way out."""
    who = current_actor()
    roles = sorted({role_words(role) for role, _place in who.roles})
    return render_template("me.html", who=who, roles=roles)
