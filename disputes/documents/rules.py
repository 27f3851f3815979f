"""What each kind of paper must be given, and the words that it prints. Pure: the same data give the same words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from core.refusals import Invalid
from disputes.documents import wording
from disputes.documents.models import Kind

#: Longest text that a person may have written into a paper; about sixty pages.
LONGEST_TEXT = 40_000
#: Longest name, number, address or other line.
LONGEST_LINE = 500
#: Most items of a list.
MOST_ITEMS = 200
#: 10 thousand million yuan: more is a slip of the pen.
LARGEST_SUM_FEN = 10**12 - 1

#: 办法 第十六条: when a complaint is not accepted.
REFUSAL_GROUNDS: Final = (
    "投诉事项不属于市场监督管理部门职责，或者本行政机关不具有处理权限的；",
    "法院、仲裁机构、市场监督管理部门或者其他行政机关、消费者协会已经受理或者处理过同一消费者权益争议的；",
    "不是为生活消费需要购买、使用商品或者接受服务，或者不能证明与被投诉人之间存在消费者权益争议的；",
    "除法律另有规定外，投诉人知道或者应当知道自己的权益受到被投诉人侵害之日起超过三年的；",
    "未提供本办法第十条第一款、第十一条规定的材料，或者提供虚假材料的；",
    "冒用他人名义或者拒不配合市场监督管理部门核验真实身份信息的；",
    "法律、法规、规章规定不予受理的其他情形。",
)
#: 办法 第二十三条第一款: when mediation ends.
TERMINATION_GROUNDS: Final = (
    "投诉人撤回投诉或者双方自行和解的；",
    "投诉人、被投诉人无正当理由不参加调解，或者明确拒绝调解的；",
    "经组织调解，投诉人或者被投诉人明确表示无法达成调解协议的；",
    "投诉人与被投诉人对鉴定、检测费用承担无法协商一致的；",
    "自投诉受理之日起六十日内投诉人和被投诉人未能达成调解协议的；",
    "市场监督管理部门受理投诉后，发现存在本办法第十六条、第四十二条规定情形的；",
    "投诉人、被投诉人死亡或者主体资格灭失的；",
    "法律、法规、规章规定的应当终止调解的其他情形。",
)
#: 消费者权益保护法 第三十九条: the ways to settle a dispute, but for the complaint itself.
ROUTES: Final = (
    "（一）与经营者协商和解；",
    "（二）请求消费者协会或者依法成立的其他调解组织调解；",
    "（三）向有关行政部门投诉；",
    "（四）根据与经营者达成的仲裁协议提请仲裁机构仲裁；",
    "（五）向人民法院提起诉讼。",
)
IDENTITY_MATERIALS: Final = (
    "投诉人的居民身份证、护照或者其他有效身份证件，以及真实的姓名、电话号码、通讯地址；"
    "委托他人代为投诉的，还应当提供授权委托书原件和受托人身份证明。"
)
SESSION_MATERIALS: Final = (
    "身份证明材料",
    "与争议有关的凭证、票据和其他证据材料",
    "委托他人参加的，授权委托书和受托人身份证明",
)
MODES: Final = {"on_site": "现场", "video": "视频", "phone": "电话", "online": "互联网"}
OFFERS: Final = {
    "refund": "退货退款",
    "part_refund": "部分退款",
    "exchange": "换货",
    "repair": "修理",
    "compensation": "赔偿",
    "apology": "赔礼道歉",
    "other": "其他",
}
SIDES: Final = ("complainant", "respondent")


@dataclass(frozen=True)
class Form:
    """A kind of paper: its title, the characters in its number, and what it must and may be given."""

    title: str
    mark: str
    required: frozenset[str]
    optional: frozenset[str] = frozenset()


_HEAD = frozenset({"case_no", "matter", "complainant", "respondent", "office", "dated_on"})
_AMONG_PARTIES = _HEAD | {"facts"}
_PARTICULARS = frozenset(
    {
        "complainant_phone",
        "complainant_address",
        "complainant_agent",
        "respondent_phone",
        "respondent_address",
        "respondent_agent",
        "legal_representative",
        "requests",
        "signatures",
        "mediator",
    }
)
FORMS: Final[Mapping[Kind, Form]] = {
    Kind.IDENTITY_NOTICE: Form(
        "限期提供身份证明材料通知书", "投补", _HEAD | {"due_on"}, frozenset({"materials", "office_address"})
    ),
    Kind.ACCEPTANCE: Form("投诉受理决定书", "投受", _HEAD | {"received_on"}, frozenset({"contact"})),
    Kind.REFUSAL: Form(
        "投诉不予受理决定书",
        "投不受",
        _HEAD | {"received_on", "ground", "reasons"},
        frozenset({"legal_basis", "competent_body"}),
    ),
    Kind.MEDIATION_NOTICE: Form(
        "投诉调解通知书",
        "投调通",
        _HEAD | {"planned_for", "mode"},
        frozenset({"place", "session_materials", "mediator"}),
    ),
    Kind.TERMINATION: Form("投诉终止调解决定书", "投终", _HEAD | {"ground", "reasons"}),
    Kind.MEDIATION_STATEMENT: Form(
        "投诉调解书", "投调", _AMONG_PARTIES | {"terms", "performance_due_on"}, _PARTICULARS | {"amount_fen"}
    ),
    Kind.AGREEMENT: Form(
        "调解协议书", "调协", _AMONG_PARTIES | {"terms", "performance_due_on"}, _PARTICULARS | {"amount_fen"}
    ),
    Kind.RECORD: Form(
        "调解记录",
        "调录",
        _AMONG_PARTIES | {"held_at", "mode", "result"},
        _PARTICULARS
        | {
            "place",
            "note",
            "undisputed_facts",
            "disputed_points",
            "terms",
            "amount_fen",
            "performance_due_on",
        },
    ),
    Kind.SETTLEMENT: Form(
        "和解协议",
        "和",
        _AMONG_PARTIES | {"performance_due_on"},
        _PARTICULARS | {"terms", "amount_fen", "kind"},
    ),
}
_GROUNDS: Final = {Kind.REFUSAL: REFUSAL_GROUNDS, Kind.TERMINATION: TERMINATION_GROUNDS}
_TEXTS: Final = frozenset({"facts", "reasons", "terms", "materials", "note", "result", "legal_basis"})


def number(kind: Kind, office: str, year: int, sequence: int) -> str:
    """云溪市监投受〔2026〕第12号."""
    return f"{wording.stem(office)}{FORMS[kind].mark}〔{year}〕第{sequence}号"


def words(kind: Kind, data: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a paper, by the names that its template uses. Raises Invalid, naming each field."""
    form = FORMS[kind]
    faults: dict[str, list[str]] = {}
    said: dict[str, Any] = {}
    for name in sorted(form.required | form.optional | {"office_phone"}):
        given = data.get(name)
        if given is None or given == "" or given == [] or given == ():
            if name in form.required:
                faults[name] = ["缺少这一项。 Expected a value, found none."]
            continue
        try:
            said.update(_READERS.get(name, _text if name in _TEXTS else _line)(name, given))
        except ValueError as fault:
            faults[name] = [str(fault)]
    if kind in _GROUNDS and "ground" in said:
        _choose_ground(kind, said, faults)
    if faults:
        raise Invalid(
            f"《{form.title}》的内容不完整或者不正确。 The paper cannot be made from this.",
            code="paper.data",
            fields=faults,
            kind=str(kind),
        )
    return said | _standing(kind, said, form)


