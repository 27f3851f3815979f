"""Anchors: what the heads of all chains were on a night, under a keyed seal, and outside the database too.

A chain holds itself together up to its head; the head stands beside it, and whoever can write the database could
cut both, or take a whole chain away. An anchor notes every head under a seal that needs the data keys, and one line
in a witness file. Between two anchors a chain can only grow.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import sealing
from disputes.audit import rules
from disputes.audit.models import Anchor, Anchored, AuditChain, AuditEvent
from engine import Event, Instance

#: Beside the database, in the folder of what Hejie keeps itself.
WITNESS = "anchors.log"


def anchor(session: Session, *, now: datetime) -> Anchor:
    """Note the heads of all chains. Takes one row per chain, changed where the chain has grown."""
    known = {row.chain: row for row in session.scalars(select(Anchored))}
    for name, instance_id, length, head in _heads(session):
        row = known.get(name)
        if row is None:
            row = known[name] = Anchored(chain=name, of_instance=instance_id, length=-1, head="", seal="", at=now)
            session.add(row)
        if (row.length, row.head) != (length, head):
            row.length, row.head, row.at = length, head, now
            row.seal = _seal(name, length, head)
    last = session.scalars(select(Anchor).order_by(Anchor.number.desc()).limit(1)).one_or_none()
    number, previous = (1, rules.BEGINNING) if last is None else (last.number + 1, last.digest)
    digest = _digest(previous, number, known.values())
    added = Anchor(
        number=number,
        at=now,
        chains=len(known),
        previous=previous,
        digest=digest,
        seal=_seal("anchor", number, digest),
    )
    session.add(added)
    session.flush()
    return added


def testify(folder: Path, anchored: Anchor) -> None:
    """Add an anchor to the witness file; keep a copy of that file where the database's owner cannot write."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / WITNESS).open("a", encoding="ascii") as file:
        file.write(f"{anchored.number} {anchored.digest} {anchored.at.isoformat()}\n")


def faults(session: Session, *, folder: Path | None = None) -> Iterator[tuple[str, int, str]]:
    """What does not fit the anchors, as (chain, number, why); ``folder`` holds the witness file."""
    rows = list(session.scalars(select(Anchored)))
    for row in rows:
        if not hmac.compare_digest(row.seal, _seal(row.chain, row.length, row.head)):
            yield row.chain, row.length, "the anchor was altered: its seal does not fit"
    yield from _lost(session)
    anchors = list(session.scalars(select(Anchor).order_by(Anchor.number)))
    previous = rules.BEGINNING
    for number, one in enumerate(anchors, 1):
        if one.number != number or one.previous != previous or one.seal != _seal("anchor", one.number, one.digest):
            yield "anchors", one.number, "the anchor was altered, or one before it is missing"
        previous = one.digest
    if anchors and anchors[-1].digest != _digest(anchors[-1].previous, anchors[-1].number, rows):
        yield "anchors", anchors[-1].number, "a chain was taken away together with its anchor"
    if rows and not anchors:
        yield "anchors", 0, "the anchors are gone"
    yield from _unwitnessed({one.number: one.digest for one in anchors}, folder)


def _lost(session: Session) -> Iterator[tuple[str, int, str]]:
    """Chains that no longer reach, or no longer hold, what was anchored."""
    why = "what was anchored here is missing or was replaced"
    audit = (
        select(Anchored.chain, Anchored.length)
        .outerjoin(AuditEvent, (AuditEvent.chain == Anchored.chain) & (AuditEvent.number == Anchored.length))
        .where(Anchored.of_instance.is_(None), Anchored.length > 0)
        .where(AuditEvent.digest.is_(None) | (AuditEvent.digest != Anchored.head))
    )
    cases = (
        select(Anchored.chain, Anchored.length)
        .outerjoin(Event, (Event.instance_id == Anchored.of_instance) & (Event.number == Anchored.length))
        .where(Anchored.of_instance.is_not(None), Anchored.length > 0)
        .where(Event.hash.is_(None) | (Event.hash != Anchored.head))
    )
    for chain, length in (*session.execute(audit).all(), *session.execute(cases).all()):
        yield chain, length, why


def _unwitnessed(anchors: dict[int, str], folder: Path | None) -> Iterator[tuple[str, int, str]]:
    path = None if folder is None else folder / WITNESS
    if path is None or not path.is_file():
        return
    for line in path.read_text(encoding="ascii").splitlines():
        number, digest, *_ = line.split(" ")
        if anchors.get(int(number)) != digest:
            yield (
                "anchors",
                int(number),
                "the witness file knows another anchor: the database was set back",
            )


def _heads(session: Session) -> Iterator[tuple[str, UUID | None, int, str]]:
    for name, length, head in session.execute(select(AuditChain.name, AuditChain.length, AuditChain.head)):
        yield name, None, length, head
    cases = select(Instance.id, Instance.event_count, Instance.event_head)
    for instance_id, count, head in session.execute(cases):
        yield f"events:{instance_id}", instance_id, count, head


def _digest(previous: str, number: int, rows: Iterable[Anchored]) -> str:
    told = sorted([row.chain, row.length, row.head] for row in rows)
    return hashlib.sha256(rules.canonical([previous, number, told])).hexdigest()


def _seal(name: str, number: int, head: str) -> str:
    return sealing.fingerprint(f"anchor:{name}:{number}:{head}")
