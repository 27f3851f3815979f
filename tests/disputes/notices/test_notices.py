"""Notices reach whom they are for; mails leave once, come back when refused, and are never lost."""

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Database
from core.refusals import NotFound
from core.settings import Settings
from disputes.identity.actor import Actor
from disputes.identity.models import Membership, Person
from disputes.network.models import Organisation
from disputes.network.seed import seed_district
from disputes.notices import mail, operations, queries
from disputes.notices.models import Mail, MailState, Notice

NOW = datetime(2026, 9, 18, 2, tzinfo=UTC)


@dataclass
class PostOffice:
    """A mail server of a few lines: keeps what it took, and refuses or drops what a test asks it to."""

    port: int = 0
    taken: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    hang_up_after_data: int = 0


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()

    class Counter(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(":")[0].split(" ")[0].upper()
                if verb == "RCPT" and (refusal := next((r for a, r in office.refuse.items() if a in line), None)):
                    self.say(refusal)
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (text := self.rfile.readline().decode()) not in (".\r\n", ""):
                        lines.append(text)
                    office.taken.append("".join(lines))
                    if office.hang_up_after_data > 0:
                        office.hang_up_after_data -= 1
                        return
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Counter) as server:
        office.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield office
        server.shutdown()
        thread.join()


def settings(port: int) -> Settings:
    return Settings.from_environment({"HEJIE_SMTP_URL": f"smtp://127.0.0.1:{port}"})


def build_person(session: Session, number: int, email: str | None = None, language: str = "zh") -> Person:
    person = Person(id=UUID(int=number), name="沈玉芳", email=email, language=language, created_at=NOW)
    session.add(person)
    session.flush()
    return person


def tell(session: Session, **to: object) -> Notice:
    words = {
        "title_zh": "投诉已受理",
        "title_en": "Accepted",
        "text_zh": "您的投诉已受理。",
        "text_en": "Accepted.",
    }
    return operations.tell(session, kind="complaint.accepted", case_key="case-1", now=NOW, **words, **to)  # type: ignore[arg-type]


def mails(database: Database) -> list[Mail]:
    with database.reader() as reader:
        return list(reader.scalars(select(Mail).order_by(Mail.message_id)))


def write_mails(database: Database, count: int) -> None:
    with database.transaction() as session:
        for number in range(1, count + 1):
            person = build_person(session, number, f"p{number:02d}@example.com")
            tell(session, person_id=person.id)


def actor(person_id: UUID, *roles: tuple[str, Organisation]) -> Actor:
    return Actor(person_id, "某人", frozenset((role, place.id) for role, place in roles))


def test_a_notice_is_read_by_whom_it_is_for_and_by_nobody_else(database: Database) -> None:
    with database.transaction() as session:
        places = seed_district(session, now=NOW)
        office, other = places["YX-01"], places["YX-02"]
        mine, theirs = build_person(session, 1), build_person(session, 2)
        personal = tell(session, person_id=mine.id)
        shared = tell(session, organisation_id=office.id, role="officer")
        tell(session, organisation_id=office.id, role="supervisor")
        tell(session, organisation_id=other.id, role="officer")
        tell(session, person_id=theirs.id)
        session.flush()
        me = actor(mine.id, ("officer", office))
        assert queries.page(session, me) == [shared, personal]
        assert queries.page(session, me, before=shared.id) == [personal]
        assert queries.unread_count(session, me) == 2
        assert queries.of_case(session, me, "case-1") == [shared, personal]
        assert operations.mark_read(session, shared.id, by=me, now=NOW).read_at == NOW
        assert queries.page(session, me, unread=True) == [personal]
        with pytest.raises(NotFound):
            operations.mark_read(session, personal.id, by=actor(theirs.id, ("officer", office)), now=NOW)
        assert operations.mark_all_read(session, by=me, now=NOW) == 1
        assert queries.unread_count(session, me) == 0
        assert queries.unread_count(session, actor(theirs.id, ("officer", other))) == 2
        assert queries.page(session, Actor(None, "", frozenset())) == []


def test_a_mail_is_written_only_with_its_notice_and_in_the_persons_language(database: Database) -> None:
    with database.transaction() as session:
        tell(session, person_id=build_person(session, 1, "a@example.com", "en").id)
        tell(session, person_id=build_person(session, 2).id)
    with pytest.raises(RuntimeError), database.transaction() as session:
        tell(session, person_id=build_person(session, 3, "c@example.com").id)
        raise RuntimeError
    (only,) = mails(database)
    assert (only.subject, only.text, only.state) == ("Accepted", "Accepted.", MailState.WAITING)


