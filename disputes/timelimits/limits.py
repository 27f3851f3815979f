"""The time limits of law and service, read from ``workflows/time_limits.yaml``. Pure.

A limit (``C03``) has one or more editions: the law of a province beside that of the country, a rule that a
newer one replaced, or the length that this service promises where no law says one. ``Limits.get`` chooses.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

import yaml

from core.yaml_limits import require_modest

T = TypeVar("T", bound=StrEnum)


class LimitsError(ValueError):
    """The file of time limits cannot be read; the message names the limit and the field."""


class UnknownLimit(LookupError):
    """No such limit, or no edition of it holds for that region on that day."""


class Unit(StrEnum):
    """What a limit counts."""

    WORKING_DAY = "working day"  #: days on which offices work, make-up workdays included
    DAY = "day"  #: natural days
    MINUTE = "minute"
    HOUR = "hour"
    MONTH = "month"
    YEAR = "year"

    @property
    def whole_days(self) -> bool:
        """True when the limit ends with a day, at its 24:00; minutes and hours end at their instant."""
        return self not in (Unit.MINUTE, Unit.HOUR)


class Roll(StrEnum):
    """What happens when the last day is a day off."""

    NONE = "none"  #: nothing
    BREAK = "break"  #: a day of an announced holiday break moves to the first day after it (办法 第四十五条)
    REST_DAY = "rest-day"  #: any day off moves to the next workday (民事诉讼法 第八十五条)


class Kind(StrEnum):
    """How a limit takes part in a diagram."""

    TIMER = "timer"  #: a boundary timer holds somebody to it
    SET_BY_OFFICER = "set-by-officer"  #: the last day is a date that an officer wrote into a notice
    RESTART = "restart"  #: the same length as another limit, begun again
    LIMITATION = "limitation"  #: a right lapses; nobody is reminded
    DAILY_SWEEP = "daily-sweep"  #: something must be empty at the end of each day
    OUT_OF_SCOPE = "out-of-scope"  #: stands in the law, is kept for reference, runs on no case here


class Bound(StrEnum):
    """Whose silence the limit measures."""

    PARTY = "party"  #: its expiry leads to an end
    AUTHORITY = "authority"  #: its expiry goes to a supervisor and never decides


#: The edition that this service promises where no law says a length.
SERVICE = "service"
#: The edition of national law.
NATIONAL = "CN"

#: GB/T 2260, first two digits → ISO 3166-2.
PROVINCES = {
    "11": "CN-BJ", "12": "CN-TJ", "13": "CN-HE", "14": "CN-SX", "15": "CN-NM", "21": "CN-LN", "22": "CN-JL",
    "23": "CN-HL", "31": "CN-SH", "32": "CN-JS", "33": "CN-ZJ", "34": "CN-AH", "35": "CN-FJ", "36": "CN-JX",
    "37": "CN-SD", "41": "CN-HA", "42": "CN-HB", "43": "CN-HN", "44": "CN-GD", "45": "CN-GX", "46": "CN-HI",
    "50": "CN-CQ", "51": "CN-SC", "52": "CN-GZ", "53": "CN-YN", "54": "CN-XZ", "61": "CN-SN", "62": "CN-GS",
    "63": "CN-QH", "64": "CN-NX", "65": "CN-XJ", "71": "CN-TW", "81": "CN-HK", "82": "CN-MO",
}  # fmt: skip


def province_of(region: str | None) -> str | None:
    """The province of a region: ``330299`` and ``CN-ZJ`` are both ``CN-ZJ``; None when there is none to name."""
    if not region or region == NATIONAL:
        return None
    if region.startswith("CN-"):
        if region not in PROVINCES.values():
            raise UnknownLimit(f"{region} is no province (ISO 3166-2, for example CN-ZJ).")
        return region
    province = PROVINCES.get(region[:2]) if len(region) in (2, 4, 6) and region.isdigit() else None
    if province is None:
        raise UnknownLimit(f"{region} is no region: six digits of GB/T 2260, or CN-ZJ.")
    return province


@dataclass(frozen=True)
class PauseReason:
    """Why a clock may stand still, as the law (or this service's promise) names it."""

    code: str
    zh: str
    en: str
    article: str


@dataclass(frozen=True)
class Extendable:
    """How a limit may be extended: never by itself, always by somebody's approval."""

    #: In the limit's own unit; None: the law sets no most (the parties agree on the length).
    at_most: int | None
    #: How often.
    times: int
    #: Roles of which one approves; never the person who asked.
    approved_by: tuple[str, ...]
    #: Parties whose consent must be on file.
    consent: tuple[str, ...]
    article: str


@dataclass(frozen=True)
class Limit:
    """One edition of a time limit."""

    id: str
    name_zh: str
    name_en: str
    kind: Kind
    bound: Bound
    who_zh: str
    who_en: str
    starts_zh: str
    starts_en: str
    #: The variable that its start is read from in diagrams, e.g. ``received_at``.
    start: str | None
    amount: int | None
    unit: Unit | None
    roll: Roll
    #: ``CN``, a province (``CN-ZJ``) or ``service``.
    region: str
    #: First day on which the edition holds; None: since before this service.
    holds_from: date | None
    #: First day on which it no longer holds.
    holds_until: date | None
    #: Rungs of the ladder of warnings, in the limit's unit, counted like the limit itself.
    warn_after: tuple[int, ...]
    article: str
    #: V, V2, A, M, P: how well the number is known (docs: DOMAIN marks).
    mark: str
    extension: str | None = None
    #: How it may be extended; None: not at all.
    extendable: Extendable | None = None
    #: What stops the clock, in words; None: nothing does, and ``deadline.pause`` is refused.
    pauses: str | None = None
    #: For which reasons it may stand still; empty where nothing stops it.
    pausable: tuple[PauseReason, ...] = ()
    #: This limit stands still while that one is paused.
    pauses_with: str | None = None
    on_expiry: str | None = None
    #: Kind ``restart``: the limit that begins again.
    restarts: str | None = None
    #: Times of a workday in which minutes and hours count; empty: round the clock.
    office_hours: tuple[tuple[time, time], ...] = ()
    #: Holds, from ``holds_from`` on, for deadlines that began under an older edition too (a transitional rule).
    covers_running: bool = False

    def pause_reason(self, code: str) -> PauseReason | None:
        """The reason of this code, if it may stop this limit."""
        return next((reason for reason in self.pausable if reason.code == code), None)

    @property
    def legal(self) -> bool:
        """True when a law fixes its length, False when this service promised it."""
        return self.region != SERVICE

    def holds_on(self, day: date) -> bool:
        """Is the edition in force on that day?"""
        return (self.holds_from is None or self.holds_from <= day) and (
            self.holds_until is None or day < self.holds_until
        )


@dataclass(frozen=True)
class Limits:
    """All limits of one release."""

    editions: Mapping[str, tuple[Limit, ...]]
    digest: str = field(default="", compare=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.editions)

    def __contains__(self, limit: object) -> bool:
        return limit in self.editions

    def get(self, limit: str, *, region: str | None = None, on: date) -> Limit:
        """The edition in force: of the region's province, else of the country, else of this service.

        Without a region, the only edition there is counts too. Raises UnknownLimit with what was found.
        """
        if limit not in self.editions:
            raise UnknownLimit(f"There is no time limit {limit}.")
        province = province_of(region)
        in_force = [edition for edition in self.editions[limit] if edition.holds_on(on)]
        for wanted in (province, NATIONAL, SERVICE):
            for edition in in_force:
                if wanted is not None and edition.region == wanted:
                    return self._with_length(edition, region, on)
        if province is None and len({edition.region for edition in in_force}) == 1:
            return self._with_length(in_force[0], region, on)
        raise UnknownLimit(self._why_none(limit, province, on))

    def of_running(self, limit: str, *, region: str | None = None, began_on: date, today: date) -> Limit:
        """The edition that a running deadline is held to.

        That in force on the day on which it began (a new rule does not reach back), unless the one in force today
        says that it covers what is running. Raises UnknownLimit.
        """
        try:
            edition = self.get(limit, region=region, on=today)
        except UnknownLimit:
            edition = None
        if edition is not None and edition.covers_running:
            return edition
        return self.get(limit, region=region, on=began_on)

    def _with_length(self, edition: Limit, region: str | None, on: date) -> Limit:
        """A limit that begins another one again has that one's length."""
        if edition.restarts is None:
            return edition
        other = self.get(edition.restarts, region=region, on=on)
        return replace(edition, amount=other.amount, unit=other.unit, roll=other.roll, warn_after=other.warn_after)

    def _why_none(self, limit: str, province: str | None, on: date) -> str:
        found = "; ".join(
            f"{e.region} from {e.holds_from or 'the beginning'}"
            + (f" until {e.holds_until}" if e.holds_until else "")
            for e in self.editions[limit]
        )
        where = f" in {province}" if province else ""
        return f"No edition of {limit} holds{where} on {on}; there is: {found}."


_KEYS = {
    "zh", "en", "kind", "bound", "who", "starts", "start", "amount", "unit", "roll", "region", "holds_from",
    "holds_until", "warn_after", "article", "mark", "extension", "pauses", "pauses_with", "on_expiry", "restarts",
    "hours", "editions", "extendable", "pausable", "covers_running",
}  # fmt: skip

#: What stopped the clock in releases that name no reasons.
APPRAISAL = PauseReason("appraisal", "鉴定、检测", "appraisal or testing", "办法22")


@lru_cache(maxsize=32)
def load_limits(text: bytes) -> Limits:
    """Read ``time_limits.yaml``. Raises LimitsError; the same bytes are read once."""
    try:
        require_modest(text)
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise LimitsError(f"time_limits.yaml is no YAML: {error}") from error
    if not isinstance(tree, dict) or not isinstance(tree.get("limits"), dict):
        raise LimitsError("time_limits.yaml needs a mapping 'limits'.")
    house = _House(_office_hours(tree.get("office_hours") or []), _reasons(tree.get("pause_reasons") or {}))
    editions = {str(id): _editions(str(id), entry, house) for id, entry in tree["limits"].items()}
    limits = Limits(editions, digest=hashlib.sha256(text).hexdigest())
    _check_references(limits)
    return limits


@dataclass(frozen=True)
class _House:
    """What stands above the limits and holds for all of them."""

    office_hours: tuple[tuple[time, time], ...]
    reasons: Mapping[str, PauseReason]


def _reasons(raw: object) -> dict[str, PauseReason]:
    if not isinstance(raw, dict):
        raise LimitsError("pause_reasons must be a mapping.")
    found = {APPRAISAL.code: APPRAISAL}
    for code, entry in raw.items():
        what = f"pause_reasons.{code}"
        if not isinstance(entry, dict) or set(entry) != {"zh", "en", "article"}:
            raise LimitsError(f"{what}: expected zh, en and article.")
        found[str(code)] = PauseReason(str(code), *(_text(what, entry, name) for name in ("zh", "en", "article")))
    return found


def _pausable(id: str, raw: Mapping[str, Any], reasons: Mapping[str, PauseReason]) -> tuple[PauseReason, ...]:
    if raw.get("pauses") is None:
        if raw.get("pausable"):
            raise LimitsError(f"{id}: pausable needs 'pauses', which says why in words.")
        return ()
    wanted = raw.get("pausable", [APPRAISAL.code])
    if not isinstance(wanted, list):
        raise LimitsError(f"{id}: pausable is a list of reasons.")
    unknown = [code for code in wanted if code not in reasons]
    if unknown:
        raise LimitsError(f"{id}: there is no reason {unknown[0]!r} in pause_reasons.")
    return tuple(reasons[code] for code in wanted)


def _extendable(id: str, raw: object) -> Extendable | None:
    if raw is None:
        return None
    keys = {"at_most", "times", "approved_by", "consent", "article"}
    if not isinstance(raw, dict) or set(raw) - keys:
        raise LimitsError(f"{id}: extendable has {', '.join(sorted(keys))}.")
    at_most, times = raw.get("at_most"), raw.get("times", 1)
    if (at_most is not None and (type(at_most) is not int or at_most <= 0)) or type(times) is not int or times <= 0:
        raise LimitsError(f"{id}: extendable counts in whole numbers above 0.")
    roles, consent = raw.get("approved_by"), raw.get("consent", [])
    if not isinstance(roles, list) or not roles or not all(isinstance(role, str) for role in roles):
        raise LimitsError(f"{id}: extendable.approved_by is a list of roles: nothing is extended by itself.")
    if not isinstance(consent, list) or set(consent) - {"complainant", "respondent"}:
        raise LimitsError(f"{id}: extendable.consent names complainant and respondent.")
    if at_most is None and not consent:
        raise LimitsError(f"{id}: extendable needs at_most where no party has to consent.")
    return Extendable(at_most, times, tuple(roles), tuple(consent), _text(f"{id}.extendable", raw, "article"))


def _office_hours(raw: object) -> tuple[tuple[time, time], ...]:
    try:
        spans = tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in raw)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise LimitsError(f"office_hours are pairs of times, ['08:30', '12:00']: {error}") from error
    flat = [moment for span in spans for moment in span]
    if flat != sorted(set(flat)):
        raise LimitsError("office_hours must stand in order and not overlap.")
    return spans


