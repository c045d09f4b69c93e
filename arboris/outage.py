"""What every part does when something it needs is away: say so once, wait longer each time, go on.

One log-once for database, Redis, wake channel, worker, steward and relay.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from arboris.db import drop_connection, is_away

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 2.0  # seconds


class Outage:
    """Says once that something fails, and once that it works again."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._failures = 0

    @property
    def lasts(self) -> bool:
        return bool(self._failures)

    @property
    def pause(self) -> float:
        """Seconds that the next try should wait: doubled with each failure, 0 without one."""
        if not self._failures:
            return 0.0
        return min(FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE)

    def failed(self, message: str, *arguments: object, traceback: bool = False) -> None:
        if not self._failures:
            self._log.warning(message, *arguments, exc_info=traceback)
        self._failures += 1

    def worked(self, message: str, *arguments: object) -> None:
        if self._failures:
            self._log.warning(message, *arguments)
        self._failures = 0


def outlasting(work: Callable[[], T], *, give_up: Callable[[], bool]) -> T:
    """Run ``work`` again, from its start, as long as the database is away.

    Not in an open transaction. Where a commit's answer was lost, ``work`` runs again though it was
    done: it has to be fenced, or to change nothing the second time. Raises the database's error
    once ``give_up`` says so. The first time it runs again at once: mostly a line was cut, and
    the server is there.
    """
    outage = Outage(logging.getLogger(__name__))
    while True:
        try:
            result = work()
        except (DatabaseError, InterfaceError) as error:
            if not is_away(error) or give_up():
                raise
            pause = FIRST_PAUSE if outage.lasts else 0.0
            outage.failed("the database is away, tries again until it is back: %s", error)
            drop_connection()
            time.sleep(pause)
        else:
            outage.worked("the database is back")
            return result
