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
from feel.inference import Inferred, Trouble, infer, infer_unary
from feel.library import BUILT_INS
from feel.portable import check_portable
from feel.scalars import from_json, to_json
from feel.temporal import FarDate, FarDuration, FarMoment, Time, YearsMonths
from feel.types import ANY, Type, named
from feel.values import Function, Range

__all__ = [
    "ANY",
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
    "Inferred",
    "Note",
    "Range",
    "Time",
    "Trouble",
    "Type",
    "UnaryTests",
    "YearsMonths",
    "check_portable",
    "compile",
    "compile_unary",
    "from_json",
    "infer",
    "infer_unary",
    "named",
    "to_json",
]
