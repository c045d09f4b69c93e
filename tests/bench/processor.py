"""How busy a benchmark's processes are, and how late its own event loop runs: on one machine the
clients and the servers share the processors, and a late loop measures its own lateness."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.02


def seconds(pid: int) -> float:
    """Processor seconds of a process and of all that it has started; 0 once it has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        told = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    children = {int(child) for line in told for child in line.split()}
    own = sum(map(int, fields[11:15])) / TICKS  # its own, and of children that it waited for
    return own + sum(map(seconds, children))


def busy() -> float:
    """Processor seconds of the whole machine since its start, also those that its host took."""
    user, nice, system, _idle, _waiting, *other = Path("/proc/stat").read_text().split()[1:9]
    return sum(map(int, [user, nice, system, *other])) / TICKS


class Use:
    """Processor seconds by name, from when it was made to when it is asked."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids, self._began, self._busy = pids, time.monotonic(), busy()
        self._before = {name: seconds(pid) for name, pid in pids.items()}
        self._mine = time.process_time()

    def __str__(self) -> str:
        took = time.monotonic() - self._began
        used = {name: seconds(pid) - self._before[name] for name, pid in self._pids.items()}
        used["client"] = time.process_time() - self._mine
        used["all else on this machine"] = busy() - self._busy - sum(used.values())
        shares = ", ".join(f"{name} {one / took:.2f}" for name, one in used.items())
        return f"{shares}, of {os.cpu_count()}"


async def lateness(late: list[float], ends: float) -> None:
    """Until ``ends`` (of time.monotonic): by how many seconds the event loop wakes us too late."""
    while (due := time.monotonic() + LOOK_SECONDS) < ends:
        await asyncio.sleep(LOOK_SECONDS)
        late.append(max(0.0, time.monotonic() - due))
