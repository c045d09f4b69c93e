"""What the import contracts in setup.cfg cannot say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    path for room in ("pipeline", "analyzers") for path in (ROOT / "analysis" / room).rglob("*.py")
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pipeline_and_analyzers_import_no_orm(path: Path) -> None:
    assert not [name for name in imported(path) if f"{name}.".startswith("django.db.")]


def imported(path: Path) -> Iterator[str]:
    """Full names of what a module imports; of ``from a import b`` it is ``a.b``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
