"""Taking the next task and keeping it: lease and fencing token."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from analysis.models import PendingAnalysis, QueueControl, Status
from analysis.queue import due, endpoints, fairness, in_order
from analysis.queue.attempts import Attempt
from analysis.queue.endpoints import NONE, Endpoint
from arboris.db import db_now, in_transaction
from arboris.sql import Plus, Update, write


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one task until its lease expires; every write names the token."""

    task_id: int
    token: str
    attempt: int
    worker: str
    project_id: uuid.UUID
    chapter_id: int
    chapter_number: int
    version_id: int
    user_id: int
    started_at: datetime
    retry_count: int
    max_retries: int
    endpoint: Endpoint = NONE
    # Whether it was claimed to see if a paused endpoint takes us again.
    probe: bool = False
    # Nobody is told of its end but where it fails.
    quiet: bool = False
    # Of the request that queued it; "" where none did.
    request_id: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    checkpoint: dict[str, Any] = field(default_factory=dict)
    _taken: float = field(default_factory=time.monotonic)

    def fence(self) -> dict[str, Any]:
        """The condition under which this claim may write to its task.

        A task has a token while it is processing, and no longer; the status is left out so that
        no database comes upon the idea of finding the row by it.
        """
        return {"pk": self.task_id, "lease_token": self.token}

    def now(self) -> datetime:
        """The database's time, as far as it was told at the claim, without asking again."""
        return self.started_at + timedelta(seconds=time.monotonic() - self._taken)

    def as_attempt(self) -> Attempt:
        return Attempt(self.task_id, self.attempt, self.worker, self.started_at)


def claim(worker: str, endpoint: Endpoint = NONE, *, only: due.Tasks | None = None) -> Claim | None:
    """The due task that comes first (of ``only``), now leased to ``worker``; or None.

    First is the highest priority, then the oldest (with ARBORIS_FAIRNESS=writer the writer whose
    turn it is), then the lowest id; of a novel's new chapters the first one (``in_order``). Tasks
    of a paused novel, writer or endpoint do not come, nor those of a novel or endpoint that has as
    many running as it may have.
    """
    return in_transaction(lambda: _claim(worker, endpoint, only))


def _claim(worker: str, endpoint: Endpoint, only: due.Tasks | None) -> Claim | None:
    # The lock on the row with the number of claims is the queue's: it makes them strictly ordered
    # on every database. All others wait for whoever has it, so both are sent at once.
    candidate = due.first_task(endpoint, only, after=[_counting(1)])
    while candidate is not None:
        task, token = in_order.first_of_novel(candidate, endpoint, only), uuid.uuid4().hex
        if task is not None and _lease(task, token, worker, endpoint):
            fairness.serve(candidate.turn)
            probe = endpoints.begin_probe(endpoint, task.now)
            return _as_claim(task, token, worker, endpoint, probe)
        # It was cancelled in that very moment, or has to wait.
        candidate = due.first_task(endpoint, only)
    write(_counting(-1))
    return None


def _counting(by: int) -> Update:
    return Update(QueueControl, {"pk": 1}, {"claimed": Plus(by)})


def _lease(task: due.Task, token: str, worker: str, endpoint: Endpoint) -> bool:
    """Compare and set: those who cancel do not take the queue's lock."""
    leased = {
        "status": Status.PROCESSING,
        "lease_token": token,
        "lease_expires_at": task.now + timedelta(seconds=settings.ARBORIS_LEASE_SECONDS),
        "started_at": task.now,
        "attempt_count": task.attempt_count + 1,
        "worker": worker,
        "endpoint": endpoint.name,
        "progress_percent": 0,
        "progress_feature": "",
    }
    pending = {"pk": task.id, "status": Status.PENDING}
    return write(Update(PendingAnalysis, pending, leased)) == [1]


def _as_claim(task: due.Task, token: str, worker: str, endpoint: Endpoint, probe: bool) -> Claim:
    return Claim(
        task_id=task.id,
        token=token,
        attempt=task.attempt_count + 1,
        worker=worker,
        project_id=task.project_id,
        chapter_id=task.chapter_id,
        chapter_number=task.chapter_number,
        version_id=task.version_id,
        user_id=task.user_id,
        started_at=task.now,
        retry_count=task.retry_count,
        max_retries=task.max_retries,
        endpoint=endpoint,
        probe=probe,
        quiet=task.quiet,
        request_id=task.request_id,
        config=task.generation_config,
        checkpoint=task.checkpoint or {},
    )


def renew(claim: Claim) -> bool:
    """Extend the lease; False when the task is no longer this claim's."""
    expires = db_now() + timedelta(seconds=settings.ARBORIS_LEASE_SECONDS)
    return bool(PendingAnalysis.objects.filter(**claim.fence()).update(lease_expires_at=expires))


def owns(claim: Claim) -> bool:
    """Whether the claim still stands (a cheap read, for noticing a cancellation early)."""
    return PendingAnalysis.objects.filter(**claim.fence()).exists()


def report_progress(
    claim: Claim, percent: int, feature: str, checkpoint: dict[str, Any] | None = None
) -> bool:
    """Write how far the analysis is, with the features that are done; False: the claim is gone."""
    changes: dict[str, Any] = {"progress_percent": percent, "progress_feature": feature}
    if checkpoint is not None:
        changes["checkpoint"] = checkpoint
    return bool(PendingAnalysis.objects.filter(**claim.fence()).update(**changes))
