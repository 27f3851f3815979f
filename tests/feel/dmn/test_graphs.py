"""What stands around tables: requirements, boxed expressions, knowledge models, services, types, imports."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import feel
import feel.dmn
from feel.dmn import DmnError, DmnEvaluationError
from tests.feel.dmn.build import HEAD, escaped, table

N = Decimal


def literal(text: str) -> str:
    return f"<literalExpression><text>{escaped(text)}</text></literalExpression>"


def decision(name: str, inner: str, *, needs: str = "", of: str = "") -> str:
    kind = f' typeRef="{of}"' if of else ""
    return f'<decision id="{name}" name="{name}"><variable name="{name}"{kind}/>{needs}{inner}</decision>'


def needs(**references: str) -> str:
    tags = {"input": "requiredInput", "decision": "requiredDecision"}
    made = ""
    for kind, names in references.items():
        for name in names.split():
            if kind == "knowledge":
                made += f'<knowledgeRequirement><requiredKnowledge href="#{name}"/></knowledgeRequirement>'
            else:
                made += f'<informationRequirement><{tags[kind]} href="#{name}"/></informationRequirement>'
    return made


def value(name: str, of: str = "") -> str:
    kind = f' typeRef="{of}"' if of else ""
    return f'<inputData id="{name}" name="{name}"><variable name="{name}"{kind}/></inputData>'


def knowledge(name: str, parameters: str, body: str, needed: str = "", attributes: str = "") -> str:
    formal = "".join(f'<formalParameter name="{each}"/>' for each in parameters.split())
    return (
        f'<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}"/>'
        f"<encapsulatedLogic{attributes}>{formal}{body}</encapsulatedLogic>{needed}</businessKnowledgeModel>"
    )


def model(*parts: str) -> feel.dmn.Decisions:
    return feel.dmn.parse((HEAD + "".join(parts) + "</definitions>").encode(), "t")


def answer(*parts: str, **data: object) -> object:
    return feel.to_json(model(*parts).evaluate("answer", data).value)


def test_a_decision_is_made_from_those_that_it_needs_each_once() -> None:
    calls: list[int] = []
    parts = [
        value("x", "number"),
        decision("double", literal("tick(x) * 2"), needs=needs(input="x")),
        decision("left", literal("double + 1"), needs=needs(decision="double")),
        decision("right", literal("double + 2"), needs=needs(decision="double")),
        decision("answer", literal("left * right"), needs=needs(decision="left right")),
    ]
    result = model(*parts).evaluate("answer", {"x": 3}, {"tick": lambda x: calls.append(1) or x})
    assert (result.value, len(calls)) == (N(56), 1)


def test_data_that_is_no_part_of_the_graph_is_visible_and_parts_are_not_without_a_requirement() -> None:
    decisions = feel.dmn.parse(
        (HEAD + value("x") + decision("answer", literal("x = null and y = 1")) + "</definitions>").encode(),
        "t",
        strict=False,
    )
    assert decisions.evaluate("answer", {"x": 5, "y": 1}).value is True
    assert [finding.code for finding in decisions.findings] == ["requirement.missing"]


@pytest.mark.parametrize(
    ("inner", "result"),
    [
        (literal("x + 1"), 6),
        (
            "<context>"
            f'<contextEntry><variable name="double it"/>{literal("x * 2")}</contextEntry>'
            f'<contextEntry><variable name="more"/>{literal("double it + 1")}</contextEntry></context>',
            {"double it": 10, "more": 11},
        ),
        (
            f'<context><contextEntry><variable name="a"/>{literal("x * 2")}</contextEntry>'
            f"<contextEntry>{literal('a + 1')}</contextEntry></context>",
            11,
        ),
        (f"<list>{literal('x')}{literal('x + 1')}</list>", [5, 6]),
        (
            f'<relation><column name="a"/><column name="b"/><row>{literal("1")}{literal("x")}</row></relation>',
            [{"a": 1, "b": 5}],
        ),
        (
            f"<conditional><if>{literal('x > 3')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>",
            1,
        ),
        (f"<filter><in>{literal('[1, 5, 9]')}</in><match>{literal('item >= x')}</match></filter>", [5, 9]),
        (f'<for iteratorVariable="i"><in>{literal("1..3")}</in><return>{literal("i * x")}</return></for>', [5, 10, 15]),
        (f'<for iteratorVariable="i"><in>{literal("[1..3]")}</in><return>{literal("i * x")}</return></for>', [5, 10, 15]),
        (f'<some iteratorVariable="i"><in>{literal("[1, 9]")}</in><satisfies>{literal("i > x")}</satisfies></some>', True),
        (f'<every iteratorVariable="i"><in>{literal("[1, 9]")}</in><satisfies>{literal("i > x")}</satisfies></every>', False),
        (
            "<invocation>" + literal("add") + f'<binding><parameter name="b"/>{literal("x")}</binding>'
            f'<binding><parameter name="a"/>{literal("10")}</binding></invocation>',
            5,
        ),
        (literal("add(a: 1, b: x)"), -4),
        (literal("fact(x)"), 120),
        (literal("even_steps(x)"), False),
        ('<functionDefinition><formalParameter name="a"/>' + literal("a") + "</functionDefinition>", "function"),
    ],
)  # fmt: skip
def test_a_boxed_expression_has_a_value(inner: str, result: object) -> None:
    parts = [
        value("x"),
        knowledge("add", "a b", literal("a - b")),
        knowledge("fact", "n", literal("if n < 2 then 1 else n * fact(n - 1)")),
        knowledge(
            "even_steps", "n", literal("if n = 0 then true else odd_steps(n - 1)"), needs(knowledge="odd_steps")
        ),
        knowledge(
            "odd_steps", "n", literal("if n = 0 then false else even_steps(n - 1)"), needs(knowledge="even_steps")
        ),
    ]
    required = needs(input="x", knowledge="add fact even_steps")
    assert answer(*parts, decision("answer", inner, needs=required), x=5) == result


def test_types_convert_what_the_standard_converts_and_refuse_the_rest() -> None:
    types = (
        '<itemDefinition name="tGrade"><typeRef>string</typeRef><allowedValues><text>"A", "B"</text></allowedValues>'
        '</itemDefinition><itemDefinition name="tPerson"><itemComponent name="full name"><typeRef>string</typeRef>'
        '</itemComponent><itemComponent name="grades" isCollection="true"><typeRef>tGrade</typeRef></itemComponent>'
        "</itemDefinition>"
    )
    parts = [types, value("p", "tPerson"), decision("answer", literal("p.full name"), needs=needs(input="p"))]
    assert answer(*parts, p={"full name": "王芳", "grades": ["A"]}) == "王芳"
    assert answer(*parts, p={"full name": "王芳", "grades": ["C"]}) is None
    assert answer(*parts, p={"full name": 1, "grades": ["A"]}) is None
    assert answer(decision("answer", literal("[5]"), of="number")) == 5
    assert answer(decision("answer", literal('"5"'), of="number")) is None
    assert answer(decision("answer", literal('date("2026-11-22")'), of="dateTime")) == "2026-11-22T00:00:00Z"


def test_a_decision_service_hides_what_is_inside_and_takes_its_inputs_as_parameters() -> None:
    service = (
        '<decisionService id="service" name="service"><variable name="service"/><outputDecision href="#inner"/>'
        '<inputDecision href="#given"/><inputData href="#x"/></decisionService>'
    )
    parts = [
        value("x"),
        decision("given", literal("1000")),
        decision("inner", literal("x + given"), needs=needs(input="x", decision="given")),
        service,
        decision("answer", literal("service(x: 1, given: 2)"), needs=needs(knowledge="service")),
    ]
    assert answer(*parts, x=9) == 3
    assert model(*parts).evaluate("service", {"x": 5, "given": 7}).value == 12
    assert model(*parts).evaluate("inner", {"x": 5}).value == 1005


def test_files_import_each_other_by_namespace(tmp_path: Path) -> None:
    inner = (
        HEAD.replace("urn:test", "urn:inner")
        + value("x")
        + knowledge("twice", "n", literal("n * 2"))
        + '<itemDefinition name="tSmall"><typeRef>number</typeRef><allowedValues><text>&lt; 10</text></allowedValues>'
        + "</itemDefinition></definitions>"
    )
    outer = (
        HEAD
        + '<import name="inner model" namespace="urn:inner" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>'
        + decision(
            "answer",
            literal("inner model.twice(inner model.x)"),
            needs='<informationRequirement><requiredInput href="urn:inner#x"/></informationRequirement>'
            '<knowledgeRequirement><requiredKnowledge href="urn:inner#twice"/></knowledgeRequirement>',
            of="inner model.tSmall",
        )
        + "</definitions>"
    )
    (tmp_path / "inner.dmn").write_text(inner)
    (tmp_path / "outer.dmn").write_text(outer)
    decisions = feel.dmn.load(tmp_path / "outer.dmn")
    assert decisions.evaluate("answer", {"inner model": {"x": 4}}).value == 8
    assert decisions.evaluate("answer", {"inner model.x": 3}).value == 6
    assert decisions.evaluate("answer", {"x": 5}).value is None


@pytest.mark.parametrize(
    ("xml", "code", "element"),
    [
        (HEAD + decision("a", literal("b"), needs=needs(decision="b")) + decision("b", literal("a"), needs=needs(decision="a")), "cycle", "a"),
        (HEAD + decision("a", literal("1"), needs=needs(decision="nowhere")), "reference", "a"),
        (HEAD + decision("a", literal("1"), of="tNothing"), "type.unknown", "a"),
        (HEAD + decision("a", literal("1 +")), "feel.syntax", "a"),
        (HEAD + decision("a", literal("1")) + decision("a", literal("2")), "id.twice", "a"),
        (HEAD + knowledge("k", "x", literal("x"), attributes=' kind="Java"'), "function.external", "k"),
        (HEAD + decision("a", '<literalExpression expressionLanguage="http://www.w3.org/TR/xpath"><text>1</text></literalExpression>'), "language", "a"),
        (HEAD + decision("a", "<conditional><if>" + literal("true") + "</if></conditional>"), "expression.missing", "a"),
        (HEAD + decision("a", "<list>" * 60 + literal("1") + "</list>" * 60), "nesting", "a"),
    ],
)  # fmt: skip
def test_a_broken_graph_is_refused_with_the_element(xml: str, code: str, element: str) -> None:
    with pytest.raises(DmnError) as caught:
        feel.dmn.parse((xml + "</definitions>").encode(), "t")
    assert (caught.value.findings[0].code, caught.value.findings[0].element) == (code, element)


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"<definitions", "xml.syntax"),
        (b"<html/>", "xml.root"),
        (b'<!DOCTYPE d [<!ENTITY a "b">]>' + HEAD.encode() + b"</definitions>", "xml.doctype"),
        (b'<!DOCTYPE d SYSTEM "file:///etc/passwd">' + HEAD.encode() + b"</definitions>", "xml.doctype"),
        (
            b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
            b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><x>&c;</x>',
            "xml.doctype",
        ),
        (b" " * (5 * 1024 * 1024 + 1), "file.size"),
        (b"<definitions xmlns='urn:other'/>", "xml.root"),
    ],
)
def test_hostile_or_foreign_xml_is_refused(xml: bytes, code: str) -> None:
    with pytest.raises(DmnError) as caught:
        feel.dmn.parse(xml, "t")
    assert caught.value.findings[0].code == code


def test_an_endless_decision_is_bounded() -> None:
    loop = knowledge("loop", "n", literal("loop(n + 1)"))
    with pytest.raises(feel.FeelLimitError):
        answer(loop, decision("answer", literal("loop(1)"), needs=needs(knowledge="loop")))
    endless = (
        '<for iteratorVariable="i"><in>'
        + literal("[1..1000000000]")
        + "</in><return>"
        + literal("i")
        + "</return></for>"
    )
    with pytest.raises(feel.FeelLimitError):
        answer(decision("answer", endless))


def test_an_unknown_decision_is_refused_with_those_that_exist() -> None:
    with pytest.raises(DmnEvaluationError, match="there is no decision other; known: answer"):
        model(decision("answer", literal("1"))).evaluate("other", {})


def test_what_a_decision_needs_from_outside_can_be_asked() -> None:
    parts = [
        value("x"),
        decision("inner", literal("x + limit"), needs=needs(input="x")),
        decision("answer", literal("inner * rate"), needs=needs(decision="inner")),
    ]
    assert model(*parts).inputs("answer") == {"x", "limit", "rate"}


def test_decide_answers_in_the_agreed_json(tmp_path: Path) -> None:
    path = tmp_path / "t.dmn"
    path.write_bytes(table("RULE ORDER", [(['< date("2026-12-01")'], ["1.5"]), (["-"], ["2"])], types=["date"]))
    assert feel.dmn.decide(path, "answer", {"x": "2026-11-22"}) == {
        "decision": "answer",
        "value": [1.5, 2],
        "matched": ["r1", "r2"],
        "findings": [],
    }
    path.write_bytes(table("UNIQUE", [(["< 5"], ["1"]), (["< 9"], ["2"])]))
    found = feel.dmn.decide(path, "answer", {"x": 3})
    assert (found["value"], [each["code"] for each in found["findings"]]) == (None, ["table.unique"])  # type: ignore[index,attr-defined]
    path.write_text(
        HEAD
        + value("d", "date")
        + decision("answer", literal('d + @"P1D"'), needs=needs(input="d"))
        + "</definitions>"
    )
    assert feel.dmn.decide(path, "answer", {"d": "2026-11-22"})["value"] == "2026-11-23"


def test_dates_from_the_process_may_be_dates() -> None:
    xml = table("FIRST", [([">= start"], ["true"])], types=["date"])
    decisions = feel.dmn.parse(xml, "t")
    assert decisions.evaluate("answer", {"x": date(2026, 11, 22), "start": date(2026, 11, 22)}).value is True


def test_an_import_is_found_where_it_says_below_the_file_and_nowhere_above(tmp_path: Path) -> None:
    head = HEAD.replace('namespace="urn:test"', 'namespace="urn:rates"')
    rates = head + decision("rate", literal("2")) + "</definitions>"
    use = (
        HEAD
        + '<import name="r" namespace="urn:rates" locationURI="{}" importType="dmn"/>'
        + decision(
            "answer",
            literal("r.rate * 10"),
            needs='<informationRequirement><requiredDecision href="urn:rates#rate"/></informationRequirement>',
        )
        + "</definitions>"
    )
    inside, above = tmp_path / "model" / "below", tmp_path
    inside.mkdir(parents=True)
    (inside / "rates.dmn").write_text(rates)
    (above / "rates.dmn").write_text(rates)
    main = tmp_path / "model" / "main.dmn"
    main.write_text(use.format("below/rates.dmn"))
    assert feel.dmn.load(main).evaluate("answer", {}).value == 20
    main.write_text(use.format("../rates.dmn"))
    with pytest.raises(DmnError):
        feel.dmn.load(main)


def test_a_knowledge_model_may_be_asked_with_its_parameters_from_outside() -> None:
    body = (
        '<businessKnowledgeModel id="b" name="twice"><variable name="twice"/><encapsulatedLogic>'
        '<formalParameter name="n" typeRef="number"/>' + literal("n * 2") + "</encapsulatedLogic>"
        "</businessKnowledgeModel>"
    )
    assert model(body).evaluate("twice", {"n": 21}).value == 42
