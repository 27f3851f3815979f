"""Many invented cases at once, for a look at full lists and for measuring: filed through the real operation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import Database
from disputes.cases import operations as filing
from disputes.demo.cast import assemble, require_release
from disputes.identity import operations as identity
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.inbox.models import InboxItem, ItemState
from disputes.network.seed import MERCHANTS
from disputes.wiring import build_engine, judge_release
from engine import Engine

#: Cases of one transaction: enough to spare commits, few enough to let others write in between.
BATCH = 50
#: Filed over this time before now.
SPREAD = timedelta(days=20)
_THINGS = ("手机", "耳机", "运动鞋", "蛋糕", "沙发", "洗衣机", "理发", "健身课", "租车", "奶粉", "眼镜", "瓷砖")
_TROUBLES = ("用了三天就坏了", "和宣传的不一样", "少发了一件", "一直没有修好", "收了钱不肯退", "有明显的划痕")
_REQUESTS = ("退货", "更换", "修理", "退还货款和服务费用", "赔偿损失")


def seed(
    database: Database, *, cases: int, directory: Path, files: Path | None = None, now: datetime
) -> dict[str, Any]:
    """File so many synthetic cases on the release in force, and say how long it took (CONTRACTS, ``seed``)."""
    began = perf_counter()
    engine = build_engine()
    chance = Random(cases)
    judge_release(database, directory, engine, now=now)
    with database.transaction() as session:
        assemble(session, now=now)
        require_release(session, directory, engine, now=now)
        consumers = _consumers(session, max(1, min(cases // 4, 200)), now)
    for start in range(0, cases, BATCH):
        with database.transaction() as session:
            for _ in range(min(BATCH, cases - start)):
                _file(session, engine, chance, consumers, now - SPREAD * chance.random())
    with database.reader() as session:
        tasks = session.scalar(select(func.count()).where(InboxItem.state == ItemState.OPEN)) or 0
    return {"cases": cases, "tasks": tasks, "seconds": round(perf_counter() - began, 1)}


@dataclass(frozen=True)
class _Consumer:
    actor: Actor
    phone: str


def _consumers(session: Session, number: int, now: datetime) -> list[_Consumer]:
    """Invented people; those of an earlier run come back."""
    found = []
    for index in range(number):
        name, phone = f"合成用户{index + 1}", f"139001{index:05d}"
        known = next((person for person in people.by_phone(session, phone) if person.name == name), None)
        person = known or identity.register(session, name=name, phone=phone, synthetic=True, now=now)
        found.append(_Consumer(people.as_actor(person), phone))
    return found


def _file(session: Session, engine: Engine, chance: Random, consumers: list[_Consumer], at: datetime) -> None:
    name, _, address, trade, on_board, _ = chance.choice(MERCHANTS)
    thing = chance.choice(_THINGS)
    by = chance.choice(consumers)
    filing.file(
        session,
        engine,
        {
            "topic": "goods",
            "facts": f"（合成）在{name}买的{thing}{chance.choice(_TROUBLES)}，希望协调解决。",
            "category": f"{trade}（{thing}）",
            "amount_fen": chance.randint(10, 8_000) * 100,
            "order_proof": True,
            "respondent_name": name,
            "respondent_address": address,
            "seller_kind": "shop",
            "requests": [chance.choice(_REQUESTS)],
            "path": "shop_first" if on_board and chance.random() < 0.5 else "file_now",
            "for_living": True,
            "handled_by": "none",
            "complainant_name": by.actor.name,
            "complainant_phone": by.phone,
            "truthful": True,
        },
        by=by.actor,
        now=at,
        synthetic=True,
    )
