"""``python -m tests.bench.load``: 200 writers save, poll and listen while staff open every list.

A real site with workers on MariaDB (``--database sqlite``: there), with as many web processes as
the deployment page starts. Each writer has a socket, saves the working copy every few seconds,
makes a version now and then, and polls in between. Goals: p95 of reads at most 100 ms and of saves
300 ms, no error, memory of the web processes flat.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
import httpx2

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
django.setup()  # what follows reads the settings

from arboris.workspace.demo.figures import percentile  # noqa: E402
from tests.bench import crowd, processor  # noqa: E402
from tests.bench.crowd import Writer, spread  # noqa: E402
from tests.live import Site  # noqa: E402

PAUSE = 5.0  # seconds between two saves of a writer, half as many to twice as many
SAVES_TO_A_VERSION = 12
ARRIVE = 10.0  # within so many seconds all have opened their page
STAFF_PAUSE = 1.0
SENTENCE = "雨落在听雨楼的瓦上，沈砚秋没有回头。"
GOALS = {"reads": 0.1, "saves": 0.3}
MAY_GROW = 1.25  # the end's memory to that of the first quarter


@dataclass
class Figures:
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    frames: int = 0
    ends: float = 0.0

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.ends

    async def ask(
        self, client: httpx2.AsyncClient, kind: str, method: str, path: str, **options: Any
    ) -> httpx2.Response | None:
        began = time.monotonic()
        try:
            answer = await client.request(method, path, **options)
        except httpx2.TransportError as error:
            self.errors[f"{method} {path.partition('?')[0]}: {type(error).__name__}"] += 1
            return None
        self.seconds[kind].append(time.monotonic() - began)
        if answer.status_code >= 400:
            self.errors[f"{method} {path.partition('?')[0]}: {answer.status_code}"] += 1
        return answer


async def write(site: Site, writer: Writer, figures: Figures) -> None:
    async with crowd.client(site, **writer.headers) as client:
        path = f"/api/chapters/{writer.chapter}"
        base = await figures.ask(client, "reads", "GET", f"{path}/working")
        if base is None:
            return
        version, text = base.json()["base_version"], base.json()["content"]
        until_version = random.randint(1, SAVES_TO_A_VERSION)
        for seq in itertools.count(1):
            await asyncio.sleep(PAUSE * random.uniform(0.5, 2))
            if figures.over:
                return
            text += SENTENCE
            body = {"content": text, "base_version": version, "client": "bench", "seq": seq}
            await figures.ask(client, "saves", "PUT", f"{path}/working", json=body)
            if seq % SAVES_TO_A_VERSION == until_version % SAVES_TO_A_VERSION:
                answer = await figures.ask(client, "versions", "POST", f"{path}/versions", json={})
                if answer is not None and answer.status_code < 400:
                    version = answer.json()["version"]
            await poll(client, writer, figures)


async def poll(client: httpx2.AsyncClient, writer: Writer, figures: Figures) -> None:
    await asyncio.sleep(random.uniform(0.2, 1))
    status = f"/api/async-analysis/status?project_id={writer.project}&limit=10"
    await figures.ask(client, "reads", "GET", status)
    polled = "/api/async-analysis/notifications?unread_only=true&limit=20"
    await figures.ask(client, "reads", "GET", polled)


async def listen(site: Site, writer: Writer, figures: Figures) -> None:
    async with crowd.opened(site, writer) as line:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(figures.ends - time.monotonic()):
                async for _frame in line:
                    figures.frames += 1
        if not figures.over:
            figures.errors["a socket was closed"] += 1


async def work(site: Site, writer: Writer, figures: Figures) -> None:
    """As one open page does; they are not all opened in one moment, see ``bench.admission``."""
    await asyncio.sleep(random.uniform(0, ARRIVE))
    await asyncio.gather(write(site, writer, figures), listen(site, writer, figures))


async def look_at_lists(site: Site, cookie: str, figures: Figures) -> None:
    """Every list that the admin's index links to, one after the other."""
    async with crowd.client(site, Cookie=f"sessionid={cookie}") as client:
        index = await figures.ask(client, "admin", "GET", "/admin/")
        if index is None:
            return
        lists = sorted(set(re.findall(r'href="(/admin/[a-z_]+/[a-z_]+/)"', index.text)))
        for path in itertools.cycle(lists):
            if figures.over:
                return
            await figures.ask(client, "admin", "GET", path)
            await asyncio.sleep(STAFF_PAUSE)


async def watch_memory(site: Site, figures: Figures) -> None:
    while not figures.over:
        figures.memory.append(crowd.resident(site))
        await asyncio.sleep(5)


async def run(sites: list[Site], writers: list[Writer], cookie: str, minutes: float) -> Figures:
    """The writers at the web processes in turn; staff and the figures at the first."""
    site = sites[0]
    figures, use = Figures(ends=time.monotonic() + minutes * 60), processor.Use(crowd.pids(site))
    tasks = [work(*both, figures) for both in zip(itertools.cycle(sites), writers)]
    tasks += [look_at_lists(site, cookie, figures), watch_memory(site, figures)]
    tasks += [processor.lateness(figures.late, figures.ends)]
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, BaseException):
            figures.errors[f"ended with {type(ended).__name__}"] += 1
    print(f"processors: {use}")
    return figures


def report(figures: Figures) -> bool:
    for kind, seconds in sorted(figures.seconds.items()):
        print(f"{kind}: {spread(seconds)}")
    print(f"the client's own event loop was late by: {spread(figures.late)}")
    quarter = max(1, len(figures.memory) // 4)
    first, last = max(figures.memory[:quarter]), max(figures.memory[-quarter:])
    print(f"frames heard: {figures.frames}; memory {first:.0f} MB, at the end {last:.0f} MB")
    print(f"errors: {dict(figures.errors) or 0}", flush=True)
    slow = [k for k, goal in GOALS.items() if percentile(figures.seconds[k], 0.95) > goal]
    return not figures.errors and not slow and last <= first * MAY_GROW


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--writers", type=int, default=200)
    parser.add_argument("--database", choices=["mariadb", "sqlite"], default="mariadb")
    parser.add_argument("--web", type=int, default=2, help="processes; deployment.md starts two")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="arboris-bench-") as directory,
        crowd.site_on(chosen.database, Path(directory), {}, workers=True) as site,
        crowd.several(site, chosen.web) as sites,
    ):
        writers = crowd.writers_of(site, chosen.writers)
        cookie = crowd.rows(site, "staff", 1)
        good = report(asyncio.run(run(sites, writers, cookie, chosen.minutes)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
