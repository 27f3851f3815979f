"""Messages to a case from outside, and opening one's own case without an account."""

from datetime import timedelta
from typing import Any

from api.edge import (
    caller,
    clock,
    needs,
    own_transactions,
    runtime,
    the_edge,
    write_session,
)
from api.limits import PUBLIC_LOOK_UP, limiter
from api.resources.blueprint import Resources
from api.schemas.cases import DeliveredSchema, GuestSchema, MessageSchema, OpenSchema, TrackSchema
from api.signin import begin_guest
from core.refusals import Invalid
from disputes.audit.operations import record
from disputes.cases import queries, tracking
from disputes.cases.access import require_on
from engine import values
from engine.messages import Outcome

resources = Resources("messages", __name__, "Messages to a case, and tracking one without an account")

#: What a message needs: the same as the act that it stands for.
PERMISSIONS = {
    "complaint.withdrawn": "case.withdraw",
    "complaint.file_now": "case.file_now",
    "identity.supplied": "case.supply_identity",
    "dispatch.returned": "case.return_to_centre",
    "settlement.claimed": "settlement.claim",
}


@resources.route("/messages", methods=("POST",))
@needs("message.deliver")
@resources.arguments(MessageSchema)
@resources.response(200, DeliveredSchema)
def deliver(message: dict[str, Any]) -> dict[str, Any]:
    """Deliver a message to a case, or keep it for a while until something in its diagram waits for it."""
    name = message["message"]
    if name not in PERMISSIONS:
        raise Invalid(
            "没有这种消息。 There is no such message.",
            code="message.unknown",
            fields={"message": [f"One of {', '.join(sorted(PERMISSIONS))}."]},
        )
    session, by, now = write_session(), caller(), clock()
    case = queries.find(session, message["case"], by)
    require_on(session, case, by, PERMISSIONS[name])
    published = runtime().publish(
        session,
        name,
        str(case.id),
        payload=values.from_json(message["payload"]),
        ttl=timedelta(seconds=message["ttl_seconds"]),
        message_id=message.get("message_id"),
        now=now,
        by=str(by),
    )
    if published.outcome == Outcome.KEPT:
        # What a case takes stands in its own log; what waits for it stands here.
        record(session, chain=f"case:{case.id}", action="message.kept", facts={"message": name}, by=by, now=now)
    return {
        "outcome": published.outcome,
        "delivered": published.step is not None,
        "parked": published.step is not None and published.step.failed,
        "expires_at": published.expires_at,
    }


@resources.route("/tracking/codes", methods=("POST",))
@needs("case.track")
@limiter.limit(PUBLIC_LOOK_UP)
@resources.arguments(TrackSchema)
@resources.response(204)
def send_code(wanted: dict[str, str]) -> None:
    """Send a code to the phone on record. The answer is the same whether there is such a case or not."""
    tracking.send_code(write_session(), wanted["case_no"], wanted["phone"], language=caller().language, now=clock())


@resources.route("/tracking/sessions", methods=("POST",))
@needs("case.track")
@own_transactions
@limiter.limit(PUBLIC_LOOK_UP)
@resources.arguments(OpenSchema)
@resources.response(201, GuestSchema)
def open_case(wanted: dict[str, str]) -> dict[str, Any]:
    """Open one's own case with the code; for two hours this browser sees it."""
    case_id = tracking.open_case(
        the_edge().database, wanted["case_no"], wanted["phone"], wanted["code"], now=clock()
    )
    return {"case_id": case_id, "csrf_token": begin_guest(str(case_id), "complainant", now=clock())}
