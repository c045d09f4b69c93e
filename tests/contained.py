"""Run a command so that nothing it starts outlives it: ``python -m tests.contained COMMAND…``.

Linux hands every orphan below this process to it, whatever session or group the orphan is in. So
whatever ends the command, its own end, a signal, SIGKILL, takes all of them along; and the death
of the process that started this one ends the command too.

SIGINT, SIGTERM and SIGHUP reach the command as one SIGINT: pytest answers it by tearing its
fixtures down. A command that has not ended ``GRACE_SECONDS`` later, or gets a second signal, is
killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tests.bench.chaos_processes import family, kill

GRACE_SECONDS = 90
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def adopt_orphans() -> None:
    """Make this process the parent of every orphan below it."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel signal this process when the thread that started it ends."""
    _prctl(PR_SET_PDEATHSIG, by)


def end_all_below() -> list[str]:
    """Kill every process below this one, and reap it; returns their command lines."""
    ended: dict[int, str] = {}
    # A process that was being started while we looked is found in the next round.
    while below := family(os.getpid())[1:]:
        ended |= {pid: _command_line(pid) for pid in below if pid not in ended}
        kill(below)
        _reap()
    _reap()
    return list(ended.values())


class Contained:
    """The command while it runs, and the signals that have come for it."""

    def __init__(self, command: Sequence[str]) -> None:
        self.signals = 0
        self.process: subprocess.Popen[bytes] | None = None
        for number in (*ENDING, signal.SIGALRM):
            signal.signal(number, self._pass_on)
        # A session of its own: a Ctrl-C in the terminal comes from here, and once.
        self.process = subprocess.Popen(command, start_new_session=True)
        if self.signals:  # it came while the process was being started
            self.process.send_signal(signal.SIGINT)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1
        if self.signals == 1:
            signal.alarm(GRACE_SECONDS)
        if self.process is not None:
            self.process.send_signal(signal.SIGINT if self.signals == 1 else signal.SIGKILL)

    def wait(self) -> int:
        """The exit code of the command, 128 and the signal's number where a signal ended it."""
        assert self.process is not None
        # Orphans are reaped as they end: a test may wait until one is gone.
        ended = status = 0
        while ended != self.process.pid:
            ended, status = os.waitpid(-1, 0)
        code = self.process.returncode = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code


def main(command: Sequence[str]) -> int:
    adopt_orphans()
    end_with_parent()
    code = Contained(command).wait()
    for left in end_all_below():
        print(f"left running, ended: {left}", flush=True)
    return code


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()
    except OSError:
        return f"process {pid}"


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass  # none is left


def _prctl(option: int, value: int) -> None:
    # All five arguments: the call reads them as longs.
    call = ctypes.CDLL(None, use_errno=True).prctl
    if call(option, *map(ctypes.c_ulong, (value, 0, 0, 0))):
        raise OSError(ctypes.get_errno(), f"prctl({option})")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
