"""Tasks as people see them: who may take one, who took it, what was drafted and what was answered."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Json, Moment
from core.sealing import Sealed

#: Sorts items that have no due moment behind all that have one.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class ItemState(StrEnum):
    """Whether a task still waits for its answer."""

    OPEN = "open"  #: waits
    DONE = "done"  #: answered
    DROPPED = "dropped"  #: taken away by the diagram: a limit passed, a party withdrew


class InboxItem(Base):
    """One engine task, beside the case that it belongs to and the people whom it waits for.

    ``version`` counts claims, so that of two people who take the same task one wins.
    """

    __tablename__ = "inbox_item"
    __table_args__ = (
        # Covers the counts too: of 30,000 open tasks in 60 ms instead of 470.
        Index(
            "ix_inbox_item_role_page",
            "state",
            "role",
            "organisation_id",
            "person_id",
            "sort_at",
            "task_id",
            "stage",
            "claimed_by",
        ),
        Index("ix_inbox_item_person_page", "state", "person_id", "sort_at", "task_id"),
        Index("ix_inbox_item_claimed_page", "state", "claimed_by", "sort_at", "task_id"),
        Index("ix_inbox_item_case_id_opened_at", "case_id", "opened_at"),
    )

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    instance_id: Mapped[UUID]
    case_no: Mapped[str] = mapped_column(String(32), index=True)
    case_title: Mapped[str] = mapped_column(String(200))
    process: Mapped[str] = mapped_column(String(64))
    element: Mapped[str] = mapped_column(String(64))
    #: The name of the task in the diagram.
    title: Mapped[str] = mapped_column(String(200))
    form: Mapped[str] = mapped_column(String(64))
    #: The party that a multi-instance task asks: complainant or respondent.
    party: Mapped[str | None] = mapped_column(String(32))
    stage: Mapped[str] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(32))
    #: The organisation whose people with that role may take it; null: everybody with the role.
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    #: The one person who must do it (a party, the mediator of the case), where there is one.
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    #: ``due_at``, or NEVER: the key of the pages.
    sort_at: Mapped[datetime] = mapped_column(Moment)
    #: The explanation of the limit, as the engine keeps it with the task.
    due_note: Mapped[dict[str, Any] | None] = mapped_column(Json)
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(Moment)
    state: Mapped[ItemState] = mapped_column(String(8), default=ItemState.OPEN)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(Integer, default=1)

    __mapper_args__ = {"version_id_col": version}


class Answer(Base):
    """What a person filled into the form of a task, sealed; services read it, the process never holds it."""

    __tablename__ = "answer"
    __table_args__ = (Index("ix_answer_case_id_at", "case_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.task_id"), unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("dispute_case.id"))
    element: Mapped[str] = mapped_column(String(64))
    party: Mapped[str | None] = mapped_column(String(32))
    form: Mapped[str] = mapped_column(String(64))
    #: Digest of the form exactly as it was shown.
    form_digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Sealed)
    #: Null when the bearer of a claim link answered.
    by_person: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    by_name: Mapped[str] = mapped_column(Sealed)
    at: Mapped[datetime] = mapped_column(Moment)


class Draft(Base):
    """What a person has typed so far; survives a reload, a lost connection and an expired sign-in."""

    __tablename__ = "draft"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.task_id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    form_digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Sealed)
    saved_at: Mapped[datetime] = mapped_column(Moment)
