"""Taking out of a text what its reader must not see: names, numbers, addresses. Pure."""

import re

from disputes.identity.rules import mask_address, mask_name, mask_phone

_MOBILE = re.compile(r"(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[\s-]?[2-8]\d{6,7}(?!\d)")
_ID_NO = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{9}[\dXx](?![0-9A-Za-z])")
_BANK_CARD = re.compile(r"(?<!\d)\d{4}(?:[\s-]?\d{4}){3}(?:[\s-]?\d{1,3})?(?!\d)")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
_PLATE = re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{5,6}")
_ROOM = re.compile(r"\d+\s*(?:号楼|栋|幢|单元|室|号房)(?:\s*\d+\s*(?:单元|室|号房))*")
_COVERED = "＊＊＊"


def mask_text(text: str, *, names: tuple[str, ...] = (), addresses: tuple[str, ...] = ()) -> str:
    """The text without phone, identity and card numbers, mail addresses, number plates, flats, and these names."""
    for address in sorted(filter(None, addresses), key=len, reverse=True):
        text = text.replace(address, mask_address(address))
    for name in sorted(filter(None, names), key=len, reverse=True):
        if len(name) > 1:
            text = text.replace(name, mask_name(name))
    text = _EMAIL.sub(_COVERED, text)
    text = _ID_NO.sub(_COVERED, text)
    text = _BANK_CARD.sub(_COVERED, text)
    text = _MOBILE.sub(lambda found: mask_phone(re.sub(r"[\s-]", "", found.group())), text)
    text = _LANDLINE.sub(_COVERED, text)
    text = _PLATE.sub(_COVERED, text)
    return _ROOM.sub(_COVERED, text)
