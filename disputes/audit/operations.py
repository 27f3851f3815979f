"""Adding to the audit, and erasing personal data from it without breaking a chain."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import event, insert, inspect, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapper, Session

from core.db import insert_missing, insert_missing_many
from disputes.audit import rules
from disputes.audit.models import AuditChain, AuditEvent
from disputes.identity.actor import Actor

#: The action under which every look at personal data without its mask is recorded.
SEEN = "personal_data.seen"
#: What an erasure empties; everything else of an event never changes.
ERASABLE = frozenset({"facts", "salt", "erased_at"})


def record(
    session: Session,
    *,
    chain: str,
    action: str,
    facts: Mapping[str, Any] | None = None,
    by: Actor | str,
    now: datetime,
) -> AuditEvent:
    """Add an event to a chain (``case:<key>``, ``person:<uuid>``, or an area such as ``identity``).

    The chain's head is locked until the transaction ends: one writer per chain at a time, and nobody else waits.
    ``facts`` are plain JSON without fractions; a mistake there is the caller's, hence ValueError.
    """
    facts = dict(facts or {})
    fault = rules.facts_fault(facts)
    if fault is not None:
        raise ValueError(fault)
    head = _head(session, chain)
    salt = secrets.token_hex(16)
    digest = rules.facts_digest(salt, facts)
    added = AuditEvent(
        chain=chain,
        number=head.length + 1,
        at=now,
        by=str(by),
        action=action,
        facts=facts,
        salt=salt,
        facts_digest=digest,
        previous=head.head,
        digest=rules.event_digest(
            chain=chain,
            number=head.length + 1,
            at=now,
            by=str(by),
            action=action,
            facts_digest=digest,
            previous=head.head,
        ),
    )
    head.length, head.head = added.number, added.digest
    session.add(added)
    session.flush()
    return added


def record_many(
    session: Session,
    *,
    action: str,
    facts: Mapping[str, Mapping[str, Any]],
    by: Actor | str,
    now: datetime,
) -> int:
    """Add one event to each of many chains (chain → facts), as ``record`` does to one. Answers how many."""
    heads = _heads(session, facts.keys())
    rows = []
    for chain, said in facts.items():
        fault = rules.facts_fault(said)
        if fault is not None:
            raise ValueError(fault)
        head, salt = heads[chain], secrets.token_hex(16)
        row: dict[str, Any] = {
            "chain": chain,
            "number": head.length + 1,
            "at": now,
            "by": str(by),
            "action": action,
            "facts_digest": rules.facts_digest(salt, said),
            "previous": head.head,
        }
        digest = rules.event_digest(**row)
        head.length, head.head = head.length + 1, digest
        rows.append({**row, "digest": digest, "facts": dict(said), "salt": salt})
    session.flush()
    if rows:
        session.execute(insert(AuditEvent), rows)
    return len(rows)


def record_look(
    session: Session,
    *,
    chain: str,
    fields: Collection[str],
    purpose: str,
    whose: Collection[str],
    by: Actor,
    now: datetime,
) -> AuditEvent:
    """Record that somebody saw personal data without its mask: whose, which fields, and what for.

    Names the fields (``phone``), never what stood in them. ``whose`` are ids: ``person:<uuid>`` or ``party:<id>``.
    One look is one event, however many people stand on the page.
    """
    facts = {"fields": sorted(fields), "purpose": purpose, "whose": sorted(whose)}
    return record(session, chain=chain, action=SEEN, facts=facts, by=by, now=now)


def erase_facts(session: Session, events: Collection[AuditEvent], *, now: datetime) -> int:
    """Empty the facts of events whose personal data has reached its end; the chains still verify.

    The salt goes with them, so that the digest that stays cannot be guessed back. Answers how many were emptied.
    """
    erased = 0
    for one in events:
        if one.erased_at is None:
            one.facts, one.salt, one.erased_at = None, None, now
            erased += 1
    session.flush()
    return erased


def _head(session: Session, chain: str) -> AuditChain:
    if not 0 < len(chain) <= 80:
        raise ValueError(f"The name of a chain has 1 to 80 characters, not {len(chain)}.")
    locked = select(AuditChain).where(AuditChain.name == chain).with_for_update()
    head = session.scalars(locked.execution_options(populate_existing=True)).one_or_none()
    if head is None:
        insert_missing(session, AuditChain, name=chain, length=0, head=rules.BEGINNING)
        head = session.scalars(locked.execution_options(populate_existing=True)).one()
    return head


def _heads(session: Session, chains: Collection[str]) -> dict[str, AuditChain]:
    """The heads of many chains, locked in the order of their names; those that are missing begin now."""
    locked = select(AuditChain).where(AuditChain.name.in_(chains)).order_by(AuditChain.name).with_for_update()
    fresh = {"populate_existing": True}
    heads = {head.name: head for head in session.scalars(locked, execution_options=fresh)}
    missing = sorted(set(chains) - heads.keys())
    if missing:
        for chain in missing:
            if not 0 < len(chain) <= 80:
                raise ValueError(f"The name of a chain has 1 to 80 characters, not {len(chain)}.")
        insert_missing_many(
            session, AuditChain, [{"name": chain, "length": 0, "head": rules.BEGINNING} for chain in missing]
        )
        heads |= {head.name: head for head in session.scalars(locked, execution_options=fresh)}
    return heads


@event.listens_for(AuditEvent, "before_update")
def _refuse_change(_mapper: Mapper[AuditEvent], _connection: Connection, target: AuditEvent) -> None:
    changed = {name for name, state in inspect(target).attrs.items() if state.history.has_changes()}
    if changed - ERASABLE or target.facts is not None:
        raise RuntimeError(f"An audit event is never changed; {sorted(changed)} of number {target.number} was.")


@event.listens_for(AuditEvent, "before_delete")
def _refuse_removal(_mapper: Mapper[AuditEvent], _connection: Connection, target: AuditEvent) -> None:
    raise RuntimeError(
        f"An audit event is never removed; number {target.number} of {target.chain} was about to be."
    )
