"""What django-q2's cluster does not do: stop without waiting, leave no orphans, survive kills.

A process may be killed at any moment (out of memory, by an operator). Multiprocessing's queues,
events and values are guarded by locks that nobody releases for the dead, and an idle worker even
waits inside such a lock. What the cluster's processes share is therefore replaced by what the
kernel keeps in order by itself.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import logging
import mmap
import os
import pickle
import select
import signal
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import RawValue
from typing import Any

from django.conf import settings
from django_q import cluster

from analysis.worker.steward import start_steward

log = logging.getLogger(__name__)

# Whoever starts and stops workers tells them with this; the default action would end the process.
STOP = signal.SIGUSR1
PR_SET_PDEATHSIG = 1
PILL = "STOP"  # django-q2's word for: there is nothing more to come
SHORT = 600  # characters: what is told of a result that does not fit into a packet


def prepare() -> None:
    """For the process of ``manage.py qcluster``, before it forks."""
    if settings.REDIS_URL:
        import redis  # noqa: F401  # by all of them, and so shared
    # What is loaded by now stays in pages that all its processes share: the garbage collector
    # writes into each object that it looks at.
    gc.collect()
    gc.freeze()
    tell_workers_of_a_stop()
    if sys.platform == "linux":
        die_with_parent()
        share_without_locks()


def start_in_worker(**_: Any) -> None:
    """Receiver of django-q2's post_spawn: runs in a freshly forked worker process."""
    steward = start_steward()
    sentinel = os.getppid()
    # Its death takes the whole cluster along (see die_with_parent); a supervisor starts another.
    steward.on_stuck = lambda: os.kill(sentinel, signal.SIGKILL)
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
    """Whoever is killed in this cluster holds up nobody else."""
    cluster.Queue = PacketQueue
    cluster.Event = Flag
    cluster.Value = Timer


class Flag:
    """As multiprocessing's Event, for what is set once: an eventfd that is never read."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._fd

    def set(self) -> None:
        os.eventfd_write(self._fd, 1)

    def is_set(self) -> bool:
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        waiting = select.poll()
        waiting.register(self._fd, select.POLLIN)
        return bool(waiting.poll(None if timeout is None else timeout * 1000))


class Timer:
    """As the Value in which a worker keeps how many seconds its task may still take.

    Below zero it has none; at zero the sentinel ends the worker. Here the worker alone writes, and
    writes when the time is up: nobody has to count down, so nobody needs a lock.
    """

    def __init__(self, _type: str, value: float) -> None:
        self._ends = RawValue("d", value)
        self._sentinel = os.getpid()

    def get_lock(self) -> AbstractContextManager[None]:
        return nullcontext()

    @property
    def value(self) -> float:
        ends: float = self._ends.value
        return ends if ends <= 0 else max(0.0, ends - time.monotonic())

    @value.setter
    def value(self, seconds: float) -> None:
        if os.getpid() != self._sentinel:  # whose counting down is in vain
            self._ends.value = seconds if seconds <= 0 else time.monotonic() + seconds


class PacketQueue:
    """What the cluster uses of multiprocessing's Queue, on a pipe that keeps packets apart.

    A packet is written and read as a whole or not at all, and each is read by one process; where it
    is killed right then, the packet is gone with it. That is a wake-up or its receipt: the sweep
    issues it again. Each packet takes one page of the pipe, which makes ``maxsize`` exact.
    """

    def __init__(self, maxsize: int = 0) -> None:
        flags = os.O_DIRECT | os.O_NONBLOCK | os.O_CLOEXEC
        self._reader, self._writer = os.pipe2(flags)
        if maxsize:
            fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, maxsize * mmap.PAGESIZE)
        self._ended = Flag()

    def put(self, message: Any) -> None:
        """Waits for room; when the end was announced meanwhile, nobody needs the message."""
        if message == PILL:
            self._ended.set()
            return
        packet = self._pack(message)
        while True:
            try:
                os.write(self._writer, packet)
                return
            except BlockingIOError:
                if self._ended.is_set():
                    return
                self._await(self._writer, select.POLLOUT)

    def get(self) -> Any:
        """Waits for a message; PILL once the end was announced and nothing is left."""
        while True:
            ended = self._ended.is_set()
            try:
                return pickle.loads(os.read(self._reader, select.PIPE_BUF))
            except BlockingIOError:
                if ended:
                    return PILL
                self._await(self._reader, select.POLLIN)

    def empty(self) -> bool:
        waiting = select.poll()
        waiting.register(self._reader, select.POLLIN)
        return not waiting.poll(0)

    def qsize(self) -> int:
        """One stands for any number: a pipe does not count its packets."""
        return 0 if self.empty() else 1

    def close(self) -> None:
        """Nothing to do: the pipe is closed with the processes that have it."""

    def join_thread(self) -> None:
        """Nothing to do: what was put is in the pipe already."""

    def _await(self, fd: int, event: int) -> None:
        waiting = select.poll()
        waiting.register(fd, event)
        waiting.register(self._ended, select.POLLIN)
        waiting.poll()

    def _pack(self, message: Any) -> bytes:
        packet = pickle.dumps(message)
        if len(packet) > select.PIPE_BUF and "result" in message:  # the traceback of a failure
            log.error("%s", message["result"])
            short = f"… {str(message['result'])[-SHORT:]}"
            packet = pickle.dumps(message | {"result": short})
        if len(packet) > select.PIPE_BUF:
            raise ValueError(f"{len(packet)} bytes are no wake-up: {message!r:.200}")
        return packet
