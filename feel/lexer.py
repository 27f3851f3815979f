"""Text to tokens, each with its place.

FEEL names may contain spaces and operator signs, so the lexer cuts finely (words, numbers, signs) and the parser
puts names together again from what it knows (see ``feel.parser``).
"""

import re
from typing import NamedTuple

from feel.errors import FeelSyntaxError, position

#: Longer texts are refused: nobody can read such a condition, and parsing must stay short.
MAX_TEXT = 50_000  # characters

KEYWORDS = frozenset(
    (
        *("if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "and", "or", "between"),
        *("instance", "of", "function", "external", "true", "false", "null"),
    )
)


class Token(NamedTuple):
    kind: str  #: name, number, string, sign, other or end; other may be part of a known name, such as （ or #
    text: str  #: as written; for strings the value, unescaped
    start: int
    end: int


_TOKEN = re.compile(
    r"""
    (?P<space>[\s\u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+
        | //[^\n]* | /\*.*?\*/)
  | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<name>\?|(?:[^\W\d]|[\U00010000-\U000effff])
        (?:[\w\u00b7\u0300-\u036f\u203f-\u2040]|[\U00010000-\U000effff])*)
  | (?P<sign>(?!/\*)(?:\.\.|\*\*|<=|>=|!=|->|[-+*/=<>()\[\]{},:.@']))
  | (?P<other>(?!"|/\*).)
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


def _unescape(match: re.Match[str]) -> str:
    four, six, single = match.groups()
    if single is not None:
        return _ESCAPES.get(single, "\\" + single)
    code = int(four or six, 16)
    return chr(code) if code <= 0x10FFFF else match.group(0)


def _join_surrogates(text: str) -> str:
    """Two escapes such as \\uD83D\\uDC0E name one character; Python keeps them apart unless told."""
    if any("\ud800" <= c <= "\udfff" for c in text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def string_value(quoted: str) -> str:
    """The value of a string literal as written, quotes and escapes included."""
    inner = quoted[1:-1]
    if "\\" not in inner:
        return inner
    return _join_surrogates(_ESCAPE.sub(_unescape, inner))


def tokens(text: str) -> list[Token]:
    """Cut the text; the last token is always of kind ``end``. Raises FeelSyntaxError."""
    if len(text) > MAX_TEXT:
        raise FeelSyntaxError(
            f"the expression has {len(text)} characters; at most {MAX_TEXT} are allowed",
            f"表达式有 {len(text)} 个字符，最多允许 {MAX_TEXT} 个",
            line=1,
            column=1,
            expected="a shorter expression",
        )
    found: list[Token] = []
    at, end = 0, len(text)
    match = _TOKEN.match
    while at < end:
        hit = match(text, at)
        if hit is None:
            raise _unreadable(text, at)
        kind = hit.lastgroup or ""
        if kind != "space":
            raw = hit.group()
            found.append(Token(kind, string_value(raw) if kind == "string" else raw, at, hit.end()))
        at = hit.end()
    found.append(Token("end", "", end, end))
    return found


def _unreadable(text: str, at: int) -> FeelSyntaxError:
    line, column = position(text, at)
    if text[at] == '"':
        return FeelSyntaxError(
            "the string that begins here has no closing quote",
            "从这里开始的字符串缺少右引号",
            line=line,
            column=column,
            expected='"',
        )
    return FeelSyntaxError(
        "the comment that begins here is not closed",
        "从这里开始的注释没有结束",
        line=line,
        column=column,
        expected="*/",
    )


#: What people type for a sign of the language.
_INSTEAD = {
    "“": '"',
    "”": '"',
    "‘": '"',
    "’": '"',
    "，": ",",
    "（": "(",
    "）": ")",
    "：": ":",
    "；": ",",
    "【": "[",
    "】": "]",
    "＝": "=",
    "＞": ">",
    "＜": "<",
    "＋": "+",
    "－": "-",
    "×": "*",
    "÷": "/",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "&": "and",
    "|": "or",
    "!": "not(...)",
    "%": "/ 100",
    "^": "**",
    ";": ",",
}


def unknown_sign(text: str, token: Token) -> FeelSyntaxError:
    """The error for a character that means nothing here, with what is probably meant."""
    line, column = position(text, token.start)
    char = token.text
    if (instead := _INSTEAD.get(char)) is not None:
        message, zh = f"{char} is not a sign of FEEL; write {instead}", f"{char} 不是 FEEL 的符号，请写 {instead}"
        return FeelSyntaxError(message, zh, line=line, column=column, expected=instead)
    wanted = "a name, a value or an operator"
    return FeelSyntaxError(
        f"{char!r} cannot stand here", f"这里不能有字符 {char!r}", line=line, column=column, expected=wanted
    )
