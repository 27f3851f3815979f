"""What the deploy gate answers with, and the plain data it is told about the world."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  #: A release with one is not deployed.
    WARNING = "warning"  #: Somebody should look at it.


@dataclass(frozen=True)
class Finding:
    """One sentence about one element: what was found, and what to draw instead."""

    file: str
    #: Element id; empty when the whole file is meant.
    element: str
    #: Stable, for machines: ``bpmn.event_sub_process``.
    code: str
    severity: Severity
    zh: str
    en: str
    #: Elements on the way to the problem, if there is a way.
    trace: tuple[str, ...] = ()


#: The functions that Hejie injects into expressions of diagrams.
FUNCTIONS = ("due", "warning", "working days between", "is working day", "case")


@dataclass(frozen=True)
class Catalogue:
    """What exists outside the diagrams, as plain data."""

    #: Form id → field name → type.
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Form id → field name → the only values that it may have, for fields that are chosen from a list.
    choices: Mapping[str, Mapping[str, Collection[str]]] = field(default_factory=dict)
    roles: Collection[str] = ()
    services: Collection[str] = ()
    #: Names of decisions besides those in the files that are checked.
    decisions: Collection[str] = ()
    #: Ids of time limits: ``C01``, ``S06`` …
    time_limits: Collection[str] = ()
    #: Names of functions that expressions may call besides FEEL's own.
    functions: Collection[str] = FUNCTIONS
    #: Process data that exists when a case is started, with its FEEL types where it is a mapping; none when that
    #: is not known: then names and types of variables are not checked.
    data: Collection[str] | None = None
    #: False for a diagram drawn elsewhere: forms, roles and services are taken on trust, and a task may lack a form
    #: and a role.
    complete: bool = True
    #: Roles whose silence must lead to an end, and roles to whom the silence of all others must lead. With neither,
    #: waits and silences are not judged.
    parties: Collection[str] = ()
    supervisors: Collection[str] = ()
