"""The stories of the demonstration: ten real tickets with the outcome that fits each, and invented ones.

A script is a generator: what stands between two ``yield`` happens at one moment, and ``yield`` names the next.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.now import CHINA
from disputes.demo import people
from disputes.demo.people import Consumer
from disputes.network.seed import MERCHANTS

Script = Callable[[Any], Iterator[datetime]]
Workday = Callable[[datetime, int], datetime]

#: Where the real tickets lie, below the checkout.
TICKETS = Path("examples/tickets/complaint_samples.csv")


@dataclass(frozen=True)
class Story:
    """One case from its filing on."""

    name: str
    script: Script
    consumer: Consumer
    #: Number of the real ticket, ``01`` to ``10``; None for an invented one.
    ticket: str | None = None
    #: A fixed moment, or how many workdays before the end of the demonstration, and at what time of day.
    at: str = ""
    before: int = 0
    clock: str = "10:00"

    def starts(self, end: datetime, workday: Workday) -> datetime:
        """When the story begins."""
        if self.at:
            return datetime.fromisoformat(self.at).replace(tzinfo=CHINA)
        moment = workday(end, -self.before).astimezone(CHINA)
        hour, _, minute = self.clock.partition(":")
        return moment.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)


@lru_cache(maxsize=2)
def tickets(directory: Path) -> Mapping[str, str]:
    """The texts of the real tickets below a checkout, by number."""
    with (directory / TICKETS).open(encoding="utf-8-sig", newline="") as file:
        return {f"{number:02d}": row["text"] for number, row in enumerate(csv.DictReader(file), start=1)}


# --- what many stories share -----------------------------------------------------------------------------------


def accepted(scene: Any, *, days: int = 2) -> Iterator[datetime]:
    """The office calls at once, and decides some workdays later."""
    yield scene.later(minutes=12)
    scene.do("first_contact", identity="verified", contact_note="已电话核对诉求和身份。")
    yield scene.workday(days, "15:20")
    scene.do("decide_acceptance", decision="accept")


def refused(scene: Any, ground: str, reasons: str, **more: Any) -> Iterator[datetime]:
    """The office calls at once, and refuses with reasons two workdays later."""
    yield scene.later(minutes=15)
    scene.do("first_contact", identity="verified", contact_note="已说明不属于本局职责的可能。")
    yield scene.workday(2, "10:40")
    scene.do("decide_acceptance", decision="refuse", ground=ground, reasons=reasons, routes_told=True, **more)


def both_mediate(scene: Any, *, entrust: bool = False) -> Iterator[datetime]:
    """Both sides agree to mediation on the next workdays."""
    yield scene.workday(1, "09:30")
    scene.do("answer_mediation", "complainant", mediation_consent=True, entrust=entrust)
    yield scene.workday(1, "14:10")
    scene.do("answer_mediation", "respondent", mediation_consent=True, entrust=entrust)


def session(scene: Any, *, days: int = 4, mode: str = "on_site", **result: Any) -> Iterator[datetime]:
    """The mediator plans a session, and holds it."""
    yield scene.workday(1, "09:10")
    where = {"place": "云溪区消费纠纷调解室"} if mode == "on_site" else {"link": "云上调解室 3 号"}
    scene.do("plan_session", session_at=f"{scene.workday(days, '14:00'):%Y-%m-%dT%H:%M}", mode=mode, **where)
    yield scene.workday(days, "15:30")
    scene.do("hold_session", **result)


def signed(scene: Any, terms: str, amount_fen: int, *, on_the_spot: bool = False) -> Iterator[datetime]:
    """The mediator drafts, both sign."""
    yield scene.later(minutes=40)
    scene.do(
        "draft_agreement",
        terms=terms,
        amount_fen=amount_fen,
        subject="money_goods",
        performance_due_on=scene.date(10),
        performed_on_the_spot=on_the_spot,
    )
    yield scene.later(minutes=20)
    scene.do("sign_agreement", "complainant", sign=True)
    yield scene.later(minutes=5)
    scene.do("sign_agreement", "respondent", sign=True)


def no_confirmation(scene: Any) -> Iterator[datetime]:
    """Where the agreement may be confirmed, the complainant does without."""
    yield scene.workday(1, "09:00")
    if scene.waits_for("want_confirmation"):
        scene.do("want_confirmation", "complainant", want=False)


def confirmed(scene: Any, court_case_no: str, ruling_no: str) -> Iterator[datetime]:
    """Both apply for judicial confirmation, the court dockets and rules."""
    yield scene.workday(1, "09:20")
    scene.do("want_confirmation", "complainant", want=True)
    yield scene.later(hours=2)
    scene.do("want_confirmation", "respondent", want=True)
    yield scene.workday(2, "10:00")
    scene.do("sign_application", "complainant", sign=True)
    yield scene.workday(1, "11:00")
    scene.do("sign_application", "respondent", sign=True)
    yield scene.workday(1, "15:00")
    scene.do("decide_docket", decision="accept", court_case_no=court_case_no)
    yield scene.workday(3, "16:00")
    scene.do("rule_confirmation", result="valid", ruling_no=ruling_no)


def performed(scene: Any, element: str = "confirm_performance_mediated") -> Iterator[datetime]:
    """The complainant confirms that it was done."""
    yield scene.day(2, "19:40")
    scene.do(element, performed=True, note="钱已收到。")


def visited(scene: Any, rating: int = 5, comment: str = "办得快，说得清楚。") -> Iterator[datetime]:
    """The centre calls and asks for a rating."""
    yield scene.workday(1, "16:00")
    scene.do("return_visit", reached=True, rating=rating, comment=comment)


# --- the ten real tickets --------------------------------------------------------------------------------------


def bag(scene: Any) -> Iterator[datetime]:
    """A bag with a dented corner: the shop is on board and takes it back in its own inbox."""
    scene.file(
        {
            **shop("云朵母婴"),
            "topic": "goods",
            "facts": scene.ticket(),
            "category": "箱包",
            "occurred_on": "2026-04-27",
            "amount_fen": 12_000,
            "order_proof": True,
            "requests": ["退货", "更换"],
            "path": "shop_first",
        }
    )
    yield scene.later(hours=5)
    scene.do("make_offer", kind="repair", text="可以免费送厂修复拐角，七天内取回。")
    yield scene.later(hours=3)
    scene.do("answer_offer", answer="counter", counter_fen=12_000, counter_text="新买的包，希望退货退款。")
    yield scene.day(1, "09:40")
    scene.do(
        "make_offer", kind="refund", amount_fen=12_000, text="同意退货，原路退回 120 元。", perform_on=scene.date(2)
    )
    yield scene.later(hours=1)
    scene.do("answer_offer", answer="accept")
    yield from performed(scene, "confirm_performance")
    yield from visited(scene)


def second_hand_phone(scene: Any) -> Iterator[datetime]:
    """A dismantled phone sold as original: complaint and tip-off apart; mediated, confirmed by the court."""
    scene.file(
        {
            **shop("迅达手机维修"),
            "topic": "goods",
            "facts": scene.ticket(),
            "category": "二手手机",
            "occurred_on": "2026-04-22",
            "harm_known_on": "2026-05-06",
            "amount_fen": 160_000,
            "order_proof": True,
            "requests": ["退还货款和服务费用", "赔偿损失"],
            "points_to_violation": True,
            "violation_facts": "商家把拆解过的手机当作原装正品出售，涉嫌以假充真。",
            "consent_entrust": True,
        }
    )
    yield from accepted(scene)
    yield from both_mediate(scene, entrust=True)
    yield from session(
        scene,
        result="agreed",
        undisputed_facts="投诉人付款 1600 元购买二手手机\n商家当时称手机为原装正品",
        note="商家私下表示最多可退 1600 元加 300 元。",
    )
    yield from signed(scene, "商家退还货款 1600 元，另赔偿 300 元；投诉人当场退回手机。", 190_000)
    yield from confirmed(scene, "（2026）云0299民特31号", "（2026）云0299民特31号")
    yield from performed(scene)
    yield from visited(scene)


def prepaid_card(scene: Any) -> Iterator[datetime]:
    """A shop that closed with 2,680 yuan on a prepaid card: another authority's duty."""
    scene.file(
        {
            **somebody("云溪区中山路某美容店（已关门）"),
            "topic": "prepaid_card",
            "facts": scene.ticket(),
            "category": "预付卡",
            "amount_fen": 268_000,
            "requests": ["退还货款和服务费用"],
        }
    )
    yield from refused(
        scene,
        "1",
        "你反映的是商家关门后单用途预付卡不能使用的问题。单用途商业预付卡由商务主管部门监督管理，不属于我局职责。",
        competent_body="云溪区商务局（单用途商业预付卡主管部门）",
    )


