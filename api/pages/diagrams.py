"""The diagrams of a case with its tokens: a picture, and the same in words beside it."""

from dataclasses import asdict, replace
from uuid import UUID

import orjson
from flask import Response as FlaskResponse
from flask import make_response, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from api.edge import caller, clock, needs, read_session
from api.languages import language
from api.pages.blueprint import pages
from api.pages.casefile import waiting
from api.pages.shown import DiagramPage, DiagramShown, Waiting
from api.pages.words import _
from disputes.cases import queries
from disputes.cases.models import Case
from disputes.cases.timeline import Entry
from disputes.cases.words import Names, names_of
from disputes.timelimits import queries as limits
from engine import Instance, bundles

#: Events after which an element has been passed.
_PASSED = frozenset({"task.completed", "task.cancelled", "service.called", "timer.fired", "message.received"})
#: The procedure that every case starts with.
_FIRST = "complaint"


@pages.get("/cases/<uuid:case_id>/diagram")
@needs("case.diagram")
def diagram(case_id: UUID) -> str:
    """Where the case stands, drawn."""
    session, who, now = read_session(), caller(), clock()
    case = queries.find(session, case_id, who)
    view = queries.view(session, case, who, now=now)
    names = names_of(session, case.instance_id)
    waits = [
        replace(wait, process_name=_name(names, wait.process), what=_name(names, wait.process, wait.element))
        for wait in waiting(session, view, who, now=now, calendar=limits.calendar(session))
    ]
    shown = _diagrams(session, case, waits, names, queries.timeline(session, case, who))
    chosen = request.args.get("process", "")
    here = waits[0].process if waits else _FIRST
    first = next((d.process for d in shown if d.process == (chosen or here)), shown[0].process if shown else "")
    page = DiagramPage(
        title=case.title,
        headline=_headline(waits),
        case_no=case.case_no,
        case_url=url_for("pages.case", case_id=case.id),
        says=_("流程图。%(waits)s", waits=_headline(waits)),
        first=first,
        diagrams=shown,
        waiting=waits,
        diagrams_json=orjson.dumps([asdict(one) for one in shown]).decode(),
    )
    return render_template("diagram.html", page=page, wide=True)


@pages.get("/cases/<uuid:case_id>/diagrams/<process>.bpmn")
@needs("case.diagram")
def diagram_file(case_id: UUID, process: str) -> FlaskResponse:
    """One diagram of the release on which the case runs."""
    session = read_session()
    case = queries.find(session, case_id, caller())
    content = _files(session, case).get(f"bpmn/{process}.bpmn")
    if content is None:
        raise NotFound
    answer = make_response(content)
    answer.mimetype = "application/xml"
    return answer


def _diagrams(
    session: Session, case: Case, waits: list[Waiting], names: Names, entries: list[Entry]
) -> list[DiagramShown]:
    """The diagrams that the case went through, in the order of its first step in each."""
    known = _files(session, case)
    order = [_FIRST, *(entry.process for entry in entries), *(wait.process for wait in waits)]
    processes = [p for p in dict.fromkeys(order) if f"bpmn/{p}.bpmn" in known]
    return [
        DiagramShown(
            process=process,
            name=_name(names, process),
            url=url_for("pages.diagram_file", case_id=case.id, process=process),
            tokens=[
                {"element": wait.element, "note": wait.word, "state": wait.state}
                for wait in waits
                if wait.process == process
            ],
            done=sorted({e.element for e in entries if e.process == process and e.kind in _PASSED and e.element}),
        )
        for process in processes
    ]


def _files(session: Session, case: Case) -> dict[str, bytes]:
    instance = session.get(Instance, case.instance_id) if case.instance_id else None
    return dict(bundles.load(session, instance.bundle).files) if instance else {}


def _headline(waits: list[Waiting]) -> str:
    if not waits:
        return _("这件已经办完")
    if len(waits) == 1:
        return _("现在停在：%(what)s", what=waits[0].what)
    return _("现在有%(n)s处在等", n=len(waits))


def _name(names: Names, process: str, element: str = "") -> str:
    zh, en = names.of(process, element or process)
    return en if language() == "en" else zh
