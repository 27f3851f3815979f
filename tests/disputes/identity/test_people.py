"""Registering, signing in, codes and tokens, on a real database."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.db import Database
from core.refusals import Conflict, Forbidden, Invalid, NotFound
from disputes.identity import operations, passwords, phone_codes, queries, signin, throttles, tokens
from disputes.identity.models import Person, PhoneCode, Throttle
from disputes.identity.roles import Role
from disputes.network.models import Organisation

NOW = datetime(2026, 9, 18, 1, 0, tzinfo=UTC)
PASSWORD = "a sentence to remember"


@pytest.fixture(autouse=True)
def quick_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weaker parameters: forty milliseconds a digest, hundreds of times, would test argon2 and not us."""
    quick = PasswordHasher(time_cost=1, memory_cost=512, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", quick)
    monkeypatch.setattr(passwords, "_NOBODY", quick.hash("nobody"))


def build_person(database: Database, login: str = "wangfang", **given: object) -> Person:
    with database.transaction() as session:
        operations.register(
            session, name="赵六", login=f"noise-{login}", password=PASSWORD, phone="13900000000", now=NOW
        )
        return operations.register(
            session, **{"name": "王芳", "login": login, "password": PASSWORD, "now": NOW, **given}
        )  # type: ignore[arg-type]


def build_office(session: Session) -> Organisation:
    office = Organisation(
        code=f"YX-{uuid4()}"[:12], name="栖梧市场监管所", kind="office", region="330299", created_at=NOW
    )
    session.add(office)
    session.flush()
    return office


def test_personal_data_is_encrypted_at_rest_and_found_by_fingerprint(database: Database) -> None:
    person = build_person(
        database, phone="138 1234 5678", email="wang@Example.com", id_kind="resident", id_no="11010519491231002x"
    )
    with database.writing.connect() as connection:
        row = connection.execute(
            text(
                "select phone, email, id_no, password_hash, phone_fingerprint from person where login = 'wangfang'"
            )
        ).one()
    stored = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    for plain in (b"13812345678", b"wang@", b"11010519491231002", PASSWORD.encode()):
        assert plain not in stored
    with database.reader() as session:
        assert [p.id for p in queries.by_phone(session, "+8613812345678")] == [person.id]
        assert [p.id for p in queries.by_email(session, "WANG@example.com")] == [person.id]
        assert [p.id for p in queries.by_id_no(session, "11010519491231002X")] == [person.id]
        assert queries.by_phone(session, "13812345679") == []
        assert queries.person(session, person.id).id_no == "11010519491231002X"


def test_all_faults_of_a_registration_come_at_once(database: Database) -> None:
    with database.transaction() as session, pytest.raises(Invalid) as refused:
        operations.register(
            session,
            name=" ",
            login="A",
            password="short",
            phone="12",
            email="x",
            id_kind="resident",
            id_no="1",
            now=NOW,
        )
    assert set(refused.value.fields) == {"name", "login", "password", "phone", "email", "id_no"}


def test_a_login_is_taken_once_whatever_its_letters(database: Database) -> None:
    build_person(database)
    with database.transaction() as session, pytest.raises(Conflict):
        operations.register(session, name="王芳", login="WangFang", password=PASSWORD, now=NOW)


def test_signing_in_with_the_right_password(database: Database) -> None:
    person = build_person(database)
    assert signin.sign_in(database, " WANGFANG ", PASSWORD, now=NOW).id == person.id


def test_wrong_password_unknown_login_and_closed_account_are_told_alike(database: Database) -> None:
    person = build_person(database)
    told = set()
    for login, password in [("wangfang", "wrong password"), ("nobody", PASSWORD), ("x' or 1=1 --", "y" * 5000)]:
        with pytest.raises(Forbidden) as refused:
            signin.sign_in(database, login, password, now=NOW)
        told.add((refused.value.code, refused.value.message))
    with database.transaction() as session:
        operations.deactivate(session, queries.person(session, person.id))
    with pytest.raises(Forbidden) as refused:
        signin.sign_in(database, "wangfang", PASSWORD, now=NOW)
    assert told == {(refused.value.code, refused.value.message)}


@pytest.mark.parametrize("login", ["wangfang", "nobody-of-this-name"])
def test_failures_lock_with_growing_delay_also_for_a_login_that_does_not_exist(
    database: Database, login: str
) -> None:
    build_person(database)
    moment = NOW
    for _ in range(throttles.FREE_ATTEMPTS):
        with pytest.raises(Forbidden) as refused:
            signin.sign_in(database, login, "wrong password", now=moment)
        assert not isinstance(refused.value, throttles.Locked)
    waits = []
    for _ in range(3):
        with pytest.raises(throttles.Locked) as locked:
            signin.sign_in(database, login, PASSWORD, now=moment)
        waits.append(locked.value.facts["retry_after"])
        moment += timedelta(seconds=waits[-1])
        with pytest.raises(Forbidden) as refused:
            signin.sign_in(database, login, "wrong password", now=moment)
        assert not isinstance(refused.value, throttles.Locked)
    assert waits == [31, 61, 121]


def test_success_forgives_the_failures(database: Database) -> None:
    build_person(database)
    for _ in range(throttles.FREE_ATTEMPTS - 1):
        with pytest.raises(Forbidden):
            signin.sign_in(database, "wangfang", "wrong password", now=NOW)
    signin.sign_in(database, "wangfang", PASSWORD, now=NOW)
    with database.reader() as session:
        assert session.scalars(select(Throttle)).all() == []


def test_failures_are_forgotten_after_a_quiet_day(database: Database) -> None:
    subject = throttles.subject_of("login", "wangfang")
    for _ in range(throttles.FREE_ATTEMPTS):
        throttles.count_attempt(database, subject, now=NOW)
    later = NOW + throttles.MEMORY + timedelta(seconds=1)
    throttles.count_attempt(database, subject, now=later)
    throttles.count_attempt(database, subject, now=later)
    with database.transaction() as session:
        assert throttles.forget_old(session, now=later) == 0
        assert throttles.forget_old(session, now=later + throttles.MEMORY * 2) == 1


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (11, 1920), (12, 3600), (13, 3600), (10**6, 3600)]
)
def test_the_lock_grows_to_an_hour_and_no_further(failures: int, seconds: int) -> None:
    assert throttles.lock_after(failures).total_seconds() == seconds


