"""Is the process alive, can it serve, and what does it count?"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from api import metrics, schema_version
from api.edge import clock, needs, read_session, require, settings
from api.models import Heartbeat

#: A worker beats every five seconds; after two minutes of silence nobody fires timers.
SILENCE = timedelta(minutes=2)

health = Blueprint("health", __name__)


def init_health(app: Flask) -> None:
    """Add /healthz, /readyz and /metrics."""
    app.register_blueprint(health)


@health.get("/healthz")
@needs("service.read")
def healthz() -> Response:
    """The process answers. It asks nothing else, so that a slow database does not get it killed."""
    return jsonify({"status": "ok"})


@health.get("/readyz")
@needs("service.read")
def readyz() -> tuple[Response, int]:
    """The database answers, its schema is this code's, and a worker is alive; 503 where one does not hold."""
    checks = {"database": _database(), "schema": "unknown", "worker": "unknown"}
    if checks["database"] == "ok":
        checks |= {"schema": _schema(), "worker": _worker()}
    good = all(value == "ok" for value in checks.values())
    return jsonify({"status": "ok" if good else "not ready", "checks": checks}), 200 if good else 503


@health.get("/metrics")
@needs("service.read")
def metrics_page() -> Response:
    """For Prometheus on this machine; from elsewhere with a token that holds ``service.metrics``."""
    if not _asked_on_this_machine():
        require("service.metrics")
    return Response(metrics.render(read_session(), now=clock()), mimetype="text/plain; version=0.0.4")


def _asked_on_this_machine() -> bool:
    """Straight from this machine: a proxy in front of us forwards strangers from a local address too."""
    return request.remote_addr in ("127.0.0.1", "::1") and not (
        request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded") or settings().proxies
    )


def _database() -> str:
    try:
        read_session().execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "does not answer"
    return "ok"


def _schema() -> str:
    found, wanted = schema_version.found(read_session()), schema_version.head()
    return "ok" if found == wanted else f"is at {found or 'nothing'}, this code needs {wanted}: hejie migrate"


def _worker() -> str:
    last: Any = read_session().scalar(select(func.max(Heartbeat.at)))
    if last is None:
        return "none has ever run: hejie worker"
    return "ok" if clock() - last <= SILENCE else "none is alive: hejie worker"
