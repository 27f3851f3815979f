"""The consumers of the demonstration: all invented, with numbers that belong to nobody."""

from dataclasses import dataclass

from disputes.identity.rules import resident_id_check


@dataclass(frozen=True)
class Consumer:
    """Somebody who complains."""

    name: str
    number: int
    street: str
    #: The account of the district's own consumer, who signs in; others have none.
    has_account: bool = False

    @property
    def phone(self) -> str:
        """From a range that the demonstration uses for nobody real."""
        return f"139000{self.number:05d}"

    @property
    def address(self) -> str:
        return f"青屏市云溪区{self.street}{self.number % 90 + 1}号"

    @property
    def id_no(self) -> str:
        """A resident number of the invented district, with its check character."""
        first = f"330299{1960 + self.number % 40}0{self.number % 9 + 1}1{self.number % 9}{self.number:03d}"
        return first + resident_id_check(first)


LIN = Consumer("林晓梅", 101, "溪口路", has_account=True)
WANG = Consumer("王建国", 102, "中山路")
CHEN = Consumer("陈玉兰", 103, "石板路")
ZHAO = Consumer("赵明", 104, "湖滨路")
SUN = Consumer("孙丽", 105, "塘北路")
QIAN = Consumer("钱伟", 106, "中山路")
LI = Consumer("李桂英", 107, "溪口路")
ZHOU = Consumer("周洋", 108, "学府路")
WU = Consumer("吴敏", 109, "塘北路")
ZHENG = Consumer("郑浩", 110, "湖滨路")
FENG = Consumer("冯静", 111, "石板路")
HE = Consumer("何秀珍", 112, "溪口路")
XU = Consumer("许强", 113, "学府路")
SHEN = Consumer("沈芳", 114, "中山路")
HAN = Consumer("韩雪", 115, "湖滨路")
YANG = Consumer("杨帆", 116, "塘北路")
ZHU = Consumer("朱琳", 117, "石板路")
QIN = Consumer("秦勇", 118, "学府路")
YOU = Consumer("尤佳", 119, "溪口路")
KONG = Consumer("孔祥", 120, "中山路")
CAO = Consumer("曹颖", 121, "湖滨路")
YAN = Consumer("严冬", 122, "塘北路")
HUA = Consumer("华建军", 123, "石板路")
JIN = Consumer("金鑫", 124, "学府路")
WEI = Consumer("魏兰", 125, "溪口路")