def oil_gluten(scene: Any) -> Iterator[datetime]:
    """Mouldy gluten for 15 yuan: the stall has no account and answers by the claim link."""
    scene.file(
        {
            **shop("石桥茶行"),
            "topic": "goods",
            "facts": scene.ticket(),
            "category": "食品",
            "occurred_on": "2026-05-21",
            "amount_fen": 1_500,
            "requests": ["退货", "赔偿损失"],
            "path": "shop_first",
        }
    )
    yield scene.day(2, "11:15")
    scene.do("claim_order", claim=True, contact_name="店主", contact_phone="13900009004")
    yield scene.later(minutes=30)
    scene.do("make_offer", kind="compensation", amount_fen=11_500, text="退 15 元，另补偿 100 元，实在抱歉。")
    yield scene.later(hours=6)
    scene.do("answer_offer", answer="accept")
    # Nobody confirms: after S08 performance is presumed, and marked so.
    yield scene.day(14, "16:30")
    scene.do("return_visit", reached=False)
    yield scene.workday(1, "10:10")
    scene.do("return_visit", reached=True, rating=4, comment="钱收到了，忘了点确认。")


def parking_fee(scene: Any) -> Iterator[datetime]:
    """A parking fee set by the market: the housing authority's duty."""
    scene.file(
        {
            **somebody("云溪区某小区停车场"),
            "topic": "parking_property",
            "facts": scene.ticket(),
            "category": "停车收费",
            "amount_fen": 2_700,
            "requests": ["退还货款和服务费用"],
        }
    )
    yield from refused(
        scene,
        "1",
        "住宅小区停车收费实行市场调节价，收费标准由物业服务合同约定，由住房和城乡建设主管部门监督，不属于我局职责。",
        competent_body="云溪区住房和城乡建设局（物业管理）",
    )