def test_guesses_that_arrive_together_are_all_counted(database: Database) -> None:
    subject = throttles.subject_of("login", "wangfang")
    outcomes: list[str] = []

    def guess() -> None:
        try:
            throttles.count_attempt(database, subject, now=NOW)
            outcomes.append("checked")
        except throttles.Locked:
            outcomes.append("locked")

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("checked") == throttles.FREE_ATTEMPTS
    assert len(outcomes) == 12


def test_a_password_of_older_parameters_is_made_again_at_sign_in(database: Database) -> None:
    person = build_person(database)
    weak = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1).hash(PASSWORD)
    with database.transaction() as session:
        queries.person(session, person.id).password_hash = weak
    signin.sign_in(database, "wangfang", PASSWORD, now=NOW)
    with database.reader() as session:
        renewed = queries.person(session, person.id).password_hash
    assert renewed is not None and renewed != weak and "m=512" in renewed
    signin.sign_in(database, "wangfang", PASSWORD, now=NOW)


def test_a_new_password_ends_other_sessions(database: Database) -> None:
    person = build_person(database)
    with database.transaction() as session:
        mine = queries.person(session, person.id)
        with pytest.raises(Forbidden):
            operations.change_password(session, mine, old="not it at all", new="another sentence")
        operations.change_password(session, mine, old=PASSWORD, new="another sentence")
    with database.reader() as session:
        assert queries.actor(session, person.id, epoch=person.session_epoch) is None
        assert queries.actor(session, person.id, epoch=1) is not None
    with pytest.raises(Forbidden):
        signin.sign_in(database, "wangfang", PASSWORD, now=NOW)


