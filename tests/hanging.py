"""Tests that hang, for test_run.py, which ends the run they are in."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

REACHED = "TESTS_REACHED"  # names the file by which it says that it hangs from now on


@pytest.fixture
def told() -> None:
    """Told before the test's own time limit begins, which may be short."""
    Path(os.environ[REACHED]).write_text(str(os.getpid()))


@pytest.mark.usefixtures("site", "told")
def test_beside_a_site() -> None:
    threading.Event().wait()


@pytest.mark.databases
@pytest.mark.usefixtures("told")
def test_beside_a_server() -> None:
    threading.Event().wait()
