"""Functions on text (10.3.4.3). Places count from 1, in characters."""

from decimal import Decimal

from feel.library.define import built_in
from feel.limits import Runtime
from feel.values import Value, whole


@built_in("not", "negand: any~")
def negation(runtime: Runtime, value: Value) -> bool | None:
    return not value if type(value) is bool else None


@built_in("substring", "string: string", "start position: number", "length?: number")
def substring(runtime: Runtime, text: str, start: Value, length: Value = None) -> str | None:
    place = whole(start.to_integral_value("ROUND_DOWN"))
    if place is None or place == 0 or abs(place) > len(text):
        return None
    begin = place - 1 if place > 0 else len(text) + place
    if length is None:
        return _made(runtime, text[begin:])
    count = whole(length.to_integral_value("ROUND_DOWN"))
    return _made(runtime, text[begin : begin + count]) if count is not None and count >= 1 else None


def _made(runtime: Runtime, text: str) -> str:
    runtime.make_text(len(text))
    return text


@built_in("string length", "string: string")
def string_length(runtime: Runtime, text: str) -> Value:
    return Decimal(len(text))


@built_in("upper case", "string: string")
def upper_case(runtime: Runtime, text: str) -> str:
    return _made(runtime, text.upper())


@built_in("lower case", "string: string")
def lower_case(runtime: Runtime, text: str) -> str:
    return _made(runtime, text.lower())


@built_in("substring before", "string: string", "match: string")
def substring_before(runtime: Runtime, text: str, match: str) -> str:
    before, found, _ = text.partition(match) if match else ("", "", "")
    return _made(runtime, before) if found else ""


@built_in("substring after", "string: string", "match: string")
def substring_after(runtime: Runtime, text: str, match: str) -> str:
    return _made(runtime, text.partition(match)[2]) if match else text


@built_in("contains", "string: string", "match: string")
def contains(runtime: Runtime, text: str, match: str) -> bool:
    return match in text


@built_in("starts with", "string: string", "match: string")
def starts_with(runtime: Runtime, text: str, match: str) -> bool:
    return text.startswith(match)


@built_in("ends with", "string: string", "match: string")
def ends_with(runtime: Runtime, text: str, match: str) -> bool:
    return text.endswith(match)


@built_in("string join", "list: list", "delimiter?: string~", "prefix?: string~", "suffix?: string~")
def string_join(
    runtime: Runtime,
    items: list[Value],
    delimiter: str | None = None,
    prefix: str | None = None,
    suffix: str | None = None,
) -> str | None:
    texts = [item for item in items if item is not None]
    if not all(type(item) is str for item in texts):
        return None
    between = delimiter or ""
    runtime.spend(len(texts))
    runtime.make_text(sum(map(len, texts)) + len(between) * len(texts))
    return (prefix or "") + between.join(texts) + (suffix or "")


@built_in("matches", "input: string", "pattern: string", "flags?: string~")
def matches(runtime: Runtime, text: str, pattern: str, flags: str | None = None) -> bool | None:
    from feel.patterns import search

    return search(runtime, text, pattern, flags or "")


@built_in("replace", "input: string", "pattern: string", "replacement: string", "flags?: string~")
def replace(runtime: Runtime, text: str, pattern: str, replacement: str, flags: str | None = None) -> str | None:
    from feel.patterns import substitute

    return substitute(runtime, text, pattern, replacement, flags or "")


@built_in("split", "string: string", "delimiter: string")
def split(runtime: Runtime, text: str, delimiter: str) -> list[str] | None:
    from feel.patterns import cut

    return cut(runtime, text, delimiter)
