"""The browser's interpreter answers as ours does on the portable part of FEEL: random expressions in both."""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import feel
from feel.portable import check_portable

SEED = 20261122
WANTED = 4000
HERE = Path(__file__).parent
WEB = Path("web")

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(
        shutil.which("npm") is None and os.environ.get("HEJIE_NO_SKIPS") != "1",
        reason="there is no npm to bring the browser's interpreter",
    ),
]


class Writer:
    """Writes random expressions: mostly portable ones; what the lint refuses is thrown away."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def one(self) -> str:
        write = self._dice.choice(
            [self._condition, self._condition, self._condition, self._number, self._text, self._list]
        )
        return write(3)

    def _pick(self, *texts: str) -> str:
        return self._dice.choice(texts)

    def _number(self, depth: int) -> str:
        if depth == 0 or self._dice.random() < 0.3:
            return self._pick("n", "m", "k", "row.a", str(self._dice.randint(-9, 40)), "2.5", "0.1", "9.75")
        deeper = depth - 1
        a, b, items = self._number(deeper), self._number(deeper), self._list(deeper)
        return self._pick(
            *(f"({a} {sign} {b})" for sign in "+-*"),
            f"({a} / {self._pick('2', '4', 'm', '0')})",
            f"(if {self._condition(deeper)} then {a} else {b})",
            *(f"{name}({items})" for name in ("count", "sum", "min", "max")),
            *(f"{name}({a})" for name in ("abs", "floor", "ceiling")),
            f"modulo({a}, 3)",
            f"string length({self._text(deeper)})",
            f"-({a})",
            f"{self._pick('xs', '[1, 2, n]')}[{self._pick('1', '2', '-1', '5')}]",
        )

    def _text(self, depth: int) -> str:
        if depth == 0 or self._dice.random() < 0.4:
            return self._pick('"a"', '"store"', '""', "s", "t", "row.b", '"李"')
        deeper = depth - 1
        a, b = self._text(deeper), self._text(deeper)
        return self._pick(
            f"({a} + {b})",
            f"(if {self._condition(deeper)} then {a} else {b})",
            f"upper case({a})",
            f"lower case({a})",
            f'string join([{a}, {b}], "-")',
            f'substring before({a}, "o")',
            f'substring after({a}, "o")',
        )

    def _list(self, depth: int) -> str:
        if depth == 0 or self._dice.random() < 0.4:
            return self._pick("xs", "[1, 2, 3]", "[5, n, m]", "rows.a", "[]")
        deeper = depth - 1
        a, b, number = self._list(deeper), self._list(deeper), self._number(deeper)
        return self._pick(
            f"{a}[item {self._pick('<', '>', '<=', '>=')} {number}]",
            f"{a}[item {self._pick('=', '!=')} {self._pick('1', '2', 'n')}]",
            f"rows[a {self._pick('<', '>', '=')} {self._pick('1', '3', 'm')}].a",
            f"append({a}, {number})",
            f"concatenate({a}, {b})",
            f"reverse({a})",
        )

    def _condition(self, depth: int) -> str:
        if depth == 0 or self._dice.random() < 0.2:
            return self._pick("true", "false", "p", "q", "null")
        deeper = depth - 1
        a, b = self._condition(deeper), self._condition(deeper)
        n, m, s, t = self._number(deeper), self._number(deeper), self._text(deeper), self._text(deeper)
        items = self._list(deeper)
        low = self._dice.randint(-5, 4)
        return self._pick(
            *(f"({a} {word} {b})" for word in ("and", "or", "and", "or")),
            *(f"{n} {sign} {m}" for sign in ("<", "<=", ">", ">=")),
            f"{self._pick('n', 'k', 'm')} {self._pick('=', '!=')} {self._pick('3', 'm', 'null', 'n')}",
            f"{n} {self._pick('=', '!=')} {m}",
            f"{s} {self._pick('=', '!=')} {t}",
            f"not({a})",
            f"{n} between {low} and {low + self._dice.randint(-1, 5)}",
            f"{n} in {self._pick('[', '(')}{low}..{low + self._dice.randint(-1, 5)}{self._pick(']', ')')}",
            f"n in ({low}, 3, > {self._dice.randint(5, 9)})",
            f"{s} in ({self._text(0)}, {self._text(0)})",
            f"{self._pick('some', 'every')} x in {self._pick('xs', 'rows.a', '[1, n, 3]')} satisfies x > {n}",
            *(f"{name}({s}, {self._text(0)})" for name in ("contains", "starts with", "ends with")),
            f"list contains({items}, {low})",
        )

    def context(self) -> dict[str, Any]:
        dice = self._dice

        def number() -> Any:
            return dice.choice([None, 0, 1, 2, 3, 5, -4, 12, 2.5])

        return {
            **{name: number() for name in ("n", "m", "k")},
            **{name: dice.choice([True, False, None]) for name in ("p", "q")},
            "s": dice.choice(["", "a", "store", "O", None]),
            "t": dice.choice(["abc", "o", "x"]),
            "xs": [number() or 1 for _ in range(dice.randint(0, 4))],
            "row": {"a": number(), "b": dice.choice(["foo", "a"])},
            "rows": [{"a": dice.randint(0, 5), "b": "x"} for _ in range(dice.randint(0, 3))],
        }


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose packages hold the interpreter: web/ as it is built, or a copy with its packages brought."""
    if (WEB / "node_modules" / "@bpmn-io" / "feelin").exists():
        return WEB.resolve()
    copy = tmp_path_factory.mktemp("web")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(WEB / name, copy / name)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=copy, check=True)
    return copy


