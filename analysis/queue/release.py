"""Giving a claimed task back unfinished, because its worker is about to stop."""

from __future__ import annotations

from analysis.models import AnalysisAttempt, PendingAnalysis, Status
from analysis.queue import wakeup
from analysis.queue.claim import Claim
from arboris.db import db_now, in_transaction


def give_back(held: Claim) -> bool:
    """Back to pending at once, at its old place and without a retry being used up.

    Finished features stay in the checkpoint. False when the claim no longer stands (the task has
    ended, or is somebody else's): then nothing changes.
    """
    return in_transaction(lambda: _give_back(held))


def _give_back(held: Claim) -> bool:
    now = db_now()
    changed = PendingAnalysis.objects.filter(**held.held()).update(
        status=Status.PENDING,
        due_at=now,
        started_at=None,
        worker="",
        lease_token="",
        lease_expires_at=None,
        progress_percent=0,
        progress_feature="",
    )
    if not changed:
        return False
    AnalysisAttempt.objects.filter(task_id=held.task_id, number=held.attempt).update(
        ended_at=now,
        outcome=AnalysisAttempt.Outcome.CANCELLED,
        error_message="given back: the worker was stopped",
    )
    wakeup.issue()
    return True
