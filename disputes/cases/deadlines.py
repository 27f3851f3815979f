"""What people do to the deadlines of a case: stop one, let it go on, ask for more time, grant it or not.

Each holds the case's lock, moves timers and tasks in the same transaction, and is told, logged and audited.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from core.refusals import Forbidden, Invalid, NotFound, WrongState
from disputes.audit import operations as audit
from disputes.cases.access import relation, require_on, roles_of
from disputes.cases.models import Case, Evidence
from disputes.cases.telling import tell
from disputes.identity.actor import Actor
from disputes.identity.permissions import SUPERVISION, may
from disputes.notices import operations as notices
from disputes.timelimits import operations, queries
from disputes.timelimits.limits import Bound, Limit, PauseReason
from disputes.timelimits.models import Deadline, DeadlineExtension, DeadlinePause
from disputes.timelimits.rules import day_of
from engine import Engine, Instance, events

#: A reason is a sentence, not a word.
SHORTEST_REASON, LONGEST_REASON = 4, 500


@dataclass(frozen=True)
class Options:
    """What this person may do to a deadline now."""

    row: Deadline
    limit: Limit
    #: Reasons for which it may be stopped; empty when it may not, or not by this person.
    reasons: Sequence[PauseReason]
    may_resume: bool
    may_extend: bool
    #: Requests for more time, the newest first.
    requests: Sequence[DeadlineExtension]


def find(session: Session, case: Case, deadline_id: UUID) -> Deadline:
    """A deadline of the case. Raises NotFound."""
    row = session.get(Deadline, deadline_id, populate_existing=True)
    if row is None or row.key != str(case.id):
        raise NotFound("这件案件没有这个期限。 The case has no such deadline.", code="deadline.not_found")
    return row


def options(session: Session, case: Case, row: Deadline, by: Actor, *, now: datetime) -> Options:
    """What the person may do to the deadline; everything else is refused anyway."""
    limit = _limit(session, row)
    known = relation(session, case)
    runs = row.state == Deadline.State.RUNNING and now < row.due_at
    stopped = operations.stands_still(session, row.instance_id, row.limit) if _is_open(row) else None
    asked = session.scalars(
        select(DeadlineExtension)
        .where(DeadlineExtension.deadline_id == row.id)
        .order_by(DeadlineExtension.requested_at.desc(), DeadlineExtension.id)
    ).all()
    counting = (DeadlineExtension.State.REQUESTED, DeadlineExtension.State.APPROVED)
    free = limit.extendable is not None and sum(e.state in counting for e in asked) < limit.extendable.times
    return Options(
        row,
        limit,
        reasons=limit.pausable if runs and may(by, "deadline.pause", **known) else (),
        may_resume=stopped is not None
        and may(by, "deadline.resume", **known)
        and _may_end(session, case, stopped, by),
        may_extend=(runs or stopped is not None) and free and may(by, "deadline.extend", **known),
        requests=asked,
    )


def pause(
    session: Session,
    engine: Engine,
    case: Case,
    deadline_id: UUID,
    *,
    reason: str,
    why: str = "",
    from_on: date | None = None,
    evidence_id: UUID | None = None,
    by: Actor,
    now: datetime,
) -> Deadline:
    """Stop a limit for one of the reasons that the law knows (办法 第二十二条 and others, see ``pause_reasons``).

    A day before today needs evidence. Raises Forbidden, WrongState, Invalid.
    """
    require_on(session, case, by, "deadline.pause")
    instance, row, limit = _locked(session, engine, case, deadline_id)
    operations.require_running(row, now=now)
    _check_evidence(session, case, evidence_id)
    said = _text(why, "why", least=0)
    known = limit.pause_reason(reason)
    words = f"{known.zh}：{said}" if known and said else said
    made = operations.pause(
        session,
        instance,
        limit,
        why=words,
        reason=reason,
        source=DeadlinePause.Source.PERSON,
        from_on=from_on,
        evidence_id=evidence_id,
        now=now,
        by=str(by),
    )
    facts = {"limit": row.limit, "reason": made.reason, "from": (made.from_on or day_of(now)).isoformat()}
    _moved(session, engine, case, instance, row, "deadline.paused", facts, by=by, now=now)
    assert known is not None
    _tell_parties(
        session, case, limit, "deadline.paused", now=now, why=known.zh, why_en=known.en, article=known.article
    )
    return row


def resume(
    session: Session,
    engine: Engine,
    case: Case,
    deadline_id: UUID,
    *,
    to_on: date | None = None,
    by: Actor,
    now: datetime,
) -> Deadline:
    """Let a limit go on with what was left of it. Raises Forbidden, WrongState, Invalid.

    What the procedure stopped it lets go on itself; a supervisor may do so before.
    """
    require_on(session, case, by, "deadline.resume")
    instance, row, limit = _locked(session, engine, case, deadline_id)
    stopped = operations.stands_still(session, instance.id, row.limit)
    if stopped is not None and not _may_end(session, case, stopped, by):
        raise Forbidden(
            "这个期限由流程暂停，办完那一步自动恢复；督办人可以提前恢复。 "
            "The procedure has stopped this limit and lets it go on; a supervisor may do so before.",
            code="deadline.paused_by_procedure",
        )
    operations.resume(session, instance, row.limit, to_on=to_on, now=now, by=str(by))
    facts = {"limit": row.limit, "to": (to_on or day_of(now)).isoformat()}
    _moved(session, engine, case, instance, row, "deadline.resumed", facts, by=by, now=now)
    _tell_parties(session, case, limit, "deadline.resumed", now=now, due_on=row.due_on)
    return row


def request_extension(
    session: Session,
    engine: Engine,
    case: Case,
    deadline_id: UUID,
    *,
    amount: int | None = None,
    until: date | None = None,
    why: str,
    consents: Collection[str] = (),
    by: Actor,
    now: datetime,
) -> DeadlineExtension:
    """Ask whoever may approve it for more time; nothing moves before. Raises Forbidden, WrongState, Invalid."""
    require_on(session, case, by, "deadline.extend")
    said = _text(why, "why", least=SHORTEST_REASON)
    if (amount is None) == (until is None):
        raise Invalid(
            "请写延长多少，或者延长到哪一日，只写一样。 Give a length or a last day, one of the two.",
            fields={"amount": ["amount / until"]},
        )
    instance, row, limit = _locked(session, engine, case, deadline_id)
    asked = operations.request_extension(
        session,
        row,
        limit,
        amount=amount,
        until=until,
        why=said,
        consents=consents,
        now=now,
        by=str(by),
        by_name=by.name,
    )
    facts = {
        "extension": str(asked.id),
        "limit": row.limit,
        "amount": asked.amount,
        "to": asked.after_on.isoformat(),
    }
    _record(session, case, instance, row, "deadline.extension_asked", facts, by=by, now=now)
    tell(
        session,
        case,
        asked.approved_by,
        "deadline.extension_asked",
        now=now,
        limit=limit.name_zh,
        limit_en=limit.name_en,
        who=by.name,
        due_on=asked.after_on,
        why=said,
    )
    return asked


def decide_extension(
    session: Session,
    engine: Engine,
    extension_id: UUID,
    *,
    grant: bool,
    note: str = "",
    by: Actor,
    now: datetime,
) -> DeadlineExtension:
    """Grant or refuse more time. Never the person who asked. Raises NotFound, Forbidden, WrongState, Invalid."""
    case = case_of_extension(session, extension_id, by, "deadline.decide")
    said = _text(note, "note", least=0 if grant else SHORTEST_REASON)
    instance = engine.lock(session, _instance_of(case))
    asked = _extension(session, extension_id)
    if not roles_of(session, case, by) & set(asked.approved_by):
        raise Forbidden(
            f"这类延期由{'、'.join(asked.approved_by)}批准。 Only {', '.join(asked.approved_by)} may decide.",
            code="extension.not_yours",
        )
    row = find(session, case, asked.deadline_id)
    limit = _limit(session, row)
    facts = {"extension": str(asked.id), "limit": row.limit, "amount": asked.amount}
    if grant:
        operations.approve(session, asked, row, note=said, now=now, by=str(by), by_name=by.name)
        _moved(session, engine, case, instance, row, "deadline.extended", facts, by=by, now=now)
        asked.after_on = row.due_on
        _tell_parties(
            session,
            case,
            limit,
            "deadline.extended",
            now=now,
            due_on=row.due_on,
            article=asked.article,
            who=by.name,
        )
    else:
        operations.refuse(session, asked, note=said, now=now, by=str(by), by_name=by.name)
        _record(session, case, instance, row, "deadline.extension_refused", facts, by=by, now=now)
    _tell_requester(session, case, limit, asked, grant=grant, now=now)
    session.flush()
    return asked


def withdraw_extension(
    session: Session, engine: Engine, extension_id: UUID, *, by: Actor, now: datetime
) -> DeadlineExtension:
    """Take one's own request back. Raises NotFound, Forbidden, WrongState."""
    case = case_of_extension(session, extension_id, by, "deadline.extend")
    instance = engine.lock(session, _instance_of(case))
    asked = _extension(session, extension_id)
    if asked.requested_by != str(by):
        raise Forbidden("只能撤回自己的申请。 Only your own request.", code="extension.not_yours")
    operations.withdraw_extension(session, asked, now=now, by=str(by))
    row = find(session, case, asked.deadline_id)
    facts = {"extension": str(asked.id), "limit": row.limit}
    _record(session, case, instance, row, "deadline.extension_withdrawn", facts, by=by, now=now)
    return asked


