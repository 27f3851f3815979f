"""What the engine runs and what the import translates, as one list; and what a diagram uses beyond it.

``beyond`` looks at the tags and attributes of a file alone, before any translation and without the checks: so it
says how many foreign diagrams there are that ought to be accepted, whatever the gate then answers.
"""

from collections.abc import Iterator

from lxml import etree

from engine import importing, juel
from engine.checking import RUNS
from engine.diagram import BPMN, EVENTS, SILENT, Kind, NotXml, parse

#: BPMN tags inside the elements of a process that say something about them, besides those that are not run.
_PARTS = frozenset(
    [
        "conditionExpression",
        "timeDate",
        "timeDuration",
        "timeCycle",
        "script",
        "completionCondition",
        "loopCardinality",
        "loopDataInputRef",
        "loopDataOutputRef",
        "inputDataItem",
        "outputDataItem",
        "humanPerformer",
        "potentialOwner",
        "resourceAssignmentExpression",
        "formalExpression",
        "text",
        "lane",
        "flowNodeRef",
        "childLaneSet",
        "partitionElementRef",
        "dataState",
        "dataInput",
        "dataOutput",
        "inputSet",
        "outputSet",
        "inputSetRefs",
        "outputSetRefs",
        "dataInputRefs",
        "dataOutputRefs",
        "dataInputAssociation",
        "dataOutputAssociation",
        "sourceRef",
        "targetRef",
        "assignment",
        "from",
        "to",
        "transformation",
        "categoryValue",
        "categoryValueRef",
        "rendering",
        "performer",
        "resourceRef",
        "operationRef",
        "inMessageRef",
        "outMessageRef",
        "supportedInterfaceRef",
        "eventDefinitionRef",
        "source",
        "target",
    ]
)
#: BPMN tags outside processes: who takes part, and what is defined once.
_DEFINITIONS = frozenset(
    [
        "definitions",
        "process",
        "collaboration",
        "participant",
        "messageFlow",
        "message",
        "signal",
        "error",
        "escalation",
        "itemDefinition",
        "import",
        "category",
        "dataStore",
        "interface",
        "operation",
        "resource",
        "relationship",
        "extension",
        "participantMultiplicity",
        "correlationKey",
        "correlationProperty",
        "correlationSubscription",
        "partnerRole",
        "partnerEntity",
        "globalTask",
        "globalUserTask",
        "endPoint",
    ]
)
#: Attributes that turn an element into another one.
_MARKS = {
    "triggeredByEvent": "an event sub-process",
    "isForCompensation": "a compensation handler",
}
_EXPRESSIONS = (
    "conditionExpression",
    "timeDate",
    "timeDuration",
    "timeCycle",
    "loopCardinality",
    "completionCondition",
)


def beyond(xml: bytes) -> list[str]:
    """What a diagram uses that is not on the list, each once, in words; empty when it ought to be accepted."""
    try:
        root = parse(xml)
    except NotXml:
        return ["not XML"]
    if root.tag != f"{BPMN}definitions":
        return ["not BPMN 2.0"]
    return sorted({reason for node in root.iter() if isinstance(node.tag, str) for reason in _of(node)})


def _of(node: etree._Element) -> Iterator[str]:
    name = etree.QName(node)
    if node.tag.startswith(BPMN):
        if next(node.iterancestors(f"{BPMN}extensionElements"), None) is not None:
            return  # A drawing tool's own notes in BPMN's namespace.
        yield from _of_element(node, name.localname)
        for key in node.attrib:
            if etree.QName(key).namespace in importing.VENDORS:
                yield from _of_attribute(node, etree.QName(key).localname, str(node.get(key)))
    elif name.namespace in importing.VENDORS:
        yield from _of_extension(node, name.localname)


def _of_element(node: etree._Element, tag: str) -> Iterator[str]:
    for mark, words in _MARKS.items():
        if node.get(mark) == "true":
            yield words
    if tag in RUNS:
        yield from _of_triggers(node, Kind(tag))
    elif tag == "standardLoopCharacteristics":
        yield "a loop marker"
    elif tag.endswith("EventDefinition"):
        return
    elif tag not in _PARTS and tag not in _DEFINITIONS and f"{BPMN}{tag}" not in SILENT:
        yield f"{tag}"
    if tag in _EXPRESSIONS:
        yield from _of_expression(node)
    if tag == "scriptTask" and str(node.get("scriptFormat", "")).lower() not in ("feel", "juel", ""):
        yield "a script in another language"


def _of_triggers(node: etree._Element, kind: Kind) -> Iterator[str]:
    """Triggers that this kind of event cannot have; activities have none."""
    if kind not in EVENTS:
        return
    for child in node.iterfind(f"{BPMN}*"):
        tag = etree.QName(child).localname
        trigger = tag.removesuffix("EventDefinition")
        if trigger == tag or trigger in RUNS[kind]:
            continue
        article = "an" if trigger[0] in "aeiou" else "a"
        yield f"{article} {trigger} start event" if kind is Kind.START else f"{article} {trigger} event"


def _of_expression(node: etree._Element) -> Iterator[str]:
    language = str(node.get("language", "")).lower()
    text = "".join(str(part) for part in node.itertext()).strip()
    if language and language not in ("feel", "juel"):
        yield "a script in another language"
    elif juel.is_juel(text):
        yield from _of_juel(text)
    elif etree.QName(node).localname == "timeCycle" and " " in text:
        yield "cron"


def _of_juel(text: str) -> Iterator[str]:
    try:
        juel.translate(text)
    except juel.NotTranslated:
        yield "JUEL beyond names, literals, comparisons and logic"


def _of_attribute(node: etree._Element, name: str, value: str) -> Iterator[str]:
    if name in importing.JAVA:
        yield "Java"
    elif name == "expression":
        try:
            if juel.is_juel(value) and not juel.is_fixed(value):
                yield "Java"
        except juel.NotTranslated:
            yield "Java"
    elif name == "type" and value != "external":
        yield "a built-in task of Camunda 7 (mail, shell)"
    elif name in ("resource",):
        yield "a script in another language"
    elif name == "caseRef":
        yield "CMMN"
    elif name in importing.TRANSLATED:
        if juel.is_juel(value):
            yield from _of_juel(value)
    elif name not in importing.IGNORED and name not in importing.VARIABLES:
        yield f"camunda:{name}"


def _of_extension(node: etree._Element, name: str) -> Iterator[str]:
    if name in ("executionListener", "taskListener"):
        yield "a listener"
    elif name in ("field", "connector", "connectorId"):
        yield "Java"
    elif name == "script":
        yield "a script in another language"
    elif name in ("inputParameter", "outputParameter", "value", "entry"):
        text = (node.text or "").strip()
        if juel.is_juel(text):
            yield from _of_juel(text)
    elif name in ("list", "map"):
        return
    elif name in ("in", "out"):
        if next(node.iterancestors(f"{BPMN}callActivity"), None) is None or _inside_event(node):
            yield f"camunda:{name} of an event"
        if juel.is_juel(str(node.get("sourceExpression", ""))):
            yield from _of_juel(str(node.get("sourceExpression")))
    elif name not in importing.TRANSLATED_ELEMENTS and name not in importing.IGNORED_ELEMENTS:
        yield f"camunda:{name}"


def _inside_event(node: etree._Element) -> bool:
    return any(str(above.tag).endswith("EventDefinition") for above in node.iterancestors())


__all__ = ["beyond"]
