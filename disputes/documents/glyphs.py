"""Which characters a set of fonts can draw, read from their character maps (OpenType ``cmap``, formats 4 and 12).

PDF/A forbids a box in place of a character, so what no font can draw must be known before it is set.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: Never drawn and never missing: spaces, and the selectors that choose a variant of the character before them.
_UNDRAWN = frozenset("\n 　") | {chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}


@dataclass(frozen=True)
class Coverage:
    """Ranges of code points, ordered, without overlap: (first, last)."""

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, fonts: Iterable[tuple[Path, int]]) -> "Coverage":
        """What at least one of the fonts (file, index within a collection) can draw."""
        found = sorted(span for path, index in fonts for span in _ranges(path, index))
        merged: list[tuple[int, int]] = []
        for first, last in found:
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    def __contains__(self, character: str) -> bool:
        code = ord(character)
        index = bisect_right(self.ranges, (code, 0x110000)) - 1
        return index >= 0 and self.ranges[index][0] <= code <= self.ranges[index][1]

    def shown(self, text: str) -> str:
        """The text with each character that cannot be drawn written as its code point: 〔U+20BB7〕."""
        if all(c in _UNDRAWN or c in self for c in set(text)):
            return text
        return "".join(c if c in _UNDRAWN or c in self else f"〔U+{ord(c):04X}〕" for c in text)


@lru_cache(maxsize=64)
def _ranges(path: Path, index: int) -> tuple[tuple[int, int], ...]:
    with path.open("rb") as file:

        def read(offset: int, size: int) -> bytes:
            file.seek(offset)
            return file.read(size)

        start = 0
        if read(0, 4) == b"ttcf":
            (start,) = struct.unpack(">I", read(12 + 4 * index, 4))
        (tables,) = struct.unpack(">H", read(start + 4, 2))
        for number in range(tables):
            tag, _, offset, size = struct.unpack(">4sIII", read(start + 12 + 16 * number, 16))
            if tag == b"cmap":
                return tuple(_of_cmap(read(offset, size)))
    return ()


def _of_cmap(table: bytes) -> Iterable[tuple[int, int]]:
    (count,) = struct.unpack_from(">H", table, 2)
    seen = set()
    for number in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", table, 4 + 8 * number)
        if offset in seen or not (platform == 0 or (platform == 3 and encoding in (1, 10))):
            continue
        seen.add(offset)
        (form,) = struct.unpack_from(">H", table, offset)
        if form == 12:
            yield from _segmented(table, offset)
        elif form == 4:
            yield from _by_delta(table, offset)


def _segmented(table: bytes, offset: int) -> Iterable[tuple[int, int]]:
    (groups,) = struct.unpack_from(">I", table, offset + 12)
    for first, last, glyph in struct.iter_unpack(">III", table[offset + 16 : offset + 16 + 12 * groups]):
        yield (first + (glyph == 0), last)


def _by_delta(table: bytes, offset: int) -> Iterable[tuple[int, int]]:
    (double,) = struct.unpack_from(">H", table, offset + 6)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", table, offset + 14)
    starts = struct.unpack_from(f">{count}H", table, offset + 16 + double)
    deltas = struct.unpack_from(f">{count}H", table, offset + 16 + 2 * double)
    at = offset + 16 + 3 * double
    hops = struct.unpack_from(f">{count}H", table, at)
    for segment in range(count):
        for code in range(starts[segment], min(ends[segment], 0xFFFE) + 1):
            glyph = code
            if hops[segment]:
                (glyph,) = struct.unpack_from(
                    ">H", table, at + 2 * segment + hops[segment] + 2 * (code - starts[segment])
                )
            if (glyph + deltas[segment]) % 0x10000 and (glyph or not hops[segment]):
                yield (code, code)
