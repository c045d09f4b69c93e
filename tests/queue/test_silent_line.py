"""The lines to the database swallow what is said on them, new ones are fine: work goes on soon.

No error comes of it, and the server keeps what those who are cut off have locked.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests import live, proxy
from tests.bench.chaos_processes import children, kill
from tests.live import Site
from tests.queue.stream import STORY, check_done_once, task_of
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = [pytest.mark.server_only, pytest.mark.django_db, pytest.mark.process]

CHILDREN = 4  # of the sentinel: two workers, monitor, pusher
LIMITS = {"ARBORIS_DATABASE_TIMEOUT": "2", "ARBORIS_WATCHDOG_SECONDS": "5"}


def locks_the_queue(request: bytes) -> bool:
    """Whoever sends it has the lock that every claim needs, and would let it go next."""
    return b"UPDATE" in request and b"analysis_queuecontrol" in request


def members(site: Site) -> list[int]:
    (sentinel,) = children(site.processes["cluster"].pid)
    return children(sentinel)


def test_work_goes_on_though_lines_are_silent_and_processes_hang(tmp_path: Path) -> None:
    with (
        live.database_url(tmp_path) as url,
        proxy.in_front_of(url) as (middle, address),
        live.running(tmp_path, LIMITS, address) as site,
        site.client() as client,
    ):
        wait_for(lambda: len(members(site)) == CHILDREN, "the cluster is complete")
        novel = client.post("/api/projects", json={"title": "听雨楼"}).json()["id"]
        middle.swallow(locks_the_queue, ends=False)
        assert middle.lost.wait(PATIENCE_SECONDS)
        tasks = [task_of(client, novel, STORY)]
        live.wait_for_task(client, tasks[0], "completed")

        # With a process there is nothing that no time limit could end.
        wait_for(lambda: len(members(site)) == CHILDREN, "the cluster is complete")
        stopped = kill(members(site), signal.SIGSTOP)
        tasks.append(task_of(client, novel, STORY))
        live.wait_for_task(client, tasks[1], "completed")
        check_done_once(site, client, tasks)
        # The monitor may have had nothing to do, and then it may sleep.
        wait_for(lambda: len({*members(site)} & {*stopped}) <= 1, "the others are replaced")
        assert "watchdog: " in (site.directory / "cluster.log").read_text()
        kill(stopped, signal.SIGCONT)
