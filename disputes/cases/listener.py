"""Keeps a case's status, stage and turn in step with its diagram, inside the transaction of the step."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from disputes.cases.models import Case, Exit, Stage, Status
from disputes.cases.rules import final_status, standing
from engine import Instance, Step


class CaseListener:
    """Writes where a case stands after each step; the one writer of ``status``, ``stage`` and ``turn``."""

    def steps(self, session: Session, steps: Sequence[Step]) -> None:
        """Moments that move change nothing of where a case stands."""

    def step(self, session: Session, step: Step) -> None:
        case = case_of(session, step.instance.key)
        if case is None or step.failed:
            return
        if step.ended is not None or step.instance.state == Instance.State.CANCELLED:
            self._end(case, step)
            return
        found = standing(step.position)
        if found is not None:
            case.status, case.stage, case.turn = found.status, found.stage, list(found.turn)

    def _end(self, case: Case, step: Step) -> None:
        case.turn = []
        if step.ended in set(Exit):
            case.exit = Exit(step.ended)
        case.closed_at = case.closed_at or step.now
        case.stage = Stage.CLOSURE
        case.status = final_status(case.exit) if case.exit is not None else Status.CLOSED


def case_of(session: Session, key: str) -> Case | None:
    """The case with this business key; None when the key belongs to something else (a bench, a rehearsal)."""
    try:
        case_id = UUID(key)
    except ValueError:
        return None
    return session.get(Case, case_id)
