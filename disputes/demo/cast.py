"""Who plays: the staff of the seeded district, its merchants' agents, and the invented consumers."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import NotFound, WrongState
from disputes.cases.models import Case
from disputes.demo.accounts import seed_accounts
from disputes.demo.people import Consumer
from disputes.identity import operations as identity
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.identity.models import Person
from disputes.identity.roles import Role
from disputes.network.models import Kind, Organisation
from disputes.network.seed import seed_district
from disputes.wiring import load_release
from engine import Engine, bundles


@dataclass(frozen=True)
class Cast:
    """The people of the district, found when they are needed."""

    #: Login of the consumer who has an account.
    consumer_login: str

    def consumer(self, session: Session, who: Consumer, *, now: datetime) -> Person:
        """The person behind a consumer of the stories; registered when they first appear."""
        if who.has_account:
            known = people.by_login(session, self.consumer_login)
            if known is None:
                raise WrongState("Expected the district's consumer account, found none.", code="demo.no_consumer")
            return known
        known = next((person for person in people.by_phone(session, who.phone) if person.name == who.name), None)
        return known or identity.register(
            session,
            name=who.name,
            phone=who.phone,
            address=who.address,
            id_kind="resident",
            id_no=who.id_no,
            synthetic=True,
            now=now,
        )

    def staff(self, session: Session, role: str) -> Actor:
        """The first who holds a role anywhere."""
        return people.as_actor(_first(session, role))

    def mediator(self, session: Session) -> Person:
        """A mediator of a mediation body: one whom a court may choose."""
        places = session.scalars(
            select(Organisation.id).where(Organisation.kind.in_((Kind.MEDIATION_BODY, Kind.COUNCIL)))
        ).all()
        return _first(session, Role.MEDIATOR, *places)

    def merchant_side(self, session: Session, case: Case) -> Actor:
        """Who answers for the merchant: its agent, or whoever opens the claim link where it has none."""
        agents = people.holders(session, Role.RESPONDENT, case.merchant_id) if case.merchant_id else []
        return people.as_actor(agents[0]) if agents else Actor.guest(str(case.id), "respondent")


def assemble(session: Session, *, now: datetime) -> Cast:
    """Lay down the district and its accounts where they are missing."""
    seed_district(session, now=now)
    accounts = seed_accounts(session, now=now)
    return Cast(consumer_login=accounts[Role.COMPLAINANT])


def require_release(session: Session, directory: Path, engine: Engine, *, now: datetime) -> None:
    """Deploy the diagrams below a directory where nothing is deployed yet."""
    try:
        bundles.current(session)
    except NotFound:
        load_release(session, directory, engine, now=now, by="system", name="首版")


def _first(session: Session, role: str, *places: object) -> Person:
    found = people.holders(session, role, *places)  # type: ignore[arg-type]
    if not found:
        raise WrongState(f"Expected somebody who holds the role {role}, found nobody.", code="demo.no_cast")
    return found[0]
