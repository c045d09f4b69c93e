"""Hosts of one's own: each a network namespace with a cable to a bridge, and a clock.

Needs root. What is made here is taken down at the end; nothing else on the machine is touched.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests import servers
from tests.bench.chaos_processes import ROOT, alive, kill

NETWORK = "10.77.0"
STOPPED_WITHIN_SECONDS = 30
SLOW = ("rate", "256kbit", "burst", "4kb", "latency", "2s")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@dataclass
class Host:
    """``number`` is the last part of its address; its files, logs and clock are in
    ``directory``."""

    name: str
    number: int
    directory: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}"

    @property
    def namespace(self) -> str:
        return f"arboris-{os.getpid()}-{self.number}"

    @property
    def cable(self) -> str:
        """Its end at the bridge; the kernel takes 15 characters."""
        return f"a{os.getpid()}.{self.number}"

    def plug_in(self, bridge: str) -> None:
        self.directory.mkdir()
        self.set_clock(0)
        ip("netns", "add", self.namespace)
        ip("link", "add", self.cable, "type", "veth", "peer", "eth0", "netns", self.namespace)
        ip("-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", self.namespace, "link", "set", device, "up")
        self.heal(bridge)
        ip("link", "set", self.cable, "up")

    def cut(self) -> None:
        """In silence: what is sent goes nowhere, and no error comes of it."""
        ip("link", "set", self.cable, "nomaster")

    def heal(self, bridge: str) -> None:
        ip("link", "set", self.cable, "master", bridge)

    def slow_down(self) -> None:
        subprocess.run(["tc", "qdisc", "add", "dev", self.cable, "root", "tbf", *SLOW], check=True)

    def speed_up(self) -> None:
        subprocess.run(["tc", "qdisc", "del", "dev", self.cable, "root"], check=True)

    def set_clock(self, seconds: int) -> None:
        new = self.directory / "clock.new"
        new.write_text(f"{seconds:+d}")
        new.replace(self.directory / "clock")

    def start(
        self, name: str, command: list[str], env: Mapping[str, str], *, clock: bool = True
    ) -> None:
        """With the host's clock; a process of this one, so that it can be killed."""
        own = {
            "LD_PRELOAD": servers.faketime_library(),
            "FAKETIME_TIMESTAMP_FILE": str(self.directory / "clock"),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
        }
        own = own if clock else {}
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, "env"]
                + [f"{key}={value}" for key, value in own.items()] + command,
                cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def python(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        self.start(name, [sys.executable, *command], env)

    def pids(self) -> list[int]:
        told = subprocess.run(
            ["ip", "netns", "pids", self.namespace], capture_output=True, text=True, check=True
        )
        return [pid for pid in map(int, told.stdout.split()) if alive(pid)]

    def stop_at_once(self) -> None:
        """As a host that loses its power."""
        kill(self.pids())
        for process in self.processes.values():
            process.wait()
        self.processes.clear()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOPPED_WITHIN_SECONDS)
        self.stop_at_once()


@contextlib.contextmanager
def network(directory: Path, names: list[str]) -> Iterator[dict[str, Host]]:
    """The hosts by name, on a bridge that this process is on, too."""
    bridge = bridge_name()
    hosts = {name: Host(name, number, directory / name) for number, name in enumerate(names, 1)}
    ip("link", "add", bridge, "type", "bridge")
    try:
        ip("addr", "add", f"{NETWORK}.254/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for host in hosts.values():
            host.plug_in(bridge)
        yield hosts
    finally:
        for host in reversed(hosts.values()):
            with contextlib.suppress(subprocess.CalledProcessError):
                host.stop()
        for host in hosts.values():
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", host.namespace)  # its cable goes with it
        ip("link", "del", bridge)


def bridge_name() -> str:
    return f"b{os.getpid()}"
