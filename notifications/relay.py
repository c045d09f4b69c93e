"""The relay hands new rows of the outbox to this process's sockets, while there are any.

It reads the table itself and needs no message bus: a wake-up makes it read at once, the tick makes
it read anyway.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from django.db import connection
from django.db.models import Max, Q

from arboris import wake
from arboris.db import drop_connection
from arboris.outage import Outage
from notifications import ports, queries
from notifications.handshake import Credential, standing
from notifications.models import AnalysisNotification
from notifications.ports import Bible, Progress

log = logging.getLogger(__name__)

# The database assigns an id before the transaction commits, so a lower id may become visible after
# a higher one. The tailer asks for a missing id again for this long.
HOLE_SECONDS = 60.0
STEP_BACK = 200
BATCH = 500
REMEMBERED = 5_000
# A gap wider than this is a restored or pruned table, not transactions under way.
MOST_HOLES = 500
PROGRESS_SECONDS = 1.0


class Subscriber(Protocol):
    user_id: int
    # What it was told last: the writer's ReadCount, how many of their analyses run or are due, and
    # how their bibles are.
    reads: int
    live: Mapping[str, int]
    bibles: Mapping[str, Bible]
    credential: Credential
    checked_at: float  # when it was last seen that this still stands, by time.monotonic

    def deliver(self, row: AnalysisNotification) -> None:
        """Called on the relay's thread; must not block."""

    async def close(self, code: int) -> None: ...

    def deliver_signed_out(self) -> None:
        """Likewise: what opened the socket has ended."""

    def deliver_progress(self, progress: Progress) -> None:
        """Likewise; a later progress may replace one that has not been sent."""

    def deliver_reads(self) -> None:
        """Likewise: something was marked as read, here or elsewhere."""

    def deliver_live(self, numbers: Mapping[str, int]) -> None:
        """Likewise: so many of the writer's analyses run or are due by now, by novel."""

    def deliver_bibles(self, changed: Mapping[str, Bible]) -> None:
        """Likewise: these bibles are others by now."""


class Tailer:
    """Reads each notification once, when it becomes visible, in whatever order they commit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        newest = AnalysisNotification.objects.aggregate(newest=Max("pk"))["newest"] or 0
        self.position = max(0, newest - STEP_BACK)
        self._holes: dict[int, float] = {}
        self._seen: OrderedDict[int, None] = OrderedDict()
        # Sockets take what is visible now by themselves; ids missing in between may yet commit.
        self.read()

    def read(self) -> list[AnalysisNotification]:
        """Rows that have become visible since the last call, in the order of their ids."""
        now = self._clock()
        wanted = Q(pk__gt=self.position)
        if self._holes:
            wanted |= Q(pk__in=list(self._holes))
        rows = list(queries.told().filter(wanted).order_by("pk")[:BATCH])
        fresh = [row for row in rows if row.pk not in self._seen]
        for row in fresh:
            self._holes.pop(row.pk, None)
            if row.pk > self.position:
                first = max(self.position + 1, row.pk - MOST_HOLES)
                self._holes.update(dict.fromkeys(range(first, row.pk), now))
                self.position = row.pk
            self._seen[row.pk] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        for hole in [pk for pk, since in self._holes.items() if now - since > HOLE_SECONDS]:
            del self._holes[hole]
        return fresh


@dataclass
class _Work:
    """State of the relay's thread that survives an outage, so that nothing is lost."""

    tailer: Tailer | None = None
    progress_at: float = 0.0


class Relay:
    """Hands each row that the tailer reads to its writer's sockets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: dict[int, set[Subscriber]] = {}
        self._thread: threading.Thread | None = None

    def subscribe(self, subscriber: Subscriber) -> None:
        with self._lock:
            self._subscribers.setdefault(subscriber.user_id, set()).add(subscriber)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
                self._thread.start()

    def unsubscribe(self, subscriber: Subscriber) -> None:
        with self._lock:
            mine = self._subscribers.get(subscriber.user_id, set())
            mine.discard(subscriber)
            if not mine:
                self._subscribers.pop(subscriber.user_id, None)

    def subscribers(self) -> list[Subscriber]:
        with self._lock:
            return [one for mine in self._subscribers.values() for one in mine]

    def count(self) -> int:
        """Open sockets of this process."""
        return len(self.subscribers())

    def _run(self) -> None:
        try:
            self._keep_relaying()
        finally:
            drop_connection()
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _keep_relaying(self) -> None:
        """Relay until nobody listens any more; whatever fails is tried again.

        This one thread serves every socket of the process, so nothing that fails may end it.
        """
        tick = 0.1 if connection.vendor == "sqlite" else 0.25
        work = _Work()
        outage = Outage(log)
        while True:
            try:
                with contextlib.closing(wake.listen("notifications")) as listener:
                    while not self._finished():
                        self._tick(work)
                        outage.worked("relay: works again")
                        listener.wait(tick)
                    return
            except Exception:  # noqa: BLE001  # told by outage.failed
                outage.failed("relay: stopped, tries again until it works", traceback=True)
                drop_connection()
                time.sleep(outage.pause)
                if self._finished():
                    return

    def _tick(self, work: _Work) -> None:
        if work.tailer is None:
            work.tailer = Tailer()
            self._dispatch_missed(work.tailer)
        self._dispatch(work.tailer.read())
        if time.monotonic() >= work.progress_at:
            work.progress_at = time.monotonic() + PROGRESS_SECONDS
            self._end_those_signed_out()
            self._tell_progress()
            self._tell_changes()

    def _finished(self) -> bool:
        """Whether nobody listens any more; decided under the lock that subscribing takes."""
        with self._lock:
            if self._subscribers:
                return False
            self._thread = None
            return True

    def _dispatch_missed(self, tailer: Tailer) -> None:
        """Send what committed between the first subscription and the tailer's first read."""
        rows = (
            queries.told()
            .filter(pk__gt=tailer.position - STEP_BACK, user_id__in=list(self._subscribers))
            .order_by("pk")
        )
        self._dispatch(list(rows))

    def _dispatch(self, rows: list[AnalysisNotification]) -> None:
        for row in rows:
            with self._lock:
                targets = list(self._subscribers.get(row.user_id, ()))
            for subscriber in targets:
                subscriber.deliver(row)

    def _end_those_signed_out(self) -> None:
        """For all sockets at once, so that none asks by itself."""
        sockets, now = self.subscribers(), time.monotonic()
        stand = standing({socket.credential for socket in sockets})
        for socket in sockets:
            if socket.credential in stand:
                socket.checked_at = now
            else:
                socket.deliver_signed_out()

    def _tell_progress(self) -> None:
        with self._lock:
            users = list(self._subscribers)
        for progress in ports.running(users):
            with self._lock:
                targets = list(self._subscribers.get(progress.user_id, ()))
            for subscriber in targets:
                subscriber.deliver_progress(progress)

    def _tell_changes(self) -> None:
        """Tell each socket what has changed since it was told last."""
        sockets = self.subscribers()
        users = {socket.user_id for socket in sockets}
        reads, live, bibles = queries.reads(users), ports.live(users), ports.bibles(users)
        for socket in sockets:
            if socket.reads != reads[socket.user_id]:
                socket.reads = reads[socket.user_id]
                socket.deliver_reads()
            if socket.live != live.get(socket.user_id, {}):
                socket.live = live.get(socket.user_id, {})
                socket.deliver_live(socket.live)
            before, socket.bibles = socket.bibles, bibles.get(socket.user_id, {})
            if changed := {at: now for at, now in socket.bibles.items() if before.get(at) != now}:
                socket.deliver_bibles(changed)


relay = Relay()
