"""A SQLite database with its tables, and one with two writers besides, made once and copied.

The migrations take 4 s of a processor. They are run for every suite's own database on a server, and
by every live site there; what is on SQLite begins with a copy.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.checkout import ROOT
from tests.waiting import PATIENCE_SECONDS

# Names the directory in which all processes of a whole run keep theirs.
SHARED = "TESTS_MIGRATED"


def copy_to(database: Path) -> dict[str, str]:
    """Put a copy with two writers where no file is; returns the writers' tokens by name."""
    shutil.copyfile(original() / "arboris.db", database)
    tokens: dict[str, str] = json.loads((original() / "tokens.json").read_text())
    return tokens


def tables_to(database: Path) -> None:
    """Put a copy without any rows but those of the migrations where no file is."""
    shutil.copyfile(original() / "tables.db", database)


@contextlib.contextmanager
def in_memory(name: str) -> Iterator[None]:
    """The tables are in the shared memory of that name until the block ends."""
    with (
        contextlib.closing(sqlite3.connect(name, uri=True)) as memory,
        contextlib.closing(sqlite3.connect(original() / "tables.db")) as tables,
    ):
        tables.backup(memory)
        yield


@functools.cache
def original() -> Path:
    """The directory of ``arboris.db``, ``tables.db`` and the writers' ``tokens.json``."""
    place = Path(os.environ[SHARED]) if SHARED in os.environ else Path(_own().name)
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "tokens.json").exists():
            _make(place)
    return place


@functools.cache
def _own() -> tempfile.TemporaryDirectory[str]:
    """Removed when this process ends."""
    return tempfile.TemporaryDirectory(prefix="arboris-migrated-")


def _make(place: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ARBORIS_", "DJANGO_"))}
    tokens = set_up(
        kept
        | {
            "DJANGO_SETTINGS_MODULE": "tests.slow_settings",
            "ARBORIS_DATA_DIR": str(place),
            "DATABASE_URL": f"sqlite:///{place / 'arboris.db'}",
        },
        place / "tables.db",
    )
    (place / "tokens.json").write_text(json.dumps(tokens))


def set_up(env: dict[str, str], tables: Path | None = None) -> dict[str, str]:
    """Make the tables and the writers in the database of that environment.

    ``tables``: where a copy goes, on SQLite, that has no writers.
    """
    command = [sys.executable, "-m", "tests.live_setup", *([str(tables)] if tables else [])]
    done = subprocess.run(
        command,
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tokens: dict[str, str] = json.loads(done.stdout)
    return tokens
