"""Web and workers as child processes: started together, watched, and stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent


class ServiceDied(Exception):
    """A service ended by itself, or did not come up in time."""


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    process: subprocess.Popen[bytes]

    def stop(self, grace: float) -> None:
        """SIGTERM to the leader; after its end, or ``grace`` seconds, SIGKILL to its whole group.

        The group outlives its leader where that was killed or crashed and left children behind.
        """
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
        with contextlib.suppress(ProcessLookupError):  # nobody is left of the group
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def reserved_port() -> Iterator[int]:
    """A free port of the loopback that nobody else is given until the block ends.

    A server may listen on it, if it sets SO_REUSEADDR, as they do.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def web(port: int) -> list[str]:
    return [
        sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port),
        "--access-log", os.devnull, "arboris.asgi:application",
    ]  # fmt: skip


def run_managed(env: Mapping[str, str], *arguments: str) -> str:
    """Run one management command; its standard output. CalledProcessError if it fails.

    Without the system checks, which the caller has had itself and which load all pages: 1 s.
    """
    done = subprocess.run(
        manage(*arguments, "--skip-checks"),
        env={**os.environ, **env}, check=True, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    return done.stdout


@contextmanager
def services(
    commands: Mapping[str, list[str]],
    env: Mapping[str, str],
    *,
    output: IO[bytes] | None = None,
    grace: float = 20,
) -> Iterator[list[Service]]:
    """Run the commands until the block ends; then stop them in reverse order.

    Each gets a session of its own, so that Ctrl-C reaches this process alone and the children
    are stopped in order.
    """
    running: list[Service] = []
    try:
        for name, command in commands.items():
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
            running.append(Service(name, process))
        yield running
    finally:
        for service in reversed(running):
            service.stop(grace)


def wait_until(condition: Callable[[], bool], running: list[Service], seconds: float) -> None:
    """Wait for ``condition``; ServiceDied if a service ends first or the time is over."""
    ends = time.monotonic() + seconds
    while not condition():
        check_alive(running)
        if time.monotonic() >= ends:
            raise ServiceDied(f"not ready within {seconds:g} s")
        time.sleep(0.1)


def check_alive(running: list[Service]) -> None:
    for service in running:
        code = service.process.poll()
        if code is not None:
            raise ServiceDied(f"{service.name} ended with exit code {code}")
