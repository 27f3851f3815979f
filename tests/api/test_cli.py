"""``hejie outbox`` and ``hejie people add`` on a database of their own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from api import cli
from core.db import Database
from core.settings import Settings
from disputes.audit.models import AuditEvent
from disputes.identity import queries
from disputes.identity.models import ApiToken
from disputes.identity.permissions import allows
from disputes.network.models import Organisation
from disputes.notices.models import Channel, Mail, MailState

from .conftest import NOW, PASSWORD, SETTINGS


@pytest.fixture
def run(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """run(*arguments, production=False): what the command prints."""

    def _run(*arguments: str, production: bool = False) -> str:
        from dataclasses import replace

        settings: Settings = replace(SETTINGS, production=production)
        monkeypatch.setattr(cli, "_settings", lambda: settings)
        monkeypatch.setattr(cli, "_database", lambda: database)
        assert cli.main(arguments) == 0
        return capsys.readouterr().out

    return _run


@pytest.fixture
def waiting(database: Database) -> None:
    def message(number: int, channel: Channel, state: MailState, text: str) -> Mail:
        return Mail(
            channel=channel,
            state=state,
            message_id=f"m-{number}",
            recipient="13800138000",
            subject="验证码",
            text=text,
            kind="identity.code",
            due_at=NOW,
            created_at=NOW,
        )

    with database.transaction() as session:
        session.add(message(1, Channel.SMS, MailState.WAITING, "验证码123456"))
        session.add(message(2, Channel.MAIL, MailState.FAILED, "a refused mail"))
        session.add(message(3, Channel.MAIL, MailState.SENT, "a mail that has left"))


@pytest.mark.usefixtures("waiting")
def test_in_development_codes_are_read_from_the_outbox(run: Callable[..., str]) -> None:
    shown = run("outbox")
    assert "13800138000" in shown and "验证码123456" in shown and "a refused mail" in shown
    assert "has left" not in shown
    report = json.loads(run("outbox", "--json"))
    assert report["undelivered"] == {"mail": 1, "sms": 1}
    assert sorted(one["text"] for one in report["messages"]) == ["a refused mail", "验证码123456"]


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_in_production_the_outbox_only_counts(run: Callable[..., str], arguments: tuple[str, ...]) -> None:
    shown = run("outbox", *arguments, production=True)
    assert not any(said in shown for said in ("13800138000", "123456", "a refused mail"))
    assert "sms" in shown and "1" in shown


def test_an_account_that_an_operator_adds_is_audited(
    run: Callable[..., str], database: Database, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEJIE_NEW_PASSWORD", PASSWORD)
    added: Any = json.loads(
        run("people", "add", "zhou", "周启明", "--role", "officer", "--organisation", "YX-01", "--json")
    )
    with database.reader() as session:
        found = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(one.chain, one.action) for one in found] == [
        (f"person:{added['person']}", "identity.registered"),
        (f"person:{added['person']}", "identity.role_granted"),
    ]
    assert all(one.by.startswith("system:") for one in found)
    assert found[1].facts == {"role": "officer", "organisation": str(organisation.id)}


def test_a_worker_gets_an_account_without_a_password_and_a_token_for_jobs(
    run: Callable[..., str], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEJIE_NEW_PASSWORD", raising=False)
    with database.transaction() as session:
        session.add(Organisation(code="YX-01", name="云溪所", kind="office", region="330299", created_at=NOW))
    run("people", "add", "tracker", "包裹查询", "--role", "worker", "--organisation", "YX-01")
    given = json.loads(run("people", "token", "tracker", "--days", "7", "--json"))
    with database.reader() as session:
        token = session.scalars(select(ApiToken)).one()
        actor = queries.actor(session, token.person_id)
        acts = set(session.scalars(select(AuditEvent.action)))
    assert token.scopes == ["job.*"] and given["token"].startswith(token.prefix)
    assert actor is not None and allows(actor, "job.work") and not allows(actor, "signal.throw")
    assert "identity.token_issued" in acts
    monkeypatch.setattr(cli, "_database", lambda: database)
    assert cli.main(["people", "token", "nobody"]) == 2


def test_incidents_are_listed_and_retried(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine import Incident, Instance
    from tests.disputes.world import build_world

    monkeypatch.setattr(cli, "_settings", lambda: SETTINGS)
    monkeypatch.setattr(cli, "_database", lambda: database)

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        status = cli.main(["incidents", *arguments, "--json"])
        return status, json.loads(capsys.readouterr().out or "{}")

    assert run() == (0, {"incidents": [], "more": False})
    with database.transaction() as session:
        world = build_world(session)
        case = world.run(session, world.case(session))
        instance = session.get_one(Instance, case.instance_id)
        for number, command in enumerate(('{"command":"rearm"}', '{"command":"rearm"}')):
            session.add(
                Incident(
                    instance_id=instance.id,
                    key=instance.key,
                    process="acceptance",
                    element="decide_acceptance",
                    kind="expression",
                    message="received_at is null",
                    target=f"t:{number}",
                    command=command,
                    at=NOW,
                    last_at=NOW,
                )
            )
        instance.incidents += 2
    status, listed = run()
    assert status == 1 and [one["case_no"] for one in listed["incidents"]] == [case.case_no] * 2
    assert cli.main(["incidents"]) == 1 and "received_at is null" in capsys.readouterr().out
    assert cli.main(["incidents", "retry"]) == 2
    capsys.readouterr()
    with database.reader() as session:
        rearm = session.scalars(select(Incident).where(Incident.target == "t:0")).one().id
    status, retried = run("retry", str(rearm))
    assert (status, retried["resolved"]) == (0, [str(rearm)])
    status, retried = run("retry", "--all")
    assert status == 0 and len(retried["resolved"]) == 1
    assert run() == (0, {"incidents": [], "more": False})
