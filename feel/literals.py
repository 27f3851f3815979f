"""Ranges written as text, for the built-in ``range``: its ends must be literals, nothing is looked up."""

from feel import syntax as tree
from feel import temporal as t
from feel.errors import FeelSyntaxError
from feel.parser import Parser
from feel.values import Range, Value, kind, order

_READERS = {
    "date": t.parse_date,
    "time": t.parse_time,
    "date and time": t.parse_moment,
    "duration": t.parse_duration,
}


def range_of(text: str) -> Range | None:
    """The range that the text writes, or None when it writes none, or its ends are not in order."""
    try:
        node = Parser(text.strip(), built_ins=tuple(_READERS)).expression()
    except FeelSyntaxError:
        return None
    if not isinstance(node, tree.RangeNode) or node.operator or node.low is None or node.high is None:
        return None
    low, high = _literal(node.low), _literal(node.high)
    if kind(low) != kind(high) or (place := order(low, high)) is None or place > 0:
        return None
    return Range(low, high, node.low_included, node.high_included)


def _literal(node: tree.Node) -> Value:
    """The value of a literal or of a conversion of a literal such as ``date("2026-01-31")``; else None."""
    if isinstance(node, tree.Literal):
        return node.value
    if isinstance(node, tree.AtLiteral):
        return t.parse_temporal(node.text)
    if not isinstance(node, tree.Call) or not isinstance(node.function, tree.Name) or len(node.positional) != 1:
        return None
    reader, argument = _READERS.get(node.function.name), node.positional[0]
    if reader is None or not isinstance(argument, tree.Literal) or not isinstance(argument.value, str):
        return None
    return reader(argument.value)
