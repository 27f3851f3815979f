"""Functions on lists (10.3.4.4) and sort (10.3.4.9). Places count from 1; negative ones from the end."""

from collections.abc import Callable
from decimal import Decimal, DecimalException
from functools import cmp_to_key
from typing import Any

from feel.library.define import built_in
from feel.limits import Runtime
from feel.values import NUMBERS, Function, Value, add, divide, equal, kind, multiply, order, whole

List = list[Value]


@built_in("list contains", "list: list", "element: any~")
def list_contains(runtime: Runtime, items: List, element: Value) -> bool:
    runtime.spend(len(items))
    return any(equal(item, element, runtime) is True for item in items)


@built_in("count", "list: list")
def count(runtime: Runtime, items: List) -> Decimal:
    return Decimal(len(items))


def _extreme(items: List, sign: int) -> Value:
    best = None
    for place, item in enumerate(items):
        if item is None or (found := order(item, best if place else item)) is None:
            return None
        if not place or found * sign > 0:
            best = item
    return best


@built_in("min", "*list: any")
def minimum(runtime: Runtime, items: List) -> Value:
    return _extreme(items, -1)


@built_in("max", "*list: any")
def maximum(runtime: Runtime, items: List) -> Value:
    return _extreme(items, 1)


@built_in("sum", "*list: any")
def total(runtime: Runtime, items: List) -> Value:
    return _fold(items, add)


@built_in("product", "*list: any")
def product(runtime: Runtime, items: List) -> Value:
    return _fold(items, multiply) if all(type(item) is Decimal for item in items) else None


def _fold(items: List, operation: Callable[[Value, Value], Value]) -> Value:
    """All items combined; null for none. Only numbers and durations add up."""
    if not items or not all(kind(item) in _SUMMABLE for item in items):
        return None
    result = items[0]
    for item in items[1:]:
        result = operation(result, item)
    return result


_SUMMABLE = frozenset(("number", "days and time duration", "years and months duration"))


@built_in("mean", "*list: any")
def mean(runtime: Runtime, items: List) -> Value:
    return divide(_fold(items, add), Decimal(len(items))) if items else None


@built_in("median", "*list: any")
def median(runtime: Runtime, items: List) -> Value:
    if not items or not all(type(item) is Decimal for item in items):
        return None
    ordered, middle = sorted(items), len(items) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return divide(add(ordered[middle - 1], ordered[middle]), Decimal(2))


@built_in("stddev", "*list: any")
def standard_deviation(runtime: Runtime, items: List) -> Value:
    if len(items) < 2 or not all(type(item) is Decimal for item in items):
        return None
    average = mean(runtime, items)
    try:
        squares = [NUMBERS.power(NUMBERS.subtract(item, average), 2) for item in items]
        return NUMBERS.sqrt(NUMBERS.divide(_fold(squares, add), Decimal(len(items) - 1)))
    except DecimalException:
        return None


