"""Which tasks may be claimed: the claim's own conditions, also for whoever asks about them.

A cluster is ended as wedged, and the site called unready, when something could be claimed and is
not. So there is one set of conditions, and one answer to since when they have held.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db.models import QuerySet

from analysis.models import (
    AnalysisAttempt,
    EndpointState,
    PendingAnalysis,
    QueueControl,
    QueuePause,
)
from analysis.queue.endpoint import Endpoint
from arboris import sql

Tasks = QuerySet[PendingAnalysis]
# Of the attempts, which have no index by their end: none of them runs longer than so many others.
NEWEST = 1000


def where(endpoint: Endpoint, *, only: Tasks | None = None, limits: bool = True) -> sql.Statement:
    """What has to hold of a task ``t`` for a claim to take it, beside the queue's not being paused.

    ``only`` narrows it; without ``limits`` what waits for others of its novel or endpoint counts
    too.
    """
    now = sql.now()
    per_project = settings.ARBORIS_MAX_PER_PROJECT if limits else 0
    per_endpoint = settings.ARBORIS_MAX_PER_ENDPOINT if limits else 0
    text = _where(per_project, per_endpoint)
    # Where the expression for the time takes a parameter (SQLite), it takes it each time.
    params = (*now.params, endpoint.name, endpoint.credentials, *now.params)
    if per_endpoint:
        params = (*params, endpoint.name)
    if only is not None:
        inner, inner_params = only.order_by().values("pk").query.sql_with_params()
        return sql.Statement(f"{text} AND t.id IN ({inner})", (*params, *inner_params))
    return sql.Statement(text, params)


@lru_cache(maxsize=16)
def _where(per_project: int, per_endpoint: int) -> str:
    task, now = sql.table(PendingAnalysis), sql.now().sql
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
        f"t.status = 'pending' AND t.due_at <= {now}"
        # Not as NOT EXISTS: PostgreSQL makes a join of it, takes it that nothing is left, and sorts.
        f" AND t.project_id NOT IN (SELECT p.project_id FROM {pause} p"
        " WHERE p.project_id IS NOT NULL)"
        f" AND t.user_id NOT IN (SELECT p.user_id FROM {pause} p WHERE p.user_id IS NOT NULL)"
        f" AND NOT EXISTS (SELECT 1 FROM {state} e WHERE e.name = %s AND e.paused_at IS NOT NULL"
        f" AND e.credentials = %s AND e.probe_at > {now}){limits}"
    )


def order() -> str:
    """The order of claims, of tasks ``t``: ``queue.turn.order`` in SQL."""
    turn = "t.turn, " if settings.ARBORIS_FAIRNESS == "writer" else ""
    return f"t.priority DESC, {turn}t.created_at, t.id"


def first(endpoint: Endpoint, limit: int, only: Tasks | None = None) -> list[int]:
    """Ids of what may be claimed now, at most ``limit``, in the order of claims.

    Empty while the queue is paused.
    """
    held = where(endpoint, only=only)
    control, found = sql.run(
        [
            sql.Statement(f"SELECT paused_at FROM {sql.table(QueueControl)} WHERE id = 1"),
            sql.Statement(
                f"SELECT t.id FROM {sql.table(PendingAnalysis)} t WHERE {held.sql}"
                f" ORDER BY {order()} LIMIT {int(limit)}",
                held.params,
            ),
        ]
    )
    ((paused_at,),) = control.rows
    return [] if paused_at is not None else [row[0] for row in found.rows]


def since(endpoint: Endpoint) -> datetime | None:
    """Since when there has been something that this endpoint's workers might claim; None: nothing.

    Not since it is due alone: a pause may have been lifted later, the time of a probe have come
    later, or another task have ended that kept its novel or endpoint at its limit.
    """
    held = where(endpoint)
    newest = f"SELECT ended_at FROM {sql.table(AnalysisAttempt)} ORDER BY id DESC LIMIT {NEWEST}"
    control, due, probe, ended = sql.run(
        [
            sql.Statement(
                f"SELECT paused_at, resumed_at FROM {sql.table(QueueControl)} WHERE id = 1"
            ),
            sql.Statement(
                f"SELECT MIN(t.due_at) FROM {sql.table(PendingAnalysis)} t WHERE {held.sql}",
                held.params,
            ),
            sql.Statement(
                f"SELECT probe_at FROM {sql.table(EndpointState)}"
                " WHERE name = %s AND paused_at IS NOT NULL AND credentials = %s",
                (endpoint.name, endpoint.credentials),
            ),
            sql.Statement(f"SELECT MAX(n.ended_at) FROM ({newest}) n"),
        ]
    )
    ((paused_at, resumed_at),) = control.rows
    ((due_at,),) = due.rows
    if paused_at is not None or due_at is None:
        return None
    moments = [due_at, resumed_at, *(row[0] for row in probe.rows)]
    if settings.ARBORIS_MAX_PER_PROJECT or settings.ARBORIS_MAX_PER_ENDPOINT:
        moments.append(ended.rows[0][0])
    return max(sql.as_time(moment) for moment in moments if moment is not None)


def oldest(endpoint: Endpoint) -> datetime | None:
    """When the oldest of the tasks was queued that neither a pause nor a later due time holds back."""
    held = where(endpoint, limits=False)
    control, queued = sql.run(
        [
            sql.Statement(f"SELECT paused_at FROM {sql.table(QueueControl)} WHERE id = 1"),
            sql.Statement(
                f"SELECT MIN(t.created_at) FROM {sql.table(PendingAnalysis)} t WHERE {held.sql}",
                held.params,
            ),
        ]
    )
    moment = queued.rows[0][0]
    return None if control.rows[0][0] is not None or moment is None else sql.as_time(moment)
