"""Deadlines in motion on pages: what may be done to one, requests for more time, re-derivations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from api.edge import caller, clock, current_actor, needs, read_session, runtime, write_session
from api.languages import language
from api.pages import dates
from api.pages.blueprint import pages
from api.pages.running import clock_of, timing_of
from api.pages.shell import in_language, role_words
from api.pages.words import _
from core.now import CHINA
from core.refusals import Invalid, Refusal
from disputes.cases import deadlines, queries
from disputes.cases.models import Case
from disputes.identity.actor import Actor
from disputes.identity.permissions import allows
from disputes.timelimits import queries as limits
from disputes.timelimits import rederivation
from disputes.timelimits.limits import Limit, Unit
from disputes.timelimits.models import Deadline, DeadlineExtension, Rederivation, RederivationItem

#: Rows on one page of the table of a re-derivation.
PER_PAGE = 100


@dataclass(frozen=True)
class RequestShown:
    """A request for more time as people read it."""

    what: str
    case: str
    case_url: str
    why: str
    by: str
    law: str
    before: str
    after: str
    word: str
    note: str
    approve: str = ""
    refuse: str = ""
    withdraw: str = ""


@dataclass(frozen=True)
class PlanShown:
    """A re-derivation in a list, or at the head of its page."""

    title: str
    url: str
    state: str
    word: str
    when: str
    why: str
    counts: Sequence[tuple[str, int]]
    days: Sequence[tuple[str, str, str]] = ()
    apply: str = ""
    abandon: str = ""


# One deadline.


@pages.get("/cases/<uuid:case_id>/deadlines/<uuid:deadline_id>")
@needs("case.deadlines")
def deadline(case_id: UUID, deadline_id: UUID) -> str:
    """One deadline, how it is reckoned, and what this reader may do to it."""
    session, who = read_session(), caller()
    case = queries.find(session, case_id, who)
    return _deadline_page(session, case, deadline_id, who)


@pages.post("/cases/<uuid:case_id>/deadlines/<uuid:deadline_id>/pause")
@needs("deadline.pause")
def pause_deadline(case_id: UUID, deadline_id: UUID) -> Response:
    """Stop the clock."""
    session, who = write_session(), current_actor()
    case = queries.find(session, case_id, who)
    evidence = request.form.get("evidence_id", "")
    try:
        deadlines.pause(
            session,
            runtime(),
            case,
            deadline_id,
            reason=request.form.get("reason", ""),
            why=request.form.get("why", ""),
            from_on=_day("from"),
            evidence_id=UUID(evidence) if evidence else None,
            by=who,
            now=clock(),
        )
        flash(_("已经暂停计时，双方会收到通知。"), "ok")
    except (Refusal, ValueError) as refusal:
        _say(session, refusal)
    return _back(case_id, deadline_id)


@pages.post("/cases/<uuid:case_id>/deadlines/<uuid:deadline_id>/resume")
@needs("deadline.resume")
def resume_deadline(case_id: UUID, deadline_id: UUID) -> Response:
    """Let the clock go on."""
    session, who = write_session(), current_actor()
    case = queries.find(session, case_id, who)
    try:
        deadlines.resume(session, runtime(), case, deadline_id, to_on=_day("to"), by=who, now=clock())
        flash(_("已经恢复计时，双方会收到通知。"), "ok")
    except (Refusal, ValueError) as refusal:
        _say(session, refusal)
    return _back(case_id, deadline_id)


@pages.post("/cases/<uuid:case_id>/deadlines/<uuid:deadline_id>/extend")
@needs("deadline.extend")
def extend_deadline(case_id: UUID, deadline_id: UUID) -> Response:
    """Ask for more time."""
    session, who = write_session(), current_actor()
    case = queries.find(session, case_id, who)
    amount = request.form.get("amount", "").strip()
    try:
        deadlines.request_extension(
            session,
            runtime(),
            case,
            deadline_id,
            amount=int(amount) if amount else None,
            why=request.form.get("why", ""),
            consents=request.form.getlist("consents"),
            by=who,
            now=clock(),
        )
        flash(_("申请已经送出，批准以前期限不变。"), "ok")
    except (Refusal, ValueError) as refusal:
        _say(session, refusal)
    return _back(case_id, deadline_id)


# Requests for more time.


@pages.get("/extensions")
@needs("deadline.decide")
def extensions() -> str:
    """Requests that wait for this reader's decision."""
    session, who, now = read_session(), current_actor(), clock()
    found = deadlines.waiting_extensions(session, who, limit=200)
    shown = [_request(session, asked, case, who, now=now, decide=True) for asked, case in found]
    return render_template("extensions.html", requests=shown, wide=True)


