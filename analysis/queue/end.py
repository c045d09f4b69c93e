"""How a claimed task ends, or goes back to wait: fenced, with its notification."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from analysis.errors import AnalysisError, LeaseLost, fingerprint
from analysis.models import AnalysisAttempt, PendingAnalysis, Status
from analysis.queue import tally, wakeup
from analysis.queue.claim import Claim
from arboris.db import db_now, in_transaction
from notifications import outbox

MAX_BACKOFF_SECONDS = 3600.0


def finish(held: Claim, result: dict[str, Any], token_usage: dict[str, Any]) -> None:
    """End the task as completed and tell the writer, in the caller's transaction.

    Raises LeaseLost when the claim no longer stands; the caller's transaction then rolls back,
    and with it whatever the analysis wanted to apply.
    """
    now = db_now()
    seconds = (now - held.started_at).total_seconds()
    changed = PendingAnalysis.objects.filter(**held.held()).update(
        status=Status.COMPLETED,
        active_chapter=None,
        result=result,
        token_usage=token_usage,
        error_type="",
        error_message="",
        error_fingerprint="",
        completed_at=now,
        duration_seconds=seconds,
        lease_token="",
        lease_expires_at=None,
        progress_percent=100,
        progress_feature="",
        checkpoint=None,
    )
    if not changed:
        raise LeaseLost(f"analysis {held.task_id}: the lease is gone, its result is dropped")
    _close_attempt(held, now, AnalysisAttempt.Outcome.COMPLETED, token_usage=token_usage)
    tally.count_run(seconds)
    notify(held.task_id, "completed", {"duration_seconds": round(seconds, 3), **result})


def fail(
    held: Claim,
    error: AnalysisError,
    *,
    checkpoint: dict[str, Any] | None = None,
    token_usage: dict[str, Any] | None = None,
) -> Status:
    """End the attempt: back to pending after a pause where trying again can help, else failed.

    Returns the task's new status; raises LeaseLost when the claim no longer stands.
    """
    return in_transaction(lambda: _fail(held, error, checkpoint, token_usage))


def _fail(
    held: Claim,
    error: AnalysisError,
    checkpoint: dict[str, Any] | None,
    token_usage: dict[str, Any] | None,
) -> Status:
    now = db_now()
    changes = failure_changes(held.retry_count, held.max_retries, held.started_at, now, error)
    if checkpoint is not None:
        changes["checkpoint"] = checkpoint
    if token_usage is not None:
        changes["token_usage"] = token_usage
    if not PendingAnalysis.objects.filter(**held.held()).update(**changes):
        raise LeaseLost(f"analysis {held.task_id}: the lease is gone, its failure is dropped")
    _close_attempt(held, now, AnalysisAttempt.Outcome.FAILED, error, token_usage)
    return after_failure(held.task_id, changes, now, error)


def failure_changes(
    retry_count: int, max_retries: int, started_at: datetime, now: datetime, error: AnalysisError
) -> dict[str, Any]:
    """The columns of a task whose attempt failed: retried with back-off, or failed for good."""
    changes: dict[str, Any] = {
        "error_type": error.code,
        "error_message": str(error)[:4000],
        "error_fingerprint": fingerprint(error.code, str(error)),
        "lease_token": "",
        "lease_expires_at": None,
        "progress_percent": 0,
        "progress_feature": "",
    }
    if error.retryable and retry_count < max_retries:
        pause = error.retry_after
        if pause is None:
            # Full jitter: tasks that failed together do not come back together.
            ceiling = settings.ARBORIS_RETRY_BASE_SECONDS * 2**retry_count
            pause = random.uniform(0, min(ceiling, MAX_BACKOFF_SECONDS))
        return changes | {
            "status": Status.PENDING,
            "retry_count": retry_count + 1,
            "due_at": now + timedelta(seconds=pause),
        }
    return changes | {
        "status": Status.FAILED,
        "active_chapter": None,
        "completed_at": now,
        "duration_seconds": (now - started_at).total_seconds(),
    }


def after_failure(
    task_id: int, changes: dict[str, Any], now: datetime, error: AnalysisError
) -> Status:
    """Count it; wake a worker for a retry, or tell the writer that it failed for good."""
    status: Status = changes["status"]
    if status == Status.PENDING:
        tally.count(retried=1)
        if changes["due_at"] <= now:  # otherwise the sweep wakes a worker once it is due
            wakeup.issue()
    else:
        tally.count(failed=1)
        notify(task_id, "failed", {"error_type": error.code, "error": error.sentence})
    return status


def notify(task_id: int, kind: outbox.Kind, data: dict[str, Any]) -> None:
    """Put the notification of a task into the outbox, in the caller's transaction."""
    task = (
        PendingAnalysis.objects.select_related("chapter")
        .only("user_id", "project_id", "chapter_id", "chapter__chapter_number")
        .get(pk=task_id)
    )
    outbox.publish(
        kind,
        user_id=task.user_id,
        task_id=task_id,
        project_id=task.project_id,
        chapter_id=task.chapter_id,
        chapter_number=task.chapter.chapter_number,
        data=data,
    )


def _close_attempt(
    held: Claim,
    now: datetime,
    outcome: AnalysisAttempt.Outcome,
    error: AnalysisError | None = None,
    token_usage: dict[str, Any] | None = None,
) -> None:
    AnalysisAttempt.objects.filter(task_id=held.task_id, number=held.attempt).update(
        ended_at=now,
        outcome=outcome,
        error_type=error.code if error else "",
        error_message=str(error)[:4000] if error else "",
        token_usage=token_usage,
    )
    tally.count_tokens(held.task_id, held.attempt, token_usage or {})
