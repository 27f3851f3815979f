"""A POST that carries an ``Idempotency-Key`` has one effect, however often it arrives.

The key is written in the request's own transaction before the view runs. A second request with the same key
waits for the first one's transaction (PostgreSQL: the row's unique index; SQLite: the write lock) and is then
given the stored answer. A request that was refused leaves nothing, so its key may be used again.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from flask import Response, current_app, request
from sqlalchemy.orm import Session

from api.edge import caller, clock, commits_itself, write_session
from api.models import RepeatableAnswer
from core.db import insert_missing
from core.refusals import Conflict, Invalid

#: How long an answer is kept. A client that retries for longer than a day has lost its own journal.
KEPT = timedelta(days=1)

#: Printable ASCII, as the header field's draft allows; long enough for two UUIDs.
LONGEST_KEY = 255


def once(view: Callable[[], Response]) -> Response:
    """Answer by the view, or by what it answered when this request came before."""
    key = _key()
    if key is None:
        return view()
    digest, attempt = _digest(), uuid4()
    session, actor = write_session(), _whose(digest)
    insert_missing(
        session, RepeatableAnswer, caller=actor, key=key, attempt=attempt, request_digest=digest, at=clock()
    )
    stored = session.get_one(RepeatableAnswer, (actor, key))
    if stored.attempt != attempt:
        return _again(stored, digest)
    response = view()
    if response.status_code < 400:
        stored.status = response.status_code
        stored.headers = [[k, v] for k, v in response.headers.items() if k.lower() in _KEPT_HEADERS]
        stored.body = response.get_data()
        session.flush()
    return response


def forget_old(session: Session, *, now: datetime) -> int:
    """Drop answers that are too old to be asked for again; how many."""
    result = session.execute(sa.delete(RepeatableAnswer).where(RepeatableAnswer.at < now - KEPT))
    return int(result.rowcount)  # type: ignore[attr-defined]


_KEPT_HEADERS = frozenset({"content-type", "location", "etag", "content-language", "hx-redirect", "hx-trigger"})


def _key() -> str | None:
    if request.method != "POST" or commits_itself():
        return None
    key = request.headers.get("Idempotency-Key")
    if not caller().signed_in and not request.path.startswith("/api/"):
        return None  # a page of a stranger answers with a cookie, which is never stored
    if key is None and request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        key = request.form.get("idempotency_key")
    if key is None:
        return None
    key = key.strip().strip('"')
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid(
            f"An Idempotency-Key is 1 to {LONGEST_KEY} printable ASCII characters.", code="idempotency.bad_key"
        )
    return key


def _whose(digest: str) -> str:
    """Whose key it is. Strangers share no keys: theirs only stands for the very same request."""
    return str(caller()) if caller().signed_in else f"{caller()}:{digest}"


def _digest() -> str:
    """The request's own digest; the boundary of a multipart body differs on every try, so its parts are read."""
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, values in sorted(request.form.lists()):
            if name not in ("csrf_token", "idempotency_key"):
                digest.update(repr((name, values)).encode())
        for name, files in sorted(request.files.lists()):
            for file in files:
                digest.update(repr((name, file.filename, file.mimetype)).encode())
                while chunk := file.stream.read(1 << 16):
                    digest.update(chunk)
                file.stream.seek(0)
    else:
        digest.update(request.get_data(cache=True))
    return digest.hexdigest()


def _again(stored: RepeatableAnswer, digest: str) -> Response:
    if stored.request_digest != digest:
        raise Invalid(
            "This Idempotency-Key was used for another request; a new request needs a new key.",
            code="idempotency.key_reused",
        )
    if stored.status is None or stored.body is None:
        raise Conflict(
            "The first request with this Idempotency-Key has left no answer; read the state, then use a new key.",
            code="idempotency.no_answer",
        )
    response: Response = current_app.response_class(stored.body, status=stored.status)
    response.headers.remove("Content-Type")
    for name, value in stored.headers or []:
        response.headers[name] = value
    response.headers["Idempotency-Replayed"] = "true"
    return response
