"""A cluster that is stopped, or killed: nothing is lost, nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests import live, live_rows
from tests.bench.chaos_processes import alive, family
from tests.live import Site, slow_text, wait_for_task
from tests.waiting import PATIENCE_SECONDS, wait_for

# The mark is for the look into the live site's own database.
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def left_running(site: Site) -> Iterator[None]:
    """However a test ends, the next finds a cluster."""
    yield
    if site.processes["cluster"].poll() is not None:
        restart(site)
    live.wait_until_ready(site)


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    with site.client() as client:
        yield client


@pytest.fixture
def running_task(site: Site, client: httpx2.Client) -> Iterator[dict[str, Any]]:
    """A task that a worker is held up with; the brake is released at the end."""
    site.brake.touch()
    project = client.post("/api/projects", json={"title": "听雨楼"}).json()["id"]
    saved = client.post(f"/api/projects/{project}/chapters", json={"content": slow_text(1)}).json()
    yield wait_for_task(client, saved["analysis"]["id"], "processing")
    site.brake.unlink(missing_ok=True)


def restart(site: Site) -> subprocess.Popen[bytes]:
    log = site.directory / "again.log"
    site.processes["cluster"] = live.start(["manage.py", "qcluster"], log, site.env)
    return site.processes["cluster"]


def test_a_stopped_cluster_gives_its_work_back_without_using_up_a_try(
    site: Site, client: httpx2.Client, running_task: dict[str, Any]
) -> None:
    cluster = site.processes["cluster"]
    cluster.terminate()
    assert cluster.wait(PATIENCE_SECONDS) == 0
    task = client.get(f"/api/async-analysis/tasks/{running_task['id']}").json()
    assert (task["status"], task["retry_count"]) == ("pending", 0)
    assert [attempt["outcome"] for attempt in task["attempts"]] == ["cancelled"]

    site.brake.unlink()
    restart(site)
    task = wait_for_task(client, running_task["id"])
    assert (task["status"], task["retry_count"]) == ("completed", 0)


def test_a_killed_cluster_leaves_no_process_behind_and_its_work_is_taken_up(
    site: Site, client: httpx2.Client, running_task: dict[str, Any]
) -> None:
    cluster = site.processes["cluster"]
    # Parent, sentinel, two workers, monitor, pusher; one of another test's kill may be missing.
    wait_for(lambda: len(family(cluster.pid)) >= 6, "the cluster is complete")
    members = family(cluster.pid)
    worker = live_rows.worker_of(site, running_task["id"])
    os.kill(cluster.pid, signal.SIGKILL)
    cluster.wait()
    wait_for(lambda: not any(map(alive, members)), "the whole cluster is gone")

    site.brake.unlink()
    restart(site)
    wait_for(lambda: not live_rows.end_leases(site, worker), "its task is taken away")
    task = wait_for_task(client, running_task["id"])
    assert task["status"] == "completed"
    assert [attempt["outcome"] for attempt in task["attempts"]] == ["lost", "completed"]


def test_idle_workers_that_are_killed_hold_up_nobody(site: Site, client: httpx2.Client) -> None:
    cluster = site.processes["cluster"]
    wait_for(lambda: len(family(cluster.pid)) >= 6, "the cluster is complete")
    for pid in workers_of(site):
        os.kill(pid, signal.SIGKILL)
    task = wait_for_task(client, post_chapter(client))
    assert (task["status"], task["retry_count"]) == ("completed", 0)
    assert cluster.poll() is None


def post_chapter(client: httpx2.Client) -> int:
    project = client.post("/api/projects", json={"title": "听雨楼"}).json()["id"]
    content = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。" * 20
    saved = client.post(f"/api/projects/{project}/chapters", json={"content": content}).json()
    return int(saved["analysis"]["id"])


def workers_of(site: Site) -> list[int]:
    """The workers of the running cluster, by their heartbeats."""
    members = family(site.processes["cluster"].pid)

    def beating() -> list[int]:
        pids = [int(name.rpartition(":")[2]) for name in live_rows.workers(site)]
        mine = [pid for pid in pids if pid in members]
        return mine if len(mine) == 2 else []

    return wait_for(beating, "both workers beat")
