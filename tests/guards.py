"""What watches over a run of pytest: a hang ends, and a test that starts a process says so."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Iterator

# The events of the interpreter's audit by which a process begins.
STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}


class Watch(threading.Thread):
    """A plugin of pytest that ends this process when no test has begun or ended for ``seconds``.

    The time limit of a test raises an exception in it, by which its fixtures are taken down. This
    is for what no exception reaches: a call that never returns to Python, a fixture that hangs
    while it is taken down, a thread that is waited for at the end. Whoever started us ends what
    we had started: see contained.py.
    """

    def __init__(self, seconds: float, stderr: int) -> None:
        super().__init__(name="watch", daemon=True)
        self._seconds = seconds
        self._stderr = stderr  # a descriptor of its own: pytest captures the usual one
        self._told = time.monotonic()

    # Also of those that pytest-xdist has run in other processes.
    def pytest_runtest_logstart(self) -> None:
        self._told = time.monotonic()

    def pytest_runtest_logfinish(self) -> None:
        self._told = time.monotonic()

    def run(self) -> None:
        while (left := self._told + self._seconds - time.monotonic()) > 0:
            time.sleep(left)
        os.write(self._stderr, f"nothing has moved for {self._seconds:g} s\n".encode())
        faulthandler.dump_traceback(self._stderr)
        os._exit(1)


class ProcessGuard:
    """Refuses to start a process in a test that does not say that it starts some."""

    def __init__(self) -> None:
        self._refusing = False
        sys.addaudithook(self._look)

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        self._refusing = True
        try:
            yield
        finally:
            self._refusing = False

    def _look(self, event: str, _: object) -> None:
        if self._refusing and event in STARTS:
            raise RuntimeError("a test that starts a process is marked so: pytest.mark.process")
