"""Hostile expressions, diagrams, tables, forms and texts. Each case returns what it came to, or raises a refusal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

import orjson
import zstandard

import disputes.models
import feel
import feel.dmn
from core import sealing
from core.db import Base, Database
from core.refusals import Refusal
from disputes.releases.scenarios.reading import ScenarioError, read_scenarios
from disputes.timelimits.limits import LimitsError, load_limits
from engine import Catalogue, Engine, Severity, bundles, check, diagram, juel, moments, state
from engine.findings import FUNCTIONS
from engine.importing import translate
from feel.dmn import DmnError
from feel.errors import FeelError
from forms import FormError, compile_form
from tests.oracle.random_diagrams import NAMESPACES

#: Case → what it does.
CASES: dict[str, Callable[[], object]] = {}
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
#: What says no, and says why.
REFUSALS = (FeelError, DmnError, Refusal, FormError, ScenarioError, LimitsError, juel.NotTranslated, ValueError)
_folder = Path()


def attempt(case: str) -> tuple[str, str]:
    """``refused`` and why, or ``bounded`` and what came of it. Whatever else is raised is a fault."""
    try:
        came_to = (CASES.get(case) or _OF_THE_CAGE[case])()
    except RecursionError:
        raise
    except REFUSALS as refused:
        return "refused", f"{type(refused).__name__}: {refused}"
    if isinstance(came_to, list) and came_to and all(hasattr(f, "severity") for f in came_to):
        wrong = [f for f in came_to if f.severity is Severity.ERROR]
        if wrong:
            return "refused", f"{wrong[0].code}: {wrong[0].en}"
    return "bounded", repr(came_to)[:200]


def warm_up(folder: Path) -> None:
    """Load what a first use loads, so that no case pays for it; and lay down an empty database to copy."""
    global _folder
    _folder = folder
    assert disputes.models
    sealing.unlock(("a-key-for-tests",))
    database = Database(f"sqlite:///{folder / 'template.db'}")
    Base.metadata.create_all(database.writing)
    database.dispose()
    feel.compile('if a > 1 and matches(b, "x+") then [1,2][item > 1] else date("2026-01-01")').evaluate(
        {"a": 1, "b": "x"}
    )
    good = drawn('<bpmn:startEvent id="s" />' + flow("s", "e") + '<bpmn:endEvent id="e" />')
    checked(good)
    compile_form(form([{"type": "textfield", "key": "a", "id": "a", "label": "a"}])).load({"a": "b"}, {})
    load_limits(b"limits: {}")
    attempt("run: a plain process")


def case(name: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    def keep(function: Callable[[], object]) -> Callable[[], object]:
        assert name not in CASES, name
        CASES[name] = function
        return function

    return keep


# -- expressions ---------------------------------------------------------------------------------------------------


def evaluated(text: str, /, **data: Any) -> object:
    return feel.compile(text, functions=FUNCTIONS).evaluate(data)


class _Secret:
    """An object of Python that an expression must not look into."""

    password = "hidden"


HELD: Mapping[str, Any] = {"a": {"b": 1}, "text": "hello", "list": [1, 2, 3]}
for _name, _text in {
    "attribute walk": "a.__class__",
    "attribute walk from a text": '"".__class__.__mro__',
    "attribute walk from a number": "(1).__class__.__base__.__subclasses__()",
    "attribute walk from a function": "abs.__globals__",
    "dunder name": "__import__",
    "dunder call": '__import__("os").system("id")',
    "eval": 'eval("1")',
    "lambda": "lambda: 1",
    "f-string": '"{text.__class__}"',
    "get value of a dunder": 'get value(a, "__class__")',
    "huge range": "count(1..10**12)",
    "huge range in for": "for i in 1..1000000000 return i",
    "huge product": "for i in 1..100000, j in 1..100000 return i * j",
    "some over a huge range": "some i in 1..1000000000 satisfies i < 0",
    "every over a huge range": "every i in 1..1000000000 satisfies i > 0",
    "doubling lists": "".join(["concatenate(", "list, " * 2000, "list)"]),
    "doubling in a loop": "for i in 1..40 return if i = 1 then [1,1] else concatenate(partial[-1], partial[-1])",
    "doubling text": 'for i in 1..60 return if i = 1 then "xx" else partial[-1] + partial[-1]',
    "power tower": "9 ** 9 ** 9 ** 9",
    "huge exponent": "10 ** 999999",
    "long number": "9" * 40_000,
    "deep brackets": "(" * 5_000 + "1" + ")" * 5_000,
    "deep lists": "[" * 5_000 + "1" + "]" * 5_000,
    "deep contexts": "{a:" * 3_000 + "1" + "}" * 3_000,
    "deep if": "if true then " * 3_000 + "1" + " else 2" * 3_000,
    "deep functions": "function(x) " * 3_000 + "x",
    "deep minus": "-" * 20_000 + "1",
    "deep not": "not(" * 3_000 + "true" + ")" * 3_000,
    "deep path": "a" + ".b" * 20_000,
    "deep filter": "list" + "[1]" * 10_000,
    "long sum": "1" + "+1" * 20_000,
    "long text": '"' + "x" * 200_000 + '"',
    "long name": "x" * 40_000,
    "long expression": "1 + " * 100_000 + "1",
    "self-calling function": "{f: function(n) f(n + 1), r: f(1)}.r",
    "mutually calling functions": "{f: function(n) g(n), g: function(n) f(n), r: f(1)}.r",
    "y combinator": "(function(f) f(f))(function(f) f(f))",
    "sort by a slow function": "sort(1..100000, function(a, b) count(1..100000) > 0)",
    "catastrophic pattern": 'matches("' + "a" * 40 + '!", "^(a+)+$")',
    "catastrophic alternation": 'matches("' + "a" * 60 + '!", "^(a|aa)+$")',
    "catastrophic replace": 'replace("' + "x" * 5_000 + '", "(x+x+)+y", "z")',
    "pattern of repetitions": 'matches("a", "((a{1,1000}){1,1000}){1,1000}")',
    "split into everything": 'count(split("' + "a" * 40_000 + '", ""))',
    "year beyond time": 'date("999999999-01-01") + duration("P999999999Y")',
    "endless duration": 'duration("P99999999999999999999D")',
    "moment with a huge fraction": 'time("00:00:00.' + "9" * 10_000 + '")',
    "date of text bombs": 'date("' + "9" * 40_000 + '-01-01")',
    "NUL in a text": '"a\x00b"',
    "surrogate in a text": '"a\ud800b"',
    "bidirectional override in a name": "a\u202eb",
    "unclosed text": '"' + "\\" * 9_999,
    "unclosed comment": "1 /*" * 5_000,
    "string join of a range": 'string join(for i in 1..100000 return string(i), ",")',
    "substring of nothing": 'substring("abc", -999999999999, 999999999999999)',
    "flatten": "flatten([[[[[[[[[[list, list], list], list]]]]]]]])",
    "context of many keys": "context(for i in 1..100000 return {key: string(i), value: i})",
    "huge modulo": "modulo(10 ** 300, 3)",
    "decimal with a huge scale": "decimal(1/3, 999999999)",
    "external function": 'function(x) external {java: {class: "java.lang.Runtime", method signature: "exec()"}}',
}.items():
    CASES[f"feel: {_name}"] = lambda text=_text: evaluated(text, **HELD)


@case("feel: an object of Python")
def _() -> object:
    value = evaluated("secret.password", secret=_Secret())
    assert value is None, value
    return value


@case("feel: a list that holds itself")
def _() -> object:
    held: list[object] = [1]
    held.append(held)
    return evaluated("count(flatten(held))", held=held)


@case("feel: unary tests without end")
def _() -> object:
    return feel.compile_unary(", ".join(["> 1"] * 12_000)).test(5, {})


@case("juel: without end")
def _() -> object:
    return juel.translate("${" + "(" * 100_000 + "}")


# -- diagrams ------------------------------------------------------------------------------------------------------


def drawn(body: str, more: str = "", process: str = 'id="p"') -> bytes:
    return (
        f'<bpmn:definitions {NAMESPACES} id="d" targetNamespace="t">'
        f'<bpmn:process {process} isExecutable="true">{body}</bpmn:process>{more}</bpmn:definitions>'
    ).encode("utf-8", "surrogatepass")


def flow(source: str, target: str, condition: str = "") -> str:
    inner = f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>" if condition else ""
    return (
        f'<bpmn:sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inner}'
        "</bpmn:sequenceFlow>"
    )


def around(element: str, name: str = "t") -> str:
    return f'<bpmn:startEvent id="s" />{flow("s", name)}{element}{flow(name, "e")}<bpmn:endEvent id="e" />'


def checked(xml: bytes, more: Mapping[str, bytes] | None = None) -> list[object]:
    """Import and check together, as a foreign diagram goes through the gate."""
    imported = translate(xml, "x.bpmn")
    return [*imported.findings, *check({"x.bpmn": imported.xml, **(more or {})}, Catalogue(complete=False))]


def ran(xml: bytes, more: Mapping[str, bytes] | None = None, **data: Any) -> object:
    """Start it on a database of its own: it comes to rest or leaves an incident."""
    path = _folder / f"{uuid4()}.db"
    shutil.copy(_folder / "template.db", path)
    database = Database(f"sqlite:///{path}")
    try:
        engine = Engine(services={})
        with database.transaction() as session:
            bundle = bundles.save(session, {"bpmn/x.bpmn": xml, **(more or {})}, now=NOW)
            step = engine.start(session, bundle=bundle, process="p", key="k", data=data, now=NOW, by="t")
            return [i.message for i in step.incidents] or step.position[:5]
    finally:
        database.dispose()


@case("run: a plain process")
def _() -> object:
    return ran(drawn(around('<bpmn:userTask id="t" />')))


@case("xml: billion laughs")
def _() -> object:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return checked(f"<!DOCTYPE x [{entities}]><x>&a11;</x>".encode())


@case("xml: quadratic blow-up")
def _() -> object:
    return checked(f'<!DOCTYPE x [<!ENTITY a "{"x" * 50_000}">]><x>{"&a;" * 50_000}</x>'.encode())


@case("xml: external entity")
def _() -> object:
    found = checked(b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>')
    assert "root:" not in repr(found)
    return found


@case("xml: external document type")
def _() -> object:
    return checked(b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x />')


@case("xml: XInclude")
def _() -> object:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text" />'
    found = checked(
        drawn(around(f'<bpmn:userTask id="t"><bpmn:documentation>{include}</bpmn:documentation></bpmn:userTask>'))
    )
    assert "root:" not in repr(found)
    return found


@case("xml: deep nesting")
def _() -> object:
    return checked(("<a>" * 200_000).encode())


@case("xml: deep sub-processes")
def _() -> object:
    depth = 100
    body = around('<bpmn:userTask id="t" />')
    for n in range(depth):
        body = body.replace('"s', f'"s{n}').replace('"e"', f'"e{n}"').replace("-e", f"-e{n}")
        body = around(f'<bpmn:subProcess id="u{n}">{body}</bpmn:subProcess>', f"u{n}")
    return checked(drawn(body))


@case("xml: a million attributes")
def _() -> object:
    return checked(drawn(around("<bpmn:userTask " + " ".join(f'a{n}="1"' for n in range(100_000)) + ' id="t" />')))


@case("xml: a huge text")
def _() -> object:
    return checked(drawn(around(f'<bpmn:userTask id="t" name="{"x" * 11_000_000}" />')))


@case("xml: a name of a megabyte")
def _() -> object:
    return checked(drawn(around(f'<bpmn:userTask id="{"x" * 1_000_000}" />', "x" * 1_000_000)))


@case("xml: NUL")
def _() -> object:
    return checked(drawn(around('<bpmn:userTask id="t\x00" />')))


@case("xml: surrogate")
def _() -> object:
    return checked(drawn(around('<bpmn:userTask id="t" name="\ud800" />')))


@case("xml: UTF-7")
def _() -> object:
    return checked(b'<?xml version="1.0" encoding="UTF-7"?>+ADw-x+AD4-')


@case("xml: UTF-16 that lies")
def _() -> object:
    return checked('<?xml version="1.0" encoding="UTF-8"?><x/>'.encode("utf-16"))


@case("xml: many namespaces")
def _() -> object:
    return checked(("<x " + " ".join(f'xmlns:n{n}="u{n}"' for n in range(50_000)) + "/>").encode())


@case("diagram: fifty thousand elements")
def _() -> object:
    return checked(drawn("".join(f'<bpmn:userTask id="t{n}" />' for n in range(50_000))))


@case("diagram: a long chain")
def _() -> object:
    tasks = "".join(f'<bpmn:userTask id="t{n}" />' + flow(f"t{n}", f"t{n + 1}") for n in range(3_000))
    return checked(drawn(f'<bpmn:startEvent id="s" />{flow("s", "t0")}{tasks}<bpmn:endEvent id="t3000" />'))


@case("diagram: every task to every task")
def _() -> object:
    nodes = "".join(f'<bpmn:exclusiveGateway id="g{n}" />' for n in range(120))
    flows = "".join(flow(f"g{a}", f"g{b}", "= x") for a in range(120) for b in range(120))
    return checked(drawn(f'<bpmn:startEvent id="s" />{flow("s", "g0")}{nodes}{flows}<bpmn:endEvent id="e" />'))


@case("diagram: parallel without end")
def _() -> object:
    """Thirty tasks side by side have 2 ** 30 markings."""
    tasks = "".join(flow("f", f"t{n}") + f'<bpmn:userTask id="t{n}" />' + flow(f"t{n}", "j") for n in range(30))
    gates = '<bpmn:parallelGateway id="f" /><bpmn:parallelGateway id="j" />'
    return checked(
        drawn(f'<bpmn:startEvent id="s" />{flow("s", "f")}{gates}{tasks}{flow("j", "e")}<bpmn:endEvent id="e" />')
    )


@case("diagram: inclusive without end")
def _() -> object:
    tasks = "".join(
        flow("f", f"t{n}", "= x") + f'<bpmn:userTask id="t{n}" />' + flow(f"t{n}", "j") for n in range(25)
    )
    gates = '<bpmn:inclusiveGateway id="f" /><bpmn:inclusiveGateway id="j" />'
    return checked(
        drawn(f'<bpmn:startEvent id="s" />{flow("s", "f")}{gates}{tasks}{flow("j", "e")}<bpmn:endEvent id="e" />')
    )


@case("diagram: duplicate ids")
def _() -> object:
    return checked(drawn(around('<bpmn:userTask id="t" /><bpmn:userTask id="t" />')))


@case("diagram: a scope in itself by its id")
def _() -> object:
    return checked(drawn(around('<bpmn:subProcess id="p" />', "p")))


@case("diagram: a boundary event on itself")
def _() -> object:
    return checked(drawn(around('<bpmn:userTask id="t" /><bpmn:boundaryEvent id="b" attachedToRef="b" />')))


@case("diagram: a process that calls itself")
def _() -> object:
    return checked(drawn(around(call("t", "p"))))


@case("diagram: processes that call each other")
def _() -> object:
    other = drawn(around(call("t", "p")), process='id="q"')
    return checked(drawn(around(call("t", "q"))), {"y.bpmn": other})


@case("diagram: an id that is code")
def _() -> object:
    return checked(drawn(around('<bpmn:userTask id="__class__" name="{0.__class__}" />', "__class__")))


@case("diagram: assignments that are code")
def _() -> object:
    task = f'<bpmn:userTask id="t">{extension(assigned("= a.__class__.__mro__"))}</bpmn:userTask>'
    return ran(drawn(around(task)), a={"b": 1})


def call(name: str, process: str) -> str:
    return f'<bpmn:callActivity id="{name}">{extension(f"<zeebe:calledElement processId={quoteattr(process)} />")}</bpmn:callActivity>'


def extension(inner: str) -> str:
    return f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>"


def assigned(groups: str) -> str:
    return f"<zeebe:assignmentDefinition candidateGroups={quoteattr(groups)} />"


def many(collection: str, sequential: bool = False) -> str:
    loop = f'<zeebe:loopCharacteristics inputCollection={quoteattr(collection)} inputElement="i" />'
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">{extension(loop)}'
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def timer(kind: str, text: str) -> str:
    return (
        f'<bpmn:intermediateCatchEvent id="t"><bpmn:timerEventDefinition><bpmn:{kind}>{escape(text)}</bpmn:{kind}>'
        "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    )


def timed(kind: str, text: str) -> object:
    """Run it whatever the check says; the check's word counts."""
    xml = drawn(around(timer(kind, text)))
    came_to = ran(xml)
    return checked(xml) or came_to