def gas_works(scene: Any) -> Iterator[datetime]:
    """Tiles broken by gas works: the gas authority's duty."""
    scene.file(
        {
            **somebody("云溪区天然气改造施工单位"),
            "topic": "utilities",
            "facts": scene.ticket(),
            "category": "燃气改造",
            "requests": ["赔偿损失"],
        }
    )
    yield from refused(
        scene,
        "1",
        "燃气管道改造的施工质量和恢复由燃气主管部门监督，燃气价格由发展改革部门制定，不属于我局职责。",
        competent_body="云溪区住房和城乡建设局（燃气管理）",
    )


def sand_in_buns(scene: Any) -> Iterator[datetime]:
    """Sand in buns for 19 yuan: mediated, and paid on the spot."""
    scene.file(
        {
            **shop("福记早点"),
            "topic": "goods",
            "facts": scene.ticket(),
            "category": "餐饮",
            "occurred_on": "2026-05-12",
            "amount_fen": 1_900,
            "requests": ["更换", "退还货款和服务费用"],
        },
        by="centre_clerk",
    )
    yield from accepted(scene, days=1)
    yield from both_mediate(scene)
    yield from session(scene, days=2, result="agreed", undisputed_facts="包子里有沙子")
    yield from signed(scene, "商家当场退款 19 元并赔偿 1000 元，当场付清。", 101_900, on_the_spot=True)
    yield from no_confirmation(scene)
    yield from visited(scene)


