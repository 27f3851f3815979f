"""What every service of a case needs: the case that it works on."""

from core.refusals import WrongState
from disputes.cases.listener import case_of
from disputes.cases.models import Case
from engine import ServiceCall


def case_for(call: ServiceCall) -> Case:
    """The case that a service works on. Raises WrongState for an instance that has none."""
    case = case_of(call.session, call.key)
    if case is None:
        raise WrongState(f"Expected a case with the key {call.key}, found none.", code="case.missing")
    return case
