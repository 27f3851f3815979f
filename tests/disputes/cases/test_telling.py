"""Every kind of notice that a service sends has its words, in both languages, with the same facts."""

import re
from pathlib import Path
from string import Formatter

import pytest

from disputes.cases.telling import WORDS

SENT = re.compile(r'tell\(\s*[\w.]+,\s*case,\s*[^)]*?"([a-z]+\.[a-z_]+)"', re.DOTALL)


def sent() -> set[str]:
    found = set()
    for path in Path("disputes").glob("*/services.py"):
        found |= set(SENT.findall(path.read_text("utf-8")))
    return found


def test_what_services_send_has_words() -> None:
    kinds = sent()
    assert len(kinds) > 20
    assert kinds <= WORDS.keys()


def test_the_answers_to_an_offer_have_words() -> None:
    assert {f"settlement.{answer}" for answer in ("accept", "counter", "reject")} <= WORDS.keys()


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_both_languages_say_the_same_facts(kind: str) -> None:
    names = [
        {name.removesuffix("_en").removesuffix("_zh") for _, name, _, _ in Formatter().parse(text) if name}
        for text in WORDS[kind]
    ]
    assert names[0] == names[1]
    assert names[2] == names[3]
