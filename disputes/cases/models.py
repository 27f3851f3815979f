"""A case: the dispute of one consumer with one merchant, its parties, its evidence and its notes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, Json, Moment
from core.sealing import Sealed


class Stage(StrEnum):
    """Where a case stands on the case line."""

    REGISTRATION = "registration"  #: 登记
    ACCEPTANCE = "acceptance"  #: 受理
    SETTLEMENT = "settlement"  #: 和解
    MEDIATION = "mediation"  #: 调解
    COURT = "court"  #: 诉调对接
    CLOSURE = "closure"  #: 办结
    REVISIT = "revisit"  #: 回访


class Status(StrEnum):
    """What a case is, in the desk's word. Derived from where its diagram waits (``rules.standing``)."""

    REGISTERED = "registered"  #: 已登记
    TO_DISPATCH = "to_dispatch"  #: 待分送
    TO_ACCEPT = "to_accept"  #: 待受理
    SUPPLEMENTING = "supplementing"  #: 补正中
    ACCEPTED = "accepted"  #: 已受理
    REFUSED = "refused"  #: 不予受理
    SETTLEMENT_REQUESTED = "settlement_requested"  #: 和解申请
    SETTLING = "settling"  #: 和解中
    SETTLED = "settled"  #: 已和解
    SETTLEMENT_FAILED = "settlement_failed"  #: 和解未成
    MEDIATING = "mediating"  #: 调解中
    APPRAISING = "appraising"  #: 鉴定检测中（计时暂停）
    AGREED = "agreed"  #: 已达成协议
    PERFORMING = "performing"  #: 履行中
    TERMINATED = "terminated"  #: 终止调解
    TO_DELEGATE = "to_delegate"  #: 待委派确认
    DELEGATED = "delegated"  #: 委派调解中
    CONFIRMING = "confirming"  #: 司法确认申请中
    CONFIRMED = "confirmed"  #: 确认有效
    DISMISSED = "dismissed"  #: 驳回确认
    CLOSED = "closed"  #: 已办结
    TO_REVISIT = "to_revisit"  #: 待回访
    RECTIFYING = "rectifying"  #: 差评整改中
    ARCHIVED = "archived"  #: 已归档


class Exit(StrEnum):
    """How a case left the procedure: the end event of the diagram ``complaint``."""

    SETTLED_IN_HOUSE = "settled_in_house"  #: 店内和解（内部协同）
    SETTLED_SUNSHINE = "settled_sunshine"  #: 店内和解（外部阳光）
    REFUSED = "refused"  #: 不予受理
    MEDIATED = "mediated"  #: 调解成功
    COURT_CONFIRMED = "court_confirmed"  #: 司法确认有效
    WITHDRAWN = "withdrawn"  #: 投诉人撤回
    LAPSED_IDENTITY = "lapsed_identity"  #: 逾期未提供身份材料，不予受理
    TERMINATED = "terminated"  #: 终止调解，已告知诉讼等途径
    NOT_PURSUED = "not_pursued"  #: 和解未成，消费者没有继续投诉
    POINTED_ELSEWHERE = "pointed_elsewhere"  #: 不是投诉，已指明去处


class Kind(StrEnum):
    """What the matter is (办法 第三条、第四十四条)."""

    COMPLAINT = "complaint"  #: 投诉
    TIPOFF = "tipoff"  #: 举报
    MIXED = "mixed"  #: 投诉和举报并存，已分开
    CONSULTATION = "consultation"  #: 咨询
    OTHER = "other"  #: 其他渠道的事项


class Performance(StrEnum):
    """Whether what was agreed was done."""

    PERFORMED = "performed"  #: the complainant says so, or both declared it on the spot
    PRESUMED = "presumed"  #: the complainant kept silent until the limit passed (S08)
    NOT_PERFORMED = "not_performed"  #: the complainant says that it was not done


class Side(StrEnum):
    """Who a party is in the case."""

    COMPLAINANT = "complainant"  #: 投诉人
    RESPONDENT = "respondent"  #: 被投诉人
    REPRESENTATIVE = "representative"  #: 代表人（办法 第十二条）
    AGENT = "agent"  #: 委托代理人（办法 第十一条）


