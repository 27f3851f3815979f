"""What parties are told while their case stands still."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Cause(StrEnum):
    """Why a case is suspended, as its parties are told."""

    SYSTEM = "system"  #: a fault of the system that is being mended
    DATA = "data"  #: what is recorded has to be checked first
    PROCEDURE = "procedure"  #: the procedure itself is being put right
    OTHER = "other"  #: the operator's words alone


class Standstill(Base):
    """One suspension of a case, in the words for those whose case it is; the operator's reason lies beside it."""

    __tablename__ = "standstill"

    suspension_id: Mapped[UUID] = mapped_column(ForeignKey("suspension.id"), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"), index=True)
    cause: Mapped[Cause] = mapped_column(String(20))
    #: What the operator adds for the parties; may be empty, unless the cause is ``other``.
    told: Mapped[str] = mapped_column(Text, default="")
