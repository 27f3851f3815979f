"""Releases: what is deployed, what the gate says of a draft, and deploying one."""

from typing import Any

from flask import Response
from werkzeug.exceptions import NotFound

from api.edge import clock, current_actor, needs, read_session, runtime, write_session
from api.resources.blueprint import Resources
from api.resources.paging import page, place
from api.schemas.releases import (
    CheckedSchema,
    DeploySchema,
    DifferencesSchema,
    FilesSchema,
    PlayedSchema,
    RecordedSchema,
    ReleaseFilesSchema,
    ReleasePage,
    ReleaseQuery,
    ReleaseSchema,
)
from core.now import CHINA
from disputes.releases import commands, operations, queries
from disputes.releases.checks import check_files
from disputes.releases.models import Release
from disputes.releases.tree import Tree
from engine import Severity, bundles

resources = Resources("releases", __name__, "Diagrams, decisions, forms and limits, deployed together")


@resources.route("/releases")
@needs("release.list")
@resources.arguments(ReleaseQuery, location="query")
@resources.response(200, ReleasePage)
def releases(query: dict[str, Any]) -> dict[str, Any]:
    """Releases, the newest first."""
    after = place(query.get("after"), int)
    session = read_session()
    found = queries.releases(session, before=after[0] if after else None, limit=query["limit"] + 1)
    return page(queries.listed(session, found), query["limit"], "version")


@resources.route("/releases/current")
@needs("release.read")
@resources.response(200, ReleaseSchema)
def current() -> Release:
    """The release on which new cases start."""
    return queries.current_release(read_session())


@resources.route("/releases/<int:version>")
@needs("release.read")
@resources.response(200, ReleaseSchema)
def one_release(version: int) -> Release:
    """One release."""
    return queries.find(read_session(), _within(version))


@resources.route("/releases/<int:version>/files")
@needs("release.read")
@resources.response(200, ReleaseFilesSchema)
def files(version: int) -> dict[str, Any]:
    """The files of a release, by their path."""
    session = read_session()
    bundle = bundles.load(session, queries.find(session, _within(version)).digest)
    return {"items": [{"path": path, "size": len(content)} for path, content in sorted(bundle.files.items())]}


@resources.route("/releases/<int:version>/files/<path:path>")
@needs("release.read")
@resources.response(200, content_type="text/plain", description="The file's text, UTF-8.")
def one_file(version: int, path: str) -> Response:
    """One file of a release."""
    session = read_session()
    content = bundles.load(session, queries.find(session, _within(version)).digest).files.get(path)
    if content is None:
        raise NotFound(f"The release has no file {path!r}.")
    return Response(content, mimetype="text/plain")


@resources.route("/releases/<int:version>/differences/<int:other>")
@needs("release.read")
@resources.response(200, DifferencesSchema)
def differences(version: int, other: int) -> dict[str, Any]:
    """What another release says differently from this one, in sentences, and whom it touches."""
    return {"items": commands.between(read_session(), _within(version), _within(other))}


@resources.route("/releases/<int:version>/reinstate", methods=("POST",))
@needs("release.deploy")
@resources.response(201, ReleaseSchema)
def reinstate(version: int) -> Release:
    """Let new cases start on an older release again; it becomes the newest entry. Running cases stay on theirs."""
    return operations.reinstate(write_session(), _within(version), now=clock(), by=str(current_actor()))


@resources.route("/releases/<int:version>/retire", methods=("POST",))
@needs("release.retire")
@resources.response(200, ReleaseSchema)
def retire(version: int) -> Release:
    """Put a release away for good; refused while it is current or cases run on it."""
    return operations.retire(write_session(), _within(version), now=clock(), by=str(current_actor()))


@resources.route("/releases/check", methods=("POST",))
@needs("release.check")
@resources.arguments(FilesSchema)
@resources.response(200, CheckedSchema)
def check(draft: dict[str, Any]) -> dict[str, Any]:
    """What the gate says of a release in the making; nothing is stored."""
    found = check_files(_bytes(draft), runtime().services, today=clock().astimezone(CHINA).date())
    return {"files": len(draft["files"]), "findings": [operations.finding_json(finding) for finding in found]}


@resources.route("/releases", methods=("POST",))
@needs("release.deploy")
@resources.arguments(DeploySchema)
@resources.response(201, ReleaseSchema)
def deploy(draft: dict[str, Any]) -> Release:
    """Deploy a release: new cases start on it, running ones stay on theirs. Refused with findings on an error."""
    # Judged first: playing scenarios takes seconds, in which nobody should wait for this transaction.
    files, services = _bytes(draft), runtime().services
    operations.judge(files, services=services, now=clock())
    return operations.deploy(
        write_session(),
        files,
        name=draft["name"],
        services=services,
        now=clock(),
        by=str(current_actor()),
    )


@resources.route("/releases/scenarios", methods=("POST",))
@needs("scenario.run")
@resources.arguments(FilesSchema)
@resources.response(200, PlayedSchema)
def play(draft: dict[str, Any]) -> dict[str, Any]:
    """Play the scenarios of a release in the making, with their coverage; nothing is stored."""
    files = _bytes(draft)
    found = check_files(files, runtime().services, today=clock().astimezone(CHINA).date())
    if any(finding.severity is Severity.ERROR for finding in found):
        raise operations.NotDeployable(found)
    report, _ = commands.play(Tree(files, {}), coverage=True)
    return report


@resources.route("/cases/<reference>/scenario")
@needs("scenario.record")
@resources.response(200, RecordedSchema)
def record(reference: str) -> dict[str, Any]:
    """The scenario of a case that ran, with stand-ins for everything that is somebody's, replayed once."""
    report, _ = commands.record_scenario(read_session(), reference)
    return report


def _bytes(draft: dict[str, Any]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in draft["files"].items()}


def _within(version: int) -> int:
    """A number that no column holds names no release."""
    return version if version < 2**31 else 0
