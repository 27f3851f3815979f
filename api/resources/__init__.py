"""The JSON resources under /api/v1, described as OpenAPI 3.1."""

from importlib.metadata import version

from flask import Flask

from api.resources.blueprint import DescribedApi

#: What the description says of the whole.
INTRODUCTION = """\
和解 runs consumer disputes. Every error is a problem detail (RFC 9457, `application/problem+json`) with a stable
`code`. Lists are read page by page: give `next` back as `after`. A POST may carry an `Idempotency-Key`: repeated
within a day it has one effect and one answer. Where two people may edit, `ETag` and `If-Match` tell them apart.
Times are ISO 8601 with their offset; money is in fen (`_fen`). Programs send `Authorization: Bearer <token>`;
browsers use the session cookie and the header `X-CSRFToken`.
"""


def init_resources(app: Flask) -> None:
    """Register every resource and describe it."""
    from api.resources import (
        accounts,
        cases,
        deadlines,
        evidence,
        history,
        jobs,
        messages,
        migrations,
        network,
        notices,
        papers,
        rederivations,
        releases,
        repair,
        retention,
        supervision,
        tasks,
        time,
    )
    from api.resources.description import description

    app.config.update(API_TITLE="Hejie 和解", API_VERSION=version("hejie"), OPENAPI_VERSION="3.1.0")
    api = DescribedApi(spec_kwargs={"info": {"description": INTRODUCTION}, "servers": [{"url": "/"}]})
    api.init_app(app)
    app.extensions["hejie-api"] = api
    spec = api.spec.components
    spec.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "hejie_session"})
    spec.parameter(
        "IdempotencyKey",
        "header",
        {
            "name": "Idempotency-Key",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "description": "Makes a repetition of this request harmless; heeded for callers who are signed in.",
        },
    )
    for module in (
        cases,
        tasks,
        messages,
        jobs,
        evidence,
        papers,
        notices,
        network,
        releases,
        migrations,
        time,
        repair,
        retention,
        deadlines,
        rederivations,
        history,
        supervision,
        accounts,
    ):
        api.register_blueprint(module.resources)
    app.register_blueprint(description)
