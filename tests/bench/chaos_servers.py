"""A database server that can be killed and started again on its data, as its init system would."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests import servers
from tests.bench import chaos_processes as processes

STOPPED_WITHIN_SECONDS = 30


@dataclass
class Server:
    """How a process was started, read from /proc, so that another can be started just so.

    This way it needs nothing of whoever started the first one.
    """

    url: str
    pid: int
    command: list[str]
    directory: str
    log: str
    user: int
    group: int
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def of(cls, url: str, pid: int) -> Server:
        proc = Path(f"/proc/{pid}")
        owner = proc.stat()
        return cls(
            url=url,
            pid=pid,
            command=proc.joinpath("cmdline").read_text().rstrip("\0").split("\0"),
            directory=str(proc.joinpath("cwd").readlink()),
            log=str(proc.joinpath("fd/1").readlink()),
            user=owner.st_uid,
            group=owner.st_gid,
        )

    def kill(self) -> list[int]:
        """SIGKILL to it and all its children, as a machine that loses its power."""
        hit = processes.kill(processes.family(self.pid))
        # Reaped: PostgreSQL takes the number in its lock file for a server that runs.
        if self.process is None:
            os.waitpid(self.pid, 0)
        else:
            self.process.wait()
        return hit

    def start(self) -> None:
        """Start it again; it answers later, and may even refuse until its old children are gone."""
        mine = self.user == os.geteuid()
        with Path(self.log).open("ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=self.directory, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
                user=None if mine else self.user, group=None if mine else self.group,
                extra_groups=None if mine else [],
            )  # fmt: skip
        self.pid = self.process.pid

    def keep_up(self) -> None:
        """Start it once more where it has given up."""
        if self.process is not None and self.process.poll() is not None:
            self.start()

    def stop(self) -> None:
        if self.process is None:
            return  # the one that was there first: whoever started it stops it
        self.process.terminate()
        try:
            self.process.wait(STOPPED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def killable(start: Callable[[], AbstractContextManager[str]]) -> Iterator[Server]:
    """The server that ``start`` starts as a child of this process; raises servers.Missing."""
    before = set(processes.children(os.getpid()))
    with start() as url:
        new = [pid for pid in processes.children(os.getpid()) if pid not in before]
        if len(new) != 1:
            raise servers.DidNotStart(f"the server is no child of this process: {new}")
        server = Server.of(url, new[0])
        try:
            yield server
        finally:
            server.stop()