@case("run: a process that calls itself")
def _() -> object:
    return ran(drawn(around(call("t", "p"))))


@case("run: a loop that waits for nobody")
def _() -> object:
    return ran(
        drawn(
            f'<bpmn:startEvent id="s" />{flow("s", "a")}<bpmn:exclusiveGateway id="a" />{flow("a", "b")}'
            f'<bpmn:manualTask id="b" />{flow("b", "a")}'
        )
    )


@case("run: tokens that double for ever")
def _() -> object:
    return ran(
        drawn(
            f'<bpmn:startEvent id="s" />{flow("s", "a")}<bpmn:exclusiveGateway id="a" />{flow("a", "b")}'
            f'<bpmn:parallelGateway id="b" />{flow("b", "a")}{flow("b", "c")}<bpmn:userTask id="c" />{flow("c", "e")}'
            f'{flow("b", "d")}<bpmn:exclusiveGateway id="d" />{flow("d", "a")}<bpmn:endEvent id="e" />'
        )
    )


@case("run: a multi-instance of a hundred thousand")
def _() -> object:
    return ran(drawn(around(f'<bpmn:userTask id="t">{many("= for i in 1..100000 return i")}</bpmn:userTask>')))


@case("run: a sequential multi-instance of a hundred thousand")
def _() -> object:
    return ran(
        drawn(around(f'<bpmn:manualTask id="t">{many("= for i in 1..100000 return i", True)}</bpmn:manualTask>'))
    )


