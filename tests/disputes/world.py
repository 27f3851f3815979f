"""A small district for tests: organisations, people and cases, with others beside them that must not matter."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import sealing
from disputes.cases.listener import CaseListener
from disputes.cases.models import Case, Party, Side
from disputes.identity.actor import Actor
from disputes.identity.models import Membership, Person
from disputes.identity.queries import as_actor
from disputes.identity.roles import Role
from disputes.inbox.listener import InboxListener
from disputes.inbox.models import InboxItem
from disputes.network.models import Kind, Organisation
from engine import Engine, bundles
from tests.engine.drawing import HEAD, Scope

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)  # 10:00 in China, a Friday
REGION = "330299"

FORM = json.dumps(
    {
        "type": "default",
        "id": "decide",
        "components": [
            {"type": "radio", "id": "decision", "key": "decision", "label": "决定", "validate": {"required": True},
             "values": [{"label": "受理", "value": "accept"}, {"label": "不予受理", "value": "refuse"}]},
            {"type": "textarea", "id": "reasons", "key": "reasons", "label": "理由",
             "conditional": {"hide": "=decision != \"refuse\""}, "validate": {"required": True, "minLength": 5}},
        ],
    }
).encode()  # fmt: skip


def diagram() -> bytes:
    """An officer decides, both parties answer, the complainant confirms; the complainant may withdraw."""
    both = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements><zeebe:loopCharacteristics "
        'inputCollection="=[&quot;complainant&quot;, &quot;respondent&quot;]" inputElement="party" />'
        "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
    )
    scope = (
        Scope()
        .start()
        .user("decide_acceptance", form="decide", outputs={"decision": "=decision"})
        .user("answer_mediation", form="decide", groups="=[party]", loop=both)
        .user("return_visit", form="decide", groups="centre_clerk")
        .end("mediated")
        .path("start", "decide_acceptance", "answer_mediation", "return_visit", "mediated")
    )
    return f"{HEAD}{scope.process('acceptance')}</bpmn:definitions>".encode()


@dataclass
class World:
    """Everybody who appears in a case, by the role's name."""

    places: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    engine: Engine = field(default_factory=lambda: Engine(services={}, listeners=[CaseListener(), InboxListener()]))
    bundle: str = ""

    def actor(self, session: Session, name: str) -> Actor:
        person = session.get_one(Person, self.people[name].id)
        return as_actor(person)

    def case(self, session: Session, **given: Any) -> Case:
        """A case that has just been filed, without a procedure."""
        self._cases = getattr(self, "_cases", 0) + 1
        values: dict[str, Any] = {
            "case_no": f"{REGION}-20260918-{self._cases:04d}",
            "title": f"云溪数码：手机 {self._cases}",
            "complainant_id": self.people["complainant"].id,
            "merchant_id": self.places["merchant"].id,
            "respondent_name": "云溪数码",
            "office_id": self.places["office"].id,
            "facts": "王小明于九月十日花 1600 元买了手机，电话 13800138000。",
            "requests": ["退货"],
            "disputed_fen": 160_000,
            "path": "file_now",
            "region": REGION,
            "filed_at": NOW,
            "respondent_told_at": NOW,
            **given,
        }
        case = Case(**values)
        session.add(case)
        session.flush()
        complainant = self.people["complainant"]
        session.add(
            Party(
                case_id=case.id, position=1, side=Side.COMPLAINANT, person_id=complainant.id, name=complainant.name,
                phone="13800138000", phone_fingerprint=sealing.fingerprint("13800138000"),
                address="云溪区和平路 8 号 2 单元 301 室", id_type="resident", id_no="330299199001011234",
                consents={"publish": True, "entrust": False, "e_service": True},
            )
        )  # fmt: skip
        session.add(
            Party(
                case_id=case.id, position=2, side=Side.RESPONDENT, organisation_id=self.places["merchant"].id,
                name="云溪数码", phone="0574-87654321", address="云溪区和平路 1 号", uscc="91330299MA00000001",
            )
        )  # fmt: skip
        session.flush()
        return case

    def run(self, session: Session, case: Case, *, now: datetime = NOW) -> Case:
        """Start the small procedure on a case."""
        step = self.engine.start(
            session, bundle=self.bundle, process="acceptance", key=str(case.id), data={"case_id": str(case.id)},
            now=now, by="system",
        )  # fmt: skip
        case.instance_id = step.instance.id
        session.flush()
        return case

    def item(self, session: Session, case: Case, element: str, party: str | None = None) -> InboxItem:
        query = select(InboxItem).where(InboxItem.case_id == case.id, InboxItem.element == element)
        if party:
            query = query.where(InboxItem.party == party)
        return session.scalars(query.order_by(InboxItem.opened_at.desc()).limit(1)).one()


def build_world(session: Session) -> World:
    """The district, its people, and strangers who hold the same roles elsewhere."""
    world = World()
    for name, kind, parent in (
        ("centre", Kind.CENTRE, None),
        ("office", Kind.OFFICE, "centre"),
        ("other_office", Kind.OFFICE, "centre"),
        ("station", Kind.STATION, "office"),
        ("merchant", Kind.MERCHANT, None),
        ("other_merchant", Kind.MERCHANT, None),
        ("court", Kind.COURT, None),
        ("body", Kind.MEDIATION_BODY, None),
    ):
        place = Organisation(
            code=f"YX-{name}", name=f"云溪{name}", kind=kind, region=REGION, created_at=NOW, phone="0574-80000000",
            parent_id=world.places[parent].id if parent else None, on_board=kind == Kind.MERCHANT, contactable=True,
        )  # fmt: skip
        session.add(place)
        session.flush()
        world.places[name] = place
    for name, role, place_name in (
        ("complainant", None, None),
        ("stranger", None, None),
        ("officer", Role.OFFICER, "office"),
        ("second_officer", Role.OFFICER, "office"),
        ("other_officer", Role.OFFICER, "other_office"),
        ("clerk", Role.CENTRE_CLERK, "centre"),
        ("supervisor", Role.SUPERVISOR, "centre"),
        ("respondent", Role.RESPONDENT, "merchant"),
        ("other_respondent", Role.RESPONDENT, "other_merchant"),
        ("mediator", Role.MEDIATOR, "body"),
        ("court_liaison", Role.COURT_LIAISON, "court"),
    ):
        person = Person(login=name, name="王小明" if name == "complainant" else name, created_at=NOW)
        session.add(person)
        session.flush()
        if role is not None and place_name is not None:
            session.add(
                Membership(
                    person_id=person.id, organisation_id=world.places[place_name].id, role=str(role), since=NOW
                )
            )
        world.people[name] = person
    session.flush()
    world.bundle = bundles.save(session, {"bpmn/acceptance.bpmn": diagram(), "forms/decide.form": FORM}, now=NOW)
    return world


def accept() -> dict[str, Any]:
    """A valid answer to the small form."""
    return {"decision": "accept"}


def day(text: str) -> date:
    """A date in a table of a test."""
    return date.fromisoformat(text)


def uuid(number: int) -> UUID:
    """The same id in every run."""
    return UUID(int=number)
