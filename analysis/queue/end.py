"""How a claimed task ends, or goes back to wait: fenced, with its notification."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from analysis.errors import LeaseLost, fingerprint
from analysis.models import AnalysisAttempt, PendingAnalysis, Status
from analysis.queue import endpoint, parking, tally, wakeup
from analysis.queue.claim import Claim, claim_after
from analysis.queue.turn import last_in_line
from arboris import sql
from arboris.db import db_now, in_transaction
from arboris.errors import ServiceError
from arboris.llm.errors import OverBudget
from notifications import outbox

MAX_BACKOFF_SECONDS = 3600.0
# MySQL and MariaDB: a column that must not be NULL, a row that is pointed to and not there.
UNFENCED = {1048, 1452}


def finish(held: Claim, result: dict[str, Any], token_usage: dict[str, Any]) -> None:
    """End the task as completed and tell the writer, in the caller's transaction.

    Raises LeaseLost when the claim no longer stands; the caller's transaction then rolls back,
    and with it whatever the analysis wanted to apply.
    """
    with _fenced(held):
        _check_finished(held, sql.run(_finishing(held, result, token_usage)))


def finish_and_claim(
    held: Claim,
    result: dict[str, Any],
    token_usage: dict[str, Any],
    worker: str,
    *,
    last: bool = False,
) -> Claim | None:
    """``finish``, and ``claim`` the next task for the same worker and endpoint, in one transaction.

    Half the commits, and a third of the round trips. ``last``: nothing follows in the caller's
    transaction, so that it may be committed with it.
    """
    with _fenced(held):
        ending = _finishing(held, result, token_usage)
        last = last and not held.probe  # whose end may resume its endpoint
        answers, following = claim_after(ending, worker, held.endpoint, last=last)
        _check_finished(held, answers)
        return following


@contextlib.contextmanager
def _fenced(held: Claim) -> Iterator[None]:
    """MySQL and MariaDB find out by themselves that the claim does not stand, or that it is gone.

    The first by what follows the fence (tally.counting), the second by the task that the
    notification is about; the others check that at the commit.
    """
    try:
        yield
    except IntegrityError as error:
        if sql.vendor() != "mysql" or error.args[0] not in UNFENCED:
            raise
        raise LeaseLost(
            f"analysis {held.task_id}: it is gone, or its lease; its result is dropped"
        ) from error


def _finishing(
    held: Claim, result: dict[str, Any], token_usage: dict[str, Any]
) -> list[sql.Statement]:
    """The first of them is the fence: it must change one row, or nothing of it may stand."""
    now = held.now()
    seconds = (now - held.started_at).total_seconds()
    ended = sql.update(
        PendingAnalysis,
        held.held(),
        status=sql.text(Status.COMPLETED),
        active_chapter=sql.NULL,
        result=result,
        token_usage=token_usage,
        error_type=sql.EMPTY,
        error_message=sql.EMPTY,
        error_fingerprint=sql.EMPTY,
        completed_at=now,
        duration_seconds=seconds,
        lease_token=sql.EMPTY,
        lease_expires_at=sql.NULL,
        progress_percent=sql.Expression("100"),
        progress_feature=sql.EMPTY,
        checkpoint=sql.NULL,
    )
    tokens = tally.of_tokens(held.task_id, held.attempt, token_usage)
    told = outbox.publishing(
        "completed",
        user_id=held.user_id,
        task_id=held.task_id,
        project_id=held.project_id,
        chapter_id=held.chapter_id,
        chapter_number=held.chapter_number,
        data={"duration_seconds": round(seconds, 3), **result},
        now=now,
    )
    return [
        ended,
        tally.counting(tally.of_run(seconds) | tokens, after_fence=True),
        _closing(held, now, AnalysisAttempt.Outcome.COMPLETED, token_usage=token_usage),
        *told,
    ]


def _check_finished(held: Claim, answers: list[sql.Answer]) -> None:
    if not answers[0].changed:
        transaction.set_rollback(True)  # what was sent along with the fence must not stand
        raise LeaseLost(f"analysis {held.task_id}: the lease is gone, its result is dropped")
    if held.probe:
        endpoint.resume(held.endpoint.name)


def fail(
    held: Claim,
    error: ServiceError,
    *,
    checkpoint: dict[str, Any] | None = None,
    token_usage: dict[str, Any] | None = None,
) -> Status:
    """End the attempt: back to pending after a pause where trying again can help, else failed.

    An error that is the endpoint's refusal of us pauses the endpoint, and costs the task nothing.
    Nor does a budget that is used up, which parks it.
    Returns the task's new status; raises LeaseLost when the claim no longer stands.
    """
    return in_transaction(lambda: _fail(held, error, checkpoint, token_usage))


def _fail(
    held: Claim,
    error: ServiceError,
    checkpoint: dict[str, Any] | None,
    token_usage: dict[str, Any] | None,
) -> Status:
    now = db_now()
    changes = failure_changes(held.retry_count, held.max_retries, held.started_at, now, error)
    if changes["status"] == Status.PENDING and not (error.refuses_us or error.parks):
        task = PendingAnalysis.objects.filter(**held.held()).only("priority").first()
        if task is None:  # taken away, or deleted with its novel
            raise LeaseLost(f"analysis {held.task_id}: the lease is gone, its failure is dropped")
        changes["turn"] = last_in_line(held.user_id, task.priority)
    if checkpoint is not None:
        changes["checkpoint"] = checkpoint
    if token_usage is not None:
        changes["token_usage"] = token_usage
    if not PendingAnalysis.objects.filter(**held.held()).update(**changes):
        raise LeaseLost(f"analysis {held.task_id}: the lease is gone, its failure is dropped")
    _close_attempt(held, now, AnalysisAttempt.Outcome.FAILED, error, token_usage)
    if isinstance(error, OverBudget):
        parking.parked(
            held, error, now, answered=bool((checkpoint or {}).keys() - held.checkpoint.keys())
        )
        return Status.PENDING
    status = after_failure(held.task_id, changes, now, error)
    if error.refuses_us:
        endpoint.pause(held.endpoint, error, now, probe=held.probe)
    elif held.probe:
        _conclude_probe(held, error, now)
    return status


def _conclude_probe(held: Claim, error: ServiceError, now: datetime) -> None:
    """A probe that failed for a reason of its own: did the endpoint take us?"""
    if error.answers_us:
        endpoint.resume(held.endpoint.name)
    else:
        endpoint.probe_again(held.endpoint, now)


def failure_changes(
    retry_count: int, max_retries: int, started_at: datetime, now: datetime, error: ServiceError
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
    if error.refuses_us:
        return changes | {"status": Status.PENDING, "due_at": now}
    if error.parks:
        return changes | {"status": Status.PENDING, "due_at": parking.until(now)}
    if error.retryable and retry_count < max_retries:
        return changes | {
            "status": Status.PENDING,
            "retry_count": retry_count + 1,
            "due_at": now + timedelta(seconds=back_off(retry_count, error.retry_after)),
        }
    return changes | {
        "status": Status.FAILED,
        "active_chapter": None,
        "completed_at": now,
        "duration_seconds": (now - started_at).total_seconds(),
    }


def back_off(retry_count: int, wished: float | None) -> float:
    """Seconds until the next try: what the endpoint wishes at least, else exponential.

    Full jitter: tasks that failed together do not come back together.
    """
    ceiling = min(settings.ARBORIS_RETRY_BASE_SECONDS * 2.0**retry_count, MAX_BACKOFF_SECONDS)
    if wished is None:
        return random.uniform(0, ceiling)
    return min(wished, MAX_BACKOFF_SECONDS) + random.uniform(0, min(ceiling, wished * 0.1))


def after_failure(
    task_id: int, changes: Mapping[str, Any], now: datetime, error: ServiceError
) -> Status:
    """Count it; wake a worker for a retry, or tell the writer that it failed for good."""
    status: Status = changes["status"]
    if status == Status.PENDING:
        tally.count(retried=1)
        if changes["due_at"] > now:
            wakeup.issue_for(changes["due_at"])
        else:
            wakeup.issue()
    else:
        tally.count(failed=1)
        notify(task_id, "failed", {"error_type": error.code, "error": error.sentence})
    return status


def notify(task_id: int, kind: str, data: dict[str, Any]) -> None:
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
    error: ServiceError | None = None,
    token_usage: dict[str, Any] | None = None,
) -> None:
    tokens = tally.of_tokens(held.task_id, held.attempt, token_usage or {})
    sql.run([_closing(held, now, outcome, error, token_usage)])
    if tokens:
        tally.count(**tokens)


def _closing(
    held: Claim,
    now: datetime,
    outcome: AnalysisAttempt.Outcome,
    error: ServiceError | None = None,
    token_usage: dict[str, Any] | None = None,
) -> sql.Statement:
    return sql.update(
        AnalysisAttempt,
        {"task_id": held.task_id, "number": held.attempt},
        ended_at=now,
        outcome=outcome,
        error_type=error.code if error else sql.EMPTY,
        error_message=str(error)[:4000] if error else sql.EMPTY,
        token_usage=token_usage,
    )
