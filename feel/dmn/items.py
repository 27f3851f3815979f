"""Item definitions: the types that a DMN file declares."""

from collections.abc import Callable, Mapping

from feel.dmn.reading import Element, attribute, child, children, content, name_of, text
from feel.errors import FeelError
from feel.expression import UnaryTests, compile_unary
from feel.limits import Runtime
from feel.syntax import Literal, UnaryNode
from feel.types import ANY, Type, named
from feel.values import Value


class Item(Type):
    """A declared type: a base, and perhaps the values that are allowed."""

    __slots__ = ("base", "constraint", "name")

    def __init__(self, name: str, base: Type, allowed: UnaryTests | None) -> None:
        super().__init__(
            base.kind,
            item=base.item,
            fields=base.fields,
            parameters=base.parameters,
            result=base.result,
            allowed=base.allowed if allowed is None else listed(allowed),
        )
        self.name = name
        self.base = base
        self.constraint = allowed

    def accepts(self, value: Value, runtime: Runtime, *, values: bool = True) -> bool:
        if not self.base.accepts(value, runtime, values=values):
            return False
        return not values or self.constraint is None or self.constraint.run(value, {}, runtime) is True

    def __repr__(self) -> str:
        return self.name


def listed(allowed: UnaryTests) -> tuple[Value, ...] | None:
    """The values that a cell of allowed values writes one by one; None when it writes something else."""
    if not isinstance(allowed.tree, UnaryNode) or allowed.tree.negated:
        return None
    literals = [test.value for test in allowed.tree.tests if isinstance(test, Literal)]
    return tuple(literals) if len(literals) == len(allowed.tree.tests) else None


class _Later(Type):
    """A type that refers to itself, looked up when it is asked."""

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[], Type]) -> None:
        super().__init__("Any")
        self._find = find

    def accepts(self, value: Value, runtime: Runtime, *, values: bool = True) -> bool:
        return self._find().accepts(value, runtime, values=values)


class Items:
    """The item definitions of one file. ``problem`` is told of unknown types and broken allowed values."""

    def __init__(
        self,
        definitions: Element,
        imported: Mapping[str, Type],
        problem: Callable[[Element, str, str, str], None],
    ) -> None:
        self._elements = {name_of(found): found for found in children(definitions, "itemDefinition")}
        self._problem = problem
        self._open: set[str] = set()
        self.types: dict[str, Type] = dict(imported)
        #: The names of all components, so that those of several words are read as one.
        self.fields = {name_of(found) for found in definitions.iter() if name_of(found) and _is_component(found)}
        for name in self._elements:
            self._declared(name)

    def find(self, name: str) -> Type | None:
        """The type of a ``typeRef``: declared, built in, or None."""
        for candidate in (name, name.partition(":")[2], name.rpartition(".")[2]):
            found = self.types.get(candidate) or named(candidate) if candidate else None
            if found is not None:
                return found
        return None

    def of(self, element: Element | None) -> Type | None:
        """The type that the element's ``typeRef`` names; None when it names none."""
        name = "" if element is None else attribute(element, "typeRef")
        if not name or element is None:
            return None
        found = self.find(name)
        if found is None:
            self._problem(element, "type.unknown", f"没有名为 {name} 的类型", f"there is no type {name}")
        return found

    def _declared(self, name: str) -> Type:
        if name in self.types:
            return self.types[name]
        self._open.add(name)
        self.types[name] = self._build(self._elements[name])
        self._open.discard(name)
        return self.types[name]

    def _resolve(self, element: Element, name: str) -> Type:
        plain = name if name in self._elements else name.partition(":")[2]
        if plain in self._open:
            return _Later(lambda: self.types[plain])
        if plain in self._elements:
            return self._declared(plain)
        found = self.find(name)
        if found is None:
            self._problem(element, "type.unknown", f"没有名为 {name} 的类型", f"there is no type {name}")
        return found or ANY

    def _build(self, element: Element) -> Type:
        base = self._base(element)
        allowed = self._tests(child(element, "allowedValues"))
        constraint = self._tests(child(element, "typeConstraint"))
        name = name_of(element)
        if attribute(element, "isCollection") != "true":
            return Item(name, Item(name, base, allowed), constraint)
        listed = Type("list", item=Item(name, base, allowed))
        return Item(name, listed, constraint)

    def _base(self, element: Element) -> Type:
        if (reference := child(element, "typeRef")) is not None:
            return self._resolve(element, content(reference))
        components = list(children(element, "itemComponent"))
        if components:
            return Type("context", fields={name_of(found): self._build(found) for found in components})
        function = child(element, "functionItem")
        if function is not None:
            return Type(
                "function",
                parameters=tuple(self._reference(found) for found in children(function, "parameters")),
                result=self._reference(function, "outputTypeRef"),
            )
        return ANY

    def _reference(self, element: Element, attribute_name: str = "typeRef") -> Type:
        name = attribute(element, attribute_name)
        return self._resolve(element, name) if name else ANY

    def _tests(self, element: Element | None) -> UnaryTests | None:
        if element is None or not text(element):
            return None
        try:
            return compile_unary(text(element))
        except FeelError as error:
            self._problem(element, "feel.syntax", error.zh, str(error))
            return None


def _is_component(element: Element) -> bool:
    return isinstance(element.tag, str) and element.tag.endswith(("}itemComponent", "}column", "}output"))
