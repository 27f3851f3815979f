"""The example pages of the look: what must never happen, and how they stand in a browser."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from lxml import html
from playwright.sync_api import Page

from tests.api.pages.conftest import EXAMPLES


def fetch(frame: Flask, name: str, reader: str, query: str = "") -> Any:
    answer = frame.test_client().get(f"/example/{name}?reader={reader}&{query}")
    assert answer.status_code == 200, answer.text[-2000:]
    return html.fromstring(answer.text)


@pytest.mark.parametrize(("name", "reader"), EXAMPLES)
def test_a_page_keeps_the_rules_of_the_house(frame: Flask, name: str, reader: str) -> None:
    page = fetch(frame, name, reader)
    assert page.xpath("//@style") == [], "lengths are SVG attributes; inline style is refused by our own policy"
    assert page.xpath("//script[not(@src)] | //@*[starts-with(name(), 'on')]") == []
    repeated = [i for i, n in Counter(page.xpath("//@id")).items() if n > 1]
    assert repeated == []
    references = page.xpath("//@aria-describedby | //@aria-labelledby | //label/@for")
    missing = {i for value in references for i in value.split()} - set(page.xpath("//@id"))
    assert missing == set()
    symbols = {use.lstrip("#") for use in page.xpath("//use/@href")}
    assert symbols <= set(page.xpath("//symbol/@id")), "an icon that is not in the sprite draws nothing"
    assert len(page.xpath("//h1")) == 1
    assert len(page.xpath("//*[@data-turn='you']")) <= 1, "two filled panels on one page is a bug"
    assert len(page.xpath("//main//*[contains(@class, 'btn-primary')]")) <= 2
    assert page.xpath("//title/text()")[0].endswith("和解")
    controls = page.xpath("//main//input[not(@type='hidden')] | //main//select | //main//textarea")
    for control in controls:
        named = page.xpath(f"//label[@for='{control.get('id')}']") or control.xpath("ancestor::label")
        assert named or control.get("aria-label"), f"{control.get('name')} has no name"
    assert [b.text_content() for b in page.xpath("//button") if b.text_content().strip() == "确定"] == []


@pytest.mark.parametrize(("name", "reader"), EXAMPLES)
def test_no_template_says_a_word_that_is_not_in_the_catalogue(frame: Flask, name: str, reader: str) -> None:
    """In English only the words of the example itself stay Chinese, none of the frame's."""
    page = fetch(frame, name, reader, "lang=en")
    frame_words = " ".join(page.xpath("//header//text() | //footer//text() | //a[@class='hj-skip']/text()"))
    left = [c for c in frame_words if "\u4e00" <= c <= "\u9fff"]
    assert "".join(left) in ("中文", "林晓岚中文", "石磊中文", "周启明中文")


def test_every_state_has_its_word(frame: Flask) -> None:
    for name, reader in EXAMPLES:
        for state in fetch(frame, name, reader).xpath("//*[contains(@class, 'hj-state')]"):
            assert state.text_content().strip(), f"a colour without its word on {name}"


def test_a_merchant_sees_no_exits_and_a_consumer_sees_all_five(frame: Flask) -> None:
    page = fetch(frame, "case", "consumer")
    assert (
        len(page.xpath("//*[contains(@class, 'hj-exits')]//*[contains(@class, 'hj-exit ') or @class='hj-exit']"))
        == 5
    )


def test_choices_of_look_are_kept_in_cookies(frame: Flask) -> None:
    client = frame.test_client()
    page = html.fromstring(client.get("/example/home?type=large&theme=dark").text)
    assert (page.get("data-type"), page.get("data-bs-theme")) == ("large", "dark")
    page = html.fromstring(client.get("/example/home").text)
    assert (page.get("data-type"), page.get("data-bs-theme")) == ("large", "dark")
    assert html.fromstring(client.get("/example/home?type=normal").text).get("data-type") is None
    assert html.fromstring(client.get("/example/home?theme=<script>").text).get("data-bs-theme") == "dark"


@pytest.mark.browser
def test_no_page_scrolls_sideways_and_every_target_can_be_touched(
    frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    address = serve(frame)
    page = visit(320)
    for look in ("", "&type=large", "&type=normal&theme=dark"):
        for name, reader in EXAMPLES:
            page.goto(f"{address}/example/{name}?reader={reader}{look}")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 320, f"{name}{look} scrolls sideways: {width} px"
            small = page.evaluate(SMALL_TARGETS)
            assert small == [], f"{name}{look}"


#: Controls under 44 px on a phone; links inside a sentence or a heading, and radios inside their label, excepted.
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')]
  .filter(e => e.offsetParent && !e.closest('.hj-skip, label, p, dd, li, h1, h2, h3, .hj-row, .hj-sr, .hj-tile'))
  .filter(e => e.getBoundingClientRect().height < 43.5)
  .map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.browser
def test_large_type_is_a_layout_with_nothing_below_18_pixels(
    frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    page = visit(390)
    page.goto(f"{serve(frame)}/example/case?reader=consumer&type=large")
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('main *')]
          .filter(e => e.offsetParent && !e.closest('.hj-sr') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
          .map(e => [parseFloat(getComputedStyle(e).fontSize), e.textContent.trim().slice(0, 20)])
          .filter(([size]) => size < 17.5)"""
    )
    assert [pair for pair in sizes if pair[0] < 16] == []


@pytest.mark.browser
def test_keys_walk_the_rows_and_are_silent_while_somebody_types(
    frame: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    page = visit(1440)
    page.goto(f"{serve(frame)}/example/inbox?reader=mediator")
    page.keyboard.press("j")
    assert "预付健身卡" in page.evaluate("document.querySelector('.hj-row.is-cursor').textContent")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert "预付健身卡" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("/")
    page.keyboard.type("j")
    assert page.input_value("input[type=search]") == "j"
    page.goto(page.url + "&keys=off")
    page.keyboard.press("j")
    assert page.query_selector(".hj-row.is-cursor") is None