@pages.post("/extensions/<uuid:extension_id>/<any(approve, refuse):act>")
@needs("deadline.decide")
def decide_extension(extension_id: UUID, act: str) -> Response:
    """Grant or refuse more time."""
    session, who = write_session(), current_actor()
    try:
        deadlines.decide_extension(
            session,
            runtime(),
            extension_id,
            grant=act == "approve",
            note=request.form.get("note", ""),
            by=who,
            now=clock(),
        )
        flash(_("已经批准，期限改好了。") if act == "approve" else _("没有批准，期限不变。"), "ok")
    except Refusal as refusal:
        _say(session, refusal)
    return redirect(url_for("pages.extensions"), 303)


@pages.post("/extensions/<uuid:extension_id>/withdraw")
@needs("deadline.extend")
def withdraw_extension(extension_id: UUID) -> Response:
    """Take one's own request back."""
    session, who = write_session(), current_actor()
    asked = deadlines.withdraw_extension(session, runtime(), extension_id, by=who, now=clock())
    flash(_("申请已经撤回。"), "ok")
    return _back(UUID(asked.key), asked.deadline_id)


# Re-derivations.


@pages.get("/rederivations")
@needs("rederivation.read")
def rederivations() -> str:
    """What was rehearsed and applied, and a form for a change of single days."""
    session, who, now = read_session(), current_actor(), clock()
    plans = rederivation.plans(session, limit=50)
    return render_template(
        "rederivations.html",
        plans=[_plan(plan, who, now=now) for plan in plans],
        may_rehearse=allows(who, "rederivation.rehearse"),
        wide=True,
    )


@pages.post("/rederivations")
@needs("rederivation.rehearse")
def rehearse() -> Response:
    """Rehearse a change of days, or a check."""
    session = write_session()
    try:
        plan = rederivation.rehearse_wanted(session, _wanted(), now=clock(), by=str(current_actor()))
        session.flush()
    except Refusal as refusal:
        _say(session, refusal)
        return redirect(url_for("pages.rederivations"), 303)
    return redirect(url_for("pages.one_rederivation", plan_id=plan.id), 303)


@pages.get("/rederivations/<uuid:plan_id>")
@needs("rederivation.read")
def one_rederivation(plan_id: UUID) -> str:
    """One re-derivation: each deadline before and after."""
    session, who, now = read_session(), current_actor(), clock()
    plan = rederivation.find(session, plan_id)
    after = request.args.get("after", "0")
    found = rederivation.items(
        session, plan_id, after=int(after) if after.isdigit() and len(after) < 10 else 0, limit=PER_PAGE + 1
    )
    more = ""
    if len(found) > PER_PAGE:
        more = url_for("pages.one_rederivation", plan_id=plan_id, after=found[PER_PAGE - 1].number)
    progress = rederivation.progress(session, plan_id)
    return render_template(
        "rederivation.html",
        plan=_plan(plan, who, now=now),
        rows=[_row(session, item, now) for item in found[:PER_PAGE]],
        more=more,
        done=sum(number for state, number in progress.items() if state != "planned"),
        all=sum(progress.values()),
        applying=plan.state == Rederivation.State.APPLYING,
        wide=True,
    )


@pages.post("/rederivations/<uuid:plan_id>/<any(apply, abandon):act>")
@needs("rederivation.rehearse")
def order_rederivation(plan_id: UUID, act: str) -> Response:
    """Apply a rehearsal, or never."""
    session, who, now = write_session(), current_actor(), clock()
    try:
        plan = rederivation.find(session, plan_id, lock=True)
        if act == "abandon":
            rederivation.abandon(session, plan, now=now, by=str(who))
            flash(_("这次预演不再应用，什么都没有改。"), "ok")
        else:
            from api.edge import require

            require("rederivation.apply")
            rederivation.begin(session, plan, now=now, by=str(who))
            flash(_("已经开始逐件改期，可以离开这一页。"), "ok")
    except Refusal as refusal:
        _say(session, refusal)
    return redirect(url_for("pages.one_rederivation", plan_id=plan_id), 303)


