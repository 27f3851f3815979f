"""What diagrams may call: stopping a clock and letting it go on."""

from collections.abc import Mapping
from typing import Any

from core.refusals import Invalid
from disputes.timelimits import operations, queries
from disputes.timelimits.limits import Limit
from disputes.timelimits.rules import day_of
from engine import ServiceCall, Services

services = Services()


@services.add("deadline.pause")
def pause(call: ServiceCall) -> Mapping[str, Any]:
    """Stop the limit named by the input ``limit``; ``why`` is what people read, ``reason`` one it knows."""
    limit = _limit(call)
    why, reason = str(call.inputs.get("why") or ""), call.inputs.get("reason")
    operations.pause(
        call.session,
        call.instance,
        limit,
        why=why,
        reason=reason if isinstance(reason, str) else None,
        now=call.now,
        by=call.by,
    )
    call.rearm()
    return {"paused_at": call.now}


@services.add("deadline.resume")
def resume(call: ServiceCall) -> Mapping[str, Any]:
    """Let the limit named by the input ``limit`` go on."""
    limit = _limit(call)
    # A supervisor may have let it go on already.
    if operations.stands_still(call.session, call.instance.id, limit.id) is not None:
        operations.resume(call.session, call.instance, limit.id, now=call.now, by=call.by)
        call.rearm()
    return {"resumed_at": call.now}


def _limit(call: ServiceCall) -> Limit:
    wanted = call.inputs.get("limit")
    if not isinstance(wanted, str):
        raise Invalid("The input 'limit' names the time limit, for example C03.", code="deadline.limit_missing")
    limits = queries.limits_of(call.session, call.instance.bundle)
    region = str(call.data.get("region") or "") or None
    return limits.get(wanted, region=region, on=day_of(call.now))
