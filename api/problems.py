"""Every refusal and every failure, as problem details (RFC 9457) for programs and as a page for browsers."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, current_app, redirect, render_template, request
from marshmallow import Schema, ValidationError, fields
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, StatementError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, Unauthorized

from api.encoding import plain
from core import refusals
from disputes.identity.throttles import Locked

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[refusals.Refusal], int] = {
    refusals.NotFound: 404,
    refusals.Forbidden: 403,
    refusals.WrongState: 409,
    refusals.Conflict: 409,
    refusals.Invalid: 422,
    Locked: 429,
}

#: Seconds after which a request that met a full queue may come again.
RETRY_AFTER = 2

#: PostgreSQL: the other of two concurrent writers has won; asking again is right.
BUSY_STATES = frozenset({"40001", "40P01", "55P03", "57014"})


class ProblemSchema(Schema):
    """Problem details as the API documents them."""

    type = fields.String(required=True, metadata={"description": "Always about:blank; `code` tells kinds apart."})
    title = fields.String(required=True, metadata={"description": "The status in words."})
    status = fields.Integer(required=True)
    detail = fields.String(
        required=True, metadata={"description": "What was expected, what was found, what to do."}
    )
    code = fields.String(required=True, metadata={"description": "Stable and machine-readable: task.not_open"})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "What is wrong with each field, by its path."},
    )
    facts = fields.Dict(keys=fields.String(), metadata={"description": "What was expected and found."})


@dataclass
class Problem:
    """One refused or failed request."""

    status: int
    detail: str
    code: str
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    def as_dict(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.fields:
            body["errors"] = dict(self.fields)
        if self.facts:
            body["facts"] = dict(self.facts)
        return body


def init_problems(app: Flask) -> None:
    """Answer every refusal and failure of this application."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _exception)


def problem_of(error: Exception) -> Problem:
    """The problem that this exception is."""
    if isinstance(error, refusals.Refusal):
        wrong = error.fields if isinstance(error, refusals.Invalid) else {}
        wait = error.facts.get("retry_after")
        headers = {} if wait is None else {"Retry-After": str(wait)}
        return Problem(_status(error), error.message, error.code, wrong, error.facts, headers)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, ValidationError):
        return Problem(422, "Some fields do not fit.", "input.invalid", flat(error.messages))
    if isinstance(error, StaleDataError):
        return Problem(409, "Somebody else changed this since you read it; read it again.", "state.stale")
    if isinstance(error, IntegrityError) and _is_unique_violation(error):
        return Problem(409, "Somebody else made the same thing at the same time; read it again.", "state.exists")
    if _is_busy(error):
        again = {"Retry-After": str(RETRY_AFTER)}
        return Problem(503, "Too many are writing at this moment; try again.", "server.busy", headers=again)
    if isinstance(error, DataError) or (
        isinstance(error, StatementError) and isinstance(error.orig, OverflowError)
    ):
        log.warning("A value that no schema refused was refused by the database.", exc_info=error)
        return Problem(422, "A value is out of range.", "input.out_of_range")
    return Problem(500, "Something failed here; it is recorded and nothing was changed.", "server.failed")


def flat(messages: Any, path: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as one mapping of field paths: ``items.0.amount``."""
    if isinstance(messages, dict):
        found: dict[str, list[str]] = {}
        for key, value in messages.items():
            part = "" if key == "_schema" else str(key)
            found.update(flat(value, f"{path}.{part}".strip(".")))
        return found
    return {path: [str(m) for m in (messages if isinstance(messages, list) else [messages])]}


def wants_page() -> bool:
    """Does a browser ask, for a page? Everything under /api/ answers programs."""
    if request.path.startswith("/api/") or request.path in ("/healthz", "/readyz", "/metrics"):
        return False
    best = request.accept_mimetypes.best_match(["text/html", "application/json", MEDIA_TYPE], default="text/html")
    return best == "text/html"


def answer(problem: Problem) -> Response:
    """The problem as the caller can read it."""
    if wants_page():
        response: Response = current_app.response_class(_page(problem), status=problem.status)
    else:
        body = _json(problem)
        response = current_app.response_class(body, status=problem.status, mimetype=MEDIA_TYPE)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


def _json(problem: Problem) -> bytes:
    try:
        return orjson.dumps(problem.as_dict(), default=_scalar, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a fact is a number beyond 64 bits
        facts = {name: str(value) for name, value in problem.facts.items()}
        return orjson.dumps(replace(problem, facts=facts).as_dict(), option=orjson.OPT_NON_STR_KEYS)


def _page(problem: Problem) -> str:
    words = {name: getattr(problem, name) for name in ("status", "title", "detail", "code", "fields")}
    try:
        return render_template("error.html", **words)
    except Exception:
        log.exception("The page for errors fails itself.")
        return f"<!doctype html><meta charset=utf-8><title>{problem.status}</title>{problem.status} {problem.title}"


def _http(error: HTTPException) -> Any:
    if error.code is not None and error.code < 400:
        return error  # a redirect by the router, or a response that a view raised
    if error.response is not None:
        return error.response
    if isinstance(error, Unauthorized) and wants_page():
        return redirect(_sign_in_page())
    return answer(problem_of(error))


def _exception(error: Exception) -> Response:
    problem = problem_of(error)
    if problem.status == 500:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        if current_app.config.get("PROPAGATE_EXCEPTIONS"):
            raise error
    return answer(problem)


def _sign_in_page() -> str:
    from urllib.parse import urlencode

    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return f"/sign-in?{urlencode({'next': wanted})}"


def _of_http(error: HTTPException) -> Problem:
    status = error.code or 500
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    messages = data.get("messages") or data.get("errors") or {}
    detail = "Some fields do not fit." if messages else str(error.description or HTTPStatus(status).phrase)
    headers = {
        name: value
        for name, value in error.get_headers()
        if name.lower() in ("allow", "retry-after", "www-authenticate", "content-range")
    }
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="hejie"'
    if status == 413:
        detail = f"The body is larger than the {current_app.config['MAX_CONTENT_LENGTH']} bytes that are accepted."
    code = "input.invalid" if messages else f"http.{HTTPStatus(status).phrase.lower().replace(' ', '_')}"
    return Problem(status, detail, code, _without_location(messages), headers=headers)


def _without_location(messages: Any) -> dict[str, list[str]]:
    """webargs puts the place (json, query, files) above the fields; people know their fields."""
    if not messages:
        return {}
    if isinstance(messages, dict) and len(messages) == 1:
        place = next(iter(messages))
        if place in ("json", "query", "form", "files", "headers", "json_or_form", "query_form"):
            messages = messages[place]
    return flat(messages)


def _status(error: refusals.Refusal) -> int:
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 409


def _is_unique_violation(error: IntegrityError) -> bool:
    name = getattr(error.orig, "sqlite_errorname", "")
    return getattr(error.orig, "sqlstate", "") == "23505" or name in (
        "SQLITE_CONSTRAINT_UNIQUE",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
    )


def _is_busy(error: Exception) -> bool:
    if not isinstance(error, OperationalError):
        return False
    return getattr(error.orig, "sqlstate", "") in BUSY_STATES or getattr(
        error.orig, "sqlite_errorname", ""
    ).startswith("SQLITE_BUSY")


def _scalar(value: object) -> object:
    try:
        return plain(value)
    except TypeError:
        return str(value)
