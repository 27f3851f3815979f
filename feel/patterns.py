"""The regular expressions of XPath that ``matches``, ``replace`` and ``split`` take.

They are checked and translated here, and run by the ``regex`` package, which knows Unicode properties, takes away
one class from another, and stops after a given time: a pattern that backtracks without end costs an evaluation no
more than ``limits.MAX_PATTERN_TIME`` in all.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import regex

from feel.errors import FeelLimitError
from feel.limits import MAX_PATTERN_TIME, Runtime

MAX_PATTERN = 1_000  # characters
MAX_TEXT = 100_000  # characters
MAX_SIZE = 5_000  # pieces, when everything that is repeated a number of times is written out

Found = TypeVar("Found")
_FLAGS = {"s": regex.DOTALL, "m": regex.MULTILINE, "i": regex.IGNORECASE, "x": 0, "q": 0}
_PLAIN_ESCAPES = frozenset("nrt\\|.-^?*+{}()[]$")
_CLASS_ESCAPES = {
    "s": r"[ \t\n\r]",
    "S": r"[^ \t\n\r]",
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "w": r"[^\p{P}\p{Z}\p{C}]",
    "W": r"[\p{P}\p{Z}\p{C}]",
    "i": r"[\p{L}\p{Nl}_:]",
    "I": r"[^\p{L}\p{Nl}_:]",
    "c": r"[\p{L}\p{Nd}\p{Nl}\p{M}_:.·\-]",
    "C": r"[^\p{L}\p{Nd}\p{Nl}\p{M}_:.·\-]",
}
_QUANTIFIER = regex.compile(r"(?:[?*+]|\{(\d+)(?:,(\d*))?\})\??")
_PROPERTY = regex.compile(r"[pP]\{(\^?)([A-Za-z][A-Za-z0-9\-]*)\}")


class _Invalid(Exception):
    """The pattern is not one of XPath."""


class _Translator:
    """One pass over a pattern, writing the same pattern for ``regex``."""

    def __init__(self, pattern: str, flags: str) -> None:
        self._text = _without_spaces(pattern) if "x" in flags else pattern
        self._at = 0
        self._multiline = "m" in flags
        self._any = "." if "s" in flags else r"[^\n\r]"
        self._groups = 0
        self._open: list[int] = []
        self._closed: set[int] = set()
        self._sizes = [0]  #: of each open group, written out
        self._last = 0  #: of the piece that a quantifier would repeat

    def translate(self) -> tuple[str, int]:
        """The pattern for ``regex`` and the number of its groups."""
        written: list[str] = []
        repeatable = False
        while self._at < len(self._text):
            piece, repeatable = self._piece(repeatable)
            written.append(piece)
            if repeatable and piece != ")":
                self._grow(1)
        if self._open:
            raise _Invalid
        return "".join(written), self._groups

    def _piece(self, repeatable: bool) -> tuple[str, bool]:
        char = self._text[self._at]
        if char in "?*+{":
            return self._quantifier(repeatable), False
        if char == "\\":
            return self._escape(), True
        if char == "[":
            return self._class(), True
        self._at += 1
        if char == "(":
            return self._group(), False
        if char == ")":
            if not self._open:
                raise _Invalid
            self._closed.add(self._open.pop())
            size = self._sizes.pop() + 1
            self._grow(size)
            return ")", True
        if char in "]}":
            raise _Invalid
        if char == "|":
            return "|", False
        if char in "^$":
            # The end of the text is the end, not the place before a last line break.
            return ("^" if char == "^" else "$" if self._multiline else r"\Z"), True
        return (self._any if char == "." else regex.escape(char, literal_spaces=True)), True

    def _quantifier(self, repeatable: bool) -> str:
        match = _QUANTIFIER.match(self._text, self._at)
        if match is None or not repeatable:
            raise _Invalid
        low, high = match[1], match[2]
        if low and high and int(low) > int(high):
            raise _Invalid
        self._grow(self._last * max(int(high or 0), int(low or 1)))
        self._at = match.end()
        return match[0]

    def _grow(self, size: int) -> None:
        self._sizes[-1] += size
        self._last = size
        if self._sizes[-1] > MAX_SIZE:
            raise FeelLimitError(
                f"the pattern has more than {MAX_SIZE} pieces when its repetitions are written out",
                f"正则表达式展开后超过 {MAX_SIZE} 项",
            )

    def _group(self) -> str:
        self._sizes.append(0)
        if self._text.startswith("?:", self._at):
            self._at += 2
            self._open.append(0)
            return "(?:"
        if self._text.startswith("?", self._at):
            raise _Invalid
        self._groups += 1
        self._open.append(self._groups)
        return "("

    def _escape(self) -> str:
        following = self._text[self._at + 1 : self._at + 2]
        if following in "123456789" and following:
            number, length = int(following), 2
            more = self._text[self._at + 2 : self._at + 3]
            if more.isdigit() and int(following + more) <= self._groups:
                number, length = int(following + more), 3
            if number not in self._closed:
                raise _Invalid
            self._at += length
            return f"(?:\\{number})"
        return self._common_escape()

    def _common_escape(self) -> str:
        """An escape that may also stand in a class."""
        following = self._text[self._at + 1 : self._at + 2]
        if following and following in _PLAIN_ESCAPES:
            self._at += 2
            return f"\\{following}"
        if following in _CLASS_ESCAPES:
            self._at += 2
            return _CLASS_ESCAPES[following]
        match = _PROPERTY.match(self._text, self._at + 1)
        if match is None or match[1]:
            raise _Invalid
        self._at = match.end()
        name = match[2]
        if name.startswith("Is"):
            name = "In" + name[2:].replace("-", "")
        elif len(name) > 2:
            raise _Invalid
        return f"\\{match[0][0]}{{{name}}}"

    def _class(self) -> str:
        """``[a-z-[aeiou]]`` and the like; ``regex`` writes the subtraction ``--``."""
        self._at += 1
        negated = self._take("^")
        parts: list[str] = []
        taken = ""
        while True:
            if self._at >= len(self._text):
                raise _Invalid
            if self._text.startswith("-[", self._at) and parts:
                self._at += 1
                taken = self._class()
                if not self._take("]"):
                    raise _Invalid
                break
            if self._take("]"):
                break
            parts.append(self._class_part())
        if not parts:
            raise _Invalid
        inner = f"[{'^' if negated else ''}{''.join(parts)}]"
        return f"[{inner}--{taken}]" if taken else inner

    def _take(self, char: str) -> bool:
        if self._text.startswith(char, self._at):
            self._at += 1
            return True
        return False

    def _class_part(self) -> str:
        start, single = self._class_char()
        after = self._text[self._at : self._at + 2]
        if not single or not after.startswith("-") or after in ("-[", "-]"):
            return start
        self._at += 1
        end, single = self._class_char()
        if not single or _code(start) > _code(end):
            raise _Invalid
        return f"{start}-{end}"

    def _class_char(self) -> tuple[str, bool]:
        if self._at >= len(self._text):
            raise _Invalid
        char = self._text[self._at]
        if char == "\\":
            written = self._common_escape()
            return written, len(written) == 2
        if char == "[":
            raise _Invalid
        self._at += 1
        return ("\\" + char if not char.isalnum() and char.isascii() else char), True


def _without_spaces(pattern: str) -> str:
    """The pattern as the flag ``x`` reads it: white space is taken out before anything else, except in classes."""
    kept: list[str] = []
    depth = 0
    escaped = False
    for char in pattern:
        if not depth and char in " \t\n\r":
            continue
        if not escaped:
            depth += (char == "[") - (char == "]" and depth > 0)
        escaped = char == "\\" and not escaped
        kept.append(char)
    return "".join(kept)


def _code(written: str) -> int:
    char = {"\\n": "\n", "\\r": "\r", "\\t": "\t"}.get(written, written[-1])
    return ord(char)


@lru_cache(maxsize=256)
def _compiled(pattern: str, flags: str) -> "tuple[regex.Pattern[str], int] | None":
    """The pattern and its groups; None when it is not valid."""
    if len(pattern) > MAX_PATTERN:
        raise FeelLimitError(
            f"the pattern has more than {MAX_PATTERN} characters", f"正则表达式超过 {MAX_PATTERN} 个字符"
        )
    if any(flag not in _FLAGS for flag in flags):
        return None
    if "q" in flags:
        written, groups = regex.escape(pattern), 0
    else:
        try:
            written, groups = _Translator(pattern, flags).translate()
        except _Invalid:
            return None
    options = regex.VERSION1
    for flag in flags:
        options |= _FLAGS[flag]
    try:
        return regex.compile(written, options), groups
    except regex.error:
        return None


def _ready(runtime: Runtime, pattern: str, flags: str) -> "tuple[regex.Pattern[str], int] | None":
    """The compiled pattern; the time that compiling takes is charged as matching is."""
    started = time.perf_counter()
    compiled = _compiled(pattern, flags)
    runtime.pattern_time -= time.perf_counter() - started
    if runtime.pattern_time <= 0:
        raise _too_slow()
    return compiled


def _timed(runtime: Runtime, text: str, work: Callable[[float], Found]) -> Found:
    if len(text) > MAX_TEXT:
        raise FeelLimitError(
            f"a text of {len(text)} characters is too long for a pattern; at most {MAX_TEXT}",
            f"文本有 {len(text)} 个字符，超过正则表达式允许的 {MAX_TEXT} 个",
        )
    started = time.perf_counter()
    try:
        found = work(max(runtime.pattern_time, 0.001))
    except TimeoutError:
        runtime.pattern_time = 0
        raise _too_slow() from None
    runtime.pattern_time -= time.perf_counter() - started
    if runtime.pattern_time <= 0:
        raise _too_slow()
    return found


def _too_slow() -> FeelLimitError:
    return FeelLimitError(
        f"matching patterns took longer than {MAX_PATTERN_TIME} seconds; do not repeat what repeats already",
        f"正则表达式匹配超过 {MAX_PATTERN_TIME} 秒；请避免在重复里再套重复",
    )


def search(runtime: Runtime, text: str, pattern: str, flags: str) -> bool | None:
    """Whether the pattern occurs in the text; None when the pattern or a flag is not valid."""
    if (compiled := _ready(runtime, pattern, flags)) is None:
        return None
    return _timed(runtime, text, lambda limit: compiled[0].search(text, timeout=limit) is not None)


def substitute(runtime: Runtime, text: str, pattern: str, replacement: str, flags: str) -> str | None:
    """Each occurrence replaced; ``$1`` is a group. None when not valid, or when the empty text matches."""
    if (compiled := _ready(runtime, pattern, flags)) is None:
        return None
    expression, groups = compiled
    template = _template(replacement, groups) if "q" not in flags else [replacement]
    if template is None or expression.match("") is not None:
        return None

    def one(match: "regex.Match[str]") -> str:
        made = "".join(piece if isinstance(piece, str) else match[piece] or "" for piece in template)
        runtime.make_text(len(made))
        return made

    result = _timed(runtime, text, lambda limit: expression.sub(one, text, timeout=limit))
    runtime.make_text(len(result))
    return result


def _template(replacement: str, groups: int) -> list[str | int] | None:
    """The replacement in pieces: text, or the number of a group."""
    pieces: list[str | int] = []
    at = 0
    while at < len(replacement):
        char, following = replacement[at], replacement[at + 1 : at + 2]
        if char == "\\":
            if following not in ("\\", "$") or not following:
                return None
            pieces.append(following)
            at += 2
        elif char == "$":
            if not following.isdigit():
                return None
            number, at = int(following), at + 2
            while (
                at < len(replacement) and replacement[at].isdigit() and int(f"{number}{replacement[at]}") <= groups
            ):
                number, at = int(f"{number}{replacement[at]}"), at + 1
            pieces.append(number if number <= groups else "")
        else:
            pieces.append(char)
            at += 1
    return pieces


def cut(runtime: Runtime, text: str, delimiter: str) -> list[str] | None:
    """The text cut where the pattern matches. None when the pattern is not valid."""
    if (compiled := _ready(runtime, delimiter, "")) is None:
        return None
    expression = compiled[0]

    def work(limit: float) -> list[str]:
        pieces, at = [], 0
        for match in expression.finditer(text, timeout=limit):
            runtime.make(1)
            if match.end() == match.start():
                continue
            runtime.make_text(match.start() - at)
            pieces.append(text[at : match.start()])
            at = match.end()
        return [*pieces, text[at:]]

    return _timed(runtime, text, work)
