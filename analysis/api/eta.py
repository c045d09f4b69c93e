"""How long a task will still take: its place in the queue and an estimate from what ran before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Q

from analysis.models import PendingAnalysis, Status
from analysis.queue import counters, fairness

# Beyond this place nobody waits for the exact number, and counting further costs.
FARTHEST = 10_000


@dataclass(frozen=True, slots=True)
class Eta:
    position: int | None  # 1: next; None unless pending
    eta_seconds: float | None  # until its end; None where nothing has ever run, or it has ended

    @classmethod
    def of(cls, task: PendingAnalysis) -> Eta:
        mean = counters.mean_seconds()
        if task.status == Status.PROCESSING:
            if mean is None or task.started_at is None:
                return cls(None, None)
            ran = (datetime.now(UTC) - task.started_at).total_seconds()
            return cls(None, round(max(0.0, mean - ran), 1))
        if task.status != Status.PENDING:
            return cls(None, None)
        ahead = PendingAnalysis.objects.filter(_ahead(task), status=Status.PENDING)
        position = len(ahead.values_list("pk", flat=True)[:FARTHEST]) + 1
        if mean is None:
            return cls(position, None)
        rounds = max(-(-position // settings.ARBORIS_MAX_CONCURRENT), _in_novel(task))
        return cls(position, round(rounds * mean, 1))


def _in_novel(task: PendingAnalysis) -> int:
    """Its place among its novel's chapters that are analysed one by one; 0: it goes by itself."""
    if not task.in_order:
        return 0
    line = PendingAnalysis.objects.filter(project_id=task.project_id, in_order=True)
    earlier = line.filter(chapter__chapter_number__lt=task.chapter.chapter_number)
    running, waiting = Q(status=Status.PROCESSING), Q(status=Status.PENDING)
    return line.filter(running).count() + earlier.filter(waiting).count() + 1


def _ahead(task: PendingAnalysis) -> Q:
    """What comes before it in the order of claims."""
    ahead, alike = Q(), Q()
    for name in fairness.order():
        column = name.removeprefix("-")
        value = getattr(task, column)
        ahead |= alike & Q(**{f"{column}__{'gt' if name != column else 'lt'}": value})
        alike &= Q(**{column: value})
    return ahead
