"""The small part of JUEL, the expression language of Camunda 7, that means the same in FEEL.

Comparisons, logic and the conditional over names and literals are translated; everything else is refused with what
stands in the way. JUEL reads what is missing as false and turns texts into numbers on its own, FEEL does neither:
where a translation would hang on that, there is none.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<name>[^\W\d]\w*)|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:().,\[\]]))"
)
_WORDS = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "mod": "%",
    "div": "/",
}
#: What Camunda 7 puts into every expression, and what FEEL reads as a word of its own.
_RESERVED = frozenset(
    [
        "execution",
        "task",
        "authenticatedUserId",
        "currentUser",
        "currentUserGroups",
        "caseExecution",
        "externalTask",
        "empty",
        "instanceof",
        "if",
        "then",
        "else",
        "for",
        "return",
        "some",
        "every",
        "in",
        "satisfies",
        "between",
        "function",
        "instance",
        "of",
        "external",
    ]
)
#: Names that multi-instance brings, in both vocabularies.
_LOOP = {
    "nrOfInstances": "numberOfInstances",
    "nrOfCompletedInstances": "numberOfCompletedInstances",
    "nrOfActiveInstances": "numberOfActiveInstances",
    "loopCounter": "(loopCounter - 1)",
}
#: Nesting that a person would still read.
MAX_DEPTH = 30
#: Characters of an expression that is read at all.
MAX_LENGTH = 2_000


class NotTranslated(ValueError):
    """What stands in the way, for a designer: ``zh`` and ``en``."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class _Part:
    """FEEL of a part, and what is known of its value."""

    feel: str
    #: ``number``, ``text``, ``boolean``, ``null``, or empty where it comes from a variable.
    type: str = ""
    #: A literal, or arithmetic over literals.
    fixed: bool = False


def is_juel(text: str) -> bool:
    """Whether a text holds an expression in JUEL's marks."""
    return "${" in text or "#{" in text


def translate(text: str) -> str:
    """The FEEL of one expression with or without its marks. Raises NotTranslated."""
    return _Parser(_body(text)).read().feel


def is_fixed(text: str) -> bool:
    """Whether an expression names no variable and so can touch nothing. Raises NotTranslated."""
    return _Parser(_body(text)).read().fixed


