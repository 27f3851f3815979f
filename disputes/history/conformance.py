"""Does what happened to a case follow its release? Its chain is read, and its course is played again.

First the chain itself: an altered log proves nothing. Then what people did by hand, which no diagram foresees. What
is left is replayed from its events by the engine on the case's own release (``releases.scenarios.recording``): the
first place at which the diagram would have gone another way is told with its step, moment and both sides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import Refusal
from disputes.cases.models import Case
from disputes.releases.scenarios.recording import BY_HAND, record
from engine import events


@dataclass(frozen=True)
class Deviation:
    """One place at which a case left its release: ``chain``, ``by_hand``, ``course`` or ``unreadable``."""

    kind: str
    #: Number of the event; 0 where no single one is meant.
    number: int
    zh: str
    en: str


@dataclass
class Conformance:
    """How a case follows its release."""

    case_no: str
    #: Share of the steps that follow it, 0 to 1; none where nothing can be replayed.
    fitness: float | None = None
    deviations: list[Deviation] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        return not self.deviations

    def json(self) -> dict[str, Any]:
        """As the command and the API tell it."""
        return {
            "case_no": self.case_no,
            "conforms": self.conforms,
            "fitness": self.fitness,
            "deviations": [vars(one) for one in self.deviations],
        }


def check(session: Session, case: Case) -> Conformance:
    """Compare a case with its release. Nothing is written."""
    found = Conformance(case.case_no)
    if case.instance_id is None:
        return found
    faults = events.faults(session, case.instance_id)
    found.deviations += [Deviation("chain", n, f"事件链在这里对不上：{why}", why) for n, why in faults]
    history = events.history(session, case.instance_id)
    by_hand = [event for event in history if event.kind.startswith(BY_HAND)]
    found.deviations += [
        Deviation(
            "by_hand",
            event.number,
            f"{event.at:%Y-%m-%d} 人工处理（{event.kind}）{event.process}/{event.element}",
            f"done by hand on {event.at:%Y-%m-%d} ({event.kind}) at {event.process}/{event.element}",
        )
        for event in by_hand
    ]
    if not found.deviations:
        _replay(session, case, found)
    return found


def _replay(session: Session, case: Case, found: Conformance) -> None:
    try:
        recorded = record(session, case)
    except Refusal as refusal:
        found.deviations.append(Deviation("unreadable", 0, refusal.message, refusal.message))
        return
    except (LookupError, TypeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        found.deviations.append(Deviation("unreadable", 0, f"事件读不成一个过程：{why}", f"no course: {why}"))
        return
    difference = recorded.difference
    found.fitness = 1.0
    if difference is not None:
        found.fitness = round(max(difference.step - 1, 0) / max(recorded.steps, 1), 3)
        found.deviations.append(
            Deviation(
                "course", 0, f"{difference.place}：{difference.zh}", f"step {difference.step}: {difference.en}"
            )
        )


def check_all(session: Session) -> Iterator[Conformance]:
    """Every case that has a procedure, by its number."""
    for case in session.scalars(select(Case).where(Case.instance_id.is_not(None)).order_by(Case.case_no)):
        yield check(session, case)
