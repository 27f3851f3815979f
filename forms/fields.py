"""The kinds of value that people fill in, as marshmallow fields.

Each loads what a browser sends (text) and what a program sends (JSON), and gives plain JSON: text, whole numbers,
booleans, lists, dates in ISO 8601. Messages are ``Say`` in both languages.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import regex
from marshmallow import ValidationError, fields

from core.now import CHINA
from forms import words
from forms.words import Say

#: Longest text that a field takes when its form names no length of its own.
LONGEST_TEXT = 5000
#: Most entries of a list (files, ticks, rows).
MOST_ENTRIES = 200
#: Greatest sum in fen: 10 billion yuan.
GREATEST_FEN = 10**12

#: Seconds that a form's own pattern may take on one answer.
MAX_PATTERN_TIME = 0.2
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{2,3}\d{7,8}(?:x\d{1,6})?|[48]00\d{7}|12315|12345")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}")
_DATE = re.compile(r"(\d{4})(?:-|/|年)(\d{1,2})(?:-|/|月)(\d{1,2})日?")
_TIME = re.compile(r"(\d{1,2})[:：](\d{2})(?:[:：]\d{2})?")

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def fault(say: Say) -> ValidationError:
    """A validation error that keeps both languages."""
    return ValidationError(cast(Any, [say]))


class Answered(fields.Field[Any]):
    """The base of all fields: a required field says in its own words what is missing."""

    missing_says = words.FILL_IN

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(
            required=required,
            allow_none=not required,
            error_messages=cast(Any, {"required": [self.missing_says], "null": [self.missing_says]}),
        )


class Text(Answered):
    """Text of one or more lines."""

    def __init__(
        self,
        *,
        required: bool = False,
        least: int = 0,
        most: int = LONGEST_TEXT,
        pattern: str = "",
        pattern_says: Say = words.PATTERN,
    ) -> None:
        super().__init__(required=required)
        self.least, self.most = least, most
        self.pattern = regex.compile(pattern) if pattern else None
        self.pattern_says = pattern_says

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise fault(words.NOT_TEXT)
        text = value.replace("\r\n", "\n").replace("\x00", "").strip()
        if len(text) < self.least:
            raise fault(words.too_short(self.least, len(text)))
        if len(text) > self.most:
            raise fault(words.too_long(self.most, len(text)))
        if self.pattern and not self._matches(text):
            raise fault(self.pattern_says)
        return text

    def _matches(self, text: str) -> bool:
        """Whether the pattern fits; one that backtracks without end is given up, and fits nothing."""
        assert self.pattern is not None
        try:
            return self.pattern.fullmatch(text, timeout=MAX_PATTERN_TIME) is not None
        except TimeoutError:
            return False


class Number(Answered):
    """A number with at most ``digits`` decimals; whole numbers load as int, others as float."""

    def __init__(
        self,
        *,
        required: bool = False,
        digits: int = 0,
        least: Decimal | None = None,
        most: Decimal | None = None,
    ) -> None:
        super().__init__(required=required)
        self.digits, self.least, self.most = digits, least, most

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int | float:
        says = words.NUMBER if self.digits else words.WHOLE_NUMBER
        number = _decimal(value, says)
        if -cast(int, number.normalize().as_tuple().exponent) > self.digits:
            raise fault(words.too_many_decimals(self.digits) if self.digits else words.WHOLE_NUMBER)
        if self.least is not None and number < self.least:
            raise fault(words.too_small(f"{self.least:f}"))
        if self.most is not None and number > self.most:
            raise fault(words.too_big(f"{self.most:f}"))
        return int(number) if number == number.to_integral_value() else float(number)


class Money(Answered):
    """A sum, typed in yuan (``"86.40"``), kept in fen (``8640``). A JSON number is taken as fen."""

    def __init__(self, *, required: bool = False, least: int = 0, most: int = GREATEST_FEN) -> None:
        super().__init__(required=required)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            fen = Decimal(value)
        elif isinstance(value, str):
            fen = _decimal(value.strip().removesuffix("元").lstrip("¥￥"), words.MONEY) * 100
        else:
            raise fault(words.MONEY)
        if fen != fen.to_integral_value():
            raise fault(words.too_many_decimals(2))
        if fen < self.least:
            raise fault(words.too_small(yuan(self.least)))
        if fen > self.most:
            raise fault(words.too_big(yuan(self.most)))
        return int(fen)


class Tick(Answered):
    """A single box. Required means: must be ticked."""

    missing_says = words.TICK

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if value not in (True, False) or not isinstance(value, bool):
            raise fault(words.NOT_YES_NO)
        if self.required and not value:
            raise fault(words.TICK)
        return value


class YesNo(Answered):
    """A question that is answered with yes or no; no is an answer, silence is none."""

    missing_says = words.CHOOSE

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        if value not in ("true", "false"):
            raise fault(words.NOT_LISTED)
        return bool(value == "true")


class Choice(Answered):
    """One of the listed values; ``values`` is asked late because options may come from the case."""

    missing_says = words.CHOOSE

    def __init__(self, *, required: bool = False, values: Callable[[], Sequence[str]]) -> None:
        super().__init__(required=required)
        self.values = values

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.values():
            raise fault(words.NOT_LISTED)
        return value


class Choices(Answered):
    """Some of the listed values, in the order of the list, each once."""

    missing_says = words.CHOOSE_SOME

    def __init__(self, *, required: bool = False, values: Callable[[], Sequence[str]]) -> None:
        super().__init__(required=required)
        self.values = values

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> list[str]:
        listed = self.values()
        if not isinstance(value, list) or any(not isinstance(v, str) or v not in listed for v in value):
            raise fault(words.NOT_LISTED)
        if self.required and not value:
            raise fault(words.CHOOSE_SOME)
        return [v for v in listed if v in value]


class Day(Answered):
    """A date; loads as ``2026-09-20``. Where ``today`` answers with a day, days before it are refused."""

    def __init__(self, *, required: bool = False, today: Callable[[], date | None] = lambda: None) -> None:
        super().__init__(required=required)
        self.today = today

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        day = parse_date(value)
        if day is None:
            raise fault(words.DATE)
        today = self.today()
        if today and day < today:
            raise fault(words.PAST_DAY)
        return day.isoformat()


class TimeOfDay(Answered):
    """A time of day in China; loads as ``14:30``."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        clock = parse_time(value)
        if clock is None:
            raise fault(words.TIME)
        return clock.strftime("%H:%M")


