"""How a claimed task ends: completed, or failed, which may also mean that it waits once more.

Locks are taken in one order everywhere: novel, queue, budget stop, task, writer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from analysis.djangoq import wakeups
from analysis.errors import LeaseLost, fingerprint
from analysis.models import PendingAnalysis, Status
from analysis.queue import attempts, budget, counters, endpoints, fairness
from analysis.queue.attempts import NOWHERE, Failure, Outcome
from analysis.queue.claim import Claim
from analysis.queue.retry import Decision, decide
from arboris.db import db_now, in_transaction, locked
from arboris.errors import ServiceError
from arboris.llm.errors import OverBudget
from arboris.sql import Update, write
from notifications import outbox


def finish(
    claim: Claim,
    result: dict[str, Any],
    token_usage: dict[str, Any],
    *,
    checkpoint: dict[str, Any] | None = None,
) -> None:
    """End the task as completed and tell the writer, in the caller's transaction.

    ``checkpoint``: what is done, where something is missing that a retry may add.
    Raises LeaseLost when the claim no longer stands; the caller's transaction then rolls back,
    and with it whatever the analysis wanted to apply.
    """
    now = claim.now()
    seconds = (now - claim.started_at).total_seconds()
    completed = {
        "status": Status.COMPLETED,
        "active_chapter": None,
        "result": result,
        "token_usage": token_usage,
        "error_type": "",
        "error_message": "",
        "error_fingerprint": "",
        "completed_at": now,
        "duration_seconds": seconds,
        "lease_token": "",
        "lease_expires_at": None,
        "progress_percent": 100,
        "progress_feature": "",
        "checkpoint": checkpoint,
    }
    if write(Update(PendingAnalysis, claim.fence(), completed)) != [1]:
        raise LeaseLost(f"analysis {claim.task_id}: the lease is gone, its result is dropped")
    tokens = counters.of_tokens(claim.task_id, claim.attempt, token_usage)
    told = {"duration_seconds": round(seconds, 3), **result}
    if claim.quiet:
        told["quiet"] = True
    write(
        counters.added(**counters.of_run(seconds), **tokens),
        attempts.ended(claim.as_attempt(), now, Outcome.COMPLETED, token_usage=token_usage),
        *outbox.changes("completed", **_subject(claim), data=told, now=now, read=claim.quiet),
    )
    if claim.probe:
        endpoints.resume(claim.endpoint.name)


def fail(
    claim: Claim,
    error: ServiceError,
    *,
    checkpoint: dict[str, Any] | None = None,
    token_usage: dict[str, Any] | None = None,
    failure: Failure = NOWHERE,
) -> Status:
    """End the attempt as ``retry.decide`` says; returns the task's new status.

    Raises LeaseLost when the claim no longer stands.
    """
    return in_transaction(lambda: _fail(claim, error, checkpoint, token_usage, failure))


def _fail(
    claim: Claim,
    error: ServiceError,
    checkpoint: dict[str, Any] | None,
    token_usage: dict[str, Any] | None,
    failure: Failure,
) -> Status:
    now = db_now()
    decision = decide(error, claim.retry_count, claim.max_retries, now)
    new_stop = isinstance(error, OverBudget) and budget.lock_stop(claim, error, now)
    task = locked(PendingAnalysis.objects.filter(**claim.fence())).only("priority").first()
    if task is None:  # taken away, or deleted with its novel
        raise LeaseLost(f"analysis {claim.task_id}: the lease is gone, its failure is dropped")
    changes = changes_after(decision, error, claim.started_at, now, claim.endpoint.name)
    if decision.action == "again":
        changes["turn"] = fairness.last_in_line(claim.user_id, task.priority)
    if checkpoint is not None:
        changes["checkpoint"] = checkpoint
    if token_usage is not None:
        changes["token_usage"] = token_usage
    PendingAnalysis.objects.filter(pk=claim.task_id).update(**changes)
    attempts.close(claim.as_attempt(), now, Outcome.FAILED, error, token_usage, failure)
    counters.count(**counters.of_tokens(claim.task_id, claim.attempt, token_usage or {}))
    if isinstance(error, OverBudget):
        answered = bool((checkpoint or {}).keys() - claim.checkpoint.keys())
        budget.park(claim, error, now, tell=new_stop, answered=answered)
        return Status.PENDING
    follow(decision, error, claim.task_id, now)
    endpoints.after_failure(claim.endpoint, error, now, probe=claim.probe)
    status: Status = changes["status"]
    return status


def changes_after(
    decision: Decision, error: ServiceError, started_at: datetime, now: datetime, endpoint: str
) -> dict[str, Any]:
    """The columns of a task whose attempt failed."""
    changes: dict[str, Any] = {
        "error_type": error.code,
        "error_message": str(error)[:4000],
        "error_fingerprint": fingerprint(error, endpoint),
        "lease_token": "",
        "lease_expires_at": None,
        "progress_percent": 0,
        "progress_feature": "",
    }
    if decision.action == "give_up":
        return changes | {
            "status": Status.FAILED,
            "active_chapter": None,
            "completed_at": now,
            "duration_seconds": (now - started_at).total_seconds(),
        }
    waiting = {"status": Status.PENDING, "due_at": decision.at, "retry_count": decision.retries}
    return changes | waiting


def follow(decision: Decision, error: ServiceError, task_id: int, now: datetime) -> None:
    """Count a failure; wake a worker for the next try, or tell the writer that there is none."""
    if decision.at is None:
        counters.count_failure(error.code)
        notify_writer(task_id, "failed", {"error_type": error.code, "error": error.sentence})
        return
    counters.count(retried=1)
    if decision.at > now:
        wakeups.issue_for(decision.at)
    else:
        wakeups.issue()


def notify_writer(task_id: int, kind: str, data: dict[str, Any]) -> None:
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


def _subject(claim: Claim) -> dict[str, Any]:
    """What a notification about the claim's task is about."""
    return {
        "user_id": claim.user_id,
        "task_id": claim.task_id,
        "project_id": claim.project_id,
        "chapter_id": claim.chapter_id,
        "chapter_number": claim.chapter_number,
    }
