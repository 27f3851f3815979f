"""How a paper says things in Chinese: dates, sums, the office's own name, the head of a number."""

import re
from datetime import date, datetime
from typing import Final

from core.now import CHINA

#: 一 to 十, as the forms number their items.
NUMERALS: Final = "一二三四五六七八九十"
_CAPITALS: Final = "零壹贰叁肆伍陆柒捌玖"
_PLACES: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "万", "亿", "万亿")

#: The last character of an organisation's name → how it calls itself.
_SELVES: Final = {"局": "局", "所": "所", "会": "会", "院": "院", "站": "站"}

#: 青屏市云溪区市场监督管理局 → 云溪; 鼓楼市场监督管理所 → 鼓楼.
_PLACE = re.compile(
    r"^(?:.{2,4}省)?(?:.{2,6}?市(?!场))?(?P<place>.{2,8}?)(?=区|县|市|旗|市场|装饰|行业|消费|人民|处理|调解)"
)


def chinese_day(day: date) -> str:
    """2026年9月18日."""
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_moment(moment: datetime) -> str:
    """2026年9月18日14时30分, in China."""
    local = moment.astimezone(CHINA)
    return f"{chinese_day(local.date())}{local.hour}时{local.minute:02d}分"


def money(fen: int) -> str:
    """人民币1,234.50元（大写：壹仟贰佰叁拾肆元伍角整）."""
    return f"人民币{fen // 100:,}.{fen % 100:02d}元（大写：{capitals(fen)}）"


def capitals(fen: int) -> str:
    """A sum in the capital numerals of a cheque, which nobody can alter."""
    yuan, jiao, rest = fen // 100, fen // 10 % 10, fen % 10
    said = _whole(yuan) + "元" if yuan else ""
    if not jiao and not rest:
        return (said or "零元") + "整"
    if jiao:
        said += f"{_CAPITALS[jiao]}角"
    elif yuan:
        said += "零"
    return said + (f"{_CAPITALS[rest]}分" if rest else "整")


def _whole(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    said, gap = "", False
    for index in reversed(range(len(groups))):
        group = groups[index]
        if not group:
            gap = bool(said)
            continue
        if said and (gap or group < 1000):
            said += "零"
        said += _group(group) + _GROUPS[index]
        gap = False
    return said


def _group(group: int) -> str:
    said, gap = "", False
    for place in reversed(range(4)):
        digit = group // 10**place % 10
        if not digit:
            gap = bool(said)
            continue
        said += ("零" if gap else "") + _CAPITALS[digit] + _PLACES[place]
        gap = False
    return said


def own_name(office: str, first: str = "我") -> str:
    """How the office speaks of itself: 我局, 我所, 我中心; 我单位 where the name tells nothing."""
    if office.endswith("中心"):
        return f"{first}中心"
    return first + _SELVES.get(office[-1:], "单位")


def stem(office: str) -> str:
    """The head of the office's numbers: 鼓楼市监, 云溪人调; 市监 alone where no place is named."""
    found = _PLACE.match(office)
    place = found["place"] if found else ""
    return place + ("人调" if "调解" in office else "消委" if office.endswith("委员会") else "市监")
