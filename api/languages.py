"""The language of a request: what the person chose, else what the browser prefers, else Chinese."""

from flask import Flask, Response, g, request
from flask_babel import Babel

LANGUAGES = ("zh", "en")
COOKIE = "hejie_language"
#: A choice of language is kept for a year.
KEPT_SECONDS = 365 * 24 * 3600


def init_languages(app: Flask) -> None:
    """Choose the locale per request; ``?lang=en`` chooses and is remembered."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "zh")
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Asia/Shanghai")
    Babel(app, locale_selector=language)
    app.after_request(_remember)
    app.jinja_env.globals["language"] = language


def language() -> str:
    """``zh`` or ``en``."""
    if "language" not in g:
        g.language = _choose()
    return str(g.language)


def preferred() -> str:
    """What the browser asks for: by the address, by an earlier choice, by its headers."""
    return _chosen() or request.accept_languages.best_match(LANGUAGES, default="zh") or "zh"


def _choose() -> str:
    from api.edge import caller

    actor = caller()
    return _chosen() or (actor.language if actor.signed_in and actor.language in LANGUAGES else preferred())


def _chosen() -> str | None:
    for choice in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if choice in LANGUAGES:
            return choice
    return None


def _remember(response: Response) -> Response:
    choice = request.args.get("lang")
    if choice in LANGUAGES and choice != request.cookies.get(COOKIE):
        response.set_cookie(
            COOKIE, choice, max_age=KEPT_SECONDS, secure=request.is_secure, httponly=True, samesite="Lax"
        )
    return response
