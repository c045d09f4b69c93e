"""A test that hangs beside a live site, for test_run.py, which ends the run it is in."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.live import Site

REACHED = "TESTS_REACHED"  # names the file by which it says that it hangs now


@pytest.mark.databases
def test_that_hangs(site: Site) -> None:
    Path(os.environ[REACHED]).write_text(str(os.getpid()))
    threading.Event().wait()
