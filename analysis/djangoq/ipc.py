"""What the processes of a cluster share: a queue, a flag and a timer in which nobody holds a lock.

A process may be killed at any moment (out of memory, by an operator). Multiprocessing's queues,
events and values are guarded by locks that nobody releases for the dead, and an idle worker even
waits inside such a lock: with it dies the whole cluster. These here have the kernel keep order.
They take the places of django-q2's (see ``cluster.share_without_locks``) and do what it asks of
them, no more. Linux only.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import pickle
import select
import time
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import RawValue
from typing import Any

log = logging.getLogger(__name__)

PILL = "STOP"  # django-q2's word for: there is nothing more to come
SHORT = 600  # characters: what is told of a result that does not fit into a packet


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
