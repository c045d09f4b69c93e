"""The daily deletion of what ended long ago: a batch with each sweep, until nothing is left.

In small steps and not at once, so that it never holds up the steward that renews leases, nor the
database, and a restart in between costs nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings

from analysis.models import QueueControl, Status
from analysis.queue.prune import BATCH, prune
from arboris.llm.accounting import call_log

log = logging.getLogger(__name__)
EVERY = timedelta(days=1)


def step(now: datetime) -> int:
    """Delete one batch if today's deletion is not through yet; returns how many analyses."""
    pruned_at = QueueControl.objects.values_list("pruned_at", flat=True).get(pk=1)
    if pruned_at is not None and now - pruned_at < EVERY:
        return 0
    calls = call_log.prune(now)
    deleted = sum(
        prune(statuses, now - timedelta(days=days), progress=lambda count: None, limit=BATCH)
        for statuses, days in (
            ((Status.COMPLETED, Status.CANCELLED), settings.ARBORIS_KEEP_DAYS),
            ((Status.FAILED,), settings.ARBORIS_KEEP_FAILED_DAYS),
        )
        if days
    )
    if deleted:
        log.info("retention: %d analyses deleted", deleted)
    if calls:
        log.info("retention: %d rows of the call log deleted", calls)
    if deleted < BATCH and calls < call_log.BATCH:
        QueueControl.objects.filter(pk=1).update(pruned_at=now)
    return deleted
