"""Putting a chapter version into the queue."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis, Status
from analysis.queue.cancel import supersede
from analysis.queue.fairness import last_in_line
from arboris import logs
from arboris.db import db_now
from arboris.novels.models import Chapter, ChapterVersion

BATCH = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewTask:
    """An analysis that a chapter, which has none under way, is to have; ``quiet``: unasked."""

    chapter: Chapter
    version: ChapterVersion
    priority: int
    config: dict[str, Any]
    quiet: bool = False


def enqueue(
    chapter: Chapter,
    version: ChapterVersion,
    *,
    priority: int = 5,
    config: dict[str, Any] | None = None,
    in_order: bool = False,
    wake: bool = True,
) -> PendingAnalysis:
    """Queue the version's analysis in the caller's transaction; an older live one gives way.

    The caller holds the project's row lock. ``in_order``: after the novel's chapters before it (see
    ``queue.in_order``). ``wake=False`` leaves the wake-ups to the caller, who issues them for a
    whole batch.
    """
    supersede(chapter.pk)
    turn = last_in_line(chapter.project.owner_id, priority)
    task = _pending(chapter, version, priority, config or {}, turn, db_now())
    task.in_order = in_order
    task.save(force_insert=True)
    _log_queued([task])
    if wake:
        wakeups.issue()
    return task


def enqueue_all(new: Sequence[NewTask]) -> dict[int, PendingAnalysis]:
    """Queue the analyses of one novel's chapters, in their order; the tasks by their chapters.

    A few statements for all of them, as the caller holds the project's row lock, and on SQLite
    everybody else. The wake-ups are the caller's, as of ``enqueue`` with ``wake=False``.
    """
    now = db_now()
    turns: dict[int, int] = {}
    rows = []
    for one in new:
        if one.priority not in turns:
            turns[one.priority] = last_in_line(one.chapter.project.owner_id, one.priority)
        turn = turns[one.priority]
        turns[one.priority] += 1
        row = _pending(one.chapter, one.version, one.priority, one.config, turn, now)
        row.in_order, row.quiet = True, one.quiet
        rows.append(row)
    PendingAnalysis.objects.bulk_create(rows, batch_size=BATCH)
    if not connection.features.can_return_rows_from_bulk_insert:
        known = PendingAnalysis.objects.filter(active_chapter__in=[row.chapter_id for row in rows])
        rows = list(known)
    _log_queued(rows)
    return {row.chapter_id: row for row in rows}


def _pending(
    chapter: Chapter,
    version: ChapterVersion,
    priority: int,
    config: dict[str, Any],
    turn: int,
    now: datetime,
) -> PendingAnalysis:
    return PendingAnalysis(
        chapter=chapter,
        version=version,
        project_id=chapter.project_id,
        user_id=chapter.project.owner_id,
        active_chapter=chapter.pk,
        priority=priority,
        generation_config=config,
        max_retries=settings.ARBORIS_MAX_RETRIES,
        created_at=now,
        due_at=now,
        turn=turn,
        request_id=logs.request_id(),
    )


def _log_queued(tasks: Sequence[PendingAnalysis]) -> None:
    """One line for what one request or command has queued of a novel, once it is committed."""
    if not tasks:
        return
    first = tasks[0]
    fields: dict[str, Any] = {"novel": first.project_id, "writer": first.user_id}
    if len(tasks) == 1:
        fields |= {"task": first.pk, "chapter": first.chapter_id, "priority": first.priority}
    else:
        fields |= {"tasks": len(tasks), "first": first.pk, "last": tasks[-1].pk}
    transaction.on_commit(lambda: logs.event(log, logging.INFO, "analysis queued", **fields))


def adopt(
    chapter: Chapter,
    version: ChapterVersion,
    *,
    priority: int,
    config: dict[str, Any],
    completed_at: datetime,
) -> PendingAnalysis:
    """Note that the version was analysed elsewhere, with its findings: nothing is to be done.

    It is none of this installation's analyses, so no counter takes it in.
    """
    return PendingAnalysis.objects.create(
        chapter=chapter,
        version=version,
        project_id=chapter.project_id,
        user_id=chapter.project.owner_id,
        status=Status.COMPLETED,
        priority=priority,
        generation_config=config,
        max_retries=settings.ARBORIS_MAX_RETRIES,
        created_at=completed_at,
        due_at=completed_at,
        started_at=completed_at,
        completed_at=completed_at,
        progress_percent=100,
    )
