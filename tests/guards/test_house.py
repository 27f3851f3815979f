"""The rules of the house that no linter knows. Each message says how to comply."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "feel", "engine", "forms", "disputes", "api")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _calls(tree: ast.AST, *names: str) -> list[int]:
    """Lines that call an attribute of one of these names."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_now_reads_the_clock(path: Path) -> None:
    """Take `now` as a keyword; the edge reads core.now once per request."""
    if path == ROOT / "core" / "now.py":
        return
    source = path.read_text()
    assert not re.search(r"datetime\.(now|utcnow|today)\(|date\.today\(|\btime\.time\(", source), (
        f"{path.relative_to(ROOT)} reads the clock; pass `now` in instead."
    )


#: The places that may end a transaction: the edge, once for each request, and the database's own `transaction`.
COMMITTING = {"core/db.py", "api/edge.py"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_operations_never_commit(path: Path) -> None:
    """Use `with database.transaction() as session` at the edge; operations take the session and never end it."""
    name = str(path.relative_to(ROOT))
    lines = _calls(ast.parse(path.read_text()), "commit")
    assert not lines or name in COMMITTING, (
        f"{name} commits on line {lines}; only the edge does, through core/db.py."
    )


def test_nobody_asks_for_a_cursor_on_the_server() -> None:
    """PostgreSQL gives one only inside a transaction, and readers run in autocommit. Read in pages, by key."""
    asking = re.compile(r"\b(yield_per|stream_results)\b")
    assert [str(path.relative_to(ROOT)) for path in SOURCES if asking.search(path.read_text())] == []


def test_every_model_is_imported_in_one_place() -> None:
    """A folder with models.py adds its line to disputes/models.py, or migrations and tests miss its tables."""
    listed = (ROOT / "disputes" / "models.py").read_text()
    for path in sorted(ROOT.glob("*/**/models.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        # The edge's own rows cannot stand in a list below it; migrations and tests name both.
        if module.split(".")[0] in PACKAGES and module not in ("disputes.models", "api.models"):
            assert f"import {module}" in listed, f"disputes/models.py does not import {module}"


def test_no_python_is_evaluated() -> None:
    """Diagrams, tables and forms speak FEEL. Nothing of ours calls eval, exec or compile on text, or unpickles."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "__import__"), f"{path}:{node.lineno}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                assert not {"pickle", "marshal", "shelve"} & set(names), f"{path}:{node.lineno}"


def test_the_tree_speaks_of_itself_alone() -> None:
    """No path of a machine and no registry's host name is committed."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    pattern = re.compile(r"(?<![\w./])/(?:work|tmp)/\w|files\.pythonhosted|registry\.npmjs|pypi\.org")
    for name in tracked:
        path = ROOT / name
        if (
            not path.is_file()
            or path.suffix in (".png", ".pdf", ".mo", ".js", ".css", ".woff2")
            or path == Path(__file__)
        ):
            continue
        found = pattern.search(path.read_text(errors="replace"))
        assert found is None, f"{name} names {found.group()!r}"


def test_there_is_one_migration_head_and_it_equals_the_models(tmp_path: Path) -> None:
    """After a change of a model: make migration NAME="…"."""
    from alembic.autogenerate import compare_metadata
    from alembic.command import upgrade
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    import api.models  # noqa: F401
    import disputes.models  # noqa: F401
    from core.db import Base, Database

    config = Config(ROOT / "migrations" / "alembic.ini")
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1
    database = Database(f"sqlite:///{tmp_path / 'migrated.db'}")
    with database.writing.connect() as connection:
        config.attributes["connection"] = connection
        upgrade(config, "head")
        connection.commit()
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    database.dispose()
    assert differences == []
