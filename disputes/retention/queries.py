"""Which data has reached its end, what keeps it, and who asked for what."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from disputes.audit.models import AuditEvent
from disputes.cases.models import Case, Party
from disputes.cases.queries import concerning
from disputes.courts.models import ConfirmationApplication
from disputes.identity.actor import Actor
from disputes.identity.models import Membership, Person
from disputes.retention.models import Erasure, ErasureRequest, Hold, Kind, RequestState
from disputes.retention.periods import Period
from engine import Instance

_ENDED = (Instance.State.COMPLETED, Instance.State.CANCELLED)


def due(
    session: Session, periods: Mapping[Kind, Period], *, now: datetime, after: UUID | None = None, limit: int = 100
) -> list[tuple[UUID, list[Kind]]]:
    """Cases with data whose period has ended and that nothing holds, by id; the kinds that are due for each."""
    wanted = select(Case).where(or_(*_ends(periods, now)), *_free()).order_by(Case.id).limit(limit)
    if after is not None:
        wanted = wanted.where(Case.id > after)
    return [(case.id, due_of(session, case, periods, now=now)) for case in session.scalars(wanted)]


def _ends(periods: Mapping[Kind, Period], now: datetime) -> list[ColumnElement[bool]]:
    return [
        (Case.closed_at < period.ends_before(now))
        & ~exists().where(Erasure.case_id == Case.id, Erasure.kind == kind)
        for kind, period in periods.items()
        if kind != Kind.ACCOUNT
    ]


def _free() -> list[ColumnElement[bool]]:
    return [exists().where(Instance.id == Case.instance_id, Instance.state.in_(_ENDED)), ~_held(), ~_in_court()]


def _held() -> ColumnElement[bool]:
    return exists().where(Hold.case_id == Case.id, Hold.lifted_at.is_(None))


def _in_court() -> ColumnElement[bool]:
    """A court has taken the case and has not ruled."""
    return exists().where(
        ConfirmationApplication.case_id == Case.id,
        ConfirmationApplication.docketed.is_(True),
        ConfirmationApplication.ruled_at.is_(None),
    )


def due_of(session: Session, case: Case, periods: Mapping[Kind, Period], *, now: datetime) -> list[Kind]:
    """The kinds of a case that have reached their end and are not erased; none while something keeps them."""
    if case.closed_at is None or kept_because(session, case) is not None:
        return []
    done = erased(session, case.id)
    return [
        kind
        for kind, period in periods.items()
        if kind != Kind.ACCOUNT and kind not in done and case.closed_at < period.ends_before(now)
    ]


def erased(session: Session, case_id: UUID) -> set[Kind]:
    """The kinds of a case that are gone."""
    return {Kind(kind) for kind in session.scalars(select(Erasure.kind).where(Erasure.case_id == case_id))}


def kept_because(session: Session, case: Case) -> tuple[str, str] | None:
    """Why the data of a case must stay for now, in both languages; None when nothing keeps it."""
    state = session.scalar(select(Instance.state).where(Instance.id == case.instance_id))
    if case.closed_at is None or state not in _ENDED:
        return "案件还没有办完。", "the case has not ended."
    if session.scalar(select(func.count()).where(Case.id == case.id, _in_court())):
        return "法院正在办理。", "it is before a court."
    if session.scalar(select(func.count()).where(Case.id == case.id, _held())):
        return "有关部门要求保留。", "a hold keeps it."
    return None


def held(session: Session, periods: Mapping[Kind, Period], *, now: datetime) -> int:
    """How many cases have data past its period that a hold or a court keeps."""
    wanted = select(func.count()).select_from(Case).where(or_(*_ends(periods, now)), or_(_held(), _in_court()))
    return session.scalar(wanted) or 0


def is_needed(session: Session, person_id: UUID) -> bool:
    """Whether somebody holds an office, or stands in a case that is not erased."""
    own = or_(Case.complainant_id == person_id, Case.filed_by == person_id, Case.mediator_id == person_id)
    return any(
        session.scalar(select(exists().where(question)))
        for question in (Membership.person_id == person_id, own, Party.person_id == person_id)
    )


def idle_accounts(session: Session, period: Period, *, now: datetime) -> list[UUID]:
    """Accounts of consumers without any case, that nobody has used for the whole period."""
    before = period.ends_before(now)
    own_case = exists().where(or_(Case.complainant_id == Person.id, Case.filed_by == Person.id))
    party = exists().where(Party.person_id == Person.id)
    office = exists().where(Membership.person_id == Person.id)
    wanted = select(Person.id).where(
        Person.login.is_not(None), Person.created_at < before, ~own_case, ~party, ~office
    )
    return [one for one in session.scalars(wanted) if not _used_since(session, one, before)]


def _used_since(session: Session, person_id: UUID, moment: datetime) -> bool:
    used = select(AuditEvent.id).where(AuditEvent.by == f"person:{person_id}", AuditEvent.at >= moment).limit(1)
    return session.scalar(used) is not None


def holds(session: Session, case: Case) -> list[Hold]:
    """The holds on a case, the newest first."""
    return list(session.scalars(select(Hold).where(Hold.case_id == case.id).order_by(Hold.set_at.desc(), Hold.id)))


def of_case(session: Session, case: Case) -> dict[str, Any]:
    """What is gone of a case, what keeps the rest, and what was asked."""
    why = kept_because(session, case)
    gone = session.scalars(select(Erasure).where(Erasure.case_id == case.id).order_by(Erasure.at, Erasure.kind))
    return {
        "erased": list(gone),
        "kept_because": None if why is None else f"{why[0]} {why[1]}",
        "holds": holds(session, case),
        "requests": list(
            session.scalars(
                select(ErasureRequest)
                .where(ErasureRequest.case_id == case.id)
                .order_by(ErasureRequest.asked_at, ErasureRequest.id)
            )
        ),
    }


def open_requests(
    session: Session, actor: Actor, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[ErasureRequest]:
    """Requests that wait for a decision, the oldest first, of the cases that the actor may see at all."""
    mine = concerning(session, actor)
    if mine is None:
        return []
    wanted = (
        select(ErasureRequest)
        .join(Case, Case.id == ErasureRequest.case_id)
        .where(ErasureRequest.state == RequestState.OPEN, mine)
        .order_by(ErasureRequest.asked_at, ErasureRequest.id)
        .limit(limit)
    )
    if after is not None:
        at, id = after
        wanted = wanted.where(
            or_(ErasureRequest.asked_at > at, (ErasureRequest.asked_at == at) & (ErasureRequest.id > id))
        )
    return list(session.scalars(wanted))
