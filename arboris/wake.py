"""Taps between the processes of one host: who commits work taps, who waits for work listens.

Each listener owns a FIFO in ARBORIS_WAKE_DIR, named after its channel; a tap writes one byte into
every FIFO of the channel. A tap says only "look now" and may get lost: every listener looks by
itself after a while, so nothing depends on it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import uuid
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from django.conf import settings
from django.db import transaction

Channel = Literal["tasks", "notifications"]


class Listener:
    """Waits for taps on one channel. Belongs to one thread of one process; close it after use."""

    def __init__(self, channel: Channel) -> None:
        directory = Path(settings.ARBORIS_WAKE_DIR)
        directory.mkdir(parents=True, exist_ok=True, mode=0o770)
        self._path = directory / f"{channel}.{uuid.uuid4().hex}"
        os.mkfifo(self._path, 0o660)
        # Read and write: the FIFO then never reports end of file when a tapper closes its end.
        self._fd = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def wait(self, seconds: float) -> bool:
        """True if a tap came within ``seconds``; taps that came together count as one."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._fd, 65_536)
        return bool(ready)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


def tap(channel: Channel) -> None:
    """Wake every listener of the channel on this host; never blocks, never raises for a dead one."""
    for path in Path(settings.ARBORIS_WAKE_DIR).glob(f"{channel}.*"):
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nobody reads it: its process was killed
                path.unlink(missing_ok=True)
            elif error.errno != errno.ENOENT:
                raise
            continue
        try:
            os.write(fd, b"!")
        except BlockingIOError:
            pass  # full: it has unread taps enough
        finally:
            os.close(fd)


def tap_on_commit(channel: Channel) -> None:
    """Tap once the running transaction is committed (at once outside of one)."""
    # robust: a full disk under the FIFO must not turn a committed request into an error.
    transaction.on_commit(lambda: tap(channel), robust=True)
