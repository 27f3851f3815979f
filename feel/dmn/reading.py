"""DMN XML to elements, safely: no document types, no entities, no network, no giants."""

from collections.abc import Iterator

from lxml import etree

from feel.dmn.errors import DmnError, DmnFinding

MAX_FILE = 5 * 1024 * 1024  # bytes
#: DMN 1.3, 1.4 and 1.5, and 1.1 and 1.2, which differ in nothing that is read here.
NAMESPACES = frozenset(
    (
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    )
)
Element = etree._Element


def read(xml: bytes, name: str) -> Element:
    """The ``definitions`` of a file. Raises DmnError."""
    if len(xml) > MAX_FILE:
        raise _refused(name, "file.size", "文件超过 5 MB", "the file is larger than 5 MB")
    reader = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, reader)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refused(name, "xml.syntax", f"不是正确的 XML：{error}", f"not well-formed XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refused(name, "xml.doctype", "不允许文档类型声明", "a document type declaration is refused")
    if local(root) != "definitions" or etree.QName(root).namespace not in NAMESPACES:
        raise _refused(name, "xml.root", "不是 DMN 1.1 至 1.5 的文件", "not a file of DMN 1.1 to 1.5")
    return root


def _refused(name: str, code: str, zh: str, en: str) -> DmnError:
    return DmnError([DmnFinding(name, code, zh, en)])


def local(element: Element) -> str:
    """The name of the element without its namespace; empty for elements that are not DMN's."""
    found = etree.QName(element)
    return found.localname if found.namespace in NAMESPACES else ""


def children(element: Element, *names: str) -> Iterator[Element]:
    """The children of these names, or all of DMN's."""
    for child in element:
        found = local(child)
        if found and (not names or found in names):
            yield child


def child(element: Element, *names: str) -> Element | None:
    return next(children(element, *names), None)


def text(element: Element | None) -> str:
    """The ``text`` within an element, trimmed; empty when there is none."""
    inner = None if element is None else child(element, "text")
    return "" if inner is None else content(inner)


def content(element: Element) -> str:
    """All text of an element, trimmed."""
    return "".join(str(piece) for piece in element.itertext()).strip()


def attribute(element: Element, name: str) -> str:
    found = element.get(name)
    return found.strip() if isinstance(found, str) else ""


def name_of(element: Element) -> str:
    return " ".join(attribute(element, "name").split())


def identity(element: Element) -> str:
    """The id of the element or of the nearest one around it; else its name."""
    at: Element | None = element
    while at is not None:
        if found := attribute(at, "id"):
            return found
        if local(at) in ("decision", "businessKnowledgeModel", "inputData", "itemDefinition") and name_of(at):
            return name_of(at)
        at = at.getparent()
    return name_of(element) or local(element)


def target(element: Element) -> tuple[str, str]:
    """Namespace and id of an ``href``."""
    namespace, _, id_ = attribute(element, "href").rpartition("#")
    return namespace, id_


def rules_of(xml: bytes, name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Every decision table of a file: its id, the name of what holds it, the ids of its rules as they match."""
    for table in read(xml, name).iter(etree.Element):
        if local(table) == "decisionTable":
            holder = next((a for a in table.iterancestors() if attribute(a, "name")), table)
            yield identity(table), attribute(holder, "name"), _rules(table)


def _rules(table: Element) -> list[str]:
    return [attribute(rule, "id") or str(number) for number, rule in enumerate(children(table, "rule"), 1)]
