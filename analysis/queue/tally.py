"""Counters of what ended, kept in the database so that pruning and restarts leave them alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from analysis.models import AnalysisAttempt, StatusTally
from arboris import sql

# NULL is no number, so the statement fails, and with it what was sent along.
COMPLETED_IF_FENCED = sql.Expression("completed + IF(ROW_COUNT() = 1, 1, NULL)")


def counting(changes: Mapping[str, float], *, after_fence: bool = False) -> sql.Statement:
    """Adds to columns of this process's shard.

    ``after_fence``: an IntegrityError where the statement before this one has changed no row. For
    MySQL and MariaDB, which may be told to commit before anybody has read the answers.
    """
    added: dict[str, Any] = {column: sql.Plus(by) for column, by in changes.items()}
    if after_fence and sql.vendor() == "mysql":
        added["completed"] = COMPLETED_IF_FENCED
    return sql.update(StatusTally, {"pk": os.getpid() % StatusTally.SHARDS}, **added)


def count(**changes: float) -> None:
    """Add to the counters in the caller's transaction."""
    sql.run([counting(changes)])


def of_run(seconds: float) -> dict[str, float]:
    """The counters of one completed run: number, total and histogram bucket."""
    bucket = "le_inf"
    for position, bound in enumerate(StatusTally.BOUNDS):
        if seconds <= bound:
            bucket = f"le_{position}"
            break
    return {"completed": 1, "seconds": seconds, bucket: 1}


def of_tokens(task_id: int, attempt: int, used: Mapping[str, int]) -> dict[str, int]:
    """The counters of what the attempt added to the task's tokens, which go on through its attempts.

    What an attempt spent that ended without telling (its worker was lost, or gave it back) is
    part of what the next one tells, as far as its checkpoint was kept.
    """
    if not any(used.values()):
        return {}
    told: dict[str, int] = {}
    if attempt > 1:
        told = (
            AnalysisAttempt.objects.filter(
                task_id=task_id, number__lt=attempt, token_usage__isnull=False
            )
            .order_by("-number")
            .values_list("token_usage", flat=True)
            .first()
        ) or {}
    return {
        f"tokens_{kind}": max(0, used.get(kind, 0) - told.get(kind, 0))
        for kind in StatusTally.TOKEN_KINDS
    }
