"""What people do to tasks: cancel, retry, reorder, pause, prune."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from analysis.errors import SUPERSEDED, QueueConflict, sentence_for
from analysis.models import AnalysisAttempt, PendingAnalysis, Status
from analysis.queue import tally, wakeup
from analysis.queue.turn import last_in_line
from arboris.db import db_now, in_transaction, locked
from arboris.novels.services import lock_project

LIVE = (Status.PENDING, Status.PROCESSING)
BATCH = 500


def cancel(task_id: int, *, notify_writer: bool = True) -> None:
    """End a pending or processing task as cancelled, at once.

    A processing task is taken away from its worker by its fencing token: whatever the worker
    still writes changes nothing, and it stops at its next check. Raises QueueConflict when the
    task has ended already.
    """
    in_transaction(lambda: _cancel(task_id, "cancelled", notify_writer))


def check_cancel(task: PendingAnalysis) -> None:
    """Raise the QueueConflict that cancelling the task would meet, as far as can be foreseen."""
    if task.status not in LIVE:
        raise _already_ended()


def _already_ended() -> QueueConflict:
    return QueueConflict("already_ended", _("This analysis has already ended."))


def supersede(chapter_id: int) -> None:
    """Cancel the chapter's live task because a newer text takes its place; quietly."""
    task_id = (
        PendingAnalysis.objects.filter(active_chapter=chapter_id)
        .values_list("pk", flat=True)
        .first()
    )
    if task_id is not None:
        _cancel(task_id, SUPERSEDED, notify_writer=False, missing_ok=True)


def _cancel(task_id: int, reason: str, notify_writer: bool, missing_ok: bool = False) -> None:
    from analysis.queue.end import notify

    if notify_writer:
        # Before the task, while it waits: who ends another of the writer's and claims this one
        # next holds the writer's row already. Who ends this one takes its row first; where it is
        # claimed and ended in this very moment, the database ends the deadlock, and one goes again.
        waits = PendingAnalysis.objects.filter(pk=task_id, status=Status.PENDING)
        owner = get_user_model().objects.filter(pk__in=waits.values("user_id"))
        list(locked(owner).values_list("pk"))
    now = db_now()
    changed = PendingAnalysis.objects.filter(pk=task_id, status__in=LIVE).update(
        status=Status.CANCELLED,
        active_chapter=None,
        error_type=reason if reason == SUPERSEDED else "",
        error_message=sentence_for(reason) if reason == SUPERSEDED else "",
        completed_at=now,
        lease_token="",
        lease_expires_at=None,
        progress_feature="",
    )
    if not changed:
        if missing_ok:
            return
        raise _already_ended()
    AnalysisAttempt.objects.filter(task_id=task_id, outcome=AnalysisAttempt.Outcome.RUNNING).update(
        outcome=AnalysisAttempt.Outcome.CANCELLED, ended_at=now
    )
    tally.count(cancelled=1)
    if notify_writer:
        notify(task_id, "cancelled", {})


def retry(task_id: int, *, priority: int | None = None) -> None:
    """Put a failed or cancelled task back into the queue, with all its retries again.

    Features that were done stay done. Raises QueueConflict when the task is in another state,
    when its text is no longer the chapter's, or when the chapter has a live task already.
    """
    try:
        in_transaction(lambda: _retry(task_id, priority))
    except IntegrityError as error:  # the unique column: somebody queued the chapter meanwhile
        raise _already_queued() from error


def check_retry(task: PendingAnalysis) -> None:
    """Raise the QueueConflict that retrying the task would meet, as far as can be foreseen.

    Reads ``task.chapter`` and ``task.version``: select them along.
    """
    if task.status not in (Status.FAILED, Status.CANCELLED):
        raise QueueConflict(
            "not_retryable", _("Only a failed or cancelled analysis can be retried.")
        )
    if task.version.number != task.chapter.version:
        raise QueueConflict(
            "text_changed", _("The chapter has a newer text; this analysis is out of date.")
        )
    if PendingAnalysis.objects.filter(active_chapter=task.chapter_id).exists():
        raise _already_queued()


