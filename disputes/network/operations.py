"""Changing the network: adding an organisation, changing it, finding or adding the merchant of a complaint."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import Conflict, Invalid
from disputes.network.models import Kind, Organisation
from disputes.network.queries import district
from disputes.network.rules import plain_name

#: Columns that an administrator may change.
CHANGEABLE = frozenset(
    {
        "name",
        "name_en",
        "address",
        "phone",
        "email",
        "trade",
        "areas",
        "on_board",
        "contactable",
        "skills",
        "active",
        "legal_representative",
    }
)


def add(
    session: Session,
    *,
    code: str,
    name: str,
    kind: Kind,
    region: str,
    parent: Organisation | None = None,
    synthetic: bool = False,
    now: datetime,
    **more: Any,
) -> Organisation:
    """Add an organisation. Raises Invalid: unknown field, taken code, a station without its office."""
    unknown = set(more) - CHANGEABLE - {"uscc", "latitude", "longitude"}
    if unknown:
        raise Invalid("Unknown fields.", fields={name: ["There is no such field."] for name in sorted(unknown)})
    if session.scalar(select(Organisation.id).where(Organisation.code == code)) is not None:
        raise Invalid("The code is taken.", fields={"code": [f"The code {code} is taken."]})
    if kind == Kind.STATION and (parent is None or parent.kind != Kind.OFFICE):
        raise Invalid("A station needs its office.", fields={"parent": ["A station belongs to an office."]})
    organisation = Organisation(
        code=code,
        name=name,
        kind=kind,
        region=region,
        parent_id=parent.id if parent else None,
        synthetic=synthetic,
        created_at=now,
        **more,
    )
    session.add(organisation)
    session.flush()
    return organisation


def change(
    session: Session, organisation: Organisation, changes: Mapping[str, Any], *, version: int
) -> Organisation:
    """Change an organisation that the caller has read at ``version``. Raises Conflict, Invalid."""
    if organisation.version != version:
        raise Conflict(
            f"Expected version {version}, found {organisation.version}: somebody else changed it.",
            code="organisation.changed",
        )
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise Invalid("Unknown fields.", fields={name: ["This cannot be changed."] for name in sorted(unknown)})
    for name, value in changes.items():
        setattr(organisation, name, value)
    session.flush()
    return organisation


def find_or_add_merchant(
    session: Session,
    *,
    name: str,
    uscc: str | None = None,
    address: str | None = None,
    phone: str | None = None,
    synthetic: bool = False,
    now: datetime,
) -> Organisation:
    """The merchant of a complaint: by credit code, else by name and address, else newly registered.

    A name alone does not make two shops one: where both have an address, one must contain the other.
    """
    if uscc:
        known = session.scalars(select(Organisation).where(Organisation.uscc == uscc)).one_or_none()
        if known is not None and known.kind == Kind.MERCHANT:
            return known
    query = select(Organisation).where(Organisation.kind == Kind.MERCHANT, Organisation.name == name.strip())
    for known in session.scalars(query.order_by(Organisation.code)):
        if uscc and known.uscc and known.uscc != uscc:
            continue
        if not address or not known.address or _alike(address, known.address):
            return known
    return add(
        session,
        code=f"M-{secrets.token_hex(5).upper()}",
        name=name.strip(),
        kind=Kind.MERCHANT,
        region=district(session),
        address=address or "",
        phone=phone or "",
        contactable=bool(phone),
        uscc=uscc or None,
        synthetic=synthetic,
        now=now,
    )


def _alike(one: str, other: str) -> bool:
    one, other = plain_name(one), plain_name(other)
    return one in other or other in one