def _standing(kind: Kind, said: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """What the paper prints without being told."""
    office = said["office"]
    standing: dict[str, Any] = {
        "title": form.title,
        "we": wording.own_name(office),
        "here": wording.own_name(office, "本"),
        "numerals": list(wording.NUMERALS),
    }
    if kind == Kind.IDENTITY_NOTICE:
        standing["materials"] = said.get("materials", IDENTITY_MATERIALS)
    if kind == Kind.ACCEPTANCE:
        standing["contact"] = said.get("contact", office)
    if kind == Kind.REFUSAL:
        standing["routes"] = list(ROUTES)
    if kind == Kind.MEDIATION_NOTICE:
        standing["materials"] = said.get("session_materials", list(SESSION_MATERIALS))
    return standing


def _choose_ground(kind: Kind, said: dict[str, Any], faults: dict[str, list[str]]) -> None:
    grounds = _GROUNDS[kind]
    if not 1 <= said["ground"] <= len(grounds):
        faults["ground"] = [
            f"只有第一项至第{wording.NUMERALS[len(grounds) - 1]}项。 "
            f"Expected 1 to {len(grounds)}, found {said['ground']}."
        ]
        return
    said["ground_numeral"] = wording.NUMERALS[said["ground"] - 1]
    said["grounds"] = list(grounds)


def _text(name: str, given: object) -> dict[str, Any]:
    return {name: _string(given, LONGEST_TEXT)}


def _line(name: str, given: object) -> dict[str, Any]:
    return {name: " ".join(_string(given, LONGEST_LINE).split())}


def _string(given: object, longest: int) -> str:
    if not isinstance(given, str):
        raise ValueError(f"应当是文字。 Expected text, found {type(given).__name__}.")
    if len(given) > longest:
        raise ValueError(f"最多 {longest} 个字。 Expected at most {longest} characters, found {len(given)}.")
    return "".join(c for c in given.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "　") if _printable(c))


