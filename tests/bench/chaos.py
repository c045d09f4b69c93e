"""``python -m tests.bench.chaos``: SIGKILL under load, again and again; nothing may be lost.

A real cluster works off chapters that are saved all the time, under a supervisor that starts it
again whenever it ends. Each round kills something else: a worker, the sentinel, everything at once,
the database. At the end the tables must hold each saved chapter analysed exactly once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import django
from rich.console import Console
from rich.table import Table

from tests import servers
from tests.bench.chaos_servers import Server, killable

if TYPE_CHECKING:
    from tests.bench.chaos_audit import Verdict
    from tests.bench.chaos_rounds import Chaos

OWN_SETTINGS = ("ARBORIS_", "DJANGO_", "REDIS_", "DATABASE_")

LEGEND = """works: a task that was claimed after the kill is completed.
healed: all that was live at the kill has ended, all processes are back; the goal is {:g} s.
The database is away for 1 s of it, a frozen worker for 5 s."""


def main() -> int:
    arguments = parsed()
    # Unwinds the stack, so that nothing that was started here is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    directory = Path(tempfile.mkdtemp(prefix="arboris-chaos-"))
    good = False
    try:
        with ExitStack() as stack:
            try:
                url, server = database(arguments.database, directory, stack)
            except servers.Missing as missing:
                print(f"left out: {missing}", file=sys.stderr)
                return 1
            use(environment(url, directory))
            chaos = attack(arguments, directory, server)
        good = chaos.verdict.good
        report(arguments, chaos)
    finally:
        if good:
            shutil.rmtree(directory)
        else:
            print(f"seed {arguments.seed}; the log is {directory}/cluster.log", file=sys.stderr)
    return 0 if good else 1


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="how many (50)")
    parser.add_argument(
        "--database",
        choices=["sqlite", "mariadb", "postgresql", "given"],
        default="mariadb",
        help="a private one (mariadb), or the empty one that DATABASE_URL names",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(2**31), help="to repeat a run")
    parser.add_argument("--kinds", help="victims, with commas between; all in turn otherwise")
    return parser.parse_args()


def database(name: str, directory: Path, stack: ExitStack) -> tuple[str, Server | None]:
    """The address of an empty database, and its server where it is ours to kill."""
    if name == "given":
        return os.environ["DATABASE_URL"], None
    if name == "sqlite":
        return f"sqlite:///{directory / 'arboris.db'}", None
    server = stack.enter_context(killable(getattr(servers, name)))
    return server.url, server


def environment(url: str, directory: Path) -> dict[str, str]:
    """Of this process, which saves the chapters, and of the cluster."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN_SETTINGS)}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "tests.bench.chaos_settings",
        "DJANGO_SECRET_KEY": "chaos" * 12,
        "DATABASE_URL": url,
        "ARBORIS_DATA_DIR": str(directory),
        "ARBORIS_LEASE_SECONDS": "3",
        "ARBORIS_POLL_INTERVAL": "0.5",
        "ARBORIS_MAX_CONCURRENT": "3",
        "ARBORIS_MAX_RETRIES": "20",  # being killed again and again is no reason to fail
        "ARBORIS_RETRY_BASE_SECONDS": "0.05",
        "ARBORIS_LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }


def use(env: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    django.setup()


def attack(arguments: argparse.Namespace, directory: Path, server: Server | None) -> Chaos:
    """Set the system up, kill for as many rounds as wanted, and see what is left of it."""
    from django.core.management import call_command

    from tests.bench import chaos_rounds as rounds
    from tests.bench.chaos_load import Load
    from tests.bench.chaos_processes import Cluster

    call_command("migrate", verbosity=0)
    kinds = list(rounds.PROCESS_KINDS)
    if server is not None:
        kinds += rounds.DATABASE_KINDS
    if arguments.kinds:
        kinds = arguments.kinds.split(",")
    cluster = Cluster(dict(os.environ), directory / "cluster.log")
    chance = random.Random(arguments.seed)
    chaos = rounds.Chaos(cluster, Load(arguments.seed), server, chance)
    try:
        chaos.run([kinds[number % len(kinds)] for number in range(arguments.rounds)])
    finally:
        chaos.load.stop()
        cluster.stop(rounds.STOPPED_WITHIN_SECONDS)
    return chaos


def report(arguments: argparse.Namespace, chaos: Chaos) -> None:
    from tests.bench.chaos_rounds import GOAL_SECONDS

    title = f"{arguments.database}, seed {arguments.seed}: seconds after a kill"
    table = Table(title=title)
    for column in ("killed", "rounds", "works p50", "max", "healed p50", "max", "slow"):
        table.add_column(column, justify="left" if column == "killed" else "right")
    kinds: dict[str, Any] = {}
    for kind, healings in chaos.healings.items():
        whole = [healing for healing in healings if not healing.missing]
        healed = [healing.healed for healing in whole]
        slow = len(healings) - sum(seconds <= GOAL_SECONDS for seconds in healed)
        figures: dict[str, float] = {}
        if whole:
            works = [healing.works or 0.0 for healing in whole]
            figures = {"works p50": median(works), "works max": max(works)}
            figures |= {"healed p50": median(healed), "healed max": max(healed)}
        shown = [f"{seconds:.2f}" for seconds in figures.values()] or ["never"] * 4
        table.add_row(kind, str(len(healings)), *shown, str(slow))
        kinds[kind] = {"rounds": len(healings), "slow": slow}
        kinds[kind] |= {name: round(seconds, 2) for name, seconds in figures.items()}
    Console(stderr=True, width=100).print(table)
    print(LEGEND.format(GOAL_SECONDS), file=sys.stderr)
    print_verdict(chaos.verdict)
    told = {name: getattr(chaos.verdict, name) for name in ("lost", "twice", "stuck")}
    head = {"database": arguments.database, "seed": arguments.seed, "rounds": arguments.rounds}
    print(json.dumps(head | {"kinds": kinds} | told | chaos.verdict.figures, indent=2))


def print_verdict(verdict: Verdict) -> None:
    for name in ("lost", "twice", "stuck"):
        for line in getattr(verdict, name):
            print(f"{name}: {line}", file=sys.stderr)
    print(f"verdict: {verdict}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
