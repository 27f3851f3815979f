"""Issuing the papers of a case: what each of them says is taken from the case and from what was decided."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import WrongState
from disputes.cases.access import centre, in_charge
from disputes.cases.filing import china_day
from disputes.cases.models import Case, Party, Side
from disputes.documents import operations as documents
from disputes.documents.models import Kind, Paper
from disputes.network.models import Kind as OrganisationKind
from disputes.network.models import Organisation


def issue(
    session: Session,
    case: Case,
    kind: Kind,
    data: Mapping[str, Any],
    *,
    to: Literal["complainant", "respondent"] | None,
    by: str,
    now: datetime,
) -> Paper:
    """Issue a paper of the case; ``to`` None: both sides receive it. Raises WrongState without an office."""
    office = session.get(Organisation, case.office_id) if case.office_id else centre(session, case.region)
    if office is None:
        raise WrongState("Expected an office or a centre that issues, found none.", code="paper.no_office")
    bureau = _bureau(session, case, office)
    return documents.issue(
        session,
        kind,
        case_key=str(case.id),
        data={**_of_case(session, case, office, now), "bureau": bureau, **data},
        addressee=to,
        organisation=office,
        by=by,
        now=now,
    )


def _bureau(session: Session, case: Case, office: Organisation) -> str:
    """The authority in whose name an office acts: the bureau above it, else the office itself."""
    above = [place for place in in_charge(session, case) if place.kind == OrganisationKind.BUREAU]
    return above[0].name if above else office.name


def _of_case(session: Session, case: Case, office: Organisation, now: datetime) -> dict[str, Any]:
    parties = session.scalars(select(Party).where(Party.case_id == case.id).order_by(Party.position)).all()
    complainant = next(party for party in parties if party.side == Side.COMPLAINANT)
    respondent = next((party for party in parties if party.side == Side.RESPONDENT), None)
    merchant = session.get(Organisation, case.merchant_id) if case.merchant_id else None
    return {
        "case_no": case.case_no,
        "matter": case.title,
        "complainant": complainant.name,
        "complainant_phone": complainant.phone or "",
        "complainant_address": complainant.address or "",
        "respondent": case.respondent_name,
        "respondent_phone": (respondent.phone if respondent else None) or "",
        "respondent_address": (respondent.address if respondent else None) or "",
        "legal_representative": (merchant.legal_representative if merchant else None) or "",
        "requests": list(case.requests),
        "facts": case.facts,
        "received_on": china_day(case.received_at or case.filed_at),
        "dated_on": china_day(now),
        "office": office.name,
        "office_phone": office.phone,
        "office_address": office.address,
    }
