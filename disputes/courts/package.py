"""The hand-over package 案件移送包: complete by handover.schema.json, or refused with what is missing.

What travels: parties, requests, undisputed facts, attempts, clocks, consents, digests of evidence, the agreement.
What does not: a tip-off (办法 第九条、第三十七条), statements made to settle (在线调解规则 第十八条), files that
their owner did not share, identity papers; identity numbers go to courts alone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from jsonschema import Draft202012Validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.now import CHINA
from core.refusals import Invalid
from disputes.cases.filing import china_day
from disputes.cases.models import Case, Evidence, Party, Performance, Side
from disputes.inbox.queries import answers
from disputes.intake.models import AcceptanceDecision
from disputes.mediation.models import Agreement, Mediation, MediationSession, Termination
from disputes.network.models import Kind, Organisation
from disputes.settlement.models import SettlementOrder
from disputes.timelimits.models import EVERY, Deadline, DeadlinePause

SCHEMA = Path(__file__).with_name("handover.schema.json")

#: How the schema names our kinds of organisation.
_KINDS = {
    Kind.CENTRE: "处理中心",
    Kind.OFFICE: "市场监管所",
    Kind.STATION: "消费维权服务站",
    Kind.MERCHANT: "放心消费单位",
    Kind.COUNCIL: "消保委",
    Kind.MEDIATION_BODY: "人民调解委员会",
    Kind.COURT: "法院",
    Kind.BUREAU: "其他行政机关",
}
_SIDES = {
    Side.COMPLAINANT: "投诉人",
    Side.RESPONDENT: "被投诉人",
    Side.REPRESENTATIVE: "代表人",
    Side.AGENT: "委托代理人",
}
_REQUESTS = frozenset({"修理", "重作", "更换", "退货", "补足商品数量", "退还货款和服务费用", "赔偿损失", "其他"})
_BASES = {
    "诉前委派": "人民法院在线调解规则 第二十四条；办法 第十九条",
    "司法确认申请": "民事诉讼法 第二百零五条；人民调解法 第三十三条",
    "退回": "人民法院在线调解规则 第二十六条",
}


@dataclass(frozen=True)
class Package:
    """A complete package, as JSON, and its digest."""

    content: Mapping[str, Any]
    text: str
    digest: str


def build(
    session: Session,
    case: Case,
    *,
    handover_id: UUID,
    type: str,
    sender: Organisation,
    receiver: Organisation,
    due: Mapping[str, str] | None = None,
    now: datetime,
) -> Package:
    """Build and check a package. Raises Invalid with a message for each thing that is missing."""
    content = {
        "handover_id": str(handover_id),
        "case_no": case.case_no,
        "type": type,
        "from": _organisation(sender),
        "to": _organisation(receiver),
        "sent_at": _iso(now),
        "legal_basis": _BASES[type],
        "consents": _consents(session, case),
        "clocks": _clocks(session, case, now),
        "parties": _parties(case, to_court=receiver.kind == Kind.COURT),
        "dispute": _dispute(case),
        "undisputed_facts": _recorded(session, case, "undisputed_facts"),
        "disputed_points": _recorded(session, case, "disputed_points"),
        "attempts": _attempts(session, case),
        "evidence": _evidence(session, case),
        "report_part_removed": True,
    }
    if due:
        content["due"] = dict(due)
    agreement = _agreement(session, case)
    if agreement:
        content["agreement"] = agreement
    _require_complete(content)
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Package(content, text, hashlib.sha256(text.encode()).hexdigest())


def missing(content: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a package lacks, by path: what the schema demands, and what a court cannot begin without."""
    faults: dict[str, list[str]] = {}
    for error in validator().iter_errors(content):
        path = ".".join(str(part) for part in error.absolute_path) or "package"
        faults.setdefault(path, []).append(error.message)
    for index, party in enumerate(content.get("parties", [])):
        if party["role"] not in ("投诉人", "被投诉人"):
            continue
        for key, zh in (("name", "姓名或者名称"), ("address", "地址")):
            if not str(party.get(key) or "").strip():
                faults.setdefault(f"parties.{index}.{key}", []).append(f"缺{party['role']}的{zh}。 Missing.")
        if party["role"] == "投诉人" and not party.get("phone"):
            faults.setdefault(f"parties.{index}.phone", []).append("缺投诉人的电话。 Missing.")
    roles = {party["role"] for party in content.get("parties", [])}
    for role in ("投诉人", "被投诉人"):
        if role not in roles:
            faults.setdefault("parties", []).append(f"缺{role}。 Missing.")
    dispute = content.get("dispute", {})
    if not dispute.get("facts"):
        faults.setdefault("dispute.facts", []).append("缺争议事实。 Missing.")
    if not dispute.get("requests"):
        faults.setdefault("dispute.requests", []).append("缺投诉请求。 Missing.")
    if content.get("type") == "司法确认申请" and not content.get("agreement"):
        faults.setdefault("agreement", []).append("缺调解协议。 Missing.")
    if content.get("type") == "诉前委派" and not content.get("attempts"):
        faults.setdefault("attempts", []).append("缺此前的处理经过。 Missing.")
    return faults


