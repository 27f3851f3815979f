"""Issued papers of a case, as its readers may see them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import NotFound
from disputes.documents.models import Paper


def of_case(session: Session, case_key: str) -> Sequence[Paper]:
    """The papers in force, newest first."""
    query = select(Paper).where(Paper.case_key == case_key, Paper.withdrawn_at.is_(None))
    return session.scalars(query.order_by(Paper.issued_at.desc(), Paper.id)).all()


def paper(session: Session, paper_id: UUID) -> Paper:
    """One paper. Raises NotFound."""
    found = session.get(Paper, paper_id)
    if found is None:
        raise NotFound("没有这份文书。 There is no such paper.", code="paper.not_found")
    return found
