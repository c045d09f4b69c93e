"""``python -m tests.bench.pickup``: how soon a task begins after the commit that enqueued it, and
what a cluster costs that has nothing to do.

A real ``manage.py qcluster`` with three workers stands idle; tasks that analyse nothing are
enqueued one at a time, the next when the last is done. Measured from the moment the database has
committed (before anybody is tapped) to the first line of the task's body in the worker.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from arboris import supervise
from arboris.workspace.demo.figures import percentile
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
WARM_UP = 12
KINDS = ("sqlite", "mariadb", "postgresql", "mariadb+redis")


def measure_here(count: int, by_poll: bool, idle_seconds: float) -> dict[str, Any]:
    """In a process with Django set up on the database: start the cluster, measure, stop it."""
    from django.conf import settings

    from tests.bench import work

    chapters = work.prepare(WARM_UP + count)
    env = {}
    if by_poll:  # the cluster listens where nobody taps
        env = {"ARBORIS_WAKE_DIR": str(Path(settings.DATA_DIR) / "unheard"), "REDIS_URL": ""}
    command = {"cluster": supervise.manage("qcluster")}
    with supervise.services(command, env, output=sys.stderr.buffer) as running:
        supervise.wait_until(_workers_beat, running, 60)
        times = [_one(chapter_id) for chapter_id in chapters][WARM_UP:]
        idle = _idle(running[0].process.pid, idle_seconds) if idle_seconds else {}
    ms = [seconds * 1000 for seconds in times]
    return {
        "p50": round(median(ms), 2),
        "p95": round(percentile(ms, 0.95), 2),
        "max": round(max(ms), 2),
        **idle,
    }


def _workers_beat() -> bool:
    from analysis.models import WorkerHeartbeat

    return WorkerHeartbeat.objects.count() == 3


def _one(chapter_id: int) -> float:
    """Seconds from commit to begin."""
    from django.db import transaction

    from analysis import queue
    from analysis.models import PendingAnalysis
    from arboris.novels.models import Chapter

    committed: list[float] = []
    chapter = Chapter.objects.select_related("project").get(pk=chapter_id)
    with transaction.atomic():
        transaction.on_commit(lambda: committed.append(time.time()))
        task = queue.enqueue(chapter, chapter.current)
    ended = PendingAnalysis.objects.filter(pk=task.pk, status="completed")
    deadline = time.monotonic() + 60
    while not (result := ended.values_list("result", flat=True).first()):
        if time.monotonic() > deadline:
            raise SystemExit(f"task {task.pk} was not done within 60 s")
        time.sleep(0.002)
    # Not in step with anything that ticks.
    time.sleep(random.uniform(0.05, 0.3))
    return float(result["began"]) - committed[0]


def _idle(pid: int, seconds: float) -> dict[str, Any]:
    """CPU of all the cluster's processes while nothing is to be done, and their memory."""
    processes = sorted(family(pid))
    before = sum(map(_cpu, processes))
    time.sleep(seconds)  # what is measured is the passing of time
    used = sum(map(_cpu, processes)) - before
    return {
        "processes": len(processes),
        "idle_percent_of_a_core": round(100 * used / seconds, 2),
        "pss_mb": round(sum(map(_pss, processes)) / 1024, 1),
    }


def family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from family(int(child))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pss(pid: int) -> int:
    """Proportional memory in KiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def measure(kind: str, count: int, by_poll: bool, idle_seconds: float) -> dict[str, Any]:
    """On a private database of that kind, in a process of its own."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        starts = {"mariadb": servers.mariadb, "postgresql": servers.postgresql}
        database, _, redis = kind.partition("+")
        env = {
            **os.environ,
            "DATABASE_URL": stack.enter_context(starts[database]()) if database in starts else "",
            "REDIS_URL": stack.enter_context(servers.redis_server()) if redis else "",
            "ARBORIS_DATA_DIR": directory,
            "DJANGO_SECRET_KEY": "bench" * 12,
            "DJANGO_SETTINGS_MODULE": "tests.bench.drain_settings",
            "ARBORIS_LOG_LEVEL": "WARNING",
        }
        subprocess.run(supervise.manage("migrate", "-v0"), cwd=ROOT, env=env, check=True)
        command = [sys.executable, "-m", "tests.bench.pickup", "--here", "--tasks", str(count)]
        command += ["--idle", str(idle_seconds), *(["--poll"] if by_poll else [])]
        done = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE)
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pickup", description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--idle", type=float, default=20, metavar="SECONDS")
    parser.add_argument("--poll", action="store_true", help="by poll alone, without taps")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        import django

        django.setup()
        print(json.dumps(measure_here(arguments.tasks, arguments.poll, arguments.idle)))
        return 0
    kinds = [arguments.only] if arguments.only else KINDS
    results = {
        kind: measure(kind, arguments.tasks, arguments.poll, arguments.idle) for kind in kinds
    }
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