@case("run: nested multi-instances")
def _() -> object:
    body = around('<bpmn:manualTask id="m" />', "m")
    for n in range(6):
        body = body.replace('"s', f'"s{n}').replace('"e"', f'"e{n}"').replace("-e", f"-e{n}")
        loop = many("= for i in 1..10 return i")
        body = around(f'<bpmn:subProcess id="u{n}">{body}{loop}</bpmn:subProcess>', f"u{n}")
    return ran(drawn(body))


@case("run: data that doubles")
def _() -> object:
    script = '<zeebe:script expression="= concatenate(x, x)" resultVariable="x" />'
    return ran(
        drawn(
            f'<bpmn:startEvent id="s" />{flow("s", "a")}<bpmn:exclusiveGateway id="a" />{flow("a", "b")}'
            f'<bpmn:scriptTask id="b">{extension(script)}</bpmn:scriptTask>{flow("b", "a")}'
        ),
        x=[1, 2, 3],
    )


@case("run: data of a megabyte")
def _() -> object:
    return ran(drawn(around('<bpmn:userTask id="t" />')), x="x" * 1_000_000)


@case("run: a collection of data bombs")
def _() -> object:
    return ran(drawn(around(f'<bpmn:userTask id="t">{many("= x")}</bpmn:userTask>')), x=[["x" * 100] * 50] * 2)


