"""Taking the next task and keeping hold of it: lease and fencing token."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings

from analysis.models import (
    AnalysisAttempt,
    EndpointState,
    PendingAnalysis,
    QueueControl,
    QueuePause,
    Status,
)
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


def claim(worker: str, endpoint: Endpoint = NONE) -> Claim | None:
    """The due task that comes first, now leased to ``worker``; or None.

    First is the highest priority, then the oldest (with ARBORIS_FAIRNESS=writer the writer whose
    turn it is), then the lowest id. Tasks of a paused novel, writer or endpoint do not come, nor
    those of a novel or endpoint that has as many running as it may have.

    The lock on the QueueControl row makes claims strictly ordered on every database; the
    compare-and-set below it keeps them exclusive even against writers that do not take the lock.
    """
    return in_transaction(lambda: claim_after((), worker, endpoint)[1])


def claim_after(
    before: Sequence[sql.Statement], worker: str, endpoint: Endpoint
) -> tuple[list[sql.Answer], Claim | None]:
    """Run ``before`` and claim, in the caller's transaction, with as few round trips as can be.

    Returns the answers to ``before`` too: where one of them is not as it should be, the caller
    rolls back, and the claim with it.
    """
    answers = sql.run([*before, *_looking(endpoint)])
    first, (control, found) = answers[: len(before)], answers[len(before) :]
    ((paused_at, turn, now),) = control.rows
    if paused_at is not None:
        return first, None
    while found.rows:
        taken = _take(found.rows[0], worker, endpoint, sql.as_time(now), turn)
        if taken is not None:
            return first, taken
        _, found = sql.run(_looking(endpoint))  # it was cancelled in between: look again
    return first, None


def _looking(endpoint: Endpoint) -> list[sql.Statement]:
    """The lock with what the control row says, then the task that comes first."""
    now = sql.now()
    control = f"SELECT paused_at, turn, {now.sql} FROM {sql.table(QueueControl)} WHERE id = 1"
    text = _first_due(
        settings.ARBORIS_FAIRNESS,
        settings.ARBORIS_MAX_PER_PROJECT,
        settings.ARBORIS_MAX_PER_ENDPOINT,
    )
    name = endpoint.name
    # Where the expression for the time takes a parameter (SQLite), it takes it each time.
    params = (name, *now.params, name, endpoint.credentials, *now.params)
    if settings.ARBORIS_MAX_PER_ENDPOINT:
        params = (*params, name)
    return [sql.Statement(control + sql.for_update(), now.params), sql.Statement(text, params)]


@lru_cache(maxsize=16)
def _first_due(fairness: str, per_project: int, per_endpoint: int) -> str:
    """The query for the task that comes first: an ordered read of one index, with a limit of 1."""
    task, now = sql.table(PendingAnalysis), sql.now().sql
    turn = "t.turn, " if fairness == "writer" else ""
    state, pause = sql.table(EndpointState), sql.table(QueuePause)
    limits = ""
    if per_project:
        limits += (
            f" AND t.project_id NOT IN (SELECT r.project_id FROM {task} r"
            f" WHERE r.status = 'processing' GROUP BY r.project_id HAVING COUNT(*) >= {per_project})"
        )
    if per_endpoint:
        limits += (
            f" AND (SELECT COUNT(*) FROM {task} r WHERE r.status = 'processing'"
            f" AND r.endpoint = %s) < {per_endpoint}"
        )
    return (
        "SELECT t.id, t.chapter_id, t.version_id, t.project_id, t.user_id, t.attempt_count,"
        " t.retry_count, t.max_retries, t.generation_config, t.checkpoint, t.turn,"
        f" (SELECT c.chapter_number FROM {sql.table(Chapter)} c WHERE c.id = t.chapter_id),"
        f" (SELECT e.probes FROM {state} e WHERE e.name = %s AND e.paused_at IS NOT NULL)"
        f" FROM {task} t WHERE t.status = 'pending' AND t.due_at <= {now}"
        f" AND NOT EXISTS (SELECT 1 FROM {pause} p"
        " WHERE p.project_id = t.project_id OR p.user_id = t.user_id)"
        f" AND NOT EXISTS (SELECT 1 FROM {state} e WHERE e.name = %s AND e.paused_at IS NOT NULL"
        f" AND e.credentials = %s AND e.probe_at > {now})"
        f"{limits} ORDER BY t.priority DESC, {turn}t.created_at, t.id LIMIT 1"
    )


def _take(
    row: tuple[Any, ...], worker: str, endpoint: Endpoint, now: datetime, turn: int
) -> Claim | None:
    """Lease the task that was found; None if it is no longer pending."""
    task_id, chapter_id, version_id, project_id, user_id, attempts = row[:6]
    retry_count, max_retries, config, checkpoint, its_turn, chapter_number, probes = row[6:]
    token = uuid.uuid4().hex
    statements = [
        sql.update(
            PendingAnalysis,
            {"pk": task_id, "status": Status.PENDING},
            status=Status.PROCESSING,
            lease_token=token,
            lease_expires_at=now + timedelta(seconds=settings.ARBORIS_LEASE_SECONDS),
            attempt_count=attempts + 1,
            started_at=now,
            worker=worker,
            endpoint=endpoint.name,
            progress_percent=0,
            progress_feature="",
        ),
        sql.insert(
            AnalysisAttempt,
            only_if=(PendingAnalysis, {"pk": task_id, "lease_token": token}),
            task_id=task_id,
            number=attempts + 1,
            worker=worker,
            started_at=now,
            outcome=AnalysisAttempt.Outcome.RUNNING,
            error_type="",
            error_message="",
        ),
        _count(turn=max(turn, its_turn)),
    ]
    probe = probes is not None
    if probe:  # no second one until this one is over, or given up for lost
        until = now + max(wait(probes), timedelta(seconds=settings.ARBORIS_PROCESSING_TIMEOUT))
        statements.append(sql.update(EndpointState, {"pk": endpoint.name}, probe_at=until))
    if not sql.run(statements)[0].changed:
        sql.run([_count(by=-1)])
        return None
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


def _count(by: int = 1, **changes: int) -> sql.Statement:
    """The number of claims, in the row that the claim holds locked anyway."""
    return sql.update(QueueControl, {"pk": 1}, claimed=sql.Expression(f"claimed + {by}"), **changes)


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
