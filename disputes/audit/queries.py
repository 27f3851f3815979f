"""Reading the audit, and proving that nothing in it was altered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select, union
from sqlalchemy.orm import Session

from disputes.audit import anchors, rules
from disputes.audit.models import AuditChain, AuditEvent
from engine import Instance
from engine import events as case_events

#: Chains read by one statement of a verification; a case has some dozens of events.
CHAINS_AT_ONCE = 200


@dataclass(frozen=True)
class Break:
    """Where a chain does not fit, and why."""

    chain: str
    number: int
    why: str


@dataclass
class Verdict:
    """What a verification has read and found."""

    chains: int = 0
    events: int = 0
    broken: list[Break] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.broken


def verify(session: Session, chain: str | None = None) -> Verdict:
    """Read all chains (or one) from their beginning and report every place that does not fit.

    Finds a changed event, a removed one in the middle and, by the head's length and digest, one that was cut off
    the end. One statement reads a chain's head and events together: a consistent picture while others write.
    """
    verdict = Verdict()
    if chain is not None:
        _verify_chains(session, [chain], verdict)
        return verdict
    known = union(select(AuditChain.name.label("name")), select(AuditEvent.chain)).subquery()
    after = ""
    while True:
        page = select(known.c.name).where(known.c.name > after).order_by(known.c.name).limit(CHAINS_AT_ONCE)
        names = session.scalars(page).all()
        if not names:
            return verdict
        _verify_chains(session, names, verdict)
        after = names[-1]


def verify_all(session: Session, *, folder: Path | None = None) -> Verdict:
    """The audit's chains, the chain of events of every case, and both against their anchors.

    ``folder`` holds the witness file of the anchors; without it only the database is read.
    """
    verdict = verify(session)
    instances = select(Instance.id, Instance.key, Instance.event_count).order_by(Instance.id)
    for instance_id, key, count in session.execute(instances).all():
        verdict.chains += 1
        verdict.events += count
        for number, why in case_events.faults(session, instance_id):
            verdict.broken.append(Break(f"case:{key}", number, why))
    verdict.broken += [Break(*fault) for fault in anchors.faults(session, folder=folder)]
    return verdict


def _verify_chains(session: Session, names: Sequence[str], verdict: Verdict) -> None:
    # Columns, not objects: a verification must leave nothing behind in the caller's session.
    heads = select(AuditChain.__table__).where(AuditChain.name.in_(names)).subquery("heads")
    events = select(AuditEvent.__table__).where(AuditEvent.chain.in_(names)).subquery("events")
    joined = (
        select(heads.c.name, heads.c.length, heads.c.head, events)
        .select_from(heads)
        .join(events, events.c.chain == heads.c.name, full=True)
        .order_by(events.c.chain, events.c.number)
    )
    chains: dict[str, list[Row[Any]]] = {}
    for row in session.execute(joined):
        chains.setdefault(row.name if row.name is not None else row.chain, []).append(row)
    for name, rows in sorted(chains.items()):
        found = [row for row in rows if row.chain is not None]
        verdict.chains += 1
        verdict.events += len(found)
        verdict.broken += _breaks(name, rows[0].length, rows[0].head, found)


def _breaks(name: str, length: int | None, head: str, events: Sequence[Row[Any]]) -> Iterator[Break]:
    if length is None:
        yield Break(name, 0, "the chain has no head")
    number, previous = 0, rules.BEGINNING
    for event in events:
        number += 1
        if event.number != number:
            yield Break(name, number, f"event {number} is missing")
            number = event.number
        elif event.previous != previous:
            yield Break(name, number, "does not follow the event before")
        fault = _fault(event)
        if fault is not None:
            yield Break(name, event.number, fault)
        previous = event.digest
    if length is not None and number < length:
        yield Break(name, length, f"{length - number} events are missing at the end")
    elif length is not None and (number > length or previous != head):
        yield Break(name, number, "the head does not fit the last event")


def _fault(row: Row[Any]) -> str | None:
    """Why one event does not fit its own digests."""
    digest = rules.event_digest(
        chain=row.chain,
        number=row.number,
        at=row.at,
        by=row.by,
        action=row.action,
        facts_digest=row.facts_digest,
        previous=row.previous,
    )
    if digest != row.digest:
        return "the event was changed"
    if row.erased_at is not None:
        return None if row.facts is None and row.salt is None else "erased facts have come back"
    if row.facts is None or row.salt is None:
        return "the facts are gone without an erasure"
    return None if rules.facts_digest(row.salt, row.facts) == row.facts_digest else "the facts were changed"


def events(
    session: Session,
    *,
    chain: str | None = None,
    action: str | None = None,
    by: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[AuditEvent]:
    """A page of events, newest first; ``before`` is the id of the last one of the page before it.

    ``until`` is excluded. ``action`` may end in ``.*`` for a whole area.
    """
    page = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(min(limit, 500))
    if chain is not None:
        page = page.where(AuditEvent.chain == chain)
    if action is not None and action.endswith(".*"):
        page = page.where(AuditEvent.action.startswith(action[:-1], autoescape=True))
    elif action is not None:
        page = page.where(AuditEvent.action == action)
    if by is not None:
        page = page.where(AuditEvent.by == by)
    if since is not None:
        page = page.where(AuditEvent.at >= since)
    if until is not None:
        page = page.where(AuditEvent.at < until)
    if before is not None:
        page = page.where(AuditEvent.id < before)
    return session.scalars(page).all()
