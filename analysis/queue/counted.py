"""How many analyses wait, for whoever asks again and again."""

from __future__ import annotations

import threading
import time

from analysis.models import LIVE, PendingAnalysis
from analysis.queue import due

# What is due has to be read from the rows, for no index has the time. Of many it is kept a while.
KEPT_ABOVE = 10_000
KEPT_SECONDS = 30.0


def live() -> dict[str, int]:
    """How many are pending and processing now: read from an index alone, however many they are.

    Of each apart: to group them, MariaDB may read the index of all that has ended, too.
    """
    rows = PendingAnalysis.objects.order_by()
    return {status.value: rows.filter(status=status).count() for status in LIVE}


class Due:
    """How many are due, as this process has counted them last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # one counts, and others wait for what it finds
        self._number, self._at = 0, float("-inf")

    def count(self, pending: int) -> tuple[int, float]:
        """Their number, and how many seconds ago they were counted: 0 unless many are pending."""
        with self._lock:
            age = time.monotonic() - self._at
            if pending > KEPT_ABOVE and age < KEPT_SECONDS:
                return min(self._number, pending), age
            self._number, self._at = due.number(), time.monotonic()
            return self._number, 0.0
