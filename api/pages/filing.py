"""Filing a complaint, step by step: the steps are the top groups of the form ``file-complaint``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask import Response as FlaskResponse
from flask import flash, g, jsonify, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from api.edge import caller, clock, needs, read_session, runtime, settings, write_session
from api.languages import language
from api.limits import PUBLIC_LOOK_UP, limiter
from api.pages.blueprint import pages
from api.pages.shell import Link
from api.pages.words import _
from api.signin import begin_guest
from core.now import CHINA
from core.refusals import Invalid, Refusal
from disputes.cases import drafts
from disputes.cases.drafts import FilingDraft
from disputes.cases.evidence import LARGEST_FILE
from disputes.cases.operations import FORM
from disputes.cases.operations import file as file_case
from disputes.identity.actor import Actor
from disputes.identity.permissions import allows
from disputes.inbox.forms import form_in
from engine import bundles
from forms import Form
from forms.words import Language

#: The cookie in which a browser holds the id of its draft.
COOKIE = "hejie_filing"
COOKIE_SECONDS = int(drafts.KEPT.total_seconds())


@dataclass(frozen=True)
class Step:
    """One question of the guided filing."""

    number: int
    title: str
    hint: str
    #: Ids of the form's components on this step.
    parts: frozenset[str]
    #: Keys of the fields on this step.
    keys: frozenset[str]


@pages.get("/file")
@needs("case.file")
def file() -> str:
    """The step where the writer stands, or an earlier one."""
    form = _form()
    draft = _draft()
    if draft is None:
        g.filing_cookie = str(uuid4())  # before anything is typed: all that is sent names the same draft
    else:
        _remember(draft)
    steps = _steps(form)
    reached = min(draft.step, len(steps)) if draft else 1
    number = min(request.args.get("step", reached, type=int) or 1, reached)
    return _page(form, steps[max(number, 1) - 1], steps, _values(draft), draft)


@pages.post("/file")
@needs("case.file")
@limiter.limit(PUBLIC_LOOK_UP)
def file_step() -> str | Response | tuple[str, int]:
    """Keep this step; go on, or file when it was the last."""
    form, session = _form(), write_session()
    steps = _steps(form)
    step = steps[_number(len(steps)) - 1]
    draft = _begun(session)
    reading = form.read(_pairs())
    values = {**_of_other_steps(_values(draft), step), **reading.values}
    drafts.save(
        session,
        draft,
        values,
        step=max(step.number, draft.step),
        form_digest=form.digest,
        by=caller(),
        now=clock(),
    )
    _attach_sent(draft, values, step)
    _remember(draft)
    if reading.rearranged:
        return _page(form, step, steps, values, draft)
    errors = _errors(form, values)
    here = {path: said for path, said in errors.items() if path.split(".")[0] in step.keys}
    if here:
        return _keep(_page(form, step, steps, values, draft, errors=here))
    if step.number < len(steps):
        draft.step = max(draft.step, step.number + 1)
        session.flush()
        return redirect(url_for("pages.file", step=step.number + 1), 303)
    if errors:
        return _back_to_first(steps, errors)
    return _file(draft, values)


@pages.post("/file/again")
@needs("case.file")
def file_again() -> str:
    """The fields as they stand with what is typed now; nothing is kept."""
    form = _form()
    steps = _steps(form)
    step = steps[_number(len(steps)) - 1]
    draft = _draft()
    values = {**_of_other_steps(_values(draft), step), **form.read(_pairs()).values}
    return str(_fields(form, step, values, draft, {}))


@pages.post("/file/draft")
@needs("case.file")
def file_draft() -> FlaskResponse:
    """Keep what is typed now. Without the cookie of a draft the filing was sent already, and nothing is begun."""
    if _cookie() is None:
        return jsonify(saved_at=clock().astimezone(CHINA).strftime("%H:%M"))
    form, session = _form(), write_session()
    steps = _steps(form)
    step = steps[_number(len(steps)) - 1]
    draft = _begun(session)
    values = {**_of_other_steps(_values(draft), step), **form.read(_pairs()).values}
    drafts.save(session, draft, values, step=draft.step, form_digest=form.digest, by=caller(), now=clock())
    _remember(draft)
    return jsonify(saved_at=_clock_words(draft))


@pages.post("/file/upload")
@needs("case.file")
@limiter.limit(PUBLIC_LOOK_UP)
def file_upload() -> tuple[FlaskResponse, int]:
    """Keep one file with the draft."""
    session = write_session()
    draft = _begun(session)
    sent = request.files.get("file")
    if sent is None:
        raise BadRequest("没有收到文件。 No file was sent.")
    kept = drafts.attach(
        session,
        draft,
        name=sent.filename or "",
        content=sent.read(LARGEST_FILE + 1),
        files=settings().files,
        now=clock(),
    )
    _remember(draft)
    return jsonify(id=kept.id, note=_size(kept.size)), 201


def _file(draft: FilingDraft, values: Mapping[str, Any]) -> Response:
    """File, lay the files before the case, and show the case."""
    session, who = write_session(), caller()
    case = file_case(session, runtime(), values, by=who, now=clock())
    owner = who if who.signed_in else Actor.guest(str(case.id), "complainant", language())
    drafts.lay_before(session, draft, case, values, files=settings().files, by=owner, now=clock())
    g.filing_cookie = ""
    flash(_("已经登记，案号%(no)s。下面写着轮到谁、到哪天。", no=case.case_no), "ok")
    if not who.signed_in:
        begin_guest(str(case.id), "complainant", now=clock())
    return redirect(url_for("pages.case", case_id=case.id), 303)


def _page(
    form: Form,
    step: Step,
    steps: list[Step],
    values: Mapping[str, Any],
    draft: FilingDraft | None,
    *,
    errors: Mapping[str, list[str]] | None = None,
) -> str:
    last = step.number == len(steps)
    before = steps[step.number - 2] if step.number > 1 else None
    return render_template(
        "file.html",
        step=step,
        steps=len(steps),
        url=url_for("pages.file_step"),
        draft_url=url_for("pages.file_draft"),
        back=Link(before.title, url_for("pages.file", step=before.number)) if before else None,
        saved_at=_clock_words(draft) if draft else "",
        key=uuid4().hex if last else "",
        summary=form.summary(errors or {}, language=_language()),
        fields=_fields(form, step, values, draft, errors or {}),
        review=_review(form, step, values) if last and len(steps) > 1 else [],
        submit=_("提交投诉") if last else _("下一步：%(name)s", name=steps[step.number].title),
    )


def _fields(
    form: Form, step: Step, values: Mapping[str, Any], draft: FilingDraft | None, errors: Mapping[str, list[str]]
) -> Markup:
    known = drafts.files_of(draft) if draft else {}
    return form.render(
        values,
        _context(),
        errors=errors,
        language=_language(),
        recheck_url=url_for("pages.file_again"),
        upload_url=url_for("pages.file_upload"),
        files={i: {"name": f.name, "note": _size(f.size), "url": ""} for i, f in known.items()},
        only=step.parts,
    )


def _review(form: Form, step: Step, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was typed on the steps before, once more in words."""
    typed = form.typed(values, _context())
    return form.describe(_of_other_steps(typed, step), _context(), language=_language())


