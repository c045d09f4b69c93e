"""Counters of what ended, kept in the database so that pruning and restarts leave them alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from analysis.models import AnalysisAttempt, FailureCounter, StatusTally
from arboris.sql import Plus, Update, write

COUNTERS = ("completed", "failed", "cancelled", "retried", "rescued")
TOKENS = {kind: f"tokens_{kind}" for kind in StatusTally.TOKEN_KINDS}


def added(**numbers: float) -> Update:
    """Adds to columns of this process's shard, so that workers do not wait for one another."""
    shard = os.getpid() % StatusTally.SHARDS
    return Update(StatusTally, {"pk": shard}, {name: Plus(by) for name, by in numbers.items()})


def count(**numbers: float) -> None:
    """Add to the counters in the caller's transaction."""
    if numbers:
        write(added(**numbers))


def count_failure(code: str) -> None:
    """An analysis has failed for good with that error, in the caller's transaction."""
    count(failed=1)
    key = {"shard": os.getpid() % StatusTally.SHARDS, "error_type": code}
    if FailureCounter.objects.filter(**key).update(failures=F("failures") + 1):
        return
    # Another process of this shard may create it at this moment.
    with contextlib.suppress(IntegrityError), transaction.atomic():
        FailureCounter.objects.create(**key)
    FailureCounter.objects.filter(**key).update(failures=F("failures") + 1)


def failures() -> dict[str, int]:
    """How many have failed for good, by the error's code."""
    sums = FailureCounter.objects.order_by().values_list("error_type")
    return dict(sums.annotate(number=Sum("failures")))


def of_run(seconds: float) -> dict[str, float]:
    """The counters of one completed run: number, total and histogram bucket."""
    return {"completed": 1, "seconds": seconds, StatusTally.bucket_of(seconds): 1}


def of_tokens(task_id: int, attempt: int, used: Mapping[str, int]) -> dict[str, int]:
    """The counters of what the attempt added to the task's tokens, which go on through its
    attempts.

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


def totals() -> dict[str, float]:
    """Every column summed over the shards."""
    columns = (*COUNTERS, "seconds", *TOKENS.values(), *StatusTally.BUCKETS)
    sums = StatusTally.objects.aggregate(**{column: Sum(column) for column in columns})
    return {column: float(sums[column] or 0) for column in columns}


def mean_seconds() -> float | None:
    """Mean duration of all completed analyses, in seconds; None before the first."""
    sums = totals()
    return sums["seconds"] / sums["completed"] if sums["completed"] else None
