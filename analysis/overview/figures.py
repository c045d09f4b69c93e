"""The figures of the overview, each from a bounded read, however large the tables are.

A count goes through an index and stops at MOST. What a list of the admin shows is counted with the
list's own filters, so that the figure and the list agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q

from analysis.models import PendingAnalysis, Status, WorkerHeartbeat
from analysis.overview import samples
from analysis.overview.models import QueueSample
from analysis.overview.samples import MOST
from analysis.queue import due
from arboris.db import db_now

# What may be looked at of the windows' names, and their lengths.
WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
STEPS = {"1h": 60, "24h": 600, "7d": 3600}  # of the charts, in seconds
ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
DUE_AMONG = 10_000  # pending rows that are asked whether their time has come
OLDEST_AMONG = 100  # of each priority
RUNS = 1_000  # the newest ones, of which the run times are
WORKERS = 200


@dataclass(frozen=True, slots=True)
class Spent:
    """Since ``since``: that is when the history begins, where it is shorter than the window."""

    since: datetime
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts above MOST are MOST + 1. Windows by name; None where nothing is known."""

    at: datetime
    pending: int
    processing: int
    failed: int
    due: int
    due_is_least: bool  # more are pending than were looked at
    oldest: tuple[int, datetime] | None
    ended: dict[str, dict[str, int]]
    success: dict[str, float | None]
    runs: dict[str, tuple[float, float] | None]  # p50 and p95, in seconds
    spent: dict[str, Spent | None]
    workers: list[tuple[WorkerHeartbeat, PendingAnalysis | None]]
    history: list[QueueSample]


def look(window: str) -> Figures:
    """Look at the queue; ``window`` is that of the history, a key of WINDOWS."""
    now = db_now()
    ended = _ended(now)
    now_sums = samples.sums(now)
    since = {name: samples.before(now - length, now) for name, length in WINDOWS.items()}
    waiting = _waiting(now)
    return Figures(
        at=now,
        pending=samples.counted(Status.PENDING),
        processing=samples.counted(Status.PROCESSING),
        failed=samples.counted(Status.FAILED),
        due=waiting["due"],
        due_is_least=waiting["number"] > DUE_AMONG,
        oldest=due.oldest_of_each_priority(OLDEST_AMONG),
        ended=ended,
        success={name: _success(ended[name], since[name], now_sums) for name in WINDOWS},
        runs=_run_times(now),
        spent={name: _spent(since[name], now_sums) for name in WINDOWS},
        workers=_workers(),
        history=_history(window, now),
    )


def _waiting(now: datetime) -> dict[str, int]:
    """Of the pending ones that come first: how many there are, and whose time has come."""
    rows = samples.in_claim_order(Status.PENDING)[: DUE_AMONG + 1]
    return rows.aggregate(number=Count("pk"), due=Count("pk", filter=Q(due_at__lte=now)))


def _ended(now: datetime) -> dict[str, dict[str, int]]:
    """How many have ended in each window, by status: of each status the newest MOST."""
    windows: dict[str, dict[str, int]] = {name: {} for name in WINDOWS}
    parts = {
        f"n{name}": Count("pk", filter=Q(completed_at__gte=now - length))
        for name, length in WINDOWS.items()
    }
    for status in ENDED:
        rows = PendingAnalysis.objects.filter(
            status=status, completed_at__gte=now - max(WINDOWS.values())
        )
        numbers = rows.order_by("-completed_at")[: MOST + 1].aggregate(**parts)
        for name in WINDOWS:
            windows[name][status.value] = numbers[f"n{name}"]
    return windows


def _success(ended: dict[str, int], since: QueueSample | None, sums: QueueSample) -> float | None:
    """The share of what ended well, of what ended well or failed; by the counters where there is
    too much to count."""
    completed, failed = ended[Status.COMPLETED], ended[Status.FAILED]
    if since is not None and max(completed, failed) > MOST:
        completed, failed = sums.completed - since.completed, sums.failed - since.failed
    return completed / (completed + failed) if completed + failed > 0 else None


def _run_times(now: datetime) -> dict[str, tuple[float, float] | None]:
    """The median and the 95th percentile of the newest RUNS completed runs of each window."""
    rows = PendingAnalysis.objects.filter(
        status=Status.COMPLETED, completed_at__gte=now - max(WINDOWS.values())
    )
    newest = list(
        rows.order_by("-completed_at").values_list("completed_at", "duration_seconds")[:RUNS]
    )
    times: dict[str, tuple[float, float] | None] = {}
    for name, length in WINDOWS.items():
        runs = sorted(s for at, s in newest if s is not None and at and at >= now - length)
        times[name] = (_quantile(runs, 0.5), _quantile(runs, 0.95)) if runs else None
    return times


def _quantile(ordered: list[float], part: float) -> float:
    """The least of the values that at least this part of them does not exceed."""
    place = -int(-part * len(ordered) // 1)  # rounded up
    return ordered[max(0, place - 1)]


def _spent(since: QueueSample | None, sums: QueueSample) -> Spent | None:
    if since is None:
        return None
    return Spent(
        since.at,
        sums.prompt_tokens - since.prompt_tokens,
        sums.completion_tokens - since.completion_tokens,
        sums.cost - since.cost,
    )


def _workers() -> list[tuple[WorkerHeartbeat, PendingAnalysis | None]]:
    """The workers with what each runs."""
    running = PendingAnalysis.objects.filter(status=Status.PROCESSING).order_by()
    running = running.select_related("project", "chapter").only(
        "started_at", "worker", "project__title", "chapter__chapter_number"
    )
    tasks = {task.worker: task for task in running[:WORKERS]}
    beats = WorkerHeartbeat.objects.order_by("worker")[:WORKERS]
    return [(beat, tasks.get(beat.worker)) for beat in beats]


def _history(window: str, now: datetime) -> list[QueueSample]:
    """The samples of the window, the oldest first, with one before them where there is one."""
    step = STEPS[window]
    first = samples.slot_of(now - WINDOWS[window], step) - 1
    return list(QueueSample.objects.filter(step=step, slot__gte=first).order_by("slot"))
