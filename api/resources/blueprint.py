"""A blueprint of the API: strict arguments, problem details, and each operation's permission in its description."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from flask import Request, abort, current_app
from flask_smorest import Api, Blueprint
from flask_smorest.utils import prepare_response
from marshmallow import EXCLUDE, RAISE, ValidationError, missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest

from api.problems import MEDIA_TYPE, ProblemSchema
from api.schemas.base import Schema
from disputes.identity.permissions import ANYONE, PERMISSIONS

V = TypeVar("V", bound=Callable[..., Any])
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

PREFIX = "/api/v1"

#: How deep a body may nest; the deepest of ours (an offer within an answer) has five levels.
DEEPEST = 32


class StrictParser(FlaskParser):
    """Reads arguments: unknown ones are refused wherever they stand."""

    DEFAULT_UNKNOWN_BY_LOCATION = {
        "json": RAISE,
        "form": RAISE,
        "json_or_form": RAISE,
        "query": RAISE,
        "files": RAISE,
        "headers": EXCLUDE,
        "cookies": EXCLUDE,
        "view_args": RAISE,
    }

    def load_json(self, req: Request, schema: Any) -> Any:
        body = req.get_data()
        if not body:
            return missing
        if not req.is_json:
            abort(415, "Send the body as application/json.")
        try:
            data = current_app.json.loads(body)
        except ValueError as error:
            raise BadRequest(f"The body is not JSON: {error}.") from error
        refuse_unstorable(data)
        return data

    def load_form(self, req: Request, schema: Any) -> Any:
        refuse_unstorable(dict(req.form.lists()))
        return super().load_form(req, schema)


def refuse_unstorable(data: object, depth: int = 0) -> None:
    """Refuse nesting without end, and the NUL character, which PostgreSQL stores nowhere."""
    if depth > DEEPEST:
        raise ValidationError(f"Nested deeper than {DEEPEST} levels.")
    if isinstance(data, str):
        if "\x00" in data:
            raise ValidationError("A NUL character cannot be stored; remove it.")
    elif isinstance(data, dict):
        for key, value in data.items():
            refuse_unstorable(key, depth + 1)
            refuse_unstorable(value, depth + 1)
    elif isinstance(data, list):
        for value in data:
            refuse_unstorable(value, depth + 1)


class Resources(Blueprint):  # type: ignore[misc]  # flask_smorest has no types
    """A group of operations of the API."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(name, import_name, url_prefix=PREFIX, description=description)
        self._prepare_doc_cbks.append(_describe_guard)

    def route(self, rule: str, *, methods: tuple[Method, ...] = ("GET",), **options: Any) -> Callable[[V], V]:
        """Serve a path. The permission named by ``needs`` right below goes into the description."""

        def decorate(view: V) -> V:
            permission = getattr(view, "permission", None)
            view._apidoc = {**getattr(view, "_apidoc", {}), "guard": permission}  # type: ignore[attr-defined]
            self.add_url_rule(rule, None, view, methods=list(methods), **options)
            return view

        return decorate

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[V], V]:
        """Read the body (or another ``location``) by a schema and hand it over as the first argument."""
        decorate: Callable[[V], V] = super().arguments(schema, **options)
        return decorate

    def response(self, status_code: int, schema: type[Schema] | None = None, **options: Any) -> Callable[[V], V]:
        """Answer by a schema."""
        decorate: Callable[[V], V] = super().response(status_code, schema, **options)
        return decorate

    def alt_response(self, status_code: int, *, schema: type[Schema], **options: Any) -> Callable[[V], V]:
        """Describe another answer than the usual one."""
        decorate: Callable[[V], V] = super().alt_response(status_code, schema=schema, **options)
        return decorate

    def doc(self, **words: Any) -> Callable[[V], V]:
        """Add to the description what no schema says."""
        decorate: Callable[[V], V] = super().doc(**words)
        return decorate


def _describe_guard(
    doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, **_context: Any
) -> dict[str, Any]:
    """Say which permission an operation needs, and that a POST may carry an Idempotency-Key."""
    permission = doc_info.get("guard")
    if permission:
        doc["x-permission"] = permission
        doc["security"] = [{"bearer": []}, {"session": []}]
        if ANYONE in PERMISSIONS[permission]:
            doc["security"].append({})
    if method.lower() == "post":
        doc.setdefault("parameters", []).append("IdempotencyKey")
    return doc


class DescribedApi(Api):  # type: ignore[misc]  # flask_smorest has no types
    """The API's description, OpenAPI 3.1; errors are problem details and are answered by ``api.problems``."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """``api.problems`` answers them, for the API and for the pages alike."""

    def _register_doc_blueprint(self) -> None:
        """``api.resources.description`` serves the description, with a permission as every route has."""

    def _register_responses(self) -> None:
        """Every refusal is a problem detail, whatever its status."""
        for status in HTTPStatus:
            self._describe(status.name, status.phrase, problem=status >= 400, lazy=True)
        self._describe("DEFAULT_ERROR", "Refused or failed: problem details (RFC 9457).", problem=True, lazy=False)

    def _describe(self, name: str, words: str, *, problem: bool, lazy: bool) -> None:
        response: dict[str, Any] = {"description": words}
        if problem:
            response["schema"] = ProblemSchema
            prepare_response(response, self.spec, MEDIA_TYPE)
        self.spec.components.response(name, response, lazy=lazy)
