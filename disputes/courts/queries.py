"""Packages and applications, as the court and the sending office see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.refusals import NotFound
from disputes.cases.access import relation, require_on
from disputes.cases.models import Case
from disputes.courts import package
from disputes.courts.models import ConfirmationApplication, Handover
from disputes.courts.services import content_of
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.identity.permissions import may
from disputes.identity.roles import Role
from disputes.inbox.contexts import provides
from disputes.inbox.models import InboxItem
from disputes.mediation.models import Agreement
from disputes.network.models import Kind, Organisation


def packages(session: Session, actor: Actor, *, case: Case | None = None, limit: int = 50) -> Sequence[Handover]:
    """Packages to and from the actor's organisations, the newest first."""
    places = actor.organisations(Role.COURT_LIAISON, Role.COUNCIL_LIAISON, Role.OFFICER, Role.SUPERVISOR, Role.HEAD)
    query = select(Handover).order_by(Handover.sent_at.desc(), Handover.id).limit(min(limit, 200))
    if case is not None:
        query = query.where(Handover.case_id == case.id)
        known = relation(session, case)
        if not may(actor, "handover.read", court_id=known["court_id"], office_id=known["office_id"]):
            return []
    elif not actor.is_system:
        query = query.where(or_(Handover.from_id.in_(places), Handover.to_id.in_(places)))
    return session.scalars(query).all()


def one(session: Session, handover_id: UUID, actor: Actor) -> tuple[Handover, Mapping[str, Any]]:
    """A package and its content, with its receipt. Raises NotFound unless the actor may read it."""
    handover = session.get(Handover, handover_id)
    case = session.get(Case, handover.case_id) if handover else None
    known = relation(session, case) if case else {}
    allowed = known and may(actor, "handover.read", court_id=known["court_id"], office_id=known["office_id"])
    if handover is None or not allowed:
        raise NotFound(
            "没有这个移送包，或者它不归您。 There is no such package, or not for you.",
            code="handover.not_found",
        )
    return handover, content_of(handover)


def missing_in(handover: Handover) -> dict[str, list[str]]:
    """What a package lacks; empty for one that is complete."""
    return package.missing(content_of(handover))


def application(session: Session, case: Case, actor: Actor) -> ConfirmationApplication | None:
    """The application for judicial confirmation and its ruling. Raises NotFound."""
    require_on(session, case, actor, "case.read")
    query = select(ConfirmationApplication).where(ConfirmationApplication.case_id == case.id)
    return session.scalars(query).one_or_none()


@provides(
    "choose-mediator",
    "designate-mediator",
    "receipt-package",
    "correct-package",
    "sign-application",
    "want-confirmation",
    "decide-docket",
    "rule-confirmation",
)
def form_context(session: Session, case: Case, item: InboxItem, now: datetime) -> Mapping[str, Any]:
    """The mediators to choose from, the agreement to confirm, why a package came back."""
    context: dict[str, Any] = {}
    if item.form in ("choose-mediator", "designate-mediator"):
        context["mediators"] = [
            {"label": f"{person.name}（{place}）", "value": str(person.id)} for person, place in _mediators(session)
        ]
    query = select(Agreement).where(Agreement.case_id == case.id).order_by(Agreement.version.desc()).limit(1)
    agreed = session.scalars(query).one_or_none()
    if agreed is not None:
        context |= {
            "terms": agreed.terms,
            "agreement_amount": f"{agreed.amount_fen / 100:,.2f} 元",
            "agreement_performance_due_on": agreed.performance_due_on.isoformat(),
        }
    sent = session.scalars(
        select(Handover).where(Handover.case_id == case.id).order_by(Handover.sent_at.desc()).limit(1)
    ).one_or_none()
    if sent is not None:
        context["return_reason"] = (sent.receipt or {}).get("reason") or ""
        context["package_summary"] = package.summary(content_of(sent))
    return context


def _mediators(session: Session) -> list[tuple[Any, str]]:
    bodies = session.execute(
        select(Organisation.id, Organisation.name).where(
            Organisation.kind.in_((Kind.COUNCIL, Kind.MEDIATION_BODY)), Organisation.active
        )
    )
    names = {place: name for place, name in bodies}  # noqa: C416  # rows are no pairs to mypy
    if not names:
        return []
    return [
        (person, next(names[m.organisation_id] for m in person.memberships if m.organisation_id in names))
        for person in people.holders(session, Role.MEDIATOR, *names)
    ]
