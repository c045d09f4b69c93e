"""Trying again: what a failed attempt leads to, and what people put back into the queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import IntegrityError
from django.utils.translation import gettext as _

from analysis.djangoq import wakeups
from analysis.errors import QueueConflict
from analysis.models import PendingAnalysis, Status
from analysis.queue import counters
from analysis.queue.claim import Claim
from analysis.queue.fairness import last_in_line
from arboris.backoff import back_off
from arboris.db import db_now, in_transaction
from arboris.errors import ServiceError
from arboris.llm.accounting import budget
from arboris.novels.models import NovelProject
from arboris.novels.services import lock_project

MAX_BACKOFF_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a task whose attempt failed.

    again: a retry is used up, and it is due at ``at``. pause: the endpoint refuses us, which costs
    the task nothing. park: there is no budget, it waits for the next month. give_up: it has failed.
    """

    action: Literal["again", "pause", "park", "give_up"]
    retries: int  # that are used up from now on
    at: datetime | None = None  # when it is due again; None: never


def decide(error: ServiceError, retries: int, max_retries: int, now: datetime) -> Decision:
    """From the error and the retries that are used up before; only the jitter is drawn."""
    if error.refuses_us:
        return Decision("pause", retries, now)
    if error.parks:
        return Decision("park", retries, budget.next_month(budget.month_of(now)))
    if not error.retryable or retries >= max_retries:
        return Decision("give_up", retries)
    seconds = back_off(
        retries + 1,
        settings.ARBORIS_RETRY_BASE_SECONDS,
        MAX_BACKOFF_SECONDS,
        at_least=error.retry_after,
    )
    return Decision("again", retries + 1, now + timedelta(seconds=seconds))


def gives_up(claim: Claim, error: ServiceError) -> bool:
    """Whether a claimed task that ends with this error has failed."""
    decision = decide(error, claim.retry_count, claim.max_retries, datetime.now(UTC))
    return decision.action == "give_up"


def retry(task_id: int, *, priority: int | None = None) -> None:
    """Put a failed or cancelled task, or one without some feature, back into the queue.

    It has all its retries again, and what was done stays done. Raises QueueConflict when it is in
    another state, when its text is no longer the chapter's, or when the chapter has a live task.
    """
    try:
        in_transaction(lambda: _retry(task_id, priority))
    except IntegrityError as error:  # the unique column: somebody queued the chapter meanwhile
        raise QueueConflict("already_queued") from error


def check_retry(task: PendingAnalysis) -> None:
    """Raise the QueueConflict that retrying the task would meet, as far as can be foreseen.

    Reads ``task.chapter`` and ``task.version``: select them along.
    """
    code = refusal(
        task.status,
        incomplete=bool((task.result or {}).get("missing")),
        in_trash=task.chapter.deleted_at is not None,
        current=task.version.number == task.chapter.version,
    )
    if code:
        raise QueueConflict(code)
    if PendingAnalysis.objects.filter(active_chapter=task.chapter_id).exists():
        raise QueueConflict("already_queued")


def refusal(status: str, *, incomplete: bool, in_trash: bool, current: bool) -> str:
    """Why a task cannot be retried, as far as it is its own fault: a code; empty: it can.

    ``incomplete``: its result lacks a feature. ``current``: its text is still the chapter's.
    """
    if status not in (Status.FAILED, Status.CANCELLED) and not (
        status == Status.COMPLETED and incomplete
    ):
        return "not_retryable"
    if in_trash:
        return "in_trash"
    return "" if current else "text_changed"


def _retry(task_id: int, priority: int | None) -> None:
    project_id = PendingAnalysis.objects.values_list("project_id", flat=True).get(pk=task_id)
    # Saving a text takes this lock too: between its superseding the live task and its queueing
    # the new one, no other may come in.
    try:
        lock_project(project_id)
    except NovelProject.DoesNotExist as error:  # deleted, or in the trash
        raise PendingAnalysis.DoesNotExist from error
    task = PendingAnalysis.objects.select_related("chapter", "version").get(pk=task_id)
    check_retry(task)
    now = db_now()
    changes = put_back(now) | {
        "active_chapter": task.chapter_id,
        "turn": last_in_line(task.user_id, priority or task.priority),
    }
    if priority is not None:
        changes["priority"] = priority
    if not PendingAnalysis.objects.filter(pk=task_id, status=task.status).update(**changes):
        raise QueueConflict("not_retryable", _("The analysis changed in this very moment."))
    counters.count(retried=1)
    wakeups.issue()


def put_back(now: datetime) -> dict[str, Any]:
    """The columns of a task that has all its retries again, beside its chapter and its turn."""
    return {
        "status": Status.PENDING,
        "due_at": now,
        "retry_count": 0,
        "completed_at": None,
        "started_at": None,
        "duration_seconds": None,
        "error_type": "",
        "error_message": "",
        "error_fingerprint": "",
        "worker": "",
        "progress_percent": 0,
        "progress_feature": "",
    }
