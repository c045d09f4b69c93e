"""Processes that the harness started, and nobody else's: who they are, and killing them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("parent", "sentinel", "worker", "monitor", "pusher")
GONE_WITHIN_SECONDS = 30.0


def children(pid: int) -> list[int]:
    """The living children of a process; none where it has ended meanwhile."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return [child for child in found if alive(child)]


def family(pid: int) -> list[int]:
    """The process and all below it, the eldest first."""
    found = [pid] if alive(pid) else []
    for child in children(pid):
        found += family(child)
    return found


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pids: Iterable[int], by: signal.Signals = signal.SIGKILL) -> list[int]:
    """Signal all that descend from this process, at once; returns which were there to be hit."""
    hit = []
    with contextlib.ExitStack() as stack:
        for pid in pids:
            # A handle keeps its meaning when the number is given to another process.
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                stack.callback(os.close, handle)
                hit.append((pid, handle))
        mine = family(os.getpid())[1:]
        hit = [(pid, handle) for pid, handle in hit if pid in mine]
        for _, handle in hit:
            with contextlib.suppress(ProcessLookupError):  # it went with its parent just now
                signal.pidfd_send_signal(handle, by)
    return [pid for pid, _ in hit]


@dataclass
class Cluster:
    """``manage.py qcluster`` under a supervisor that starts it again as soon as it ends."""

    env: dict[str, str]
    log: Path
    starts: int = 0
    ends: list[int] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._thread.start()

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            with self.log.open("ab") as output:
                # A session of its own: a Ctrl-C of the run reaches the harness alone.
                self._process = subprocess.Popen(
                    [sys.executable, "manage.py", "qcluster"],
                    cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=output,
                    stderr=output, start_new_session=True,
                )  # fmt: skip
            self.starts += 1
            self.ends.append(self._process.wait())

    def members(self) -> dict[str, list[int]]:
        """Its processes by role; those that are not named yet have the role ``python``."""
        found: dict[str, list[int]] = defaultdict(list)
        process = self._process
        if process is None or not alive(process.pid):
            return found
        found["parent"] = [process.pid]
        found["sentinel"] = children(process.pid)
        for sentinel in found["sentinel"]:
            for pid in children(sentinel):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    found[Path(f"/proc/{pid}/comm").read_text().strip()].append(pid)
        return found

    def is_complete(self, workers: int) -> bool:
        counts = {role: len(pids) for role, pids in self.members().items()}
        return counts == {role: workers if role == "worker" else 1 for role in ROLES}

    def stop(self, within: float) -> str:
        """SIGTERM, as systemd does; what went wrong, or nothing. Leaves no process behind."""
        self._stopping.set()
        told: subprocess.Popen[bytes] | None = None
        members: list[int] = []
        ends = time.monotonic() + within
        while self._thread.is_alive() and time.monotonic() < ends:
            # The supervisor may have been about to start another one.
            if self._process is not None and self._process is not told:
                told = self._process
                members += family(told.pid)
                told.terminate()
            self._thread.join(0.05)
        wrong = f"not stopped {within:g} s after SIGTERM" if self._thread.is_alive() else ""
        if not wrong and told is not None and self.ends[-1] != 0:
            wrong = f"stopped with exit code {self.ends[-1]}"
        ends = time.monotonic() + GONE_WITHIN_SECONDS
        while left := [pid for pid in members if pid in family(os.getpid())]:
            if wrong or time.monotonic() > ends:
                wrong = wrong or f"left processes behind: {left}"
                kill(left)
                self._thread.join(within)
                break
            time.sleep(0.05)
        return wrong
