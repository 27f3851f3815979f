"""Pages for operators: what has stopped, why, and mending it, with a look beforehand at what would follow."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from api.edge import clock, current_actor, needs, read_session, runtime, write_session
from api.languages import language
from api.pages import dates
from api.pages.blueprint import pages
from api.pages.shell import in_language, role_words
from api.pages.words import _
from api.resources.paging import cursor, place
from core.refusals import Invalid, Refusal, WrongState
from disputes.cases.models import Case
from disputes.cases.words import Names, names_of
from disputes.repair import operations, queries
from disputes.repair.models import Cause
from disputes.repair.operations import Outcome
from disputes.repair.queries import Standing
from engine import Incident, Instance, bundles

#: Incidents on one page.
PER_PAGE = 50
#: Names of variables and values are sent in pairs of fields.
_VARIABLE = "value:"
#: Kinds whose value stands in one line of a form.
_PLAIN = {"string", "number", "boolean", "date", "date and time"}


@pages.get("/incidents")
@needs("incident.list")
def incidents() -> str:
    """What has stopped, the oldest first, and the causes of it."""
    session, now = read_session(), clock()
    state = request.args.get("state", "open")
    filters = queries.Filters(
        state=state if state in set(Incident.State) else "open",
        process=request.args.get("process") or None,
        element=request.args.get("element") or None,
    )
    after = place(request.args.get("after"), datetime, UUID)
    found = queries.incidents(session, filters, after=(after[0], after[1]) if after else None, limit=PER_PAGE)
    shown = found[:PER_PAGE]
    last = shown[-1].incident if len(found) > PER_PAGE else None
    return render_template(
        "incidents.html",
        state=filters.state,
        states=[
            {"label": _state_words(s), "url": url_for("pages.incidents", state=s), "here": s == filters.state}
            for s in Incident.State
        ],
        causes=[_cause(session, cause) for cause in queries.causes(session)],
        lines=[_line(session, line, now) for line in shown],
        more=url_for("pages.incidents", state=filters.state, after=cursor(last.at, last.id)) if last else "",
        key=uuid4().hex,
        wide=True,
    )


@pages.post("/incidents/retry")
@needs("incident.resolve")
def retry_incidents() -> Response:
    """Retry all that has one cause."""
    given = request.form
    report = operations.retry_same(
        write_session(),
        runtime(),
        process=given.get("process", ""),
        element=given.get("element", ""),
        kind=given.get("kind", ""),
        by=current_actor(),
        now=clock(),
    )
    flash(
        _(
            "恢复%(done)s件，仍然出错%(failed)s件，不能重试%(refused)s件，没有轮到%(left)s件。",
            done=len(report.resolved),
            failed=len(report.failed),
            refused=len(report.refused),
            left=report.left,
        ),
        "ok" if not report.failed and not report.refused else "warn",
    )
    return redirect(url_for("pages.incidents"), 303)


@pages.get("/incidents/<uuid:incident_id>")
@needs("incident.read")
def incident(incident_id: UUID) -> str:
    """One incident: what failed, on which element, with which data."""
    return _incident_page(read_session(), incident_id)


@pages.post("/incidents/<uuid:incident_id>/<command>")
@needs("incident.resolve")
def settle_incident(incident_id: UUID, command: str) -> Response:
    """Retry, pass over or give up."""
    session, why = write_session(), request.form.get("reason", "")

    def act() -> Outcome:
        who, now = current_actor(), clock()
        if command == "retry":
            return operations.retry(session, runtime(), incident_id, by=who, now=now)
        if command == "void":
            return operations.void(session, runtime(), incident_id, why=why, by=who, now=now)
        if command == "skip":
            return operations.pass_over(
                session, runtime(), incident_id, variables=_variables(), why=why, by=who, now=now
            )
        raise NotFound

    try:
        if "rehearse" in request.form:
            found = operations.rehearse(session, act)
            return make_response(_incident_page(session, incident_id, preview=found))
        done = act()
    except (Invalid, WrongState) as refused:
        session.rollback()
        return make_response(_incident_page(read_session(), incident_id, refused=refused), _status(refused))
    flash(
        _("仍然出错：%(why)s", why=done.failed) if done.failed else _said(command), "warn" if done.failed else "ok"
    )
    return redirect(url_for("pages.incident", incident_id=incident_id), 303)


@pages.get("/cases/<uuid:case_id>/repair")
@needs("case.repair")
def repair(case_id: UUID) -> str:
    """Where a case stands and what may be done to it."""
    session = read_session()
    return _repair_page(session, queries.find(session, case_id, current_actor(), "case.repair"))


@pages.post("/cases/<uuid:case_id>/repair/<command>")
@needs("case.repair")
def mend(case_id: UUID, command: str) -> Response:
    """Suspend, resume, move, skip, correct or end, or say what would follow."""
    session = write_session()
    case = queries.find(session, case_id, current_actor(), "case.repair")

    def act() -> Outcome:
        return _commands(session, case).get(command, _no_such)()

    try:
        if "rehearse" in request.form:
            return make_response(
                _repair_page(session, case, command=command, preview=operations.rehearse(session, act))
            )
        act()
    except (Invalid, WrongState) as refused:
        session.rollback()
        reader = read_session()
        again = queries.find(reader, case_id, current_actor(), "case.repair")
        return make_response(_repair_page(reader, again, command=command, refused=refused), _status(refused))
    flash(_said(command), "ok")
    return redirect(url_for("pages.repair", case_id=case_id), 303)


@pages.get("/cases/<uuid:case_id>/repair/<process>.bpmn")
@needs("case.repair")
def repair_diagram(case_id: UUID, process: str) -> Response:
    """One diagram of the release on which the case runs."""
    session = read_session()
    case = queries.find(session, case_id, current_actor(), "case.repair")
    instance = session.get(Instance, case.instance_id) if case.instance_id else None
    content = bundles.load(session, instance.bundle).files.get(f"bpmn/{process}.bpmn") if instance else None
    if content is None:
        raise NotFound
    answer = make_response(content)
    answer.mimetype = "application/xml"
    return answer


def _no_such() -> Outcome:
    raise NotFound


def _commands(session: Session, case: Case) -> Mapping[str, Callable[[], Outcome]]:
    given, who, now, engine = request.form, current_actor(), clock(), runtime()
    why = given.get("reason", "")
    return {
        "suspend": lambda: operations.suspend(
            session,
            engine,
            case,
            why=why,
            cause=Cause(given["cause"]) if given.get("cause") in set(Cause) else Cause.SYSTEM,
            told=given.get("told", ""),
            keep_remaining=given.get("keep_remaining", "yes") == "yes",
            by=who,
            now=now,
        ),
        "resume": lambda: operations.resume(session, engine, case, why=why, by=who, now=now),
        "cancel": lambda: operations.cancel(session, engine, case, why=why, by=who, now=now),
        "move": lambda: operations.move(
            session,
            engine,
            case,
            tokens=_tokens(),
            process=given.get("to", "").partition("/")[0],
            element=given.get("to", "").partition("/")[2],
            why=why,
            by=who,
            now=now,
        ),
        "skip": lambda: operations.skip(
            session, engine, case, token=_token(), variables=_variables(), why=why, by=who, now=now
        ),
        "data": lambda: operations.edit_data(
            session, engine, case, changes=_changes(session, case), token=_token(), why=why, by=who, now=now
        ),
    }


def _tokens() -> list[int]:
    return [int(text) for text in request.form.getlist("token") if text.isdecimal()]


def _token() -> int:
    return next(iter(_tokens()), 0)


def _variables() -> list[dict[str, Any]]:
    """A name and a value, where both were written."""
    name = request.form.get("name", "").strip()
    return [{"name": name, "value": _json(request.form.get("value", ""))}] if name else []


def _changes(session: Session, case: Case) -> list[dict[str, Any]]:
    """The values that were changed in the form, and a new one."""
    standing = queries.standing(session, runtime(), case, current_actor(), seen_from=_token())
    before = standing.data if standing else {}
    changed = []
    for field_name, text in request.form.items():
        name = field_name.removeprefix(_VARIABLE)
        if field_name.startswith(_VARIABLE) and name in before and text.strip() != _text(before[name]):
            kind = "null" if not text.strip() else None
            given = text if before[name] is None or isinstance(before[name], str) else _json(text)
            changed.append({"name": name, "value": given, "kind": kind})
    return [*changed, *_variables()]


def _json(text: str) -> Any:
    """What somebody wrote as a value: JSON where it is JSON, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


