"""The seeded district behind the API: somebody signs in by a token and talks JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask

from core.db import Database
from disputes.identity import queries as people
from disputes.identity import tokens
from disputes.identity.permissions import SCOPES

from .conftest import NOW


class Talker:
    """Somebody of the district, by a token that may do all that the person may."""

    def __init__(self, app: Flask, database: Database, login: str) -> None:
        self.client = app.test_client()
        with database.transaction() as session:
            person = people.by_login(session, login)
            assert person is not None, login
            self.id = person.id
            _, plain = tokens.issue(
                session, person, name="test", scopes=sorted(SCOPES), lasts=timedelta(days=300), now=NOW
            )
        self.headers = {"Authorization": f"Bearer {plain}"}

    def __call__(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        path = path if path.startswith("/api") else f"/api/v1{path}"
        return self.client.open(path, method=method, headers={**self.headers, **(headers or {})}, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self("GET", path, **more)

    def post(self, path: str, **more: Any) -> Any:
        return self("POST", path, **more)

    def put(self, path: str, **more: Any) -> Any:
        return self("PUT", path, **more)

    def patch(self, path: str, **more: Any) -> Any:
        return self("PATCH", path, **more)
