"""A SQLite database with its tables and two writers, made once in a run of pytest and copied.

The migrations take 3 s. They are run for every suite's own database, and by every live site on a
database server; sites on SQLite begin with a copy.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.checkout import ROOT
from tests.waiting import PATIENCE_SECONDS


def copy_to(database: Path) -> dict[str, str]:
    """Put a copy where no file is; returns the writers' tokens by name."""
    directory, tokens = _original()
    shutil.copyfile(Path(directory.name) / "arboris.db", database)
    return tokens


@functools.cache
def _original() -> tuple[tempfile.TemporaryDirectory[str], dict[str, str]]:
    """Removed when this process ends."""
    directory = tempfile.TemporaryDirectory(prefix="arboris-migrated-")
    path = Path(directory.name)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ARBORIS_", "DJANGO_"))}
    return directory, set_up(
        kept
        | {
            "DJANGO_SETTINGS_MODULE": "tests.slow_settings",
            "ARBORIS_DATA_DIR": str(path),
            "DATABASE_URL": f"sqlite:///{path / 'arboris.db'}",
        }
    )


def set_up(env: dict[str, str]) -> dict[str, str]:
    """Make the tables and the writers in the database of that environment."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.live_setup"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tokens: dict[str, str] = json.loads(done.stdout)
    return tokens
