"""Sessions, agreements and terminations as their readers may see them; and what forms show of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.now import CHINA
from disputes.cases.access import require_on, roles_of
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.inbox.contexts import provides
from disputes.inbox.models import InboxItem
from disputes.inbox.queries import last_answer
from disputes.mediation.models import Agreement, Mediation, MediationSession, Termination

#: Only words a draft: what holds people to the sixty days is the limit C03.
LONGEST = timedelta(days=60)


@dataclass(frozen=True)
class SessionView:
    """One session; the mediator's note is the mediator's alone."""

    number: int
    planned_for: datetime
    place: str
    mode: str
    state: str
    result: str | None
    undisputed_facts: Sequence[str]
    disputed_points: Sequence[str]
    note: str


def sessions(session: Session, case: Case, actor: Actor) -> list[SessionView]:
    """The sessions of a case, oldest first. Raises NotFound."""
    require_on(session, case, actor, "case.read")
    private = "mediator" in roles_of(session, case, actor)
    query = select(MediationSession).where(MediationSession.case_id == case.id).order_by(MediationSession.number)
    return [
        SessionView(
            found.number,
            found.planned_for,
            found.place,
            found.mode,
            found.state,
            found.result,
            json.loads(found.undisputed_facts),
            json.loads(found.disputed_points),
            found.note if private else "",
        )
        for found in session.scalars(query)
    ]


def mediations(session: Session, case: Case, actor: Actor) -> Sequence[Mediation]:
    """Who mediated, why they, and how it ended. Raises NotFound."""
    require_on(session, case, actor, "case.read")
    return session.scalars(
        select(Mediation).where(Mediation.case_id == case.id).order_by(Mediation.opened_at)
    ).all()


def agreement(session: Session, case: Case, actor: Actor) -> Agreement | None:
    """The agreement in force. Raises NotFound."""
    require_on(session, case, actor, "case.read")
    query = select(Agreement).where(Agreement.case_id == case.id).order_by(Agreement.version.desc()).limit(1)
    return session.scalars(query).one_or_none()


def termination(session: Session, case: Case, actor: Actor) -> Termination | None:
    """The last decision to terminate. Raises NotFound."""
    require_on(session, case, actor, "case.read")
    query = select(Termination).where(Termination.case_id == case.id).order_by(Termination.decided_at.desc())
    return session.scalars(query.limit(1)).one_or_none()


@provides(
    "hold-session", "draft-agreement", "sign-agreement", "decide-termination", "tell-termination", "plan-session"
)
def form_context(session: Session, case: Case, item: InboxItem, now: datetime) -> Mapping[str, Any]:
    """When and where the session is, what was drafted, what was found not to be disputed."""
    context: dict[str, Any] = {}
    query = select(MediationSession).where(MediationSession.case_id == case.id).order_by(MediationSession.number)
    held = session.scalars(query).all()
    if held:
        last = held[-1]
        context |= {
            "session_at": last.planned_for.astimezone(CHINA).isoformat(timespec="minutes"),
            "session_place": last.place,
            "session_number": last.number,
            "undisputed_facts": "\n".join(fact for s in held for fact in json.loads(s.undisputed_facts)),
        }
    draft = last_answer(session, case.id, "draft_agreement")
    if draft is not None:
        context |= {
            "terms": draft.content.get("terms"),
            "agreement_amount": f"{int(draft.content.get('amount_fen') or 0) / 100:,.2f} 元",
            "agreement_performance_due_on": draft.content.get("performance_due_on"),
        }
    if item.form == "decide-termination":
        context["prepared_reasons"] = prepared_reasons(held, case, now)
    return context


def prepared_reasons(held: Sequence[MediationSession], case: Case, now: datetime) -> str:
    """A draft of the reasons, from how it went; the officer decides and may write others (文书式样八)."""
    results = {session.result for session in held}
    if case.accepted_at is not None and now - case.accepted_at >= LONGEST:
        return "自受理之日起六十日内双方未能达成调解协议。"
    if "no_show" in results:
        return "一方无正当理由不参加调解。"
    if "no_agreement" in results:
        return f"经组织调解{len(held)}次，一方明确表示无法达成调解协议。"
    return "双方没有在期限内签署调解协议。"
