"""Reading the counters that ``queue.tally`` keeps."""

from __future__ import annotations

from django.db.models import Sum

from analysis.models import StatusTally

COUNTERS = ("completed", "failed", "cancelled", "retried", "rescued")
TOKENS = {kind: f"tokens_{kind}" for kind in StatusTally.TOKEN_KINDS}
BUCKETS = (*(f"le_{position}" for position in range(len(StatusTally.BOUNDS))), "le_inf")


def totals() -> dict[str, float]:
    """Every column summed over the shards."""
    columns = (*COUNTERS, "seconds", *TOKENS.values(), *BUCKETS)
    sums = StatusTally.objects.aggregate(**{column: Sum(column) for column in columns})
    return {column: float(sums[column] or 0) for column in columns}


def mean_seconds() -> float | None:
    """Mean duration of all completed analyses, in seconds; None before the first."""
    sums = totals()
    return sums["seconds"] / sums["completed"] if sums["completed"] else None
