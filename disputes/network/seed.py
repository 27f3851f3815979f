"""The fictional district 云溪区 of 青屏市: one centre, nine offices, fifty-six stations, merchants, council, court.

Everything here is invented. It exists for ``make run``, the demonstration and tests; it is marked synthetic.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.network.models import Kind, Organisation
from disputes.network.operations import add
from disputes.network.rules import with_check

REGION = "330299"
BUREAU = "YX"

#: code, name, English name, address, areas of the office; then its stations: name, English name, areas.
OFFICES: tuple[tuple[str, str, str, str, tuple[str, ...], tuple[tuple[str, str], ...]], ...] = (
    (
        "YX-01", "云溪市场监督管理所", "Yunxi Office", "云溪街道溪口路18号", ("云溪街道", "溪口路", "云水路"),
        (("云水广场", "Yunshui Plaza"), ("溪口小商品市场", "Xikou Market"), ("云栖社区", "Yunqi Community"),
         ("溪畔社区", "Xipan Community"), ("云溪农贸市场", "Yunxi Food Market"), ("溪口老街", "Xikou Old Street"),
         ("云溪数码城", "Yunxi Digital Mall")),
    ),
    (
        "YX-02", "望湖市场监督管理所", "Wanghu Office", "望湖街道湖滨路6号", ("望湖街道", "湖滨路", "映月路"),
        (("湖滨天地", "Hubin Tiandi"), ("映月百货", "Yingyue Store"), ("望湖社区", "Wanghu Community"),
         ("柳浪社区", "Liulang Community"), ("望湖水产市场", "Wanghu Seafood Market"), ("湖滨酒店群", "Hubin Hotels")),
    ),
    (
        "YX-03", "鼓楼市场监督管理所", "Gulou Office", "鼓楼街道鼓楼前街1号", ("鼓楼街道", "鼓楼前街", "中山路"),
        (("鼓楼步行街", "Gulou Walk"), ("中山百货", "Zhongshan Store"), ("鼓楼社区", "Gulou Community"),
         ("月湖社区", "Yuehu Community"), ("鼓楼眼镜城", "Gulou Optical Market"), ("鼓楼餐饮街", "Gulou Food Street")),
    ),
    (
        "YX-04", "江汀市场监督管理所", "Jiangting Office", "江汀街道滨江道88号", ("江汀街道", "滨江道", "渡口路"),
        (("江汀万象", "Jiangting Mall"), ("滨江家居城", "Binjiang Furniture"), ("渡口社区", "Dukou Community"),
         ("江心社区", "Jiangxin Community"), ("江汀汽车城", "Jiangting Motor City"), ("滨江夜市", "Binjiang Night Market")),
    ),
    (
        "YX-05", "白鹭市场监督管理所", "Bailu Office", "白鹭街道青年路120号", ("白鹭街道", "青年路", "学府路"),
        (("白鹭里商场", "Bailuli Mall"), ("学府培训街", "Xuefu Training Street"), ("白鹭社区", "Bailu Community"),
         ("青年社区", "Qingnian Community"), ("白鹭健身城", "Bailu Fitness"), ("学府书城", "Xuefu Book Mall")),
    ),
    (
        "YX-06", "青石市场监督管理所", "Qingshi Office", "青石街道石板路9号", ("青石街道", "石板路", "工匠路"),
        (("青石建材市场", "Qingshi Building Market"), ("工匠社区", "Gongjiang Community"),
         ("青石社区", "Qingshi Community"), ("石板巷", "Shiban Lane"), ("青石二手车市场", "Qingshi Used Cars"),
         ("工匠五金城", "Gongjiang Hardware")),
    ),
    (
        "YX-07", "南塘市场监督管理所", "Nantang Office", "南塘镇塘北路33号", ("南塘镇", "塘北路", "塘下"),
        (("南塘老街", "Nantang Old Street"), ("塘下村", "Tangxia Village"), ("南塘农贸市场", "Nantang Food Market"),
         ("塘北社区", "Tangbei Community"), ("南塘旅游集散中心", "Nantang Visitor Centre"), ("荷叶村", "Heye Village")),
    ),
    (
        "YX-08", "石桥市场监督管理所", "Shiqiao Office", "石桥镇桥东路5号", ("石桥镇", "桥东路", "桥西"),
        (("石桥集市", "Shiqiao Fair"), ("桥西村", "Qiaoxi Village"), ("石桥社区", "Shiqiao Community"),
         ("桥东家电城", "Qiaodong Appliances"), ("竹山村", "Zhushan Village"), ("石桥茶叶市场", "Shiqiao Tea Market")),
    ),
    (
        "YX-09", "高新市场监督管理所", "Gaoxin Office", "高新区星光大道200号", ("高新区", "星光大道", "创业路"),
        (("星光直播基地", "Xingguang Live Base"), ("创业园", "Chuangye Park"), ("星光社区", "Xingguang Community"),
         ("高新电商城", "Gaoxin E-commerce"), ("软件社区", "Ruanjian Community"), ("星光影城", "Xingguang Cinema"),
         ("高新奥特莱斯", "Gaoxin Outlets")),
    ),
)  # fmt: skip

#: name, English name, address, trade, on board, contactable
MERCHANTS: tuple[tuple[str, str, str, str, bool, bool], ...] = (
    ("松果优品数码店", "Songguo Digital", "云溪数码城二楼206号", "数码", True, True),
    ("朗跃健身", "Langyue Fitness", "白鹭健身城三楼", "健身", True, True),
    ("禾鲜里生鲜", "Hexianli Fresh", "云溪农贸市场A12号", "食品", True, True),
    ("巧木匠装饰", "Qiaomujiang Decoration", "青石建材市场5号", "装修", True, True),
    ("海棠造型", "Haitang Hair", "湖滨天地B1层", "美容美发", True, True),
    ("云顶宴会", "Yunding Banquets", "湖滨路66号", "餐饮", True, True),
    ("小满烘焙", "Xiaoman Bakery", "鼓楼步行街17号", "食品", True, True),
    ("青藤课堂", "Qingteng Classes", "学府培训街9号", "培训", True, True),
    ("清泉电器", "Qingquan Appliances", "桥东家电城3号", "家电", True, True),
    ("橘灯租车", "Judeng Car Rental", "江汀汽车城1号", "租车", True, True),
    ("云朵母婴", "Yunduo Baby", "江汀万象三楼", "母婴", True, True),
    ("启思课堂", "Qisi Classes", "学府路77号", "培训", False, True),
    ("星屿旅拍", "Xingyu Photo", "鼓楼前街28号", "摄影", False, True),
    ("疾风车行", "Jifeng Bikes", "工匠路41号", "电动车", False, True),
    ("老街箱包", "Laojie Bags", "鼓楼步行街二楼15号", "服装鞋包", False, True),
    ("福记早点", "Fuji Breakfast", "塘北路12号", "餐饮", False, True),
    ("石桥茶行", "Shiqiao Tea", "石桥茶叶市场8号", "食品", False, True),
    ("明视眼镜", "Mingshi Optics", "鼓楼眼镜城6号", "眼镜", False, True),
    ("锦程家具", "Jincheng Furniture", "滨江家居城2楼", "家居", True, True),
    ("星光好物直播间", "Xingguang Live Shop", "星光直播基地", "网络购物", True, True),
    ("澄净洗衣", "Chengjing Laundry", "云水路31号", "洗染", False, True),
    ("荷塘农家乐", "Hetang Farm Inn", "荷叶村1号", "餐饮", False, False),
    ("迅达手机维修", "Xunda Phone Repair", "溪口小商品市场", "维修", False, False),
    ("流动水果摊", "Fruit cart", "滨江夜市", "食品", False, False),
)


def seed_district(session: Session, *, now: datetime) -> dict[str, Organisation]:
    """Add the district to a database that has none; the organisations by code. Doing it twice changes nothing."""
    if session.scalar(select(Organisation.id).where(Organisation.code == BUREAU)) is None:
        _add_all(session, now)
    return {place.code: place for place in session.scalars(select(Organisation).order_by(Organisation.code))}


def _add_all(session: Session, now: datetime) -> None:
    def place(
        code: str, name: str, name_en: str, kind: Kind, parent: Organisation | None, **more: object
    ) -> Organisation:
        region = str(more.pop("region", REGION))
        return add(
            session, code=code, name=name, name_en=name_en, kind=kind, region=region, parent=parent,
            synthetic=True, now=now, **more,
        )  # fmt: skip

    bureau = place(
        BUREAU, "青屏市云溪区市场监督管理局", "Yunxi District Market Regulation Bureau", Kind.BUREAU, None,
        address="云溪街道市民路1号", phone="0570-12315",
    )  # fmt: skip
    place(
        "BZ", "青屏市北渚县市场监督管理局", "Beizhu County Market Regulation Bureau", Kind.BUREAU, None,
        region="330298", areas=["北渚县", "北渚镇"], address="北渚县城关镇人民路2号", phone="0570-82312315",
    )  # fmt: skip
    place(
        "YX-00", "云溪区消费投诉处理中心", "Yunxi Consumer Dispute Centre", Kind.CENTRE, bureau,
        address="云溪街道市民路1号", phone="0570-87112315",
    )  # fmt: skip
    for code, name, name_en, address, areas, stations in OFFICES:
        office = place(
            code, name, name_en, Kind.OFFICE, bureau,
            address=address, areas=list(areas), phone=f"0570-871123{code[-2:]}",
        )  # fmt: skip
        for number, (area, area_en) in enumerate(stations, start=1):
            place(
                f"{code}-{number:02d}", f"{area}消费维权服务站", f"{area_en} Service Station", Kind.STATION, office,
                areas=[area], address=area,
            )  # fmt: skip
    place(
        "YX-C", "云溪区消费者权益保护委员会", "Yunxi Consumer Council", Kind.COUNCIL, None,
        address="云溪街道市民路1号", phone="0570-87110315",
    )  # fmt: skip
    place(
        "YX-T1", "云溪区消费纠纷人民调解委员会", "Yunxi People's Mediation Committee", Kind.MEDIATION_BODY, None,
        address="鼓楼街道中山路20号", phone="0570-87110148", skills=[],
    )  # fmt: skip
    place(
        "YX-T2", "青屏市装饰装修行业调解委员会", "Decoration Industry Mediation Committee", Kind.MEDIATION_BODY, None,
        address="青石街道工匠路2号", phone="0570-87110248", skills=["装修", "家居"],
    )  # fmt: skip
    place(
        "YX-F", "青屏市云溪区人民法院", "Yunxi District People's Court", Kind.COURT, None,
        address="云溪街道法苑路8号", phone="0570-87112368",
    )  # fmt: skip
    for number, (name, name_en, address, trade, on_board, contactable) in enumerate(MERCHANTS, start=1):
        place(
            f"M-{number:04d}", name, name_en, Kind.MERCHANT, None,
            address=address, trade=trade, on_board=on_board, contactable=contactable,
            phone=f"0570-88{number:06d}" if contactable else "",
            uscc=with_check(f"92330299MA2{number:06d}"), legal_representative=_owner(number),
        )  # fmt: skip
    session.flush()


def _owner(number: int) -> str:
    families, given = "赵钱孙李周吴郑王冯陈褚卫", ("文博", "晓岚", "启明", "若溪", "建国", "小满")
    return families[number % len(families)] + given[number % len(given)]