# What they show.


def _deadline_page(session: Session, case: Case, deadline_id: UUID, who: Actor) -> str:
    now = clock()
    calendar = limits.calendar(session)
    row = deadlines.find(session, case, deadline_id)
    shown = limits.deadline_view(row, now=now, calendar=calendar)
    timing = timing_of(shown, due_at=row.due_at, met_at=row.settled_at)
    options = deadlines.options(session, case, row, who, now=now)
    view = queries.view(session, case, who, now=now)
    requests = [_request(session, asked, case, who, now=now) for asked in options.requests]
    return render_template(
        "deadline.html",
        case=case,
        case_url=url_for("pages.case", case_id=case.id),
        clock=clock_of(timing, now=now, calendar=calendar),
        options=options,
        reasons=[(r.code, r.en if language() == "en" else r.zh, r.article) for r in options.reasons],
        evidence=[(e.id, e.name) for e in view.evidence] if options.reasons else [],
        unit=_unit(options.limit),
        approvers=_or([role_words(r) for r in options.limit.extendable.approved_by])
        if options.limit.extendable
        else "",
        consent=[(c, role_words(c)) for c in options.limit.extendable.consent] if options.limit.extendable else [],
        requests=requests if who.is_staff else [],
        key=uuid4().hex,
        today=now.astimezone(CHINA).date().isoformat(),
        url=lambda act: url_for(f"pages.{act}_deadline", case_id=case.id, deadline_id=row.id),
    )


def _request(
    session: Session, asked: DeadlineExtension, case: Case, who: Actor, *, now: datetime, decide: bool = False
) -> RequestShown:
    row = session.get_one(Deadline, asked.deadline_id)
    name = row.explanation.get("name") or {}
    waits = asked.state == DeadlineExtension.State.REQUESTED

    def act(which: str) -> str:
        return url_for("pages.decide_extension", extension_id=asked.id, act=which)

    own = waits and asked.requested_by == str(who)
    return RequestShown(
        what=str(name.get(language()) or asked.limit),
        case=case.title,
        case_url=url_for("pages.deadline", case_id=case.id, deadline_id=asked.deadline_id),
        why=asked.why,
        by=asked.requested_by_name,
        law=asked.article,
        before=dates.day_words(asked.before_on, now),
        after=dates.day_words(asked.after_on, now),
        word=_states()[str(asked.state)],
        note=asked.note,
        approve=act("approve") if decide and waits else "",
        refuse=act("refuse") if decide and waits else "",
        withdraw=url_for("pages.withdraw_extension", extension_id=asked.id) if own else "",
    )


def _states() -> dict[str, str]:
    return {
        "requested": _("等待批准"),
        "approved": _("已批准"),
        "refused": _("未批准"),
        "withdrawn": _("已撤回"),
        "lapsed": _("到期未答，没有延长"),
    }


def _plan(plan: Rederivation, who: Actor, *, now: datetime) -> PlanShown:
    rehearsed = plan.state == Rederivation.State.REHEARSED
    title = {"calendar": _("放假安排变更"), "limits": _("时限规定变更"), "check": _("核对期限")}[str(plan.cause)]
    words = {
        "rehearsed": _("预演，什么都没有改"),
        "applying": _("正在逐件改期"),
        "applied": _("已经应用"),
        "abandoned": _("没有应用"),
    }
    looks = {"rehearsed": "prov", "applying": "soon", "applied": "done", "abandoned": "none"}

    def order(act: str) -> str:
        return url_for("pages.order_rederivation", plan_id=plan.id, act=act)

    return PlanShown(
        title=f"{title} {plan.document_no}".strip(),
        url=url_for("pages.one_rederivation", plan_id=plan.id),
        state=looks[str(plan.state)],
        word=words[str(plan.state)],
        when=f"{plan.rehearsed_at.astimezone(CHINA):%Y-%m-%d %H:%M}",
        why=plan.why,
        counts=_counts(plan.counts),
        days=[(d["date"], _day_word(d["before"]), _day_word(d["after"])) for d in plan.changed[:60]],
        apply=order("apply") if rehearsed and allows(who, "rederivation.apply") else "",
        abandon=order("abandon") if rehearsed and allows(who, "rederivation.rehearse") else "",
    )


