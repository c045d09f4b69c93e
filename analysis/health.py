"""/healthz: this process lives. /readyz: the whole can do its work, or why not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Min
from django.http import HttpRequest, JsonResponse

from analysis.models import (
    AnalysisAttempt,
    PendingAnalysis,
    QueueControl,
    Status,
    WorkerHeartbeat,
)
from analysis.queue import wakeup
from arboris.db import db_now

HEARTBEAT_GRACE = timedelta(seconds=30)
OLDEST_PENDING = timedelta(minutes=30)
# Of a long queue the readiness looks only at what would be claimed next.
HEAD = 1000


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    body = report()
    return JsonResponse(body, status=200 if body["status"] == "ok" else 503)


def report() -> dict[str, Any]:
    """``{status, reasons, …}``: database, broker, workers' heartbeats, age of the oldest pending."""
    try:
        now = db_now()
        workers = WorkerHeartbeat.objects.filter(seen_at__gte=now - HEARTBEAT_GRACE).count()
        wakeups = wakeup.waiting()
        paused = QueueControl.objects.get(pk=1).paused_at is not None
        oldest = PendingAnalysis.objects.filter(status=Status.PENDING, due_at__lte=now).aggregate(
            oldest=Min("created_at")
        )["oldest"]
        stands = 0.0 if paused else _stands_since(now, workers)
    except (DatabaseError, QueueControl.DoesNotExist) as error:
        return {"status": "unavailable", "reasons": [f"database: {type(error).__name__}"]}
    age = (now - oldest).total_seconds() if oldest else 0.0
    reasons = []
    if not workers:
        reasons.append("workers: no heartbeat within 30 s (is manage.py qcluster running?)")
    if age > OLDEST_PENDING.total_seconds() and not paused:
        reasons.append(f"queue: the oldest pending analysis waits since {age:.0f} s")
    if stands:
        reasons.append(f"queue: a worker is free, but nothing was claimed for {stands:.0f} s")
    return {
        "status": "unavailable" if reasons else "ok",
        "reasons": reasons,
        "database": "ok",
        "broker": {"wakeups": wakeups},
        "workers": workers,
        "paused": paused,
        "oldest_pending_seconds": round(age, 1),
    }


def _stands_since(now: datetime, workers: int) -> float:
    """For how many seconds free workers have claimed nothing though something was due; 0: they do.

    A retry or a lost wake-up may take a sweep to be noticed, so some of them have to go by first.
    """
    patience = timedelta(seconds=max(30.0, 3 * settings.ARBORIS_POLL_INTERVAL))
    pending = PendingAnalysis.objects.filter(status=Status.PENDING)
    head = pending.order_by("-priority", "created_at", "id")[:HEAD]
    due = head.aggregate(due=Min("due_at"))["due"]
    if due is None or due > now - patience:
        return 0.0
    processing = PendingAnalysis.objects.filter(status=Status.PROCESSING)
    if len(processing.order_by().values_list("pk", flat=True)[:workers]) >= workers:
        return 0.0
    # Claims are made one after the other, so the newest attempt is the last one.
    claimed = AnalysisAttempt.objects.order_by("-pk").values_list("started_at", flat=True).first()
    since = max(due, claimed) if claimed else due
    return float((now - since).total_seconds()) if since <= now - patience else 0.0
