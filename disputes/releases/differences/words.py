"""How a difference is said: its shape, the names of things in both languages, and values in words."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from disputes.identity.roles import Role, role_name
from engine.diagram import Kind

#: Longest value that a sentence repeats, in characters.
LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """One thing that one release says differently from another."""

    #: Path in the bundle.
    file: str
    #: Id of the process, decision, form, limit or scenario that the element belongs to.
    of: str
    #: Element, flow, rule, field or edition.
    element: str
    name: str
    #: ``diagram``, ``decision``, ``form``, ``limit``, ``scenario`` or ``text``.
    kind: str
    #: ``added``, ``removed``, or what was changed: ``name``, ``timer``, ``role``, ``condition``, ``rule`` …
    what: str
    #: As plain JSON; none where there was nothing.
    before: Any
    after: Any
    zh: str
    en: str

    def json(self) -> dict[str, Any]:
        """As the API and the command show it."""
        return asdict(self)


@dataclass(frozen=True)
class Name:
    """What something is called in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Found:
    """The files of both releases."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]

    @cached_property
    def english(self) -> Mapping[str, Mapping[str, Any]]:
        """Path of a file → its English texts by id, the later release's over the earlier one's."""
        found: dict[str, dict[str, Any]] = {}
        for files in (self.before, self.after):
            for path, content in files.items():
                if path.endswith(".en.json"):
                    found.setdefault(path.removesuffix(".en.json"), {}).update(read_json(content) or {})
        return found

    def name(self, path: str, id: str, zh: str) -> Name:
        """An element's names; without one it is called by its id."""
        given = self.english.get(path.rsplit(".", 1)[0], {}).get(id)
        if isinstance(given, dict):
            given = given.get("name") or given.get("label")
        shown = one_line(zh) or id
        return Name(shown, one_line(str(given)) if given else shown)


def read_json(content: bytes | None) -> Any:
    """The JSON of a file, or none."""
    try:
        return json.loads(content or b"null")
    except ValueError:
        return None


def one_line(text: str) -> str:
    """White space as one blank."""
    return " ".join(text.split())


def short(text: str) -> str:
    """A text as a sentence repeats it."""
    line = one_line(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def quoted(value: Any) -> Name:
    """A value in quotes, or the word for nothing."""
    if value is None or value == "" or value == [] or value == {}:
        return Name("（无）", "(nothing)")
    if isinstance(value, bool):
        return Name("是" if value else "否", "yes" if value else "no")
    if isinstance(value, int | float):
        return Name(str(value), str(value))
    if isinstance(value, str):
        text = short(value)
        return Name(f"“{text}”", f"“{text}”" if '"' in text else f'"{text}"')
    text = short(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str))
    return Name(text, text)


def condition(text: str | None) -> Name:
    """FEEL as it stands in a sentence."""
    return quoted((text or "").lstrip("= \n\t"))


def changed(before: Name, after: Name) -> str:
    """由…改为…, set off where a figure or a letter stands beside Chinese."""
    return f"由{_spaced(before.zh)}改为{_spaced(after.zh).rstrip()}"


def _spaced(text: str) -> str:
    start = " " if text[:1].isascii() and text[:1].isalnum() else ""
    end = " " if text[-1:].isascii() and text[-1:].isalnum() else ""
    return f"{start}{text}{end}"


def roles(text: str) -> Name:
    """Candidate groups by the names of their roles; an expression as it stands."""
    if text.startswith("=") or not text:
        return condition(text)
    zh, en = [], []
    for part in text.split(","):
        known = part.strip() in set(Role)
        zh.append(role_name(part.strip()) if known else part.strip())
        en.append(role_name(part.strip(), "en").lower() if known else part.strip())
    return Name("、".join(zh), ", ".join(en))


# Time in words.

