"""Phones, identity numbers, passwords and masks, as tables."""

import pytest

from disputes.identity import passwords, rules


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("13812345678", "13812345678"),
        ("+86 138 1234 5678", "13812345678"),
        ("０１３８", None),
        ("１３８１２３４５６７８", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("0574-87654321", "0574-87654321"),
        ("(0574) 87654321", "057487654321"),
        ("0574-87654321-801", "0574-87654321-801"),
        ("400-123-4567", "400-123-4567"),
        ("12315", "12315"),
        ("23812345678", None),
        ("1381234567", None),
        ("138123456789", None),
        ("abc", None),
        ("", None),
    ],
)
def test_a_phone_is_kept_in_one_form(typed: str, kept: str | None) -> None:
    assert rules.normal_phone(typed) == kept


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("11010519491231002X", True),  # the example of GB 11643
        ("11010519491231002x", True),
        ("110105194912310021", False),
        ("110105194902310024", False),  # 31 February
        ("1101051949123100", False),
        ("110105 19491231 002X", True),
    ],
)
def test_a_resident_number_is_checked_to_its_last_character(number: str, good: bool) -> None:
    assert (rules.normal_id_no("resident", number) is not None) is good


def test_the_check_character_finds_every_swap_of_neighbours() -> None:
    number = "11010519491231002X"
    for i in range(16):
        swapped = number[:i] + number[i + 1] + number[i] + number[i + 2 :]
        if swapped != number:
            assert rules.normal_id_no("resident", swapped) is None


def test_a_date_that_does_not_exist_is_refused_though_its_check_character_fits() -> None:
    first = "11010519490231002"
    assert rules.normal_id_no("resident", first + rules.resident_id_check(first)) is None


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张某"),
        ("张三丰", "张某某"),
        ("欧阳修", "欧阳某"),
        ("欧阳", "欧某"),
        ("司马相如", "司马某某"),
        ("阿不都热合曼·买买提", "阿某某"),
        ("𠮷田", "𠮷某"),
        ("John Smith", "J***"),
        ("李", "李某"),
        ("", ""),
    ],
)
def test_a_masked_name_keeps_the_family_name_only(name: str, masked: str) -> None:
    assert rules.mask_name(name) == masked


@pytest.mark.parametrize(
    ("mask", "plain", "masked"),
    [
        (rules.mask_phone, "13812345678", "138****5678"),
        (rules.mask_phone, "0574-87654321", "0574-****21"),
        (rules.mask_phone, "12315", "****"),
        (rules.mask_phone, None, ""),
        (rules.mask_id_no, "11010519491231002X", "1101************2X"),
        (rules.mask_id_no, "E1234567", "******67"),
        (rules.mask_id_no, None, ""),
        (rules.mask_email, "wang@example.com", "w***@example.com"),
        (rules.mask_address, "云溪区栖梧街道青石路8号3幢201室", "云溪区栖梧街道***"),
        (rules.mask_address, "某处", "某***"),
        (rules.mask_address, None, ""),
    ],
)
def test_a_mask_covers_what_tells_who_it_is(mask, plain, masked) -> None:  # type: ignore[no-untyped-def]
    assert mask(plain) == masked


@pytest.mark.parametrize("length", range(1, 12))
def test_no_mask_of_a_number_shows_it_whole(length: int) -> None:
    digits = "9" * length
    assert digits not in rules.mask_id_no(digits) or length <= 2
    assert digits not in rules.mask_phone(digits) or length <= 2


@pytest.mark.parametrize(
    ("password", "fits"),
    [
        ("long enough and plain", True),
        ("short", False),
        ("1234567890", False),
        ("aaaaaaaaaaaaaaa", False),
        ("my-login-is-wangfang", False),
        ("王芳王芳王芳你好abcdefg", False),
        ("密码也可以是一句中文话", True),
        ("x" * 300, False),
    ],
)
def test_a_password_is_long_and_not_among_the_first_guesses(password: str, fits: bool) -> None:
    assert (rules.password_fault(password, login="wangfang", name="王芳") is None) is fits


@pytest.mark.parametrize("name", ["", "   ", "张\u202e三", "张\x00三", "张\ud800", "很" * 101])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert rules.normal_name(name) is None


@pytest.mark.parametrize("name", ["张三", " 王  芳 ", "𬌗𰻝", "Åsa Öberg", "买买提·艾力", "欧\U00031350"])
def test_rare_and_foreign_names_are_kept(name: str) -> None:
    assert rules.normal_name(name)


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("a@B.example.com", "a@b.example.com"),
        ("a@b", None),
        ("a@@b.com", None),
        ("a b@c.com", None),
        ("a@b.com\r\nBcc: x@y.com", None),
        ("x" * 120 + "@a.com", None),
    ],
)
def test_an_address_cannot_carry_a_second_header(email: str, kept: str | None) -> None:
    assert rules.normal_email(email) == kept


def test_passwords_are_digested_above_the_floor_of_the_cheat_sheet() -> None:
    digest = passwords.hashed("a sentence to remember")
    assert digest.startswith("$argon2id$v=19$m=32768,t=2,p=1$")
    assert passwords.fits("a sentence to remember", digest)
    assert not passwords.fits("a sentence to remembe", digest)
    assert not passwords.fits("a sentence to remember", None)
    assert not passwords.fits("a sentence to remember", "no digest at all")
    assert not passwords.is_outdated(digest)