# What the pages show.


@dataclass(frozen=True)
class PreviewShown:
    """What would follow, in sentences."""

    lines: list[str]
    failed: str = ""


@dataclass(frozen=True)
class RepairPage:
    """A case as an operator mends it."""

    title: str
    case_no: str
    case_url: str
    headline: str
    suspended: str
    incidents: list[dict[str, Any]]
    places: list[dict[str, Any]]
    chosen: list[int]
    targets: list[dict[str, Any]]
    data: list[dict[str, str]]
    actions: frozenset[str]
    command: str
    given: Mapping[str, str]
    key: str
    error: str = ""
    errors: Mapping[str, list[str]] = field(default_factory=dict)
    preview: PreviewShown | None = None
    diagrams: list[dict[str, Any]] = field(default_factory=list)
    diagrams_json: str = "[]"
    first: str = ""


def _repair_page(
    session: Session,
    case: Case,
    *,
    command: str = "",
    preview: Outcome | None = None,
    refused: Refusal | None = None,
) -> str:
    who, names = current_actor(), names_of(session, case.instance_id)
    wanted = [int(t) for t in request.values.getlist("token") if t.isdecimal()]
    standing = queries.standing(session, runtime(), case, who, seen_from=next(iter(wanted), None))
    if standing is None:
        raise NotFound
    known = {p.number for p in standing.places}
    chosen = [t for t in wanted if t in known] or ([standing.seen_from] if standing.seen_from else [])
    diagrams = _diagrams(standing, names)
    page = RepairPage(
        title=case.title,
        case_no=case.case_no,
        case_url=url_for("pages.case", case_id=case.id) if "cancel" in standing.actions else "",
        headline=_headline(standing),
        suspended=standing.suspension.why if standing.suspension else "",
        incidents=[
            {
                "url": url_for("pages.incident", incident_id=one.id),
                "what": _name(names, one.process, one.element),
                "why": one.message,
            }
            for one in standing.incidents
        ],
        places=[
            {
                "number": p.number,
                "name": _name(names, p.process, p.element),
                "inside": _(" › ").join(_name(names, *around) for around in p.inside),
                "fixed": in_language(p.fixed),
                "waits": p.waits,
                "may_skip": p.may_skip,
                "chosen": p.number in chosen,
            }
            for p in standing.places
        ],
        chosen=chosen,
        targets=_targets(session, case, chosen, names),
        data=[
            {"name": name, "value": _text(value), "fixed": "fixed" if name == "case_id" else ""}
            for name, value in standing.data.items()
        ],
        actions=standing.actions,
        command=command,
        given={name: text for name, text in request.form.items() if name != "csrf_token"},
        key=uuid4().hex,
        error=in_language(refused.message) if refused else "",
        errors={
            name: [in_language(fault) for fault in faults]
            for name, faults in getattr(refused, "fields", {}).items()
        },
        preview=_preview(preview, names) if preview else None,
        diagrams=diagrams,
        diagrams_json=orjson.dumps(diagrams).decode(),
        first=next((d["process"] for d in diagrams if d["tokens"]), ""),
    )
    return render_template("repair.html", page=page, causes=_causes(), wide=True)