def wages(scene: Any) -> Iterator[datetime]:
    """Three days of unpaid part-time work: no consumer matter at all."""
    scene.file(
        {
            **somebody("云溪区某培训机构"),
            "topic": "wages",
            "facts": scene.ticket() + "请求协调结清工资。",
            "category": "工资",
            "requests": ["其他"],
            "request_note": "结清三天兼职工资",
            "for_living": False,
        }
    )
    yield from refused(
        scene,
        "1",
        "你反映的是兼职工资没有结清，属于劳动报酬争议，由劳动保障监察机构处理，不属于我局职责。",
        competent_body="云溪区人力资源和社会保障局（劳动保障监察大队）",
    )


def guided_price(scene: Any) -> Iterator[datetime]:
    """Holiday parking above a guided price: accepted; the property company will not mediate."""
    scene.file(
        {
            **shop("星屿旅拍"),
            "topic": "price",
            "facts": scene.ticket(),
            "category": "停车收费（政府指导价）",
            "occurred_on": "2026-05-02",
            "amount_fen": 3_000,
            "requests": ["退还货款和服务费用"],
            "points_to_violation": True,
            "violation_facts": "五一期间停车收费不执行政府指导价，请核实。",
        }
    )
    yield from accepted(scene)
    yield scene.workday(1, "10:00")
    scene.do("answer_mediation", "complainant", mediation_consent=True)
    yield scene.workday(1, "17:00")
    scene.do("answer_mediation", "respondent", mediation_consent=False, position="收费标准已备案，不同意调解。")
    yield scene.workday(1, "09:30")
    if scene.waits_for("tell_termination"):
        scene.do("tell_termination", means=["electronic", "phone"], both_told=True)
        yield scene.workday(1, "09:45")
    scene.do("choose_court", "complainant", consent=False)
    yield from visited(scene, 3, "没有退钱，但是说清楚了可以去起诉。")


def hotel_manners(scene: Any) -> Iterator[datetime]:
    """Rude hotel staff, nothing bought: the tourism authority's duty."""
    scene.file(
        {
            **somebody("云溪区某酒店"),
            "topic": "tourism_service",
            "facts": scene.ticket(),
            "category": "住宿服务",
            "requests": ["其他"],
            "request_note": "请商家道歉",
        }
    )
    yield from refused(
        scene,
        "1",
        "你没有订到房间，反映的是酒店服务态度问题，旅游饭店的服务质量由文化和旅游主管部门监督，不属于我局职责。",
        competent_body="云溪区文化和广电旅游体育局",
    )


# --- invented: the other exits, the silences, the ladders -------------------------------------------------------


def found_the_receipt(scene: Any) -> Iterator[datetime]:
    """Withdrawn while proof of identity was awaited."""
    scene.file(goods(scene, "清泉电器", "电饭煲", 39_900, "买来的电饭煲第三天就不通电，店里说要等厂家。"))
    yield scene.later(minutes=20)
    scene.do("first_contact", identity="gap", identity_due_on=scene.date(5))
    yield scene.day(2, "20:10")
    scene.withdraw("店里已经给换了新的。")


def never_came(scene: Any) -> Iterator[datetime]:
    """No proof of identity by the officer's date: refused, ground five."""
    scene.file(goods(scene, "禾鲜里生鲜", "保健食品", 298_000, "老人听讲座买了保健品，吃了没有效果，要求退款。"))
    yield scene.later(minutes=25)
    scene.do("first_contact", identity="gap", identity_due_on=scene.date(3))
    yield scene.day(4, "09:30")
    scene.do(
        "decide_acceptance",
        decision="refuse",
        ground="5",
        reasons="已书面通知你在限期内提供身份证明材料，至今没有收到，依照办法第十条、第十六条不予受理。",
        routes_told=True,
    )


