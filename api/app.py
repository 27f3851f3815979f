"""The Flask application, put together once per process."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

import core.now
from api import headers, metrics
from api.edge import Application, Edge, close_sessions
from api.encoding import OrjsonProvider
from api.health import init_health
from api.languages import init_languages
from api.limits import init_limits
from api.problems import init_problems
from api.resources import init_resources
from api.signin import init_signin
from core import sealing
from core.db import Database
from core.settings import Settings
from disputes.documents import rendering

#: A working day and its evening; a person who comes back the next morning signs in again.
SESSION_LIFETIME = timedelta(hours=12)

#: Fields of one form, files aside: no form of ours comes near it.
LONGEST_FORM = 1024 * 1024


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    clock: Callable[[], datetime] = core.now.now,
) -> Flask:
    """Hejie as one WSGI application. Without ``database`` it opens its own: call it after a fork."""
    sealing.unlock(settings.data_keys)
    rendering.use_fonts(settings.fonts)
    app = Application("api", static_folder="static", template_folder="templates")
    app.json = OrjsonProvider(app)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_body,
        MAX_FORM_MEMORY_SIZE=LONGEST_FORM,
        MAX_FORM_PARTS=500,
        SESSION_COOKIE_NAME="hejie_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.production,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=1),
    )
    app.extensions["hejie"] = Edge(settings, database or Database(settings.database_url), clock)
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
        )
    init_problems(app)
    app.before_request(_refuse_unstorable_text)
    app.before_request(_refuse_parts_without_a_name)
    init_signin(app)
    init_languages(app)
    init_limits(app, settings.limiter_storage)
    metrics.init_metrics(app)
    init_health(app)
    init_resources(app)
    _init_pages(app)
    app.after_request(lambda response: _headers(response, settings))
    app.teardown_appcontext(close_sessions)
    return app


def _headers(response: Response, settings: Settings) -> Response:
    if "etag" in g and response.status_code < 300:
        response.set_etag(g.etag)
    return headers.secure(response, https=settings.production)


def _refuse_unstorable_text() -> None:
    """PostgreSQL stores no NUL character; no field, path or query of ours needs one."""
    if "\x00" in request.path or any("\x00" in text for pair in request.args.items(multi=True) for text in pair):
        raise BadRequest("A NUL character stands in the address; remove it.")


def _refuse_parts_without_a_name() -> None:
    """RFC 7578, section 4.2: each part of a form names its field. What reads forms relies on it."""
    if None in request.form or None in request.files:
        raise BadRequest("表单里有一部分没有名字。 A part of the form has no name.")


def _init_pages(app: Flask) -> None:
    from api.pages import init_pages

    init_pages(app)
