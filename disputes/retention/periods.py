"""The periods of ``workflows/retention.yaml``: how long, why, and on what ground. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import yaml

from core.now import CHINA
from core.refusals import Invalid
from disputes.retention.models import Kind

#: The periods of this installation; operators change them there.
STANDARD = Path(__file__).resolve().parents[2] / "workflows" / "retention.yaml"
#: Nothing personal is kept longer: 30 years.
LONGEST = 360


@dataclass(frozen=True)
class Period:
    """How long one kind of data is kept after the case was closed."""

    kind: Kind
    months: int
    purpose_zh: str
    purpose_en: str
    article: str

    def ends_before(self, now: datetime) -> datetime:
        """Cases that were closed before this moment have reached the end of the period."""
        local = now.astimezone(CHINA).date()
        months = local.year * 12 + local.month - 1 - self.months
        year, month = divmod(months, 12)
        day = local.day
        while True:  # 31 August less six months is the last day of February
            try:
                return datetime.combine(date(year, month + 1, day), time(), CHINA)
            except ValueError:
                day -= 1


def read_periods(content: bytes) -> Mapping[Kind, Period]:
    """The periods of all kinds. Raises Invalid."""
    try:
        listed = yaml.safe_load(content)["periods"]
        found = {
            Kind(name): Period(
                Kind(name),
                int(entry["months"]),
                str(entry["purpose"]["zh"]),
                str(entry["purpose"]["en"]),
                str(entry["article"]),
            )
            for name, entry in listed.items()
        }
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise Invalid(f"retention.yaml cannot be read: {error!r}", code="retention.periods") from error
    missing = sorted(set(Kind) - found.keys())
    wrong = [p.kind for p in found.values() if not 1 <= p.months <= LONGEST or not p.article or not p.purpose_zh]
    if missing or wrong:
        raise Invalid(
            f"retention.yaml: each kind needs months from 1 to {LONGEST}, purpose and article; "
            f"missing {missing}, wrong {wrong}.",
            code="retention.periods",
        )
    return found


def standard() -> Mapping[Kind, Period]:
    """The periods of this installation. Raises Invalid."""
    try:
        return read_periods(STANDARD.read_bytes())
    except OSError as error:
        raise Invalid(f"{STANDARD} cannot be read: {error}", code="retention.periods") from error
