"""What was deployed, when and by whom."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment


class Release(Base):
    """One deployment of a bundle; the latest is the one on which new cases start."""

    __tablename__ = "release"

    #: 1, 2, 3 …: the order of deployment.
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(ForeignKey("bundle.digest"))
    #: What people call it.
    name: Mapped[str] = mapped_column(String(200))
    deployed_at: Mapped[datetime] = mapped_column(Moment)
    deployed_by: Mapped[str] = mapped_column(String(200))
    #: Warnings with which it was deployed; errors are refused.
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json)

    __table_args__ = (Index("ix_release_digest", "digest"),)
