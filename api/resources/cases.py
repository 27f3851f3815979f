"""Cases: filing one, reading it as the caller may, and what its people may tell it at any time."""

from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from api import audited
from api.edge import caller, clock, current_actor, needs, read_session, runtime, write_session
from api.limits import PUBLIC_LOOK_UP, limiter
from api.resources.blueprint import Resources
from api.schemas.cases import (
    CasePage,
    CaseQuery,
    CaseSchema,
    CaseTasksSchema,
    DeadlineListSchema,
    FilingFormSchema,
    FilingSchema,
    IdentitySchema,
    NewNoteSchema,
    NoteSchema,
    OneCaseSchema,
    ReasonSchema,
    ReturnSchema,
    RouteListSchema,
    TimelineSchema,
    WaitListSchema,
)
from disputes.cases import operations, queries
from disputes.cases.access import require_on
from disputes.cases.models import Case, Note
from disputes.inbox import queries as inbox
from disputes.inbox.forms import form_in
from disputes.timelimits.queries import deadlines_of
from engine import bundles

resources = Resources("cases", __name__, "Filing, cases, timeline, deadlines and routes")


@resources.route("/filing/form")
@needs("case.file")
@resources.response(200, FilingFormSchema)
def filing_form() -> dict[str, Any]:
    """The questions of a filing, of the release in force."""
    session = read_session()
    form = form_in(session, bundles.current(session), operations.FORM)
    return {"id": form.id, "digest": form.digest, "fields_": form.inputs}


@resources.route("/cases", methods=("POST",))
@needs("case.file")
@limiter.limit(PUBLIC_LOOK_UP)
@resources.arguments(FilingSchema)
@resources.response(201, CaseSchema)
def file(filing: dict[str, Any]) -> Any:
    """File a matter; its procedure begins at once. A clerk files for somebody else by naming them."""
    case = operations.file(write_session(), runtime(), filing["answer"], by=caller(), now=clock())
    return case, 201, {"Location": url_for("cases.one_case", reference=case.id)}


@resources.route("/cases")
@needs("case.list")
@resources.arguments(CaseQuery, location="query")
@resources.response(200, CasePage)
def cases(query: dict[str, Any]) -> queries.Page:
    """The cases that concern the caller, the newest first."""
    after, limit = query.pop("after", None), query.pop("limit")
    return queries.page(read_session(), current_actor(), queries.Filters(**query), after=after, limit=limit)


@resources.route("/cases/<reference>")
@needs("case.read")
@resources.response(200, OneCaseSchema)
def one_case(reference: str) -> dict[str, Any]:
    """One case, by id or number, as the caller may see it."""
    session, case = _read(reference)
    view = queries.view(session, case, caller(), now=clock())
    audited.looked(view, purpose="case")
    shown = {name: getattr(view.case, name) for name in CaseSchema().fields}
    return {
        **shown,
        **{name: getattr(view, name) for name in _VIEWED},
        "roles": sorted(view.roles),
        **{name: getattr(view.case, name) for name in ("requests", "category", "occurred_on")},
    }


@resources.route("/cases/<reference>/timeline")
@needs("case.timeline")
@resources.response(200, TimelineSchema)
def timeline(reference: str) -> dict[str, Any]:
    """What happened, as far as the caller may know, oldest first."""
    session, case = _read(reference)
    return {"items": queries.timeline(session, case, caller())}


@resources.route("/cases/<reference>/deadlines")
@needs("case.deadlines")
@resources.response(200, DeadlineListSchema)
def deadlines(reference: str) -> dict[str, Any]:
    """Every deadline with its explanation: article, start, skipped days, pauses, whether provisional."""
    session, case = _read(reference)
    require_on(session, case, caller(), "case.deadlines")
    return {"items": deadlines_of(session, str(case.id), now=clock())}


@resources.route("/cases/<reference>/waits")
@needs("case.deadlines")
@resources.response(200, WaitListSchema)
def waits(reference: str) -> dict[str, Any]:
    """What the case waits for: whose turn it is, and by when."""
    session, case = _read(reference)
    return {"items": queries.waits(session, case, caller(), now=clock())}


@resources.route("/cases/<reference>/routes")
@needs("case.exits")
@resources.response(200, RouteListSchema)
def routes(reference: str) -> dict[str, Any]:
    """The five lawful routes: open, or why not, and what taking each would close."""
    session, case = _read(reference)
    return {"items": queries.exits(session, case, caller())}


@resources.route("/cases/<reference>/tasks")
@needs("case.read")
@resources.response(200, CaseTasksSchema)
def tasks_of_case(reference: str) -> dict[str, Any]:
    """The open tasks of the case that the caller may work on."""
    session, case = _read(reference)
    return {"items": inbox.of_case(session, case, caller())}


@resources.route("/cases/<reference>/withdraw", methods=("POST",))
@needs("case.withdraw")
@resources.arguments(ReasonSchema)
@resources.response(200, CaseSchema)
def withdraw(wanted: dict[str, str], reference: str) -> Case:
    """Withdraw the complaint or the settlement request."""
    session, case = _write(reference)
    return operations.withdraw(session, runtime(), case, reason=wanted["reason"], by=caller(), now=clock())


@resources.route("/cases/<reference>/file-now", methods=("POST",))
@needs("case.file_now")
@resources.response(200, CaseSchema)
def file_now(reference: str) -> Case:
    """Stop the settlement and file the complaint (我要投诉)."""
    session, case = _write(reference)
    return operations.file_now(session, runtime(), case, by=caller(), now=clock())


@resources.route("/cases/<reference>/identity", methods=("POST",))
@needs("case.supply_identity")
@resources.arguments(IdentitySchema)
@resources.response(200, CaseSchema)
def supply_identity(proof: dict[str, Any], reference: str) -> Case:
    """Supply proof of identity."""
    session, case = _write(reference)
    return operations.supply_identity(session, runtime(), case, **proof, by=caller(), now=clock())


@resources.route("/cases/<reference>/return", methods=("POST",))
@needs("case.return_to_centre")
@resources.arguments(ReturnSchema)
@resources.response(200, CaseSchema)
def return_to_centre(wanted: dict[str, str], reference: str) -> Case:
    """Give the case back to the centre: the office is not competent (办法 第四十一条)."""
    session, case = _write(reference)
    return operations.return_dispatch(
        session, runtime(), case, reason=wanted["reason"], by=current_actor(), now=clock()
    )


@resources.route("/cases/<reference>/notes", methods=("POST",))
@needs("note.write")
@resources.arguments(NewNoteSchema)
@resources.response(201, NoteSchema)
def write_note(note: dict[str, Any], reference: str) -> dict[str, Any]:
    """Write a note, for oneself or for those named in `visible_to`."""
    session, case = _write(reference)
    written: Note = operations.add_note(session, case, **note, by=current_actor(), now=clock())
    return {"text": written.text, "written_by": current_actor().name, "written_at": written.written_at}


_VIEWED = (
    "facts",
    "parties",
    "evidence",
    "notes",
    "waits",
    "office",
    "mediator",
    "mediation_body",
    "court",
    "actions",
)


def _read(reference: str) -> tuple[Session, Case]:
    session = read_session()
    return session, queries.find(session, reference, caller())


def _write(reference: str) -> tuple[Session, Case]:
    session = write_session()
    return session, queries.find(session, reference, caller())
