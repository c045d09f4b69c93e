"""Many clients of one live site, for the benchmarks of admission and load."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from arboris.supervise import reserved_port
from arboris.workspace.demo.figures import percentile
from tests import live, servers
from tests.live import Site

ROOT = Path(__file__).resolve().parents[2]
V1 = [Subprotocol("arboris.v1")]
PING = json.dumps({"type": "ping"})


@dataclass(frozen=True)
class Writer:
    user: int
    token: str
    project: str
    chapter: int

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}"}


@contextlib.contextmanager
def site_on(
    database: str, directory: Path, extra: dict[str, str], *, workers: bool = False
) -> Iterator[Site]:
    """``database``: sqlite or mariadb, with the settings of an installation."""
    own = servers.mariadb() if database == "mariadb" else contextlib.nullcontext("")
    own_values = ("ARBORIS_FRAMES_PER_SECOND", "ARBORIS_WEB_WAIT")
    defaults = dict.fromkeys(own_values, "") | {"ARBORIS_POLL_INTERVAL": "10"}
    with own as url, live.running(directory, defaults | extra, url, workers=workers) as site:
        yield site


def rows(site: Site, command: str, number: int, told: Any = None) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.admission_rows", command, str(number)],
        cwd=ROOT, env=site.env | {"DJANGO_SETTINGS_MODULE": "arboris.settings"},
        input=json.dumps(told), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout) if done.stdout else None


def writers_of(site: Site, number: int) -> list[Writer]:
    return [Writer(**row) for row in rows(site, "accounts", number)]


def restart_web(site: Site) -> float:
    """kill -9, and start again; the time of the kill."""
    killed = time.monotonic()
    site.processes["web"].kill()
    site.processes["web"].wait()
    site.processes["web"] = _start_web(site, site.port, "web.again")
    return killed


def _start_web(site: Site, port: int, log: str) -> subprocess.Popen[bytes]:
    command = ["-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "arboris.asgi:application"]
    return live.start(command, site.directory / f"{log}.log", site.env)


@contextlib.contextmanager
def several(site: Site, number: int) -> Iterator[list[Site]]:
    """The site at each of so many web processes, as ``arboris-web@PORT`` are; it stops them all."""
    sites = [site]
    with contextlib.ExitStack() as ports:
        for index in range(2, number + 1):
            port = ports.enter_context(reserved_port())
            site.processes[f"web {index}"] = _start_web(site, port, f"web{index}")
            sites.append(replace(site, port=port))
        for one in sites:
            live.wait_until_ready(one)
        yield sites


def resident(site: Site) -> float:
    """Megabytes of memory that its web processes hold."""
    pids = [process.pid for name, process in site.processes.items() if name.startswith("web")]
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pids(site: Site) -> dict[str, int]:
    """The processes that serve; of MariaDB only the one that ``site_on`` has started."""
    found = {name: process.pid for name, process in site.processes.items()}
    query = parse_qs(urlsplit(site.database_url).query)
    if "unix_socket" in query:
        found["database"] = int((Path(query["unix_socket"][0]).parent / "pid").read_text())
    return found


@contextlib.asynccontextmanager
async def opened(site: Site, writer: Writer, query: str = "") -> AsyncIterator[ClientConnection]:
    address = f"ws://127.0.0.1:{site.port}/ws/notifications{query}"
    async with connect(
        address, additional_headers=writer.headers, subprotocols=V1, proxy=None,
        ping_interval=None, open_timeout=30, max_queue=None,
    ) as socket:  # fmt: skip
        yield socket


async def frame_of(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = json.loads(await socket.recv())
        if frame["type"] == kind:
            return frame


async def back_off(failures: int) -> None:
    """As the page does, see waitBeforeRetry of socket.js."""
    ceiling = min(10.0, 0.5 * 2**failures)
    await asyncio.sleep(ceiling / 2 + random.random() * ceiling / 2)


def client(site: Site, **headers: str) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=None)
    # Without TLS: to read the system's certificates takes 25 ms of each client.
    return httpx2.AsyncClient(
        base_url=site.url, headers=headers, timeout=60, limits=limits, trust_env=False, verify=False
    )


def spread(seconds: Sequence[float]) -> str:
    ms = [one * 1000 for one in seconds]
    if not ms:
        return "nothing was measured"
    figures = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    said = ", ".join(f"{name} {percentile(ms, at):.0f}" for name, at in figures.items())
    return f"{len(ms)}: {said}, most {max(ms):.0f} ms"
