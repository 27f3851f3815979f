"""After the end: return visits and, where one went badly, the rectification."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Moment
from core.sealing import Sealed

#: A rating up to this is a bad review 差评 (DOMAIN 3 e).
BAD_RATING = 2


class ReturnVisit(Base):
    """One try to reach the complainant after the closing (S05)."""

    __tablename__ = "return_visit"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        CheckConstraint("rating between 1 and 5", name="rating_one_to_five"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    number: Mapped[int]
    reached: Mapped[bool]
    #: 1 very bad to 5 very good; null when nobody was reached.
    rating: Mapped[int | None]
    comment: Mapped[str] = mapped_column(Sealed, default="")
    visited_at: Mapped[datetime] = mapped_column(Moment, index=True)
    visited_by: Mapped[str]


class Rectification(Base):
    """What the office did about a bad review."""

    __tablename__ = "rectification"
    __table_args__ = (UniqueConstraint("case_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    number: Mapped[int]
    measures: Mapped[str] = mapped_column(Sealed)
    done_at: Mapped[datetime] = mapped_column(Moment)
    done_by: Mapped[str]
    #: The supervisor's word where even the second visit was bad.
    reviewed_at: Mapped[datetime | None] = mapped_column(Moment)
    review: Mapped[str | None] = mapped_column(Sealed)
