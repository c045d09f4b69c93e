"""/healthz: this process lives. /readyz: the whole can do its work, or why not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse

from analysis import queue
from analysis.djangoq import wakeups
from analysis.models import (
    AnalysisAttempt,
    EndpointState,
    PendingAnalysis,
    QueueControl,
    QueuePause,
    Status,
    WorkerHeartbeat,
)
from analysis.queue import due
from arboris.db import db_now
from arboris.operators_only import is_operator

HEARTBEAT_GRACE = timedelta(seconds=30)
OLDEST_PENDING = timedelta(minutes=30)
ENDPOINTS = 50


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Its status for whoever asks; the reasons and figures for operators."""
    body = report()
    status = 200 if body["status"] == "ok" else 503
    return JsonResponse(body if is_operator(request) else {"status": body["status"]}, status=status)


def report() -> dict[str, Any]:
    """``{status, reasons, …}``: database, broker, workers' heartbeats, what waits, what is
    paused."""
    endpoint = queue.configured()
    try:
        now = db_now()
        workers = WorkerHeartbeat.objects.filter(seen_at__gte=now - HEARTBEAT_GRACE).count()
        waiting = wakeups.waiting()
        paused = QueueControl.objects.get(pk=1).paused_at is not None
        oldest = due.oldest(endpoint)
        stands = _stands_since(endpoint, now, workers)
        pauses = QueuePause.objects.count()
        endpoints = paused_endpoints()
    except (DatabaseError, InterfaceError, QueueControl.DoesNotExist) as error:
        return {"status": "unavailable", "reasons": [f"database: {type(error).__name__}"]}
    age = (now - oldest).total_seconds() if oldest else 0.0
    reasons = []
    if not workers:
        reasons.append("workers: no heartbeat within 30 s (is manage.py qcluster running?)")
    if age > OLDEST_PENDING.total_seconds():
        reasons.append(f"queue: the oldest pending analysis waits since {age:.0f} s")
    if stands:
        reasons.append(f"queue: a worker is free, but nothing was claimed for {stands:.0f} s")
    return {
        "status": "unavailable" if reasons else "ok",
        "reasons": reasons,
        "database": "ok",
        "broker": {"wakeups": waiting},
        "workers": workers,
        "paused": paused,
        "pauses": pauses,
        "endpoints": endpoints,
        "oldest_pending_seconds": round(age, 1),
    }


def paused_endpoints() -> list[dict[str, Any]]:
    """The endpoints that have refused us, and when each is tried again; not what they said."""
    states = EndpointState.objects.filter(paused_at__isnull=False).order_by("name")
    names = ("name", "error_type", "paused_at", "probe_at", "probes")
    return [dict(row) for row in states.values(*names)[:ENDPOINTS]]


def _stands_since(endpoint: queue.Endpoint, now: datetime, workers: int) -> float:
    """For how many seconds free workers have claimed nothing though they might; 0: they do.

    A retry or a lost wake-up may take a sweep to be noticed, so some of them have to go by first.
    """
    patience = timedelta(seconds=max(30.0, 3 * settings.ARBORIS_POLL_INTERVAL))
    claimable = due.since(endpoint)
    if claimable is None or claimable > now - patience:
        return 0.0
    processing = PendingAnalysis.objects.filter(status=Status.PROCESSING)
    if len(processing.order_by().values_list("pk", flat=True)[:workers]) >= workers:
        return 0.0
    # The last claim runs, or was the last one to end.
    ended = AnalysisAttempt.objects.order_by("-pk").values_list("started_at", flat=True)
    claims = [*processing.values_list("started_at", flat=True), *ended[:1]]
    since = max([claimable, *(claimed for claimed in claims if claimed)])
    return float((now - since).total_seconds()) if since <= now - patience else 0.0
