"""What a demonstration tells: each case with its timeline and what it still waits for."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.now import CHINA
from disputes.cases import queries
from disputes.cases.models import Case
from disputes.cases.rules import exit_name, status_name
from disputes.cases.timeline import Entry
from disputes.cases.waits import Wait
from disputes.identity.actor import SYSTEM


def report(session: Session, case_ids: Iterable[UUID], *, now: datetime) -> dict[str, Any]:
    """The object of the command ``demo`` (CONTRACTS, "Commands and their JSON")."""
    found = [session.get_one(Case, case_id) for case_id in case_ids]
    return {"cases": [_case(session, case, now) for case in sorted(found, key=lambda case: case.case_no)]}


def text(told: Mapping[str, Any]) -> str:
    """The same for people: moment, who, what, which limit with its article and last day, met or missed."""
    lines: list[str] = []
    for case in told["cases"]:
        made_up = "合成 synthetic" if case["synthetic"] else f"真实工单 {case['ticket']}"
        how = exit_name(case["exit"]) if case["exit"] else f"办理中：{status_name(case['status'])}"
        lines += ["", f"== {case['case_no']}  {case['title']}  [{made_up}]  → {how}"]
        lines += [_line(event) for event in case["events"]]
        for wait in case["open_waits"]:
            lines.append(
                f"   … 等待 {wait['title']}，{wait['limit'] or '每日催办'} 最后一日 {wait['due_on'] or '—'}"
            )
    return "\n".join(lines).lstrip("\n")


def _line(event: Mapping[str, Any]) -> str:
    limit = ""
    if event["limit"]:
        kept = {True: "按期 met", False: "超期 missed", None: ""}[event["met"]]
        limit = f"  〔{event['limit']} {event['article']}，最后一日 {event['due_on']}，{kept}〕".replace(
            "，〕", "〕"
        )
    return f"   {event['at'][:16].replace('T', ' ')}  {event['who']}：{event['what']}{limit}"


def _case(session: Session, case: Case, now: datetime) -> dict[str, Any]:
    return {
        "case_no": case.case_no,
        "title": case.title,
        "status": case.status,
        "exit": case.exit,
        "ticket": case.ticket,
        "synthetic": case.synthetic,
        "events": [_event(entry) for entry in queries.timeline(session, case, SYSTEM)],
        "open_waits": [_wait(wait) for wait in queries.waits(session, case, SYSTEM, now=now)],
    }


def _event(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at.astimezone(CHINA).isoformat(timespec="seconds"),
        "who": entry.who,
        "what": entry.what,
        "element": entry.element,
        "limit": entry.limit,
        "article": entry.article,
        "due_on": entry.due_on.isoformat() if entry.due_on else None,
        "met": entry.met,
    }


def _wait(wait: Wait) -> dict[str, Any]:
    return {
        "element": wait.element,
        "title": wait.title,
        "turn": list(wait.turn),
        "limit": wait.limit,
        "due_on": wait.due_on.isoformat() if wait.due_on else None,
    }
