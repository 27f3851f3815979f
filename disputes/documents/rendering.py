"""Making a paper's bytes with typst: PDF/A, tagged, the same bytes for the same words.

The words reach the template as JSON in ``sys.inputs``; no typst source is ever built from them.
"""

import hashlib
import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pylopdf_fonts_jp
import pylopdf_fonts_zh_cn
import pylopdf_fonts_zh_tw
import typst

from disputes.documents import glyphs
from disputes.documents.models import Kind

TEMPLATES: Final = Path(__file__).parent / "templates"
#: PDF/A-2a: archival, tagged, every character with its meaning (GB/T 33190 asks for a lasting form too).
STANDARD: Final = "a-2a"
#: What every installation has, in the order in which a character is looked for: all of Unicode's first blocks and
#: 通用规范汉字表 in the first; 𠮷 and some two thousand rarer characters of names in the others.
FONTS: Final = (
    ("Noto Serif SC", pylopdf_fonts_zh_cn.serif_path()),
    ("Noto Serif TC", pylopdf_fonts_zh_tw.serif_path()),
    ("Noto Serif JP", pylopdf_fonts_jp.serif_path()),
)


@dataclass(frozen=True)
class Rendered:
    """A paper's bytes."""

    pdf: bytes
    pages: int
    #: SHA-256 of the PDF.
    digest: str


class _Press:
    """The compiler of this process. It keeps fonts and templates between papers, and serves one at a time."""

    lock = threading.Lock()
    folders: tuple[Path, ...] = ()
    compiler: Any = None
    families: tuple[str, ...] = ()
    known: glyphs.Coverage = glyphs.Coverage(())
    #: The process that started the compiler's threads; 0: none has yet.
    pid = 0


def use_fonts(folders: Sequence[Path]) -> None:
    """Print with the fonts of these folders first, and with ours where they lack a character."""
    with _Press.lock:
        _Press.folders = tuple(folders)
        _Press.compiler = None


def render(kind: Kind, words: Mapping[str, Any], *, at: datetime) -> Rendered:
    """Make the paper. ``at`` is its moment of creation; ``words`` are those of rules.words with number and code."""
    if _Press.pid not in (0, os.getpid()):
        raise RuntimeError(
            "Papers were made in this process before it forked, and the compiler's threads did not survive. "
            "Fork first (gunicorn without preload), then make papers."
        )
    with _Press.lock:
        _set_up()
        shown = {**_shown(words, _Press.known), "fonts": list(_Press.families)}
        inputs = {"paper": json.dumps(shown, ensure_ascii=False, sort_keys=True)}
        pdf = _Press.compiler.compile(
            input=str(TEMPLATES / f"{kind}.typ"),
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=[STANDARD],
            timestamp=int(at.astimezone(UTC).timestamp()),
        )
    return Rendered(pdf, _pages(pdf), hashlib.sha256(pdf).hexdigest())


@lru_cache
def template_digest(kind: Kind) -> str:
    """What the layout of a kind depends on: its template, the shared ones, and the compiler's version."""
    shared = sorted({TEMPLATES / "layout.typ", TEMPLATES / "parties.typ", TEMPLATES / f"{kind}.typ"})
    digest = hashlib.sha256()
    for path in shared:
        digest.update(path.read_bytes())
    return f"{kind}@{digest.hexdigest()[:32]} typst {version('typst')}"


def _set_up() -> None:
    """Read the fonts once per process."""
    if _Press.compiler is not None:
        return
    _Press.pid = os.getpid()
    own = sorted({path.parent for _, path in FONTS})
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(folder) for folder in (*_Press.folders, *own)],
    )
    found = [(Path(font.path), font.index, font.family) for font in fonts.fonts() if font.path]
    given = sorted((_rank(path), family, path, index) for path, index, family in found if path.parent not in own)
    _Press.families = tuple(
        dict.fromkeys([*(family for _, family, _, _ in given), *(family for family, _ in FONTS)])
    )
    files = {(path, index) for _, _, path, index in given} | {(path, 0) for _, path in FONTS}
    _Press.known = glyphs.Coverage.of(sorted(files))
    _Press.compiler = typst.Compiler(
        root=str(TEMPLATES), font_paths=fonts, ignore_system_fonts=True, package_path="", package_cache_path=""
    )


def _rank(font: Path) -> int:
    """The place of the font's folder among those that the installation named."""
    return next(rank for rank, folder in enumerate(_Press.folders) if folder in font.parents)


def _shown(value: Any, known: glyphs.Coverage) -> Any:
    """The words with each character that no font has written as its code point: a paper hides no character."""
    if isinstance(value, str):
        return known.shown(value)
    if isinstance(value, Mapping):
        return {key: _shown(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item, known) for item in value]
    return value


def _pages(pdf: bytes) -> int:
    """The count at the root of the page tree, which the compiler writes uncompressed."""
    return max(int(count) for count in re.findall(rb"/Type/Pages/Count (\d+)", pdf))
