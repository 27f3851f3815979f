"""Differences of the English texts beside diagrams, tables and forms."""

from collections.abc import Iterator, Mapping
from typing import Any

from disputes.releases.differences import words
from disputes.releases.differences.words import Difference, Found, read_json


def compare(found: Found, changed: list[str]) -> Iterator[Difference]:
    """The differences of the texts, entry by entry."""
    for path in changed:
        contents = [files.get(path) for files in (found.before, found.after)]
        old, new = (read_json(content) for content in contents)
        if not isinstance(old, dict | None) or not isinstance(new, dict | None):
            zh, en = f"英文文本 {path} 改了，读不出内容。", f"The English texts {path} changed and cannot be read."
            yield Difference(path, "", "", path, "text", "file", None, None, zh, en)
            continue
        before, after = _flat(old or {}), _flat(new or {})
        for key in [*before, *(key for key in after if key not in before)]:
            if before.get(key) != after.get(key):
                one, other = words.quoted(before.get(key)), words.quoted(after.get(key))
                stem = path.rpartition("/")[2].removesuffix(".en.json")
                yield Difference(
                    path, stem, key, key, "text", "english", before.get(key), after.get(key),
                    f"“{stem}”中 {key} 的英文由{one.zh}改为{other.zh}。",
                    f'The English text of {key} in "{stem}" changed from {one.en} to {other.en}.',
                )  # fmt: skip


def _flat(texts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in texts.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
