"""The tree that the parser makes and the compiler reads. ``at`` is the offset of the node in the text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, dataclass_transform


@dataclass_transform(eq_default=False)
class _Fields:
    """A node takes its fields in the order in which they are written, base class first.

    Written by hand and not as a dataclass: importing ``dataclasses`` would cost a tenth of this package's import.
    """

    _fields: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = (*cls._fields, *cls.__annotations__)

    def __init__(self, *values: Any) -> None:
        for name, value in zip(self._fields, values, strict=False):
            setattr(self, name, value)


class Node(_Fields):
    at: int


class Literal(Node):
    value: Decimal | str | bool | None


class AtLiteral(Node):
    text: str


class Name(Node):
    name: str


class Negate(Node):
    operand: Node


class Arithmetic(Node):
    operator: str
    left: Node
    right: Node


class Compare(Node):
    operator: str
    left: Node
    right: Node


class Between(Node):
    value: Node
    low: Node
    high: Node


class In(Node):
    value: Node
    tests: list[Node]


class And(Node):
    parts: list[Node]


class Or(Node):
    parts: list[Node]


class InstanceOf(Node):
    value: Node
    type: TypeNode


class If(Node):
    condition: Node
    then: Node
    otherwise: Node


class Iterator(Node):
    name: str
    domain: Node
    to: Node | None  #: set when the domain is written ``domain..to``


class For(Node):
    iterators: list[Iterator]
    body: Node


class Quantified(Node):
    every: bool
    iterators: list[Iterator]
    body: Node


class Path(Node):
    target: Node
    name: str


class Filter(Node):
    target: Node
    condition: Node


class Call(Node):
    function: Node
    positional: list[Node]
    named: list[tuple[str, Node]] | None


class ListNode(Node):
    items: list[Node]


class RangeNode(Node):
    low: Node | None
    high: Node | None
    low_included: bool
    high_included: bool
    operator: str = ""  #: set when it was written with one, as ``(< 10)``


class ContextNode(Node):
    entries: list[tuple[str, Node]]


class FunctionNode(Node):
    parameters: list[tuple[str, TypeNode | None]]
    body: Node


class TypeNode(Node):
    """``name`` is list, context, function, range, a built-in type or the name of an item definition."""

    name: str
    arguments: list[TypeNode]
    fields: list[tuple[str, TypeNode]]


class Test(Node):
    """A comparison without its left side: ``< 5`` in a table's cell or after ``in``."""

    operator: str
    value: Node


class Anything(Node):
    """The cell ``-``."""


class UnaryNode(Node):
    """The tests of one cell, of which one must hold (or none, when negated)."""

    negated: bool
    tests: list[Node]
