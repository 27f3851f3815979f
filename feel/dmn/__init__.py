"""DMN 1.3 to 1.5: decision tables and what stands around them.

decisions = feel.dmn.parse(xml, "dmn/acceptance.dmn")
decisions.evaluate("refusal_grounds", {"in_remit": True, ...}).value
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from feel.dmn.checks import TableFinding, check_tables
from feel.dmn.decisions import DecisionResult, Decisions
from feel.dmn.errors import DmnError, DmnEvaluationError, DmnFinding
from feel.dmn.reading import attribute, children, read
from feel.errors import FeelError
from feel.limits import Functions
from feel.scalars import to_json

__all__ = [
    "DecisionResult",
    "Decisions",
    "DmnError",
    "DmnEvaluationError",
    "DmnFinding",
    "TableFinding",
    "check_tables",
    "decide",
    "load",
    "parse",
]


def parse(
    xml: bytes,
    name: str,
    *,
    functions: Collection[str] = (),
    imports: Mapping[str, Decisions] | None = None,
    strict: bool = True,
) -> Decisions:
    """Read and compile a DMN file.

    ``functions`` are the names of injected functions, ``imports`` other files by their namespace. Raises DmnError
    with all findings; with ``strict`` off only when the file cannot be read at all, and a broken decision fails
    when it is asked.
    """
    decisions = Decisions(read(xml, name), functions=functions, imports=imports or {})
    if strict and decisions.findings:
        raise DmnError(decisions.findings)
    return decisions


def load(
    path: Path, *, functions: Collection[str] = (), strict: bool = True, within: frozenset[Path] = frozenset()
) -> Decisions:
    """Parse a file together with those beside it that it imports. ``within`` are the files that import it."""
    xml = path.read_bytes()
    wanted = {
        attribute(found, "namespace"): attribute(found, "locationURI")
        for found in children(read(xml, path.name), "import")
    }
    imports = {}
    for other in _candidates(path, wanted.values()) if wanted else ():
        if other not in within:
            namespace = attribute(read(other.read_bytes(), other.name), "namespace")
            if namespace in wanted and namespace not in imports:
                imports[namespace] = load(other, functions=functions, strict=strict, within=within | {path})
    return parse(xml, path.name, functions=functions, imports=imports, strict=strict)


def _candidates(path: Path, locations: Iterable[str]) -> Iterator[Path]:
    """The files that an import may mean: where it says, as long as that is beside or below, and all beside."""
    folder = path.parent.resolve()
    for location in locations:
        meant = (folder / unquote(location)).resolve() if location.endswith(".dmn") else path
        if meant != path.resolve() and meant.is_relative_to(folder) and meant.is_file():
            yield path.parent / meant.relative_to(folder)
    for other in sorted(path.parent.glob("*.dmn")):
        if other != path:
            yield other


def decide(
    path: Path, decision: str, data: Mapping[str, object], functions: Functions | None = None
) -> dict[str, object]:
    """Ask one decision of a file. The answer is the JSON of ``hejie decide``; its findings say what went wrong."""
    value, matched, findings = None, [], []
    try:
        decisions = load(path, functions=functions or ())
        result = decisions.evaluate(decision, decisions.read_json(data), functions)
        value, matched = to_json(result.value), result.matched
    except DmnError as error:
        findings = [{**finding._asdict(), "severity": "error"} for finding in error.findings]
    except FeelError as error:
        findings = [{"element": decision, "code": "feel", "zh": error.zh, "en": str(error), "severity": "error"}]
    return {"decision": decision, "value": value, "matched": matched, "findings": findings}