def washing_machine(scene: Any) -> Iterator[datetime]:
    """An appraisal stops the sixty days for a while; then no agreement, and the court's mediator."""
    scene.file(
        {
            **goods(scene, "清泉电器", "洗衣机", 389_900, "新买的洗衣机漏水泡坏了地板，商家说是安装问题。"),
            "requests": ["更换", "赔偿损失"],
        }
    )
    yield from accepted(scene)
    yield from both_mediate(scene)
    yield from session(
        scene,
        result="appraisal",
        appraisal_body="青屏市产品质量检验研究院",
        cost_agreed=True,
        undisputed_facts="洗衣机使用中漏水",
    )
    yield scene.day(12, "10:00")
    scene.do("await_appraisal", outcome="report", findings="进水阀存在质量缺陷，与安装无关。")
    yield scene.workday(1, "15:00")
    scene.do(
        "hold_session",
        result="no_agreement",
        undisputed_facts="进水阀存在质量缺陷\n地板受损面积约 6 平方米",
        disputed_points="地板损失的数额",
        note="商家只肯赔 800 元。",
    )
    yield scene.workday(1, "10:00")
    scene.do("decide_termination", ground="3", reasons="经组织调解，双方对地板损失的数额明确表示无法达成协议。")
    yield scene.workday(1, "11:00")
    scene.do("tell_termination", means=["electronic", "post"], both_told=True)
    yield scene.day(1, "10:00")
    scene.do("choose_court", "complainant", consent=True)
    yield scene.day(1, "16:00")
    scene.do("choose_court", "respondent", consent=True)
    yield scene.workday(1, "09:30")
    scene.do("receipt_package", result="returned", reason="请补充地板受损的照片说明。")
    yield scene.later(hours=4)
    scene.do("correct_package", note="已补充现场照片说明。")
    yield scene.workday(1, "09:00")
    scene.do("receipt_package", result="receipted", peer_case_no="（2026）云0299诉前调88号")
    mediator = scene.mediator()
    yield scene.workday(1, "10:00")
    scene.do("choose_mediator", "complainant", mediator=mediator)
    yield scene.later(hours=3)
    scene.do("choose_mediator", "respondent", mediator=mediator)
    yield scene.workday(1, "09:20")
    scene.do("confirm_mediator", answer="accept")
    yield scene.workday(1, "14:00")
    scene.do("ask_other_side", answer="agrees")
    yield scene.day(9, "15:00")
    scene.do(
        "mediate_for_court",
        result="agreed",
        terms="商家更换同型号洗衣机，赔偿地板损失 1500 元。",
        amount_fen=539_900,
        subject="money_goods",
        performance_due_on=scene.date(7),
        undisputed_facts="地板损失按 1500 元计",
    )
    yield from confirmed(scene, "（2026）云0299民特58号", "（2026）云0299民特58号")
    yield from performed(scene)
    yield from visited(scene)


def silent_officer(scene: Any) -> Iterator[datetime]:
    """Seven working days pass in silence: two warnings, then the supervisor decides. The limit was missed."""
    scene.file(goods(scene, "老街箱包", "运动鞋", 65_900, "鞋底穿了两周就开胶，店里不肯退换。"))
    yield scene.workday(9, "09:30")
    scene.do("decide_overdue", decision="accept")
    yield from both_mediate(scene)
    yield from session(scene, mode="video", result="agreed", undisputed_facts="鞋底开胶")
    yield from signed(scene, "商家退货退款 659 元。", 65_900)
    yield from no_confirmation(scene)
    yield from performed(scene)
    yield from visited(scene, 2, "最后退了，可是等了太久，也没有人来电话。")
    yield scene.workday(3, "15:00")
    scene.do("rectify", measures="已向投诉人致歉；承办人调整分工，每日下班前清零首问。")
    yield scene.workday(1, "16:20")
    scene.do("return_visit", reached=True, rating=4, comment="态度好多了。")


def gave_up(scene: Any) -> Iterator[datetime]:
    """Five rounds without agreement; the consumer keeps silent for seven days and does not go on."""
    scene.file(goods(scene, "海棠造型", "剪发卡", 30_000, "剪坏了头发，要求退剩下的次数。", path="shop_first"))
    for round_number in range(1, 6):
        yield scene.later(hours=4)
        scene.do(
            "make_offer", kind="part_refund", amount_fen=2_000 * round_number, text="可以退一部分，最多这些了。"
        )
        yield scene.later(hours=5)
        scene.do("answer_offer", answer="counter", counter_fen=30_000, counter_text="剩下的次数都要退。")


