"""What a merchant, or everybody, may read of a complaint."""

import pytest

from disputes.cases.masking import mask_text


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("请打 13800138000 联系", "13800138000"),
        ("请打 138-0013-8000 联系", "138-0013-8000"),
        ("座机 0574-87654321 没人接", "87654321"),
        ("身份证 33029919900101123X 已出示", "33029919900101123X"),
        ("卡号 6222 0212 3456 7890 123", "6222 0212 3456 7890"),
        ("邮箱 wang.xm@example.com", "wang.xm@example.com"),
        ("车牌 浙B·12345 停在门口", "12345"),
        ("家住和平路 8 号楼 2 单元 301 室", "301"),
        ("我叫王小明", "王小明"),
    ],
)
def test_numbers_and_names_are_taken_out(text: str, gone: str) -> None:
    assert gone not in mask_text(text, names=("王小明",))


def test_what_happened_stays_readable() -> None:
    text = "8月22日在店里花1600元买了一台二手苹果12手机，店家说是原装。"
    assert mask_text(text, names=("王小明",)) == text


def test_a_name_of_one_character_is_no_reason_to_tear_words_apart() -> None:
    assert mask_text("王家铺子的包子", names=("王",)) == "王家铺子的包子"
