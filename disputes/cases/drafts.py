"""What somebody has typed of a filing and not sent: kept on the server, with its files, for whoever holds its id.

A filing needs no account, so a draft belongs to the random id that its browser holds; somebody who signed in finds
it again on another device. Content and files are sealed. Drafts are forgotten after ``KEPT``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, Integer, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import sealing
from core.db import Base, Json, Moment, insert_missing
from core.refusals import Invalid, NotFound, WrongState
from core.sealing import Sealed
from disputes.cases.evidence import LARGEST_FILE, add_evidence, kind_of
from disputes.cases.models import Case
from disputes.identity.actor import Actor

#: How long a draft waits for its writer.
KEPT = timedelta(days=30)
#: How long the emptied draft of a filing stands against late saves; its files go with it.
KEPT_AFTER_FILING = timedelta(days=1)
#: Most files of one draft.
MOST_FILES = 20
#: Longest draft, in characters of JSON.
LONGEST = 100_000
#: The field whose files are identity papers: the office alone sees them.
IDENTITY_FIELD = "identity_files"


class FilingDraft(Base):
    """One filing that is not sent yet."""

    __tablename__ = "filing_draft"
    __table_args__ = (Index("ix_filing_draft_saved_at", "saved_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    content: Mapped[str] = mapped_column(Sealed)
    #: ``[{id, name, mime, size}]``; the bytes lie sealed on disk.
    files: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    #: The step of the guided filing that comes next, 1 the first.
    step: Mapped[int] = mapped_column(Integer, default=1)
    form_digest: Mapped[str] = mapped_column(String(64), default="")
    saved_at: Mapped[datetime] = mapped_column(Moment)
    #: Since when it is a case: emptied, and kept so that a save that arrives late begins no second one.
    filed_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def values(self) -> dict[str, Any]:
        """What was typed so far."""
        typed: dict[str, Any] = json.loads(self.content)
        return typed


@dataclass(frozen=True)
class DraftFile:
    """A file of a draft."""

    id: str
    name: str
    mime: str
    size: int


def find(session: Session, draft_id: UUID | None, *, by: Actor) -> FilingDraft | None:
    """The draft of this id, or the newest of somebody who signed in. Another person's draft is not found."""
    if draft_id is not None:
        found = session.get(FilingDraft, draft_id)
        if found is not None and found.filed_at is None and found.person_id in (None, by.person_id):
            return found
    if by.person_id is None:
        return None
    query = select(FilingDraft).where(FilingDraft.person_id == by.person_id, FilingDraft.filed_at.is_(None))
    return session.scalars(query.order_by(FilingDraft.saved_at.desc()).limit(1)).one_or_none()


def begin(session: Session, draft_id: UUID, *, by: Actor, now: datetime) -> FilingDraft:
    """The draft of this id, made when there is none; of two that begin it at once, both get the same.

    Raises NotFound for another person's, and WrongState for one that is a case already.
    """
    insert_missing(
        session,
        FilingDraft,
        id=draft_id,
        person_id=by.person_id,
        content="{}",
        files=[],
        step=1,
        form_digest="",
        saved_at=now,
    )
    draft = session.get_one(FilingDraft, draft_id)
    if draft.person_id not in (None, by.person_id):
        raise NotFound("没有这份草稿。 There is no such draft.", code="draft.not_found")
    if draft.filed_at is not None:
        raise WrongState("这份草稿已经提交。 This draft has been filed.", code="draft.filed")
    return draft


def save(
    session: Session,
    draft: FilingDraft,
    values: Mapping[str, Any],
    *,
    step: int,
    form_digest: str,
    by: Actor,
    now: datetime,
) -> FilingDraft:
    """Keep what was typed; it is not checked. Raises Invalid when it is too long."""
    text = json.dumps(dict(values), ensure_ascii=False, default=str)
    if len(text) > LONGEST:
        raise Invalid("草稿太长，没有保存。 The draft is too long to be kept.", code="draft.too_long")
    draft.person_id = by.person_id or draft.person_id
    draft.content, draft.step, draft.form_digest, draft.saved_at = text, step, form_digest, now
    session.flush()
    return draft


def attach(
    session: Session, draft: FilingDraft, *, name: str, content: bytes, files: Path, now: datetime
) -> DraftFile:
    """Keep a file with a draft. Raises Invalid for what cannot be taken."""
    mime = kind_of(content)
    wrong = None
    if mime is None:
        wrong = "只收照片、PDF、录音和录像。 Only pictures, PDF, sound and video are taken."
    elif len(content) > LARGEST_FILE:
        wrong = f"单个文件不超过{LARGEST_FILE // 1024 // 1024}MB。 The file is too large."
    elif len(draft.files) >= MOST_FILES:
        wrong = f"一次最多传{MOST_FILES}个文件。 At most {MOST_FILES} files can be sent at once."
    if wrong is not None or mime is None:
        raise Invalid(wrong or "", code="evidence.unfit", fields={"file": [wrong or ""]})
    kept = DraftFile(uuid4().hex, _plain(name), mime, len(content))
    path = _path(files, draft.id, kept.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sealing.seal_bytes(content))
    draft.files = [*draft.files, {"id": kept.id, "name": kept.name, "mime": kept.mime, "size": kept.size}]
    draft.saved_at = now
    session.flush()
    return kept


def files_of(draft: FilingDraft) -> dict[str, DraftFile]:
    """The files of a draft by their ids."""
    return {str(one["id"]): DraftFile(**one) for one in draft.files}


def lay_before(
    session: Session,
    draft: FilingDraft,
    case: Case,
    content: Mapping[str, Any],
    *,
    files: Path,
    by: Actor,
    now: datetime,
) -> None:
    """Make the files that the filing names evidence of its case, and empty the draft."""
    known = files_of(draft)
    for field, value in content.items():
        for file_id in value if isinstance(value, list) else []:
            file = known.get(str(file_id))
            if file is None:
                continue
            add_evidence(
                session,
                case,
                name=file.name,
                content=read(draft, file.id, files=files),
                is_identity=field == IDENTITY_FIELD,
                files=files,
                by=by,
                now=now,
            )
    draft.content, draft.filed_at = "{}", now
    session.flush()


def read(draft: FilingDraft, file_id: str, *, files: Path) -> bytes:
    """The bytes of one file. Raises NotFound."""
    if file_id not in files_of(draft):
        raise NotFound("没有这份材料。 There is no such file.", code="evidence.not_found")
    return sealing.unseal_bytes(_path(files, draft.id, file_id).read_bytes())


def forget_old(session: Session, *, files: Path, now: datetime) -> int:
    """Drop drafts that nobody came back to, with their files; answers how many."""
    over = or_(FilingDraft.saved_at < now - KEPT, FilingDraft.filed_at < now - KEPT_AFTER_FILING)
    old = session.scalars(select(FilingDraft).where(over)).all()
    for draft in old:
        forget_files(draft, files=files)
        session.delete(draft)
    session.flush()
    return len(old)


def forget_files(draft: FilingDraft, *, files: Path) -> None:
    """Remove a draft's files from the disk."""
    for file_id in files_of(draft):
        _path(files, draft.id, file_id).unlink(missing_ok=True)


def _path(files: Path, draft_id: UUID, file_id: str) -> Path:
    return files / "drafts" / draft_id.hex / file_id


def _plain(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip()[:200] or "未命名"