_PARTS = re.compile(
    r"P(?:(?P<Y>\d+)Y)?(?:(?P<M>\d+)M)?(?:(?P<W>\d+)W)?(?:(?P<D>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?"
)
_UNITS = {
    "Y": ("年", "year"),
    "M": ("个月", "month"),
    "W": ("周", "week"),
    "D": ("天", "day"),
    "h": ("小时", "hour"),
    "m": ("分钟", "minute"),
    "s": ("秒", "second"),
}
_CYCLE = re.compile(r"R(\d*)/(P.+)")
_DUE = re.compile(r'=?\s*due\s*\(\s*"([^"]+)"\s*,\s*(.+?)\s*\)')
_WARNING = re.compile(r'=?\s*warning\s*\(\s*"([^"]+)"\s*,\s*(.+?)\s*,\s*(\d+)\s*\)')


def duration(text: str) -> Name | None:
    """``P7D`` as 7 天; none for what is no duration."""
    found = _PARTS.fullmatch(text.strip())
    if found is None or not any(found.groupdict().values()):
        return None
    zh, en = [], []
    for part, (chinese, english) in _UNITS.items():
        if found[part]:
            number = int(found[part])
            zh.append(f"{number} {chinese}")
            en.append(f"{number} {english}{'' if number == 1 else 's'}")
    return Name(" ".join(zh), " ".join(en))


def moment(text: str) -> Name:
    """A timer's or a due date's text in words."""
    plain = text.strip()
    if not plain:
        return quoted(None)
    length = duration(plain)
    if length is not None:
        return length
    cycle = _CYCLE.fullmatch(plain)
    if cycle is not None and (every := duration(cycle[2])) is not None:
        times = (
            Name(f"，共 {cycle[1]} 次", f", {cycle[1]} times") if cycle[1] else Name("，不限次数", ", without end")
        )
        return Name(f"每 {every.zh}{times.zh}", f"every {every.en}{times.en}")
    due = _DUE.fullmatch(plain)
    if due is not None:
        return Name(f"期限 {due[1]}（自 {due[2]} 起）", f"limit {due[1]} (from {due[2]})")
    warning = _WARNING.fullmatch(plain)
    if warning is not None:
        return Name(
            f"期限 {warning[1]} 的第 {warning[3]} 级预警（自 {warning[2]} 起）",
            f"warning {warning[3]} of limit {warning[1]} (from {warning[2]})",
        )
    return condition(plain)


#: Kinds of elements in words.
KINDS: Mapping[Kind, Name] = {
    Kind.START: Name("开始事件", "start event"),
    Kind.END: Name("结束事件", "end event"),
    Kind.CATCH: Name("中间等待事件", "catch event"),
    Kind.THROW: Name("中间事件", "intermediate event"),
    Kind.BOUNDARY: Name("边界事件", "boundary event"),
    Kind.USER: Name("用户任务", "user task"),
    Kind.MANUAL: Name("人工任务", "manual task"),
    Kind.TASK: Name("任务", "task"),
    Kind.SERVICE: Name("服务任务", "service task"),
    Kind.SCRIPT: Name("脚本任务", "script task"),
    Kind.RULE: Name("决策任务", "decision task"),
    Kind.SEND: Name("发送任务", "send task"),
    Kind.RECEIVE: Name("接收任务", "receive task"),
    Kind.EXCLUSIVE: Name("排他网关", "exclusive gateway"),
    Kind.PARALLEL: Name("并行网关", "parallel gateway"),
    Kind.INCLUSIVE: Name("包容网关", "inclusive gateway"),
    Kind.EVENT_GATEWAY: Name("事件网关", "event gateway"),
    Kind.COMPLEX: Name("复杂网关", "complex gateway"),
    Kind.SUB_PROCESS: Name("子流程", "sub-process"),
    Kind.TRANSACTION: Name("事务", "transaction"),
    Kind.AD_HOC: Name("临时子流程", "ad-hoc sub-process"),
    Kind.CALL: Name("调用活动", "call activity"),
}

TRIGGERS: Mapping[str, Name] = {
    "timer": Name("计时", "timer"),
    "message": Name("消息", "message"),
    "signal": Name("信号", "signal"),
    "error": Name("错误", "error"),
    "escalation": Name("升级", "escalation"),
    "terminate": Name("终止", "terminate"),
    "link": Name("链接", "link"),
    "": Name("无", "none"),
}
