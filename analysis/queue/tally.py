"""Counters of what ended, kept in the database so that pruning and restarts leave them alone."""

from __future__ import annotations

import os
from typing import Any

from django.db.models import F

from analysis.models import AnalysisAttempt, StatusTally


def count(**changes: float) -> None:
    """Add to columns of this process's shard, in the caller's transaction."""
    update: dict[str, Any] = {column: F(column) + by for column, by in changes.items() if by}
    StatusTally.objects.filter(shard=os.getpid() % StatusTally.SHARDS).update(**update)


def count_run(seconds: float) -> None:
    """One completed run: count, total and histogram bucket."""
    bucket = "le_inf"
    for position, bound in enumerate(StatusTally.BOUNDS):
        if seconds <= bound:
            bucket = f"le_{position}"
            break
    count(completed=1, seconds=seconds, **{bucket: 1})


def count_tokens(task_id: int, attempt: int, used: dict[str, int]) -> None:
    """Count what the attempt added to the task's tokens, which go on through its attempts.

    What an attempt spent that ended without telling (its worker was lost, or gave it back) is
    part of what the next one tells, as far as its checkpoint was kept.
    """
    if not any(used.values()):
        return
    told = (
        AnalysisAttempt.objects.filter(
            task_id=task_id, number__lt=attempt, token_usage__isnull=False
        )
        .order_by("-number")
        .values_list("token_usage", flat=True)
        .first()
    ) or {}
    count(
        **{
            f"tokens_{kind}": max(0, used.get(kind, 0) - told.get(kind, 0))
            for kind in StatusTally.TOKEN_KINDS
        }
    )