def _counts(counts: dict[str, Any]) -> list[tuple[str, int]]:
    words = {
        "checked": _("在走的期限"),
        "unchanged": _("不变"),
        "later": _("推后"),
        "earlier": _("提前"),
        "same": _("日期不变，说明变了"),
        "settled": _("不再是暂定"),
        "overdue": _("一改就已到期"),
        "over": _("已经过期，不重开"),
        "warned": _("提醒已发出"),
        "failed": _("算不出"),
    }
    return [(word, counts[name]) for name, word in words.items() if name in counts]


def _day_word(day: dict[str, Any]) -> str:
    kind = _("上班") if day["is_workday"] else _("休息")
    unsure = _("（暂定）") if day["status"] == "provisional" else ""
    return f"{kind} {day['name']}".strip() + unsure


def _row(session: Session, item: RederivationItem, now: datetime) -> dict[str, str]:
    case = session.get(Case, UUID(item.key)) if len(item.key) == 36 else None
    effects = {
        "later": _("推后"),
        "earlier": _("提前"),
        "same": _("不变"),
        "overdue": _("立即到期"),
        "over": _("已过期"),
    }
    states = {
        "planned": _("待改"),
        "applied": _("已改"),
        "changed": _("预演后有变，按现状改"),
        "gone": _("不用改了"),
        "kept": _("保持原样"),
        "failed": _("没有改成"),
    }
    return {
        "case": case.case_no if case else item.key,
        "url": url_for("pages.case", case_id=case.id) if case else "",
        "limit": item.limit,
        "before": dates.day_words(item.before_on, now),
        "after": dates.day_words(item.after_on, now),
        "effect": effects[str(item.effect)],
        "look": {"later": "plenty", "earlier": "soon", "overdue": "overdue", "over": "overdue"}.get(
            str(item.effect), "none"
        ),
        "state": states[str(item.state)],
        "note": item.note or (_("提醒已发出") if item.warned else ""),
    }


def _wanted() -> dict[str, Any]:
    """The form: a cause, and for the calendar one day a line, ``2027-02-05 休 春节``."""
    form = request.form
    wanted: dict[str, Any] = {
        "cause": form.get("cause", ""),
        "document_no": form.get("document_no", "")[:100],
        "why": form.get("why", "")[:400],
        "source": str(current_actor().name),
    }
    if wanted["cause"] not in set(Rederivation.Cause):
        raise Invalid("请选择原因。 Choose a cause.", fields={"cause": ["?"]})
    if wanted["cause"] == Rederivation.Cause.CALENDAR:
        wanted["days"] = [_line(line) for line in form.get("days", "")[:20_000].splitlines() if line.strip()]
    return wanted


def _line(line: str) -> dict[str, Any]:
    parts = line.split(maxsplit=2)
    try:
        return {
            "date": date.fromisoformat(parts[0]),
            "is_workday": {"班": True, "休": False, "work": True, "off": False}[parts[1]],
            "name": parts[2][:100] if len(parts) > 2 else "",
        }
    except (ValueError, IndexError, KeyError):
        raise Invalid(
            f"这一行看不懂：{line[:60]}。每行写日期、班或者休、名称。 One day a line: 2027-02-05 off 春节.",
            fields={"days": [line[:60]]},
        ) from None


def _unit(limit: Limit) -> str:
    words = {
        Unit.WORKING_DAY: _("个工作日"),
        Unit.DAY: _("天"),
        Unit.HOUR: _("小时"),
        Unit.MINUTE: _("分钟"),
        Unit.MONTH: _("个月"),
        Unit.YEAR: _("年"),
    }
    return words[limit.unit] if limit.unit else ""


def _or(words: Sequence[str]) -> str:
    return _("或者").join(words) if language() == "zh" else " or ".join(words)


def _day(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    return date.fromisoformat(text) if text else None


def _say(session: Session, refusal: Exception) -> None:
    """Say why not; what was begun is taken back."""
    session.rollback()
    if isinstance(refusal, Refusal):
        flash(in_language(refusal.message), "warn")
    else:
        flash(_("日期或者数字看不懂，请再写一次。"), "warn")


def _back(case_id: UUID, deadline_id: UUID) -> Response:
    return redirect(url_for("pages.deadline", case_id=case_id, deadline_id=deadline_id), 303)
