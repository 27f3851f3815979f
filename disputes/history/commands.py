"""The command ``conformance``, without its command line."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.cases.access import no_such_case
from disputes.cases.models import Case
from disputes.history.conformance import check, check_all


def conformance(session: Session, case_no: str | None) -> dict[str, Any]:
    """``hejie conformance CASE_NO|--all``: ``{cases: [{case_no, conforms, fitness, deviations}]}``."""
    if case_no is None:
        return {"cases": [found.json() for found in check_all(session)]}
    case = session.scalar(select(Case).where(Case.case_no == case_no))
    if case is None:
        raise no_such_case(case_no)
    return {"cases": [check(session, case).json()]}
