"""The commands about releases, without their command line: directories in, an object out.

Only ``deploy`` and recording a scenario need the database of an installation. The number beside the object is the
exit status: 0 good, 1 findings of severity error or failures.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

import engine
from core.db import Database
from core.refusals import Invalid
from disputes.cases.access import no_such_case
from disputes.cases.models import Case
from disputes.releases import moving, operations, queries
from disputes.releases.checks import check_tree, read_processes
from disputes.releases.differences import differences
from disputes.releases.models import Migration
from disputes.releases.operations import finding_json
from disputes.releases.scenarios.reading import Scenario, ScenarioError, read_scenarios
from disputes.releases.scenarios.recording import record
from disputes.releases.scenarios.running import Seen, run_scenarios
from disputes.releases.touching import standing, touches
from disputes.releases.tree import Tree, read_tree
from engine import Catalogue, Engine, Severity, bundles
from engine.diagram import Kind, Process
from engine.importing import translate
from feel.dmn.reading import rules_of


def check(
    directory: Path, *, services: Collection[str], today: date, foreign: bool = False
) -> tuple[dict[str, Any], int]:
    """``hejie check DIR``. ``foreign``: diagrams of Camunda 7, translated first. Raises Invalid."""
    tree = read_tree(directory)
    findings = []
    if foreign:
        imported = {path: translate(xml, path) for path, xml in tree.files.items() if path.endswith(".bpmn")}
        findings = [replace(f, file=tree.shown(f.file)) for each in imported.values() for f in each.findings]
        tree = replace(tree, files={**tree.files, **{path: each.xml for path, each in imported.items()}})
    findings += check_tree(tree, services, today=today)
    errors = any(finding.severity is Severity.ERROR for finding in findings)
    report = {
        "files": sorted(tree.shown(path) for path in tree.files),
        "findings": [finding_json(finding) for finding in findings],
    }
    return report, 1 if errors else 0


def translated(file: Path) -> tuple[dict[str, Any], int, bytes]:
    """``hejie import FILE``: what was translated, left out and refused, and the diagram in our vocabulary."""
    if not file.is_file():
        raise Invalid(f"{file} is no file.", code="import.no_file")
    found = translate(file.read_bytes(), file.name)
    findings = [*found.findings, *engine.check({file.name: found.xml}, Catalogue(complete=False))]
    report = {"file": file.name, "findings": [finding_json(finding) for finding in findings]}
    return report, 1 if any(f.severity is Severity.ERROR for f in findings) else 0, found.xml


def deploy(
    session: Session, directory: Path, *, name: str = "", services: Collection[str], now: datetime, by: str
) -> tuple[dict[str, Any], int]:
    """``hejie deploy DIR``: the release that new cases start on, or, with status 1, the findings that stop it."""
    tree = read_tree(directory)
    try:
        release = operations.deploy(session, tree.files, name=name, services=services, now=now, by=by)
    except operations.NotDeployable as refused:
        shown = [finding_json(replace(f, file=tree.shown(f.file))) for f in refused.findings]
        return {"release": None, "findings": shown}, 1
    found = [{**finding, "file": tree.shown(finding["file"])} for finding in release.findings]
    view = queries.view(release)
    return {"release": {key: view[key] for key in view if key != "findings"}, "findings": found}, 0


def scenario(directory: Path, *, coverage: bool = False) -> tuple[dict[str, Any], int]:
    """``hejie scenario [DIR] [--coverage]``. Raises Invalid when a file cannot be read.

    Status 1: a scenario failed, there is none, or, with coverage, no scenario reaches some end event. Rules of
    tables that no scenario matched are told and are no fault.
    """
    return play(read_tree(directory), coverage=coverage)


def play(tree: Tree, *, coverage: bool = False) -> tuple[dict[str, Any], int]:
    """As ``scenario``, for a release that was read already."""
    scenarios = scenarios_of(tree)
    outcomes, seen = run_scenarios(tree.files, scenarios)
    report: dict[str, Any] = {"scenarios": [outcome.json() for outcome in outcomes]}
    bad = not outcomes or any(not outcome.passed for outcome in outcomes)
    if coverage:
        processes = read_processes(tree.files)
        report["coverage"] = coverage_of(processes, seen)
        report["decisions"] = rule_coverage_of(tree.files, seen)
        bad = bad or bool(ends_never_reached(processes, seen))
    return report, 1 if bad else 0


def record_scenario(session: Session, case_no: str) -> tuple[dict[str, Any], int]:
    """``hejie scenario record CASE_NO``: the scenario of a case as YAML; status 1 when it replays differently."""
    case = session.scalar(select(Case).where(Case.case_no == case_no))
    if case is None:
        raise no_such_case(case_no)
    recorded = record(session, case)
    why = "" if recorded.difference is None else f"{recorded.difference.place}：{recorded.difference.zh}"
    return {"case_no": case_no, "replays": not why, "why": why or None, "text": recorded.text}, 1 if why else 0


def diff(before: str, after: str, session: Callable[[], Session]) -> dict[str, Any]:
    """``hejie diff A B``: what two releases say differently, each a directory or the number of a release.

    ``session`` is asked only where a number is given. Raises Invalid, NotFound.
    """
    files = [_files_of(given, session) for given in (before, after)]
    found = differences(files[0], files[1])
    if before.isdigit():
        opened = session()
        cases = standing(opened, queries.find(opened, int(before)).digest)
        counts: list[int | None] = [*touches(found, files[0], files[1], cases)]
    else:
        counts = [None] * len(found)
    return {
        "before": before,
        "after": after,
        "differences": [{**d.json(), "touches": count} for d, count in zip(found, counts, strict=True)],
    }


def _files_of(given: str, session: Callable[[], Session]) -> Mapping[str, bytes]:
    if given.isdigit():
        opened = session()
        return bundles.load(opened, queries.find(opened, int(given)).digest).files
    return read_tree(Path(given)).files


def between(session: Session, before: int, after: int) -> list[dict[str, Any]]:
    """The differences of two releases, each with the number of running cases of the first that it touches."""
    return cast(list[dict[str, Any]], diff(str(before), str(after), lambda: session)["differences"])


def move_cases(
    database: Database,
    engine: Engine,
    from_version: int,
    to_version: int,
    *,
    mapping: Mapping[str, str],
    rederive: bool,
    apply: bool,
    clock: Callable[[], datetime],
    by: str,
) -> tuple[dict[str, Any], int]:
    """``hejie move-cases FROM TO``: rehearse every case, and with ``apply`` carry over those that fit.

    Status 1: a case was refused. Raises Invalid, NotFound, WrongState.
    """
    with database.transaction() as session:
        planned = moving.plan(
            session,
            from_version=from_version,
            to_version=to_version,
            mapping=mapping,
            rederive=rederive,
            now=clock(),
            by=by,
        )
        migration_id = planned.id
    _wait_for(database, engine, migration_id, moving.State.REHEARSED, clock)
    if apply:
        with database.transaction() as session:
            moving.begin(session, migration_id, now=clock(), by=by)
        _wait_for(database, engine, migration_id, moving.State.DONE, clock)
    with database.reader() as session:
        counts = moving.counts_of(session, migration_id)
        state = moving.find(session, migration_id).state
        items = [moving.item_json(item) for item in moving.items_of(session, migration_id, limit=10**6)]
    report = {"migration": str(migration_id), "state": str(state), "counts": counts, "cases": items}
    return report, 1 if counts["refused"] else 0


def _wait_for(
    database: Database,
    engine: Engine,
    migration_id: UUID,
    wanted: Migration.State,
    clock: Callable[[], datetime],
) -> None:
    """Work until the stage is over; a worker may be doing the same."""
    while True:
        moving.carry_on(database, engine, clock=clock, migration_id=migration_id)
        with database.reader() as session:
            if moving.find(session, migration_id).state in (wanted, moving.State.ABANDONED):
                return
        time.sleep(0.1)


def scenarios_of(tree: Tree) -> list[Scenario]:
    """The scenarios of a release. Raises Invalid."""
    found: list[Scenario] = []
    for path in sorted(tree.files):
        if path.startswith("scenarios/"):
            try:
                found += read_scenarios(tree.files[path], tree.shown(path))
            except ScenarioError as error:
                raise Invalid(str(error), code="scenario.unreadable") from error
    return found


def coverage_of(processes: Iterable[Process], seen: Seen) -> Mapping[str, Any]:
    """Per diagram: how many elements and flows the scenarios reached, and the ids of those they did not."""
    report = {}
    for process in processes:
        elements = seen.elements.get(process.id, set()) & process.elements.keys()
        flows = seen.flows.get(process.id, set()) & process.flows.keys()
        report[process.id] = {
            "elements": [len(elements), len(process.elements)],
            "flows": [len(flows), len(process.flows)],
            "missing": sorted((process.elements.keys() - elements) | (process.flows.keys() - flows)),
        }
    return report


def rule_coverage_of(files: Mapping[str, bytes], seen: Seen) -> Mapping[str, Any]:
    """Per decision table: how many rules matched in some scenario, and the ids of those that none did."""
    report = {}
    for path in sorted(path for path in files if path.endswith(".dmn")):
        for table, name, rules in rules_of(files[path], path):
            missing = [rule for rule in rules if rule not in seen.rules.get(table, set())]
            report[name] = {"file": path, "rules": [len(rules) - len(missing), len(rules)], "missing": missing}
    return report


def ends_never_reached(processes: Iterable[Process], seen: Seen) -> list[tuple[str, str]]:
    """End events, as (process, element), that no scenario reaches."""
    return [
        (process.id, element.id)
        for process in processes
        for element in process.elements.values()
        if element.kind is Kind.END and element.id not in seen.elements.get(process.id, set())
    ]
