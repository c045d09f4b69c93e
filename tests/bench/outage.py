"""How soon work goes on after an outage: ``python -m tests.bench.outage --seconds 60``.

A real site with the settings of an installation; its database server is killed while two tasks run
and others wait, stays away, and is started again. Goal: all is done within 10 s of its return.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import django
import httpx2

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
django.setup()  # what follows reads the settings

from tests import live, outages, servers  # noqa: E402
from tests.live import Site, slow_text, wait_for_task  # noqa: E402
from tests.outages import Database  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

GOAL_SECONDS = 10.0
RUNNING = 2
STORY = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。顾长风抱着剑，低声说道：“师父回来了。”" * 6
TASKS = "/api/async-analysis/tasks"
# What the tests shorten is as an installation has it.
DEFAULTS = {"ARBORIS_LEASE_SECONDS": "90", "ARBORIS_POLL_INTERVAL": "10"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it stays away")
    parser.add_argument("--waiting", type=int, default=20, help="tasks that wait meanwhile")
    parser.add_argument("--database", choices=sorted(outages.STARTERS), action="append")
    chosen = parser.parse_args()
    good = True
    for scheme in chosen.database or sorted(outages.STARTERS):
        try:
            with (
                outages.database(scheme) as database,
                tempfile.TemporaryDirectory() as directory,
                live.running(Path(directory), DEFAULTS, database.url) as site,
            ):
                good &= measure(site, database, chosen.seconds, chosen.waiting)
        except servers.Missing as missing:
            print(f"{scheme}: {missing}")
            good = False
    return 0 if good else 1


def measure(site: Site, database: Database, seconds: float, waiting: int) -> bool:
    """Prints one line; whether the goal was reached and nothing was lost or tried twice."""
    with site.client() as client:
        tasks = begin(site, client, waiting)
        killed = time.monotonic()
        database.server.kill()
        site.brake.unlink()  # what runs has its result while there is nowhere to put it
        time.sleep(max(0.0, killed + seconds - time.monotonic()))
        database.start()
        back = time.monotonic()
        done = sorted(until_completed(client, tasks, back))
        once = all(tried_once(client, task_id) for task_id in tasks)
        ready = wait_for(lambda: answers(client), "it is ready again")
    good = once and len(done) == len(tasks) and done[-1] <= GOAL_SECONDS
    print(
        f"{database.vendor}: away for {seconds:g} s; after its return the first of {len(tasks)} "
        "tasks"
        f" was completed in {done[0]:.1f} s, the last in {done[-1]:.1f} s,"
        f" ready after {ready - back:.1f} s; each in one attempt: {'yes' if once else 'NO'}",
        flush=True,
    )
    return good


def begin(site: Site, client: httpx2.Client, waiting: int) -> list[int]:
    site.brake.touch()
    texts = [slow_text(n) for n in range(RUNNING)] + [STORY] * waiting
    tasks = []
    for text in texts:  # a novel each: the chapters of one follow each other
        project = client.post("/api/projects", json={"title": "听雨楼"}).json()["id"]
        answer = client.post(f"/api/projects/{project}/chapters", json={"content": text})
        answer.raise_for_status()
        tasks.append(int(answer.json()["analysis"]["id"]))
    for task_id in tasks[:RUNNING]:
        wait_for_task(client, task_id, "processing")
    return tasks


def until_completed(client: httpx2.Client, tasks: list[int], back: float) -> list[float]:
    """Seconds from the return to the end of each task, as a client that asks sees it."""
    left, seen = set(tasks), []
    while left and time.monotonic() - back < 300:
        for task_id in sorted(left):
            answer = client.get(f"{TASKS}/{task_id}")
            if answer.status_code == 200 and answer.json()["status"] == "completed":
                seen.append(time.monotonic() - back)
                left.discard(task_id)
        time.sleep(0.02)
    return seen


def tried_once(client: httpx2.Client, task_id: int) -> bool:
    task = client.get(f"{TASKS}/{task_id}").json()
    return [one["outcome"] for one in task["attempts"]] == ["completed"] and not task["retry_count"]


def answers(client: httpx2.Client) -> float:
    return time.monotonic() if client.get("/readyz").status_code == 200 else 0.0


if __name__ == "__main__":
    sys.exit(main())