for _kind, _text in {
    "timeCycle R/PT0S": "R/PT0S",
    "timeCycle R999999999/PT1S": "R999999999/PT1S",
    "timeCycle of months": "R/P999999999Y",
    "timeDuration of ages": "P999999999999999999D",
    "timeDuration of endless digits": "P" + "9" * 10_000 + "D",
    "timeDuration backwards": "-P999999Y",
    "timeDate in the year 999999999": "999999999-01-01T00:00:00Z",
    "timeDate in the year 9999": "9999-12-31T23:59:59-23:59",
    "timeDuration as an expression": '= duration("P999999999Y")',
    "timeDate as an expression": '= date and time("999999999-01-01T00:00:00Z")',
}.items():
    CASES[f"timer: {_kind}"] = partial(timed, _kind.split()[0], _text)


@case("timer: a daily reminder after a thousand years")
def _() -> object:
    return moments.next_in_cycle("R/PT1S", NOW, NOW + timedelta(days=365_000))


@case("timer: a monthly reminder after seven thousand years")
def _() -> object:
    return moments.next_in_cycle("R/P1M", NOW, datetime(9998, 1, 1, tzinfo=UTC))


@case("timer: the end of time")
def _() -> object:
    return moments.next_in_cycle("R/P1Y", datetime(9999, 6, 1, tzinfo=UTC), datetime(9999, 7, 1, tzinfo=UTC))


