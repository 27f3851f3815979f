"""Files of a release on disk."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Writer = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture
def written(tmp_path: Path) -> Writer:
    """Writes the files of a bundle as a project has them, and answers with the directory."""

    def write(files: Mapping[str, bytes]) -> Path:
        for path, content in files.items():
            place = tmp_path / (path if path.startswith("forms/") else f"workflows/{path}")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return tmp_path

    return write