@built_in("mode", "*list: any")
def mode(runtime: Runtime, items: List) -> List | None:
    if not all(type(item) is Decimal for item in items):
        return None
    counts: dict[Decimal, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(item for item, found in counts.items() if found == most)


@built_in("all", "*list: any")
def every(runtime: Runtime, items: List) -> bool | None:
    return _logic(items, False)


@built_in("any", "*list: any")
def some(runtime: Runtime, items: List) -> bool | None:
    return _logic(items, True)


def _logic(items: List, decisive: bool) -> bool | None:
    if any(item is decisive for item in items):
        return decisive
    return not decisive if all(type(item) is bool for item in items) else None


@built_in("sublist", "list: list", "start position: number", "length?: number")
def sublist(runtime: Runtime, items: List, start: Decimal, length: Decimal | None = None) -> List | None:
    place = whole(start)
    if place is None or place == 0 or abs(place) > len(items):
        return None
    begin = place - 1 if place > 0 else len(items) + place
    taken = len(items) - begin if length is None else whole(length)
    if taken is None or taken < 0 or begin + taken > len(items):
        return None
    runtime.make(taken)
    return items[begin : begin + taken]


@built_in("append", "list: list", "**item: any~")
def append(runtime: Runtime, items: List, *more: Value) -> List:
    runtime.make(len(items) + len(more))
    return [*items, *more]


@built_in("concatenate", "**lists: list")
def concatenate(runtime: Runtime, *lists: List) -> List:
    runtime.make(sum(map(len, lists)))
    return [item for items in lists for item in items]


@built_in("insert before", "list: list", "position: number", "newItem: any~")
def insert_before(runtime: Runtime, items: List, position: Decimal, item: Value) -> List | None:
    place = whole(position)
    if place is None or place == 0 or abs(place) > len(items):
        return None
    runtime.make(len(items) + 1)
    begin = place - 1 if place > 0 else len(items) + place
    return [*items[:begin], item, *items[begin:]]


@built_in("remove", "list: list", "position: number")
def remove(runtime: Runtime, items: List, position: Decimal) -> List | None:
    place = whole(position)
    if place is None or place == 0 or abs(place) > len(items):
        return None
    runtime.make(len(items))
    begin = place - 1 if place > 0 else len(items) + place
    return [*items[:begin], *items[begin + 1 :]]


@built_in(
    "list replace",
    "list: list",
    "position: any",
    "newItem: any~",
    also=[("list", "match", "newItem")],
    by_name={"position": "number", "match": "function"},
)
def list_replace(runtime: Runtime, items: List, where: Value, item: Value) -> List | None:
    runtime.make(len(items))
    runtime.spend(len(items))
    if isinstance(where, Function):
        results = [where.call(runtime, [old, item]) for old in items]
        if not all(type(found) is bool for found in results):
            return None
        return [item if found else old for found, old in zip(results, items, strict=True)]
    place = whole(where)
    if place is None or place == 0 or abs(place) > len(items):
        return None
    result = list(items)
    result[place - 1 if place > 0 else place] = item
    return result


@built_in("reverse", "list: list")
def reverse(runtime: Runtime, items: List) -> List:
    runtime.make(len(items))
    return items[::-1]


@built_in("index of", "list: list", "match: any~")
def index_of(runtime: Runtime, items: List, match: Value) -> List:
    runtime.spend(len(items))
    found = [Decimal(place) for place, item in enumerate(items, 1) if equal(item, match, runtime) is True]
    runtime.make(len(found))
    return found


def _distinct(runtime: Runtime, items: List) -> List:
    """Each value once, in the order of first appearance."""
    seen: set[Any] = set()
    result: List = []
    for item in items:
        runtime.spend()
        if type(item) in (Decimal, str, bool):
            key = (type(item), item)
            if key in seen:
                continue
            seen.add(key)
        else:
            runtime.spend(len(result))
            if any(equal(item, old, runtime) is True for old in result):
                continue
        result.append(item)
    runtime.make(len(result))
    return result


@built_in("distinct values", "list: list")
def distinct_values(runtime: Runtime, items: List) -> List:
    return _distinct(runtime, items)


@built_in("union", "**lists: list")
def union(runtime: Runtime, *lists: List) -> List:
    return _distinct(runtime, concatenate(runtime, *lists))


@built_in("flatten", "list: list")
def flatten(runtime: Runtime, items: List) -> List:
    result: List = []
    stack = [iter(items)]
    while stack:
        for item in stack[-1]:
            runtime.spend()
            if type(item) is list:
                stack.append(iter(item))
                break
            runtime.make(1)
            result.append(item)
        else:
            stack.pop()
    return result


@built_in("sort", "list: list", "precedes?: function")
def sort(runtime: Runtime, items: List, precedes: Function | None = None) -> List | None:
    runtime.make(len(items))
    runtime.spend(len(items))

    def compare(left: Value, right: Value) -> int:
        runtime.spend()
        if precedes is None:
            found = order(left, right)
            if found is None:
                raise _Unsortable
            return found
        if precedes.call(runtime, [left, right]) is True:
            return -1
        return 1 if precedes.call(runtime, [right, left]) is True else 0

    try:
        return sorted(items, key=cmp_to_key(compare))
    except _Unsortable:
        return None


class _Unsortable(Exception):
    """Two items have no order."""