class MomentOfDay(Answered):
    """A date and time; without an offset it is China's. Loads as ``2026-09-20T14:30:00+08:00``."""

    def __init__(self, *, required: bool = False, today: Callable[[], date | None] = lambda: None) -> None:
        super().__init__(required=required)
        self.today = today

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        moment = parse_moment(value)
        if moment is None:
            raise fault(words.DATE_TIME)
        today = self.today()
        if today and moment.astimezone(CHINA).date() < today:
            raise fault(words.PAST_DAY)
        return moment.astimezone(CHINA).isoformat()


class Phone(Answered):
    """A mobile number or a landline with its area code, digits only."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        digits = re.sub(r"[\s\-–—()（）]", "", value).removeprefix("+86") if isinstance(value, str) else ""
        digits = re.sub(r"[转#*]", "x", digits)
        if not (_MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits)):
            raise fault(words.PHONE)
        return digits


class IdNumber(Answered):
    """A resident identity number (GB 11643): 18 characters, a real birthday, the right check character."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        number = re.sub(r"\s", "", value).upper() if isinstance(value, str) else ""
        if not re.fullmatch(r"[1-9]\d{16}[\dX]", number):
            raise fault(words.ID_LENGTH)
        if parse_date(f"{number[6:10]}-{number[10:12]}-{number[12:14]}") is None:
            raise fault(words.ID_CHECKSUM)
        total = sum(int(d) * w for d, w in zip(number, _ID_WEIGHTS, strict=False))
        if number[17] != _ID_CHECKS[total % 11]:
            raise fault(words.ID_CHECKSUM)
        return number


def uscc_check(seventeen: str) -> str:
    """The check character of a unified social credit code's first seventeen (GB 32100)."""
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(seventeen, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


class Uscc(Answered):
    """A unified social credit code (GB 32100): 18 characters, the right check character."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        code = re.sub(r"\s", "", value).upper() if isinstance(value, str) else ""
        if len(code) != 18 or any(c not in _USCC_ALPHABET for c in code):
            raise fault(words.USCC_LENGTH)
        if code[17] != uscc_check(code[:17]):
            raise fault(words.USCC_CHECKSUM)
        return code


class Email(Answered):
    """An e-mail address."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        address = value.strip() if isinstance(value, str) else ""
        if len(address) > 254 or not _EMAIL.fullmatch(address):
            raise fault(words.EMAIL)
        return address


class Files(Answered):
    """Names of files that were stored before (ids); the form does not look inside."""

    missing_says = words.ATTACH

    def __init__(self, *, required: bool = False, multiple: bool = True) -> None:
        super().__init__(required=required)
        self.most = MOST_ENTRIES if multiple else 1

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> list[str]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list) or any(not isinstance(v, str) or len(v) > 200 for v in given):
            raise fault(words.ATTACH)
        if self.required and not given:
            raise fault(words.ATTACH)
        different = list(dict.fromkeys(given))
        if len(different) > self.most:
            raise fault(words.too_many(self.most))
        return different


def yuan(fen: int) -> str:
    """A sum as people write it: ``3,699元``, ``86.40元``."""
    whole, rest = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    return f"{sign}{whole:,}.{rest:02d}元" if rest else f"{sign}{whole:,}元"


def parse_date(value: object) -> date | None:
    """A date from ``2026-09-20``, ``2026/9/20`` or ``2026年9月20日``; None when it is none."""
    if isinstance(value, datetime):
        return value.astimezone(CHINA).date()
    if isinstance(value, date):
        return value
    match = _DATE.fullmatch(re.sub(r"\s", "", value)) if isinstance(value, str) else None
    if not match:
        return None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2200 else None


def parse_time(value: object) -> time | None:
    """A time of day from ``14:30``; None when it is none."""
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    return time(int(match[1]), int(match[2]))


def parse_moment(value: object) -> datetime | None:
    """A moment from ISO 8601 or ``2026年9月20日 14:30``; without an offset it is China's."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=CHINA)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        day_text, _, time_text = value.strip().replace("日", "日 ").rpartition(" ")
        day, clock = parse_date(day_text), parse_time(time_text)
        if day is None or clock is None:
            return None
        moment = datetime.combine(day, clock)
    if len(value.strip()) <= 10 or not 1900 <= moment.year <= 2200:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


def _decimal(value: object, says: Say) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise fault(says)
    text = str(value).strip().replace(",", "").replace("，", "")
    if len(text) > 30:
        raise fault(says)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise fault(says) from None
    if not number.is_finite() or number.adjusted() > 15 or abs(number) > Decimal(10) ** 15:
        raise fault(says)
    return number
