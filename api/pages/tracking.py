"""Seeing one's case without an account: the case number and a code sent to the phone on record."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from api.edge import caller, clock, needs, own_transactions, the_edge
from api.limits import TRY_SIGN_IN, limiter
from api.pages.blueprint import pages
from api.pages.shell import in_language
from api.signin import begin_guest
from core.refusals import Refusal
from disputes.cases.tracking import open_case, send_code


@pages.get("/track")
@needs("case.track")
def track() -> str | Response:
    """Ask for the case number and the phone."""
    if caller().guest_case:
        return redirect(url_for("pages.case", case_id=caller().guest_case))
    return _page()


@pages.post("/track")
@needs("case.track")
@own_transactions
@limiter.limit(TRY_SIGN_IN)
def track_now() -> tuple[str, int] | str | Response:
    """Send a code, or open the case with one."""
    case_no, phone = request.form.get("case_no", "").strip(), request.form.get("phone", "").strip()
    try:
        if request.form.get("_do") != "open":
            with the_edge().database.transaction() as session:
                send_code(session, case_no, phone, language=caller().language, now=clock())
            return _page(sent=True)
        case_id = open_case(the_edge().database, case_no, phone, request.form.get("code", ""), now=clock())
    except Refusal as refusal:
        return _page(sent=request.form.get("_do") == "open", error=in_language(refusal.message)), 422
    begin_guest(str(case_id), "complainant", now=clock())
    return redirect(url_for("pages.case", case_id=case_id), 303)


def _page(*, sent: bool = False, error: str = "") -> str:
    return render_template(
        "track.html",
        sent=sent,
        error=error,
        case_no=request.form.get("case_no", request.args.get("case_no", "")),
        phone=request.form.get("phone", ""),
    )