@case("message: a key of megabytes")
def _() -> object:
    path = _folder / f"{uuid4()}.db"
    shutil.copy(_folder / "template.db", path)
    database = Database(f"sqlite:///{path}")
    with database.transaction() as session:
        return Engine(services={}).deliver(session, "m" * 1_000_000, "k" * 8_000_000, now=NOW, by="t")


# -- tables --------------------------------------------------------------------------------------------------------


def dmn(body: str, prologue: str = "") -> bytes:
    return (
        f'{prologue}<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'
        f"{body}</definitions>"
    ).encode()


def literal(name: str, text: str, needs: str = "") -> str:
    required = (
        f'<informationRequirement><requiredDecision href="#{needs}" /></informationRequirement>' if needs else ""
    )
    return (
        f'<decision id="{name}" name="{name}"><variable name="{name}" />{required}<literalExpression><text>'
        f"{escape(text)}</text></literalExpression></decision>"
    )


def table(rules: int, entry: str, hit: str = "UNIQUE") -> str:
    rows = "".join(
        f'<rule id="r{n}"><inputEntry><text>{escape(entry.format(n=n))}</text></inputEntry>'
        f"<outputEntry><text>{n}</text></outputEntry></rule>"
        for n in range(rules)
    )
    return (
        f'<decision id="t" name="t"><variable name="t" /><decisionTable hitPolicy="{hit}"><input><inputExpression>'
        f"<text>x</text></inputExpression></input><output />{rows}</decisionTable></decision>"
    )