def _printable(character: str) -> bool:
    """Controls, marks that turn the direction of text, and lone surrogates are left out."""
    code = ord(character)
    if character == "\n":
        return True
    unseen = code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0xFEFF, 0xFFFE, 0xFFFF)
    return not (unseen or 0x200B <= code <= 0x200F or 0x2028 <= code <= 0x202E or 0x2060 <= code <= 0x206F)


def _day(name: str, given: object) -> dict[str, Any]:
    if isinstance(given, datetime) or not isinstance(given, date):
        raise ValueError(f"应当是日期。 Expected a date, found {type(given).__name__}.")
    return {name: wording.chinese_day(given)}


def _moment(name: str, given: object) -> dict[str, Any]:
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise ValueError(f"应当是带时区的时刻。 Expected an aware moment, found {type(given).__name__}.")
    return {name: wording.chinese_moment(given)}


def _whole(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError(f"应当是整数。 Expected a whole number, found {type(given).__name__}.")
    return given


def _ground(name: str, given: object) -> dict[str, Any]:
    return {name: _whole(given)}


def _amount(name: str, given: object) -> dict[str, Any]:
    fen = _whole(given)
    if not 0 <= fen <= LARGEST_SUM_FEN:
        raise ValueError(
            f"金额应当在 0 至 {LARGEST_SUM_FEN} 分之间。 Expected 0 to {LARGEST_SUM_FEN}, found {fen}."
        )
    return {"amount": wording.money(fen)} if fen else {}


def _list(name: str, given: object) -> dict[str, Any]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(f"应当是一列文字。 Expected a list, found {type(given).__name__}.")
    if len(given) > MOST_ITEMS:
        raise ValueError(f"最多 {MOST_ITEMS} 项。 Expected at most {MOST_ITEMS} items, found {len(given)}.")
    items = [_line(name, item)[name] for item in given]
    return {name: [item for item in items if item]}


def _mode(name: str, given: object) -> dict[str, Any]:
    return {"mode": _choice(given, MODES), "on_site": given == "on_site"}


def _offer(name: str, given: object) -> dict[str, Any]:
    return {"kind": _choice(given, OFFERS)}


def _choice(given: object, known: Mapping[str, str]) -> str:
    if not isinstance(given, str) or given not in known:
        raise ValueError(f"Expected one of {', '.join(known)}, found {given!r}.")
    return known[given]


def _signatures(name: str, given: object) -> dict[str, Any]:
    """By side: who signed, when, and the digest of what was signed."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(f"应当是一列签名。 Expected a list, found {type(given).__name__}.")
    signed: dict[str, Any] = {}
    for one in given:
        if not isinstance(one, Mapping) or one.get("party") not in SIDES:
            raise ValueError("签名应当写明是哪一方。 Expected a signature of one of the two sides.")
        at = one.get("at")
        try:
            moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        except ValueError:
            raise ValueError(f"签名的时刻不正确。 Expected an ISO moment, found {at!r}.") from None
        signed[one["party"]] = {
            "name": _line("name", one.get("name") or "")["name"],
            "at": _moment("at", moment)["at"],
            "digest": _line("digest", one.get("digest") or "")["digest"][:16],
        }
    return {"signed": signed}


_READERS: Final[Mapping[str, Callable[[str, object], dict[str, Any]]]] = {
    "dated_on": _day,
    "received_on": _day,
    "due_on": _day,
    "performance_due_on": _day,
    "planned_for": _moment,
    "held_at": _moment,
    "ground": _ground,
    "amount_fen": _amount,
    "requests": _list,
    "session_materials": _list,
    "undisputed_facts": _list,
    "disputed_points": _list,
    "mode": _mode,
    "kind": _offer,
    "signatures": _signatures,
}