def _targets(session: Session, case: Case, chosen: list[int], names: Names) -> list[dict[str, Any]]:
    if not chosen:
        return []
    try:
        found = queries.targets(session, runtime(), case, chosen)
    except Refusal:
        return []
    return [
        {
            "value": f"{target.process}/{target.element}",
            "name": _name(names, target.process, target.element),
            "why_not": "" if target.finding is None else getattr(target.finding, language(), target.finding.zh),
        }
        for target in found
    ]


def _diagrams(standing: Standing, names: Names) -> list[dict[str, Any]]:
    failed = {(one.process, one.element) for one in standing.incidents}
    processes = dict.fromkeys([*(p.process for p in standing.places), *(process for process, _e in failed)])
    return [
        {
            "process": process,
            "name": _name(names, process),
            "url": url_for("pages.repair_diagram", case_id=standing.case.id, process=process),
            "tokens": [
                {
                    "element": p.element,
                    "note": _("暂停") if standing.suspension else _("停在这里"),
                    "state": "paused" if standing.suspension else "none",
                }
                for p in standing.places
                if p.process == process and p.waits
            ]
            + [
                {"element": element, "note": _("出错"), "state": "overdue"}
                for where, element in sorted(failed)
                if where == process
            ],
            "done": [],
        }
        for process in processes
    ]


def _incident_page(
    session: Session, incident_id: UUID, *, preview: Outcome | None = None, refused: Refusal | None = None
) -> str:
    view = queries.incident(session, incident_id, current_actor())
    found, now = view.incident, clock()
    names = names_of(session, found.instance_id)
    case = view.case
    return render_template(
        "incident.html",
        found=found,
        what=_name(names, found.process, found.element),
        process=_name(names, found.process),
        state=_state_words(found.state),
        title=case.title if case else found.key,
        case_no=case.case_no if case else "",
        kind=_kind_words(found.kind),
        command=_command_words(view.command),
        since=dates.moment(found.at, now),
        last=dates.moment(found.last_at, now),
        seen=None if view.seen is None else [(name, _text(value)) for name, value in sorted(view.seen.items())],
        history=[(dates.moment(event.at, now), _happened(event.kind)) for event in view.history],
        same=view.same,
        same_url=url_for("pages.incidents", process=found.process, element=found.element),
        actions=view.actions,
        repair_url=url_for("pages.repair", case_id=case.id) if case and view.actions & {"move", "resume"} else "",
        given=request.form,
        error=in_language(refused.message) if refused else "",
        errors={
            name: [in_language(fault) for fault in faults]
            for name, faults in getattr(refused, "fields", {}).items()
        },
        preview=_preview(preview, names) if preview else None,
        key=uuid4().hex,
        wide=True,
    )


