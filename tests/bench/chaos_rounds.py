"""Rounds of SIGKILL: pick victims, kill them under load, wait until all of it works again."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db import connection
from django_q.conf import Conf
from django_q.models import OrmQ

from analysis.models import PendingAnalysis, Status
from tests.bench.chaos_audit import Verdict, audit, live_tasks, waiting_wakeups
from tests.bench.chaos_load import AWAY, Load
from tests.bench.chaos_processes import Cluster, family, kill
from tests.bench.chaos_servers import Server

T = TypeVar("T")
WORKERS = 3
LEASE_SECONDS = 3.0
POLL_SECONDS = 0.5
# Lease and sweep, the steward's tick between them, and a cluster that starts on a busy machine.
GOAL_SECONDS = LEASE_SECONDS + POLL_SECONDS + 1.0 + 4.0
# Whatever takes longer than these hangs, also on a machine with much other work.
STUCK_SECONDS = 120.0
DRAINED_WITHIN_SECONDS = 180.0
STOPPED_WITHIN_SECONDS = 60.0
DOWN_SECONDS = 1.0
LOOK_SECONDS = 0.03
PROCESS_KINDS = (
    "busy worker",
    "monitor",
    "idle worker",
    "pusher",
    "two workers",
    "sentinel",
    "all workers",
    "parent",
    "cluster",
    "storm",
    FROZEN := "frozen worker",
)
REPLACED = ("worker", "monitor", "pusher")  # by the sentinel
STORM_KILLS = 20
DATABASE_KINDS = ("database", "database and cluster")


@dataclass(frozen=True, slots=True)
class Moment:
    """The system right before a kill."""

    clock: float
    at: datetime
    live: list[int]


@dataclass(slots=True)
class Healing:
    """Seconds from a kill until each of these was seen; None: not yet."""

    works: float | None = None  # a task that was claimed after the kill is completed
    ended: float | None = None  # every task that was live at the kill has ended
    complete: float | None = None  # all processes are there again
    acknowledged: float | None = None  # a wake-up that was taken after the kill is crossed off

    @property
    def missing(self) -> list[str]:
        return [name for name in self.__slots__ if getattr(self, name) is None]

    @property
    def healed(self) -> float:
        """All but the last, which is no matter of writers and takes a slice of work."""
        assert self.works is not None and self.ended is not None and self.complete is not None
        return max(self.works, self.ended, self.complete)


@dataclass
class Chaos:
    """The system under attack, and what has come of it so far."""

    cluster: Cluster
    load: Load
    server: Server | None
    random: random.Random
    verdict: Verdict = field(default_factory=Verdict)
    healings: dict[str, list[Healing]] = field(default_factory=dict)

    def run(self, kinds: list[str]) -> None:
        self.load.start()
        self._await(completed, "a start")
        for number, kind in enumerate(kinds, 1):
            self._round(number, kind)
        self.load.stop()
        drained = self._drain()
        if wrong := self.cluster.stop(STOPPED_WITHIN_SECONDS):
            self.verdict.stuck.append(f"the cluster: {wrong}")
        self.verdict.figures["seconds to drain"] = drained
        self.verdict.figures["cluster starts"] = self.cluster.starts
        audit(self.load.saved, self.load.in_doubt, self.verdict)

    def _round(self, number: int, kind: str) -> None:
        self._await(lambda: self.cluster.is_complete(WORKERS), "a complete cluster")
        if kind == "idle worker":
            self.load.pause()
            self._await(lambda: not live_tasks(), "an idle system")
        if kind == "storm":
            self._storm()
        time.sleep(self.random.uniform(0, 0.5))  # a kill may come at any moment
        before = Moment(time.monotonic(), datetime.now(UTC), live_tasks())
        hit = self._strike(kind)
        self.load.resume()
        healing = self._heal(before, set() if kind == FROZEN else set(hit))
        self.healings.setdefault(kind, []).append(healing)
        line = f"round {number}: {kind} {hit}, {len(before.live)} live: "
        if healing.missing:
            found = f"not {', '.join(healing.missing)} within {STUCK_SECONDS:g} s"
            found += f"; processes {dict(self.cluster.members())}"
            with self._tolerant():
                found += f"; tasks {[pk for pk in live_tasks() if pk in before.live]}"
            self.verdict.stuck.append(line + found)
            say(line + found)
            kill(
                old := self.cluster.members()["parent"]
            )  # the next round begins with a sound system
            self._await(lambda: old != self.cluster.members()["parent"], "a new cluster")
        else:
            slow = "" if healing.healed <= GOAL_SECONDS else " SLOW"
            say(line + f"works {healing.works:.2f} s, healed {healing.healed:.2f} s{slow}")

    def _strike(self, kind: str) -> list[int]:
        """Kill; returns who was hit."""
        if kind == "busy worker":
            return self._await(self._kill_a_busy_worker, "a worker that is busy when it is killed")
        if kind == FROZEN:
            return self._freeze()
        members = self.cluster.members()
        workers = self.random.sample(members["worker"], len(members["worker"]))
        everybody = family(members["parent"][0])
        victims = {
            "idle worker": workers[:1],
            "two workers": workers[:2],
            "all workers": workers,
            "cluster": everybody,
            "storm": workers[:1] or members["pusher"],
            "database and cluster": everybody,
        }
        if not kind.startswith("database"):
            return kill(victims.get(kind) or members[kind])
        assert self.server is not None
        hit = self.server.kill() + kill(victims.get(kind, []))
        time.sleep(DOWN_SECONDS)
        self.server.start()
        return hit

    def _storm(self) -> None:
        """Kill one after the other, faster than they are replaced, at whatever they are doing."""
        for _ in range(STORM_KILLS):
            members = self.cluster.members()
            victims = [pid for role in REPLACED for pid in members[role]]
            kill(self.random.sample(victims, min(1, len(victims))))
            time.sleep(self.random.uniform(0, 0.3))

    def _freeze(self) -> list[int]:
        """Let a worker sleep until its task is somebody else's: what it then writes is in vain."""
        frozen = kill(self.busy_workers()[:1], signal.SIGSTOP)
        time.sleep(LEASE_SECONDS + POLL_SECONDS + 1.5)
        return kill(frozen, signal.SIGCONT)

    def _kill_a_busy_worker(self) -> list[int]:
        """Stopped first, it cannot end its task between our look and the kill."""
        worker = self.busy_workers()[:1]
        kill(worker, signal.SIGSTOP)
        if worker[0] in self._holders():
            return kill(worker)
        kill(worker, signal.SIGCONT)
        return []

    def busy_workers(self) -> list[int]:
        """Workers that hold a task, in random order."""
        busy = self._await(self._holders, "a busy worker")
        return self.random.sample(busy, len(busy))

    def _holders(self) -> list[int]:
        rows = PendingAnalysis.objects.filter(status=Status.PROCESSING)
        pids = [int(name.rpartition(":")[2]) for name in rows.values_list("worker", flat=True)]
        return [pid for pid in pids if pid in self.cluster.members()["worker"]]

    def _heal(self, before: Moment, hit: set[int]) -> Healing:
        healing = Healing()
        seen: set[int] = set()
        while healing.missing and time.monotonic() < before.clock + STUCK_SECONDS:
            time.sleep(LOOK_SECONDS)
            with self._tolerant():
                self._look(healing, before, hit, seen)
        return healing

    def _look(self, healing: Healing, before: Moment, hit: set[int], seen: set[int]) -> None:
        """Note what holds by now."""
        gone = time.monotonic() - before.clock
        if healing.complete is None and self.cluster.is_complete(WORKERS):
            pids = {pid for some in self.cluster.members().values() for pid in some}
            healing.complete = None if pids & hit else gone
        if healing.works is None and completed(before.at):
            healing.works = gone
        if healing.ended is None:
            live = PendingAnalysis.objects.filter(pk__in=before.live, active_chapter__isnull=False)
            healing.ended = None if live.exists() else gone
        if healing.acknowledged is None and healing.complete is not None:
            taken = OrmQ.objects.filter(lock__gt=before.at + timedelta(seconds=Conf.RETRY))
            now = set(taken.values_list("pk", flat=True))
            healing.acknowledged = gone if seen - now else None
            seen |= now

    def _drain(self) -> float:
        """How long it took until nothing was left to do."""
        start = time.monotonic()
        empty = lambda: not live_tasks() and not waiting_wakeups()  # noqa: E731
        try:
            self._await(empty, "an empty queue", DRAINED_WITHIN_SECONDS)
        except TimeoutError as error:
            left = f"tasks {live_tasks()}, {waiting_wakeups()} wake-ups"
            self.verdict.stuck.append(f"{error}: {left}")
        return round(time.monotonic() - start, 2)

    def _await(
        self, condition: Callable[[], T], what: str, within: float = DRAINED_WITHIN_SECONDS
    ) -> T:
        """The first true value of a condition, asked again and again; TimeoutError."""
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            with self._tolerant():
                if value := condition():
                    return value
            time.sleep(LOOK_SECONDS)
        raise TimeoutError(f"no sign of {what} within {within:g} s")

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        """The database may be away; a server that gave up starting is started once more."""
        try:
            yield
        except AWAY:
            connection.close()
            if self.server is not None:
                self.server.keep_up()


def completed(since: datetime | None = None) -> bool:
    """Whether a task has been completed that was claimed after ``since``."""
    done = PendingAnalysis.objects.filter(status=Status.COMPLETED)
    return (done if since is None else done.filter(started_at__gt=since)).exists()


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
