"""The organisations of the district and beyond, as one tree."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, false, true
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment


class Kind(StrEnum):
    """What an organisation is."""

    BUREAU = "bureau"  #: 市场监督管理局 or another authority; the district's own bureau is the root of the tree
    CENTRE = "centre"  #: 处理中心: receives, registers, dispatches
    OFFICE = "office"  #: 市场监管所: has competence over its area
    STATION = "station"  #: 消费维权服务站: belongs to an office, helps to file and to settle
    MERCHANT = "merchant"  #: 经营者
    COUNCIL = "council"  #: 消费者权益保护委员会
    MEDIATION_BODY = "mediation_body"  #: 人民调解委员会 or an industry's mediation body
    COURT = "court"  #: 人民法院


class Organisation(Base):
    """An authority, a station, a merchant, a mediation body or a court."""

    __tablename__ = "organisation"
    __table_args__ = (
        Index("ix_organisation_kind", "kind", "region"),
        CheckConstraint("kind <> 'station' or parent_id is not null", name="station_has_office"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    #: Our own short code, stable over renaming: ``YX-03`` an office, ``YX-03-05`` a station.
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120), index=True)
    name_en: Mapped[str] = mapped_column(String(160), default="")
    kind: Mapped[str] = mapped_column(String(16))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    #: GB/T 2260 of the county: six digits.
    region: Mapped[str] = mapped_column(String(6))
    address: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(32), default="")
    email: Mapped[str | None] = mapped_column(String(120))
    #: 统一社会信用代码, 18 characters with a check character (GB 32100).
    uscc: Mapped[str | None] = mapped_column(String(18), unique=True)
    legal_representative: Mapped[str | None] = mapped_column(String(60))
    trade: Mapped[str | None] = mapped_column(String(40), index=True)
    #: Names of streets, villages, roads, malls and markets that belong to it, longest match wins.
    areas: Mapped[list[str]] = mapped_column(Json, default=list)
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    #: 入驻: has joined the settlement platform and answers in its own inbox.
    on_board: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: Has a registered phone or mail at which a notice reaches it.
    contactable: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: Skills of a mediation body: the trades that it knows.
    skills: Mapped[list[str]] = mapped_column(Json, default=list)
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    synthetic: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    @property
    def as_kind(self) -> Kind:
        return Kind(self.kind)

    def title(self, language: str = "zh") -> str:
        """The name in the reader's language, Chinese where there is no English one."""
        return self.name_en if language == "en" and self.name_en else self.name
