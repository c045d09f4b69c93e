"""Steps of the database's clock: noticed by a sweep, and made good before they cost anybody a task.

Stored times are compared with the database's clock, whose host may set it all the same. Where it
is set forward, every lease is over at once; where it is set back, what is due would be late.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet

from analysis.djangoq import watchdog
from analysis.models import (
    BulkOperation,
    EndpointState,
    PendingAnalysis,
    QueueControl,
    Status,
    WorkerHeartbeat,
)
from arboris.db import db_now, in_transaction, locked

log = logging.getLogger(__name__)

TOLERANCE = timedelta(seconds=5)  # below it a step costs nothing
BATCH = 1_000


class Watch:
    """What one process has seen of the database's clock, beside the monotonic one."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None  # and when it was asked for

    @property
    def has_looked(self) -> bool:
        return self._last is not None

    def look(self) -> tuple[datetime, timedelta]:
        """The database's time, and by how much its clock was set forward since the last look, at
        least: when within a slow answer it was read is not known."""
        asked = time.monotonic()
        now = db_now()
        told = time.monotonic()
        last = self._last
        step = (now - last[0]) - timedelta(seconds=told - last[1]) if last else timedelta()
        # What a slow answer does not show, the next one shows beside the last quick one.
        if last is None or step > TOLERANCE or told - asked <= TOLERANCE.total_seconds() / 2:
            self._last = (now, asked)
        return now, step


def check(watch: Watch) -> datetime:
    """The database's time, once a step of its clock that can be seen has been made good."""
    now, step = watch.look()
    back = _set_back_by(now)
    if back:
        log.warning("the database's clock was set back by %s: what is queued keeps its time", back)
        _date(PendingAnalysis.objects.filter(due_at__gt=now), back)
        _date_endpoints(now, back)
        in_transaction(lambda: _shorten_operations(now))
    if back or step > TOLERANCE:
        log.warning("the database's clock was set: all leases begin anew")
        in_transaction(lambda: _renew_leases(now))
        in_transaction(lambda: _see_workers(now))
    elif _is_newest_ahead(now):  # of a time in which nobody swept
        _date(PendingAnalysis.objects.filter(created_at__gt=now), None)
    return now


def _set_back_by(now: datetime) -> timedelta:
    """By how much, if it was since the last sweep: that one then lies ahead. One process is told
    so."""
    control = QueueControl.objects.filter(pk=1)
    swept = control.values_list("swept_at", flat=True).first()
    if swept is None or swept <= now + TOLERANCE:
        return timedelta()
    if swept <= db_now() + TOLERANCE:  # another one has swept while this one was held up
        return timedelta()
    mine = in_transaction(lambda: control.filter(swept_at=swept).update(swept_at=now))
    # What was queued after that sweep is dated back a bit too little without this.
    return swept - now + timedelta(seconds=settings.ARBORIS_POLL_INTERVAL) if mine else timedelta()


def _is_newest_ahead(now: datetime) -> bool:
    newest = PendingAnalysis.objects.order_by("-pk").values_list("created_at", flat=True).first()
    return newest is not None and newest > now + TOLERANCE


def _date(tasks: QuerySet[PendingAnalysis], back: timedelta | None) -> None:
    """Pending ones by so much back; without it, due from now on."""
    for ids in _batches(tasks.filter(status=Status.PENDING)):
        in_transaction(lambda ids=ids: _date_batch(ids, back))  # type: ignore[misc]


def _date_batch(ids: list[int], back: timedelta | None) -> None:
    now = db_now()
    pending = PendingAnalysis.objects.filter(pk__in=ids, status=Status.PENDING)
    list(locked(pending).order_by("pk").values_list("pk", flat=True))
    ahead = pending.filter(created_at__gt=now)
    if back is None:
        ahead.update(created_at=now, due_at=now)
        return
    ahead.update(created_at=F("created_at") - back)
    pending.update(due_at=F("due_at") - back)


def _batches(tasks: QuerySet[PendingAnalysis]) -> Iterator[list[int]]:
    last = 0
    while ids := list(
        tasks.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        watchdog.beat()
        yield ids
        last = ids[-1]


def _date_endpoints(now: datetime, back: timedelta) -> None:
    late = EndpointState.objects.filter(probe_at__gt=now)
    in_transaction(lambda: late.update(probe_at=F("probe_at") - back))


def _renew_leases(now: datetime) -> None:
    """For everybody, as after an outage: who lives renews it, and who is dead loses it then."""
    running = PendingAnalysis.objects.filter(status=Status.PROCESSING)
    ids = list(locked(running).order_by("pk").values_list("pk", flat=True))
    expires = now + timedelta(seconds=settings.ARBORIS_LEASE_SECONDS)
    running.filter(pk__in=ids).update(lease_expires_at=expires)


def _shorten_operations(now: datetime) -> None:
    """Whoever has died would keep its operation until the old time has come again."""
    expires = now + timedelta(seconds=settings.ARBORIS_LEASE_SECONDS)
    running = BulkOperation.objects.filter(state=BulkOperation.State.RUNNING)
    running.filter(lease_expires_at__gt=expires).update(lease_expires_at=expires)


def _see_workers(now: datetime) -> None:
    names = list(locked(WorkerHeartbeat.objects.all()).order_by("pk").values_list("pk", flat=True))
    WorkerHeartbeat.objects.filter(pk__in=names).update(seen_at=now)
