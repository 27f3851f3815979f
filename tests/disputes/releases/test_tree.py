"""Which files of a directory are part of a release, and where."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from core.refusals import Invalid
from disputes.releases.tree import read_tree
from tests.disputes.releases.building import release

Writer = Callable[[Mapping[str, bytes]], Path]


def test_a_project_is_read_with_its_workflows_and_forms_and_nothing_else(written: Writer) -> None:
    files = release()
    home = written(files)
    (home / "forms" / "compiling.py").write_text("print()")
    (home / "forms" / "lonely.en.json").write_text("{}")
    (home / "workflows" / ".git").mkdir()
    (home / "workflows" / ".git" / "old.bpmn").write_text("<x/>")
    (home / "other.bpmn").write_text("<x/>")
    tree = read_tree(home)
    assert tree.files == files
    assert tree.shown("bpmn/desk.bpmn") == "workflows/bpmn/desk.bpmn"
    assert tree.shown("forms/decide.form") == "forms/decide.form"


def test_loose_files_find_their_place(tmp_path: Path) -> None:
    for name in ("a.bpmn", "a.en.json", "a.dmn", "a.form", "a.scenarios.yaml", "time_limits.yaml", "README.md"):
        (tmp_path / name).write_text(name)
    assert sorted(read_tree(tmp_path).files) == [
        "bpmn/a.bpmn",
        "bpmn/a.en.json",
        "dmn/a.dmn",
        "forms/a.form",
        "scenarios/a.scenarios.yaml",
        "time_limits.yaml",
    ]


def test_a_directory_without_a_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    for directory in (tmp_path, tmp_path / "missing"):
        with pytest.raises(Invalid):
            read_tree(directory)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.bpmn").write_text("<x/>")
    with pytest.raises(Invalid, match=r"are both bpmn/a\.bpmn"):
        read_tree(tmp_path)
