"""What was deployed, when and by whom."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Uuid
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

    #: From then on it can be neither made current again nor be the aim of a migration.
    retired_at: Mapped[datetime | None] = mapped_column(Moment)
    retired_by: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (Index("ix_release_digest", "digest"),)


class Migration(Base):
    """Running cases on their way from one release to another: rehearsed first, then carried out or abandoned."""

    class State(StrEnum):
        REHEARSING = "rehearsing"  #: Case after case is tried on a copy.
        REHEARSED = "rehearsed"  #: Every case was tried; nothing has changed yet.
        RUNNING = "running"  #: Case after case is carried over.
        DONE = "done"  #: Every case was carried over, refused or gone.
        ABANDONED = "abandoned"  #: Never carried out.

    __tablename__ = "migration"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    from_version: Mapped[int] = mapped_column(ForeignKey("release.version"))
    to_version: Mapped[int] = mapped_column(ForeignKey("release.version"))
    #: Element → element, as ``engine.migrating`` takes it.
    mapping: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    #: Whether moments are reckoned again by the new diagrams and limits.
    rederive: Mapped[bool] = mapped_column(Boolean, default=False)
    #: ``{office, status}``: which cases; empty for all.
    cases: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    why: Mapped[str] = mapped_column(String(400), default="")
    state: Mapped[State] = mapped_column(String(20), default=State.REHEARSING)
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(String(200))
    applied_at: Mapped[datetime | None] = mapped_column(Moment)
    applied_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_migration_state", "state"), Index("ix_migration_created_at_id", "created_at", "id"))


class MigrationItem(Base):
    """One case of a migration."""

    class State(StrEnum):
        WAITING = "waiting"  #: Not tried yet.
        FITS = "fits"  #: The rehearsal went through.
        REFUSED = "refused"  #: It stays on its release; ``reasons`` says why.
        MOVED = "moved"  #: Carried over.
        GONE = "gone"  #: It ended, or left its release otherwise, before its turn came.

    __tablename__ = "migration_item"

    migration_id: Mapped[UUID] = mapped_column(ForeignKey("migration.id"), primary_key=True)
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("instance.id"), primary_key=True)
    #: The case's number, or the business key where there is no case.
    case_no: Mapped[str] = mapped_column(String(200))
    state: Mapped[State] = mapped_column(String(20), default=State.WAITING)
    #: ``[{code, process, element, zh, en}]``
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    #: ``engine.Change`` as JSON: moments that move, what is armed, dropped, renamed.
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    #: Open tasks that are kept.
    tasks: Mapped[int] = mapped_column(Integer, default=0)
    at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_migration_item_state", "migration_id", "state", "instance_id"),)
