"""The fields and limits that all schemas share. Unknown fields are refused, and so is what no column can hold."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import marshmallow
from marshmallow import RAISE, ValidationError, fields, validate

#: What a 64-bit column holds without thinking; far above any amount in fen that a dispute is about.
LARGEST_NUMBER = 10**15
#: Dates outside lie beyond every calendar that we have, and some beyond what arithmetic with time zones survives.
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)

#: Largest page of a list; a longer one is read page by page.
LARGEST_PAGE = 200
USUAL_PAGE = 50


class Schema(marshmallow.Schema):
    """The base of all schemas: what is not written out is refused."""

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """Text of at least one visible character, up to ``longest`` characters."""

    def __init__(self, longest: int, *, empty: bool = False, **options: Any) -> None:
        options.setdefault("validate", validate.Length(min=0 if empty else 1, max=longest))
        super().__init__(**options)
        self.empty = empty

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not self.empty and not text.strip():
            raise ValidationError("Write something, not only blanks.")
        return text


class Truth(fields.Boolean):
    """``true`` or ``false`` and nothing that looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, bool):
            return value
        raise ValidationError("Expected true or false.")


class Whole(fields.Integer):
    """A whole number in JSON (not a text, not 1.5), within what is asked."""

    def __init__(self, least: int = 0, most: int = LARGEST_NUMBER, **options: Any) -> None:
        options.setdefault("validate", validate.Range(min=least, max=most))
        super().__init__(strict=True, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, bool | str):
            raise ValidationError("Expected a whole number.")
        return super()._deserialize(value, attr, data, **kwargs)


class Moment(fields.AwareDateTime):
    """A moment with its offset, ISO 8601."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="iso", **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        if not EARLIEST <= moment.date() <= LATEST:
            raise ValidationError(f"Expected a moment from {EARLIEST} to {LATEST}.")
        return moment


class Day(fields.Date):
    """A day, ISO 8601."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("validate", validate.Range(min=EARLIEST, max=LATEST))
        super().__init__(format="iso", **options)


class Anything(fields.Raw):
    """JSON of any kind, decided by somebody else (a form, a schema of another release)."""


class PageQuery(Schema):
    """Which page of a list."""

    after = Text(500, metadata={"description": "The `next` of the page before; none for the first page."})
    limit = fields.Integer(
        load_default=USUAL_PAGE,
        validate=validate.Range(min=1, max=LARGEST_PAGE),
        metadata={"description": "How many at most."},
    )


def page_of(item: type[Schema], name: str) -> type[Schema]:
    """The schema of one page of a list of ``item``."""
    return type(
        f"{name}Page",
        (Schema,),
        {
            "__doc__": f"One page of {name}.",
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.String(
                allow_none=True, required=True, metadata={"description": "Give it as `after`; null at the end."}
            ),
        },
    )
