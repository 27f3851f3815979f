"""After an erasure no page, resource or export says anything that was erased, to nobody, and none of them breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from api.app import create_app
from api.limits import limiter
from core.db import Database
from disputes.demo.accounts import PASSWORD
from disputes.demo.play import run as play
from disputes.documents.models import Paper
from disputes.inbox.models import InboxItem
from disputes.retention import operations
from tests.disputes.retention.test_retention import PERIODS, ended, secrets

from .conftest import SETTINGS, Caller

LATER = datetime(2037, 6, 1, tzinfo=UTC)
#: Who looks: everybody who could see the case, and those who see everything.
LOGINS = ("supervisor", "officer", "mediator", "court", "admin", "consumer", "designer")


def test_nobody_is_shown_what_was_erased(database: Database, tmp_path: Path) -> None:
    play(database, row="second-hand-phone")
    with database.reader() as session:
        case = ended(session)
        wanted = secrets(session, case)
        assert len(wanted) >= 5
        papers = list(session.scalars(select(Paper.id).where(Paper.case_key == str(case.id))))
        tasks = list(session.scalars(select(InboxItem.task_id).where(InboxItem.case_id == case.id)))
    operations.run(database, PERIODS, files=tmp_path / "files", by="system:test", now=LATER)
    app = create_app(
        replace(SETTINGS, files=tmp_path / "files"),
        database=database,
        clock=lambda: datetime(2026, 12, 1, tzinfo=UTC),
    )
    limiter.enabled = False
    values = {
        "reference": [str(case.id), case.case_no],
        "case_id": [case.id],
        "paper_id": papers[:2],
        "task_id": tasks[:2],
        "key": [str(case.id)],
        "case_no": [case.case_no],
    }
    seen = 0
    with database.reader() as session:
        from disputes.identity import queries as people

        logins = [login for login in LOGINS if people.by_login(session, login) is not None]
    assert {"supervisor", "admin"} <= set(logins)
    for login in logins:
        person = Caller(app, login, PASSWORD)
        adapter = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or rule.arguments - values.keys() or rule.rule == "/readyz":
                continue
            for turn in range(max([len(values[name]) for name in rule.arguments], default=1)):
                given = {name: values[name][turn % len(values[name])] for name in rule.arguments}
                path = adapter.build(rule.endpoint, given, force_external=False)
                answer = person.get(path)
                assert answer.status_code < 500, (login, path, answer.get_data(as_text=True)[:500])
                body = (
                    answer.get_data(as_text=True)
                    if not answer.is_streamed
                    else answer.data.decode("utf-8", "ignore")
                )
                said = {text for text in wanted if text in body}
                assert not said, (login, path, said)
                seen += answer.status_code == 200
    assert seen > 40
