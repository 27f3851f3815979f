"""The tree of refusals: an operation that cannot be done says what was expected and what was found.

The edge translates each branch to one HTTP status; nothing below it knows HTTP.
"""

from collections.abc import Mapping


class Refusal(Exception):
    """The request was understood and is refused; everything it began is rolled back.

    ``code`` is stable and machine-readable (``task.already_completed``); the message is for people.
    """

    def __init__(self, message: str, *, code: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        #: What was expected and found, JSON scalars only; shown to the caller, so never personal data.
        self.facts = facts


class NotFound(Refusal):
    """There is no such thing, or the caller may not know that there is."""


class Forbidden(Refusal):
    """The caller is known and may not do this."""


class WrongState(Refusal):
    """The thing exists but is past or before the state in which this can be done."""


class Conflict(Refusal):
    """Somebody else changed the thing since the caller read it."""


class Invalid(Refusal):
    """The input does not fit. ``fields`` maps each field's path to what is wrong with it."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "input.invalid",
        fields: Mapping[str, list[str]] | None = None,
        **facts: object,
    ) -> None:
        super().__init__(message, code=code, **facts)
        self.fields = dict(fields or {})
