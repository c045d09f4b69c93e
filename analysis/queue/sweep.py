"""Putting right what died: expired leases, wake-ups that are missing, heartbeats of the dead."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from analysis.errors import WorkerLost
from analysis.models import (
    AnalysisAttempt,
    PendingAnalysis,
    QueueControl,
    Status,
    WorkerHeartbeat,
)
from analysis.queue import due, parking, retention, tally, wakeup
from analysis.queue.end import after_failure, failure_changes
from analysis.queue.endpoint import configured
from arboris.db import db_now, in_transaction

HEARTBEAT_KEPT = timedelta(minutes=10)


def sweep() -> bool:
    """Do one round of repairs if none was done within ARBORIS_POLL_INTERVAL; True if it was ours."""
    now = db_now()
    before = now - timedelta(seconds=settings.ARBORIS_POLL_INTERVAL)
    mine = (
        QueueControl.objects.filter(pk=1)
        .filter(Q(swept_at__isnull=True) | Q(swept_at__lte=before))
        .update(swept_at=now)
    )
    if not mine:
        return False
    rescue()
    parking.release()
    in_transaction(_issue_missing_wakeups)
    WorkerHeartbeat.objects.filter(seen_at__lt=now - HEARTBEAT_KEPT).delete()
    retention.step(now)
    return True


def overdue(seconds: float) -> bool:
    """Whether this process might have claimed something for longer than ``seconds``."""
    since = due.since(configured())
    return since is not None and since < db_now() - timedelta(seconds=seconds)


def nudge() -> None:
    """See to it that there is a wake-up to be handed out."""
    in_transaction(lambda: None if wakeup.waiting() else wakeup.issue())


def rescue() -> int:
    """Take tasks whose lease has expired away from their dead workers; returns how many."""
    expired = list(
        PendingAnalysis.objects.filter(status=Status.PROCESSING, lease_expires_at__lt=db_now())
        .order_by("pk")
        .values_list("pk", flat=True)[:500]
    )
    return sum(in_transaction(lambda pk=pk: _rescue_one(pk)) for pk in expired)  # type: ignore[misc]


def _rescue_one(task_id: int) -> int:
    now = db_now()
    task = PendingAnalysis.objects.filter(
        pk=task_id, status=Status.PROCESSING, lease_expires_at__lt=now
    ).first()
    if task is None:
        return 0
    error = WorkerLost(f"{task.worker} let the lease expire")
    changes = failure_changes(
        task.retry_count, task.max_retries, task.started_at or now, now, error
    )
    if changes["status"] == Status.PENDING:
        changes["due_at"] = now  # the task did nothing wrong that waiting would mend
    if not PendingAnalysis.objects.filter(
        pk=task_id, status=Status.PROCESSING, lease_token=task.lease_token, lease_expires_at__lt=now
    ).update(**changes):
        return 0  # renewed or ended in between
    AnalysisAttempt.objects.filter(task_id=task_id, number=task.attempt_count).update(
        ended_at=now,
        outcome=AnalysisAttempt.Outcome.LOST,
        error_type=error.code,
        error_message=str(error),
    )
    tally.count(rescued=1)
    after_failure(task_id, changes, now, error)
    return 1


def _issue_missing_wakeups() -> None:
    """A due task without a wake-up would wait for ever: issue as many as workers could use."""
    wanted = len(due.first(configured(), settings.ARBORIS_MAX_CONCURRENT))
    if wanted:
        wakeup.issue(wanted - wakeup.waiting())
