"""What a form says to the person who fills it in, Chinese first, English second."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Say:
    """One sentence in both languages."""

    zh: str
    en: str

    def __call__(self, language: Language) -> str:
        return self.en if language == "en" else self.zh


FILL_IN = Say("请填写这一项", "Please fill this in")
CHOOSE = Say("请选一项", "Please choose one")
CHOOSE_SOME = Say("请至少选一项", "Please choose at least one")
TICK = Say("请先勾选这一项", "Please tick this first")
ATTACH = Say("请至少上传一个文件", "Please attach at least one file")
ADD_ROW = Say("请至少填一行", "Please fill in at least one row")
NOT_TEXT = Say("这一项要填文字", "This must be text")
NOT_LISTED = Say("请从列出的选项中选择", "Please choose from the list")
NOT_YES_NO = Say("这一项只能勾选或者不勾选", "This can only be ticked or not")
NUMBER = Say("请填数字，例如3", "Please enter a number, for example 3")
WHOLE_NUMBER = Say("请填整数，例如3", "Please enter a whole number, for example 3")
MONEY = Say("请填数字，例如86.40", "Please enter an amount in yuan, for example 86.40")
DATE = Say("请填日期，例如2026年9月20日", "Please enter a date, for example 2026-09-20")
TIME = Say("请填时间，例如14:30", "Please enter a time, for example 14:30")
DATE_TIME = Say(
    "请填日期和时间，例如2026年9月20日 14:30", "Please enter a date and time, for example 2026-09-20 14:30"
)
PHONE = Say(
    "请填11位手机号，或者带区号的座机号，例如0571-87654321",
    "Please enter an 11-digit mobile number, or a landline with its area code, for example 0571-87654321",
)
EMAIL = Say("请填完整的邮箱，例如name@example.com", "Please enter a whole address, for example name@example.com")
ID_LENGTH = Say("身份证号是18位，请对照证件再看一遍", "An identity number has 18 characters; please check the card")
ID_CHECKSUM = Say("身份证号有一位不对，请对照证件再看一遍", "One character is wrong; please check the card")
USCC_LENGTH = Say(
    "统一社会信用代码是18位，营业执照上有", "A credit code has 18 characters; see the business licence"
)
USCC_CHECKSUM = Say(
    "统一社会信用代码有一位不对，请对照营业执照再看一遍", "One character is wrong; please check the licence"
)
PATTERN = Say("格式不对，请再看一遍", "The format does not fit; please check")
PAST_DAY = Say("这一天已经过去，请填今天或者以后", "This day has passed; please choose today or later")
NOT_ASKED = Say("按现在的选择，这一项不用填，请清空", "With these choices this is not asked; please clear it")
UNKNOWN = Say("表单里没有这一项", "The form has no such field")
NOT_ROWS = Say("这一项要逐行填写", "This takes rows")
NOT_GROUP = Say("这一组要逐项填写", "This takes a group of fields")

OPTIONAL = Say("选填", "optional")
REQUIRED = Say("必填", "required")
CHOOSE_PROMPT = Say("请选择", "Please choose")
YES = Say("是", "yes")
NO = Say("否", "no")
YUAN = Say("元", "yuan")
ADD = Say("再加一行", "Add a row")
REMOVE = Say("删去第{n}行", "Remove row {n}")
ROW = Say("第{n}行", "Row {n}")
FILES_ADD = Say("拍照或选文件", "Take a photo or choose files")
FILES_DROP = Say("删除", "Remove")
TABLE_EMPTY = Say("没有内容", "Nothing to show")
SUMMARY = Say("有{n}处要改", "{n} things to correct")


def too_short(least: int, found: int) -> Say:
    """Say how many characters are asked and how many were found."""
    return Say(
        f"至少写{least}个字，现在是{found}个", f"Please write at least {least} characters; there are {found}"
    )


def too_long(most: int, found: int) -> Say:
    """Say how many characters fit and how many were found."""
    return Say(f"最多写{most}个字，现在是{found}个", f"Please write at most {most} characters; there are {found}")


def too_small(least: str) -> Say:
    """Say the least value."""
    return Say(f"不能小于{least}", f"Must be at least {least}")


def too_big(most: str) -> Say:
    """Say the greatest value."""
    return Say(f"不能大于{most}", f"Must be at most {most}")


def too_many_decimals(digits: int) -> Say:
    """Say how many decimals fit."""
    return Say(f"最多{digits}位小数", f"At most {digits} decimals")


def too_many(most: int) -> Say:
    """Say how many entries fit."""
    return Say(f"最多{most}项", f"At most {most} entries")
