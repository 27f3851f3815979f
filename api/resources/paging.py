"""The `after` and `next` of lists: opaque to the caller, a place in an order to us."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from core.refusals import Invalid


def cursor(*place: object) -> str:
    """The place behind the last item, as text for a URL."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place(after: str | None, *kinds: type) -> list[Any] | None:
    """The place that ``after`` names, its parts as ``kinds`` (UUID, datetime, int, str). Raises Invalid."""
    if after is None:
        return None
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError(after)
        return [_part(part, kind) for part, kind in zip(parts, kinds, strict=True)]
    except (ValueError, binascii.Error, TypeError) as error:
        raise Invalid(
            "翻页标记无效，请从第一页读起。 `after` is not the `next` of a page of this list; begin without it.",
            code="page.bad_cursor",
            fields={"after": ["Not the `next` of a page of this list."]},
        ) from error


def _part(part: Any, kind: type) -> Any:
    if kind is UUID:
        return UUID(part)
    if kind is datetime:
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None:
            raise ValueError(part)
        return moment
    if not isinstance(part, kind) or isinstance(part, bool) or (isinstance(part, int) and abs(part) >= 2**62):
        raise ValueError(part)
    if isinstance(part, str) and "\x00" in part:
        raise ValueError(part)
    return part


def page(items: Sequence[Any], limit: int, *key: str) -> dict[str, Any]:
    """A page of items that were asked for with ``limit + 1``; ``key`` names the attributes of the order."""
    shown = items[:limit]
    more = len(items) > limit
    return {
        "items": shown,
        "next": cursor(*(getattr(shown[-1], name) for name in key)) if more else None,
    }
