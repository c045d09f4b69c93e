"""The history of the queue: a look at it from time to time, a part of each sweep.

Three series, each kept a little longer than it is shown: 60 s for an hour, 600 s for a day, an hour
for a week. That is some 500 rows in all, whatever the queue goes through.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from analysis.models import PendingAnalysis, Status
from analysis.overview.models import QueueSample
from analysis.queue import counters
from analysis.queue.fairness import BY_AGE
from arboris.db import in_transaction
from arboris.llm.models import SpendCounter

# For how long the samples of each step (in seconds) are kept.
KEPT = {60: timedelta(hours=2), 600: timedelta(hours=26), 3600: timedelta(days=8)}
# How far is counted, and one more: a sample costs the same beyond.
MOST = 100_000


def slot_of(moment: datetime, step: int) -> int:
    return int(moment.timestamp()) // step


def take(now: datetime) -> int:
    """Look at the queue where a step has begun that has no sample; returns how many were kept."""
    wanted = {step: slot_of(now, step) for step in KEPT}
    there = Q()
    for step, slot in wanted.items():
        there |= Q(step=step, slot=slot)
    for step in QueueSample.objects.filter(there).values_list("step", flat=True):
        del wanted[step]
    if wanted:
        seen = look(now)
        in_transaction(lambda: _keep(seen, wanted, now))
    return len(wanted)


def look(now: datetime) -> QueueSample:
    """How it stands, as a sample that is not kept."""
    pending = in_claim_order(Status.PENDING)[: MOST + 1].aggregate(
        number=Count("pk"), due=Count("pk", filter=Q(due_at__lte=now))
    )
    seen = sums(now)
    seen.pending, seen.due = pending["number"], pending["due"]
    seen.processing = counted(Status.PROCESSING)
    return seen


def counted(status: Status) -> int:
    """Counts above MOST are MOST + 1."""
    return in_claim_order(status)[: MOST + 1].count()


def in_claim_order(status: Status) -> QuerySet[PendingAnalysis]:
    """As an index has them: PostgreSQL would else look for the first ones in the table, where all
    that has ended may stand before them."""
    return PendingAnalysis.objects.filter(status=status).order_by(*BY_AGE)


def sums(now: datetime) -> QueueSample:
    """What the counters have come to, as a sample without how much waits."""
    ended = counters.totals()
    columns = ("prompt_tokens", "completion_tokens", "cost")
    spent = SpendCounter.objects.aggregate(**{column: Sum(column) for column in columns})
    return QueueSample(
        at=now,
        **{name: int(ended[name]) for name in ("completed", "failed", "cancelled")},
        **{column: spent[column] or Decimal(0) for column in columns},
    )


def _keep(seen: QueueSample, slots: dict[int, int], now: datetime) -> None:
    for step, slot in slots.items():
        seen.pk, seen.step, seen.slot = None, step, slot
        # Another sweep may have kept one in this very moment.
        QueueSample.objects.bulk_create([seen], ignore_conflicts=True)
        old = slot_of(now - KEPT[step], step)
        QueueSample.objects.filter(step=step, slot__lt=old).delete()


def before(moment: datetime, now: datetime) -> QueueSample | None:
    """The sample from which on sums since ``moment`` count: its step's, or the first after it."""
    step = next((step for step, kept in KEPT.items() if now - moment <= kept), max(KEPT))
    rows = QueueSample.objects.filter(step=step, slot__gte=slot_of(moment, step))
    return rows.order_by("slot").first()
