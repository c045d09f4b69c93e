"""Which tasks may be claimed: the claim's own conditions, also for whoever asks about them.

Wake-ups are issued, and the site called unready, when something could be claimed and is not. So
there is one set of conditions, and one answer to since when they have held.

They are SQL and not the ORM's: the order of claims has to be read from one index, which is named
(SQLite and MariaDB take another one otherwise, and sort all that waits).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from analysis.models import (
    AnalysisAttempt,
    EndpointState,
    PendingAnalysis,
    QueueControl,
    QueuePause,
)
from analysis.queue.endpoints import Endpoint
from arboris.db import as_time, db_now
from arboris.novels.models import Chapter
from arboris.sql import Change, Query, quoted_table, send

Tasks = QuerySet[PendingAnalysis]


class Task(NamedTuple):
    """A task that comes first, as far as a claim needs it, and the database's time."""

    id: int
    chapter_id: int
    version_id: int
    user_id: int
    project_id: uuid.UUID
    attempt_count: int
    retry_count: int
    max_retries: int
    turn: int
    generation_config: dict[str, Any]
    checkpoint: dict[str, Any] | None
    priority: int
    in_order: bool
    quiet: bool
    request_id: str
    chapter_number: int
    now: datetime

    @classmethod
    def of(cls, row: tuple[Any, ...], moment: Any) -> Task:
        """From what a driver makes of the columns, and of the time."""
        task = cls._make((*row, as_time(moment)))
        project, config, checkpoint = row[4], row[9], row[10]
        return task._replace(
            project_id=project if isinstance(project, uuid.UUID) else uuid.UUID(project),
            generation_config=json.loads(config),
            checkpoint=json.loads(checkpoint) if checkpoint else None,
            in_order=bool(task.in_order),
            quiet=bool(task.quiet),
        )


def first_task(
    endpoint: Endpoint, only: Tasks | None = None, *, after: Sequence[Change] = ()
) -> Task | None:
    """The one that comes first, once the changes ``after`` which it is looked for are made.

    The time is asked for last: MariaDB's stands still from the start of a statement, which may be
    long before the statement reads, and what it has read to be over would have ended later.
    """
    number = f"(SELECT c.chapter_number FROM {quoted_table(Chapter)} c WHERE c.id = t.chapter_id)"
    columns, clock = ", ".join(f"t.{name}" for name in Task._fields[:-2]), now()
    found = _head(endpoint, only, f"{columns}, {number}", 1)
    *_, rows, times = send(*after, found, Query(f"SELECT {clock.text}", clock.params))
    return Task.of(rows[0], times[0][0]) if rows else None


def first(endpoint: Endpoint, limit: int, only: Tasks | None = None) -> list[int]:
    """Ids of what may be claimed now, at most ``limit``, in the order of claims."""
    return [row[0] for row in _rows(_head(endpoint, only, "t.id", limit))]


def since(endpoint: Endpoint) -> datetime | None:
    """Since when there has been something that this endpoint's workers might claim; None: nothing.

    Not since it is due alone: a pause may have been lifted later, the time of a probe have come
    later, or another task have ended that came before it in its novel, or kept that or its endpoint
    at its limit.
    """
    due_at = _earliest_due(where(endpoint))
    if due_at is None:
        return None
    paused = EndpointState.objects.filter(
        name=endpoint.name, paused_at__isnull=False, credentials=endpoint.credentials
    )
    moments = [due_at, QueueControl.objects.values_list("resumed_at", flat=True).get(pk=1)]
    moments += paused.values_list("probe_at", flat=True)
    ends = AnalysisAttempt.objects.order_by("-pk").values_list("ended_at", flat=True)
    moments += ends[:1]  # an attempt's row is written at its end
    return max(moment for moment in moments if moment is not None)


def oldest(endpoint: Endpoint) -> datetime | None:
    """When the oldest task was queued that neither a pause nor a later due time holds back.

    What holds for all of them is asked once: asked of each task, as the claim does, it costs
    MariaDB a dozen reads for each one that is pending.
    """
    if QueueControl.objects.filter(pk=1, paused_at__isnull=False).exists():
        return None
    refused = EndpointState.objects.filter(
        pk=endpoint.name,
        credentials=endpoint.credentials,
        paused_at__isnull=False,
        probe_at__gt=db_now(),
    )
    if refused.exists():
        return None
    moment = now()
    text = f"t.status = 'pending' AND t.due_at <= {moment.text}"
    if QueuePause.objects.exists():
        text += f" AND {_is_not_paused()}"
    # Of each priority an index has the order: it is read as far as the first one that is let.
    head = (
        f"SELECT * FROM (SELECT t.created_at FROM {quoted_table(PendingAnalysis)} t{_by_age()}"
        f" WHERE {text} AND t.priority = {{}} ORDER BY t.created_at, t.id LIMIT 1) h{{}}"
    )
    heads = " UNION ALL ".join(head.format(number, number) for number in range(1, 11))
    ((earliest,),) = _rows(
        Query(f"SELECT MIN(created_at) FROM ({heads}) heads", [*moment.params] * 10)
    )
    return None if earliest is None else as_time(earliest)


def number() -> int:
    """How many tasks' time has come, paused or not: each pending one is looked at."""
    moment = now()
    text = f"SELECT COUNT(*) FROM {quoted_table(PendingAnalysis)} t{_by_age()}"
    text += f" WHERE t.status = 'pending' AND t.due_at <= {moment.text}"
    ((count,),) = _rows(Query(text, moment.params))
    return int(count)