def decided(xml: bytes, name: str, **data: Any) -> object:
    return feel.dmn.parse(xml, "x.dmn").evaluate(name, data).value


@case("table: decisions that need each other")
def _() -> object:
    return decided(dmn(literal("a", "b", "b") + literal("b", "a", "a")), "a")


@case("table: a decision that needs itself")
def _() -> object:
    return decided(dmn(literal("a", "a", "a")), "a")


@case("table: a long chain of decisions")
def _() -> object:
    chain = "".join(literal(f"d{n}", f"d{n + 1}", f"d{n + 1}") for n in range(2_000)) + literal("d2000", "1")
    return decided(dmn(chain), "d0")


@case("table: a tower of decisions that double")
def _() -> object:
    """Each asks the next twice: 2 ** 40 answers where nobody remembers one."""
    tower = "".join(literal(f"d{n}", f"d{n + 1} + d{n + 1}", f"d{n + 1}") for n in range(40)) + literal("d40", "1")
    return decided(dmn(tower), "d0")


@case("table: a thousand rules")
def _() -> object:
    return decided(dmn(table(1_000, "{n}")), "t", x=999)


@case("table: checked with hundreds of rules")
def _() -> object:
    return check({"x.dmn": dmn(table(300, "> {n}"))}, Catalogue(complete=False))


@case("table: cells that are code")
def _() -> object:
    return decided(dmn(table(1, "x.__class__.__mro__[1] = {n}")), "t", x="a")


@case("table: entities")
def _() -> object:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    return decided(dmn(literal("a", "1").replace("1", "&c;"), laughs), "a")


@case("table: deep boxed lists")
def _() -> object:
    inner = "<literalExpression><text>1</text></literalExpression>"
    for _n in range(90):
        inner = f"<list>{inner}</list>"
    return decided(dmn(f'<decision id="a" name="a"><variable name="a" />{inner}</decision>'), "a")


