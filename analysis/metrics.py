"""The queue in Prometheus' terms, read from the database at each scrape.

What the tables hold is the same for every process, so any web process can be scraped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import REGISTRY, Collector

from analysis import queue
from analysis.health import paused_endpoints
from analysis.models import (
    PendingAnalysis,
    QueueControl,
    QueuePause,
    Status,
    StatusTally,
    WorkerHeartbeat,
)
from analysis.queue import budget, counters, due
from arboris.db import db_now
from arboris.llm.accounting import call_log
from notifications.relay import relay

# A worker that was not seen for longer is gone: its row is only kept for people to look at.
SEEN_WITHIN = timedelta(seconds=60)

_registered = False


def register() -> None:
    """Once per process, however often the apps are set up."""
    global _registered
    if not _registered:
        REGISTRY.register(QueueCollector())
        _registered = True


class QueueCollector(Collector):
    def describe(self) -> Iterable[Metric]:
        return []  # registering must not touch the database

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("arboris_database_up", "Whether the database answered this scrape.")
        try:
            families = [*_queue(), *_workers()]
        except (DatabaseError, QueueControl.DoesNotExist):
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from families
        yield GaugeMetricFamily(
            "arboris_open_sockets", "WebSockets open in this process.", value=relay.count()
        )


def _queue() -> Iterator[Metric]:
    sums = counters.totals()
    yield _by_status(sums)
    mean = sums["seconds"] / sums["completed"] if sums["completed"] else 0.0
    yield GaugeMetricFamily(
        "pending_analysis_duration_seconds", "Mean duration of completed analyses.", value=mean
    )
    yield _histogram(sums)
    oldest = due.oldest(queue.configured())
    yield GaugeMetricFamily(
        "pending_analysis_oldest_age_seconds",
        "Age of the oldest analysis that may begin: 0 where all are paused, parked or to be tried "
        "later.",
        value=(db_now() - oldest).total_seconds() if oldest else 0.0,
    )
    control = QueueControl.objects.get(pk=1)
    numbers = {"claims": control.claimed, "retries": sums["retried"], "rescues": sums["rescued"]}
    for name, number in numbers.items():
        yield CounterMetricFamily(
            f"pending_analysis_{name}", f"Number of {name} since the beginning.", value=number
        )
    yield _tokens(sums)
    yield from _calls()
    yield GaugeMetricFamily(
        "pending_analysis_paused", "Whether claims are paused.", value=control.paused_at is not None
    )
    yield GaugeMetricFamily(
        "pending_analysis_parked",
        "Pending analyses that wait for the next month's budget.",
        value=budget.count(),
    )
    yield from _pauses(control)


def _by_status(sums: dict[str, float]) -> Metric:
    live = dict(
        PendingAnalysis.objects.filter(status__in=[Status.PENDING, Status.PROCESSING])
        .order_by()
        .values_list("status")
        .annotate(number=Count("pk"))
    )
    # A gauge by type: two of its series are levels. Its name is part of the documented outside.
    total = GaugeMetricFamily(
        "pending_analysis_total",
        "Analyses by status: pending and processing now, the others since the beginning.",
        labels=["status"],
    )
    for status in (Status.PENDING, Status.PROCESSING):
        total.add_metric([status.value], live.get(status.value, 0))
    for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED):
        total.add_metric([status.value], sums[status.value])
    return total


def _pauses(control: QueueControl) -> Iterator[Metric]:
    pauses = GaugeMetricFamily(
        "pending_analysis_pauses",
        "What is paused: all of the queue (0 or 1), novels, writers.",
        labels=["scope"],
    )
    pauses.add_metric(["all"], control.paused_at is not None)
    counts = QueuePause.objects.aggregate(project=Count("project"), writer=Count("user"))
    for scope, count in counts.items():
        pauses.add_metric([scope], count)
    yield pauses
    endpoints = GaugeMetricFamily(
        "pending_analysis_endpoint_paused",
        "Endpoints that have refused us, each until a probe gets through.",
        labels=["endpoint", "error_type"],
    )
    for state in paused_endpoints():
        endpoints.add_metric([state["name"], state["error_type"]], 1)
    yield endpoints


def _tokens(sums: dict[str, float]) -> Metric:
    family = CounterMetricFamily(
        "pending_analysis_tokens",
        "Tokens spent since the beginning; estimated: how many of the others were never reported.",
        labels=["kind"],
    )
    for kind, column in counters.TOKENS.items():
        family.add_metric([kind], sums[column])
    return family


def _calls() -> Iterator[Metric]:
    """What all calls to models have used, analyses or not."""
    tokens = CounterMetricFamily(
        "arboris_llm_tokens",
        "Tokens of calls to language models; estimated: how many of the others were never "
        "reported.",
        labels=["model", "feature", "kind"],
    )
    cost = CounterMetricFamily(
        "arboris_llm_cost",
        "Cost of calls to language models, by the price table.",
        labels=["model", "feature", "currency"],
    )
    for spent in call_log.counters():
        kinds = {"prompt": spent.prompt, "completion": spent.completion}
        for kind, number in (kinds | {"estimated": spent.estimated}).items():
            tokens.add_metric([spent.model, spent.purpose, kind], number)
        cost.add_metric(
            [spent.model, spent.purpose, settings.ARBORIS_LLM_CURRENCY], float(spent.cost)
        )
    yield tokens
    yield cost


def _histogram(sums: dict[str, float]) -> Metric:
    bounds = [*(f"{float(bound)}" for bound in StatusTally.BOUNDS), "+Inf"]
    buckets, running = [], 0.0
    for bound, column in zip(bounds, counters.BUCKETS, strict=True):
        running += sums[column]
        buckets.append((bound, running))
    return HistogramMetricFamily(
        "pending_analysis_run_seconds",
        "Duration of completed analyses.",
        buckets=buckets,
        sum_value=sums["seconds"],
    )


def _workers() -> Iterator[Metric]:
    now = db_now()
    age = GaugeMetricFamily(
        "arboris_worker_heartbeat_age_seconds", "Since a worker was last seen.", labels=["worker"]
    )
    for beat in WorkerHeartbeat.objects.filter(seen_at__gte=now - SEEN_WITHIN):
        age.add_metric([beat.worker], (now - beat.seen_at).total_seconds())
    yield age
