"""A daemon thread beside each worker: lease, heartbeat, sweep.

It runs on a database connection of its own (Django keeps one per thread), so it goes on while the
worker's main thread is deep in an analysis.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connections

from analysis import queue
from analysis.djangoq import watchdog
from analysis.models import WorkerHeartbeat
from analysis.queue import Claim
from analysis.worker.bulk_runner import BulkRunner
from arboris.db import db_now, in_transaction
from arboris.outage import Outage
from arboris.stop_request import StopRequest

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
HEARTBEAT_SECONDS = 10.0


class Steward:
    """Looks after the claim that this process is working on, and after the queue as a whole."""

    def __init__(self) -> None:
        self.worker = f"{socket.gethostname()[:60]}:{os.getpid()}"
        self._claim: Claim | None = None
        self._tell: Callable[[], object] | None = None
        self._lost = threading.Event()
        self._stop = threading.Event()
        # Set when the worker is asked to stop: the running analysis ends at its next check.
        self.stopping = StopRequest()
        self._bulk = BulkRunner(self.worker, self._is_stopping)
        self._lock = threading.Lock()
        self._renew_at = 0.0
        self._thread = threading.Thread(target=self._run, name="steward", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
        self._bulk.join(10)

    def _is_stopping(self) -> bool:
        return self._stop.is_set() or self.stopping.is_set()

    @contextlib.contextmanager
    def looking_after(self, claim: Claim) -> Iterator[None]:
        """Keep this claim alive meanwhile."""
        self._keep(claim)
        try:
            yield
        finally:
            self._keep(None)

    @contextlib.contextmanager
    def telling(self, alive: Callable[[], object]) -> Iterator[None]:
        """Call ``alive`` with each heartbeat meanwhile, in the steward's thread."""
        with self._lock:
            self._tell = alive
        try:
            yield
        finally:
            with self._lock:
                self._tell = None

    def _keep(self, claim: Claim | None) -> None:
        with self._lock:
            self._claim = claim
            self._lost.clear()
            self._renew_at = time.monotonic() + settings.ARBORIS_LEASE_SECONDS / 4.5

    @property
    def lost(self) -> bool:
        """Whether the work on the held claim is in vain: the task is not ours any more."""
        return self._lost.is_set()

    def _run(self) -> None:
        try:
            self._look_after_everything()
        finally:
            watchdog.rest()
            connections.close_all()  # this thread's own

    def _look_after_everything(self) -> None:
        beat_at = 0.0
        sweep_every = min(settings.ARBORIS_POLL_INTERVAL, 30.0)
        sweep_at = rescue_at = 0.0
        started, watch = None, queue.Watch()
        outage = Outage(log)
        while not self._stop.wait(TICK_SECONDS if beat_at else 0):
            watchdog.beat()
            try:
                close_old_connections()
                now = time.monotonic()
                self._look_after_claim(now)
                if now >= beat_at or outage.lasts:  # also to see whether it can be written to again
                    started = started or db_now()
                    self._beat(started)
                    beat_at = now + HEARTBEAT_SECONDS
                if now >= sweep_at and not outage.lasts:
                    queue.sweep(rescuing=now >= rescue_at, watch=watch)
                    sweep_at = now + sweep_every
                if not outage.lasts:
                    self._bulk.look()
            except Exception:  # noqa: BLE001 - logged with its traceback, once
                # Whatever it is (mostly: the database is away), this thread must outlive it; the
                # lease covers the meantime.
                outage.failed("steward: tries again until it works", traceback=True)
                with contextlib.suppress(Exception):  # a broken connection may fail at closing too
                    connections.close_all()
            else:
                if outage.lasts:
                    outage.worked("steward: works again")
                    # Leases ran out that their holders could not renew: all get one anew, however
                    # long each of them needs to notice that the outage is over.
                    rescue_at = time.monotonic() + settings.ARBORIS_LEASE_SECONDS

    def _look_after_claim(self, now: float) -> None:
        with self._lock:
            claim, due = self._claim, now >= self._renew_at
        if claim is None:
            return
        alive = queue.renew(claim) if due else queue.owns(claim)
        with self._lock:
            if self._claim is not claim:
                return
            if due:
                self._renew_at = now + settings.ARBORIS_LEASE_SECONDS / 4.5
            if not alive:
                self._lost.set()

    def _beat(self, started: Any) -> None:
        with self._lock:
            task_id = self._claim.task_id if self._claim else None
            tell = self._tell
        beat = {
            "started_at": started,
            "seen_at": db_now(),
            "task_id": task_id,
            "rss_bytes": resident_bytes(),
        }
        heartbeats = WorkerHeartbeat.objects
        in_transaction(lambda: heartbeats.update_or_create(worker=self.worker, defaults=beat))
        if tell is not None:
            tell()


def resident_bytes() -> int:
    """This process's resident memory, from /proc; 0 where there is none."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


_steward: Steward | None = None


def current_steward() -> Steward:
    """This process's steward; started on first use (a worker starts it when it is spawned)."""
    global _steward
    if _steward is None:
        _steward = Steward()
        _steward.start()
    return _steward


def start_steward() -> Steward:
    """A new steward for a process that was just forked: the parent's thread did not survive."""
    global _steward
    _steward = None
    return current_steward()
