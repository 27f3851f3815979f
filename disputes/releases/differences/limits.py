"""Differences of the time limits, edition by edition."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date, time
from typing import Any

from disputes.releases.differences import words
from disputes.releases.differences.words import Difference, Found, Name
from disputes.timelimits.limits import Limit, LimitsError, Unit, load_limits

_LABELS = {
    "name_zh": Name("名称", "Chinese name"),
    "name_en": Name("英文名称", "name"),
    "kind": Name("种类", "kind"),
    "bound": Name("约束谁", "side that it binds"),
    "who_zh": Name("约束的人", "person bound, in Chinese"),
    "who_en": Name("约束的人（英文）", "person bound"),
    "starts_zh": Name("起算的事由", "start in Chinese words"),
    "starts_en": Name("起算的事由（英文）", "start in words"),
    "start": Name("起算时刻", "start"),
    "roll": Name("顺延规则", "rule for days off"),
    "region": Name("地区", "region"),
    "holds_from": Name("施行日期", "first day"),
    "holds_until": Name("失效日期", "last day"),
    "warn_after": Name("预警", "warnings"),
    "article": Name("依据", "article"),
    "mark": Name("核实程度", "mark"),
    "extension": Name("延长", "extension"),
    "pauses": Name("不计入的时间", "pauses"),
    "pauses_with": Name("随同暂停的期限", "limit that it pauses with"),
    "on_expiry": Name("届满后果", "what follows its end"),
    "restarts": Name("重新起算的期限", "limit that begins again"),
    "office_hours": Name("办公时间", "office hours"),
}

_UNITS = {
    Unit.WORKING_DAY: ("个工作日", "working day"),
    Unit.DAY: ("天", "day"),
    Unit.MINUTE: ("分钟", "minute"),
    Unit.HOUR: ("小时", "hour"),
    Unit.MONTH: ("个月", "month"),
    Unit.YEAR: ("年", "year"),
}


def compare(found: Found, changed: list[str]) -> Iterator[Difference]:
    """The differences of the limits."""
    for path in changed:
        old, new = _read(found.before.get(path)), _read(found.after.get(path))
        if old is None or new is None:
            yield _file(path, old is not None, new is not None)
            continue
        for id in [*old, *(id for id in new if id not in old)]:
            if id not in new or id not in old:
                yield _whole(path, id, (new.get(id) or old[id])[0], id in new)
            else:
                yield from _limit(path, id, old[id], new[id])


def _read(content: bytes | None) -> dict[str, list[Limit]] | None:
    if content is None:
        return None
    try:
        return {id: list(editions) for id, editions in load_limits(content).editions.items()}
    except LimitsError:
        return None


def _file(path: str, old: bool, new: bool) -> Difference:
    if new and not old:
        zh, en = "新增期限表。", "New table of time limits."
    elif old and not new:
        zh, en = "删去期限表，或者读不出来。", "The table of time limits is gone or cannot be read."
    else:
        zh, en = "期限表改了，读不出内容。", "The table of time limits changed and cannot be read."
    return Difference(path, "", "", path, "limit", "file", None, None, zh, en)


def _whole(path: str, id: str, limit: Limit, added: bool) -> Difference:
    long = _length(limit)
    zh = f"新增期限 {id}“{limit.name_zh}”（{long.zh}）。" if added else f"删去期限 {id}“{limit.name_zh}”。"
    en = f'New limit {id} "{limit.name_en}" ({long.en}).' if added else f'The limit {id} "{limit.name_en}" is gone.'
    values: tuple[Any, Any] = (None, _plain(limit)) if added else (_plain(limit), None)
    return Difference(path, id, "", limit.name_zh, "limit", "added" if added else "removed", *values, zh, en)


def _limit(path: str, id: str, old: list[Limit], new: list[Limit]) -> Iterator[Difference]:
    pairs, left, right = _pairs(old, new)
    for before, after in pairs:
        yield from _edition(path, id, before, after, len(new) > 1)
    for limit in right:
        long, where = _length(limit), _edition_name(limit)
        zh = f"期限 {id}“{limit.name_zh}”新增一版（{where.zh}）：{long.zh}。"
        en = f'New edition of {id} "{limit.name_en}" ({where.en}): {long.en}.'
        yield Difference(path, id, where.en, limit.name_zh, "limit", "edition_added", None, _plain(limit), zh, en)
    for limit in left:
        where = _edition_name(limit)
        zh = f"期限 {id}“{limit.name_zh}”删去一版（{where.zh}）。"
        en = f'An edition of {id} "{limit.name_en}" is gone ({where.en}).'
        yield Difference(path, id, where.en, limit.name_zh, "limit", "edition_removed", _plain(limit), None, zh, en)


def _pairs(old: list[Limit], new: list[Limit]) -> tuple[list[tuple[Limit, Limit]], list[Limit], list[Limit]]:
    """Editions that are the same: by region and first day, then by region, then by first day, then what is left."""
    left, right, pairs = list(old), list(new), []
    for key in (
        lambda e: (e.region, e.holds_from),
        lambda e: e.region,
        lambda e: e.holds_from or date.min,
        lambda e: True,
    ):
        for before in list(left):
            same = [after for after in right if key(after) == key(before)]
            if len(same) == 1 and sum(key(other) == key(before) for other in left) == 1:
                pairs.append((before, same[0]))
                left.remove(before)
                right.remove(same[0])
    return pairs, left, right


def _edition(path: str, id: str, old: Limit, new: Limit, several: bool) -> Iterator[Difference]:
    where = _edition_name(new)
    name = Name(
        f"期限 {id}“{new.name_zh}”" + (f"（{where.zh}）" if several else ""),
        f'limit {id} "{new.name_en}"' + (f" ({where.en})" if several else ""),
    )
    if (old.amount, old.unit) != (new.amount, new.unit):
        before, after = _length(old), _length(new)
        yield Difference(
            path,
            id,
            where.en,
            new.name_zh,
            "limit",
            "length",
            before.en,
            after.en,
            f"{name.zh}{words.changed(before, after)}。",
            f"The {name.en} changed from {before.en} to {after.en}.",
        )
    for field in fields(Limit):
        if field.name in ("id", "amount", "unit"):
            continue
        before_value, after_value = getattr(old, field.name), getattr(new, field.name)
        if before_value != after_value:
            label = _LABELS.get(field.name, Name(field.name, field.name.replace("_", " ")))
            one, other = words.quoted(_json(before_value)), words.quoted(_json(after_value))
            yield Difference(
                path,
                id,
                where.en,
                new.name_zh,
                "limit",
                field.name,
                _json(before_value),
                _json(after_value),
                f"{name.zh}的{label.zh}{words.changed(one, other)}。",
                f"The {label.en} of {name.en} changed from {one.en} to {other.en}.",
            )


def _length(limit: Limit) -> Name:
    if limit.amount is None or limit.unit is None:
        return Name("不定长", "no fixed length")
    zh, en = _UNITS[limit.unit]
    return Name(f"{limit.amount} {zh}", f"{limit.amount} {en}{'' if limit.amount == 1 else 's'}")


def _edition_name(limit: Limit) -> Name:
    where = {"CN": Name("全国", "national"), "service": Name("本服务", "service")}.get(
        limit.region, Name(limit.region, limit.region)
    )
    if limit.holds_from is None:
        return where
    return Name(f"{where.zh}，{limit.holds_from} 起", f"{where.en}, from {limit.holds_from}")


def _plain(limit: Limit) -> dict[str, Any]:
    return {field.name: _json(getattr(limit, field.name)) for field in fields(Limit)}


def _json(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_json(entry) for entry in value]
    return value
