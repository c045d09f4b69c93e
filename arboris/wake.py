"""The wake channel: who commits work notifies, who waits for work listens.

On one host each listener owns a FIFO in ARBORIS_WAKE_DIR, named after its channel, and a
notice is one byte in every FIFO of the channel. With REDIS_URL (several hosts) it is a message on a
Redis channel. It says only "look now" and may get lost: every listener looks by itself after a
while, so nothing depends on it.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import select
import time
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from django.conf import settings
from django.db import transaction

from arboris.notices import Notices
from arboris.outage import Outage

if TYPE_CHECKING:  # 7 MB in every process, where REDIS_URL is set
    import redis

log = logging.getLogger(__name__)

Channel = Literal["tasks", "notifications"]
# A Redis that does not answer must not hold up a request that is already committed.
REDIS_SECONDS = 0.5
# A line on which nothing comes is asked so often whether it is there still, and given so long to
# answer: otherwise one that was cut in silence would be listened to for ever.
REDIS_ASKED_EVERY, REDIS_SILENT_SECONDS = 10, 5.0


class Listener(Protocol):
    """Waits for notices on one channel. Belongs to one thread of a process; close it after use."""

    def wait(self, seconds: float) -> bool:
        """True if a notice came within ``seconds``; those that came together count as one."""

    def close(self) -> None: ...


def listen(channel: Channel) -> Listener:
    return _RedisListener(channel) if settings.REDIS_URL else _FifoListener(channel)


def notify(channel: Channel) -> None:
    """Wake every listener of the channel; never waits, never raises for a dead one."""
    if settings.REDIS_URL:
        _notices().put(channel)
    else:
        directory = Path(settings.ARBORIS_WAKE_DIR)
        with contextlib.suppress(FileNotFoundError):  # nobody has ever listened
            for entry in os.scandir(directory):  # glob takes ten times as long
                if entry.name.startswith(f"{channel}."):
                    _notify_fifo(directory / entry.name)


def notify_on_commit(channel: Channel) -> None:
    """Notify once the running transaction is committed (at once outside of one)."""
    # robust: a full disk under the FIFO must not turn a committed request into an error.
    transaction.on_commit(lambda: notify(channel), robust=True)


class _FifoListener:
    def __init__(self, channel: Channel) -> None:
        self._path = Path(settings.ARBORIS_WAKE_DIR) / f"{channel}.{uuid.uuid4().hex}"
        self._fd: int | None = None
        self._outage = Outage(log)
        self._open()

    def _open(self) -> int | None:
        """The FIFO; None where it cannot be made now (a full disk, say): the poll goes on alone."""
        if self._fd is not None:
            return self._fd
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o770)
            with contextlib.suppress(FileExistsError):  # made before, and then not opened
                os.mkfifo(self._path, 0o660)
            # Read and write: the FIFO then never reports end of file when a writer closes its end.
            self._fd = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self._outage.failed("ARBORIS_WAKE_DIR: nobody can wake us: %s", error)
        else:
            self._outage.worked("ARBORIS_WAKE_DIR: we can be woken again")
        return self._fd

    def wait(self, seconds: float) -> bool:
        fd = self._open()
        if fd is None:
            time.sleep(seconds)
            return False
        ready, _, _ = select.select([fd], [], [], seconds)
        if ready:
            with contextlib.suppress(BlockingIOError):
                os.read(fd, 65_536)
        return bool(ready)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a dead FIFO is removed by the next notice
            self._path.unlink(missing_ok=True)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _notify_fifo(path: Path) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nobody reads it: its process was killed
            path.unlink(missing_ok=True)
        elif error.errno != errno.ENOENT:
            raise
        return
    try:
        with contextlib.suppress(BlockingIOError):  # full: it has unread notices enough
            os.write(fd, b"!")
    finally:
        os.close(fd)


def flush(seconds: float) -> bool:
    """Wait until notices that go over Redis were sent; False: not within that time."""
    return _notices().flush(seconds) if settings.REDIS_URL else True


@cache
def _notices() -> Notices:
    from redis import RedisError

    return Notices(_publish, (RedisError,))


def _publish(channel: str) -> None:
    _redis().publish(_redis_name(channel), b"")


class _RedisListener:
    def __init__(self, channel: Channel) -> None:
        self._pubsub = _redis().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._channel = channel
        self._subscribed = False
        self._asked_at = 0.0  # 0: no question is open
        self._outage = Outage(log)

    def wait(self, seconds: float) -> bool:
        from redis import RedisError

        ends = time.monotonic() + seconds
        try:
            if not self._subscribed:
                self._pubsub.subscribe(_redis_name(self._channel))
                self._subscribed = True
                self._outage.worked("REDIS_URL: notices on %s come again", self._channel)
            while (left := ends - time.monotonic()) > 0:
                # None also stands for the confirmation of the subscription: wait on.
                if self._pubsub.get_message(timeout=left) is not None:
                    while self._pubsub.get_message(timeout=0) is not None:
                        continue
                    return True
            self._check_answers()
        except RedisError as error:
            self._outage.failed("REDIS_URL: no notices on %s: %s", self._channel, error)
            self._pubsub.close()
            self._subscribed, self._asked_at = False, 0.0
            time.sleep(max(0.0, ends - time.monotonic()))  # the poll goes on without them
        return False

    def _check_answers(self) -> None:
        """Raises where the line has not answered a question for too long."""
        from redis import ConnectionError

        if not self._pubsub.health_check_response_counter:
            self._asked_at = 0.0
        elif not self._asked_at:
            self._asked_at = time.monotonic()
        elif time.monotonic() - self._asked_at > REDIS_SILENT_SECONDS:
            raise ConnectionError("the line is silent")

    def close(self) -> None:
        self._pubsub.close()


@cache
def _redis() -> redis.Redis:
    from redis import Redis

    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        health_check_interval=REDIS_ASKED_EVERY,
        **({} if settings.REDIS_URL.startswith("unix:") else {"socket_keepalive": True}),
    )


def _redis_name(channel: str) -> str:
    return f"arboris:{channel}"
