"""The queue under pressure: ``python -m tests.bench.pressure`` (MariaDB).

As the benchmarks of public job queues press: a REPEATABLE READ reader that is held open, so that
nothing old can be purged; backends killed every second; a server all of whose connections are
taken; one low priority in ten among high ones. Each round drains the same tasks, all of which must
be done once. Goal: 70 % of the quiet rounds beside it.

The machine may be shared, so what is compared is the throughput for each core that other work left,
of a round with that of the quiet ones just before and after it; on a machine of one's own that is
the throughput. Where others want all that is left, it tells of work that pressure adds, and not of
time that is spent waiting, which they then use: only a machine that is left to us shows that.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import mean, median
from typing import Any

import django
from rich.console import Console
from rich.table import Table

from arboris import supervise
from tests import servers
from tests.bench.drain import ROOT

GOAL = 0.7
QUIET = "quiet"
PRESSURES = ("reader", "killed", "exhausted", "priorities")
ALL_CONNECTIONS = 60
KILL_EVERY = 1.0
SITE = "PRESSURE_SITE"  # names the address by which the cluster reaches the database
PURGED, PURGED_WITHIN = 50, 60.0  # transactions that are kept, seconds
TICKS, CORES = os.sysconf("SC_CLK_TCK"), os.cpu_count() or 1

Figures = dict[str, float]  # of one round, see ``accounted``


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pressure", description=__doc__)
    parser.add_argument("--tasks", type=int, default=6000, help="in one round (6000)")
    parser.add_argument("--rounds", type=int, default=3, help="of each kind (3)")
    parser.add_argument("--held", type=float, default=60.0, help="s that the reader is held before")
    parser.add_argument("--kinds", nargs="+", choices=PRESSURES, default=PRESSURES)
    parser.add_argument("--one", choices=[QUIET, *PRESSURES], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        return in_process(arguments.one, arguments.tasks, arguments.held)
    try:
        return compare(arguments)
    except servers.Missing as missing:
        print(f"left out: {missing}", file=sys.stderr)
        return 1


def compare(arguments: argparse.Namespace) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    django.setup()
    from tests import outages

    kinds = [QUIET]
    for kind in [*arguments.kinds] * arguments.rounds:  # in turn, each between two quiet ones
        kinds += [kind, QUIET]
    with outages.database("mysql") as database, tempfile.TemporaryDirectory() as directory:
        env = {
            **os.environ,
            "DATABASE_URL": database.server.url,
            SITE: database.url,
            "ARBORIS_DATA_DIR": directory,
            "DJANGO_SECRET_KEY": "bench" * 12,
            "DJANGO_SETTINGS_MODULE": "tests.bench.drain_settings",
            "ARBORIS_LOG_LEVEL": "ERROR",
        }
        subprocess.run(supervise.manage("migrate", "-v0"), cwd=ROOT, env=env, check=True)
        command = [sys.executable, "-m", "tests.bench.pressure", "--tasks", str(arguments.tasks)]
        command += ["--held", str(arguments.held), "--one"]

        def one_round(kind: str) -> Figures:
            purge(database.server.url)
            done = subprocess.run(
                [*command, kind], cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE
            )
            figures: Figures = json.loads(done.stdout)
            shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
            print(f"{kind}: {shown}", file=sys.stderr, flush=True)
            return figures

        one_round(QUIET)  # warms up: files, buffers, the server's own tables
        return report([(kind, one_round(kind)) for kind in kinds])


def purge(url: str) -> None:
    """Wait until the server has purged what the round before has left."""
    with own_connection(url) as cursor:
        ends = time.monotonic() + PURGED_WITHIN
        while _status(cursor, "Innodb_history_list_length") > PURGED:
            if time.monotonic() > ends:
                print("the server goes on purging: the next figure is too low", file=sys.stderr)
                return
            time.sleep(0.1)


def report(rounds: list[tuple[str, Figures]]) -> int:
    """``rounds``: a quiet one, then by turns one under pressure and a quiet one."""
    table = Table(title="under pressure (MariaDB), medians; shares: of the quiet rounds beside")
    table.add_column("pressure")
    for column in ("tasks/s", "share", "a core", "share", "its min", "processor", "pages", "left"):
        table.add_column(column, justify="right")
    speeds, shares = _shares(rounds, "throughput"), _shares(rounds, "per_core")
    for kind in [QUIET, *shares]:
        of_kind = [figures for name, figures in rounds if name == kind]
        own = shares.get(kind, [1.0])
        cells = [(_median(of_kind, "throughput"), 0), (median(speeds.get(kind, [1.0])), 2)]
        cells += [(_median(of_kind, "per_core"), 0), (median(own), 2), (min(own), 2)]
        cells += [(_median(of_kind, name), n) for name, n in (("cpu_ms", 2), ("pages", 0))]
        cells.append((_median(of_kind, "left"), 2))
        table.add_row(kind, *[f"{value:.{digits}f}" for value, digits in cells])
    console = Console(stderr=True, width=90)
    console.print(table)
    console.print(
        "a core: tasks/s for each core that other work left; processor: ms of workers and server a "
        "task; pages: InnoDB's looked at a task; left: cores that were left"
    )
    left = _median([figures for _, figures in rounds], "left")
    if left < CORES / 2:
        console.print(f"others took {CORES - left:.1f} of {CORES} cores: waiting does not show")
    medians = {kind: round(median(rows), 2) for kind, rows in shares.items()}
    print(json.dumps({"shares": medians, "rounds": rounds}))
    return 0 if min(medians.values()) >= GOAL else 1


def _shares(rounds: list[tuple[str, Figures]], name: str) -> dict[str, list[float]]:
    """By kind: that figure to the mean of the quiet rounds before and after."""
    shares: dict[str, list[float]] = {}
    between = zip(rounds[1::2], rounds[::2], rounds[2::2], strict=False)
    for (kind, figures), (_, before), (_, after) in between:
        beside = mean([before[name], after[name]])
        shares.setdefault(kind, []).append(figures[name] / beside)
    return shares


def _median(rounds: list[Figures], name: str) -> float:
    return median(figures[name] for figures in rounds)


# --- one round, in a process of its own --------------------------------------------------------
def in_process(kind: str, tasks: int, held: float) -> int:
    django.setup()
    from tests.bench import drain_round

    pressure: Callable[[], AbstractContextManager[None]] = {
        "reader": lambda: reader(held),
        "killed": lambda: in_background(kill_backends),
        "exhausted": lambda: in_background(take_all_connections),
    }.get(kind, contextlib.nullcontext)
    spent: Figures = {}

    @contextlib.contextmanager
    def beside() -> Iterator[None]:
        with pressure(), accounted(tasks, spent):
            yield

    priorities = (10,) * 9 + (1,) if kind == "priorities" else (5,)
    figures = drain_round.drain(
        tasks,
        beside,
        {"DATABASE_URL": os.environ[SITE]},
        priorities=priorities,
        exact=kind != "killed",
    )
    throughput = figures["throughput"]
    spent |= {"throughput": throughput, "per_core": throughput / spent["left"]}
    json.dump(spent, sys.stdout)
    return 0


@contextlib.contextmanager
def accounted(tasks: int, spent: Figures) -> Iterator[None]:
    """Adds what the block has cost: ``worker_ms``, ``server_ms`` and both (``cpu_ms``) of processor
    time a task, from the start of the workers to their end; ``pages`` of InnoDB that were looked at
    a task; ``history``, transactions not purged yet at the end; ``left``, how many of the machine's
    cores nothing else was at work on.
    """
    with own_connection() as cursor:
        cursor.execute("SELECT @@pid_file")
        server = int(Path(cursor.fetchone()[0]).read_text())
        began = time.monotonic()
        then = _workers_seconds(), _server_seconds(server), _machine_seconds(), _pages(cursor)
        yield
        now = _workers_seconds(), _server_seconds(server), _machine_seconds(), _pages(cursor)
        workers, servers_own, machine, pages = (b - a for a, b in zip(then, now, strict=True))
        others = (machine - workers - servers_own) / (time.monotonic() - began)
        spent |= {
            "worker_ms": 1000 * workers / tasks,
            "server_ms": 1000 * servers_own / tasks,
            "cpu_ms": 1000 * (workers + servers_own) / tasks,
            "pages": pages / tasks,
            "history": _status(cursor, "Innodb_history_list_length"),
            "left": CORES - max(0.0, others),
        }


def _workers_seconds() -> float:
    """Of the cluster, once it has ended, and of this process."""
    usages = [
        resource.getrusage(whose) for whose in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
    ]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _server_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _machine_seconds() -> float:
    """All but idle time, of all cores."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def _pages(cursor: Any) -> float:
    return _status(cursor, "Innodb_buffer_pool_read_requests")


