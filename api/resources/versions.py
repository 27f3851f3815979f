"""``ETag`` and ``If-Match``: of two people who edit the same thing, the second learns of the first."""

from flask import g, request
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired


def matched(version: int, *, required: bool = False) -> int:
    """The version that the caller has read, when it is still the one in force.

    Raises PreconditionFailed (412) when it is not, PreconditionRequired (428) when ``required`` and none was sent.
    """
    wanted = request.if_match
    if not request.headers.get("If-Match"):
        if required:
            raise PreconditionRequired("Send the ETag that you have read as If-Match.")
    elif not wanted.contains(str(version)):
        raise PreconditionFailed(
            f"Somebody else changed this since you read it; it is now version {version}. Read it again."
        )
    return version


def tagged(version: int) -> None:
    """Let this request's answer carry the version as its ETag."""
    g.etag = str(version)
