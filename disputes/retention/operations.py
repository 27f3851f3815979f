"""Erasing personal data whose period has ended, holding it back, and deciding what people ask.

One transaction a case: its row is locked, everything of the kinds that are due is emptied, the erasure is written
and recorded in the audit. A run that is killed has erased some cases whole and the others not at all; the next run
goes on. Events, figures and the numbers of papers stay; every chain still verifies, because it stands on digests.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, delete, func, select, update
from sqlalchemy.orm import Session

from core.db import Base, Database, insert_missing
from core.refusals import Invalid, NotFound, WrongState
from disputes.audit.models import AuditEvent
from disputes.audit.operations import erase_facts, record
from disputes.cases import evidence
from disputes.cases.access import require_on
from disputes.cases.models import Case, Evidence, Party, Side
from disputes.identity.actor import Actor
from disputes.identity.models import ApiToken, Membership, Person
from disputes.inbox.models import Draft, InboxItem
from disputes.retention import queries, register
from disputes.retention.models import Erasure, ErasureRequest, Hold, Kind, RequestState
from disputes.retention.periods import Period
from disputes.retention.register import CASE_COLUMNS, ROWS
from engine import Instance, events

#: Whoever no longer is somebody: cases point here once their complainant is erased.
NOBODY = UUID("00000000-0000-4000-8000-000000000000")
#: Cases looked up at a time.
BATCH = 100
#: What a granted request erases at once; official papers stay for their period.
ON_REQUEST = (Kind.IDENTITY, Kind.CORRESPONDENCE, Kind.CASE)

_FREE_TEXT = 400


class _Rehearsed(Exception):
    """A rehearsal rolls back what it has done."""


def run(
    database: Database,
    periods: Mapping[Kind, Period],
    *,
    files: Path,
    rehearse: bool = False,
    by: str,
    now: datetime,
) -> dict[str, Any]:
    """Erase what has reached the end of its period; with ``rehearse`` only say what would go.

    Answers ``{rehearsed, cases: [{case_no, kinds, counts}], held, accounts}``; ``counts`` are rows per table.
    """
    told: list[dict[str, Any]] = []
    after: UUID | None = None
    while True:
        with database.reader() as session:
            found = queries.due(session, periods, now=now, after=after, limit=BATCH)
        for case_id, kinds in found:
            told += _run_one(database, case_id, kinds, periods, files, rehearse=rehearse, by=by, now=now)
        if len(found) < BATCH:
            break
        after = found[-1][0]
    with database.reader() as session:
        held = queries.held(session, periods, now=now)
        idle = queries.idle_accounts(session, periods[Kind.ACCOUNT], now=now)
    for person_id in [] if rehearse else idle:
        with database.transaction() as session:
            forget_person(session, person_id, by=by, now=now)
    return {"rehearsed": rehearse, "cases": told, "held": held, "accounts": len(idle)}


def _run_one(
    database: Database,
    case_id: UUID,
    kinds: Collection[Kind],
    periods: Mapping[Kind, Period],
    files: Path,
    *,
    rehearse: bool,
    by: str,
    now: datetime,
) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    with suppress(_Rehearsed), database.transaction() as session:
        case = session.scalars(select(Case).where(Case.id == case_id).with_for_update()).one()
        # Looked at again under the lock: a hold, or another run, may have come first.
        kinds = [kind for kind in kinds if kind in queries.due_of(session, case, periods, now=now)]
        if not kinds:
            return []
        why = "；".join(f"{kind}：{periods[kind].months} 个月，{periods[kind].article}" for kind in kinds)
        counts = erase(session, case, kinds, files=None if rehearse else files, why=why, by=by, now=now)
        told.append({"case_no": case.case_no, "kinds": [str(kind) for kind in kinds], "counts": counts})
        if rehearse:
            raise _Rehearsed
    return told


def erase(
    session: Session, case: Case, kinds: Collection[Kind], *, files: Path | None, why: str, by: str, now: datetime
) -> dict[str, int]:
    """Erase some kinds of data of a case; answers rows per table. Without ``files`` the disk is left alone."""
    counts: Counter[str] = Counter()
    people = _people(session, case) if Kind.CASE in kinds else []
    if Kind.IDENTITY in kinds or Kind.CASE in kinds:
        counts["files"] += _erase_files(session, case, files, identity_only=Kind.CASE not in kinds)
    for table, column in register.tables():
        rows = column == _value(case, column)
        if table.name in ROWS:
            if ROWS[table.name] in kinds:
                counts[table.name] += _rows(session, delete(table).where(rows))
            continue
        emptied = {p.column.name: p.instead for p in register.places(table) if p.kind in kinds}
        if emptied:
            counts[table.name] += _rows(session, update(table).where(rows).values(emptied))
    if Kind.CORRESPONDENCE in kinds:
        counts["draft"] += _erase_drafts(session, case)
    if Kind.CASE in kinds:
        counts.update(_forget_course(session, case, now))
        _let_go(session, case, now)
    session.flush()
    session.expire_all()
    found = {name: number for name, number in sorted(counts.items()) if number}
    for kind in kinds:
        session.add(Erasure(case_id=case.id, kind=kind, at=now, by=by, why=why[:_FREE_TEXT], counts=found))
    facts = {"kinds": sorted(kinds), "why": why, "counts": found}
    record(session, chain=f"case:{case.id}", action="retention.erased", facts=facts, by=by, now=now)
    for person_id in people:
        _forget_unless_needed(session, person_id, by=by, now=now)
    return found


def _value(case: Case, column: Column[Any]) -> Any:
    of = CASE_COLUMNS[column.name]
    return {"id": case.id, "text": str(case.id), "instance": case.instance_id}[of]


def _rows(session: Session, statement: Any) -> int:
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def _erase_files(session: Session, case: Case, files: Path | None, *, identity_only: bool) -> int:
    """Evidence with its bytes; a file that another case laid down too stays for that case."""
    wanted = select(Evidence).where(Evidence.case_id == case.id)
    laid = session.scalars(wanted.where(Evidence.is_identity) if identity_only else wanted).all()
    for one in laid:
        elsewhere = select(func.count()).where(Evidence.sha256 == one.sha256, Evidence.case_id != case.id)
        shared = session.scalar(elsewhere)
        session.delete(one)
        if files is not None and not shared:
            # Before the commit: a run that is killed here finds the row again, and the file gone is no loss.
            evidence.forget_file(files, one.sha256)
    session.flush()
    return len(laid)


def _erase_drafts(session: Session, case: Case) -> int:
    tasks = select(InboxItem.task_id).where(InboxItem.case_id == case.id)
    return _rows(session, delete(Draft).where(Draft.task_id.in_(tasks)))


def _forget_course(session: Session, case: Case, now: datetime) -> dict[str, int]:
    """What the engine, the clocks and the audit keep: payloads and variables go, digests stay."""
    counts = {"audit_event": _erase_audit(session, f"case:{case.id}", now)}
    if case.instance_id is not None:
        counts["event"] = events.erase_payloads(session, case.instance_id)
        session.execute(update(Instance.__table__).where(Instance.id == case.instance_id).values(blob=b""))  # type: ignore[arg-type]
        for table, name in (("deadline", "explanation"), ("task", "due_note"), ("timer", "note")):
            _silence(session, Base.metadata.tables[table], name, case.instance_id)
        _silence(session, Base.metadata.tables["inbox_item"], "due_note", case.instance_id)
    return counts


def _silence(session: Session, table: Table, name: str, instance_id: UUID) -> None:
    """Keep the arithmetic of a deadline, and drop what somebody wrote into it."""
    keys = list(table.primary_key.columns)
    column = table.columns[name]
    rows = session.execute(select(*keys, column).where(table.columns["instance_id"] == instance_id)).all()
    for *key, value in rows:
        silent = _without_words(value)
        if silent != value:
            same = [column_ == part for column_, part in zip(keys, key, strict=True)]
            session.execute(update(table).where(*same).values({name: silent}))


def _without_words(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    if isinstance(value, dict):
        paused = value.get("pauses")
        inner = {key: _without_words(item) for key, item in value.items()}
        if isinstance(paused, list):
            inner["pauses"] = [{**pause, "why": ""} if isinstance(pause, dict) else pause for pause in paused]
        return inner
    return value


def _erase_audit(session: Session, chain: str, now: datetime) -> int:
    told = session.scalars(
        select(AuditEvent).where(AuditEvent.chain == chain, AuditEvent.action.not_like("retention.%"))
    ).all()
    return erase_facts(session, told, now=now)


# People.


def _people(session: Session, case: Case) -> list[UUID]:
    """The people on the complainant's side, and whoever else is a party without holding an office."""
    parties = session.scalars(select(Party.person_id).where(Party.case_id == case.id, Party.person_id.is_not(None)))
    return sorted({case.complainant_id, *(person for person in parties if person is not None)} - {NOBODY})


