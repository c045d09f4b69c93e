"""Commands that run side by side, each contained, and what came of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.contained import GRACE_SECONDS

Environment = dict[str, str]


@dataclass(frozen=True, eq=False)  # with a hash, for all its dict
class Job:
    """``directory`` is the job's own: its temporary files are in it, and its log beside it."""

    title: str
    command: Sequence[str]
    env: Environment
    directory: Path

    @property
    def log(self) -> Path:
        return self.directory.with_suffix(".log")

    @property
    def results(self) -> Path:
        """Where a job that is a run of pytest is told to leave its results."""
        return self.directory.with_suffix(".xml")


@dataclass(frozen=True)
class Ended:
    job: Job
    code: int
    seconds: float
    processor_seconds: float

    def output(self) -> str:
        return self.job.log.read_text(errors="replace")


def side_by_side(jobs: Sequence[Job], at_a_time: int) -> Iterator[Ended]:
    """Run the jobs, so many at a time and in their order; yields each as it ends.

    When the caller leaves, whatever still runs is ended with all that it has started.
    """
    waiting = list(jobs)
    running: dict[Job, tuple[subprocess.Popen[bytes], float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_a_time:
                job = waiting.pop(0)
                # By this thread, which lives as long as the run: the job ends with it.
                running[job] = _start(job), time.monotonic()
            for job, (process, began) in list(running.items()):
                ended, status, used = os.wait4(process.pid, os.WNOHANG)
                if ended:
                    del running[job]
                    process.returncode = os.waitstatus_to_exitcode(status)
                    seconds = time.monotonic() - began
                    processor = used.ru_utime + used.ru_stime
                    yield Ended(job, process.returncode, seconds, processor)
            time.sleep(0.02)
    finally:
        _stop([process for process, _ in running.values()])


def _start(job: Job) -> subprocess.Popen[bytes]:
    job.directory.mkdir(mode=0o711)  # PostgreSQL runs as another user, below it
    with job.log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.contained", *job.command],
            env=job.env | {"TMPDIR": str(job.directory)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        # It kills what takes longer by itself.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS + 10)
