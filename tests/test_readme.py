"""Every command line that the READMEs print is run, in their order, on a system of its own.

Blocks marked ``sh`` are run; ``text`` blocks need systemd or root and are checked by name alone.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arboris import supervise
from arboris.workspace.demo.client import is_ready
from tests.checkout import ROOT, copy_of_the_project
from tests.waiting import PATIENCE_SECONDS

READMES = ("README.md", "README.zh-CN.md")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Commands are run in forks of one process: each would take a second of a processor to start.
# `make demo` and `make run` start the same program as it is printed.
FORKING = r"""
exec 8>&1
coproc FORKING { exec .venv/bin/python -m tests.forking; }
.venv/bin/python() {
    [ "$1" = manage.py ]
    shift
    echo "/dev/fd/8 /dev/fd/2 ${*@Q}" >&"${FORKING[1]}"
    local code
    read -r -u "${FORKING[0]}" code
    return "$code"
}
"""
# A test needs something to retry; the README's reader has it already.
FAIL_ONE = (
    "sqlite3 -cmd '.timeout 10000' data/arboris.db"
    " \"UPDATE pending_analysis SET status='failed', active_chapter=NULL, lease_token=''"
    ' WHERE id=1"\n'
)


def blocks(name: str) -> list[str]:
    return BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))


def test_both_languages_print_the_same_commands() -> None:
    english, chinese = (blocks(name) for name in READMES)
    assert english == chinese
    assert len(english) >= 5


def test_every_file_that_a_readme_links_to_is_there() -> None:
    for name in READMES:
        text = (ROOT / name).read_text(encoding="utf-8")
        links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
        assert links
        assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_units_that_are_installed_by_name_exist() -> None:
    for name in READMES:
        text = (ROOT / name).read_text(encoding="utf-8")
        for unit in re.findall(r"deploy/systemd/[\w.-]+", text):
            assert (ROOT / unit).is_file()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_of_the_project(tmp_path / "arboris")


def clean_environment() -> dict[str, str]:
    """A reader's shell: none of this project's settings."""
    ours = ("ARBORIS_", "DJANGO_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@contextmanager
def made_to_run(place: Path, port: int) -> Iterator[str]:
    """``make run`` until the block ends, then Ctrl-C; yields the writer's password."""
    log = place / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}"], cwd=place, env=clean_environment(),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            service = [supervise.Service("make run", process)]
            url = f"http://127.0.0.1:{port}"
            supervise.wait_until(lambda: is_ready(url), service, PATIENCE_SECONDS)
            found = re.search(r"writer\W+\w+\W+([\w-]{16})", log.read_text(encoding="utf-8"))
            assert found is not None, log.read_text(encoding="utf-8")
            yield found[1]
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(PATIENCE_SECONDS)
    assert not is_ready(url)


@pytest.fixture
def port() -> Iterator[int]:
    with supervise.reserved_port() as port:
        yield port


@pytest.mark.process
def test_every_printed_command_works(checkout: Path, port: int) -> None:
    script = [
        "set -euo pipefail", FORKING,
        'curl() { command curl --fail-with-body --show-error "$@"; }',
    ]  # fmt: skip
    for block in blocks("README.md"):
        if block.strip() == "make run":
            continue
        if "1/retry" in block or "retry_analysis 1" in block:
            block = "".join(
                FAIL_ONE + line if "retry" in line else line for line in block.splitlines(True)
            )
        script.append(block.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    with made_to_run(checkout, port) as password:
        done = subprocess.run(
            ["bash", "-x", "-c", "\n".join(script)], cwd=checkout, stdin=subprocess.DEVNULL,
            env=clean_environment() | {"PASSWORD": password}, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for expected in ("chapters", "recent_tasks", "foreshadowings"):
        assert expected in done.stdout
