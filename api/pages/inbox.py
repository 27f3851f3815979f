"""The inbox of those who work at a desk: what is due first stands first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from api.edge import clock, current_actor, needs, read_session, write_session
from api.languages import language
from api.pages.blueprint import pages
from api.pages.clocks import SOON, Clock
from api.pages.dates import day_of
from api.pages.running import clock_of_item
from api.pages.shell import in_language
from api.pages.shown import Group, Row
from api.pages.words import _
from core.now import CHINA
from core.refusals import Conflict, WrongState
from disputes.cases import queries as cases
from disputes.cases.models import Case, Stage
from disputes.cases.rules import stage_name
from disputes.identity import queries as people
from disputes.identity.actor import Actor
from disputes.inbox import operations, queries
from disputes.inbox.models import InboxItem
from disputes.inbox.queries import Counts, Filters
from disputes.timelimits import queries as limits
from disputes.timelimits.calendar import Calendar
from forms.fields import yuan

#: Tasks on one page.
PER_PAGE = 50

VIEWS = ("all", "mine", "free", "others")


@pages.get("/inbox")
@needs("task.list")
def inbox() -> str:
    """The open tasks of this person, filtered by what stands in the address."""
    session, who, now = read_session(), current_actor(), clock()
    view = request.args.get("view", "all") if request.args.get("view") in VIEWS else "all"
    late, stage, text = request.args.get("late", ""), request.args.get("stage", ""), request.args.get("q", "")
    end_of_day = datetime.combine(day_of(now) + timedelta(days=1), datetime.min.time(), CHINA)
    counts = queries.counts(session, who, now=now, end_of_day=end_of_day)
    page = queries.page(
        session,
        who,
        Filters(
            claimed=None if view == "all" else view,  # type: ignore[arg-type]
            stage=stage if stage in set(Stage) else None,
            text=text,
            overdue_at=now if late == "overdue" else None,
            due_before=end_of_day + timedelta(microseconds=1) if late == "today" else None,
        ),
        after=request.args.get("after"),
        limit=PER_PAGE,
    )
    rows = _rows(session, page.items, who, now=now)
    urgent = counts.overdue + counts.today
    return render_template(
        "inbox.html",
        wide=True,
        headline=_headline(counts.open, urgent),
        view=view,
        views=_views(view, counts),
        q=text,
        stage=stage,
        stages=[{"value": s.value, "label": stage_name(s, language())} for s in Stage if s in counts.by_stage],
        chips=_chips(late, counts),
        groups=_groups(rows),
        more=_more(page.next),
        **_empty(view, text or stage or late),
    )


@pages.post("/inbox/<uuid:task_id>/claim")
@needs("task.claim")
def claim(task_id: UUID) -> Response:
    """Take a task."""
    try:
        operations.claim(write_session(), task_id, by=current_actor(), now=clock())
    except (Conflict, WrongState) as refusal:
        flash(in_language(refusal.message), "warn")
        return redirect(url_for("pages.inbox"), 303)
    return redirect(url_for("pages.task", task_id=task_id), 303)


@pages.post("/inbox/<uuid:task_id>/unclaim")
@needs("task.unclaim")
def unclaim(task_id: UUID) -> Response:
    """Give a task back."""
    operations.unclaim(write_session(), task_id, by=current_actor(), now=clock())
    flash(_("已经退回，同事可以认领了。"), "ok")
    return redirect(url_for("pages.inbox"), 303)


@pages.post("/inbox/<uuid:task_id>/reassign")
@needs("task.reassign")
def reassign(task_id: UUID) -> Response:
    """Give a task to a colleague."""
    session = write_session()
    to = UUID(request.form.get("to", ""))
    version = request.form.get("version", type=int)
    operations.reassign(session, task_id, to, version=version, by=current_actor(), now=clock())
    flash(_("已经改派给%(name)s。", name=people.person(session, to).name), "ok")
    return redirect(url_for("pages.inbox"), 303)


def _rows(
    session: Session, items: Sequence[InboxItem], who: Actor, *, now: datetime
) -> list[tuple[Clock | None, Row]]:
    calendar = limits.calendar(session)
    known = cases.by_ids(session, {item.case_id for item in items})
    names = people.names(session, {item.claimed_by for item in items if item.claimed_by})
    still = queries.standing_still(session, {item.instance_id for item in items})
    rows = []
    for item in items:
        limit, row = _row(item, known[item.case_id], names, who, now=now, calendar=calendar)
        if item.instance_id in still:
            # Nobody is late while the case stands still.
            row = replace(row, state="paused", word=_("处理暂停"), when="", mine=False)
        rows.append((limit, row))
    return rows


def _row(
    item: InboxItem,
    found: cases.CaseLine,
    names: Mapping[UUID, str],
    who: Actor,
    *,
    now: datetime,
    calendar: Calendar,
) -> tuple[Clock | None, Row]:
    limit = clock_of_item(item, now=now, calendar=calendar)
    case: Case = found.case
    free = item.claimed_by is None
    row = Row(
        url=url_for("pages.task", task_id=item.task_id),
        what=case.title,
        who=f"{found.complainant} / {case.respondent_name}",
        step=item.title,
        state=limit.state if limit else "none",
        word=limit.row_word if limit else _("无期限"),
        when=limit.when if limit else "",
        sum=yuan(case.disputed_fen) if case.disputed_fen else "",
        owner="" if free else names.get(item.claimed_by, ""),  # type: ignore[arg-type]
        mine=limit is not None and limit.state in ("overdue", "today"),
        claim=url_for("pages.claim", task_id=item.task_id) if free and item.person_id is None else "",
    )
    return limit, row


def _groups(rows: Sequence[tuple[Clock | None, Row]]) -> list[Group]:
    today = [row for limit, row in rows if limit and limit.state in ("overdue", "today")]
    soon = [row for limit, row in rows if limit and limit.state == "soon"]
    later = [row for limit, row in rows if not limit or limit.state not in ("overdue", "today", "soon")]
    titles = ((_("今天要办"), today), (_("%(n)s个工作日内", n=SOON), soon), (_("以后"), later))
    return [Group(title, found) for title, found in titles if found]


def _more(after: str | None) -> str:
    kept: dict[str, Any] = {**request.args.to_dict(), "after": after}
    return url_for("pages.inbox", **kept) if after else ""


def _headline(total: int, urgent: int) -> str:
    if not total:
        return _("没有待办")
    if not urgent:
        return _("%(n)s件待办，今天没有到期的", n=total)
    return _("%(n)s件待办，%(urgent)s件今天要办", n=total, urgent=urgent)


def _views(view: str, counts: Counts) -> list[dict[str, object]]:
    labels = {
        "all": (_("全部待办"), counts.open),
        "mine": (_("我认领的"), counts.mine),
        "free": (_("可以认领的"), None),
        "others": (_("同事认领的"), None),
    }
    return [
        {"label": label, "count": count, "here": name == view, "url": url_for("pages.inbox", view=name)}
        for name, (label, count) in labels.items()
    ]


def _chips(late: str, counts: Counts) -> list[dict[str, object]]:
    kept: dict[str, Any] = {key: value for key, value in request.args.items() if key not in ("late", "after")}
    chips = (
        ("", _("全部"), counts.open),
        ("overdue", _("逾期"), counts.overdue),
        ("today", _("今天"), counts.today),
    )
    return [
        {
            "label": label,
            "count": count,
            "here": name == late,
            "url": url_for("pages.inbox", **kept, late=name or None),
        }
        for name, label, count in chips
    ]


def _empty(view: str, filtered: str) -> dict[str, str]:
    if filtered:
        return {"empty_title": _("没有符合的"), "empty_text": _("换个条件再找，或者看全部待办。")}
    if view == "mine":
        return {"empty_title": _("您还没有认领"), "empty_text": _("在“可以认领的”里认领以后，会出现在这里。")}
    return {
        "empty_title": _("现在没有要办的"),
        "empty_text": _("新的投诉分送到您这里、有了要您办的一步时，会出现在这里，最急的排在最前。"),
    }