def _let_go(session: Session, case: Case, now: datetime) -> None:
    """Cut the case off its people: it counts for nobody any more."""
    insert_missing(
        session,
        Person,
        id=NOBODY,
        name=register.GONE,
        language="zh",
        active=False,
        session_epoch=0,
        synthetic=False,
        created_at=now,
        version=1,
    )
    helped = case.filed_by if case.filed_by != case.complainant_id else None
    session.execute(
        update(Case.__table__)  # type: ignore[arg-type]
        .where(Case.id == case.id)
        .values(complainant_id=NOBODY, filed_by=helped)
    )
    session.execute(update(Party.__table__).where(Party.case_id == case.id).values(person_id=None))  # type: ignore[arg-type]
    own = InboxItem.case_id == case.id, InboxItem.party == Side.COMPLAINANT.value
    session.execute(update(InboxItem.__table__).where(*own).values(person_id=None, claimed_by=None))  # type: ignore[arg-type]


def _forget_unless_needed(session: Session, person_id: UUID, *, by: str, now: datetime) -> None:
    """Forget somebody who has no account, no office and no other case."""
    person = session.get(Person, person_id)
    if person is None or person.login is not None or queries.is_needed(session, person_id):
        return
    forget_person(session, person_id, by=by, now=now)


def forget_person(session: Session, person_id: UUID, *, by: str, now: datetime) -> None:
    """Empty a person's row; it stays, because papers and events name it by its id."""
    person = session.get_one(Person, person_id, with_for_update=True)
    if session.scalar(select(func.count()).where(Membership.person_id == person_id)):
        raise WrongState("在岗人员的账号不能这样删除。 Staff are not forgotten so.", code="retention.staff")
    person.name, person.active, person.login, person.password_hash = register.GONE, False, None, None
    person.phone = person.email = person.id_no = person.address = None
    person.phone_fingerprint = person.email_fingerprint = person.id_no_fingerprint = person.id_kind = None
    person.session_epoch += 1
    session.execute(delete(ApiToken).where(ApiToken.person_id == person_id))
    session.flush()
    _erase_audit(session, f"person:{person_id}", now)
    record(session, chain=f"person:{person_id}", action="retention.forgotten", by=by, now=now)


