"""Seeing one's own case without an account: its number, and a code sent to the phone that stands on record."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import sealing
from core.db import Database
from disputes.cases.access import COMPLAINING
from disputes.cases.models import Case, Party
from disputes.identity import phone_codes
from disputes.identity.rules import normal_phone
from disputes.notices.models import Channel, Mail


def send_code(session: Session, case_no: str, phone: str, *, language: str, now: datetime) -> None:
    """Send a code that opens the case, if the phone stands on record for it; nobody learns from it whether it does.

    Raises Invalid when the number is no mobile phone's, and Locked when too many were sent.
    """
    phone_codes.send_code(
        session,
        _send,
        phone=phone,
        purpose=_purpose(case_no),
        known=_case_of(session, case_no, phone) is not None,
        language=language,
        now=now,
    )


def open_case(database: Database, case_no: str, phone: str, code: str, *, now: datetime) -> UUID:
    """The id of the case that the code opens. Raises Forbidden for a wrong code, Locked after many."""
    phone_codes.check_code(database, phone=phone, purpose=_purpose(case_no), code=code, now=now)
    with database.reader() as session:
        case_id = _case_of(session, case_no, phone)
    assert case_id is not None, "a code is only ever sent to a phone on record"
    return case_id


def _case_of(session: Session, case_no: str, phone: str) -> UUID | None:
    number = normal_phone(phone)
    if number is None:
        return None
    return session.scalar(
        select(Case.id)
        .join(Party, Party.case_id == Case.id)
        .where(
            Case.case_no == case_no.strip(),
            Party.phone_fingerprint == sealing.fingerprint(number),
            Party.side.in_(COMPLAINING),
        )
        .limit(1)
    )


def _purpose(case_no: str) -> str:
    return f"track:{case_no.strip()[:60]}"


def _send(session: Session, *, phone: str, code: str, language: str, now: datetime) -> None:
    zh = f"【和解】验证码{code}，5分钟内有效，用来查看您的投诉。请不要告诉别人。"
    en = f"Hejie: your code is {code}. It opens your case for five minutes; tell nobody."
    session.add(
        Mail(
            channel=Channel.SMS,
            message_id=f"code-{uuid4().hex}",
            recipient=phone,
            subject="验证码" if language != "en" else "Code",
            text=en if language == "en" else zh,
            language=language,
            kind="identity.code",
            due_at=now,
            created_at=now,
        )
    )
    session.flush()
