"""Files laid before a case: kept under their digest, sealed, outside the database."""

import hashlib
import os
import tempfile
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import sealing
from core.refusals import Forbidden, Invalid, NotFound, WrongState
from disputes.cases.access import require_on, roles_of
from disputes.cases.models import Case, Evidence
from disputes.identity.actor import Actor

#: Largest single file, in bytes: a phone's photograph or a scanned contract.
LARGEST_FILE = 10 * 1024 * 1024
#: Most files of one case.
MOST_FILES = 60
#: Who may be shown a party's file beside the offices that handle the case.
SHARED_WITH = frozenset({"complainant", "respondent", "mediator", "court_liaison", "council_liaison"})
#: The office sees every file; identity papers are for it alone.
_OFFICE = frozenset({"officer", "centre_clerk", "station_clerk", "supervisor", "head", "system"})

#: What is accepted, told by the first bytes and never by the name.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (0, b"%PDF-", "application/pdf"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
)


def kind_of(content: bytes) -> str | None:
    """The media type of a file by its first bytes; None for what is not accepted."""
    for offset, signature, mime in _SIGNATURES:
        if content[offset : offset + len(signature)] == signature:
            return mime
    return None


def add_evidence(
    session: Session,
    case: Case,
    *,
    name: str,
    content: bytes,
    visible_to: Collection[str] = ("mediator",),
    is_identity: bool = False,
    files: Path,
    by: Actor,
    now: datetime,
) -> Evidence:
    """Lay a file before the case. The same file twice is one piece of evidence.

    ``visible_to``: roles beside the office and the one who lays it down. Raises Invalid and WrongState.
    """
    require_on(session, case, by, "evidence.add")
    if case.closed_at is not None:
        raise WrongState(
            "这件投诉已经办结，不能再交材料。 Expected a case that runs; this one is closed.", code="case.closed"
        )
    mime = _checked(name, content, visible_to)
    digest = hashlib.sha256(content).hexdigest()
    found = session.scalar(select(Evidence).where(Evidence.case_id == case.id, Evidence.sha256 == digest))
    if found is not None:
        return found
    _require_room(session, case)
    _write(files, digest, content)
    evidence = Evidence(
        case_id=case.id,
        name=_plain_name(name),
        mime=mime,
        size=len(content),
        sha256=digest,
        visible_to=sorted(set(visible_to)),
        is_identity=is_identity,
        added_by=by.person_id,
        added_at=now,
    )
    session.add(evidence)
    session.flush()
    return evidence


def read_evidence(session: Session, evidence_id: UUID, *, files: Path, by: Actor) -> tuple[Evidence, bytes]:
    """A file and its bytes, as they were laid down. Raises NotFound for one that the actor may not see."""
    evidence = session.get(Evidence, evidence_id)
    case = session.get(Case, evidence.case_id) if evidence else None
    if evidence is None or case is None or not may_see(evidence, roles_of(session, case, by), by):
        raise NotFound(
            "没有这份材料，或者您不能查看。 There is no such file, or it is not for you.", code="evidence.not_found"
        )
    content = sealing.unseal_bytes(_path(files, evidence.sha256).read_bytes())
    if hashlib.sha256(content).hexdigest() != evidence.sha256:
        raise WrongState(
            "这份材料的内容与登记的摘要不符。 The stored file is not the one that was laid down.",
            code="evidence.altered",
        )
    return evidence, content


def share(session: Session, evidence_id: UUID, roles: Collection[str], *, by: Actor) -> Evidence:
    """Change who may see a file. Its owner's and the office's act."""
    evidence = session.get(Evidence, evidence_id)
    case = session.get(Case, evidence.case_id) if evidence else None
    if evidence is None or case is None or not may_see(evidence, roles_of(session, case, by), by):
        raise NotFound(
            "没有这份材料，或者您不能查看。 There is no such file, or it is not for you.", code="evidence.not_found"
        )
    if not (evidence.added_by == by.person_id or roles_of(session, case, by) & _OFFICE):
        raise Forbidden(
            "只有提交人和承办单位可以改变谁能看。 Only its owner and the office may share a file.",
            code="evidence.not_yours",
        )
    _require_roles(roles)
    evidence.visible_to = sorted(set(roles))
    session.flush()
    return evidence


def may_see(evidence: Evidence, roles: Collection[str], actor: Actor) -> bool:
    """May somebody who stands in these roles to the case open the file?"""
    if actor.person_id is not None and evidence.added_by == actor.person_id:
        return bool(roles)
    if set(roles) & _OFFICE:
        return True
    if evidence.is_identity:
        return False
    return bool(set(roles) & set(evidence.visible_to))


def _checked(name: str, content: bytes, visible_to: Collection[str]) -> str:
    _require_roles(visible_to)
    if not content:
        raise _unfit("文件是空的。 The file is empty.")
    if len(content) > LARGEST_FILE:
        raise _unfit(f"单个文件不超过 {LARGEST_FILE // 1024 // 1024} MB。 The file is too large.")
    mime = kind_of(content)
    if mime is None:
        raise _unfit("只收照片、PDF、录音和录像。 Only pictures, PDF, sound and video are taken.")
    if not _plain_name(name):
        raise _unfit("文件没有名称。 The file has no name.")
    return mime


def _unfit(message: str) -> Invalid:
    return Invalid(message, code="evidence.unfit", fields={"file": [message]})


def _require_roles(roles: Collection[str]) -> None:
    unknown = sorted(set(roles) - SHARED_WITH)
    if unknown:
        raise Invalid(
            "材料不能给这些人看。 A file cannot be shared with these.",
            code="evidence.roles",
            fields={"visible_to": [f"{', '.join(unknown)}"]},
        )


def _require_room(session: Session, case: Case) -> None:
    number = session.scalar(select(func.count()).select_from(Evidence).where(Evidence.case_id == case.id)) or 0
    if number >= MOST_FILES:
        raise _unfit(f"一件投诉最多 {MOST_FILES} 份材料。 This case has as many files as it can hold.")


def _plain_name(name: str) -> str:
    """The last part of a path, without control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip()[:200]


def _path(files: Path, digest: str) -> Path:
    return files / digest[:2] / digest


def forget_file(files: Path, digest: str) -> None:
    """Drop the bytes of a file that no case has any more; that they are gone already is no fault."""
    _path(files, digest).unlink(missing_ok=True)


def _write(files: Path, digest: str, content: bytes) -> None:
    """Write once, whole or not at all; a file whose transaction rolls back is an orphan and harms nobody."""
    path = _path(files, digest)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(sealing.seal_bytes(content))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
