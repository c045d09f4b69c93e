"""A test that hangs beside a live site, for test_run.py, which ends the run it is in."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.live import Site

REACHED = "TESTS_REACHED"  # names the file by which it says that it hangs from now on


@pytest.fixture
def told(site: Site) -> None:
    """Told before the test's own time limit begins, which may be short."""
    Path(os.environ[REACHED]).write_text(str(os.getpid()))


@pytest.mark.databases
@pytest.mark.usefixtures("told")
def test_that_hangs() -> None:
    threading.Event().wait()
