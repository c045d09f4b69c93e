"""What django-q2's cluster does not do: stop without waiting, leave no orphans, survive kills."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

from django.conf import settings
from django_q import cluster

from analysis.djangoq import watchdog
from analysis.djangoq.ipc import PILL, Flag, PacketQueue, Timer
from analysis.worker.steward import start_steward
from arboris.collector import keep_what_is_loaded

# Whoever starts and stops workers tells them with this; the default action would end the process.
STOP = signal.SIGUSR1
PR_SET_PDEATHSIG = 1


def prepare() -> None:
    """For the process of ``manage.py qcluster``, before it forks."""
    if settings.REDIS_URL:
        import redis  # noqa: F401  # by all of them, and so shared
    keep_what_is_loaded()
    tell_workers_of_a_stop()
    end_who_hangs()
    if sys.platform == "linux":
        die_with_parent()
        share_without_locks()


def start_in_worker(**_: Any) -> None:
    """Receiver of django-q2's post_spawn: runs in a freshly forked worker process."""
    steward = start_steward()
    signal.signal(STOP, lambda *_: steward.stopping.set())


def tell_workers_of_a_stop() -> None:
    """A cluster that stops waits for its workers; ours then give back what they are working on."""
    stop = cluster.Sentinel.stop

    def stop_soon(self: Any) -> None:
        for process in self.pool:
            if process.is_alive():
                os.kill(process.pid, STOP)
        if isinstance(self.task_queue, PacketQueue):
            self.task_queue.put(PILL)  # also for a pusher that waits for room
        stop(self)

    cluster.Sentinel.stop = stop_soon


def end_who_hangs() -> None:
    """The sentinel replaces what has died; from now on also what lives and does nothing."""
    spawn = cluster.Sentinel.spawn_process

    def spawn_watched(self: Any, target: Any, *arguments: Any) -> Any:
        beat = watchdog.new_beat()
        process = spawn(self, target, *arguments)
        process.is_alive = watchdog.Watch(process, beat)
        return process

    cluster.Sentinel.spawn_process = spawn_watched


def die_with_parent() -> None:
    """Every process of the cluster is killed with its parent, so that a killed cluster is gone.

    Orphans would hold leases, take wake-ups that nobody runs, and count as workers.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    parent = 0

    def before() -> None:
        nonlocal parent
        parent = os.getpid()

    def in_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was told
            os.kill(os.getpid(), signal.SIGKILL)

    os.register_at_fork(before=before, after_in_child=in_child)


def share_without_locks() -> None:
    """Whoever is killed in this cluster holds up nobody else (see ``ipc``)."""
    cluster.Queue = PacketQueue
    cluster.Event = Flag
    cluster.Value = Timer
