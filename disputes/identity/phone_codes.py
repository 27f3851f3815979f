"""One-time codes on a phone: how somebody without an account sees the own case."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from core import sealing
from core.db import Database
from core.refusals import Forbidden, Invalid
from disputes.identity.models import PhoneCode
from disputes.identity.rules import is_mobile, normal_phone
from disputes.identity.throttles import Locked, count_attempt, forgive, lock, subject_of

DIGITS = 6
LIFE = timedelta(minutes=5)
#: Wrong entries after which a code is dead; a million codes, five tries.
TRIES = 5
#: Between two codes to one phone.
PAUSE = timedelta(seconds=60)
#: Codes to one phone in a day: a text message costs money and wakes people.
PER_DAY = 10
#: Codes are kept so long for the count of the day, then dropped.
KEPT = timedelta(days=1)


class CodeSender(Protocol):
    """Sends the code out; writes to an outbox in the same session, never to the network."""

    def __call__(self, session: Session, *, phone: str, code: str, language: str, now: datetime) -> None: ...


def send_code(
    session: Session,
    sender: CodeSender,
    *,
    phone: str,
    purpose: str,
    known: bool,
    language: str = "zh",
    now: datetime,
) -> None:
    """Send a code that opens ``purpose`` (``track:<case number>``) to a mobile phone.

    ``known`` says whether the phone is on record for that purpose; if it is not, everything happens but the
    sending, so that nobody learns from the answer who has a case. Raises Invalid (no mobile number) and Locked.
    """
    number = normal_phone(phone)
    if number is None or not is_mobile(number):
        raise Invalid(
            "请填写手机号码。 A mobile number is needed.",
            fields={"phone": ["请填写手机号码。 A mobile number is needed."]},
        )
    lock(session, subject_of("sms", number), now=now)  # of two requests at once, the second must see the first
    print_ = sealing.fingerprint(number)
    sent, last = session.execute(
        select(func.count(), func.max(PhoneCode.sent_at)).where(
            PhoneCode.phone_fingerprint == print_, PhoneCode.sent_at > now - timedelta(days=1)
        )
    ).one()
    if last is not None and now - last < PAUSE:
        raise _wait(PAUSE - (now - last))
    if sent >= PER_DAY:
        raise _wait(timedelta(hours=1))
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    salt = secrets.token_hex(16)
    session.add(
        PhoneCode(
            phone_fingerprint=print_,
            purpose=purpose,
            salt=salt,
            digest=_digest(salt, code),
            sent_at=now,
            expires_at=now + LIFE,
        )
    )
    session.flush()
    if known:
        sender(session, phone=number, code=code, language=language, now=now)


def check_code(database: Database, *, phone: str, purpose: str, code: str, now: datetime) -> None:
    """Use up the newest code of this phone and purpose. Raises Forbidden, and Locked after many failures.

    Two transactions of its own: a wrong try must be counted although the request is refused.
    """
    number = normal_phone(phone) or phone
    subject = subject_of("code", number)
    count_attempt(database, subject, now=now)
    with database.transaction() as session:
        row = session.scalars(
            select(PhoneCode)
            .where(PhoneCode.phone_fingerprint == sealing.fingerprint(number), PhoneCode.purpose == purpose)
            .order_by(PhoneCode.sent_at.desc())
            .limit(1)
            .with_for_update()
        ).one_or_none()
        good = row is not None and row.used_at is None and now < row.expires_at and row.attempts < TRIES
        if row is not None and good:
            row.attempts += 1
            good = hmac.compare_digest(row.digest, _digest(row.salt, code.strip()))
            if good:
                row.used_at = now
    if not good:
        raise Forbidden(
            "验证码不正确或者已失效，请重新获取。 The code is wrong or no longer valid; ask for a new one.",
            code="identity.code_wrong",
        )
    forgive(database, subject)


def forget_old(session: Session, *, now: datetime) -> int:
    """Drop codes that no count needs any more; answers how many."""
    result = session.execute(delete(PhoneCode).where(PhoneCode.sent_at < now - KEPT))
    assert isinstance(result, CursorResult)
    return result.rowcount


def _digest(salt: str, code: str) -> str:
    # Keyed: six digits behind a plain digest would be guessed in a second by whoever reads the table.
    return sealing.fingerprint(f"{salt}:{code}")


def _wait(left: timedelta) -> Locked:
    seconds = int(left.total_seconds()) + 1
    return Locked(
        f"请在 {seconds} 秒后再获取验证码。 Ask again in {seconds} seconds.",
        code="identity.code_wait",
        retry_after=seconds,
    )
