"""The claim link of the sunshine channel: a merchant without an account answers one case."""

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from api.edge import clock, needs, read_session, settings, write_session
from api.limits import PUBLIC_LOOK_UP, limiter
from api.pages.blueprint import pages
from api.pages.running import clock_of_item
from api.pages.shown import ClaimPage
from api.pages.words import _
from api.signin import begin_guest
from disputes.inbox import queries as inbox
from disputes.settlement import links
from disputes.settlement.models import SettlementOrder
from disputes.timelimits import queries as limits
from forms.fields import yuan


@pages.get("/claim/<token>")
@needs("service.read")
@limiter.limit(PUBLIC_LOOK_UP)
def claim_link(token: str) -> str:
    """What the link is about, before anybody says that they act for the merchant."""
    session, now = read_session(), clock()
    case, bearer = links.peek(session, token, secret=settings().secret_key, now=now)
    order = session.get(SettlementOrder, case.id)
    tasks = inbox.of_case(session, case, bearer)
    calendar = limits.calendar(session)
    limit = clock_of_item(tasks[0], now=now, calendar=calendar) if tasks else None
    page = ClaimPage(
        merchant=case.respondent_name,
        title=case.title,
        notice=order.masked_notice if order else "",
        particulars=[(_("争议金额"), yuan(case.disputed_fen))] if case.disputed_fen else [],
        when=_("%(left)s。", left=limit.row_word) if limit else "",
        url=url_for("pages.open_claim", token=token),
        clock=limit,
    )
    return render_template("claim.html", page=page)


@pages.post("/claim/<token>")
@needs("service.read")
@limiter.limit(PUBLIC_LOOK_UP)
def open_claim(token: str) -> Response:
    """Open the case as the merchant's guest."""
    session = write_session()
    case, _bearer = links.open_link(session, token, secret=settings().secret_key, now=clock())
    begin_guest(str(case.id), "respondent", now=clock())
    return redirect(url_for("pages.case", case_id=case.id), 303)