def _preview(outcome: Outcome, names: Names) -> PreviewShown:
    """What would follow, the most important first."""
    lines = []
    if outcome.ended:
        lines.append(_("案件到此结束：%(end)s。", end=outcome.ended))
    for process, element in outcome.waits:
        lines.append(_("停在“%(what)s”等。", what=_name(names, process, element)))
    for task in outcome.opened:
        who = "、".join(role_words(r) for r in task.role.split(",") if r) if task.role else ""
        lines.append(_("新任务“%(what)s”交给%(who)s。", what=_name(names, task.process, task.element), who=who))
    for task in outcome.cancelled:
        lines.append(_("任务“%(what)s”不再需要。", what=_name(names, task.process, task.element)))
    for service in outcome.services:
        lines.append(_("系统办理“%(what)s”。", what=service))
    if outcome.armed or outcome.dropped:
        lines.append(_("新起%(n)s个时限，去掉%(m)s个。", n=len(outcome.armed), m=len(outcome.dropped)))
    if not lines:
        lines.append(_("案件结束，没有留下要办的事。"))
    return PreviewShown(lines, outcome.failed)


def _headline(standing: Standing) -> str:
    if standing.suspension is not None:
        return _("案件处理暂停")
    if not standing.instance.is_open:
        return _("这件已经办完")
    return _("有一步出错，停住了") if standing.incidents else _("正在办理")


def _cause(session: Session, cause: tuple[str, str, str, int]) -> dict[str, Any]:
    process, element, kind, count = cause
    names = _current_names(session)
    return {
        "process": process,
        "element": element,
        "kind": kind,
        "what": _name(names, process, element),
        "kind_words": _kind_words(kind),
        "count": count,
        "url": url_for("pages.incidents", process=process, element=element),
    }


def _current_names(session: Session) -> Names:
    from disputes.cases.words import names_in

    digest = bundles.current(session)
    return names_in(session, digest)


def _line(session: Session, line: queries.Line, now: datetime) -> dict[str, Any]:
    found = line.incident
    names = names_of(session, found.instance_id)
    return {
        "url": url_for("pages.incident", incident_id=found.id),
        "what": _name(names, found.process, found.element),
        "title": line.title or line.case_no,
        "case_no": line.case_no,
        "why": found.message,
        "kind": _kind_words(found.kind),
        "since": dates.moment(found.at, now),
        "attempts": found.attempts,
        "suspended": line.suspended,
    }


def _name(names: Names, process: str, element: str = "") -> str:
    zh, en = names.of(process, element or process)
    return en if language() == "en" else zh


def _status(refused: Refusal) -> int:
    return 422 if isinstance(refused, Invalid) else 409


def _faults(refused: Refusal | None) -> dict[str, list[str]]:
    """What was wrong, field by field, in the reader's language."""
    fields = refused.fields if isinstance(refused, Invalid) else {}
    return {name: [in_language(fault) for fault in faults] for name, faults in fields.items()}


def _state_words(state: str) -> str:
    return {"open": _("停住的"), "resolved": _("已经恢复的"), "void": _("不再重试的")}[state]


def _kind_words(kind: str) -> str:
    return {
        "service": _("系统服务出错"),
        "expression": _("表达式算不出来"),
        "data": _("数据太多"),
        "decision": _("决策表出错"),
        "gateway": _("没有一条路可走"),
        "error_event": _("错误没有人接"),
        "loop": _("原地打转"),
        "job": _("外部作业失败"),
    }.get(kind, _("引擎出错"))


def _command_words(command: str) -> str:
    return {
        "start": _("开始办理"),
        "complete": _("提交任务"),
        "fire": _("期限到了"),
        "deliver": _("收到消息"),
        "rearm": _("重算期限"),
        "cancel": _("取消案件"),
    }.get(command, _("外部作业"))


def _happened(kind: str) -> str:
    return {
        "incident.opened": _("出错，停住"),
        "incident.repeated": _("重试，仍然出错"),
        "incident.resolved": _("恢复"),
        "incident.voided": _("不再重试"),
    }.get(kind, kind)


def _said(command: str) -> str:
    return {
        "retry": _("已经恢复。"),
        "skip": _("已经跳过，案件继续。"),
        "void": _("已经记下，不再重试。"),
        "suspend": _("案件处理已暂停，当事人已收到通知。"),
        "resume": _("案件已恢复办理。"),
        "cancel": _("案件已终止办理。"),
        "move": _("已经移动，案件继续。"),
        "data": _("数据已经更正。"),
    }[command]


def _causes() -> list[tuple[str, str]]:
    return [
        ("system", _("系统故障，正在修复")),
        ("data", _("登记的信息需要核对")),
        ("procedure", _("办理程序需要调整")),
        ("other", _("其他，写在下面")),
    ]