# Holds.


def hold(session: Session, case: Case, *, reason: str, by: Actor, now: datetime) -> Hold:
    """Keep a case's data beyond its periods: a court, an audit or a review needs it."""
    require_on(session, case, by, "retention.hold")
    _require_words(reason)
    # An erasure locks the case and looks for holds: it comes before this one, or finds it.
    session.execute(select(Case.id).where(Case.id == case.id).with_for_update())
    held = Hold(case_id=case.id, reason=reason.strip(), set_at=now, set_by=str(by))
    session.add(held)
    session.flush()
    record(session, chain=f"case:{case.id}", action="retention.held", facts={"hold": str(held.id)}, by=by, now=now)
    return held


def lift(session: Session, case: Case, hold_id: UUID, *, by: Actor, now: datetime) -> Hold:
    """End a hold. Raises NotFound, WrongState."""
    require_on(session, case, by, "retention.hold")
    held = session.get(Hold, hold_id, with_for_update=True)
    if held is None or held.case_id != case.id:
        raise NotFound("没有这项保留。 There is no such hold.", code="retention.no_hold")
    if held.lifted_at is not None:
        raise WrongState("这项保留已经解除。 The hold was lifted already.", code="retention.lifted")
    held.lifted_at, held.lifted_by = now, str(by)
    session.flush()
    facts = {"hold": str(held.id)}
    record(session, chain=f"case:{case.id}", action="retention.lifted", facts=facts, by=by, now=now)
    return held


