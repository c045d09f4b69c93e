"""Taking the next task and keeping hold of it: lease and fencing token."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings

from analysis.models import (
    AnalysisAttempt,
    EndpointState,
    PendingAnalysis,
    QueueControl,
    Status,
)
from analysis.queue import due
from analysis.queue.endpoint import NONE, Endpoint, wait
from arboris import sql
from arboris.db import db_now, in_transaction
from arboris.novels.models import Chapter


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one task until its lease expires; every write names the token."""

    task_id: int
    token: str
    attempt: int
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
    config: dict[str, Any] = field(default_factory=dict)
    checkpoint: dict[str, Any] = field(default_factory=dict)
    _taken: float = field(default_factory=time.monotonic)

    def held(self) -> dict[str, Any]:
        """The condition under which this claim may write to its task.

        A task has a token while it is processing, and no longer; the status is left out so that
        no database comes upon the idea of finding the row by it.
        """
        return {"pk": self.task_id, "lease_token": self.token}

    def now(self) -> datetime:
        """The database's time, as far as it was told at the claim, without asking again."""
        return self.started_at + timedelta(seconds=time.monotonic() - self._taken)


def claim(worker: str, endpoint: Endpoint = NONE, *, only: due.Tasks | None = None) -> Claim | None:
    """The due task that comes first (of ``only``), now leased to ``worker``; or None.

    First is the highest priority, then the oldest (with ARBORIS_FAIRNESS=writer the writer whose
    turn it is), then the lowest id. Tasks of a paused novel, writer or endpoint do not come, nor
    those of a novel or endpoint that has as many running as it may have.

    The lock on the QueueControl row makes claims strictly ordered on every database; the
    compare-and-set below it keeps them exclusive even against writers that do not take the lock.
    """
    return in_transaction(lambda: claim_after((), worker, endpoint, only)[1])


def claim_after(
    before: Sequence[sql.Statement],
    worker: str,
    endpoint: Endpoint,
    only: due.Tasks | None = None,
) -> tuple[list[sql.Answer], Claim | None]:
    """Run ``before`` and claim, in the caller's transaction, with as few round trips as can be.

    Returns the answers to ``before`` too: where one of them is not as it should be, the caller
    rolls back, and the claim with it.
    """
    *first, _, found = sql.run([*before, _counting(1), _looking(endpoint, only)])
    while found.rows:
        taken = _take(found.rows[0], worker, endpoint)
        if taken is not None:
            return first, taken
        (found,) = sql.run([_looking(endpoint, only)])  # it was cancelled in between: look again
    sql.run([_counting(-1)])
    return first, None


def _counting(by: int) -> sql.Statement:
    """The number of claims so far; the lock on its row is the queue's mutex."""
    return sql.update(QueueControl, {"pk": 1}, claimed=sql.Expression(f"claimed + {by}"))


def _looking(endpoint: Endpoint, only: due.Tasks | None) -> sql.Statement:
    """The task that comes first, none while the queue is paused: an ordered read of one index."""
    now, held = sql.now(), due.where(endpoint, only=only)
    return sql.Statement(
        f"{_columns()} WHERE {held.sql}"
        f" AND (SELECT c.paused_at FROM {sql.table(QueueControl)} c WHERE c.id = 1) IS NULL"
        f" ORDER BY {due.order()} LIMIT 1",
        (*now.params, endpoint.name, *held.params),
    )


@cache
def _columns() -> str:
    """What a claim has to know of the task that comes first."""
    return (
        # The time is told here: MariaDB's is that of a statement's start, and the one before this
        # may have waited for its lock.
        f"SELECT {sql.now().sql}, t.id, t.chapter_id, t.version_id, t.project_id, t.user_id,"
        " t.attempt_count, t.retry_count, t.max_retries, t.generation_config, t.checkpoint, t.turn,"
        f" (SELECT c.chapter_number FROM {sql.table(Chapter)} c WHERE c.id = t.chapter_id),"
        f" (SELECT c.turn FROM {sql.table(QueueControl)} c WHERE c.id = 1),"
        f" (SELECT e.probes FROM {sql.table(EndpointState)} e"
        " WHERE e.name = %s AND e.paused_at IS NOT NULL)"
        f" FROM {sql.table(PendingAnalysis)} t"
    )


def _take(row: tuple[Any, ...], worker: str, endpoint: Endpoint) -> Claim | None:
    """Lease the task that was found; None if it is no longer pending."""
    told, task_id, chapter_id, version_id, project_id, user_id, attempts = row[:7]
    retry_count, max_retries, config, checkpoint, turn, chapter_number, served, probes = row[7:]
    now = sql.as_time(told)
    token = uuid.uuid4().hex
    leased, _ = sql.run(
        [
            sql.update(
                PendingAnalysis,
                {"pk": task_id, "status": Status.PENDING},
                status=sql.text(Status.PROCESSING),
                lease_token=token,
                lease_expires_at=now + timedelta(seconds=settings.ARBORIS_LEASE_SECONDS),
                attempt_count=attempts + 1,
                started_at=now,
                worker=worker,
                endpoint=endpoint.name,
                progress_percent=sql.ZERO,
                progress_feature=sql.EMPTY,
            ),
            sql.insert(
                AnalysisAttempt,
                only_if=(PendingAnalysis, {"pk": task_id, "lease_token": token}),
                task_id=task_id,
                number=attempts + 1,
                worker=worker,
                started_at=now,
                outcome=sql.text(AnalysisAttempt.Outcome.RUNNING),
                error_type=sql.EMPTY,
                error_message=sql.EMPTY,
            ),
        ]
    )
    if not leased.changed:
        return None
    if settings.ARBORIS_FAIRNESS == "writer" and turn > served:
        sql.run([sql.update(QueueControl, {"pk": 1}, turn=turn)])
    probe = probes is not None
    if probe:  # no second one until this one is over, or given up for lost
        until = now + max(wait(probes), timedelta(seconds=settings.ARBORIS_PROCESSING_TIMEOUT))
        sql.run([sql.update(EndpointState, {"pk": endpoint.name}, probe_at=until)])
    return Claim(
        task_id=task_id,
        token=token,
        attempt=attempts + 1,
        project_id=project_id if isinstance(project_id, uuid.UUID) else uuid.UUID(project_id),
        chapter_id=chapter_id,
        chapter_number=chapter_number,
        version_id=version_id,
        user_id=user_id,
        started_at=now,
        retry_count=retry_count,
        max_retries=max_retries,
        endpoint=endpoint,
        probe=probe,
        config=json.loads(config),
        checkpoint=json.loads(checkpoint) if checkpoint else {},
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
