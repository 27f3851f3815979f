"""Settings, read once from the environment at the edge and handed down."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: Used by ``make run`` on one's own machine and refused in production.
DEVELOPMENT_KEY = "only-for-development-on-this-machine"


class SettingsError(ValueError):
    """A setting is missing or unsafe; the message names the variable."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs between two installations."""

    production: bool
    database_url: str
    #: Signs sessions, claim links and tokens.
    secret_key: str
    #: Encrypts personal data at rest; the first key encrypts, all keys decrypt (rotation).
    data_keys: tuple[str, ...]
    #: Where people reach this installation; used in notices and documents.
    base_url: str
    #: ``smtp://user:password@host:port`` or empty: mails then stay in the outbox as *not sent*.
    smtp_url: str
    mail_from: str
    #: Region of the district that this installation serves (GB/T 2260), e.g. ``330299``.
    region: str
    #: Largest accepted request body in bytes.
    max_body: int
    #: Evidence files are stored here.
    files: Path
    #: Number of trusted reverse proxies in front of the web process.
    proxies: int
    #: Where the limits per caller are counted; a storage URL as Flask-Limiter reads it.
    limiter_storage: str
    #: Folders of fonts for papers, searched before the fonts that Hejie brings.
    fonts: tuple[Path, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check. Raises SettingsError where production would run with an unsafe default."""
        production = environ.get("HEJIE_ENV", "development") == "production"
        if environ.get("HEJIE_ENV", "development") not in ("development", "production"):
            raise SettingsError("HEJIE_ENV must be 'development' or 'production'.")
        home = Path(environ.get("HEJIE_HOME", "var"))
        settings = cls(
            production=production,
            database_url=environ.get("HEJIE_DATABASE_URL", f"sqlite:///{home / 'hejie.db'}"),
            secret_key=environ.get("HEJIE_SECRET_KEY", DEVELOPMENT_KEY),
            data_keys=tuple(k for k in environ.get("HEJIE_DATA_KEYS", DEVELOPMENT_KEY).split(",") if k),
            base_url=environ.get("HEJIE_BASE_URL", "http://127.0.0.1:8315").rstrip("/"),
            smtp_url=environ.get("HEJIE_SMTP_URL", ""),
            mail_from=environ.get("HEJIE_MAIL_FROM", "hejie@localhost"),
            region=environ.get("HEJIE_REGION", "330299"),
            max_body=_whole_number(environ, "HEJIE_MAX_BODY", 20 * 1024 * 1024),
            files=Path(environ.get("HEJIE_FILES", str(home / "files"))),
            proxies=_whole_number(environ, "HEJIE_PROXIES", 0),
            limiter_storage=environ.get("HEJIE_LIMITER_STORAGE", "memory://"),
            fonts=_folders(environ, "HEJIE_FONTS"),
        )
        if production:
            settings._require_production_safe(environ)
        return settings

    def _require_production_safe(self, environ: Mapping[str, str]) -> None:
        for variable in ("HEJIE_DATABASE_URL", "HEJIE_SECRET_KEY", "HEJIE_DATA_KEYS", "HEJIE_BASE_URL"):
            if not environ.get(variable):
                raise SettingsError(f"{variable} must be set in production.")
        for variable, values in (
            ("HEJIE_SECRET_KEY", (self.secret_key,)),
            ("HEJIE_DATA_KEYS", self.data_keys),
        ):
            if not values or any(value == DEVELOPMENT_KEY or len(value) < 32 for value in values):
                raise SettingsError(
                    f"{variable} must be at least 32 characters of its own, for example {secrets.token_urlsafe(8)}…"
                )
        if not self.base_url.startswith("https://"):
            raise SettingsError("HEJIE_BASE_URL must start with https:// in production.")


def _folders(environ: Mapping[str, str], variable: str) -> tuple[Path, ...]:
    folders = tuple(Path(folder).resolve() for folder in environ.get(variable, "").split(os.pathsep) if folder)
    for folder in folders:
        if not folder.is_dir():
            raise SettingsError(f"{variable} names {str(folder)!r}, which is no folder.")
    return folders


def _whole_number(environ: Mapping[str, str], variable: str, default: int) -> int:
    raw = environ.get(variable, "")
    if not raw:
        return default
    if not raw.isdigit():
        raise SettingsError(f"{variable} must be a whole number, not {raw!r}.")
    return int(raw)
