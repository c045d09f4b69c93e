"""/healthz: this process lives. /readyz: the whole can do its work, or why not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import Min
from django.http import HttpRequest, JsonResponse
from django_q.models import OrmQ

from analysis.models import PendingAnalysis, QueueControl, Status, WorkerHeartbeat
from arboris.db import db_now

HEARTBEAT_GRACE = timedelta(seconds=30)
OLDEST_PENDING = timedelta(minutes=30)


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
        wakeups = OrmQ.objects.count()
        paused = QueueControl.objects.get(pk=1).paused_at is not None
        oldest = PendingAnalysis.objects.filter(status=Status.PENDING, due_at__lte=now).aggregate(
            oldest=Min("created_at")
        )["oldest"]
    except (DatabaseError, QueueControl.DoesNotExist) as error:
        return {"status": "unavailable", "reasons": [f"database: {type(error).__name__}"]}
    age = (now - oldest).total_seconds() if oldest else 0.0
    reasons = []
    if not workers:
        reasons.append("workers: no heartbeat within 30 s (is manage.py qcluster running?)")
    if age > OLDEST_PENDING.total_seconds() and not paused:
        reasons.append(f"queue: the oldest pending analysis waits since {age:.0f} s")
    return {
        "status": "unavailable" if reasons else "ok",
        "reasons": reasons,
        "database": "ok",
        "broker": {"wakeups": wakeups},
        "workers": workers,
        "paused": paused,
        "oldest_pending_seconds": round(age, 1),
    }
