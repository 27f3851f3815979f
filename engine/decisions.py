"""The decision tables of a bundle, found by the name that a business rule task calls."""

from collections.abc import Callable, Mapping
from typing import Any

import feel.dmn
from engine.findings import FUNCTIONS


class Decisions:
    """All DMN files of a bundle. A decision is called by its id, or by its name."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._by_name: dict[str, feel.dmn.Decisions] = {}
        self._unreadable: list[str] = []
        for path, content in files.items():
            try:
                decisions = feel.dmn.parse(content, path, functions=FUNCTIONS)
            except feel.dmn.DmnError:
                self._unreadable.append(path)
                continue
            for name in decisions.names:
                self._by_name.setdefault(name, decisions)

    @property
    def names(self) -> frozenset[str]:
        """Every id and name under which a decision can be called."""
        return frozenset(self._by_name)

    @property
    def inputs(self) -> frozenset[str]:
        """Every variable that a decision reads."""
        return frozenset().union(*(decisions.inputs(name) for name, decisions in self._by_name.items()))

    def evaluate(
        self, name: str, data: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
    ) -> feel.dmn.DecisionResult:
        """Decide. Raises LookupError for an unknown decision, and what ``feel.dmn`` raises."""
        if name not in self._by_name:
            hint = f" Unreadable: {', '.join(self._unreadable)}." if self._unreadable else ""
            raise LookupError(f"There is no decision {name!r} in this release.{hint}")
        return self._by_name[name].evaluate(name, data, functions)