def _steps(form: Form) -> list[Step]:
    """The top groups, each a step; what stands between them belongs to the group before it."""
    steps: list[Step] = []
    for component in form.components:
        words = component.words("label", _language()), component.words("description", _language())
        inside = {c.key for c in component.walk() if c.asks or c.opens_scope}
        if component.type == "group" and not component.key:
            parts = frozenset(c.id for c in component.children)
            steps.append(Step(len(steps) + 1, words[0], words[1], parts, frozenset(inside)))
        elif steps:
            last = steps[-1]
            parts, keys = last.parts | {component.id}, last.keys | inside
            steps[-1] = Step(last.number, last.title, last.hint, parts, frozenset(keys))
        else:
            steps.append(Step(1, _("发生了什么？"), "", frozenset({component.id}), frozenset(inside)))
    return steps


def _form() -> Form:
    session = read_session()
    return form_in(session, bundles.current(session), FORM)


def _context() -> dict[str, Any]:
    """What the form may read; the same as when it is filed."""
    who = caller()
    return {
        "today": clock().astimezone(CHINA).date().isoformat(),
        "signed_in": who.signed_in,
        "for_another": allows(who, "case.file_for_another"),
    }


def _errors(form: Form, values: Mapping[str, Any]) -> Mapping[str, list[str]]:
    try:
        form.load(values, _context(), language=_language())
    except Invalid as refusal:
        return refusal.fields
    return {}


