"""The small part of Markdown that text blocks use, made into safe HTML.

Headings, paragraphs, lists, bold, emphasis and links. Nothing that was written becomes markup by itself: text is
escaped first, and values that stand in for expressions are put in last, so that they are never read as Markdown.
"""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

_HOLD = "\ue000{}\ue001"
_HELD = re.compile("\ue000(\\d+)\ue001")
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_EMPHASIS = re.compile(r"(?<![*\w])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![*\w])")
_LINK = re.compile(r"\[([^\[\]]+)\]\(((?:https?://|/|tel:|mailto:)[^\s()]*)\)")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_BULLET = re.compile(r"\s*[-*+]\s+(.*)")
_NUMBERED = re.compile(r"\s*\d+[.、)]\s*(.*)")

#: The page's own heading is the first; a block's headings start one below it.
TOP_HEADING = 2


def hold(number: int) -> str:
    """A mark in the text where value ``number`` is put in later."""
    return _HOLD.format(number)


def to_html(text: str, values: Sequence[str] = ()) -> Markup:
    """Text with marks from ``hold`` as HTML; ``values`` are put in escaped."""
    html = "".join(_blocks(text.replace("\r\n", "\n").split("\n")))
    return Markup(_HELD.sub(lambda m: _value(values, int(m[1])), html))  # noqa: S704 - escaped line by line above


def _value(values: Sequence[str], number: int) -> str:
    return str(escape(values[number])) if number < len(values) else ""


def _blocks(lines: Sequence[str]) -> list[str]:
    out: list[str] = []
    paragraph: list[str] = []
    items: list[str] = []
    kind = ""

    def close() -> None:
        nonlocal kind
        if paragraph:
            out.append(f"<p>{'<br>'.join(paragraph)}</p>")
            paragraph.clear()
        if items:
            out.append(f'<{kind} class="hj-list">{"".join(f"<li>{i}</li>" for i in items)}</{kind}>')
            items.clear()
        kind = ""

    for line in lines:
        if not line.strip():
            close()
            continue
        if match := _HEADING.fullmatch(line.strip()):
            close()
            level = min(len(match[1]) + TOP_HEADING - 1, 6)
            out.append(f"<h{level}>{_inline(match[2])}</h{level}>")
            continue
        bullet, numbered = _BULLET.fullmatch(line), _NUMBERED.fullmatch(line)
        if bullet or numbered:
            wanted = "ul" if bullet else "ol"
            if kind != wanted:
                close()
                kind = wanted
            items.append(_inline((bullet or numbered)[1]))  # type: ignore[index]
            continue
        if items:
            close()
        paragraph.append(_inline(line.strip()))
    close()
    return out


def _inline(text: str) -> str:
    html = str(escape(text))
    html = _LINK.sub(r'<a href="\2">\1</a>', html)
    html = _BOLD.sub(r"<strong>\1</strong>", html)
    return _EMPHASIS.sub(r"<em>\1</em>", html)
