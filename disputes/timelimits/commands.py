"""The command ``due``, without its command line: text in, the object of CONTRACTS.md out. Needs no database."""

import csv
from collections.abc import Sequence
from datetime import date
from typing import Any

from core.refusals import Invalid
from disputes.timelimits.calendar import Calendar
from disputes.timelimits.limits import LimitsError, UnknownLimit, load_limits
from disputes.timelimits.rules import Pause, TimeLimitError, compute, moment_of


def due(
    limit: str,
    start: str,
    *,
    limits: bytes,
    today: date,
    pauses: Sequence[str] = (),
    as_of: str | None = None,
    region: str | None = None,
    calendar: Calendar | None = None,
) -> dict[str, Any]:
    """When a limit ends that began with ``start``, a day or a moment.

    ``limits`` is the text of ``time_limits.yaml``; a pause is ``FROM/TO``; the edition is that of ``as_of``, else
    of ``today``. Without a ``calendar`` the announced one counts. Raises Invalid, saying what was expected.
    """
    try:
        edition = load_limits(limits).get(limit, region=region, on=date.fromisoformat(as_of) if as_of else today)
        why = edition.pauses or "依据中没有规定可以暂停，仅作演算"
        spans = [_pause(text, why) for text in pauses]
        return compute(edition, moment_of(start), calendar=calendar or Calendar(), pauses=spans, today=today).json()
    except (LimitsError, UnknownLimit, TimeLimitError, ValueError) as error:
        raise Invalid(str(error), code="due.invalid") from error


def read_days(text: str) -> list[dict[str, Any]]:
    """The days of a CSV file with the heading ``date,is_workday,name``; ``is_workday`` is 1/0, true/false or
    班/休. Raises Invalid naming the line.
    """
    rows = csv.DictReader(text.splitlines())
    if not {"date", "is_workday"} <= set(rows.fieldnames or ()):
        raise Invalid("The file begins with the heading date,is_workday,name.", code="calendar.heading")
    days = []
    for number, row in enumerate(rows, 2):
        try:
            worked = _WORDS[(row["is_workday"] or "").strip().lower()]
            days.append({"date": date.fromisoformat((row["date"] or "").strip()), "is_workday": worked,
                         "name": (row.get("name") or "").strip()})  # fmt: skip
        except (KeyError, ValueError) as error:
            raise Invalid(
                f"Line {number}: expected a day such as 2027-02-05 and 1 or 0, found {dict(row)}.",
                code="calendar.line",
                fields={str(number): [str(error)]},
            ) from error
    if not days:
        raise Invalid("The file holds no day.", code="calendar.empty")
    return days


_WORDS = {"1": True, "true": True, "班": True, "0": False, "false": False, "休": False}


def _pause(text: str, why: str) -> Pause:
    first, slash, last = text.partition("/")
    if not slash:
        raise TimeLimitError(f"Expected a pause as FROM/TO, for example 2026-08-10/2026-08-22, found {text!r}.")
    return Pause(date.fromisoformat(first), date.fromisoformat(last), why)
