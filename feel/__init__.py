"""FEEL and DMN: the language of conditions and decisions. It knows no diagrams.

    feel.compile('amount > 1000 and channel = "store"').evaluate({"amount": 1200, "channel": "store"})  # True

``feel.dmn`` reads decision tables; import it where it is needed (it brings in lxml).
"""

from feel.errors import (
    FeelError,
    FeelEvaluationError,
    FeelLimitError,
    FeelNameError,
    FeelSyntaxError,
)
from feel.expression import Expression, Note, UnaryTests, compile, compile_unary
from feel.library import BUILT_INS
from feel.scalars import from_json, to_json
from feel.temporal import FarDate, FarDuration, FarMoment, Time, YearsMonths
from feel.values import Function, Range

__all__ = [
    "BUILT_INS",
    "Expression",
    "FarDate",
    "FarDuration",
    "FarMoment",
    "FeelError",
    "FeelEvaluationError",
    "FeelLimitError",
    "FeelNameError",
    "FeelSyntaxError",
    "Function",
    "Note",
    "Range",
    "Time",
    "UnaryTests",
    "YearsMonths",
    "compile",
    "compile_unary",
    "from_json",
    "to_json",
]