def _editions(id: str, entry: object, house: _House) -> tuple[Limit, ...]:
    if not isinstance(entry, dict):
        raise LimitsError(f"{id}: expected a mapping.")
    common = {key: value for key, value in entry.items() if key != "editions"}
    variants = entry.get("editions", [{}])
    if not isinstance(variants, list) or not variants or not all(isinstance(v, dict) for v in variants):
        raise LimitsError(f"{id}: editions must be a list of mappings.")
    editions = tuple(_limit(id, {**common, **variant}, house) for variant in variants)
    for i, one in enumerate(editions):
        for other in editions[i + 1 :]:
            if one.region == other.region and _overlap(one, other):
                raise LimitsError(f"{id}: two editions of {one.region} hold on the same day.")
    return editions


def _overlap(one: Limit, other: Limit) -> bool:
    first, last = date.min, date.max
    return max(one.holds_from or first, other.holds_from or first) < min(
        one.holds_until or last, other.holds_until or last
    )


def _limit(id: str, raw: dict[str, Any], house: _House) -> Limit:
    unknown = set(raw) - _KEYS
    if unknown:
        raise LimitsError(f"{id}: unknown field {sorted(unknown)[0]!r}.")
    kind = _choice(id, "kind", Kind, raw.get("kind", "timer"))
    unit = None if raw.get("unit") is None else _choice(id, "unit", Unit, raw["unit"])
    amount = raw.get("amount")
    if kind in (Kind.SET_BY_OFFICER, Kind.RESTART):
        if amount is not None or unit is not None:
            raise LimitsError(f"{id}: a limit of kind {kind} has no amount and no unit of its own.")
    elif type(amount) is not int or amount <= 0 or unit is None:
        raise LimitsError(f"{id}: expected a whole amount above 0 and a unit, found {amount!r} {unit!r}.")
    warn_after = raw.get("warn_after") or []
    if not isinstance(warn_after, list) or any(type(rung) is not int or rung <= 0 for rung in warn_after):
        raise LimitsError(f"{id}: warn_after is a list of whole numbers.")
    if warn_after != sorted(set(warn_after)) or (amount and warn_after and warn_after[-1] >= amount):
        raise LimitsError(f"{id}: warn_after must rise and stay below {amount}, found {warn_after}.")
    hours = raw.get("hours")
    if hours not in (None, "office"):
        raise LimitsError(f"{id}: hours is 'office' or absent, found {hours!r}.")
    if hours and (unit is None or unit.whole_days or not house.office_hours):
        raise LimitsError(f"{id}: office hours go with minutes or hours and need office_hours at the top.")
    region = _text(id, raw, "region")
    if region not in (NATIONAL, SERVICE) and region not in PROVINCES.values():
        raise LimitsError(f"{id}: region is CN, a province (CN-ZJ) or service, found {region!r}.")
    return Limit(
        id=id,
        name_zh=_text(id, raw, "zh"),
        name_en=_text(id, raw, "en"),
        kind=kind,
        bound=_choice(id, "bound", Bound, raw.get("bound")),
        who_zh=_both(id, raw, "who")[0],
        who_en=_both(id, raw, "who")[1],
        starts_zh=_both(id, raw, "starts")[0],
        starts_en=_both(id, raw, "starts")[1],
        start=raw.get("start"),
        amount=amount,
        unit=unit,
        roll=_choice(id, "roll", Roll, raw.get("roll", "none")),
        region=region,
        holds_from=_day(id, raw, "holds_from"),
        holds_until=_day(id, raw, "holds_until"),
        warn_after=tuple(warn_after),
        article=_text(id, raw, "article"),
        mark=_text(id, raw, "mark"),
        extension=raw.get("extension"),
        extendable=_extendable(id, raw.get("extendable")),
        pauses=raw.get("pauses"),
        pausable=_pausable(id, raw, house.reasons),
        pauses_with=raw.get("pauses_with"),
        on_expiry=raw.get("on_expiry"),
        restarts=raw.get("restarts"),
        office_hours=house.office_hours if hours else (),
        covers_running=_flag(id, raw, "covers_running"),
    )