def shop_refuses_then_filed(scene: Any) -> Iterator[datetime]:
    """The shop's order lies unanswered; the consumer files at once, and the centre's first office returns it."""
    scene.file(goods(scene, "锦程家具", "家具", 720_000, "定做的柜子尺寸不对，商家一直拖。", path="shop_first"))
    yield scene.day(5, "09:15")
    scene.file_now()
    yield scene.later(minutes=20)
    scene.return_dispatch("经营场所不在本所辖区，请重新分送。")
    yield scene.later(hours=2)
    scene.do("dispatch", office=scene.another_office(), reason="经营场所在该所辖区。")
    yield from accepted(scene, days=3)
    yield from both_mediate(scene)
    yield from session(scene, result="another_session", undisputed_facts="柜子比合同短 12 厘米")
    yield from session(scene, result="agreed")
    yield from signed(scene, "商家十日内重做柜门，退还 800 元。", 80_000)
    yield from no_confirmation(scene)
    # Silence again: performance is presumed after S08.


# --- invented: what is open at the end ---------------------------------------------------------------------------


def waits_for_offer(scene: Any) -> Iterator[datetime]:
    """The merchant has a new order in its inbox."""
    scene.file(
        goods(scene, "松果优品数码店", "蓝牙耳机", 29_900, "右边耳机没有声音，刚过七天。", path="shop_first")
    )
    yield from ()


def waits_for_answer(scene: Any) -> Iterator[datetime]:
    """An offer lies before the consumer."""
    scene.file(goods(scene, "松果优品数码店", "电动牙刷", 39_900, "充电座发烫，不敢再用。", path="shop_first"))
    yield scene.later(hours=2)
    scene.do("make_offer", kind="exchange", text="换同型号新机，可以到本品牌任一门店换。", perform_on=scene.date(7))


def waits_for_claim(scene: Any) -> Iterator[datetime]:
    """A shop without an account holds a claim link."""
    scene.file(goods(scene, "石桥茶行", "水果", 8_800, "礼盒里一半的果子是坏的。", path="shop_first"))
    yield from ()


def waits_for_review(scene: Any) -> Iterator[datetime]:
    """The shop kept silent on its link: a clerk reviews what may be published."""
    scene.file(goods(scene, "疾风车行", "洗车卡", 50_000, "洗车店换了老板，不认原来的卡。", path="shop_first"))
    yield from ()


def waits_for_first_contact(scene: Any) -> Iterator[datetime]:
    """Just dispatched to an office."""
    scene.file(goods(scene, "清泉电器", "空调", 329_900, "空调制冷不足，维修三次没有修好。"))
    yield from ()


def waits_for_decision(scene: Any) -> Iterator[datetime]:
    """The limit of acceptance runs out soon: the officer was warned."""
    scene.file(goods(scene, "明视眼镜", "手表", 188_000, "手表走时不准，商家不肯检测。"))
    yield scene.later(minutes=18)
    scene.do("first_contact", identity="verified")


def waits_for_supervisor(scene: Any) -> Iterator[datetime]:
    """Nobody decided in seven working days: the supervisor's duty."""
    scene.file(goods(scene, "星屿旅拍", "婚纱照", 588_000, "精修照片数量不够，商家要求加钱。"))
    yield scene.later(minutes=10)
    scene.do("first_contact", identity="verified")


def waits_for_identity(scene: Any) -> Iterator[datetime]:
    """The complainant was asked for proof of identity."""
    scene.file(goods(scene, "云朵母婴", "奶粉", 38_800, "奶粉罐底有结块，怀疑受潮。"))
    yield scene.later(minutes=22)
    scene.do("first_contact", identity="gap", identity_due_on=scene.date(6))


def waits_for_consent(scene: Any) -> Iterator[datetime]:
    """Accepted; both sides are asked whether they will mediate."""
    scene.file(goods(scene, "巧木匠装饰", "瓷砖", 460_000, "铺好后发现同一批色差很大。"))
    yield from accepted(scene)


