"""Deploying a release."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date, datetime
from threading import Lock
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.now import CHINA
from core.refusals import Invalid
from disputes.audit.operations import record
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


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as the contract has it."""
    return {**asdict(finding), "severity": finding.severity.value, "trace": list(finding.trace)}
