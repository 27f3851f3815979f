"""Papers: decisions, notices and agreements as PDF."""

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from api.edge import caller, needs, read_session
from api.limits import PUBLIC_LOOK_UP, limiter
from api.resources.blueprint import Resources
from api.schemas.papers import PaperListSchema, VerifiedSchema, VerifyQuery
from core.refusals import NotFound
from disputes.cases import queries as cases
from disputes.cases.access import require_on, roles_of
from disputes.cases.models import Case
from disputes.documents import queries
from disputes.documents.models import Paper

resources = Resources("papers", __name__, "Decisions, notices and agreements as PDF")

#: Somebody who stands in no other role than these receives only what is addressed to that side, or to both.
PARTIES = frozenset({"complainant", "respondent"})


@resources.route("/cases/<reference>/papers")
@needs("paper.list")
@resources.response(200, PaperListSchema)
def papers_of_case(reference: str) -> dict[str, Any]:
    """The papers of a case that the caller receives, the newest first."""
    session = read_session()
    case = cases.find(session, reference, caller())
    require_on(session, case, caller(), "paper.list")
    found = queries.of_case(session, str(case.id))
    return {"items": [paper for paper in found if _receives(session, case, paper)]}


@resources.route("/papers/<uuid:paper_id>")
@needs("paper.read")
@resources.response(200, content_type="application/pdf", description="The paper, as everybody received it.")
def read(paper_id: UUID) -> Response:
    """Download a paper."""
    session = read_session()
    paper = queries.find(session, paper_id)
    case = cases.find(session, paper.case_key, caller())
    require_on(session, case, caller(), "paper.read")
    if not _receives(session, case, paper):
        raise NotFound("没有这份文书，或者不是给您的。 There is no such paper for you.", code="paper.not_found")
    response = Response(paper.pdf, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"{paper.kind}-{paper.dated_on}.pdf")
    return response


@resources.route("/papers/verification")
@needs("paper.verify")
@limiter.limit(PUBLIC_LOOK_UP)
@resources.arguments(VerifyQuery, location="query")
@resources.response(200, VerifiedSchema)
def verify(query: dict[str, str]) -> dict[str, Any]:
    """Is a print genuine? What stands on the paper with this code, to compare with."""
    paper = queries.by_code(read_session(), query["code"])
    shown = {name: getattr(paper, name) for name in ("number", "kind", "dated_on", "digest")}
    return {**shown, "in_force": paper.withdrawn_at is None}


def _receives(session: Session, case: Case, paper: Paper) -> bool:
    roles = roles_of(session, case, caller())
    return paper.addressee is None or paper.addressee in roles or bool(roles - PARTIES)