@case("table: a function that calls itself")
def _() -> object:
    model = (
        '<businessKnowledgeModel id="f" name="f"><variable name="f" /><encapsulatedLogic><formalParameter name="n" />'
        "<literalExpression><text>f(n + 1)</text></literalExpression></encapsulatedLogic><knowledgeRequirement>"
        '<requiredKnowledge href="#f" /></knowledgeRequirement></businessKnowledgeModel>'
    )
    asks = (
        '<decision id="a" name="a"><variable name="a" /><knowledgeRequirement><requiredKnowledge href="#f" />'
        "</knowledgeRequirement><literalExpression><text>f(1)</text></literalExpression></decision>"
    )
    return decided(dmn(model + asks), "a")


@case("table: Java")
def _() -> object:
    return decided(
        dmn(
            literal(
                "a",
                '{f: function(x) external {java: {class: "java.lang.Math", method signature: "abs(int)"}}}.f(1)',
            )
        ),
        "a",
    )


# -- forms ---------------------------------------------------------------------------------------------------------


def form(components: list[dict[str, Any]]) -> bytes:
    return json.dumps({"type": "default", "id": "f", "schemaVersion": 18, "components": components}).encode()


def filled(components: list[dict[str, Any]], answer: Any) -> object:
    return compile_form(form(components)).load(answer, {})


TEXT = {"type": "textfield", "key": "a", "id": "a", "label": "a"}
ROWS = {"type": "dynamiclist", "path": "rows", "id": "rows", "label": "rows", "components": [TEXT]}


@case("form: deep groups")
def _() -> object:
    inner: dict[str, Any] = TEXT
    for n in range(400):
        inner = {"type": "group", "id": f"g{n}", "label": "g", "components": [inner]}
    return compile_form(form([inner])).check()