def waits_for_session(scene: Any) -> Iterator[datetime]:
    """The mediator has a session to hold."""
    scene.file(goods(scene, "朗跃健身", "健身课", 368_000, "教练离职，剩下的课没人上。"))
    yield from accepted(scene, days=1)
    yield from both_mediate(scene, entrust=True)
    yield scene.workday(1, "09:10")
    scene.do(
        "plan_session",
        session_at=f"{scene.workday(6, '14:00'):%Y-%m-%dT%H:%M}",
        mode="on_site",
        place="云溪区消费纠纷调解室",
    )


def waits_for_appraisal(scene: Any) -> Iterator[datetime]:
    """The sixty days stand still while a laboratory tests."""
    scene.file(goods(scene, "澄净洗衣", "羊绒衫", 219_000, "标签写含羊绒八成，怀疑不实。"))
    yield from accepted(scene)
    yield from both_mediate(scene)
    yield from session(
        scene,
        days=2,
        result="appraisal",
        appraisal_body="青屏市纤维检验所",
        cost_agreed=True,
        undisputed_facts="吊牌标注羊绒含量 80%",
    )


def waits_for_signature(scene: Any) -> Iterator[datetime]:
    """An agreement lies before both for signature."""
    scene.file(goods(scene, "清泉电器", "热水器", 269_900, "热水器漏水，换了两次配件。"))
    yield from accepted(scene, days=1)
    yield from both_mediate(scene)
    yield from session(scene, days=2, result="agreed", undisputed_facts="热水器两次更换配件后仍漏水")
    yield scene.later(minutes=40)
    scene.do(
        "draft_agreement",
        terms="商家更换同型号热水器，补偿 200 元。",
        amount_fen=20_000,
        subject="money_goods",
        performance_due_on=scene.date(10),
    )


def waits_for_court(scene: Any) -> Iterator[datetime]:
    """A package lies before the court's liaison."""
    scene.file(
        {
            **goods(scene, "巧木匠装饰", "装修", 1_800_000, "防水没有做好，楼下漏水，装修公司推脱。"),
            "requests": ["赔偿损失"],
        }
    )
    yield from accepted(scene, days=1)
    yield from both_mediate(scene)
    yield from session(
        scene,
        days=3,
        result="no_agreement",
        undisputed_facts="卫生间防水层未按合同施工",
        disputed_points="楼下损失的数额",
    )
    yield scene.workday(1, "10:00")
    scene.do("decide_termination", ground="3", reasons="经组织调解，双方明确表示无法达成调解协议。")
    yield scene.workday(1, "11:00")
    scene.do("tell_termination", means=["electronic"], both_told=True)
    yield scene.day(1, "10:00")
    scene.do("choose_court", "complainant", consent=True)
    yield scene.day(1, "16:00")
    scene.do("choose_court", "respondent", consent=True)


def waits_for_docket(scene: Any) -> Iterator[datetime]:
    """An application for confirmation lies before the court."""
    scene.file(goods(scene, "松果优品数码店", "电脑", 659_900, "新电脑屏幕有亮线，商家不换。"))
    yield from accepted(scene, days=1)
    yield from both_mediate(scene, entrust=True)
    yield from session(scene, days=2, result="agreed", undisputed_facts="屏幕有亮线")
    yield from signed(scene, "商家退货退款 6599 元。", 659_900)
    yield scene.workday(1, "09:20")
    scene.do("want_confirmation", "complainant", want=True)
    yield scene.later(hours=2)
    scene.do("want_confirmation", "respondent", want=True)
    yield scene.workday(1, "10:00")
    scene.do("sign_application", "complainant", sign=True)
    yield scene.later(hours=3)
    scene.do("sign_application", "respondent", sign=True)


def waits_for_visit(scene: Any) -> Iterator[datetime]:
    """Settled in the shop; the centre has a return visit to make."""
    scene.file(goods(scene, "星光好物直播间", "雨伞", 6_900, "伞骨第一次用就断了。", path="shop_first"))
    yield scene.later(hours=1)
    scene.do("make_offer", kind="refund", amount_fen=6_900, text="马上退款。", perform_on=scene.date(0))
    yield scene.later(minutes=30)
    scene.do("answer_offer", answer="accept")
    yield scene.later(hours=3)
    scene.do("confirm_performance", performed=True)


