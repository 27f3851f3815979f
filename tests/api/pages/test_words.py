"""Every word of the pages stands in the catalogue, and the compiled catalogue is the one beside it."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

API = Path(__file__).parents[3] / "api"
ENGLISH = API / "translations" / "en" / "LC_MESSAGES"
METHODS = [("pages/**.py", "python"), ("templates/**.html", "jinja2")]


def _said() -> set[str]:
    """What the pages say, in Chinese."""
    keywords = {**DEFAULT_KEYWORDS, "plural": (1, 2)}
    options = {"templates/**.html": {"trimmed": "true"}}
    found = extract_from_dir(API, METHODS, options_map=options, keywords=keywords)
    return {message[0] if isinstance(message, tuple) else message for _f, _line, message, _c, _ctx in found}


def test_every_word_has_an_english_one_and_none_is_left_over() -> None:
    catalogue = read_po(BytesIO((ENGLISH / "messages.po").read_bytes()), locale="en")
    english = {(m.id[0] if isinstance(m.id, tuple) else m.id): m.string for m in catalogue if m.id}
    said = _said()
    assert len(said) > 300
    assert sorted(said - english.keys()) == [], "add these to messages.po, then run pybabel compile"
    assert sorted(english.keys() - said) == [], "no page says these any more"
    assert [
        text
        for text, translated in english.items()
        if not (translated[0] if isinstance(translated, tuple) else translated)
    ] == []


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    source = read_po(BytesIO((ENGLISH / "messages.po").read_bytes()), locale="en")
    compiled = read_mo(BytesIO((ENGLISH / "messages.mo").read_bytes()))
    assert _pairs(compiled) == _pairs(source)


def _pairs(catalogue: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    return {_tuple(message.id): _tuple(message.string) for message in catalogue if message.id}


def _tuple(text: str | Iterable[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_placeholders_survive_translation() -> None:
    import re

    catalogue = read_po(BytesIO((ENGLISH / "messages.po").read_bytes()), locale="en")
    for message in catalogue:
        if not message.id or isinstance(message.id, tuple):
            continue
        wanted = set(re.findall(r"%\(\w+\)s|\{\w+\}", str(message.id)))
        # {began} is a Chinese suffix of a date; English has none.
        assert set(re.findall(r"%\(\w+\)s|\{\w+\}", str(message.string))) >= wanted - {"{began}"}, message.id
