"""Which releases there are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.refusals import NotFound
from disputes.releases.checks import texts_of
from disputes.releases.models import Release
from engine import Instance, bundles, specifications

#: States of instances that are not over.
OPEN = (Instance.State.RUNNING, Instance.State.SUSPENDED)


def current_release(session: Session) -> Release:
    """The release on which new cases start. Raises NotFound before the first deployment."""
    release = session.scalar(select(Release).order_by(Release.version.desc()).limit(1))
    if release is None:
        raise NotFound("还没有部署过流程。 Nothing has been deployed yet.", code="release.none")
    return release


def releases(session: Session, *, before: int | None = None, limit: int = 50) -> list[Release]:
    """Releases, newest first; ``before`` is the version from which the next page goes on."""
    wanted = select(Release).order_by(Release.version.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(Release.version < before)
    return list(session.scalars(wanted))


def find(session: Session, version: int) -> Release:
    """A release by its version. Raises NotFound."""
    release = session.get(Release, version)
    if release is None:
        raise NotFound(f"没有第{version}版。", code="release.not_found", version=version)
    return release


@dataclass(frozen=True)
class Drawn:
    """A procedure of a release."""

    zh: str
    en: str
    file: str
    #: How many elements it has, flows not counted.
    elements: int


def drawn(session: Session, release: Release) -> list[Drawn]:
    """What a release draws, by file."""
    files = bundles.load(session, release.digest).files
    found = []
    for process in sorted(specifications.load(session, release.digest).processes.values(), key=lambda p: p.file):
        english = texts_of(files, process.file).get(process.id)
        name = english.get("name") if isinstance(english, dict) else None
        found.append(Drawn(process.name, str(name or process.name), process.file, len(process.elements)))
    return found


def running_on(session: Session, digests: Collection[str]) -> dict[str, int]:
    """Digest → cases that run or stand still on it; one with none is missing."""
    rows = session.execute(
        select(Instance.bundle, func.count())
        .where(Instance.bundle.in_(digests), Instance.state.in_(OPEN))
        .group_by(Instance.bundle)
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True)
class Listed:
    """A release in the list, with who uses it."""

    version: int
    digest: str
    name: str
    deployed_at: datetime
    deployed_by: str
    findings: list[dict[str, Any]]
    retired_at: datetime | None
    current: bool
    cases: int


def listed(session: Session, found: Sequence[Release]) -> list[Listed]:
    """Releases with the number of running cases on their files, and which is current."""
    counts = running_on(session, {release.digest for release in found})
    newest = session.scalar(select(func.max(Release.version)))
    return [
        Listed(
            release.version,
            release.digest,
            release.name,
            release.deployed_at,
            release.deployed_by,
            release.findings,
            release.retired_at,
            release.version == newest,
            counts.get(release.digest, 0),
        )
        for release in found
    ]


def view(release: Release) -> dict[str, Any]:
    """A release as the API shows it."""
    return {
        "version": release.version,
        "digest": release.digest,
        "name": release.name,
        "deployed_at": release.deployed_at.isoformat(),
        "deployed_by": release.deployed_by,
        "findings": release.findings,
    }
