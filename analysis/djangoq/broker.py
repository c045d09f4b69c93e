"""django-q2's ORM broker, woken by a notice instead of sleeping until the next poll."""

from __future__ import annotations

import logging
from datetime import timedelta
from multiprocessing.util import Finalize
from typing import Any

from django.db import Error
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from analysis.djangoq import watchdog
from analysis.djangoq.wakeups import untaken
from arboris.db import db_now, is_away, is_transient
from arboris.outage import Outage
from arboris.wake import Listener, listen

log = logging.getLogger(__name__)


class WakingORM(ORM):  # type: ignore[misc]  # django-q2 carries no types
    """As ORM, but oldest wake-up first; an empty queue waits for a notice or until the poll."""

    _listener: Listener | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._outage = Outage(log)

    def dequeue(self) -> list[tuple[int, str]]:
        """Outlives a database that is away: django-q2's pusher would take ten seconds and end."""
        watchdog.beat()
        try:
            return self._dequeue()
        finally:
            watchdog.rest()  # the pusher waits until a worker is free

    def _dequeue(self) -> list[tuple[int, str]]:
        try:
            taken = self._take()
            if not taken:
                self._wait()
                taken = self._take()
        except Error as error:
            if not is_away(error) and not is_transient(error):
                raise
            self._outage.failed("no wake-ups, tries again until it works: %s", error)
            self._wait(self._outage.pause)  # a notice tells that somebody could commit
            return []
        self._outage.worked("wake-ups can be had again")
        return taken

    def delete(self, task_id: int) -> None:
        watchdog.beat()
        try:
            super().delete(task_id)
        except Error as error:
            if not is_away(error) and not is_transient(error):
                raise
            # It is handed out once more in Q_CLUSTER["retry"] seconds, and finds nothing due.
            log.warning("wake-up %s is not crossed off: %s", task_id, error)
        finally:
            watchdog.rest()

    def _take(self) -> list[tuple[int, str]]:
        queue = self.get_connection()
        taken: list[tuple[int, str]] = []
        row: OrmQ
        for row in untaken(queue.filter(key=self.list_key)).order_by("pk")[: Conf.BULK]:
            # Compare and set: another cluster may be faster.
            locked_until = db_now() + timedelta(seconds=Conf.RETRY)
            if queue.filter(pk=row.pk, lock=row.lock).update(lock=locked_until):
                taken.append((row.pk, row.payload))
        return taken

    def _wait(self, seconds: float = Conf.POLL) -> None:
        # Opened here and not in __init__: the pusher is forked after the broker was made, and
        # the FIFO must belong to the process that reads it.
        if self._listener is None:
            self._listener = listen("tasks")
            # The pusher ends without atexit; this runs at the end of a multiprocessing child.
            Finalize(None, self._listener.close, exitpriority=10)
        self._listener.wait(seconds)
