"""How many calls ended in which way, and how long they took, since the beginning.

Pruning the call log does not change these counters: they are what Prometheus reads.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from arboris.llm.accounting.admission import OK
from arboris.llm.models import CallCounter, ModelCall, SpendCounter

# In the place of a model that has never answered: any writer may ask for one that does not exist.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class CallTotal:
    """Calls of one model with one outcome; ``buckets`` of the answered ones, each for itself."""

    endpoint: str
    model: str
    outcome: str
    calls: int
    seconds: float
    buckets: tuple[int, ...]


def count(call: ModelCall) -> None:
    """Add a call that has just ended, in the caller's transaction."""
    added = {"calls": F("calls") + 1, "seconds": F("seconds") + call.seconds}
    if call.outcome == OK:
        bucket = CallCounter.bucket_of(call.seconds)
        added[bucket] = F(bucket) + 1
    key = {
        "shard": os.getpid() % SpendCounter.SHARDS,
        "endpoint": call.endpoint,
        "model": call.model,
        "outcome": call.outcome,
    }
    if CallCounter.objects.filter(**key).update(**added):
        return
    if not (call.prompt_tokens or call.completion_tokens or _is_known(call)):
        key["model"] = OTHER
    # Another process of this shard may create it at this moment.
    with contextlib.suppress(IntegrityError), transaction.atomic():
        CallCounter.objects.create(**key)
    CallCounter.objects.filter(**key).update(**added)


def _is_known(call: ModelCall) -> bool:
    if call.model == settings.ARBORIS_LLM_MODEL:
        return True
    return SpendCounter.objects.filter(model=call.model).exists()


def totals() -> Iterator[CallTotal]:
    """Yield the counters, summed over their shards."""
    columns = ("calls", "seconds", *CallCounter.BUCKETS)
    names = ("endpoint", "model", "outcome")
    sums = CallCounter.objects.values_list(*names).order_by(*names)
    for row in sums.annotate(*(Sum(name) for name in columns)):
        endpoint, model, outcome, calls, seconds, *buckets = row
        yield CallTotal(endpoint, model, outcome, calls, seconds, tuple(buckets))
