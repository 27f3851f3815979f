"""Decision tables for tests, written as rows."""

from collections.abc import Sequence

HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:test">'


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def texts(tag: str, cells: Sequence[str]) -> str:
    return "".join(f"<{tag}><text>{escaped(cell)}</text></{tag}>" for cell in cells)


def table(
    policy: str,
    rules: Sequence[tuple[Sequence[str], Sequence[str]]],
    *,
    inputs: Sequence[str] = ("x",),
    outputs: Sequence[tuple[str, str]] = (("out", ""),),
    aggregation: str = "",
    defaults: Sequence[str] = (),
    types: Sequence[str] = (),
    allowed: Sequence[str] = (),
) -> bytes:
    """One decision ``answer`` with a table. Outputs are (name, allowed values); rules are (cells, answers)."""
    columns = ""
    for place, expression in enumerate(inputs):
        of = f' typeRef="{types[place]}"' if types else ""
        values = texts("inputValues", [allowed[place]]) if allowed and allowed[place] else ""
        columns += (
            f"<input><inputExpression{of}><text>{escaped(expression)}</text></inputExpression>{values}</input>"
        )
    for place, (name, values) in enumerate(outputs):
        inner = (texts("outputValues", [values]) if values else "") + (
            texts("defaultOutputEntry", [defaults[place]]) if defaults else ""
        )
        columns += f'<output name="{name}">{inner}</output>'
    rows = "".join(
        f'<rule id="r{number}">{texts("inputEntry", cells)}{texts("outputEntry", answers)}</rule>'
        for number, (cells, answers) in enumerate(rules, 1)
    )
    collect = f' aggregation="{aggregation}"' if aggregation else ""
    return (
        f'{HEAD}<decision id="answer" name="answer"><variable name="answer"/>'
        f'<decisionTable id="table" hitPolicy="{policy}"{collect}>{columns}{rows}</decisionTable></decision></definitions>'
    ).encode()