def test_everybody_who_holds_the_role_gets_a_mail(database: Database) -> None:
    with database.transaction() as session:
        office = seed_district(session, now=NOW)["YX-01"]
        for number, role in ((1, "officer"), (2, "officer"), (3, "supervisor")):
            person = build_person(session, number, f"p{number:02d}@example.com")
            session.add(Membership(person_id=person.id, organisation_id=office.id, role=role, since=NOW))
        session.flush()
        tell(session, organisation_id=office.id, role="officer")
    assert sorted(m.recipient for m in mails(database)) == ["p01@example.com", "p02@example.com"]


def test_without_a_server_everything_stays_in_the_outbox(database: Database) -> None:
    write_mails(database, 1)
    assert mail.send_waiting(database, Settings.from_environment({}), owner="w", now=NOW) == 0
    assert [m.state for m in mails(database)] == [MailState.WAITING]


def test_what_the_server_took_is_sent_and_not_sent_again(database: Database, post_office: PostOffice) -> None:
    write_mails(database, 3)
    assert mail.send_waiting(database, settings(post_office.port), owner="w", now=NOW) == 3
    assert mail.send_waiting(database, settings(post_office.port), owner="w", now=NOW + timedelta(days=1)) == 0
    assert len(post_office.taken) == 3
    assert {m.state for m in mails(database)} == {MailState.SENT}
    assert "Auto-Submitted: auto-generated" in post_office.taken[0]
    with database.reader() as reader:
        assert queries.backlog(reader) == {"waiting": 0, "sending": 0, "sent": 3, "failed": 0}


@pytest.mark.parametrize(
    ("reply", "state", "error"),
    [("550 no such box", MailState.FAILED, "smtp 550"), ("451 later", MailState.WAITING, "smtp 451")],
)
def test_a_refusal_for_good_fails_and_one_for_now_waits_longer(
    database: Database, post_office: PostOffice, reply: str, state: MailState, error: str
) -> None:
    write_mails(database, 2)
    post_office.refuse["p01"] = reply
    assert mail.send_waiting(database, settings(post_office.port), owner="w", now=NOW) == 1
    refused = next(m for m in mails(database) if m.recipient == "p01@example.com")
    assert (refused.state, refused.last_error) == (state, error)
    if state == MailState.WAITING:
        assert refused.due_at == NOW + mail.BACK_OFF[0]
        post_office.refuse.clear()
        assert mail.send_waiting(database, settings(post_office.port), owner="w", now=refused.due_at) == 1


def test_a_mail_that_is_refused_for_now_too_often_fails(database: Database, post_office: PostOffice) -> None:
    write_mails(database, 1)
    post_office.refuse["p01"] = "451 later"
    now = NOW
    for wait in mail.BACK_OFF:
        mail.send_waiting(database, settings(post_office.port), owner="w", now=now)
        now += wait
    assert mails(database)[0].state == MailState.WAITING
    mail.send_waiting(database, settings(post_office.port), owner="w", now=now)
    assert mails(database)[0].state == MailState.FAILED


def test_a_server_that_nobody_reaches_costs_no_try(database: Database) -> None:
    write_mails(database, 2)
    assert mail.send_waiting(database, settings(1), owner="w", now=NOW) == 0
    assert {(m.state, m.attempts, m.last_error) for m in mails(database)} == {
        (MailState.WAITING, 0, "ConnectionRefusedError")
    }


def test_a_mail_that_was_taken_without_an_answer_goes_again_under_the_same_id(
    database: Database, post_office: PostOffice
) -> None:
    write_mails(database, 1)
    post_office.hang_up_after_data = 1
    assert mail.send_waiting(database, settings(post_office.port), owner="w", now=NOW) == 0
    assert mail.send_waiting(database, settings(post_office.port), owner="w", now=NOW + timedelta(minutes=1)) == 1
    first, second = (next(x for x in m.splitlines() if x.startswith("Message-ID")) for m in post_office.taken)
    assert first == second


def test_a_dead_workers_mail_is_taken_over_and_its_late_word_changes_nothing(database: Database) -> None:
    write_mails(database, 1)
    (leased,) = mail._lease(database, owner="dead", now=NOW)
    assert mail._lease(database, owner="heir", now=NOW + mail.LEASE - timedelta(seconds=1)) == []
    (taken,) = mail._lease(database, owner="heir", now=NOW + mail.LEASE)
    assert taken.id == leased.id
    mail._mark(database, leased.id, "dead", state=MailState.FAILED)
    assert mails(database)[0].state == MailState.SENDING
    mail._mark(database, leased.id, "heir", state=MailState.SENT)
    assert mails(database)[0].state == MailState.SENT


def test_four_workers_send_each_mail_once(database: Database, post_office: PostOffice) -> None:
    write_mails(database, 40)
    sent: list[int] = []

    def work(name: str) -> None:
        while count := mail.send_waiting(database, settings(post_office.port), owner=name, now=NOW):
            sent.append(count)

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(sent) == 40
    ids = [next(x for x in m.splitlines() if x.startswith("Message-ID")) for m in post_office.taken]
    assert len(ids) == len(set(ids)) == 40
