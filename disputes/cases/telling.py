"""Telling the people of a case what happened and what they may do: each event's words, and to whom they go."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from core.now import CHINA
from disputes.cases.addressing import addressee
from disputes.cases.models import Case, Exit
from disputes.cases.rules import exit_name
from disputes.notices import operations as notices

#: kind → (title, title in English, text, text in English). ``{no}`` is the case number, ``{title}`` its title.
WORDS: dict[str, tuple[str, str, str, str]] = {
    "complaint.received": (
        "投诉已收到",
        "Complaint received",
        "您的投诉 {no} 已由市场监管部门收到，受理期限从今天起算。",
        "The market regulator has received your complaint {no}; the limit for its decision runs from today.",
    ),
    "tipoff.separated": (
        "举报内容已单独登记",
        "Tip-off kept apart",
        "您在 {no} 里反映的涉嫌违法线索已单独登记封存，不进入调解材料，也不会给商家看。",
        "What you reported in {no} about a violation is kept apart and sealed; the merchant will not see it.",
    ),
    "matter.pointed_elsewhere": (
        "您的诉求已答复",
        "Your matter is answered",
        "{no}：{answer} {body}",
        "{no}: {answer} {body}",
    ),
    "case.dispatched": (
        "新分送的投诉",
        "A complaint was dispatched to you",
        "{no} {title} 已分送到你单位，请及时联系投诉人。",
        "{no} {title} was dispatched to your office; please contact the complainant.",
    ),
    "case.office_known": (
        "投诉已分送",
        "Complaint dispatched",
        "您的投诉 {no} 由{office}办理。",
        "Your complaint {no} is handled by {office}.",
    ),
    "identity.asked": (
        "请补交身份证明材料",
        "Please supply proof of identity",
        "请在 {due_on} 前为 {no} 提供身份证明材料；逾期可能不予受理。",
        "Please supply proof of identity for {no} by {due_on}; it may be refused otherwise.",
    ),
    "complaint.accepted": (
        "投诉已受理",
        "Complaint accepted",
        "您的投诉 {no} 已受理（{number}）。请答复是否同意调解。",
        "Your complaint {no} was accepted ({number}). Please say whether you agree to mediation.",
    ),
    "complaint.accepted_against": (
        "有一件投诉请您答复",
        "A complaint asks for your answer",
        "市场监管部门受理了对贵店的投诉 {no} {title}，请答复是否同意调解。",
        "The market regulator accepted a complaint against you, {no} {title}. Please say whether you agree to "
        "mediation.",
    ),
    "complaint.refused": (
        "投诉不予受理",
        "Complaint refused",
        "您的投诉 {no} 不予受理（{number}），决定书写明了理由和其他途径。{body}",
        "Your complaint {no} was refused ({number}); the decision gives the reasons and the other routes. {body}",
    ),
    "complaint.withdrawn": (
        "投诉已撤回",
        "Complaint withdrawn",
        "{no} {title} 已由投诉人撤回，没有办完的事项一并取消。",
        "{no} {title} was withdrawn by the complainant; nothing more is asked of you.",
    ),
    "settlement.invited": (
        "有消费者希望与您和解",
        "A consumer would like to settle with you",
        "{notice}\n打开链接即可答复，不需要注册：{url}",
        "{notice}\nOpen the link to answer; no account is needed: {url}",
    ),
    "settlement.merchant_invited": (
        "已通知商家",
        "The merchant was invited",
        "已把隐去您信息的通知发给商家（{no}），等它认领。您随时可以改为投诉。",
        "A notice without your data was sent to the merchant ({no}). You may file the complaint at any time.",
    ),
    "settlement.order": (
        "新的和解请求",
        "A new settlement request",
        "{no} {title}：消费者希望先与您协商，请提出方案。",
        "{no} {title}: a consumer would like to settle first. Please make an offer.",
    ),
    "settlement.order_delivered": (
        "和解请求已送达",
        "The request was delivered",
        "商家已经收到您的和解请求 {no}。您随时可以改为投诉。",
        "The merchant has your request {no}. You may file the complaint at any time.",
    ),
    "settlement.published": (
        "和解邀约已公开",
        "The invitation was published",
        "{no} 的邀约经审核隐去身份后公开，等待商家答复。",
        "The invitation of {no} was published after review, without anybody's identity.",
    ),
    "settlement.offer": (
        "商家提出了方案",
        "The merchant made an offer",
        "{no}：商家提出了第{round}次方案，请答复。没有答复不算同意。",
        "{no}: the merchant made offer number {round}. Please answer; silence is no consent.",
    ),
    "settlement.accept": (
        "消费者接受了方案",
        "The offer was accepted",
        "{no}：消费者接受了第{round}次方案，请按期履行。",
        "{no}: the consumer accepted offer number {round}. Please perform it in time.",
    ),
    "settlement.counter": (
        "消费者提出了自己的方案",
        "The consumer made a counter-offer",
        "{no}：消费者对第{round}次方案提出了自己的意见，请再提出方案。",
        "{no}: the consumer answered offer number {round} with a counter-offer.",
    ),
    "settlement.reject": (
        "消费者没有接受方案",
        "The offer was rejected",
        "{no}：消费者没有接受第{round}次方案。",
        "{no}: the consumer rejected offer number {round}.",
    ),
    "settlement.agreed": (
        "已达成和解",
        "Settled",
        "{no} 已达成和解，请在 {due_on} 前履行。",
        "{no} is settled; it is to be performed by {due_on}.",
    ),
    "settlement.failed": (
        "和解没有谈成",
        "The settlement failed",
        "{no} 没有谈成。消费者可以继续投诉，已填的内容不用重填。",
        "{no} was not settled. The consumer may file the complaint; nothing need be typed again.",
    ),
    "mediation.assigned": (
        "新的调解案件",
        "A new mediation",
        "{no} {title} 由你调解，请安排时间。",
        "{no} {title} is yours to mediate; please plan a session.",
    ),
    "mediation.opened": (
        "进入调解",
        "Mediation has begun",
        "{no} 由{mediator}主持调解。认为有利害关系的，可以申请回避。",
        "{no} is mediated by {mediator}. You may ask for a recusal where there is a conflict of interest.",
    ),
    "mediation.session": (
        "调解时间",
        "A mediation session",
        "{no} 定于 {planned_for} 调解，地点：{place}。",
        "{no} will be mediated at {planned_for}, place: {place}.",
    ),
    "mediation.agreed": (
        "已达成调解协议",
        "An agreement was reached",
        "{no} 已达成协议，请在 {due_on} 前履行。",
        "{no} ended with an agreement, to be performed by {due_on}.",
    ),
    "mediation.terminated": (
        "调解已终止",
        "The mediation was terminated",
        "{no} 的调解已终止（{number}）。决定书写明了理由，您还可以依法诉讼、仲裁。",
        "The mediation of {no} was terminated ({number}). You may still sue or arbitrate.",
    ),
    "court.package_sent": (
        "新的移送材料",
        "A package has arrived",
        "{no} {title} 的材料已送达，请签收或者退回补正。",
        "The package of {no} {title} has arrived; please receipt or return it.",
    ),
    "court.delegation_opened": (
        "已移送法院诉前委派",
        "Handed to the court",
        "双方同意，{no} 已移送{court}诉前委派调解。",
        "With both sides' consent, {no} was handed to {court} for mediation before docketing.",
    ),
    "court.materials_returned": (
        "诉前调解没有谈成",
        "Mediation before docketing failed",
        "{no} 的材料已退回法院，可以直接起诉。",
        "The materials of {no} went back to the court; a suit may be filed.",
    ),
    "court.application": (
        "司法确认申请",
        "An application for confirmation",
        "{no} 的双方共同申请司法确认，请决定是否受理。",
        "Both parties of {no} apply for judicial confirmation; please decide on docketing.",
    ),
    "court.confirmed": (
        "协议已经司法确认",
        "The agreement is confirmed",
        "{no} 的协议经法院裁定有效（{number}），可以申请强制执行。",
        "The court confirmed the agreement of {no} ({number}); it can be enforced.",
    ),
    "court.dismissed": (
        "司法确认申请被驳回",
        "The application was dismissed",
        "{no} 的司法确认申请被驳回。可以重新调解，或者起诉。",
        "The application of {no} was dismissed; mediate again, or sue.",
    ),
    "case.closed": (
        "案件已办结",
        "The case is closed",
        "{no} 已办结：{exit_zh}。",
        "{no} is closed: {exit_en}.",
    ),
    "deadline.paused": (
        "期限暂停计时",
        "A clock stands still",
        "{no} 的{limit}因{why}暂停计时（{article}），恢复以后接着算剩下的日子。",
        "{no}: the clock of “{limit_en}” stands still: {why_en} ({article}). What is left counts once it goes on.",
    ),
    "deadline.resumed": (
        "期限恢复计时",
        "The clock goes on",
        "{no} 的{limit}恢复计时，最后一日是{due_on}。",
        "{no}: the clock of “{limit_en}” goes on; the last day is {due_on}.",
    ),
    "deadline.extension_asked": (
        "有一份延期申请等您批准",
        "A request for more time waits for you",
        "{no} {title}：{who}申请把{limit}延长到{due_on}。理由：{why}",
        "{no} {title}: {who} asks to extend “{limit_en}” to {due_on}. Reason: {why}",
    ),
    "deadline.extended": (
        "期限经批准延长",
        "A deadline was extended",
        "{no} 的{limit}经{who}批准延长，最后一日是{due_on}（{article}）。",
        "{no}: “{limit_en}” was extended by {who}; the last day is {due_on} ({article}).",
    ),
    "case.suspended": (
        "案件处理暂停",
        "The case stands still",
        "{no} 的办理暂停了。{why_zh}",
        "{no} stands still for now. {why_en}",
    ),
    "case.resumed": (
        "案件恢复办理",
        "The case goes on",
        "{no} 已恢复办理。{kept_zh}",
        "{no} goes on. {kept_en}",
    ),
    "case.cancelled": (
        "案件终止办理",
        "The case was ended",
        "{no} {title} 已由承办单位终止办理：{why}",
        "{no} {title} was ended by the office in charge: {why}",
    ),
    "deadline.remind": (
        "请及时办理：{what}",
        "Please act: {what_en}",
        "{no} {title}：{what}。{limit}",
        "{no} {title}: {what_en}. {limit_en}",
    ),
}


def tell(session: Session, case: Case, roles: Iterable[str], kind: str, *, now: datetime, **facts: Any) -> None:
    """Tell those whom the roles mean in this case. Nobody is told who is not known (a merchant without a trace)."""
    said = {key: _worded(value) for key, value in facts.items()}
    exit = facts.get("exit") or case.exit
    words = {
        "no": case.case_no,
        "title": case.title,
        "exit_zh": exit_name(Exit(exit)) if exit else "",
        "exit_en": exit_name(Exit(exit), "en") if exit else "",
        **said,
    }
    title_zh, title_en, text_zh, text_en = (text.format_map(words).strip() for text in WORDS[kind])
    for role in dict.fromkeys(roles):
        to = addressee(session, case, role)
        if to.person_id is None and to.organisation_id is None:
            continue
        notices.tell(
            session,
            person_id=to.person_id,
            organisation_id=None if to.person_id else to.organisation_id,
            role=None if to.person_id else role,
            case_key=str(case.id),
            kind=kind,
            title_zh=title_zh,
            title_en=title_en,
            text_zh=text_zh,
            text_en=text_en,
            link=f"/cases/{case.id}",
            now=now,
        )


def _worded(value: Any) -> str:
    """A fact as people write it; absent facts are silent."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(CHINA).strftime("%Y年%-m月%-d日 %H:%M")
    if isinstance(value, date):
        return value.strftime("%Y年%-m月%-d日")
    return str(value)
