"""The ledger: a row for each request, the counters beside it, and its sums."""

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
from arboris.llm import prices
from arboris.llm.account import Account
from arboris.llm.configured import endpoint_name
from arboris.llm.gate import Ended
from arboris.llm.models import ModelCall, SpendTally

BATCH = 1_000
LONGEST_MODEL = 200


def row(account: Account, ended: Ended) -> ModelCall:
    """The row of a request that has ended just now; not written yet."""
    usage = ended.usage
    # A writer may wish for any name: what no database or label can hold is left out.
    model = "".join(filter(str.isprintable, ended.model))[:LONGEST_MODEL]
    return ModelCall(
        call_id=uuid.uuid4(),
        created_at=datetime.now(UTC),
        endpoint=endpoint_name(),
        model=model,
        purpose=account.purpose[:30],
        task_id=account.task_id,
        attempt=account.attempt,
        project_id=account.project_id,
        user_id=account.user_id,
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        estimated_tokens=usage.estimated,
        cost=prices.cost(model, usage.prompt, usage.completion),
        outcome=ended.outcome[:50],
        seconds=ended.seconds,
    )


def write(call: ModelCall) -> None:
    """Write the row and count it, once, however often this is called with it."""
    in_transaction(lambda: _write(call))


def _write(call: ModelCall) -> None:
    try:
        with transaction.atomic():
            call.pk = None
            call.save(force_insert=True)
    except IntegrityError:
        if not ModelCall.objects.filter(call_id=call.call_id).exists():
            raise
        return  # it was written, and the answer was lost with the connection
    if call.prompt_tokens or call.completion_tokens:
        # What spends nothing makes no series: anybody may ask for a model that does not exist.
        _count(call)


def _count(call: ModelCall) -> None:
    key = {
        "shard": os.getpid() % SpendTally.SHARDS,
        "model": call.model,
        "purpose": call.purpose,
    }
    added = {
        "prompt_tokens": F("prompt_tokens") + call.prompt_tokens,
        "completion_tokens": F("completion_tokens") + call.completion_tokens,
        "estimated_tokens": F("estimated_tokens") + call.estimated_tokens,
        "cost": F("cost") + (call.cost or Decimal(0)),
    }
    if SpendTally.objects.filter(**key).update(**added):
        return
    # Another process of this shard may make it in this moment.
    with contextlib.suppress(IntegrityError), transaction.atomic():
        SpendTally.objects.create(**key)
    SpendTally.objects.filter(**key).update(**added)


@dataclass(frozen=True, slots=True)
class Spent:
    """Counted since the beginning, of one model for one purpose."""

    model: str
    purpose: str
    prompt: int
    completion: int
    estimated: int
    cost: Decimal


def counters() -> Iterator[Spent]:
    """The counters, summed over their shards; they go on through every pruning."""
    columns = ("prompt_tokens", "completion_tokens", "estimated_tokens", "cost")
    sums = SpendTally.objects.values_list("model", "purpose").order_by("model", "purpose")
    for line in sums.annotate(*(Sum(column) for column in columns)):
        yield Spent(*line)


def cost_of_task(task_id: int) -> Decimal | None:
    """What a task's calls have cost so far, in all of its attempts; None: no call has a price."""
    cost: Decimal | None = ModelCall.objects.filter(task_id=task_id).aggregate(s=Sum("cost"))["s"]
    return cost


def prune(now: datetime, limit: int = BATCH) -> int:
    """Delete at most ``limit`` rows older than ARBORIS_LLM_KEEP_DAYS; returns how many."""
    days = settings.ARBORIS_LLM_KEEP_DAYS
    if not days:
        return 0
    old = ModelCall.objects.filter(created_at__lt=now - timedelta(days=days))
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    if not ids:
        return 0
    deleted, _ = ModelCall.objects.filter(pk__in=ids).delete()
    return deleted
