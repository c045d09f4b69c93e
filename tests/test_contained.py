"""What a contained command starts ends with it, also where nobody is left to take it down."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from tests.checkout import ROOT
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.process

# Starts a contained command: that leaves a daemon in a session of its own, which tells its parent's
# number. Each of them holds standard output open for as long as it lives.
STARTER = """
import subprocess, sys
subprocess.run([sys.executable, "-m", "tests.contained", sys.executable, "-c", sys.argv[1]])
"""
COMMAND = """
import subprocess, sys, time
daemon = "import os, time; os.write(1, b'%d\\\\n' % os.getppid()); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", daemon], start_new_session=True)
time.sleep(600)
"""


@pytest.mark.parametrize("killed", ["command", "starter"])
def test_a_kill_takes_all_along(killed: str) -> None:
    ours, theirs = os.pipe()
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, COMMAND], cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        with os.fdopen(ours, "rb") as output:
            command = int(output.readline())
            os.kill(command if killed == "command" else starter.pid, signal.SIGKILL)
            while select.select([output], [], [], PATIENCE_SECONDS)[0]:
                if not output.readline():
                    return  # nobody is left who could write
            pytest.fail("some process lives on")
    finally:
        starter.kill()
        starter.wait()