def _already_queued() -> QueueConflict:
    return QueueConflict("already_queued", _("The chapter is already being analysed."))


def _retry(task_id: int, priority: int | None) -> None:
    project_id = PendingAnalysis.objects.values_list("project_id", flat=True).get(pk=task_id)
    # Saving a text takes this lock too: between its superseding the live task and its queueing
    # the new one, no other may come in.
    lock_project(project_id)
    task = PendingAnalysis.objects.select_related("chapter", "version").get(pk=task_id)
    check_retry(task)
    now = db_now()
    changes: dict[str, Any] = {
        "status": Status.PENDING,
        "active_chapter": task.chapter_id,
        "due_at": now,
        "turn": last_in_line(task.user_id, priority or task.priority),
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
    if priority is not None:
        changes["priority"] = priority
    if not PendingAnalysis.objects.filter(pk=task_id, status=task.status).update(**changes):
        raise QueueConflict("not_retryable", _("The analysis changed in this very moment."))
    tally.count(retried=1)
    wakeup.issue()


def set_priority(task_id: int, priority: int) -> None:
    """Reorder a pending task (1 to 10, higher first). Raises QueueConflict unless it is pending."""
    if not 1 <= priority <= 10:
        raise ValueError("priority: 1 to 10")

    def work() -> int:
        task = PendingAnalysis.objects.only("user_id", "priority", "turn").get(pk=task_id)
        same = task.priority == priority  # then it keeps its place
        return PendingAnalysis.objects.filter(pk=task_id, status=Status.PENDING).update(
            priority=priority, turn=task.turn if same else last_in_line(task.user_id, priority)
        )

    if not in_transaction(work):
        raise QueueConflict("not_pending", _("Only a pending analysis can be reordered."))


def prune(
    statuses: Sequence[Status],
    older_than: datetime,
    *,
    progress: Callable[[int], None],
    only: Q | None = None,
    limit: int | None = None,
) -> int:
    """Delete ended tasks that ended before ``older_than``, the oldest first and in small batches.

    ``only`` narrows them further; at most ``limit`` are deleted. The tallies behind the counters
    are kept apart and stay. Returns how many were deleted.
    """
    done = 0
    for status in statuses:  # one at a time: its part of the index has the order of the ends
        doomed = prunable([status], older_than, only)
        while limit is None or done < limit:
            size = BATCH if limit is None else min(BATCH, limit - done)
            ids = list(doomed.order_by("completed_at").values_list("pk", flat=True)[:size])
            if not ids:
                break
            # Asked again inside the transaction: one of them may have been retried meanwhile. Not
            # for its status too, which would make SQLite go through all that have ended.
            again = PendingAnalysis.objects.filter(pk__in=ids, completed_at__lt=older_than)
            deleted = in_transaction(lambda again=again: _delete(again))  # type: ignore[misc]
            done += deleted
            progress(deleted)
    return done


def prunable(
    statuses: Sequence[Status], older_than: datetime, only: Q | None = None
) -> QuerySet[PendingAnalysis]:
    """What ``prune`` deletes."""
    if set(statuses) & set(LIVE):
        raise ValueError("live tasks are never pruned")
    ended = PendingAnalysis.objects.filter(status__in=statuses, completed_at__lt=older_than)
    return ended if only is None else ended.filter(only)


def _delete(doomed: QuerySet[PendingAnalysis]) -> int:
    # Locked, for Django looks first and deletes then, by the keys alone.
    ids = list(locked(doomed).order_by("pk").values_list("pk", flat=True))
    _, per_model = PendingAnalysis.objects.filter(pk__in=ids).delete()
    return per_model.get("analysis.PendingAnalysis", 0)
