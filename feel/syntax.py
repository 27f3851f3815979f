"""The tree that the parser makes and the compiler reads. ``at`` is the offset of the node in the text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar, dataclass_transform

Made = TypeVar("Made", bound=type)


@dataclass_transform(eq_default=False)
def node(kind: Made) -> Made:
    return dataclass(slots=True, eq=False, repr=False)(kind)  # type: ignore[return-value]


@node
class Node:
    at: int


@node
class Literal(Node):
    value: Decimal | str | bool | None


@node
class AtLiteral(Node):
    text: str


@node
class Name(Node):
    name: str


@node
class Negate(Node):
    operand: Node


@node
class Arithmetic(Node):
    operator: str
    left: Node
    right: Node


@node
class Compare(Node):
    operator: str
    left: Node
    right: Node


@node
class Between(Node):
    value: Node
    low: Node
    high: Node


@node
class In(Node):
    value: Node
    tests: list[Node]


@node
class And(Node):
    parts: list[Node]


@node
class Or(Node):
    parts: list[Node]


@node
class InstanceOf(Node):
    value: Node
    type: TypeNode


@node
class If(Node):
    condition: Node
    then: Node
    otherwise: Node


@node
class Iterator(Node):
    name: str
    domain: Node
    to: Node | None  #: set when the domain is written ``domain..to``


@node
class For(Node):
    iterators: list[Iterator]
    body: Node


@node
class Quantified(Node):
    every: bool
    iterators: list[Iterator]
    body: Node


@node
class Path(Node):
    target: Node
    name: str


@node
class Filter(Node):
    target: Node
    condition: Node


@node
class Call(Node):
    function: Node
    positional: list[Node]
    named: list[tuple[str, Node]] | None


@node
class ListNode(Node):
    items: list[Node]


@node
class RangeNode(Node):
    low: Node | None
    high: Node | None
    low_included: bool
    high_included: bool
    operator: str = ""  #: set when it was written with one, as ``(< 10)``


@node
class ContextNode(Node):
    entries: list[tuple[str, Node]]


@node
class FunctionNode(Node):
    parameters: list[tuple[str, TypeNode | None]]
    body: Node


@node
class TypeNode(Node):
    """``name`` is list, context, function, range, a built-in type or the name of an item definition."""

    name: str
    arguments: list[TypeNode]
    fields: list[tuple[str, TypeNode]]


@node
class Test(Node):
    """A comparison without its left side: ``< 5`` in a table's cell or after ``in``."""

    operator: str
    value: Node


@node
class Anything(Node):
    """The cell ``-``."""


@node
class UnaryNode(Node):
    """The tests of one cell, of which one must hold (or none, when negated)."""

    negated: bool
    tests: list[Node]
