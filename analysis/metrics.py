"""The queue in Prometheus' terms, read from the database at each scrape.

What the tables hold is the same for every process, so any web process can be scraped.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
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
from analysis.queue import budget, counted, counters, due
from arboris.db import db_now
from arboris.llm.accounting import budget as budgets
from arboris.llm.accounting import call_counters, call_log
from arboris.llm.accounting.admission import OK
from arboris.llm.models import BudgetStop, CallCounter
from notifications.relay import relay

# A worker that was not seen for longer is gone: its row is only kept for people to look at.
SEEN_WITHIN = timedelta(seconds=60)

_registered = False
due_now = counted.Due()


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
    yield from _by_status(sums)
    yield _failures()
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
    yield from _spent()
    yield from _calls()
    yield GaugeMetricFamily(
        "pending_analysis_paused", "Whether claims are paused.", value=control.paused_at is not None
    )
    yield GaugeMetricFamily(
        "pending_analysis_parked",
        "Pending analyses that wait for the next month's budget.",
        value=budget.count(),
    )
    yield _budgets()
    yield from _pauses(control)


def _by_status(sums: dict[str, float]) -> Iterator[Metric]:
    live = counted.live()
    pending = live.get(Status.PENDING.value, 0)
    number, age = due_now.count(pending)
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
    yield total
    yield GaugeMetricFamily(
        "pending_analysis_due",
        "Pending analyses whose time has come, also where a pause or a limit holds them back.",
        value=number,
    )
    yield GaugeMetricFamily(
        "pending_analysis_due_counted_seconds",
        "Since pending_analysis_due was counted: 0 unless more than 10,000 are pending.",
        value=age,
    )


def _failures() -> Metric:
    family = CounterMetricFamily(
        "pending_analysis_failures",
        "Analyses that failed for good since the beginning, by the error's code.",
        labels=["error_type"],
    )
    for code, number in counters.failures().items():
        family.add_metric([code], number)
    return family


def _budgets() -> Metric:
    """Both scopes always, so that an alert has something to compare."""
    family = GaugeMetricFamily(
        "arboris_budgets_used_up",
        "Novels and writers whose budget for this month is used up, and was not lifted.",
        labels=["scope"],
    )
    month = budgets.month_of(db_now()).date()
    stops = BudgetStop.objects.filter(month=month, lifted_at__isnull=True)
    counts = stops.aggregate(all=Count("pk"), project=Count("project_id"))
    family.add_metric(["project"], counts["project"])
    family.add_metric(["writer"], counts["all"] - counts["project"])
    return family


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


def _spent() -> Iterator[Metric]:
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


def _calls() -> Iterator[Metric]:
    """How calls to models ended, and how long the answered ones took."""
    calls = CounterMetricFamily(
        "arboris_llm_calls",
        "Calls to language models by outcome: ok, cancelled, or the error's code.",
        labels=["endpoint", "model", "outcome"],
    )
    seconds = HistogramMetricFamily(
        "arboris_llm_call_seconds",
        "Duration of answered calls to language models.",
        labels=["endpoint", "model"],
    )
    for total in call_counters.totals():
        calls.add_metric([total.endpoint, total.model, total.outcome], total.calls)
        if total.outcome == OK:
            buckets = _cumulative(CallCounter.BOUNDS, total.buckets)
            seconds.add_metric([total.endpoint, total.model], buckets, total.seconds)
    yield calls
    yield seconds


def _histogram(sums: dict[str, float]) -> Metric:
    return HistogramMetricFamily(
        "pending_analysis_run_seconds",
        "Duration of completed analyses.",
        buckets=_cumulative(StatusTally.BOUNDS, [sums[column] for column in StatusTally.BUCKETS]),
        sum_value=sums["seconds"],
    )


def _cumulative(bounds: Sequence[float], numbers: Sequence[float]) -> list[tuple[str, float]]:
    """The buckets as Prometheus has them: each with all that lie below it."""
    names = [*(f"{float(bound)}" for bound in bounds), "+Inf"]
    return list(zip(names, itertools.accumulate(numbers), strict=True))


def _workers() -> Iterator[Metric]:
    now = db_now()
    age = GaugeMetricFamily(
        "arboris_worker_heartbeat_age_seconds", "Since a worker was last seen.", labels=["worker"]
    )
    seen = dict(
        WorkerHeartbeat.objects.filter(seen_at__gte=now - SEEN_WITHIN).values_list(
            "worker", "seen_at"
        )
    )
    for worker, seen_at in seen.items():
        age.add_metric([worker], (now - seen_at).total_seconds())
    yield age
    running = PendingAnalysis.objects.filter(status=Status.PROCESSING).order_by()
    busy = len(seen.keys() & set(running.values_list("worker", flat=True)))
    workers = GaugeMetricFamily(
        "arboris_workers", "Workers that were seen lately, by what they do.", labels=["state"]
    )
    workers.add_metric(["busy"], busy)
    workers.add_metric(["idle"], len(seen) - busy)
    yield workers
