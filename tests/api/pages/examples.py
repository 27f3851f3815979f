"""The example case of the look, as view models: people, shops and numbers are invented."""

from datetime import date, datetime

from api.pages import dates
from api.pages.clocks import Clock, Timing, clock
from api.pages.shell import Link
from api.pages.shown import (
    CaseLine,
    CasePage,
    Entry,
    Exit,
    Offer,
    PaperLine,
    Party,
    Round,
    Row,
    Stage,
    Tile,
    Waiting,
)
from core.now import CHINA
from disputes.timelimits.calendar import Calendar

NOW = datetime(2026, 9, 23, 14, 20, tzinfo=CHINA)
CALENDAR = Calendar()

SHOP = Party("merchant", "商", "松果优品数码店")
MEDIATOR = Party("mediator", "调", "周启明", "调解员")
OFFICE = Party("office", "所", "云溪市场监管所")
YOU = Party("consumer", "您", "您")


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=CHINA)


def draw(timing: Timing, now: datetime = NOW) -> Clock:
    return clock(
        timing,
        now=now,
        is_workday=CALENDAR.is_workday,
        day_name=lambda on: CALENDAR.day(on).break_name.split("、")[0].removesuffix("节"),
    )


def mediation_limit() -> Timing:
    """C03 of the look: 60 days, three paused, rolled over the national holiday."""
    return Timing(
        limit="C03",
        name="调解期限",
        article="《市场监督管理投诉举报处理办法》第二十二条、第二十三条第一款第五项、第四十五条",
        unit="day",
        amount=60,
        start=date(2026, 8, 3),
        due_at=at(10, 9),
        began_with="受理",
        consequence="到期仍未达成协议，调解终止，7个工作日内书面告诉您。",
        pauses=((date(2026, 8, 12), date(2026, 8, 15), "检测主板"),),
        rolled=(date(2026, 10, 5), "国庆节放假"),
    )


def acceptance_limit() -> Timing:
    """C01 of the look: 7 working days over a make-up workday and the mid-autumn break."""
    return Timing(
        limit="C01",
        name="受理决定",
        article="《市场监督管理投诉举报处理办法》第十五条",
        unit="working day",
        amount=7,
        start=date(2026, 9, 18),
        due_at=at(9, 30),
        began_with="收到",
        made_up=(date(2026, 9, 20),),
    )


def answer_limit() -> Timing:
    return Timing(
        limit="S07",
        name="答复方案",
        article="本平台服务时限",
        unit="hour",
        amount=48,
        start=at(9, 22, 18),
        due_at=at(9, 24, 18),
    )


def caseline() -> CaseLine:
    states = ["done", "done", "skipped", "now", "todo", "todo", "todo"]
    says = {"done": "（已完成）", "skipped": "（没有经过）", "now": "（现在在这里）", "todo": ""}
    names = ["登记", "受理", "和解", "调解", "诉调对接", "办结", "回访"]
    return CaseLine(
        stages=[Stage(n, s, says[s]) for n, s in zip(names, states, strict=True)],  # type: ignore[arg-type]
        turn="you",
        icon="user",
        who="轮到您",
        what="请答复商家的第3次方案",
        when="请在9月24日 周四 18:00前答复，还剩27小时。没有答复不算同意。",
        where="现在：调解，第4步（共7步）",
        action=Link("看方案并答复", "#offer"),
    )


