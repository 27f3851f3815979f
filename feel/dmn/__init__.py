"""DMN 1.3 to 1.5: decision tables and what stands around them.

decisions = feel.dmn.parse(xml, "dmn/acceptance.dmn")
decisions.evaluate("refusal_grounds", {"in_remit": True, ...}).value
"""

from collections.abc import Collection, Mapping

from feel.dmn.decisions import DecisionResult, Decisions
from feel.dmn.errors import DmnError, DmnEvaluationError, DmnFinding
from feel.dmn.reading import read

__all__ = ["DecisionResult", "Decisions", "DmnError", "DmnEvaluationError", "DmnFinding", "parse"]


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
