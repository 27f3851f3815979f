"""Which place an address means, and which office is competent for it. Pure.

Source: 办法 第十三条、第十四条 (actual place of business or domicile); DOMAIN section 3, D4.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from disputes.network.models import Kind, Organisation
from forms.fields import uscc_check


@dataclass(frozen=True)
class Found:
    """An office, the station that is nearest where there is one, and why, as a sentence in both languages."""

    office: Organisation
    station: Organisation | None
    why: str
    why_en: str


def matches(address: str, places: Iterable[Organisation]) -> list[tuple[str, Organisation]]:
    """Places whose area's name stands in the address, with that name; the longest names first."""
    found = [
        (area, place)
        for place in places
        if place.active
        for area in place.areas
        if area and area in (address or "")
    ]
    return sorted(found, key=lambda hit: (-len(hit[0]), hit[1].code))


def choose_office(
    address: str,
    merchant: Organisation | None,
    places: Sequence[Organisation],
    *,
    load: Callable[[Organisation], int],
) -> Found:
    """The office for an address: by the name of an area, else by the merchant's own, else the least loaded.

    ``places`` are the offices and stations of one district; there must be an office among them.
    """
    by_id: dict[UUID | None, Organisation] = {place.id: place for place in places}
    offices = [place for place in places if place.kind == Kind.OFFICE and place.active]
    for said, said_en, text in (
        ("地址里的", "the address names", address),
        ("商家登记地址里的", "the registered address names", merchant.address if merchant else ""),
    ):
        hits = matches(text, places)
        if not hits:
            continue
        longest = [place for area, place in hits if len(area) == len(hits[0][0])]
        candidates = {_office_of(place, by_id).id: _office_of(place, by_id) for place in longest}
        office = min(candidates.values(), key=lambda place: (load(place), place.code))
        station = next(
            (place for place in longest if place.kind == Kind.STATION and place.parent_id == office.id), None
        )
        several = "" if len(candidates) == 1 else f"；{len(candidates)}个所都有权，取在办最少的"
        several_en = "" if len(candidates) == 1 else f"; of {len(candidates)} offices the least loaded takes it"
        name = hits[0][0]
        return Found(
            office,
            station,
            f"{said}“{name}”属{office.name}管辖{several}（办法第十三条）。",
            f"{said_en} {name}, which belongs to {office.title('en')}{several_en} (办法 art. 13).",
        )
    office = min(offices, key=lambda place: (load(place), place.code))
    return Found(
        office,
        None,
        f"地址没有写到街道，暂由在办最少的{office.name}首问，没有权限的退回处理中心（办法第四十一条）。",
        f"The address names no area; {office.title('en')}, the least loaded, makes the first contact "
        "and returns it if it is not competent (办法 art. 41).",
    )


def _office_of(place: Organisation, by_id: Mapping[UUID | None, Organisation]) -> Organisation:
    return by_id[place.parent_id] if place.kind == Kind.STATION else place


def with_check(seventeen: str) -> str:
    """A unified social credit code from its first seventeen characters (GB 32100)."""
    return seventeen + uscc_check(seventeen)


def plain_name(name: str) -> str:
    """A merchant's name as it is compared: without spaces and with plain brackets."""
    return "".join(name.split()).replace("（", "(").replace("）", ")").casefold()
