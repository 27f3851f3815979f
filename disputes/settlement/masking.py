"""The notice of the sunshine channel: what a merchant, and perhaps everybody, may read of a complaint. Pure."""

from disputes.cases.masking import mask_text
from disputes.cases.models import Case, Side

#: Longest notice, in characters.
LONGEST = 2000


def notice(case: Case) -> str:
    """The complaint without anybody's name, number or address but the merchant's own."""
    complaining = [party for party in case.parties if party.side != Side.RESPONDENT]
    facts = mask_text(
        case.facts,
        names=tuple(party.name for party in complaining),
        addresses=tuple(party.address or "" for party in complaining),
    )
    requests = "、".join(case.requests) or "协商解决"
    amount = f"涉及金额 {case.disputed_fen / 100:,.2f} 元。" if case.disputed_fen else ""
    return f"{case.respondent_name}：有消费者反映：{facts}\n请求：{requests}。{amount}"[:LONGEST]
