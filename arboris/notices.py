"""Notices that are sent from a thread of their own, so that nobody waits for whom they go to.

A notice says "look now" and may get lost (see ``wake``): one that fails is dropped, and while the
receiver is away or hangs, those that come count as one and are sent more and more rarely.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable

from arboris.outage import Outage

log = logging.getLogger(__name__)
# A command that ends waits for its last notice no longer than this.
LAST_SECONDS = 0.5


class Notices:
    def __init__(self, send: Callable[[str], None], failures: tuple[type[Exception], ...]) -> None:
        """``send``: called on the thread, may take its time; raises ``failures`` where the
        receiver is away."""
        self._send, self._failures = send, failures
        self._changed = threading.Condition()
        self._due: set[str] = set()
        self._sending = False
        self._started = False
        self._outage = Outage(log)
        # A fork has neither the thread nor, perhaps, a free lock.
        os.register_at_fork(after_in_child=self._begin_anew)
        atexit.register(self.flush, LAST_SECONDS)

    def put(self, name: str) -> None:
        """Never waits."""
        with self._changed:
            self._due.add(name)
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="notices", daemon=True).start()
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Wait until all were sent; False: not within that time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._sending, seconds)

    def _begin_anew(self) -> None:
        self._changed = threading.Condition()
        self._due, self._sending, self._started = set(), False, False

    def _run(self) -> None:
        while True:
            with self._changed:
                self._sending = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._due)
                names, self._due, self._sending = self._due, set(), True
            self._try(names)
            time.sleep(self._outage.pause)

    def _try(self, names: set[str]) -> None:
        try:
            for name in names:
                self._send(name)
        except Exception as error:  # noqa: BLE001 - logged, a fault of ours with its traceback
            # Whatever it is, the thread outlives it: nobody else would send the later ones.
            ours = not isinstance(error, self._failures)
            text = "REDIS_URL: %s cannot be notified: %s"
            self._outage.failed(text, ", ".join(names), error, traceback=ours)
        else:
            self._outage.worked("REDIS_URL: %s can be notified again", ", ".join(names))
