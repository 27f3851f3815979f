"""What can be wrong with a decision, before it is used and while it is."""

from typing import NamedTuple


class DmnFinding(NamedTuple):
    """One thing that is wrong in a DMN file. ``element`` is the id of the smallest element around it."""

    element: str
    code: str
    zh: str
    en: str


class DmnError(Exception):
    """A DMN file cannot be used. ``findings`` says where and why."""

    def __init__(self, findings: list[DmnFinding]) -> None:
        super().__init__("; ".join(f"{finding.element}: {finding.en}" for finding in findings))
        self.findings = findings


class DmnEvaluationError(DmnError):
    """A decision was asked and could not be made as its table promises. ``rules`` are those in conflict."""

    def __init__(self, element: str, code: str, zh: str, en: str, *, rules: tuple[str, ...] = ()) -> None:
        super().__init__([DmnFinding(element, code, zh, en)])
        self.element = element
        self.rules = rules
