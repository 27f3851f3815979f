"""Who mediates (D8, first edition), and what a session leaves behind. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from disputes.identity.models import Person
from disputes.network.models import Kind, Organisation

MediatorKind = Literal["department", "council", "mediation_body"]


@dataclass(frozen=True)
class Choice:
    """A mediator, the body in whose name they act, and why they were chosen."""

    kind: MediatorKind
    mediator: Person | None
    body: Organisation | None
    why: str


@dataclass(frozen=True)
class Candidate:
    """Somebody who could mediate."""

    person: Person
    body: Organisation
    #: Cases that they mediate now.
    load: int


def choose(
    department: Iterable[Candidate],
    bodies: Iterable[Candidate],
    *,
    both_entrust: bool,
    trade: str,
    excluded: Callable[[Candidate], bool] = lambda candidate: False,
) -> Choice:
    """Both sides agreed to entrusting: a body, an industry's own one first; else the department (办法 第十九条).

    Among equals the one with the fewest cases; a conflict of interest excludes.
    """
    if both_entrust:
        fit = [c for c in bodies if not excluded(c)]
        skilled = [c for c in fit if trade and trade in c.body.skills]
        for pool, why in ((skilled, "双方同意委托，行业调解组织熟悉这一业态"), (fit, "双方同意委托")):
            if pool:
                best = _least(pool)
                return Choice(_kind(best.body), best.person, best.body, f"{why}，在办 {best.load} 件")
    own = [c for c in department if not excluded(c)]
    if own:
        best = _least(own)
        return Choice("department", best.person, best.body, f"由承办机构调解，在办 {best.load} 件")
    return Choice("department", None, None, "承办机构没有专职调解员，由承办人员调解")


def lines(text: str) -> list[str]:
    """What somebody wrote one a line: without marks of lists and empty lines."""
    return [line.strip().lstrip("-•·*、").strip() for line in text.splitlines() if line.strip(" -•·*、\t")]


def _least(pool: Iterable[Candidate]) -> Candidate:
    return min(pool, key=lambda c: (c.load, c.person.created_at, str(c.person.id)))


def _kind(body: Organisation) -> MediatorKind:
    return "council" if body.kind == Kind.COUNCIL else "mediation_body"
