"""What retrying so many analyses will cost, from what the last ones did."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Sum

from analysis.groups import look
from analysis.models import PendingAnalysis, Status
from arboris.llm.models import ModelCall

LATEST = 2_000  # calls that the mean is of
OWN = 200  # of a group's own tasks


@dataclass(frozen=True, slots=True)
class Estimate:
    """``total`` and ``tokens`` of ``count`` analyses; None where no call says anything.

    ``offline``: the analyzer asks nobody, and nothing is paid. ``sampled``: how many analyses the
    mean is of; ``own``: they are the group's, which did not come to their end. ``unpriced``: some
    of their calls went to a model without a price, whose cost is not in the total.
    """

    analyzer: str
    currency: str
    count: int
    offline: bool
    total: Decimal | None = None
    tokens: int | None = None
    sampled: int = 0
    own: bool = False
    unpriced: bool = False


def estimate(fingerprint: str, count: int) -> Estimate:
    analyzer, currency = settings.ARBORIS_ANALYZER, settings.ARBORIS_LLM_CURRENCY
    if analyzer != "llm":
        return Estimate(analyzer, currency, count, offline=True, total=Decimal(0), tokens=0)
    own = list(look.failed(fingerprint).order_by("-pk").values_list("pk", flat=True)[:OWN])
    for tasks, is_own in ((_lately_completed(), False), (own, True)):
        sums = ModelCall.objects.filter(task_id__in=tasks).aggregate(
            calls=Count("pk"),
            priced=Count("cost"),
            cost=Sum("cost"),
            prompt=Sum("prompt_tokens"),
            completion=Sum("completion_tokens"),
            tasks=Count("task_id", distinct=True),
        )
        if sums["tasks"]:
            share = Decimal(count) / sums["tasks"]
            return Estimate(
                analyzer,
                currency,
                count,
                offline=False,
                total=None if sums["cost"] is None else sums["cost"] * share,
                tokens=round((sums["prompt"] + sums["completion"]) * share),
                sampled=sums["tasks"],
                own=is_own,
                unpriced=sums["priced"] < sums["calls"],
            )
    return Estimate(analyzer, currency, count, offline=False)


def _lately_completed() -> list[int]:
    """Completed analyses among those that the latest calls were for."""
    calls = ModelCall.objects.filter(task_id__isnull=False).order_by("-created_at")
    numbers = {number for number in calls.values_list("task_id", flat=True)[:LATEST] if number}
    done = PendingAnalysis.objects.filter(pk__in=numbers, status=Status.COMPLETED)
    return list(done.values_list("pk", flat=True))
