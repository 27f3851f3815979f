"""The built-in functions of FEEL, one module per chapter of the standard."""

from feel.library import contexts, conversions, lists, numbers, ranges, strings, temporals
from feel.library.define import BUILT_INS, BuiltIn

#: Pure conversions of literals, worked out once when the expression is compiled.
FOLDED = frozenset(("date", "time", "date and time", "duration", "number"))

__all__ = [
    "BUILT_INS",
    "FOLDED",
    "BuiltIn",
    "contexts",
    "conversions",
    "lists",
    "numbers",
    "ranges",
    "strings",
    "temporals",
]
