"""The log of an instance: append-only, numbered, chained by hash over salted digests of the payloads.

The hash of an entry covers the entry before, so that nothing can be changed, dropped or put in between; it covers
the payload only through a salted digest, so that personal data can be erased and the chain still verifies.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from engine.models import Event, Instance

_EVENTS = cast(Table, Event.__table__)


def append(
    session: Session,
    instance: Instance,
    kind: str,
    *,
    payload: Mapping[str, Any],
    at: datetime,
    by: str,
    process: str = "",
    element: str = "",
) -> None:
    """Add one entry. The caller holds the instance's lock or is the only one who knows it."""
    write(session, instance, [entry(kind, payload, at, by, process, element)])


def entry(
    kind: str, payload: Mapping[str, Any], at: datetime, by: str, process: str = "", element: str = ""
) -> dict[str, Any]:
    """An entry that is not yet in a chain."""
    return {
        "kind": kind,
        "payload": dict(payload),
        "at": at.astimezone(UTC),
        "by": by,
        "process": process,
        "element": element,
    }


def write(session: Session, instance: Instance, entries: list[dict[str, Any]]) -> None:
    """Chain entries to the instance's head and insert them in one statement."""
    chain(instance, entries)
    insert_chained(session, entries)


def chain(instance: Instance, entries: list[dict[str, Any]]) -> None:
    """Number and chain entries to the instance's head, and move the head."""
    number, head = instance.event_count, instance.event_head
    for row in entries:
        number += 1
        salt = secrets.token_hex(16)
        row["instance_id"] = instance.id
        row["number"] = number
        row["salt"] = salt
        row["digest"] = payload_digest(salt, row["payload"])
        row["hash"] = head = chain_hash(head, row)
    instance.event_count, instance.event_head = number, head


def insert_chained(session: Session, entries: list[dict[str, Any]]) -> None:
    """Insert chained entries in one statement."""
    if entries:
        session.execute(insert(_EVENTS), entries)


def history(session: Session, instance_id: UUID) -> list[Event]:
    """All entries of an instance, oldest first."""
    return list(session.scalars(select(Event).where(Event.instance_id == instance_id).order_by(Event.number)))


def verify(session: Session, instance_id: UUID) -> bool:
    """Whether the chain is whole: no entry changed, missing or added, and its head is the instance's."""
    return not faults(session, instance_id)


def faults(session: Session, instance_id: UUID) -> list[tuple[int, str]]:
    """Every place at which a chain does not fit, as (number, why); empty when it is whole."""
    instance = session.execute(
        select(Instance.event_count, Instance.event_head).where(Instance.id == instance_id)
    ).one_or_none()
    if instance is None:
        return [(0, "the instance is gone")]
    head, number = "", 0
    found: list[tuple[int, str]] = []
    # Up to the head that was read: a step that is committed meanwhile adds entries behind it.
    for event in history(session, instance_id):
        if event.number > instance.event_count:
            break
        number += 1
        if event.number != number:
            found.append((number, f"event {number} is missing"))
            number = event.number
            head = ""
        why = _fault(event, head)
        if why is not None and not (found and found[-1][0] == number - 1 and "missing" in found[-1][1]):
            found.append((event.number, why))
        head = event.hash
    if number < instance.event_count:
        found.append((instance.event_count, f"{instance.event_count - number} events are missing at the end"))
    elif head != instance.event_head:
        found.append((number, "the head does not fit the last event"))
    return found


def _fault(event: Event, head: str) -> str | None:
    """Why an entry does not fit the one before, or its own digests."""
    row = {
        "instance_id": event.instance_id,
        "number": event.number,
        "at": event.at,
        "by": event.by,
        "kind": event.kind,
        "process": event.process,
        "element": event.element,
        "digest": event.digest,
    }
    if event.hash != chain_hash(head, row):
        return "the event was changed, or does not follow the one before"
    erased = event.payload is None and event.salt is None
    if not erased and event.digest != payload_digest(event.salt or "", event.payload):
        return "the payload was changed"
    return None


def erase_payloads(session: Session, instance_id: UUID, *, kinds: tuple[str, ...] = ()) -> int:
    """Erase payloads and their salts (of some kinds, or of all). The chain still verifies; answers how many."""
    statement = update(Event).where(Event.instance_id == instance_id, Event.salt.is_not(None))
    if kinds:
        statement = statement.where(Event.kind.in_(kinds))
    numbers = session.scalars(statement.values(payload=None, salt=None).returning(Event.number)).all()
    return len(numbers)


def payload_digest(salt: str, payload: Any) -> str:
    """SHA-256 over salt and canonical JSON."""
    return hashlib.sha256(salt.encode() + orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()


def chain_hash(head: str, row: Mapping[str, Any]) -> str:
    """SHA-256 over the entry before and every field of this one but payload and salt."""
    at: datetime = row["at"]
    fields = [
        head,
        str(row["instance_id"]),
        row["number"],
        at.astimezone(UTC).isoformat(),
        row["by"],
        row["kind"],
        row["process"],
        row["element"],
        row["digest"],
    ]
    return hashlib.sha256(orjson.dumps(fields)).hexdigest()
