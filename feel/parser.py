"""Tokens to a tree: the whole grammar of FEEL (DMN 1.5, chapter 10.3.1), and the unary tests of table cells.

Precedence, loosest first: ``or``; ``and``; comparison, ``between``, ``in``; ``instance of``; ``+ -``; ``* /``;
``**`` (from the left); unary ``-``; then paths, filters and calls.
"""

from collections.abc import Callable, Collection
from decimal import Decimal

from feel import syntax as tree
from feel.errors import FeelSyntaxError, position
from feel.lexer import KEYWORDS, Token, tokens, unknown_sign
from feel.names import Index

#: Deeper nesting is refused, so that neither parser nor compiled code can exhaust the stack.
MAX_NESTING = 90

_LEVELS = {
    "or": 1,
    "and": 2,
    "=": 3,
    "!=": 3,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "between": 3,
    "in": 3,
    "instance": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "**": 7,
}
_COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">="))
_NAME_SIGNS = frozenset((".", "/", "-", "'", "+", "*"))
_CONSTANTS = {"true": True, "false": False, "null": None}
_PROPERTIES = Index(("time offset", "start included", "end included"))
_TYPES = Index(("date and time", "days and time duration", "years and months duration", "day time duration"))


class Parser:
    """Parses one text. ``names``, ``functions`` and ``fields`` matter here only where they have several words."""

    def __init__(
        self,
        text: str,
        *,
        names: Collection[str] | None = None,
        functions: Collection[str] = (),
        fields: Collection[str] = (),
        types: Collection[str] = (),
        built_ins: Collection[str] = (),
    ) -> None:
        self.text = text
        self._tokens = tokens(text)
        self._at = 0
        self._token = self._tokens[0]
        self._depth = 0
        #: Values that may still be read: parts of a range may be read twice, but not each within another for ever.
        self._work = 4 * len(self._tokens) + 2_000
        self._filters = 0
        self._closing_filter = False
        self._known = set(names or ())
        self._scope = Index(names or ())
        self._functions = Index(functions)
        self._function_names = frozenset(functions)
        self._built_ins = Index(built_ins)
        self._built_in_names = frozenset(built_ins)
        self._fields = Index(fields)
        self._types = Index(types)

    # -- entry points ---------------------------------------------------------------------------------------------

    def expression(self) -> tree.Node:
        """The whole text as one expression."""
        try:
            found = self._expression()
        except RecursionError:
            raise self._too_deep() from None
        self._finish()
        return found

    def unary(self) -> tree.Node:
        """The whole text as the cell of a decision table."""
        try:
            found = self._unary_tests()
        except RecursionError:
            raise self._too_deep() from None
        self._finish()
        return found

    # -- moving ---------------------------------------------------------------------------------------------------

    def _go(self, at: int) -> None:
        self._at = at
        self._token = self._tokens[at]

    def _next(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._go(self._at + 1)
        return token

    def _peek(self, ahead: int = 1) -> Token:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def _is(self, text: str) -> bool:
        token = self._token
        return token.text == text and token.kind in ("sign", "name")

    def _take(self, text: str) -> bool:
        if self._is(text):
            self._next()
            return True
        return False

    def _need(self, text: str, after: str) -> Token:
        if self._is(text):
            return self._next()
        raise self._error(f"{text} is expected {after}", f"{_AFTER.get(after, '')}应当是 {text}", expected=text)

    def _error(self, message: str, zh: str, *, expected: str, at: int | None = None) -> FeelSyntaxError:
        token = self._token
        if token.kind == "other":
            return unknown_sign(self.text, token)
        offset = token.start if at is None else at
        line, column = position(self.text, offset)
        if token.kind == "end":
            found, found_zh = "the expression ends here", "表达式在这里就结束了"
        else:
            written = self.text[token.start : token.end]
            found, found_zh = f"found {written}", f"实际是 {written}"
        return FeelSyntaxError(
            f"{message}; {found}", f"{zh}；{found_zh}", line=line, column=column, expected=expected
        )

    def _too_deep(self) -> FeelSyntaxError:
        line, column = position(self.text, self._token.start)
        return FeelSyntaxError(
            f"the expression is nested more than {MAX_NESTING} levels deep",
            f"表达式嵌套超过 {MAX_NESTING} 层",
            line=line,
            column=column,
            expected="a flatter expression",
        )

    def _finish(self) -> None:
        token = self._token
        if token.kind == "end":
            return
        raise self._error(
            "the expression is complete before this place; an operator is expected",
            "到这里之前表达式已经完整，这里应当是运算符",
            expected="an operator or the end",
        )

    # -- names ----------------------------------------------------------------------------------------------------

    def _declare(self, name: str) -> bool:
        """Make a local name known; tells whether it was new and must be forgotten at the end of its scope."""
        fresh = name not in self._known
        self._known.add(name)
        if fresh:
            self._scope.add(name)
        return fresh

    def _forget(self, name: str) -> None:
        self._known.discard(name)
        self._scope.discard(name)

    def _name(self) -> tree.Node:
        start = self._token
        found = self._known_name()
        if found is None:
            found = self._plain_name(start)
        name, end = found
        self._go(end)
        return tree.Name(start.start, name)

    def _known_name(self) -> tuple[str, int] | None:
        at, found = self._at, self._tokens
        best = self._scope.longest(found, at)
        for index in (self._functions, *((self._fields,) if self._filters else ())):
            other = index.longest(found, at)
            if other is not None and (best is None or other[1] > best[1]):
                best = other
        if best is None:
            built_in = self._built_ins.longest(found, at)
            if built_in is not None and (found[built_in[1]].text == "(" or self._token.text not in self._known):
                return built_in
        return best

    def _plain_name(self, start: Token) -> tuple[str, int]:
        """One word; or, when that word is unknown, all words that stand beside it."""
        word, at = start.text, self._at + 1
        if word in self._known or word in self._function_names:
            return word, at
        if word in self._built_in_names and self._tokens[at].text == "(":
            return word, at
        words = [word]
        while True:
            token = self._tokens[at]
            beside = token.kind == "number" and token.start > self._tokens[at - 1].end
            if beside or (token.kind == "name" and token.text not in KEYWORDS and token.text != "?"):
                words.append(token.text)
                at += 1
                continue
            return " ".join(words), at

    def _property(self) -> str:
        """The name after a dot."""
        token = self._token
        if token.kind != "name":
            raise self._error(
                "the name of a property is expected after the dot",
                "点号后面应当是属性名",
                expected="a property name",
            )
        for index in (self._fields, _PROPERTIES):
            if (found := index.longest(self._tokens, self._at)) is not None:
                self._go(found[1])
                return found[0]
        self._next()
        words = [token.text]
        while self._token.kind == "name" and self._token.text not in KEYWORDS:
            words.append(self._next().text)
        return " ".join(words)

    def _label(self, ends: Collection[str], *, after: str, expected: str) -> str:
        """A name that is being introduced: everything up to one of ``ends``."""
        first = self._token
        if first.kind != "name" or first.text in _CONSTANTS:
            raise self._error(
                f"{expected} is expected {after}", f"{_AFTER.get(after, '')}应当是名称", expected=expected
            )
        while self._token.text not in ends or self._token.kind == "string":
            token = self._token
            if token.kind in ("name", "number") or (token.kind == "sign" and token.text in _NAME_SIGNS):
                self._next()
                continue
            if token.kind == "other" and token.text >= "\u3001" and after != "for an iteration":
                self._next()
                continue
            wanted = " or ".join(sorted(ends))
            raise self._error(f"{wanted} is expected after a name", f"名称后面应当是 {wanted}", expected=wanted)
        return " ".join(self.text[first.start : self._tokens[self._at - 1].end].split())

    # -- expressions ----------------------------------------------------------------------------------------------

    def _expression(self) -> tree.Node:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._too_deep()
        try:
            token = self._token
            if token.kind == "name" and (special := _SPECIAL.get(token.text)) is not None:
                left = special(self)
                if left is not None:
                    return left
            return self._operation(1)
        finally:
            self._depth -= 1

    def _operation(self, minimum: int) -> tree.Node:
        left = self._unary()
        comparisons = 0
        while True:
            token = self._token
            if token.kind not in ("sign", "name"):
                return left
            operator = token.text
            level = _LEVELS.get(operator)
            if level is None or level < minimum:
                return left
            comparisons += level in (3, 4)
            if comparisons > MAX_NESTING:
                raise self._too_deep()
            self._next()
            left = self._combine(left, token, operator, level)

    def _combine(self, left: tree.Node, token: Token, operator: str, level: int) -> tree.Node:
        at = token.start
        if level >= 5:
            return tree.Arithmetic(at, operator, left, self._operation(level + 1))
        if operator in _COMPARISONS:
            if operator == "=" and self._is("="):
                raise self._error("equality is written with a single =", "相等只写一个 =", expected="=")
            return tree.Compare(at, operator, left, self._operation(level + 1))
        if operator == "and":
            right = self._operation(3)
            return tree.And(at, [*(left.parts if isinstance(left, tree.And) else [left]), right])
        if operator == "or":
            right = self._operation(2)
            return tree.Or(at, [*(left.parts if isinstance(left, tree.Or) else [left]), right])
        if operator == "between":
            low = self._operation(4)
            self._need("and", "after the lower bound of between")
            return tree.Between(at, left, low, self._operation(4))
        if operator == "in":
            return tree.In(at, left, self._in_tests())
        self._need("of", "after instance")
        return tree.InstanceOf(at, left, self._type())

    def _in_tests(self) -> list[tree.Node]:
        if self._is("(") and not self._range_follows():
            self._next()
            return self._tests(")")
        token = self._token
        if token.kind == "sign" and token.text in _COMPARISONS:
            self._next()
            return [tree.Test(token.start, token.text, self._operation(5))]
        return [self._operation(5)]

    def _range_follows(self) -> bool:
        """Whether the parenthesis here opens a range such as ``(1..5]``."""
        at = self._at
        self._next()
        try:
            if self._token.text in _COMPARISONS:
                return False
            self._operation(5)
            return self._is("..")
        except FeelSyntaxError:
            return False
        finally:
            self._go(at)

    def _unary(self) -> tree.Node:
        if self._is("-"):
            self._depth += 1
            if self._depth > MAX_NESTING:
                raise self._too_deep()
            at = self._next().start
            operand = self._unary()
            self._depth -= 1
            if isinstance(operand, tree.Literal) and isinstance(operand.value, Decimal):
                return tree.Literal(at, -operand.value if operand.value else operand.value)
            return tree.Negate(at, operand)
        return self._postfix()

    def _postfix(self) -> tree.Node:
        left = self._primary()
        for _ in range(MAX_NESTING):
            token = self._token
            if token.kind != "sign":
                return left
            if token.text == ".":
                self._next()
                left = tree.Path(token.start, left, self._property())
            elif token.text == "(" and not isinstance(left, tree.Literal | tree.ListNode | tree.ContextNode):
                left = self._call(left)
            elif token.text == "[" and not self._closing_filter:
                left = self._filter(left)
            else:
                return left
        raise self._too_deep()

    def _filter(self, target: tree.Node) -> tree.Node:
        at = self._next().start
        self._filters += 1
        closing, self._closing_filter = self._closing_filter, False
        condition = self._expression()
        self._closing_filter = closing
        self._filters -= 1
        self._need("]", "after the condition of a filter")
        return tree.Filter(at, target, condition)

    def _call(self, function: tree.Node) -> tree.Node:
        at = self._next().start
        closing, self._closing_filter = self._closing_filter, False
        found = self._named_arguments(function, at)
        if found is None:
            positional: list[tree.Node] = []
            if not self._is(")"):
                positional.append(self._expression())
                while self._take(","):
                    positional.append(self._expression())
            found = tree.Call(function.at, function, positional, None)
        self._closing_filter = closing
        self._need(")", "after the arguments of a function")
        return found

    def _named_arguments(self, function: tree.Node, at: int) -> tree.Node | None:
        if not self._argument_name_follows():
            return None
        named: list[tuple[str, tree.Node]] = []
        while True:
            name = self._label((":",), after="in a call with named parameters", expected="the name of a parameter")
            self._next()
            named.append((name, self._expression()))
            if not self._take(","):
                return tree.Call(function.at, function, [], named)

    def _argument_name_follows(self) -> bool:
        at = self._at
        if self._token.kind != "name" or self._token.text in _CONSTANTS:
            return False
        for token in self._tokens[at:]:
            if token.kind == "sign" and token.text == ":":
                return True
            if token.kind not in ("name", "number") and not (token.kind == "sign" and token.text in _NAME_SIGNS):
                return False
        return False

    # -- the innermost forms --------------------------------------------------------------------------------------

    def _primary(self) -> tree.Node:
        self._work -= 1
        if self._work < 0:
            raise self._too_deep()
        token = self._token
        if token.kind == "number":
            self._next()
            return tree.Literal(token.start, Decimal(token.text))
        if token.kind == "string":
            self._next()
            return tree.Literal(token.start, token.text)
        if token.kind == "name":
            return self._word(token)
        if token.kind == "sign" and (form := _FORMS.get(token.text)) is not None:
            return form(self)
        raise self._error(
            "a value or a name is expected here", "这里应当是一个值或者名称", expected="a value or a name"
        )

    def _word(self, token: Token) -> tree.Node:
        word = token.text
        if word in _CONSTANTS and self._scope.longest(self._tokens, self._at) is None:
            self._next()
            return tree.Literal(token.start, _CONSTANTS[word])
        if word in _SPECIAL:
            found = _SPECIAL[word](self)
            if found is not None:
                return found
        if word in KEYWORDS and word not in ("function", "external"):
            if (known := self._known_name()) is not None:
                self._go(known[1])
                return tree.Name(token.start, known[0])
            raise self._error(
                f"a value or a name is expected, and {word} is a word of the language",
                f"这里应当是一个值或者名称，而 {word} 是语言的保留字",
                expected="a value or a name",
            )
        if word == "?":
            self._next()
            return tree.Name(token.start, "?")
        return self._name()

    def _at_literal(self) -> tree.Node:
        at = self._next().start
        if self._token.kind != "string":
            raise self._error(
                'a date, time or duration in quotes is expected after @, such as @"2026-01-31"',
                '@ 后面应当是引号中的日期、时间或者时长，例如 @"2026-01-31"',
                expected="a string",
            )
        return tree.AtLiteral(at, self._next().text)

    def _grouped(self) -> tree.Node:
        opening = self._next()
        if self._token.kind == "sign" and self._token.text in _COMPARISONS:
            operator = self._next().text
            value = self._inner(lambda: self._operation(5))
            self._need(")", "at the end of a range")
            return _half_range(opening.start, operator, value)
        closing, self._closing_filter = self._closing_filter, False
        found = self._expression()
        self._closing_filter = closing
        if self._is(".."):
            return self._range(opening.start, found, included=False)
        self._need(")", "to close the parenthesis")
        return found

    def _inner(self, parse: Callable[[], tree.Node]) -> tree.Node:
        closing, self._closing_filter = self._closing_filter, False
        try:
            return parse()
        finally:
            self._closing_filter = closing

    def _bracketed(self) -> tree.Node:
        opening = self._next()
        if self._take("]"):
            return tree.ListNode(opening.start, [])
        items = [self._inner(self._expression)]
        if self._is(".."):
            return self._range(opening.start, items[0], included=True)
        while self._take(","):
            items.append(self._inner(self._expression))
        self._need("]", "at the end of a list")
        return tree.ListNode(opening.start, items)

    def _open_range(self) -> tree.Node:
        opening = self._next()
        low = self._inner(lambda: self._operation(5))
        if not self._is(".."):
            raise self._error(
                "a range that begins with ] needs .. and its upper bound",
                "以 ] 开头的区间需要 .. 和上界",
                expected="..",
            )
        return self._range(opening.start, low, included=False)

    def _range(self, at: int, low: tree.Node, *, included: bool) -> tree.Node:
        self._next()
        start = self._at
        high: tree.Node | None = None
        try:
            high = self._inner(lambda: self._operation(5))
        except FeelSyntaxError:
            high = None
        if high is None or self._token.text not in (")", "]", "["):
            self._go(start)
            closing, self._closing_filter = self._closing_filter, True
            high = self._operation(5)
            self._closing_filter = closing
        if self._token.kind != "sign" or self._token.text not in (")", "]", "["):
            raise self._error("a range ends with ], ) or [", "区间以 ]、) 或者 [ 结束", expected="] or )")
        return tree.RangeNode(at, low, high, included, self._next().text == "]")

    def _context(self) -> tree.Node:
        opening = self._next()
        entries: list[tuple[str, tree.Node]] = []
        declared: list[str] = []
        closing, self._closing_filter = self._closing_filter, False
        if not self._is("}"):
            while True:
                if self._token.kind == "string":
                    key = self._next().text
                else:
                    key = self._label((":",), after="in a context", expected="the name of an entry")
                self._need(":", "after the name of an entry")
                entries.append((key, self._expression()))
                if self._declare(key):
                    declared.append(key)
                self._fields.add(key)
                if not self._take(","):
                    break
        for key in declared:
            self._forget(key)
        self._closing_filter = closing
        self._need("}", "at the end of a context")
        return tree.ContextNode(opening.start, entries)

    # -- if, for, some, every, function ---------------------------------------------------------------------------

    def _if(self) -> tree.Node | None:
        at = self._next().start
        condition = self._expression()
        self._need("then", "after the condition of if")
        then = self._expression()
        self._need("else", "after the then part; if always has an else")
        return tree.If(at, condition, then, self._expression())

    def _for(self) -> tree.Node | None:
        at = self._next().start
        iterators = self._iterators("return")
        fresh = self._declare("partial")
        body = self._expression()
        if fresh:
            self._forget("partial")
        self._forget_all(iterators)
        return tree.For(at, [found for found, _ in iterators], body)

    def _quantified(self) -> tree.Node | None:
        token = self._next()
        iterators = self._iterators("satisfies")
        body = self._expression()
        self._forget_all(iterators)
        return tree.Quantified(token.start, token.text == "every", [found for found, _ in iterators], body)

    def _iterators(self, end: str) -> list[tuple[tree.Iterator, bool]]:
        found: list[tuple[tree.Iterator, bool]] = []
        while True:
            at = self._token.start
            name = self._label(("in",), after="for an iteration", expected="the name of a variable")
            self._next()
            domain = self._expression()
            to = self._expression() if self._take("..") else None
            found.append((tree.Iterator(at, name, domain, to), self._declare(name)))
            if self._take(","):
                continue
            self._need(end, "after the lists of an iteration")
            return found

    def _forget_all(self, iterators: list[tuple[tree.Iterator, bool]]) -> None:
        for iterator, fresh in iterators:
            if fresh:
                self._forget(iterator.name)

    def _function(self) -> tree.Node | None:
        if self._peek().text != "(":
            return None
        at = self._next().start
        self._next()
        parameters: list[tuple[str, tree.TypeNode | None]] = []
        fresh: list[str] = []
        while not self._is(")"):
            name = self._label((":", ",", ")"), after="as a parameter", expected="the name of a parameter")
            kind = self._type() if self._take(":") else None
            parameters.append((name, kind))
            if self._declare(name):
                fresh.append(name)
            if not self._take(","):
                break
        self._need(")", "after the parameters of a function")
        if self._is("external"):
            line, column = position(self.text, self._token.start)
            raise FeelSyntaxError(
                "external functions (Java, PMML) are refused",
                "不支持外部函数（Java、PMML）",
                line=line,
                column=column,
                expected="an expression",
            )
        body = self._inner(self._expression)
        for name in fresh:
            self._forget(name)
        return tree.FunctionNode(at, parameters, body)

    # -- types ----------------------------------------------------------------------------------------------------

    def _type(self) -> tree.TypeNode:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._too_deep()
        token = self._token
        name = self._type_name()
        found = tree.TypeNode(token.start, name, [], [])
        if name == "context" and self._take("<"):
            while True:
                field = self._label((":",), after="in a context type", expected="the name of a field")
                self._next()
                found.fields.append((field, self._type()))
                if not self._take(","):
                    break
            self._need(">", "at the end of a type")
        elif name in ("list", "range") and self._take("<"):
            found.arguments.append(self._type())
            self._need(">", "at the end of a type")
        elif name == "function" and self._take("<"):
            while not self._is(">"):
                found.arguments.append(self._type())
                if not self._take(","):
                    break
            self._need(">", "at the end of a type")
            self._need("->", "before the result of a function type")
            found.fields.append(("result", self._type()))
        self._depth -= 1
        return found

    def _type_name(self) -> str:
        token = self._token
        for index in (self._types, _TYPES):
            if (known := index.longest(self._tokens, self._at)) is not None:
                self._go(known[1])
                return known[0]
        if token.kind != "name" or (token.text in KEYWORDS and token.text not in ("function", "null")):
            raise self._error("the name of a type is expected", "这里应当是类型名", expected="a type")
        words = self._next().text
        while True:
            if self._is(".") and self._peek().kind == "name":
                self._next()
                words += "." + self._next().text
            elif self._token.kind == "name" and self._token.text not in KEYWORDS:
                words += " " + self._next().text
            else:
                return words

    # -- unary tests ----------------------------------------------------------------------------------------------

    def _unary_tests(self) -> tree.Node:
        at = self._token.start
        self._known.add("?")
        if self._is("-") and self._peek().kind == "end":
            self._next()
            return tree.Anything(at)
        if self._is("not") and self._peek().text == "(":
            start = self._at
            self._go(start + 2)
            tests = self._tests(")")
            if self._token.kind == "end":
                return tree.UnaryNode(at, True, tests)
            self._go(start)
        return tree.UnaryNode(at, False, self._tests(None))

    def _tests(self, closing: str | None) -> list[tree.Node]:
        found = [self._test()]
        while self._take(","):
            found.append(self._test())
        if closing is not None:
            self._need(closing, "after the last test")
        return found

    def _test(self) -> tree.Node:
        token = self._token
        if token.kind == "sign" and token.text in _COMPARISONS:
            self._next()
            return tree.Test(token.start, token.text, self._operation(5))
        if self._is("-") and (self._peek().kind == "end" or self._peek().text in (",", ")")):
            self._next()
            return tree.Anything(token.start)
        return self._expression()


def _half_range(at: int, operator: str, value: tree.Node) -> tree.Node:
    """``(< 10)`` is the range up to 10, ``(= 10)`` the range of one value, ``(!= 10)`` everything else."""
    if operator in ("=", "!="):
        return tree.RangeNode(at, value, value, operator == "=", operator == "=", operator)
    if operator in ("<", "<="):
        return tree.RangeNode(at, None, value, False, operator == "<=", operator)
    return tree.RangeNode(at, value, None, operator == ">=", False, operator)


_SPECIAL: dict[str, Callable[[Parser], tree.Node | None]] = {
    "if": Parser._if,
    "for": Parser._for,
    "some": Parser._quantified,
    "every": Parser._quantified,
    "function": Parser._function,
}
_FORMS: dict[str, Callable[[Parser], tree.Node]] = {
    "@": Parser._at_literal,
    "(": Parser._grouped,
    "[": Parser._bracketed,
    "]": Parser._open_range,
    "{": Parser._context,
}
_AFTER: dict[str, str] = {
    "after the condition of if": "if 的条件后面",
    "after the then part; if always has an else": "then 部分之后（if 必须有 else）",
    "after the lower bound of between": "between 的下界后面",
    "after the arguments of a function": "函数的参数后面",
    "to close the parenthesis": "括号的末尾",
    "at the end of a list": "列表的末尾",
    "at the end of a context": "上下文的末尾",
    "after the name of an entry": "条目名称后面",
    "after the condition of a filter": "筛选条件后面",
    "after the lists of an iteration": "循环的列表后面",
    "after the parameters of a function": "函数的形参后面",
    "at the end of a type": "类型的末尾",
    "before the result of a function type": "函数类型的结果之前",
    "after instance": "instance 后面",
    "after the last test": "最后一个判断后面",
    "at the end of a range": "区间的末尾",
    "for an iteration": "循环变量处",
    "as a parameter": "形参处",
    "in a context": "上下文中",
    "in a context type": "上下文类型中",
    "in a call with named parameters": "按名称传参处",
}
