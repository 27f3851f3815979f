"""The timeline of a case: the engine's events in words, each for those readers whom it concerns."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.cases.models import Case
from disputes.cases.words import Names, names_of
from disputes.identity.models import Membership, Person
from disputes.timelimits.models import Deadline
from engine import Event, Task, Timer, events

#: Events that people read; the others are the engine's own bookkeeping.
KINDS = frozenset(
    {
        "instance.started", "task.opened", "task.completed", "task.cancelled", "timer.fired", "message.received",
        "service.called", "instance.completed", "instance.cancelled", "instance.suspended", "instance.resumed",
        "incident.opened", "incident.resolved", "incident.voided", "data.edited", "token.moved", "token.skipped",
        "deadline.paused", "deadline.resumed", "deadline.extended", "deadline.extension_asked",
        "deadline.extension_refused", "deadline.extension_withdrawn", "deadline.moved",
    }
)  # fmt: skip

#: What an operator did to a case, for its office alone.
_OPERATORS = frozenset({"incident.resolved", "incident.voided", "data.edited", "token.moved", "token.skipped"})
#: What everybody is told whose case it is.
_EVERYBODY = frozenset({"instance.suspended", "instance.resumed", "instance.cancelled"})

_OFFICE = frozenset({"officer", "centre_clerk", "station_clerk", "supervisor", "head", "mediator", "system"})

#: Which party is told of what happens at an element; what is not named here only the offices see.
#: The merchant's side sees nothing of the complainant's identity papers, of warnings inside the office, of ratings.
_NONE: frozenset[str] = frozenset()
_BOTH = frozenset({"complainant", "respondent"})
_COMPLAINANT = frozenset({"complainant"})
TOLD: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            # 和解
            "claim_order", "make_offer", "answer_offer", "confirm_performance", "open_order", "invite_merchant",
            "publish_notice", "record_offer", "record_answer", "agree", "record_performance", "fail",
            "claimed_late", "no_reply", "c12a_expired", "c12b_expired", "c13_expired",
            "c14_expired", "presumed_performed",
            # 受理之后
            "accept", "answer_mediation", "answer_overdue", "open", "announce", "plan_session", "hold_session",
            "await_appraisal", "pause", "resume", "draft_agreement", "sign_agreement", "signing_overdue",
            "conclude", "c03_expired", "appraisal_overdue", "terminate", "tell_termination", "record_telling",
            # 诉调对接
            "choose_court", "court_choice_overdue", "build_package", "choose_mediator", "designate_mediator",
            "confirm_mediator", "ask_other_side", "mediate_for_court", "record_agreement", "return_materials",
            "want_confirmation", "wish_overdue", "sign_application", "apply_confirmation", "decide_docket",
            "rule_confirmation", "record_ruling", "confirm_performance_mediated", "c23_expired",
            "withdrawn", "record_withdrawal", "close",
        ),
        _BOTH,
    ),
    **dict.fromkeys(
        (
            "", "answer_elsewhere", "point_elsewhere", "separate_tipoff", "receive", "dispatch", "record_dispatch",
            "assign_office", "office_returned", "first_contact", "serve_identity_notice", "identity_supplied",
            "identity_overdue", "verify_identity", "decide_acceptance", "decide_overdue", "refuse", "choose_route",
            "choice_overdue", "file_now", "return_visit", "c01_expired",
        ),
        _COMPLAINANT,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    number: int
    at: datetime
    kind: str
    process: str
    element: str
    #: Who did it: a name for those who may know it, else the role.
    who: str
    #: What happened, Chinese and English.
    what: str
    what_en: str
    #: The limit that it concerns, with its article, its last day, and whether it was met.
    limit: str | None = None
    article: str | None = None
    due_on: date | None = None
    met: bool | None = None


def timeline_of(session: Session, case: Case, roles: Collection[str]) -> list[Entry]:
    """What happened to a case, for somebody in these roles, oldest first."""
    if case.instance_id is None:
        return []
    history = [event for event in events.history(session, case.instance_id) if event.kind in KINDS]
    reader = _Reader(session, case, frozenset(roles), history)
    return [entry for event in history if (entry := reader.entry(event)) is not None]


class _Reader:
    """Reads one case's events for one kind of reader; loads names, tasks, timers and deadlines once."""

    def __init__(self, session: Session, case: Case, roles: frozenset[str], history: list[Event]) -> None:
        instance_id = case.instance_id
        self.case, self.roles = case, roles
        self.names: Names = names_of(session, instance_id)
        self.tasks = {
            str(task.id): task for task in session.scalars(select(Task).where(Task.instance_id == instance_id))
        }
        self.timers = {
            str(timer.id): timer for timer in session.scalars(select(Timer).where(Timer.instance_id == instance_id))
        }
        deadlines = session.scalars(select(Deadline).where(Deadline.instance_id == instance_id))
        self.deadlines = {(deadline.limit, deadline.start): deadline for deadline in deadlines}
        self.people = _people(session, history)

    def entry(self, event: Event) -> Entry | None:
        """The event in words; None when this reader is not told."""
        if not self._told(event):
            return None
        words = self._words(event)
        if words is None:
            return None
        limit = self._limit(event)
        return Entry(
            number=event.number,
            at=event.at,
            kind=event.kind,
            process=event.process,
            element=event.element,
            who=self._who(event),
            what=words[0],
            what_en=words[1],
            **limit,
        )

    def _told(self, event: Event) -> bool:
        if self.roles & _OFFICE:
            return True
        if event.kind in _OPERATORS:
            return False
        told = _BOTH if event.kind in _EVERYBODY else TOLD.get(event.element, frozenset())
        if event.kind.startswith("deadline."):
            told = self._told_of_deadline(event)
        sides = set(self.roles)
        if "court_liaison" in sides or "council_liaison" in sides:
            sides |= {"complainant", "respondent"}
        if not told & sides:
            return False
        if sides == {"respondent"}:
            started = self.case.respondent_told_at
            if started is None or event.at < started:
                return False
            task = self._task(event)
            return task is None or task.item != "complainant" or event.kind == "task.completed"
        return True

    def _told_of_deadline(self, event: Event) -> frozenset[str]:
        """The parties read what moved a limit of the law, or one that they are held to; asking is the office's."""
        if event.kind.startswith("deadline.extension_"):
            return _NONE
        deadline = self._deadline(event)
        if deadline is None:
            return _NONE
        said = deadline.explanation
        return _BOTH if said.get("legal") or said.get("bound") == "party" else _NONE

    def _deadline(self, event: Event) -> Deadline | None:
        payload = event.payload or {}
        return self.deadlines.get((str(payload.get("limit")), str(payload.get("start"))))

    def _words(self, event: Event) -> tuple[str, str] | None:
        zh, en = self.names.of(event.process, event.element)
        party = self._party(event)
        match event.kind:
            case "instance.started":
                return "提出诉求，已登记", "Filed and registered"
            case "task.opened":
                return f"等待：{zh}{party[0]}", f"Waiting: {en}{party[1]}"
            case "task.completed":
                return f"完成：{zh}{party[0]}", f"Done: {en}{party[1]}"
            case "task.cancelled":
                return f"不再需要：{zh}{party[0]}", f"No longer needed: {en}{party[1]}"
            case "timer.fired":
                return zh, en
            case "message.received":
                return zh, en
            case "service.called":
                return zh, en
            case "instance.completed":
                return "办理结束", "The procedure has ended"
            case "instance.cancelled":
                return "办理被终止", "The procedure was cancelled"
            case "instance.suspended":
                return f"案件处理暂停{self._why(event)}", f"The case stands still{self._why(event, ': ')}"
            case "instance.resumed":
                return f"恢复办理{self._why(event)}", f"The case goes on{self._why(event, ': ')}"
            case "data.edited":
                names = "、".join(sorted((event.payload or {}).get("after", {})))
                return f"更正数据 {names}{self._why(event)}", f"Corrected {names}{self._why(event, ': ')}"
            case "token.moved":
                return f"移动到：{zh}{self._why(event)}", f"Moved to: {en}{self._why(event, ': ')}"
            case "token.skipped":
                return f"跳过：{zh}{self._why(event)}", f"Skipped: {en}{self._why(event, ': ')}"
            case "incident.resolved":
                return f"已排除：{zh}", f"Mended: {en}"
            case "incident.voided":
                return f"不再重试：{zh}{self._why(event)}", f"Given up: {en}{self._why(event, ': ')}"
            case kind if kind.startswith("deadline."):
                return self._deadline_words(event)
            case "incident.opened":
                return (f"系统停在：{zh}", f"Stopped at: {en}") if self.roles & _OFFICE else None
        return None

    def _why(self, event: Event, colon: str = "：") -> str:
        """The operator's reason, for the office."""
        why = (event.payload or {}).get("reason") if self.roles & _OFFICE else None
        return f"{colon}{why}" if why else ""

    def _deadline_words(self, event: Event) -> tuple[str, str] | None:
        deadline = self._deadline(event)
        if deadline is None:
            return None
        name = deadline.explanation.get("name") or {}
        zh, en = name.get("zh", deadline.limit), name.get("en", deadline.limit)
        payload = event.payload or {}
        until = str(payload.get("after") or payload.get("to") or "")
        return {
            "deadline.paused": (f"{zh}暂停计时", f"The clock of “{en}” stands still"),
            "deadline.resumed": (f"{zh}恢复计时，最后一日{until}", f"The clock of “{en}” goes on, to {until}"),
            "deadline.extended": (f"{zh}经批准延长到{until}", f"“{en}” was extended to {until}"),
            "deadline.extension_asked": (
                f"申请把{zh}延长到{until}",
                f"More time asked for: “{en}”, to {until}",
            ),
            "deadline.extension_refused": (f"{zh}不予延长", f"“{en}” was not extended"),
            "deadline.extension_withdrawn": (f"撤回{zh}的延期申请", f"The request to extend “{en}” was taken back"),
            "deadline.moved": (f"{zh}重新推算，最后一日{until}", f"“{en}” was reckoned again: {until}"),
        }.get(event.kind)

    def _task(self, event: Event) -> Task | None:
        return self.tasks.get(str((event.payload or {}).get("task")))

    def _party(self, event: Event) -> tuple[str, str]:
        task = self._task(event)
        if task is None or not isinstance(task.item, str):
            return "", ""
        zh = {"complainant": "（投诉人）", "respondent": "（被投诉人）"}.get(task.item, "")
        return zh, f" ({task.item})" if zh else ""

    def _who(self, event: Event) -> str:
        kind, _, rest = event.by.partition(":")
        if event.kind in ("task.opened", "task.cancelled", "timer.fired", "service.called", "instance.completed"):
            return "系统"
        if kind == "person":
            name, role = self.people.get(rest, ("", ""))
            return self._name(rest, name, role)
        if kind == "guest":
            return "经营者（链接）" if rest.startswith("respondent") else "投诉人（查询码）"
        return "系统"

    def _name(self, person_id: str, name: str, role: str) -> str:
        """Staff by name; a party by name to the offices and to itself, by side to the other party."""
        if role in ("", "respondent"):
            side = "投诉人" if role == "" else "经营者"
            own = (role == "" and "complainant" in self.roles) or (
                role == "respondent" and "respondent" in self.roles
            )
            return f"{side} {name}" if own or self.roles & _OFFICE else side
        return name

    def _limit(self, event: Event) -> dict[str, Any]:
        note, settled = self._note(event)
        limit = note.get("limit")
        if not limit:
            return {}
        deadline = self.deadlines.get((str(limit), str(note.get("start"))))
        due_on = _day(note.get("due_on")) or (deadline.due_on if deadline else None)
        return {
            "limit": str(limit),
            "article": note.get("article"),
            "due_on": due_on,
            "met": self._met(event, settled, note),
        }

    def _note(self, event: Event) -> tuple[Mapping[str, Any], datetime | None]:
        if event.kind.startswith("task."):
            task = self._task(event)
            return ((task.due_note or {}), task.due_at) if task else ({}, None)
        if event.kind == "timer.fired":
            timer = self.timers.get(str((event.payload or {}).get("timer")))
            return ((timer.note or {}), timer.due_at) if timer else ({}, None)
        return {}, None

    def _met(self, event: Event, due_at: datetime | None, note: Mapping[str, Any]) -> bool | None:
        """Whether the act was in time: an act before the exclusive end is; a limit that fired was missed."""
        if event.kind == "task.completed" and due_at is not None:
            return event.at < due_at
        if event.kind == "timer.fired" and not note.get("rung"):
            return False
        return None


def _people(session: Session, history: list[Event]) -> dict[str, tuple[str, str]]:
    """Names and one role of everybody who acted; the role is empty for a consumer."""
    ids = {event.by.partition(":")[2] for event in history if event.by.startswith("person:")}
    if not ids:
        return {}
    wanted = [UUID(i) for i in ids]
    found = dict.fromkeys(ids, ("", ""))
    for person_id, name in session.execute(select(Person.id, Person.name).where(Person.id.in_(wanted))):
        found[str(person_id)] = (name, "")
    for person_id, role in session.execute(
        select(Membership.person_id, Membership.role).where(Membership.person_id.in_(wanted))
    ):
        found[str(person_id)] = (found[str(person_id)][0], role)
    return found


def _day(value: object) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else None
