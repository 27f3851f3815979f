"""Runs diagrams correctly. It knows no law, no people and no HTTP."""

from engine import bundles, events, jobs, messages, outbox, retiming, signals, timers
from engine.checking import check
from engine.findings import Catalogue, Finding, Severity
from engine.models import Event, Incident, Instance, Job, Suspension, Task, Timer
from engine.moving import Place, Target
from engine.runtime import Engine
from engine.steps import (
    BpmnError,
    Change,
    Decided,
    FunctionContext,
    FunctionFactory,
    Listener,
    Migrated,
    Service,
    ServiceCall,
    Services,
    Step,
)

__all__ = [
    "BpmnError",
    "Catalogue",
    "Change",
    "Decided",
    "Engine",
    "Event",
    "Finding",
    "FunctionContext",
    "FunctionFactory",
    "Incident",
    "Instance",
    "Job",
    "Listener",
    "Migrated",
    "Place",
    "Service",
    "ServiceCall",
    "Services",
    "Severity",
    "Step",
    "Suspension",
    "Target",
    "Task",
    "Timer",
    "bundles",
    "check",
    "events",
    "jobs",
    "messages",
    "outbox",
    "retiming",
    "signals",
    "timers",
]
