"""What a filing means: its title, its routing facts, its consents. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from core.now import CHINA
from disputes.cases.models import Case
from disputes.identity.models import IdKind
from disputes.network.models import Organisation

#: Complaints of one person about one merchant are counted over this time (D3, DOMAIN section 3 [P]).
LOOK_BACK = timedelta(days=30)

#: What the matter is about → who is competent where the market regulator is not (办法 第十六条第一项).
#: The officer decides; this only finds.
TOPICS: dict[str, str | None] = {
    "goods": None,
    "service": None,
    "price": None,
    "prepaid_card": "商务主管部门",
    "parking_property": "住房和城乡建设（物业）主管部门",
    "utilities": "住房和城乡建设（燃气、供水）主管部门",
    "wages": "人力资源和社会保障部门（劳动保障监察机构）",
    "tourism_service": "文化和旅游主管部门",
    "other_bureau": "有权处理的其他行政部门",
}

#: Fields of the form that say something about a person: they go to the parties, sealed, and nowhere else.
_PERSONAL = frozenset(
    {
        "complainant_name", "complainant_phone", "complainant_address", "id_type", "id_no", "agent_name",
        "respondent_phone", "facts", "violation_facts", "attachments", "identity_files",
    }
)  # fmt: skip
#: Fields that have a column of their own.
_KEPT = frozenset({"title", "requests", "category", "amount_fen", "path", "respondent_name", "occurred_on"})
#: The choices of the form → the kinds of identity.
_ID_KINDS = {"resident_id": IdKind.RESIDENT, "passport": IdKind.PASSPORT}
_HINTS = ("wants_remedy", "points_to_violation", "asks_information", "other_channel")
_CONSENTS = {"consent_publish": "publish", "consent_entrust": "entrust", "consent_e_service": "e_service"}


@dataclass(frozen=True)
class History:
    """What earlier cases say, for the flags that make an officer look twice (D3)."""

    repeat_complaints: int
    shared_contact_persons: int


def title(content: Mapping[str, Any]) -> str:
    """A short name of the matter: the one that was given, else merchant and kind of goods. No personal data."""
    given = (content.get("title") or "").strip()
    what = (content.get("category") or "").strip() or "消费争议"
    return (given or f"{content['respondent_name']}：{what}")[:200]


def particulars(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the form asked beside columns and personal data, as plain JSON."""
    return {key: value for key, value in content.items() if key not in _PERSONAL | _KEPT and value is not None}


def consents(content: Mapping[str, Any]) -> dict[str, bool]:
    """What the complainant agreed to (文书式样一)."""
    return {name: bool(content.get(key)) for key, name in _CONSENTS.items()}


def competent_body(case: Case) -> str | None:
    """Who is competent for the case's topic where the market regulator is not."""
    return TOPICS.get(str(case.particulars.get("topic") or ""))


def in_remit(content: Mapping[str, Any]) -> bool:
    """Is the matter the market regulator's duty, going by its topic?"""
    return TOPICS.get(str(content.get("topic") or "")) is None


def id_kind(content: Mapping[str, Any]) -> str | None:
    """The kind of the identity document whose number was given; None where no number was."""
    if not content.get("id_no"):
        return None
    return _ID_KINDS.get(str(content.get("id_type") or ""), IdKind.OTHER)


def day(value: object) -> date | None:
    """A date of the form (ISO text or a date)."""
    if isinstance(value, date):
        return value
    return date.fromisoformat(value) if isinstance(value, str) and value else None


def materials(content: Mapping[str, Any]) -> str:
    """Are the materials of 办法 第十条 there: who is complained of, facts and requests?"""
    needed = ("respondent_name", "facts")
    complete = all(str(content.get(key) or "").strip() for key in needed) and bool(content.get("requests"))
    return "complete" if complete else "missing"


def hints(content: Mapping[str, Any]) -> dict[str, bool]:
    """What the matter asks for (D1). Who names a request wants a remedy."""
    found = {name: bool(content.get(name)) for name in _HINTS}
    if content.get("requests"):
        found["wants_remedy"] = True
    if content.get("violation_facts"):
        found["points_to_violation"] = True
    return found


#: What a case starts with, and the FEEL type of each fact: the gate judges the diagrams' expressions by it.
ROUTING_FACTS: Mapping[str, str] = {
    **dict.fromkeys(("case_id", "region", "path", "seller_kind", "handled_by", "materials"), "string"),
    **dict.fromkeys((*_HINTS, "in_district", "address_reachable", "in_mall_station"), "boolean"),
    **dict.fromkeys(("merchant_on_board", "merchant_contactable", "injury", "vulnerable"), "boolean"),
    **dict.fromkeys(("in_remit", "for_living", "dispute_shown", "unusual_quantity", "order_proof"), "boolean"),
    **dict.fromkeys(("amount_fen", "repeat_complaints", "shared_contact_persons"), "number"),
    **dict.fromkeys(("filed_at", "received_at"), "date and time"),
    **dict.fromkeys(("limitation_ends_on", "received_on"), "date"),
}


def routing_facts(
    case: Case,
    content: Mapping[str, Any],
    merchant: Organisation | None,
    history: History,
    *,
    limitation_ends_on: date,
    in_district: bool,
    in_mall_station: bool,
) -> dict[str, Any]:
    """The scalars with which the procedure starts; everything else stays in the case."""
    seller = content.get("seller_kind") or "shop"
    facts: dict[str, Any] = {
        "case_id": str(case.id),
        "region": case.region,
        **hints(content),
        "path": case.path,
        "seller_kind": seller,
        "in_district": in_district,
        "address_reachable": content.get("address_reachable") is not False,
        "in_mall_station": in_mall_station,
        "merchant_on_board": bool(merchant and merchant.on_board),
        "merchant_contactable": bool(merchant and (merchant.contactable or merchant.phone or merchant.email)),
        "injury": bool(content.get("injury")),
        "vulnerable": bool(content.get("vulnerable")),
        "amount_fen": case.disputed_fen,
        "in_remit": in_remit(content),
        "handled_by": content.get("handled_by") or "none",
        "for_living": content.get("for_living") is not False,
        "dispute_shown": bool(case.facts.strip()),
        "filed_at": case.filed_at,
        "limitation_ends_on": limitation_ends_on,
        "materials": materials(content),
        "repeat_complaints": history.repeat_complaints,
        "shared_contact_persons": history.shared_contact_persons,
        "unusual_quantity": bool(content.get("unusual_quantity")),
        "order_proof": bool(content.get("order_proof") or content.get("order_no")),
    }
    if case.path == "file_now":
        facts["received_at"] = case.filed_at
        facts["received_on"] = china_day(case.filed_at)
    return facts


def china_day(moment: datetime) -> date:
    """The day of a moment as people in China count it."""
    return moment.astimezone(CHINA).date()
