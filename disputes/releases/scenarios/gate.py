"""The scenarios of a release as part of its gate: what fails is a finding."""

from collections.abc import Mapping

from disputes.releases.scenarios.reading import Scenario, ScenarioError, read_scenarios
from disputes.releases.scenarios.running import run_scenarios
from engine import Finding, Severity

FOLDER = "scenarios/"


def play(files: Mapping[str, bytes]) -> list[Finding]:
    """A finding for each scenario file that cannot be read and each scenario that does not pass.

    The files must have passed the other checks: a diagram that the engine refuses cannot be played.
    """
    findings: list[Finding] = []
    scenarios: list[Scenario] = []
    for path in sorted(path for path in files if path.startswith(FOLDER)):
        try:
            scenarios += read_scenarios(files[path], path)
        except ScenarioError as error:
            zh = f"场景文件读不出来：{error}"
            findings.append(_error(path, "", "scenario.unreadable", zh, f"The scenarios cannot be read: {error}"))
    for outcome in run_scenarios(files, scenarios)[0] if scenarios else ():
        if outcome.difference is not None:
            difference, scenario = outcome.difference, outcome.scenario
            findings.append(
                _error(
                    scenario.file,
                    scenario.diagram,
                    "scenario.failed",
                    f"场景“{scenario.name}”没有通过。{outcome.why}",
                    f"The scenario {scenario.name!r} fails at step {difference.step}, "
                    f"{difference.at.isoformat()}, line {difference.line}: {difference.en}",
                )
            )
    return findings


def _error(file: str, element: str, code: str, zh: str, en: str) -> Finding:
    return Finding(file, element, code, Severity.ERROR, zh, en)