def waiting_extensions(
    session: Session, by: Actor, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[tuple[DeadlineExtension, Case]]:
    """Requests that wait for this person's answer, the oldest first."""
    found: list[tuple[DeadlineExtension, Case]] = []
    place = after
    while len(found) < limit:
        query = select(DeadlineExtension).where(DeadlineExtension.state == DeadlineExtension.State.REQUESTED)
        if place is not None:
            query = query.where(tuple_(DeadlineExtension.requested_at, DeadlineExtension.id) > tuple_(*place))
        rows = session.scalars(
            query.order_by(DeadlineExtension.requested_at, DeadlineExtension.id).limit(200)
        ).all()
        for row in rows:
            case = session.get(Case, UUID(row.key))
            if case is not None and row.requested_by != str(by) and _may_decide(session, case, row, by):
                found.append((row, case))
        if len(rows) < 200:
            break
        place = (rows[-1].requested_at, rows[-1].id)
    return found[:limit]


def case_of_extension(session: Session, extension_id: UUID, by: Actor, permission: str) -> Case:
    """The case of a request. Raises NotFound for somebody whom it does not concern."""
    asked = session.get(DeadlineExtension, extension_id)
    case = None if asked is None else session.get(Case, UUID(asked.key))
    if case is None:
        raise _no_extension()
    require_on(session, case, by, permission)
    return case


def _may_decide(session: Session, case: Case, asked: DeadlineExtension, by: Actor) -> bool:
    known = relation(session, case)
    return may(by, "deadline.decide", **known) and bool(roles_of(session, case, by) & set(asked.approved_by))


def _extension(session: Session, extension_id: UUID) -> DeadlineExtension:
    """The request, read under the lock of its case."""
    asked = session.get(DeadlineExtension, extension_id, populate_existing=True)
    if asked is None:
        raise _no_extension()
    return asked


def _no_extension() -> NotFound:
    return NotFound("没有这份延期申请。 There is no such request.", code="extension.not_found")


def _instance_of(case: Case) -> UUID:
    if case.instance_id is None:
        raise WrongState("这件案件没有在办的流程。 Nothing runs on this case.", code="case.not_now")
    return case.instance_id


def _locked(session: Session, engine: Engine, case: Case, deadline_id: UUID) -> tuple[Instance, Deadline, Limit]:
    """Lock the case, then read the deadline and the edition that it is held to."""
    instance = engine.lock(session, _instance_of(case))
    row = find(session, case, deadline_id)
    return instance, row, _limit(session, row)


def _limit(session: Session, row: Deadline) -> Limit:
    return queries.limit_of(session, row, session.get_one(Instance, row.instance_id).bundle)


def _is_open(row: Deadline) -> bool:
    return row.state in (Deadline.State.RUNNING, Deadline.State.PAUSED)


def _may_end(session: Session, case: Case, stopped: DeadlinePause, by: Actor) -> bool:
    """A person's pause by whoever may resume; the procedure's by a supervisor; a repair's by the repair alone."""
    if stopped.source == DeadlinePause.Source.PERSON:
        return True
    supervising = {role.value for grant in SUPERVISION for role in grant.roles}
    return stopped.source == DeadlinePause.Source.PROCEDURE and bool(roles_of(session, case, by) & supervising)


def _check_evidence(session: Session, case: Case, evidence_id: UUID | None) -> None:
    if evidence_id is None:
        return
    evidence = session.get(Evidence, evidence_id)
    if evidence is None or evidence.case_id != case.id:
        raise Invalid(
            "这份材料不属于这件案件。 The evidence does not belong to this case.",
            fields={"evidence_id": ["请重新选择。 Choose again."]},
        )


def _text(text: str, field: str, *, least: int) -> str:
    said = text.strip()
    if not least <= len(said) <= LONGEST_REASON:
        raise Invalid(
            f"请用 {least} 至 {LONGEST_REASON} 个字写明理由。 "
            f"Give the reason in {least} to {LONGEST_REASON} characters.",
            fields={field: [f"{least} – {LONGEST_REASON}"]},
        )
    return said


def _moved(
    session: Session,
    engine: Engine,
    case: Case,
    instance: Instance,
    row: Deadline,
    kind: str,
    facts: Mapping[str, object],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Move timers and tasks, and write down what was done and what came of it."""
    before = row.due_on
    step = engine.rearm(session, instance.id, now=now, by=str(by))
    if step.failed:
        raise WrongState(
            f"期限没有改动：{step.incidents[0].message} Nothing was changed: the moments cannot be reckoned.",
            code="deadline.not_moved",
        )
    session.flush()
    session.refresh(row)
    _record(
        session,
        case,
        instance,
        row,
        kind,
        {**facts, "before": before.isoformat(), "after": row.due_on.isoformat()},
        by=by,
        now=now,
    )


def _record(
    session: Session,
    case: Case,
    instance: Instance,
    row: Deadline,
    kind: str,
    facts: Mapping[str, object],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """An entry in the case's own chain, which the timeline reads, and one in the audit."""
    payload = {**facts, "start": row.start}
    events.append(
        session, instance, kind, payload=payload, at=now, by=str(by), process=row.process, element=row.element
    )
    audit.record(session, chain=f"case:{case.id}", action=kind, facts=facts, by=by, now=now)


def _tell_parties(session: Session, case: Case, limit: Limit, kind: str, *, now: datetime, **facts: object) -> None:
    """The parties hear of limits of the law, and of those that they are held to; the merchant once it was told."""
    if not (limit.legal or limit.bound is Bound.PARTY):
        return
    roles = ["complainant", *(["respondent"] if case.respondent_told_at is not None else [])]
    tell(session, case, roles, kind, now=now, limit=limit.name_zh, limit_en=limit.name_en, **facts)


def _tell_requester(
    session: Session, case: Case, limit: Limit, asked: DeadlineExtension, *, grant: bool, now: datetime
) -> None:
    kind, _, person = asked.requested_by.partition(":")
    if kind != "person":
        return
    zh, en = ("批准", "granted") if grant else ("不批准", "refused")
    notices.tell(
        session,
        person_id=UUID(person),
        case_key=str(case.id),
        kind="deadline.extension_decided",
        title_zh=f"延期申请：{zh}",
        title_en=f"Your request for more time was {en}",
        text_zh=f"{case.case_no} {limit.name_zh}：{asked.decided_by_name}{zh}延长。{asked.note}",
        text_en=f"{case.case_no} {limit.name_en}: {asked.decided_by_name} has {en} the extension. {asked.note}",
        link=f"/cases/{case.id}",
        now=now,
    )
