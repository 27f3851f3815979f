"""Real cases through the pages: filed, settled, handled, tracked; and what each side must not see."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from playwright.sync_api import Page
from sqlalchemy import select, update

from core.db import Database
from disputes.cases.models import Case
from disputes.network.models import Organisation
from disputes.notices.models import Mail
from tests.api.conftest import PASSWORD, SETTINGS
from tests.api.pages.conftest import PHONE, SHOP

UNREACHED = "启思课堂"
FACTS = f"在店里花3699元买的新手机换过主板，店家不管。我叫林晓岚，电话{PHONE}。"


class Visitor:
    """Somebody with a browser without scripts."""

    def __init__(self, app: Flask, login: str = "") -> None:
        self.client: FlaskClient = app.test_client()
        self.at = ""
        self.page: Any = None
        self.status = 0
        if login:
            self.get("/sign-in")
            self.send(login=login, password=PASSWORD)

    def get(self, address: str) -> Any:
        return self._read(self.client.get(address, follow_redirects=True))

    def send(self, button: str = "", form: int = 0, **filled: Any) -> Any:
        """Fill in and send a form of the page, as a browser without scripts would."""
        found = self.page.xpath("//main//form[@method='post']")[form]
        data: dict[str, Any] = {}
        for control in found.xpath(".//input | .//textarea | .//select"):
            kind, name = control.get("type"), control.get("name")
            if not name or kind == "file" or (kind in ("radio", "checkbox") and control.get("checked") is None):
                continue
            chosen = control.xpath("./option[@selected]/@value")
            value = chosen[0] if chosen else control.get("value") if control.tag == "input" else control.text or ""
            data.setdefault(name, []).append((value or "").strip("\n"))
        data |= filled
        if button:
            data.setdefault(*button.split("="))
        return self._read(self.client.post(found.get("action"), data=data, follow_redirects=True))

    def _read(self, answer: Any) -> Any:
        self.status, self.at = answer.status_code, answer.request.path
        self.text = answer.get_data(as_text=True)
        self.page = html.fromstring(self.text) if answer.mimetype == "text/html" else None
        return self.page

    def says(self) -> str:
        return re.sub(r"\s+", " ", self.page.xpath("//main")[0].text_content())


def file(
    visitor: Visitor, *, shop: str = SHOP, address: str = "云溪数码城二楼206号", path: str = "shop_first"
) -> str:
    """File a complaint step by step; answers the path of its page."""
    visitor.get("/file")
    visitor.send(topic="goods", facts=FACTS, amount_fen="3699", category="手机")
    visitor.send(respondent_name=shop, seller_kind="shop", respondent_address=address)
    visitor.send(requests="退还货款和服务费用", path=path, for_living="true", handled_by="none")
    visitor.send(complainant_name="林晓岚", complainant_phone=PHONE)
    visitor.send(truthful="true")
    assert visitor.at.startswith("/cases/"), visitor.says()
    return visitor.at


def test_a_consumer_files_step_by_step_and_sees_whose_turn_it_is(pages: Flask) -> None:
    visitor = Visitor(pages, "linxl")
    file(visitor)
    said = visitor.says()
    assert "等商家" in said
    assert "提出和解方案" in said
    assert "您现在不用做什么" in said
    assert len(visitor.page.xpath("//*[contains(@class, 'hj-exit')]/*[self::b] | //details[@class='hj-exit']")) >= 5
    visitor.get("/cases")
    assert "1件在办，现在不用您做什么" in visitor.says()


def test_a_step_that_is_not_complete_comes_back_with_what_was_typed(pages: Flask) -> None:
    visitor = Visitor(pages, "linxl")
    visitor.get("/file")
    visitor.send(topic="goods", facts="", amount_fen="三千多")
    assert "有2处要改" in visitor.says()
    assert visitor.page.xpath("//input[@name='amount_fen']/@value") == ["三千多"]
    assert visitor.page.xpath("//input[@name='topic'][@checked]/@value") == ["goods"]


def test_a_draft_waits_on_another_device_and_nobody_elses(pages: Flask) -> None:
    visitor = Visitor(pages, "linxl")
    visitor.get("/file")
    visitor.send(topic="goods", facts=FACTS, amount_fen="3699")
    again = Visitor(pages, "linxl")
    again.get("/file?step=1")
    assert FACTS in again.says()
    stranger = Visitor(pages, "zhaoyi")
    stranger.client.set_cookie("hejie_filing", visitor.client.get_cookie("hejie_filing").value)
    stranger.get("/file?step=1")
    assert FACTS not in stranger.text


def test_the_offer_goes_to_the_consumer_and_its_acceptance_back(pages: Flask) -> None:
    consumer, merchant = Visitor(pages, "linxl"), Visitor(pages, "shilei")
    case = file(consumer)
    merchant.get("/cases")
    assert "1件要您答复" in merchant.says()
    merchant.get(merchant.page.xpath("//*[@data-turn='you']//a/@href")[0])
    merchant.send(kind="refund")
    assert merchant.status == 422
    merchant.send(kind="refund", amount_fen="3699", text="全额退款，三天内到账。", perform_on="2026-09-26")
    assert "“提出和解方案”办好了" in merchant.says()
    consumer.get(case)
    assert "退货退款3,699元" in consumer.says()
    assert "轮到您" in consumer.says()
    consumer.get(consumer.page.xpath("//*[@data-turn='you']//a/@href")[0])
    consumer.send(answer="accept")
    merchant.get(case)
    assert "已经接受" in merchant.says()


def test_the_merchant_never_sees_who_complains(pages: Flask) -> None:
    case = file(Visitor(pages, "linxl"))
    merchant = Visitor(pages, "shilei")
    merchant.get("/cases")
    links = [case, *merchant.page.xpath("//main//a/@href"), f"{case}/diagram"]
    for address in dict.fromkeys(link for link in links if link.startswith(("/cases/", "/tasks/"))):
        merchant.get(address)
        assert merchant.status == 200
        assert PHONE not in merchant.text
        assert "林晓岚" not in merchant.text


def test_other_people_cannot_tell_that_the_case_exists(pages: Flask) -> None:
    case = file(Visitor(pages, "linxl"))
    for login in ("zhaoyi", "guoxm"):
        stranger = Visitor(pages, login)
        for address in (case, f"{case}/diagram", f"{case}/exits/sue", f"{case}/diagrams/complaint.bpmn"):
            stranger.get(address)
            assert stranger.status == 404, (login, address)
    nobody = Visitor(pages)
    nobody.get(case)
    assert nobody.at == "/sign-in"


def test_a_merchant_who_was_not_told_yet_sees_nothing(pages: Flask) -> None:
    case = file(Visitor(pages, "linxl"), path="file_now")
    merchant = Visitor(pages, "shilei")
    merchant.get(case)
    assert merchant.status == 404


def test_the_office_finds_it_in_its_inbox_claims_it_and_gives_it_back(pages: Flask) -> None:
    case = file(Visitor(pages, "linxl"), path="file_now")
    officer = Visitor(pages, "zhouqm")
    officer.get("/inbox")
    assert "1件待办，1件今天要办" in officer.says()
    task = officer.page.xpath("//*[contains(@class, 'c-what')]/a/@href")[0]
    officer.send()
    assert officer.at == task
    officer.get("/inbox?view=mine")
    assert "首次联系" in officer.says()
    officer.get(task)
    officer.send(form=1)
    assert "已经退回" in officer.says()
    officer.get("/inbox?view=mine")
    assert "您还没有认领" in officer.says()
    officer.get(case)
    assert PHONE in officer.text, "the office needs the phone for its duty"


def test_an_answer_that_does_not_fit_comes_back_with_reasons(pages: Flask) -> None:
    file(Visitor(pages, "linxl"), path="file_now")
    officer = Visitor(pages, "zhouqm")
    officer.get("/inbox")
    officer.get(officer.page.xpath("//*[contains(@class, 'c-what')]/a/@href")[0])
    name = officer.page.xpath("//main//textarea/@name")[0]
    officer.send(form=1, **{name: "打过电话了"})
    assert officer.status == 422
    assert officer.page.xpath("//*[@id='summary']")
    assert "打过电话了" in officer.says()


def test_a_guest_files_without_an_account_and_tracks_it_by_phone(pages: Flask, house: Database) -> None:
    guest = Visitor(pages)
    case = file(guest)
    assert "等商家" in guest.says()
    number = re.search(r"330299-\d{8}-\d{4}", guest.says())[0]  # type: ignore[index]
    later = Visitor(pages)
    later.get("/track")
    later.send(button="_do=send", case_no=number, phone=PHONE)
    with house.reader() as session:
        sent = session.scalars(select(Mail).where(Mail.kind == "identity.code")).one()
        code = re.search(r"\d{6}", sent.text)[0]  # type: ignore[index]
    later.send(button="_do=open", case_no=number, phone=PHONE, code="000000" if code != "000000" else "111111")
    assert later.status == 422
    later.send(button="_do=open", case_no=number, phone=PHONE, code=code)
    assert later.at == case
    later.get("/cases")
    assert later.status == 403, "the code opens one case and nothing else"


def test_nobody_learns_from_tracking_which_phone_is_on_record(pages: Flask, house: Database) -> None:
    guest = Visitor(pages)
    file(guest)
    stranger = Visitor(pages)
    stranger.get("/track")
    stranger.send(button="_do=send", case_no="330299-20260923-0001", phone="13911112222")
    assert "验证码发到了登记时留的手机" in stranger.says()
    with house.reader() as session:
        assert session.scalars(select(Mail).where(Mail.kind == "identity.code")).all() == []


def test_a_claim_link_opens_one_case_for_a_shop_without_an_account(pages: Flask, house: Database) -> None:
    with house.transaction() as session:
        session.execute(
            update(Organisation).where(Organisation.name == UNREACHED).values(on_board=False, contactable=True)
        )
    consumer = Visitor(pages, "linxl")
    case = file(consumer, shop=UNREACHED, address="学府路77号")
    with house.reader() as session:
        found = session.scalars(select(Case)).one()
        assert found.channel == "sunshine", found.channel
        texts = " ".join(mail.text for mail in session.scalars(select(Mail)))
    token = re.search(r"/claim/([\w.\-]+)", texts)
    # Without a mail address of the shop the letter goes by post.
    token_text = token[1] if token else _claim_token(house)
    shop = Visitor(pages)
    shop.get(f"/claim/{token_text}")
    assert "一位消费者想和您店和解" in shop.says()
    assert PHONE not in shop.text
    assert "林晓岚" not in shop.text
    shop.send()
    assert shop.at == case
    assert "轮到您" in shop.says()
    assert PHONE not in shop.text
    shop.get(f"/claim/{token_text}x")
    assert shop.status == 404


def _claim_token(house: Database) -> str:
    from disputes.settlement import links
    from disputes.settlement.models import ClaimLink

    with house.reader() as session:
        return links.token_of(session.scalars(select(ClaimLink)).one(), secret=SETTINGS.secret_key)


def test_withdrawing_asks_on_a_second_page_and_then_ends_the_case(pages: Flask) -> None:
    consumer = Visitor(pages, "linxl")
    case = file(consumer)
    consumer.get(f"{case}/exits/withdraw")
    assert "会关上" in consumer.says()
    consumer.send()
    assert "已经撤回" in consumer.says()
    consumer.get(f"{case}/exits/withdraw")
    assert consumer.status == 404


def test_file_now_turns_a_settlement_into_a_complaint(pages: Flask) -> None:
    consumer = Visitor(pages, "linxl")
    case = file(consumer)
    consumer.get(f"{case}/exits/complain")
    assert "7个工作日" in consumer.says()
    consumer.send()
    assert "已经转为投诉" in consumer.says()
    consumer.get(case)
    assert consumer.page.xpath("string(//li[@aria-current='step'])").startswith("受理")


def test_the_diagram_says_in_words_where_the_token_is(pages: Flask) -> None:
    consumer = Visitor(pages, "linxl")
    case = file(consumer)
    consumer.get(f"{case}/diagram")
    assert consumer.page.xpath("//ol[@class='hj-outline']//a/@data-element") == ["make_offer"]
    consumer.get(f"{case}/diagrams/offers.bpmn")
    assert "<bpmn:definitions" in consumer.text
    consumer.get(f"{case}/diagrams/../../x.bpmn")
    assert consumer.status == 404


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_signing_in_leads_only_to_pages_of_ours(pages: Flask, target: str) -> None:
    client = pages.test_client()
    page = html.fromstring(client.get("/sign-in").text)
    token = page.xpath("//main//input[@name='csrf_token']/@value")[0]
    answer = client.post(
        "/sign-in", data={"csrf_token": token, "login": "linxl", "password": PASSWORD, "next": target}
    )
    assert answer.status_code == 303
    assert answer.location == "/"


def test_a_wrong_password_says_so_and_keeps_the_login(pages: Flask) -> None:
    visitor = Visitor(pages)
    visitor.get("/sign-in")
    visitor.send(login="linxl", password="wrong horse battery")
    assert visitor.status == 422
    assert "登录名或者密码不正确" in visitor.says()
    assert visitor.page.xpath("//input[@name='login']/@value") == ["linxl"]
    assert "wrong horse" not in visitor.text


def test_english_readers_find_no_chinese_in_the_frame(pages: Flask) -> None:
    visitor = Visitor(pages, "linxl")
    case = file(visitor)
    visitor.get(f"{case}?lang=en")
    for words in ("Lawful routes still open to you", "Waiting for", "History", "How this date is counted"):
        assert words in visitor.says()


@pytest.mark.browser
def test_a_case_from_filing_to_agreement_in_a_browser(
    pages: Flask, serve: Callable[[Flask], str], visit: Callable[..., Page]
) -> None:
    address = serve(pages)
    consumer = _signed_in(visit(390), address, "linxl")
    consumer.goto(f"{address}/file")
    consumer.get_by_text("买的商品").click()
    consumer.fill("#f-facts", FACTS)
    consumer.fill("#f-amount_fen", "3699")
    consumer.set_input_files("#f-attachments", [{"name": "小票.png", "mimeType": "image/png", "buffer": PNG}])
    consumer.wait_for_selector("[data-file]")
    _next(consumer)
    consumer.fill("#f-respondent_name", SHOP)
    consumer.get_by_text("实体店").click()
    _next(consumer)
    consumer.get_by_text("退还货款和服务费用").click()
    consumer.get_by_text("先请商家和解").click()
    consumer.locator("input[name=for_living]").first.check()
    consumer.locator("input[name=handled_by]").first.check()
    _next(consumer)
    consumer.fill("#f-complainant_name", "林晓岚")
    consumer.fill("#f-complainant_phone", PHONE)
    _next(consumer)
    assert "3,699元" in consumer.inner_text("main"), "the last step shows what was typed"
    consumer.get_by_text("以上内容真实").click()
    _next(consumer)
    consumer.wait_for_url("**/cases/*")
    assert "小票.png" in consumer.inner_text("#evidence")
    case = consumer.url

    merchant = _signed_in(visit(390), address, "shilei")
    merchant.goto(case)
    merchant.get_by_role("link", name="现在去办").click()
    merchant.get_by_text("退货退款").click()
    merchant.wait_for_selector("#f-amount_fen")
    merchant.fill("#f-amount_fen", "3699")
    merchant.fill("#f-text", "全额退款，三天内到账。")
    if merchant.query_selector("#f-perform_on"):
        merchant.fill("#f-perform_on", "2026-09-26")
    _next(merchant)
    merchant.wait_for_url("**/cases/*")

    consumer.goto(case)
    consumer.get_by_role("link", name="现在去办").click()
    consumer.get_by_text("接受这个方案").click()
    _next(consumer)
    consumer.wait_for_url("**/cases/*")
    for page in (consumer, merchant):
        page.goto(f"{case}/diagram")
        page.wait_for_selector("#canvas[data-ready]")
        page.set_viewport_size({"width": 320, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.locator(".bjs-powered-by").is_visible(), "the mark of bpmn.io stays visible"


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def _signed_in(page: Page, address: str, login: str) -> Page:
    page.goto(f"{address}/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    return page


def _next(page: Page) -> None:
    page.locator("main form button.btn-primary").click()
    page.wait_for_load_state()
