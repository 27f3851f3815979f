"""What the edge leaves in the audit: sign-ins, looks at personal data, files opened. Ids and words, no contents.

A look is written once the request's transaction has ended and before the answer leaves (``afterwards``): a look
that cannot be recorded is not granted, and a refused answer that shows the data again is recorded all the same.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.edge import afterwards, caller, clock, the_edge, write_session
from api.signin import bearer, end_session
from core.refusals import Forbidden
from disputes.audit.operations import record, record_look
from disputes.cases.models import Evidence
from disputes.cases.queries import CaseView
from disputes.identity import signin, throttles
from disputes.identity.models import Person
from disputes.identity.rules import normal_login


def sign_in(login: str, password: str, *, now: datetime) -> Person:
    """Try a login and a password, and record how it went. Raises what ``signin.sign_in`` raises.

    A locked attempt is not tried and not recorded: whoever floods us would write the audit.
    """
    database = the_edge().database
    try:
        person = signin.sign_in(database, login, password, now=now)
    except throttles.Locked:
        raise
    except Forbidden:
        with database.transaction() as session:
            _record_failure(session, normal_login(login) or login, now)
        raise
    with database.transaction() as session:
        record_identity(session, person.id, "signed_in", by=f"person:{person.id}", now=now)
    return person


def sign_out() -> None:
    """End the session of this browser, and record it when somebody was signed in."""
    who = caller()
    if who.person_id is not None and bearer() is None:
        record_identity(write_session(), who.person_id, "signed_out", by=str(who), now=clock())
    end_session()


def record_identity(
    session: Session, person_id: UUID, act: str, *, by: str, now: datetime, **facts: str | list[str]
) -> None:
    """Add an act upon an account to the person's chain."""
    record(session, chain=f"person:{person_id}", action=f"identity.{act}", facts=facts, by=by, now=now)


def looked(view: CaseView, *, purpose: str) -> None:
    """The answer shows this case; record the look if somebody's personal data is in it without its mask."""
    seen = [party for party in view.parties if party.unmasked]
    if not seen:
        return
    who, now, chain = caller(), clock(), f"case:{view.case.id}"
    fields = frozenset[str]().union(*(party.unmasked for party in seen))
    whose = [f"party:{party.id}" for party in seen]

    def note(session: Session) -> None:
        record_look(session, chain=chain, fields=fields, purpose=purpose, whose=whose, by=who, now=now)

    afterwards(note)


def opened(evidence: Evidence) -> None:
    """The answer is this file; record who opened it."""
    who, now, chain, facts = caller(), clock(), f"case:{evidence.case_id}", {"evidence": str(evidence.id)}
    action = "identity_document.read" if evidence.is_identity else "evidence.read"

    def note(session: Session) -> None:
        record(session, chain=chain, action=action, facts=facts, by=who, now=now)

    afterwards(note)


def _record_failure(session: Session, login: str, now: datetime) -> None:
    # A keyed fingerprint tells tries at one login from tries at many; the text may be a password typed too early.
    known = session.scalar(select(Person.id).where(Person.login == login))
    facts = {"person": str(known) if known else None, "subject": throttles.subject_of("login", login)}
    record(session, chain="identity", action="identity.sign_in_failed", facts=facts, by="anonymous", now=now)