def _back_to_first(steps: list[Step], errors: Mapping[str, list[str]]) -> Response:
    """To the first step that something is missing on."""
    wrong = {path.split(".")[0] for path in errors}
    for step in steps:
        if step.keys & wrong:
            flash(_("“%(name)s”还有没填好的，补上就可以提交。", name=step.title), "warn")
            return redirect(url_for("pages.file", step=step.number), 303)
    raise BadRequest("; ".join(f"{path}: {said[0]}" for path, said in errors.items()))


def _attach_sent(draft: FilingDraft, values: dict[str, Any], step: Step) -> None:
    """Files that came with the form itself, from browsers that run no scripts."""
    for key, sent in request.files.items(multi=True):
        if key in step.keys and sent.filename:
            try:
                kept = drafts.attach(
                    write_session(),
                    draft,
                    name=sent.filename,
                    content=sent.read(LARGEST_FILE + 1),
                    files=settings().files,
                    now=clock(),
                )
            except Refusal as refusal:
                flash(refusal.message, "warn")
                continue
            values[key] = [*(values.get(key) or []), kept.id]
            drafts.save(
                write_session(),
                draft,
                values,
                step=draft.step,
                form_digest=draft.form_digest,
                by=caller(),
                now=clock(),
            )


def _of_other_steps(values: Mapping[str, Any], step: Step) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in step.keys}


def _values(draft: FilingDraft | None) -> dict[str, Any]:
    return draft.values if draft else {}


def _draft() -> FilingDraft | None:
    return drafts.find(read_session(), _cookie(), by=caller())


def _begun(session: Session) -> FilingDraft:
    """The draft that this browser or this person writes; begun when there is none."""
    found = drafts.find(session, _cookie(), by=caller())
    return found or drafts.begin(session, _cookie() or uuid4(), by=caller(), now=clock())


def _pairs() -> list[tuple[str, str]]:
    names = ("idempotency_key",)
    return [(name, value) for name, value in request.form.items(multi=True) if name not in names]


def _number(most: int) -> int:
    return max(1, min(request.form.get("_step", 1, type=int) or 1, most))


def _cookie() -> UUID | None:
    try:
        return UUID(request.cookies.get(COOKIE, ""))
    except ValueError:
        return None


def _remember(draft: FilingDraft) -> None:
    g.filing_cookie = str(draft.id)


def _keep(page: str) -> tuple[str, int]:
    """An answer that keeps the draft although something must be corrected (below 400, so that it is committed)."""
    return page, 200


@pages.after_app_request
def _set_cookie(response: FlaskResponse) -> FlaskResponse:
    kept: str | None = g.get("filing_cookie")
    if kept:
        response.set_cookie(
            COOKIE, kept, max_age=COOKIE_SECONDS, secure=request.is_secure, httponly=True, samesite="Lax"
        )
    elif kept == "":
        response.delete_cookie(COOKIE)
    return response


def _language() -> Language:
    return "en" if language() == "en" else "zh"


def _clock_words(draft: FilingDraft) -> str:
    return draft.saved_at.astimezone(CHINA).strftime("%H:%M")


def _size(size: int) -> str:
    kilobytes = size / 1024
    words = f"{kilobytes / 1024:.1f} MB" if kilobytes >= 1024 else f"{max(round(kilobytes), 1)} kB"
    return _("%(size)s，已传好", size=words)
