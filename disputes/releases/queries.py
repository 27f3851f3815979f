"""Which releases there are."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.refusals import NotFound
from disputes.releases.models import Release


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
