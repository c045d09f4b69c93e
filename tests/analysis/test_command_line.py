"""Operators' commands as they are really run: exit codes, what stands on stdout, signals."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import migrated
from tests.forking import Forking, forking
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parent.parent.parent
# The real settings, but an analysis goes on until it is stopped.
ENDLESS = """
from arboris.settings import *
ARBORIS_ANALYZERS = {"local": "tests.analyzers.Endless"}
"""


@dataclass(frozen=True)
class Installation:
    """A database of its own, reached by ``manage.py`` alone."""

    env: dict[str, str]
    forking: Forking

    def manage(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """In a process that has Django loaded already, with the settings of ``self.env``."""
        return self.forking.manage(*arguments, **env)

    def alone(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """As it is really started."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def begin(
        self, *arguments: str, stdout: int = subprocess.PIPE, **env: str
    ) -> subprocess.Popen[str]:
        """The same, not waited for; stderr is a pipe of its own, stdout if not told otherwise."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sql(self, statement: str) -> list[Any]:
        """Rows as the database holds them."""
        path = Path(self.env["ARBORIS_DATA_DIR"]) / "arboris.db"
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as database, database:
            return database.execute(statement).fetchall()

    def statuses(self) -> list[str]:
        """Of all analyses, in their order."""
        return [row[0] for row in self.sql("SELECT status FROM pending_analysis")]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("operators")) as here:
        yield here


@contextlib.contextmanager
def installed(directory: Path, **env: str) -> Iterator[Installation]:
    """With an imported novel of two chapters; ``env``: more settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "ARBORIS_", "DATABASE_URL", "REDIS_URL", "LC_", "LANG"))
    }
    kept |= {
        "ARBORIS_DATA_DIR": str(directory),
        "LC_ALL": "en_US.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONPATH": str(directory),
    }
    (directory / "endless_settings.py").write_text(ENDLESS)
    novel = directory / "novel.txt"
    text = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。" * 12
    novel.write_text(f"第一章 雨\n\n{text}\n\n第二章 铃\n\n{text}\n", encoding="utf-8")
    migrated.copy_to(directory / "arboris.db")
    with forking(kept | env) as process:
        here = Installation(kept | env, process)
        done = here.manage("import_novel", str(novel), "--user", "writer", "--json")
        assert done.returncode == 0, done.stderr
        imported = json.loads(done.stdout)
        assert len(imported["chapters"]) == 2
        out = ["--format", "archive", "--output", str(directory / "novel.zip")]
        done = here.manage("export_novel", imported["project_id"], *out)
        assert done.returncode == 0, done.stderr
        yield here


EXIT_CODES: list[tuple[list[str], int]] = [
    (["retry_analysis"], 2),
    (["retry_analysis", "--what"], 2),
    (["retry_analysis", "one"], 2),
    (["retry_analysis", "--resume", "99", "--noinput"], 2),
    (["retry_analysis", "--resume", "1", "--all"], 2),
    (["retry_analysis", "--error-type", "nonsense", "--noinput"], 2),
    (["cancel_analysis", "1"], 2),
    (["cancel_analysis", "99", "--noinput"], 1),
    (["cancel_analysis", "1", "99", "--dry-run"], 3),
    (["cancel_analysis", "--all", "--dry-run"], 0),
    (["analysis_health"], 1),
    (["analysis_status", "--watch"], 2),
    (["import_novel", "missing.txt"], 2),
]


def test_exit_codes(installation: Installation) -> None:
    for arguments, code in EXIT_CODES:
        done = installation.manage(*arguments)
        printed = done.stdout + done.stderr
        assert done.returncode == code, (arguments, printed)
        assert "Traceback" not in printed
        assert "\x1b" not in printed  # no colour and no bar without a terminal
    assert installation.statuses() == ["pending", "pending"]
    arguments, code = EXIT_CODES[0]
    forked, alone = installation.manage(*arguments), installation.alone(*arguments)
    assert (alone.returncode, alone.stdout, alone.stderr) == (code, forked.stdout, forked.stderr)


def test_json_stands_alone_on_stdout(installation: Installation) -> None:
    done = installation.manage("cancel_analysis", "1", "99", "--noinput", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 3
    assert [row["outcome"] for row in document["tasks"]] == ["not_found", "ok"]
    assert document["tasks"][1]["project"] == "novel"
    assert "cancelled" in done.stderr
    assert installation.statuses() == ["cancelled", "pending"]
    assert installation.manage("retry_analysis", "1", "--noinput").returncode == 0
    assert installation.statuses() == ["pending", "pending"]


def test_a_database_without_tables_is_an_error_without_traceback(
    installation: Installation, tmp_path: Path
) -> None:
    done = installation.alone("analysis_status", ARBORIS_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_process_gives_its_task_back(
    installation: Installation, number: signal.Signals
) -> None:
    endless = "endless_settings"
    with installation.begin(
        "process_analysis", "--json", DJANGO_SETTINGS_MODULE=endless
    ) as process:
        try:
            wait_for(lambda: "processing" in installation.statuses(), "it runs")
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 3, err
    document = json.loads(out)
    assert [row["outcome"] for row in document["tasks"]] == ["pending"]
    assert document["interrupted"] is True
    assert installation.statuses() == ["pending", "pending"]


def test_watching_on_a_terminal_until_ctrl_c(installation: Installation) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "manage.py", "analysis_status", "--watch", "0.2"],
        cwd=ROOT,
        env=installation.env | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        try:
            seen = read_until(ours, b"Oldest pending", 2)
            process.send_signal(signal.SIGINT)
            rest = read_until(ours, b"", 0)
            code = process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            os.close(ours)
    assert code == 0
    assert b"processing" in seen
    assert b"\x1b[?1049l" in rest  # the screen as it was before


def read_until(terminal: int, text: bytes, times: int) -> bytes:
    """What a terminal shows until ``text`` came so often; with no text, until its end."""
    seen = b""
    while not text or seen.count(text) < times:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # Linux: the other side is closed
            part = b""
        if not part:
            assert not text, seen
            return seen
        seen += part
    return seen
