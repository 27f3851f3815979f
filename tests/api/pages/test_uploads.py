"""Files on their way while the server draws the form anew: none is lost, none comes back.

The test holds requests back at the browser's edge and lets them go in the order that hurts.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, Route

FILE = {"name": "小票.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"\0" * 64}
ANOTHER = {**FILE, "name": "商品.png"}


class Gate:
    """Requests that the browser made and that have not left it yet."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.held, self.open = page, list[Route](), True
        page.route(address, self._meet)

    def _meet(self, route: Route) -> None:
        if self.open:
            route.continue_()
        else:
            self.held.append(route)

    def close(self) -> None:
        self.open = False

    def wait(self) -> None:
        """Until something is held."""
        while not self.held:
            self.page.wait_for_timeout(20)

    def let_go(self) -> None:
        """Open, let everything go, and wait until the page has dealt with the last answer."""
        self.open = True
        with self.page.expect_response(self.held[-1].request.url):
            for route in self.held:
                route.continue_()
        self.held.clear()
        self.page.wait_for_load_state("networkidle")


def _filing(pages: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]) -> Page:
    page = visit(390)
    page.goto(f"{serve(pages)}/file")
    page.get_by_text("买的商品").click()
    page.wait_for_load_state("networkidle")
    return page


def _stored(page: Page) -> list[str]:
    return [tile.inner_text() for tile in page.locator("[data-file] .hj-file").all()]


@pytest.mark.browser
def test_an_answer_asked_for_before_the_file_was_stored_does_not_lose_it(
    pages: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    page = _filing(pages, serve, visit)
    gate = Gate(page, "**/file/again")
    gate.close()
    page.fill("#f-facts", "买的鞋穿了三天就开胶，店里说不归他们管。")
    gate.wait()
    page.set_input_files("#f-attachments", [FILE])
    page.wait_for_selector("[data-file]")
    gate.let_go()
    assert _stored(page) == ["小票.png"]
    with page.expect_response("**/file/draft"):
        page.set_input_files("#f-attachments", [ANOTHER])
    page.locator("[data-file]").nth(1).wait_for()
    page.wait_for_load_state("networkidle")
    page.reload()
    assert _stored(page) == ["小票.png", "商品.png"]


@pytest.mark.browser
def test_going_on_waits_for_the_file_that_is_on_its_way(
    pages: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    page = _filing(pages, serve, visit)
    gate = Gate(page, "**/file/upload")
    gate.close()
    page.set_input_files("#f-attachments", [FILE])
    gate.wait()
    with page.expect_response("**/file/again"):
        page.fill("#f-facts", "买的鞋穿了三天就开胶，店里说不归他们管。")
    page.fill("#f-amount_fen", "3699")
    page.wait_for_load_state("networkidle")
    assert "小票.png" in page.inner_text("#f-attachments-field"), "the tile outlives the form's new drawing"
    page.locator("main form button.btn-primary").click()
    page.wait_for_timeout(300)
    assert page.query_selector("#f-facts"), "nothing is sent without the file"
    gate.let_go()
    page.wait_for_selector("#f-respondent_name")
    page.goto(page.url.replace("step=2", "step=1"))
    assert _stored(page) == ["小票.png"]


@pytest.mark.browser
def test_a_file_that_was_taken_out_does_not_come_back(
    pages: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    page = _filing(pages, serve, visit)
    page.set_input_files("#f-attachments", [FILE])
    page.wait_for_selector("[data-file]")
    page.wait_for_load_state("networkidle")
    gate = Gate(page, "**/file/again")
    gate.close()
    page.fill("#f-facts", "买的鞋穿了三天就开胶，店里说不归他们管。")
    gate.wait()
    page.locator("[data-drop-file]").click()
    gate.let_go()
    assert _stored(page) == []
    page.reload()
    assert _stored(page) == []


@pytest.mark.browser
def test_what_changes_while_the_form_is_drawn_is_asked_for_afterwards(
    pages: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    page = _filing(pages, serve, visit)
    page.fill("#f-facts", "买的鞋穿了三天就开胶，店里说不归他们管。")
    page.locator("main form button.btn-primary").click()
    page.wait_for_selector("#f-respondent_name")
    gate = Gate(page, "**/file/again")
    gate.close()
    page.fill("#f-respondent_name", "云集便利店")
    gate.wait()
    page.locator("input[name=seller_kind][value=platform_merchant]").check(force=True)
    page.wait_for_timeout(100)
    gate.let_go()
    page.wait_for_selector("#f-platform_name")
