"""Telling people whose deadlines a re-derivation has moved: one notice a case and reader, many cases at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from disputes.cases.models import Case
from disputes.identity.roles import Role
from disputes.notices import operations as notices
from disputes.notices.operations import Told
from disputes.timelimits.models import Rederivation
from disputes.timelimits.rederivation import Moved

_CAUSES = {
    Rederivation.Cause.CALENDAR: ("放假安排变更", "The holidays changed"),
    Rederivation.Cause.LIMITS: ("时限规定变更", "The time limits changed"),
    Rederivation.Cause.CHECK: ("期限重新核算", "The deadlines were checked"),
}


_COLUMNS = (
    Case.id,
    Case.case_no,
    Case.complainant_id,
    Case.merchant_id,
    Case.office_id,
    Case.respondent_told_at,
)


def tell_moved(session: Session, moved: Mapping[str, Sequence[Moved]], plan: Rederivation, now: datetime) -> None:
    """Tell the parties and the office of each case which of its last days moved, and why."""
    ids = [UUID(key) for key in moved if _is_case(key)]
    cases = {case.id: case for case in session.execute(select(*_COLUMNS).where(Case.id.in_(ids)))}
    told = [
        one
        for key, what in moved.items()
        if _is_case(key) and (case := cases.get(UUID(key))) is not None
        for one in _of_case(case, what, plan)
    ]
    notices.tell_many(session, told, now=now)


@dataclass(frozen=True)
class _Words:
    zh: str
    en: str


def _of_case(case: Row[*tuple[Any, ...]], moved: Sequence[Moved], plan: Rederivation) -> Iterator[Told]:
    public = [m for m in moved if m.for_parties]
    if public:
        yield _told(case, public, plan, person_id=case.complainant_id)
        if case.merchant_id is not None and case.respondent_told_at is not None:
            yield _told(case, public, plan, organisation_id=case.merchant_id, role=Role.RESPONDENT)
    if case.office_id is not None:
        yield _told(case, moved, plan, organisation_id=case.office_id, role=Role.OFFICER)


def _told(
    case: Row[*tuple[Any, ...]],
    moved: Sequence[Moved],
    plan: Rederivation,
    *,
    person_id: UUID | None = None,
    organisation_id: UUID | None = None,
    role: Role | None = None,
) -> Told:
    cause_zh, cause_en = _CAUSES[Rederivation.Cause(plan.cause)]
    number = f"（{plan.document_no}）" if plan.document_no else ""
    words = _listed(moved)
    return Told(
        person_id=person_id,
        organisation_id=organisation_id,
        role=None if role is None else role.value,
        case_key=str(case.id),
        kind="deadline.moved",
        title_zh="期限有变",
        title_en="A deadline has moved",
        text_zh=f"{case.case_no}：{cause_zh}{number}，{words.zh}。",
        text_en=f"{case.case_no}: {cause_en}. {words.en}.",
        link=f"/cases/{case.id}",
    )


def _listed(moved: Sequence[Moved]) -> _Words:
    zh = "；".join(f"{m.name_zh}的最后一日由{_zh(m.before)}改为{_zh(m.after)}" for m in moved)
    en = "; ".join(f"{m.name_en}: the last day is {m.after} instead of {m.before}" for m in moved)
    return _Words(zh, en)


def _zh(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"


def _is_case(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True
