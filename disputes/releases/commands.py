"""The commands ``check``, ``deploy`` and ``scenario``, without their command line: a directory in, an object out.

Only ``deploy`` and recording a scenario need the database of an installation. The number beside the object is the
exit status: 0 good, 1 findings of severity error or failures.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import engine
from core.refusals import Invalid
from disputes.cases.access import no_such_case
from disputes.cases.models import Case
from disputes.releases import operations, queries
from disputes.releases.checks import check_tree, read_processes
from disputes.releases.operations import finding_json
from disputes.releases.scenarios.reading import Scenario, ScenarioError, read_scenarios
from disputes.releases.scenarios.recording import record
from disputes.releases.scenarios.running import Seen, run_scenarios
from disputes.releases.tree import Tree, read_tree
from engine import Catalogue, Severity
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
