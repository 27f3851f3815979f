"""The case line: the seven stages, whose turn it is, and by when."""

from collections.abc import Collection, Sequence
from datetime import datetime

from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.languages import language
from api.pages.clocks import Clock
from api.pages.shell import Link, role_words
from api.pages.shown import CaseLine, Stage, Words
from api.pages.words import _
from disputes.cases.models import Case, Exit
from disputes.cases.models import Stage as CaseStage
from disputes.cases.rules import STANDINGS, stage_name
from disputes.identity.roles import Role
from engine import Task


def stage_names() -> dict[CaseStage, str]:
    """The stages in their order, as people read them."""
    return {stage: stage_name(stage, language()) for stage in CaseStage}


def visited_stages(session: Session, case: Case) -> set[CaseStage]:
    """The stages in which somebody was ever asked something, and those that every case passes."""
    asked = session.execute(
        select(Task.process, Task.element).where(Task.instance_id == case.instance_id).distinct()
    ).all()
    found = {STANDINGS[place].stage for process, element in asked if (place := (process, element)) in STANDINGS}
    passed = {CaseStage.REGISTRATION}
    if case.accepted_at is not None or case.exit in (Exit.REFUSED, Exit.LAPSED_IDENTITY):
        passed.add(CaseStage.ACCEPTANCE)
    if case.closed_at is not None:
        passed.add(CaseStage.CLOSURE)
    return found | passed


def exit_words(exit: Exit | None) -> str:
    """How a case ended, in a sentence."""
    if exit is None:
        return _("承办单位终止了办理")
    return {
        Exit.SETTLED_IN_HOUSE: _("和商家和解了"),
        Exit.SETTLED_SUNSHINE: _("和商家和解了"),
        Exit.REFUSED: _("没有受理，理由写在决定书里"),
        Exit.MEDIATED: _("调解成功，协议已经履行"),
        Exit.COURT_CONFIRMED: _("法院确认了调解协议"),
        Exit.WITHDRAWN: _("投诉已经撤回"),
        Exit.LAPSED_IDENTITY: _("没有按时补交身份材料，没有受理"),
        Exit.TERMINATED: _("没有谈成，调解终止，可以走其他途径"),
        Exit.NOT_PURSUED: _("没有继续投诉"),
        Exit.POINTED_ELSEWHERE: _("已经告诉您该找谁"),
    }.get(exit, _("已经办结"))


def stages(case: Case, visited: Collection[CaseStage]) -> tuple[Stage, ...]:
    """Each stage: done, now, skipped or still to come."""
    names = stage_names()
    order = list(names)
    at = order.index(CaseStage(case.stage))
    closed = case.closed_at is not None and not case.turn
    drawn = []
    for number, (stage, name) in enumerate(names.items()):
        if stage == case.stage:
            drawn.append(Stage(name, "now", _("（现在在这里）")))
        elif stage in visited:
            drawn.append(Stage(name, "done", _("（已完成）")))
        elif closed or (number < at and not _may_follow(stage, case)):
            drawn.append(Stage(name, "skipped", _("（没有经过）")))
        else:
            drawn.append(Stage(name, "todo", ""))
    return tuple(drawn)


def _may_follow(stage: CaseStage, case: Case) -> bool:
    """In-store settlement comes before the acceptance, though it stands after it on the line."""
    return stage == CaseStage.ACCEPTANCE and case.stage == CaseStage.SETTLEMENT


def line(
    case: Case,
    *,
    visited: Collection[CaseStage],
    yours: Sequence[tuple[str, str, Clock | None]],
    others: Sequence[tuple[str, Sequence[str], Clock | None]],
    roles: Collection[str],
    office: str,
    now: datetime,
) -> CaseLine:
    """The case line for one reader.

    ``yours``: (what, address, clock) of what this reader owes; ``others``: (what, roles, clock) of all that waits.
    """
    names = stage_names()
    drawn = stages(case, visited)
    where = escape(_("现在：{stage}，第{n}步（共{all}步）")).format(
        stage=Markup("<b>{}</b>").format(names[CaseStage(case.stage)]),
        n=list(names).index(CaseStage(case.stage)) + 1,
        all=len(names),
    )
    party = bool(set(roles) & {Role.COMPLAINANT, Role.RESPONDENT})
    if yours:
        what, url, clock = yours[0]
        return CaseLine(
            stages=drawn,
            turn="you",
            icon="user",
            who=_("轮到您"),
            what=_("请%(what)s", what=what) if party else what,
            when=_when(clock, now, yours=True, party=party),
            where=where,
            action=Link(_("现在去办"), url),
        )
    if others:
        what, turn, clock = others[0]
        return CaseLine(
            stages=drawn,
            turn="other",
            icon="clock",
            who=_("等%(who)s", who=who_words(turn, roles, office)),
            what=what,
            when=_when(clock, now, yours=False, party=party),
            where=where,
        )
    return CaseLine(
        stages=drawn, turn="none", icon="check", who=_("已办结"), what=exit_words(case.exit), where=where
    )


def who_words(turn: Sequence[str], roles: Collection[str], office: str) -> str:
    """Who owes the step, as this reader names them."""
    said = []
    for role in turn:
        if role == Role.COMPLAINANT:
            said.append(_("您") if Role.COMPLAINANT in roles else _("消费者"))
        elif role == Role.RESPONDENT:
            said.append(_("您") if Role.RESPONDENT in roles else _("商家"))
        elif role == Role.OFFICER and office:
            said.append(office)
        else:
            said.append(role_words(role))
    return _("和").join(dict.fromkeys(said)) or _("系统")


def _when(clock: Clock | None, now: datetime, *, yours: bool, party: bool) -> Words:
    idle = "" if yours or not party else _("您现在不用做什么。")
    if clock is None:
        return idle
    if clock.state == "paused":
        return escape(_("{due}，暂停计时。")).format(due=clock.due) + idle
    if clock.state == "overdue":
        return escape(_("{left}，已经提醒。")).format(left=Markup("<b>{}</b>").format(clock.figure)) + idle
    sentence = escape(_("{due}，{left}。")).format(due=clock.due, left=Markup("<b>{}</b>").format(clock.figure))
    return sentence + idle