def test_roles_are_held_in_an_organisation_and_end_sessions_when_taken(database: Database) -> None:
    person = build_person(database)
    with database.transaction() as session:
        office, other = build_office(session), build_office(session)
        mine = queries.person(session, person.id)
        operations.grant(session, mine, "officer", office.id, now=NOW)
        operations.grant(session, mine, "officer", office.id, now=NOW)
        operations.grant(session, mine, Role.SUPERVISOR, other.id, now=NOW)
        with pytest.raises(Invalid):
            operations.grant(session, mine, "complainant", office.id, now=NOW)
        with pytest.raises(Invalid):
            operations.grant(session, mine, "emperor", office.id, now=NOW)
    with database.reader() as session:
        actor = queries.actor(session, person.id)
        assert actor is not None
        assert actor.roles == {(Role.OFFICER, office.id), (Role.SUPERVISOR, other.id)}
        assert actor.organisations("officer") == {office.id}
        assert [p.id for p in queries.holders(session, "officer", office.id)] == [person.id]
        assert queries.holders(session, "officer", other.id) == []
    with database.transaction() as session:
        operations.withdraw(session, queries.person(session, person.id), "officer", office.id)
        with pytest.raises(NotFound):
            operations.withdraw(session, queries.person(session, person.id), "officer", office.id)
    with database.reader() as session:
        assert queries.actor(session, person.id, epoch=0) is None


class Outbox(list[tuple[str, str]]):
    def __call__(self, session: Session, *, phone: str, code: str, language: str, now: datetime) -> None:
        self.append((phone, code))


def send(
    database: Database, outbox: Outbox, *, now: datetime = NOW, known: bool = True, phone: str = "13812345678"
) -> None:
    with database.transaction() as session:
        phone_codes.send_code(session, outbox, phone=phone, purpose="track:A", known=known, now=now)


def test_a_code_opens_its_purpose_once(database: Database) -> None:
    outbox = Outbox()
    send(database, outbox)
    ((phone, code),) = outbox
    assert phone == "13812345678" and len(code) == 6 and code.isdigit()
    with pytest.raises(Forbidden):
        phone_codes.check_code(database, phone=phone, purpose="track:B", code=code, now=NOW)
    phone_codes.check_code(database, phone="+86 13812345678", purpose="track:A", code=f" {code} ", now=NOW)
    with pytest.raises(Forbidden):
        phone_codes.check_code(database, phone=phone, purpose="track:A", code=code, now=NOW)


def test_a_code_ends_after_five_minutes_to_the_second(database: Database) -> None:
    outbox = Outbox()
    send(database, outbox)
    with pytest.raises(Forbidden):
        phone_codes.check_code(
            database, phone="13812345678", purpose="track:A", code=outbox[0][1], now=NOW + phone_codes.LIFE
        )
    phone_codes.check_code(
        database,
        phone="13812345678",
        purpose="track:A",
        code=outbox[0][1],
        now=NOW + phone_codes.LIFE - timedelta(seconds=1),
    )


def test_five_wrong_tries_kill_a_code(database: Database) -> None:
    outbox = Outbox()
    send(database, outbox)
    right = outbox[0][1]
    wrong = f"{(int(right) + 1) % 1000000:06}"
    for _ in range(phone_codes.TRIES):
        with pytest.raises(Forbidden):
            phone_codes.check_code(database, phone="13812345678", purpose="track:A", code=wrong, now=NOW)
    later = NOW + timedelta(seconds=31)
    with pytest.raises(Forbidden):
        phone_codes.check_code(database, phone="13812345678", purpose="track:A", code=right, now=later)


def test_a_phone_that_has_no_case_gets_no_message_and_no_different_answer(database: Database) -> None:
    outbox = Outbox()
    send(database, outbox, known=False)
    assert outbox == []
    with database.reader() as session:
        row = session.scalars(select(PhoneCode)).one()
    assert row.purpose == "track:A"


