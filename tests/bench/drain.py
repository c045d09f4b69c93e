"""``python -m tests.bench.drain``: how many tasks a second the queue works through.

A real ``manage.py qcluster`` with three workers, claims, attempts, leases, fences and notifications
all on; a task changes one business row and leaves one notification (``tests.bench.work``). With
``--peers`` Celery on Redis and tuned django-q2 do the same work in the same run, round by round in
turn, so that what else the machine does meets all of them alike.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from arboris import supervise
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
Round = Callable[[], float]
SETTLED_WITHIN, IDLE = 60.0, 0.96


def own_round(database_url: str, directory: str, tasks: int) -> float:
    """Tasks per second of one round of ours, in a process of its own."""
    env = {
        **os.environ,
        "DATABASE_URL": database_url,
        "ARBORIS_DATA_DIR": directory,
        "DJANGO_SECRET_KEY": "bench" * 12,
        "DJANGO_SETTINGS_MODULE": "tests.bench.drain_settings",
        "ARBORIS_LOG_LEVEL": "WARNING",
    }
    subprocess.run(supervise.manage("migrate", "-v0"), cwd=ROOT, env=env, check=True)
    command = [sys.executable, "-m", "tests.bench.drain_round", str(tasks)]
    done = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE)
    return float(json.loads(done.stdout)["throughput"])


def contenders(stack: ExitStack, database: str, tasks: int, with_peers: bool) -> dict[str, Round]:
    """What is measured on that database, by name."""
    directory = stack.enter_context(tempfile.TemporaryDirectory())
    start = {"mariadb": servers.mariadb, "postgresql": servers.postgresql}.get(database)
    url = stack.enter_context(start()) if start else f"sqlite:///{directory}/arboris.db"
    found: dict[str, Round] = {"arboris": lambda: own_round(url, directory, tasks)}
    if with_peers and database == "mariadb":
        from tests.bench import peers

        redis_url = stack.enter_context(servers.redis_server())
        # A database of their own: the rounds of ours leave theirs alone.
        other = stack.enter_context(servers.mariadb())
        for name in peers.PEERS:
            found[name] = lambda name=name: peers.run_once(name, other, redis_url, tasks)  # type: ignore[misc]
    return found


def measure(database: str, tasks: int, rounds: int, with_peers: bool) -> dict[str, list[float]]:
    """Tasks per second by contender, round by round."""
    with ExitStack() as stack:
        found = contenders(stack, database, tasks, with_peers)
        figures: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(rounds):
            for name, one_round in found.items():
                settle()
                figures[name].append(round(one_round(), 1))
                print(f"{database} {name}: {figures[name][-1]:.0f}/s", file=sys.stderr, flush=True)
    return figures


def settle() -> None:
    """Wait until the machine is idle: servers go on purging and flushing what a round has left."""
    patience = time.monotonic() + SETTLED_WITHIN
    while time.monotonic() < patience:
        before = _cpu_ticks()
        time.sleep(1)  # what is measured is how much of it is idle
        idle, total = (now - then for now, then in zip(_cpu_ticks(), before, strict=True))
        if idle >= IDLE * total:
            return
    print("the machine does not come to rest: the figures are too low", file=sys.stderr)


def _cpu_ticks() -> tuple[int, int]:
    """Idle and all, of all cores since the start."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def report(database: str, tasks: int, figures: dict[str, list[float]]) -> dict[str, Any]:
    table = Table(title=f"{database}: {tasks} tasks, {len(figures['arboris'])} rounds, tasks/s")
    for column in ("queue", "median", "min", "max", "ours to it"):
        table.add_column(column, justify="left" if column == "queue" else "right")
    ours = median(figures["arboris"])
    for name, rows in figures.items():
        shown = [f"{value:.0f}" for value in (median(rows), min(rows), max(rows))]
        table.add_row(name, *shown, f"{ours / median(rows):.2f}")
    Console(stderr=True, width=80).print(table)
    return {name: {"median": median(rows), "rounds": rows} for name, rows in figures.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.drain", description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000, help="in one round (2000)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--database", choices=["sqlite", "mariadb", "postgresql"], action="append", dest="databases"
    )
    parser.add_argument("--peers", action="store_true", help="Celery and django-q2 too (MariaDB)")
    arguments = parser.parse_args()
    results = {}
    for database in arguments.databases or ["sqlite", "mariadb"]:
        figures = measure(database, arguments.tasks, arguments.rounds, arguments.peers)
        results[database] = report(database, arguments.tasks, figures)
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
