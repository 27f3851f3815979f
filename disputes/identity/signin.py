"""Signing in: one question, one answer, the same for every way in which it fails."""

from datetime import datetime

from sqlalchemy import select, update

from core.db import Database
from core.refusals import Forbidden
from disputes.identity import passwords, throttles
from disputes.identity.models import Person
from disputes.identity.rules import PASSWORD_MAX, normal_login


def sign_in(database: Database, login: str, password: str, *, now: datetime) -> Person:
    """The person of this login and password.

    Raises Locked after too many failures and Forbidden otherwise; neither says whether there is such an account.
    The password is checked outside any transaction: forty milliseconds under SQLite's write lock hold everybody up.
    """
    wanted = normal_login(login) or login
    subject = throttles.subject_of("login", wanted)
    throttles.count_attempt(database, subject, now=now)
    with database.reader() as session:
        person = session.scalars(select(Person).where(Person.login == wanted)).one_or_none()
        session.expunge_all()
    digest = person.password_hash if person is not None else None
    if not passwords.fits(password[: PASSWORD_MAX + 1], digest) or person is None or not person.active:
        raise Forbidden(
            "登录名或者密码不正确。 The login or the password is wrong.", code="identity.sign_in_failed"
        )
    throttles.forgive(database, subject)
    if digest is not None and passwords.is_outdated(digest):
        _renew(database, person, digest, password)
    return person


def _renew(database: Database, person: Person, old: str, password: str) -> None:
    """Store the digest with today's parameters, unless the password was changed meanwhile."""
    with database.transaction() as session:
        session.execute(
            update(Person)
            .where(Person.id == person.id, Person.password_hash == old)
            .values(password_hash=passwords.hashed(password), version=Person.version + 1)
        )