def case_page() -> CasePage:
    return CasePage(
        title="二手手机当全新机卖",
        case_no="330299-20260802-0117",
        meta=["对方：松果优品数码店", "案号 330299-20260802-0117"],
        back=Link("我的案件", "/cases"),
        line=caseline(),
        facts="8月1日以3,699元购买“全新未拆封”手机，用后发现主板换过。要求退款，并按购买价款的三倍赔偿。",
        particulars=[("购买", dates.day(date(2026, 8, 1), NOW)), ("要求", "退款、赔偿"), ("争议金额", "14,796元")],
        clocks=[draw(answer_limit()), draw(mediation_limit())],
        done_clocks=[draw(acceptance_limit())],
        parties=[Party("consumer", "消", "林晓岚", "消费者"), SHOP, MEDIATOR],
        timeline=[
            Entry(dates.moment(at(9, 22, 18), NOW), "提出第3次方案", "now", SHOP),
            Entry(
                dates.moment(at(9, 18, 10, 5), NOW),
                "与您单独谈话，记了要点",
                "",
                MEDIATOR,
                only="只有您和调解员看得到",
            ),
            Entry(dates.day(date(2026, 8, 12), NOW), "送检主板，期限暂停", "pause"),
            Entry(dates.day(date(2026, 8, 3), NOW), "受理", "", OFFICE, link=Link("受理决定书.pdf", "/papers/1")),
            Entry(dates.moment(at(8, 2, 20, 41), NOW), "提交投诉", "", YOU),
        ],
        diagram_url="#",
        exits=[
            Exit("与商家自行和解", "hand", facts=[("会关上", "什么都不关上。")]),
            Exit(
                "请消保委或其他调解组织调解",
                "people",
                facts=[("会关上", "消保委受理后，市场监管部门不再处理同一争议。")],
            ),
            Exit("向市场监管部门投诉", "check", current=True),
            Exit(
                "向人民法院起诉",
                "scale",
                facts=[
                    ("会关上", "法院受理后，市场监管部门不再处理同一争议。"),
                    ("到哪里", "云溪区人民法院立案窗口"),
                ],
                action=Link("准备起诉材料", "#"),
            ),
            Exit("申请仲裁", "doc", note="需要仲裁协议", facts=[("现在不能走", "您与商家没有仲裁协议。")]),
        ],
        offer=Offer(
            title="商家的方案",
            state="open",
            sum="退款3,699元，另补偿2,000元",
            sub="共5,699元",
            round=3,
            most=5,
            left="您要求",
            right="商家提出",
            rounds=[
                Round(1, "14,796元", "换同型号一台"),
                Round(2, "11,097元", "3,699元"),
                Round(3, "9,000元", "5,699元"),
            ],
            facts=[("付款", "协议签好后3天内，退回原支付账户"), ("手机", "商家上门取回，您不付运费")],
            words="主板确实换过，是我们进货没有查清楚。",
            by="商家",
            when=dates.moment(at(9, 22, 18), NOW),
            task_url="#task",
        ),
        evidence=[
            Tile("主板特写.jpg", "消费者，8月2日", "/evidence/1"),
            Tile("检测报告.pdf", "检测机构，8月15日", "/evidence/2"),
            Tile("身份证件", "不显示号码，已核验", masked=True),
        ],
        evidence_url="/cases/1/evidence",
        papers=[PaperLine("投诉受理决定书", "8月3日，云溪市监投受﹝2026﹞第12号", "/papers/1")],
        waiting=[
            Waiting("答复商家的第3次方案", "等消费者", "soon", "还剩27小时", dates.moment(at(9, 24, 18), NOW), "#"),
        ],
        notes=(),
        note_url="#",
    )


def rows() -> list[Row]:
    return [
        Row(
            "#1",
            "预付健身卡停业不退费",
            "沈玉芳 / 朗跃健身",
            "出具终止调解决定",
            "overdue",
            "逾期1个工作日",
            dates.day(date(2026, 9, 22), NOW),
            "2,680元",
            "周启明",
            True,
        ),
        Row(
            "#2",
            "首次联系：酸奶过期发霉",
            "唐立群 / 禾鲜里生鲜",
            "给消费者打电话",
            "today",
            "还剩3小时",
            dates.moment(at(9, 23, 17, 30), NOW),
            "86元",
            "周启明",
            True,
        ),
        Row(
            "#3",
            "生日蛋糕异物",
            "郭小满 / 小满烘焙",
            "决定是否受理",
            "soon",
            "还剩3个工作日",
            dates.day(date(2026, 9, 29), NOW),
            "268元",
            "",
            False,
            "/claim",
        ),
        Row(
            "#4",
            "净水器滤芯不合标",
            "邓志明 / 清泉电器",
            "等检测报告",
            "paused",
            "暂停，剩22天",
            "检测中",
            "1,899元",
            "周启明",
        ),
    ]