def _body(text: str) -> str:
    stripped = text.strip()
    if len(stripped) > MAX_LENGTH:
        raise NotTranslated("表达式太长。", "The expression is too long.")
    found = re.fullmatch(r"[$#]\{(.*)\}", stripped, re.DOTALL)
    if found is None:
        if is_juel(stripped):
            raise NotTranslated("文字里夹着表达式。", "Text and expressions are mixed.")
        return stripped
    if is_juel(found[1]):
        raise NotTranslated("文字里夹着表达式。", "Text and expressions are mixed.")
    return found[1]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self.depth = 0
        place = 0
        text = text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise NotTranslated(f"“{text[place:][:20]}”看不懂。", f'"{text[place:][:20]}" is not understood.')
            kind = str(found.lastgroup)
            word = found[kind]
            self.tokens.append(("sign", _WORDS[word]) if kind == "name" and word in _WORDS else (kind, word))
            place = found.end()

    def read(self) -> _Part:
        part = self._choice()
        if self.at < len(self.tokens):
            self._stop(self.tokens[self.at][1])
        return part

    def _stop(self, word: str) -> None:
        if word in (".", "["):
            raise NotTranslated(
                "它读取对象的属性，这在 Camunda 7 里可能是 Java 对象。",
                "It reads a property of an object, which may be a Java object in Camunda 7.",
            )
        if word == "(":
            raise NotTranslated("它调用方法。", "It calls a method.")
        raise NotTranslated(f"“{word}”在这里看不懂。", f'"{word}" is not understood here.')

    def _take(self, *signs: str) -> str:
        if self.at < len(self.tokens):
            kind, word = self.tokens[self.at]
            if kind == "sign" and word in signs:
                self.at += 1
                return word
        return ""

    def _choice(self) -> _Part:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotTranslated("括号套得太深。", "It is nested too deeply.")
        first = self._either()
        if self._take("?"):
            second = self._choice()
            if not self._take(":"):
                raise NotTranslated("“?”没有“:”。", "The ? has no colon.")
            third = self._choice()
            kind = second.type if second.type == third.type else ""
            fixed = first.fixed and second.fixed and third.fixed
            first = _Part(f"if {first.feel} then {second.feel} else {third.feel}", kind, fixed)
        self.depth -= 1
        return first

    def _either(self) -> _Part:
        part = self._both()
        while self._take("||"):
            other = self._both()
            part = _Part(f"{_truth(part)} or {_truth(other)}", "boolean", part.fixed and other.fixed)
        return part

    def _both(self) -> _Part:
        part = self._equal()
        while self._take("&&"):
            other = self._equal()
            part = _Part(f"{_truth(part)} and {_truth(other)}", "boolean", part.fixed and other.fixed)
        return part

    def _equal(self) -> _Part:
        part = self._compared()
        while sign := self._take("==", "!="):
            other = self._compared()
            _same_type(part, other)
            word = "=" if sign == "==" else "!="
            part = _Part(f"{_held(part)} {word} {_held(other)}", "boolean", part.fixed and other.fixed)
        return part

    def _compared(self) -> _Part:
        part = self._sum()
        if sign := self._take("<", ">", "<=", ">="):
            other = self._sum()
            _same_type(part, other)
            if not {part.type, other.type} & {"number", "text"}:
                raise NotTranslated(
                    "它比较两个变量的大小，不知道是数还是文字。",
                    "It compares two variables, and nothing says whether they are numbers or texts.",
                )
            part = _Part(f"{part.feel} {sign} {other.feel}", "boolean", part.fixed and other.fixed)
        return part

    def _sum(self) -> _Part:
        part = self._product()
        while sign := self._take("+", "-"):
            part = _arithmetic(part, sign, self._product())
        return part

    def _product(self) -> _Part:
        part = self._single()
        while sign := self._take("*", "/", "%"):
            if sign != "*":
                raise NotTranslated(f"它用了“{sign}”。", f"It uses {sign}.")
            part = _arithmetic(part, sign, self._single())
        return part

    def _single(self) -> _Part:
        if self._take("!"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise NotTranslated("套得太深。", "It is nested too deeply.")
            part = self._single()
            self.depth -= 1
            if part.type not in ("", "boolean"):
                raise NotTranslated("“!”后面不是真假值。", "What follows ! is no boolean.")
            # What is missing is false in JUEL, so that its negation is true; FEEL's not(null) would be null.
            return _Part(f"{_bracketed(part.feel)} != true", "boolean", part.fixed)
        if self._take("-"):
            return _arithmetic(_Part("0", "number", True), "-", self._single())
        if self._take("("):
            part = self._choice()
            if not self._take(")"):
                raise NotTranslated("少一个右括号。", "A closing bracket is missing.")
            return _Part(_bracketed(part.feel), part.type, part.fixed)
        if self.at >= len(self.tokens):
            raise NotTranslated("表达式没有写完。", "The expression is not finished.")
        kind, word = self.tokens[self.at]
        if kind == "sign":
            self._stop(word)
        self.at += 1
        if kind == "number":
            return _Part(word, "number", True)
        if kind == "text":
            inner = re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)
            return _Part('"' + inner.replace("\\", "\\\\").replace('"', '\\"') + '"', "text", True)
        if word in ("true", "false"):
            return _Part(word, "boolean", True)
        if word == "null":
            return _Part(word, "null", True)
        if word in _RESERVED:
            raise NotTranslated(f"它用了“{word}”。", f"It uses {word}.")
        if word in _LOOP:
            return _Part(_LOOP[word], "number")
        if self.at < len(self.tokens) and self.tokens[self.at][1] in (".", "[", "("):
            self._stop(self.tokens[self.at][1])
        return _Part(word)


def _truth(part: _Part) -> str:
    if part.type not in ("", "boolean"):
        raise NotTranslated("“&&”和“||”的一边不是真假值。", "One side of && or || is no boolean.")
    return part.feel


def _held(part: _Part) -> str:
    """A comparison inside a comparison needs its brackets."""
    return _bracketed(part.feel) if part.type == "boolean" else part.feel


def _bracketed(feel: str) -> str:
    """In brackets, unless it is one word or stands in a pair of its own."""
    if " " not in feel or (feel[0] == '"' and feel[-1] == '"' and feel.count('"') == 2):
        return feel
    depth = 0
    for place, sign in enumerate(feel):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return feel if feel[0] == "(" and place == len(feel) - 1 else f"({feel})"
    return f"({feel})"


def _same_type(one: _Part, other: _Part) -> None:
    known = {one.type, other.type} - {"", "null"}
    if len(known) > 1:
        raise NotTranslated("它比较两种不同的值。", "It compares values of two kinds.")


def _arithmetic(one: _Part, sign: str, other: _Part) -> _Part:
    if one.type != "number" or other.type != "number":
        raise NotTranslated(
            "它用变量做算术，缺的值在 JUEL 里是 0，在 FEEL 里不是。",
            "It does arithmetic with variables; what is missing is 0 in JUEL and not in FEEL.",
        )
    left = _bracketed(one.feel) if sign == "*" else one.feel
    return _Part(f"{left} {sign} {_bracketed(other.feel)}", "number", one.fixed and other.fixed)


__all__ = ["NotTranslated", "is_fixed", "is_juel", "translate"]
