"""What is a phone, an identity number, a login, a password, a name; how each is masked. Pure."""

import re
import unicodedata
from datetime import date


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Compound family names that a mask must not cut in half.
COMPOUND_FAMILY_NAMES = _words("""
    欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶
    太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良
    漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 西门 第五 贯丘
    南荣 东里 东宫 仲长 子桑 即墨 达奚 褚师
""")

#: 10 characters and no rules about their kinds: length is what helps (NIST SP 800-63B, section 5.1.1.2).
PASSWORD_MIN = 10
PASSWORD_MAX = 256
#: What is guessed first, whatever its length.
COMMON_PASSWORDS = _words("""
    1234567890 0123456789 12345678910 123456789a a123456789 qwertyuiop 1q2w3e4r5t password12 password123
    qwerty12345 1qaz2wsx3edc iloveyou12 woaini1314 5201314520 aa123456789 abc123456789 admin123456
    administrator 1111111111 0000000000 8888888888 6666666666 123123123123 112233445566 qq123456789
    1234567890a zxcvbnm123 asdfghjkl1
""")

_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{2,3}-?[2-8]\d{6,7}(?:-\d{1,6})?")
_SERVICE = re.compile(r"(?:400|800)-?\d{3}-?\d{4}|9\d{4,5}|1\d{4}|12\d{3}")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_RESIDENT_ID = re.compile(r"[1-9]\d{5}(?:18|19|20)\d{9}[\dX]")
_OTHER_ID = re.compile(r"[A-Z0-9()/-]{5,30}")


def is_clean(text: str) -> bool:
    """Is the text free of control characters, surrogates and invisible direction marks?

    Unassigned and private characters pass: rare names are often newer than this Python's tables.
    """
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Cf") for c in text)


def normal_name(name: str) -> str | None:
    """A person's name with single spaces, or None where it is empty, too long or holds what no name holds."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    return name if 0 < len(name) <= 100 and is_clean(name) else None


def normal_login(login: str) -> str | None:
    """The login in lower case, or None where it does not fit."""
    login = unicodedata.normalize("NFKC", login).strip().lower()
    return login if _LOGIN.fullmatch(login) else None


def normal_phone(phone: str) -> str | None:
    """A Chinese mobile, landline or service number without spaces and +86, or None where it is none."""
    phone = re.sub(r"[\s()（）]", "", unicodedata.normalize("NFKC", phone)).replace("—", "-").replace("–", "-")
    phone = re.sub(r"^(?:\+86|0086)-?", "", phone)
    bare = phone.replace("-", "")
    if _MOBILE.fullmatch(bare):
        return bare
    return phone if _LANDLINE.fullmatch(phone) or _SERVICE.fullmatch(phone) else None


def is_mobile(phone: str) -> bool:
    """Can this number receive a text message?"""
    return _MOBILE.fullmatch(phone) is not None


def normal_email(email: str) -> str | None:
    """The address with its domain in lower case, or None where it is none."""
    email = email.strip()
    if len(email) > 120 or not _EMAIL.fullmatch(email):
        return None
    local, _, domain = email.rpartition("@")
    return f"{local}@{domain.lower()}"


def resident_id_check(first17: str) -> str:
    """The check character of a resident identity number. Source: GB 11643-1999 (ISO 7064, MOD 11-2)."""
    total = sum(int(digit) * pow(2, 17 - position, 11) for position, digit in enumerate(first17))
    return "0123456789X"[(12 - total) % 11]


def normal_id_no(kind: str, number: str) -> str | None:
    """An identity number in capitals, or None where its form, date of birth or check character is wrong."""
    number = re.sub(r"\s", "", unicodedata.normalize("NFKC", number)).upper()
    if kind != "resident":
        return number if _OTHER_ID.fullmatch(number) else None
    if not _RESIDENT_ID.fullmatch(number) or resident_id_check(number[:17]) != number[17]:
        return None
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return number


def password_fault(password: str, *, login: str | None, name: str) -> tuple[str, str] | None:
    """Why a password is refused, in Chinese and English; None where it may be used."""
    if len(password) < PASSWORD_MIN:
        return f"密码至少 {PASSWORD_MIN} 个字符。", f"A password has at least {PASSWORD_MIN} characters."
    if len(password) > PASSWORD_MAX:
        return f"密码最多 {PASSWORD_MAX} 个字符。", f"A password has at most {PASSWORD_MAX} characters."
    plain = password.lower()
    if plain in COMMON_PASSWORDS or len(set(plain)) < 4:
        return "这个密码太常见，请换一个。", "This password is among the first that are guessed."
    if (login and login in plain) or (len(name) > 1 and name.lower() in plain):
        return "密码不能包含登录名或者姓名。", "A password does not contain the login or the name."
    return None


def mask_name(name: str) -> str:
    """Only the family name remains: 张某某, 欧阳某; a name in Latin letters keeps its first letter."""
    name = name.strip()
    if not name:
        return ""
    if not ("\u3400" <= name[0] <= "\u9fff" or ord(name[0]) > 0x1FFFF):
        return f"{name[0]}***"
    family = name[:2] if len(name) > 2 and name[:2] in COMPOUND_FAMILY_NAMES else name[0]
    given = len(name) - len(family)
    return family + "某" * min(max(given, 1), 2)


def mask_phone(phone: str | None) -> str:
    """138****5678; a landline keeps its area code and two last digits."""
    if not phone:
        return ""
    if _MOBILE.fullmatch(phone):
        return f"{phone[:3]}****{phone[-4:]}"
    area, dash, _ = phone.partition("-")
    head = area + dash if dash and len(area) <= 4 else phone[:3]
    return f"{head}****{phone[-2:]}" if len(phone) > len(head) + 2 else "****"


def mask_id_no(number: str | None) -> str:
    """3302**********2X: the first four and the last two characters; a short one keeps its last two."""
    if not number:
        return ""
    if len(number) < 10:
        return "*" * max(len(number) - 2, 4) + number[-2:]
    return number[:4] + "*" * (len(number) - 6) + number[-2:]


def mask_email(email: str | None) -> str:
    """w***@example.com"""
    if not email:
        return ""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def mask_address(address: str | None) -> str:
    """Down to the street: what follows the first road, street, village or town is covered."""
    if not address:
        return ""
    found = re.match(r".*?(?:街道|大道|路|街|镇|乡|村)", address)
    return (found.group(0) if found else address[: min(6, len(address) // 2)]) + "***"
