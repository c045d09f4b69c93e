"""Deleting what ended long ago, in small batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from analysis.models import LIVE, PendingAnalysis, Status
from arboris.db import in_transaction, locked

BATCH = 500


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