# What people ask.


def ask(session: Session, case: Case, *, reason: str, by: Actor, now: datetime) -> ErasureRequest:
    """Ask that one's data in a case be erased (个人信息保护法 第四十七条). One open request a case: WrongState."""
    require_on(session, case, by, "retention.ask")
    _require_words(reason)
    opened = select(ErasureRequest.id).where(
        ErasureRequest.case_id == case.id, ErasureRequest.state == RequestState.OPEN
    )
    if session.scalar(opened):
        raise WrongState("已经有一项删除申请在办理。 A request is open already.", code="retention.asked")
    asked = ErasureRequest(case_id=case.id, reason=reason.strip(), asked_at=now, asked_by=str(by))
    session.add(asked)
    session.flush()
    facts = {"request": str(asked.id)}
    record(session, chain=f"case:{case.id}", action="retention.asked", facts=facts, by=by, now=now)
    return asked


def decide(
    session: Session, request_id: UUID, *, grant: bool, answer: str, files: Path, by: Actor, now: datetime
) -> ErasureRequest:
    """Grant or refuse a request. A grant erases at once what the law does not keep.

    Raises NotFound; WrongState when it was decided, when the case still runs or when a hold keeps its data.
    """
    asked = session.get(ErasureRequest, request_id, with_for_update=True)
    if asked is None:
        raise NotFound("没有这项申请。 There is no such request.", code="retention.no_request")
    case = session.scalars(select(Case).where(Case.id == asked.case_id).with_for_update()).one()
    require_on(session, case, by, "retention.decide")
    _require_words(answer)
    if asked.state != RequestState.OPEN:
        raise WrongState("这项申请已经办结。 The request was decided already.", code="retention.decided")
    if grant:
        _require_erasable(session, case)
    asked.state = RequestState.GRANTED if grant else RequestState.REFUSED
    asked.answer, asked.decided_at, asked.decided_by = answer.strip(), now, str(by)
    session.flush()
    action = "retention.granted" if grant else "retention.refused"
    facts = {"request": str(asked.id)}
    record(session, chain=f"case:{case.id}", action=action, facts=facts, by=by, now=now)
    if grant:
        done = queries.erased(session, case.id)
        kinds = [kind for kind in ON_REQUEST if kind not in done]
        erase(
            session,
            case,
            kinds,
            files=files,
            why=f"申请 {asked.id}，个人信息保护法 第四十七条",
            by=str(by),
            now=now,
        )
    return session.get_one(ErasureRequest, request_id)


def _require_erasable(session: Session, case: Case) -> None:
    why = queries.kept_because(session, case)
    if why is not None:
        raise WrongState(
            f"现在不能删除：{why[0]} It cannot be erased now: {why[1]}", code="retention.kept", why=why[1]
        )


def _require_words(text: str) -> None:
    if not 5 <= len(text.strip()) <= _FREE_TEXT:
        raise Invalid(
            "请写明理由，5 至 400 个字。 Give the reason, 5 to 400 characters.",
            fields={"reason": ["5 至 400 个字。 5 to 400 characters."]},
        )
