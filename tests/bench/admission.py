"""``python -m tests.bench.admission``: whether anybody can stall a web process.

``flood``: one socket sends as fast as it can for 15 s, others are to be answered. ``requests``:
200 and 300 at once on a MariaDB of 30 connections. ``reconnects``: 500 sockets after kill -9 of the
web process. ``burst``: 480 notifications to 300 sockets. ``redis``: what a save costs while Redis
hangs. Each on a real site; exit 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.db.utils import ConnectionHandler
from websockets.exceptions import ConnectionClosed, InvalidHandshake

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
django.setup()  # what follows reads the settings

from arboris.settings import database_from_url  # noqa: E402
from arboris.workspace.demo.figures import percentile  # noqa: E402
from tests.bench import crowd  # noqa: E402
from tests.bench.crowd import Writer, frame_of, opened, spread  # noqa: E402
from tests.live import Site  # noqa: E402

TEXT = "雨落在听雨楼的瓦上。" * 30


def flood(seconds: float = 15.0) -> bool:
    """Goals: closed with 4429, the others answered within 1 s, 50 MB of memory at most."""
    with site("sqlite") as live:
        writers = crowd.writers_of(live, 6)
        before = crowd.resident(live)
        waits: list[float] = []
        found = asyncio.run(_flood(live, writers, seconds, waits))
        grown = crowd.resident(live) - before
    print(
        f"flood: {found['sent']} frames sent in {found['seconds']:.1f} s, closed with"
        f" {found['code']}; others' answers {spread(waits)}; memory {grown:+.0f} MB",
        flush=True,
    )
    return found["code"] == 4429 and max(waits) <= 1.0 and grown <= 50


async def _flood(
    live: Site, writers: list[Writer], seconds: float, waits: list[float]
) -> dict[str, Any]:
    found: dict[str, Any] = {"sent": 0, "code": None}
    over = asyncio.Event()

    async def one_floods() -> None:
        began = time.monotonic()
        with contextlib.suppress(ConnectionClosed):
            async with opened(live, writers[0]) as line:
                try:
                    while time.monotonic() < began + seconds:
                        await line.send(crowd.PING)
                        found["sent"] += 1
                        if found["sent"] % 100 == 0:
                            await asyncio.sleep(0)  # this client's own sockets have a turn too
                    await asyncio.wait_for(line.wait_closed(), 30)
                finally:
                    found["code"], found["seconds"] = line.close_code, time.monotonic() - began
        over.set()

    async def one_asks(writer: Writer) -> None:
        async with opened(live, writer) as line:
            while not over.is_set():
                asked = time.monotonic()
                await line.send(crowd.PING)
                await frame_of(line, "pong")
                waits.append(time.monotonic() - asked)
                await asyncio.sleep(0.05)

    await asyncio.gather(one_floods(), *(one_asks(writer) for writer in writers[1:]))
    return found


def requests() -> bool:
    """Goal: no answer but 200 and 201 with 30 connections on the server."""
    good = True
    with site("mariadb") as live:
        (writer,) = crowd.writers_of(live, 1)
        server = ConnectionHandler({"default": database_from_url(live.database_url)})["default"]
        with server.cursor() as cursor:
            cursor.execute("SET GLOBAL max_connections = 30")
            for number in (200, 300):
                for method in ("GET", "POST"):
                    statuses, waits = asyncio.run(_at_once(live, writer, method, number))
                    print(f"requests: {number} × {method} at once: {statuses}; {spread(waits)}")
                    good &= set(statuses) <= {200, 201}
            cursor.execute("SHOW STATUS LIKE 'Max_used_connections'")
            print(f"requests: at most {cursor.fetchone()[1]} connections, this one among them")
        server.close()
    return good


async def _at_once(
    live: Site, writer: Writer, method: str, number: int
) -> tuple[dict[Any, int], list[float]]:
    waits: list[float] = []
    async with crowd.client(live, **writer.headers) as client:

        async def ask() -> Any:
            asked = time.monotonic()
            if method == "GET":
                answer = await client.get("/api/projects")
            else:
                path = f"/api/projects/{writer.project}/chapters"
                answer = await client.post(path, json={"content": TEXT})
            waits.append(time.monotonic() - asked)
            return answer.status_code

        return dict(Counter(await asyncio.gather(*(ask() for _ in range(number))))), waits


def reconnects(number: int = 500) -> bool:
    """Goal: all are back 30 s after the kill."""
    with site("mariadb") as live:
        writers = crowd.writers_of(live, number // 20)
        seen = asyncio.run(_reconnect(live, [one for one in writers for _ in range(20)]))
    print(f"reconnects: {len(seen)} of {number} are back after {spread(seen)}", flush=True)
    return len(seen) == number and max(seen) <= 30


async def _reconnect(live: Site, of: list[Writer]) -> list[float]:
    killed, back, here = [0.0], [], asyncio.Semaphore(0)

    async def stays(writer: Writer) -> None:
        failures = 0
        while True:
            with contextlib.suppress(OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
                async with opened(live, writer, "?since=0") as line:
                    await frame_of(line, "state")
                    failures = 0
                    if killed[0]:
                        back.append(time.monotonic() - killed[0])
                    here.release()
                    await line.wait_closed()
            await crowd.back_off(failures)
            failures += 1

    sockets = [asyncio.create_task(stays(writer)) for writer in of]
    for _ in of:
        await here.acquire()
    killed[0] = await asyncio.to_thread(crowd.restart_web, live)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60):
            for _ in of:
                await here.acquire()
    for one in sockets:
        one.cancel()
    await asyncio.gather(*sockets, return_exceptions=True)
    return back


def burst(notifications: int = 480, sockets: int = 300) -> bool:
    """Goal: p99 of creation to receipt at most 2 s."""
    good = True
    for per_writer in (1, 20):
        with site("mariadb") as live:
            writers = crowd.writers_of(live, sockets // per_writer)
            lags = asyncio.run(_burst(live, writers, per_writer, notifications))
        print(f"burst: {per_writer} sockets a writer: {spread(lags)}", flush=True)
        good &= percentile(lags, 0.99) <= 2
    return good


async def _burst(
    live: Site, writers: list[Writer], per_writer: int, notifications: int
) -> list[float]:
    lags: list[float] = []
    expected = notifications // len(writers) * len(writers) * per_writer
    expected += notifications % len(writers) * per_writer
    ready, all_here = asyncio.Semaphore(0), asyncio.Event()

    async def listens(writer: Writer) -> None:
        async with opened(live, writer) as line:
            await frame_of(line, "state")
            ready.release()
            while True:
                row = (await frame_of(line, "notification"))["data"]
                made = datetime.fromisoformat(row["created_at"])
                lags.append((datetime.now(UTC) - made).total_seconds())
                if len(lags) == expected:
                    all_here.set()

    listeners = [asyncio.create_task(listens(one)) for one in writers for _ in range(per_writer)]
    for _ in listeners:
        await ready.acquire()
    told = [vars(writer) for writer in writers]
    await asyncio.to_thread(crowd.rows, live, "publish", notifications, told)
    async with asyncio.timeout(60):
        await all_here.wait()
    for one in listeners:
        one.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    return lags


def redis(saves: int = 40) -> bool:
    """Goal: the median of a save is no more than 50 ms longer."""
    medians = []
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:  # accepts, says nothing
        for url in ("", f"redis://127.0.0.1:{silent.getsockname()[1]}/0"):
            with site("sqlite", REDIS_URL=url) as live:
                (writer,) = crowd.writers_of(live, 1)
                waits = asyncio.run(_one_by_one(live, writer, saves))
            medians.append(percentile(waits, 0.5))
            print(f"redis: a save {'while it hangs' if url else 'without'}: {spread(waits)}")
    return medians[1] - medians[0] <= 0.05


async def _one_by_one(live: Site, writer: Writer, number: int) -> list[float]:
    waits: list[float] = []
    for _ in range(number):
        waits += (await _at_once(live, writer, "POST", 1))[1]
    return waits


@contextlib.contextmanager
def site(database: str, **extra: str) -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="arboris-bench-") as directory,
        crowd.site_on(database, Path(directory), extra) as live,
    ):
        yield live


PARTS: dict[str, Callable[[], bool]] = {
    "flood": flood,
    "requests": requests,
    "reconnects": reconnects,
    "burst": burst,
    "redis": redis,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.admission",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="part", help="which (all)"
    )
    parts = parser.parse_args().parts or list(PARTS)
    missed = [name for name in parts if not PARTS[name]()]
    if missed:
        print(f"goal missed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