@case("form: JSON nested without end")
def _() -> object:
    return compile_form(b'{"components": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")


@case("form: a hundred thousand fields")
def _() -> object:
    return len(compile_form(form([{**TEXT, "key": f"k{n}", "id": f"k{n}"} for n in range(5_000)])).check())


@case("form: names of prototypes")
def _() -> object:
    return compile_form(form([{**TEXT, "key": "__proto__"}, {**TEXT, "key": "constructor", "id": "b"}])).check()


@case("form: dunder names")
def _() -> object:
    return compile_form(form([{**TEXT, "key": "__class__.__init__", "id": "b"}])).check()


@case("form: an answer of prototypes")
def _() -> object:
    return filled([TEXT], {"__proto__": {"admin": True}, "__class__": "x", "a": "b"})


@case("form: an answer nested without end")
def _() -> object:
    value: Any = "x"
    for _n in range(500):
        value = {"a": value}
    return filled([TEXT], value)


@case("form: a list without end")
def _() -> object:
    return filled([ROWS], {"rows": [{"a": "x"}] * 100_000})


@case("form: a row number without end")
def _() -> object:
    read = compile_form(form([ROWS])).read([(f"rows.{10**9}.a", "x"), (f"rows.{'9' * 5_000}.a", "x")])
    return len(read.values.get("rows", []))


@case("form: a hundred thousand names")
def _() -> object:
    return len(compile_form(form([ROWS])).read([(f"x{n}.y.z", "x") for n in range(100_000)]).values)


@case("form: a text of megabytes")
def _() -> object:
    return filled([TEXT], {"a": "x" * 20_000_000})


@case("form: a number of endless digits")
def _() -> object:
    return filled([{"type": "number", "key": "a", "id": "a", "label": "a"}], {"a": "9" * 1_000_000})


@case("form: a number with a huge exponent")
def _() -> object:
    return filled([{"type": "number", "key": "a", "id": "a", "label": "a"}], {"a": "1e999999999"})


@case("form: a catastrophic pattern")
def _() -> object:
    field = {**TEXT, "validate": {"pattern": "^(a+)+$"}}
    return filled([field], {"a": "a" * 40 + "!"})


@case("form: a condition that never ends")
def _() -> object:
    field = {**TEXT, "conditional": {"hide": "= some i in 1..1000000000 satisfies i < 0"}}
    return filled([field], {"a": "b"})


@case("form: conditions that hang on each other")
def _() -> object:
    fields = [
        {**TEXT, "key": f"k{n}", "id": f"k{n}", "conditional": {"hide": f"= k{(n + 1) % 50} = null"}}
        for n in range(50)
    ]
    return filled(fields, {f"k{n}": "x" for n in range(50)})


@case("form: script in its words")
def _() -> object:
    text = {
        "type": "text",
        "id": "t",
        "text": "<script>alert(1)</script>[x](javascript:alert(1)) <img src=x onerror=alert(1)>",
    }
    rendered = str(compile_form(form([text])).render({}, {}))
    assert "<script" not in rendered and 'href="javascript' not in rendered and "<img" not in rendered
    return len(rendered)


@case("form: markdown without end")
def _() -> object:
    text = {"type": "text", "id": "t", "text": "[" * 20_000 + "*" * 20_000 + "_" * 20_000}
    return len(str(compile_form(form([text])).render({}, {})))


# -- files ---------------------------------------------------------------------------------------------------------


@case("yaml: anchors that double")
def _() -> object:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return read_scenarios("\n".join(lines).encode(), "x.yaml")


@case("yaml: anchors that double in the limits")
def _() -> object:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return load_limits(("\n".join(lines) + "\nlimits: {C01: *a29}").encode())


@case("yaml: a tag that makes an object")
def _() -> object:
    return load_limits(b'limits: !!python/object/apply:os.system ["id"]')


@case("yaml: a tag that makes an object in a scenario")
def _() -> object:
    return read_scenarios(b'!!python/object/new:os.system ["id"]', "x.yaml")


@case("yaml: deep nesting")
def _() -> object:
    return load_limits(b"[" * 20_000)


@case("yaml: deep nesting in a scenario")
def _() -> object:
    return read_scenarios(b"{a: " * 20_000, "x.yaml")


@case("yaml: merge keys that double")
def _() -> object:
    lines = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    return load_limits("\n".join(lines).encode())


@case("yaml: an anchor that holds itself")
def _() -> object:
    return load_limits(b"limits: &a {C01: *a}")


@case("yaml: a number of endless digits")
def _() -> object:
    return load_limits(("limits: {C01: " + "9" * 200_000 + "}").encode())


@case("yaml: sexagesimal of endless parts")
def _() -> object:
    return load_limits(("limits: {C01: 1" + ":59" * 20_000 + "}").encode())


def grown(byte: bytes, megabytes: int = 500) -> bytes:
    """Half a gigabyte of one byte, in some fifty kilobytes."""
    packing = zstandard.ZstdCompressor(level=1).compressobj(size=megabytes * 2**20)
    block = byte * 2**20
    return b"".join([*(packing.compress(block) for _ in range(megabytes)), packing.flush()])


@case("zstd: a state that grows")
def _() -> object:
    return state.unpack(grown(b" "))


@case("zstd: a bundle that grows")
def _() -> object:
    return bundles.unpack(grown(b"\x00"))


@case("zstd: a bundle whose index lies")
def _() -> object:
    index = orjson.dumps([["bpmn/x.bpmn", 10**15], ["bpmn/y.bpmn", -5]])
    return bundles.unpack(zstandard.ZstdCompressor().compress(len(index).to_bytes(4, "big") + index + b"x"))


@case("zstd: a frame that ends in the middle")
def _() -> object:
    return bundles.unpack(zstandard.ZstdCompressor().compress(b"x" * 10_000)[:-5])


@case("a diagram of the size that is allowed")
def _() -> object:
    return len(diagram.read(drawn("<!--" + "x" * 4_000_000 + "-->"), "x.bpmn").findings)


def _work() -> object:
    while True:
        pass


def _eat() -> object:
    return bytearray(10 * 2**30)


def _fail() -> object:
    raise LookupError("nothing")


#: What the cage itself must notice.
_OF_THE_CAGE: dict[str, Callable[[], object]] = {
    "cage: works without end": _work,
    "cage: eats without end": _eat,
    "cage: fails": _fail,
}
