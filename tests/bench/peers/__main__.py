"""``python -m tests.bench.peers``: how fast Celery and django-q2 drain a queue, on this machine.

Every peer drains the same number of the same tasks (``tests/bench/work.py``) with three workers,
over a private MariaDB of default durability and, for Celery, a private Redis. The peers take
turns, so that what else the machine does meets them alike.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import peers
from tests.servers import Missing, mariadb, redis_server


def report(figures: dict[str, list[peers.Figures]], tasks: int) -> dict[str, Any]:
    """The table goes to standard error; what is returned is for standard output."""
    rounds = len(next(iter(figures.values())))
    table = Table(title=f"{tasks} tasks, {rounds} rounds, in tasks per second")
    for column in ("queue", "median", "min", "max", "median with start-up"):
        table.add_column(column, justify="left" if column == "queue" else "right")
    result: dict[str, Any] = {"tasks": tasks, "rounds": rounds, "peers": {}}
    for name, rows in figures.items():
        steady = [round(row["throughput"], 1) for row in rows]
        whole = [round(row["with_start_up"], 1) for row in rows]
        shown = (median(steady), min(steady), max(steady), median(whole))
        table.add_row(name, *(f"{value:.0f}" for value in shown))
        result["peers"][name] = {
            "median": round(median(steady), 1), "min": min(steady), "max": max(steady),
            "rounds": steady, "with_start_up": whole,
        }  # fmt: skip
    Console(stderr=True, width=100).print(table)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tasks", type=int, default=2000, help="in one round (2000)")
    parser.add_argument("--rounds", type=int, default=5, help="of every peer (5)")
    parser.add_argument("--only", choices=peers.PEERS, help="one peer alone")
    arguments = parser.parse_args()
    if arguments.tasks < 20 or arguments.rounds < 1:
        parser.error("at least 20 tasks and 1 round are needed")
    # So that a stop also stops the servers and a running round.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    names = [arguments.only] if arguments.only else list(peers.PEERS)
    figures: dict[str, list[peers.Figures]] = {name: [] for name in names}
    try:
        with mariadb() as database_url, redis_server() as redis_url:
            for _ in range(arguments.rounds):
                for name in names:
                    row = peers.run(name, database_url, redis_url, arguments.tasks)
                    figures[name].append(row)
    except Missing as missing:
        print(f"left out: {missing}", file=sys.stderr)
        return 1
    print(json.dumps(report(figures, arguments.tasks), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
