"""django-q2's ORM broker, woken by a tap instead of sleeping until the next poll."""

from __future__ import annotations

from multiprocessing.util import Finalize

from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from arboris.wake import Listener, listen


class WakingORM(ORM):  # type: ignore[misc]  # django-q2 carries no types
    """As ORM, but oldest wake-up first, and an empty queue waits for a tap or ``Q_CLUSTER['poll']``."""

    _listener: Listener | None = None

    def dequeue(self) -> list[tuple[int, str]]:
        taken = self._take()
        if not taken:
            self._wait()
            taken = self._take()
        return taken

    def _take(self) -> list[tuple[int, str]]:
        queue = self.get_connection()
        waiting = queue.filter(key=self.list_key, lock__lte=timezone.now()).order_by("pk")
        taken: list[tuple[int, str]] = []
        row: OrmQ
        for row in waiting[: Conf.BULK]:
            # Compare and set: another cluster may be faster.
            if queue.filter(pk=row.pk, lock=row.lock).update(lock=self.timeout(row)):
                taken.append((row.pk, row.payload))
        return taken

    def _wait(self) -> None:
        # Opened here and not in __init__: the pusher is forked after the broker was made, and
        # the FIFO must belong to the process that reads it.
        if self._listener is None:
            self._listener = listen("tasks")
            # The pusher ends without atexit; this runs at the end of a multiprocessing child.
            Finalize(None, self._listener.close, exitpriority=10)
        self._listener.wait(Conf.POLL)
