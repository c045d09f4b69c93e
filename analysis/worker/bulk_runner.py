"""Runs bulk operations beside the worker's analyses, which may take minutes each."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from django.db import connections

from analysis import bulk
from arboris.db import is_away, is_transient

log = logging.getLogger(__name__)

# Of the time that a batch took: so long others have the database to themselves.
PAUSE = 0.25


class BulkRunner:
    """A thread as long as there is an operation for it, with a database connection of its own."""

    def __init__(self, name: str, stopping: Callable[[], bool]) -> None:
        self._name = name
        self._stopping = stopping
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begin what somebody has started, and go on with what another worker has left."""
        if self._stopping() or (self._thread is not None and self._thread.is_alive()):
            return
        operation_id = bulk.look_for_one()
        if operation_id is None:
            return
        with contextlib.suppress(bulk.Lost):
            token = bulk.take(operation_id, self._name)
            self._thread = threading.Thread(
                target=self._run, args=(operation_id, token), name="bulk", daemon=True
            )
            self._thread.start()

    def join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, operation_id: int, token: str) -> None:
        log.info("bulk operation %d: begins", operation_id)
        try:
            while not self._stopping():
                began = time.monotonic()
                if bulk.step(operation_id, token) is None:
                    log.info("bulk operation %d: done", operation_id)
                    return
                time.sleep(PAUSE * (time.monotonic() - began))
            bulk.let_go(operation_id, token)
        except bulk.Lost:
            log.info("bulk operation %d: stopped, or taken over", operation_id)
        except Exception as error:
            log.exception("bulk operation %d: broke off", operation_id)
            # Where the database is away another one goes on once the lease is over.
            if not is_away(error) and not is_transient(error):
                bulk.fail(operation_id, token, error)
        finally:
            connections.close_all()  # this thread's own
