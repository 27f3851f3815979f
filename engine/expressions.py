"""FEEL in diagrams: what begins with ``=`` is an expression, anything else is literal text."""

from functools import lru_cache

import feel
from engine.findings import FUNCTIONS

#: Compiled expressions kept in the process; a release has a few hundred.
CACHE_SIZE = 20_000


def is_expression(text: str) -> bool:
    """Whether a text of the zeebe vocabulary is FEEL."""
    return text.lstrip().startswith("=")


def body(text: str) -> str:
    """The FEEL of a text, without the sign that marks it."""
    return text.lstrip().removeprefix("=").strip()


@lru_cache(CACHE_SIZE)
def compiled(text: str, functions: frozenset[str] = frozenset(FUNCTIONS)) -> feel.Expression:
    """The compiled form of a text that is FEEL, with or without its leading ``=``.

    ``functions`` are the names that may be called besides FEEL's own; some consist of several words.
    """
    return feel.compile(body(text), functions=functions)
