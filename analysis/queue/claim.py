"""Taking the next task and keeping hold of it: lease and fencing token."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError

from analysis.models import (
    AnalysisAttempt,
    EndpointState,
    PendingAnalysis,
    QueueControl,
)
from analysis.queue import due
from analysis.queue.endpoint import NONE, Endpoint, wait
from arboris import sql
from arboris.db import db_now, in_transaction
from arboris.novels.models import Chapter

log = logging.getLogger(__name__)


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
    *,
    last: bool = False,
) -> tuple[list[sql.Answer], Claim | None]:
    """Run ``before`` and claim, in the caller's transaction and in one round trip.

    Whatever a worker does while it holds the queue's lock, all others wait for: so the database
    leases what it has found without telling us first.

    Returns the answers to ``before`` too: where one of them is not as it should be, the caller
    rolls back, and the claim with it. With ``last`` it may be committed by then (see sql.run):
    None is then also the answer where a task could be claimed at a second look.
    """
    token = uuid.uuid4().hex
    leasing = _leasing(token, worker, endpoint, only)
    # What is written once the claim is told belongs to it: the turn that is being served, and when
    # the next probe of an endpoint comes. One that has no credentials never refuses us.
    last = last and settings.ARBORIS_FAIRNESS != "writer" and not endpoint.credentials
    *first, told = sql.run([*before, _counting(1), *leasing], last=last)
    first = first[: len(before)]
    while not told.rows:
        if last:
            _uncount()
            return first, None
        if not due.first(endpoint, 1, only):
            sql.run([_counting(-1)])
            return first, None
        *_, told = sql.run(leasing)  # what was found was cancelled in between: look again
    return first, _leased(told.rows[0], token, endpoint)


def _counting(by: int) -> sql.Statement:
    """The number of claims so far; the lock on its row is the queue's mutex."""
    return sql.update(QueueControl, {"pk": 1}, claimed=sql.Plus(by))


def _uncount() -> None:
    """After a commit: whatever happens here, nobody may take it for that one's failing."""
    try:
        sql.run([_counting(-1)])
    except DatabaseError as error:
        log.warning("one claim more was counted than made: %s", error)


def _leasing(
    token: str, worker: str, endpoint: Endpoint, only: due.Tasks | None
) -> list[sql.Statement]:
    """Lease the task that comes first, if it is pending still; the last of them tells of it."""
    texts = _texts()
    if sql.vendor() == "mysql":
        columns = sql.Statement(texts.columns, (endpoint.name,))
        first = due.head(endpoint, only, columns=columns)
        lease = (token, settings.ARBORIS_LEASE_SECONDS, worker, endpoint.name)
        return [
            sql.Statement("SET @t_id = NULL"),  # which keeps its value where nothing is found
            sql.Statement(first.sql + texts.into, first.params),
            sql.Statement(texts.lease + " AND id = @t_id", lease),
            sql.Statement(texts.attempt, (worker,)),
            sql.Statement(texts.told),
        ]
    first = due.head(endpoint, only)
    now, expires = sql.now(), sql.now(settings.ARBORIS_LEASE_SECONDS)
    lease = (token, *now.params, *expires.params, worker, endpoint.name, *first.params)
    return [
        sql.Statement(f"{texts.lease} AND id = ({first.sql})", lease),
        sql.Statement(texts.attempt, (worker, token)),
        sql.Statement(texts.told, (endpoint.name, token)),
    ]


class _Texts(NamedTuple):
    lease: str
    attempt: str
    told: str
    columns: str = ""
    into: str = ""


# Of the task that is leased, in the order in which _leased takes them; ``started_at`` is now.
COLUMNS = (
    *("id", "chapter_id", "version_id", "project_id", "user_id", "started_at", "attempt_count"),
    *("retry_count", "max_retries", "generation_config", "checkpoint", "turn"),
)


@cache
def _texts() -> _Texts:
    task, attempt = sql.table(PendingAnalysis), sql.table(AnalysisAttempt)
    columns = ", ".join(f"t.{name}" for name in COLUMNS) + (
        f", (SELECT c.chapter_number FROM {sql.table(Chapter)} c WHERE c.id = t.chapter_id),"
        f" (SELECT c.turn FROM {sql.table(QueueControl)} c WHERE c.id = 1),"
        f" (SELECT e.probes FROM {sql.table(EndpointState)} e"
        " WHERE e.name = %s AND e.paused_at IS NOT NULL)"
    )
    lease = (
        f"UPDATE {task} SET status = 'processing', lease_token = %s, started_at = {sql.now().sql},"
        f" lease_expires_at = {sql.now(1).sql}, attempt_count = attempt_count + 1, worker = %s,"
        " endpoint = %s, progress_percent = 0, progress_feature = '' WHERE status = 'pending'"
    )
    attempt = (
        f"INSERT INTO {attempt}"
        " (task_id, number, worker, started_at, outcome, error_type, error_message)"
        " SELECT t.id, t.attempt_count, %s, t.started_at, 'running', '', ''"
    )
    if sql.vendor() != "mysql":
        # Few are being processed: their status is the quickest way to the one with the token.
        leased = f" FROM {task} t WHERE t.status = 'processing' AND t.lease_token = %s"
        return _Texts(lease, attempt + leased, f"SELECT {columns}{leased}")
    # There an UPDATE that reads its own table does not find its row by the key. What it is to know
    # goes through variables instead, and what they hold need not be read once more.
    variables = ", ".join(f"@t_{name}" for name in (*COLUMNS, "number", "served", "probes"))
    now = sql.now().sql
    done = " FROM DUAL WHERE ROW_COUNT() = 1"  # the row that the statement before this changed
    return _Texts(
        lease.replace(task, f"{task} FORCE INDEX (PRIMARY)").replace(now, "@t_started_at"),
        attempt.replace("t.", "@t_") + done,
        f"SELECT {variables}{done}",
        columns.replace("t.started_at", now).replace("t.attempt_count", "t.attempt_count + 1"),
        f" INTO {variables}",
    )


def _leased(row: tuple[Any, ...], token: str, endpoint: Endpoint) -> Claim:
    """The claim on the task that was leased, and what else has to be known of it from now on."""
    task_id, chapter_id, version_id, project_id, user_id, started_at, attempt = row[:7]
    retry_count, max_retries, config, checkpoint, turn, chapter_number, served, probes = row[7:]
    started = sql.as_time(started_at)
    if settings.ARBORIS_FAIRNESS == "writer" and turn > served:
        sql.run([sql.update(QueueControl, {"pk": 1}, turn=turn)])
    probe = probes is not None
    if probe:  # no second one until this one is over, or given up for lost
        patience = max(wait(probes), timedelta(seconds=settings.ARBORIS_PROCESSING_TIMEOUT))
        until = started + patience
        sql.run([sql.update(EndpointState, {"pk": endpoint.name}, probe_at=until)])
    return Claim(
        task_id=task_id,
        token=token,
        attempt=attempt,
        project_id=project_id if isinstance(project_id, uuid.UUID) else uuid.UUID(project_id),
        chapter_id=chapter_id,
        chapter_number=chapter_number,
        version_id=version_id,
        user_id=user_id,
        started_at=started,
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
