"""However a run of the tests ends, all that it has started ends with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import hanging
from tests.checkout import ROOT
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.process

# Every orphan of the run becomes this one's child. Prints the run's number, then its exit code
# and the command lines of what is left of it; that is killed.
WATCHER = """
import json, subprocess, sys
from tests import contained

contained.adopt_orphans()
run = subprocess.Popen([sys.executable, "-m", "tests.run", *sys.argv[1:]], stdout=2)
print(run.pid, flush=True)
run.wait()
print(json.dumps([run.returncode, contained.end_all_below()]))
"""


@dataclass
class Started:
    watcher: subprocess.Popen[str]
    run: int
    pytest: int

    def outcome(self) -> tuple[int, list[str], str]:
        """The run's exit code, what it has left behind, and what it has printed."""
        told, printed = self.watcher.communicate(timeout=PATIENCE_SECONDS)
        code, left = json.loads(told)
        return code, left, printed


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short name: that of a server's socket may have 107 characters."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="run-") as directory:
        yield Path(directory)


@contextmanager
def started(place: Path, *arguments: str) -> Iterator[Started]:
    """A real run of a test that hangs, once it does: beside a live site, or a database's server."""
    reached = place / "reached"
    beside = "server" if "MariaDB" in arguments else "site"
    command = [sys.executable, "-c", WATCHER, *arguments, "-k", f"beside_a_{beside}"]
    env = os.environ | {hanging.REACHED: str(reached), "TMPDIR": str(place), "CI": ""}
    with subprocess.Popen(
        [*command, hanging.__file__], cwd=ROOT, env=env, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as watcher:  # fmt: skip
        try:
            assert watcher.stdout is not None
            run = int(watcher.stdout.readline())

            def hangs() -> str:
                assert watcher.poll() is None, watcher.communicate()
                return reached.read_text() if reached.exists() else ""

            yield Started(watcher, run, int(wait_for(hangs, "the test hangs")))
        finally:
            if watcher.poll() is None:
                os.kill(run, signal.SIGTERM)


@pytest.mark.parametrize(
    ("database", "number"), [("SQLite", signal.SIGINT), ("MariaDB", signal.SIGTERM)]
)
def test_a_signal_ends_all(place: Path, database: str, number: signal.Signals) -> None:
    with started(place, "--on", database) as it:
        os.kill(it.run, number)
        code, left, printed = it.outcome()
    assert left == []
    assert code in {130, -signal.SIGINT} if number == signal.SIGINT else code == 143, printed
    assert list(place.glob("arboris-*")) == []


def test_a_test_that_hangs_fails_and_its_site_is_taken_down(place: Path) -> None:
    limit = ("--timeout=1", "-o", "timeout_func_only=true")
    with started(place, "--on", "SQLite", *limit) as it:
        code, left, printed = it.outcome()
    assert (code, left) == (1, [])
    assert "left running, ended:" not in printed
    assert printed.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def test_what_no_exception_reaches_ends_too() -> None:
    code = "from tests.guards import Watch; Watch(0.1, 2).start(); import os; os.read(0, 1)"
    mine, theirs = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdin=mine, stderr=subprocess.PIPE, text=True,
            timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
    finally:
        os.close(mine)
        os.close(theirs)
    assert done.returncode == 1
    assert "nothing has moved for 0.1 s" in done.stderr
    assert "os.read" not in done.stderr and "line 1 in <module>" in done.stderr
