"""What operators write, read strictly: reasons, values as JSON with their kind. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.now import CHINA
from core.refusals import Invalid
from disputes.cases.masking import mask_text
from disputes.repair.models import Cause
from engine import values
from engine.editing import kind_of
from feel import temporal

SHORTEST_REASON = 5
LONGEST_REASON = 500

#: The kinds of value that may be written by hand, as FEEL names them.
KINDS = (
    "string",
    "number",
    "boolean",
    "date",
    "time",
    "date and time",
    "days and time duration",
    "years and months duration",
    "list",
    "context",
    "null",
)

#: What the parties of a suspended case are told, Chinese and English, by cause.
TOLD: Mapping[Cause, tuple[str, str]] = {
    Cause.SYSTEM: (
        "系统有一处故障，正在修复。修好以后从停下的地方继续，您不用重新提交。",
        "A fault of the system is being mended. The case goes on where it stopped; nothing has to be sent again.",
    ),
    Cause.DATA: (
        "登记的信息需要核对。核对以后继续办理，需要您补充时会另行通知。",
        "What is recorded has to be checked. The case goes on afterwards; you will be told if anything is needed.",
    ),
    Cause.PROCEDURE: (
        "办理程序需要调整。调整以后继续办理。",
        "The procedure is being put right. The case goes on afterwards.",
    ),
    Cause.OTHER: ("", ""),
}


#: The causes in a word, for the explanation of each deadline, which parties read too.
_PAUSED: Mapping[Cause, str] = {
    Cause.SYSTEM: "（系统故障）",
    Cause.DATA: "（信息核对）",
    Cause.PROCEDURE: "（程序调整）",
    Cause.OTHER: "",
}

#: What they are told when it goes on with what was left of its deadlines.
KEPT = (
    "暂停的时间不占用您的期限。",
    "The time for which it stood still does not count against you.",
)


def pause_words(cause: Cause) -> str:
    """Why a deadline stood still, as its explanation says it."""
    return f"案件处理暂停{_PAUSED[cause]}"


def reason(text: str) -> str:
    """A reason as it is kept. Raises Invalid where it says too little or too much."""
    said = text.strip()
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        span = f"{SHORTEST_REASON}–{LONGEST_REASON}"
        raise Invalid(
            "请写明理由。 Say why.",
            code="repair.reason",
            fields={"reason": [f"{span} 个字。 {span} characters."]},
        )
    return said


def told(cause: Cause, own: str) -> tuple[str, str]:
    """What parties read, Chinese and English. Raises Invalid where there would be nothing to read."""
    own = own.strip()
    zh, en = TOLD[cause]
    if not zh and not own:
        raise Invalid(
            "请写给当事人看的说明。 Write what the parties are told.",
            code="repair.told",
            fields={"told": ["请填写。 Required."]},
        )
    if len(own) > LONGEST_REASON:
        raise Invalid(
            "说明太长。 The words are too long.",
            code="repair.told",
            fields={"told": [f"最多 {LONGEST_REASON} 个字。 At most {LONGEST_REASON} characters."]},
        )
    return f"{zh}{own}", f"{en} {own}".strip()


def value(given: Any, kind: str | None, like: Any) -> Any:
    """A FEEL value from JSON: of a named kind, else of the kind that stands there now. Raises ValueError."""
    wanted = kind or kind_of(like)
    if given is None or kind == "null":
        return None
    if wanted in ("null", "list", "context"):
        return values.decode(values.encode(given))
    return _READERS[wanted](given)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("不是文字。 Not a text.")
    return given


def _number(given: Any) -> Any:
    if isinstance(given, bool):
        raise ValueError("不是数字。 Not a number.")
    try:
        number = Decimal(str(given).strip())
    except InvalidOperation:
        raise ValueError("不是数字。 Not a number.") from None
    if not number.is_finite():
        raise ValueError("不是数字。 Not a number.")
    return values.decode(values.encode(number))


def _boolean(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    known = {"true": True, "false": False}
    if not isinstance(given, str) or given.strip().lower() not in known:
        raise ValueError("要写 true 或 false。 Write true or false.")
    return known[given.strip().lower()]


def _date(given: Any) -> date:
    try:
        return date.fromisoformat(_text(given).strip())
    except ValueError:
        raise ValueError("日期写作 2026-10-01。 Write a date as 2026-10-01.") from None


def _moment(given: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_text(given).strip())
    except ValueError:
        raise ValueError("时间写作 2026-10-01T09:00。 Write a moment as 2026-10-01T09:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=CHINA)


def _time(given: Any) -> Any:
    found = temporal.parse_time(_text(given).strip())
    if found is None:
        raise ValueError("时刻写作 09:00:00。 Write a time as 09:00:00.")
    return found


def _duration(given: Any) -> Any:
    found = temporal.parse_duration(_text(given).strip())
    if found is None:
        raise ValueError("时长写作 P3D 或 PT2H。 Write a duration as P3D or PT2H.")
    return found


_READERS = {
    "string": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "date and time": _moment,
    "days and time duration": _duration,
    "years and months duration": _duration,
}


def masked(seen: Any) -> Any:
    """Data of a case without what points to a person: numbers, addresses and names in its texts are covered."""
    if isinstance(seen, str):
        return mask_text(seen)
    if isinstance(seen, dict):
        return {name: masked(item) for name, item in seen.items()}
    return [masked(item) for item in seen] if isinstance(seen, list) else seen
