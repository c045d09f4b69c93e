"""Ending a task that waits or runs: somebody asks for it, or a newer text takes its place."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from analysis.errors import SUPERSEDED, QueueConflict, sentence_for
from analysis.models import LIVE, PendingAnalysis, Status
from analysis.queue import attempts, counters, in_order
from analysis.queue.attempts import Outcome
from analysis.queue.finish import notify_writer
from arboris import logs
from arboris.db import db_now, in_transaction, locked

log = logging.getLogger(__name__)


def cancel(task_id: int, *, notify: bool = True) -> None:
    """End a pending or processing task as cancelled, at once.

    A processing task is taken away from its worker by its fencing token: whatever the worker
    still writes changes nothing, and it stops at its next check. Raises QueueConflict when the
    task has ended already.
    """
    in_transaction(lambda: _cancel(task_id, "cancelled", notify))


def check_cancel(task: PendingAnalysis) -> None:
    """Raise the QueueConflict that cancelling the task would meet, as far as can be foreseen."""
    if task.status not in LIVE:
        raise QueueConflict("already_ended")


def supersede(chapter_id: int) -> None:
    """Cancel the chapter's live task because a newer text takes its place; quietly."""
    task_id = (
        PendingAnalysis.objects.filter(active_chapter=chapter_id)
        .values_list("pk", flat=True)
        .first()
    )
    if task_id is not None:
        _cancel(task_id, SUPERSEDED, notify=False, missing_ok=True)


def supersede_all(project_id: uuid.UUID) -> None:
    """Cancel the novel's live tasks because it goes into the trash; quietly.

    The caller holds the project's row lock, so that none is added.
    """
    live = PendingAnalysis.objects.filter(project_id=project_id, active_chapter__isnull=False)
    for task_id in live.order_by("pk").values_list("pk", flat=True):
        _cancel(task_id, SUPERSEDED, notify=False, missing_ok=True)


def _cancel(task_id: int, reason: str, notify: bool, missing_ok: bool = False) -> None:
    now = db_now()
    live = PendingAnalysis.objects.filter(pk=task_id, status__in=LIVE)
    task = locked(live).first()
    if task is None:
        if missing_ok:
            return
        raise QueueConflict("already_ended")
    superseded = reason == SUPERSEDED
    PendingAnalysis.objects.filter(pk=task_id).update(
        **taken_away(now),
        error_type=reason if superseded else "",
        error_message=sentence_for(reason) if superseded else "",
    )
    if task.status == Status.PROCESSING:
        attempts.close(attempts.running(task), now, Outcome.CANCELLED)
    counters.count(cancelled=1)
    in_order.let_go([task], now)
    if notify:
        notify_writer(task_id, "cancelled", {})
    tell_log([task], reason)


def tell_log(tasks: Sequence[PendingAnalysis], reason: str) -> None:
    """A line for each, once the caller's transaction is committed."""

    def tell() -> None:
        for task in tasks:
            fields = {"task": task.pk, "chapter": task.chapter_id, "novel": task.project_id}
            fields |= {"writer": task.user_id, "reason": reason}
            logs.event(log, logging.INFO, "analysis cancelled", **fields)

    transaction.on_commit(tell)


def taken_away(now: datetime) -> dict[str, Any]:
    """The columns of a task that is cancelled, beside its error."""
    return {
        "status": Status.CANCELLED,
        "active_chapter": None,
        "error_fingerprint": "",
        "completed_at": now,
        "lease_token": "",
        "lease_expires_at": None,
        "progress_feature": "",
    }