def summary(content: Mapping[str, Any]) -> str:
    """What is inside, in a sentence for the one who receives it: it stands in the text of a form."""
    parties = "、".join(f"{p['role']} {p.get('name', '')}" for p in content["parties"])
    dispute = content["dispute"]
    said = [
        f"类型：{content['type']}（{content['legal_basis']}）",
        f"当事人：{parties}",
        f"请求：{'、'.join(dispute['requests'])}，涉及{dispute['amount_cents'] / 100:,.2f}元",
        f"此前经过{len(content['attempts'])}项，无争议事实{len(content['undisputed_facts'])}条",
        f"证据{len(content['evidence'])}份，时限记录{len(content['clocks'])}条",
    ]
    return "；".join(said) + "。"


@lru_cache(maxsize=1)
def validator() -> Draft202012Validator:
    """The schema of the package, compiled once."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _require_complete(content: Mapping[str, Any]) -> None:
    faults = missing(content)
    if faults:
        raise Invalid(
            f"移送包不完整，缺 {len(faults)} 项：{'、'.join(sorted(faults))}。 The package is not complete.",
            code="handover.incomplete",
            fields=faults,
            missing=sorted(faults),
        )


def _organisation(place: Organisation) -> dict[str, str]:
    named = {"code": place.code, "name": place.name, "kind": _KINDS[place.as_kind]}
    return {**named, "contact": place.phone} if place.phone else named


def _consents(session: Session, case: Case) -> dict[str, bool]:
    said = case.parties[0].consents if case.parties else {}
    chosen = {
        given.party: given.content.get("consent") is True for given in answers(session, case.id, "choose_court")
    }
    wanted = [given.content.get("want") is True for given in answers(session, case.id, "want_confirmation")]
    signed = [given.content.get("sign") is True for given in answers(session, case.id, "sign_application")]
    return {
        "complainant_entrust": chosen.get("complainant", bool(said.get("entrust"))),
        "respondent_entrust": chosen.get("respondent", False),
        "publish": bool(said.get("publish")),
        "e_service": bool(said.get("e_service")),
        "record_av": bool(said.get("record_av")),
        "judicial_confirmation_joint": len(wanted) >= 2 and all(wanted) and (not signed or all(signed)),
    }


def _clocks(session: Session, case: Case, now: datetime) -> list[dict[str, Any]]:
    query = select(Deadline).where(Deadline.key == str(case.id)).order_by(Deadline.opened_at, Deadline.limit)
    paused: dict[str, list[dict[str, Any]]] = {}
    for pause in session.scalars(select(DeadlinePause).where(DeadlinePause.key == str(case.id))):
        paused.setdefault(pause.limit, []).append(
            {"from": _iso(pause.began_at), "to": _iso(pause.ended_at) if pause.ended_at else None, "why": pause.why}
        )
    return [
        {
            "clock_id": deadline.limit,
            "started": deadline.start,
            "used_days": max((china_day(deadline.settled_at or now) - deadline.start_on).days, 0),
            "paused": [*paused.get(deadline.limit, []), *paused.get(EVERY, [])],
            "due": deadline.due_on.isoformat(),
        }
        for deadline in session.scalars(query)
    ]


def _parties(case: Case, *, to_court: bool) -> list[dict[str, Any]]:
    return [_party(party, to_court) for party in case.parties]


def _party(party: Party, to_court: bool) -> dict[str, Any]:
    known = {
        "role": _SIDES[party.side],
        "name": party.name,
        "phone": party.phone,
        "address": party.address,
        "service_address": party.service_address,
        "uscc": party.uscc,
    }
    if to_court and party.id_no:
        known |= {"id_type": party.id_type, "id_no": party.id_no}
    return {key: value for key, value in known.items() if value}


def _dispute(case: Case) -> dict[str, Any]:
    requests = [r if r in _REQUESTS else "其他" for r in case.requests]
    dispute: dict[str, Any] = {
        "category": case.category or "其他",
        "issue": case.title,
        "amount_cents": case.disputed_fen,
        "facts": case.facts,
        "requests": list(dict.fromkeys(requests)),
    }
    if case.occurred_on:
        dispute["occurred_at"] = case.occurred_on.isoformat()
    return dispute


def _recorded(session: Session, case: Case, column: str) -> list[str]:
    """What the sessions confirmed in writing; statements made to settle are in the note and stay there."""
    found: dict[str, None] = {}
    query = select(MediationSession).where(MediationSession.case_id == case.id).order_by(MediationSession.number)
    for held in session.scalars(query):
        found |= dict.fromkeys(json.loads(getattr(held, column)))
    for given in answers(session, case.id, "mediate_for_court"):
        lines = str(given.content.get(column) or "").splitlines()
        found |= dict.fromkeys(line.strip() for line in lines if line.strip())
    return list(found)


def _attempts(session: Session, case: Case) -> list[dict[str, str]]:
    """What was tried before, with its result; never what was offered."""
    attempts: list[dict[str, str]] = []
    order = session.get(SettlementOrder, case.id)
    if order is not None:
        attempts.append(
            _attempt(
                "店内和解", case.respondent_name, order.delivered_at, order.ended_at, order.state, order.ended_why
            )
        )
    decision = session.scalars(
        select(AcceptanceDecision).where(AcceptanceDecision.case_id == case.id).limit(1)
    ).one_or_none()
    if decision is not None:
        attempts.append(
            _attempt("受理", _name(session, case.office_id), case.received_at, decision.decided_at, "已受理", None)
        )
    for mediation in session.scalars(
        select(Mediation).where(Mediation.case_id == case.id).order_by(Mediation.opened_at)
    ):
        attempts.append(
            _attempt(
                {"administrative": "行政调解", "entrusted": "委托调解", "delegated": "诉前委派调解"}[
                    mediation.kind
                ],
                _name(session, mediation.body_id),
                mediation.opened_at,
                mediation.ended_at,
                mediation.outcome or "进行中",
                None,
            )
        )
    for termination in session.scalars(select(Termination).where(Termination.case_id == case.id)):
        attempts.append(
            _attempt(
                "终止调解",
                _name(session, case.office_id),
                termination.decided_at,
                termination.told_at,
                f"办法第二十三条第一款第{'一二三四五六七八'[termination.ground - 1]}项",
                termination.reasons,
            )
        )
    return attempts


def _attempt(
    stage: str, org: str, since: datetime | None, until: datetime | None, result: str, reason: str | None
) -> dict[str, str]:
    known = {
        "stage": stage,
        "org": org,
        "from": _iso(since) if since else "",
        "to": _iso(until) if until else "",
        "result": str(result),
        "reason": reason or "",
    }
    return {key: value for key, value in known.items() if value}


def _evidence(session: Session, case: Case) -> list[dict[str, Any]]:
    """Digests of the files that a court may see; the files follow on request."""
    query = select(Evidence).where(Evidence.case_id == case.id, ~Evidence.is_identity).order_by(Evidence.added_at)
    return [
        {"name": e.name, "sha256": e.sha256, "mime": e.mime, "visible_to": e.visible_to}
        for e in session.scalars(query)
        if {"court_liaison", "respondent"} & set(e.visible_to)
    ]


def _agreement(session: Session, case: Case) -> dict[str, Any] | None:
    query = select(Agreement).where(Agreement.case_id == case.id, Agreement.effective_at.is_not(None))
    found = session.scalars(query.order_by(Agreement.version.desc()).limit(1)).one_or_none()
    if found is None or found.effective_at is None:
        return None
    return {
        "no": f"{case.case_no}-{found.version}",
        "effective_at": _iso(found.effective_at),
        "terms": [line for line in found.terms.splitlines() if line.strip()],
        "signatures": [dict(signature) for signature in found.signatures],
        "seal": True,
        "performed": case.performance in (Performance.PERFORMED, Performance.PRESUMED),
    }


def _name(session: Session, place_id: UUID | None) -> str:
    place = session.get(Organisation, place_id) if place_id else None
    return place.name if place else ""


def _iso(moment: datetime) -> str:
    return moment.astimezone(CHINA).isoformat(timespec="seconds")
