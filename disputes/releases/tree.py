"""Reads a directory into the files of a release. Pure but for reading.

The project keeps ``workflows/`` and ``forms/`` side by side; the studio exports the same tree. A folder that holds
``bpmn/`` or loose files is read too, so that one diagram can be checked by itself. Other files are not part of a
release and are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.refusals import Invalid

#: Suffix → folder of the bundle. English texts go with what they translate.
_FOLDERS = {".bpmn": "bpmn", ".dmn": "dmn", ".form": "forms", ".scenarios.yaml": "scenarios"}
_LIMITS = "time_limits.yaml"
_TEXTS = ".en.json"
#: No file of a release is larger.
_MOST = 4 * 1024 * 1024


@dataclass(frozen=True)
class Tree:
    """The files of a release by their path in the bundle, and where each was found."""

    files: Mapping[str, bytes]
    found: Mapping[str, str]

    def shown(self, path: str) -> str:
        """The path as the person sees it, below the directory that was read."""
        return self.found.get(path, path)


def read_tree(directory: Path) -> Tree:
    """The release in the making below a directory. Raises Invalid when there is none."""
    if not directory.is_dir():
        raise Invalid(f"{directory} is no directory.", code="release.no_directory")
    files: dict[str, bytes] = {}
    found: dict[str, str] = {}
    roots = [directory / "workflows", directory / "forms"] if (directory / "workflows").is_dir() else [directory]
    for root in roots:
        for path in sorted(root.rglob("*")) if root.is_dir() else []:
            place = _place(path)
            if place is None or not path.is_file() or _hidden(path.relative_to(root)):
                continue
            shown = str(path.relative_to(directory))
            if place in files:
                raise Invalid(
                    f"{found[place]} and {shown} are both {place} in the release.", code="release.same_name"
                )
            if path.stat().st_size > _MOST:
                raise Invalid(f"{shown} is larger than {_MOST // 2**20} MB.", code="release.too_large")
            files[place], found[place] = path.read_bytes(), shown
    if not files:
        raise Invalid(
            f"{directory} holds no diagrams, tables, forms or limits.",
            code="release.empty",
            directory=str(directory),
        )
    return Tree(files, found)


def _place(path: Path) -> str | None:
    """Where a file stands in the bundle; None when it is not part of a release."""
    if path.name == _LIMITS:
        return _LIMITS
    for suffix, folder in _FOLDERS.items():
        if path.name.endswith(suffix) and path.name != suffix:
            return f"{folder}/{path.name}"
    if path.name.endswith(_TEXTS):
        stem = path.name.removesuffix(_TEXTS)
        for suffix in (".bpmn", ".dmn", ".form"):
            if (path.parent / f"{stem}{suffix}").is_file():
                return f"{_FOLDERS[suffix]}/{path.name}"
    return None


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)
