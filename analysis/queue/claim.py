"""Taking the next task and keeping hold of it: lease and fencing token."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F

from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl, Status
from analysis.queue import tally
from arboris.db import db_now, in_transaction


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one task until its lease expires; every write names the token."""

    task_id: int
    token: str
    attempt: int
    project_id: uuid.UUID
    chapter_id: int
    version_id: int
    user_id: int
    started_at: datetime
    retry_count: int
    max_retries: int
    config: dict[str, Any] = field(default_factory=dict)
    checkpoint: dict[str, Any] = field(default_factory=dict)

    def held(self) -> dict[str, Any]:
        """The condition under which this claim may write to its task."""
        return {"pk": self.task_id, "status": Status.PROCESSING, "lease_token": self.token}


def claim(worker: str) -> Claim | None:
    """The due task of the highest priority, then the oldest, now leased to ``worker``; or None.

    The lock on the QueueControl row makes claims strictly ordered on every database; the
    compare-and-set below it keeps them exclusive even against writers that do not take the lock.
    """
    return in_transaction(lambda: _claim_locked(worker))


def _claim_locked(worker: str) -> Claim | None:
    control = QueueControl.objects.select_for_update().get(pk=1)
    if control.paused_at is not None:
        return None
    while True:
        now = db_now()
        task = (
            PendingAnalysis.objects.filter(status=Status.PENDING, due_at__lte=now)
            .order_by("-priority", "created_at", "id")
            .defer("result")
            .first()
        )
        if task is None:
            return None
        token = uuid.uuid4().hex
        changed = PendingAnalysis.objects.filter(pk=task.pk, status=Status.PENDING).update(
            status=Status.PROCESSING,
            lease_token=token,
            lease_expires_at=now + timedelta(seconds=settings.ARBORIS_LEASE_SECONDS),
            attempt_count=F("attempt_count") + 1,
            started_at=now,
            worker=worker,
            progress_percent=0,
            progress_feature="",
        )
        if changed:
            break  # otherwise it was cancelled in between: look again
    AnalysisAttempt.objects.create(
        task=task, number=task.attempt_count + 1, worker=worker, started_at=now
    )
    tally.count(claimed=1)
    return Claim(
        task_id=task.pk,
        token=token,
        attempt=task.attempt_count + 1,
        project_id=task.project_id,
        chapter_id=task.chapter_id,
        version_id=task.version_id,
        user_id=task.user_id,
        started_at=now,
        retry_count=task.retry_count,
        max_retries=task.max_retries,
        config=task.generation_config,
        checkpoint=task.checkpoint or {},
    )


def renew(held: Claim) -> bool:
    """Extend the lease; False when the task is no longer this claim's."""
    expires = db_now() + timedelta(seconds=settings.ARBORIS_LEASE_SECONDS)
    return bool(PendingAnalysis.objects.filter(**held.held()).update(lease_expires_at=expires))


def owns(held: Claim) -> bool:
    """Whether the claim still stands (a cheap read, for noticing a cancellation early)."""
    return PendingAnalysis.objects.filter(**held.held()).exists()


def report_progress(
    held: Claim, percent: int, feature: str, checkpoint: dict[str, Any] | None = None
) -> bool:
    """Write how far the analysis is, with the features that are done; False when the claim is gone."""
    changes: dict[str, Any] = {"progress_percent": percent, "progress_feature": feature}
    if checkpoint is not None:
        changes["checkpoint"] = checkpoint
    return bool(PendingAnalysis.objects.filter(**held.held()).update(**changes))
