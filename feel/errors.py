"""What can be wrong with an expression, said so that the person who wrote it can mend it.

Every error carries the same sentence in Chinese and in English, because the deploy gate shows both.
"""


class FeelError(Exception):
    """Something is wrong with an expression. ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, zh: str = "", *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.zh = zh or message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        return f"line {self.line}, column {self.column}: {self.message}"


class FeelSyntaxError(FeelError):
    """The text is not FEEL. ``expected`` says in a few words what could have stood there."""

    def __init__(
        self,
        message: str,
        zh: str = "",
        *,
        line: int | None = None,
        column: int | None = None,
        expected: str = "",
    ) -> None:
        super().__init__(message, zh, line=line, column=column)
        self.expected = expected


class FeelNameError(FeelSyntaxError):
    """A name that does not exist where the expression stands. ``suggestion`` is the nearest that does."""

    def __init__(
        self,
        message: str,
        zh: str = "",
        *,
        line: int | None = None,
        column: int | None = None,
        name: str = "",
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message, zh, line=line, column=column, expected="a known name")
        self.name = name
        self.suggestion = suggestion


class FeelEvaluationError(FeelError):
    """An injected function failed, or a value was handed in that FEEL has no kind for."""


class FeelLimitError(FeelEvaluationError):
    """The expression asked for more steps, depth, data or pattern time than one evaluation may have."""


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset into the text."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
