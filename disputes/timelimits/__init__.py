"""The time limits of law and service: calendar, arithmetic, running deadlines with their explanation."""

from disputes.timelimits.calendar import Calendar
from disputes.timelimits.functions import functions_for
from disputes.timelimits.limits import Limit, Limits, LimitsError, UnknownLimit, load_limits
from disputes.timelimits.listener import TimelimitsListener
from disputes.timelimits.queries import deadlines_of
from disputes.timelimits.rules import Due, Pause, TimeLimitError, compute, warning_at
from disputes.timelimits.services import services

__all__ = [
    "Calendar",
    "Due",
    "Limit",
    "Limits",
    "LimitsError",
    "Pause",
    "TimeLimitError",
    "TimelimitsListener",
    "UnknownLimit",
    "compute",
    "deadlines_of",
    "functions_for",
    "load_limits",
    "services",
    "warning_at",
]
