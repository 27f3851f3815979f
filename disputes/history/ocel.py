"""The event log as OCEL 2.0 JSON, for process mining: streamed, and without anybody's name.

Objects are cases, tasks, deadlines, papers, agreements, organisations, releases and people. People are keyed
digests, other ones in each installation. What was erased is not there; nothing that people wrote ever is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import sealing
from disputes.cases.models import Case
from disputes.cases.queries import concerning
from disputes.documents.models import Paper
from disputes.identity.actor import Actor
from disputes.identity.permissions import may
from disputes.mediation.models import Agreement
from disputes.network.models import Organisation
from disputes.retention.operations import NOBODY
from disputes.settlement.models import SettlementAgreement
from disputes.timelimits.models import Deadline
from engine import Event, Instance, Task

#: Cases read at a time.
BATCH = 100

_STRING, _TIME, _INTEGER, _BOOLEAN = "string", "time", "integer", "boolean"
#: Type of object → its attributes.
OBJECTS: dict[str, dict[str, str]] = {
    "case": {
        "case_no": _STRING, "kind": _STRING, "status": _STRING, "stage": _STRING, "exit": _STRING, "path": _STRING,
        "region": _STRING, "category": _STRING, "disputed_fen": _INTEGER, "agreed_fen": _INTEGER,
        "recovered_fen": _INTEGER, "synthetic": _BOOLEAN, "closed_at": _TIME,
    },
    "task": {"process": _STRING, "element": _STRING, "role": _STRING, "state": _STRING, "due_at": _TIME},
    "deadline": {"limit": _STRING, "element": _STRING, "state": _STRING, "due_at": _TIME},
    "paper": {"kind": _STRING, "number": _STRING},
    "agreement": {"amount_fen": _INTEGER},
    "organisation": {"code": _STRING, "kind": _STRING},
    "release": {"digest": _STRING},
    "person": {},
}  # fmt: skip
#: Attributes of every type of event.
_EVENT = {"process": _STRING, "element": _STRING, "number": _INTEGER}


@dataclass(frozen=True)
class Scope:
    """Which events: from a moment, before another, of one office."""

    since: datetime | None = None
    until: datetime | None = None
    office_id: UUID | None = None


def export(session: Session, scope: Scope, *, by: Actor) -> Iterator[bytes]:
    """The log in pieces that together are one JSON document. Only the cases that the actor may list are in it."""
    kinds = sorted(session.scalars(select(Event.kind).distinct()))
    types = [{"name": name, "attributes": _types(attributes)} for name, attributes in OBJECTS.items()]
    yield b'{"objectTypes":' + orjson.dumps(types)
    yield b',"eventTypes":' + orjson.dumps([{"name": kind, "attributes": _types(_EVENT)} for kind in kinds])
    yield b',"objects":['
    yield from _listed(_objects(session, scope, by))
    yield b'],"events":['
    yield from _listed(_events(session, scope, by))
    yield b"]}"


def _types(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in attributes.items()]


def _listed(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for number, item in enumerate(items):
        yield (b",\n" if number else b"\n") + orjson.dumps(item)


def _cases(session: Session, scope: Scope, by: Actor) -> Iterator[list[Case]]:
    mine = Case.id.is_not(None) if may(by, "case.list_all") else concerning(session, by)
    if mine is None:
        return
    wanted = select(Case).where(mine, Case.instance_id.is_not(None)).order_by(Case.id).limit(BATCH)
    if scope.until is not None:
        wanted = wanted.where(Case.filed_at < scope.until)
    if scope.office_id is not None:
        wanted = wanted.where(Case.office_id == scope.office_id)
    after: UUID | None = None
    while True:
        found = list(session.scalars(wanted if after is None else wanted.where(Case.id > after)))
        if found:
            yield found
        if len(found) < BATCH:
            return
        after = found[-1].id


def _objects(session: Session, scope: Scope, by: Actor) -> Iterator[dict[str, Any]]:
    told: set[str] = set()
    for place in session.scalars(select(Organisation).order_by(Organisation.code)):
        yield _object("organisation", place.id, place.created_at, code=place.code, kind=place.kind)
    for cases in _cases(session, scope, by):
        instances = [case.instance_id for case in cases]
        found = session.execute(select(Instance.id, Instance.bundle).where(Instance.id.in_(instances)))
        bundles = {row.id: row.bundle for row in found}
        for case in cases:
            release = bundles[case.instance_id] if case.instance_id is not None else ""
            if release and release not in told:
                told.add(release)
                yield _object("release", release, case.filed_at, digest=release)
            if case.complainant_id != NOBODY and str(case.complainant_id) not in told:
                told.add(str(case.complainant_id))
                yield _object("person", _person(case.complainant_id), case.filed_at)
            yield _case(case, release)
        for someone in session.scalars(
            select(Event.by).where(Event.instance_id.in_(instances), Event.by.like("person:%")).distinct()
        ):
            if someone.removeprefix("person:") not in told:
                told.add(someone.removeprefix("person:"))
                yield _object("person", _person(someone.removeprefix("person:")), cases[0].filed_at)
        yield from _parts(session, cases)


def _case(case: Case, release: str) -> dict[str, Any]:
    related = {
        "office": ("organisation", case.office_id),
        "merchant": ("organisation", case.merchant_id),
        "court": ("organisation", case.court_id),
        "mediation body": ("organisation", case.mediation_body_id),
        "runs on": ("release", release or None),
    }
    shown = {name: getattr(case, name) for name in OBJECTS["case"]}
    found = _object("case", case.id, case.filed_at, **shown)
    found["relationships"] = [
        {"objectId": f"{kind}:{id}", "qualifier": qualifier}
        for qualifier, (kind, id) in related.items()
        if id is not None
    ]
    if case.complainant_id != NOBODY:
        complainant = f"person:{_person(case.complainant_id)}"
        found["relationships"].append({"objectId": complainant, "qualifier": "complainant"})
    return found


def _parts(session: Session, cases: list[Case]) -> Iterator[dict[str, Any]]:
    of = {case.instance_id: case.id for case in cases}
    ids = [case.id for case in cases]
    keys = [str(case.id) for case in cases]
    for task in session.scalars(select(Task).where(Task.instance_id.in_(of)).order_by(Task.id)):
        shown = {name: getattr(task, name) for name in OBJECTS["task"]}
        yield _part("task", task.id, task.opened_at, of[task.instance_id], **shown)
    for deadline in session.scalars(select(Deadline).where(Deadline.instance_id.in_(of)).order_by(Deadline.id)):
        shown = {name: getattr(deadline, name) for name in OBJECTS["deadline"]}
        yield _part("deadline", deadline.id, deadline.opened_at, of[deadline.instance_id], **shown)
    papers = select(Paper.id, Paper.kind, Paper.number, Paper.issued_at, Paper.case_key)
    for id, kind, number, issued_at, key in session.execute(papers.where(Paper.case_key.in_(keys))):
        yield _part("paper", id, issued_at, key, kind=kind, number=number)
    for agreed in session.scalars(select(Agreement).where(Agreement.case_id.in_(ids))):
        at = agreed.effective_at
        if at is not None:
            yield _part("agreement", agreed.id, at, agreed.case_id, amount_fen=agreed.amount_fen)
    for settled in session.scalars(select(SettlementAgreement).where(SettlementAgreement.case_id.in_(ids))):
        yield _part(
            "agreement", settled.case_id, settled.promised_at, settled.case_id, amount_fen=settled.amount_fen
        )


def _object(type: str, id: object, at: datetime, /, **attributes: Any) -> dict[str, Any]:
    time = _time(at)
    return {
        "id": f"{type}:{id}",
        "type": type,
        "attributes": [
            {"name": name, "time": time, "value": _value(value)}
            for name, value in attributes.items()
            if value is not None
        ],
    }


def _part(type: str, id: object, at: datetime, case_id: object, /, **attributes: Any) -> dict[str, Any]:
    found = _object(type, id, at, **attributes)
    return {**found, "relationships": [{"objectId": f"case:{case_id}", "qualifier": "of"}]}


def _events(session: Session, scope: Scope, by: Actor) -> Iterator[dict[str, Any]]:
    for cases in _cases(session, scope, by):
        of = {case.instance_id: case.id for case in cases}
        wanted = select(Event).where(Event.instance_id.in_(of)).order_by(Event.instance_id, Event.number)
        if scope.since is not None:
            wanted = wanted.where(Event.at >= scope.since)
        if scope.until is not None:
            wanted = wanted.where(Event.at < scope.until)
        tasks = {str(id) for id in session.scalars(select(Task.id).where(Task.instance_id.in_(of)))}
        for event in session.scalars(wanted):
            yield _event(event, of[event.instance_id], tasks)


def _event(event: Event, case_id: UUID, tasks: set[str]) -> dict[str, Any]:
    related = [{"objectId": f"case:{case_id}", "qualifier": "case"}]
    payload = event.payload or {}
    if str(payload.get("task")) in tasks:
        related.append({"objectId": f"task:{payload['task']}", "qualifier": "task"})
    if event.by.startswith("person:"):
        person = _person(event.by.removeprefix("person:"))
        related.append({"objectId": f"person:{person}", "qualifier": "by"})
    if event.kind == "instance.started" and "bundle" in payload:
        related.append({"objectId": f"release:{payload['bundle']}", "qualifier": "on"})
    return {
        "id": f"{event.instance_id}/{event.number}",
        "type": event.kind,
        "time": _time(event.at),
        "attributes": [
            {"name": name, "value": _value(value)}
            for name, value in (("process", event.process), ("element", event.element), ("number", event.number))
            if value != ""
        ],
        "relationships": related,
    }


def _person(person_id: object) -> str:
    """A pseudonym: keyed, so that nobody finds the person by trying ids."""
    return sealing.fingerprint(f"ocel:{person_id}")[:24]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _value(value: Any) -> str:
    """As text: the schema of the JSON form allows nothing else; the type is declared with the attribute."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _time(value) if isinstance(value, datetime) else str(value)
