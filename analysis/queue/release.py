"""Giving a claimed task back unfinished, because its worker is about to stop."""

from __future__ import annotations

from typing import Any

from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl, Status
from analysis.queue import endpoint, wakeup
from analysis.queue.claim import Claim
from arboris.db import db_now, in_transaction, locked


def give_back(held: Claim, checkpoint: dict[str, Any] | None = None) -> bool:
    """Back to pending at once, at its old place and without a retry being used up.

    ``checkpoint``: the features that are done, where there are more than were reported. False
    when the claim no longer stands (the task has ended, or is somebody else's): then nothing
    changes.
    """

    def work() -> bool:
        given_back = _give_back(held.held(), checkpoint)
        if given_back and held.probe:
            endpoint.let_probe(held.endpoint.name)
        return given_back

    return in_transaction(work)


def give_back_strays(worker: str) -> int:
    """Back to pending with what is leased to ``worker``, which knows of no claim; how many.

    The answer to its last claim was lost with the connection: only the lease would end it.
    """

    def work() -> int:
        # Every claim is made under this lock: one that the server is still at is seen too.
        locked(QueueControl.objects.filter(pk=1)).get()
        tokens = PendingAnalysis.objects.filter(status=Status.PROCESSING, worker=worker)
        return sum(
            _give_back({"pk": pk, "lease_token": token}, None)
            for pk, token in tokens.values_list("pk", "lease_token")
        )

    return in_transaction(work)


def _give_back(held: dict[str, Any], checkpoint: dict[str, Any] | None) -> bool:
    now = db_now()
    changes: dict[str, Any] = {} if checkpoint is None else {"checkpoint": checkpoint}
    changed = PendingAnalysis.objects.filter(**held).update(
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
    if not changed:
        return False
    AnalysisAttempt.objects.filter(
        task_id=held["pk"], outcome=AnalysisAttempt.Outcome.RUNNING
    ).update(
        ended_at=now,
        outcome=AnalysisAttempt.Outcome.CANCELLED,
        error_message="given back: the worker was stopped",
    )
    wakeup.issue()
    return True
