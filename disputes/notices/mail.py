"""The outbox: sending what was written, at least once, by whichever worker comes first.

Three steps a mail: a short transaction leases it, the server takes it, a short transaction marks it sent. A worker
that dies in between leaves a lease that runs out; the mail is then sent again under the same Message-ID, by which
its receiver tells the second from a new one.
"""

import logging
import smtplib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import or_, select, update

from core.db import Database
from core.settings import Settings
from disputes.notices.models import Channel, Mail, MailState

log = logging.getLogger(__name__)

#: How long a lease holds: longer than a whole batch may take.
LEASE = timedelta(minutes=5)
#: Mails leased at once.
BATCH = 20
#: Seconds that a mail server may take to answer.
TIMEOUT = 15
#: How the worker greets the server; looking up its own name could hang on a slow resolver.
NAME = "hejie.localhost"
#: Waits before the next try; after the last one the mail has failed.
BACK_OFF = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 480, 1440))


class NotSent(Exception):
    """The server did not take the mail; ``final`` when trying again is of no use."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


def send_waiting(database: Database, settings: Settings, *, owner: str, now: datetime) -> int:
    """Send one batch of what is due; how many the server took. Without a server everything stays in the outbox."""
    if not settings.smtp_url:
        return 0
    leased = _lease(database, owner=owner, now=now)
    if not leased:
        return 0
    sent = 0
    try:
        with _server(settings.smtp_url) as server:
            for mail in leased:
                sent += _send(database, server, mail, settings, owner=owner, now=now)
    except NotSent as error:
        # Nobody answers: give everything back that is still ours.
        _give_back(database, (mail.id for mail in leased), str(error), owner=owner, now=now)
    return sent


def _lease(database: Database, *, owner: str, now: datetime) -> list[Mail]:
    due = or_(
        (Mail.state == MailState.WAITING) & (Mail.due_at <= now),
        (Mail.state == MailState.SENDING) & (Mail.lease_until <= now),
    )
    with database.transaction() as session:
        mails = list(
            session.scalars(
                select(Mail)
                .where(Mail.channel == Channel.MAIL, due)
                .order_by(Mail.due_at)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
        )
        for mail in mails:
            mail.state, mail.lease_owner, mail.lease_until = MailState.SENDING, owner, now + LEASE
            mail.attempts += 1
        session.flush()
        session.expunge_all()
    return mails


def _send(
    database: Database, server: smtplib.SMTP, mail: Mail, settings: Settings, *, owner: str, now: datetime
) -> int:
    try:
        _hand_over(server, mail, settings, now=now)
    except NotSent as error:
        _try_later(database, mail, error, owner=owner, now=now)
        return 0
    _mark(database, mail.id, owner, state=MailState.SENT, sent_at=now, last_error=None)
    return 1


def _hand_over(server: smtplib.SMTP, mail: Mail, settings: Settings, *, now: datetime) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.mail_from, mail.recipient, mail.subject
    message["Message-ID"], message["Date"] = f"<{mail.message_id}>", format_datetime(now)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{mail.text}\n\n{settings.base_url}\n")
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=550)
        raise NotSent(f"smtp {code}", final=code >= 500) from None
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"smtp {error.smtp_code}", final=error.smtp_code >= 500) from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(type(error).__name__) from None


def _try_later(database: Database, mail: Mail, error: NotSent, *, owner: str, now: datetime) -> None:
    if error.final or mail.attempts > len(BACK_OFF):
        _mark(database, mail.id, owner, state=MailState.FAILED, last_error=str(error))
        log.warning("mail %s of kind %s failed: %s", mail.id, mail.kind, error)
    else:
        later = now + BACK_OFF[mail.attempts - 1]
        _mark(database, mail.id, owner, state=MailState.WAITING, due_at=later, last_error=str(error))


def _give_back(database: Database, ids: Iterable[UUID], why: str, *, owner: str, now: datetime) -> None:
    """The server could not be reached at all: that is no fault of the mails, so it costs them no try."""
    with database.transaction() as session:
        session.execute(
            update(Mail)
            .where(Mail.id.in_(list(ids)), Mail.lease_owner == owner, Mail.state == MailState.SENDING)
            .values(
                state=MailState.WAITING,
                due_at=now + BACK_OFF[0],
                attempts=Mail.attempts - 1,
                lease_owner=None,
                lease_until=None,
                last_error=why,
            )
        )


def _mark(database: Database, mail_id: UUID, owner: str, **values: object) -> None:
    """Write the outcome, unless the lease ran out and the mail is another worker's by now."""
    with database.transaction() as session:
        session.execute(
            update(Mail)
            .where(Mail.id == mail_id, Mail.lease_owner == owner, Mail.state == MailState.SENDING)
            .values(lease_owner=None, lease_until=None, **values)
        )


@contextmanager
def _server(url: str) -> Iterator[smtplib.SMTP]:
    """A connection to ``smtp://user:password@host:port`` (STARTTLS where offered) or ``smtps://…``."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    context = ssl.create_default_context()
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, parts.port or 465, local_hostname=NAME, timeout=TIMEOUT, context=context
            )
        else:
            server = smtplib.SMTP(host, parts.port or 25, local_hostname=NAME, timeout=TIMEOUT)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(type(error).__name__) from None
    try:
        _prepare(server, parts.scheme, unquote(parts.username or ""), unquote(parts.password or ""), context)
        yield server
    finally:
        _close(server)


def _prepare(server: smtplib.SMTP, scheme: str, user: str, password: str, context: ssl.SSLContext) -> None:
    try:
        server.ehlo()
        if scheme != "smtps" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        if user:
            server.login(user, password)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(type(error).__name__) from None


def _close(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()