def _status(cursor: Any, name: str) -> float:
    cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name = %s", [name])
    return float(cursor.fetchone()[1])


@contextlib.contextmanager
def reader(held: float) -> Iterator[None]:
    """A snapshot of all tasks that nobody lets go of; ``held`` s old when the workers start."""
    with own_connection() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        cursor.execute("SELECT COUNT(*) FROM pending_analysis")
        before = cursor.fetchone()
        time.sleep(held)
        yield
        cursor.execute("SELECT COUNT(*) FROM pending_analysis WHERE status = 'pending'")
        if cursor.fetchone() != before:
            raise SystemExit("the reader did not keep its snapshot")


@contextlib.contextmanager
def in_background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def kill_backends(over: threading.Event) -> None:
    """Every second all connections of the site, whatever they are doing."""
    from django.db import Error

    with own_connection() as cursor:
        while not over.wait(KILL_EVERY):
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'site'")
            for (number,) in cursor.fetchall():
                with contextlib.suppress(Error):  # it ended by itself
                    cursor.execute(f"KILL CONNECTION {number}")


def take_all_connections(over: threading.Event) -> None:
    """All that the server has left once the workers have theirs, until the end."""
    from django.db import OperationalError

    with own_connection() as cursor, contextlib.ExitStack() as taken:
        cursor.execute("SELECT @@max_connections")
        (before,) = cursor.fetchone()
        while not over.wait(0.1):
            cursor.execute("SELECT claimed FROM analysis_queuecontrol")
            if cursor.fetchone()[0]:
                break
        cursor.execute(f"SET GLOBAL max_connections = {ALL_CONNECTIONS}")
        try:
            with contextlib.suppress(OperationalError):  # there are no more
                while not over.is_set():
                    taken.enter_context(own_connection(os.environ[SITE]))
            over.wait()
        finally:
            taken.close()
            cursor.execute(f"SET GLOBAL max_connections = {before}")


@contextlib.contextmanager
def own_connection(url: str = "") -> Iterator[Any]:
    from django.db.utils import ConnectionHandler

    from arboris.settings import DATABASE_URL, database_from_url

    config = database_from_url(url or DATABASE_URL)
    config["OPTIONS"]["init_command"] = "SET SESSION wait_timeout = 3600"  # nobody is thrown out
    connection = ConnectionHandler({"default": config})["default"]
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
