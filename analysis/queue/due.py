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
    """What has to hold of a task ``t`` for a claim to take it: nothing is, while the queue is paused.

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
    state, pause, control = sql.table(EndpointState), sql.table(QueuePause), sql.table(QueueControl)
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
    # Counted, and not as NOT EXISTS: of that PostgreSQL makes a join, takes it that nothing is left,
    # and sorts; and MariaDB thinks about it for longer than about all the rest.
    return (
        f"t.status = 'pending' AND t.due_at <= {now}"
        f" AND (SELECT COUNT(*) FROM {pause} p"
        " WHERE p.project_id = t.project_id OR p.user_id = t.user_id) = 0"
        f" AND (SELECT COUNT(*) FROM {control} c LEFT JOIN {state} e ON e.name = %s"
        " AND e.credentials = %s AND e.paused_at IS NOT NULL"
        f" WHERE c.paused_at IS NULL AND (e.probe_at IS NULL OR e.probe_at <= {now})) = 1{limits}"
    )


FIRST = sql.Statement("t.id")


def head(
    endpoint: Endpoint, only: Tasks | None = None, *, columns: sql.Statement = FIRST, limit: int = 1
) -> sql.Statement:
    """A query for the task ``t`` that comes first, or the first ``limit``.

    An ordered read of one index; without a row while the queue is paused.
    """
    held = where(endpoint, only=only)
    # A few are looked for by what names them, all by the order of claims.
    hint = _by_index() if only is None else ""
    return sql.Statement(
        f"SELECT {columns.sql} FROM {sql.table(PendingAnalysis)} t{hint}"
        f" WHERE {held.sql} ORDER BY {order()} LIMIT {int(limit)}",
        columns.params + held.params,
    )


def order() -> str:
    """The order of claims, of tasks ``t``: ``queue.turn.order`` in SQL."""
    turn = "t.turn, " if settings.ARBORIS_FAIRNESS == "writer" else ""
    return f"t.priority DESC, {turn}t.created_at, t.id"


def _by_index() -> str:
    """The index that has this order; SQLite takes a smaller one otherwise, and sorts."""
    writer = settings.ARBORIS_FAIRNESS == "writer"
    name = "pending_analysis_turns" if writer else "idx_pending_analysis_status_priority"
    hint = {"sqlite": f" INDEXED BY {name}", "mysql": f" FORCE INDEX ({name})"}
    return hint.get(sql.vendor(), "")


def first(endpoint: Endpoint, limit: int, only: Tasks | None = None) -> list[int]:
    """Ids of what may be claimed now, at most ``limit``, in the order of claims."""
    (found,) = sql.run([head(endpoint, only, limit=limit)])
    return [row[0] for row in found.rows]


def since(endpoint: Endpoint) -> datetime | None:
    """Since when there has been something that this endpoint's workers might claim; None: nothing.

    Not since it is due alone: a pause may have been lifted later, the time of a probe have come
    later, or another task have ended that kept its novel or endpoint at its limit.
    """
    newest = f"SELECT ended_at FROM {sql.table(AnalysisAttempt)} ORDER BY id DESC LIMIT {NEWEST}"
    due, control, probe, ended = sql.run(
        [
            _earliest("due_at", where(endpoint)),
            sql.Statement(f"SELECT resumed_at FROM {sql.table(QueueControl)}"),
            sql.Statement(
                f"SELECT probe_at FROM {sql.table(EndpointState)}"
                " WHERE name = %s AND paused_at IS NOT NULL AND credentials = %s",
                (endpoint.name, endpoint.credentials),
            ),
            sql.Statement(f"SELECT MAX(n.ended_at) FROM ({newest}) n"),
        ]
    )
    ((due_at,),) = due.rows
    if due_at is None:
        return None
    moments = [due_at, control.rows[0][0], *(row[0] for row in probe.rows)]
    if settings.ARBORIS_MAX_PER_PROJECT or settings.ARBORIS_MAX_PER_ENDPOINT:
        moments.append(ended.rows[0][0])
    return max(sql.as_time(moment) for moment in moments if moment is not None)


def oldest(endpoint: Endpoint) -> datetime | None:
    """When the oldest of the tasks was queued that neither a pause nor a later due time holds back."""
    (queued,) = sql.run([_earliest("created_at", where(endpoint, limits=False))])
    ((moment,),) = queued.rows
    return None if moment is None else sql.as_time(moment)


def _earliest(column: str, held: sql.Statement) -> sql.Statement:
    text = f"SELECT MIN(t.{column}) FROM {sql.table(PendingAnalysis)} t WHERE {held.sql}"
    return sql.Statement(text, held.params)