def test_codes_to_one_phone_are_few(database: Database) -> None:
    outbox = Outbox()
    moment = NOW
    for _ in range(phone_codes.PER_DAY):
        send(database, outbox, now=moment)
        with pytest.raises(throttles.Locked):
            send(database, outbox, now=moment + timedelta(seconds=59))
        moment += phone_codes.PAUSE
    with pytest.raises(throttles.Locked):
        send(database, outbox, now=moment)
    send(database, outbox, now=NOW + timedelta(days=1, seconds=1))
    with database.transaction() as session:
        assert phone_codes.forget_old(session, now=NOW + timedelta(days=1, seconds=1)) == 1
    with pytest.raises(Invalid):
        send(database, outbox, phone="0574-87654321")


def test_two_requests_at_once_send_one_code(database: Database) -> None:
    outbox, refused = Outbox(), []

    def request() -> None:
        try:
            send(database, outbox)
        except throttles.Locked:
            refused.append(1)

    threads = [threading.Thread(target=request) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(outbox), len(refused)) == (1, 5)


def test_a_token_is_shown_once_and_works_within_its_scopes_and_days(database: Database) -> None:
    person = build_person(database)
    with database.transaction() as session:
        mine = queries.person(session, person.id)
        row, plain = tokens.issue(
            session, mine, name="台账导出", scopes=["case.read"], lasts=timedelta(days=30), now=NOW
        )
        tokens.issue(session, mine, name="另一个", scopes=["case.*"], lasts=timedelta(days=30), now=NOW)
    with database.writing.connect() as connection:
        assert plain not in str(connection.execute(text("select * from api_token")).all())
    end = NOW + timedelta(days=30)
    with database.reader() as session:
        use = tokens.used(session, plain, now=end - timedelta(seconds=1))
        assert use is not None and use.actor.person_id == person.id and use.actor.scopes == {"case.read"}
        assert tokens.used(session, plain, now=end) is None
        assert tokens.used(session, plain[:-1], now=NOW) is None
        assert tokens.used(session, "Bearer", now=NOW) is None
    with database.transaction() as session:
        assert use.is_worth_noting(now=NOW)
        tokens.note_use(session, row.id, now=NOW)
        noted = tokens.used(session, plain, now=NOW)
        assert noted is not None and not noted.is_worth_noting(now=NOW + timedelta(minutes=9))
        tokens.revoke(session, row.id, now=NOW)
        tokens.revoke(session, row.id, now=NOW + timedelta(days=1))
        with pytest.raises(NotFound):
            tokens.revoke(session, uuid4(), now=NOW)
    with database.reader() as session:
        assert tokens.used(session, plain, now=NOW) is None
        assert [t.revoked_at for t in tokens.of_person(session, person.id) if t.id == row.id] == [NOW]


def test_tokens_of_a_closed_account_stop_working(database: Database) -> None:
    person = build_person(database)
    with database.transaction() as session:
        mine = queries.person(session, person.id)
        _, plain = tokens.issue(session, mine, name="x", scopes=["case.*"], lasts=timedelta(days=1), now=NOW)
        operations.deactivate(session, mine)
    with database.reader() as session:
        assert tokens.used(session, plain, now=NOW) is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": ["case.reed"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"lasts": timedelta(days=367)}, "lasts"),
        ({"lasts": timedelta(0)}, "lasts"),
    ],
)
def test_a_token_without_name_scope_or_end_is_refused(
    sqlite_database: Database, given: dict[str, object], field: str
) -> None:
    person = build_person(sqlite_database)
    asked = {"name": "x", "scopes": ["case.*"], "lasts": timedelta(days=1), **given}
    with sqlite_database.transaction() as session, pytest.raises(Invalid) as refused:
        tokens.issue(session, person, now=NOW, **asked)  # type: ignore[arg-type]
    assert set(refused.value.fields) == {field}


def test_people_are_found_by_the_page(database: Database) -> None:
    build_person(database, phone="13812345678")
    with database.reader() as session:
        first = queries.people(session, limit=1)
        rest = queries.people(session, after=first[0].id)
        assert len(first) == 1 and len(rest) == 1 and first[0].id != rest[0].id
        assert [p.login for p in queries.people(session, search="王")] == ["wangfang"]
        assert [p.login for p in queries.people(session, search="13812345678")] == ["wangfang"]
        assert queries.people(session, search="%") == []
