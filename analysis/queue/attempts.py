"""The row of an attempt: written once, when the attempt has ended.

While it runs, its task's own row says all there is to say of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from analysis.models import AnalysisAttempt, PendingAnalysis
from arboris.errors import ServiceError
from arboris.sql import Insert

Outcome = AnalysisAttempt.Outcome


class Attempt(NamedTuple):
    """An attempt that is under way."""

    task_id: int
    number: int
    worker: str
    started_at: datetime


class Failure(NamedTuple):
    """Where an attempt failed: while it looked for ``feature``, and in which lines of code."""

    feature: str = ""
    traceback: str = ""


NOWHERE = Failure()


def running(task: PendingAnalysis) -> Attempt:
    """Of a task as it was read while it was processing."""
    assert task.started_at is not None
    return Attempt(task.pk, task.attempt_count, task.worker, task.started_at)


def ended(
    attempt: Attempt,
    now: datetime,
    outcome: AnalysisAttempt.Outcome,
    error: ServiceError | str = "",
    token_usage: dict[str, Any] | None = None,
    failure: Failure = NOWHERE,
) -> Insert:
    code = "" if isinstance(error, str) else error.code
    values = attempt._asdict() | {
        "ended_at": now,
        "outcome": outcome.value,
        "error_type": code,
        "error_message": str(error)[:4000],
        "token_usage": token_usage,
        **failure._asdict(),
    }
    return Insert(AnalysisAttempt, values)


def close(
    attempt: Attempt,
    now: datetime,
    outcome: AnalysisAttempt.Outcome,
    error: ServiceError | str = "",
    token_usage: dict[str, Any] | None = None,
    failure: Failure = NOWHERE,
) -> None:
    """``ended``, where the claim may be one of an older version, which wrote its row at the
    claim."""
    values = dict(ended(attempt, now, outcome, error, token_usage, failure).values)
    key = {"task_id": values.pop("task_id"), "number": values.pop("number")}
    AnalysisAttempt.objects.update_or_create(**key, defaults=values)
