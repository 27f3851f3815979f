"""What one evaluation may cost.

Straight-line code is bounded by the length of its text; steps are counted where work can repeat (iterations,
calls), data where a built-in or an operator makes more than it was given.
"""

from collections.abc import Callable, Mapping

from feel.errors import FeelLimitError

MAX_STEPS = 200_000  # iterations, items looked at, calls of built-ins; well under a second
MAX_DATA = 200_000  # list items, or tenths of characters, made by one evaluation; about 30 MB of numbers
CURVE = 100  # steps that exp, log, sqrt and a power cost: 20 to 150 microseconds
ZONE = 50  # steps that reading a named time zone costs: it may be looked for in files
CALL = 5  # steps that the call of a function written in an expression costs
MAX_DEPTH = 60  # calls within calls
MAX_PATTERN_TIME = 0.5  # seconds of matching patterns

Functions = Mapping[str, Callable[..., object]]
_NO_FUNCTIONS: Functions = {}


class Runtime:
    """The state of one evaluation: what is left of its budget, the injected functions, the notes."""

    __slots__ = ("data", "depth", "functions", "notes", "pattern_time", "steps")

    def __init__(self, functions: Functions | None = None, notes: list[tuple[int, str, str]] | None = None) -> None:
        self.steps = MAX_STEPS
        self.data = MAX_DATA
        self.depth = MAX_DEPTH
        self.pattern_time = MAX_PATTERN_TIME
        self.functions = _NO_FUNCTIONS if functions is None else functions
        self.notes = notes

    def spend(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise FeelLimitError(
                f"the expression needs more than {MAX_STEPS} steps", f"表达式的计算超过 {MAX_STEPS} 步"
            )

    def make(self, items: int) -> None:
        """Charge for list items about to be made."""
        self.data -= items
        if self.data < 0:
            raise FeelLimitError(
                f"the expression makes more than {MAX_DATA} values", f"表达式产生的数据超过 {MAX_DATA} 个值"
            )

    def make_text(self, characters: int) -> None:
        if characters > 100:
            self.make(characters // 10)

    def enter(self) -> None:
        self.depth -= 1
        if self.depth < 0:
            raise FeelLimitError(
                f"functions call each other more than {MAX_DEPTH} levels deep", f"函数相互调用超过 {MAX_DEPTH} 层"
            )

    def note(self, at: int, message: str, zh: str) -> None:
        """Remember why something became null, if somebody asked for the reasons."""
        if self.notes is not None and len(self.notes) < 50:
            self.notes.append((at, message, zh))
