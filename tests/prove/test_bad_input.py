"""schemathesis over the whole description, on both databases: no server error, and answers as described."""

from pathlib import Path

import pytest
from sqlalchemy import select

from api.app import create_app
from api.limits import limiter
from api.polling import Polls
from core.db import Database
from core.settings import Settings
from disputes.cases.models import Case
from disputes.demo import run
from disputes.documents.models import Paper
from disputes.identity.models import Person
from disputes.inbox.models import InboxItem
from disputes.network.models import Organisation
from disputes.notices.models import Notice

from .bad_input import throw_everything

#: Generated requests for each operation, good ones and as many bad ones.
EXAMPLES = 40


@pytest.mark.prove
def test_nothing_that_is_sent_makes_the_service_fail(database: Database, tmp_path: Path) -> None:
    run(database, files=tmp_path / "files")
    app = create_app(
        Settings.from_environment({"HEJIE_HOME": str(tmp_path), "HEJIE_DATA_KEYS": "a-key-for-tests"}),
        database=database,
    )
    limiter.enabled = False
    app.extensions["hejie"].polls = Polls(pause=lambda seconds: None)
    with database.reader() as session:
        known = {
            "reference": [str(one) for one in session.scalars(select(Case.id).limit(40))]
            + list(session.scalars(select(Case.case_no).limit(10))),
            "task_id": [str(one) for one in session.scalars(select(InboxItem.task_id).limit(200))],
            "organisation_id": [str(one) for one in session.scalars(select(Organisation.id).limit(40))],
            # Never those who send: a closed account would only ever be answered 401.
            "person_id": [str(one) for one in session.scalars(select(Person.id).where(Person.login.is_(None)))],
            "paper_id": [str(one) for one in session.scalars(select(Paper.id).limit(40))],
            "notice_id": [str(one) for one in session.scalars(select(Notice.id).limit(40))],
            "version": ["1"],
            "limit": ["C01", "C03", "S06"],
            "role": ["officer"],
        }
    statuses = throw_everything(app, database, known, examples=EXAMPLES)
    assert all(status < 500 for status in statuses), statuses
    assert statuses[200] and statuses[401] and statuses[403] and statuses[404] and statuses[422], statuses
