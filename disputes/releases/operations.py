"""Deploying a release."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date, datetime
from threading import Lock
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.now import CHINA
from core.refusals import Invalid, NotFound, WrongState
from disputes.audit.operations import record
from disputes.releases import queries
from disputes.releases.checks import check_files
from disputes.releases.models import Release
from disputes.releases.scenarios.gate import play
from engine import Finding, Severity, bundles


class NotDeployable(Invalid):
    """The gate found errors; ``findings`` says each with its element and what to draw instead."""

    def __init__(self, findings: list[Finding]) -> None:
        errors = [f for f in findings if f.severity is Severity.ERROR]
        first = errors[0]
        super().__init__(
            f"有 {len(errors)} 处错误，没有部署。第一处：{first.file} {first.element} {first.zh}",
            code="release.findings",
            errors=len(errors),
        )
        self.findings = findings


def judge(files: Mapping[str, bytes], *, services: Collection[str], now: datetime) -> list[Finding]:
    """The whole gate: the checks, and, for a release that they let pass, its own scenarios.

    Takes seconds and no database: whoever deploys asks before the transaction begins. The answer depends on files,
    services, day and this program alone, so a process judges a release once a day.
    Raises NotDeployable with all findings when one is an error; answers the warnings.
    """
    today = now.astimezone(CHINA).date()
    asked = (bundles.digest(files), frozenset(services), today)
    with _one_at_a_time:
        if asked not in _judged:
            found = check_files(files, services, today=today)
            if not any(finding.severity is Severity.ERROR for finding in found):
                found = [*play(files), *found]
            while len(_judged) >= REMEMBERED:
                _judged.pop(next(iter(_judged)))
            _judged[asked] = found
        findings = list(_judged[asked])
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise NotDeployable(findings)
    return findings


#: Judgements that a process remembers.
REMEMBERED = 32
_judged: dict[tuple[str, frozenset[str], date], list[Finding]] = {}
_one_at_a_time = Lock()


def deploy(
    session: Session,
    files: Mapping[str, bytes],
    *,
    name: str,
    services: Collection[str],
    now: datetime,
    by: str,
) -> Release:
    """Store a release that passes the gate, and let new cases start on it. Running cases stay on theirs.

    Ask ``judge`` before the transaction begins: here it then answers at once. Raises NotDeployable.
    what is current already changes nothing.
    """
    findings = judge(files, services=services, now=now)
    digest = bundles.save(session, files, now=now)
    latest = session.scalar(select(Release).order_by(Release.version.desc()).limit(1))
    if latest is not None and latest.digest == digest:
        return latest
    version = (session.scalar(select(func.max(Release.version))) or 0) + 1
    release = Release(
        version=version,
        digest=digest,
        name=name.strip() or f"第{version}版",
        deployed_at=now,
        deployed_by=by,
        findings=[finding_json(finding) for finding in findings],
    )
    session.add(release)
    session.flush()
    bundles.make_current(session, digest, now=now)
    facts = {"digest": digest, "version": version}
    record(session, chain=f"release:{digest}", action="release.deployed", facts=facts, by=by, now=now)
    return release


def reinstate(session: Session, version: int, *, now: datetime, by: str) -> Release:
    """Let new cases start on an older release again; running ones stay where they are.

    It passed the gate when it was deployed, and becomes a new entry: the order of entries says what was current
    when. Raises NotFound; WrongState for one that is retired; what is current already stays so.
    """
    old = session.get(Release, version)
    if old is None:
        raise NotFound(
            f"没有第{version}版。 There is no release {version}.", code="release.not_found", version=version
        )
    require_not_retired(old)
    latest = session.scalars(select(Release).order_by(Release.version.desc()).limit(1)).one()
    if latest.digest == old.digest:
        return latest
    release = Release(
        version=latest.version + 1,
        digest=old.digest,
        name=f"{old.name}（恢复）"[:200],
        deployed_at=now,
        deployed_by=by,
        findings=old.findings,
    )
    session.add(release)
    session.flush()
    bundles.make_current(session, old.digest, now=now)
    facts = {"digest": old.digest, "version": release.version, "of": version, "instead_of": latest.version}
    record(session, chain=f"release:{old.digest}", action="release.reinstated", facts=facts, by=by, now=now)
    return release


def retire(session: Session, version: int, *, now: datetime, by: str) -> Release:
    """Put a release away for good. Raises NotFound; WrongState while it is current or cases run on it."""
    release = session.get(Release, version, with_for_update=True)
    if release is None:
        raise NotFound(
            f"没有第{version}版。 There is no release {version}.", code="release.not_found", version=version
        )
    if release.retired_at is not None:
        return release
    if bundles.current(session) == release.digest:
        raise WrongState(
            "新案件正用着这一版，不能停用。 New cases start on this release; it cannot be retired.",
            code="release.is_current",
            version=version,
        )
    running = queries.running_on(session, [release.digest]).get(release.digest, 0)
    if running:
        raise WrongState(
            f"还有 {running} 件案件在用这一版，先迁移或者等它们办结。 {running} cases still run on this release.",
            code="release.in_use",
            version=version,
            running=running,
        )
    release.retired_at, release.retired_by = now, by
    facts = {"digest": release.digest, "version": version}
    record(session, chain=f"release:{release.digest}", action="release.retired", facts=facts, by=by, now=now)
    session.flush()
    return release


def require_not_retired(release: Release) -> None:
    """Raises WrongState for a release that was put away."""
    if release.retired_at is not None:
        raise WrongState(
            f"第{release.version}版已经停用。 Release {release.version} is retired.",
            code="release.retired",
            version=release.version,
        )


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as the contract has it."""
    return {**asdict(finding), "severity": finding.severity.value, "trace": list(finding.trace)}