def asked(web: Path, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers of the browser's interpreter."""
    lines = "\n".join(json.dumps(case) for case in cases)
    found = subprocess.run(
        ["node", str(HERE / "feelin.mjs"), str(web)],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in found.stdout.splitlines()]


def same(ours: Any, theirs: Any) -> bool:
    """Conditions by whether they are true; numbers to twelve digits, as doubles have them."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return (ours is True) == (theirs is True)
    if isinstance(theirs, int | float) and isinstance(ours, int | float | str):
        return abs(float(ours) - theirs) <= 1e-12 * max(1.0, abs(theirs))
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)


def test_the_browser_answers_as_we_do_on_the_portable_part(web: Path) -> None:
    writer = Writer(random.Random(SEED))
    cases: list[dict[str, Any]] = []
    refused = 0
    while len(cases) < WANTED:
        text = writer.one()
        if check_portable(feel.compile(text)):
            refused += 1
            continue
        cases.append({"expression": text, "context": writer.context()})
    assert refused < 4 * WANTED
    answers = asked(web, cases)
    assert len(answers) == len(cases)
    different = []
    for case, answer in zip(cases, answers, strict=True):
        ours = feel.to_json(feel.compile(case["expression"]).evaluate(case["context"]))
        if "error" in answer or not same(ours, answer["value"]):
            different.append((case, ours, answer))
    assert not different, f"{len(different)} of {WANTED}: {different[:5]}"
    print(f"{WANTED} of {WANTED} random expressions agree with the browser's interpreter")


def test_the_lint_refuses_what_the_browser_answers_otherwise(web: Path) -> None:
    """Each rule of the lint is there because the browser differs; when it no longer does, the rule can go."""
    cases = [
        {"expression": "0.1 + 0.2 = 0.3", "context": {}},
        {"expression": "not(n in [1..5])", "context": {"n": None}},
        {"expression": "n between 5 and 1", "context": {"n": 3}},
        {"expression": '"x" + substring("abc", 9) = "x"', "context": {}},
        {"expression": "[null, 1][item = n]", "context": {"n": None}},
        {"expression": "n in [0..2] and n = 1", "context": {"n": 1}},
    ]
    for case, answer in zip(cases, asked(web, cases), strict=True):
        assert check_portable(feel.compile(str(case["expression"]))), case
        ours = feel.to_json(feel.compile(str(case["expression"])).evaluate(case["context"]))  # type: ignore[arg-type]
        assert not same(ours, answer.get("value")), (case, ours, answer)