class Case(Base):
    """One dispute from its filing to its archive. What is personal lies sealed, in the parties and the facts."""

    __tablename__ = "dispute_case"
    __table_args__ = (
        UniqueConstraint("case_no"),
        CheckConstraint("disputed_fen >= 0", name="disputed_not_negative"),
        CheckConstraint("recovered_fen >= 0", name="recovered_not_negative"),
        Index("ix_dispute_case_complainant_id_filed_at", "complainant_id", "filed_at"),
        Index("ix_dispute_case_merchant_id_filed_at", "merchant_id", "filed_at"),
        Index("ix_dispute_case_office_id_filed_at", "office_id", "filed_at"),
        Index("ix_dispute_case_stage_filed_at", "stage", "filed_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    #: ``330299-20260918-0001``: region, day of filing in China, running number of that day.
    case_no: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[Kind] = mapped_column(String(16), default=Kind.COMPLAINT)
    status: Mapped[Status] = mapped_column(String(32), default=Status.REGISTERED, index=True)
    stage: Mapped[Stage] = mapped_column(String(16), default=Stage.REGISTRATION)
    #: Roles that owe the next step, as the last step of the diagram left it.
    turn: Mapped[list[str]] = mapped_column(Json, default=list)
    exit: Mapped[Exit | None] = mapped_column(String(32), index=True)
    instance_id: Mapped[UUID | None] = mapped_column(index=True)

    complainant_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    #: Who typed it: the complainant, or a clerk at the counter for somebody.
    filed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    respondent_name: Mapped[str] = mapped_column(String(200))
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    #: The service station or counter at which somebody was helped to file.
    station_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    mediator_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    mediation_body_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    court_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)

    #: What happened, in the complainant's words.
    facts: Mapped[str] = mapped_column(Sealed)
    #: What points to a violation in a mixed matter, until intake seals it apart (办法 第九条).
    tipoff: Mapped[str | None] = mapped_column(Sealed)
    #: 文书式样一: 修理 · 重作 · 更换 · 退货 · 补足商品数量 · 退还货款和服务费用 · 赔偿损失 · 其他
    requests: Mapped[list[str]] = mapped_column(Json, default=list)
    category: Mapped[str] = mapped_column(String(60), default="")
    #: Everything else that the filing form asked, for the routing and the papers; no personal data.
    particulars: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    occurred_on: Mapped[date | None] = mapped_column(Date)
    #: 涉及争议金额
    disputed_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    #: What the merchant undertook to pay, in the agreement that ended the dispute.
    agreed_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    performance: Mapped[Performance | None] = mapped_column(String(16))
    #: 为消费者挽回经济损失: set at closure from the agreement and its performance.
    recovered_fen: Mapped[int] = mapped_column(BigInteger, default=0)

    path: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str | None] = mapped_column(String(16))
    region: Mapped[str] = mapped_column(String(12))
    filed_at: Mapped[datetime] = mapped_column(Moment)
    received_at: Mapped[datetime | None] = mapped_column(Moment)
    #: Since when the merchant may know of the case; before that its people do not see it.
    respondent_told_at: Mapped[datetime | None] = mapped_column(Moment)
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    #: Invented for a demonstration or a test of load; never counted in figures that leave the house.
    synthetic: Mapped[bool] = mapped_column(default=False)
    #: The real ticket behind a case of the demonstration, by its name under examples/tickets.
    ticket: Mapped[str | None] = mapped_column(String(60))
    version: Mapped[int] = mapped_column(Integer, default=1)

    parties: Mapped[list["Party"]] = relationship(back_populates="case", order_by="Party.position")

    __mapper_args__ = {"version_id_col": version}


class Party(Base):
    """One party of a case, with the data that papers and hand-overs need."""

    __tablename__ = "party"
    __table_args__ = (UniqueConstraint("case_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    position: Mapped[int] = mapped_column(Integer)
    side: Mapped[Side] = mapped_column(String(16))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(Sealed)
    phone: Mapped[str | None] = mapped_column(Sealed)
    #: Finds "several people, one phone" (办法 第十七条) without reading anybody's number.
    phone_fingerprint: Mapped[str | None] = mapped_column(String(64), index=True)
    address: Mapped[str | None] = mapped_column(Sealed)
    #: 送达地址确认书
    service_address: Mapped[str | None] = mapped_column(Sealed)
    id_type: Mapped[str | None] = mapped_column(String(20))
    id_no: Mapped[str | None] = mapped_column(Sealed)
    uscc: Mapped[str | None] = mapped_column(String(18))
    #: What the party agreed to: publish, e_service, record_av, entrust, judicial_confirmation_joint.
    consents: Mapped[dict[str, bool]] = mapped_column(Json, default=dict)

    case: Mapped[Case] = relationship(back_populates="parties")


class Evidence(Base):
    """A file that a party or an office laid before the case; the bytes lie on disk under their digest."""

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("case_id", "sha256"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    name: Mapped[str] = mapped_column(String(200))
    mime: Mapped[str] = mapped_column(String(60))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    #: Roles beside the one who laid it down that may open it.
    visible_to: Mapped[list[str]] = mapped_column(Json, default=list)
    #: identity papers are seen by the office alone, whatever ``visible_to`` says.
    is_identity: Mapped[bool] = mapped_column(default=False)
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(Moment)


class Note(Base):
    """What somebody wrote on a case, for those named in ``visible_to``."""

    __tablename__ = "note"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    text: Mapped[str] = mapped_column(Sealed)
    visible_to: Mapped[list[str]] = mapped_column(Json, default=list)
    written_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    written_at: Mapped[datetime] = mapped_column(Moment)


class CaseNumber(Base):
    """The last running number that was given out for a region on a day."""

    __tablename__ = "case_number"

    region: Mapped[str] = mapped_column(String(12), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int] = mapped_column(Integer)