def shop(name: str) -> dict[str, str]:
    """A merchant of the invented district, as a consumer names it."""
    address = next(place for known, _, place, *_ in MERCHANTS if known == name)
    return {"respondent_name": name, "respondent_address": address}


def somebody(name: str) -> dict[str, str]:
    """Somebody whom the register does not know."""
    return {"respondent_name": name, "respondent_address": "青屏市云溪区云溪街道"}


def goods(scene: Any, merchant: str, category: str, amount_fen: int, facts: str, **more: Any) -> dict[str, Any]:
    """A filing about goods or a service for living."""
    return {
        **shop(merchant),
        "topic": "goods",
        "facts": facts,
        "category": category,
        "occurred_on": scene.date(-12),
        "amount_fen": amount_fen,
        "order_proof": True,
        "requests": ["退货", "退还货款和服务费用"],
        **more,
    }


STORIES: tuple[Story, ...] = (
    Story("bag", bag, people.LIN, "01", at="2026-04-28T10:05"),
    Story("second-hand-phone", second_hand_phone, people.WANG, "02", at="2026-05-07T09:40"),
    Story("prepaid-card", prepaid_card, people.CHEN, "03", at="2026-05-11T14:20"),
    Story("oil-gluten", oil_gluten, people.ZHAO, "04", at="2026-05-25T09:05"),
    Story("parking-fee", parking_fee, people.SUN, "05", at="2026-06-02T16:10"),
    Story("gas-works", gas_works, people.QIAN, "06", at="2026-06-09T10:30"),
    Story("sand-in-buns", sand_in_buns, people.LI, "07", at="2026-06-15T08:50"),
    Story("wages", wages, people.ZHOU, "08", at="2026-06-24T11:00"),
    Story("guided-price", guided_price, people.WU, "09", at="2026-07-01T15:10"),
    Story("hotel-manners", hotel_manners, people.ZHENG, "10", at="2026-09-07T09:30"),
    Story("withdrawn", found_the_receipt, people.FENG, at="2026-09-10T14:00"),
    Story("lapsed-identity", never_came, people.HE, at="2026-09-18T10:00"),
    Story("washing-machine", washing_machine, people.XU, at="2026-08-03T09:00"),
    Story("silent-officer", silent_officer, people.SHEN, at="2026-09-18T10:20"),
    Story("gave-up", gave_up, people.HAN, at="2026-10-09T09:30"),
    Story("filed-now", shop_refuses_then_filed, people.YANG, at="2026-09-21T10:00"),
    Story("open-offer", waits_for_offer, people.LIN, before=1, clock="15:00"),
    Story("open-answer", waits_for_answer, people.LIN, before=1, clock="10:30"),
    Story("open-claim", waits_for_claim, people.ZHU, before=2, clock="16:00"),
    Story("open-review", waits_for_review, people.QIN, before=5, clock="09:20"),
    Story("open-first-contact", waits_for_first_contact, people.LIN, before=1, clock="17:20"),
    Story("open-decision", waits_for_decision, people.YOU, before=5, clock="09:50"),
    Story("open-supervisor", waits_for_supervisor, people.KONG, before=9, clock="10:10"),
    Story("open-identity", waits_for_identity, people.LIN, before=2, clock="11:00"),
    Story("open-consent", waits_for_consent, people.LIN, before=4, clock="09:30"),
    Story("open-session", waits_for_session, people.CAO, before=7, clock="09:00"),
    Story("open-appraisal", waits_for_appraisal, people.YAN, before=12, clock="10:00"),
    Story("open-signature", waits_for_signature, people.LIN, before=8, clock="09:10"),
    Story("open-court", waits_for_court, people.HUA, before=13, clock="09:00"),
    Story("open-docket", waits_for_docket, people.JIN, before=11, clock="09:40"),
    Story("open-visit", waits_for_visit, people.WEI, before=1, clock="09:00"),
)
