"""Ends whoever of a cluster hangs: each of its processes says in shared memory that it goes on.

Time limits on connections end most of what hangs (``arboris.database_url``). What they miss, such
as a process that is stopped or waits for something else, would hold up a cluster for good: its
sentinel only asks whether its processes live.
"""

from __future__ import annotations

import logging
import time
from multiprocessing import RawValue
from multiprocessing.process import BaseProcess

from django.conf import settings

from arboris import heartbeat

log = logging.getLogger(__name__)
# A sentinel looks twice a second. One that comes back from a longer sleep was not the only one.
SENTINEL_SLEPT = 5.0
GONE_WITHIN = 1.0  # seconds, after a kill


class Beat:
    """When a process was last seen to go on; it alone writes, so nobody needs a lock."""

    def __init__(self) -> None:
        self._at = RawValue("d", 0.0)

    def strike(self) -> None:
        self._at.value = time.monotonic()

    def rest(self) -> None:
        """Until the next strike it waits for something that may take any time."""
        self._at.value = 0.0

    @property
    def at(self) -> float:
        at: float = self._at.value
        return at


# This process's own. Whoever spawns one puts a new one here, which the child has from the fork on.
_mine = Beat()


def new_beat() -> Beat:
    """For the child that is forked next."""
    global _mine
    _mine = Beat()
    return _mine


def beat() -> None:
    """This process goes on; from now on it has to say so again and again, until it rests."""
    _mine.strike()


def rest() -> None:
    _mine.rest()


class Watch:
    """Takes the place of a process's ``is_alive``: one that is silent for too long is killed."""

    def __init__(self, process: BaseProcess, beat: Beat) -> None:
        self._process, self._beat = process, beat
        self._is_alive = process.is_alive
        self._looked = self._since = time.monotonic()

    def __call__(self) -> bool:
        heartbeat.beat()  # of the sentinel, which calls this
        now, most = time.monotonic(), settings.ARBORIS_WATCHDOG_SECONDS
        if now - self._looked > SENTINEL_SLEPT:  # all slept: they get their time anew
            self._since = now
        self._looked = now
        at = self._beat.at
        if most and at and now - max(at, self._since) > most and self._is_alive():
            log.error("watchdog: process %s is silent, and is ended", self._process.pid)
            self._process.kill()
            self._process.join(GONE_WITHIN)
        return self._is_alive()
