"""Deleting what ended long ago, in small batches: by hand, and a batch with each sweep.

A day's deletion goes in small steps and not at once, so that it never holds up the steward that
renews leases, nor the database, and a restart in between costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from analysis.models import LIVE, BulkChange, BulkOperation, PendingAnalysis, QueueControl, Status
from analysis.queue import steps
from arboris.db import in_transaction, locked
from arboris.idempotency import claims
from arboris.llm.accounting import call_log
from arboris.novels import making, trash, uploads
from arboris.tokens import service as tokens
from notifications import outbox

log = logging.getLogger(__name__)

BATCH = 500
MOST_CHANGES = 10_000  # small rows, and of an operation there may be a million
EVERY = timedelta(days=1)


def prune(
    statuses: Sequence[Status],
    older_than: datetime,
    *,
    progress: Callable[[int], None],
    only: Q | None = None,
    limit: int | None = None,
) -> int:
    """Delete ended tasks that ended before ``older_than``, the oldest first and in small batches.

    ``only`` narrows them further; at most ``limit`` are deleted. The sums behind the counters
    are kept apart and stay. Returns how many were deleted.
    """
    done = 0
    for status in statuses:  # one at a time: its part of the index has the order of the ends
        doomed = prunable([status], older_than, only)
        while limit is None or done < limit:
            size = BATCH if limit is None else min(BATCH, limit - done)
            ids = list(doomed.order_by("completed_at").values_list("pk", flat=True)[:size])
            if not ids:
                break
            # Asked again inside the transaction: one of them may have been retried meanwhile. Not
            # for its status too, which would make SQLite go through all that have ended.
            again = PendingAnalysis.objects.filter(pk__in=ids, completed_at__lt=older_than)
            deleted = in_transaction(lambda again=again: _delete(again))  # type: ignore[misc]
            done += deleted
            progress(deleted)
    return done


def prunable(
    statuses: Sequence[Status], older_than: datetime, only: Q | None = None
) -> QuerySet[PendingAnalysis]:
    """What ``prune`` deletes."""
    if set(statuses) & set(LIVE):
        raise ValueError("live tasks are never pruned")
    ended = PendingAnalysis.objects.filter(status__in=statuses, completed_at__lt=older_than)
    return ended if only is None else ended.filter(only)


def _delete(doomed: QuerySet[PendingAnalysis]) -> int:
    # Locked, for Django looks first and deletes then, by the keys alone.
    ids = list(locked(doomed).order_by("pk").values_list("pk", flat=True))
    _, per_model = PendingAnalysis.objects.filter(pk__in=ids).delete()
    return per_model.get("analysis.PendingAnalysis", 0)


class Deletion(NamedTuple):
    """What goes a batch at a time: ``batch`` returns how many rows it has deleted; fewer than
    ``most``, and none is left."""

    what: str  # in the plural, for the log
    batch: Callable[[datetime], int]
    most: int = 1


def prune_step(now: datetime) -> None:
    """Delete one batch of all that is kept no longer, if today's deletion is not through yet.

    Each kind of it by itself: one that fails holds up none of the others, and is tried again.
    """
    pruned_at = QueueControl.objects.values_list("pruned_at", flat=True).get(pk=1)
    if pruned_at is not None and now - pruned_at < EVERY:
        return
    through = [_is_through(deletion, now) for deletion in DELETIONS]
    if all(through):
        QueueControl.objects.filter(pk=1).update(pruned_at=now)


def _is_through(deletion: Deletion, now: datetime) -> bool:
    name = f"deleting old {deletion.what}"
    deleted = steps.take(name, lambda: deletion.batch(now))
    if deleted:
        log.info("retention: %d %s deleted", deleted, deletion.what)
    return deleted is not None and deleted < deletion.most


def _prune_notifications(now: datetime) -> int:
    days = settings.ARBORIS_KEEP_NOTIFICATION_DAYS
    return outbox.prune(now - timedelta(days=days), BATCH) if days else 0


def _empty_trash(now: datetime) -> int:
    days = settings.ARBORIS_KEEP_TRASH_DAYS
    return trash.empty_step(now - timedelta(days=days)) if days else 0


def _prune_ended(now: datetime) -> int:
    return _prune_after(settings.ARBORIS_KEEP_DAYS, now, Status.COMPLETED, Status.CANCELLED)


def _prune_failed(now: datetime) -> int:
    return _prune_after(settings.ARBORIS_KEEP_FAILED_DAYS, now, Status.FAILED)


def _prune_after(days: int, now: datetime, *statuses: Status) -> int:
    if not days:
        return 0
    return prune(statuses, now - timedelta(days=days), progress=lambda count: None, limit=BATCH)


def _prune_sessions(now: datetime) -> int:
    """Delete at most BATCH of the site's sessions that are over; Django only stops using them."""
    over = Session.objects.filter(expire_date__lt=now).order_by("expire_date")
    keys = list(over.values_list("pk", flat=True)[:BATCH])
    over = Session.objects.filter(pk__in=keys, expire_date__lt=now)
    return in_transaction(lambda: over.delete()[0]) if keys else 0


def _prune_bulk(now: datetime) -> int:
    """Delete of the oldest bulk operation that nobody has confirmed, or that ended as long ago as
    an analysis is kept: a batch of what it has changed, at last itself; its record stays."""
    states, days = BulkOperation.State, settings.ARBORIS_KEEP_DAYS
    old = Q(state=states.PREVIEWED, created_at__lt=now - EVERY)
    if days:
        ended = [states.DONE, states.STOPPED, states.FAILED]
        old |= Q(state__in=ended, created_at__lt=now - timedelta(days=days))
    first = BulkOperation.objects.filter(old).order_by("pk").first()
    if first is None:
        return 0
    changes = BulkChange.objects.filter(operation=first).order_by("pk")
    if ids := list(changes.values_list("pk", flat=True)[:MOST_CHANGES]):
        some = BulkChange.objects.filter(operation=first, pk__lte=ids[-1])
        return in_transaction(lambda: some.delete()[0])
    doomed = BulkOperation.objects.filter(pk=first.pk).exclude(state=states.RUNNING)
    return in_transaction(lambda: doomed.delete()[0])


DELETIONS = (
    Deletion("rows of the call log", call_log.prune, call_log.BATCH),
    Deletion("idempotency keys", claims.prune, claims.BATCH),
    Deletion("uploads", uploads.prune),
    Deletion("sessions", _prune_sessions, BATCH),
    Deletion("tokens", tokens.prune, tokens.BATCH),
    Deletion("notifications", _prune_notifications, BATCH),
    Deletion("rows of bulk operations", _prune_bulk),
    Deletion("unfinished chapters", making.prune),
    Deletion("chapters or novels in the trash", _empty_trash),
    Deletion("analyses that ended", _prune_ended, BATCH),
    Deletion("analyses that failed", _prune_failed, BATCH),
)
