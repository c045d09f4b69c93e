"""Counters of what ended, kept in the database so that pruning and restarts leave them alone."""

from __future__ import annotations

import os
from typing import Any

from django.db.models import F

from analysis.models import StatusTally


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
