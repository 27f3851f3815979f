"""Decisions and dispatches of intake, and what its forms show."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.cases import filing
from disputes.cases.access import require_on
from disputes.cases.models import Case, Note
from disputes.identity.actor import Actor
from disputes.inbox.contexts import provides
from disputes.inbox.models import InboxItem
from disputes.intake.models import AcceptanceDecision, Dispatch, Pointer
from disputes.network.models import Kind, Organisation


def decision(session: Session, case: Case, actor: Actor) -> AcceptanceDecision | None:
    """The decision on acceptance, once there is one. Raises NotFound."""
    require_on(session, case, actor, "case.read")
    query = select(AcceptanceDecision).where(AcceptanceDecision.case_id == case.id)
    return session.scalars(query.order_by(AcceptanceDecision.decided_at.desc()).limit(1)).one_or_none()


def dispatches(session: Session, case: Case, actor: Actor) -> Sequence[Dispatch]:
    """Where the case was sent and why, oldest first. Raises NotFound."""
    require_on(session, case, actor, "case.read")
    query = select(Dispatch).where(Dispatch.case_id == case.id).order_by(Dispatch.dispatched_at)
    return session.scalars(query).all()


def pointer(session: Session, case: Case, actor: Actor) -> Pointer | None:
    """What somebody was told whose matter is no complaint. Raises NotFound."""
    require_on(session, case, actor, "case.read")
    return session.scalars(select(Pointer).where(Pointer.case_id == case.id).limit(1)).one_or_none()


@provides("dispatch", "acceptance-decision", "first-contact", "identity-check", "answer-elsewhere")
def form_context(session: Session, case: Case, item: InboxItem, now: datetime) -> Mapping[str, Any]:
    """The offices to choose from, why the last one returned the case, what was filed, who would be competent."""
    context: dict[str, Any] = {"facts": case.facts, "competent_body_found": filing.competent_body(case)}
    if item.form == "dispatch":
        query = select(Organisation).where(Organisation.kind == Kind.OFFICE, Organisation.active)
        offices = session.scalars(query.order_by(Organisation.code))
        context["offices"] = [{"label": office.name, "value": office.code} for office in offices]
        context["returned_reason"] = _returned_reason(session, case)
    return context


def _returned_reason(session: Session, case: Case) -> str | None:
    """What the office wrote when it gave the case back (办法 第四十一条)."""
    query = select(Note).where(Note.case_id == case.id).order_by(Note.written_at.desc())
    for note in session.scalars(query):
        if "centre_clerk" in note.visible_to and note.text.startswith("退回处理中心："):
            return note.text.removeprefix("退回处理中心：")
    return None
