"""The seeded district with the real diagrams, forms and limits, for tests that run the real procedure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from disputes.cases import operations as cases
from disputes.cases.models import Case
from disputes.demo.cast import Cast, assemble
from disputes.identity import passwords
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.identity.roles import Role
from disputes.inbox import operations as inbox
from disputes.inbox.forms import form_of
from disputes.inbox.models import InboxItem, ItemState
from disputes.releases.tree import read_tree
from disputes.wiring import build_engine
from engine import Engine, Incident, bundles

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)  # 10:00 in China, a Friday
SHOP = "松果优品数码店"
STALL = "迅达手机维修"


@lru_cache(maxsize=1)
def release() -> dict[str, bytes]:
    """The files of the release; that the gate lets them pass is tested elsewhere."""
    return dict(read_tree(Path()).files)


@lru_cache(maxsize=1)
def the_engine() -> Engine:
    return build_engine(secret_key="a-secret-for-tests")


@dataclass
class District:
    """People who act through the real operations."""

    cast: Cast
    engine: Engine

    def consumer(self, session: Session) -> Actor:
        person = people.by_login(session, self.cast.consumer_login)
        assert person is not None
        return people.as_actor(person)

    def filing(self, **given: Any) -> dict[str, Any]:
        """A valid filing; ``given`` replaces fields."""
        return {
            "topic": "goods",
            "facts": "九月十日买的手机第三天不能开机，打 13800138000 找我。",
            "category": "手机",
            "occurred_on": "2026-09-10",
            "amount_fen": 160_000,
            "order_proof": True,
            "respondent_name": SHOP,
            "respondent_address": "云溪数码城二楼206号",
            "seller_kind": "shop",
            "requests": ["退货"],
            "path": "file_now",
            "for_living": True,
            "handled_by": "none",
            "complainant_name": "林晓梅",
            "complainant_phone": "13900000101",
            "complainant_address": "云溪区溪口路 8 号 301 室",
            "truthful": True,
            **given,
        }

    def file(self, session: Session, *, now: datetime = NOW, by: Actor | None = None, **given: Any) -> Case:
        return cases.file(session, self.engine, self.filing(**given), by=by or self.consumer(session), now=now)

    def item(self, session: Session, case: Case, element: str, party: str | None = None) -> InboxItem:
        query = select(InboxItem).where(
            InboxItem.case_id == case.id, InboxItem.element == element, InboxItem.state == ItemState.OPEN
        )
        if party:
            query = query.where(InboxItem.party == party)
        return session.scalars(query.limit(1)).one()

    def actor(self, session: Session, case: Case, item: InboxItem) -> Actor:
        if item.role == Role.RESPONDENT:
            return self.cast.merchant_side(session, case)
        if item.person_id is not None:
            return people.as_actor(people.person(session, item.person_id))
        places = [item.organisation_id] if item.organisation_id else []
        return people.as_actor(people.holders(session, item.role, *places)[0])

    def do(
        self,
        session: Session,
        case: Case,
        element: str,
        party: str | None = None,
        *,
        now: datetime = NOW,
        **answer: Any,
    ) -> None:
        """Answer an open task as the person whom it waits for."""
        item = self.item(session, case, element, party)
        inbox.answer(
            session,
            self.engine,
            item.task_id,
            form_of(session, item).digest,
            answer,
            by=self.actor(session, case, item),
            now=now,
        )
        faults = session.scalars(select(Incident.message).where(Incident.key == str(case.id))).all()
        assert not faults, faults


def build_district(database: Database) -> District:
    """Seed an empty database. Nobody signs in: thirty real password digests would take longer than the tests."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with patch.object(passwords, "_HASHER", cheap), database.transaction() as session:
        cast = assemble(session, now=NOW)
        bundles.make_current(session, bundles.save(session, release(), now=NOW), now=NOW)
    return District(cast, the_engine())
