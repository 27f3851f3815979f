"""How often one caller may try: signing in and public look-ups, counted per address."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

#: Sign-in and codes: a person mistypes a few times; a program guessing passwords needs thousands.
#: (``disputes.identity`` slows one login whoever asks; this slows one address whatever it asks.)
TRY_SIGN_IN = "20 per minute; 200 per hour"

#: Look-ups without an account (tracking by case number, verifying a paper).
PUBLIC_LOOK_UP = "30 per minute; 600 per hour"

limiter = Limiter(get_remote_address, headers_enabled=False, strategy="moving-window")


def init_limits(app: Flask, storage: str) -> None:
    """Count in ``storage``: memory on one node, Redis when there are several."""
    app.config.setdefault("RATELIMIT_STORAGE_URI", storage)
    limiter.init_app(app)
