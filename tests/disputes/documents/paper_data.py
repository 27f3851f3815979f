"""A case's data for papers, as the cases hand them over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from disputes.documents import operations
from disputes.documents.models import Kind, Paper
from disputes.network.models import Kind as Place
from disputes.network.models import Organisation

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)  # 10:00 in China, a Friday
TODAY = date(2026, 9, 18)


@dataclass
class Office:
    """An organisation as far as papers need it."""

    name: str = "鼓楼市场监督管理所"
    id: UUID = field(default_factory=uuid4)


def office(session: Session, name: str = "鼓楼市场监督管理所") -> Organisation:
    """An organisation that stands in the database."""
    place = Organisation(code=f"T-{uuid4().hex[:8]}", name=name, kind=Place.OFFICE, region="330299", created_at=NOW)
    session.add(place)
    session.flush()
    return place


def signature(party: str, name: str, at: str = "2026-09-18T10:05:00+08:00") -> dict[str, str]:
    return {"party": party, "name": name, "at": at, "digest": "3f9a" * 16}


def data(**given: Any) -> dict[str, Any]:
    """Everything that any kind needs; ``given`` replaces values."""
    return {
        "case_no": "330299-20260918-0001",
        "matter": "手机第三天不能开机",
        "complainant": "王小满",
        "complainant_phone": "13800138000",
        "complainant_address": "青屏市云溪区鼓楼街道中山路20号",
        "respondent": "松果优品数码店",
        "respondent_phone": "0570-87110148",
        "respondent_address": "鼓楼前街1号",
        "legal_representative": "李大发",
        "requests": ["退还货款2999元", "赔礼道歉"],
        "facts": "九月十日买的手机第三天不能开机。\n店家说是人为损坏，拒绝退换。",
        "received_on": date(2026, 9, 15),
        "dated_on": TODAY,
        "office": "鼓楼市场监督管理所",
        "office_phone": "0570-87112303",
        "office_address": "鼓楼街道鼓楼前街1号",
        "due_on": date(2026, 9, 30),
        "ground": 1,
        "reasons": "所反映的是诊疗行为。",
        "competent_body": "云溪区卫生健康局",
        "planned_for": datetime(2026, 9, 23, 6, 30, tzinfo=UTC),
        "place": "鼓楼所调解室",
        "mode": "on_site",
        "mediator": "陈和",
        "terms": "被投诉人退还货款，投诉人退回手机。",
        "amount_fen": 299900,
        "performance_due_on": date(2026, 9, 28),
        "signatures": [signature("complainant", "王小满"), signature("respondent", "松果优品数码店")],
        "held_at": NOW,
        "result": "双方到场，达成一致。",
        "kind": "refund",
        **given,
    }


def issue(session: Session, kind: Kind = Kind.ACCEPTANCE, **given: Any) -> Paper:
    """An issued paper; ``given`` replaces arguments of the operation."""
    arguments: dict[str, Any] = {
        "case_key": str(uuid4()),
        "data": data(),
        "addressee": None,
        "by": "person:00000000-0000-0000-0000-000000000001",
        "now": NOW,
        **given,
    }
    arguments.setdefault("organisation", office(session))
    return operations.issue(session, kind, **arguments)
