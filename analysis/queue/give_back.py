"""Giving a claimed task back unfinished, because its worker is about to stop."""

from __future__ import annotations

from typing import Any

from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis, QueueControl, Status
from analysis.queue import attempts, endpoints
from analysis.queue.attempts import Attempt, Outcome
from analysis.queue.claim import Claim
from arboris.db import db_now, in_transaction, locked


def give_back(claim: Claim, checkpoint: dict[str, Any] | None = None) -> bool:
    """Back to pending at once, at its old place and without a retry being used up.

    ``checkpoint``: the features that are done, where there are more than were reported. False
    when the claim no longer stands (the task has ended, or is somebody else's): then nothing
    changes.
    """

    def work() -> bool:
        changes = {} if checkpoint is None else {"checkpoint": checkpoint}
        given_back = _give_back(claim.fence(), claim.as_attempt(), changes)
        if given_back and claim.probe:
            endpoints.let_probe(claim.endpoint.name)
        return given_back

    return in_transaction(work)


def release_leases_of(worker: str) -> int:
    """Back to pending with what is leased to ``worker``, which knows of no claim; how many.

    The answer to its last claim was lost with the connection: only the lease would end it.
    """

    def work() -> int:
        # Every claim is made under this lock: one that the server is still at is seen too.
        locked(QueueControl.objects.filter(pk=1)).get()
        tasks = PendingAnalysis.objects.filter(status=Status.PROCESSING, worker=worker)
        return sum(
            _give_back({"pk": task.pk, "lease_token": task.lease_token}, attempts.running(task), {})
            for task in tasks
        )

    return in_transaction(work)


def _give_back(fence: dict[str, Any], attempt: Attempt, changes: dict[str, Any]) -> bool:
    now = db_now()
    changed = PendingAnalysis.objects.filter(**fence).update(
        status=Status.PENDING,
        due_at=now,
        started_at=None,
        worker="",
        lease_token="",
        lease_expires_at=None,
        progress_percent=0,
        progress_feature="",
        **changes,
    )
    if changed:
        attempts.close(attempt, now, Outcome.CANCELLED, "given back: the worker was stopped")
        wakeups.issue()
    return bool(changed)
