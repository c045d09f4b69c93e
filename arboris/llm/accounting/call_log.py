"""The call log: one row for each request, counters beside it, and sums over it."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from arboris.db import in_transaction
from arboris.llm.accounting import call_counters, prices, sums
from arboris.llm.accounting.admission import Payer, RequestRecord
from arboris.llm.configured import endpoint_name
from arboris.llm.models import ModelCall, SpendCounter

BATCH = 1_000
LONGEST_MODEL = 200
LONGEST_TARGET = 250


def row(payer: Payer, record: RequestRecord) -> ModelCall:
    """Return the row, not written yet, of a request that has just ended."""
    usage = record.usage
    # A writer may ask for any name: leave out what no database and no label can hold.
    model = "".join(filter(str.isprintable, record.model))[:LONGEST_MODEL]
    return ModelCall(
        call_id=uuid.uuid4(),
        created_at=datetime.now(UTC),
        endpoint=record.endpoint or endpoint_name(),
        instead_of=record.instead_of[:LONGEST_TARGET],
        prompt=record.prompt,
        model=model,
        purpose=payer.purpose[:30],
        task_id=payer.task_id,
        attempt=payer.attempt,
        project_id=payer.project_id,
        user_id=payer.user_id,
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        estimated_tokens=usage.estimated,
        cost=prices.cost(model, usage.prompt, usage.completion),
        outcome=record.outcome[:50],
        seconds=record.seconds,
    )


def write(call: ModelCall) -> None:
    """Write the row and count it: once, however often this is called with the same row."""
    in_transaction(lambda: _write(call))


def _write(call: ModelCall) -> None:
    try:
        with transaction.atomic():
            call.pk = None
            call.save(force_insert=True)
    except IntegrityError:
        if not ModelCall.objects.filter(call_id=call.call_id).exists():
            raise
        return  # written before; the answer was lost with the connection
    call_counters.count(call)
    sums.add(call)
    if call.prompt_tokens or call.completion_tokens:
        # Only what costs tokens gets a counter: any writer may ask for a model that does not exist.
        _count(call)


def _count(call: ModelCall) -> None:
    key = {
        "shard": os.getpid() % SpendCounter.SHARDS,
        "model": call.model,
        "purpose": call.purpose,
    }
    added = {
        "prompt_tokens": F("prompt_tokens") + call.prompt_tokens,
        "completion_tokens": F("completion_tokens") + call.completion_tokens,
        "estimated_tokens": F("estimated_tokens") + call.estimated_tokens,
        "cost": F("cost") + (call.cost or Decimal(0)),
    }
    if SpendCounter.objects.filter(**key).update(**added):
        return
    # Another process of this shard may create it at this moment.
    with contextlib.suppress(IntegrityError), transaction.atomic():
        SpendCounter.objects.create(**key)
    SpendCounter.objects.filter(**key).update(**added)


@dataclass(frozen=True, slots=True)
class SpendTotal:
    """What one model has ever cost for one purpose."""

    model: str
    purpose: str
    prompt: int
    completion: int
    estimated: int
    cost: Decimal


def counters() -> Iterator[SpendTotal]:
    """Yield the counters, summed over their shards. Pruning the log does not change them."""
    columns = ("prompt_tokens", "completion_tokens", "estimated_tokens", "cost")
    sums = SpendCounter.objects.values_list("model", "purpose").order_by("model", "purpose")
    for line in sums.annotate(*(Sum(column) for column in columns)):
        yield SpendTotal(*line)


def cost_of_task(task_id: int) -> Decimal | None:
    """Return what all attempts of a task have cost so far; None where no call has a price."""
    cost: Decimal | None = ModelCall.objects.filter(task_id=task_id).aggregate(s=Sum("cost"))["s"]
    return cost


def prune(now: datetime, limit: int = BATCH) -> int:
    """Delete at most ``limit`` rows older than ARBORIS_LLM_KEEP_DAYS; return how many."""
    days = settings.ARBORIS_LLM_KEEP_DAYS
    if not days:
        return 0
    old = ModelCall.objects.filter(created_at__lt=now - timedelta(days=days))
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    if not ids:
        return 0
    return in_transaction(lambda: ModelCall.objects.filter(pk__in=ids).delete()[0])