def oldest_of_each_priority(among: int) -> tuple[int, datetime] | None:
    """Id and time of the oldest task whose time has come, paused or not; None: there is none.

    Of each priority only the ``among`` oldest pending ones are looked at: a bounded read.
    """
    head = (
        f"SELECT * FROM (SELECT t.id, t.created_at, t.due_at FROM {quoted_table(PendingAnalysis)} t"
        f"{_by_age()} WHERE t.status = 'pending' AND t.priority = {{}}"
        f" ORDER BY t.created_at, t.id LIMIT {int(among)}) h{{}}"
    )
    heads = " UNION ALL ".join(head.format(number, number) for number in range(1, 11))
    moment = now()
    text = f"SELECT id, created_at FROM ({heads}) heads WHERE due_at <= {moment.text}"
    rows = _rows(Query(f"{text} ORDER BY created_at, id LIMIT 1", moment.params))
    return (int(rows[0][0]), as_time(rows[0][1])) if rows else None


def where(endpoint: Endpoint, *, only: Tasks | None = None) -> Query:
    """What has to hold of a task ``t`` for a claim to take it; of none, while the queue is paused.

    ``only`` narrows it.
    """
    moment = now()
    per_project = settings.ARBORIS_MAX_PER_PROJECT
    per_endpoint = settings.ARBORIS_MAX_PER_ENDPOINT
    text = _where(per_project, per_endpoint, settings.ARBORIS_MAX_CONCURRENT_TOTAL)
    # Where the expression for the time takes a parameter (SQLite), it takes it each time.
    params = (*moment.params, endpoint.name, endpoint.credentials, *moment.params)
    if per_endpoint:
        params = (*params, endpoint.name)
    if only is not None:
        inner, inner_params = only.order_by().values("pk").query.sql_with_params()
        return Query(f"{text} AND t.id IN ({inner})", (*params, *inner_params))
    return Query(text, params)


@lru_cache(maxsize=16)
def _where(per_project: int, per_endpoint: int, total: int) -> str:
    task, clock = quoted_table(PendingAnalysis), now().text
    state, control = quoted_table(EndpointState), quoted_table(QueueControl)
    limits = ""
    if per_project:
        limits += (
            f" AND t.project_id NOT IN (SELECT r.project_id FROM {task} r"
            " WHERE r.status = 'processing'"
            f" GROUP BY r.project_id HAVING COUNT(*) >= {per_project})"
        )
    if total:
        limits += f" AND (SELECT COUNT(*) FROM {task} r WHERE r.status = 'processing') < {total}"
    if per_endpoint:
        limits += (
            f" AND (SELECT COUNT(*) FROM {task} r WHERE r.status = 'processing'"
            f" AND r.endpoint = %s) < {per_endpoint}"
        )
    # Counted, and not as NOT EXISTS: of that PostgreSQL makes a join, takes it that nothing is
    # left, and sorts; and MariaDB thinks about it for longer than about all the rest.
    return (
        f"t.status = 'pending' AND t.due_at <= {clock}"
        f" AND (NOT t.in_order OR t.project_id NOT IN (SELECT r.project_id FROM {task} r"
        " WHERE r.status = 'processing' AND r.in_order))"
        f" AND {_is_not_paused()}"
        f" AND (SELECT COUNT(*) FROM {control} c LEFT JOIN {state} e ON e.name = %s"
        " AND e.credentials = %s AND e.paused_at IS NOT NULL"
        f" WHERE c.paused_at IS NULL AND (e.probe_at IS NULL OR e.probe_at <= {clock})) = 1{limits}"
    )


def _is_not_paused() -> str:
    return (
        f"(SELECT COUNT(*) FROM {quoted_table(QueuePause)} p"
        " WHERE p.project_id = t.project_id OR p.user_id = t.user_id) = 0"
    )


def _head(endpoint: Endpoint, only: Tasks | None, columns: str, limit: int) -> Query:
    """The first ``limit`` tasks ``t`` in the order of claims: an ordered read of one index."""
    allowed = where(endpoint, only=only)
    # A few are looked for by what names them, all by the order of claims.
    hint = _by_index() if only is None else ""
    return Query(
        f"SELECT {columns} FROM {quoted_table(PendingAnalysis)} t{hint}"
        f" WHERE {allowed.text} ORDER BY {order()} LIMIT {int(limit)}",
        allowed.params,
    )


def order() -> str:
    """The order of claims, of tasks ``t``: ``queue.fairness.order`` in SQL."""
    turn = "t.turn, " if settings.ARBORIS_FAIRNESS == "writer" else ""
    return f"t.priority DESC, {turn}t.created_at, t.id"


def _by_index() -> str:
    """The index that has this order.

    SQLite takes a smaller one otherwise, and sorts; MariaDB reads all that have ended as well.
    """
    writer = settings.ARBORIS_FAIRNESS == "writer"
    return _hint("pending_analysis_turns") if writer else _by_age()


def _by_age() -> str:
    return _hint("idx_pending_analysis_status_priority")


def _hint(name: str) -> str:
    hint = {"sqlite": f" INDEXED BY {name}", "mysql": f" FORCE INDEX ({name})"}
    return hint.get(connection.vendor, "")


def now() -> Query:
    """The database's clock. SQLite runs on this host, and has ours."""
    if connection.vendor == "sqlite":
        return Query("%s", (connection.ops.adapt_datetimefield_value(datetime.now(UTC)),))
    return Query("UTC_TIMESTAMP(6)" if connection.vendor == "mysql" else "clock_timestamp()")


def _earliest_due(allowed: Query) -> datetime | None:
    table = f"{quoted_table(PendingAnalysis)} t{_by_index()}"
    text = f"SELECT MIN(t.due_at) FROM {table} WHERE {allowed.text}"
    ((moment,),) = _rows(Query(text, allowed.params))
    return None if moment is None else as_time(moment)


def _rows(query: Query) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.params)
        return list(cursor.fetchall())
