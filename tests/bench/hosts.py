"""Several hosts: ``python -m tests.bench.hosts`` (as root; each host is a network namespace).

Two web hosts, three worker hosts, one MariaDB and one Redis, with the settings of an installation.
Under load, cables are cut in silence, slowed down and mended, hosts lose their power, clocks are
set by an hour. After each, all has to work within two minutes; at the end nothing may be lost,
nothing done twice, and every writer told. ``--throughput``: analyses a second by 1, 2 and 4 worker
hosts against an endpoint that takes its time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from tests import servers
from tests.bench.hosts_net import Host, bridge_name, network

if TYPE_CHECKING:
    from tests.bench.chaos_audit import Verdict
    from tests.bench.hosts_load import Writer
    from tests.bench.hosts_site import Cluster

HOUR = 3600
GOAL_SECONDS = 120.0
STUCK_SECONDS = 400.0
SPREAD_GOAL = 0.9
PROBE_MARKS = 1_000_000
ROUNDS = (
    "cut worker1", "cut web1", "cut database", "cut redis", "slow database", "power worker2",
    "power web2", "clock worker1", "clock web1", "clock database",
)  # fmt: skip


def main() -> int:
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    directory = Path(tempfile.mkdtemp(prefix="arboris-hosts-"))
    good = False
    try:
        servers.faketime_library()
        run = throughput if arguments.throughput else disturbances
        good, told = run(arguments, directory)
        print(json.dumps(told, indent=2))
    except servers.Missing as missing:
        print(f"left out: {missing}", file=sys.stderr)
    finally:
        if good:
            shutil.rmtree(directory)
        else:
            print(f"the logs are in {directory}", file=sys.stderr)
    return 0 if good else 1


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hosts", description=__doc__)
    parser.add_argument("--rounds", default=",".join(ROUNDS), help="with commas between (all)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each lasts (20)")
    parser.add_argument("--throughput", action="store_true")
    parser.add_argument("--latency", type=float, default=2.0, help="of the endpoint (2 s)")
    parser.add_argument("--tasks", type=int, default=20, help="of each worker (20)")
    return parser.parse_args()


def set_up(directory: Path, hosts: dict[str, Host], analyzer: str, latency: float) -> Cluster:
    """The servers run, the tables are there; web and workers are not started."""
    from tests.bench import hosts_site

    env = hosts_site.settings(directory, hosts, analyzer)
    own = {"DATABASE_URL": env["DATABASE_URL"] + "?read_timeout=10&connect_timeout=3"}
    os.environ.update(env | own)
    kept = ("ARBORIS_", "DJANGO_", "DATABASE_", "REDIS_")
    outer = {name: value for name, value in os.environ.items() if not name.startswith(kept)}
    django.setup()
    from django.core.management import call_command

    cluster = hosts_site.Cluster(hosts, outer | env)
    cluster.start_servers(latency)
    call_command("migrate", verbosity=0)
    return cluster


# --- what may happen ------------------------------------------------------------------------
def disturbances(arguments: argparse.Namespace, directory: Path) -> tuple[bool, dict[str, Any]]:
    from_site = ["database", "redis", "endpoint", "web1", "web2"]
    with network(directory, [*from_site, "worker1", "worker2", "worker3"]) as hosts:
        cluster = set_up(directory, hosts, "brief", 0.0)
        from tests.bench.chaos_audit import Verdict

        writers = begin(cluster)
        verdict, healed = Verdict(), {}
        try:
            for number, what in enumerate(arguments.rounds.split(","), 1):
                healed[what] = one_round(number, what, arguments.seconds, cluster, writers)
                print(f"{what}: all works {healed[what]:.1f} s after", file=sys.stderr, flush=True)
            end(writers, verdict)
        finally:
            for writer in writers:
                writer.stop()
    for line in (*verdict.lost, *verdict.twice, *verdict.stuck):
        print(line, file=sys.stderr)
    good = verdict.good and max(healed.values()) <= GOAL_SECONDS
    told = {name: getattr(verdict, name) for name in ("lost", "twice", "stuck")}
    return good, {"seconds after": healed} | told | verdict.figures


def begin(cluster: Cluster) -> list[Writer]:
    """Web and workers run, and a writer saves and listens at each web host."""
    from django.contrib.auth.models import User

    from arboris.tokens import service
    from tests.bench.hosts_load import Writer
    from tests.bench.hosts_site import WEB, WEB_PORT, wait_until

    for name in WEB:
        cluster.start_web(cluster.hosts[name])
    for host in cluster.workers:
        cluster.start_worker(host)
    writers = []
    for number, name in enumerate(WEB):
        token = service.issue(User.objects.create_user(name))
        address = f"{cluster.hosts[name].address}:{WEB_PORT}"
        writers.append(Writer(address, token, 100_000 * (number + 1)))
    wait_until(lambda: all_beat(cluster), "all workers beat")
    for writer in writers:
        writer.start()
    wait_until(lambda: all(writer.told for writer in writers), "everybody hears of an analysis")
    return writers


def one_round(
    number: int, what: str, seconds: float, cluster: Cluster, writers: list[Writer]
) -> float:
    """Seconds from its end until all works, on every host."""
    from tests.bench.chaos_audit import live_tasks
    from tests.bench.hosts_site import answers, wait_until

    kind, _, name = what.partition(" ")
    mend = DISTURBANCES[kind](cluster, cluster.hosts[name])
    time.sleep(seconds)  # that is how long it lasts
    mend()
    ended = time.monotonic()
    wait_until(answers, "the database answers", STUCK_SECONDS)
    live = set(live_tasks())
    probes = [writer.probe(PROBE_MARKS * number + n) for n, writer in enumerate(writers)]

    def works() -> bool:
        heard = all(
            probe.task_id in writer.told for probe, writer in zip(probes, writers, strict=True)
        )
        return heard and answers() and not live & set(live_tasks()) and all_beat(cluster)

    wait_until(works, what, STUCK_SECONDS)
    return round(time.monotonic() - ended, 1)


def all_beat(cluster: Cluster) -> bool:
    from datetime import timedelta

    from analysis.models import WorkerHeartbeat
    from arboris.db import db_now
    from tests.bench.hosts_site import WORKERS

    pids = {pid for host in cluster.workers for pid in host.pids()}
    recent = WorkerHeartbeat.objects.filter(seen_at__gt=db_now() - timedelta(seconds=15))
    beating = {int(name.rpartition(":")[2]) for name in recent.values_list("worker", flat=True)}
    return len(beating & pids) == WORKERS * len(cluster.workers)


def cut(cluster: Cluster, host: Host) -> Callable[[], None]:
    host.cut()
    return lambda: host.heal(bridge_name())


def slow(cluster: Cluster, host: Host) -> Callable[[], None]:
    host.slow_down()
    return host.speed_up


def power(cluster: Cluster, host: Host) -> Callable[[], None]:
    host.stop_at_once()
    return lambda: cluster.start_again(host)


def clock(cluster: Cluster, host: Host) -> Callable[[], None]:
    """Forward, and back again: both under load."""
    host.set_clock(HOUR)
    return lambda: host.set_clock(0)


DISTURBANCES = {"cut": cut, "slow": slow, "power": power, "clock": clock}


def end(writers: list[Writer], verdict: Verdict) -> None:
    """Everything is worked off, and then looked through."""
    from tests.bench.chaos_audit import audit, live_tasks
    from tests.bench.hosts_site import wait_until

    for writer in writers:
        writer.stop()
    wait_until(lambda: not live_tasks(), "an empty queue", STUCK_SECONDS)
    time.sleep(2)  # the last of what has been counted is written in a transaction of its own
    audit([saved for writer in writers for saved in writer.saved], [], verdict)


# --- how much -------------------------------------------------------------------------------
def throughput(arguments: argparse.Namespace, directory: Path) -> tuple[bool, dict[str, Any]]:
    names = ["database", "redis", "endpoint", "worker1", "worker2", "worker3", "worker4"]
    with network(directory, names) as hosts:
        cluster = set_up(directory, hosts, "far", arguments.latency)
        rates = {}
        for number in (1, 2, 4):
            rates[number] = rate(cluster, cluster.workers[:number], arguments.tasks)
            print(f"{number} worker hosts: {rates[number]:.2f}/s", file=sys.stderr, flush=True)
    spread = {number: round(rates[number] / rates[1] / number, 3) for number in rates}
    good = min(spread.values()) >= SPREAD_GOAL
    return good, {"a second": rates, "to one host": spread}


def rate(cluster: Cluster, chosen: list[Host], tasks: int) -> float:
    """Analyses a second, from the first claim to the last end."""
    from django.contrib.auth.models import User

    from analysis.models import PendingAnalysis
    from arboris.novels.models import NovelProject
    from arboris.novels.services import ChapterText
    from arboris.workspace.chapters import service as chapters
    from arboris.workspace.chapters.analysis_options import AnalysisOptions
    from tests.bench.chaos_analyzer import text_of
    from tests.bench.chaos_audit import live_tasks
    from tests.bench.hosts_site import WORKERS, wait_until

    owner = User.objects.create_user(f"writer{len(chosen)}")
    number = tasks * WORKERS * len(chosen)
    for mark in range(number):  # a novel each: the chapters of one follow each other
        novel = NovelProject.objects.create(owner=owner, title=f"{mark}")
        chapters.add(
            novel.pk, [chapters.NewChapter(ChapterText.of(text_of(mark)))], AnalysisOptions()
        )
    for host in chosen:
        cluster.start_worker(host)
    wait_until(lambda: not live_tasks(), "an empty queue", STUCK_SECONDS)
    for host in chosen:
        host.stop()
        host.processes.clear()
    done = PendingAnalysis.objects.filter(user=owner, status="completed")
    times = [
        (start, end)
        for start, end in done.values_list("started_at", "completed_at")
        if start and end
    ]
    if len(times) != number:
        raise RuntimeError(f"{len(times)} of {number} were completed")
    # All hosts at work: from when the last worker had its first until the first had its last.
    starts, ends = sorted(times)[: WORKERS * len(chosen)], sorted(end for _, end in times)
    begun = starts[-1][0]
    worked = [end for end in ends if end > begun]
    return len(worked) / (worked[-1] - begun).total_seconds()


if __name__ == "__main__":
    sys.exit(main())
