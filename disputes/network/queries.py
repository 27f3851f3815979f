"""Finding organisations: by code, by kind, by address."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.refusals import NotFound
from disputes.network.models import Kind, Organisation
from disputes.network.rules import Found, choose_office, matches


def by_code(session: Session, code: str) -> Organisation:
    """The organisation with this code. Raises NotFound."""
    found = session.scalars(select(Organisation).where(Organisation.code == code)).one_or_none()
    if found is None:
        raise NotFound(f"There is no organisation with the code {code!r}.", code="organisation.not_found")
    return found


def find(session: Session, organisation_id: UUID) -> Organisation:
    """One organisation. Raises NotFound."""
    found = session.get(Organisation, organisation_id)
    if found is None:
        raise NotFound("There is no such organisation.", code="organisation.not_found")
    return found


def of_kinds(session: Session, *kinds: Kind, region: str | None = None) -> list[Organisation]:
    """Active organisations of some kinds, by code."""
    query = select(Organisation).where(Organisation.kind.in_(kinds), Organisation.active)
    if region is not None:
        query = query.where(Organisation.region == region)
    return list(session.scalars(query.order_by(Organisation.code)))


def page(
    session: Session,
    *,
    kind: Kind | None = None,
    parent_id: UUID | None = None,
    text: str = "",
    after: str | None = None,
    limit: int = 50,
) -> list[Organisation]:
    """A page by code: filtered by kind, parent, and a part of the name or the beginning of the code."""
    query = select(Organisation).where(Organisation.active).order_by(Organisation.code).limit(limit)
    if kind is not None:
        query = query.where(Organisation.kind == kind)
    if parent_id is not None:
        query = query.where(Organisation.parent_id == parent_id)
    if text:
        query = query.where(
            or_(
                Organisation.name.contains(text, autoescape=True),
                Organisation.code.startswith(text, autoescape=True),
            )
        )
    if after is not None:
        query = query.where(Organisation.code > after)
    return list(session.scalars(query))


def district(session: Session) -> str:
    """The region that this installation serves: its centre's. Raises NotFound before there is one."""
    region = session.scalar(
        select(Organisation.region)
        .where(Organisation.kind == Kind.CENTRE, Organisation.active)
        .order_by(Organisation.code)
        .limit(1)
    )
    if region is None:
        raise NotFound("The network has no processing centre yet.", code="network.empty")
    return region


def in_district(session: Session, region: str, address: str | None, merchant: Organisation | None) -> bool:
    """Does the merchant carry on business here? Its own address decides; an unknown one counts as here,
    because whoever received the complaint first has to look (办法 第十三条、第十五条).
    """
    if address:
        if matches(address, of_kinds(session, Kind.OFFICE, Kind.STATION, region=region)):
            return True
        elsewhere = [place for place in of_kinds(session, Kind.BUREAU) if place.region != region]
        if matches(address, elsewhere):
            return False
    return merchant is None or merchant.region == region


def station_at(session: Session, address: str) -> Organisation | None:
    """The service station of the mall or market that an address names."""
    hits = matches(address, of_kinds(session, Kind.STATION))
    return hits[0][1] if hits else None


def office_for(
    session: Session,
    *,
    address: str,
    trade: str | None = None,
    merchant_id: UUID | None = None,
    region: str,
    load: Callable[[Organisation], int],
) -> Found:
    """The competent office and why. Raises NotFound where the district has no office."""
    places = of_kinds(session, Kind.OFFICE, Kind.STATION, region=region)
    if not any(place.kind == Kind.OFFICE for place in places):
        raise NotFound(f"The district {region} has no office yet.", code="network.no_office")
    merchant = session.get(Organisation, merchant_id) if merchant_id else None
    return choose_office(address, merchant, places, load=load)


def bureau_of(session: Session, address: str, *, besides: str) -> Organisation | None:
    """The bureau of another district that an address names."""
    elsewhere = [place for place in of_kinds(session, Kind.BUREAU) if place.region != besides]
    hits = matches(address, elsewhere)
    return hits[0][1] if hits else None
