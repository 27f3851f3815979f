"""``ETag`` and ``If-Match``: of two people who edit the same thing, the second learns of the first."""

from flask import g, request
from werkzeug.exceptions import PreconditionFailed


def read_version() -> int | None:
    """The version that the caller has read and sends as If-Match, for operations that compare it themselves.

    Raises PreconditionFailed (412) for an ETag that is none of ours. None: the caller did not send one.
    """
    if not request.headers.get("If-Match") or request.if_match.star_tag:
        return None
    tags = [tag for tag in request.if_match.as_set() if tag.isascii() and tag.isdigit() and len(tag) < 10]
    if len(tags) != 1:
        raise PreconditionFailed("If-Match holds the ETag that was read, and nothing else.")
    return int(tags[0])


def matched(version: int) -> None:
    """Refuse when the caller has read another version than this one. Raises PreconditionFailed (412)."""
    wanted = read_version()
    if wanted is not None and wanted != version:
        raise PreconditionFailed(
            f"Somebody else changed this since you read it; it is now version {version}. Read it again."
        )


def tagged(version: int) -> None:
    """Let this request's answer carry the version as its ETag."""
    g.etag = str(version)
