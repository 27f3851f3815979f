"""Finding papers: by id, by case, and by the code on a print."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import NotFound
from disputes.documents.models import Paper
from disputes.documents.operations import CODE_LENGTH

#: What a reader may type for a digit of a code that has no such letter.
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": "", "－": "", "—": "", " ": "", "　": ""})


def find(session: Session, paper_id: UUID) -> Paper:
    """A paper, in force or withdrawn. Raises NotFound."""
    paper = session.get(Paper, paper_id)
    if paper is None:
        raise _none()
    return paper


def of_case(session: Session, case_key: str, *, withdrawn: bool = False) -> Sequence[Paper]:
    """The papers of a case, the newest first; those withdrawn only where they are asked for."""
    query = select(Paper).where(Paper.case_key == case_key).order_by(Paper.issued_at.desc(), Paper.id)
    return session.scalars(query if withdrawn else query.where(Paper.withdrawn_at.is_(None))).all()


def by_code(session: Session, typed: str) -> Paper:
    """The paper with this verification code, as a reader typed it from a print. Raises NotFound."""
    digits = typed.upper().translate(_MISREAD)
    code = "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))
    paper = None
    if len(digits) == CODE_LENGTH:
        paper = session.scalars(select(Paper).where(Paper.verification_code == code)).one_or_none()
    if paper is None:
        raise _none()
    return paper


def _none() -> NotFound:
    return NotFound("没有这份文书。 There is no such paper.", code="paper.not_found")
