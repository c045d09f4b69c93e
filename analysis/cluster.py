"""What django-q2's cluster does not do by itself: stop without waiting, and leave no orphans."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

from django_q import cluster

from analysis import steward

# Whoever starts and stops workers tells them with this; the default action would end the process.
STOP = signal.SIGUSR1
PR_SET_PDEATHSIG = 1


def prepare() -> None:
    """For the process of ``manage.py qcluster``, before it forks."""
    tell_workers_of_a_stop()
    if sys.platform == "linux":
        die_with_parent()


def start_in_worker(**_: Any) -> None:
    """Receiver of django-q2's post_spawn: runs in a freshly forked worker process."""
    keeper = steward.start_afresh()
    sentinel = os.getppid()
    # Its death takes the whole cluster along (see die_with_parent); a supervisor starts another.
    keeper.on_stuck = lambda: os.kill(sentinel, signal.SIGKILL)
    signal.signal(STOP, lambda *_: keeper.stopping.set())


def tell_workers_of_a_stop() -> None:
    """A cluster that stops waits for its workers; ours then give back what they are working on."""
    stop = cluster.Sentinel.stop

    def stop_soon(self: Any) -> None:
        for process in self.pool:
            if process.is_alive():
                os.kill(process.pid, STOP)
        stop(self)

    cluster.Sentinel.stop = stop_soon


def die_with_parent() -> None:
    """Every process of the cluster is killed with its parent, so that a killed cluster is gone.

    Orphans would hold leases, take wake-ups that nobody runs, and count as workers.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    os.register_at_fork(after_in_child=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