def _check_references(limits: Limits) -> None:
    for id, editions in limits.editions.items():
        for edition in editions:
            if (edition.kind is Kind.RESTART) != (edition.restarts is not None):
                raise LimitsError(f"{id}: 'restarts' and the kind restart go together.")
            for other in (edition.restarts, edition.pauses_with):
                if other is not None and (other not in limits or other == id):
                    raise LimitsError(f"{id}: there is no other time limit {other}.")


def _choice(id: str, name: str, kind: type[T], value: object) -> T:
    try:
        return kind(str(value))
    except ValueError:
        raise LimitsError(f"{id}: {name} is one of {', '.join(kind)}, found {value!r}.") from None


def _text(id: str, raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not value.strip():
        raise LimitsError(f"{id}: {name} is missing.")
    return value


def _both(id: str, raw: Mapping[str, Any], name: str) -> tuple[str, str]:
    value = raw.get(name)
    if not isinstance(value, dict) or not all(isinstance(value.get(lang), str) for lang in ("zh", "en")):
        raise LimitsError(f"{id}: {name} needs 'zh' and 'en'.")
    return value["zh"], value["en"]


def _flag(id: str, raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name, False)
    if not isinstance(value, bool):
        raise LimitsError(f"{id}: {name} is true or false, found {value!r}.")
    return value


def _day(id: str, raw: Mapping[str, Any], name: str) -> date | None:
    value = raw.get(name)
    if value is not None and type(value) is not date:
        raise LimitsError(f"{id}: {name} is a date, found {value!r}.")
    return value
