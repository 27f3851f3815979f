"""One case as view model: what ``disputes.cases.queries`` says of it, in the words and shapes of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from flask import url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from api import audited
from api.languages import language
from api.pages import dates
from api.pages.caseline import line, visited_stages, who_words
from api.pages.clocks import Clock
from api.pages.routes import exits_of
from api.pages.running import clock_of, clock_of_item, timing_of
from api.pages.shell import Link
from api.pages.shown import (
    CaseLine,
    CasePage,
    Entry,
    NoteShown,
    Offer,
    PaperLine,
    Party,
    Round,
    StopShown,
    Tile,
    Waiting,
    Words,
)
from api.pages.words import _
from core.now import CHINA
from disputes.cases import queries
from disputes.cases.access import relation
from disputes.cases.models import Case, Side
from disputes.cases.queries import CaseView
from disputes.cases.rules import status_name
from disputes.cases.waits import Wait
from disputes.documents import queries as papers
from disputes.identity.actor import Actor
from disputes.identity.permissions import may
from disputes.identity.roles import Role
from disputes.inbox import queries as inbox
from disputes.repair import queries as repair
from disputes.settlement import queries as settlement
from disputes.settlement.models import MAX_ROUNDS, OfferKind, OfferState
from disputes.settlement.models import Offer as OfferRow
from disputes.timelimits import queries as limits
from disputes.timelimits.calendar import Calendar
from forms.fields import yuan

PARTIES = frozenset({Role.COMPLAINANT.value, Role.RESPONDENT.value})
#: A moment as far away as this means: no moment yet (a paused limit).
_FAR = 9000


def case_page(session: Session, case: Case, who: Actor, *, now: datetime) -> CasePage:
    """Everything that the page of a case shows to this reader."""
    view = queries.view(session, case, who, now=now)
    audited.looked(view, purpose="case")
    calendar = limits.calendar(session)
    running, ended = clocks_of(session, view, now=now, calendar=calendar, manages=_manages(session, case, who))
    party = is_party_only(view)
    return CasePage(
        title=case.title,
        case_no=case.case_no,
        meta=_meta(view),
        back=_back(who, view),
        line=caseline(session, view, who, now=now, calendar=calendar),
        facts=view.facts,
        particulars=particulars(view, now),
        clocks=running,
        done_clocks=ended,
        parties=parties_of(view),
        timeline=timeline_of(session, view, who, now=now),
        diagram_url=url_for("pages.diagram", case_id=case.id),
        exits=exits_of(session, view, who) if Role.RESPONDENT not in view.roles or not party else (),
        offer=offer_of(session, view, who, now=now),
        evidence=tiles(view, now),
        evidence_url=url_for("pages.add_evidence", case_id=case.id) if "add_evidence" in view.actions else "",
        papers=paper_lines(session, view, who, now),
        waiting=waiting(session, view, who, now=now, calendar=calendar),
        notes=None if party else _notes(view, now),
        note_url=url_for("pages.add_note", case_id=case.id) if "add_note" in view.actions else "",
        stops=_stops(session, case, who, party=party),
        withdraw_url=url_for("pages.exit", case_id=case.id, code="withdraw") if "withdraw" in view.actions else "",
    )


def _stops(session: Session, case: Case, who: Actor, *, party: bool) -> list[StopShown]:
    """Why the case does not go on: in plain words for its parties, in full for the office."""
    shown = []
    mends = not party and may(who, "case.repair", **relation(session, case))
    for stop in repair.stops(session, case, staff=not party):
        suspended = stop.what == "suspended"
        link = None
        if mends:
            link = Link(_("去处理"), url_for("pages.repair", case_id=case.id))
        shown.append(
            StopShown(
                state="paused" if suspended else "overdue",
                word=_("案件处理暂停") if suspended else _("系统停住了"),
                text=stop.en if language() == "en" else stop.zh,
                why=stop.why,
                link=link,
            )
        )
    return shown


def _back(who: Actor, view: CaseView) -> Link:
    if not who.signed_in:
        return Link(_("首页"), url_for("pages.track"))
    label = _("案件") if not is_party_only(view) else _("纠纷") if Role.RESPONDENT in view.roles else _("我的案件")
    return Link(label, url_for("pages.cases"))


def is_party_only(view: CaseView) -> bool:
    """Does somebody read who stands in the case as a party and nothing else?"""
    return not view.roles - PARTIES


def caseline(session: Session, view: CaseView, who: Actor, *, now: datetime, calendar: Calendar) -> CaseLine:
    """The case line for this reader."""
    yours = [
        (
            item.title,
            url_for("pages.task", task_id=item.task_id),
            clock_of_item(item, now=now, calendar=calendar),
        )
        for item in inbox.of_case(session, view.case, who)
    ]
    others = [(wait.title, wait.turn, _clock_of_wait(wait, now, calendar)) for wait in view.waits]
    return line(
        view.case,
        visited=visited_stages(session, view.case),
        yours=yours,
        others=others,
        roles=view.roles,
        office=view.office.title(language()) if view.office else "",
        now=now,
    )


def _manages(session: Session, case: Case, who: Actor) -> bool:
    """May this reader stop or extend deadlines of the case?"""
    known = relation(session, case)
    return any(may(who, act, **known) for act in ("deadline.pause", "deadline.extend"))


def clocks_of(
    session: Session, view: CaseView, *, now: datetime, calendar: Calendar, manages: bool = False
) -> tuple[list[Clock], list[Clock]]:
    """The deadlines that run, and those that have ended; parties see those of the law and their own."""
    running: list[Clock] = []
    ended: list[Clock] = []
    for found in limits.deadlines_of(session, str(view.case.id), now=now):
        if is_party_only(view) and not (found.get("legal") or found.get("bound") == "party"):
            continue
        if found["state"] == "dropped":
            continue
        settled = datetime.fromisoformat(found["settled_at"]) if found.get("settled_at") else None
        timing = timing_of(found, due_at=datetime.fromisoformat(found["due_at"]), met_at=settled)
        shown = clock_of(timing, now=now, calendar=calendar)
        if manages and settled is None:
            url = url_for("pages.deadline", case_id=view.case.id, deadline_id=found["id"])
            shown = replace(shown, manage=url)
        (running if settled is None else ended).append(shown)
    return running, ended


def waiting(session: Session, view: CaseView, who: Actor, *, now: datetime, calendar: Calendar) -> list[Waiting]:
    """What the case waits for, with a way in to what this reader may do."""
    mine = {(i.process, i.element, i.party): i.task_id for i in inbox.of_case(session, view.case, who)}
    office = view.office.title(language()) if view.office else ""
    found = []
    for wait in view.waits:
        clock = _clock_of_wait(wait, now, calendar)
        task = mine.get((wait.process, wait.element, wait.turn[0] if len(wait.turn) == 1 else None))
        task = task or mine.get((wait.process, wait.element, None))
        found.append(
            Waiting(
                what=wait.title,
                who=_("等%(who)s", who=who_words(wait.turn, view.roles, office)),
                state=clock.state if clock else "none",
                word=clock.row_word if clock else _("没有期限"),
                when=clock.due if clock else "",
                url=url_for("pages.task", task_id=task) if task else "",
                process=wait.process,
                element=wait.element,
            )
        )
    return found


def particulars(view: CaseView, now: datetime) -> list[tuple[str, Words]]:
    """The facts of the case in short."""
    case = view.case
    found: list[tuple[str, Words]] = []
    if case.occurred_on:
        found.append((_("发生"), dates.day(case.occurred_on, now)))
    if case.requests:
        found.append((_("要求"), "、".join(str(request) for request in case.requests)))
    if case.disputed_fen:
        found.append((_("争议金额"), yuan(case.disputed_fen)))
    if case.agreed_fen:
        found.append((_("谈成"), yuan(case.agreed_fen)))
    found.append((_("登记"), dates.moment(case.filed_at, now)))
    if view.office is not None:
        found.append((_("承办"), view.office.title(language())))
    return found


def parties_of(view: CaseView) -> list[Party]:
    """The people and places of the case, as far as this reader may know them."""
    own = {Side.COMPLAINANT: Role.COMPLAINANT in view.roles, Side.RESPONDENT: Role.RESPONDENT in view.roles}
    found = []
    for party in view.parties:
        consumer = party.side != Side.RESPONDENT
        mine = is_party_only(view) and own.get(Side(party.side), False)
        note = (
            _("您")
            if mine
            else {
                Side.COMPLAINANT: _("消费者"),
                Side.RESPONDENT: _("经营者"),
                Side.AGENT: _("代理人"),
                Side.REPRESENTATIVE: _("代表人"),
            }[Side(party.side)]
        )
        if party.phone and not is_party_only(view):
            note = f"{note} {party.phone}"
        found.append(
            Party("consumer" if consumer else "merchant", _("消") if consumer else _("商"), party.name, note)
        )
    if view.mediator:
        body = view.mediation_body.title(language()) if view.mediation_body else _("调解员")
        found.append(Party("mediator", _("调"), view.mediator, body))
    if view.office is not None:
        found.append(Party("office", _("所"), view.office.title(language())))
    if view.court is not None:
        found.append(Party("court", _("法"), view.court.title(language())))
    return found


def timeline_of(session: Session, view: CaseView, who: Actor, *, now: datetime) -> list[Entry]:
    """What happened, the newest first; what this reader may not see is not there."""
    zh = language() == "zh"
    found = []
    for number, entry in enumerate(reversed(queries.timeline(session, view.case, who))):
        note = ""
        if entry.limit and entry.due_on and entry.kind in ("task.opened", "timer.fired"):
            note = _("最后一天%(day)s", day=dates.day_words(entry.due_on, now))
        if entry.met is not None and entry.kind == "task.completed":
            note = _("按时") if entry.met else _("超过期限")
        found.append(
            Entry(
                when=dates.moment(entry.at, now),
                text=entry.what if zh else entry.what_en,
                kind="late" if entry.met is False else "now" if number == 0 else "",
                party=None if entry.who == "系统" else _party_who(entry.who),
                note=note,
            )
        )
    return found


def _party_who(said: str) -> Party:
    """Who did it, with the sign of the side."""
    if said.startswith("投诉人"):
        return Party("consumer", _("消"), said)
    if said.startswith("经营者"):
        return Party("merchant", _("商"), said)
    return Party("office", _("办"), said)


def tiles(view: CaseView, now: datetime) -> list[Tile]:
    """The files that this reader may open; identity papers are named and not shown to parties."""
    found = []
    for file in view.evidence:
        masked = file.is_identity and is_party_only(view)
        note = Markup("{}，{}").format(
            _("您传的") if file.mine else _("%(kb)s kB", kb=max(file.size // 1024, 1)),
            dates.day(file.added_at, now, weekday=False),
        )
        url = "" if masked else url_for("pages.evidence", evidence_id=file.id)
        found.append(
            Tile(
                name=_("身份证件") if masked else file.name,
                note=_("不显示号码") if masked else note,
                url=url,
                masked=masked,
            )
        )
    return found


def paper_lines(session: Session, view: CaseView, who: Actor, now: datetime) -> list[PaperLine]:
    """The papers that this reader receives."""
    side = None
    if is_party_only(view):
        side = "complainant" if Role.COMPLAINANT in view.roles else "respondent"
    return [
        PaperLine(
            title=paper.title,
            note=Markup("{}，{}").format(dates.day(paper.dated_on, now), paper.number),
            url=url_for("pages.paper", paper_id=paper.id),
        )
        for paper in papers.of_case(session, str(view.case.id))
        if side is None or paper.addressee in (None, side)
    ]


def offer_of(session: Session, view: CaseView, who: Actor, *, now: datetime) -> Offer | None:
    """The offer that stands or stood last, with the rounds before it."""
    rows = settlement.offers(session, view.case, who)
    if not rows:
        return None
    last = rows[-1]
    merchant = is_party_only(view) and Role.RESPONDENT in view.roles
    consumer = is_party_only(view) and Role.COMPLAINANT in view.roles
    tasks = [item for item in inbox.of_case(session, view.case, who) if item.element == "answer_offer"]
    states = {
        OfferState.OPEN: "open" if view.case.closed_at is None else "lapsed",
        OfferState.ACCEPTED: "accepted",
        OfferState.COUNTERED: "open",
        OfferState.REJECTED: "rejected",
    }
    return Offer(
        title=_("您的方案") if merchant else _("商家的方案"),
        state=states[OfferState(last.state)],  # type: ignore[arg-type]
        sum=_sum(last),
        sub=_state_words(last, consumer=consumer),
        round=last.round,
        most=MAX_ROUNDS,
        left=_("您要求") if consumer else _("消费者要求"),
        right=_("您提出") if merchant else _("商家提出"),
        rounds=_rounds(rows, view.case),
        facts=[(_("什么时候办"), dates.day(last.perform_on, now))] if last.perform_on else [],
        words=last.text,
        by=_("您") if merchant else _("商家"),
        when=dates.moment(last.offered_at, now),
        task_url=url_for("pages.task", task_id=tasks[0].task_id) if tasks else "",
    )


def _sum(offer: OfferRow) -> str:
    words = settlement.OFFER_NAMES[OfferKind(offer.kind)][1 if language() == "en" else 0]
    return f"{words}{yuan(offer.amount_fen)}" if offer.amount_fen else words


def _state_words(offer: OfferRow, *, consumer: bool) -> str:
    return {
        OfferState.OPEN: _("等您答复") if consumer else _("等消费者答复"),
        OfferState.ACCEPTED: _("已经接受"),
        OfferState.COUNTERED: _("您还了价") if consumer else _("消费者还了价"),
        OfferState.REJECTED: _("没有接受"),
    }[OfferState(offer.state)]


def _rounds(rows: Sequence[OfferRow], case: Case) -> list[Round]:
    asked = yuan(case.disputed_fen) if case.disputed_fen else ""
    found = []
    for row in rows:
        found.append(Round(row.round, asked, _sum(row)))
        if row.counter_fen:
            asked = yuan(row.counter_fen)
    return found


def _notes(view: CaseView, now: datetime) -> list[NoteShown]:
    return [
        NoteShown(note.text, note.written_by, dates.moment(note.written_at, now), _("当事人看不到"))
        for note in view.notes
    ]


def _meta(view: CaseView) -> list[str]:
    case = view.case
    number = _("案号 %(no)s", no=case.case_no)
    if is_party_only(view):
        other = _("消费者") if Role.RESPONDENT in view.roles else case.respondent_name
        return [_("对方：%(name)s", name=other), number]
    found = [case.case_no, case.respondent_name, status_name(case.status, language())]
    if case.disputed_fen:
        found.append(_("争议金额%(sum)s", sum=yuan(case.disputed_fen)))
    if view.mediator:
        found.append(_("调解员：%(name)s", name=view.mediator))
    if case.synthetic:
        found.append(_("虚构的示例"))
    return found


def _clock_of_wait(wait: Wait, now: datetime, calendar: Calendar) -> Clock | None:
    if wait.due_at is None or (wait.due_at.year > _FAR and not wait.note):
        return None
    if wait.note.get("limit"):
        due_at = wait.due_at
        if due_at.year > _FAR:
            due_at = datetime.fromisoformat(str(wait.note["due_at"]))
        return clock_of(timing_of(wait.note, due_at=due_at), now=now, calendar=calendar)
    record: Mapping[str, Any] = {
        "limit": f"wait-{wait.element}",
        "name": {"zh": wait.title},
        "unit": "day" if wait.due_at.astimezone(CHINA).strftime("%H:%M") == "00:00" else "hour",
        "start": _day(wait.since).isoformat(),
    }
    return clock_of(timing_of(record, due_at=wait.due_at), now=now, calendar=calendar)


def _day(moment: datetime) -> date:
    return moment.astimezone(CHINA).date()
